//! The modal `sample_view_id`: what was entered is posted into the conversation that was chosen.

use crate::Context;
use serde_json::{Value, json};
use tack_app::ListenerError;
use tack_app::payload::{View, ViewSubmission};

/// The modal: its first block differs before and after its button was pressed, its inputs do not.
pub(crate) fn view(title: &str, first: &Value) -> Value {
    json!({
        "type": "modal",
        "callback_id": "sample_view_id",
        "title": { "type": "plain_text", "text": title },
        "submit": { "type": "plain_text", "text": "Submit" },
        "blocks": [
            first,
            {
                "type": "input",
                "block_id": "input_block_id",
                "label": { "type": "plain_text", "text": "What do you hope for?" },
                "element": { "type": "plain_text_input", "action_id": "sample_input_id", "multiline": true },
            },
            {
                "type": "input",
                "block_id": "select_channel_block_id",
                "label": { "type": "plain_text", "text": "Where shall it be posted?" },
                "element": { "type": "conversations_select", "action_id": "sample_dropdown_id",
                             "response_url_enabled": true },
            },
        ],
    })
}

pub(crate) async fn post(context: &Context, submission: &ViewSubmission) -> Result<(), ListenerError> {
    let user = submission.user.as_ref().map(|user| user.as_str()).unwrap_or_default();
    context.client().call("chat.postMessage", &message(&submission.view, user)).await?;
    Ok(())
}

fn message(view: &View, user: &str) -> Value {
    let entered = view.state.get("input_block_id", "sample_input_id");
    let chosen = view.state.get("select_channel_block_id", "sample_dropdown_id");
    let text = escaped(entered.as_str().unwrap_or_default());
    json!({ "channel": chosen.as_str().unwrap_or(user), "text": format!("<@{user}> hopes for this :sparkles:\n{text}") })
}

/// What people type is text: without this a `<!channel>` in it would call everybody.
/// Source: <https://docs.slack.dev/messaging/formatting-message-text#escaping>
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_app::payload::Payload;
    use tack_app::protocol::{Envelope, EpochMs};

    fn submitted(text: &str, conversation: Option<&str>) -> Value {
        let payload = json!({ "type": "view_submission", "user": { "id": "U1" }, "view": {
            "id": "V1", "callback_id": "sample_view_id", "state": { "values": {
                "input_block_id": { "sample_input_id": { "type": "plain_text_input", "value": text } },
                "select_channel_block_id": { "sample_dropdown_id":
                    { "type": "conversations_select", "selected_conversation": conversation } },
            } } } });
        let encoded: String = payload.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect();
        let body = format!("payload={encoded}");
        let envelope = Envelope::from_body("application/x-www-form-urlencoded", body.into(), EpochMs(0));
        let Payload::ViewSubmission(submission) = &envelope.payload else { panic!("not a submission") };
        message(&submission.view, "U1")
    }

    #[test]
    fn what_was_entered_goes_to_the_chosen_conversation() {
        let message = submitted("peace", Some("C1"));
        assert_eq!(message["channel"], "C1");
        assert_eq!(message["text"], "<@U1> hopes for this :sparkles:\npeace");
    }

    #[test]
    fn without_a_conversation_it_goes_to_the_person() {
        assert_eq!(submitted("peace", None)["channel"], "U1");
    }

    #[test]
    fn what_was_entered_calls_nobody() {
        let message = submitted("<!channel> & <@U2>", Some("C1"));
        assert!(message["text"].as_str().unwrap().ends_with("&lt;!channel&gt; &amp; &lt;@U2&gt;"), "{message}");
    }
}
