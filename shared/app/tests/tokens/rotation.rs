//! Tokens that expire: renewed early, by one worker, and never so that the old one is lost before the new one is kept.

use crate::slack::{Request, locally};
use crate::world::{
    HOUR, LONG_AGO, MESSAGE, NOW, SECOND, TEAM, World, error, expiring, installed, ok, pair, posting, slot,
};
use secrecy::ExposeSecret;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tack_app::install::{InstallKey, Removal, Token};
use tack_app::memory::MemoryInstallationStore;
use tack_app::ports::InstallationStore;

const OLD: &str = "xoxe.xoxb-old";
const NEW: &str = "xoxe.xoxb-new";

/// A Slack that renews, and takes both tokens.
fn renewing(request: &Request) -> String {
    match request.method.as_str() {
        "oauth.v2.access" => pair(NEW, "xoxe-1-new"),
        _ => ok(),
    }
}

fn refusing(word: &'static str) -> impl Fn(&Request) -> String {
    move |request| match request.method.as_str() {
        "oauth.v2.access" => error(word),
        _ => ok(),
    }
}

#[tokio::test]
async fn a_token_with_two_hours_left_is_used_as_it_is() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR * 2)).await;
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxe.xoxb-old"]);
        assert_eq!(world.store.calls(), ["read"]);
    })
    .await;
}

#[tokio::test]
async fn with_less_it_is_renewed_and_both_halves_of_the_new_pair_are_kept() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR * 2 - SECOND)).await;
        let before = world.stored();
        assert_eq!(world.message().await, "C1");
        let [renewal, call] = &world.slack.take()[..] else { panic!("a renewal and a call") };
        assert_eq!(renewal.method, "oauth.v2.access");
        assert_eq!(renewal.field("grant_type"), Some("refresh_token"));
        assert_eq!(renewal.field("refresh_token"), Some("xoxe-1-old"));
        assert_eq!(call.line(), "chat.postMessage xoxe.xoxb-new");
        let stored = world.stored();
        assert_eq!(stored.access.expose_secret(), NEW);
        assert_eq!(stored.refresh.expect("a refresh token").expose_secret(), "xoxe-1-new");
        assert_eq!(stored.expires_at, Some(NOW.plus(HOUR * 12)));
        assert_eq!(stored.version, before.version + 1);
        assert_eq!(world.store.calls(), ["read", "lease", "renew"]);
        world.message().await;
        assert!(world.store.calls().is_empty(), "the new one is remembered");
    })
    .await;
}

#[tokio::test]
async fn of_jobs_that_come_together_one_renews_and_the_others_use_the_old_token() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        for _ in 0..10 {
            world.send(MESSAGE, |_| {}).await;
        }
        assert_eq!(world.batch().await, 0);
        let lines = world.slack.lines();
        let count = |wanted: &str| lines.iter().filter(|line| line.starts_with(wanted)).count();
        assert_eq!((count("oauth.v2.access"), count("chat.postMessage")), (1, 10), "{lines:?}");
        assert!(count("chat.postMessage xoxe.xoxb-old") >= 1, "{lines:?}");
    })
    .await;
}

#[tokio::test]
async fn of_jobs_that_come_together_after_the_end_all_wait_for_one_renewal() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.pass(HOUR);
        for _ in 0..10 {
            world.send(MESSAGE, |_| {}).await;
        }
        assert_eq!(world.batch().await, 0);
        let lines = world.slack.lines();
        assert!(lines[0].starts_with("oauth.v2.access"), "{lines:?}");
        assert_eq!(lines[1..], vec!["chat.postMessage xoxe.xoxb-new"; 10]);
    })
    .await;
}

#[tokio::test]
async fn while_another_worker_renews_the_old_token_is_used_as_long_as_it_lives() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.taken_by_another(SECOND * 10).await;
        assert_eq!((world.message().await, world.message().await), ("C1".to_owned(), "C1".to_owned()));
        assert_eq!(world.slack.lines(), vec!["chat.postMessage xoxe.xoxb-old"; 2]);
        assert_eq!(world.store.calls(), ["read", "lease"], "it is asked for once");
    })
    .await;
}

#[tokio::test]
async fn after_its_end_a_job_waits_for_the_other_worker_without_costing_an_attempt() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.pass(HOUR);
        let lease = world.taken_by_another(SECOND * 10).await;
        let work = world.send(MESSAGE, |_| {}).await;
        assert_eq!(world.batch().await, 1);
        assert_eq!(world.end(&work), "I0: its token expired and is being renewed by another worker");
        let wait = world.postponed();
        assert!((SECOND * 10..SECOND * 11).contains(&wait), "{wait:?}");
        assert!(world.slack.lines().is_empty());
        let token = Token {
            access: "xoxe.xoxb-theirs".into(),
            refresh: Some("xoxe-1-theirs".into()),
            expires_at: Some(NOW.plus(HOUR * 13)),
            version: lease.version + 1,
        };
        world.store.inner.renew(&lease, &token).await.expect("a store");
        world.pass(wait + Duration::from_millis(1));
        assert_eq!(world.batch().await, 0);
        assert!(world.end(&work).starts_with("C1"), "{}", world.end(&work));
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxe.xoxb-theirs"]);
    })
    .await;
}

#[tokio::test]
async fn of_a_worker_that_died_with_the_lease_the_next_takes_over_when_it_ends() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.taken_by_another(SECOND * 10).await;
        world.message().await;
        world.pass(SECOND * 11);
        world.message().await;
        assert_eq!(
            world.slack.take().iter().map(|request| request.method.clone()).collect::<Vec<_>>(),
            ["chat.postMessage", "oauth.v2.access", "chat.postMessage"]
        );
        assert_eq!(world.stored().access.expose_secret(), NEW);
    })
    .await;
}

#[tokio::test]
async fn a_refused_renewal_leaves_the_old_token_in_use_and_is_not_repeated_for_five_minutes() {
    locally(async {
        let world = World::new(refusing("invalid_refresh_token")).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        for _ in 0..5 {
            assert_eq!(world.message().await, "C1");
            world.pass(SECOND * 59);
        }
        let renewals = |lines: Vec<String>| lines.iter().filter(|line| line.starts_with("oauth")).count();
        assert_eq!(renewals(world.slack.lines()), 1);
        world.pass(SECOND * 10);
        assert_eq!(world.message().await, "C1");
        assert_eq!(renewals(world.slack.lines()), 1, "now it is tried again");
    })
    .await;
}

#[tokio::test]
async fn trouble_of_slacks_own_is_believed_no_longer_than_a_lease() {
    locally(async {
        for word in ["ratelimited", "internal_error"] {
            let world = World::new(refusing(word)).await;
            world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
            for _ in 0..2 {
                assert_eq!(world.message().await, "C1");
                world.pass(SECOND * 11);
            }
            let lines = world.slack.lines();
            assert_eq!(lines.iter().filter(|line| line.starts_with("oauth")).count(), 2, "{word}: {lines:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_spent_refresh_token_ends_the_installation_with_the_old_token_until_it_is_installed_again() {
    locally(async {
        let world = World::new(refusing("invalid_refresh_token")).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.pass(HOUR);
        let lost = "C1: its token expired, and Slack refused to renew it (invalid_refresh_token): the app has to be \
                    installed again";
        assert_eq!((world.message().await.as_str(), world.message().await.as_str()), (lost, lost));
        assert_eq!(world.slack.take().len(), 1, "one renewal, and no call");
        world.install(&installed(TEAM, "xoxb-again", NOW)).await;
        world.pass(SECOND);
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-again"]);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_that_an_operator_can_mend_loses_no_job() {
    locally(async {
        let world = World::new(refusing("bad_client_secret")).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.pass(HOUR);
        let end = world.message().await;
        assert_eq!(end, "I0: its token expired, and Slack refused to renew it (bad_client_secret)");
    })
    .await;
}

#[tokio::test]
async fn without_the_client_secret_a_token_is_used_to_its_end_and_then_jobs_wait() {
    locally(async {
        let world = World::with(renewing, posting, false).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        assert_eq!(world.message().await, "C1");
        world.pass(HOUR);
        let end = world.message().await;
        assert!(end.starts_with("I0: ") && end.contains("SLACK_CLIENT_SECRET"), "{end}");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxe.xoxb-old"]);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_the_lease_to_its_end_and_then_the_same_refresh_token_is_tried() {
    locally(async {
        let world = World::new(|request| match request.method.as_str() {
            "oauth.v2.access" => "<html>".to_owned(),
            _ => ok(),
        })
        .await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        assert_eq!((world.message().await, world.message().await), ("C1".to_owned(), "C1".to_owned()));
        world.pass(SECOND * 11);
        world.message().await;
        let requests = world.slack.take();
        let renewals: Vec<_> = requests.iter().filter_map(|request| request.field("refresh_token")).collect();
        assert_eq!(renewals, ["xoxe-1-old", "xoxe-1-old"]);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_slack_calls_expired_is_renewed_and_the_call_made_once_more() {
    locally(async {
        let world = World::new(|request| match (request.method.as_str(), request.credentials.as_str()) {
            ("oauth.v2.access", _) => pair(NEW, "xoxe-1-new"),
            (_, OLD) => error("token_expired"),
            _ => ok(),
        })
        .await;
        // By our clock it lives for hours.
        world.install(&expiring(OLD, "xoxe-1-old", HOUR * 11)).await;
        assert_eq!(world.message().await, "C1", "the listener sees nothing of it");
        let methods: Vec<_> = world.slack.take().iter().map(|request| request.method.clone()).collect();
        assert_eq!(methods, ["chat.postMessage", "oauth.v2.access", "chat.postMessage"]);
        assert_eq!(world.stored().access.expose_secret(), NEW);
    })
    .await;
}

#[tokio::test]
async fn a_call_is_made_twice_and_not_three_times() {
    locally(async {
        let world = World::new(|request| match request.method.as_str() {
            "oauth.v2.access" => pair(NEW, "xoxe-1-new"),
            _ => error("token_expired"),
        })
        .await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR * 11)).await;
        assert_eq!(world.message().await, "C1: chat.postMessage: Slack said token_expired");
        assert_eq!(world.slack.take().len(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_token_that_another_worker_replaced_is_taken_from_the_store_and_not_renewed() {
    locally(async {
        let world = World::new(|request| match (request.method.as_str(), request.credentials.as_str()) {
            (_, OLD) => error("token_expired"),
            _ => ok(),
        })
        .await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR * 11)).await;
        world.event("reaction_added.json", |_| {}).await;
        world.slack.take();
        let lease = world.taken_by_another(SECOND * 10).await;
        let token = Token {
            access: NEW.into(),
            refresh: Some("xoxe-1-new".into()),
            expires_at: Some(NOW.plus(HOUR * 12)),
            version: lease.version + 1,
        };
        world.store.inner.renew(&lease, &token).await.expect("a store");
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines().last().map(String::as_str), Some("chat.postMessage xoxe.xoxb-new"));
        assert_eq!(world.stored().version, lease.version + 1, "nobody renewed it again");
    })
    .await;
}

/// What is done to the store while Slack renews.
async fn while_renewing(act: impl Fn(&MemoryInstallationStore) + 'static) -> (World, String) {
    let store: Rc<RefCell<Option<MemoryInstallationStore>>> = Rc::default();
    let known = Rc::clone(&store);
    let world = World::new(move |request| {
        if request.method == "oauth.v2.access" {
            act(known.borrow().as_ref().expect("a store"));
        }
        renewing(request)
    })
    .await;
    *store.borrow_mut() = Some(world.store.inner.clone());
    world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
    let end = world.message().await;
    (world, end)
}

fn now<T>(work: impl Future<Output = T>) -> T {
    futures_util::FutureExt::now_or_never(work).expect("a store in memory does not wait")
}

#[tokio::test]
async fn an_uninstallation_during_a_renewal_is_not_undone_by_it() {
    locally(async {
        let (world, end) = while_renewing(|store| {
            let removal = Removal::Everything { purge_at: NOW };
            now(store.remove(&slot().key, &removal, NOW.seconds())).expect("a store");
        })
        .await;
        assert!(end.starts_with("C1: not installed in T0ACME001: uninstalled"), "{end}");
        let row = world.store.inner.installed(&InstallKey::Team(TEAM.into())).expect("a tombstone");
        assert!(row.token.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_reinstallation_during_a_renewal_is_not_undone_by_it() {
    locally(async {
        let (world, end) = while_renewing(|store| {
            now(store.save(&installed(TEAM, "xoxb-again", NOW))).expect("a store");
        })
        .await;
        assert_eq!(end, "C1");
        assert_eq!(world.slack.lines().last().map(String::as_str), Some("chat.postMessage xoxb-again"));
        assert_eq!(world.stored().version, Token::first_version(NOW));
        assert!(LONG_AGO < NOW);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_may_be_taken_is_asked_for_again_and_a_new_pair_is_written_until_it_is_stored() {
    locally(async {
        for call in ["lease", "renew"] {
            let world = World::new(renewing).await;
            world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
            world.store.fail(call, 1);
            assert_eq!(world.message().await, "C1");
            assert_eq!(world.stored().access.expose_secret(), NEW, "{call}");
            let methods: Vec<_> = world.slack.take().iter().map(|request| request.method.clone()).collect();
            assert_eq!(methods, ["oauth.v2.access", "chat.postMessage"]);
            assert_eq!(world.store.calls().iter().filter(|known| **known == call).count(), 2);
        }
    })
    .await;
}

#[tokio::test]
async fn without_a_lease_slack_is_not_asked() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.store.fail("lease", 9);
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxe.xoxb-old"]);
    })
    .await;
}

/// How long this many receipts of the only message take, each at the time that was asked for.
async fn time_of_receipts(world: &World, receipts: u32) -> Duration {
    for _ in 0..receipts {
        assert_eq!(world.batch().await, 1);
        // SQS takes whole seconds, and is never early.
        world
            .pass(Duration::from_secs(world.postponed().as_millis().div_ceil(1000) as u64) + Duration::from_millis(20));
    }
    world.passed()
}

// SQS gives a message up after 60 receipts, and the workspace was quiet overnight.
#[tokio::test]
async fn an_outage_of_slacks_renewals_is_waited_for_for_hours() {
    for answer in ["<html>", r#"{"ok":false,"error":"bad_client_secret"}"#] {
        locally(async {
            let world = World::new(move |request| match request.method.as_str() {
                "oauth.v2.access" => answer.to_owned(),
                _ => ok(),
            })
            .await;
            world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
            world.pass(HOUR);
            let work = world.send(MESSAGE, |_| {}).await;
            let passed = time_of_receipts(&world, 59).await;
            assert!(passed > HOUR * 5, "{passed:?}");
            assert!(world.end(&work).starts_with("I0: "), "{}", world.end(&work));
            assert_eq!(world.batch().await, 0, "the queue would give it up without a word");
            let end = world.end(&work);
            assert!(end.starts_with('P') && end.contains("could not start at any of 60 receipts"), "{end}");
        })
        .await;
    }
}

#[tokio::test]
async fn others_who_fail_one_after_the_other_are_waited_for_for_hours_too() {
    locally(async {
        let world = World::new(renewing).await;
        world.install(&expiring(OLD, "xoxe-1-old", HOUR)).await;
        world.pass(HOUR);
        // Each has its lease for ten seconds; this one stands for all of them.
        let lease = || world.taken_by_another(SECOND * 10);
        world.send(MESSAGE, |_| {}).await;
        for _ in 0..59 {
            lease().await;
            time_of_receipts(&world, 1).await;
        }
        assert!(world.passed() > HOUR * 5, "{:?}", world.passed());
    })
    .await;
}
