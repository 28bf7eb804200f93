//! What every `IdempotencyStore` keeps to. The rules are those of `tack_app::idempotency`; each runs against the store in memory
//! and against DynamoDB's adapter on the embedded AWS.

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::Value;
use std::time::Duration;
use tack_app::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, Owner, RECORD_LIFE, RecordKey};
use tack_app::memory::MemoryStore;
use tack_app::message::{AppWork, Job, Work};
use tack_app::ports::{IdempotencyStore, StoreError};
use tack_protocol::EpochMs;
use tack_tests::Aws;

pub(crate) const NOW: EpochMs = EpochMs(1_795_511_900_000);
const LEASE: Duration = Duration::from_secs(32);
const MOMENT: Duration = Duration::from_millis(1);

type Store = dyn IdempotencyStore;
type Rule = for<'a> fn(&'a Store) -> LocalBoxFuture<'a, ()>;

/// A rule's name and the rule; each works on a record of its own.
fn rules() -> Vec<(&'static str, Rule)> {
    vec![
        ("a fresh job is won at its first attempt", |store| fresh(store).boxed_local()),
        ("of many at once one wins", |store| one_winner(store).boxed_local()),
        ("a running job is busy up to its lease's end and one moment later it is won", |store| {
            lease(store).boxed_local()
        }),
        ("what is complete stays complete", |store| complete(store).boxed_local()),
        ("what is parked stays parked", |store| parked(store).boxed_local()),
        ("what was given back waits for its time and keeps its reason", |store| released(store).boxed_local()),
        ("an attempt that never started is not counted", |store| unstarted(store).boxed_local()),
        ("an attempt that never started hides no killed one before it", |store| silence_kept(store).boxed_local()),
        ("what was given back as due at once can be taken at once", |store| due_at_once(store).boxed_local()),
        ("who lost the lease writes nothing", |store| lost_lease(store).boxed_local()),
        ("who lost the lease does not undo the end", |store| lost_to_the_end(store).boxed_local()),
        ("who gave a job back holds it no more", |store| gave_back(store).boxed_local()),
        ("a write that is repeated after its answer got lost was done", |store| repeated(store).boxed_local()),
        ("a record counts as none once it expired", |store| expired(store).boxed_local()),
        ("every write lets the record live on", |store| renewed(store).boxed_local()),
        ("jobs and generations do not know each other", |store| strangers(store).boxed_local()),
        ("a reason may be of any length and any text", |store| reasons(store).boxed_local()),
    ]
}

async fn every_rule(store: &Store) {
    for (name, rule) in rules() {
        // Shown when the rule fails.
        println!("rule: {name}");
        rule(store).await;
    }
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    every_rule(&MemoryStore::default()).await;
}

#[tokio::test(start_paused = true)]
async fn dynamodb_keeps_the_contract() {
    every_rule(&Aws::new(NOW.0).expect("a stack").store()).await;
}

pub(crate) fn key(name: &str, job: &str, generation: u32) -> RecordKey {
    let work = AppWork {
        id: name.to_owned(),
        job: job.to_owned(),
        enterprise: None,
        team: Some("T0ACME001".into()),
        is_enterprise_install: false,
        key: name.to_owned(),
        payload: Value::Null,
        received_at: None,
        generation,
        trace: None,
    };
    RecordKey::new(&Work::App(Box::new(work)), &Job::named(job), None)
}

pub(crate) fn request(key: &RecordKey, owner: u128, now: EpochMs) -> ClaimRequest {
    ClaimRequest {
        key: key.clone(),
        owner: Owner::from_bits(owner),
        now,
        lease_end: now.plus(LEASE),
        body_hash: "0123456789abcdef".repeat(4),
    }
}

pub(crate) fn won(outcome: Result<ClaimOutcome, StoreError>) -> Claim {
    match outcome {
        Ok(ClaimOutcome::Won(claim)) => claim,
        other => panic!("not won: {other:?}"),
    }
}

async fn win(store: &Store, key: &RecordKey, owner: u128, now: EpochMs) -> Claim {
    won(store.claim(request(key, owner, now)).await)
}

fn busy_until(outcome: Result<ClaimOutcome, StoreError>) -> EpochMs {
    match outcome {
        Ok(ClaimOutcome::Busy { until }) => until,
        other => panic!("not busy: {other:?}"),
    }
}

fn held(outcome: Result<Held, StoreError>) -> Held {
    outcome.expect("a store that answers")
}

async fn fresh(store: &Store) {
    let claim = win(store, &key("fresh", "job", 0), 1, NOW).await;
    assert_eq!((claim.attempt, claim.after_silence, claim.last_reason), (1, false, None));
    assert_eq!(claim.owner, Owner::from_bits(1));
}

async fn one_winner(store: &Store) {
    let key = key("one winner", "job", 0);
    let outcomes = join_all((1..=20).map(|owner| store.claim(request(&key, owner, NOW)))).await;
    let winners = outcomes.iter().filter(|outcome| matches!(outcome, Ok(ClaimOutcome::Won(_)))).count();
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, Ok(ClaimOutcome::Busy { .. }))).count();
    assert_eq!((winners, busy), (1, 19));
}

async fn lease(store: &Store) {
    let key = key("lease", "job", 0);
    win(store, &key, 1, NOW).await;
    let end = NOW.plus(LEASE);
    for at in [NOW, NOW.plus(LEASE - MOMENT), end] {
        assert_eq!(busy_until(store.claim(request(&key, 2, at)).await), end);
    }
    let claim = win(store, &key, 3, end.plus(MOMENT)).await;
    assert_eq!((claim.attempt, claim.after_silence, claim.last_reason), (2, true, None));
}

async fn complete(store: &Store) {
    for (name, why) in [("complete", None), ("discarded", Some("stale"))] {
        let key = key(name, "job", 0);
        let claim = win(store, &key, 1, NOW).await;
        assert_eq!(held(store.complete(&claim, NOW, why).await), Held::Yes);
        for at in [NOW, NOW.plus(LEASE * 2), NOW.plus(RECORD_LIFE)] {
            let outcome = store.claim(request(&key, 2, at)).await;
            assert!(matches!(outcome, Ok(ClaimOutcome::Complete)), "{name} {outcome:?}");
        }
    }
}

async fn parked(store: &Store) {
    let key = key("parked", "job", 0);
    let claim = win(store, &key, 1, NOW).await;
    assert_eq!(held(store.park(&claim, NOW, "broken").await), Held::Yes);
    for at in [NOW, NOW.plus(LEASE * 2), NOW.plus(RECORD_LIFE)] {
        let outcome = store.claim(request(&key, 2, at)).await;
        assert!(matches!(outcome, Ok(ClaimOutcome::Parked)), "{outcome:?}");
    }
}

async fn released(store: &Store) {
    let key = key("released", "job", 0);
    let mut now = NOW;
    for attempt in 1..=3 {
        let claim = win(store, &key, u128::from(attempt), now).await;
        assert_eq!((claim.attempt, claim.after_silence), (attempt, false));
        assert_eq!(claim.last_reason.as_deref(), (attempt > 1).then_some("rate limited"));
        // Beyond the lease's end, or short of it: the time asked for counts.
        let until = now.plus(LEASE * (attempt % 2) + Duration::from_secs(5));
        assert_eq!(held(store.release(&claim, now, until, "rate limited", true).await), Held::Yes);
        for at in [now, until] {
            assert_eq!(busy_until(store.claim(request(&key, 99, at)).await), until);
        }
        now = until.plus(MOMENT);
    }
}

async fn unstarted(store: &Store) {
    let key = key("unstarted", "job", 0);
    let claim = win(store, &key, 1, NOW).await;
    assert_eq!(held(store.release(&claim, NOW, NOW, "no time left", false).await), Held::Yes);
    let claim = win(store, &key, 2, NOW.plus(MOMENT)).await;
    assert_eq!((claim.attempt, claim.after_silence), (1, false));
}

async fn silence_kept(store: &Store) {
    let key = key("silence kept", "job", 0);
    win(store, &key, 1, NOW).await;
    let mut now = NOW.plus(LEASE + MOMENT);
    for owner in 2..=4 {
        let claim = win(store, &key, owner, now).await;
        assert_eq!((claim.attempt, claim.after_silence), (2, true), "owner {owner}");
        assert_eq!(held(store.release(&claim, now, now, "no time left", false).await), Held::Yes);
        assert_eq!(held(store.complete(&claim, now, None).await), Held::Lost, "owner {owner}");
        now = now.plus(MOMENT);
    }
    let claim = win(store, &key, 5, now).await;
    assert_eq!(held(store.release(&claim, now, now, "failed", true).await), Held::Yes);
    assert!(!win(store, &key, 6, now.plus(MOMENT)).await.after_silence, "it started, and it spoke");
}

/// As a suspect is given back: not started, due since a moment, and whoever comes first may have it.
async fn due_at_once(store: &Store) {
    let key = key("due at once", "job", 0);
    win(store, &key, 1, NOW).await;
    let now = NOW.plus(LEASE + MOMENT);
    for owner in 2..=5 {
        let claim = win(store, &key, owner, now).await;
        assert_eq!((claim.attempt, claim.after_silence), (2, true), "owner {owner}");
        let due = EpochMs(now.0 - 1);
        assert_eq!(held(store.release(&claim, now, due, "it waits for the others", false).await), Held::Yes);
    }
    let claim = win(store, &key, 6, now).await;
    assert_eq!((claim.attempt, claim.after_silence), (2, true));
    assert_eq!(busy_until(store.claim(request(&key, 7, now)).await), now.plus(LEASE));
}

async fn lost_lease(store: &Store) {
    let key = key("lost lease", "job", 0);
    let slow = win(store, &key, 1, NOW).await;
    let later = NOW.plus(LEASE + MOMENT);
    let quick = win(store, &key, 2, later).await;
    assert_eq!(held(store.complete(&slow, later, None).await), Held::Lost);
    assert_eq!(held(store.release(&slow, later, later, "late", true).await), Held::Lost);
    assert_eq!(held(store.park(&slow, later, "late").await), Held::Lost);
    assert_eq!(busy_until(store.claim(request(&key, 3, later)).await), later.plus(LEASE), "the record is the other's");
    assert_eq!(held(store.complete(&quick, later, None).await), Held::Yes);
}

async fn lost_to_the_end(store: &Store) {
    for (name, park) in [("lost to completion", false), ("lost to parking", true)] {
        let key = key(name, "job", 0);
        let slow = win(store, &key, 1, NOW).await;
        let later = NOW.plus(LEASE + MOMENT);
        let quick = win(store, &key, 2, later).await;
        let ended =
            if park { store.park(&quick, later, "why").await } else { store.complete(&quick, later, None).await };
        assert_eq!(held(ended), Held::Yes);
        for claim in [&slow, &quick] {
            assert_eq!(held(store.release(claim, later, later, "late", true).await), Held::Lost, "{name}");
        }
        assert_eq!(held(store.complete(&slow, later, None).await), Held::Lost, "{name}");
        assert_eq!(held(store.park(&slow, later, "late").await), Held::Lost, "{name}");
        let outcome = store.claim(request(&key, 3, later.plus(LEASE * 3))).await;
        assert!(matches!(outcome, Ok(ClaimOutcome::Complete | ClaimOutcome::Parked)), "{name} {outcome:?}");
    }
}

async fn gave_back(store: &Store) {
    let key = key("gave back", "job", 0);
    let claim = win(store, &key, 1, NOW).await;
    let until = NOW.plus(LEASE);
    assert_eq!(held(store.release(&claim, NOW, until, "later", true).await), Held::Yes);
    assert_eq!(held(store.complete(&claim, NOW, None).await), Held::Lost);
    assert_eq!(held(store.park(&claim, NOW, "why").await), Held::Lost);
    assert_eq!(busy_until(store.claim(request(&key, 2, NOW)).await), until);
}

async fn repeated(store: &Store) {
    let name = |step: &str| key(step, "job", 0);
    for repeat in 0..3 {
        let claim = win(store, &name("repeated claim"), 1, NOW).await;
        assert_eq!((claim.attempt, claim.after_silence), (1, false), "{repeat}");
    }
    let completed = win(store, &name("repeated completion"), 1, NOW).await;
    let parked = win(store, &name("repeated parking"), 1, NOW).await;
    let released = win(store, &name("repeated release"), 1, NOW).await;
    let later = NOW.plus(LEASE);
    for repeat in 0..3 {
        assert_eq!(held(store.complete(&completed, NOW, None).await), Held::Yes, "{repeat}");
        assert_eq!(held(store.park(&parked, NOW, "why").await), Held::Yes, "{repeat}");
        assert_eq!(held(store.release(&released, NOW, later, "later", true).await), Held::Yes, "{repeat}");
    }
    assert_eq!(held(store.park(&completed, NOW, "why").await), Held::Lost, "another write is no repetition");
    assert_eq!(held(store.complete(&parked, NOW, None).await), Held::Lost, "another write is no repetition");
    let claim = win(store, &name("repeated release"), 2, later.plus(MOMENT)).await;
    assert_eq!((claim.attempt, claim.after_silence), (2, false), "counted once");
}

async fn expired(store: &Store) {
    let second = Duration::from_secs(1);
    for (name, park) in [("expired completion", false), ("expired parking", true)] {
        let key = key(name, "job", 0);
        let claim = win(store, &key, 1, NOW).await;
        let ended = if park { store.park(&claim, NOW, "old").await } else { store.complete(&claim, NOW, None).await };
        assert_eq!(held(ended), Held::Yes);
        let last = store.claim(request(&key, 2, NOW.plus(RECORD_LIFE))).await;
        assert!(matches!(last, Ok(ClaimOutcome::Complete | ClaimOutcome::Parked)), "{name} {last:?}");
        let claim = win(store, &key, 3, NOW.plus(RECORD_LIFE + second)).await;
        assert_eq!((claim.attempt, claim.after_silence), (1, false), "{name}: as if there had been none");
    }
}

async fn renewed(store: &Store) {
    let key = key("renewed", "job", 0);
    let day = Duration::from_secs(24 * 3600);
    let claim = win(store, &key, 1, NOW).await;
    assert_eq!(held(store.release(&claim, NOW.plus(day), NOW.plus(day), "later", true).await), Held::Yes);
    let claim = win(store, &key, 2, NOW.plus(day * 2)).await;
    assert_eq!(held(store.complete(&claim, NOW.plus(day * 3), None).await), Held::Yes);
    let outcome = store.claim(request(&key, 3, NOW.plus(RECORD_LIFE + day * 3))).await;
    assert!(matches!(outcome, Ok(ClaimOutcome::Complete)), "{outcome:?}");
}

async fn strangers(store: &Store) {
    let one = win(store, &key("strangers", "one", 0), 1, NOW).await;
    assert_eq!(held(store.complete(&one, NOW, None).await), Held::Yes);
    for other in [key("strangers", "two", 0), key("strangers", "one", 1), key("strangers2", "one", 0)] {
        assert_eq!(win(store, &other, 1, NOW).await.attempt, 1, "{}", other.as_str());
    }
}

async fn reasons(store: &Store) {
    let long = "r".repeat(100_000);
    for (name, reason) in [("empty", ""), ("long", long.as_str()), ("odd", "\u{0}\u{FFFE} 🍞\n\"")] {
        let key = key(name, "job", 0);
        let claim = win(store, &key, 1, NOW).await;
        assert_eq!(held(store.release(&claim, NOW, NOW, reason, true).await), Held::Yes, "{name}");
        let claim = win(store, &key, 2, NOW.plus(MOMENT)).await;
        let kept = claim.last_reason.as_deref().unwrap_or_default();
        assert!(reason.starts_with(kept) && (kept.len() >= 100 || kept == reason), "{name}: {} bytes", kept.len());
        assert_eq!(held(store.park(&claim, NOW, reason).await), Held::Yes, "{name}");
    }
}
