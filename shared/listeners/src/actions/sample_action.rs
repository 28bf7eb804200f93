//! The button `sample_action_id` in the sample modal: updates the modal around it.

use crate::Context;
use crate::views::sample_view;
use serde_json::{Value, json};
use tack_app::{BlockAction, ListenerError};

pub(crate) async fn update(context: &Context, pressed: &BlockAction) -> Result<(), ListenerError> {
    let Some(view) = &pressed.interaction.view else {
        return Err(ListenerError::permanent("the button was pressed outside of a modal"));
    };
    // The hash is of the view as it was pressed: a modal that has changed since is left as it is.
    let arguments = json!({ "view_id": view.id, "hash": view.hash, "view": updated() });
    context.client().call("views.update", &arguments).await?;
    Ok(())
}

/// The same inputs: Slack keeps what was typed into a block that is there before and after.
fn updated() -> Value {
    let done = json!({
        "type": "section",
        "text": { "type": "mrkdwn", "text": "You updated the modal :tada: What you typed is still there." },
    });
    sample_view::view("Updated modal", &done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_updated_modal_has_no_button_any_more() {
        assert!(!updated().to_string().contains("sample_action_id"));
        assert_eq!(updated()["title"]["text"], "Updated modal");
    }
}
