//! The door: which status answers what, what is queued, and that nothing is answered 2xx before the queue accepted it.

use crate::deliveries::{BUTTON, COMMAND, FORM, JSON, MESSAGE, NOW, SUBMISSION, SUGGESTION, edited, text, wire};
use crate::ports::{Fault, Ports};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;
use tack_app::memory::{ManualClock, SeededRandom};
use tack_app::message::{Job, QueueName, SlackWork, Work};
use tack_app::protocol::{EpochSeconds, RawRequest, Retry, SigningSecrets, sign};
use tack_app::{AckPhase, App, Arrival, CommandAck, HttpAnswer, Ingress, Limits, OptionsReply, ViewAck};

pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

pub(crate) type Door = Ingress<(), ()>;

pub(crate) fn register(app: &mut App<AckPhase, (), ()>) {
    app.command("/order").ack(|_, _| Ok(CommandAck::ephemeral("On it"))).lazy("order", async |_, _| Ok(()));
    let errors = || -> ViewAck { ViewAck::errors([("quantity_block", "No")]) };
    app.view("order_modal").ack(move |_, _| Ok(errors())).lazy("save", async |_, _| Ok(()));
    app.action("button_click").lazy("click", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| Ok(OptionsReply::none()));
    app.message("").lazy("message", async |_, _| Ok(()));
}

pub(crate) fn door(ports: &Rc<Ports>, register: impl FnOnce(&mut App<AckPhase, (), ()>)) -> Door {
    Ingress {
        app: App::build(register).expect("an app"),
        resources: (),
        secrets: SigningSecrets::parse(SECRET).expect("a secret").into(),
        app_id: None,
        queue: Rc::clone(ports) as _,
        clock: Rc::new(ManualClock::at(NOW)),
        random: Rc::new(SeededRandom::new(1)),
        limits: Limits::default(),
    }
}

pub(crate) fn unsigned(content_type: &'static str, body: impl Into<Bytes>) -> RawRequest {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(content_type));
    RawRequest { headers, body: body.into(), received_at: NOW }
}

pub(crate) fn signed(content_type: &'static str, body: impl Into<Bytes>) -> RawRequest {
    signed_by(SECRET, NOW.seconds(), unsigned(content_type, body))
}

pub(crate) fn signed_by(secret: &str, at: EpochSeconds, mut request: RawRequest) -> RawRequest {
    let signature = sign(&SigningSecrets::parse(secret).expect("a secret"), at, &request.body);
    request.headers.insert("x-slack-signature", signature.parse().expect("a header"));
    request.headers.insert("x-slack-request-timestamp", at.0.into());
    request
}

pub(crate) fn published(path: &str) -> RawRequest {
    let (content_type, body) = wire(path);
    signed(content_type, body)
}

fn json_of(answer: &HttpAnswer) -> Value {
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn only_message(ports: &Ports) -> (QueueName, String, SlackWork) {
    let waiting = ports.queue.waiting();
    assert_eq!(waiting.len(), 1, "one delivery is one message");
    match Work::decode(&waiting[0].body) {
        Ok(Work::Slack(work)) => (waiting[0].queue, waiting[0].group.clone(), *work),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_not_signed_by_slack_is_401_and_nothing_is_queued() {
    let (ports, body) = (Rc::new(Ports::default()), text(MESSAGE));
    let door = door(&ports, register);
    let second = |offset: i64| EpochSeconds(NOW.seconds().0.checked_add_signed(offset).expect("a time"));
    let mut changed = signed(JSON, body.clone());
    changed.body = body.replace("hi", "ho").into();
    for (case, request) in [
        ("no headers", unsigned(JSON, body.clone())),
        ("another secret", signed_by("another", NOW.seconds(), unsigned(JSON, body.clone()))),
        ("too old", signed_by(SECRET, second(-301), unsigned(JSON, body.clone()))),
        ("too new", signed_by(SECRET, second(301), unsigned(JSON, body.clone()))),
        ("changed on the way", changed),
        ("an unsigned handshake", unsigned(JSON, text("event/url_verification.json"))),
        ("an unsigned ssl_check that is no form", unsigned(JSON, r#"{"ssl_check":"1"}"#)),
    ] {
        let answer = door.answer(request, Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (401, 0), "{case}");
    }
    assert!(ports.queue.waiting().is_empty());
    let in_time = signed_by(SECRET, second(-300), unsigned(JSON, body));
    assert_eq!(door.answer(in_time, Arrival::default()).await.status, 200);
}

#[tokio::test]
async fn while_a_secret_is_changed_requests_of_both_are_answered() {
    let ports = Rc::new(Ports::default());
    let door = Door {
        secrets: SigningSecrets::parse(&format!("new,{SECRET}")).expect("secrets").into(),
        ..door(&ports, register)
    };
    for secret in [SECRET, "new"] {
        let request = signed_by(secret, NOW.seconds(), unsigned(JSON, text(MESSAGE)));
        assert_eq!(door.answer(request, Arrival::default()).await.status, 200, "{secret}");
    }
}

// https://docs.slack.dev/interactivity/implementing-slash-commands/
#[tokio::test]
async fn the_unsigned_certificate_check_is_200_and_causes_nothing() {
    let ports = Rc::new(Ports::default());
    let door = door(&ports, register);
    for body in [text("command/ssl_check.form"), format!("ssl_check=1&{}", text(COMMAND))] {
        let answer = door.answer(unsigned(FORM, body), Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    assert!(ports.queue.waiting().is_empty());
}

// https://docs.slack.dev/reference/events/url_verification
#[tokio::test]
async fn the_handshake_is_answered_with_its_challenge() {
    let ports = Rc::new(Ports::default());
    let answer = door(&ports, register).answer(published("event/url_verification.json"), Arrival::default()).await;
    let challenge = crate::deliveries::json("event/url_verification.json")["challenge"].clone();
    assert_eq!((answer.status, json_of(&answer)), (200, json!({ "challenge": challenge })));
    assert!(ports.queue.waiting().is_empty());
}

#[tokio::test]
async fn a_rate_limit_notice_another_apps_delivery_and_an_unknown_payload_are_200_and_nothing_is_queued() {
    let ports = Rc::new(Ports::default());
    let open = door(&ports, register);
    for request in [
        published("event/app_rate_limited.json"),
        published("event/unknown-type.json"),
        published("interactive/unknown-type.json"),
        published("interactive/dialog_submission.json"),
        published("event/message-own-echo.json"),
        signed(JSON, "this is no JSON"),
        signed(FORM, &b"payload=\xff\xfe"[..]),
        signed(FORM, ""),
        signed("text/plain", "hello"),
    ] {
        let answer = open.answer(request, Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }
    let closed = Door { app_id: Some("A0OTHER01".into()), ..door(&ports, register) };
    for path in [MESSAGE, COMMAND, BUTTON] {
        let answer = closed.answer(published(path), Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
    assert!(ports.queue.waiting().is_empty());
    let ours = Door { app_id: Some("A0TACK001".into()), ..door(&ports, register) };
    assert_eq!(ours.answer(published(COMMAND), Arrival::default()).await.status, 200);
    assert_eq!(ports.queue.waiting().len(), 1);
}

#[tokio::test]
async fn a_command_is_answered_by_its_ack_and_waits_in_the_interactions_queue_of_its_workspace() {
    let ports = Rc::new(Ports::default());
    let answer = door(&ports, register)
        .answer(published(COMMAND), Arrival { trace: Some("Root=1-2-3".to_owned()), ..Arrival::default() })
        .await;
    assert_eq!((answer.status, json_of(&answer)), (200, json!({ "response_type": "ephemeral", "text": "On it" })));
    let (queue, group, work) = only_message(&ports);
    assert_eq!((queue, group.as_str()), (QueueName::Interactions, "T0ACME001"));
    assert_eq!(work.envelope.body, text(COMMAND), "byte for byte");
    assert_eq!((work.envelope.content_type.as_str(), work.envelope.received_at), (FORM, NOW));
    assert_eq!((work.jobs, work.generation, work.trace.as_deref()), (vec![Job::named("order")], 0, Some("Root=1-2-3")));
    let id = uuid::Uuid::parse_str(&work.id).expect("a UUID");
    assert_eq!(id.get_version_num(), 7);
}

#[tokio::test]
async fn an_event_is_answered_with_an_empty_body_and_waits_in_the_events_queue_with_slacks_retry_marks() {
    let ports = Rc::new(Ports::default());
    let mut request = published(MESSAGE);
    request.headers.insert("x-slack-retry-num", HeaderValue::from_static("2"));
    request.headers.insert("x-slack-retry-reason", HeaderValue::from_static("http_timeout"));
    let answer = door(&ports, register).answer(request, Arrival::default()).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let (queue, group, work) = only_message(&ports);
    assert_eq!((queue, group.as_str()), (QueueName::Events, "T0ACME001"));
    assert_eq!(work.envelope.retry, Some(Retry { num: 2, reason: "http_timeout".to_owned() }));
}

#[tokio::test]
async fn what_needs_no_work_needs_no_queue() {
    let ports = Rc::new(Ports::default());
    ports.queue.refuse(true);
    let door = door(&ports, register);
    let errors = door.answer(published(SUBMISSION), Arrival::default()).await;
    assert_eq!((errors.status, &json_of(&errors)["response_action"]), (200, &json!("errors")));
    let options = door.answer(published(SUGGESTION), Arrival::default()).await;
    assert_eq!((options.status, json_of(&options)), (200, json!({ "options": [] })));
    assert!(ports.calls().is_empty(), "it was not even asked");
}

#[tokio::test]
async fn a_queue_that_refuses_is_500_and_the_acks_answer_is_kept_back() {
    for path in [COMMAND, BUTTON, MESSAGE] {
        let ports = Rc::new(Ports::default());
        ports.fail("send", Fault::Refuse);
        let door = door(&ports, register);
        let answer = door.answer(published(path), Arrival::default()).await;
        assert_eq!((answer.status, answer.body.len()), (500, 0), "{path}");
        // Slack sends an event again, and nothing written before stands in its way.
        assert_eq!(door.answer(published(path), Arrival::default()).await.status, 200, "{path}");
        assert_eq!(ports.queue.waiting().len(), 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hangs_is_500_within_two_and_a_half_seconds() {
    let ports = Rc::new(Ports::default());
    ports.fail("send", Fault::Hang);
    let started = tokio::time::Instant::now();
    let answer = door(&ports, register).answer(published(MESSAGE), Arrival::default()).await;
    assert_eq!(answer.status, 500);
    assert!(started.elapsed() <= Duration::from_millis(2_500), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_slow_ack_does_not_add_to_the_time_that_the_queue_may_take() {
    let ports = Rc::new(Ports::default());
    ports.fail("send", Fault::Hang);
    let door = door(&ports, |app| {
        app.command("/order")
            .ack_io(async |_, _, ()| {
                tokio::time::sleep(Duration::from_millis(1_400)).await;
                Ok(CommandAck::ok())
            })
            .lazy("order", async |_, _| Ok(()));
    });
    let started = tokio::time::Instant::now();
    assert_eq!(door.answer(published(COMMAND), Arrival::default()).await.status, 500);
    assert_eq!(started.elapsed(), Duration::from_millis(2_500));
}

#[tokio::test(start_paused = true)]
async fn a_late_ack_is_answered_in_time_and_queues_nothing() {
    let ports = Rc::new(Ports::default());
    let door = door(&ports, |app| {
        app.command("/order")
            .ack_io(async |_, _, ()| -> Result<CommandAck, _> { std::future::pending().await })
            .lazy("order", async |_, _| Ok(()));
    });
    let answer = door.answer(published(COMMAND), Arrival::default()).await;
    assert_eq!((answer.status, &json_of(&answer)["response_type"]), (200, &json!("ephemeral")));
    assert!(ports.calls().is_empty());
}

#[tokio::test]
async fn a_constraint_that_panics_is_no_server_error() {
    let ports = Rc::new(Ports::default());
    let door = door(&ports, |app| {
        app.command("/order").when(|_| panic!("oh")).lazy("order", async |_, _| Ok(()));
        app.action("button_click").when(|_| panic!("oh")).lazy("click", async |_, _| Ok(()));
        app.message("").when(|_| panic!("oh")).lazy("broken", async |_, _| Ok(()));
        app.message("").lazy("message", async |_, _| Ok(()));
    });
    let command = door.answer(published(COMMAND), Arrival::default()).await;
    assert_eq!((command.status, &json_of(&command)["response_type"]), (200, &json!("ephemeral")));
    assert_eq!(door.answer(published(BUTTON), Arrival::default()).await.status, 200);
    assert!(ports.queue.waiting().is_empty());
    assert_eq!(door.answer(published(MESSAGE), Arrival::default()).await.status, 200);
    assert_eq!(only_message(&ports).2.jobs, [Job::named("message")]);
}

// Slack cuts texts by UTF-16 units, so half an emoji may be all that is left at the end.
#[tokio::test]
async fn half_an_emoji_or_a_byte_that_is_no_utf8_does_not_cost_the_event() {
    let half = text(MESSAGE).replace("\"text\": \"hi\"", "\"text\": \"hi \\ud83d\"");
    assert_ne!(half, text(MESSAGE));
    let mut bytes = text(MESSAGE).into_bytes();
    let hi = bytes.windows(4).position(|window| window == b"\"hi\"").expect("its text");
    bytes[hi + 2] = 0xFF;
    for (body, said) in [(half.into_bytes(), "hi \u{FFFD}"), (bytes, "h\u{FFFD}")] {
        let ports = Rc::new(Ports::default());
        assert_eq!(door(&ports, register).answer(signed(JSON, body.clone()), Arrival::default()).await.status, 200);
        let work = only_message(&ports).2;
        assert_eq!(work.envelope.body, body, "byte for byte");
        assert_eq!(work.envelope.payload.raw()["text"], said);
        assert_eq!(work.envelope.idempotency_key().expect("a key").0, "event:Ev0ACME0001");
    }
}

#[tokio::test]
async fn an_org_wide_install_without_a_workspace_is_grouped_by_its_organisation() {
    let ports = Rc::new(Ports::default());
    let envelope = edited("event/message-org-install.json", |root| {
        for field in ["team_id", "context_team_id"] {
            root[field] = json!(null);
        }
        root["event"]["team"] = json!(null);
    });
    door(&ports, register).answer(signed(JSON, envelope.body), Arrival::default()).await;
    assert!(only_message(&ports).1.starts_with('E'), "{}", only_message(&ports).1);
}
