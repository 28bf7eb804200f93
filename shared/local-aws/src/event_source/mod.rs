//! The event source mapping of a queue: it receives batches, invokes the function, and deletes what succeeded.
//! Not here: the event's and the answer's form ([`event`], [`answer`]); event filters and FIFO queues.
//! Invariant: only what the function processed is deleted, and a batch in flight never keeps others from being received.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
//!
//! What failed is left alone: it is visible again when its visibility timeout ends, or when the function itself changed that.

pub mod answer;
pub mod event;
mod observer;

use crate::Sqs;
use crate::lambda::{Invocation, Invoke, InvokeError, Served};
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

pub use observer::{BatchBegan, BatchEvent, BatchMessage, BatchOutcome, BatchReport};

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
    /// Told of every batch twice: when it is handed to the function and when it is over.
    pub observer: Option<mpsc::UnboundedSender<BatchEvent>>,
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
        let request_id = uuid::Uuid::new_v4().to_string();
        let began = || BatchBegan {
            queue: self.queue.clone(),
            function: self.function.name().to_owned(),
            request_id: request_id.clone(),
            messages: batch.messages.iter().map(BatchMessage::of).collect(),
            at_ms: self.sqs.clock().now_ms(),
        };
        self.tell(|| BatchEvent::Began(began()));
        let served = match self.payload(&batch) {
            Ok(payload) => {
                let invocation = Invocation { request_id: request_id.clone(), payload };
                self.invoke(&batch, invocation, stopping).await
            }
            Err(error) => Served { pid: None, answer: Err(error) },
        };
        let message_ids: Vec<_> = batch.messages.iter().map(|message| message.message_id.as_str()).collect();
        let outcome = match served.answer.map(|payload| batch_answer(&payload, &message_ids)) {
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
        self.tell(|| {
            BatchEvent::Ended(BatchReport {
                queue: self.queue.clone(),
                request_id,
                pid: served.pid,
                message_ids: message_ids.into_iter().map(str::to_owned).collect(),
                outcome,
                duration_ms: u64::try_from(batch.received.elapsed().as_millis()).unwrap_or(u64::MAX),
                at_ms: self.sqs.clock().now_ms(),
            })
        });
    }

    fn tell(&self, event: impl FnOnce() -> BatchEvent) {
        if let Some(observer) = &self.observer {
            // An observer that has gone changes nothing for the queue.
            let _ = observer.send(event());
        }
    }

    fn payload(&self, batch: &Batch) -> Result<Bytes, InvokeError> {
        let unwritable = |reason: String| InvokeError::FunctionError {
            error_type: "EventSource".into(),
            message: reason,
            payload: Bytes::new(),
        };
        let arn = self.sqs.queue_arn(&self.queue).map_err(|error| unwritable(error.to_string()))?;
        event::sqs_event(&batch.messages, &arn).map_err(|error| unwritable(error.to_string()))
    }

    /// Invokes the function; while it is throttled, again and again until the messages are visible to others.
    async fn invoke(&self, batch: &Batch, invocation: Invocation, mut stopping: watch::Receiver<bool>) -> Served {
        // Without its queue no message comes back, and one try is all there is.
        let hidden_for = self.sqs.settings(&self.queue).map_or(Duration::ZERO, |settings| settings.visibility_timeout);
        let visible_again = batch.received + hidden_for;
        let mut wait = THROTTLE_WAIT;
        loop {
            let served = self.function.invoke(invocation.clone()).await;
            if !matches!(served.answer, Err(InvokeError::Throttled)) || Instant::now() + wait >= visible_again {
                return served;
            }
            tokio::select! {
                () = sleep(wait) => {}
                // The sender lives as long as the run.
                _ = stopping.wait_for(|stopping| *stopping) => return served,
            }
            wait = (wait * 2).min(THROTTLE_WAIT_MAX);
        }
    }
}
