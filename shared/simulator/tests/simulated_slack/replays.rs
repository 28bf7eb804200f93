//! Deliveries sent again: with fresh ids everything works once more, with the same bytes nothing is new.

use super::stand_in::{Http, Seen, act, content_slack, slack, text};
use bytes::Bytes;
use serde_json::{Value, json};
use tack_simulator::{Config, Delivery, DeliveryRequest, Kind, Original, ReplayMode, Simulator};

async fn rerun(simulator: &Simulator, delivery: &Delivery) -> Value {
    let again = simulator.replay(&delivery.id, ReplayMode::Rerun).await.unwrap().remove(0);
    assert_eq!(again.replay_of.as_ref(), Some(&delivery.id));
    again.payload()
}

fn modal() -> Value {
    json!({"type": "modal", "title": text("Again"), "blocks": [{"type": "divider"}]})
}

async fn opens_a_modal(http: &Http, payload: &Value) -> Value {
    http.call("views.open", &json!({"trigger_id": payload["trigger_id"], "view": modal()})).await
}

#[tokio::test]
async fn a_command_or_shortcut_run_anew_can_open_its_modal_again() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let typed = act(&simulator, json!({"act": "command", "channel": "#playground", "text": "/order 3"})).await;
    let run = act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    for old in [&typed.deliveries[0], &run.deliveries[0]] {
        assert_eq!(opens_a_modal(&http, &old.payload()).await["ok"], true);
        assert_eq!(opens_a_modal(&http, &old.payload()).await["error"], "exchanged_trigger_id");
        let payload = rerun(&simulator, old).await;
        assert_eq!(opens_a_modal(&http, &payload).await["ok"], true, "{}", old.name);
        act(&simulator, json!({"act": "close"})).await;
    }
    let payload = rerun(&simulator, &typed.deliveries[0]).await;
    assert_eq!((&payload["command"], &payload["text"]), (&json!("/order"), &json!("3")));
    let path = |payload: &Value| payload["response_url"].as_str().unwrap()["http://localhost:4000".len()..].to_owned();
    assert_ne!(path(&payload), path(&typed.deliveries[0].payload()));
    assert_eq!(http.post(&path(&payload), &json!({"text": "done"})).await.text, "ok");
}

#[tokio::test]
async fn a_press_run_anew_can_change_the_view_it_came_from() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let run = act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    let mut view = modal();
    view["blocks"] =
        json!([{"type": "actions", "elements": [{"type": "button", "action_id": "go", "text": text("Go")}]}]);
    let trigger_id = run.deliveries[0].payload()["trigger_id"].clone();
    http.call("views.open", &json!({"trigger_id": trigger_id, "view": view})).await;
    let pressed = act(&simulator, json!({"act": "click", "action_id": "go"})).await.deliveries.remove(0);
    let update =
        |payload: &Value| json!({"view_id": payload["view"]["id"], "hash": payload["view"]["hash"], "view": view});
    assert_eq!(http.call("views.update", &update(&pressed.payload())).await["ok"], true);
    assert_eq!(http.call("views.update", &update(&pressed.payload())).await["error"], "hash_conflict");
    let payload = rerun(&simulator, &pressed).await;
    assert_eq!(http.call("views.update", &update(&payload)).await["ok"], true);
    assert_eq!(payload["actions"][0]["action_id"], "go");
    assert_ne!(payload["trigger_id"], pressed.payload()["trigger_id"]);
}

#[tokio::test]
async fn a_message_run_anew_is_written_once_more() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    act(&simulator, json!({"act": "say", "channel": "#playground", "text": "hi"})).await;
    let old = simulator.deliveries()[0].clone();
    let payload = rerun(&simulator, &old).await;
    let (before, after) = (&old.payload(), &payload);
    for pointer in ["/event_id", "/event_context", "/event/ts", "/event/event_ts", "/event/client_msg_id"] {
        assert_ne!(before.pointer(pointer), after.pointer(pointer), "{pointer}");
    }
    assert_eq!((&after["event"]["text"], &after["event"]["ts"]), (&json!("hi"), &after["event"]["event_ts"]));
    assert_eq!(log.lock().unwrap().len(), 2, "writing it once more sends no second event");
    let react = json!({"channel": "C0PLAY001", "timestamp": after["event"]["ts"], "name": "eyes"});
    assert_eq!(http.call("reactions.add", &react).await["ok"], true);
    assert_eq!(simulator.read(|state| state.messages("playground").len()), 2);
}

#[tokio::test]
async fn a_redelivered_interaction_has_the_same_bytes_and_no_retry_headers() {
    let (simulator, log) = content_slack();
    let run = act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    simulator.replay(&run.deliveries[0].id, ReplayMode::Redeliver).await.unwrap();
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen[0].body, seen[1].body);
    assert_eq!(seen[1].header("x-slack-retry-num"), "");
}

#[tokio::test]
async fn a_body_nobody_remembers_is_sent_again() {
    let (simulator, log) = content_slack();
    let body = json!({"type": "event_callback", "event_id": "Ev0OLD", "event": {"type": "team_join"}}).to_string();
    let original = || Original {
        kind: Kind::Event,
        content_type: "application/json".to_owned(),
        body: Bytes::from(body.clone()),
        headers: Vec::new(),
        replay_of: Some("0190-of-another-life".to_owned()),
    };
    for mode in [ReplayMode::Redeliver, ReplayMode::Edited, ReplayMode::Rerun] {
        let sent = simulator.replay_body(original(), mode).await.unwrap().remove(0);
        assert_eq!(sent.replay_of.as_deref(), Some("0190-of-another-life"));
    }
    let seen = log.lock().unwrap().clone();
    let retries: Vec<_> = seen.iter().map(|seen| seen.header("x-slack-retry-num")).collect();
    assert_eq!(retries, ["1", "", ""]);
    assert_eq!((seen[0].body.as_str(), seen[1].body.as_str()), (body.as_str(), body.as_str()));
    assert_ne!(seen[2].payload()["event_id"], "Ev0OLD");
}

#[tokio::test]
async fn an_edited_body_is_signed_anew_and_keeps_its_ids_and_secrets() {
    let (simulator, log) = content_slack();
    let typed = act(&simulator, json!({"act": "command", "channel": "#playground", "text": "/order 3"})).await;
    let old = typed.deliveries[0].clone();
    // As a console shows it: with secrets masked.
    let mut shown = old.readable()["body"].clone();
    assert!(shown["response_url"].as_str().unwrap().contains('…'));
    shown["text"] = json!("4");
    simulator.replay_edited(Original::from(&old), &shown.to_string(), false).await.unwrap();
    simulator.replay_edited(Original::from(&old), &shown.to_string(), true).await.unwrap();
    let seen: Vec<Value> = log.lock().unwrap().iter().map(Seen::payload).collect();
    let mut expected = seen[0].clone();
    expected["text"] = json!("4");
    assert_eq!(seen[1], expected);
    assert_eq!(seen[2]["text"], "4");
    assert_ne!(seen[2]["trigger_id"], seen[0]["trigger_id"]);

    let event = DeliveryRequest::event(json!({"type": "message", "text": "hi"}));
    let old = simulator.deliver(event).await.unwrap().remove(0);
    simulator.replay_edited(Original::from(&old), "{ \"no\": 1.50 }", false).await.unwrap();
    assert_eq!(log.lock().unwrap().last().unwrap().body, "{ \"no\": 1.50 }");

    let run = act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    let mut payload = run.deliveries[0].payload();
    payload["callback_id"] = json!("y");
    simulator.replay_edited(Original::from(&run.deliveries[0]), &payload.to_string(), false).await.unwrap();
    assert_eq!(log.lock().unwrap().last().unwrap().payload(), payload);
}

#[tokio::test]
async fn replays_over_http_take_a_new_body() {
    let (simulator, log) = slack(Config::default(), |_| super::stand_in::Reply::status(200));
    let http = Http::serve(&simulator).await;
    let run = act(&simulator, json!({"act": "shortcut", "callback_id": "x"})).await;
    let path = format!("/sim/deliveries/{}/replay", run.deliveries[0].id);
    let mut payload = run.deliveries[0].payload();
    payload["callback_id"] = json!("y");
    let edited = http.post(&path, &json!({"mode": "edited", "body": payload.to_string()})).await;
    assert_eq!(edited.status, 200);
    assert_eq!(log.lock().unwrap()[1].payload()["callback_id"], "y");
    let refused = http.post(&path, &json!({"mode": "redeliver", "body": "{}"})).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("same body"), "{}", refused.text);
}
