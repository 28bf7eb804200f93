//! Queues in memory: what was sent, what was buried, what was postponed.

use crate::message::{DeadLetter, QueueName, Work};
use crate::ports::{Queue, QueueConsumer, QueueError};
use crate::worker::Record;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use std::cell::RefCell;
use std::time::Duration;
use tack_protocol::EpochMs;

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which queue.
    pub queue: QueueName,
    /// Which tenant.
    pub group: String,
    /// The message.
    pub body: String,
    /// How often it was received.
    pub receive_count: u32,
    /// What the worker asked for last time, if it did.
    pub postponed: Option<Duration>,
}

/// Both queues and both dead-letter queues.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    waiting: RefCell<Vec<(u64, Waiting)>>,
    letters: RefCell<Vec<DeadLetter>>,
    next: RefCell<u64>,
    refusing: RefCell<bool>,
}

impl MemoryQueue {
    /// From now on nothing is accepted, or again.
    pub fn refuse(&self, refuse: bool) {
        *self.refusing.borrow_mut() = refuse;
    }

    /// What waits, oldest first.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.waiting.borrow().iter().map(|(_, waiting)| waiting.clone()).collect()
    }

    /// What was buried, oldest first.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.letters.borrow().clone()
    }

    /// Gives out everything that waits in a queue; nothing is hidden meanwhile, since a test runs one batch at a time.
    pub fn receive(&self, queue: QueueName) -> Vec<Record> {
        let mut waiting = self.waiting.borrow_mut();
        let ours = waiting.iter_mut().filter(|(_, waiting)| waiting.queue == queue);
        ours.map(|(id, waiting)| {
            waiting.receive_count += 1;
            Record {
                message_id: id.to_string(),
                receipt: id.to_string(),
                queue,
                group: Some(waiting.group.clone()),
                receive_count: waiting.receive_count,
                // Nothing here reads a clock: what the message says of itself stands for the time it was sent.
                sent_at: Work::decode(&waiting.body).ok().and_then(|work| work.received_at()).unwrap_or(EpochMs(0)),
                body: waiting.body.clone(),
            }
        })
        .collect()
    }

    /// Ends a batch as SQS does: what did not fail is deleted.
    pub fn finish(&self, records: &[Record], failed: &[String]) {
        let done = |id: &u64| records.iter().any(|r| r.message_id == id.to_string() && !failed.contains(&r.message_id));
        self.waiting.borrow_mut().retain(|(id, _)| !done(id));
    }

    fn check(&self) -> Result<(), QueueError> {
        if *self.refusing.borrow() { Err(QueueError { reason: "refused by the test".to_owned() }) } else { Ok(()) }
    }
}

impl Queue for MemoryQueue {
    fn send<'a>(
        &'a self,
        queue: QueueName,
        group: &'a str,
        body: String,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        let accepted = self.check().map(|()| {
            let mut next = self.next.borrow_mut();
            *next += 1;
            let waiting = Waiting { queue, group: group.to_owned(), body, receive_count: 0, postponed: None };
            self.waiting.borrow_mut().push((*next, waiting));
        });
        ready(accepted).boxed_local()
    }
}

impl QueueConsumer for MemoryQueue {
    fn postpone<'a>(
        &'a self,
        _queue: QueueName,
        receipt: &'a str,
        delay: Duration,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        let mut all = self.waiting.borrow_mut();
        if let Some((_, waiting)) = all.iter_mut().find(|(id, _)| id.to_string() == receipt) {
            waiting.postponed = Some(delay);
        }
        ready(Ok(())).boxed_local()
    }

    fn bury<'a>(&'a self, letter: DeadLetter) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        let accepted = self.check().map(|()| self.letters.borrow_mut().push(letter));
        ready(accepted).boxed_local()
    }
}
