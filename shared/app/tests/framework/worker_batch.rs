//! One invocation over several messages: nothing that one of them does may cost its neighbours their end.

use crate::deliveries::{event, work};
use crate::world::{REMAINING, World};
use std::future::pending;
use std::time::Duration;
use tack_app::message::QueueName;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn the_jobs_of_a_batch_run_at_once() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |_, _| {
            sleep(Duration::from_secs(3)).await;
            Ok(())
        });
    });
    for number in 0..10 {
        world.send_event(&format!("Ev{number}"), &["job"]).await;
    }
    let started = Instant::now();
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(started.elapsed(), Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_overruns_is_dropped_a_second_before_the_deadline_while_its_neighbours_complete() {
    struct Noted(crate::world::Log);
    impl Drop for Noted {
        fn drop(&mut self) {
            self.0.push("dropped");
        }
    }
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("hog", async |context, _| {
            let _noted = Noted(context.resources().clone());
            context.resources().push(format!("{} s left", context.remaining().as_secs()));
            pending().await
        });
        app.message("").lazy("job", async |_, _| {
            sleep(Duration::from_millis(28_900)).await;
            Ok(())
        });
    });
    let hog = world.send_event("Ev1", &["hog"]).await;
    let decent = world.send_event("Ev2", &["job"]).await;
    let started = Instant::now();
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(started.elapsed(), Duration::from_secs(29));
    assert_eq!(world.log.take(), ["29 s left", "dropped"]);
    assert_eq!((world.state(&hog, "hog"), world.state(&decent, "job")), ("I1".to_owned(), "C1".to_owned()));
    assert!(world.why(&hog, "hog").contains("attempt 1"), "{}", world.why(&hog, "hog"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_one_jobs_failure() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("broken", async |_, _| panic!("oh"));
        app.message("").lazy("sound", async |_, _| Ok(()));
    });
    let both = world.send_event("Ev1", &["broken", "sound"]).await;
    let other = world.send_event("Ev2", &["sound"]).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.state(&both, "broken"), "I1");
    assert_eq!((world.state(&both, "sound"), world.state(&other, "sound")), ("C1".to_owned(), "C1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn the_answer_names_exactly_the_messages_that_must_come_again() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("fails", async |_, _| Err(std::io::Error::other("no").into()));
        app.message("").lazy("works", async |_, _| Ok(()));
    });
    for (name, job) in [("Ev1", "works"), ("Ev2", "fails"), ("Ev3", "works"), ("Ev4", "fails")] {
        world.send_event(name, &[job]).await;
    }
    let records = world.ports.queue.receive(QueueName::Events);
    let expected = [records[1].message_id.clone(), records[3].message_id.clone()];
    assert_eq!(worker.run_batch(records, REMAINING).await, expected);
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_and_a_message_without_jobs_are_finished() {
    let world = World::new();
    let worker = world.worker(|_| {});
    assert!(worker.run_batch(Vec::new(), REMAINING).await.is_empty());
    world.send(&work(event("Ev1"), &[])).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.ports.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_read_leaves_its_neighbours_alone() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |_, _| Ok(()));
    });
    world.send_body(QueueName::Events, "T1", "hello".to_owned()).await;
    let decent = world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!((world.state(&decent, "job").as_str(), world.letters().len()), ("C1", 1));
}
