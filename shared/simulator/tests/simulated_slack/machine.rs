//! The machine interface over HTTP: shapes, secrets, the guard, the stream.

use super::stand_in::{Http, Reply, content_slack, slack};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use std::time::Duration;
use tack_simulator::Config;

#[tokio::test]
async fn a_delivery_is_sent_found_and_replayed() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let request = json!({"kind": "event", "body": {"type": "team_join"}, "times": 2, "team": "T0LOUD001"});
    let sent = http.post("/sim/deliveries", &request).await.json();
    let id = sent["delivery"]["id"].as_str().unwrap();
    assert_eq!((&sent["delivery"]["team"], &sent["delivery"]["name"]), (&json!("T0LOUD001"), &json!("team_join")));
    assert_eq!(sent["delivery"]["attempts"][0]["status"], 200);
    assert!(sent["delivery"]["attempts"][0]["ms"].is_u64());
    assert_eq!(sent["copies"][0]["copy_of"], id);
    assert_eq!(http.get(&format!("/sim/deliveries/{id}")).await["delivery"]["id"], id);
    let replayed = http.post(&format!("/sim/deliveries/{id}/replay"), &json!({"mode": "rerun"})).await.json();
    assert_eq!(replayed["delivery"]["replay_of"], id);
    assert_eq!(http.get("/sim/deliveries").await["deliveries"].as_array().unwrap().len(), 3);
    assert_eq!(http.send("GET", "/sim/deliveries/none", &[], "").await.status, 404);
    assert_eq!(http.post("/sim/reset", &json!({})).await.status, 200);
    assert_eq!(http.get("/sim/deliveries").await, json!({"deliveries": []}));
}

#[tokio::test]
async fn a_request_that_does_not_fit_gets_a_sentence() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    for (path, body, word) in [
        ("/sim/deliveries", json!({"kind": "letter", "body": {}}), "letter"),
        ("/sim/deliveries", json!({"kind": "event", "body": 1}), "text or an object"),
        ("/sim/deliveries", json!({"kind": "event", "body": {}, "times": 0}), "times"),
        ("/sim/deliveries", json!({"kind": "event", "body": {}, "time": 1}), "time"),
        ("/sim/act", json!({"act": "dance"}), "dance"),
        ("/sim/act", json!({"as": "nobody", "act": "open_home"}), "nobody"),
    ] {
        let answer = http.post(path, &body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text.contains(word), "{} lacks {word}", answer.text);
    }
}

#[tokio::test]
async fn a_field_no_act_has_is_refused_by_name() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    for (body, unknown, known) in [
        (json!({"act": "say", "user": "grace", "channel": "general", "text": "hi"}), "`user`", "`channel`, `text`"),
        (json!({"act": "say", "as": "grace", "chanel": "general", "text": "hi"}), "`chanel`", "`thread_ts`"),
        (json!({"as": "grace", "act": "open_home", "channel": "general"}), "`channel`", "`tab`"),
        (json!({"act": "submit", "value": {"x": 1}}), "`value`", "`view_id` or `values`"),
    ] {
        let answer = http.post("/sim/act", &body).await;
        assert_eq!(answer.status, 400, "{body}");
        for word in [unknown, known, "`as`"] {
            assert!(answer.text.contains(word), "{} lacks {word}", answer.text);
        }
    }
    assert!(http.post("/sim/act", &json!({"as": 1, "act": "open_home"})).await.text.contains("`as`"));
    assert!(log.lock().unwrap().is_empty());
    let said = json!({"as": null, "act": "say", "channel": "general", "text": "hi", "thread_ts": null});
    assert_eq!(http.post("/sim/act", &said).await.status, 200);
}

#[tokio::test]
async fn nothing_readable_shows_a_secret() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    http.post(
        "/sim/act",
        &json!({"act": "command", "channel": "#playground", "text": "/order xoxb-typed-by-hand-1234"}),
    )
    .await;
    http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "my token: xoxb-simulated-bot-token"})).await;
    let url = simulator.deliveries()[0].payload()["response_url"].as_str().unwrap().to_owned();
    for path in
        ["/sim/deliveries", "/sim/calls", "/sim/messages?channel=playground", "/sim/views?user=ada", "/sim/workspace"]
    {
        let shown = http.send("GET", path, &[], "").await.text;
        for secret in ["xoxb-simulated-bot-token", "typed-by-hand", "verification-token-not-real", url.as_str()] {
            assert!(!shown.contains(secret), "{path} shows {secret}");
        }
    }
    assert_eq!(http.get("/sim/calls").await["calls"][0]["token"], "xoxb-…oken");
}

#[tokio::test]
async fn foreign_pages_and_names_are_kept_out() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let with =
        async |method: &str, path: &str, headers: &[(&str, &str)]| http.send(method, path, headers, "{}").await.status;
    assert_eq!(with("GET", "/sim/calls", &[("host", "evil.example")]).await, 403);
    assert_eq!(with("POST", "/api/api.test", &[("host", "evil.example")]).await, 403);
    assert_eq!(with("POST", "/sim/reset", &[("origin", "https://evil.example")]).await, 403);
    assert_eq!(with("PUT", "/sim/faults", &[("origin", "null")]).await, 403);
    assert_eq!(with("POST", "/sim/reset", &[("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(with("POST", "/sim/reset", &[("origin", "http://localhost:4000")]).await, 200);
    assert_eq!(with("POST", "/sim/reset", &[("host", "localhost:4000")]).await, 200);
}

#[tokio::test]
async fn views_and_histories_are_readable() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let home = json!({"type": "home", "blocks": [{"type": "divider"}]});
    http.call("views.publish", &json!({"user_id": "U0ADA0001", "view": home})).await;
    let views = http.get("/sim/views?user=ada").await;
    assert_eq!((&views["home"]["type"], &views["modals"]), (&json!("home"), &json!([])));
    let acted = http.post("/sim/act", &json!({"act": "say", "channel": "general", "text": "hello"})).await.json();
    assert_eq!(acted["outcome"], "said");
    assert_eq!(acted["deliveries"][0]["name"], "message");
    assert_eq!(http.get("/sim/messages?channel=C0GENERAL").await["messages"][0]["text"], "hello");
    assert_eq!(http.get("/sim/workspace").await["people"].as_array().unwrap().len(), 3);
    assert_eq!(http.send("GET", "/sim/messages?channel=nowhere", &[], "").await.status, 404);
}

#[tokio::test]
async fn the_stream_tells_what_happens() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let url = format!("http://{}/sim/stream", http.address).parse().unwrap();
    let mut stream = client.get(url).await.unwrap().into_body();
    http.call("chat.postMessage", &json!({"channel": "C0PLAY001", "text": "Hey xoxb-simulated-bot-token"})).await;
    let mut heard = String::new();
    let all = async {
        while !["event: slack.message", "event: call", "event: delivery.upsert"].iter().all(|name| heard.contains(name))
        {
            let frame = stream.frame().await.unwrap().unwrap();
            heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
    assert!(!heard.contains("simulated-bot-token"), "{heard}");
}

#[tokio::test]
async fn a_reader_can_ask_for_the_newest_deliveries_only() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    for text in ["1", "2", "3"] {
        let event = json!({"kind": "event", "body": {"type": "message", "text": text}});
        http.post("/sim/deliveries", &event).await;
    }
    let texts = async |query: &str| {
        let answer = http.get(&format!("/sim/deliveries{query}")).await;
        let list = answer["deliveries"].as_array().unwrap().clone();
        list.iter().map(|one| one["body"]["event"]["text"].as_str().unwrap().to_owned()).collect::<String>()
    };
    assert_eq!(texts("").await, "123");
    assert_eq!(texts("?limit=2").await, "23");
    let all = simulator.deliveries();
    assert_eq!(texts(&format!("?since={}", all[0].id)).await, "23");
    assert_eq!(texts(&format!("?since={}&limit=1", all[0].id)).await, "3");
    assert_eq!(texts(&format!("?since={}", all[2].at_ms)).await, "");
    assert_eq!(http.send("GET", "/sim/deliveries?limt=2", &[], "").await.status, 400);
}

#[tokio::test]
async fn without_a_limit_a_reader_gets_the_newest_two_hundred_deliveries() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    let many = json!({"kind": "event", "body": {"type": "team_join"}, "times": 203});
    http.post("/sim/deliveries", &many).await;
    let ids = async |query: &str| {
        let answer = http.get(&format!("/sim/deliveries{query}")).await;
        let list = answer["deliveries"].as_array().unwrap().clone();
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all: Vec<_> = simulator.deliveries().into_iter().map(|delivery| delivery.id).collect();
    assert_eq!(ids("").await, all[3..]);
    assert_eq!(ids("?limit=2000").await, all);
    assert_eq!(ids(&format!("?since={}", all[0])).await, all[3..]);
    let refused = http.send("GET", "/sim/deliveries?limit=2001", &[], "").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("2000"), "{}", refused.text);
}

#[tokio::test]
async fn every_json_answer_ends_its_line() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    for path in ["/sim/deliveries", "/sim/calls", "/sim/faults", "/sim/views?user=ada", "/sim/messages?channel=general"]
    {
        assert!(http.send("GET", path, &[], "").await.text.ends_with("}\n"), "{path}");
    }
}

#[tokio::test]
async fn an_answer_shows_the_headers_of_the_app() {
    let (simulator, _) = slack(Config::default(), |_| Reply::status(200).header("apigw-requestid", "JKJaXmPLvHcESHA="));
    let http = Http::serve(&simulator).await;
    let event = json!({"kind": "event", "body": {"type": "team_join"}});
    let sent = http.post("/sim/deliveries", &event).await.json();
    assert_eq!(sent["delivery"]["attempts"][0]["answer_headers"]["apigw-requestid"], "JKJaXmPLvHcESHA=");
    let headers = simulator.deliveries()[0].attempts[0].answer_headers.clone();
    assert_eq!(headers, [("apigw-requestid".to_owned(), "JKJaXmPLvHcESHA=".to_owned())]);
}

#[tokio::test]
async fn the_stream_counts_and_says_when_something_was_missed() {
    let (simulator, _) = slack(Config::default(), |_| Reply::status(500));
    let http = Http::serve(&simulator).await;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let listen = async |last: Option<&str>| {
        let mut request = http::Request::get(format!("http://{}/sim/stream", http.address));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        client.request(request.body(Full::default()).unwrap()).await.unwrap().into_body()
    };
    let mut stream = listen(None).await;
    http.post("/sim/act", &json!({"act": "command", "channel": "#general", "text": "/broken"})).await;
    let mut heard = String::new();
    let all = async {
        while !heard.contains("slack.notice") {
            let frame = stream.frame().await.unwrap().unwrap();
            heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.unwrap();
    let ids: Vec<u64> = heard.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect();
    assert!(ids.len() >= 2 && ids.windows(2).all(|two| two[0] < two[1]), "{heard}");
    let frame = listen(Some("0")).await.frame().await.unwrap().unwrap();
    assert!(std::str::from_utf8(frame.data_ref().unwrap()).unwrap().contains("event: resync"));
}
