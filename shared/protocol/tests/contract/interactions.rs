//! What listeners see of commands, shortcuts, actions, suggestions and views.

use crate::fixtures::{self, json as fixture};
use crate::wire::{FORM, command, envelope, form, interaction, payload_form};
use serde_json::{Value, json};
use tack_protocol::payload::{
    BlockActions, BlockSuggestion, MessageShortcut, Payload, Shortcut, SlashCommand, View, ViewClosed, ViewSubmission,
};
use tack_protocol::{ChannelId, EnvelopeKind, UserId};

fn slash(fields: &[(&str, &str)]) -> SlashCommand {
    match command(fields.iter().copied()).payload {
        Payload::SlashCommand(command) => command,
        other => panic!("no command: {other:?}"),
    }
}

fn actions(payload: &Value) -> BlockActions {
    match interaction(payload).payload {
        Payload::BlockActions(actions) => actions,
        other => panic!("no actions: {other:?}"),
    }
}

fn suggestion(payload: &Value) -> BlockSuggestion {
    match interaction(payload).payload {
        Payload::BlockSuggestion(suggestion) => suggestion,
        other => panic!("no suggestion: {other:?}"),
    }
}

fn shortcut(payload: &Value) -> Shortcut {
    match interaction(payload).payload {
        Payload::Shortcut(shortcut) => shortcut,
        other => panic!("no shortcut: {other:?}"),
    }
}

fn message_shortcut(payload: &Value) -> MessageShortcut {
    match interaction(payload).payload {
        Payload::MessageShortcut(shortcut) => shortcut,
        other => panic!("no message shortcut: {other:?}"),
    }
}

fn submission(payload: &Value) -> ViewSubmission {
    match interaction(payload).payload {
        Payload::ViewSubmission(submission) => submission,
        other => panic!("no submission: {other:?}"),
    }
}

fn closed(payload: &Value) -> ViewClosed {
    match interaction(payload).payload {
        Payload::ViewClosed(closed) => closed,
        other => panic!("no closed view: {other:?}"),
    }
}

fn view(view: &Value) -> View {
    submission(&json!({ "type": "view_submission", "view": view })).view
}

#[test]
fn the_command_of_slacks_page_is_read_field_by_field() {
    // https://docs.slack.dev/interactivity/implementing-slash-commands/
    let command = slash(&[
        ("token", "gIkuvaNzQIHg97ATvDxqgjtO"),
        ("team_id", "T0001"),
        ("team_domain", "example"),
        ("enterprise_id", "E0001"),
        ("enterprise_name", "Globular Construct Inc"),
        ("channel_id", "C2147483705"),
        ("channel_name", "test"),
        ("user_id", "U2147483697"),
        ("user_name", "Steve"),
        ("command", "/weather"),
        ("text", "94070"),
        ("response_url", "https://hooks.slack.com/commands/1234/5678"),
        ("trigger_id", "13345224609.738474920.8088930838d88f008e0"),
        ("api_app_id", "A123456"),
    ]);
    assert_eq!(command.command, "/weather");
    assert_eq!(command.text, "94070");
    assert_eq!(command.channel, Some(ChannelId::from("C2147483705")));
    assert_eq!(command.user, Some(UserId::from("U2147483697")));
    assert_eq!(command.trigger_id, "13345224609.738474920.8088930838d88f008e0");
    assert_eq!(command.response_url.as_deref(), Some("https://hooks.slack.com/commands/1234/5678"));
    assert_eq!(command.raw["team_domain"], "example");
}

#[test]
fn a_commands_text_survives_the_form() {
    let Some(file) = fixtures::all().into_iter().find(|file| file.name == "command/order-non-ascii.form") else {
        panic!("no such file");
    };
    let envelope = envelope(FORM, file.text.clone());
    let Payload::SlashCommand(command) = &envelope.payload else {
        panic!("{:?}", envelope.payload);
    };
    assert_eq!(command.text, "3 \u{d7} cr\u{e8}me br\u{fb}l\u{e9}e & Stra\u{df}e \u{1f36e} 100% + 1");
    assert_eq!(envelope.body, file.text);
}

#[test]
fn a_form_is_decoded_as_forms_are() {
    let text = |body: &'static [u8]| match envelope(FORM, body).payload {
        Payload::SlashCommand(command) => command.text,
        other => panic!("{other:?}"),
    };
    assert_eq!(text(b"command=/a&text=a+b%20c"), "a b c");
    assert_eq!(text(b"command=/a&text=a%2Bb"), "a+b");
    assert_eq!(text(b"command=/a&text="), "");
    assert_eq!(text(b"command=/a&text"), "");
    assert_eq!(text(b"command=/a"), "");
    assert_eq!(text(b"command=/a&text=a=b"), "a=b");
    assert_eq!(text(b"command=/a&text=%26%3D%25"), "&=%");
    assert_eq!(text(b"command=/a&text=100%"), "100%");
    assert_eq!(text(b"command=/a&text=%zz"), "%zz");
    assert_eq!(text(b"command=/a&text=%F0%9F%8D%AE"), "\u{1f36e}");
    assert_eq!(text(b"command=/a&text=%ff"), "\u{fffd}");
    assert_eq!(text(b"command=/a&text=\xff"), "\u{fffd}");
    assert_eq!(text(b"&&command=/a&&text=x&&"), "x");
}

#[test]
fn of_a_repeated_field_the_last_one_counts() {
    assert_eq!(slash(&[("command", "/a"), ("text", "one"), ("text", "two")]).text, "two");
    let payloads = form([
        ("payload", r#"{"type":"shortcut","callback_id":"one"}"#),
        ("payload", r#"{"type":"shortcut","callback_id":"two"}"#),
    ]);
    let Payload::Shortcut(shortcut) = envelope(FORM, payloads).payload else {
        panic!("no shortcut");
    };
    assert_eq!(shortcut.callback_id, "two");
}

#[test]
fn a_form_with_a_payload_is_an_interaction_whatever_else_is_in_it() {
    let body = form([("command", "/order"), ("payload", r#"{"type":"shortcut"}"#), ("text", "x")]);
    assert_eq!(envelope(FORM, body).kind, EnvelopeKind::Interactive);
}

#[test]
fn a_payload_that_is_no_json_is_an_interaction_of_unknown_kind() {
    for text in ["", "{", "null", "[]", "\"shortcut\"", "7", "%7B%7D", "{\"type\":7}", "{\"type\":null}"] {
        let body = form([("payload", text)]);
        let envelope = envelope(FORM, body.clone());
        assert_eq!(envelope.kind, EnvelopeKind::Interactive, "{text}");
        assert_eq!(envelope.payload.kind(), "", "{text}");
        assert_eq!(envelope.body, body, "{text}");
    }
}

#[test]
fn a_form_without_command_and_payload_is_unknown() {
    for body in ["", "text=x", "Command=%2Forder", "command=", "command", "a=1&b=2", "=", "&"] {
        let envelope = envelope(FORM, body);
        assert!(matches!(envelope.payload, Payload::Unknown(_)), "{body:?}");
        assert_eq!(envelope.body, body);
        assert!(envelope.idempotency_key().is_none(), "{body:?}");
    }
}

#[test]
fn a_click_in_a_message_tells_what_where_and_who() {
    let actions = actions(&fixture("interactive/block_actions-message.json"));
    let [action] = actions.actions.as_slice() else {
        panic!("{:?}", actions.actions);
    };
    assert_eq!((action.action_id.as_str(), action.block_id.as_str()), ("button_click", "greeting"));
    assert_eq!(action.kind, "button");
    assert_eq!(action.value.as_str(), Some("clicked"));
    assert_eq!(actions.user, Some("U0ADA0001".into()));
    assert_eq!(actions.channel, Some("C0PLAY001".into()));
    assert_eq!(actions.message_ts.as_deref(), Some("1795511643.020000"));
    assert_eq!(actions.trigger_id, "1795511800001.1795500000.00000000000000000000000000000101");
    assert_eq!(
        actions.response_url.as_deref(),
        Some("https://hooks.slack.com/actions/T0ACME001/1795511800001/notarealresponseurl0001")
    );
    assert!(actions.view.is_none());
}

#[test]
fn a_click_in_a_view_has_the_view_and_no_message() {
    let actions = actions(&fixture("interactive/block_actions-view.json"));
    let Some(view) = &actions.view else {
        panic!("no view");
    };
    assert_eq!((view.id.as_str(), view.callback_id.as_str()), ("V0ORDER01", "order_modal"));
    assert_eq!(view.state.get("size_block", "size").as_str(), Some("l"));
    assert_eq!(view.state.get("quantity_block", "quantity").as_str(), None);
    assert_eq!((actions.channel, actions.message_ts, actions.response_url), (None, None, None));
}

#[test]
fn several_actions_stay_in_order() {
    let actions = actions(&fixture("interactive/block_actions-several.json")).actions;
    let seen: Vec<_> = actions.iter().map(|action| (action.action_id.as_str(), action.value.as_str())).collect();
    assert_eq!(seen, [("size", Some("s")), ("delivery_date", Some("2026-12-01"))]);
}

#[test]
fn an_ephemeral_messages_click_is_placed_by_its_container() {
    // Slack sends no `message` for ephemeral ones.
    let actions = actions(&json!({
        "type": "block_actions",
        "container": { "type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": true },
        "actions": [],
    }));
    assert_eq!(actions.channel, Some("C1".into()));
    assert_eq!(actions.message_ts.as_deref(), Some("1.2"));
    assert!(actions.actions.is_empty());
}

#[test]
fn every_interactive_element_gives_its_value() {
    // https://docs.slack.dev/reference/block-kit/block-elements/
    let option = |value: &str| json!({ "text": { "type": "plain_text", "text": "shown" }, "value": value });
    for (action, one, many) in [
        (json!({ "type": "button", "value": "b" }), Some("b"), vec![]),
        (json!({ "type": "button" }), None, vec![]),
        (json!({ "type": "plain_text_input", "value": "typed" }), Some("typed"), vec![]),
        (json!({ "type": "plain_text_input", "value": null }), None, vec![]),
        (json!({ "type": "static_select", "selected_option": option("s") }), Some("s"), vec![]),
        (json!({ "type": "static_select", "selected_option": null }), None, vec![]),
        (json!({ "type": "external_select", "selected_option": option("e") }), Some("e"), vec![]),
        (json!({ "type": "overflow", "selected_option": option("o") }), Some("o"), vec![]),
        (json!({ "type": "radio_buttons", "selected_option": option("r") }), Some("r"), vec![]),
        (json!({ "type": "checkboxes", "selected_options": [option("a"), option("b")] }), None, vec!["a", "b"]),
        (json!({ "type": "checkboxes", "selected_options": [] }), None, vec![]),
        (json!({ "type": "multi_static_select", "selected_options": [option("a")] }), None, vec!["a"]),
        (json!({ "type": "multi_external_select", "selected_options": [option("a")] }), None, vec!["a"]),
        (json!({ "type": "users_select", "selected_user": "U1" }), Some("U1"), vec![]),
        (json!({ "type": "multi_users_select", "selected_users": ["U1", "U2"] }), None, vec!["U1", "U2"]),
        (json!({ "type": "channels_select", "selected_channel": "C1" }), Some("C1"), vec![]),
        (json!({ "type": "multi_channels_select", "selected_channels": ["C1"] }), None, vec!["C1"]),
        (json!({ "type": "conversations_select", "selected_conversation": "D1" }), Some("D1"), vec![]),
        (json!({ "type": "multi_conversations_select", "selected_conversations": ["D1"] }), None, vec!["D1"]),
        (json!({ "type": "datepicker", "selected_date": "1990-04-28" }), Some("1990-04-28"), vec![]),
        (json!({ "type": "timepicker", "selected_time": "22:30", "timezone": "Europe/Oslo" }), Some("22:30"), vec![]),
        (json!({ "type": "something_new" }), None, vec![]),
    ] {
        let payload = json!({ "type": "block_actions", "actions": [action] });
        let seen = &actions(&payload).actions[0];
        assert_eq!(seen.value.as_str(), one, "{action}");
        assert_eq!(seen.value.as_list(), many, "{action}");
        assert_eq!(Some(seen.kind.as_str()), action["type"].as_str());
        assert_eq!(seen.raw, action);
    }
}

#[test]
fn a_submitted_form_gives_every_input() {
    let submission = submission(&fixture("interactive/view_submission-every-input.json"));
    let state = &submission.view.state;
    for (block, action, value) in [
        ("name_b", "name", Some("Ada Lovelace")),
        ("note_b", "note", None),
        ("count_b", "count", Some("12")),
        ("mail_b", "mail", Some("ada@example.com")),
        ("link_b", "link", Some("https://example.com/menu")),
        ("size_b", "size", Some("l")),
        ("city_b", "city", Some("zrh")),
        ("who_b", "who", Some("U0GRACE01")),
        ("conv_b", "conv", Some("C0PLAY001")),
        ("chan_b", "chan", Some("C0GENERAL")),
        ("day_b", "day", Some("2026-12-01")),
        ("time_b", "time", Some("17:30")),
        ("speed_b", "speed", Some("fast")),
        ("no_such_block", "name", None),
        ("name_b", "no_such_action", None),
        ("", "", None),
    ] {
        assert_eq!(state.get(block, action).as_str(), value, "{block}.{action}");
    }
    for (block, action, values) in [
        ("tops_b", "tops", vec!["nuts", "cream"]),
        ("cities_b", "cities", vec!["osl"]),
        ("team_b", "crew", vec!["U0GRACE01", "U0LINUS01"]),
        ("extras_b", "extras", vec!["gift"]),
        ("none_b", "none", vec![]),
        ("name_b", "name", vec![]),
    ] {
        assert_eq!(state.get(block, action).as_list(), values, "{block}.{action}");
    }
    // What has no text of its own is read from the JSON.
    assert_eq!(state.get("at_b", "at").0["selected_date_time"], 1_796_147_400);
    assert_eq!(state.get("text_b", "story").0["rich_text_value"]["type"], "rich_text");
    assert_eq!(submission.view.private_metadata, "order=7");
    assert_eq!(submission.view.hash, "1795511790.k3Jd82mQ");
    assert_eq!(
        submission.response_urls,
        ["https://hooks.slack.com/app/T0ACME001/1795511806000/notarealresponseurl0006"]
    );
    assert_eq!(submission.user, Some("U0ADA0001".into()));
}

#[test]
fn the_first_input_block_is_where_an_error_can_be_shown() {
    assert_eq!(view(&fixture("interactive/view_submission.json")["view"]).first_input_block(), Some("quantity_block"));
    let blocks = json!([{ "type": "section", "block_id": "s" }, { "type": "input", "block_id": "a" }, { "type": "input", "block_id": "b" }]);
    assert_eq!(view(&json!({ "blocks": blocks })).first_input_block(), Some("a"));
    for blocks in [
        json!(null),
        json!([]),
        json!({}),
        json!("input"),
        json!([{ "type": "section", "block_id": "s" }]),
        json!([{ "type": "input" }]),
        json!([{ "type": "input", "block_id": "" }]),
        json!([null, 7, "input", []]),
    ] {
        assert_eq!(view(&json!({ "blocks": blocks })).first_input_block(), None, "{blocks}");
    }
}

#[test]
fn a_closed_view_tells_whether_all_were_closed() {
    let one = closed(&fixture("interactive/view_closed.json"));
    assert!(!one.is_cleared);
    assert_eq!((one.view.callback_id.as_str(), one.user), ("order_modal", Some("U0ADA0001".into())));
    assert!(closed(&json!({ "type": "view_closed", "is_cleared": true })).is_cleared);
    for odd in [json!(null), json!("true"), json!(1)] {
        assert!(!closed(&json!({ "type": "view_closed", "is_cleared": odd })).is_cleared, "{odd}");
    }
}

#[test]
fn a_global_shortcut_has_a_name_a_person_and_a_trigger() {
    let shortcut = shortcut(&fixture("interactive/shortcut.json"));
    assert_eq!(shortcut.callback_id, "sample_shortcut_id");
    assert_eq!(shortcut.user, Some("U0ADA0001".into()));
    assert_eq!(shortcut.trigger_id, "1795511800007.1795500000.00000000000000000000000000000107");
}

#[test]
fn a_message_shortcut_has_the_message_too() {
    let shortcut = message_shortcut(&fixture("interactive/message_action.json"));
    assert_eq!(shortcut.callback_id, "file_it");
    assert_eq!(shortcut.channel, Some("C0PLAY001".into()));
    assert_eq!(shortcut.message_ts, "1795511642.118000");
    assert_eq!(shortcut.message["text"], "please file this");
    assert!(shortcut.response_url.is_some());
}

#[test]
fn a_suggestion_names_its_element_and_what_was_typed() {
    let suggestion = suggestion(&fixture("options/block_suggestion.json"));
    assert_eq!((suggestion.action_id.as_str(), suggestion.block_id.as_str()), ("city", "city_block"));
    assert_eq!(suggestion.value, "z\u{fc}r");
    assert_eq!(suggestion.view.map(|view| view.callback_id).as_deref(), Some("order_modal"));
}

#[test]
fn a_payload_keeps_every_character() {
    let text = "caf\u{e9} \u{1f36e} + & = % \" \\ \n \u{0} \u{202e}";
    let payload = json!({ "type": "shortcut", "callback_id": text });
    assert_eq!(shortcut(&payload).callback_id, text);
    // A blank may come as a plus sign or as %20.
    let with_plus = payload_form(&json!({ "type": "shortcut", "callback_id": "a b" }));
    assert!(with_plus.contains('+'));
    let with_percent = with_plus.replace('+', "%20");
    for body in [with_plus, with_percent] {
        let Payload::Shortcut(shortcut) = envelope(FORM, body).payload else {
            panic!("no shortcut");
        };
        assert_eq!(shortcut.callback_id, "a b");
    }
}

#[test]
fn legacy_and_future_interactions_keep_their_name_and_their_json() {
    for name in ["dialog_submission", "interactive_message", "workflow_step_edit", "unknown-type"] {
        let payload = fixture(&format!("interactive/{name}.json"));
        let envelope = interaction(&payload);
        assert!(matches!(envelope.payload, Payload::Unknown(_)), "{name}");
        assert_eq!(Some(envelope.payload.kind()), payload["type"].as_str());
        assert_eq!(envelope.payload.raw(), &payload);
        assert_eq!(envelope.user, Some("U0ADA0001".into()), "{name}");
    }
}

#[test]
fn a_view_that_is_no_object_is_no_view() {
    for odd in [json!(null), json!("V1"), json!([]), json!(7)] {
        assert!(actions(&json!({ "type": "block_actions", "view": odd })).view.is_none(), "{odd}");
        assert!(suggestion(&json!({ "type": "block_suggestion", "view": odd })).view.is_none(), "{odd}");
    }
}

#[test]
fn the_person_behind_it_is_named_on_the_envelope() {
    let user = |envelope: &tack_protocol::Envelope| envelope.user.as_ref().map(|user| user.as_str().to_owned());
    let expected = Some("U111".to_owned());
    assert_eq!(user(&command([("command", "/order"), ("user_id", "U111")])), expected);
    assert_eq!(user(&command([("command", "/order"), ("user_id", "")])), None);
    for kind in
        ["block_actions", "view_submission", "view_closed", "shortcut", "message_action", "block_suggestion", "news"]
    {
        assert_eq!(user(&interaction(&json!({ "type": kind, "user": { "id": "U111" } }))), expected, "{kind}");
        assert_eq!(user(&interaction(&json!({ "type": kind, "user": "U111" }))), expected, "{kind}");
        assert_eq!(user(&interaction(&json!({ "type": kind }))), None, "{kind}");
    }
}
