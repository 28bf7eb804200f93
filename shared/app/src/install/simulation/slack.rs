//! Slack's side of token rotation, as its documentation tells it and independent of ours: an access token lives 12 hours, a
//! refresh token is used once and lives on for a short grace, at most two access tokens of an installation are active and the
//! oldest is revoked.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;
use tack_protocol::EpochMs;

pub(super) const LIFE: Duration = Duration::from_secs(12 * 3600);

/// Slack does not say how long; a minute is what these figures are for.
pub(super) const GRACE: Duration = Duration::from_secs(60);

const ACTIVE: usize = 2;

/// A pair as Slack hands it out.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) access: String,
    pub(super) refresh: String,
}

#[derive(Default)]
struct Workspace {
    /// The oldest first.
    active: Vec<(String, EpochMs)>,
    /// When each refresh token was used for the first time.
    used: HashMap<String, Option<EpochMs>>,
    issued: u64,
    /// From which refresh token each came.
    parents: HashMap<String, String>,
}

#[derive(Default)]
pub(super) struct Slack {
    workspaces: RefCell<HashMap<usize, Workspace>>,
    /// Every use of a refresh token that brought a pair; and those that came within the grace of an earlier one.
    pub(super) refreshes: RefCell<(u64, u64)>,
}

impl Slack {
    pub(super) fn install(&self, workspace: usize, now: EpochMs) -> Pair {
        self.workspaces.borrow_mut().entry(workspace).or_default().issue(workspace, now)
    }

    pub(super) fn refresh(&self, refresh: &str, now: EpochMs) -> Result<Pair, &'static str> {
        let mut workspaces = self.workspaces.borrow_mut();
        let known = workspaces.iter_mut().find(|(_, workspace)| workspace.used.contains_key(refresh));
        let (name, workspace) = known.ok_or("invalid_refresh_token")?;
        if !workspace.takes(refresh, now) {
            return Err("invalid_refresh_token");
        }
        let first = workspace.used.get_mut(refresh).is_some_and(|used| used.replace(used.unwrap_or(now)).is_none());
        let mut refreshes = self.refreshes.borrow_mut();
        refreshes.0 += 1;
        refreshes.1 += u64::from(!first);
        let pair = workspace.issue(*name, now);
        workspace.parents.insert(pair.refresh.clone(), refresh.to_owned());
        Ok(pair)
    }

    /// Slack's answer to a call with this token.
    pub(super) fn call(&self, workspace: usize, access: &str, now: EpochMs) -> Result<(), &'static str> {
        let workspaces = self.workspaces.borrow();
        match workspaces[&workspace].active.iter().find(|(active, _)| active == access) {
            None => Err("token_revoked"),
            Some((_, expires)) if *expires <= now => Err("token_expired"),
            Some(_) => Ok(()),
        }
    }

    /// Whether a refresh token still brings a pair.
    pub(super) fn takes(&self, workspace: usize, refresh: &str, now: EpochMs) -> bool {
        self.workspaces.borrow()[&workspace].takes(refresh, now)
    }

    /// Whether one refresh token was handed out in exchange for the other.
    pub(super) fn is_child(&self, workspace: usize, refresh: &str, parent: &str) -> bool {
        self.workspaces.borrow()[&workspace].parents.get(refresh).is_some_and(|known| known == parent)
    }

    /// Whether a refresh token was never used.
    pub(super) fn is_unused(&self, workspace: usize, refresh: &str) -> bool {
        self.workspaces.borrow()[&workspace].used.get(refresh) == Some(&None)
    }
}

impl Workspace {
    fn takes(&self, refresh: &str, now: EpochMs) -> bool {
        match self.used.get(refresh) {
            None => false,
            Some(None) => true,
            Some(Some(used)) => now.since(*used) <= GRACE,
        }
    }

    fn issue(&mut self, name: usize, now: EpochMs) -> Pair {
        self.issued += 1;
        let pair = Pair {
            access: format!("xoxe.xoxb-sim-{name}-{}", self.issued),
            refresh: format!("xoxe-1-sim-{name}-{}", self.issued),
        };
        self.active.push((pair.access.clone(), now.plus(LIFE)));
        let surplus = self.active.len().saturating_sub(ACTIVE);
        self.active.drain(..surplus);
        // What was used long ago is as good as unknown.
        self.used.retain(|_, used| used.is_none_or(|used| now.since(used) <= GRACE * 2));
        let used = &self.used;
        self.parents.retain(|refresh, _| used.contains_key(refresh));
        self.used.insert(pair.refresh.clone(), None);
        pair
    }
}
