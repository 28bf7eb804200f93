//! Renewals on an operator's word.

use crate::slack::{Request, locally};
use crate::world::{HOUR, LONG_AGO, NOW, SECOND, TEAM, World, error, expiring, installed, ok, pair, posting, slot};
use secrecy::ExposeSecret;
use tack_app::install::RenewError;

fn answering(request: &Request) -> String {
    match request.method.as_str() {
        "oauth.v2.access" | "oauth.v2.exchange" => pair("xoxe.xoxb-new", "xoxe-1-new"),
        _ => ok(),
    }
}

#[tokio::test]
async fn a_token_is_renewed_at_once_and_used_at_once() {
    locally(async {
        let world = World::new(answering).await;
        world.install(&expiring("xoxe.xoxb-old", "xoxe-1-old", HOUR * 11)).await;
        world.message().await;
        let expires = world.tokens.renew(&slot()).await.expect("a renewal");
        assert_eq!(expires, Some(NOW.plus(HOUR * 12)));
        world.message().await;
        assert_eq!(world.slack.lines().last().map(String::as_str), Some("chat.postMessage xoxe.xoxb-new"));
    })
    .await;
}

#[tokio::test]
async fn a_token_that_lives_for_ever_is_exchanged_once_and_from_then_on_expires() {
    locally(async {
        let world = World::new(answering).await;
        world.install(&installed(TEAM, "xoxb-long-lived", LONG_AGO)).await;
        assert!(matches!(world.tokens.renew(&slot()).await, Err(RenewError::LongLived)));
        world.tokens.exchange(&slot()).await.expect("an exchange");
        let [request] = &world.slack.take()[..] else { panic!("one call") };
        assert_eq!((request.method.as_str(), request.field("token")), ("oauth.v2.exchange", Some("xoxb-long-lived")));
        let stored = world.stored();
        assert_eq!(stored.access.expose_secret(), "xoxe.xoxb-new");
        assert_eq!(stored.expires_at, Some(NOW.plus(HOUR * 12)));
        assert!(stored.refresh.is_some());
        assert!(matches!(world.tokens.exchange(&slot()).await, Err(RenewError::Expires)));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_says_slacks_word_and_changes_nothing() {
    locally(async {
        let world = World::new(|_| error("token_rotation_not_enabled")).await;
        world.install(&installed(TEAM, "xoxb-long-lived", LONG_AGO)).await;
        let refused = world.tokens.exchange(&slot()).await;
        assert!(
            matches!(&refused, Err(RenewError::Refused(word)) if word == "token_rotation_not_enabled"),
            "{refused:?}"
        );
        assert_eq!(world.stored().access.expose_secret(), "xoxb-long-lived");
    })
    .await;
}

#[tokio::test]
async fn while_a_worker_renews_it_an_operator_is_told_so() {
    locally(async {
        let world = World::new(answering).await;
        world.install(&expiring("xoxe.xoxb-old", "xoxe-1-old", HOUR)).await;
        world.taken_by_another(SECOND * 10).await;
        assert!(matches!(world.tokens.renew(&slot()).await, Err(RenewError::Busy)));
        assert!(world.slack.take().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_missing_is_said() {
    locally(async {
        let world = World::new(answering).await;
        assert!(matches!(world.tokens.renew(&slot()).await, Err(RenewError::NoToken)));
        let without = World::with(answering, posting, false).await;
        assert!(matches!(without.tokens.renew(&slot()).await, Err(RenewError::NoCredentials)));
    })
    .await;
}
