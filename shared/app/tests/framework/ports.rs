//! The ports in memory with a log of what was asked of them and faults on request.

use futures_util::future::{LocalBoxFuture, pending};
use std::cell::RefCell;
use std::time::Duration;
use tack_app::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held};
use tack_app::memory::{MemoryQueue, MemoryStore};
use tack_app::message::{DeadLetter, QueueName};
use tack_app::ports::{IdempotencyStore, Queue, QueueConsumer, QueueError, StoreError};
use tack_app::protocol::EpochMs;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// Nothing is done.
    Refuse,
    /// It is done and the caller is told that it failed.
    LoseReply,
    /// Nothing is ever answered.
    Hang,
}

#[derive(Default)]
pub(crate) struct Ports {
    pub(crate) store: MemoryStore,
    pub(crate) queue: MemoryQueue,
    calls: RefCell<Vec<&'static str>>,
    faults: RefCell<Vec<(&'static str, Fault)>>,
}

impl Ports {
    /// The next call of this name fails; several faults of one name hit several calls.
    pub(crate) fn fail(&self, call: &'static str, fault: Fault) {
        self.faults.borrow_mut().push((call, fault));
    }

    /// What was called since the last look.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.take()
    }

    fn through<'a, T: 'a, E: 'a>(
        &self,
        call: &'static str,
        act: impl FnOnce() -> LocalBoxFuture<'a, Result<T, E>>,
        error: fn(String) -> E,
    ) -> LocalBoxFuture<'a, Result<T, E>> {
        self.calls.borrow_mut().push(call);
        let mut faults = self.faults.borrow_mut();
        let struck = faults.iter().position(|(name, _)| *name == call).map(|at| faults.remove(at).1);
        drop(faults);
        match struck {
            None => act(),
            Some(Fault::Refuse) => Box::pin(async move { Err(error(format!("{call} was refused"))) }),
            Some(Fault::Hang) => Box::pin(pending()),
            Some(Fault::LoseReply) => {
                let done = act();
                Box::pin(async move {
                    done.await?;
                    Err(error(format!("the reply of {call} was lost")))
                })
            }
        }
    }
}

fn store_error(reason: String) -> StoreError {
    StoreError { reason }
}

fn queue_error(reason: String) -> QueueError {
    QueueError { reason }
}

impl IdempotencyStore for Ports {
    fn claim<'a>(&'a self, request: ClaimRequest) -> LocalBoxFuture<'a, Result<ClaimOutcome, StoreError>> {
        self.through("claim", || self.store.claim(request), store_error)
    }

    fn complete<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.through("complete", || self.store.complete(claim, now, why), store_error)
    }

    fn release<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        not_before: EpochMs,
        why: &'a str,
        started: bool,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.through("release", || self.store.release(claim, now, not_before, why, started), store_error)
    }

    fn park<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: &'a str,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.through("park", || self.store.park(claim, now, why), store_error)
    }
}

impl Queue for Ports {
    fn send<'a>(
        &'a self,
        queue: QueueName,
        group: &'a str,
        body: String,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        self.through("send", || self.queue.send(queue, group, body), queue_error)
    }
}

impl QueueConsumer for Ports {
    fn postpone<'a>(
        &'a self,
        queue: QueueName,
        receipt: &'a str,
        delay: Duration,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        self.through("postpone", || self.queue.postpone(queue, receipt, delay), queue_error)
    }

    fn bury<'a>(&'a self, letter: DeadLetter) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        self.through("bury", || self.queue.bury(letter), queue_error)
    }
}
