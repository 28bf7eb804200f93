//! DynamoDB's adapter where the network is not kind: replies that get lost after the write was done, throttles, silence.

use crate::idempotency_contract::{NOW, key, request, won};
use std::time::Duration;
use tack_app::idempotency::{ClaimOutcome, Held};
use tack_app::ports::IdempotencyStore;
use tack_local_aws::{Effect, Fault};
use tack_tests::{Aws, STATE_TABLE};
use tokio::time::Instant;

fn fault(aws: &Aws, effect: Effect, times: Option<u32>) {
    aws.local().faults().add(Fault {
        service: "dynamodb".to_owned(),
        action: "UpdateItem".to_owned(),
        resource: Some(STATE_TABLE.to_owned()),
        caller: None,
        contains: None,
        effect,
        times,
    });
}

/// How many writes were sent since the last look.
fn writes(aws: &Aws) -> usize {
    let calls = aws.local().calls().snapshot();
    aws.local().calls().clear();
    assert!(calls.iter().all(|call| call.action == "UpdateItem"), "two writes a job and no read: {calls:?}");
    calls.len()
}

fn stack() -> Aws {
    Aws::new(NOW.0).expect("a stack")
}

#[tokio::test(start_paused = true)]
async fn a_claim_whose_reply_was_lost_is_won_when_the_sdk_repeats_it() {
    let aws = stack();
    let store = aws.store();
    fault(&aws, Effect::LoseReply, Some(1));
    let claim = won(store.claim(request(&key("k", "job", 0), 1, NOW)).await);
    assert_eq!((claim.attempt, claim.after_silence), (1, false), "counted once");
    assert_eq!(writes(&aws), 2);
    let other = store.claim(request(&key("k", "job", 0), 2, NOW)).await;
    assert!(matches!(other, Ok(ClaimOutcome::Busy { .. })), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_another_won_between_is_not_taken_for_ones_own() {
    let aws = stack();
    let store = aws.store();
    won(store.claim(request(&key("k", "job", 0), 1, NOW)).await);
    fault(&aws, Effect::LoseReply, Some(1));
    let outcome = store.claim(request(&key("k", "job", 0), 2, NOW)).await;
    assert!(matches!(outcome, Ok(ClaimOutcome::Busy { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_job_whose_reply_was_lost_is_known_to_be_written() {
    let aws = stack();
    let store = aws.store();
    for step in ["complete", "park", "release"] {
        let key = key(step, "job", 0);
        let claim = won(store.claim(request(&key, 1, NOW)).await);
        writes(&aws);
        fault(&aws, Effect::LoseReply, Some(1));
        let until = NOW.plus(Duration::from_secs(5));
        let held = match step {
            "complete" => store.complete(&claim, NOW, None).await,
            "park" => store.park(&claim, NOW, "broken").await,
            _ => store.release(&claim, NOW, until, "later", true).await,
        };
        assert_eq!(held.expect("an answer"), Held::Yes, "{step}");
        assert_eq!(writes(&aws), 2, "{step}");
    }
    let released = won(store.claim(request(&key("release", "job", 0), 2, NOW.plus(Duration::from_secs(6)))).await);
    assert_eq!((released.attempt, released.after_silence), (2, false), "given back once");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_and_an_inner_failure_are_tried_again() {
    let aws = stack();
    let store = aws.store();
    let inner = Effect::Error { status: 500, code: "InternalServerError".to_owned() };
    for (name, effect) in [("throttle", Effect::Throttle), ("failure", inner)] {
        fault(&aws, effect, Some(2));
        let claim = won(store.claim(request(&key(name, "job", 0), 1, NOW)).await);
        assert_eq!((claim.attempt, writes(&aws)), (1, 3), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_an_error_in_time_and_never_a_claim() {
    let refused = Effect::Error { status: 400, code: "AccessDeniedException".to_owned() };
    for effect in [Effect::Hang, Effect::Throttle, refused] {
        let aws = stack();
        let store = aws.store();
        fault(&aws, effect.clone(), None);
        let started = Instant::now();
        let outcome = store.claim(request(&key("k", "job", 0), 1, NOW)).await;
        assert!(outcome.is_err(), "{effect:?}: {outcome:?}");
        assert!(started.elapsed() <= Duration::from_secs(8), "{effect:?}: {:?}", started.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_not_there_is_named_in_the_error() {
    let aws = stack();
    let store = tack_aws::DynamoIdempotencyStore::new(aws.clients().dynamodb(), "stat");
    let error = store.claim(request(&key("k", "job", 0), 1, NOW)).await.expect_err("no such table");
    assert!(error.to_string().contains("ResourceNotFoundException"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_record_holds_what_an_operator_looks_for_and_the_broom_takes_it_only_when_it_expired() {
    let aws = stack();
    let store = aws.store();
    let claim = won(store.claim(request(&key("k", "job", 0), 1, NOW)).await);
    store.park(&claim, NOW, "no such order").await.expect("an answer");
    let [item] = &aws.local().dynamodb().items(STATE_TABLE)[..] else { panic!("one item") };
    assert_eq!(item["pk"]["S"], key("k", "job", 0).as_str());
    assert_eq!((item["st"]["S"].as_str(), item["why"]["S"].as_str()), (Some("P"), Some("no such order")));
    assert_eq!(item["fin"]["N"], "1");
    assert_eq!(item["bh"]["S"].as_str().map(str::len), Some(64));
    let nineteen_days = 19 * 24 * 3600;
    assert_eq!(item["exp"]["N"], (NOW.0 / 1000 + nineteen_days).to_string());
    tokio::time::advance(Duration::from_secs(nineteen_days)).await;
    assert_eq!(aws.local().dynamodb().sweep_ttl(), Ok(0));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(aws.local().dynamodb().sweep_ttl(), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_job_costs_two_write_units() {
    let aws = stack();
    let store = aws.store();
    let claim = won(store.claim(request(&key("k", "job", 0), 1, NOW)).await);
    store.complete(&claim, NOW, None).await.expect("an answer");
    assert_eq!(writes(&aws), 2);
    let [item] = &aws.local().dynamodb().items(STATE_TABLE)[..] else { panic!("one item") };
    // A write unit is a kilobyte: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    assert!(item.to_string().len() < 1024, "{item}");
}
