//! What every `StateStore` keeps to; each rule runs against the store in memory and against DynamoDB's adapter on the embedded AWS.

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use std::time::Duration;
use tack_app::memory::MemoryStateStore;
use tack_app::ports::{Consumed, OAuthState, StateStore};
use tack_local_aws::{Effect, Fault};
use tack_protocol::EpochSeconds;
use tack_tests::{Aws, STATE_TABLE};

const NOW: EpochSeconds = EpochSeconds(1_795_511_900);
/// Ten minutes, as Slack's own libraries have it.
const EXPIRES: EpochSeconds = EpochSeconds(NOW.0 + 600);

type Store = dyn StateStore;
type Rule = for<'a> fn(&'a Store) -> LocalBoxFuture<'a, ()>;

fn rules() -> Vec<(&'static str, Rule)> {
    vec![
        ("a state is used once and gives the adopter's word back", |store| once(store).boxed_local()),
        ("of many callbacks at once one wins", |store| one_winner(store).boxed_local()),
        ("another browser's callback leaves the state to its own", |store| browsers(store).boxed_local()),
        ("a state is good for ten minutes and no moment longer", |store| expiry(store).boxed_local()),
        ("what was never issued is unknown", |store| unknown(store).boxed_local()),
        ("two states of one browser are two", |store| tabs(store).boxed_local()),
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
async fn the_states_in_memory_keep_the_contract() {
    every_rule(&MemoryStateStore::default()).await;
}

#[tokio::test(start_paused = true)]
async fn dynamodbs_states_keep_the_contract() {
    every_rule(&stack().states()).await;
}

fn stack() -> Aws {
    Aws::new(NOW.0 * 1000).expect("a stack")
}

fn state(name: &str, reference: Option<&str>) -> OAuthState {
    OAuthState {
        state: name.to_owned(),
        browser: "browser".to_owned(),
        expires: EXPIRES,
        reference: reference.map(str::to_owned),
    }
}

async fn issue(store: &Store, state: &OAuthState) {
    store.issue(state).await.expect("a store that answers");
}

async fn consume(store: &Store, state: &str, browser: &str, now: EpochSeconds) -> Consumed {
    store.consume(state, browser, now).await.expect("a store that answers")
}

fn yes(reference: Option<&str>) -> Consumed {
    Consumed::Yes { reference: reference.map(str::to_owned) }
}

async fn once(store: &Store) {
    for (name, reference) in [("with a word", Some("campaign=spring & 🌱")), ("without", None)] {
        issue(store, &state(name, reference)).await;
        assert_eq!(consume(store, name, "browser", NOW).await, yes(reference));
        for _ in 0..2 {
            assert_eq!(consume(store, name, "browser", NOW).await, Consumed::Unknown, "{name}");
        }
    }
}

async fn one_winner(store: &Store) {
    issue(store, &state("raced", None)).await;
    let ends = join_all((0..20).map(|_| consume(store, "raced", "browser", NOW))).await;
    assert_eq!(ends.iter().filter(|end| **end == yes(None)).count(), 1);
    assert_eq!(ends.iter().filter(|end| **end == Consumed::Unknown).count(), 19);
}

async fn browsers(store: &Store) {
    issue(store, &state("watched", None)).await;
    for other in ["another", "browser ", "", "Browser"] {
        assert_eq!(consume(store, "watched", other, NOW).await, Consumed::OtherBrowser, "{other:?}");
    }
    assert_eq!(consume(store, "watched", "browser", NOW).await, yes(None));
}

async fn expiry(store: &Store) {
    issue(store, &state("old", None)).await;
    for late in [EXPIRES, EpochSeconds(EXPIRES.0 + 1), EpochSeconds(EXPIRES.0 + 86_400)] {
        assert_eq!(consume(store, "old", "browser", late).await, Consumed::Expired, "{late:?}");
    }
    assert_eq!(consume(store, "old", "browser", EpochSeconds(EXPIRES.0 - 1)).await, yes(None));
}

async fn unknown(store: &Store) {
    for name in ["never", "", "\u{0}", "S#never"] {
        assert_eq!(consume(store, name, "browser", NOW).await, Consumed::Unknown, "{name:?}");
    }
}

async fn tabs(store: &Store) {
    for tab in ["left", "right"] {
        issue(store, &state(tab, Some(tab))).await;
    }
    for tab in ["right", "left"] {
        assert_eq!(consume(store, tab, "browser", NOW).await, yes(Some(tab)));
    }
}

fn fault(aws: &Aws, action: &str, effect: Effect) {
    aws.local().faults().add(Fault {
        service: "dynamodb".to_owned(),
        action: action.to_owned(),
        resource: Some(STATE_TABLE.to_owned()),
        caller: None,
        contains: None,
        effect,
        times: Some(1),
    });
}

#[tokio::test(start_paused = true)]
async fn a_state_whose_reply_was_lost_is_kept_once_and_good_once() {
    let aws = stack();
    fault(&aws, "PutItem", Effect::LoseReply);
    issue(&aws.states(), &state("s", Some("word"))).await;
    assert_eq!(aws.local().dynamodb().items(STATE_TABLE).len(), 1);
    assert_eq!(consume(&aws.states(), "s", "browser", NOW).await, yes(Some("word")));
}

// The person clicks "Add to Slack" once more; a code that was exchanged twice would be worse.
#[tokio::test(start_paused = true)]
async fn a_use_whose_reply_was_lost_is_never_a_second_use() {
    let aws = stack();
    issue(&aws.states(), &state("s", None)).await;
    fault(&aws, "DeleteItem", Effect::LoseReply);
    assert_eq!(consume(&aws.states(), "s", "browser", NOW).await, Consumed::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_refuses_is_an_error_and_no_use() {
    let aws = stack();
    issue(&aws.states(), &state("s", None)).await;
    fault(&aws, "DeleteItem", Effect::Error { status: 400, code: "AccessDeniedException".to_owned() });
    let error = aws.states().consume("s", "browser", NOW).await.expect_err("refused");
    assert!(error.to_string().contains("AccessDeniedException"), "{error}");
    assert_eq!(consume(&aws.states(), "s", "browser", NOW).await, yes(None));
}

#[tokio::test(start_paused = true)]
async fn the_broom_takes_a_state_once_it_expired() {
    let aws = stack();
    issue(&aws.states(), &state("s", None)).await;
    let [item] = &aws.local().dynamodb().items(STATE_TABLE)[..] else { panic!("one item") };
    assert_eq!((item["pk"]["S"].as_str(), item["ck"]["S"].as_str()), (Some("S#s"), Some("browser")));
    assert_eq!(item["exp"]["N"], EXPIRES.0.to_string());
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(aws.local().dynamodb().sweep_ttl(), Ok(0));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(aws.local().dynamodb().sweep_ttl(), Ok(1));
}
