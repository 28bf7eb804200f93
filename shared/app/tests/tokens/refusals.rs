//! Tokens that Slack turns away: dropped for a minute, looked for again, and the call made once more if there is another.

use crate::slack::locally;
use crate::world::{HOUR, LONG_AGO, MESSAGE, NOW, SECOND, TEAM, World, error, expiring, installed, ok};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const DEAD: &str = "C1: Slack does not accept the token of T0ACME001 (token_revoked)";

#[tokio::test]
async fn jobs_of_a_revoked_token_are_dropped_without_a_call_and_nearly_without_a_read() {
    locally(async {
        let world = World::new(|_| error("token_revoked")).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        assert_eq!(world.message().await, "C1: chat.postMessage: Slack said token_revoked");
        assert_eq!((world.slack.take().len(), world.store.calls()), (1, vec!["read"]));
        for _ in 0..50 {
            assert_eq!(world.message().await, DEAD);
            world.pass(Duration::from_millis(100));
        }
        assert_eq!((world.slack.take().len(), world.store.calls().len()), (0, 4), "one read a second");
    })
    .await;
}

#[tokio::test]
async fn after_a_minute_slack_is_asked_again() {
    locally(async {
        let world = World::new(|_| error("account_inactive")).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        world.message().await;
        world.pass(SECOND * 60);
        world.message().await;
        assert_eq!(world.slack.take().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn every_word_for_a_dead_token_counts_and_no_other_does() {
    for (word, calls) in [
        ("token_revoked", 1),
        ("account_inactive", 1),
        ("invalid_auth", 2),
        ("org_login_required", 2),
        ("team_added_to_org", 2),
        ("channel_not_found", 2),
        ("missing_scope", 2),
        ("not_in_channel", 2),
    ] {
        locally(async {
            let world = World::new(move |_| error(word)).await;
            world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
            world.message().await;
            world.message().await;
            assert_eq!(world.slack.take().len(), calls, "{word}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_reinstallation_works_at_once_though_the_old_token_was_revoked() {
    locally(async {
        let world = World::new(|request| match request.credentials.as_str() {
            "xoxb-old" => error("token_revoked"),
            _ => ok(),
        })
        .await;
        world.install(&installed(TEAM, "xoxb-old", LONG_AGO)).await;
        world.message().await;
        world.install(&installed(TEAM, "xoxb-new", NOW)).await;
        world.pass(SECOND);
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-old", "chat.postMessage xoxb-new"]);
    })
    .await;
}

#[tokio::test]
async fn a_call_with_a_token_that_was_replaced_meanwhile_is_made_once_more_with_the_new_one() {
    locally(async {
        let world = World::new(|request| match request.credentials.as_str() {
            "xoxb-old" => error("token_revoked"),
            _ => ok(),
        })
        .await;
        world.install(&installed(TEAM, "xoxb-old", LONG_AGO)).await;
        world.event("reaction_added.json", |_| {}).await;
        world.store.calls();
        world.install(&installed(TEAM, "xoxb-new", NOW)).await;
        world.pass(SECOND);
        // What was remembered is the old one.
        assert_eq!(world.message().await, "C1", "the listener sees nothing of it");
        assert_eq!(world.slack.lines(), ["chat.postMessage xoxb-old", "chat.postMessage xoxb-new"]);
        assert_eq!(world.store.calls(), ["read"]);
    })
    .await;
}

#[tokio::test]
async fn a_new_token_that_is_turned_away_too_is_dropped_too() {
    locally(async {
        let world = World::new(|_| error("token_revoked")).await;
        world.install(&installed(TEAM, "xoxb-old", LONG_AGO)).await;
        world.event("reaction_added.json", |_| {}).await;
        world.install(&installed(TEAM, "xoxb-new", NOW)).await;
        world.pass(SECOND);
        world.message().await;
        assert_eq!(world.slack.take().len(), 2);
        assert_eq!(world.message().await, DEAD);
        assert!(world.slack.take().is_empty());
    })
    .await;
}

// A migration into an organisation that is under way, or an address that the app's own list does not allow.
#[tokio::test]
async fn a_word_that_need_not_mean_a_dead_token_loses_no_job() {
    for word in ["invalid_auth", "org_login_required", "team_added_to_org"] {
        locally(async {
            let is_well = Rc::new(Cell::new(false));
            let told = Rc::clone(&is_well);
            let world = World::new(move |_| if told.get() { ok() } else { error(word) }).await;
            world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
            let works = [world.send(MESSAGE, |_| {}).await, world.send(MESSAGE, |_| {}).await];
            assert_eq!(world.batch().await, 2);
            for work in &works {
                assert_eq!(world.end(work), format!("I1: chat.postMessage: Slack said {word}"));
            }
            is_well.set(true);
            world.pass(SECOND * 11);
            assert_eq!(world.batch().await, 0);
            assert!(works.iter().all(|work| world.end(work).starts_with("C2")), "{word}");
        })
        .await;
    }
}

#[tokio::test]
async fn of_a_token_that_may_be_wrong_another_is_looked_for_once_a_second_and_none_is_fetched() {
    locally(async {
        let world = World::new(|_| error("invalid_auth")).await;
        world.install(&expiring("xoxe.xoxb-old", "xoxe-1-old", HOUR * 11)).await;
        for _ in 0..30 {
            world.message().await;
            world.pass(Duration::from_millis(100));
        }
        let calls = world.store.calls();
        assert!(calls.len() <= 4 && calls.iter().all(|call| *call == "read"), "{calls:?}");
        assert!(world.slack.take().iter().all(|request| request.method == "chat.postMessage"));
        world.install(&installed(TEAM, "xoxb-new", NOW)).await;
        world.pass(SECOND);
        world.message().await;
        assert!(world.slack.lines().contains(&"chat.postMessage xoxb-new".to_owned()));
    })
    .await;
}
