//! A slash command. Source: <https://docs.slack.dev/interactivity/implementing-slash-commands/>

use super::json;
use crate::ids::{ChannelId, UserId};
use serde_json::Value;

/// Somebody typed `/command text`.
#[derive(Clone, Debug)]
pub struct SlashCommand {
    /// The command with its slash.
    pub command: String,
    /// What was typed behind it, may be empty.
    pub text: String,
    /// Where.
    pub channel: Option<ChannelId>,
    /// By whom.
    pub user: Option<UserId>,
    /// Opens a view within 3 s, once.
    pub trigger_id: String,
    /// Takes up to 5 answers within 30 minutes, without a token.
    pub response_url: Option<String>,
    /// All form fields, as texts.
    pub raw: Value,
}

impl SlashCommand {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            command: json::text(&raw, "command").to_owned(),
            text: json::text(&raw, "text").to_owned(),
            channel: json::id(&raw, "channel_id"),
            user: json::id(&raw, "user_id"),
            trigger_id: json::text(&raw, "trigger_id").to_owned(),
            response_url: json::optional(&raw, "response_url"),
            raw,
        }
    }
}
