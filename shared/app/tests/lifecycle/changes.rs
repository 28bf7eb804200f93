//! What each event changes in the store: in any order, twice, late.

use crate::world::{
    LIFECYCLE, LONG_AGO, Log, NOW, REVOKED, TEAM, UNINSTALLED, UNINSTALLED_AT, World, installation, notice, published,
    register, with_user, work,
};
use serde_json::json;
use std::time::Duration;
use tack_app::install::InstallKey;
use tack_app::protocol::{Envelope, EpochMs};
use tack_app::{App, Authorize, LazyPhase};

fn nothing(_: &mut App<LazyPhase, Log>) {}

fn key() -> InstallKey {
    InstallKey::Team(TEAM.into())
}

/// The event that Slack dates a second later, under a name of its own.
fn again(file: &str) -> Envelope {
    notice(file, |root| {
        root["event_id"] = json!("Ev0AGAIN001");
        root["event_time"] = json!(UNINSTALLED_AT.0 / 1000 + 1);
    })
}

#[tokio::test(start_paused = true)]
async fn a_revoked_bot_token_is_deleted_and_the_record_stays() {
    let world = World::new();
    world.install(with_user(installation(TEAM, LONG_AGO), "U0BOB0001")).await;
    let sent = world.handle(&world.worker(register), published(REVOKED)).await;
    assert_eq!(world.end(&sent, LIFECYCLE), "C1");
    let at = EpochMs(UNINSTALLED_AT.0 - 1000);
    assert_eq!(world.gone(TEAM), Some((at, "revoked".to_owned(), None)));
    // Slack names Ada's token; Bob's lives.
    assert!(world.installations.grant(&key(), &"U0BOB0001".into()).expect("a grant").token.is_some());
    assert!(world.log.take().is_empty(), "nothing was uninstalled");
}

#[tokio::test(start_paused = true)]
async fn a_persons_revoked_token_leaves_the_bots_alone() {
    for tokens in [json!({ "oauth": ["U0ADA0001"] }), json!({ "oauth": ["U0ADA0001"], "bot": [] })] {
        let world = World::new();
        world.install(with_user(installation(TEAM, LONG_AGO), "U0ADA0001")).await;
        let revoked = notice(REVOKED, |root| root["event"]["tokens"] = tokens.clone());
        world.handle(&world.worker(register), revoked).await;
        assert_eq!(world.gone(TEAM), None, "{tokens}");
        assert!(world.installations.grant(&key(), &"U0ADA0001".into()).expect("a grant").token.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_bot_token_leaves_peoples_alone_and_no_list_at_all_changes_nothing() {
    for (tokens, gone) in [(json!({ "bot": ["U0TACKBOT"] }), true), (json!({}), false), (json!(null), false)] {
        let world = World::new();
        world.install(with_user(installation(TEAM, LONG_AGO), "U0ADA0001")).await;
        let revoked = notice(REVOKED, |root| root["event"]["tokens"] = tokens.clone());
        let sent = world.handle(&world.worker(register), revoked).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1", "{tokens}");
        assert_eq!(world.gone(TEAM).is_some(), gone, "{tokens}");
        assert!(world.installations.grant(&key(), &"U0ADA0001".into()).expect("a grant").token.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn the_order_of_the_two_events_makes_no_difference() {
    let grace = Duration::from_secs(7 * 24 * 3600);
    let orders = [vec![UNINSTALLED, REVOKED], vec![REVOKED, UNINSTALLED], vec![UNINSTALLED]];
    for order in orders {
        let world = World::with_grace(grace);
        world.install(with_user(installation(TEAM, LONG_AGO), "U0ADA0001")).await;
        let worker = world.worker(register);
        for file in &order {
            let sent = world.handle(&worker, published(file)).await;
            assert_eq!(world.end(&sent, LIFECYCLE), "C1", "{order:?}");
        }
        let expected = (UNINSTALLED_AT, "uninstalled".to_owned(), Some(UNINSTALLED_AT.plus(grace)));
        assert_eq!(world.gone(TEAM), Some(expected), "{order:?}");
        assert!(world.installations.grant(&key(), &"U0ADA0001".into()).is_none_or(|grant| grant.token.is_none()));
        assert_eq!(world.log.take(), [format!("uninstalled at {}", UNINSTALLED_AT.0)], "{order:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_the_same_event_sent_twice_and_of_a_second_one_only_the_first_counts() {
    let world = World::with_grace(Duration::from_secs(3600));
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(register);
    world.handle(&worker, published(UNINSTALLED)).await;
    let first = world.gone(TEAM);
    world.handle(&worker, published(UNINSTALLED)).await;
    let second = world.handle(&worker, again(UNINSTALLED)).await;
    assert_eq!(world.end(&second, LIFECYCLE), "C1");
    assert_eq!(world.gone(TEAM), first);
    assert_eq!(world.log.take().len(), 1, "the app hears of it once");
}

#[tokio::test(start_paused = true)]
async fn an_event_from_before_a_reinstallation_does_nothing() {
    // A second after the event: whole seconds are all that Slack tells.
    let reinstalled = EpochMs(UNINSTALLED_AT.0 + 1000);
    for (file, event) in [(UNINSTALLED, published(UNINSTALLED)), (REVOKED, published(REVOKED))] {
        let world = World::new();
        world.install(installation(TEAM, LONG_AGO)).await;
        world.install(with_user(installation(TEAM, reinstalled), "U0ADA0001")).await;
        let sent = world.handle(&world.worker(register), event).await;
        let expected = "C1: T0ACME001 was installed again after this: nothing was changed";
        assert_eq!(world.end(&sent, LIFECYCLE), expected, "{file}");
        assert_eq!(world.gone(TEAM), None, "{file}");
        assert!(world.installations.grant(&key(), &"U0ADA0001".into()).expect("a grant").token.is_some(), "{file}");
        assert!(world.log.take().is_empty() && world.waiting().is_empty(), "{file}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_of_the_second_of_the_installation_counts() {
    let world = World::new();
    world.install(installation(TEAM, EpochMs(UNINSTALLED_AT.0 + 999))).await;
    world.handle(&world.worker(register), published(UNINSTALLED)).await;
    assert_eq!(world.log.take().len(), 2, "uninstalled and purged");
}

#[tokio::test(start_paused = true)]
async fn an_event_without_a_date_is_dated_by_its_arrival() {
    let undated = || {
        notice(REVOKED, |root| {
            root.as_object_mut().expect("an object").remove("event_time");
        })
    };
    for (installed_at, gone) in [(NOW, true), (EpochMs(NOW.0 + 1000), false)] {
        let world = World::new();
        world.install(installation(TEAM, installed_at)).await;
        world.handle(&world.worker(register), undated()).await;
        assert_eq!(world.gone(TEAM).is_some(), gone, "{installed_at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_of_a_workspace_that_is_not_known_ends_with_that_reason() {
    let world = World::new();
    world.install(installation("T0OTHER01", LONG_AGO)).await;
    let worker = world.worker(register);
    for file in [UNINSTALLED, REVOKED] {
        let sent = world.handle(&worker, published(file)).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1: not installed in T0ACME001");
    }
    assert_eq!(world.gone("T0OTHER01"), None);
    let nowhere = notice(UNINSTALLED, |root| {
        root["event_id"] = json!("Ev0NOWHERE1");
        root["team_id"] = json!(null);
    });
    let sent = world.handle(&worker, nowhere).await;
    assert!(world.end(&sent, LIFECYCLE).ends_with("names neither workspace nor organisation"));
}

#[tokio::test(start_paused = true)]
async fn with_a_fixed_token_there_is_nothing_to_change() {
    let world = World::new();
    let single = Authorize::SingleWorkspace { bot_token: "xoxb-not-a-real-token".into() };
    let worker = world.worker_with(single, register);
    for file in [UNINSTALLED, REVOKED] {
        let sent = world.handle(&worker, published(file)).await;
        assert_eq!(world.end(&sent, LIFECYCLE), "C1");
    }
    assert!(world.log.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn this_process_forgets_the_tenant_at_once() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let worker = world.worker(|app| {
        app.event("app_mention").lazy("mention", async |context, _| {
            context.resources().push("mentioned");
            Ok(())
        });
    });
    let mention = |id: &str| work(notice("app_mention.json", |root| root["event_id"] = json!(id)), &["mention"]);
    world.send(&mention("Ev1")).await;
    world.batch(&worker).await;
    assert_eq!(world.log.take(), ["mentioned"]);
    // Within the minute for which a look-up is remembered.
    world.handle(&worker, published(REVOKED)).await;
    let late = mention("Ev2");
    world.send(&late).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.log.take().is_empty());
    assert!(world.end(&late, "mention").starts_with("C1: "), "{}", world.end(&late, "mention"));
    world.install(installation(TEAM, NOW)).await;
    world.pass(Duration::from_millis(1_001));
    world.send(&mention("Ev3")).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["mentioned"], "and knows a reinstallation as soon");
}

#[tokio::test(start_paused = true)]
async fn work_of_the_apps_own_that_claims_to_be_such_an_event_is_for_a_person() {
    let world = World::new();
    world.install(installation(TEAM, LONG_AGO)).await;
    let forged = json!({ "v": 1, "origin": "app", "job": LIFECYCLE, "team": TEAM, "key": "k" }).to_string();
    world.send_own(&forged).await;
    assert_eq!(world.batch(&world.worker(nothing)).await, 0);
    assert_eq!(world.sending.queue.letters().len(), 1);
    assert_eq!(world.gone(TEAM), None);
}
