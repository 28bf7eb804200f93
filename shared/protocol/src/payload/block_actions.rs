//! Buttons, selects and the like. Source: <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload>

use super::{StateValue, View, json};
use crate::ids::{ChannelId, UserId};
use serde_json::Value;

/// Somebody used interactive elements in a message or a view.
#[derive(Clone, Debug)]
pub struct BlockActions {
    /// What was used; Slack sends one or more.
    pub actions: Vec<Action>,
    /// By whom.
    pub user: Option<UserId>,
    /// Where, when it was in a message.
    pub channel: Option<ChannelId>,
    /// The view, when it was in one.
    pub view: Option<View>,
    /// The `ts` of the message, when it was in one.
    pub message_ts: Option<String>,
    /// Opens a view within 3 s, once.
    pub trigger_id: String,
    /// Takes up to 5 answers within 30 minutes, without a token. Messages only.
    pub response_url: Option<String>,
    /// The payload as Slack sent it.
    pub raw: Value,
}

/// One element that was used.
#[derive(Clone, Debug)]
pub struct Action {
    /// The element's `action_id`.
    pub action_id: String,
    /// The `block_id` around it.
    pub block_id: String,
    /// The element's `type`.
    pub kind: String,
    /// What was chosen or typed, or the button's `value`.
    pub value: StateValue,
    /// The action as Slack sent it.
    pub raw: Value,
}

impl BlockActions {
    pub(crate) fn new(raw: Value) -> Self {
        let container = raw.get("container").cloned().unwrap_or(Value::Null);
        let actions = raw.get("actions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            actions: actions.iter().cloned().map(Action::new).collect(),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            channel: raw
                .get("channel")
                .and_then(|channel| json::id(channel, "id"))
                .or_else(|| json::id(&container, "channel_id")),
            view: raw.get("view").filter(|view| view.is_object()).cloned().map(View::new),
            message_ts: raw
                .get("message")
                .and_then(|message| json::optional(message, "ts"))
                .or_else(|| json::optional(&container, "message_ts")),
            trigger_id: json::text(&raw, "trigger_id").to_owned(),
            response_url: json::optional(&raw, "response_url"),
            raw,
        }
    }
}

impl Action {
    fn new(raw: Value) -> Self {
        Self {
            action_id: json::text(&raw, "action_id").to_owned(),
            block_id: json::text(&raw, "block_id").to_owned(),
            kind: json::text(&raw, "type").to_owned(),
            value: StateValue(raw.clone()),
            raw,
        }
    }
}
