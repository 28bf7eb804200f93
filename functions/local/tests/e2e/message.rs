//! Bodies and queue messages written by hand, from Slack's samples and from the contract, and not by the code under test.

use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tack_simulator::DeliveryRequest;

/// A published `message` event of somebody saying `text`, under this `event_id`.
pub(crate) fn message_event(event_id: &str, text: &str) -> Value {
    let mut envelope: Value =
        serde_json::from_str(include_str!("../../../../events/slack/event/message.json")).unwrap();
    envelope["event_id"] = json!(event_id);
    envelope["event"]["text"] = json!(text);
    envelope
}

/// The same as something to deliver.
pub(crate) fn message_delivery(event_id: &str, text: &str) -> DeliveryRequest {
    DeliveryRequest::event(message_event(event_id, text))
}

/// The queue message of an event, as the contract describes it.
pub(crate) fn queued_event(delivery: &str, envelope: &Value, jobs: &[&str]) -> String {
    let jobs: Vec<Value> = jobs.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "v": 1,
        "origin": "slack",
        "id": delivery,
        "received_at": now_ms(),
        "kind": "events_api",
        "app": envelope["api_app_id"],
        "team": envelope["team_id"],
        "enc": "text",
        "content_type": "application/json",
        "body": envelope.to_string(),
        "jobs": jobs,
        "gen": 0,
    })
    .to_string()
}

/// The queue message of own work, as anyone may send it.
pub(crate) fn own_work(job: &str, key: &str, payload: &Value) -> String {
    json!({ "v": 1, "origin": "app", "job": job, "team": "T0ACME001", "key": key, "payload": payload }).to_string()
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
