//! How long a job waits before it runs again, and when waiting is of no use any more.

use crate::deliveries::NOW;
use crate::world::{TestWorker, World, assert_seconds};
use std::time::Duration;
use tack_app::message::QueueName;
use tack_app::protocol::EpochMs;
use tack_app::{ClientError, ListenerError};

const HOUR: Duration = Duration::from_secs(3600);

fn failing(world: &World, end: impl Fn() -> ListenerError + 'static) -> TestWorker {
    world.worker(|app| {
        app.message("").stale_after(HOUR * 1000).lazy("job", async move |_, _| Err(end()));
    })
}

/// The waits after the first attempts, within these seconds.
async fn assert_waits(end: impl Fn() -> ListenerError + 'static, expected: &[(f64, f64)]) {
    let world = World::new();
    let worker = failing(&world, end);
    world.send_event("Ev1", &["job"]).await;
    for (least, most) in expected {
        assert_eq!(world.batch(&worker).await, 1);
        assert_seconds(world.postponed(), *least, *most);
        world.pass(world.postponed() + Duration::from_millis(1)).await;
    }
}

fn rate_limited(seconds: u64) -> ListenerError {
    let retry_after = Duration::from_secs(seconds);
    ClientError::RateLimited { method: "chat.postMessage".to_owned(), retry_after }.into()
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_asked_for_is_kept_twice_and_then_is_at_least_the_ladders() {
    // The ladder is 10 s, 30 s, 2 min, 10 min, 30 min, and jitter takes half of it at most.
    let short = [(5.0, 6.0), (5.0, 6.0), (60.0, 120.0), (300.0, 600.0), (900.0, 1800.0)];
    assert_waits(|| ListenerError::retry_in(Duration::from_secs(5), "the shop is shut"), &short).await;
    assert_waits(|| rate_limited(5), &short).await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_longer_than_the_ladders_is_kept_at_every_attempt() {
    let long = [(3600.0, 3601.0); 5];
    assert_waits(|| ListenerError::retry_in(HOUR, "the shop is shut"), &long).await;
    assert_waits(|| rate_limited(3600), &long).await;
}

#[tokio::test(start_paused = true)]
async fn no_wait_at_all_is_granted_twice() {
    let none = [(0.0, 0.0), (0.0, 0.0), (60.0, 120.0)];
    assert_waits(|| ListenerError::retry_in(Duration::ZERO, "again"), &none).await;
}

/// One attempt of a message that was sent this long ago: whether it comes again, and the reason of its letter if there is one.
async fn sent_ago(age: Duration, end: fn() -> ListenerError) -> (usize, Option<String>) {
    let world = World::new();
    let worker = failing(&world, end);
    world.send_event("Ev1", &["job"]).await;
    let sent_at = EpochMs(NOW.0 - u64::try_from(age.as_millis()).expect("a time"));
    let again = world.batch_sent_at(&worker, QueueName::Events, sent_at).await;
    (again, world.letters().pop().map(|letter| letter.reason))
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_end_more_than_84_hours_after_the_sending_parks_with_its_reason() {
    let minute: fn() -> ListenerError = || ListenerError::retry_in(Duration::from_secs(60), "the shop is shut");
    let ladder: fn() -> ListenerError = || ListenerError::other("the shop is shut");
    let limit = 84 * HOUR;
    let cases = [
        (limit - Duration::from_secs(62), minute, false),
        (limit - Duration::from_secs(59), minute, true),
        (limit, ladder, true),
        (limit - Duration::from_secs(11), ladder, false),
        (90 * HOUR, minute, true),
    ];
    for (age, end, parks) in cases {
        let (again, reason) = sent_ago(age, end).await;
        assert_eq!((again, reason.is_some()), (usize::from(!parks), parks), "{age:?}");
        assert!(reason.is_none_or(|reason| reason.contains("the shop is shut")), "{age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_a_day_each_time_is_given_up_before_sqs_forgets_it() {
    let world = World::new();
    let worker = failing(&world, || ListenerError::retry_in(24 * HOUR, "tomorrow"));
    let work = world.send_event("Ev1", &["job"]).await;
    for day in 1..=3 {
        assert_eq!(world.batch(&worker).await, 1, "day {day}");
        world.pass(24 * HOUR + Duration::from_secs(2)).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!((world.state(&work, "job").as_str(), world.letters().len()), ("P4", 1));
}
