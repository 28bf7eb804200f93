//! What reaches the app: signatures, redeliveries, failures, copies, faults.

use super::stand_in::{Http, Reply, Seen, content_slack, serve, slack};
use axum::response::Redirect;
use axum::routing::post;
use serde_json::json;
use std::time::Duration;
use tack_simulator::{
    Config, DeliveryFaults, DeliveryRequest, Failure, Faults, Form, HISTORY, Kind, Outcome, ReplayMode, SAMPLES,
    Simulator, sign,
};

fn hi() -> DeliveryRequest {
    DeliveryRequest::event(
        json!({"type": "message", "channel": "C0PLAY001", "user": "U0ADA0001", "text": "hi", "ts": "1.2"}),
    )
}

async fn until_settled(simulator: &Simulator, id: &str) -> tack_simulator::Delivery {
    let settled = simulator.wait_for(Duration::from_secs(3_600), |state| {
        state.delivery(id).filter(|delivery| !matches!(delivery.outcome, Outcome::Sending | Outcome::Retrying)).cloned()
    });
    settled.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_event_is_signed_and_accepted() {
    let (simulator, log) = content_slack();
    let sent = simulator.deliver(hi()).await.unwrap().remove(0);
    assert_eq!((sent.outcome, sent.attempts.len(), sent.attempts[0].status), (Outcome::Accepted, 1, Some(200)));
    let seen = log.lock().unwrap()[0].clone();
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.header("user-agent"), "Slackbot 1.0 (+https://api.slack.com/robots)");
    assert_eq!(seen.header("x-slack-retry-num"), "");
    let timestamp = seen.header("x-slack-request-timestamp");
    assert_eq!(seen.header("x-slack-signature"), sign("simulated-signing-secret", timestamp, seen.body.as_bytes()));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(timestamp.parse().unwrap()) < 60);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_fails_comes_again_at_once_after_a_minute_and_after_five() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(500));
    let first = simulator.deliver(hi()).await.unwrap().remove(0);
    assert_eq!(first.outcome, Outcome::Retrying);
    let last = until_settled(&simulator, &first.id).await;
    assert_eq!((last.outcome, last.attempts.len()), (Outcome::Failed, 4));
    let seen = log.lock().unwrap().clone();
    let waits: Vec<_> = seen.iter().map(|request| request.at.duration_since(seen[0].at).as_secs()).collect();
    assert_eq!(waits, [0, 0, 60, 360]);
    let numbers: Vec<_> = seen.iter().map(|request| request.header("x-slack-retry-num")).collect();
    assert_eq!(numbers, ["", "1", "2", "3"]);
    assert!(seen[1..].iter().all(|request| request.header("x-slack-retry-reason") == "http_error"));
    assert!(seen.iter().all(|request| request.body == seen[0].body), "the body stays the same");
    let stamp = |request: &Seen| request.header("x-slack-request-timestamp").parse::<u64>().unwrap();
    assert!((359..=361).contains(&(stamp(&seen[3]) - stamp(&seen[0]))), "each attempt has the time of its own");
    assert_ne!(seen[3].header("x-slack-signature"), seen[0].header("x-slack-signature"));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_succeeds_later_is_not_sent_again() {
    let (simulator, log) =
        slack(Config::default(), |seen| Reply::status(if seen.header("x-slack-retry-num") == "1" { 204 } else { 503 }));
    let first = simulator.deliver(hi()).await.unwrap().remove(0);
    assert_eq!(until_settled(&simulator, &first.id).await.outcome, Outcome::Accepted);
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn three_seconds_are_the_limit() {
    let (simulator, log) = slack(Config::default(), |seen| {
        let is_retry = !seen.header("x-slack-retry-num").is_empty();
        Reply::status(200).after(Duration::from_millis(if is_retry { 2_900 } else { 3_100 }))
    });
    let first = simulator.deliver(hi()).await.unwrap().remove(0);
    assert_eq!((first.attempts[0].failure, first.attempts[0].ms), (Some(Failure::HttpTimeout), 3_000));
    assert_eq!(until_settled(&simulator, &first.id).await.outcome, Outcome::Accepted);
    assert_eq!(log.lock().unwrap()[1].header("x-slack-retry-reason"), "http_timeout");
}

#[tokio::test(start_paused = true)]
async fn the_app_can_refuse_further_tries() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(500).header("x-slack-no-retry", "1"));
    assert_eq!(simulator.deliver(hi()).await.unwrap()[0].outcome, Outcome::Stopped);
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn commands_and_interactions_are_sent_once() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(500));
    let payload = json!({"type": "shortcut", "callback_id": "x", "user": {"id": "U0ADA0001"}});
    for request in [
        DeliveryRequest::command(json!({"text": "3"})),
        DeliveryRequest::interactive(payload.clone()),
        DeliveryRequest::options(payload),
        DeliveryRequest::raw("{}"),
    ] {
        assert_eq!(simulator.deliver(request).await.unwrap()[0].outcome, Outcome::Failed);
    }
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(log.lock().unwrap().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_reset_gives_up_what_waits() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(500));
    simulator.deliver(hi()).await.unwrap();
    simulator
        .wait_for(Duration::from_secs(9), |state| {
            state.deliveries().next().filter(|delivery| delivery.attempts.len() == 2).map(|_| ())
        })
        .await
        .unwrap();
    simulator.reset();
    tokio::time::sleep(Duration::from_secs(1_000)).await;
    assert_eq!(log.lock().unwrap().len(), 2);
    assert!(simulator.deliveries().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_published_body_is_sent_as_it_is() {
    let (simulator, log) = content_slack();
    for sample in SAMPLES {
        let kind = match sample.name.split('/').next().unwrap() {
            "event" => Kind::Event,
            "command" => Kind::Command,
            "interactive" => Kind::Interactive,
            _ => Kind::Options,
        };
        let mut request = DeliveryRequest::raw(sample.text);
        request.kind = kind;
        simulator.deliver(request).await.unwrap();
        let seen = log.lock().unwrap().last().unwrap().clone();
        if sample.form == Form::Payload {
            let fields: Vec<_> = form_urlencoded::parse(seen.body.as_bytes()).collect();
            assert_eq!((fields[0].0.as_ref(), fields[0].1.as_ref()), ("payload", sample.text));
        } else {
            assert_eq!(seen.body, sample.text, "{}", sample.name);
        }
        let is_event = kind == Kind::Event;
        let expected = if is_event { "application/json" } else { "application/x-www-form-urlencoded" };
        assert_eq!(seen.header("content-type"), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn copies_have_one_body_and_go_out_together() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(200).after(Duration::from_secs(1)));
    let sent = simulator.deliver(hi().times(3)).await.unwrap();
    assert_eq!(sent.iter().filter(|copy| copy.copy_of.as_ref() == Some(&sent[0].id)).count(), 2);
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|request| request.body == seen[0].body && request.at == seen[0].at));
}

#[tokio::test(start_paused = true)]
async fn more_events_at_once_than_are_remembered_are_all_sent() {
    let (simulator, log) = slack(Config::default(), |_| Reply::status(200).after(Duration::from_secs(1)));
    let floods = futures_util::future::join_all((0..3).map(|_| simulator.deliver(hi().times(1_000))));
    assert!(floods.await.iter().all(|sent| sent.as_ref().unwrap().len() == 1_000));
    assert_eq!(log.lock().unwrap().len(), 3_000);
    assert_eq!(simulator.deliveries().len(), HISTORY);
}

#[tokio::test(start_paused = true)]
async fn headers_of_a_raw_delivery_can_forge_what_slack_would_never_send() {
    let (simulator, log) = content_slack();
    let forged = DeliveryRequest::raw("ssl_check=1&token=x")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-signature", "");
    simulator.deliver(forged).await.unwrap();
    let stale = DeliveryRequest::raw("{}").header("x-slack-request-timestamp", "1531420618");
    simulator.deliver(stale).await.unwrap();
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen[0].header("x-slack-signature"), "");
    assert_eq!(seen[0].header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(seen[1].header("x-slack-signature"), sign("simulated-signing-secret", "1531420618", b"{}"));
}

#[tokio::test(start_paused = true)]
async fn the_handshake_wants_its_challenge_back() {
    let challenge = json!({"type": "url_verification", "token": "x", "challenge": "c4"});
    for (reply, outcome) in [
        (Reply::text("c4"), "verified"),
        (Reply::text("challenge=c4"), "verified"),
        (Reply::json(&json!({"challenge": "c4"})), "verified"),
        (Reply::text("c5"), "trouble"),
        (Reply::status(404), "trouble"),
    ] {
        let (simulator, _) = slack(Config::default(), move |_| reply.clone());
        let sent = simulator.deliver(DeliveryRequest::event(challenge.clone())).await.unwrap();
        assert_eq!(sent[0].shown.as_ref().unwrap().outcome, outcome);
    }
}

#[tokio::test(start_paused = true)]
async fn a_replay_repeats_the_bytes_or_makes_it_new() {
    let (simulator, log) = content_slack();
    let first = simulator.deliver(hi()).await.unwrap().remove(0);
    let again = simulator.replay(&first.id, ReplayMode::Redeliver).await.unwrap().remove(0);
    assert_eq!((again.body.clone(), again.replay_of), (first.body.clone(), Some(first.id.clone())));
    simulator.replay(&first.id, ReplayMode::Rerun).await.unwrap();
    let seen = log.lock().unwrap().clone();
    assert_eq!(seen[1].header("x-slack-retry-num"), "1");
    assert_eq!(seen[2].header("x-slack-retry-num"), "");
    assert_ne!(seen[2].payload()["event_id"], seen[0].payload()["event_id"]);
    assert_eq!(seen[2].payload()["event"], seen[0].payload()["event"]);
    assert!(simulator.replay("nothing", ReplayMode::Rerun).await.is_err());
}

fn delivery_faults(deliveries: DeliveryFaults) -> Faults {
    Faults { deliveries, ..Faults::default() }
}

#[tokio::test(start_paused = true)]
async fn duplicates_and_delays_come_on_request() {
    let (simulator, log) = content_slack();
    simulator.set_faults(delivery_faults(DeliveryFaults { duplicate: 2, delay_ms: 700, ..DeliveryFaults::default() }));
    let start = tokio::time::Instant::now();
    assert_eq!(simulator.deliver(hi()).await.unwrap().len(), 3);
    assert_eq!(start.elapsed(), Duration::from_millis(700));
    simulator.deliver(DeliveryRequest::command(json!({}))).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 4, "a command is never doubled");
}

#[tokio::test(start_paused = true)]
async fn two_events_change_places_on_request() {
    let (simulator, log) = content_slack();
    simulator.set_faults(delivery_faults(DeliveryFaults { reorder: true, ..DeliveryFaults::default() }));
    let event = |text: &str| DeliveryRequest::event(json!({"type": "message", "text": text}));
    let (one, two) = tokio::join!(simulator.deliver(event("one")), simulator.deliver(event("two")));
    assert!(one.is_ok() && two.is_ok());
    let texts: Vec<_> = log.lock().unwrap().iter().map(|seen| seen.payload()["event"]["text"].clone()).collect();
    assert_eq!(texts, ["two", "one"]);
    // Alone it goes after a while.
    simulator.deliver(event("three")).await.unwrap();
    assert_eq!(log.lock().unwrap().len(), 3);
}

async fn over_http(path: &str) -> tack_simulator::Delivery {
    let app = axum::Router::new()
        .route("/events", post(async |body: String| format!("{} bytes", body.len())))
        .route("/once", post(async || Redirect::temporary("/events")))
        .route("/twice", post(async || Redirect::temporary("/once")))
        .route("/thrice", post(async || Redirect::temporary("/twice")));
    let address = serve(app).await;
    let config = Config {
        app_url: format!("http://{address}{path}"),
        retry_after: Vec::new(),
        // A loaded machine must not turn these into time-outs.
        ack_limit: Duration::from_secs(30),
        ..Config::default()
    };
    Simulator::new(config).deliver(hi()).await.unwrap().remove(0)
}

#[tokio::test]
async fn two_redirects_are_followed_and_no_more() {
    let direct = over_http("/events").await;
    assert_eq!(direct.outcome, Outcome::Accepted);
    assert_eq!(direct.attempts[0].answer, format!("{} bytes", direct.body.len()));
    assert_eq!(over_http("/twice").await.outcome, Outcome::Accepted);
    assert_eq!(over_http("/thrice").await.attempts[0].failure, Some(Failure::TooManyRedirects));
    assert_eq!(over_http("/nowhere").await.attempts[0].failure, Some(Failure::HttpError));
}

#[tokio::test]
async fn nobody_listening_is_a_failed_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = Config { app_url: format!("http://{address}/"), retry_after: Vec::new(), ..Config::default() };
    let sent = Simulator::new(config).deliver(hi()).await.unwrap().remove(0);
    assert_eq!(sent.attempts[0].failure, Some(Failure::ConnectionFailed));
    assert_eq!(sent.outcome, Outcome::Failed);
}

#[tokio::test]
async fn the_apps_own_message_comes_back_as_an_event() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    let posted = http.call("chat.postMessage", &json!({"channel": "#playground", "text": "Hey"})).await;
    let echo = simulator.wait_for(Duration::from_secs(10), |state| {
        state.deliveries().find(|delivery| delivery.outcome == Outcome::Accepted).map(tack_simulator::Delivery::payload)
    });
    let echo = echo.await.unwrap();
    assert_eq!(echo["event"]["ts"], posted["ts"]);
    assert_eq!((&echo["event"]["user"], &echo["event"]["app_id"]), (&json!("U0TACKBOT"), &json!("A0TACK001")));
    assert_eq!(echo["authorizations"][0]["user_id"], "U0TACKBOT");
    assert_eq!(log.lock().unwrap().len(), 1);
}
