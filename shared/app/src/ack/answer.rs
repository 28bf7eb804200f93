//! What an ack function returns: an answer of its kind, and whether the lazy side runs and with what.

use serde_json::{Map, Value, json};
use tack_protocol::{CommandReply, NoReply, ViewReply};

/// The lazy side is given nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nothing;

/// The lazy side is given this small value; it travels in the queue message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandedOver<V>(pub V);

/// The answer of an ack function: of kind `R`, handing over `H`.
#[derive(Clone, Debug)]
pub struct Ack<R, H = Nothing>(pub(crate) Outcome<R, H>);

#[derive(Clone, Debug)]
pub(crate) enum Outcome<R, H> {
    /// Acknowledged: the lazy side runs.
    Proceed(R, H),
    /// Answered for good: the lazy side does not run.
    Stop(R),
}

/// The answer to a slash command.
pub type CommandAck<H = Nothing> = Ack<CommandReply, H>;
/// The answer to a submitted modal.
pub type ViewAck<H = Nothing> = Ack<ViewReply, H>;
/// The answer to a kind that takes none.
pub type EmptyAck<H = Nothing> = Ack<NoReply, H>;

impl<R> Ack<R, Nothing> {
    /// The same answer, and a value for the lazy side.
    pub fn hand_over<V>(self, value: V) -> Ack<R, HandedOver<V>> {
        Ack(match self.0 {
            Outcome::Proceed(reply, Nothing) => Outcome::Proceed(reply, HandedOver(value)),
            Outcome::Stop(reply) => Outcome::Stop(reply),
        })
    }
}

impl EmptyAck {
    /// Acknowledged; the lazy side runs.
    pub fn ok() -> Self {
        Ack(Outcome::Proceed(NoReply, Nothing))
    }
}

impl<H> EmptyAck<H> {
    /// Acknowledged, and that was all: the lazy side does not run.
    pub fn stop() -> Self {
        Ack(Outcome::Stop(NoReply))
    }
}

impl CommandAck {
    /// Acknowledged without a word; the lazy side runs.
    pub fn ok() -> Self {
        Ack(Outcome::Proceed(CommandReply::Nothing, Nothing))
    }

    /// A text that only the person sees; the lazy side runs.
    pub fn ephemeral(text: impl Into<String>) -> Self {
        Ack(Outcome::Proceed(ephemeral(&text.into()), Nothing))
    }

    /// A whole message (`text`, `blocks`, `response_type`); the lazy side runs.
    pub fn message(message: Value) -> Self {
        Ack(Outcome::Proceed(CommandReply::Message(message), Nothing))
    }
}

impl<H> CommandAck<H> {
    /// A text that only the person sees, and that was all: the lazy side does not run.
    pub fn refuse(text: impl Into<String>) -> Self {
        Ack(Outcome::Stop(ephemeral(&text.into())))
    }
}

impl ViewAck {
    /// The modal closes; the lazy side runs.
    pub fn close() -> Self {
        Ack(Outcome::Proceed(ViewReply::Close, Nothing))
    }

    /// All modals close; the lazy side runs.
    pub fn clear() -> Self {
        Ack(Outcome::Proceed(ViewReply::Clear, Nothing))
    }

    /// The modal is replaced by this view; the lazy side runs.
    pub fn update(view: Value) -> Self {
        Ack(Outcome::Proceed(ViewReply::Update(view), Nothing))
    }

    /// This view is put on top; the lazy side runs.
    pub fn push(view: Value) -> Self {
        Ack(Outcome::Proceed(ViewReply::Push(view), Nothing))
    }
}

impl<H> ViewAck<H> {
    /// The modal stays and shows errors, `block_id` and text; the lazy side does not run.
    pub fn errors<B: Into<String>, T: Into<String>>(errors: impl IntoIterator<Item = (B, T)>) -> Self {
        let errors: Map<String, Value> =
            errors.into_iter().map(|(block, text)| (block.into(), Value::String(text.into()))).collect();
        Ack(Outcome::Stop(ViewReply::Errors(errors)))
    }

    /// Answered for good with any reply: a step of a wizard that has no work yet.
    pub fn stop(reply: ViewReply) -> Self {
        Ack(Outcome::Stop(reply))
    }
}

pub(crate) fn ephemeral(text: &str) -> CommandReply {
    CommandReply::Message(json!({ "response_type": "ephemeral", "text": text }))
}
