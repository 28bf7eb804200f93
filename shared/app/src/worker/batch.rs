//! A batch of messages: open, run all fresh jobs at once, then the suspects one by one, then say which messages must return.

use super::{Record, Worker};
use crate::idempotency::{LEASE_MARGIN, RecordKey};
use crate::message::{DeadLetter, Job, MessageError, Work};
use crate::step::Step;
use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::EpochMs;
use tokio::time::Instant;

/// The longest wait for a store or a queue that is in trouble.
const TROUBLE_WAIT_MAX: Duration = Duration::from_secs(10 * 60);

/// Writes that are not done this long before the deadline are left alone, so that the batch's answer goes out.
const ANSWER_MARGIN: Duration = Duration::from_millis(250);

/// SQS hides a message for 12 hours at most, counted from its receipt.
const POSTPONE_MAX: Duration = Duration::from_secs(11 * 3600);

/// How a job of a message ended, as far as the message is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing more to do for it.
    Finished,
    /// The message must come again, not before this time.
    Again(EpochMs),
}

/// One job of one message.
pub(super) struct Task {
    pub(super) work: Rc<Work>,
    pub(super) job: Job,
    pub(super) key: RecordKey,
    pub(super) record: Rc<Record>,
}

/// What the first look at a job gave.
pub(super) enum FirstLook {
    Ended(End),
    /// Its last attempt ended without a word. It runs alone, after the others, since it may kill the process again.
    /// Nobody holds it meanwhile: whatever kills this process first must not cost it an attempt.
    Suspect,
}

impl<R: 'static, K: 'static> Worker<R, K> {
    /// Deals with a batch within `remaining` and returns the ids of the messages that must be given out again.
    pub async fn run_batch(&self, records: Vec<Record>, remaining: Duration) -> Vec<String> {
        let deadline = Instant::now() + remaining;
        let mut ends: Vec<Vec<End>> = Vec::with_capacity(records.len());
        let records: Vec<Rc<Record>> = records.into_iter().map(Rc::new).collect();
        let mut tasks: Vec<(usize, Task)> = Vec::new();
        let mut unreadable: Vec<(usize, MessageError)> = Vec::new();
        for (index, record) in records.iter().enumerate() {
            ends.push(Vec::new());
            match Work::decode(&record.body) {
                Ok(work) => {
                    let work = Rc::new(work);
                    tasks.extend(work.jobs().into_iter().map(|job| {
                        let key = RecordKey::new(&work, &job, self.app_id.as_ref());
                        (index, Task { work: Rc::clone(&work), job, key, record: Rc::clone(record) })
                    }));
                }
                Err(error) => unreadable.push((index, error)),
            }
        }
        // Copies of one job within a batch share the fate of the first; they cost no write.
        let mut first_of: HashMap<RecordKey, usize> = HashMap::new();
        let mut twins: Vec<(usize, usize)> = Vec::new();
        let mut fresh = FuturesUnordered::new();
        for (index, (_, task)) in tasks.iter().enumerate() {
            if let Some(first) = first_of.get(&task.key) {
                twins.push((index, *first));
            } else {
                first_of.insert(task.key.clone(), index);
                fresh.push(async move {
                    let look = self.in_time(deadline, self.first_look(task, deadline)).await;
                    (index, look.unwrap_or_else(|| FirstLook::Ended(self.cut_off(task, deadline))))
                });
            }
        }
        let mut task_ends: HashMap<usize, End> = HashMap::new();
        let mut suspects: Vec<usize> = Vec::new();
        let looking = async {
            while let Some((index, look)) = fresh.next().await {
                match look {
                    FirstLook::Ended(end) => {
                        task_ends.insert(index, end);
                    }
                    FirstLook::Suspect => suspects.push(index),
                }
            }
        };
        let burying = join_all(
            unreadable
                .iter()
                .map(async |(index, error)| (*index, self.unreadable(&records[*index], error, deadline).await)),
        );
        for (index, end) in join(looking, burying).await.1 {
            ends[index].push(end);
        }
        drop(fresh);
        // In random order, so that one that kills its process cannot use up its neighbours' attempts.
        suspects.sort_by_cached_key(|_| self.random.bits());
        for index in suspects {
            let task = &tasks[index].1;
            let end = self.in_time(deadline, self.run_suspect(task, deadline)).await;
            task_ends.insert(index, end.unwrap_or_else(|| self.cut_off(task, deadline)));
        }
        for (index, (record, _)) in tasks.iter().enumerate() {
            ends[*record].extend(task_ends.get(&index));
        }
        for (index, first) in twins {
            let (record, task) = &tasks[index];
            if let Some(end) = task_ends.get(&first) {
                self.report_twin(task, end);
                ends[*record].push(*end);
            }
        }
        let failed: Vec<(&Rc<Record>, EpochMs)> =
            records.iter().zip(&ends).filter_map(|(record, ends)| Some((record, earliest(ends)?))).collect();
        join_all(failed.iter().map(|(record, at)| self.postpone(record, *at, deadline))).await;
        failed.into_iter().map(|(record, _)| record.message_id.clone()).collect()
    }

    /// Says of a copy what became of it: whoever looks for its delivery must find an end.
    fn report_twin(&self, task: &Task, end: &End) {
        let reason = "a copy in the same batch, which shared the fate of the first";
        self.report(task, "duplicate", Some(reason.to_owned()), |step| {
            if let End::Again(at) = end {
                step.again_ms = Some(u64::try_from(at.since(self.clock.now()).as_millis()).unwrap_or(u64::MAX));
            }
        });
    }

    /// Waits for something, but not so long that the batch's answer would be late.
    async fn in_time<T>(&self, deadline: Instant, work: impl Future<Output = T>) -> Option<T> {
        let limit = deadline.checked_sub(ANSWER_MARGIN).unwrap_or(deadline);
        tokio::time::timeout_at(limit, work).await.ok()
    }

    /// A job of which the store or the queue said nothing in time. It is left to its lease.
    fn cut_off(&self, task: &Task, deadline: Instant) -> End {
        let reason = "the store or the queue did not answer before the deadline";
        self.report(task, "retry", Some(reason.to_owned()), |_| {});
        let lease = deadline.saturating_duration_since(Instant::now()) + LEASE_MARGIN;
        End::Again(self.clock.now().plus(lease))
    }

    async fn postpone(&self, record: &Record, at: EpochMs, deadline: Instant) {
        let delay = at.since(self.clock.now()).min(POSTPONE_MAX);
        // The answer must go out in any case; without this write the message only comes later.
        let limit = deadline.checked_sub(Duration::from_millis(100)).unwrap_or(deadline);
        let sent = self.consumer.postpone(record.queue, &record.receipt, delay);
        let error = match tokio::time::timeout_at(limit, sent).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        let message = Some(record.message_id.clone());
        Step { message, reason: Some(error), verdict: Some("not_postponed".to_owned()), ..Step::new("record") }.emit();
    }

    /// A message that cannot be read: a newer one waits for the deployment that will read it, any other is for a person.
    async fn unreadable(&self, record: &Record, error: &MessageError, deadline: Instant) -> End {
        let wait = || End::Again(self.clock.now().plus(self.trouble_wait(record)));
        if matches!(error, MessageError::Newer(_)) && record.receive_count < self.limits.attempts {
            return wait();
        }
        let letter = DeadLetter {
            queue: record.queue,
            group: record.group.clone().unwrap_or_else(|| "none".to_owned()),
            body: record.body.clone(),
            reason: error.to_string(),
            job: None,
            attempts: record.receive_count,
            delivery: None,
        };
        let mut step = Step {
            message: Some(record.message_id.clone()),
            outcome: Some("parked".to_owned()),
            reason: Some(error.to_string()),
            ..Step::new("record")
        };
        let buried = self.in_time(deadline, self.consumer.bury(letter)).await;
        if !matches!(buried, Some(Ok(()))) {
            step.outcome = Some("retry".to_owned());
        }
        step.emit();
        if buried.is_some_and(|buried| buried.is_ok()) { End::Finished } else { wait() }
    }

    /// How long a message stays away when the store or the queue is in trouble. Short enough that SQS's own receive count
    /// reaches its end within the queue's retention: what can never be looked at ends as a dead letter, not in oblivion.
    pub(super) fn trouble_wait(&self, record: &Record) -> Duration {
        self.jitter(self.limits.wait_after(record.receive_count).min(TROUBLE_WAIT_MAX))
    }

    /// Half the wait, and up to as much again at random.
    pub(super) fn jitter(&self, wait: Duration) -> Duration {
        wait / 2 + self.up_to(wait / 2)
    }

    /// A random time up to this one.
    pub(super) fn up_to(&self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        let draw = u64::try_from(self.random.bits() % (u128::from(most) + 1)).unwrap_or_default();
        Duration::from_millis(draw)
    }
}

/// The earliest time that any job of a message wants, or `None` when it is finished.
fn earliest(ends: &[End]) -> Option<EpochMs> {
    ends.iter()
        .filter_map(|end| match end {
            End::Finished => None,
            End::Again(at) => Some(*at),
        })
        .min()
}
