//! Reload: a saved listener is built and swapped in while queue, tables and history stay.
//! Not here: how a function's processes change over ([`tack_local_aws::lambda::Function::replace`]).
//! Invariant: a build serves only after it compiled and each of its functions started and answered; until then, and when it does not, the one before serves.

mod compile;
mod copies;
mod cycle;
mod diagnostics;
mod features;
mod packages;
mod project;
mod proof;
mod sentences;
mod sources;
mod watcher;

#[cfg(test)]
mod tests;

use serde::Serialize;
use std::sync::Arc;
use tack_local_aws::Clock;
use tokio::sync::watch;

pub(crate) use copies::Copies;
pub(crate) use cycle::watch;
pub(crate) use diagnostics::Diagnostic;
pub(crate) use project::Project;
pub(crate) use proof::{Served, ingress_question, oauth_question, worker_question};

/// What is built, what serves, and whether anybody watches. Clones share it; the pages read it, [`watch()`] writes it.
#[derive(Clone)]
pub(crate) struct Builds(Arc<watch::Sender<BuildReport>>);

/// Everything a page shows of the builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct BuildReport {
    /// The build whose functions answer now, whatever else is going on.
    pub(crate) serving: Serving,
    /// How things stand.
    pub(crate) state: BuildState,
    /// Whether a saved file will be noticed.
    pub(crate) watching: Watching,
    /// The workbench's own code changed: only a new `cargo run` brings that in.
    pub(crate) restart_needed: bool,
}

/// A build that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Serving {
    /// 1 is the one that was started; each executable that cargo made since counts one more.
    pub(crate) build: u32,
    /// Since when, in epoch milliseconds.
    pub(crate) since_ms: u64,
    /// From the noticed change to the swap; not known of build 1.
    pub(crate) built_in_ms: Option<u64>,
}

/// How things stand. `since_ms` is in epoch milliseconds, `serving` the number of the build that answers meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum BuildState {
    /// The newest build serves.
    Live { build: u32, since_ms: u64, built_in_ms: Option<u64> },
    /// cargo runs, or the new functions are being proven. The note says what holds it up.
    Building { build: u32, since_ms: u64, serving: u32, note: Option<String> },
    /// It does not compile. There is at least one error.
    Broken { build: u32, since_ms: u64, serving: u32, errors: Vec<Diagnostic> },
    /// It compiles, and this function of it does not start: the lines say why.
    DoesNotStart { build: u32, since_ms: u64, serving: u32, function: String, lines: Vec<String> },
}

/// Whether a saved file will be noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Watching {
    /// Not yet known.
    Starting,
    /// Files in these folders, shown relative to the workspace.
    On { folders: Vec<String> },
    /// Nothing is watched; a sentence says why.
    Off { reason: String },
}

impl Builds {
    /// Build 1 serves from now on.
    pub(crate) fn new() -> Self {
        let serving = Serving { build: 1, since_ms: Clock::system().now_ms(), built_in_ms: None };
        Self(Arc::new(watch::Sender::new(BuildReport {
            serving,
            state: serving.into(),
            watching: Watching::Starting,
            restart_needed: false,
        })))
    }

    /// Everything there is to show.
    pub(crate) fn report(&self) -> BuildReport {
        self.0.borrow().clone()
    }

    /// How things stand.
    pub(crate) fn state(&self) -> BuildState {
        self.0.borrow().state.clone()
    }

    /// Resolves at the next change after this call; call it before reading, and nothing is missed.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut reports = self.0.subscribe();
        async move {
            // The sender lives as long as any clone; without one there is nothing more to tell.
            if reports.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Nothing is watched, for this reason.
    pub(crate) fn not_watched(&self, reason: impl Into<String>) {
        self.0.send_modify(|report| report.watching = Watching::Off { reason: reason.into() });
    }

    fn change(&self, change: impl FnOnce(&mut BuildReport)) {
        self.0.send_if_modified(|report| {
            let before = report.clone();
            change(report);
            *report != before
        });
    }
}

impl From<Serving> for BuildState {
    fn from(Serving { build, since_ms, built_in_ms }: Serving) -> Self {
        Self::Live { build, since_ms, built_in_ms }
    }
}
