//! Posting to an incoming webhook: what it answers is what Slack's page on it says.
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>

use crate::lines::Lines;
use crate::slack::{Request, locally};
use crate::world::{LONG_AGO, SECOND, TEAM, TestApp, World, installed, ok, slot};
use tack_app::install::{Removal, WebhookTarget};
use tack_app::ports::InstallationStore;

const PATH: &str = "/services/T0PLAY001/B0/canary-address";

fn posting(app: &mut TestApp) {
    app.message("").lazy("post", async |context, _| {
        context.post_to_incoming_webhook("hello").await?;
        context.resources().push("posted");
        Ok(())
    });
}

/// A workspace with a webhook at this Slack, or without one.
async fn world(answering: impl Fn(&Request) -> String + 'static, has_webhook: bool) -> World {
    let world = World::with(answering, posting, true).await;
    let mut new = installed(TEAM, "xoxb-acme", LONG_AGO);
    if has_webhook {
        let channel = "#ops".to_owned();
        let target = WebhookTarget { channel, channel_id: "C0OPS".into(), configuration_url: None };
        new.installed.installation.webhook = Some(target);
        new.webhook_url = Some(world.slack.url.replace("/api/", PATH).into());
    }
    world.install(&new).await;
    world
}

fn refusing(status: u16, word: &str) -> String {
    format!("HTTP/1.1 {status} No\r\nretry-after: 30\r\ncontent-length: {}\r\n\r\n{word}", word.len())
}

#[tokio::test]
async fn a_message_goes_to_the_address_of_the_installation_without_a_token() {
    locally(async {
        let world = world(|_| "ok".to_owned(), true).await;
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.log.take(), ["posted"]);
        let requests = world.slack.take();
        assert_eq!((requests.len(), requests[0].method.as_str(), requests[0].credentials.as_str()), (1, PATH, ""));
        assert_eq!(requests[0].form[0].0, r#"{"text":"hello"}"#);
        assert_eq!(world.store.calls(), ["read", "read_webhook"], "it is read when it is needed");
    })
    .await;
}

#[tokio::test]
async fn jobs_that_post_nothing_do_not_read_the_address() {
    locally(async {
        let world = World::new(|_| ok()).await;
        world.install(&installed(TEAM, "xoxb-acme", LONG_AGO)).await;
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.store.calls(), ["read"]);
    })
    .await;
}

#[tokio::test]
async fn an_installation_without_a_webhook_is_a_mistake_of_the_listener() {
    locally(async {
        let world = world(|_| "ok".to_owned(), false).await;
        let end = world.message().await;
        assert!(end.starts_with("P1: ") && end.contains("incoming-webhook"), "{end}");
        assert!(world.slack.take().is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_slack_says_no_with_decides_what_becomes_of_the_job_and_the_address_is_told_nowhere() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        for (status, word, expected) in [
            (404, "no_service", "C1: incoming_webhook: Slack said no_service"),
            (410, "channel_is_archived", "C1: incoming_webhook: Slack said channel_is_archived"),
            (404, "<html>canary-address</html>", "C1: incoming_webhook: Slack said no_service"),
            (400, "invalid_payload", "P1: incoming_webhook: Slack said invalid_payload"),
            (403, "action_prohibited", "P1: incoming_webhook: Slack said action_prohibited"),
            (403, "<html>canary-address</html>", "P1: incoming_webhook: HTTP status 403"),
            (500, "rollup_error", "I1: incoming_webhook: HTTP status 500"),
            (429, "", "I1: incoming_webhook: rate limited for 30 s"),
        ] {
            let world = world(move |_| refusing(status, word), true).await;
            assert_eq!(world.message().await, expected, "{status} {word}");
            assert!(world.log.take().is_empty(), "{status} {word}");
            let dump = format!("{:?} {}", world.store.inner.installed(&slot().key), lines.text());
            assert!(dump.contains("incoming_webhook") && !dump.contains("canary"), "{status} {word}: {dump}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_went_since_the_installation_was_read_discards_the_job() {
    locally(async {
        let world = world(|_| "ok".to_owned(), true).await;
        assert_eq!(world.message().await, "C1");
        let removed = world.store.inner.remove(&slot().key, &Removal::Bot, LONG_AGO.seconds()).await;
        removed.expect("a store in memory");
        world.pass(SECOND);
        let end = world.message().await;
        assert!(end.starts_with("C1: incoming_webhook: "), "{end}");
        assert_eq!(world.slack.take().len(), 1);
    })
    .await;
}
