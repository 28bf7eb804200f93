//! Refusals by Slack's names, and warnings where Slack puts them.

use serde_json::{Map, Value, json};

/// An error by Slack's name.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(super) name: String,
    messages: Vec<String>,
    pub(super) more: Map<String, Value>,
    /// Seconds in `Retry-After`; the status is then 429.
    pub(super) retry_after: Option<u64>,
}

impl ApiError {
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), messages: Vec::new(), more: Map::new(), retry_after: None }
    }

    pub(super) fn with_messages(name: impl Into<String>, messages: Vec<String>) -> Self {
        Self { messages, ..Self::named(name) }
    }

    pub(super) fn missing_scope(needed: &str, scopes: &[String]) -> Self {
        let more =
            Map::from_iter([("needed".to_owned(), json!(needed)), ("provided".to_owned(), json!(scopes.join(",")))]);
        Self { more, ..Self::named("missing_scope") }
    }

    pub(super) fn limited(name: &str, retry_after: u64) -> Self {
        Self { retry_after: Some(retry_after), ..Self::named(name) }
    }

    pub(super) fn into_json(self) -> Value {
        let mut answer = self.more;
        answer.insert("ok".to_owned(), json!(false));
        answer.insert("error".to_owned(), json!(self.name));
        if !self.messages.is_empty() {
            if self.name == "invalid_blocks" {
                let errors: Vec<_> =
                    self.messages.iter().map(|message| message.trim_start_matches("[ERROR] ")).collect();
                answer.insert("errors".to_owned(), json!(errors));
            }
            answer.insert("response_metadata".to_owned(), json!({"messages": self.messages}));
        }
        Value::Object(answer)
    }
}

impl From<&'static str> for ApiError {
    fn from(name: &'static str) -> Self {
        Self::named(name)
    }
}

/// What a method answers.
pub(super) type Answer = Result<Value, ApiError>;

/// Adds a warning where Slack puts them.
pub(super) fn add_warning(answer: &mut Value, warning: &str) {
    let mut warnings = answer["response_metadata"]["warnings"].as_array().cloned().unwrap_or_default();
    warnings.push(json!(warning));
    let all: Vec<_> = warnings.iter().filter_map(Value::as_str).collect();
    answer["warning"] = json!(all.join(","));
    answer["response_metadata"]["warnings"] = Value::Array(warnings);
}
