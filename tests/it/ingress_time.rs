//! The ingress over SQS: whatever SQS does, Slack has its answer within 2.5 s, and 200 only if the message is there.

use std::rc::Rc;
use std::time::Duration;
use tack_app::memory::{ManualClock, SeededRandom};
use tack_app::{AckPhase, App, Arrival, Ingress, Limits};
use tack_local_aws::{Effect, Fault};
use tack_protocol::{EpochMs, RawRequest, SigningSecrets, sign};
use tack_tests::{Aws, EVENTS};
use tokio::time::Instant;

const NOW: EpochMs = EpochMs(1_795_511_900_000);

fn request(secrets: &SigningSecrets) -> RawRequest {
    let body = r#"{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"message","text":"hi"}}"#;
    let mut headers = http::HeaderMap::new();
    headers.insert("content-type", http::HeaderValue::from_static("application/json"));
    headers.insert("x-slack-request-timestamp", NOW.seconds().0.into());
    let signature = sign(secrets, NOW.seconds(), body.as_bytes());
    headers.insert("x-slack-signature", signature.parse().expect("a header"));
    RawRequest { headers, body: body.into(), received_at: NOW }
}

/// The answer's status, how long it took, and how many messages wait.
async fn answered(effect: Option<Effect>, times: Option<u32>) -> (u16, Duration, usize) {
    let aws = Aws::new(NOW.0).expect("a stack");
    if let Some(effect) = effect {
        aws.local().faults().add(Fault {
            service: "sqs".to_owned(),
            action: "SendMessage".to_owned(),
            resource: Some(EVENTS.to_owned()),
            caller: None,
            contains: None,
            effect,
            times,
        });
    }
    let secrets = SigningSecrets::parse("secret").expect("a secret");
    let limits = Limits::default();
    let register = |app: &mut App<AckPhase, (), ()>| {
        app.message("").lazy("job", async |_, _| Ok(()));
    };
    let ingress = Ingress {
        app: App::build(register).expect("an app"),
        resources: (),
        queue: Rc::new(aws.ingress_queue(&limits)),
        clock: Rc::new(ManualClock::at(NOW)),
        random: Rc::new(SeededRandom::new(1)),
        app_id: None,
        secrets: secrets.clone().into(),
        limits,
    };
    let started = Instant::now();
    let answer = ingress.answer(request(&secrets), Arrival::default()).await;
    let waiting = aws.local().sqs().depth(EVENTS).expect("a queue").visible;
    (answer.status, started.elapsed(), waiting)
}

fn error(status: u16) -> Effect {
    Effect::Error { status, code: "InternalFailure".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_200_means_that_the_message_is_durable() {
    for (effect, times) in [
        (None, None),
        (Some(Effect::Throttle), Some(1)),
        (Some(error(500)), Some(1)),
        (Some(error(503)), Some(1)),
        (Some(Effect::Hang), Some(1)),
        (Some(Effect::Delay(Duration::from_millis(900))), None),
    ] {
        let (status, time, waiting) = answered(effect.clone(), times).await;
        assert_eq!((status, waiting), (200, 1), "{effect:?}");
        assert!(time < Duration::from_millis(2_500), "{effect:?}: {time:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_gets_lost_makes_two_copies_rather_than_none() {
    let (status, time, waiting) = answered(Some(Effect::LoseReply), Some(1)).await;
    assert_eq!((status, waiting), (200, 2));
    assert!(time < Duration::from_millis(2_500), "{time:?}");
}

#[tokio::test(start_paused = true)]
async fn what_sqs_never_takes_is_500_within_two_and_a_half_seconds() {
    let denied = Effect::Error { status: 403, code: "AccessDenied".to_owned() };
    for effect in [Effect::Hang, Effect::Throttle, error(500), denied, Effect::Delay(Duration::from_secs(5))] {
        let (status, time, waiting) = answered(Some(effect.clone()), None).await;
        assert_eq!((status, waiting), (500, 0), "{effect:?}");
        assert!(time <= Duration::from_millis(2_500), "{effect:?}: {time:?}");
    }
}
