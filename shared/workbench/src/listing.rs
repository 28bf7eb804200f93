//! What the running build listens to, as the app itself says it: the composer's menus and the page of listeners show it.

use serde::{Deserialize, Serialize};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tack_local_aws::lambda::Command;

/// How long the app may think about it.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listener, as `tack function listing` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    /// `command`, `event`, `message`, `action`, `shortcut`, `message_shortcut`, `view`, `options`, `job`, …
    pub(crate) kind: String,
    /// What it takes, in words.
    pub(crate) pattern: String,
    /// It answers inside the request.
    #[serde(default)]
    pub(crate) acks: bool,
    /// The jobs it starts.
    #[serde(default)]
    pub(crate) jobs: Vec<String>,
    /// File and line of its registration.
    #[serde(default)]
    pub(crate) place: String,
}

/// The listeners of the build that serves. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Listing(Arc<Mutex<Vec<Listed>>>);

impl Listing {
    /// Another build serves now.
    pub(crate) fn set(&self, listed: Vec<Listed>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = listed;
    }

    pub(crate) fn all(&self) -> Vec<Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the listeners of a kind take, in their order.
    pub(crate) fn patterns(&self, kind: &str) -> Vec<String> {
        self.all().into_iter().filter(|listed| listed.kind == kind).map(|listed| listed.pattern).collect()
    }

    /// Whether some pattern holds this; anything does as long as the listing is not known.
    pub(crate) fn listens(&self, part: &str) -> bool {
        let all = self.all();
        all.is_empty() || all.iter().any(|listed| listed.pattern.contains(part))
    }
}

/// Asks the program of a function what the app listens to. `None` for a bootstrap, which knows no such question.
pub(crate) async fn of(function: &Command) -> Option<Vec<Listed>> {
    if function.args.first().is_none_or(|word| word != "function") {
        return None;
    }
    let mut command = tokio::process::Command::new(&function.program);
    command.args(["function", "listing"]).env_clear().stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    serde_json::from_slice(&output.stdout).ok()
}
