//! The event source mapping of a queue: it receives batches, invokes the function, and deletes what succeeded.
//! Not here: the event's and the answer's form ([`event`], [`answer`]); event filters and FIFO queues.
//! Invariant: only what the function processed is deleted, and a batch in flight never keeps others from being received.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
//!
//! What failed is left alone: it is visible again when its visibility timeout ends, or when the function itself changed that.

pub mod answer;
pub mod event;

use crate::Sqs;
use crate::lambda::{Invoke, InvokeError};
use crate::sqs::{Received, SqsError};
use answer::{BatchAnswer, batch_answer};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

/// The most messages of one receive.
const RECEIVE_MAX: u32 = 10;
/// The longest wait of one receive.
const RECEIVE_WAIT: Duration = Duration::from_secs(20);
/// How long after a receive that failed the next one is tried.
const RECEIVE_RETRY: Duration = Duration::from_secs(1);
/// How long after a throttled invocation the first retry comes; each further one takes twice as long, up to [`THROTTLE_WAIT_MAX`].
/// AWS documents that there are retries, not when.
const THROTTLE_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between two retries of a throttled invocation.
const THROTTLE_WAIT_MAX: Duration = Duration::from_secs(2);

/// The mapping of one queue to one function.
pub struct EventSource {
    /// Where the queue is.
    pub sqs: Sqs,
    /// The queue's name.
    pub queue: String,
    /// What its messages go to.
    pub function: Rc<dyn Invoke>,
    /// The most messages of one batch.
    pub batch_size: u32,
    /// The most batches in flight.
    pub max_concurrency: usize,
    /// How long a batch that is not full waits for more.
    pub window: Duration,
    /// Told of every batch that is over.
    pub observer: Option<mpsc::UnboundedSender<BatchReport>>,
}

/// A batch that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReport {
    /// The queue's name.
    pub queue: String,
    /// The messages of the batch.
    pub message_ids: Vec<String>,
    /// What became of it.
    pub outcome: BatchOutcome,
    /// From its receive to its end, in milliseconds.
    pub duration_ms: u64,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// All messages are deleted.
    Succeeded,
    /// All are deleted but these ids.
    Partial(Vec<String>),
    /// None is deleted: the function's answer says nothing that can be understood, for this reason.
    Malformed(String),
    /// None is deleted: the invocation has no answer. [`InvokeError::Throttled`] stands for a batch that was given up when its visibility timeout was over, or
    /// at the shutdown.
    Failed(InvokeError),
}

struct Batch {
    messages: Vec<Received>,
    received: Instant,
}

impl EventSource {
    /// A mapping with Lambda's defaults: batches of 10, five of them at once, no window.
    pub fn new(sqs: Sqs, queue: &str, function: Rc<dyn Invoke>) -> Self {
        Self {
            sqs,
            queue: queue.to_owned(),
            function,
            batch_size: 10,
            max_concurrency: 5,
            window: Duration::ZERO,
            observer: None,
        }
    }

    /// Receives and invokes until `shutdown` resolves, then waits for the batches in flight; throttled ones are given up. To abandon these as well, drop the
    /// future.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let source = &self;
        let (stop, stopping) = watch::channel(false);
        let mut shutdown = pin!(shutdown);
        let mut receiving = pin!(source.receive());
        let mut received = VecDeque::new();
        let mut in_flight = FuturesUnordered::new();
        loop {
            while in_flight.len() < self.max_concurrency
                && let Some(batch) = received.pop_front()
            {
                in_flight.push(source.process(batch, stopping.clone()));
            }
            let has_room = in_flight.len() < self.max_concurrency;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(()) = in_flight.next() => {}
                batches = &mut receiving, if has_room => {
                    received.extend(batches);
                    receiving.set(source.receive());
                }
            }
        }
        stop.send_replace(true);
        while in_flight.next().await.is_some() {}
    }

    /// Waits for messages; more than one batch if they are too large for one event.
    async fn receive(&self) -> Vec<Batch> {
        match self.gather().await {
            Ok((messages, received)) => {
                // The queue exists, or there would be no messages.
                let arn = self.sqs.queue_arn(&self.queue).unwrap_or_default();
                let batches = event::split_by_size(messages, &arn).into_iter();
                batches.map(|messages| Batch { messages, received }).collect()
            }
            Err(error) => {
                tracing::warn!(queue = self.queue, %error, "no messages can be received");
                sleep(RECEIVE_RETRY).await;
                Vec::new()
            }
        }
    }

    async fn gather(&self) -> Result<(Vec<Received>, Instant), SqsError> {
        let size = self.batch_size as usize;
        let mut messages = self.sqs.receive(&self.queue, self.batch_size.min(RECEIVE_MAX), RECEIVE_WAIT, None).await?;
        let received = Instant::now();
        let window_end = received + self.window;
        while !messages.is_empty() && messages.len() < size {
            let wait = window_end.saturating_duration_since(Instant::now());
            let max = u32::try_from(size - messages.len()).unwrap_or(RECEIVE_MAX).min(RECEIVE_MAX);
            // A failure here must not lose what is received already; if it lasts, the next first receive reports it.
            let more = self.sqs.receive(&self.queue, max, wait.min(RECEIVE_WAIT), None).await.unwrap_or_default();
            if more.is_empty() && wait <= RECEIVE_WAIT {
                break;
            }
            messages.extend(more);
        }
        Ok((messages, received))
    }

    async fn process(&self, batch: Batch, stopping: watch::Receiver<bool>) {
        let answer = self.invoke(&batch, stopping).await;
        let message_ids: Vec<_> = batch.messages.iter().map(|message| message.message_id.as_str()).collect();
        let outcome = match answer.map(|payload| batch_answer(&payload, &message_ids)) {
            Ok(BatchAnswer::Succeeded) => BatchOutcome::Succeeded,
            Ok(BatchAnswer::Partial(failed)) => BatchOutcome::Partial(failed),
            Ok(BatchAnswer::Malformed(reason)) => BatchOutcome::Malformed(reason),
            Err(error) => BatchOutcome::Failed(error),
        };
        for message in batch.messages.iter().filter(|message| outcome.has_processed(&message.message_id)) {
            if let Err(error) = self.sqs.delete(&self.queue, &message.receipt_handle) {
                tracing::warn!(queue = self.queue, message_id = message.message_id, %error, "a processed message cannot be deleted");
            }
        }
        if let Some(observer) = &self.observer {
            let report = BatchReport {
                queue: self.queue.clone(),
                message_ids: message_ids.into_iter().map(str::to_owned).collect(),
                outcome,
                duration_ms: u64::try_from(batch.received.elapsed().as_millis()).unwrap_or(u64::MAX),
            };
            // An observer that has gone changes nothing for the queue.
            let _ = observer.send(report);
        }
    }

    /// Invokes the function; while it is throttled, again and again until the messages are visible to others.
    async fn invoke(&self, batch: &Batch, mut stopping: watch::Receiver<bool>) -> Result<Bytes, InvokeError> {
        let unwritable = |reason: String| InvokeError::FunctionError {
            error_type: "EventSource".into(),
            message: reason,
            payload: Bytes::new(),
        };
        let settings = self.sqs.settings(&self.queue).map_err(|error| unwritable(error.to_string()))?;
        let arn = self.sqs.queue_arn(&self.queue).map_err(|error| unwritable(error.to_string()))?;
        let payload = event::sqs_event(&batch.messages, &arn).map_err(|error| unwritable(error.to_string()))?;
        let visible_again = batch.received + settings.visibility_timeout;
        let mut wait = THROTTLE_WAIT;
        loop {
            let answer = self.function.invoke(payload.clone()).await;
            if !matches!(answer, Err(InvokeError::Throttled)) || Instant::now() + wait >= visible_again {
                return answer;
            }
            tokio::select! {
                () = sleep(wait) => {}
                // The sender lives as long as the run.
                _ = stopping.wait_for(|stopping| *stopping) => return answer,
            }
            wait = (wait * 2).min(THROTTLE_WAIT_MAX);
        }
    }
}

impl BatchOutcome {
    fn has_processed(&self, message_id: &str) -> bool {
        match self {
            Self::Succeeded => true,
            Self::Partial(failed) => !failed.iter().any(|failed| failed == message_id),
            Self::Malformed(_) | Self::Failed(_) => false,
        }
    }
}
