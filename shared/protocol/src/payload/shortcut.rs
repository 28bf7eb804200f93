//! Shortcuts, global and on messages. Source: <https://docs.slack.dev/interactivity/implementing-shortcuts>

use super::json;
use crate::ids::{ChannelId, UserId};
use serde_json::Value;

/// Somebody used a global shortcut. It has neither channel nor `response_url`.
#[derive(Clone, Debug)]
pub struct Shortcut {
    /// Which shortcut.
    pub callback_id: String,
    /// By whom.
    pub user: Option<UserId>,
    /// Opens a view within 3 s, once.
    pub trigger_id: String,
    /// The payload as Slack sent it.
    pub raw: Value,
}

/// Somebody used a shortcut on a message (`message_action`).
#[derive(Clone, Debug)]
pub struct MessageShortcut {
    /// Which shortcut.
    pub callback_id: String,
    /// By whom.
    pub user: Option<UserId>,
    /// Where the message is.
    pub channel: Option<ChannelId>,
    /// The message's `ts`.
    pub message_ts: String,
    /// The message as Slack sent it.
    pub message: Value,
    /// Opens a view within 3 s, once.
    pub trigger_id: String,
    /// Takes up to 5 answers within 30 minutes, without a token.
    pub response_url: Option<String>,
    /// The payload as Slack sent it.
    pub raw: Value,
}

impl Shortcut {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            callback_id: json::text(&raw, "callback_id").to_owned(),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            trigger_id: json::text(&raw, "trigger_id").to_owned(),
            raw,
        }
    }
}

impl MessageShortcut {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            callback_id: json::text(&raw, "callback_id").to_owned(),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            channel: raw.get("channel").and_then(|channel| json::id(channel, "id")),
            message_ts: json::text(&raw, "message_ts").to_owned(),
            message: raw.get("message").cloned().unwrap_or(Value::Null),
            trigger_id: json::text(&raw, "trigger_id").to_owned(),
            response_url: json::optional(&raw, "response_url"),
            raw,
        }
    }
}
