//! The dead letter first, the record after: a crash in between gives two equal letters and never none.

use crate::ports::Fault;
use crate::world::{TestWorker, World, assert_seconds};
use std::time::Duration;
use tack_app::{Limits, ListenerError};

fn parking(world: &World) -> TestWorker {
    world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.resources().push(format!("attempt {}", context.attempt()));
            Err(ListenerError::permanent("broken"))
        });
    })
}

#[tokio::test(start_paused = true)]
async fn the_letter_is_durable_before_the_record_says_so() {
    let world = World::new();
    world.send_event("Ev1", &["job"]).await;
    world.batch(&parking(&world)).await;
    assert_eq!(world.ports.calls(), ["claim", "bury", "park"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_letter_the_record_is_not_parked_and_the_message_comes_again() {
    let world = World::new();
    let worker = parking(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    world.ports.fail("bury", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!((world.state(&work, "job").as_str(), world.letters().len()), ("I1", 0));
    assert_seconds(world.postponed(), 5.0, 10.0);
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!((world.state(&work, "job").as_str(), world.letters().len()), ("P2", 1));
}

#[tokio::test(start_paused = true)]
async fn a_letter_whose_reply_was_lost_may_come_twice_and_the_two_are_equal() {
    let world = World { limits: Limits { attempts: 1, ..Limits::default() }, ..World::new() };
    let worker = parking(&world);
    world.send_event("Ev1", &["job"]).await;
    world.ports.fail("bury", Fault::LoseReply);
    assert_eq!(world.batch(&worker).await, 1);
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(world.batch(&worker).await, 0);
    let letters = world.letters();
    assert_eq!(letters.len(), 2);
    assert_eq!((&letters[0].body, &letters[0].job), (&letters[1].body, &letters[1].job));
    assert_eq!(letters[0].reason, letters[1].reason);
    assert_eq!(world.log.take(), ["attempt 1"], "no attempt is left, so it is not run for the second letter");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_queue_that_is_away_for_long_changes_neither_the_reason_nor_the_count() {
    let world = World { limits: Limits { attempts: 2, ladder_ms: vec![1_000], ..Limits::default() }, ..World::new() };
    let worker = parking(&world);
    let work = world.send_event("Ev1", &["job"]).await;
    for _ in 0..20 {
        world.ports.fail("bury", Fault::Refuse);
    }
    for _ in 0..20 {
        assert_eq!(world.batch(&worker).await, 1);
        world.pass(Duration::from_secs(2)).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["attempt 1", "attempt 2"]);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.reason.as_str(), letter.attempts), ("broken", 2));
    assert_eq!(world.why(&work, "job"), "broken");
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_is_on_its_way_is_enough_to_delete_the_message() {
    for fault in [Fault::Refuse, Fault::LoseReply] {
        let world = World::new();
        let worker = parking(&world);
        world.send_event("Ev1", &["job"]).await;
        for _ in 0..3 {
            world.ports.fail("park", fault);
        }
        assert_eq!(world.batch(&worker).await, 0, "{fault:?}");
        assert_eq!((world.letters().len(), world.waiting().len()), (1, 0), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_record_of_a_given_up_job_is_tried_to_be_written_three_times() {
    for fault in [Fault::Refuse, Fault::LoseReply] {
        let world = World::new();
        let worker = parking(&world);
        let work = world.send_event("Ev1", &["job"]).await;
        world.ports.fail("park", fault);
        world.ports.fail("park", fault);
        assert_eq!(world.batch(&worker).await, 0, "{fault:?}");
        assert_eq!(world.ports.calls(), ["claim", "bury", "park", "park", "park"], "{fault:?}");
        // A copy of the delivery does not make a second letter.
        world.send_event("Ev1", &["job"]).await;
        assert_eq!(world.batch(&worker).await, 0, "{fault:?}");
        assert_eq!((world.state(&work, "job").as_str(), world.letters().len()), ("P1", 1), "{fault:?}");
    }
}
