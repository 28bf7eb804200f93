//! Answers for when an ack failed, was late, or was refused: never one that looks like success.

use super::answer::ephemeral;
use serde_json::{Value, json};
use tack_protocol::payload::{Payload, View};
use tack_protocol::{OptionsReply, Reply, ViewReply};

/// What a person is told when the app's own code failed.
pub(super) const FAILED: &str = "Something went wrong on our side, and nothing was done. Please try again in a moment.";

/// The body of a 200 that tells the person this sentence, as far as the kind can.
pub(super) fn body(payload: &Payload, text: &str) -> Option<Value> {
    match payload {
        Payload::SlashCommand(_) => ephemeral(text).body(),
        Payload::ViewSubmission(submission) => view(&submission.view, text).body(),
        Payload::BlockSuggestion(_) => OptionsReply::none().body(),
        _ => None,
    }
}

/// An error at the first input; a view without inputs is replaced by one that says it.
fn view(view: &View, text: &str) -> ViewReply {
    if let Some(block) = view.first_input_block() {
        return ViewReply::Errors([(block.to_owned(), Value::String(text.to_owned()))].into_iter().collect());
    }
    let title = view.raw.get("title").cloned().unwrap_or_else(|| json!({ "type": "plain_text", "text": "Not done" }));
    ViewReply::Update(json!({
        "type": "modal",
        "title": title,
        "close": { "type": "plain_text", "text": "Close" },
        "blocks": [{ "type": "section", "text": { "type": "plain_text", "text": text } }],
    }))
}
