//! Blocks inside the attachments of a message: people press and choose in them as in any others, and the app is told where.

use super::stand_in::{Http, Reply, Seen, act, content_slack, refusal, slack, text};
use serde_json::{Value, json};
use tack_simulator::{Config, Simulator};

fn button(value: &str) -> Value {
    json!({"type": "actions", "elements": [{"type": "button", "action_id": value, "text": text("x"), "value": value}]})
}

/// A message with a button of its own, and two attachments with blocks around one without.
async fn posted(simulator: &Simulator) -> (Http, String) {
    let http = Http::serve(simulator).await;
    let city = json!({"type": "section", "text": text("Where?"), "accessory": {"type": "external_select", "action_id": "city"}});
    let size =
        json!({"type": "static_select", "action_id": "size", "options": [{"text": text("Large"), "value": "l"}]});
    let row =
        json!({"type": "actions", "block_id": "row", "elements": [size, {"type": "button", "text": text("unnamed")}]});
    let args = json!({
        "channel": "C0PLAY001", "text": "x", "blocks": [button("own")],
        "attachments": [{"color": "#36a64f", "blocks": [button("first")]}, {"text": "plain"}, {"blocks": [city, row]}],
    });
    let answer = http.call("chat.postMessage", &args).await;
    assert_eq!(answer["ok"], true, "{answer}");
    (http, answer["ts"].as_str().unwrap().to_owned())
}

fn interactions(log: &[Seen]) -> Vec<Value> {
    log.iter().map(Seen::payload).filter(|payload| payload["type"] != "event_callback").collect()
}

/// <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload/>
#[tokio::test]
async fn a_button_in_an_attachment_is_pressed_and_the_app_is_told_which_attachment() {
    let (simulator, log) = content_slack();
    let (_http, ts) = posted(&simulator).await;
    for action_id in ["first", "own"] {
        let press = json!({"act": "click", "channel": "#playground", "ts": ts, "action_id": action_id});
        assert_eq!(act(&simulator, press).await.shown.outcome, "nothing");
    }
    let payloads = interactions(&log.lock().unwrap());
    assert_eq!(
        payloads[0]["container"],
        json!({
            "type": "message_attachment", "message_ts": ts, "attachment_id": 1, "channel_id": "C0PLAY001",
            "is_ephemeral": false, "is_app_unfurl": false,
        })
    );
    assert_eq!((&payloads[0]["type"], &payloads[0]["actions"][0]["value"]), (&json!("block_actions"), &json!("first")));
    assert_eq!(
        payloads[0]["message"]["attachments"][0]["blocks"][0]["block_id"],
        payloads[0]["actions"][0]["block_id"]
    );
    assert!(payloads[0]["response_url"].is_string());
    assert_eq!(payloads[1]["container"]["type"], "message");
}

#[tokio::test]
async fn what_is_chosen_in_an_attachment_stays_chosen() {
    let option = json!({"text": text("Oslo"), "value": "osl"});
    let options = json!({"options": [option]});
    let (simulator, log) = slack(Config::default(), move |seen| match seen.payload()["type"].as_str() {
        Some("block_suggestion") => Reply::json(&options),
        _ => Reply::status(200),
    });
    let (_http, ts) = posted(&simulator).await;
    let on = |mut with: Value| {
        with["channel"] = json!("#playground");
        with["ts"] = json!(ts);
        with
    };
    act(&simulator, on(json!({"act": "suggest", "action_id": "city", "value": "o"}))).await;
    act(&simulator, on(json!({"act": "click", "action_id": "size", "value": "l", "values": {"city": "osl"}}))).await;
    let payloads = interactions(&log.lock().unwrap());
    assert_eq!(payloads[0]["container"]["attachment_id"], 3);
    assert_eq!(payloads[1]["container"]["attachment_id"], 3);
    assert_eq!(payloads[1]["state"]["values"]["row"]["size"]["selected_option"]["value"], "l");
    let chosen = simulator.read(|state| {
        let message = &state.messages("playground")[0];
        (message.chosen_values("U0ADA0001"), message.blocks().into_owned())
    });
    assert_eq!(chosen.0["row"]["size"]["selected_option"]["value"], "l");
    let blocks: Vec<_> = chosen.1.as_array().unwrap().iter().map(|block| block["type"].clone()).collect();
    assert_eq!(blocks, ["actions", "actions", "section", "actions"]);
    let place = chosen.1[2]["block_id"].as_str().unwrap();
    assert_eq!(chosen.0[place]["city"]["selected_option"], option);
}

#[tokio::test]
async fn what_has_no_id_in_an_attachment_gets_one() {
    let (simulator, _) = content_slack();
    let (http, ts) = posted(&simulator).await;
    let why =
        refusal(&simulator, json!({"act": "click", "channel": "#playground", "ts": ts, "action_id": "none"})).await;
    assert!(why.contains("own, first, city, size"), "{why}");
    let attachments = http.get("/sim/messages?channel=playground").await["messages"][0]["attachments"].clone();
    assert_eq!(attachments[2]["blocks"][0]["block_id"].as_str().unwrap().len(), 5);
    assert_eq!(attachments[2]["blocks"][1]["elements"][1]["action_id"].as_str().unwrap().len(), 5);
    let ids: Vec<_> = attachments.as_array().unwrap().iter().map(|attachment| attachment["id"].clone()).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[tokio::test]
async fn a_press_in_an_attachment_that_failed_leaves_its_warning_there() {
    let (simulator, _) = slack(Config::default(), |seen| match seen.payload()["type"].as_str() {
        Some("block_actions") => Reply::status(404),
        _ => Reply::status(200),
    });
    let (_http, ts) = posted(&simulator).await;
    act(&simulator, json!({"act": "click", "channel": "#playground", "ts": ts, "action_id": "size", "value": "l"}))
        .await;
    let warning = simulator.read(|state| state.messages("playground")[0].problems("U0ADA0001").get("row").cloned());
    assert_eq!(warning.as_deref(), Some("This app responded with Status Code 404"));
}
