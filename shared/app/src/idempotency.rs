//! Which job is running, done or given up: one record per job of a delivery, and who may write it when.
//!
//! ```text
//!   claim ──▶ I (in progress, own = me, nb = lease end, att + 1)
//!                │ complete        ▶ C   for 19 days; nothing runs this job again
//!                │ release(after)  ▶ I   own gone, nb = retry time: nobody takes it before, not even a duplicate
//!                │ park            ▶ P   its dead letter is durable already
//!                └ killed          ▶ I   own stays, nb = lease end; the next claim sees the owner that never spoke again
//! ```
//!
//! `nb` ("not before") serves both waits. A claim succeeds if there is no record, if it expired, or if it is in progress
//! and `nb` has passed; every other write needs `own = me` and in progress. Two writes a job, no read.
//! The store's time to live is only the broom: expiry is compared in the condition.

use crate::message::{Job, Work};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tack_protocol::{AppId, EpochMs, EpochSeconds};

/// How long a record is kept: 14 days of a dead-letter queue, 4 of the queue it is redriven to, and 1.
pub const RECORD_LIFE: Duration = Duration::from_secs(19 * 24 * 60 * 60);

/// Kill lag and clock skew, together: what a lease lasts longer than the time its owner has left.
pub const LEASE_MARGIN: Duration = Duration::from_secs(2);

/// Stands for an owner that was killed, in the record of a job that was given back before it was started again.
pub const SILENT_OWNER: &str = "silent";

/// Keys longer than this are replaced by their hash, so that a record's key always fits (a partition key holds 2048 bytes).
const KEY_BYTES_MAX: usize = 512;

/// The name of a job's record: `D#app#kind:key#job#gen`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey(String);

impl RecordKey {
    /// The record of `job` within a delivery. `own_app` stands for the app in work of its own, where Slack names none.
    /// A listener that takes several actions of one payload has a record for each: `job@1` for the second.
    pub fn new(work: &Work, job: &Job, own_app: Option<&AppId>) -> Self {
        let app = work.app().or(own_app.map(AppId::as_str)).unwrap_or("own");
        let mut key = work.idempotency_key();
        if key.len() > KEY_BYTES_MAX {
            key = format!("sha256:{}", hex::encode(Sha256::digest(key.as_bytes())));
        }
        let action = if job.action == 0 { String::new() } else { format!("@{}", job.action) };
        Self(format!("D#{app}#{key}#{}{action}#{}", job.name, work.generation()))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who holds a job: drawn once per attempt, before the first try of the claim.
/// So a write that was repeated after its answer got lost is recognised as one's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner(String);

impl Owner {
    /// From 128 random bits.
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// As it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A wish to take a job.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Which job.
    pub key: RecordKey,
    /// Who asks.
    pub owner: Owner,
    /// The asker's time.
    pub now: EpochMs,
    /// Until when the job is the asker's.
    pub lease_end: EpochMs,
    /// SHA-256 of the body, so that two deliveries with one key can be told apart by a person.
    pub body_hash: String,
}

/// A job that is held. Only a store makes one, and complete, release and park take it.
#[derive(Debug)]
pub struct Claim {
    /// Which job.
    pub key: RecordKey,
    /// The holder.
    pub owner: Owner,
    /// The attempt that the holder is to make, from 1.
    pub attempt: u32,
    /// Whether the attempt before this one ended without a word: its process was killed.
    pub after_silence: bool,
    /// Why the attempt before was given back, if it was.
    pub last_reason: Option<String>,
}

/// What became of a [`ClaimRequest`].
#[derive(Debug)]
pub enum ClaimOutcome {
    /// The job is the asker's.
    Won(Claim),
    /// Another holds it, or it is not due yet.
    Busy {
        /// When to come back.
        until: EpochMs,
    },
    /// It was finished before.
    Complete,
    /// It was given up before; its dead letter exists.
    Parked,
}

/// Whether a write found the job still held by the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was, or this very write had been done before.
    Yes,
    /// The lease had run out and another took it. The record is theirs.
    Lost,
}

/// When a record that is written at `now` may be swept.
pub fn expires_at(now: EpochMs) -> EpochSeconds {
    now.plus(RECORD_LIFE).seconds()
}

/// SHA-256 in hexadecimal digits.
pub fn body_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}
