//! What the Web API answers: every error by Slack's name, messages, views, response URLs.

use super::stand_in::{Answered, Http, refused, served, with_config};
use serde_json::{Value, json};
use std::time::Duration;
use tack_simulator::{Act, Config, Simulator};

/// A fresh `trigger_id`, from a command.
async fn trigger(simulator: &Simulator) -> String {
    let act: Act =
        serde_json::from_value(json!({"act": "command", "channel": "#playground", "text": "/order"})).unwrap();
    let acted = simulator.act(act).await.unwrap();
    acted.deliveries[0].payload()["trigger_id"].as_str().unwrap().to_owned()
}

async fn response_url(simulator: &Simulator, http: &Http) -> String {
    let act: Act =
        serde_json::from_value(json!({"act": "command", "channel": "#playground", "text": "/order"})).unwrap();
    let url = simulator.act(act).await.unwrap().deliveries[0].payload()["response_url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix("http://localhost:4000").unwrap().to_owned();
    assert!(!http.address.is_empty());
    path
}

fn modal() -> Value {
    json!({"type": "modal", "title": {"type": "plain_text", "text": "Order"}, "blocks": [{"type": "divider"}]})
}

#[tokio::test]
async fn who_calls_is_checked() {
    let (simulator, http) = served().await;
    let with = async |headers: &[(&str, &str)], body: &str| {
        http.send("POST", "/api/auth.test", headers, body).await.json()["error"].clone()
    };
    assert_eq!(with(&[], "").await, "not_authed");
    assert_eq!(with(&[("authorization", "Bearer xoxb-other")], "").await, "invalid_auth");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(with(&form, "token=xoxb-simulated-bot-token").await, Value::Null);
    assert_eq!(with(&[("authorization", "Bearer xoxb-simulated-bot-token")], "").await, Value::Null);
    simulator.revoke_token();
    assert_eq!(with(&form, "token=xoxb-simulated-bot-token").await, "token_revoked");
}

#[tokio::test]
async fn auth_test_tells_who_the_token_is() {
    let (_, http) = served().await;
    let answer = http.call("auth.test", &json!({})).await;
    assert_eq!(
        (&answer["ok"], &answer["team_id"], &answer["user_id"], &answer["bot_id"]),
        (&json!(true), &json!("T0ACME001"), &json!("U0TACKBOT"), &json!("B0TACK001"))
    );
}

#[tokio::test]
async fn api_test_needs_no_token_and_gives_an_error_back() {
    let (_, http) = served().await;
    let answer = http.post("/api/api.test", &json!({"foo": "bar"})).await.json();
    assert_eq!((&answer["ok"], &answer["args"]["foo"]), (&json!(true), &json!("bar")));
    assert_eq!(http.post("/api/api.test", &json!({"error": "my_error"})).await.json()["error"], "my_error");
}

#[tokio::test]
async fn the_form_of_a_call_is_checked() {
    let (_, http) = served().await;
    refused(&http, "chat.shout", json!({}), "unknown_method").await;
    let sent = async |content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        http.send("POST", "/api/api.test", &headers, body).await.json()
    };
    assert_eq!(sent("application/json", "{").await["error"], "invalid_json");
    assert_eq!(sent("application/json", "[]").await["error"], "json_not_object");
    assert_eq!(sent("text/plain", "x").await["error"], "invalid_post_type");
    assert_eq!(http.send("POST", "/api/api.test", &[], "x").await.json()["error"], "missing_post_type");
    let warned = sent("application/json", "{}").await;
    assert_eq!((&warned["ok"], &warned["warning"]), (&json!(true), &json!("missing_charset")));
    assert_eq!(sent("application/json; charset=latin-9", "{}").await["error"], "invalid_charset");
    assert_eq!(sent("application/json; charset=UTF-8", "{}").await, json!({"ok": true, "args": {}}));
    let form = sent("application/x-www-form-urlencoded; charset=utf-8", "a=b").await;
    assert_eq!(form["response_metadata"]["warnings"], json!(["superfluous_charset"]));
    assert_eq!(sent("application/x-www-form-urlencoded", "a%5B0%5D=b").await["error"], "invalid_arg_name");
    assert_eq!(http.get("/api/api.test?foo=bar").await["args"]["foo"], "bar");
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let (_, http) = with_config(Config { scopes: vec!["commands".to_owned()], ..Config::default() }).await;
    let answer =
        refused(&http, "chat.postMessage", json!({"channel": "C0PLAY001", "text": "x"}), "missing_scope").await;
    assert_eq!((&answer["needed"], &answer["provided"]), (&json!("chat:write"), &json!("commands")));
    refused(&http, "conversations.info", json!({"channel": "C0PLAY001"}), "missing_scope").await;
}

#[tokio::test]
async fn a_message_is_answered_as_it_was_stored() {
    let (simulator, http) = served().await;
    let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "*Hey*"}}]);
    let answer = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "Hey", "blocks": blocks})).await;
    assert_eq!((&answer["ok"], &answer["channel"]), (&json!(true), &json!("C0PLAY001")));
    let message = &answer["message"];
    assert_eq!((&message["ts"], &message["text"]), (&answer["ts"], &json!("Hey")));
    assert_eq!((&message["bot_id"], &message["user"]), (&json!("B0TACK001"), &json!("U0TACKBOT")));
    assert!(message["blocks"][0]["block_id"].is_string());
    assert_eq!(simulator.read(|state| state.messages("#playground")[0].body.clone()), *message);
    // As older clients send it: a form, with structures as text.
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("token", "xoxb-simulated-bot-token")
        .append_pair("channel", "U0GRACE01")
        .append_pair("blocks", &blocks.to_string())
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = http.send("POST", "/api/chat.postMessage", &headers, &form).await.json();
    assert_eq!((&answer["channel"], &answer["warning"]), (&json!("D0GRACE01"), &json!("missing_text_in_message")));
}

#[tokio::test]
async fn what_slack_refuses_in_a_message_is_refused() {
    let (_, http) = served().await;
    let post = async |more: Value, error: &str| {
        let mut args = json!({"channel": "C0PLAY001"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refused(&http, "chat.postMessage", args, error).await
    };
    post(json!({"channel": "C0NOWHERE", "text": "x"}), "channel_not_found").await;
    post(json!({"channel": "C0RANDOM1", "text": "x"}), "not_in_channel").await;
    post(json!({"channel": "C0OPS0001", "text": "x"}), "channel_not_found").await;
    post(json!({}), "no_text").await;
    post(json!({"text": ""}), "no_text").await;
    post(json!({"blocks": "[{"}), "invalid_blocks_format").await;
    post(json!({"text": "x", "markdown_text": "y"}), "markdown_text_conflict").await;
    post(json!({"markdown_text": "y".repeat(12_001)}), "msg_too_long").await;
    post(json!({"text": "x", "attachments": vec![json!({}); 101]}), "too_many_attachments").await;
    let long = json!({"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_000)}});
    post(json!({"blocks": vec![long; 5]}), "msg_blocks_too_long").await;
    let invalid = post(json!({"blocks": [{"type": "section"}]}), "invalid_blocks").await;
    let message = "[ERROR] missing required field: text or fields [json-pointer:/blocks/0]";
    assert_eq!(invalid["response_metadata"]["messages"], json!([message]));
    let missing = refused(&http, "chat.postMessage", json!({"text": "x"}), "invalid_arguments").await;
    assert_eq!(missing["response_metadata"]["messages"], json!(["[ERROR] missing required field: channel"]));
    let cut = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "x".repeat(40_001)})).await;
    assert_eq!((&cut["ok"], &cut["warning"]), (&json!(true), &json!("message_truncated")));
    assert_eq!(cut["message"]["text"].as_str().unwrap().len(), 40_000);
}

#[tokio::test]
async fn messages_are_changed_and_deleted_by_their_author_only() {
    let (simulator, http) = served().await;
    let say: Act = serde_json::from_value(json!({"act": "say", "channel": "#playground", "text": "mine"})).unwrap();
    let theirs = simulator.act(say).await.unwrap().shown.message.unwrap()["ts"].clone();
    let posted = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "one"})).await;
    let at = |ts: &Value| json!({"channel": "C0PLAY001", "ts": ts, "text": "two"});
    refused(&http, "chat.update", at(&json!("1.2")), "message_not_found").await;
    refused(&http, "chat.update", at(&theirs), "cant_update_message").await;
    refused(&http, "chat.delete", at(&json!("1.2")), "message_not_found").await;
    refused(&http, "chat.delete", at(&theirs), "cant_delete_message").await;
    refused(&http, "chat.update", json!({"channel": "C0NOWHERE", "ts": "1", "text": "x"}), "channel_not_found").await;
    refused(&http, "chat.update", json!({"channel": "C0PLAY001", "ts": posted["ts"]}), "no_text").await;
    let long = json!({"channel": "C0PLAY001", "ts": posted["ts"], "text": "x".repeat(40_001)});
    refused(&http, "chat.update", long, "msg_too_long").await;
    let updated = http.call("chat.update", &at(&posted["ts"])).await;
    assert_eq!((&updated["ok"], &updated["text"]), (&json!(true), &json!("two")));
    assert!(updated["message"]["edited"]["ts"].is_string());
    assert_eq!(http.call("chat.delete", &at(&posted["ts"])).await["ok"], true);
    refused(&http, "chat.delete", at(&posted["ts"]), "message_not_found").await;
}

#[tokio::test]
async fn an_ephemeral_message_is_for_one_person() {
    let (simulator, http) = served().await;
    let args = |user: &str| json!({"channel": "C0PLAY001", "user": user, "text": "psst"});
    refused(&http, "chat.postEphemeral", args("U0NOBODY1"), "user_not_in_channel").await;
    refused(&http, "chat.postEphemeral", json!({"channel": "C0PLAY001", "user": "U0ADA0001"}), "no_text").await;
    let long = json!({"channel": "C0PLAY001", "user": "U0ADA0001", "text": "x".repeat(40_001)});
    refused(&http, "chat.postEphemeral", long, "msg_too_long").await;
    let answer = http.call("chat.postEphemeral", &args("U0ADA0001")).await;
    assert!(answer["message_ts"].is_string());
    let to = simulator.read(|state| state.messages("playground")[0].ephemeral_to.clone());
    assert_eq!(to.as_deref(), Some("U0ADA0001"));
    let at = json!({"channel": "C0PLAY001", "ts": answer["message_ts"], "text": "x"});
    refused(&http, "chat.update", at, "message_not_found").await;
}

#[tokio::test]
async fn people_and_channels_are_told() {
    let (_, http) = served().await;
    assert_eq!(http.call("users.info", &json!({"user": "U0ADA0001"})).await["user"]["name"], "ada");
    assert_eq!(http.call("users.info", &json!({"user": "U0TACKBOT"})).await["user"]["is_bot"], true);
    refused(&http, "users.info", json!({"user": "U0NOBODY1"}), "user_not_found").await;
    let channel = http.call("conversations.info", &json!({"channel": "C0PLAY001"})).await["channel"].clone();
    assert_eq!((&channel["name"], &channel["is_member"]), (&json!("playground"), &json!(true)));
    assert_eq!(http.call("conversations.info", &json!({"channel": "D0ADA0001"})).await["channel"]["user"], "U0ADA0001");
    refused(&http, "conversations.info", json!({"channel": "C0NOWHERE"}), "channel_not_found").await;
    refused(&http, "conversations.info", json!({"channel": "C0OPS0001"}), "channel_not_found").await;
}

#[tokio::test]
async fn a_trigger_opens_one_modal() {
    let (simulator, http) = served().await;
    let trigger_id = trigger(&simulator).await;
    let args = json!({"trigger_id": trigger_id, "view": modal()});
    let opened = http.call("views.open", &args).await;
    let view = &opened["view"];
    assert!(view["id"].as_str().unwrap().starts_with('V'), "{opened}");
    assert!(view["hash"].is_string());
    assert_eq!((&view["app_installed_team_id"], &view["root_view_id"]), (&json!("T0ACME001"), &view["id"]));
    refused(&http, "views.open", args, "exchanged_trigger_id").await;
    refused(&http, "views.open", json!({"trigger_id": "1.2.3", "view": modal()}), "invalid_trigger_id").await;
}

#[tokio::test]
async fn a_trigger_dies() {
    let (simulator, http) = with_config(Config { trigger_life: Duration::ZERO, ..Config::default() }).await;
    let trigger_id = trigger(&simulator).await;
    refused(&http, "views.open", json!({"trigger_id": trigger_id, "view": modal()}), "expired_trigger_id").await;
}

#[tokio::test]
async fn what_slack_refuses_in_views_is_refused() {
    let (simulator, http) = served().await;
    let fresh = trigger(&simulator).await;
    let open = |view: Value| json!({"trigger_id": fresh, "view": view});
    let answer = refused(&http, "views.open", open(json!({"type": "modal"})), "invalid_arguments").await;
    let messages = answer["response_metadata"]["messages"].as_array().unwrap().clone();
    assert!(messages[0].as_str().unwrap().ends_with("[json-pointer:/view/title]"), "{messages:?}");
    refused(&http, "views.open", open(json!("{")), "invalid_arguments").await;
    refused(&http, "views.open", json!({"trigger_id": fresh}), "invalid_arguments").await;
    let mut large = modal();
    large["blocks"] = json!([{"type": "markdown", "text": "x".repeat(260_000)}]);
    refused(&http, "views.open", open(large), "view_too_large").await;
    // A refused view leaves the trigger as it was.
    let opened = http.call("views.open", &open(modal())).await["view"].clone();
    refused(&http, "views.update", json!({"view_id": "V0NOTHERE", "view": modal()}), "not_found").await;
    let stale = json!({"view_id": opened["id"], "hash": "1.abc", "view": modal()});
    refused(&http, "views.update", stale, "hash_conflict").await;
    let current = json!({"view_id": opened["id"], "hash": opened["hash"], "view": modal()});
    let updated = http.call("views.update", &current).await;
    assert_eq!((&updated["ok"], &updated["view"]["id"]), (&json!(true), &opened["id"]));
    refused(&http, "views.update", current, "hash_conflict").await;
}

#[tokio::test]
async fn three_modals_are_the_limit() {
    let (simulator, http) = served().await;
    let push = async |method: &str| {
        http.call(method, &json!({"trigger_id": trigger(&simulator).await, "view": modal()})).await
    };
    assert_eq!(push("views.push").await["error"], "not_found", "nothing is open yet");
    let first = push("views.open").await["view"]["id"].clone();
    let second = push("views.push").await["view"].clone();
    assert_eq!((&second["root_view_id"], &second["previous_view_id"]), (&first, &first));
    assert_eq!(push("views.push").await["ok"], true);
    assert_eq!(push("views.push").await["error"], "push_limit_reached");
    assert_eq!(simulator.read(|state| state.modals("ada").len()), 3);
}

#[tokio::test]
async fn a_home_tab_is_published_for_one_person() {
    let (simulator, http) = served().await;
    let home = json!({"type": "home", "blocks": [{"type": "divider"}]});
    let args = |user: &str, view: &Value| json!({"user_id": user, "view": view});
    refused(&http, "views.publish", args("U0NOBODY1", &home), "user_not_found").await;
    refused(&http, "views.publish", args("U0ADA0001", &modal()), "invalid_arguments").await;
    let first = http.call("views.publish", &args("U0ADA0001", &home)).await["view"].clone();
    let again = http.call("views.publish", &args("U0ADA0001", &home)).await["view"].clone();
    assert_eq!(first["id"], again["id"]);
    let stale = json!({"user_id": "U0ADA0001", "view": home, "hash": first["hash"]});
    refused(&http, "views.publish", stale, "hash_conflict").await;
    assert!(simulator.read(|state| state.home("ada").is_some() && state.home("grace").is_none()));
}

async fn used(http: &Http, path: &str, body: &Value) -> Answered {
    http.post(path, body).await
}

#[tokio::test]
async fn a_response_url_works_five_times() {
    let (simulator, http) = served().await;
    let url = response_url(&simulator, &http).await;
    for _ in 0..4 {
        assert_eq!(used(&http, &url, &json!({"text": "for you"})).await.text, "ok");
    }
    let shared = json!({"text": "for all", "response_type": "in_channel"});
    assert_eq!(used(&http, &url, &shared).await.text, "ok");
    let sixth = used(&http, &url, &shared).await;
    assert_eq!((sixth.status, sixth.json()), (404, json!({"ok": false, "error": "used_url"})));
    let ephemeral = simulator.read(|state| {
        state.messages("playground").iter().map(|message| message.ephemeral_to.is_some()).collect::<Vec<_>>()
    });
    assert_eq!(ephemeral, [true, true, true, true, false]);
    let calls = simulator.calls();
    assert_eq!(calls.iter().filter(|call| call.method == "response_url").count(), 6);
}

#[tokio::test]
async fn a_response_url_dies_and_refuses_nonsense() {
    let (simulator, http) = served().await;
    let url = response_url(&simulator, &http).await;
    assert_eq!(http.send("POST", &url, &[], "nonsense").await.json()["error"], "invalid_payload");
    assert_eq!(used(&http, &url, &json!({})).await.json()["error"], "no_text");
    assert_eq!(used(&http, &url, &json!({"delete_original": true})).await.status, 400);
    assert_eq!(used(&http, "/response/unknown", &json!({"text": "x"})).await.status, 404);
    let (simulator, http) = with_config(Config { response_url_life: Duration::ZERO, ..Config::default() }).await;
    let url = response_url(&simulator, &http).await;
    let late = used(&http, &url, &json!({"text": "x"})).await;
    assert_eq!((late.status, late.json()["error"].clone()), (404, json!("expired_url")));
}

#[tokio::test]
async fn a_fault_answers_instead_of_slack() {
    let (simulator, http) = served().await;
    let faults = json!({"web_api": {
        "chat.postMessage": {"retry_after": 7, "times": 1},
        "auth.test": {"error": "fatal_error"},
        "views.open": {"error": "rate_limited", "retry_after": 2},
        "users.info": {"status": 503},
    }});
    assert_eq!(http.send("PUT", "/sim/faults", &[], &faults.to_string()).await.status, 200);
    assert_eq!(http.get("/sim/faults").await["web_api"]["users.info"]["status"], 503);
    let headers = [("authorization", "Bearer xoxb-simulated-bot-token")];
    let post = async || http.send("POST", "/api/chat.postMessage?channel=C0PLAY001&text=x", &headers, "").await;
    let limited = post().await;
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(limited.json(), json!({"ok": false, "error": "ratelimited"}));
    assert_eq!(post().await.json()["ok"], true, "it struck once");
    refused(&http, "auth.test", json!({}), "fatal_error").await;
    assert_eq!(http.send("POST", "/api/users.info", &headers, "").await.status, 503);
    let named = http.send("POST", "/api/views.open", &headers, "").await;
    assert_eq!((named.status, named.json()["error"].clone()), (429, json!("rate_limited")));
    assert_eq!(simulator.read(|state| state.messages("playground").len()), 1, "a struck call has no effect");
    let marks: Vec<_> = simulator.calls().iter().map(|call| (call.status, call.fault)).collect();
    assert_eq!(marks, [(429, true), (200, false), (200, true), (503, true), (429, true)]);
}
