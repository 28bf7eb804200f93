//! Errors of adopters: what Slack said decides, however many errors of their own they put around it.

use crate::world::{TestWorker, World, assert_seconds};
use std::error::Error;
use std::time::Duration;
use tack_app::{ClientError, ListenerError};

/// An adopter's own error.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("the shop cannot tell anybody")]
    Telling(#[from] ClientError),
    #[error("the shop is shut")]
    Shut,
    #[error("the order was not taken")]
    Order(#[source] Box<ShopError>),
}

fn slack(code: &str) -> ClientError {
    ClientError::Slack { method: "chat.postMessage".to_owned(), code: code.to_owned(), detail: None }
}

fn rate_limited() -> ClientError {
    ClientError::RateLimited { method: "chat.postMessage".to_owned(), retry_after: Duration::from_secs(40) }
}

/// State and reason of a job that ended with this error, and how long its message stays away.
async fn ended(end: impl Fn() -> ListenerError + 'static) -> (String, String, Option<Duration>) {
    let world = World::new();
    let worker: TestWorker = world.worker(|app| {
        app.message("").lazy("job", async move |_, _| Err(end()));
    });
    let work = world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    let away = world.waiting().first().and_then(|waiting| waiting.postponed);
    (world.state(&work, "job"), world.why(&work, "job"), away)
}

/// Slack's error as it is, within an adopter's error, within two of them, and in a box.
const WAYS: [fn(ClientError) -> ListenerError; 5] = [
    |error| error.into(),
    |error| ShopError::from(error).into(),
    |error| ShopError::Order(Box::new(ShopError::from(error))).into(),
    |error| ListenerError::other(ShopError::from(error)),
    |error| {
        let boxed: Box<dyn Error + Send + Sync> = Box::new(error);
        ListenerError::other(boxed)
    },
];

#[tokio::test(start_paused = true)]
async fn what_slack_said_decides_within_any_error() {
    for (way, made) in WAYS.into_iter().enumerate() {
        let (state, why, away) = ended(move || made(rate_limited())).await;
        assert_eq!(state, "I1", "way {way}");
        assert_seconds(away.expect("postponed"), 40.0, 41.0);
        assert!(why.contains("rate limited"), "way {way}: {why}");
        for (code, expected) in [("invalid_blocks", "P1"), ("token_revoked", "C1"), ("internal_error", "I1")] {
            let (state, why, _) = ended(move || made(slack(code))).await;
            assert_eq!(state, expected, "way {way}, {code}");
            assert!(why.contains(code), "way {way}: {why}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn any_other_error_runs_again_and_its_whole_chain_is_the_reason() {
    let makes: [(fn() -> ListenerError, _); 6] = [
        (|| ShopError::Shut.into(), "the shop is shut"),
        (|| ShopError::Order(Box::new(ShopError::Shut)).into(), "the order was not taken: the shop is shut"),
        (|| ListenerError::other("no such luck"), "no such luck"),
        (|| ListenerError::other(format!("row {}", 7)), "row 7"),
        (|| ListenerError::other(ShopError::Shut), "the shop is shut"),
        (
            || {
                let boxed: Box<dyn Error + Send + Sync> = "in a box".into();
                ListenerError::other(boxed)
            },
            "in a box",
        ),
    ];
    for (end, reason) in makes {
        let (state, why, away) = ended(end).await;
        assert_eq!((state.as_str(), why.as_str()), ("I1", reason));
        assert_seconds(away.expect("postponed"), 5.0, 10.0);
    }
}
