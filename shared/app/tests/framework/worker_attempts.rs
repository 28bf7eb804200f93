//! Attempts are counted in the record, also those that ended without a word.

use crate::world::{TestWorker, World, assert_seconds};
use std::collections::BTreeSet;
use std::time::Duration;
use tack_app::{Limits, ListenerError};
use tokio::time::sleep;

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

/// A batch of killers and one decent job. Each says when it begins and ends.
fn timed(world: &World) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            let name = context.idempotency_key().to_owned();
            context.resources().push(format!("{name} begins"));
            sleep(Duration::from_secs(2)).await;
            context.resources().push(format!("{name} ends"));
            Ok(())
        });
    })
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_last_attempt_was_killed_waits_for_the_fresh_ones_and_then_runs_alone() {
    let world = World::new();
    let worker = timed(&world);
    let killer = world.send_event("EvKiller", &["job"]).await;
    world.killed_attempt(&killer, "job", 1).await;
    for name in ["Ev1", "Ev2"] {
        world.send_event(name, &["job"]).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    let log = world.log.take();
    assert_eq!(log[..2], ["event:Ev1 begins", "event:Ev2 begins"], "the fresh ones run at once");
    assert_eq!(log[4..], ["event:EvKiller begins", "event:EvKiller ends"], "{log:?}");
    assert_eq!(world.state(&killer, "job"), "C2");
}

#[tokio::test(start_paused = true)]
async fn several_suspects_run_one_by_one_in_random_order() {
    let mut orders = BTreeSet::new();
    for seed in 0..16 {
        let world = World { seed, ..World::new() };
        let worker = timed(&world);
        for (owner, name) in (1..).zip(["Ev1", "Ev2", "Ev3"]) {
            let work = world.send_event(name, &["job"]).await;
            world.take(&work, "job", owner).await;
        }
        world.pass(Duration::from_secs(31)).await;
        assert_eq!(world.batch(&worker).await, 0);
        let log = world.log.take();
        for pair in log.chunks(2) {
            assert_eq!(pair[0].replace("begins", "ends"), pair[1], "never two at once: {log:?}");
        }
        orders.insert(log);
    }
    assert!(orders.len() > 1, "one order for all: the first would always take its neighbours' attempts");
}

fn with_a_hog(world: &World) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("{} {}", context.idempotency_key(), context.attempt()));
            Ok(())
        });
        app.message("").lazy("hog", async |_, _| std::future::pending().await);
    })
}

#[tokio::test(start_paused = true)]
async fn a_suspect_for_which_no_time_is_left_comes_again_and_loses_no_attempt() {
    let world = World::new();
    let worker = with_a_hog(&world);
    let suspect = world.send_event("Ev1", &["job"]).await;
    world.killed_attempt(&suspect, "job", 1).await;
    world.send_event("EvHog", &["hog"]).await;
    assert_eq!(world.batch(&worker).await, 2);
    assert!(world.log.take().is_empty());
    assert_eq!(world.state(&suspect, "job"), "I1");
}

#[tokio::test(start_paused = true)]
async fn a_suspect_that_had_to_wait_is_still_one() {
    let world = World::new();
    let worker = with_a_hog(&world);
    let suspect = world.send_event("Ev1", &["job"]).await;
    world.killed_attempt(&suspect, "job", 1).await;
    world.send_event("EvHog", &["hog"]).await;
    world.batch(&worker).await;
    world.pass(Duration::from_secs(60)).await;
    // It might still kill its process, so again it waits for the others.
    let worker = timed(&world);
    world.send_event("Ev2", &["job"]).await;
    world.batch(&worker).await;
    let log: Vec<String> = world.log.take().into_iter().filter(|line| !line.contains("Hog")).collect();
    assert_eq!(log, ["event:Ev2 begins", "event:Ev2 ends", "event:Ev1 begins", "event:Ev1 ends"]);
}
