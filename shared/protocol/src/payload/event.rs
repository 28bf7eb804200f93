//! Inner events of the Events API, and the two that have a shape of their own for listeners: messages and workflow steps.
//! Sources: <https://docs.slack.dev/apis/events-api/>, <https://docs.slack.dev/reference/events/>

use super::json;
use crate::ids::{ChannelId, UserId};
use crate::time::EpochSeconds;
use serde_json::Value;

/// An inner event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Slack's `event_id`, the same on every repeated delivery. Empty only if Slack sent none.
    pub event_id: String,
    /// When Slack sent it off.
    pub event_time: Option<EpochSeconds>,
    /// `type`, such as `app_mention`.
    pub kind: String,
    /// `subtype`, mostly of messages.
    pub subtype: Option<String>,
    /// Who did it, where the event says so.
    pub user: Option<UserId>,
    /// Where, where the event says so.
    pub channel: Option<ChannelId>,
    /// The inner event as Slack sent it.
    pub raw: Value,
}

impl Event {
    pub(crate) fn from_envelope(mut root: Value) -> Self {
        let raw = root.get_mut("event").map(Value::take).unwrap_or(Value::Null);
        // Some events carry the person or the channel as an object, and some name the channel within their item.
        let (user, channel, item) = (raw.get("user"), raw.get("channel"), raw.get("item"));
        Self {
            event_id: json::text(&root, "event_id").to_owned(),
            event_time: root.get("event_time").and_then(Value::as_u64).map(EpochSeconds),
            kind: json::text(&raw, "type").to_owned(),
            subtype: json::optional(&raw, "subtype"),
            user: json::id(&raw, "user").or_else(|| json::id(user?, "id")),
            channel: json::id(&raw, "channel")
                .or_else(|| json::id(&raw, "channel_id"))
                .or_else(|| json::id(channel?, "id"))
                .or_else(|| json::id(item?, "channel")),
            raw,
        }
    }

    /// A text field of the event.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.raw.get(name).and_then(Value::as_str)
    }
}

/// A `message` event.
#[derive(Clone, Debug)]
pub struct Message {
    /// The text; empty for files and blocks alone.
    pub text: String,
    /// Who wrote it.
    pub user: Option<UserId>,
    /// Where.
    pub channel: Option<ChannelId>,
    /// `channel`, `group`, `im`, `mpim`.
    pub channel_type: Option<String>,
    /// When, which is also its name within the channel.
    pub ts: String,
    /// The thread it belongs to.
    pub thread_ts: Option<String>,
    /// `subtype`, such as `message_changed`.
    pub subtype: Option<String>,
    /// Whether an app wrote it.
    pub bot_id: Option<String>,
    /// The inner event as Slack sent it.
    pub raw: Value,
}

impl From<&Event> for Message {
    fn from(event: &Event) -> Self {
        Self {
            text: event.text("text").unwrap_or_default().to_owned(),
            user: event.user.clone(),
            channel: event.channel.clone(),
            channel_type: json::optional(&event.raw, "channel_type"),
            ts: event.text("ts").unwrap_or_default().to_owned(),
            thread_ts: json::optional(&event.raw, "thread_ts"),
            subtype: event.subtype.clone(),
            bot_id: json::optional(&event.raw, "bot_id"),
            raw: event.raw.clone(),
        }
    }
}

/// A workflow reached a custom step of this app (`function_executed`).
/// Finish it with `functions.completeSuccess` or `functions.completeError`.
/// Source: <https://docs.slack.dev/workflows/creating-custom-steps-workflow-builder/>
#[derive(Clone, Debug)]
pub struct FunctionExecuted {
    /// Which step.
    pub callback_id: String,
    /// This execution of it.
    pub execution_id: String,
    /// The step's inputs.
    pub inputs: Value,
    /// The inner event as Slack sent it.
    pub raw: Value,
}

impl FunctionExecuted {
    /// The token that came with the step; it ends with the step, or after 15 minutes.
    pub fn bot_access_token(&self) -> Option<&str> {
        self.raw.get("bot_access_token").and_then(Value::as_str)
    }
}

impl From<&Event> for FunctionExecuted {
    fn from(event: &Event) -> Self {
        Self {
            callback_id: event
                .raw
                .pointer("/function/callback_id")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            execution_id: event.text("function_execution_id").unwrap_or_default().to_owned(),
            inputs: event.raw.get("inputs").cloned().unwrap_or(Value::Null),
            raw: event.raw.clone(),
        }
    }
}
