//! Copies of a delivery: SQS gives a message out twice, Slack sends an event again, an operator redrives.

use crate::world::{World, assert_seconds};
use std::time::Duration;
use tack_app::ListenerError;
use tack_app::message::{QueueName, SlackWork, Work};

fn counting(world: &World) -> crate::world::TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("{} {}", context.idempotency_key(), context.attempt()));
            Ok(())
        });
    })
}

#[tokio::test(start_paused = true)]
async fn copies_within_one_batch_run_once_and_share_its_end() {
    let world = World::new();
    let worker = counting(&world);
    for _ in 0..3 {
        world.send_event("Ev1", &["job"]).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["event:Ev1 1"]);
    assert!(world.waiting().is_empty());
    assert_eq!(world.ports.calls(), ["claim", "complete"], "a copy costs no write");
}

#[tokio::test(start_paused = true)]
async fn copies_of_a_job_that_is_retried_all_come_again_and_then_run_once() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("attempt {}", context.attempt()));
            if context.attempt() == 1 { Err(ListenerError::retry_in(Duration::from_secs(10), "wait")) } else { Ok(()) }
        });
    });
    world.send_event("Ev1", &["job"]).await;
    world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&worker).await, 2);
    world.pass(Duration::from_secs(12)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["attempt 1", "attempt 2"]);
}

#[tokio::test(start_paused = true)]
async fn different_events_are_no_copies() {
    let world = World::new();
    let worker = counting(&world);
    world.send_event("Ev1", &["job"]).await;
    world.send_event("Ev2", &["job"]).await;
    world.batch(&worker).await;
    assert_eq!(world.log.take(), ["event:Ev1 1", "event:Ev2 1"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_is_done_is_dropped_without_running_for_nineteen_days() {
    let world = World::new();
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    world.log.take();
    // Slack's second retry comes after a minute, SQS may repeat for four days, a redrive comes within 14 days after that.
    for wait in [0, 60, 4 * 86_400, 14 * 86_400] {
        world.pass(Duration::from_secs(wait)).await;
        world.send_event("Ev1", &["job"]).await;
        assert_eq!(world.batch(&worker).await, 0);
        assert!(world.log.take().is_empty(), "after {wait} s more");
    }
    assert_eq!(world.state(&work, "job"), "C1");
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_was_given_up_is_dropped_without_running() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push("ran");
            Err(ListenerError::permanent("broken"))
        });
    });
    world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!((world.log.take().len(), world.letters().len(), world.waiting().len()), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_meets_a_running_job_waits_for_the_end_of_its_lease() {
    let world = World::new();
    let worker = counting(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    world.take(&work, "job", 7).await;
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert!(world.log.take().is_empty(), "never two at once");
    assert_seconds(world.postponed(), 20.0, 20.01);
    assert_eq!(world.state(&work, "job"), "I1", "a copy uses up no attempt");
    world.pass(world.postponed()).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["event:Ev1 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_does_not_jump_the_time_that_a_retry_waits_for() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push("ran");
            Err(ListenerError::retry_in(Duration::from_secs(120), "rate limited"))
        });
    });
    world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    world.log.take();
    let first = world.postponed();
    world.pass(Duration::from_secs(60)).await;
    world.send_event("Ev1", &["job"]).await;
    let records = world.ports.queue.receive(QueueName::Events);
    let copy = records.into_iter().next_back().expect("the copy");
    assert_eq!(worker.run_batch(vec![copy], crate::world::REMAINING).await.len(), 1);
    assert!(world.log.take().is_empty());
    let copy = world.waiting()[1].postponed.expect("postponed");
    assert_eq!(copy, first - Duration::from_secs(60) + Duration::from_millis(1));
}

fn redriven(letter: &str) -> SlackWork {
    match Work::decode(letter) {
        Ok(Work::Slack(work)) => *work,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_redriven_job_runs_once_more_while_copies_of_the_old_delivery_do_not() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("generation {} attempt {}", context.generation(), context.attempt()));
            if context.generation() == 0 { Err(ListenerError::permanent("broken")) } else { Ok(()) }
        });
        app.message("").lazy("other", async |context, _| {
            context.resources().push("other");
            Ok(())
        });
    });
    world.send_event("Ev1", &["job", "other"]).await;
    world.batch(&worker).await;
    assert_eq!(world.log.take(), ["generation 0 attempt 1", "other"]);
    let letter = world.letters().remove(0);
    for _ in 0..2 {
        world.send_body(letter.queue, &letter.group, letter.body.clone()).await;
        world.send_event("Ev1", &["job", "other"]).await;
        assert_eq!(world.batch(&worker).await, 0);
    }
    assert_eq!(world.log.take(), ["generation 1 attempt 1"]);
    assert_eq!(world.state(&redriven(&letter.body), "job"), "C1");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_again_after_a_redrive_gets_a_letter_of_the_next_generation() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |_, _| Err(ListenerError::permanent("still broken")));
    });
    world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    let letter = world.letters().remove(0);
    world.send_body(letter.queue, &letter.group, letter.body).await;
    world.batch(&worker).await;
    let generations: Vec<u32> = world.letters().iter().map(|letter| redriven(&letter.body).generation).collect();
    assert_eq!(generations, [1, 2]);
}
