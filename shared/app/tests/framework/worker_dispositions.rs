//! What a listener's end makes of its job, its message and its record.

use crate::deliveries::{COMMAND, TWO_ACTIONS, envelope, work};
use crate::world::{TestApp, World, assert_seconds};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tack_app::idempotency::RecordKey;
use tack_app::message::{Job, QueueName, Work};
use tack_app::{CommandAck, Limits, ListenerError, Regex};

fn ending(end: fn() -> Result<(), ListenerError>) -> impl FnOnce(&mut TestApp) {
    move |app| {
        app.message("").lazy("job", async move |context, _| {
            context.resources().push(format!("attempt {}", context.attempt()));
            end()
        });
    }
}

async fn after_one_batch(end: fn() -> Result<(), ListenerError>) -> (World, tack_app::message::SlackWork, usize) {
    let world = World::new();
    let worker = world.worker(ending(end));
    let work = world.send_event("Ev1", &["job"]).await;
    let again = world.batch(&worker).await;
    assert_eq!(world.log.take(), ["attempt 1"]);
    (world, work, again)
}

#[tokio::test(start_paused = true)]
async fn done_is_complete_and_the_message_is_gone() {
    let (world, work, again) = after_one_batch(|| Ok(())).await;
    assert_eq!((again, world.waiting().len(), world.letters().len()), (0, 0, 0));
    assert_eq!((world.state(&work, "job").as_str(), world.why(&work, "job").as_str()), ("C1", ""));
    assert_eq!(world.ports.calls(), ["claim", "complete"], "two writes a job and no read");
}

#[tokio::test(start_paused = true)]
async fn any_error_is_retried_after_the_ladders_wait_with_jitter() {
    let (world, work, again) =
        after_one_batch(|| Err("not a number".parse::<u8>().map(|_| ()).unwrap_err().into())).await;
    assert_eq!((again, world.letters().len()), (1, 0));
    assert_seconds(world.postponed(), 5.0, 10.0);
    assert_eq!(
        (world.state(&work, "job").as_str(), world.why(&work, "job").as_str()),
        ("I1", "invalid digit found in string")
    );
    assert_eq!(world.ports.calls(), ["claim", "release", "postpone"]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_asked_for_is_never_cut_short() {
    let (world, work, _) =
        after_one_batch(|| Err(ListenerError::retry_in(Duration::from_secs(45), "the shop opens soon"))).await;
    assert_seconds(world.postponed(), 45.0, 46.0);
    assert_eq!(world.why(&work, "job"), "the shop opens soon");
}

#[tokio::test(start_paused = true)]
async fn jobs_that_were_told_to_wait_alike_do_not_all_come_back_at_once() {
    let world = World::new();
    let worker = world.worker(ending(|| Err(ListenerError::retry_in(Duration::from_secs(30), "rate limited"))));
    for number in 0..10 {
        world.send_event(&format!("Ev{number}"), &["job"]).await;
    }
    assert_eq!(world.batch(&worker).await, 10);
    let waits: BTreeSet<Duration> = world.waiting().into_iter().filter_map(|waiting| waiting.postponed).collect();
    assert!(waits.len() > 5, "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_all_reason_breaks_nothing_and_ends_before_sqs_forgets_the_message() {
    let limits = Limits { stale_events_ms: u64::MAX, ..Limits::default() };
    let world = World { limits, ..World::new() };
    let worker = world.worker(ending(|| Err(ListenerError::retry_in(Duration::MAX, "never"))));
    let work = world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&worker).await, 1);
    // A visibility time-out lasts 12 hours at most, and the queue keeps a message for four days.
    assert!(world.postponed() <= Duration::from_secs(12 * 3600));
    world.pass(Duration::from_secs(3 * 24 * 3600)).await;
    let worker = world.worker(ending(|| Ok(())));
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.state(&work, "job"), "C2");
}

#[tokio::test(start_paused = true)]
async fn what_is_discarded_is_complete_with_its_reason() {
    let (world, work, again) = after_one_batch(|| Err(ListenerError::discard("the poll is closed"))).await;
    assert_eq!((again, world.waiting().len(), world.letters().len()), (0, 0, 0));
    assert_eq!((world.state(&work, "job").as_str(), world.why(&work, "job").as_str()), ("C1", "the poll is closed"));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_parked_at_once() {
    let (world, work, again) = after_one_batch(|| Err(ListenerError::permanent("no such order"))).await;
    assert_eq!((again, world.waiting().len()), (0, 0));
    assert_eq!((world.state(&work, "job").as_str(), world.why(&work, "job").as_str()), ("P1", "no such order"));
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.queue, letter.group.as_str(), letter.attempts), (QueueName::Events, "T0ACME001", 1));
    assert_eq!((letter.reason.as_str(), letter.job.as_deref()), ("no such order", Some("job")));
    assert_eq!(letter.delivery.as_deref(), Some(work.id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_retried_and_its_text_is_kept() {
    let (world, work, again) = after_one_batch(|| panic!("index out of bounds")).await;
    assert_eq!(again, 1);
    assert_eq!(world.state(&work, "job"), "I1");
    assert!(world.why(&work, "job").contains("index out of bounds"), "{}", world.why(&work, "job"));
}

#[tokio::test(start_paused = true)]
async fn of_three_jobs_of_one_delivery_one_is_done_one_parked_and_only_the_third_runs_again() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("done", async |context, _| {
            context.resources().push("done");
            Ok(())
        });
        app.message("").lazy("parked", async |context, _| {
            context.resources().push("parked");
            Err(ListenerError::permanent("broken"))
        });
        app.message("").lazy("retried", async |context, _| {
            context.resources().push("retried");
            if context.attempt() == 1 { Err(ListenerError::retry_in(Duration::from_secs(20), "later")) } else { Ok(()) }
        });
    });
    let work = world.send_event("Ev1", &["done", "parked", "retried"]).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.log.take(), ["done", "parked", "retried"]);
    assert_eq!(["done", "parked", "retried"].map(|job| world.state(&work, job)), ["C1", "P1", "I1"]);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    let Ok(Work::Slack(parked)) = Work::decode(&letter.body) else { panic!("a message of ours") };
    assert_eq!((parked.jobs, parked.generation), (vec![Job::named("parked")], 1));
    assert_seconds(world.postponed(), 20.0, 21.0);

    world.pass(world.postponed() + Duration::from_millis(1)).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["retried"], "its neighbours are not run again");
    assert_eq!((world.state(&work, "retried").as_str(), world.letters().len()), ("C2", 1));
}

#[tokio::test(start_paused = true)]
async fn a_message_returns_at_the_earliest_time_that_any_of_its_jobs_wants() {
    let world = World::new();
    let worker = world.worker(|app| {
        for (name, seconds) in [("late", 300), ("soon", 20), ("later", 100)] {
            app.message("")
                .lazy(name, async move |_, _| Err(ListenerError::retry_in(Duration::from_secs(seconds), "wait")));
        }
    });
    world.send_event("Ev1", &["late", "soon", "later"]).await;
    world.batch(&worker).await;
    assert_seconds(world.postponed(), 20.0, 21.0);
}

#[tokio::test(start_paused = true)]
async fn a_listener_gets_the_value_that_its_ack_handed_over() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order").ack(|_, _| Ok(CommandAck::ok().hand_over(0_u32))).lazy(
            "order",
            async |context, command, quantity: u32| {
                context.resources().push(format!("{} {quantity}", command.command));
                Ok(())
            },
        );
    });
    let mut fits = work(envelope(COMMAND), &["order"]);
    fits.jobs[0].value = Some(json!(3));
    world.send(&fits).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    assert_eq!(world.log.take(), ["/order 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_does_not_fit_waits_for_the_deployment_that_mends_it() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.command("/order").ack(|_, _| Ok(CommandAck::ok().hand_over(0_u32))).lazy(
            "order",
            async |context, _, _: u32| {
                context.resources().push("ran");
                Ok(())
            },
        );
    });
    let mut unfit = work(envelope(COMMAND), &["order"]);
    // A `response_url` is as good as a token: whoever has it may write.
    unfit.jobs[0].value = Some(json!("https://hooks.slack.com/commands/T1/1/secret"));
    world.send(&unfit).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 1);
    assert!(world.log.take().is_empty());
    assert_eq!((world.state(&unfit, "order").as_str(), world.letters().len()), ("I1", 0));
    let why = world.why(&unfit, "order");
    assert!(why.contains("handed over") && !why.contains("slack.com") && !why.contains("secret"), "{why}");
    world.pass(Duration::from_secs(11)).await;
    let mended = world.worker(|app| {
        app.command("/order").ack(|_, _| Ok(CommandAck::ok().hand_over(String::new()))).lazy(
            "order",
            async |context, _, url: String| {
                context.resources().push(url);
                Ok(())
            },
        );
    });
    assert_eq!(world.batch_of(&mended, QueueName::Interactions).await, 0);
    assert_eq!(world.log.take(), ["https://hooks.slack.com/commands/T1/1/secret"]);
}

#[tokio::test(start_paused = true)]
async fn each_listener_of_a_payload_with_several_actions_gets_its_own_action() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.action("size").lazy("size", async |context, used| {
            context.resources().push(format!("size {}", used.action.action_id));
            Ok(())
        });
        app.action(Regex::new("date").expect("a pattern")).lazy("date", async |context, used| {
            context.resources().push(format!("date {}", used.action.value.as_str().unwrap_or_default()));
            Ok(())
        });
    });
    let mut both = work(envelope(TWO_ACTIONS), &["size", "date"]);
    both.jobs[1].action = 1;
    world.send(&both).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    assert_eq!(world.log.take(), ["size size", "date 2026-12-01"]);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_took_two_actions_of_a_payload_has_a_record_for_each() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.action(Regex::new("size|date").expect("a pattern")).lazy("both", async |context, used| {
            let action = used.action.action_id.as_str();
            context.resources().push(format!("{action} {}", context.attempt()));
            if action == "size" || context.attempt() > 1 { Ok(()) } else { Err(ListenerError::other("not yet")) }
        });
    });
    let mut twice = work(envelope(TWO_ACTIONS), &["both", "both"]);
    twice.jobs[1].action = 1;
    world.send(&twice).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 1);
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    assert_eq!(world.log.take(), ["size 1", "delivery_date 1", "delivery_date 2"]);
    let message = Work::Slack(Box::new(twice.clone()));
    let keys = twice.jobs.iter().map(|job| RecordKey::new(&message, job, None));
    let trigger = "D#A0TACK001#trigger:1795511800003.1795500000.00000000000000000000000000000103";
    let records: Vec<String> = keys.map(|key| format!("{} {}", key.as_str(), world.state_of(&key))).collect();
    assert_eq!(records, [format!("{trigger}#both#0 C1"), format!("{trigger}#both@1#0 C2")]);
}

#[tokio::test(start_paused = true)]
async fn work_that_waited_while_a_pattern_changed_still_runs() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("a text that is not in it").lazy("job", async |context, message| {
            context.resources().push(message.text.clone());
            Ok(())
        });
    });
    world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["hi"]);
}

#[tokio::test(start_paused = true)]
async fn the_probe_completes_without_a_listener_and_without_a_call() {
    let world = World::new();
    let worker = world.worker(|_| {});
    let work = world.send_event("Ev1", &["tack.probe"]).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.state(&work, "tack.probe"), "C1");
}
