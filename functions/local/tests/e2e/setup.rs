//! How a world is made: which app, installed how, with which limits.

use crate::drill;
use crate::world::{BOT_TOKEN, CLIENT_SECRET, SIGNING_SECRET};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tack_app::Limits;
use tack_local_aws::lambda::Command;
use tack_simulator::Config;
use tack_workbench::{FunctionCommands, OAuthClient, Serves, Stack};

/// Events about installs, which every app hears.
const LIFECYCLE: [&str; 5] =
    ["app_uninstalled", "app_uninstalled_team", "team_access_granted", "team_access_revoked", "tokens_revoked"];

/// How a world is made.
pub(crate) struct Setup {
    /// The functions' processes.
    pub(crate) functions: FunctionCommands,
    /// The framework's limits.
    pub(crate) limits: Limits,
    /// An invocation of a worker.
    pub(crate) worker_timeout: Duration,
    /// A received message.
    pub(crate) visibility: Duration,
    /// Slack's pauses before it sends an event again.
    pub(crate) retry_after: Vec<Duration>,
    /// What Slack tells the app, by the names of the subscriptions.
    pub(crate) bot_events: Vec<String>,
    /// How the app is installed by OAuth, and nowhere at the start; none where it serves one workspace by a token that is given.
    pub(crate) installs: Option<Installs>,
    /// Variables of the functions beside the contract's own.
    pub(crate) variables: BTreeMap<String, String>,
    /// What the ingress is given as its signing secret.
    pub(crate) signing_secret: &'static str,
    /// SecureStrings that are there before the first process starts, by their names.
    pub(crate) parameters: Vec<(&'static str, Value)>,
}

/// How an app is installed by OAuth.
pub(crate) struct Installs {
    /// Whether tokens end and are refreshed.
    pub(crate) rotation: bool,
    /// How long Slack takes a refresh token once more.
    pub(crate) refresh_grace: Duration,
    /// Scopes of the person who installs, with commas between.
    pub(crate) user_scopes: &'static str,
    /// Bot scopes beside those the simulated Slack knows of.
    pub(crate) more_scopes: &'static [&'static str],
    /// What the app believes its client secret is.
    pub(crate) client_secret: &'static str,
}

impl Default for Installs {
    fn default() -> Self {
        Self {
            rotation: false,
            refresh_grace: Config::default().refresh_grace,
            user_scopes: "",
            more_scopes: &[],
            client_secret: CLIENT_SECRET,
        }
    }
}

impl Setup {
    /// The starter app in the binary `tack`, with Slack's subscriptions.
    pub(crate) fn starter() -> Self {
        let function = |name: &str| Command {
            program: env!("CARGO_BIN_EXE_tack").into(),
            args: vec!["function".to_owned(), name.to_owned()],
        };
        let oauth = Some(function(Stack::OAUTH));
        let functions = FunctionCommands { ingress: function("ingress"), worker: function("worker"), oauth };
        Self { functions, bot_events: Config::default().bot_events, ..Self::drill() }
    }

    /// The same app, installed by OAuth.
    pub(crate) fn installed_starter(installs: Installs) -> Self {
        Self { installs: Some(installs), ..Self::starter() }
    }

    /// The drill app, installed by OAuth. Slack tells it of its installs, and of nothing else by itself.
    pub(crate) fn installed_drill(installs: Installs) -> Self {
        Self { installs: Some(installs), bot_events: LIFECYCLE.map(str::to_owned).to_vec(), ..Self::drill() }
    }

    /// The drill app. Slack tells it nothing by itself, so that every delivery is the test's own.
    pub(crate) fn drill() -> Self {
        Self {
            functions: FunctionCommands {
                ingress: drill::ingress(),
                worker: drill::worker(),
                oauth: Some(drill::oauth()),
            },
            limits: Limits { ladder_ms: vec![200], attempts: 4, ..Limits::default() },
            worker_timeout: Duration::from_secs(3),
            visibility: Duration::from_secs(4),
            retry_after: [300, 1_000, 3_000].map(Duration::from_millis).to_vec(),
            bot_events: Vec::new(),
            installs: None,
            variables: BTreeMap::new(),
            signing_secret: SIGNING_SECRET,
            parameters: Vec::new(),
        }
    }

    /// Whose tokens the app works with; Slack knows `redirect_uri`.
    pub(crate) fn serves(&self, redirect_uri: String) -> Serves {
        let Some(installs) = &self.installs else {
            return Serves::OneWorkspace { bot_token: SecretString::from(BOT_TOKEN) };
        };
        let defaults = Config::default();
        let more = installs.more_scopes.iter().map(|scope| (*scope).to_owned());
        Serves::Installs(OAuthClient {
            client_id: defaults.client_id,
            client_secret: SecretString::from(installs.client_secret),
            scopes: defaults.scopes.into_iter().chain(more).collect::<Vec<_>>().join(","),
            user_scopes: installs.user_scopes.to_owned(),
            redirect_uri,
        })
    }
}
