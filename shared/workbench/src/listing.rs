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

/// The listeners of the build that serves, as far as they are known: functions that were built elsewhere cannot be asked. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Listing(Arc<Mutex<Option<Vec<Listed>>>>);

impl Listing {
    /// Another build serves now.
    pub(crate) fn set(&self, listed: Vec<Listed>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(listed);
    }

    /// What is known; nothing known is something else than no listeners.
    pub(crate) fn known(&self) -> Option<Vec<Listed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is known, and none where nothing is.
    pub(crate) fn all(&self) -> Vec<Listed> {
        self.known().unwrap_or_default()
    }

    /// What the listeners of a kind take, in their order.
    pub(crate) fn patterns(&self, kind: &str) -> Vec<String> {
        self.all().into_iter().filter(|listed| listed.kind == kind).map(|listed| listed.pattern).collect()
    }

    /// Whether a listener of this kind has a pattern that holds this; anything does as long as the listing is not known.
    pub(crate) fn listens(&self, kind: &str, part: &str) -> bool {
        let is_it = |listed: &Listed| listed.kind == kind && listed.pattern.contains(part);
        part.is_empty() || self.known().is_none_or(|all| all.iter().any(is_it))
    }

    /// The slash commands that exist. `None` where that cannot be told: nothing is known, or one listener takes what a pattern says.
    pub(crate) fn commands(&self) -> Option<Vec<String>> {
        let listed = self.known()?.into_iter().filter(|listed| listed.kind == "command").map(|listed| listed.pattern);
        listed.map(|pattern| is_command(&pattern).then_some(pattern)).collect()
    }
}

/// `/order`, as one types it.
fn is_command(pattern: &str) -> bool {
    let name = pattern.strip_prefix('/').unwrap_or_default();
    !name.is_empty() && !name.contains(|c: char| c == '/' || c.is_whitespace())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(listed: serde_json::Value) -> Listing {
        let listing = Listing::default();
        listing.set(serde_json::from_value(listed).unwrap());
        listing
    }

    #[test]
    fn not_known_is_something_else_than_none() {
        let unknown = Listing::default();
        assert_eq!((unknown.known(), unknown.commands()), (None, None));
        assert!(unknown.listens("command", "/order"), "it may");
        let none = listing(serde_json::json!([]));
        assert_eq!((none.known(), none.commands()), (Some(Vec::new()), Some(Vec::new())));
        assert!(!none.listens("command", "/order"));
    }

    #[test]
    fn commands_are_told_only_if_all_of_them_are_known() {
        let mut listed = serde_json::json!([
            { "kind": "command", "pattern": "/order" },
            { "kind": "message", "pattern": "regex ^/slash" },
            { "kind": "command", "pattern": "/sample-command" },
        ]);
        assert_eq!(listing(listed.clone()).commands().unwrap(), ["/order", "/sample-command"]);
        for pattern in ["regex ^/order-", "any", "/", "/order 3"] {
            listed[0]["pattern"] = pattern.into();
            assert_eq!(listing(listed.clone()).commands(), None, "{pattern}");
        }
    }
}
