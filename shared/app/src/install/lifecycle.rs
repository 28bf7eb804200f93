//! Slack's events about an installation itself: what each says, and what it changes in the store.
//!
//! They come in any order, twice, late, and at a time when no token works. Each is dated by Slack, so that one which is about an
//! earlier installation leaves the present one alone.
//! Sources: <https://docs.slack.dev/reference/events/app_uninstalled>, `tokens_revoked`, `app_uninstalled_team`,
//! `team_access_granted` and `team_access_revoked` beside it.

use super::{InstallKey, Installation, Removal, Removed};
use crate::message::SlackWork;
use crate::ports::{InstallationStore, StoreError};
use serde_json::Value;
use std::time::Duration;
use tack_protocol::payload::{Event, Payload};
use tack_protocol::{AppId, EnterpriseId, Envelope, EpochMs, EpochSeconds, TeamId, Tenant, UserId};

/// The job that every app has for these events.
pub const JOB: &str = "tack.lifecycle";

const UNINSTALLED: &str = "app_uninstalled";
const UNINSTALLED_TEAM: &str = "app_uninstalled_team";
const REVOKED: &str = "tokens_revoked";
const GRANTED: &str = "team_access_granted";
const WITHDRAWN: &str = "team_access_revoked";

const NOWHERE: &str = "Slack names neither workspace nor organisation";

fn event(envelope: &Envelope) -> Option<&Event> {
    match &envelope.payload {
        Payload::Event(event) => Some(event),
        _ => None,
    }
}

/// Whether it is about an installation, so that [`JOB`] is to run.
pub(crate) fn is_lifecycle(envelope: &Envelope) -> bool {
    let kinds = [UNINSTALLED, UNINSTALLED_TEAM, REVOKED, GRANTED, WITHDRAWN];
    event(envelope).is_some_and(|event| kinds.contains(&event.kind.as_str()))
}

/// Whether no token works when it comes, so that its listeners run without one.
pub(crate) fn is_without_token(envelope: &Envelope) -> bool {
    event(envelope).is_some_and(|event| [UNINSTALLED, REVOKED].contains(&event.kind.as_str()))
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// When it happened.
    at: EpochSeconds,
    /// What Slack says of where.
    tenant: Tenant,
    change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    /// Nothing is left of it.
    Uninstalled,
    /// A workspace is without it, whether the installation was its own or its organisation's.
    UninstalledFrom(InstallKey),
    /// Tokens of these bots and people are dead. Slack names users, never tokens.
    Revoked { bots: Vec<UserId>, users: Vec<UserId> },
    /// An org-wide installation may work in these workspaces, or no longer.
    Access { teams: Vec<TeamId>, granted: bool },
    /// It is about another app.
    OfAnother,
    /// It does not say enough.
    Unclear,
}

/// What came of a notice.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Of which installations something may have changed.
    pub(crate) touched: Vec<InstallKey>,
    /// What is gone now, as it stands in the store.
    pub(crate) gone: Vec<Installation>,
    /// Why nothing was changed, if nothing was.
    pub(crate) ignored: Option<String>,
}

impl Applied {
    fn ignored(reason: impl Into<String>) -> Self {
        Self { ignored: Some(reason.into()), ..Self::default() }
    }
}

impl Notice {
    /// Reads an event; `None` when it is none of these.
    pub(crate) fn read(work: &SlackWork) -> Option<Self> {
        let envelope = &work.envelope;
        let event = event(envelope)?;
        let change = match event.kind.as_str() {
            UNINSTALLED => Change::Uninstalled,
            UNINSTALLED_TEAM => uninstalled_from(event, envelope.app.as_ref()),
            REVOKED => Change::Revoked {
                bots: ids(event.raw.pointer("/tokens/bot")).map(UserId::new).collect(),
                users: ids(event.raw.pointer("/tokens/oauth")).map(UserId::new).collect(),
            },
            kind @ (GRANTED | WITHDRAWN) => Change::Access {
                teams: ids(event.raw.get("team_ids")).map(TeamId::new).collect(),
                granted: kind == GRANTED,
            },
            _ => return None,
        };
        let at = event.event_time.unwrap_or(envelope.received_at.seconds());
        Some(Self { at, tenant: envelope.tenant.clone(), change })
    }

    /// Changes what is stored. Asking again is safe, and gives the same.
    pub(crate) async fn apply(
        &self,
        store: &dyn InstallationStore,
        purge_grace: Duration,
    ) -> Result<Applied, StoreError> {
        let everything = || Removal::Everything { purge_at: EpochMs(self.at.0.saturating_mul(1000)).plus(purge_grace) };
        match &self.change {
            Change::OfAnother => Ok(Applied::default()),
            Change::Unclear => Ok(Applied::ignored(NOWHERE)),
            Change::Uninstalled => {
                let Some(key) = self.named() else { return Ok(Applied::ignored(NOWHERE)) };
                self.remove(store, key, &[everything()], &[]).await
            }
            Change::UninstalledFrom(key) => {
                let mut applied = self.remove_of(store, key, &[everything()]).await?;
                if let (InstallKey::Team(team), Some(organisation)) = (key, self.organisation()) {
                    store.set_access(&organisation, team, false, self.at).await?;
                    applied.ignored = applied.ignored.filter(|_| !applied.touched.is_empty());
                    applied.touched.push(organisation);
                }
                Ok(applied)
            }
            Change::Revoked { bots, users } => {
                let Some(key) = self.named() else { return Ok(Applied::ignored(NOWHERE)) };
                let mut removals = Vec::new();
                if !bots.is_empty() {
                    removals.push(Removal::Bot);
                }
                if !users.is_empty() {
                    removals.push(Removal::Users(users.clone()));
                }
                self.remove(store, key, &removals, bots).await
            }
            Change::Access { teams, granted } => {
                let Some(organisation) = self.organisation() else {
                    return Ok(Applied::ignored("Slack names no organisation"));
                };
                for team in teams {
                    store.set_access(&organisation, team, *granted, self.at).await?;
                }
                Ok(Applied { touched: vec![organisation], ..Applied::default() })
            }
        }
    }

    /// The installation that the event is about. Where Slack names no workspace it is the organisation's.
    fn named(&self) -> Option<InstallKey> {
        InstallKey::of(&self.tenant).into_iter().next()
    }

    fn organisation(&self) -> Option<InstallKey> {
        self.tenant.enterprise.clone().map(InstallKey::Enterprise)
    }

    /// Removes from the named installation. On Grid Slack's events may lack the workspace although the app is installed in one:
    /// then it is that of the organisation's workspaces that only can be meant, by the bot if there is one.
    async fn remove(
        &self,
        store: &dyn InstallationStore,
        key: InstallKey,
        removals: &[Removal],
        bots: &[UserId],
    ) -> Result<Applied, StoreError> {
        let applied = self.remove_of(store, &key, removals).await?;
        let (true, InstallKey::Enterprise(organisation)) = (applied.touched.is_empty(), &key) else {
            return Ok(applied);
        };
        match self.only_workspace(store, organisation, bots).await? {
            Some(workspace) => self.remove_of(store, &workspace, removals).await,
            None => Ok(applied),
        }
    }

    async fn only_workspace(
        &self,
        store: &dyn InstallationStore,
        organisation: &EnterpriseId,
        bots: &[UserId],
    ) -> Result<Option<InstallKey>, StoreError> {
        let mut candidates = store.list().await?;
        candidates.retain(|one| {
            let is_named = bots.is_empty() || one.bot_user.as_ref().is_some_and(|bot| bots.contains(bot));
            one.enterprise.as_ref() == Some(organisation) && one.team.is_some() && is_named
        });
        Ok(match &candidates[..] {
            [only] => only.key(),
            _ => None,
        })
    }

    async fn remove_of(
        &self,
        store: &dyn InstallationStore,
        key: &InstallKey,
        removals: &[Removal],
    ) -> Result<Applied, StoreError> {
        let (mut yes, mut newer) = (removals.is_empty(), false);
        for removal in removals {
            match store.remove(key, removal, self.at).await? {
                Removed::Yes => yes = true,
                Removed::Newer => newer = true,
                Removed::Absent => {}
            }
        }
        if newer && !yes {
            let reason = format!("{} was installed again after this: nothing was changed", key.id());
            return Ok(Applied { touched: vec![key.clone()], ignored: Some(reason), gone: Vec::new() });
        }
        if !yes {
            return Ok(Applied::ignored(format!("not installed in {}", key.id())));
        }
        let rows = store.read(std::slice::from_ref(key)).await?;
        // As it stands in the store: an earlier event may have dated it, and the jobs that follow must be the same ones.
        let gone = rows
            .into_iter()
            .map(|row| row.installation)
            .filter(|one| one.gone.as_ref().is_some_and(|gone| gone.purge_at.is_some()));
        Ok(Applied { touched: vec![key.clone()], gone: gone.collect(), ignored: None })
    }
}

/// `app_uninstalled_team` also comes about other apps, to those that administer an organisation.
fn uninstalled_from(event: &Event, app: Option<&AppId>) -> Change {
    if event.text("app_id").is_some_and(|id| app.is_none_or(|app| app.as_str() != id)) {
        return Change::OfAnother;
    }
    event.text("team_id").and_then(InstallKey::parse).map_or(Change::Unclear, Change::UninstalledFrom)
}

/// Texts in a list; nothing where the list is absent.
fn ids(list: Option<&Value>) -> impl Iterator<Item = &str> + '_ {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
