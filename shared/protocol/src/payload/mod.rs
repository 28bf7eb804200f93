//! What listeners see: one file per payload. Building one never fails, and each keeps the JSON it came from in `raw`.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/>

mod block_actions;
mod block_suggestion;
mod event;
pub(crate) mod json;
mod shortcut;
mod slash_command;
mod view;

pub use block_actions::{Action, BlockActions};
pub use block_suggestion::BlockSuggestion;
pub use event::{Event, FunctionExecuted, Message};
pub use shortcut::{MessageShortcut, Shortcut};
pub use slash_command::SlashCommand;
pub use view::{StateValue, View, ViewClosed, ViewState, ViewSubmission};

use serde_json::Value;

/// A payload of any kind.
#[derive(Clone, Debug)]
pub enum Payload {
    /// An inner event of the Events API.
    Event(Event),
    /// A slash command.
    SlashCommand(SlashCommand),
    /// Buttons, selects and the like.
    BlockActions(BlockActions),
    /// A select that wants its options.
    BlockSuggestion(BlockSuggestion),
    /// A modal that was submitted.
    ViewSubmission(ViewSubmission),
    /// A modal that was closed.
    ViewClosed(ViewClosed),
    /// A global shortcut.
    Shortcut(Shortcut),
    /// A message shortcut (`message_action`).
    MessageShortcut(MessageShortcut),
    /// Anything else Slack sends, today's legacy and tomorrow's news alike.
    Unknown(Unknown),
}

/// A payload without a type of its own.
#[derive(Clone, Debug)]
pub struct Unknown {
    /// Slack's `type`, or empty.
    pub kind: String,
    /// The JSON, or null when the body was none.
    pub raw: Value,
}

impl Payload {
    pub(crate) fn events_api(root: Value) -> Self {
        if json::text(&root, "type") == "event_callback" && root.get("event").is_some_and(Value::is_object) {
            Self::Event(Event::from_envelope(root))
        } else {
            Self::unknown(root)
        }
    }

    pub(crate) fn slash_command(fields: Value) -> Self {
        if json::text(&fields, "command").is_empty() {
            Self::unknown(fields)
        } else {
            Self::SlashCommand(SlashCommand::new(fields))
        }
    }

    pub(crate) fn interactive(root: Value) -> Self {
        match json::text(&root, "type") {
            "block_actions" => Self::BlockActions(BlockActions::new(root)),
            "block_suggestion" => Self::BlockSuggestion(BlockSuggestion::new(root)),
            "view_submission" => Self::ViewSubmission(ViewSubmission::new(root)),
            "view_closed" => Self::ViewClosed(ViewClosed::new(root)),
            "shortcut" => Self::Shortcut(Shortcut::new(root)),
            "message_action" => Self::MessageShortcut(MessageShortcut::new(root)),
            _ => Self::unknown(root),
        }
    }

    fn unknown(raw: Value) -> Self {
        Self::Unknown(Unknown { kind: json::text(&raw, "type").to_owned(), raw })
    }

    /// Slack's word for this kind: the event's type, or the payload's.
    pub fn kind(&self) -> &str {
        match self {
            Self::Event(event) => &event.kind,
            Self::SlashCommand(_) => "slash_command",
            Self::BlockActions(_) => "block_actions",
            Self::BlockSuggestion(_) => "block_suggestion",
            Self::ViewSubmission(_) => "view_submission",
            Self::ViewClosed(_) => "view_closed",
            Self::Shortcut(_) => "shortcut",
            Self::MessageShortcut(_) => "message_action",
            Self::Unknown(unknown) => &unknown.kind,
        }
    }

    /// The JSON that listeners see.
    pub fn raw(&self) -> &Value {
        match self {
            Self::Event(event) => &event.raw,
            Self::SlashCommand(command) => &command.raw,
            Self::BlockActions(actions) => &actions.raw,
            Self::BlockSuggestion(suggestion) => &suggestion.raw,
            Self::ViewSubmission(submission) => &submission.raw,
            Self::ViewClosed(closed) => &closed.raw,
            Self::Shortcut(shortcut) => &shortcut.raw,
            Self::MessageShortcut(shortcut) => &shortcut.raw,
            Self::Unknown(unknown) => &unknown.raw,
        }
    }
}
