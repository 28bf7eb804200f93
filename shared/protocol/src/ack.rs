//! What an acknowledgement may carry, one type per kind of payload: an answer that Slack would not understand does not compile.
//! Sources: <https://docs.slack.dev/interactivity/implementing-slash-commands/>, <https://docs.slack.dev/surfaces/modals>,
//! <https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload>

use serde_json::{Map, Value, json};

/// The body of an acknowledgement.
pub trait Reply {
    /// The JSON to send, or `None` for an empty body.
    fn body(&self) -> Option<Value>;
}

/// The answer to a kind that takes none: the acknowledgement is an empty 200.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoReply;

impl Reply for NoReply {
    fn body(&self) -> Option<Value> {
        None
    }
}

/// The answer to a slash command.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum CommandReply {
    /// Nothing is shown.
    #[default]
    Nothing,
    /// A message: `text`, `blocks`, `response_type` (`ephemeral` when absent) as in `chat.postMessage`.
    Message(Value),
}

impl Reply for CommandReply {
    fn body(&self) -> Option<Value> {
        match self {
            Self::Nothing => None,
            Self::Message(message) => Some(message.clone()),
        }
    }
}

/// The answer to a submitted modal.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ViewReply {
    /// This view closes.
    #[default]
    Close,
    /// All views close.
    Clear,
    /// This view is replaced.
    Update(Value),
    /// Another view is put on top; three at most.
    Push(Value),
    /// The inputs show errors and the view stays: block id → text.
    Errors(Map<String, Value>),
}

impl Reply for ViewReply {
    fn body(&self) -> Option<Value> {
        match self {
            Self::Close => None,
            Self::Clear => Some(json!({ "response_action": "clear" })),
            Self::Update(view) => Some(json!({ "response_action": "update", "view": view })),
            Self::Push(view) => Some(json!({ "response_action": "push", "view": view })),
            Self::Errors(errors) => Some(json!({ "response_action": "errors", "errors": errors })),
        }
    }
}

/// The answer to a select that wants options: at most 100.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionsReply {
    /// A plain list of option objects.
    Options(Vec<Value>),
    /// Groups, each with a label and options.
    Groups(Vec<Value>),
}

impl OptionsReply {
    /// No options: what a person sees as "no results".
    pub fn none() -> Self {
        Self::Options(Vec::new())
    }

    /// Options from pairs of text and value, plain text.
    pub fn pairs<T: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (T, V)>) -> Self {
        let option = |(text, value): (T, V)| json!({ "text": { "type": "plain_text", "text": text.as_ref() }, "value": value.as_ref() });
        Self::Options(pairs.into_iter().map(option).collect())
    }
}

impl Default for OptionsReply {
    fn default() -> Self {
        Self::none()
    }
}

impl Reply for OptionsReply {
    fn body(&self) -> Option<Value> {
        Some(match self {
            Self::Options(options) => json!({ "options": options }),
            Self::Groups(groups) => json!({ "option_groups": groups }),
        })
    }
}
