//! What listeners see of an event.

use crate::fixtures::json as fixture;
use crate::wire::event;
use serde_json::{Value, json};
use tack_protocol::payload::{Event, FunctionExecuted, Message, Payload};
use tack_protocol::{ChannelId, EpochSeconds, UserId};

fn inner(root: &Value) -> Event {
    match event(root).payload {
        Payload::Event(event) => event,
        other => panic!("no event: {other:?}"),
    }
}

fn of(event: Value) -> Event {
    inner(&json!({ "type": "event_callback", "event_id": "Ev1", "event": event }))
}

#[test]
fn a_message_has_text_author_place_and_time() {
    let event = inner(&fixture("event/message.json"));
    assert_eq!(event.event_id, "Ev0ACME0001");
    let message = Message::from(&event);
    let raw = &event.raw;
    assert_eq!(Some(message.text.as_str()), raw["text"].as_str());
    assert_eq!(message.user.as_ref().map(UserId::as_str), raw["user"].as_str());
    assert_eq!(message.channel.as_ref().map(ChannelId::as_str), raw["channel"].as_str());
    assert_eq!(message.channel_type.as_deref(), raw["channel_type"].as_str());
    assert_eq!(Some(message.ts.as_str()), raw["ts"].as_str());
    assert_eq!((message.thread_ts, message.subtype, message.bot_id), (None, None, None));
    assert_eq!(message.raw, *raw);
}

#[test]
fn a_message_in_a_thread_names_the_thread() {
    let event =
        of(json!({ "type": "message", "text": "yes", "ts": "1482960137.003543", "thread_ts": "1482960136.003540" }));
    assert_eq!(Message::from(&event).thread_ts.as_deref(), Some("1482960136.003540"));
}

#[test]
fn an_edited_message_keeps_its_new_text_inside() {
    let event = inner(&fixture("event/message-changed.json"));
    assert_eq!(event.subtype.as_deref(), Some("message_changed"));
    assert_eq!(event.user, None);
    assert_eq!(Message::from(&event).text, "");
    assert_eq!(event.raw["message"]["text"], "hi, everyone");
}

#[test]
fn another_integrations_message_has_a_bot_and_no_author() {
    let message = Message::from(&inner(&fixture("event/message-bot-subtype.json")));
    assert_eq!(message.user, None);
    assert_eq!(message.bot_id.as_deref(), Some("B0OTHER01"));
    assert_eq!(message.subtype.as_deref(), Some("bot_message"));
}

#[test]
fn the_time_of_an_event_is_whole_seconds() {
    let at = |time: Value| {
        inner(&json!({ "type": "event_callback", "event_time": time, "event": { "type": "message" } })).event_time
    };
    assert_eq!(at(json!(1_795_511_642)), Some(EpochSeconds(1_795_511_642)));
    assert_eq!(at(json!(0)), Some(EpochSeconds(0)));
    for odd in [json!(null), json!("1795511642"), json!(1.5), json!(-1), json!([]), json!({})] {
        assert_eq!(at(odd.clone()), None, "{odd}");
    }
}

#[test]
fn author_and_place_are_found_where_each_event_puts_them() {
    let (u, c) = (Some(UserId::from("U111")), Some(ChannelId::from("C111")));
    for (event, user, channel) in [
        // Bolt's own table of places.
        (json!({ "type": "message", "channel": "C111", "user": "U111" }), &u, &c),
        (
            json!({ "type": "reaction_added", "item": { "channel": "C111" }, "user": "U111", "item_user": "U222" }),
            &u,
            &c,
        ),
        (json!({ "type": "channel_created", "channel": { "id": "C111", "creator": "U222" } }), &None, &c),
        (json!({ "type": "channel_archive", "channel": "C111", "user": "U111" }), &u, &c),
        (json!({ "type": "team_join", "user": { "id": "U111" } }), &u, &None),
        (json!({ "type": "file_shared", "channel_id": "C111" }), &None, &c),
        (json!({ "type": "app_uninstalled" }), &None, &None),
        (json!({ "type": "message", "channel": "", "user": "" }), &None, &None),
        (json!({ "type": "message", "channel": null, "user": null }), &None, &None),
        (json!({ "type": "message", "channel": 1, "user": ["U111"] }), &None, &None),
    ] {
        let seen = of(event.clone());
        assert_eq!((&seen.user, &seen.channel), (user, channel), "{event}");
    }
}

#[test]
fn the_person_behind_an_event_is_named_on_the_envelope() {
    for (inner, expected) in [
        (json!({ "type": "message", "user": "U111" }), Some("U111")),
        (json!({ "type": "team_join", "user": { "id": "U111" } }), Some("U111")),
        (json!({ "type": "file_shared", "user_id": "U111" }), Some("U111")),
        (json!({ "type": "message", "subtype": "message_changed", "message": { "user": "U111" } }), None),
        (json!({ "type": "app_uninstalled" }), None),
    ] {
        let envelope = event(&json!({ "type": "event_callback", "event": inner }));
        assert_eq!(envelope.user.as_ref().map(UserId::as_str), expected, "{inner}");
    }
}

#[test]
fn a_workflow_step_gives_its_name_its_execution_and_its_inputs() {
    let step = FunctionExecuted::from(&inner(&fixture("event/function_executed.json")));
    assert_eq!(step.callback_id, "sample_step");
    assert_eq!(step.execution_id, "Fx0SAMPLE1");
    assert_eq!(step.inputs, json!({ "user_id": "U0ADA0001" }));
    assert_eq!(step.raw["workflow_execution_id"], "Wx0SAMPLE1");
}

#[test]
fn a_workflow_step_with_nothing_in_it_is_empty() {
    let step = FunctionExecuted::from(&of(
        json!({ "type": "function_executed", "function": "x", "function_execution_id": 7 }),
    ));
    assert_eq!((step.callback_id.as_str(), step.execution_id.as_str()), ("", ""));
    assert_eq!(step.inputs, Value::Null);
}

#[test]
fn an_event_without_a_type_has_an_empty_one() {
    for inner in [json!({}), json!({ "type": null }), json!({ "type": 7 }), json!({ "type": ["message"] })] {
        assert_eq!(of(inner.clone()).kind, "", "{inner}");
    }
}

#[test]
fn fields_nobody_knows_stay_beside_the_known_ones() {
    let event = inner(&fixture("event/unknown-type.json"));
    assert_eq!(event.kind, "weather_changed");
    assert_eq!(event.raw["forecast"]["later"], json!(["sun", null, 3.5]));
    assert_eq!(event.text("type"), Some("weather_changed"));
    assert_eq!(event.text("forecast"), None);
    assert_eq!(event.text("absent"), None);
}
