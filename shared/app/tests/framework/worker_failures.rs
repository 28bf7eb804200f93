//! What becomes of a job when the store or the queue refuses, loses its reply or hangs, at each step.
//! Always: nothing is lost, nothing runs twice at once, and the batch answer goes out in time.

use crate::ports::Fault;
use crate::world::{REMAINING, TestWorker, World, assert_seconds};
use std::time::Duration;
use tack_app::ListenerError;
use tack_app::message::QueueName;
use tokio::time::Instant;

/// Fails at its first attempt if its name says so, and is given up at once if its name says that.
fn jobs(world: &World) -> TestWorker {
    world.worker(|app| {
        for name in ["done", "retried", "parked"] {
            app.message("").lazy(name, async move |context, _| {
                context.resources().push(format!("{name} {}", context.attempt()));
                match (name, context.attempt()) {
                    ("retried", 1) => Err(ListenerError::retry_in(Duration::from_secs(5), "later")),
                    ("parked", _) => Err(ListenerError::permanent("broken")),
                    _ => Ok(()),
                }
            });
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_was_refused_runs_nothing_and_uses_up_no_attempt() {
    let world = World::new();
    let worker = jobs(&world);
    let work = world.send_event("Ev1", &["done"]).await;
    world.ports.fail("claim", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    assert!(world.log.take().is_empty());
    assert_seconds(world.postponed(), 5.0, 10.0);
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!((world.log.take(), world.state(&work, "done")), (vec!["done 1".to_owned()], "C1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_which_nothing_is_known_runs_nothing_until_its_lease_is_over() {
    let world = World::new();
    let worker = jobs(&world);
    world.send_event("Ev1", &["done"]).await;
    world.ports.fail("claim", Fault::LoseReply);
    assert_eq!(world.batch(&worker).await, 1);
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.batch(&worker).await, 1, "somebody has it, as far as the record says");
    assert!(world.log.take().is_empty());
    world.pass(Duration::from_secs(23)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["done 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_was_refused_is_tried_again_at_once() {
    for fault in [Fault::Refuse, Fault::LoseReply] {
        let world = World::new();
        let worker = jobs(&world);
        let work = world.send_event("Ev1", &["done"]).await;
        world.ports.fail("complete", fault);
        world.ports.fail("complete", fault);
        assert_eq!(world.batch(&worker).await, 0, "{fault:?}");
        assert_eq!(world.state(&work, "done"), "C1", "{fault:?}");
        assert!(world.waiting().is_empty(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_cannot_be_written_means_that_the_job_runs_once_more_after_its_lease() {
    let world = World::new();
    let worker = jobs(&world);
    let work = world.send_event("Ev1", &["done"]).await;
    for _ in 0..3 {
        world.ports.fail("complete", Fault::Refuse);
    }
    assert_eq!(world.batch(&worker).await, 1, "what is not on record must not be deleted");
    world.pass(Duration::from_secs(33)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["done 1", "done 2"]);
    assert_eq!(world.state(&work, "done"), "C2");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_was_refused_leaves_the_job_to_its_lease() {
    let world = World::new();
    let worker = jobs(&world);
    world.send_event("Ev1", &["retried"]).await;
    world.ports.fail("release", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(world.batch(&worker).await, 1, "the record still says that it runs");
    world.pass(Duration::from_secs(30)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["retried 1", "retried 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_reply_was_lost_keeps_its_time() {
    let world = World::new();
    let worker = jobs(&world);
    world.send_event("Ev1", &["retried"]).await;
    world.ports.fail("release", Fault::LoseReply);
    assert_eq!(world.batch(&worker).await, 1);
    world.pass(Duration::from_secs(7)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["retried 1", "retried 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_return_cannot_be_put_off_returns_all_the_same() {
    for fault in [Fault::Refuse, Fault::Hang, Fault::LoseReply] {
        let world = World::new();
        let worker = jobs(&world);
        world.send_event("Ev1", &["retried"]).await;
        world.ports.fail("postpone", fault);
        let started = Instant::now();
        assert_eq!(world.batch(&worker).await, 1, "{fault:?}");
        assert!(started.elapsed() < REMAINING, "{fault:?}");
        world.pass(Duration::from_secs(7)).await;
        assert_eq!(world.batch(&worker).await, 0, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_outlived_its_lease_neither_overwrites_nor_deletes() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("slow", async |context, _| {
            context.resources().push("slow");
            tokio::time::sleep(Duration::from_secs(20)).await;
            Ok(())
        });
    });
    let work = world.send_event("Ev1", &["slow"]).await;
    let records = world.ports.queue.receive(QueueName::Events);
    let stalled = worker.run_batch(records, REMAINING);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        // By the clock of everybody else the lease is over, and another worker takes the job.
        world.clock.advance(Duration::from_secs(40));
        world.take(&work, "slow", 7).await;
    };
    let (failed, ()) = tokio::join!(stalled, meanwhile);
    assert_eq!(failed.len(), 1, "the message must see what the other makes of it");
    assert_eq!(world.state(&work, "slow"), "I2", "the record is the other's");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_at_any_step_costs_neither_the_answer_nor_the_neighbours() {
    for (call, job) in
        [("claim", "done"), ("complete", "done"), ("release", "retried"), ("park", "parked"), ("bury", "parked")]
    {
        let world = World::new();
        let worker = jobs(&world);
        world.send_event("Ev1", &[job]).await;
        let decent = world.send_event("Ev2", &["done"]).await;
        world.ports.fail(call, Fault::Hang);
        // A moment is left for the answer itself to travel.
        let in_time = REMAINING - Duration::from_millis(100);
        let answer = tokio::time::timeout(in_time, world.batch(&worker)).await;
        assert_eq!(answer, Ok(1), "{call}: the answer must go out before Lambda kills the process");
        assert_eq!(world.state(&decent, "done"), "C1", "{call}");
        world.pass(Duration::from_secs(60)).await;
        assert_eq!(world.batch(&worker).await, 0, "{call}: and the job is dealt with later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_that_hangs_on_an_unreadable_message_does_not_keep_the_others_waiting() {
    let world = World::new();
    let worker = jobs(&world);
    world.send_body(QueueName::Events, "T1", "hello".to_owned()).await;
    let decent = world.send_event("Ev1", &["done"]).await;
    world.ports.fail("bury", Fault::Hang);
    let answer = tokio::time::timeout(REMAINING, world.batch(&worker)).await;
    assert_eq!(answer, Ok(1));
    assert_eq!(world.state(&decent, "done"), "C1");
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.letters().len(), 1);
}
