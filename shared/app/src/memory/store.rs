//! Idempotency records in memory.

use crate::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, RecordKey, SILENT_OWNER, expires_at};
use crate::ports::{IdempotencyStore, StoreError};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tack_protocol::{EpochMs, EpochSeconds};

/// A record's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InProgress,
    Complete,
    Parked,
}

/// A record, as a test may look at it.
#[derive(Clone, Debug)]
pub struct StoredRecord {
    state: State,
    owner: Option<String>,
    previous_owner: Option<String>,
    not_before: EpochMs,
    attempts: u32,
    finished_attempts: Option<u32>,
    expires: EpochSeconds,
    why: Option<String>,
}

impl StoredRecord {
    /// A finished record counts from the start again, should its key come back after it expired.
    fn finish(&mut self, state: State) {
        self.state = state;
        self.finished_attempts = Some(self.attempts);
        self.attempts = 0;
    }

    /// What the holder is told. A finished record that expired has its last owner too, but no attempt before this one.
    fn claim(&self, request: ClaimRequest) -> Claim {
        Claim {
            key: request.key,
            owner: request.owner,
            attempt: self.attempts,
            after_silence: self.attempts > 1 && self.previous_owner.is_some(),
            last_reason: self.why.clone(),
        }
    }

    /// `I`, `C` or `P`.
    pub fn state(&self) -> &'static str {
        match self.state {
            State::InProgress => "I",
            State::Complete => "C",
            State::Parked => "P",
        }
    }

    /// How many attempts were counted.
    pub fn attempts(&self) -> u32 {
        self.finished_attempts.unwrap_or(self.attempts)
    }

    /// Why it was released, discarded or given up.
    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

/// Records in a map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    records: RefCell<BTreeMap<RecordKey, StoredRecord>>,
}

impl MemoryStore {
    /// A record, if there is one.
    pub fn record(&self, key: &RecordKey) -> Option<StoredRecord> {
        self.records.borrow().get(key).cloned()
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.borrow().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn write(&self, claim: &Claim, now: EpochMs, change: impl FnOnce(&mut StoredRecord)) -> Held {
        let mut records = self.records.borrow_mut();
        let ours = records.get_mut(&claim.key).filter(|record| record.owner.as_deref() == Some(claim.owner.as_str()));
        let Some(record) = ours.filter(|record| record.state == State::InProgress) else { return Held::Lost };
        change(record);
        record.expires = expires_at(now);
        Held::Yes
    }

    /// The end of a record. Its holder stays in it, so that a repeated write is recognised.
    fn finish(&self, claim: &Claim, now: EpochMs, state: State, why: Option<&str>) -> Held {
        let done = self
            .records
            .borrow()
            .get(&claim.key)
            .is_some_and(|record| record.state == state && record.owner.as_deref() == Some(claim.owner.as_str()));
        if done {
            return Held::Yes;
        }
        self.write(claim, now, |record| {
            record.finish(state);
            record.why = why.map(str::to_owned);
        })
    }
}

impl IdempotencyStore for MemoryStore {
    fn claim<'a>(&'a self, request: ClaimRequest) -> LocalBoxFuture<'a, Result<ClaimOutcome, StoreError>> {
        let mut records = self.records.borrow_mut();
        if let Some(record) = records.get(&request.key)
            && record.expires >= request.now.seconds()
        {
            match record.state {
                // A write that is repeated because its answer got lost has been done before.
                State::InProgress if record.owner.as_deref() == Some(request.owner.as_str()) => {
                    return ready(Ok(ClaimOutcome::Won(record.claim(request)))).boxed_local();
                }
                State::Complete => return ready(Ok(ClaimOutcome::Complete)).boxed_local(),
                State::Parked => return ready(Ok(ClaimOutcome::Parked)).boxed_local(),
                State::InProgress if record.not_before >= request.now => {
                    return ready(Ok(ClaimOutcome::Busy { until: record.not_before })).boxed_local();
                }
                State::InProgress => {}
            }
        }
        let old = records.remove(&request.key);
        let record = StoredRecord {
            state: State::InProgress,
            owner: Some(request.owner.as_str().to_owned()),
            previous_owner: old.as_ref().and_then(|old| old.owner.clone()),
            not_before: request.lease_end,
            attempts: old.as_ref().map_or(0, |old| old.attempts) + 1,
            finished_attempts: None,
            expires: expires_at(request.now),
            why: old.and_then(|old| old.why),
        };
        records.insert(request.key.clone(), record.clone());
        ready(Ok(ClaimOutcome::Won(record.claim(request)))).boxed_local()
    }

    fn complete<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        ready(Ok(self.finish(claim, now, State::Complete, why))).boxed_local()
    }

    fn release<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        not_before: EpochMs,
        why: &'a str,
        started: bool,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        // An attempt that never started hides no killed one before it.
        let owner = (!started && claim.after_silence).then(|| SILENT_OWNER.to_owned());
        let before = self.record(&claim.key).is_some_and(|record| {
            let free = record.owner.as_deref().is_none_or(|owner| owner == SILENT_OWNER);
            record.state == State::InProgress && free && record.not_before == not_before
        });
        if before {
            // This very write had been done before, and nobody has taken the job since.
            return ready(Ok(Held::Yes)).boxed_local();
        }
        let held = self.write(claim, now, |record| {
            record.owner = owner;
            record.not_before = not_before;
            record.why = Some(why.to_owned());
            if !started {
                record.attempts -= 1;
            }
        });
        ready(Ok(held)).boxed_local()
    }

    fn park<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: &'a str,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        ready(Ok(self.finish(claim, now, State::Parked, Some(why)))).boxed_local()
    }
}
