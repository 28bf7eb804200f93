//! The event source under virtual time: what it deletes, what it leaves, and what it does meanwhile.

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tack_local_aws::event_source::{BatchBegan, BatchEvent, BatchMessage, BatchOutcome, BatchReport, EventSource};
use tack_local_aws::lambda::{Invocation, Invoke, InvokeError, Served};
use tack_local_aws::sqs::{Depth, NewMessage, QueueSettings};
use tack_local_aws::{Clock, LocalAws, Sqs};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

const QUEUE: &str = "events";
const VISIBILITY: Duration = Duration::from_secs(30);

/// A function in this process.
struct InProcess<F>(F);

impl<F: AsyncFn(Vec<Value>) -> Result<Bytes, InvokeError>> Invoke for InProcess<F> {
    fn name(&self) -> &'static str {
        "worker"
    }

    fn invoke<'a>(&'a self, invocation: Invocation) -> LocalBoxFuture<'a, Served> {
        let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
        let records = event["Records"].as_array().unwrap().clone();
        Box::pin(async { Served { pid: None, answer: (self.0)(records).await } })
    }
}

struct World {
    sqs: Sqs,
    events: mpsc::UnboundedReceiver<BatchEvent>,
    observer: mpsc::UnboundedSender<BatchEvent>,
}

fn world() -> World {
    let sqs = LocalAws::new(Clock::virtual_from(1_700_000_000_000)).sqs().clone();
    sqs.create_queue(QUEUE, QueueSettings { visibility_timeout: VISIBILITY, ..QueueSettings::default() }).unwrap();
    let (observer, events) = mpsc::unbounded_channel();
    World { sqs, events, observer }
}

impl World {
    fn source(&self, function: impl AsyncFn(Vec<Value>) -> Result<Bytes, InvokeError> + 'static) -> EventSource {
        let mut source = EventSource::new(self.sqs.clone(), QUEUE, Rc::new(InProcess(function)));
        source.observer = Some(self.observer.clone());
        source
    }

    fn send(&self, body: &str) -> String {
        self.sqs.send(QUEUE, NewMessage { body: body.into(), ..NewMessage::default() }).unwrap()
    }

    fn depth(&self) -> Depth {
        self.sqs.depth(QUEUE).unwrap()
    }

    async fn began(&mut self) -> BatchBegan {
        loop {
            if let BatchEvent::Began(began) = self.events.recv().await.unwrap() {
                return began;
            }
        }
    }

    async fn report(&mut self) -> BatchReport {
        loop {
            if let BatchEvent::Ended(report) = self.events.recv().await.unwrap() {
                return report;
            }
        }
    }
}

/// Runs the source while `test` runs, and until it has shut down.
async fn run<T>(source: EventSource, test: impl Future<Output = T>) -> T {
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let test = async {
        let outcome = test.await;
        drop(stop);
        outcome
    };
    tokio::join!(source.run(shutdown), test).1
}

fn ok() -> Result<Bytes, InvokeError> {
    Ok(Bytes::from_static(b"null"))
}

fn bodies(records: &[Value]) -> Vec<String> {
    records.iter().map(|record| record["body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_succeeded_is_deleted_in_batches_of_ten_at_most() {
    let mut world = world();
    let ids: Vec<_> = (0..25).map(|number| world.send(&number.to_string())).collect();
    let source = world.source(async |_| ok());
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    run(source, async {
        for _ in 0..3 {
            let report = world.report().await;
            assert_eq!((report.queue.as_str(), &report.outcome), (QUEUE, &BatchOutcome::Succeeded));
            sizes.push(report.message_ids.len());
            seen.extend(report.message_ids);
        }
    })
    .await;
    assert_eq!(sizes, [10, 10, 5]);
    seen.sort();
    let mut ids = ids;
    ids.sort();
    assert_eq!(seen, ids);
    assert_eq!(world.depth().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_told_of_when_it_is_handed_over_and_again_when_it_is_over() {
    let mut world = world();
    let release = Rc::new(Semaphore::new(0));
    let source = world.source({
        let release = release.clone();
        async move |_| {
            release.acquire().await.unwrap().forget();
            Ok(Bytes::from_static(b"not json"))
        }
    });
    let message = NewMessage { body: "a".into(), group_id: Some("T0001".into()), ..NewMessage::default() };
    let message_id = world.sqs.send(QUEUE, message).unwrap();
    run(source, async {
        let first = world.began().await;
        assert_eq!((first.queue.as_str(), first.function.as_str(), first.at_ms), (QUEUE, "worker", 1_700_000_000_000));
        let sent = BatchMessage {
            message_id: message_id.clone(),
            receive_count: 1,
            sent_ms: 1_700_000_000_000,
            group_id: Some("T0001".into()),
            body: "a".into(),
        };
        assert_eq!(first.messages, [sent]);
        assert!(world.events.try_recv().is_err(), "it is told before the function has answered");
        tokio::time::sleep(Duration::from_secs(2)).await;
        release.add_permits(1);
        let over = world.report().await;
        assert_eq!((over.request_id, over.message_ids), (first.request_id.clone(), vec![message_id]));
        assert_eq!((over.pid, over.duration_ms, over.at_ms), (None, 2_000, 1_700_000_002_000));
        let second = world.began().await;
        assert_eq!((second.messages[0].receive_count, second.at_ms), (2, 1_700_000_030_000));
        assert_ne!(second.request_id, first.request_id, "an invocation of its own");
        release.add_permits(1);
        assert_eq!(world.report().await.request_id, second.request_id);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_a_function_error_or_a_time_out_the_batch_comes_back_when_its_visibility_ends() {
    let failures = [
        InvokeError::FunctionError { error_type: "E".into(), message: "m".into(), payload: Bytes::new() },
        InvokeError::TimedOut { after: Duration::from_secs(5) },
        InvokeError::ProcessExited { status: "exit status: 1".into() },
    ];
    for failure in failures {
        let mut world = world();
        world.send("a");
        let began = Instant::now();
        let calls = Rc::new(RefCell::new(Vec::new()));
        let source = world.source({
            let (calls, failure) = (calls.clone(), failure.clone());
            async move |records| {
                calls
                    .borrow_mut()
                    .push((began.elapsed().as_secs(), records[0]["attributes"]["ApproximateReceiveCount"].clone()));
                if calls.borrow().len() == 1 { Err(failure.clone()) } else { ok() }
            }
        });
        run(source, async {
            assert_eq!(world.report().await.outcome, BatchOutcome::Failed(failure));
            assert_eq!(world.depth(), Depth { visible: 0, in_flight: 1, delayed: 0 });
            assert_eq!(world.report().await.outcome, BatchOutcome::Succeeded);
        })
        .await;
        assert_eq!(*calls.borrow(), [(0, json!("1")), (30, json!("2"))]);
        assert_eq!(world.depth().total(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_partial_answer_exactly_the_named_messages_stay() {
    let mut world = world();
    for body in ["a", "b", "c"] {
        world.send(body);
    }
    let source = world.source(async |records| {
        let failed: Vec<_> = records
            .iter()
            .filter(|record| record["body"] == "b")
            .map(|record| json!({"itemIdentifier": record["messageId"]}))
            .collect();
        Ok(json!({"batchItemFailures": failed}).to_string().into())
    });
    run(source, async {
        let BatchOutcome::Partial(failed) = world.report().await.outcome else { panic!("all or nothing") };
        let left = world.sqs.peek(QUEUE);
        assert_eq!(left.iter().map(|message| message.body.as_str()).collect::<Vec<_>>(), ["b"]);
        assert_eq!(failed, [left[0].message_id.clone()]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_an_answer_that_cannot_be_understood_the_whole_batch_stays() {
    let answers = [
        r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]}"#,
        r#"{"batchItemFailures": [{"item_identifier": "x"}]}"#,
        "not json",
    ];
    for answer in answers {
        let mut world = world();
        world.send("a");
        world.send("b");
        let source = world.source(async |_| Ok(Bytes::from_static(answer.as_bytes())));
        run(source, async {
            let outcome = world.report().await.outcome;
            assert!(matches!(outcome, BatchOutcome::Malformed(_)), "{answer}: {outcome:?}");
            assert_eq!(world.depth(), Depth { visible: 0, in_flight: 2, delayed: 0 });
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_answer_is_a_success() {
    for answer in ["", "null", "{}", r#"{"batchItemFailures": []}"#] {
        let mut world = world();
        world.send("a");
        let source = world.source(async |_| Ok(Bytes::from_static(answer.as_bytes())));
        run(source, async { assert_eq!(world.report().await.outcome, BatchOutcome::Succeeded, "{answer}") }).await;
        assert_eq!(world.depth().total(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_batch_is_tried_again_and_needs_no_second_receive() {
    let mut world = world();
    world.send("a");
    let calls = Rc::new(Cell::new(0));
    let source = world.source({
        let calls = calls.clone();
        async move |records| {
            calls.set(calls.get() + 1);
            assert_eq!(records[0]["attributes"]["ApproximateReceiveCount"], "1");
            if calls.get() < 4 { Err(InvokeError::Throttled) } else { ok() }
        }
    });
    run(source, async {
        let began = world.began().await;
        let BatchEvent::Ended(report) = world.events.recv().await.unwrap() else { panic!("began twice") };
        assert_eq!((report.request_id, report.outcome), (began.request_id, BatchOutcome::Succeeded));
    })
    .await;
    assert_eq!((calls.get(), world.depth().total()), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_batch_throttled_until_its_visibility_ends_goes_back_to_the_queue() {
    let mut world = world();
    world.send("a");
    let counts = Rc::new(RefCell::new(Vec::new()));
    let source = world.source({
        let counts = counts.clone();
        async move |records| {
            counts.borrow_mut().push(records[0]["attributes"]["ApproximateReceiveCount"].clone());
            if records[0]["attributes"]["ApproximateReceiveCount"] == "1" { Err(InvokeError::Throttled) } else { ok() }
        }
    });
    let began = Instant::now();
    run(source, async {
        let report = world.report().await;
        assert_eq!(report.outcome, BatchOutcome::Failed(InvokeError::Throttled));
        assert!((28_000..=30_000).contains(&report.duration_ms), "{}", report.duration_ms);
        assert_eq!(world.report().await.outcome, BatchOutcome::Succeeded);
    })
    .await;
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(counts.borrow().iter().filter(|count| **count == "1").count() > 10);
    assert_eq!(world.depth().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn while_one_batch_hangs_others_are_received_and_processed() {
    let mut world = world();
    let release = Rc::new(Semaphore::new(0));
    let mut source = world.source({
        let release = release.clone();
        async move |records| {
            if bodies(&records) == ["hang"] {
                let _permit = release.acquire().await.unwrap();
            }
            ok()
        }
    });
    source.batch_size = 1;
    let hanging = world.send("hang");
    run(source, async {
        for number in 0..20 {
            let id = world.send(&number.to_string());
            assert_eq!(world.report().await.message_ids, [id]);
        }
        assert_eq!(world.depth(), Depth { visible: 0, in_flight: 1, delayed: 0 });
        release.add_permits(1);
        assert_eq!(world.report().await.message_ids, [hanging]);
    })
    .await;
    assert_eq!(world.depth().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_more_batches_are_in_flight_than_allowed_and_the_rest_stays_visible() {
    let mut world = world();
    for number in 0..8 {
        world.send(&number.to_string());
    }
    let release = Rc::new(Semaphore::new(0));
    let running = Rc::new(Cell::new(0));
    let mut source = world.source({
        let (release, running) = (release.clone(), running.clone());
        async move |_| {
            running.set(running.get() + 1);
            release.acquire().await.unwrap().forget();
            ok()
        }
    });
    source.batch_size = 1;
    run(source, async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(running.get(), 5);
        assert_eq!(world.depth(), Depth { visible: 3, in_flight: 5, delayed: 0 });
        release.add_permits(1);
        world.report().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!((running.get(), world.depth().visible), (6, 2));
        release.add_permits(7);
        for _ in 0..7 {
            world.report().await;
        }
    })
    .await;
    assert_eq!(world.depth().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_window_collects_what_comes_within_it() {
    let mut world = world();
    let mut source = world.source(async |_| ok());
    source.window = Duration::from_secs(5);
    let began = Instant::now();
    run(source, async {
        let mut sent = vec![world.send("first")];
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(2)).await;
            sent.push(world.send("more"));
        }
        assert_eq!(world.report().await.message_ids, sent);
        assert_eq!(began.elapsed().as_secs(), 5);
        // A full batch waits for nothing.
        for _ in 0..10 {
            world.send("full");
        }
        assert_eq!(world.report().await.message_ids.len(), 10);
        assert_eq!(began.elapsed().as_secs(), 5);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn messages_too_large_for_one_event_go_in_two() {
    let mut world = world();
    for _ in 0..10 {
        world.send(&"x".repeat(1_000_000));
    }
    let source = world.source(async |_| ok());
    run(source, async {
        let sizes = [world.report().await.message_ids.len(), world.report().await.message_ids.len()];
        assert_eq!(sizes.iter().sum::<usize>(), 10);
    })
    .await;
    assert_eq!(world.depth().total(), 0);
}

#[tokio::test(start_paused = true)]
async fn shutdown_waits_for_what_runs_and_gives_up_what_is_throttled() {
    let mut world = world();
    let mut source = world.source(async |records| {
        if bodies(&records) == ["throttled"] {
            return Err(InvokeError::Throttled);
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
        ok()
    });
    source.batch_size = 1;
    let (slow, throttled) = (world.send("slow"), world.send("throttled"));
    let began = Instant::now();
    run(source, async { tokio::time::sleep(Duration::from_secs(1)).await }).await;
    assert_eq!(began.elapsed().as_secs(), 10);
    let (first, second) = (world.report().await, world.report().await);
    assert_eq!((first.message_ids, first.outcome), (vec![throttled], BatchOutcome::Failed(InvokeError::Throttled)));
    assert_eq!((second.message_ids, second.outcome), (vec![slow], BatchOutcome::Succeeded));
    assert_eq!(world.depth(), Depth { visible: 0, in_flight: 1, delayed: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_made_later_is_found() {
    let mut world = world();
    world.sqs.delete_queue(QUEUE).unwrap();
    let source = world.source(async |_| ok());
    run(source, async {
        tokio::time::sleep(Duration::from_secs(90)).await;
        world.sqs.create_queue(QUEUE, QueueSettings::default()).unwrap();
        let id = world.send("a");
        assert_eq!(world.report().await.message_ids, [id]);
    })
    .await;
}
