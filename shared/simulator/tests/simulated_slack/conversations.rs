//! The Web API's view of people, conversations, reactions and links, with Slack's pages and Slack's refusals.

use super::stand_in::{Http, act, content_slack, refused, served, with_config};
use serde_json::{Value, json};
use tack_simulator::{Config, RateLimits, Simulator};

async fn say(simulator: &Simulator, who: &str, text: &str) -> String {
    let said = act(simulator, json!({"as": who, "act": "say", "channel": "#playground", "text": text})).await;
    said.shown.message.unwrap()["ts"].as_str().unwrap().to_owned()
}

fn without(scope: &str) -> Config {
    let mut config = Config::default();
    config.scopes.retain(|granted| granted != scope);
    config
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// All pages of a method, each of `limit` items, and the items in them.
async fn pages(http: &Http, method: &str, args: Value, list: &str) -> Vec<Value> {
    let (mut all, mut args) = (Vec::new(), args);
    loop {
        let answer = http.call(method, &args).await;
        assert_eq!(answer["ok"], true, "{answer}");
        all.push(answer[list].clone());
        match answer["response_metadata"]["next_cursor"].as_str().unwrap_or_default() {
            "" => return all,
            next => args["cursor"] = json!(next),
        }
    }
}

/// <https://docs.slack.dev/reference/methods/conversations.list/>
#[tokio::test]
async fn conversations_are_listed_by_kind() {
    let (_, http) = served().await;
    let list = async |args: Value| http.call("conversations.list", &args).await;
    let usual = list(json!({})).await;
    assert_eq!(ids(&usual["channels"]), ["C0GENERAL", "C0PLAY001", "C0RANDOM1"]);
    assert_eq!(usual["response_metadata"]["next_cursor"], "");
    let random = &usual["channels"][2];
    assert_eq!((&random["is_member"], &random["num_members"]), (&json!(false), &json!(3)));
    // The app is not in #ops, so it does not exist for it.
    let all = list(json!({"types": "public_channel,private_channel,im"})).await;
    assert_eq!(ids(&all["channels"]), ["C0GENERAL", "C0PLAY001", "C0RANDOM1", "D0ADA0001"]);
    let paged = pages(&http, "conversations.list", json!({"limit": 2}), "channels").await;
    assert_eq!(paged.iter().map(ids).collect::<Vec<_>>(), [vec!["C0GENERAL", "C0PLAY001"], vec!["C0RANDOM1"]]);
    refused(&http, "conversations.list", json!({"types": "dm"}), "invalid_types").await;
    refused(&http, "conversations.list", json!({"limit": 1_001}), "invalid_limit").await;
    refused(&http, "conversations.list", json!({"limit": "many"}), "invalid_limit").await;
    refused(&http, "conversations.list", json!({"cursor": "dXNlcjpV"}), "invalid_cursor").await;
    let missing = refused(&http, "conversations.list", json!({"types": "mpim"}), "missing_scope").await;
    assert_eq!(missing["needed"], "mpim:read");
    let (_, http) = with_config(without("groups:read")).await;
    let missing = refused(&http, "conversations.list", json!({"types": "private_channel"}), "missing_scope").await;
    assert_eq!(missing["needed"], "groups:read");
}

/// <https://docs.slack.dev/reference/methods/conversations.members/>
#[tokio::test]
async fn members_are_listed_in_pages() {
    let (_, http) = served().await;
    let paged = pages(&http, "conversations.members", json!({"channel": "C0PLAY001", "limit": 3}), "members").await;
    assert_eq!(paged, [json!(["U0ADA0001", "U0GRACE01", "U0LINUS01"]), json!(["U0TACKBOT"])]);
    refused(&http, "conversations.members", json!({"channel": "C0OPS0001"}), "channel_not_found").await;
    refused(&http, "conversations.members", json!({}), "invalid_arguments").await;
    let info = http.call("conversations.info", &json!({"channel": "C0PLAY001", "include_num_members": true})).await;
    assert_eq!(info["channel"]["num_members"], 4);
}

/// <https://docs.slack.dev/reference/methods/conversations.open/>
#[tokio::test]
async fn direct_messages_are_opened_and_resumed() {
    let (_, http) = served().await;
    let open = async |args: Value| http.call("conversations.open", &args).await;
    assert_eq!(open(json!({"users": "U0GRACE01"})).await, json!({"ok": true, "channel": {"id": "D0GRACE01"}}));
    let again = open(json!({"users": "U0GRACE01", "return_im": true})).await;
    assert_eq!((&again["no_op"], &again["already_open"]), (&json!(true), &json!(true)));
    assert_eq!((&again["channel"]["is_im"], &again["channel"]["user"]), (&json!(true), &json!("U0GRACE01")));
    assert_eq!(open(json!({"channel": "D0ADA0001"})).await["channel"]["id"], "D0ADA0001");
    assert_eq!(http.call("chat.postMessage", &json!({"channel": "D0GRACE01", "text": "hi"})).await["ok"], true);
    refused(&http, "conversations.open", json!({}), "users_list_not_supplied").await;
    refused(&http, "conversations.open", json!({"users": "U0NOBODY1"}), "user_not_found").await;
    refused(&http, "conversations.open", json!({"channel": "D0NOBODY1"}), "channel_not_found").await;
    let public = json!({"channel": "C0PLAY001"});
    refused(&http, "conversations.open", public, "method_not_supported_for_channel_type").await;
    let nine = ["U0ADA0001"; 9].join(",");
    refused(&http, "conversations.open", json!({"users": nine}), "too_many_users").await;
    let unopened = json!({"users": "U0LINUS01", "prevent_creation": true});
    refused(&http, "conversations.open", unopened, "channel_not_found").await;
    let (_, http) = with_config(without("im:write")).await;
    refused(&http, "conversations.open", json!({"users": "U0ADA0001"}), "missing_scope").await;
}

/// <https://docs.slack.dev/reference/methods/conversations.history/>
#[tokio::test]
async fn a_history_is_read_from_the_newest_in_pages_and_spans() {
    let (simulator, http) = served().await;
    let mut stamps = Vec::new();
    for text in ["1", "2", "3", "4", "5"] {
        stamps.push(say(&simulator, "ada", text).await);
    }
    let reply = json!({"act": "say", "channel": "#playground", "text": "reply", "thread_ts": stamps[0]});
    act(&simulator, reply).await;
    http.call("chat.postEphemeral", &json!({"channel": "C0PLAY001", "user": "U0ADA0001", "text": "psst"})).await;
    let read = async |more: Value| {
        let mut args = json!({"channel": "C0PLAY001"});
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        http.call("conversations.history", &args).await
    };
    let texts = |answer: &Value| {
        let messages = answer["messages"].as_array().unwrap().iter();
        messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join("")
    };
    let all = read(json!({})).await;
    assert_eq!((texts(&all).as_str(), &all["has_more"]), ("54321", &json!(false)));
    assert_eq!((&all["messages"][4]["reply_count"], &all["messages"][4]["subscribed"]), (&json!(1), &json!(false)));
    let paged = pages(&http, "conversations.history", json!({"channel": "C0PLAY001", "limit": 2}), "messages").await;
    let paged: Vec<_> = paged.into_iter().map(|messages| texts(&json!({"messages": messages}))).collect();
    assert_eq!(paged, ["54", "32", "1"]);
    assert_eq!(texts(&read(json!({"oldest": stamps[1], "latest": stamps[3]})).await), "3");
    assert_eq!(texts(&read(json!({"oldest": stamps[1], "latest": stamps[3], "inclusive": true})).await), "432");
    // With only `oldest` the page is the one closest to it.
    let forward = read(json!({"oldest": stamps[0], "limit": 2})).await;
    assert_eq!((texts(&forward).as_str(), &forward["has_more"]), ("32", &json!(true)));
    // A single message, as the documentation plucks it.
    assert_eq!(texts(&read(json!({"latest": stamps[2], "inclusive": true, "limit": 1})).await), "3");

    refused(&http, "conversations.history", json!({"channel": "C0RANDOM1"}), "not_in_channel").await;
    refused(&http, "conversations.history", json!({"channel": "C0OPS0001"}), "channel_not_found").await;
    let at = |name: &str| json!({"channel": "C0PLAY001", name: "yesterday"});
    refused(&http, "conversations.history", at("oldest"), "invalid_ts_oldest").await;
    refused(&http, "conversations.history", at("latest"), "invalid_ts_latest").await;
    refused(&http, "conversations.history", at("cursor"), "invalid_cursor").await;
    let (_, http) = with_config(without("channels:history")).await;
    let missing = refused(&http, "conversations.history", json!({"channel": "C0PLAY001"}), "missing_scope").await;
    assert_eq!(missing["needed"], "channels:history");
}

#[tokio::test]
async fn metadata_is_read_by_those_who_ask_for_it() {
    let (_, http) = served().await;
    let metadata = json!({"event_type": "order_placed", "event_payload": {"id": 7}});
    let post = |metadata: Value| json!({"channel": "C0PLAY001", "text": "x", "metadata": metadata});
    let posted = http.call("chat.postMessage", &post(metadata.clone())).await;
    assert_eq!(posted["message"]["metadata"], metadata);
    let read = |all: bool| json!({"channel": "C0PLAY001", "include_all_metadata": all});
    let told = http.call("conversations.history", &read(true)).await;
    assert_eq!(told["messages"][0]["metadata"], metadata);
    assert_eq!(http.call("conversations.history", &read(false)).await["messages"][0].get("metadata"), None);
    refused(&http, "chat.postMessage", post(json!("{")), "invalid_metadata_format").await;
    refused(&http, "chat.postMessage", post(json!({"event_type": "x"})), "invalid_metadata_schema").await;
}

/// <https://docs.slack.dev/reference/methods/users.list/>
#[tokio::test]
async fn people_are_listed_with_their_mail_only_by_scope() {
    let (_, http) = served().await;
    let all = http.call("users.list", &json!({})).await;
    assert_eq!(ids(&all["members"]), ["U0ADA0001", "U0GRACE01", "U0LINUS01", "U0TACKBOT"]);
    assert_eq!(all["members"][0]["profile"]["email"], "ada@example.com");
    assert_eq!(all["members"][3]["is_bot"], true);
    let paged = pages(&http, "users.list", json!({"limit": 3}), "members").await;
    assert_eq!(paged.iter().map(|page| ids(page).len()).collect::<Vec<_>>(), [3, 1]);
    let (_, http) = with_config(without("users:read.email")).await;
    let all = http.call("users.list", &json!({})).await;
    assert_eq!(all["members"][0]["profile"].get("email"), None);
    let (_, http) = with_config(without("users:read")).await;
    refused(&http, "users.list", json!({}), "missing_scope").await;
}

/// <https://docs.slack.dev/reference/methods/reactions.add/> and the pages beside it.
#[tokio::test]
async fn the_app_reacts_once_and_takes_it_back() {
    let (simulator, http) = served().await;
    let ts = say(&simulator, "grace", "hi").await;
    let at = |name: &str| json!({"channel": "C0PLAY001", "timestamp": ts, "name": name});
    assert_eq!(http.call("reactions.add", &at("eyes")).await, json!({"ok": true}));
    refused(&http, "reactions.add", at("eyes"), "already_reacted").await;
    refused(&http, "reactions.add", at(":eyes:"), "invalid_name").await;
    refused(&http, "reactions.add", json!({"name": "eyes"}), "no_item_specified").await;
    let place = |channel: &str, ts: &str| json!({"channel": channel, "timestamp": ts, "name": "eyes"});
    refused(&http, "reactions.add", place("C0PLAY001", "now"), "bad_timestamp").await;
    refused(&http, "reactions.add", place("C0PLAY001", "1.2"), "message_not_found").await;
    refused(&http, "reactions.add", place("C0NOWHERE", "1.2"), "channel_not_found").await;
    refused(&http, "reactions.add", place("C0OPS0001", "1.2"), "channel_not_found").await;
    let got = http.call("reactions.get", &at("")).await;
    assert_eq!((&got["type"], &got["channel"]), (&json!("message"), &json!("C0PLAY001")));
    assert_eq!(got["message"]["reactions"], json!([{"name": "eyes", "users": ["U0TACKBOT"], "count": 1}]));
    let told = simulator.deliveries();
    let told = told.iter().find(|delivery| delivery.name == "reaction_added").unwrap().payload();
    assert_eq!((&told["event"]["user"], &told["event"]["item_user"]), (&json!("U0TACKBOT"), &json!("U0GRACE01")));
    assert_eq!(http.call("reactions.remove", &at("eyes")).await, json!({"ok": true}));
    refused(&http, "reactions.remove", at("eyes"), "no_reaction").await;
    let (_, http) = with_config(without("reactions:write")).await;
    refused(&http, "reactions.add", place("C0PLAY001", "1.2"), "missing_scope").await;
}

/// <https://docs.slack.dev/reference/methods/chat.getPermalink/>
#[tokio::test]
async fn a_message_has_a_permanent_link() {
    let (_, http) = served().await;
    let posted = http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "x"})).await;
    let ts = posted["ts"].as_str().unwrap();
    let link = http.call("chat.getPermalink", &json!({"channel": "C0PLAY001", "message_ts": ts})).await;
    let expected = format!("http://localhost:4000/archives/C0PLAY001/p{}", ts.replace('.', ""));
    assert_eq!(link, json!({"ok": true, "channel": "C0PLAY001", "permalink": expected}));
    let at = |channel: &str| json!({"channel": channel, "message_ts": "1.2"});
    refused(&http, "chat.getPermalink", at("C0PLAY001"), "message_not_found").await;
    refused(&http, "chat.getPermalink", at("C0NOWHERE"), "channel_not_found").await;
}

#[tokio::test]
async fn a_method_that_is_not_here_yet_is_told_apart_in_the_history() {
    let (simulator, http) = served().await;
    refused(&http, "chat.scheduleMessage", json!({}), "unknown_method").await;
    let calls = simulator.calls();
    assert_eq!(calls[0].warnings, ["this simulated Slack does not have chat.scheduleMessage yet"]);
}

/// <https://docs.slack.dev/apis/web-api/rate-limits/>
#[tokio::test]
async fn limits_are_remarked_or_enforced() {
    let (simulator, http) = served().await;
    let post = json!({"channel": "C0PLAY001", "text": "x"});
    assert_eq!(http.call("chat.postMessage", &post).await["ok"], true);
    assert_eq!(http.call("chat.postMessage", &post).await["ok"], true);
    let calls = simulator.calls();
    assert_eq!((calls[0].warnings.len(), calls[1].warnings.len()), (0, 1));
    assert!(calls[1].warnings[0].contains("one message a second"), "{:?}", calls[1].warnings);

    let (_, http) = with_config(Config { rate_limits: RateLimits::Enforce, ..Config::default() }).await;
    let headers = [("authorization", "Bearer xoxb-simulated-bot-token")];
    for _ in 0..20 {
        assert_eq!(http.send("POST", "/api/users.list", &headers, "").await.status, 200);
    }
    let limited = http.send("POST", "/api/users.list", &headers, "").await;
    assert_eq!((limited.status, limited.json()), (429, json!({"ok": false, "error": "ratelimited"})));
    let seconds: u64 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(http.send("POST", "/api/users.info?user=U0ADA0001", &headers, "").await.json()["ok"], true);
    let posted = "/api/chat.postMessage?channel=C0PLAY001&text=x";
    assert_eq!(http.send("POST", posted, &headers, "").await.status, 200);
    let limited = http.send("POST", posted, &headers, "").await;
    // On a machine that took a second between the two there is nothing to limit.
    if limited.status != 200 {
        assert_eq!((limited.status, limited.json()["error"].clone()), (429, json!("rate_limited")));
    }
}

#[tokio::test]
async fn every_answer_says_which_scopes_were_wanted() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let headers = [("authorization", "Bearer xoxb-simulated-bot-token")];
    let accepted = async |method: &str| {
        let answer = http.send("POST", &format!("/api/{method}"), &headers, "").await;
        answer.headers["x-accepted-oauth-scopes"].to_str().unwrap().to_owned()
    };
    assert_eq!(accepted("chat.postMessage").await, "chat:write");
    assert_eq!(accepted("conversations.history").await, "channels:history,groups:history,im:history,mpim:history");
    assert_eq!(accepted("auth.test").await, "");
}
