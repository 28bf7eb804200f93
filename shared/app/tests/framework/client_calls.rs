//! Calls to Slack: what goes over the wire, and which answers are a success.
//! Source: <https://docs.slack.dev/apis/web-api/>

use crate::deliveries::{BUTTON, COMMAND, MESSAGE, SUBMISSION, envelope, work};
use crate::slack::{Answer, Slack, locally};
use crate::world::{TOKEN, TestApp, World};
use serde_json::{Value, json};
use tack_app::message::QueueName;
use tack_app::protocol::Envelope;

/// Runs the job "job" of this delivery against a Slack; what Slack was asked, and what the listener wrote.
async fn against(
    script: impl IntoIterator<Item = Answer>,
    envelope: Envelope,
    register: impl FnOnce(&mut TestApp),
) -> (Vec<crate::slack::Request>, Vec<String>) {
    locally(async {
        let slack = Slack::start(script).await;
        let world = World { slack_api_url: format!("{}api/", slack.url), ..World::new() };
        let worker = world.worker(register);
        let queue = QueueName::of(envelope.kind);
        world.send(&work(envelope, &["job"])).await;
        assert_eq!(world.batch_of(&worker, queue).await, 0, "{:?}", world.waiting());
        assert!(world.letters().is_empty(), "{:?}", world.letters());
        (slack.requests(), world.log.take())
    })
    .await
}

fn calling(arguments: Value) -> impl FnOnce(&mut TestApp) {
    move |app| {
        app.message("").lazy("job", async move |context, _| {
            let answer = context.client().call("chat.postMessage", &arguments).await?;
            context.resources().push(answer.to_string());
            Ok(())
        });
    }
}

#[tokio::test]
async fn a_call_is_a_form_with_the_token_in_its_header() {
    let arguments = json!({
        "channel": "C1",
        "text": "1 & 1 = 2 – grüezi",
        "blocks": [{ "type": "divider" }],
        "unfurl_links": false,
        "count": 3,
        "thread_ts": null,
    });
    let (requests, _) = against([], envelope(MESSAGE), calling(arguments)).await;
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.path, "/api/chat.postMessage");
    assert_eq!(request.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    let mut form = request.form();
    form.sort();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        pair("blocks", r#"[{"type":"divider"}]"#),
        pair("channel", "C1"),
        pair("count", "3"),
        pair("text", "1 & 1 = 2 – grüezi"),
        pair("unfurl_links", "false"),
    ];
    assert_eq!(form, expected);
    assert!(!request.body.contains(TOKEN));
}

#[tokio::test]
async fn an_answer_that_says_ok_is_a_success_whatever_its_shape() {
    for body in [
        r#"{"ok":true}"#,
        r#"{"ok":true,"message":"once an object","ts":{"a":[1,null]},"channel":7}"#,
        r#"{"ok":true,"error":"never mind","warning":"superfluous_charset"}"#,
        r#"{"new_field":{},"ok":true}"#,
    ] {
        let (_, log) = against([Answer::json(body)], envelope(MESSAGE), calling(json!({}))).await;
        let got: Value = serde_json::from_str(&log[0]).expect("JSON");
        let sent: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(got, sent, "the listener gets all of it");
    }
}

#[tokio::test]
async fn say_posts_into_the_conversation_of_the_delivery() {
    for (path, register) in [
        (
            MESSAGE,
            (|app: &mut TestApp| {
                app.message("").lazy("job", async |context, _| Ok(context.say("Hello").await.map(drop)?));
            }) as fn(&mut TestApp),
        ),
        (COMMAND, |app| {
            app.command("/order").lazy("job", async |context, _| Ok(context.say("Hello").await.map(drop)?));
        }),
        (BUTTON, |app| {
            app.action("button_click").lazy("job", async |context, _| Ok(context.say("Hello").await.map(drop)?));
        }),
    ] {
        let (requests, _) = against([], envelope(path), register).await;
        assert_eq!(requests[0].path, "/api/chat.postMessage", "{path}");
        let form = requests[0].form();
        let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!((value("channel"), value("text")), (Some("C0PLAY001"), Some("Hello")), "{path}");
    }
}

#[tokio::test]
async fn say_without_a_conversation_is_for_a_person() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.view("order_modal").lazy("job", async |context, _| Ok(context.say("Hello").await.map(drop)?));
    });
    world.send(&work(envelope(SUBMISSION), &["job"])).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert!(letter.reason.contains("chat.postMessage"), "it says what to do instead: {}", letter.reason);
}

/// The button's delivery with a `response_url` at this Slack.
fn with_response_url(url: &str) -> Envelope {
    let url = format!("{url}actions/T0ACME001/1/secret-path");
    crate::deliveries::edited(BUTTON, |root| root["response_url"] = url.into())
}

#[tokio::test]
async fn respond_posts_json_to_the_response_url_without_the_token() {
    locally(async {
        let slack = Slack::start([Answer::Http("200 OK", "content-type: text/plain", "ok".to_owned())]).await;
        let world = World::new();
        let worker = world.worker(|app| {
            app.action("button_click").lazy("job", async |context, _| {
                Ok(context.respond(json!({ "text": "Hi", "replace_original": true })).await?)
            });
        });
        world.send(&work(with_response_url(&slack.url), &["job"])).await;
        assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
        let [request] = &slack.requests()[..] else { panic!("one request") };
        assert_eq!(request.path, "/actions/T0ACME001/1/secret-path");
        assert!(request.header("content-type").is_some_and(|value| value.starts_with("application/json")));
        assert_eq!(request.header("authorization"), None);
        let sent: Value = serde_json::from_str(&request.body).expect("JSON");
        assert_eq!(sent, json!({ "text": "Hi", "replace_original": true }));
    })
    .await;
}

#[tokio::test]
async fn what_a_response_url_says_decides_about_the_job() {
    // https://docs.slack.dev/interactivity/handling-user-interaction: it lives for 30 minutes and takes five answers.
    let html = |status| Answer::Http(status, "content-type: text/html", String::new());
    for (answer, state) in [
        (Answer::json(r#"{"ok":true}"#), "C1"),
        (Answer::json(r#"{"ok":false,"error":"used_url"}"#), "C1"),
        (Answer::json(r#"{"ok":false,"error":"expired_url"}"#), "C1"),
        (html("404 Not Found"), "C1"),
        (html("410 Gone"), "C1"),
        (html("500 Internal Server Error"), "I1"),
        (Answer::rate_limited("retry-after: 3"), "I1"),
        (Answer::json(r#"{"ok":false,"error":"invalid_blocks"}"#), "P1"),
    ] {
        locally(async {
            let slack = Slack::start([answer.clone()]).await;
            let world = World::new();
            let worker = world.worker(|app| {
                app.action("button_click").lazy("job", async |context, _| Ok(context.respond("Hi").await?));
            });
            let work = work(with_response_url(&slack.url), &["job"]);
            world.send(&work).await;
            world.batch_of(&worker, QueueName::Interactions).await;
            assert_eq!(world.state(&work, "job"), state, "{answer:?}: {}", world.why(&work, "job"));
            let why = world.why(&work, "job");
            assert!(!why.contains("secret-path") && !why.contains("127.0.0.1"), "{why}");
        })
        .await;
    }
}
