//! The app's own jobs around an installation: their names, what each is given, and how a listener for one is registered.
//!
//! They are work of the app's own like any other: durable, retried, with dead letters, run once per installation. What the
//! framework does beside the adopter's function is in `worker/lifecycle.rs`.
//! Invariant: the names and payloads wait in queues, so they change only by additions.

use super::{Installation, Scopes};
use crate::app::{App, Phase, app_job, here};
use crate::context::Context;
use crate::error::ListenerError;
use crate::message::AppWork;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tack_protocol::{EpochMs, Tenant, UserId};

/// The job after an installation.
pub const INSTALLED: &str = "tack.installed";

/// The job after an uninstallation.
pub const UNINSTALLED: &str = "tack.uninstalled";

/// The job that deletes what is left of an installation.
pub const PURGE: &str = "tack.purge";

/// The job that finds the installations that are due to be purged, and sends [`PURGE`] for each. It is for all installations,
/// so its message names neither team nor enterprise: `{"v":1,"origin":"app","job":"tack.purge_due","key":"2026-11-24"}`.
pub const PURGE_DUE: &str = "tack.purge_due";

/// An OAuth flow that ended well: what [`App::installed`] is given. The workspace is `context.tenant()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstalledEvent {
    /// Who installed it.
    pub installer: UserId,
    /// The adopter's own word from `?ref=`. Whoever makes the link chooses it, and anybody can make one: it tells where a person
    /// came from, and proves nothing about who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Bot scopes that were granted.
    #[serde(default)]
    pub scopes: Scopes,
    /// Bot scopes that were asked for and not granted.
    #[serde(default)]
    pub missing_scopes: Scopes,
    /// When; tells the installation from an earlier one of the same workspace.
    pub installed_at: EpochMs,
    /// Whether it is on a whole organisation, so that `context.tenant()` names no workspace.
    #[serde(default)]
    pub is_enterprise_install: bool,
}

impl InstalledEvent {
    /// Of an installation that is about to be saved.
    pub fn of(installation: &Installation, reference: Option<String>, missing_scopes: Scopes) -> Self {
        Self {
            installer: installation.installer.clone(),
            reference,
            scopes: installation.scopes.clone(),
            missing_scopes,
            installed_at: installation.installed_at,
            is_enterprise_install: installation.is_enterprise_install(),
        }
    }

    /// The message for the events queue. Sent before the installation is saved: the job waits for it.
    pub fn work(&self, tenant: &Tenant, id: String, trace: Option<String>) -> AppWork {
        AppWork {
            id,
            job: INSTALLED.to_owned(),
            enterprise: tenant.enterprise.clone(),
            team: tenant.team.clone(),
            is_enterprise_install: tenant.is_enterprise_install,
            key: format!("installed:{}", self.installed_at.0),
            payload: json!(self),
            received_at: Some(self.installed_at),
            generation: 0,
            trace,
        }
    }
}

/// An app that is no longer there: what [`App::uninstalled`] is given. The workspace is `context.tenant()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UninstalledEvent {
    /// When, as Slack says.
    pub at: EpochMs,
    /// When its data is to be purged; not after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge_at: Option<EpochMs>,
    /// Whether it was on a whole organisation, so that `context.tenant()` names no workspace.
    #[serde(default)]
    pub is_enterprise_install: bool,
}

/// What is left of an installation is to be deleted: what [`App::purge`] is given. The workspace is `context.tenant()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeRequest {
    /// When the app was uninstalled, as Slack says; tells the installation from a later one of the same workspace.
    pub gone_at: EpochMs,
    /// Whether it was on a whole organisation, so that `context.tenant()` names no workspace.
    #[serde(default)]
    pub is_enterprise_install: bool,
}

/// The job after an installation is gone. Its key holds the time, so that of repeated ones a single one runs.
pub(crate) fn uninstalled(installation: &Installation, delivery: &str, now: EpochMs) -> Option<AppWork> {
    let gone = installation.gone.as_ref()?;
    let is_enterprise_install = installation.is_enterprise_install();
    let event = UninstalledEvent { at: gone.at, purge_at: gone.purge_at, is_enterprise_install };
    let key = format!("uninstalled:{}", gone.at.0);
    Some(own_work(installation, (UNINSTALLED, key), json!(event), delivery, now))
}

/// The job that purges what is gone. As [`uninstalled`]; `None` also where nothing is to be purged.
pub(crate) fn purge(installation: &Installation, delivery: &str, now: EpochMs) -> Option<AppWork> {
    let gone = installation.gone.as_ref().filter(|gone| gone.purge_at.is_some())?;
    let request = PurgeRequest { gone_at: gone.at, is_enterprise_install: installation.is_enterprise_install() };
    let key = format!("purge:{}", gone.at.0);
    Some(own_work(installation, (PURGE, key), json!(request), delivery, now))
}

fn own_work(
    installation: &Installation,
    (job, key): (&str, String),
    payload: Value,
    delivery: &str,
    now: EpochMs,
) -> AppWork {
    AppWork {
        // Named after the delivery that began it all, as `Context::enqueue` does.
        id: format!("{}:{key}", delivery.split(':').next().unwrap_or_default()),
        job: job.to_owned(),
        enterprise: installation.enterprise.clone(),
        team: installation.team.clone(),
        is_enterprise_install: installation.is_enterprise_install(),
        key,
        payload,
        received_at: Some(now),
        generation: 0,
        trace: None,
    }
}

impl<P: Phase, R: 'static, K: 'static> App<P, R, K> {
    /// Runs after an OAuth flow that ended well, first and repeated ones, once each, with the new token: for a welcome message, or
    /// to set something up for the workspace. It runs as the job `tack.installed`. An app with a fixed `SLACK_BOT_TOKEN` has no
    /// OAuth flow, so there it never runs.
    ///
    /// ```
    /// use serde_json::json;
    /// use tack_app::{App, Phase};
    ///
    /// fn register<P: Phase>(app: &mut App<P>) {
    ///     app.installed(async |context, event| {
    ///         // A person's id stands for the direct message between them and the app.
    ///         let welcome = json!({ "channel": event.installer, "text": "Thank you for installing! Type /order to begin." });
    ///         context.client().call("chat.postMessage", &welcome).await?;
    ///         Ok(())
    ///     });
    /// }
    /// # App::<tack_app::LazyPhase>::build(register).unwrap();
    /// ```
    #[track_caller]
    pub fn installed<F>(&mut self, installed: F)
    where
        F: AsyncFn(&Context<R>, &InstalledEvent) -> Result<(), ListenerError> + 'static,
    {
        self.hook("installed", INSTALLED, installed);
    }

    /// Runs after `app_uninstalled`, as the job `tack.uninstalled`. Slack took every token, so its client has none. To delete
    /// what the app keeps of the workspace belongs into [`Self::purge`]; which of the two runs first is not promised.
    #[track_caller]
    pub fn uninstalled<F>(&mut self, uninstalled: F)
    where
        F: AsyncFn(&Context<R>, &UninstalledEvent) -> Result<(), ListenerError> + 'static,
    {
        self.hook("uninstalled", UNINSTALLED, uninstalled);
    }

    /// Deletes what the app itself keeps of a workspace that uninstalled it, as the job `tack.purge`, once the operator's grace is
    /// over; then the framework deletes the installation's record. It may run twice, and it does not run when the app was
    /// installed again within the grace. Its client has no token.
    #[track_caller]
    pub fn purge<F>(&mut self, purge: F)
    where
        F: AsyncFn(&Context<R>, &PurgeRequest) -> Result<(), ListenerError> + 'static,
    {
        self.hook("purge", PURGE, purge);
    }

    #[track_caller]
    fn hook<T, F>(&mut self, method: &'static str, name: &'static str, hook: F)
    where
        T: DeserializeOwned + 'static,
        F: AsyncFn(&Context<R>, &T) -> Result<(), ListenerError> + 'static,
    {
        if self.names.contains(&name) {
            self.problems.push(format!("app.{method} is there twice: only one can be the job {name}"));
        }
        self.names.push(name);
        self.hooks.push((method, name, here::<P>()));
        if P::LAZY {
            self.jobs.insert(name, app_job(hook));
        }
    }
}
