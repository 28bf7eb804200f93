//! What the framework needs from the world. A trait stands here only where two real implementations exist:
//! the ones in memory (`crate::memory`) and those of `tack-aws`.

use crate::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held};
use crate::message::{DeadLetter, QueueName};
use futures_util::future::LocalBoxFuture;
use std::time::Duration;
use tack_protocol::EpochMs;
use thiserror::Error;

/// The time. Nothing else in the framework reads a clock for it.
pub trait Clock {
    /// Now.
    fn now(&self) -> EpochMs;
}

/// Randomness: names of deliveries and owners, jitter, the order of suspects. A seeded one makes a run repeatable.
pub trait Random {
    /// Random bits, 122 of them at least; the lowest and the highest are among them.
    fn bits(&self) -> u128;
}

/// Where acknowledged work waits.
pub trait Queue {
    /// Makes one message durable. Returns only when it is, and never says so otherwise.
    ///
    /// `group` is the tenant, so that a loud workspace does not hold up the others.
    ///
    /// # Errors
    /// [`QueueError`] when the queue did not accept it within its own time limits.
    fn send<'a>(&'a self, queue: QueueName, group: &'a str, body: String)
    -> LocalBoxFuture<'a, Result<(), QueueError>>;
}

/// What the side that takes messages out may do with them, besides finishing them.
pub trait QueueConsumer {
    /// Lets a received message stay away for `delay` before it is given out again.
    ///
    /// # Errors
    /// [`QueueError`]; the message then returns when its visibility time-out ends, which costs time and nothing else.
    fn postpone<'a>(
        &'a self,
        queue: QueueName,
        receipt: &'a str,
        delay: Duration,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>>;

    /// Makes a dead letter durable.
    ///
    /// # Errors
    /// [`QueueError`]; the message must then stay in its queue.
    fn bury<'a>(&'a self, letter: DeadLetter) -> LocalBoxFuture<'a, Result<(), QueueError>>;
}

/// The queue did not do it.
#[derive(Debug, Error)]
#[error("queue: {reason}")]
pub struct QueueError {
    /// What it said, without the message.
    pub reason: String,
}

/// Records of which jobs are running, done or given up. See [`crate::idempotency`].
pub trait IdempotencyStore {
    /// Takes a job, if nobody has it and nobody finished it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether the job was taken; nothing may run then.
    fn claim<'a>(&'a self, request: ClaimRequest) -> LocalBoxFuture<'a, Result<ClaimOutcome, StoreError>>;

    /// Marks a held job as finished for good, with the reason if it was not simply done.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn complete<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>>;

    /// Gives a held job back, not to be taken before `not_before`. An attempt that never started is not counted.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn release<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        not_before: EpochMs,
        why: &'a str,
        started: bool,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>>;

    /// Marks a held job as given up; its dead letter is durable already.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn park<'a>(&'a self, claim: &'a Claim, now: EpochMs, why: &'a str)
    -> LocalBoxFuture<'a, Result<Held, StoreError>>;
}

/// The store did not do it, or it is not known whether it did.
#[derive(Debug, Error)]
#[error("idempotency store: {reason}")]
pub struct StoreError {
    /// What it said.
    pub reason: String,
}
