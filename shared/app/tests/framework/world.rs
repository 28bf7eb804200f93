//! A worker's world: ports in memory, a clock set by hand, and a log that listeners write to.

use crate::deliveries::{NOW, event, work};
use crate::ports::Ports;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::{ClaimOutcome, ClaimRequest, Owner, RecordKey};
use tack_app::memory::{ManualClock, SeededRandom, StoredRecord, Waiting};
use tack_app::message::{DeadLetter, Job, QueueName, SlackWork, Work, group_of};
use tack_app::ports::{Clock, IdempotencyStore, Queue};
use tack_app::protocol::{AppId, EpochMs};
use tack_app::{App, Authorize, HttpClient, LazyPhase, Limits, Record, Worker, WorkerParts};

pub(crate) const TOKEN: &str = "xoxb-not-a-real-token";

/// What an invocation has left when its batch arrives.
pub(crate) const REMAINING: Duration = Duration::from_secs(30);

/// What listeners did, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn push(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    /// Everything since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

pub(crate) type TestApp = App<LazyPhase, Log, ()>;
pub(crate) type TestWorker = Worker<Log, ()>;

pub(crate) struct World {
    pub(crate) clock: Rc<ManualClock>,
    pub(crate) ports: Rc<Ports>,
    pub(crate) log: Log,
    pub(crate) limits: Limits,
    pub(crate) seed: u64,
    pub(crate) slack_api_url: String,
    pub(crate) app_id: Option<AppId>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Rc::new(ManualClock::at(NOW)),
            ports: Rc::default(),
            log: Log::default(),
            limits: Limits::default(),
            seed: 1,
            // Port 9 is "discard": nothing answers there.
            slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
            app_id: None,
        }
    }

    pub(crate) fn worker(&self, register: impl FnOnce(&mut TestApp)) -> TestWorker {
        let app = App::build(register).expect("a registration without contradictions");
        let parts = WorkerParts {
            resources: self.log.clone(),
            authorize: Authorize::SingleWorkspace { bot_token: TOKEN.into() },
            app_id: self.app_id.clone(),
            http: HttpClient::new(Vec::new()).expect("an HTTP client"),
            slack_api_url: self.slack_api_url.clone(),
            store: Rc::clone(&self.ports) as _,
            queue: Rc::clone(&self.ports) as _,
            consumer: Rc::clone(&self.ports) as _,
            clock: Rc::clone(&self.clock) as _,
            random: Rc::new(SeededRandom::new(self.seed)),
            limits: self.limits.clone(),
        };
        Worker::new(app, parts)
    }

    /// Puts a delivery's work into its queue.
    pub(crate) async fn send(&self, work: &SlackWork) {
        let queue = QueueName::of(work.envelope.kind);
        self.send_body(queue, &group_of(&work.envelope.tenant), work.encode()).await;
    }

    pub(crate) async fn send_body(&self, queue: QueueName, group: &str, body: String) {
        self.ports.queue.send(queue, group, body).await.expect("a queue that accepts");
    }

    /// A message event with this id, for these jobs.
    pub(crate) async fn send_event(&self, event_id: &str, jobs: &[&str]) -> SlackWork {
        let work = work(event(event_id), jobs);
        self.send(&work).await;
        work
    }

    /// One invocation over all that waits in the events queue; how many messages must come again.
    pub(crate) async fn batch(&self, worker: &TestWorker) -> usize {
        self.batch_of(worker, QueueName::Events).await
    }

    pub(crate) async fn batch_of(&self, worker: &TestWorker, queue: QueueName) -> usize {
        let records = self.receive(queue);
        self.batch_of_records(worker, records).await
    }

    /// The same, with what SQS says of the time when the messages were sent.
    pub(crate) async fn batch_sent_at(&self, worker: &TestWorker, queue: QueueName, sent_at: EpochMs) -> usize {
        let records = self.receive(queue).into_iter().map(|record| Record { sent_at, ..record }).collect();
        self.batch_of_records(worker, records).await
    }

    async fn batch_of_records(&self, worker: &TestWorker, records: Vec<Record>) -> usize {
        let failed = worker.run_batch(records.clone(), REMAINING).await;
        self.ports.queue.finish(&records, &failed);
        failed.len()
    }

    /// Everything that waits in a queue. What does not say when it arrived was sent at the start.
    pub(crate) fn receive(&self, queue: QueueName) -> Vec<Record> {
        let mut records = self.ports.queue.receive(queue);
        for record in records.iter_mut().filter(|record| record.sent_at == EpochMs(0)) {
            record.sent_at = NOW;
        }
        records
    }

    /// An invocation whose process is killed after this much time: its batch is dropped where it stands.
    pub(crate) async fn killed_batch(&self, worker: &TestWorker, after: Duration) {
        let batch = worker.run_batch(self.receive(QueueName::Events), REMAINING);
        assert!(tokio::time::timeout(after, batch).await.is_err(), "it ended before it was killed");
    }

    /// Time passes, for the app's clock and for tokio's.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::advance(time).await;
    }

    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        self.ports.queue.waiting()
    }

    /// How long the only message that waits stays away.
    pub(crate) fn postponed(&self) -> Duration {
        let waiting = self.waiting();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0].postponed.expect("a message that was postponed")
    }

    pub(crate) fn letters(&self) -> Vec<DeadLetter> {
        self.ports.queue.letters()
    }

    pub(crate) fn record(&self, work: &SlackWork, job: &str) -> StoredRecord {
        self.ports.store.record(&record_key(work, job)).expect("a record")
    }

    /// `I1`, `C3` and so on: state and attempts of a job's record.
    pub(crate) fn state(&self, work: &SlackWork, job: &str) -> String {
        self.state_of(&record_key(work, job))
    }

    pub(crate) fn state_of(&self, key: &RecordKey) -> String {
        let record = self.ports.store.record(key).expect("a record");
        format!("{}{}", record.state(), record.attempts())
    }

    pub(crate) fn why(&self, work: &SlackWork, job: &str) -> String {
        self.record(work, job).why().unwrap_or_default().to_owned()
    }

    /// An attempt whose process is killed: it claims and is never heard of again. Leaves the clock behind its lease.
    pub(crate) async fn killed_attempt(&self, work: &SlackWork, job: &str, owner: u128) {
        self.take(work, job, owner).await;
        self.pass(Duration::from_millis(30_001)).await;
    }

    /// Another worker takes the job for 30 s.
    pub(crate) async fn take(&self, work: &SlackWork, job: &str, owner: u128) {
        let now = self.clock.now();
        let request = ClaimRequest {
            key: record_key(work, job),
            owner: Owner::from_bits(owner),
            now,
            lease_end: now.plus(Duration::from_secs(30)),
            body_hash: "0".repeat(64),
        };
        let taken = self.ports.store.claim(request).await;
        assert!(matches!(taken, Ok(ClaimOutcome::Won(_))), "{taken:?}");
    }

    pub(crate) fn now(&self) -> EpochMs {
        self.clock.now()
    }
}

pub(crate) fn record_key(work: &SlackWork, job: &str) -> RecordKey {
    RecordKey::new(&Work::Slack(Box::new(work.clone())), &Job::named(job), None)
}

/// Whether a wait lies within these seconds, both included.
#[track_caller]
pub(crate) fn assert_seconds(wait: Duration, from: f64, to: f64) {
    let seconds = wait.as_secs_f64();
    assert!((from..=to).contains(&seconds), "{seconds} s is not within {from} to {to} s");
}
