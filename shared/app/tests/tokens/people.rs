//! Tokens of people, beside the bot's and apart from it.

use crate::slack::{Request, locally};
use crate::world::{HOUR, LONG_AGO, NOW, SECOND, TEAM, TestApp, World, error, installed, ok, pair, with_user};
use secrecy::ExposeSecret;
use serde_json::json;
use std::time::Duration;
use tack_app::install::Token;
use tack_app::protocol::UserId;

/// The author of the published message.
const ADA: &str = "U0ADA0001";

/// Searches as the person who wrote, and says how it went.
fn searching(app: &mut TestApp) {
    app.message("").lazy("post", async |context, _| {
        let Some(user) = context.user() else { return Ok(()) };
        let Some(client) = context.user_client(user).await? else {
            context.resources().push("no token");
            return Ok(());
        };
        client.call("search.messages", &json!({ "query": "tack" })).await?;
        context.client().call("chat.postMessage", &json!({})).await?;
        Ok(())
    });
}

async fn world(answering: impl Fn(&Request) -> String + 'static, token: Option<Token>) -> World {
    let world = World::with(answering, searching, true).await;
    let bot = installed(TEAM, "xoxb-acme", LONG_AGO);
    world.install(&token.map_or(bot.clone(), |token| with_user(bot, ADA, token))).await;
    world
}

fn token(access: &str, lives: Option<Duration>) -> Token {
    Token {
        access: access.into(),
        refresh: lives.is_some().then(|| "xoxe-1-ada".into()),
        expires_at: lives.map(|lives| NOW.plus(lives)),
        version: Token::first_version(LONG_AGO),
    }
}

#[tokio::test]
async fn a_person_who_granted_scopes_is_called_for_with_their_own_token() {
    locally(async {
        let world = world(|_| ok(), Some(token("xoxp-ada", None))).await;
        assert_eq!((world.message().await, world.message().await), ("C1".to_owned(), "C1".to_owned()));
        let both = ["search.messages xoxp-ada", "chat.postMessage xoxb-acme"];
        assert_eq!(world.slack.lines(), [both, both].concat());
        assert_eq!(world.store.calls(), ["read", "read_user"], "both are remembered");
    })
    .await;
}

#[tokio::test]
async fn a_person_who_granted_none_has_no_client_and_a_grant_works_at_once() {
    locally(async {
        let world = world(|_| ok(), None).await;
        assert_eq!(world.message().await, "C1");
        assert_eq!(world.log.take(), ["no token"]);
        let bot = installed(TEAM, "xoxb-acme", NOW);
        world.install(&with_user(bot, ADA, token("xoxp-ada", None))).await;
        world.pass(SECOND);
        assert_eq!(world.message().await, "C1");
        assert!(world.log.take().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_persons_token_is_renewed_apart_from_the_bots() {
    locally(async {
        let answering = |request: &Request| match request.method.as_str() {
            "oauth.v2.access" => pair("xoxe.xoxp-new", "xoxe-1-new"),
            _ => ok(),
        };
        let world = world(answering, Some(token("xoxe.xoxp-old", Some(HOUR)))).await;
        let bot = world.stored();
        assert_eq!(world.message().await, "C1");
        let requests = world.slack.take();
        assert_eq!(requests[0].field("refresh_token"), Some("xoxe-1-ada"));
        assert_eq!(requests[1].line(), "search.messages xoxe.xoxp-new");
        assert_eq!(requests[2].line(), "chat.postMessage xoxb-acme");
        let key = crate::world::slot().key;
        let grant = world.store.inner.grant(&key, &UserId::new(ADA)).expect("a grant").token.expect("a token");
        assert_eq!((grant.access.expose_secret(), grant.version), ("xoxe.xoxp-new", bot.version + 1));
        assert_eq!(world.stored().version, bot.version);
    })
    .await;
}

#[tokio::test]
async fn a_persons_revoked_token_does_not_stop_the_bot() {
    locally(async {
        let answering = |request: &Request| match request.method.as_str() {
            "search.messages" => error("token_revoked"),
            _ => ok(),
        };
        let world = world(answering, Some(token("xoxp-ada", None))).await;
        assert_eq!(world.message().await, "C1: search.messages: Slack said token_revoked");
        assert_eq!(world.message().await, "C1", "the job runs, without that person's client");
        assert_eq!(world.log.take(), ["no token"]);
    })
    .await;
}
