//! What the simulated Slack is told at its start: where the app listens, what both sides share, and Slack's limits.
//! Nothing here is read from the environment. Invariant: the defaults are Slack's documented numbers.
//! Source: <https://docs.slack.dev/apis/events-api/>

use serde::Serialize;
use std::time::Duration;

/// A workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Team {
    /// `T…`.
    pub id: String,
    /// The part before `.slack.com`.
    pub domain: String,
    /// The name people see.
    pub name: String,
    /// `E…` of the Enterprise Grid organisation it is part of.
    pub enterprise: Option<String>,
}

/// What happens to calls above Slack's rate limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateLimits {
    /// Nothing.
    Off,
    /// They leave a warning in the history; at ten times the limit they are refused.
    #[default]
    Warn,
    /// They are refused with 429 and `Retry-After`.
    Enforce,
}

/// Settings of a [`Simulator`](crate::Simulator).
#[derive(Clone)]
pub struct Config {
    /// The app's one request URL, plain HTTP on this machine.
    pub app_url: String,
    /// Where people and the app reach the simulated Slack; `response_url`s start with it. No final slash.
    pub base_url: String,
    /// What requests are signed with.
    pub signing_secret: String,
    /// The app is installed in [`Config::team`] from the start, with [`Config::bot_token`]. Otherwise it is installed nowhere.
    pub installed: bool,
    /// The bot token of that install.
    pub bot_token: String,
    /// What the app shows when it asks to be installed.
    pub client_id: String,
    /// What it proves with that it is the one who asked.
    pub client_secret: String,
    /// Where people may be sent after they agreed: these URLs and those below them.
    pub redirect_urls: Vec<String>,
    /// Tokens live 12 hours and are refreshed. Off, as with Slack, they do not end.
    pub token_rotation: bool,
    /// How long a refresh token that was used works once more.
    pub refresh_grace: Duration,
    /// `A…`.
    pub app_id: String,
    /// `B…`, the `bot_id` of the app's messages in [`Config::team`].
    pub bot_id: String,
    /// `U…`, the app's user in [`Config::team`].
    pub bot_user_id: String,
    /// The bot user's name, which people mention with `@`.
    pub bot_name: String,
    /// The first workspace; the others are always the same.
    pub team: Team,
    /// Bot scopes granted in it from the start; a method that needs another answers `missing_scope`.
    pub scopes: Vec<String>,
    /// Event subscriptions by their names in the manifest (`message.channels`, `app_mention`, …); what people do causes only these.
    pub bot_events: Vec<String>,
    /// What happens to calls above Slack's rate limits.
    pub rate_limits: RateLimits,
    /// Time the app has to answer a request.
    pub ack_limit: Duration,
    /// Pauses before the first, second, … redelivery of an event.
    pub retry_after: Vec<Duration>,
    /// Life of a `trigger_id`.
    pub trigger_life: Duration,
    /// Life of a `response_url`.
    pub response_url_life: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            app_url: "http://127.0.0.1:3000/slack/events".to_owned(),
            base_url: "http://localhost:4000".to_owned(),
            signing_secret: "simulated-signing-secret".to_owned(),
            installed: true,
            bot_token: "xoxb-simulated-bot-token".to_owned(),
            client_id: "1234567890.1234567890".to_owned(),
            client_secret: "simulated-client-secret".to_owned(),
            redirect_urls: vec!["http://127.0.0.1:3000/slack/oauth_redirect".to_owned()],
            token_rotation: false,
            refresh_grace: Duration::from_secs(30),
            app_id: "A0TACK001".to_owned(),
            bot_id: "B0TACK001".to_owned(),
            bot_user_id: "U0TACKBOT".to_owned(),
            bot_name: "tack".to_owned(),
            team: Team {
                id: "T0ACME001".to_owned(),
                domain: "acme-local".to_owned(),
                name: "Acme Local".to_owned(),
                enterprise: None,
            },
            scopes: owned(&[
                "app_mentions:read",
                "channels:history",
                "channels:read",
                "chat:write",
                "commands",
                "groups:history",
                "groups:read",
                "im:history",
                "im:read",
                "im:write",
                "reactions:read",
                "reactions:write",
                "users:read",
                "users:read.email",
            ]),
            bot_events: owned(&[
                "app_home_opened",
                "app_mention",
                "app_uninstalled",
                "app_uninstalled_team",
                "member_joined_channel",
                "message.channels",
                "message.groups",
                "message.im",
                "reaction_added",
                "reaction_removed",
                "team_access_granted",
                "team_access_revoked",
                "tokens_revoked",
            ]),
            rate_limits: RateLimits::default(),
            ack_limit: Duration::from_secs(3),
            retry_after: vec![Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)],
            trigger_life: Duration::from_secs(3),
            response_url_life: Duration::from_secs(30 * 60),
        }
    }
}
