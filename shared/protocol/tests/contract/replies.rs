//! The bodies of acknowledgements, as Slack's pages show them.

use serde_json::{Map, Value, json};
use tack_protocol::{CommandReply, NoReply, OptionsReply, Reply, ViewReply};

#[test]
fn an_answer_of_nothing_is_an_empty_body() {
    // An empty body closes the view and shows nothing for a command; `{}` or `null` would be an answer.
    assert_eq!(NoReply.body(), None);
    assert_eq!(CommandReply::default().body(), None);
    assert_eq!(ViewReply::default().body(), None);
}

#[test]
fn a_command_is_answered_with_the_message_itself() {
    let message = json!({ "response_type": "in_channel", "text": "It's 80 degrees right now." });
    assert_eq!(CommandReply::Message(message.clone()).body(), Some(message));
}

#[test]
fn a_submitted_view_is_answered_with_a_response_action() {
    // https://docs.slack.dev/surfaces/modals
    let view = json!({ "type": "modal", "title": { "type": "plain_text", "text": "Updated view" }, "blocks": [] });
    assert_eq!(ViewReply::Clear.body(), Some(json!({ "response_action": "clear" })));
    assert_eq!(ViewReply::Update(view.clone()).body(), Some(json!({ "response_action": "update", "view": view })));
    assert_eq!(ViewReply::Push(view.clone()).body(), Some(json!({ "response_action": "push", "view": view })));
    let mut errors = Map::new();
    errors.insert("ticket-due-date".to_owned(), json!("You may not select a due date in the past"));
    assert_eq!(
        ViewReply::Errors(errors).body(),
        Some(json!({
            "response_action": "errors",
            "errors": { "ticket-due-date": "You may not select a due date in the past" },
        }))
    );
}

#[test]
fn options_are_a_list_of_texts_and_values() {
    // https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload
    let option = |text: &str, value: &str| json!({ "text": { "type": "plain_text", "text": text }, "value": value });
    assert_eq!(
        OptionsReply::pairs([("Zürich", "zrh"), ("Oslo", "osl")]).body(),
        Some(json!({ "options": [option("Zürich", "zrh"), option("Oslo", "osl")] }))
    );
    assert_eq!(OptionsReply::Options(vec![option("a", "b")]).body(), Some(json!({ "options": [option("a", "b")] })));
    let group: Value = json!({ "label": { "type": "plain_text", "text": "Cities" }, "options": [option("a", "b")] });
    assert_eq!(OptionsReply::Groups(vec![group.clone()]).body(), Some(json!({ "option_groups": [group] })));
}

#[test]
fn no_options_are_an_empty_list_and_not_an_empty_body() {
    assert_eq!(OptionsReply::none().body(), Some(json!({ "options": [] })));
    assert_eq!(OptionsReply::pairs(Vec::<(String, String)>::new()).body(), Some(json!({ "options": [] })));
}
