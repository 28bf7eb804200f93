//! Views, their state, and what happens to them.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload>

use super::json;
use crate::ids::UserId;
use serde_json::Value;

/// A modal or App Home view, as Slack describes it in payloads.
#[derive(Clone, Debug)]
pub struct View {
    /// `V…`.
    pub id: String,
    /// The name the app gave it.
    pub callback_id: String,
    /// What the app stored in it, up to 3000 characters.
    pub private_metadata: String,
    /// Guards updates against races.
    pub hash: String,
    /// What its inputs hold.
    pub state: ViewState,
    /// The view as Slack sent it.
    pub raw: Value,
}

impl View {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            id: json::text(&raw, "id").to_owned(),
            callback_id: json::text(&raw, "callback_id").to_owned(),
            private_metadata: json::text(&raw, "private_metadata").to_owned(),
            hash: json::text(&raw, "hash").to_owned(),
            state: ViewState(raw.pointer("/state/values").cloned().unwrap_or(Value::Null)),
            raw,
        }
    }

    /// The `block_id` of the first input block: where an error can be shown that belongs to no field.
    pub fn first_input_block(&self) -> Option<&str> {
        let blocks = self.raw.get("blocks")?.as_array()?;
        blocks
            .iter()
            .find(|block| json::text(block, "type") == "input")
            .map(|block| json::text(block, "block_id"))
            .filter(|id| !id.is_empty())
    }
}

/// `state.values`: block id → action id → what the input holds.
#[derive(Clone, Debug)]
pub struct ViewState(pub Value);

impl ViewState {
    /// What one input holds, or an empty value if there is no such input.
    pub fn get(&self, block_id: &str, action_id: &str) -> StateValue {
        StateValue(self.0.get(block_id).and_then(|block| block.get(action_id)).cloned().unwrap_or(Value::Null))
    }
}

/// What an input holds, of whichever kind it is.
#[derive(Clone, Debug)]
pub struct StateValue(pub Value);

impl StateValue {
    /// The one value: typed text, the chosen option's value, a date, time, person, channel or conversation.
    pub fn as_str(&self) -> Option<&str> {
        const FIELDS: [&str; 7] = [
            "value",
            "selected_date",
            "selected_time",
            "selected_user",
            "selected_channel",
            "selected_conversation",
            "selected_option",
        ];
        FIELDS.iter().find_map(|field| match self.0.get(*field)? {
            Value::String(text) => Some(text.as_str()),
            option @ Value::Object(_) => option.get("value").and_then(Value::as_str),
            _ => None,
        })
    }

    /// All values of a multi-select or a group of check boxes.
    pub fn as_list(&self) -> Vec<&str> {
        const FIELDS: [&str; 4] = ["selected_options", "selected_users", "selected_channels", "selected_conversations"];
        let chosen = FIELDS.iter().find_map(|field| self.0.get(*field)?.as_array());
        chosen
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.as_str().or_else(|| item.get("value")?.as_str()))
            .collect()
    }
}

/// A modal was submitted.
#[derive(Clone, Debug)]
pub struct ViewSubmission {
    /// The view with what was entered.
    pub view: View,
    /// By whom.
    pub user: Option<UserId>,
    /// Opens a view within 3 s, once.
    pub trigger_id: String,
    /// `response_urls`, when an input asked for one.
    pub response_urls: Vec<String>,
    /// The payload as Slack sent it.
    pub raw: Value,
}

/// A modal was closed; sent only if it was opened with `notify_on_close`.
#[derive(Clone, Debug)]
pub struct ViewClosed {
    /// The view.
    pub view: View,
    /// By whom.
    pub user: Option<UserId>,
    /// Whether the whole stack was closed.
    pub is_cleared: bool,
    /// The payload as Slack sent it.
    pub raw: Value,
}

impl ViewSubmission {
    pub(crate) fn new(raw: Value) -> Self {
        let urls = raw.get("response_urls").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Self {
            view: View::new(raw.get("view").cloned().unwrap_or(Value::Null)),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            trigger_id: json::text(&raw, "trigger_id").to_owned(),
            response_urls: urls.iter().filter_map(|url| json::optional(url, "response_url")).collect(),
            raw,
        }
    }
}

impl ViewClosed {
    pub(crate) fn new(raw: Value) -> Self {
        Self {
            view: View::new(raw.get("view").cloned().unwrap_or(Value::Null)),
            user: raw.get("user").and_then(|user| json::id(user, "id")),
            is_cleared: raw.get("is_cleared").and_then(Value::as_bool).unwrap_or_default(),
            raw,
        }
    }
}
