//! A select with external data wants its options.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload>

use super::{View, json};
use crate::ids::UserId;
use serde_json::Value;

/// Somebody opened or typed into an `external_select`.
#[derive(Clone, Debug)]
pub struct BlockSuggestion {
    /// The element's `action_id`.
    pub action_id: String,
    /// The `block_id` around it.
    pub block_id: String,
    /// What was typed so far, may be empty.
    pub value: String,
    /// By whom.
    pub user: Option<UserId>,
    /// The view, when it was in one.
    pub view: Option<View>,
    /// The payload as Slack sent it.
    pub raw: Value,
}

impl BlockSuggestion {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            action_id: json::text(&raw, "action_id").to_owned(),
            block_id: json::text(&raw, "block_id").to_owned(),
            value: json::text(&raw, "value").to_owned(),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            view: raw.get("view").filter(|view| view.is_object()).cloned().map(View::new),
            raw,
        }
    }
}
