//! Each published body with one value replaced at a time: whatever Slack may send instead, reading it never fails, and nothing is lost.

use crate::fixtures::{Fixture, all};
use crate::wire::{FORM, JSON, NOW, form, inbound, payload_form};
use serde_json::{Map, Value, json};
use tack_protocol::payload::{FunctionExecuted, Message, Payload, StateValue, View};
use tack_protocol::{Envelope, EnvelopeKind, Inbound};

/// The way to a value from the root, each value of the tree once.
fn paths(value: &Value) -> Vec<String> {
    fn walk(value: &Value, here: &str, paths: &mut Vec<String>) {
        paths.push(here.to_owned());
        // Of a block its own fields are read, and nothing below them.
        if here.contains("/blocks/0/") {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{here}/{name}"), paths);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    walk(value, &format!("{here}/{index}"), paths);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}

/// The body with one item in each list: what holds for one holds for the others.
fn slim(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(slim),
        Value::Array(items) => {
            items.truncate(1);
            items.iter_mut().for_each(slim);
        }
        _ => {}
    }
}

fn replacements() -> [Value; 7] {
    [Value::Null, json!(-7.5), json!(true), json!("\u{0}unexpected\u{202e}"), json!(""), json!([]), json!({})]
}

/// Everything a listener or the framework may ask.
fn read_all(envelope: &Envelope) {
    let _ = (envelope.is_own(), envelope.idempotency_key(), envelope.payload.kind());
    let view = |view: &View| {
        let _ = view.first_input_block();
        value(&view.state.get("quantity_block", "quantity"));
    };
    match &envelope.payload {
        Payload::Event(event) => {
            let _ = (Message::from(event), FunctionExecuted::from(event), event.text("text"));
        }
        Payload::BlockActions(actions) => {
            actions.actions.iter().for_each(|action| value(&action.value));
            actions.view.iter().for_each(view);
        }
        Payload::BlockSuggestion(suggestion) => suggestion.view.iter().for_each(view),
        Payload::ViewSubmission(submission) => view(&submission.view),
        Payload::ViewClosed(closed) => view(&closed.view),
        Payload::SlashCommand(_) | Payload::Shortcut(_) | Payload::MessageShortcut(_) | Payload::Unknown(_) => {}
    }
}

fn value(value: &StateValue) {
    let _ = (value.as_str(), value.as_list());
}

fn damage(fixture: &Fixture) -> usize {
    let mut root = fixture.json();
    slim(&mut root);
    let mut count = 0;
    for path in paths(&root) {
        for replacement in replacements() {
            let mut damaged = root.clone();
            let Some(place) = damaged.pointer_mut(&path) else {
                panic!("{}{path}", fixture.name);
            };
            *place = replacement;
            count += 1;
            let what = || format!("{}{path}: {damaged}", fixture.name);
            let (content_type, body) = match fixture.folder.as_str() {
                "event" => (JSON, damaged.to_string()),
                _ => (FORM, payload_form(&damaged)),
            };
            let envelope = Envelope::from_body(content_type, body.clone().into(), NOW);
            assert_eq!(envelope.body, body, "{}", what());
            read_all(&envelope);
            let seen = envelope.payload.raw();
            let expected = match envelope.payload {
                Payload::Event(_) => &damaged["event"],
                _ => &damaged,
            };
            assert_eq!(seen, expected, "{}", what());
            let kind = if fixture.folder == "event" { EnvelopeKind::EventsApi } else { EnvelopeKind::Interactive };
            assert_eq!(envelope.kind, kind, "{}", what());
        }
    }
    count
}

#[test]
fn no_replaced_value_keeps_an_event_from_being_read() {
    let count: usize = all().iter().filter(|file| file.folder == "event").map(damage).sum();
    assert!(count > 1000, "{count}");
}

#[test]
fn no_replaced_value_keeps_an_interaction_from_being_read() {
    let count: usize =
        all().iter().filter(|file| file.folder == "interactive" || file.folder == "options").map(damage).sum();
    assert!(count > 1000, "{count}");
}

#[test]
fn the_handshake_and_the_rate_limit_survive_replaced_values_too() {
    for file in all() {
        if file.kind != "url_verification" && file.kind != "app_rate_limited" {
            continue;
        }
        let root = file.json();
        for path in paths(&root) {
            for replacement in replacements() {
                let mut damaged = root.clone();
                if let Some(place) = damaged.pointer_mut(&path) {
                    *place = replacement;
                }
                let known = damaged["type"] == root["type"];
                let seen = inbound(JSON, damaged.to_string());
                assert_eq!(!matches!(seen, Inbound::Envelope(_)), known, "{damaged}");
            }
        }
    }
}

#[test]
fn fields_that_are_left_out_are_empty() {
    for file in all() {
        if file.folder == "command" {
            continue;
        }
        let Value::Object(fields) = file.json() else {
            panic!("{}", file.name);
        };
        for name in fields.keys() {
            let mut fewer: Map<String, Value> = fields.clone();
            fewer.remove(name);
            let fewer = Value::Object(fewer);
            let (content_type, body) = match file.folder.as_str() {
                "event" => (JSON, fewer.to_string()),
                _ => (FORM, payload_form(&fewer)),
            };
            let envelope = Envelope::from_body(content_type, body.clone().into(), NOW);
            assert_eq!(envelope.body, body);
            read_all(&envelope);
        }
    }
}

#[test]
fn a_command_is_read_with_any_field_left_out_emptied_or_repeated() {
    for file in all() {
        if file.folder != "command" {
            continue;
        }
        let fields: Vec<(String, String)> = form_urlencoded::parse(file.text.as_bytes()).into_owned().collect();
        for index in 0..fields.len() {
            let mut without = fields.clone();
            let (name, _) = without.remove(index);
            let mut emptied = fields.clone();
            emptied[index].1.clear();
            let mut repeated = fields.clone();
            repeated.push((name, "\u{1f36e}".to_owned()));
            for fields in [without, emptied, repeated] {
                let body = form(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                let envelope = Envelope::from_body(FORM, body.clone().into(), NOW);
                assert_eq!(envelope.kind, EnvelopeKind::SlashCommands);
                assert_eq!(envelope.body, body);
                read_all(&envelope);
            }
        }
    }
}
