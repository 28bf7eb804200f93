//! Phase 2: messages in, jobs run, and the names of the messages that must come again out.
//!
//! `batch` opens the messages and runs their jobs at once on one thread; `job` takes one job through claim, authorization
//! and listener; `settle` ends it; `lifecycle` has the framework's own jobs. Invariant: no job runs without a claim, and every claim is settled or left to its lease.

mod batch;
mod job;
mod lifecycle;
mod settle;

use crate::app::{App, LazyPhase};
use crate::authorize::Authorize;
use crate::client::HttpClient;
use crate::limits::Limits;
use crate::message::QueueName;
use crate::ports::{Clock, IdempotencyStore, Queue, QueueConsumer, Random};
use std::rc::Rc;
use tack_protocol::{AppId, EpochMs};

/// A message as it was received.
#[derive(Clone, Debug)]
pub struct Record {
    /// SQS's name for the message; what a partial batch answer names.
    pub message_id: String,
    /// What postpones this receipt of it.
    pub receipt: String,
    /// Which queue it came from.
    pub queue: QueueName,
    /// The message group it was sent with.
    pub group: Option<String>,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// When it was sent into this queue; a redrive sends anew.
    pub sent_at: EpochMs,
    /// The message.
    pub body: String,
}

/// What a worker is made of.
pub struct WorkerParts<R> {
    /// The adopter's own things.
    pub resources: R,
    /// Whose token.
    pub authorize: Authorize,
    /// The app that is served: part of the key of its own work, so that two apps may share a table.
    pub app_id: Option<AppId>,
    /// Connections to Slack.
    pub http: HttpClient,
    /// Where Slack's Web API is, with a slash at its end.
    pub slack_api_url: String,
    /// Records of jobs.
    pub store: Rc<dyn IdempotencyStore>,
    /// Where enqueued work goes.
    pub queue: Rc<dyn Queue>,
    /// Where messages come from and dead letters go.
    pub consumer: Rc<dyn QueueConsumer>,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// Time limits, attempts, ladder.
    pub limits: Limits,
}

/// Runs the lazy side of an app.
pub struct Worker<R, K> {
    app: App<LazyPhase, R, K>,
    own_jobs: Rc<[&'static str]>,
    resources: Rc<R>,
    authorize: Authorize,
    app_id: Option<AppId>,
    http: Rc<HttpClient>,
    slack_api_url: Rc<str>,
    store: Rc<dyn IdempotencyStore>,
    queue: Rc<dyn Queue>,
    consumer: Rc<dyn QueueConsumer>,
    clock: Rc<dyn Clock>,
    random: Rc<dyn Random>,
    limits: Limits,
}

impl<R: 'static, K: 'static> Worker<R, K> {
    /// Puts a worker together; nothing is connected yet.
    pub fn new(app: App<LazyPhase, R, K>, parts: WorkerParts<R>) -> Self {
        Self {
            own_jobs: app.own_jobs.iter().map(|(name, _)| *name).collect(),
            app,
            resources: Rc::new(parts.resources),
            authorize: parts.authorize,
            app_id: parts.app_id,
            http: Rc::new(parts.http),
            slack_api_url: parts.slack_api_url.into(),
            store: parts.store,
            queue: parts.queue,
            consumer: parts.consumer,
            clock: parts.clock,
            random: parts.random,
            limits: parts.limits,
        }
    }
}
