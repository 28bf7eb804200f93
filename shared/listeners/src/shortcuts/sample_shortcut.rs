//! The global shortcut `sample_shortcut_id`: opens the sample modal, whose button updates it.

use crate::Context;
use crate::views::sample_view;
use serde_json::{Value, json};
use tack_app::ListenerError;
use tack_app::payload::Shortcut;

pub(crate) async fn open(context: &Context, shortcut: &Shortcut) -> Result<(), ListenerError> {
    context.client().call("views.open", &json!({ "trigger_id": shortcut.trigger_id, "view": view() })).await?;
    Ok(())
}

fn view() -> Value {
    let button = json!({
        "type": "section",
        "text": { "type": "mrkdwn", "text": "A button may change the modal it is in." },
        "accessory": {
            "type": "button",
            "action_id": "sample_action_id",
            "text": { "type": "plain_text", "text": "Update modal" },
        },
    });
    sample_view::view("Sample modal", &button)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modal_begins_with_the_button_that_updates_it() {
        assert_eq!(view()["blocks"][0]["accessory"]["action_id"], "sample_action_id");
    }
}
