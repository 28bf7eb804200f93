//! Attempts are counted in the record, also those that ended without a word.

use crate::world::{TestWorker, World, assert_seconds};
use std::time::Duration;
use tack_app::{Limits, ListenerError};

fn counting(world: &World) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("attempt {}", context.attempt()));
            Err(ListenerError::from(std::io::Error::other("the shop is shut")))
        });
    })
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_again_and_again_waits_along_the_ladder_with_jitter() {
    let world = World::new();
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    for seconds in [10.0, 30.0, 120.0, 600.0, 1800.0, 7200.0] {
        assert_eq!(world.batch(&worker).await, 1);
        assert_seconds(world.postponed(), seconds / 2.0, seconds);
        world.pass(world.postponed() + Duration::from_millis(1)).await;
    }
    assert_eq!(world.log.take().len(), 6);
    assert_eq!(world.state(&work, "job"), "I6");
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_that_fails_parks_the_job_with_its_reason() {
    let world = World { limits: Limits { ladder_ms: vec![1_000], ..Limits::default() }, ..World::new() };
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    for _ in 0..9 {
        assert_eq!(world.batch(&worker).await, 1);
        world.pass(Duration::from_secs(2)).await;
    }
    assert_eq!(world.state(&work, "job"), "I9");
    assert_eq!(world.batch(&worker).await, 0);
    let runs: Vec<String> = (1..=10).map(|attempt| format!("attempt {attempt}")).collect();
    assert_eq!(world.log.take(), runs);
    assert_eq!(world.state(&work, "job"), "P10");
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!(letter.attempts, 10);
    assert!(letter.reason.contains("10") && letter.reason.contains("the shop is shut"), "{}", letter.reason);
}

#[tokio::test(start_paused = true)]
async fn how_often_sqs_gave_a_message_out_does_not_count() {
    let world = World::new();
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    for _ in 0..50 {
        world.ports.queue.receive(tack_app::message::QueueName::Events);
    }
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.log.take(), ["attempt 1"]);
    assert_eq!(world.state(&work, "job"), "I1");
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_process_was_killed_ten_times_is_parked_with_that_reason() {
    let world = World::new();
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    for owner in 1..=10 {
        world.killed_attempt(&work, "job", owner).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.log.take().is_empty(), "an eleventh attempt would kill an eleventh process");
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.reason.as_str(), letter.attempts), ("attempt 10 was killed or timed out", 10));
    assert_eq!(world.why(&work, "job"), letter.reason);
}
