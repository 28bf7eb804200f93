//! Tokens that Slack turns away: dropped for a minute, looked for again, and the call made once more if there is another.

use crate::slack::locally;
use crate::world::{LONG_AGO, NOW, SECOND, TEAM, World, error, installed, ok};
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
        ("invalid_auth", 1),
        ("account_inactive", 1),
        ("org_login_required", 1),
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
        let world = World::new(|_| error("invalid_auth")).await;
        world.install(&installed(TEAM, "xoxb-old", LONG_AGO)).await;
        world.event("reaction_added.json", |_| {}).await;
        world.install(&installed(TEAM, "xoxb-new", NOW)).await;
        world.pass(SECOND);
        world.message().await;
        assert_eq!(world.slack.take().len(), 2);
        assert_eq!(world.message().await, "C1: Slack does not accept the token of T0ACME001 (invalid_auth)");
        assert!(world.slack.take().is_empty());
    })
    .await;
}
