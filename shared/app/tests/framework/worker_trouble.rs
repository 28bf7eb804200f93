//! A store or a queue that is in trouble for long. SQS forgets a message after four days, and what can never be dealt with has to
//! reach its receive count before that, so that it ends as a dead letter.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use crate::ports::Fault;
use crate::world::{TestWorker, World};
use std::time::Duration;
use tack_app::ListenerError;
use tack_app::message::QueueName;

const RETENTION: Duration = Duration::from_secs(4 * 24 * 3600);
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// How often the template lets SQS give a message out.
const RECEIVES: u32 = 60;

fn worker(world: &World) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("done", async |_, _| Ok(()));
        app.message("").lazy("parked", async |_, _| Err(ListenerError::permanent("broken")));
    })
}

/// How long a message is away in all while this call is refused each time it is given out.
async fn away(call: &'static str, send: impl AsyncFnOnce(&World)) -> Duration {
    let world = World::new();
    let worker = worker(&world);
    send(&world).await;
    let mut away = Duration::ZERO;
    for receive in 1..=RECEIVES {
        world.ports.fail(call, Fault::Refuse);
        assert_eq!(world.batch(&worker).await, 1, "{call}, receive {receive}");
        let wait = world.postponed();
        assert!(wait <= LONGEST_WAIT, "{call}, receive {receive}: {wait:?}");
        away += wait;
        world.pass(wait + Duration::from_millis(2)).await;
    }
    assert!(world.letters().is_empty());
    away
}

#[tokio::test(start_paused = true)]
async fn sixty_receives_are_over_before_sqs_forgets_the_message() {
    let event = async |world: &World, job: &str| drop(world.send_event("Ev1", &[job]).await);
    let body = async |world: &World, body: &str| {
        world.send_body(QueueName::Events, "T1", body.to_owned()).await;
    };
    let waits = [
        away("claim", async |world| event(world, "done").await).await,
        away("bury", async |world| event(world, "parked").await).await,
        away("bury", async |world| body(world, "hello").await).await,
        away("bury", async |world| body(world, r#"{"v":2}"#).await).await,
    ];
    for wait in waits {
        assert!(wait < RETENTION, "{waits:?}");
        // Nor is it asked for all the time.
        assert!(wait > Duration::from_secs(3600), "{waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_that_cannot_be_given_back_is_left_to_its_lease() {
    let world = World::new();
    let worker = worker(&world);
    let work = world.send_event("Ev1", &["done"]).await;
    world.killed_attempt(&work, "done", 1).await;
    world.ports.fail("release", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    assert!(world.postponed() <= LONGEST_WAIT);
    assert_eq!(world.state(&work, "done"), "I2");
    world.pass(Duration::from_secs(33)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.state(&work, "done"), "C3");
}
