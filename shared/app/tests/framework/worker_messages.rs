//! Messages of which this worker cannot make anything: another version, another deployment, or nonsense.

use crate::deliveries::{event, work};
use crate::ports::Fault;
use crate::world::{World, assert_seconds};
use serde_json::json;
use std::time::Duration;
use tack_app::ListenerError;
use tack_app::message::{QueueName, SlackWork, Work};

const NEWER: &str = r#"{"v":2,"origin":"slack","everything":"else"}"#;

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_registered_waits_for_a_deployment_and_then_runs() {
    let world = World::new();
    let old = world.worker(|_| {});
    let work = world.send_event("Ev1", &["job"]).await;
    assert_eq!(world.batch(&old).await, 1);
    assert!(world.why(&work, "job").contains("job"), "{}", world.why(&work, "job"));
    world.pass(Duration::from_secs(11)).await;
    let new = world.worker(|app| {
        app.message("").lazy("job", async |_, _| Ok(()));
    });
    assert_eq!(world.batch(&new).await, 0);
    assert_eq!(world.state(&work, "job"), "C2");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_nobody_ever_registers_is_parked_when_its_attempts_are_used_up() {
    let world = World {
        limits: tack_app::Limits { attempts: 3, ladder_ms: vec![1_000], ..Default::default() },
        ..World::new()
    };
    let worker = world.worker(|_| {});
    world.send_event("Ev1", &["gone"]).await;
    for again in [1, 1, 0] {
        assert_eq!(world.batch(&worker).await, again);
        world.pass(Duration::from_secs(2)).await;
    }
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert!(letter.reason.contains("\"gone\""), "{}", letter.reason);
}

#[tokio::test(start_paused = true)]
async fn a_newer_message_waits_for_the_deployment_that_reads_it_and_is_then_buried_as_it_came() {
    let world = World::new();
    let worker = world.worker(|_| {});
    world.send_body(QueueName::Interactions, "T0ACME001", NEWER.to_owned()).await;
    for received in 1..10 {
        assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 1, "receive {received}");
        let most = [10.0, 30.0, 120.0, 600.0][std::cmp::min(received, 4) - 1];
        assert_seconds(world.postponed(), most / 2.0, most);
    }
    assert_eq!(world.batch_of(&worker, QueueName::Interactions).await, 0);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.queue, letter.group.as_str(), letter.attempts), (QueueName::Interactions, "T0ACME001", 10));
    assert_eq!((letter.body.as_str(), letter.job.as_deref()), (NEWER, None));
    assert!(letter.reason.contains('2'), "{}", letter.reason);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_buried_at_once_as_it_came() {
    let world = World::new();
    let worker = world.worker(|_| {});
    for body in ["hello", "{}", r#"{"v":1,"origin":"mars"}"#, r#"{"v":1,"origin":"app","job":"nightly"}"#] {
        world.send_body(QueueName::Events, "T1", body.to_owned()).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    let bodies: Vec<String> = world.letters().into_iter().map(|letter| letter.body).collect();
    assert_eq!(bodies, ["hello", "{}", r#"{"v":1,"origin":"mars"}"#, r#"{"v":1,"origin":"app","job":"nightly"}"#]);
    assert!(world.letters().iter().all(|letter| !letter.reason.is_empty() && letter.attempts == 1));
}

#[tokio::test(start_paused = true)]
async fn own_work_that_could_not_have_a_record_is_buried_at_once_as_it_came() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.job("nightly", async |_, _: &serde_json::Value| Ok(()));
    });
    let body = json!({ "v": 1, "origin": "app", "job": "nightly", "team": "T1", "key": "" }).to_string();
    world.send_body(QueueName::Events, "T1", body.clone()).await;
    assert_eq!(world.batch(&worker).await, 0);
    let [letter] = &world.letters()[..] else { panic!("one letter") };
    assert_eq!((letter.body.as_str(), letter.attempts), (body.as_str(), 1));
    assert!(letter.reason.contains("key"), "{}", letter.reason);
    assert_eq!(world.ports.calls(), ["bury"]);
}

#[tokio::test(start_paused = true)]
async fn no_reason_repeats_what_stood_in_an_unreadable_message() {
    const URL: &str = "https://hooks.slack.com/commands/T1/1/secret";
    let world = World::new();
    let worker = world.worker(|_| {});
    let slack: serde_json::Value =
        serde_json::from_str(&work(event("Ev1"), &["job"]).encode()).expect("a message of ours");
    for field in
        ["v", "origin", "id", "received_at", "kind", "app", "team", "enc", "content_type", "body", "jobs", "gen"]
    {
        for value in [json!(URL), json!([URL]), json!({ URL: URL })] {
            let mut wire = slack.clone();
            wire[field] = value.clone();
            world.send_body(QueueName::Events, "T1", wire.to_string()).await;
            wire = json!({ "v": 1, "origin": "app", "job": "j", "team": "T1", "key": "k", "received_at": 1, "gen": 0 });
            wire[field] = value;
            world.send_body(QueueName::Events, "T1", wire.to_string()).await;
        }
    }
    world.send_body(QueueName::Events, "T1", URL.to_owned()).await;
    world.send_body(QueueName::Events, "T1", json!(URL).to_string()).await;
    world.batch(&worker).await;
    let letters = world.letters();
    assert!(letters.len() > 40, "{}", letters.len());
    for letter in letters {
        assert!(!letter.reason.contains("slack.com") && !letter.reason.contains("secret"), "{}", letter.reason);
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_generation_there_is_can_be_given_up_like_any_other() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.job("nightly", async |_, (): &()| Err(ListenerError::permanent("broken")));
        app.message("").lazy("job", async |_, _| Err(ListenerError::permanent("broken")));
    });
    let body = json!({ "v": 1, "origin": "app", "job": "nightly", "team": "T1", "key": "k", "gen": u32::MAX });
    world.send_body(QueueName::Events, "T1", body.to_string()).await;
    world.send(&SlackWork { generation: u32::MAX, ..work(event("Ev1"), &["job"]) }).await;
    assert_eq!(world.batch(&worker).await, 0);
    let generations: Vec<u32> =
        world.letters().iter().map(|letter| Work::decode(&letter.body).map_or(0, |work| work.generation())).collect();
    assert_eq!(generations, [u32::MAX, u32::MAX]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_buried_comes_again() {
    let world = World::new();
    let worker = world.worker(|_| {});
    world.send_body(QueueName::Events, "T1", "hello".to_owned()).await;
    world.ports.fail("bury", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.letters().len(), 1);
}
