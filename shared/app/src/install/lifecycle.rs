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

/// What a listener for an event about tokens runs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithToken {
    /// Like any other.
    Always,
    /// The bot's, if it works still: people's tokens are gone.
    IfAny,
    /// None works any more.
    Never,
}

impl WithToken {
    pub(crate) fn of(envelope: &Envelope) -> Self {
        let Some(event) = event(envelope) else { return Self::Always };
        match event.kind.as_str() {
            UNINSTALLED => Self::Never,
            REVOKED if ids(event.raw.pointer("/tokens/bot")).next().is_some() => Self::Never,
            REVOKED => Self::IfAny,
            _ => Self::Always,
        }
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// When it happened.
    at: EpochSeconds,
    /// What Slack says of where.
    tenant: Tenant,
    /// The bot that it came for, if Slack says so.
    bot: Option<UserId>,
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
        Some(Self { at, tenant: envelope.tenant.clone(), bot: authorized_bot(envelope), change })
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
                self.remove(store, key, &[everything()], self.bot.as_slice()).await
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
        let InstallKey::Enterprise(organisation) = &key else { return self.remove_of(store, &key, removals).await };
        let is_meant = self.tenant.is_enterprise_install || bots.is_empty() || has_one_of(store, &key, bots).await?;
        let applied =
            if is_meant { self.remove_of(store, &key, removals).await? } else { Applied::ignored(not_installed(&key)) };
        if self.tenant.is_enterprise_install || !applied.touched.is_empty() {
            return Ok(applied);
        }
        match self.only_workspace(store, organisation, bots).await? {
            Some(workspace) => self.remove_of(store, &workspace, removals).await,
            None => Ok(applied),
        }
    }

    /// One that this event took away before is found again, so that an attempt after a crash goes on where that one ended. Of
    /// the others those that were uninstalled do not count.
    async fn only_workspace(
        &self,
        store: &dyn InstallationStore,
        organisation: &EnterpriseId,
        bots: &[UserId],
    ) -> Result<Option<InstallKey>, StoreError> {
        let mut candidates = store.list().await?;
        candidates.retain(|one| {
            let is_named = bots.is_empty() || is_of_one_of(one, bots);
            one.enterprise.as_ref() == Some(organisation) && one.team.is_some() && is_named
        });
        let is_by_this = |one: &&Installation| one.gone.as_ref().is_some_and(|gone| gone.at.seconds() == self.at);
        let is_left = |one: &&Installation| one.gone.as_ref().is_none_or(|gone| gone.purge_at.is_none());
        let only = only(candidates.iter().filter(is_by_this)).or_else(|| only(candidates.iter().filter(is_left)));
        Ok(only.and_then(Installation::key))
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
            return Ok(Applied::ignored(not_installed(key)));
        }
        let is_uninstalled = removals.iter().any(|removal| matches!(removal, Removal::Everything { .. }));
        let gone = if is_uninstalled { self.uninstalled(store, key).await? } else { None };
        Ok(Applied { touched: vec![key.clone()], gone: gone.into_iter().collect(), ignored: None })
    }

    /// An installation of which everything was removed, as it stands in the store: an earlier event may have dated it, and the
    /// jobs that follow must be the same ones. `None` if it was purged or installed again since.
    async fn uninstalled(
        &self,
        store: &dyn InstallationStore,
        key: &InstallKey,
    ) -> Result<Option<Installation>, StoreError> {
        let rows = store.read(std::slice::from_ref(key)).await?;
        let Some(row) = rows.into_iter().next().map(|row| row.installation) else { return Ok(None) };
        if row.gone.as_ref().is_some_and(|gone| gone.purge_at.is_some()) {
            return Ok(Some(row));
        }
        if row.installed_at.seconds() > self.at {
            return Ok(None);
        }
        // The store said that it is gone, so this was read before it went; without the record nothing would ever purge it.
        Err(StoreError { reason: format!("the removal of {} cannot be read yet", key.id()) })
    }
}

/// Whether an installation is kept under this name, and is of one of these bots.
async fn has_one_of(store: &dyn InstallationStore, key: &InstallKey, bots: &[UserId]) -> Result<bool, StoreError> {
    let rows = store.read(std::slice::from_ref(key)).await?;
    Ok(rows.iter().any(|row| is_of_one_of(&row.installation, bots)))
}

fn is_of_one_of(installation: &Installation, bots: &[UserId]) -> bool {
    installation.bot_user.as_ref().is_some_and(|bot| bots.contains(bot))
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn not_installed(key: &InstallKey) -> String {
    format!("not installed in {}", key.id())
}

fn authorized_bot(envelope: &Envelope) -> Option<UserId> {
    let root: Value = serde_json::from_slice(&envelope.body).ok()?;
    let authorization = root.pointer("/authorizations/0").filter(|first| first["is_bot"] == true)?;
    authorization["user_id"].as_str().map(UserId::new)
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
