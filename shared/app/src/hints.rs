//! All texts for developers.

use tack_protocol::Envelope;
use tack_protocol::payload::Payload;

/// The listener that one could add for a delivery that nobody took, in a sentence.
pub(crate) fn unhandled(envelope: &Envelope) -> String {
    match listener(envelope) {
        Some(code) => format!("you could add: {code}"),
        None => match envelope.payload.kind() {
            "" => "the body is no JSON that says its type; it was answered 200".to_owned(),
            kind => format!("no listener can take a payload of type {kind:?} yet; it was answered 200"),
        },
    }
}

fn listener(envelope: &Envelope) -> Option<String> {
    Some(match &envelope.payload {
        Payload::Event(event) if event.kind == "message" => {
            "app.message(\"hello\").lazy(\"message.hello\", hello)".to_owned()
        }
        Payload::Event(event) if event.kind == "function_executed" => {
            let id = event.raw.pointer("/function/callback_id").and_then(|id| id.as_str()).unwrap_or_default();
            format!("app.function({id:?}).lazy(\"{id}.run\", run)")
        }
        Payload::Event(event) => format!("app.event({0:?}).lazy(\"{0}.handle\", handle)", event.kind),
        Payload::SlashCommand(command) => {
            let name = command.command.trim_start_matches('/');
            format!("app.command({:?}).lazy(\"{name}.run\", run)", command.command)
        }
        Payload::BlockActions(actions) => {
            let id = actions.actions.first().map(|action| action.action_id.as_str()).unwrap_or_default();
            format!("app.action({id:?}).lazy(\"{id}.clicked\", clicked)")
        }
        Payload::BlockSuggestion(wanted) => format!("app.options({:?}, options)", wanted.action_id),
        Payload::ViewSubmission(submission) => {
            let id = &submission.view.callback_id;
            format!("app.view({id:?}).ack(validate).lazy(\"{id}.save\", save)")
        }
        Payload::ViewClosed(closed) => {
            let id = &closed.view.callback_id;
            format!("app.view_closed({id:?}).lazy(\"{id}.closed\", closed)")
        }
        Payload::Shortcut(shortcut) => {
            let id = &shortcut.callback_id;
            format!("app.shortcut({id:?}).lazy(\"{id}.run\", run)")
        }
        Payload::MessageShortcut(shortcut) => {
            let id = &shortcut.callback_id;
            format!("app.message_shortcut({id:?}).lazy(\"{id}.run\", run)")
        }
        Payload::Unknown(_) => return None,
    })
}
