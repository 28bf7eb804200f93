//! Random lives of a few records, against a small model of the rules that shares no code with either store.

use crate::idempotency_contract::{NOW, key, request};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;
use tack_app::idempotency::{Claim, ClaimOutcome, Held};
use tack_app::memory::MemoryStore;
use tack_app::ports::IdempotencyStore;
use tack_protocol::EpochMs;
use tack_tests::Aws;

/// One step of one worker. A worker remembers its last claim of each record, and may act on it long after it lost it.
#[derive(Clone, Debug)]
enum Step {
    Claim {
        worker: usize,
        record: usize,
    },
    /// The same claim once more, as an SDK does when it heard nothing.
    ClaimAgain {
        worker: usize,
        record: usize,
    },
    Complete {
        worker: usize,
        record: usize,
    },
    Park {
        worker: usize,
        record: usize,
    },
    Release {
        worker: usize,
        record: usize,
        wait_ms: u64,
        started: bool,
    },
    /// Time passes, up to a moment around some record's `not before`, or by this much.
    UntilDue {
        record: usize,
        past_ms: u64,
    },
    Advance {
        ms: u64,
    },
}

const WORKERS: usize = 3;
const RECORDS: usize = 2;
const LEASE_MS: u64 = 32_000;
const LIFE_S: u64 = 19 * 24 * 3600;

fn step() -> impl Strategy<Value = Step> {
    let actor = || (0..WORKERS, 0..RECORDS);
    let wait = prop_oneof![Just(0), Just(1), 1_000_u64..60_000];
    prop_oneof![
        6 => actor().prop_map(|(worker, record)| Step::Claim { worker, record }),
        1 => actor().prop_map(|(worker, record)| Step::ClaimAgain { worker, record }),
        2 => actor().prop_map(|(worker, record)| Step::Complete { worker, record }),
        1 => actor().prop_map(|(worker, record)| Step::Park { worker, record }),
        3 => (actor(), wait, any::<bool>())
            .prop_map(|((worker, record), wait_ms, started)| Step::Release { worker, record, wait_ms, started }),
        4 => (0..RECORDS, 0_u64..3).prop_map(|(record, past_ms)| Step::UntilDue { record, past_ms }),
        2 => prop_oneof![1_u64..2_000, Just(LEASE_MS), Just((LIFE_S + 1) * 1000), Just(LIFE_S * 1000)]
            .prop_map(|ms| Step::Advance { ms }),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Running,
    Complete,
    Parked,
}

/// A record as the rules have it.
#[derive(Clone, Debug)]
struct Record {
    state: State,
    /// Who holds it, by the number of the claim.
    owner: Option<u128>,
    /// Whether the attempt before the holder's ended without a word.
    after_silence: bool,
    /// Whether the last attempt that started ended without a word, and nobody holds it.
    silent: bool,
    not_before: u64,
    attempts: u32,
    expires_s: u64,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Won { attempt: u32, after_silence: bool },
    Busy(u64),
    Complete,
    Parked,
}

#[derive(Default)]
struct Model {
    records: HashMap<usize, Record>,
}

impl Model {
    fn claim(&mut self, record: usize, claim: u128, now: u64) -> Outcome {
        let old = self.records.get(&record);
        if let Some(old) = old.filter(|old| old.expires_s >= now / 1000) {
            match old.state {
                State::Running if old.owner == Some(claim) => {
                    return Outcome::Won { attempt: old.attempts, after_silence: old.after_silence };
                }
                State::Running if old.not_before >= now => return Outcome::Busy(old.not_before),
                State::Running => {}
                State::Complete => return Outcome::Complete,
                State::Parked => return Outcome::Parked,
            }
        }
        let running = old.filter(|old| old.state == State::Running);
        let attempts = running.map_or(0, |old| old.attempts) + 1;
        let after_silence = running.is_some_and(|old| old.owner.is_some() || old.silent);
        self.records.insert(
            record,
            Record {
                state: State::Running,
                owner: Some(claim),
                after_silence,
                silent: false,
                not_before: now + LEASE_MS,
                attempts,
                expires_s: now / 1000 + LIFE_S,
            },
        );
        Outcome::Won { attempt: attempts, after_silence }
    }

    fn held(&mut self, record: usize, claim: u128) -> Option<&mut Record> {
        self.records.get_mut(&record).filter(|found| found.state == State::Running && found.owner == Some(claim))
    }

    fn end(&mut self, record: usize, claim: u128, now: u64, state: State) -> Held {
        if self.records.get(&record).is_some_and(|found| found.state == state && found.owner == Some(claim)) {
            return Held::Yes;
        }
        let Some(found) = self.held(record, claim) else { return Held::Lost };
        found.state = state;
        found.expires_s = now / 1000 + LIFE_S;
        Held::Yes
    }

    fn release(&mut self, record: usize, claim: u128, now: u64, not_before: u64, started: bool) -> Held {
        // As it was asked for already, by a first try whose answer got lost.
        let free = |found: &Record| found.state == State::Running && found.owner.is_none();
        if self.records.get(&record).is_some_and(|found| free(found) && found.not_before == not_before) {
            return Held::Yes;
        }
        let Some(found) = self.held(record, claim) else { return Held::Lost };
        found.owner = None;
        found.silent = !started && found.after_silence;
        found.attempts -= u32::from(!started);
        found.not_before = not_before;
        found.expires_s = now / 1000 + LIFE_S;
        Held::Yes
    }
}

thread_local! {
    /// A new life needs new records.
    static LIVES: Cell<u64> = const { Cell::new(0) };
}

async fn live(store: &dyn IdempotencyStore, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let life = LIVES.replace(LIVES.get() + 1);
    let key = |record: usize| key(&format!("life {life} record {record}"), "job", 0);
    let (mut model, mut now, mut claims) = (Model::default(), NOW, 0_u128);
    let mut held: HashMap<(usize, usize), (Claim, u128, EpochMs)> = HashMap::new();
    for step in steps {
        match step {
            Step::Claim { worker, record } => {
                claims += 1;
                let outcome = store.claim(request(&key(record), claims, now)).await;
                let (outcome, claim) = seen(outcome.expect("a store that answers"));
                prop_assert_eq!(outcome, model.claim(record, claims, now.0), "{:?} at {}", step, now.0);
                if let Some(claim) = claim {
                    held.insert((worker, record), (claim, claims, now));
                }
            }
            Step::ClaimAgain { worker, record } => {
                // Soon after the first try, with the time and the lease of the first try.
                let Some((_, number, at)) = held.get(&(worker, record)).filter(|(_, _, at)| *at == now) else {
                    continue;
                };
                let outcome = store.claim(request(&key(record), *number, *at)).await;
                let (outcome, _) = seen(outcome.expect("a store that answers"));
                prop_assert_eq!(outcome, model.claim(record, *number, at.0), "{:?} at {}", step, now.0);
            }
            Step::Complete { worker, record } => {
                let Some((claim, number, _)) = held.get(&(worker, record)) else { continue };
                let outcome = store.complete(claim, now, None).await.expect("a store that answers");
                prop_assert_eq!(outcome, model.end(record, *number, now.0, State::Complete), "{:?} at {}", step, now.0);
            }
            Step::Park { worker, record } => {
                let Some((claim, number, _)) = held.get(&(worker, record)) else { continue };
                let outcome = store.park(claim, now, "broken").await.expect("a store that answers");
                prop_assert_eq!(outcome, model.end(record, *number, now.0, State::Parked), "{:?} at {}", step, now.0);
            }
            Step::Release { worker, record, wait_ms, started } => {
                let Some((claim, number, _)) = held.get(&(worker, record)) else { continue };
                let until = now.plus(Duration::from_millis(wait_ms));
                let outcome = store.release(claim, now, until, "later", started).await.expect("a store that answers");
                let expected = model.release(record, *number, now.0, until.0, started);
                prop_assert_eq!(outcome, expected, "{:?} at {}", step, now.0);
            }
            Step::UntilDue { record, past_ms } => {
                let due = model.records.get(&record).map_or(now.0, |record| record.not_before);
                now = EpochMs(now.0.max(due.saturating_sub(1) + past_ms));
            }
            Step::Advance { ms } => now = now.plus(Duration::from_millis(ms)),
        }
    }
    Ok(())
}

fn seen(outcome: ClaimOutcome) -> (Outcome, Option<Claim>) {
    match outcome {
        ClaimOutcome::Won(claim) => {
            let seen = Outcome::Won { attempt: claim.attempt, after_silence: claim.after_silence };
            (seen, Some(claim))
        }
        ClaimOutcome::Busy { until } => (Outcome::Busy(until.0), None),
        ClaimOutcome::Complete => (Outcome::Complete, None),
        ClaimOutcome::Parked => (Outcome::Parked, None),
    }
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_in_memory_lives_by_the_rules(steps in vec(step(), 1..60)) {
        block_on(live(&MemoryStore::default(), steps))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn dynamodb_lives_by_the_rules(steps in vec(step(), 1..40)) {
        block_on(async { live(&Aws::new(NOW.0).expect("a stack").store(), steps).await })?;
    }
}
