//! The framework's own jobs: what it does itself when the app is installed, uninstalled or purged, beside the adopter's part.
//!
//! Invariant: what is stored is changed before anything that follows from it is queued, and both may be done again. So a crash in
//! between costs nothing, and of the jobs that were queued twice one runs.

use super::Worker;
use super::batch::Task;
use super::job::Decision;
use crate::app::app_payload;
use crate::authorize::Authorized;
use crate::error::{Disposition, ListenerError};
use crate::idempotency::Claim;
use crate::install::lifecycle::Notice;
use crate::install::{
    INSTALLED, InstallKey, Installation, InstalledEvent, LIFECYCLE, PURGE, PURGE_DUE, PurgeRequest, UNINSTALLED, purge,
    uninstalled,
};
use crate::message::{AppWork, QueueName, Work, group_of};
use crate::ports::{InstallationStore, StoreError};
use crate::probe;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use std::cmp::Ordering;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EpochMs, Tenant};
use tokio::time::Instant;

/// How long `tack.installed` waits for an installation to be saved.
const SAVED_WITHIN: Duration = Duration::from_secs(3600);

/// Between its looks: as long as it has waited already, within these bounds. They take it past that hour before the queue
/// gives the message up.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(120));

/// A purge that is due this soon waits: Slack's clock dates it, and ours may be behind.
const SOON: Duration = Duration::from_secs(60);

/// How many messages are sent at a time.
const SENDS: usize = 8;

/// What ends a job without a listener.
type Ended = Result<Disposition, ListenerError>;

impl<R: 'static, K: 'static> Worker<R, K> {
    /// The framework's part in one of its own jobs. `None` when a listener is to run as for any other job.
    pub(super) async fn own_part(&self, task: &Task, claim: &Claim, deadline: Instant) -> Option<Decision> {
        let in_time = self.listener_deadline(deadline);
        let ended = match task.job.name.as_str() {
            probe::JOB => Ok(Disposition::Done),
            LIFECYCLE => self.or_overran(in_time, claim, self.lifecycle(task)).await,
            PURGE_DUE => self.or_overran(in_time, claim, self.purge_due(task)).await,
            INSTALLED => match self.before_installed(task).await {
                Ok(decision) => return decision,
                Err(error) => Err(error),
            },
            UNINSTALLED => Ok(self.uninstalled(task, claim, in_time).await),
            PURGE => return Some(self.purge(task, claim, in_time).await.unwrap_or_else(|error| failed(&error))),
            _ => return None,
        };
        Some(ended.map_or_else(|error| failed(&error), Decision::from))
    }

    async fn or_overran(&self, in_time: Instant, claim: &Claim, work: impl Future<Output = Ended>) -> Ended {
        let overran = ListenerError::Overran { attempt: claim.attempt };
        tokio::time::timeout_at(in_time, work).await.unwrap_or(Err(overran))
    }

    /// An event about an installation: the store follows it, then the jobs that it leads to are queued.
    async fn lifecycle(&self, task: &Task) -> Ended {
        let Work::Slack(work) = &*task.work else {
            return Err(ListenerError::permanent("this job runs what Slack sends, and this is work of origin app"));
        };
        // With a fixed token there is nothing to change.
        let (Some(store), Some(notice)) = (self.authorize.store(), Notice::read(work)) else {
            return Ok(Disposition::Done);
        };
        let applied = notice.apply(store, Duration::from_millis(self.limits.purge_grace_ms)).await;
        let applied = applied.map_err(trouble)?;
        for key in &applied.touched {
            self.authorize.forget(key);
        }
        let now = self.clock.now();
        for gone in &applied.gone {
            if self.app.jobs.contains_key(UNINSTALLED) {
                self.send_own(uninstalled(gone, task.work.id(), now)).await?;
            }
            if is_due(gone, now.plus(SOON)) {
                self.send_own(purge(gone, task.work.id(), now)).await?;
            }
        }
        Ok(applied.ignored.map_or(Disposition::Done, |reason| Disposition::Discard { reason }))
    }

    /// Sends the purge of everything that is due. Those that were sent before run once nevertheless.
    async fn purge_due(&self, task: &Task) -> Ended {
        let Some(store) = self.authorize.store() else { return Ok(Disposition::Done) };
        let now = self.clock.now();
        let all = store.list().await.map_err(trouble)?;
        stream::iter(all.iter().filter(|one| is_due(one, now)))
            .map(|gone| self.send_own(purge(gone, task.work.id(), now)))
            .buffer_unordered(SENDS)
            .try_collect::<()>()
            .await?;
        Ok(Disposition::Done)
    }

    async fn send_own(&self, work: Option<AppWork>) -> Result<(), ListenerError> {
        let Some(work) = work else { return Ok(()) };
        let body = work.encode();
        let group = group_of(&Work::App(Box::new(work)).tenant());
        Ok(self.queue.send(QueueName::Events, &group, body).await?)
    }

    /// What must be there before the adopter's welcome: its message was sent before the installation was saved.
    async fn before_installed(&self, task: &Task) -> Result<Option<Decision>, ListenerError> {
        if !self.app.jobs.contains_key(INSTALLED) {
            return Ok(Some(Disposition::Done.into()));
        }
        let (Some(store), Some(key)) = (self.authorize.store(), key_of(&task.work.tenant())) else {
            return Ok(None);
        };
        let event: InstalledEvent = app_payload(&task.work)?;
        match saved(store, &key, &event).await.map_err(trouble)? {
            Saved::Yes => {
                // What this process knew of the workspace was so before.
                self.authorize.forget(&key);
                return Ok(None);
            }
            // A person who started again is greeted once, for the flow that counts.
            Saved::Superseded => return Ok(Some(discard("superseded by a newer installation"))),
            Saved::NotYet => {}
        }
        let now = self.clock.now();
        let waited = now.since(event.installed_at);
        if waited > SAVED_WITHIN {
            return Ok(Some(Disposition::Discard { reason: "the installation was never saved".to_owned() }.into()));
        }
        let until = now.plus(waited.clamp(LOOK_AGAIN.0, LOOK_AGAIN.1));
        Ok(Some(Decision::NotStarted { until, reason: "the installation is not saved yet".to_owned() }))
    }

    async fn uninstalled(&self, task: &Task, claim: &Claim, in_time: Instant) -> Disposition {
        let row = match (self.authorize.store(), key_of(&task.work.tenant())) {
            (Some(store), Some(key)) => stored(store, &key).await,
            _ => Ok(None),
        };
        match row {
            Ok(row) => self.run_without_token(task, claim, row, in_time).await,
            Err(error) => trouble(error).disposition(),
        }
    }

    /// The adopter's part first: as long as the record is there, it is known that something is left to do.
    async fn purge(&self, task: &Task, claim: &Claim, in_time: Instant) -> Result<Decision, ListenerError> {
        let request: PurgeRequest = app_payload(&task.work)?;
        let (Some(store), Some(key)) = (self.authorize.store(), key_of(&task.work.tenant())) else {
            return Ok(discard("no installations are kept here"));
        };
        let row = stored(store, &key).await.map_err(trouble)?;
        // Without a record an earlier attempt got as far as that, and did not live to say so.
        if let Some(row) = &row {
            let now = self.clock.now();
            match row.gone.as_ref().map(|gone| (gone.at, gone.purge_at)) {
                Some((at, Some(purge_at))) if at == request.gone_at && purge_at <= now => {}
                Some((at, Some(purge_at))) if at == request.gone_at && purge_at <= now.plus(SOON) => {
                    return Ok(Decision::NotStarted { until: purge_at, reason: "it is not due yet".to_owned() });
                }
                Some((at, Some(_))) if at == request.gone_at => {
                    return Err(ListenerError::permanent("it is not due yet"));
                }
                _ if row.installed_at > request.gone_at => return Ok(discard(INSTALLED_AGAIN)),
                // What was installed by then is gone: this was read before it went. Nothing final may follow from that.
                _ => {
                    let until = now.plus(self.trouble_wait(&task.record));
                    let reason = "the record does not show that uninstallation yet".to_owned();
                    return Ok(Decision::NotStarted { until, reason });
                }
            }
        }
        let is_there = row.is_some();
        let disposition = self.run_without_token(task, claim, row, in_time).await;
        if !is_there || !matches!(disposition, Disposition::Done | Disposition::Discard { .. }) {
            return Ok(disposition.into());
        }
        let purged = store.purge(&key, self.clock.now()).await.map_err(trouble)?;
        self.authorize.forget(&key);
        Ok(if purged { disposition.into() } else { discard(INSTALLED_AGAIN) })
    }

    /// The adopter's part, if there is one, at a time when no token works.
    async fn run_without_token(
        &self,
        task: &Task,
        claim: &Claim,
        row: Option<Installation>,
        in_time: Instant,
    ) -> Disposition {
        let Some(lazy) = self.app.jobs.get(task.job.name.as_str()) else { return Disposition::Done };
        let authorized = Authorized { token: None, installation: row.map(Rc::new) };
        self.run_listener(task, &lazy.run, &self.context(task, claim, authorized, in_time)).await
    }
}

const INSTALLED_AGAIN: &str = "the app was installed again: nothing is purged";

fn discard(reason: &str) -> Decision {
    Disposition::Discard { reason: reason.to_owned() }.into()
}

fn failed(error: &ListenerError) -> Decision {
    error.disposition().into()
}

fn trouble(error: StoreError) -> ListenerError {
    ListenerError::Retry { after: None, reason: error.to_string() }
}

/// The name under which the installation that own work is about is kept.
fn key_of(tenant: &Tenant) -> Option<InstallKey> {
    InstallKey::of(tenant).into_iter().next()
}

async fn stored(store: &dyn InstallationStore, key: &InstallKey) -> Result<Option<Installation>, StoreError> {
    let rows = store.read(std::slice::from_ref(key)).await?;
    Ok(rows.into_iter().next().map(|row| row.installation))
}

/// What can be read of an installation whose flow ended.
enum Saved {
    Yes,
    NotYet,
    Superseded,
}

impl Saved {
    /// As seen in what is kept now.
    fn of(found: Option<EpochMs>, wanted: EpochMs) -> Self {
        match found.map(|found| found.cmp(&wanted)) {
            Some(Ordering::Equal) => Self::Yes,
            Some(Ordering::Greater) => Self::Superseded,
            Some(Ordering::Less) | None => Self::NotYet,
        }
    }
}

/// Whether exactly this installation is there. One of user scopes alone leaves a bot's side as it was, so there the person's
/// grant tells; one with a bot is not there before the bot is, since the person's part is written first.
async fn saved(store: &dyn InstallationStore, key: &InstallKey, event: &InstalledEvent) -> Result<Saved, StoreError> {
    let row = stored(store, key).await?.map(|row| row.installed_at);
    let of_row = Saved::of(row, event.installed_at);
    if !event.scopes.is_empty() || row.is_none() || matches!(of_row, Saved::Yes) {
        return Ok(of_row);
    }
    let grant = store.read_user(key, &event.installer).await?;
    Ok(Saved::of(grant.map(|grant| grant.installed_at), event.installed_at))
}

fn is_due(installation: &Installation, at: EpochMs) -> bool {
    installation.gone.as_ref().and_then(|gone| gone.purge_at).is_some_and(|purge_at| purge_at <= at)
}
