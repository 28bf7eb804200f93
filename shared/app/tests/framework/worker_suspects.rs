//! Jobs whose last attempt ended without a word. One of them may kill every process that runs it: it must cost the others
//! neither their attempts nor their end.

use crate::world::{TestWorker, World, assert_seconds};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;
use tack_app::message::{QueueName, SlackWork};
use tokio::sync::Notify;
use tokio::time::sleep;

/// Longer than the lease of any attempt.
const LEASE_OVER: Duration = Duration::from_secs(33);

/// Each job says when it begins and ends.
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

/// A job that takes this long, and one that is quick.
fn with_a_hog(world: &World, length: Duration) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("{} {}", context.idempotency_key(), context.attempt()));
            Ok(())
        });
        app.message("").lazy("hog", async move |_, _| {
            sleep(length).await;
            Ok(())
        });
    })
}

/// Deliveries whose first attempt was killed, all at once.
async fn suspects(world: &World, count: u32) -> Vec<SlackWork> {
    let mut all = Vec::new();
    for number in 0..count {
        let work = world.send_event(&format!("Ev{number}"), &["job"]).await;
        world.take(&work, "job", u128::from(number) + 1).await;
        all.push(work);
    }
    world.pass(LEASE_OVER).await;
    all
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
    assert_eq!(world.state(&killer, "job"), "C2", "its wait was no attempt");
}

#[tokio::test(start_paused = true)]
async fn it_is_given_back_at_once_and_claimed_again_when_its_turn_comes() {
    let world = World::new();
    let worker = timed(&world);
    suspects(&world, 1).await;
    world.batch(&worker).await;
    assert_eq!(world.ports.calls(), ["claim", "release", "claim", "complete"]);
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_it_while_it_waits() {
    let world = World::new();
    let worker = with_a_hog(&world, Duration::from_secs(10));
    let waits = suspects(&world, 1).await.remove(0);
    world.send_event("EvHog", &["hog"]).await;
    let meanwhile = async {
        sleep(Duration::from_secs(5)).await;
        assert_eq!(world.state(&waits, "job"), "I1");
        // Another worker with nothing else to do takes it.
        world.take(&waits, "job", 77).await;
    };
    let (again, ()) = tokio::join!(world.batch(&worker), meanwhile);
    assert_eq!((again, world.log.take().len()), (1, 0), "it is the other's now");
    assert_eq!(world.state(&waits, "job"), "I2");
    assert_seconds(world.postponed(), 30.0, 30.01);
}

#[tokio::test(start_paused = true)]
async fn several_suspects_run_one_by_one_in_random_order() {
    let mut orders = BTreeSet::new();
    for seed in 0..16 {
        let world = World { seed, ..World::new() };
        let worker = timed(&world);
        suspects(&world, 3).await;
        assert_eq!(world.batch(&worker).await, 0);
        let log = world.log.take();
        for pair in log.chunks(2) {
            assert_eq!(pair[0].replace("begins", "ends"), pair[1], "never two at once: {log:?}");
        }
        orders.insert(log);
    }
    assert!(orders.len() > 1, "one order for all: the first would always take its neighbours' attempts");
}

#[tokio::test(start_paused = true)]
async fn a_suspect_for_which_no_time_is_left_is_not_claimed_and_loses_no_attempt() {
    for (hog, claims, state) in [(28_000, 3, "C2"), (28_900, 2, "I1"), (40_000, 2, "I1")] {
        let world = World::new();
        let worker = with_a_hog(&world, Duration::from_millis(hog));
        let suspect = suspects(&world, 1).await.remove(0);
        world.send_event("EvHog", &["hog"]).await;
        world.ports.calls();
        world.batch(&worker).await;
        assert_eq!(world.state(&suspect, "job"), state, "{hog} ms");
        let claimed = world.ports.calls().into_iter().filter(|call| *call == "claim").count();
        assert_eq!(claimed, claims, "{hog} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspect_that_had_to_wait_is_still_one() {
    let world = World::new();
    let worker = with_a_hog(&world, Duration::from_secs(60));
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

#[tokio::test(start_paused = true)]
async fn a_process_that_is_killed_costs_only_the_suspect_that_ran_an_attempt() {
    let world = World::new();
    let worker = with_a_hog(&world, Duration::ZERO);
    let endless = world.worker(|app| {
        app.message("").lazy("job", async |_, _| std::future::pending().await);
    });
    let all = suspects(&world, 10).await;
    for kills in 1..=5 {
        world.killed_batch(&endless, Duration::from_secs(5)).await;
        world.pass(LEASE_OVER).await;
        let attempts: u32 = all.iter().map(|work| world.record(work, "job").attempts()).sum();
        assert_eq!(attempts, 10 + kills);
    }
    assert_eq!(world.batch(&worker).await, 0, "and nothing is lost");
    assert_eq!(world.log.take().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_a_fresh_job_kills_costs_no_waiting_suspect_an_attempt() {
    let world = World::new();
    let worker = with_a_hog(&world, Duration::from_secs(20));
    let all = suspects(&world, 10).await;
    let killer = world.send_event("EvKiller", &["hog"]).await;
    world.killed_batch(&worker, Duration::from_secs(5)).await;
    assert!(all.iter().all(|work| world.state(work, "job") == "I1"));
    assert_eq!(world.state(&killer, "hog"), "I1");
}

#[tokio::test(start_paused = true)]
async fn one_that_kills_every_process_is_given_up_after_ten_attempts_and_its_neighbours_run_once_each() {
    let world = World::new();
    let killed = Rc::new(Notify::new());
    let kill = Rc::clone(&killed);
    let worker = world.worker(|app| {
        app.message("").lazy("job", async move |context, _| {
            if context.idempotency_key() == "event:Ev4" {
                kill.notify_one();
                std::future::pending::<()>().await;
            }
            context.resources().push(format!("{} {}", context.idempotency_key(), context.attempt()));
            Ok(())
        });
    });
    let all = suspects(&world, 10).await;
    let kills = Cell::new(0);
    while !world.waiting().is_empty() {
        let records = world.receive(QueueName::Events);
        tokio::select! {
            biased;
            () = killed.notified() => kills.set(kills.get() + 1),
            failed = worker.run_batch(records.clone(), crate::world::REMAINING) => {
                world.ports.queue.finish(&records, &failed);
            }
        }
        world.pass(LEASE_OVER).await;
        assert!(kills.get() < 20, "it goes on for ever");
    }
    // The first attempt is the one that left the claim behind.
    assert_eq!(kills.get(), 9);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.reason.as_str(), letter.attempts), ("attempt 10 was killed or timed out", 10));
    let mut ran = world.log.take();
    ran.sort();
    let neighbours = (0..10).filter(|number| *number != 4);
    assert_eq!(ran, neighbours.map(|number| format!("event:Ev{number} 2")).collect::<Vec<_>>());
    assert_eq!(world.why(&all[4], "job"), letter.reason);
}
