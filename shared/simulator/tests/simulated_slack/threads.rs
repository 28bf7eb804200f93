//! Threads by the Web API: replies, broadcasts, what is refused.

use super::stand_in::{act, refused, served};
use serde_json::{Value, json};

fn reply(ts: &Value, more: Value) -> Value {
    let mut args = json!({"channel": "C0PLAY001", "text": "reply", "thread_ts": ts});
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

/// <https://docs.slack.dev/reference/methods/conversations.replies/>
#[tokio::test]
async fn a_thread_is_read_from_its_first_message() {
    let (simulator, http) = served().await;
    let first = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "first"})).await["ts"].clone();
    let said = json!({"as": "grace", "act": "say", "channel": "#playground", "text": "one", "thread_ts": first});
    let one = act(&simulator, said).await.shown.message.unwrap()["ts"].clone();
    let two = http.call("chat.postMessage", &reply(&first, json!({"text": "two"}))).await["ts"].clone();
    let read = async |more: Value| {
        let mut args = json!({"channel": "C0PLAY001", "ts": first});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        http.call("conversations.replies", &args).await
    };
    let stamps = |answer: &Value| {
        answer["messages"].as_array().unwrap().iter().map(|message| message["ts"].clone()).collect::<Vec<_>>()
    };
    let all = read(json!({})).await;
    assert_eq!(stamps(&all), [first.clone(), one.clone(), two.clone()]);
    let root = &all["messages"][0];
    assert_eq!((&root["reply_count"], &root["reply_users_count"]), (&json!(2), &json!(2)));
    assert_eq!((&root["latest_reply"], &root["thread_ts"]), (&two, &first));
    assert_eq!((&root["reply_users"], &root["subscribed"]), (&json!(["U0GRACE01", "U0TACKBOT"]), &json!(true)));
    assert_eq!(all["messages"][1]["parent_user_id"], "U0TACKBOT");
    // A reply's stamp names its thread too.
    assert_eq!(stamps(&read(json!({"ts": one})).await), [first.clone(), one.clone(), two.clone()]);
    let page = read(json!({"limit": 2})).await;
    assert_eq!((stamps(&page), &page["has_more"]), (vec![first.clone(), one.clone()], &json!(true)));
    let rest = read(json!({"limit": 2, "cursor": page["response_metadata"]["next_cursor"]})).await;
    assert_eq!((stamps(&rest), &rest["has_more"]), (vec![two.clone()], &json!(false)));
    assert_eq!(stamps(&read(json!({"oldest": one})).await), [first.clone(), two]);
    refused(&http, "conversations.replies", json!({"channel": "C0PLAY001", "ts": "1.2"}), "thread_not_found").await;
}

/// <https://docs.slack.dev/reference/events/message/thread_broadcast/>
#[tokio::test]
async fn a_broadcast_reply_stands_in_the_channel_too() {
    let (simulator, http) = served().await;
    let first = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "first"})).await["ts"].clone();
    http.call("chat.postMessage", &reply(&first, json!({}))).await;
    let posted = http.call("chat.postMessage", &reply(&first, json!({"reply_broadcast": true}))).await;
    let message = &posted["message"];
    assert_eq!((&message["subtype"], &message["thread_ts"]), (&json!("thread_broadcast"), &first));
    let root = &message["root"];
    assert_eq!((&root["ts"], &root["reply_count"], &root["latest_reply"]), (&first, &json!(2), &posted["ts"]));
    let history = http.call("conversations.history", &json!({"channel": "C0PLAY001"})).await;
    let stamps: Vec<_> = history["messages"].as_array().unwrap().iter().map(|message| message["ts"].clone()).collect();
    assert_eq!(stamps, [posted["ts"].clone(), first]);
    let told = simulator.wait_for(std::time::Duration::from_secs(10), |state| {
        state
            .deliveries()
            .map(tack_simulator::Delivery::payload)
            .find(|body| body["event"]["subtype"] == "thread_broadcast")
    });
    assert_eq!(told.await.unwrap()["event"]["root"]["ts"], root["ts"]);
    // Nothing to broadcast outside a thread.
    let alone = json!({"channel": "C0PLAY001", "text": "x", "reply_broadcast": true});
    assert_eq!(http.call("chat.postMessage", &alone).await["message"].get("subtype"), None);
}

#[tokio::test]
async fn odd_thread_stamps_are_refused_or_remarked() {
    let (simulator, http) = served().await;
    act(&simulator, json!({"act": "invite_app", "channel": "#random"})).await;
    let joined = simulator.read(|state| state.messages("random")[0].ts().to_owned());
    let mut to_note = reply(&json!(joined), json!({}));
    to_note["channel"] = json!("C0RANDOM1");
    refused(&http, "chat.postMessage", to_note, "cannot_reply_to_message").await;
    let malformed = refused(&http, "chat.postMessage", reply(&json!("0"), json!({})), "invalid_thread_ts").await;
    assert_eq!(malformed["response_metadata"]["messages"], json!(["[ERROR] 0 is not a valid thread_ts"]));
    let first = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "first"})).await["ts"].clone();
    let one = http.call("chat.postMessage", &reply(&first, json!({}))).await["ts"].clone();
    let of_reply = http.call("chat.postMessage", &reply(&one, json!({}))).await;
    assert_eq!(of_reply["message"]["thread_ts"], first);
    let nowhere = http.call("chat.postMessage", &reply(&json!("1795511642.118000"), json!({}))).await;
    assert_eq!(nowhere["ok"], true);
    let calls = simulator.calls();
    let remarks: Vec<_> = calls.iter().rev().take(2).map(|call| call.warnings.join("; ")).collect();
    assert!(remarks[0].contains("shows it nowhere"), "{remarks:?}");
    assert!(remarks[1].contains("that of a reply"), "{remarks:?}");
}
