//! What makes two deliveries the same. Slack repeats an event with the `event_id` it had; commands and interactions are never repeated and
//! each has a `trigger_id` of its own.

use crate::fixtures::{self, json as fixture};
use crate::wire::{JSON, NOW, command, event, inbound, interaction, verified};
use serde_json::{Value, json};
use std::collections::HashMap;
use tack_protocol::{Envelope, EpochMs, Inbound};

fn key(envelope: &Envelope) -> Option<String> {
    envelope.idempotency_key().map(|key| key.0)
}

fn event_key(id: &Value, inner: &Value) -> Option<String> {
    key(&event(&json!({ "type": "event_callback", "event_id": id, "event": inner })))
}

fn interaction_key(payload: &Value) -> Option<String> {
    key(&interaction(payload))
}

#[test]
fn an_event_goes_by_its_event_id() {
    let message = json!({ "type": "message" });
    assert_eq!(event_key(&json!("Ev123"), &message).as_deref(), Some("event:Ev123"));
    // An execution id is a step's own only on the event that says so.
    let other = json!({ "type": "message", "function_execution_id": "Fx1" });
    assert_eq!(event_key(&json!("Ev123"), &other).as_deref(), Some("event:Ev123"));
    for none in [json!(null), json!(""), json!(7), json!([])] {
        assert_eq!(event_key(&none, &message), None, "{none}");
    }
}

#[test]
fn a_workflow_step_goes_by_its_execution() {
    let step = json!({ "type": "function_executed", "function_execution_id": "Fx1" });
    assert_eq!(event_key(&json!("Ev1"), &step).as_deref(), Some("function:Fx1"));
    assert_eq!(event_key(&json!("Ev2"), &step).as_deref(), Some("function:Fx1"));
    assert_eq!(event_key(&json!("Ev1"), &json!({ "type": "function_executed" })).as_deref(), Some("event:Ev1"));
}

#[test]
fn whatever_has_a_trigger_goes_by_it() {
    assert_eq!(key(&command([("command", "/order"), ("trigger_id", "1.2.a")])).as_deref(), Some("trigger:1.2.a"));
    for kind in ["block_actions", "view_submission", "shortcut", "message_action", "interactive_message", "news"] {
        let payload = json!({ "type": kind, "trigger_id": "1.2.a", "view": { "id": "V1", "hash": "h" } });
        assert_eq!(interaction_key(&payload).as_deref(), Some("trigger:1.2.a"), "{kind}");
    }
}

#[test]
fn a_closed_view_has_no_trigger_and_goes_by_view_and_hash() {
    let closed =
        |id: &str, hash: &str| interaction_key(&json!({ "type": "view_closed", "view": { "id": id, "hash": hash } }));
    assert_eq!(closed("V1", "156663117.cd33ad1f").as_deref(), Some("view:V1:156663117.cd33ad1f"));
    assert_ne!(closed("V1", "1.a"), closed("V1", "1.b"));
    assert_ne!(closed("V1", "1.a"), closed("V2", "1.a"));
    assert_eq!(closed("", "1.a"), None);
    assert_eq!(interaction_key(&json!({ "type": "view_closed" })), None);
}

#[test]
fn a_view_submitted_again_after_a_view_on_top_of_it_is_another_submission() {
    // A pushed view was closed again: Slack sends the same view with the same hash, and a new trigger.
    let submitted = |trigger: &str| {
        interaction_key(
            &json!({ "type": "view_submission", "trigger_id": trigger, "view": { "id": "V1", "hash": "156663117.cd33ad1f" } }),
        )
    };
    let (once, again) = (submitted("1.2.a"), submitted("1.2.b"));
    assert!(once.is_some() && again.is_some());
    assert_ne!(once, again);
    assert_eq!(once, submitted("1.2.a"));
}

#[test]
fn a_submission_without_a_trigger_goes_by_view_and_hash() {
    let payload = json!({ "type": "view_submission", "view": { "id": "V1", "hash": "h" } });
    assert_eq!(interaction_key(&payload).as_deref(), Some("view:V1:h"));
    assert_eq!(interaction_key(&json!({ "type": "view_submission" })), None);
}

#[test]
fn what_cannot_be_told_apart_has_no_key() {
    assert_eq!(key(&command([("command", "/order")])), None);
    for kind in ["block_actions", "shortcut", "message_action", "dialog_submission", "news"] {
        for trigger in [json!(null), json!(""), json!(7), json!({})] {
            assert_eq!(interaction_key(&json!({ "type": kind, "trigger_id": trigger })), None, "{kind} {trigger}");
        }
    }
    // Options are answered at once and nothing is queued.
    assert_eq!(interaction_key(&json!({ "type": "block_suggestion", "trigger_id": "1.2.a" })), None);
}

#[test]
fn slacks_repetitions_of_an_event_have_one_key() {
    let body = fixture("event/message.json").to_string();
    let delivery = |num: Option<&str>, at: EpochMs| {
        let mut headers = vec![("content-type", JSON)];
        if let Some(num) = num {
            headers.extend([("x-slack-retry-num", num), ("x-slack-retry-reason", "http_timeout")]);
        }
        match verified(&headers, body.clone()).decode() {
            Inbound::Envelope(envelope) => {
                let queued = Envelope::from_body(&envelope.content_type, envelope.body.clone(), at);
                assert_eq!(key(&queued), key(&envelope));
                key(&envelope)
            }
            other => panic!("{other:?}"),
        }
    };
    let first = delivery(None, NOW);
    assert_eq!(first.as_deref(), Some("event:Ev0ACME0001"));
    for num in ["1", "2", "3"] {
        assert_eq!(delivery(Some(num), EpochMs(NOW.0 + 300_000)), first);
    }
}

#[test]
fn a_mention_that_is_also_a_message_is_two_events() {
    // Two subscriptions, two event ids, one `ts`: each has its own listeners.
    let inner = json!({ "type": "app_mention", "channel": "C1", "ts": "1.2" });
    assert_ne!(event_key(&json!("Ev1"), &inner), event_key(&json!("Ev2"), &inner));
}

#[test]
fn the_published_bodies_all_have_keys_of_their_own() {
    let mut seen: HashMap<String, String> = HashMap::new();
    for file in fixtures::all() {
        let (content_type, body) = file.on_the_wire();
        let Inbound::Envelope(envelope) = inbound(content_type, body) else {
            continue;
        };
        let without = ["block_suggestion", "dialog_suggestion", "dialog_submission"];
        let Some(key) = key(&envelope) else {
            assert!(without.contains(&file.kind.as_str()), "{} has no key", file.name);
            continue;
        };
        let kind = match key.split(':').next() {
            Some(kind) => kind.to_owned(),
            None => panic!("{key}"),
        };
        assert!(["event", "function", "trigger", "view"].contains(&kind.as_str()), "{key}");
        // The two examples of one command differ in their text only.
        if file.folder == "command" {
            continue;
        }
        if let Some(other) = seen.insert(key.clone(), file.name.clone()) {
            panic!("{} and {other} have the key {key}", file.name);
        }
    }
}
