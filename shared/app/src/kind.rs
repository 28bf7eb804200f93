//! The kinds of listeners: what each takes, what it may answer, and which payload it is given.

use crate::matcher::{ActionPattern, Pattern};
use tack_protocol::payload::{
    Action, BlockActions, BlockSuggestion, Event, FunctionExecuted, Message, MessageShortcut, Payload, Shortcut,
    SlashCommand, ViewClosed, ViewSubmission,
};
use tack_protocol::{CommandReply, NoReply, OptionsReply, Reply, ViewReply};

/// A kind of listener. Implemented here only.
pub trait Kind: sealed::Sealed + 'static {
    /// What the listener is given.
    type Payload: 'static;
    /// What its ack may answer.
    type Reply: Reply + Default + 'static;
    /// What it is registered by.
    type Pattern: Into<ActionPattern> + 'static;
    /// The word in Bolt and here.
    const NAME: &'static str;
    /// Whether every match runs, or only the first.
    const EVERY_MATCH: bool = false;

    /// Whether the pattern takes this part of a payload: the index of an action, 0 for kinds that are taken whole.
    /// A pattern of a kind that has no blocks is one without a block.
    fn takes(pattern: &ActionPattern, payload: &Payload, part: usize) -> bool;

    /// This part of a payload, whatever the pattern: so that work which was queued before a pattern changed still runs.
    fn payload(payload: &Payload, part: usize) -> Option<Self::Payload>;
}

/// A kind whose listeners may acknowledge. Events, messages and workflow steps have no answer, so they have no ack.
#[diagnostic::on_unimplemented(
    message = "{Self} have no ack: Slack shows no answer to them",
    note = "events, messages and workflow steps only have `.lazy`; options answer by themselves"
)]
pub trait Acked: Kind {}

/// A kind whose listeners may run in the worker: all but options, which are nothing once they were answered.
pub trait Lazy: Kind {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
    };
}

kind!(
    /// Slash commands.
    Command
);
kind!(
    /// Interactive elements.
    Actions
);
kind!(
    /// Global shortcuts.
    GlobalShortcut
);
kind!(
    /// Message shortcuts.
    OnMessage
);
kind!(
    /// Submitted modals.
    Submission
);
kind!(
    /// Closed modals.
    Closed
);
kind!(
    /// Events of any type.
    Events
);
kind!(
    /// Messages by their text.
    Messages
);
kind!(
    /// Custom steps of workflows.
    Functions
);
kind!(
    /// Selects with external data.
    Suggestions
);

impl Lazy for Command {}
impl Lazy for Actions {}
impl Lazy for GlobalShortcut {}
impl Lazy for OnMessage {}
impl Lazy for Submission {}
impl Lazy for Closed {}
impl Lazy for Events {}
impl Lazy for Messages {}
impl Lazy for Functions {}

impl Acked for Command {}
impl Acked for Actions {}
impl Acked for GlobalShortcut {}
impl Acked for OnMessage {}
impl Acked for Submission {}
impl Acked for Closed {}

/// One element that was used, and the payload around it.
#[derive(Clone, Debug)]
pub struct BlockAction {
    /// The element that the listener was registered for.
    pub action: Action,
    /// The whole payload.
    pub interaction: BlockActions,
}

impl Kind for Actions {
    type Payload = BlockAction;
    type Reply = NoReply;
    type Pattern = ActionPattern;
    const NAME: &'static str = "action";

    fn takes(pattern: &ActionPattern, payload: &Payload, part: usize) -> bool {
        let Payload::BlockActions(interaction) = payload else { return false };
        interaction.actions.get(part).is_some_and(|action| pattern.takes(&action.action_id, &action.block_id))
    }

    fn payload(payload: &Payload, part: usize) -> Option<BlockAction> {
        let Payload::BlockActions(interaction) = payload else { return None };
        let action = interaction.actions.get(part)?.clone();
        Some(BlockAction { action, interaction: interaction.clone() })
    }
}

impl Kind for Command {
    type Payload = SlashCommand;
    type Reply = CommandReply;
    type Pattern = Pattern;
    const NAME: &'static str = "command";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::SlashCommand(taken) if pattern.is(&taken.command))
    }

    fn payload(payload: &Payload, _: usize) -> Option<SlashCommand> {
        match payload {
            Payload::SlashCommand(taken) => Some(taken.clone()),
            _ => None,
        }
    }
}

impl Kind for GlobalShortcut {
    type Payload = Shortcut;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "shortcut";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::Shortcut(taken) if pattern.is(&taken.callback_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<Shortcut> {
        match payload {
            Payload::Shortcut(taken) => Some(taken.clone()),
            _ => None,
        }
    }
}

impl Kind for OnMessage {
    type Payload = MessageShortcut;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "message_shortcut";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::MessageShortcut(taken) if pattern.is(&taken.callback_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<MessageShortcut> {
        match payload {
            Payload::MessageShortcut(taken) => Some(taken.clone()),
            _ => None,
        }
    }
}

impl Kind for Submission {
    type Payload = ViewSubmission;
    type Reply = ViewReply;
    type Pattern = Pattern;
    const NAME: &'static str = "view";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::ViewSubmission(taken) if pattern.is(&taken.view.callback_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<ViewSubmission> {
        match payload {
            Payload::ViewSubmission(taken) => Some(taken.clone()),
            _ => None,
        }
    }
}

impl Kind for Closed {
    type Payload = ViewClosed;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "view_closed";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::ViewClosed(taken) if pattern.is(&taken.view.callback_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<ViewClosed> {
        match payload {
            Payload::ViewClosed(taken) => Some(taken.clone()),
            _ => None,
        }
    }
}

impl Kind for Events {
    type Payload = Event;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "event";
    const EVERY_MATCH: bool = true;

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::Event(event) if pattern.is(&event.kind))
    }

    fn payload(payload: &Payload, _: usize) -> Option<Event> {
        event(payload).cloned()
    }
}

/// Subtypes that are still somebody saying something, as in Bolt; edits and deletions are not.
const SPOKEN: [&str; 3] = ["bot_message", "file_share", "thread_broadcast"];

impl Kind for Messages {
    type Payload = Message;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "message";
    const EVERY_MATCH: bool = true;

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        event(payload).is_some_and(|event| {
            let spoken = event.subtype.as_deref().is_none_or(|subtype| SPOKEN.contains(&subtype));
            event.kind == "message" && spoken && pattern.is_in(event.text("text").unwrap_or_default())
        })
    }

    fn payload(payload: &Payload, _: usize) -> Option<Message> {
        event(payload).filter(|event| event.kind == "message").map(Message::from)
    }
}

impl Kind for Functions {
    type Payload = FunctionExecuted;
    type Reply = NoReply;
    type Pattern = Pattern;
    const NAME: &'static str = "function";
    const EVERY_MATCH: bool = true;

    fn takes(pattern: &ActionPattern, payload: &Payload, part: usize) -> bool {
        Self::payload(payload, part).is_some_and(|step| pattern.is(&step.callback_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<FunctionExecuted> {
        event(payload).filter(|event| event.kind == "function_executed").map(FunctionExecuted::from)
    }
}

fn event(payload: &Payload) -> Option<&Event> {
    match payload {
        Payload::Event(event) => Some(event),
        _ => None,
    }
}

impl Kind for Suggestions {
    type Payload = BlockSuggestion;
    type Reply = OptionsReply;
    type Pattern = ActionPattern;
    const NAME: &'static str = "options";

    fn takes(pattern: &ActionPattern, payload: &Payload, _: usize) -> bool {
        matches!(payload, Payload::BlockSuggestion(wanted) if pattern.takes(&wanted.action_id, &wanted.block_id))
    }

    fn payload(payload: &Payload, _: usize) -> Option<BlockSuggestion> {
        match payload {
            Payload::BlockSuggestion(wanted) => Some(wanted.clone()),
            _ => None,
        }
    }
}
