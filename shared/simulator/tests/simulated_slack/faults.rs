//! Faults on request: what they do, how often, and that they go away.

use super::stand_in::{Http, content_slack};
use serde_json::{Value, json};
use std::time::Duration;
use tack_simulator::{DeliveryRequest, Faults, Simulator, sign};

fn hi() -> DeliveryRequest {
    DeliveryRequest::event(json!({"type": "message", "text": "hi"}))
}

fn set(simulator: &Simulator, faults: Value) {
    simulator.set_faults(serde_json::from_value(faults).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_bad_signature_is_one_the_app_must_refuse() {
    let (simulator, log) = content_slack();
    set(&simulator, json!({"deliveries": {"bad_signature": true, "times": 1}}));
    let sent = simulator.deliver(hi()).await.unwrap().remove(0);
    assert_eq!(sent.faults, ["bad_signature"]);
    assert!(simulator.deliver(hi()).await.unwrap()[0].faults.is_empty());
    let is_right: Vec<_> = log
        .lock()
        .unwrap()
        .iter()
        .map(|seen| {
            let expected =
                sign("simulated-signing-secret", seen.header("x-slack-request-timestamp"), seen.body.as_bytes());
            assert!(seen.header("x-slack-signature").starts_with("v0="));
            seen.header("x-slack-signature") == expected
        })
        .collect();
    assert_eq!(is_right, [false, true]);
    assert_eq!(simulator.read(|state| state.faults().clone()), Faults::default());
    assert_eq!(simulator.read(|state| state.faults_struck().deliveries["bad_signature"]), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stale_delivery_is_ten_minutes_old_and_well_signed() {
    let (simulator, log) = content_slack();
    set(&simulator, json!({"deliveries": {"stale": true}}));
    simulator.deliver(DeliveryRequest::command(json!({}))).await.unwrap();
    let seen = log.lock().unwrap()[0].clone();
    let timestamp = seen.header("x-slack-request-timestamp");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((590..=660).contains(&(now - timestamp.parse::<u64>().unwrap())), "{timestamp}");
    assert_eq!(seen.header("x-slack-signature"), sign("simulated-signing-secret", timestamp, seen.body.as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn a_fault_strikes_as_many_deliveries_as_it_says() {
    let (simulator, log) = content_slack();
    set(&simulator, json!({"deliveries": {"duplicate": 1, "delay_ms": 700, "times": 2}}));
    let start = tokio::time::Instant::now();
    for copies in [2, 2, 1] {
        assert_eq!(simulator.deliver(hi()).await.unwrap().len(), copies);
    }
    assert_eq!(start.elapsed(), Duration::from_millis(1_400));
    assert_eq!(log.lock().unwrap().len(), 5);
    assert_eq!(simulator.read(|state| state.faults_struck().deliveries["duplicate"]), 2);
}

#[tokio::test]
async fn every_method_can_fail_at_once_and_heal() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    set(&simulator, json!({"web_api": {"*": {"status": 503}, "auth.test": {"error": "fatal_error", "times": 1}}}));
    let status = async |method: &str| {
        let headers = [("authorization", "Bearer xoxb-simulated-bot-token")];
        http.send("POST", &format!("/api/{method}"), &headers, "").await.status
    };
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "fatal_error");
    assert_eq!(status("auth.test").await, 503);
    assert_eq!(status("users.list").await, 503);
    assert_eq!(http.get("/sim/faults").await["web_api"], json!({"*": {"status": 503}}));
    assert_eq!(http.get("/sim/faults/struck").await["web_api"], json!({"*": 2, "auth.test": 1}));
    set(&simulator, json!({}));
    assert_eq!(http.call("auth.test", &json!({})).await["ok"], true);
}

#[tokio::test]
async fn a_revoked_token_can_be_given_back() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    set(&simulator, json!({"token_revoked": true}));
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "token_revoked");
    assert_eq!(simulator.read(|state| state.faults_struck().token_revoked), 1);
    set(&simulator, json!({}));
    assert_eq!(http.call("auth.test", &json!({})).await["ok"], true);
    simulator.revoke_token();
    set(&simulator, json!({}));
    assert_eq!(http.call("auth.test", &json!({})).await["error"], "token_revoked", "that one lasts until a reset");
}
