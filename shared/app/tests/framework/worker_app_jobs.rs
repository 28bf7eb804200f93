//! Work that Slack did not send: queued by a listener, a schedule or a partner, and run once per key.

use crate::deliveries::{NOW, edited, envelope, work};
use crate::ports::Fault;
use crate::world::{TestApp, TestWorker, World};
use serde_json::{Value, json};
use std::time::Duration;
use tack_app::Limits;
use tack_app::idempotency::RecordKey;
use tack_app::message::{Job, KEY_BYTES_MAX, QueueName, Work};

fn own(team: &str, job: &str, key: &str, payload: &Value) -> String {
    json!({ "v": 1, "origin": "app", "job": job, "team": team, "key": key, "payload": payload }).to_string()
}

fn nightly(app: &mut TestApp) {
    app.job("nightly", async |context, rows: &u32| {
        context.resources().push(format!("{} {rows} rows", context.idempotency_key()));
        Ok(())
    });
    app.message("").lazy("hello", async |context, _| {
        context.resources().push("hello");
        Ok(())
    });
}

#[tokio::test(start_paused = true)]
async fn a_job_of_the_apps_own_runs_with_its_payload_and_once_per_workspace_and_key() {
    let world = World::new();
    let worker = world.worker(nightly);
    for (team, key) in [("T1", "monday"), ("T1", "monday"), ("T2", "monday"), ("T1", "tuesday")] {
        world.send_body(QueueName::Events, team, own(team, "nightly", key, &json!(3))).await;
    }
    assert_eq!(world.batch(&worker).await, 0);
    world.send_body(QueueName::Events, "T1", own("T1", "nightly", "monday", &json!(3))).await;
    assert_eq!(world.batch(&worker).await, 0);
    let expected = ["app:T1:monday 3 rows", "app:T2:monday 3 rows", "app:T1:tuesday 3 rows"];
    assert_eq!(world.log.take(), expected);
    assert!(world.waiting().is_empty() && world.letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_payload_that_does_not_fit_waits_for_the_deployment_that_mends_it_and_is_then_for_a_person() {
    let limits = Limits { attempts: 3, ladder_ms: vec![1_000], ..Limits::default() };
    // Whoever has the address may write, so no reason may repeat it.
    let url = json!("https://hooks.slack.com/commands/T1/1/secret");
    let misfits = [url.clone(), json!([url]), json!({ "https://hooks.slack.com/secret": url })];
    for payload in misfits {
        let world = World { limits: limits.clone(), ..World::new() };
        let worker = world.worker(nightly);
        world.send_body(QueueName::Events, "T1", own("T1", "nightly", "k", &payload)).await;
        for again in [1, 1, 0] {
            assert_eq!(world.batch(&worker).await, again, "{payload}");
            world.pass(Duration::from_secs(2)).await;
        }
        assert!(world.log.take().is_empty());
        let [letter] = &world.letters()[..] else { panic!("one letter") };
        assert_eq!((letter.job.as_deref(), letter.attempts, letter.group.as_str()), (Some("nightly"), 3, "T1"));
        assert!(letter.reason.contains("does not fit"), "{}", letter.reason);
        assert!(!letter.reason.contains("slack.com") && !letter.reason.contains("secret"), "{}", letter.reason);
    }
    let world = World::new();
    world.send_body(QueueName::Events, "T1", own("T1", "nightly", "k", &json!("three"))).await;
    assert_eq!(world.batch(&world.worker(nightly)).await, 1);
    world.pass(Duration::from_secs(11)).await;
    let mended = world.worker(|app| {
        app.job("nightly", async |context, rows: &String| {
            context.resources().push(rows.clone());
            Ok(())
        });
    });
    assert_eq!(world.batch(&mended).await, 0);
    assert_eq!(world.log.take(), ["three"]);
}

#[tokio::test(start_paused = true)]
async fn two_apps_may_share_a_table() {
    let world = World { app_id: Some("A0OTHER01".into()), ..World::new() };
    let body = own("T1", "nightly", "monday", &json!(3));
    world.send_body(QueueName::Events, "T1", body.clone()).await;
    assert_eq!(world.batch(&world.worker(nightly)).await, 0);
    let work = Work::decode(&body).expect("a message");
    let key = RecordKey::new(&work, &Job::named("nightly"), Some(&"A0OTHER01".into()));
    assert_eq!(key.as_str(), "D#A0OTHER01#app:T1:monday#nightly#0");
    assert_eq!(world.state_of(&key), "C1");
    let unnamed = RecordKey::new(&work, &Job::named("nightly"), None);
    assert_eq!(unnamed.as_str(), "D#own#app:T1:monday#nightly#0");
    assert!(world.ports.store.record(&unnamed).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_chain_of_own_work_keeps_the_name_of_the_delivery_that_began_it() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.job("next", async |context, left: &u32| {
            context.resources().push(context.delivery());
            if *left > 0 { context.enqueue("next", &format!("row:{left}"), &(left - 1)).await } else { Ok(()) }
        });
        app.message("").lazy("start", async |context, _| context.enqueue("next", "row:9", &8_u32).await);
    });
    let start = world.send_event("Ev1", &["start"]).await;
    while !world.waiting().is_empty() {
        assert_eq!(world.batch(&worker).await, 0);
    }
    let mut expected = vec![format!("{}:row:9", start.id)];
    expected.extend((1..=8).rev().map(|left| format!("{}:row:{left}", start.id)));
    assert_eq!(world.log.take(), expected);
}

#[tokio::test(start_paused = true)]
async fn work_of_one_origin_for_a_job_of_the_other_is_for_a_person() {
    let world = World::new();
    let worker = world.worker(nightly);
    world.send_body(QueueName::Events, "T1", own("T1", "hello", "k", &json!(3))).await;
    world.send_event("Ev1", &["nightly"]).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.log.take().is_empty());
    assert_eq!(world.letters().len(), 2);
}

/// A listener that enqueues one piece of work, and the job that takes it.
fn enqueuing(world: &World, job: &'static str, key: String, payload: Value) -> TestWorker {
    world.worker(|app| {
        nightly(app);
        app.message("").lazy("start", async move |context, _| {
            let result = context.enqueue(job, &key, &payload).await;
            context.resources().push(result.as_ref().map_or_else(ToString::to_string, |()| "enqueued".to_owned()));
            result
        });
    })
}

#[tokio::test(start_paused = true)]
async fn enqueued_work_waits_in_the_events_queue_of_its_workspace_and_runs() {
    let world = World::new();
    let worker = enqueuing(&world, "nightly", "monday".to_owned(), json!(3));
    let mut start = work(envelope("event/message-org-install.json"), &["start"]);
    start.trace = Some("Root=1".to_owned());
    let tenant = start.envelope.tenant.clone();
    world.send(&start).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["enqueued"]);
    let [waiting] = &world.waiting()[..] else { panic!("one message") };
    assert_eq!(
        (waiting.queue, Some(waiting.group.as_str())),
        (QueueName::Events, tenant.team.as_ref().map(|t| t.as_str()))
    );
    let Ok(Work::App(own)) = Work::decode(&waiting.body) else { panic!("work of the app: {}", waiting.body) };
    assert_eq!((own.job.as_str(), own.key.as_str(), own.payload.clone()), ("nightly", "monday", json!(3)));
    assert!(tenant.is_enterprise_install && tenant.team.is_some(), "an org-wide installation, in a workspace");
    assert_eq!(Work::App(own.clone()).tenant(), tenant, "so its token is looked for in the same order");
    assert_eq!((own.received_at, own.generation, own.trace.as_deref()), (Some(NOW), 0, Some("Root=1")));
    assert!(own.id.contains(&start.id), "it is found by the delivery that caused it");
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_starts_over_enqueues_again_without_a_second_effect() {
    let world = World::new();
    let worker = enqueuing(&world, "nightly", "monday".to_owned(), json!(3));
    world.send_event("Ev1", &["start"]).await;
    for _ in 0..3 {
        world.ports.fail("complete", Fault::Refuse);
    }
    assert_eq!(world.batch(&worker).await, 1);
    world.pass(Duration::from_secs(33)).await;
    while !world.waiting().is_empty() {
        world.batch(&worker).await;
    }
    assert_eq!(world.log.take(), ["enqueued", "app:T0ACME001:monday 3 rows", "enqueued"]);
}

async fn refusal(job: &'static str, key: String, payload: Value) -> (String, usize, usize) {
    let world = World::new();
    let worker = enqueuing(&world, job, key, payload);
    world.send_event("Ev1", &["start"]).await;
    let again = world.batch(&worker).await;
    (world.log.take().remove(0), again, world.letters().len())
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_enqueued_is_refused_at_once_and_for_a_person() {
    for (job, key, payload) in [
        ("nightli", "k".to_owned(), json!(3)),
        ("nightly", String::new(), json!(3)),
        ("nightly", "k".repeat(KEY_BYTES_MAX + 1), json!(3)),
        ("nightly", "é".repeat(KEY_BYTES_MAX / 2 + 1), json!(3)),
        ("nightly", "k".to_owned(), json!("a".repeat(1024 * 1024))),
    ] {
        let case = format!("{job} {}", key.len());
        let (said, again, letters) = refusal(job, key, payload).await;
        assert_ne!(said, "enqueued", "{case}");
        assert_eq!((again, letters), (0, 1), "{case}: {said}");
    }
    assert_eq!(refusal("nightly", "k".repeat(KEY_BYTES_MAX), json!(3)).await.0, "enqueued");
}

#[tokio::test(start_paused = true)]
async fn a_job_for_slacks_deliveries_cannot_be_enqueued() {
    // It would be queued, run, and parked far from the line that is wrong.
    for job in ["hello", "tack.probe"] {
        let (said, _, letters) = refusal(job, "k".to_owned(), json!(3)).await;
        assert!(said.contains(job) && said.contains("app.job"), "{said}");
        assert_eq!(letters, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_without_a_workspace_cannot_enqueue() {
    let world = World::new();
    let worker = enqueuing(&world, "nightly", "k".to_owned(), json!(3));
    let nowhere = edited("event/message.json", |root| {
        for field in ["team_id", "context_team_id", "authorizations"] {
            root[field] = json!(null);
        }
    });
    assert_eq!(nowhere.tenant.team, None);
    world.send(&work(nowhere, &["start"])).await;
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_of_a_whole_organisation_enqueues_for_it() {
    let world = World::new();
    let worker = enqueuing(&world, "nightly", "monday".to_owned(), json!(3));
    let organisation = edited("event/message.json", |root| {
        root["team_id"] = json!(null);
        let org_wide = json!({ "enterprise_id": "E0ACMEORG", "team_id": null, "is_enterprise_install": true });
        root["authorizations"] = json!([org_wide]);
    });
    assert_eq!(organisation.tenant.team, None);
    world.send(&work(organisation, &["start"])).await;
    assert_eq!(world.batch(&worker).await, 0);
    let [waiting] = &world.waiting()[..] else { panic!("one message") };
    assert_eq!(waiting.group, "E0ACMEORG");
    let Ok(Work::App(own)) = Work::decode(&waiting.body) else { panic!("work of the app: {}", waiting.body) };
    assert_eq!((own.enterprise, own.team), (Some("E0ACMEORG".into()), None));
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.log.take(), ["enqueued", "app:E0ACMEORG:monday 3 rows"]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_refuses_makes_the_listener_start_over() {
    let world = World::new();
    let worker = enqueuing(&world, "nightly", "monday".to_owned(), json!(3));
    let start = world.send_event("Ev1", &["start"]).await;
    world.ports.fail("send", Fault::Refuse);
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.state(&start, "start"), "I1");
}
