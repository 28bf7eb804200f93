//! Work that is too old to start: interactions after 25 minutes, events after six hours, the app's own work never.

use crate::deliveries::{COMMAND, envelope, work};
use crate::ports::Fault;
use crate::world::{TestApp, World};
use std::time::Duration;
use tack_app::ListenerError;
use tack_app::message::{QueueName, SlackWork};
use tack_app::protocol::EpochMs;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

/// Runs a command's job or an event's that waited this long: what ran, and the record.
async fn after(wait: Duration, work: &SlackWork, register: impl FnOnce(&mut TestApp)) -> (Vec<String>, String, String) {
    let world = World::new();
    let worker = world.worker(register);
    world.send(work).await;
    world.pass(wait).await;
    world.batch_of(&worker, QueueName::of(work.envelope.kind)).await;
    assert!(world.waiting().is_empty() && world.letters().is_empty());
    (world.log.take(), world.state(work, "job"), world.why(work, "job"))
}

fn command() -> SlackWork {
    work(envelope(COMMAND), &["job"])
}

fn event() -> SlackWork {
    work(crate::deliveries::event("Ev1"), &["job"])
}

fn plain(app: &mut TestApp) {
    app.command("/order").lazy("job", async |context, _| {
        context.resources().push("ran");
        Ok(())
    });
}

fn plain_event(app: &mut TestApp) {
    app.message("").lazy("job", async |context, _| {
        context.resources().push("ran");
        Ok(())
    });
}

#[tokio::test(start_paused = true)]
async fn an_interaction_is_started_up_to_25_minutes_after_it_came_and_then_discarded_with_that_reason() {
    let (ran, state, _) = after(25 * MINUTE, &command(), plain).await;
    assert_eq!((ran.len(), state.as_str()), (1, "C1"));
    let (ran, state, why) = after(25 * MINUTE + MOMENT, &command(), plain).await;
    assert_eq!((ran.len(), state.as_str()), (0, "C1"));
    assert!(why.starts_with("stale"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn an_event_is_started_up_to_six_hours_after_it_came() {
    assert_eq!(after(6 * HOUR, &event(), plain_event).await.0.len(), 1);
    let (ran, state, why) = after(6 * HOUR + MOMENT, &event(), plain_event).await;
    assert_eq!((ran.len(), state.as_str()), (0, "C1"));
    assert!(why.starts_with("stale"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn a_listener_may_set_its_own_limit() {
    let register = |app: &mut TestApp| {
        app.message("").stale_after(MINUTE).lazy("job", async |context, _| {
            context.resources().push("ran");
            Ok(())
        });
    };
    assert_eq!(after(MINUTE, &event(), register).await.0.len(), 1);
    assert_eq!(after(MINUTE + MOMENT, &event(), register).await.0.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_fallback_of_a_stale_delivery_runs_once_in_its_place() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order")
            .fallback(async |context, command| {
                context.resources().push(format!("sorry for {}", command.command));
                Ok(())
            })
            .lazy("job", async |context, _| {
                context.resources().push("ran");
                Ok(())
            });
    });
    let work = command();
    world.send(&work).await;
    world.send(&work).await;
    world.pass(HOUR).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    world.send(&work).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    assert_eq!(world.log.take(), ["sorry for /order"]);
    assert!(world.why(&work, "job").starts_with("stale"));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_delivery_does_not_run_the_fallback() {
    let register = |app: &mut TestApp| {
        app.message("")
            .fallback(async |context, _| {
                context.resources().push("fallback");
                Ok(())
            })
            .lazy("job", async |context, _| {
                context.resources().push("ran");
                Ok(())
            });
    };
    assert_eq!(after(MINUTE, &event(), register).await.0, ["ran"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_redriven_is_wanted_however_old_it_is() {
    let work = SlackWork { generation: 1, ..command() };
    assert_eq!(after(14 * 24 * HOUR, &work, plain).await.0, ["ran"]);
}

#[tokio::test(start_paused = true)]
async fn the_apps_own_work_is_never_too_old() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.job("nightly", async |context, ()| {
            context.resources().push("ran");
            Ok(())
        });
    });
    let received_at = world.now().0;
    let body = format!(
        r#"{{"v":1,"origin":"app","job":"nightly","team":"T1","key":"k","payload":null,"received_at":{received_at}}}"#
    );
    world.send_body(QueueName::Events, "T1", body).await;
    world.pass(3 * 24 * HOUR).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["ran"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_started_in_time_keeps_its_ten_attempts() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order")
            .fallback(async |context, _| {
                context.resources().push("fallback");
                Ok(())
            })
            .lazy("job", async |context, _| {
                context.resources().push("ran");
                Err(ListenerError::retry_in(6 * HOUR, "the shop is shut"))
            });
    });
    let work = command();
    world.send(&work).await;
    for attempt in 1..=10 {
        let again = world.batch_of(&worker, QueueName::Interactions).await;
        assert_eq!(again, usize::from(attempt < 10), "attempt {attempt}");
        world.pass(6 * HOUR + 2 * MOMENT * 1000).await;
    }
    assert_eq!(world.log.take(), ["ran"; 10]);
    assert_eq!(world.state(&work, "job"), "P10");
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert!(letter.reason.contains("the shop is shut"), "{}", letter.reason);
}

#[tokio::test(start_paused = true)]
async fn age_is_the_time_since_the_message_was_sent_into_its_queue() {
    let ran = async |since_sent: Duration, since_received: Duration| {
        let world = World::new();
        let worker = world.worker(plain);
        world.send(&command()).await;
        let before = |age: Duration| EpochMs(world.now().0 - u64::try_from(age.as_millis()).expect("a time"));
        world.pass(since_received).await;
        world.batch_sent_at(&worker, QueueName::Interactions, before(since_sent)).await;
        world.log.take().len()
    };
    assert_eq!(ran(25 * MINUTE, HOUR).await, 1);
    assert_eq!(ran(25 * MINUTE + MOMENT, MINUTE).await, 0);
    // SQS's own redrive leaves the message as it is and sends it anew.
    assert_eq!(ran(MOMENT, 13 * 24 * HOUR).await, 1);
}

/// Two jobs of one listener, whose fallback ends as it is told: what ran, and the states of both.
async fn with_two_jobs(fallback: fn(u32) -> Result<(), ListenerError>, fault: bool) -> (Vec<String>, [String; 2]) {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order")
            .fallback(async move |context, _| {
                context.resources().push(format!("fallback {}", context.attempt()));
                fallback(context.attempt())
            })
            .lazy("one", async |context, _| {
                context.resources().push("one");
                Ok(())
            })
            .lazy("two", async |context, _| {
                context.resources().push("two");
                Ok(())
            });
    });
    let work = work(envelope(COMMAND), &["one", "two"]);
    world.send(&work).await;
    world.pass(HOUR).await;
    if fault {
        world.ports.fail("bury", Fault::Refuse);
    }
    while !world.waiting().is_empty() {
        world.batch_of(&worker, QueueName::Interactions).await;
        world.pass(MINUTE).await;
    }
    assert!(world.why(&work, "one").starts_with("stale") && world.why(&work, "two").starts_with("stale"));
    (world.log.take(), ["one", "two"].map(|job| world.state(&work, job)))
}

#[tokio::test(start_paused = true)]
async fn a_fallback_runs_once_for_all_jobs_of_its_listener() {
    let (ran, states) = with_two_jobs(|_| Ok(()), false).await;
    assert_eq!(ran, ["fallback 1"]);
    assert_eq!(states, ["C1", "C1"]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_fails_is_run_again_and_not_its_listener() {
    let fails: fn(u32) -> Result<(), ListenerError> =
        |attempt| if attempt < 3 { Err(ListenerError::other("Slack is away")) } else { Ok(()) };
    let panics: fn(u32) -> Result<(), ListenerError> = |attempt| {
        assert!(attempt >= 3, "oh");
        Ok(())
    };
    for fallback in [fails, panics] {
        let (ran, states) = with_two_jobs(fallback, false).await;
        assert_eq!(ran, ["fallback 1", "fallback 2", "fallback 3"]);
        assert_eq!(states, ["C3", "C1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_gives_up_is_for_a_person_and_its_listener_is_not_run_while_the_letter_waits() {
    let gives_up: fn(u32) -> Result<(), ListenerError> = |_| Err(ListenerError::permanent("no channel"));
    let (ran, states) = with_two_jobs(gives_up, true).await;
    assert_eq!(ran, ["fallback 1", "fallback 2"]);
    assert_eq!(states, ["P2", "C1"]);
}

#[tokio::test(start_paused = true)]
async fn a_reason_of_the_listeners_own_is_not_taken_for_a_fallbacks() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order").lazy("job", async |context, _| {
            context.resources().push(format!("attempt {}", context.attempt()));
            if context.attempt() == 1 { Err(ListenerError::retry_in(HOUR, "stale: the cache")) } else { Ok(()) }
        });
    });
    let work = command();
    world.send(&work).await;
    world.batch_of(&worker, QueueName::Interactions).await;
    world.pass(HOUR + MINUTE).await;
    world.batch_of(&worker, QueueName::Interactions).await;
    assert_eq!(world.log.take(), ["attempt 1", "attempt 2"]);
    assert_eq!(world.state(&work, "job"), "C2");
}
