//! `/order 3`: both phases. The ack checks what was typed and hands the number over; the lazy side opens the modal.

use crate::Context;
use crate::views::order_modal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tack_app::payload::SlashCommand;
use tack_app::{AckContext, AckError, CommandAck, HandedOver, ListenerError};

/// What the ack hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    quantity: Option<u32>,
}

pub(crate) fn ack(_: &AckContext<'_>, command: &SlashCommand) -> Result<CommandAck<HandedOver<Wanted>>, AckError> {
    let text = command.text.trim();
    match text {
        "" => Ok(CommandAck::ok().hand_over(Wanted { quantity: None })),
        "help" => Ok(CommandAck::refuse("`/order` opens an order, `/order 3` one for three.")),
        number => Ok(match number.parse() {
            Ok(quantity) => CommandAck::ok().hand_over(Wanted { quantity: Some(quantity) }),
            Err(_) => CommandAck::refuse(format!("I do not understand `{number}`. Try `/order 3` or `/order help`.")),
        }),
    }
}

pub(crate) async fn open(context: &Context, command: &SlashCommand, wanted: Wanted) -> Result<(), ListenerError> {
    let channel = command.channel.as_ref().map(|channel| channel.as_str()).unwrap_or_default();
    let view = order_modal::view(channel, wanted.quantity);
    context.client().call("views.open", &json!({ "trigger_id": command.trigger_id, "view": view })).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_app::protocol::{Envelope, EpochMs};

    fn typed(text: &str) -> String {
        let body = format!("command=%2Forder&text={text}&trigger_id=1.2.3&user_id=U1&channel_id=C1&team_id=T1");
        let envelope = Envelope::from_body("application/x-www-form-urlencoded", body.into(), EpochMs(0));
        let tack_app::payload::Payload::SlashCommand(command) = &envelope.payload else { panic!("not a command") };
        format!("{:?}", ack(&AckContext::new(&envelope), command).unwrap())
    }

    #[test]
    fn a_number_is_handed_over() {
        assert!(typed("3").contains("quantity: Some(3)"));
        assert!(typed("").contains("quantity: None"));
    }

    #[test]
    fn anything_else_is_refused_with_a_hint_and_starts_no_work() {
        for text in ["help", "many", "-1"] {
            assert!(typed(text).starts_with("Ack(Stop"), "{text:?}");
        }
    }
}
