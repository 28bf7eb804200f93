//! How a job ends: its claim is completed, released or parked, and never undone.

use super::Worker;
use super::batch::{End, Task};
use super::job::Decision;
use crate::error::Disposition;
use crate::idempotency::{Claim, Held};
use crate::limits::RECEIVES_MAX;
use crate::message::{DeadLetter, group_of};
use std::time::Duration;
use tack_protocol::EpochMs;

/// How often a finished job's record is tried to be written, before its lease is left to run out.
const COMPLETE_TRIES: u32 = 3;

/// The longest single wait that is granted.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// How long after it was sent a message may still be made to wait: the queue forgets it after four days, and then nothing
/// would be left of it.
const WAIT_UNTIL: Duration = Duration::from_secs(84 * 3600);

/// From this attempt on a wait that was asked for is at least the ladder's: ten short ones in a row are over in no time.
pub(super) const LADDER_FROM: u32 = 3;

/// How a claim was settled.
pub(super) struct Settled {
    pub(super) outcome: &'static str,
    pub(super) reason: Option<String>,
    pub(super) end: End,
}

impl<R: 'static, K: 'static> Worker<R, K> {
    pub(super) async fn settle(&self, task: &Task, claim: &Claim, decision: Decision) -> Settled {
        let disposition = match decision {
            Decision::Ended(disposition) => disposition,
            // The queue would give it up after this receipt, without a word.
            Decision::NotStarted { reason, .. } if task.record.receive_count >= RECEIVES_MAX => {
                let reason = format!("it could not start at any of {RECEIVES_MAX} receipts; the last: {reason}");
                return self.park(task, claim, reason).await;
            }
            Decision::NotStarted { until, reason } => return self.release(task, claim, until, reason, false).await,
        };
        match disposition {
            Disposition::Done => self.complete(claim, None).await,
            Disposition::Discard { reason } => self.complete(claim, Some(reason)).await,
            Disposition::Park { reason } => self.park(task, claim, reason).await,
            Disposition::Retry { reason, .. } if claim.attempt >= self.limits.attempts => {
                self.park(task, claim, format!("all {} attempts failed; the last: {reason}", claim.attempt)).await
            }
            Disposition::Retry { after, reason } => {
                let ladder = self.jitter(self.limits.wait_after(claim.attempt));
                let wait = match after {
                    // Never before Slack's time, and not all at once behind it.
                    Some(after) => {
                        let after = after.min(WAIT_MAX);
                        let asked = after + self.up_to((after / 10).min(Duration::from_secs(1)));
                        if claim.attempt < LADDER_FROM { asked } else { asked.max(ladder) }
                    }
                    None => ladder,
                };
                if self.clock.now().plus(wait) > task.record.sent_at.plus(WAIT_UNTIL) {
                    let reason = format!("it would wait longer than its queue keeps it; the last: {reason}");
                    return self.park(task, claim, reason).await;
                }
                self.release(task, claim, self.clock.now().plus(wait), reason, true).await
            }
        }
    }

    async fn complete(&self, claim: &Claim, why: Option<String>) -> Settled {
        let outcome = if why.is_some() { "discarded" } else { "done" };
        let mut tries = 1;
        loop {
            let now = self.clock.now();
            match self.store.complete(claim, now, why.as_deref()).await {
                Ok(Held::Yes) => return Settled { outcome, reason: why, end: End::Finished },
                Ok(Held::Lost) => return self.lost(now),
                Err(_) if tries < COMPLETE_TRIES => tries += 1,
                Err(error) => {
                    // The effect is out. The lease ends by itself, and the job runs again: at least once, as promised.
                    let again = now.plus(self.limits.wait_after(1));
                    return Settled { outcome: "retry", reason: Some(error.to_string()), end: End::Again(again) };
                }
            }
        }
    }

    /// An attempt that never started is not counted.
    async fn release(&self, task: &Task, claim: &Claim, not_before: EpochMs, reason: String, started: bool) -> Settled {
        let now = self.clock.now();
        match self.store.release(claim, now, not_before, &reason, started).await {
            Ok(Held::Yes) => Settled { outcome: "retry", reason: Some(reason), end: End::Again(not_before) },
            Ok(Held::Lost) => self.lost(now),
            Err(error) => {
                self.warn(task, Some(error));
                Settled { outcome: "retry", reason: Some(reason), end: End::Again(not_before) }
            }
        }
    }

    /// The dead letter first, the record after: a crash in between gives two equal letters and never none.
    async fn park(&self, task: &Task, claim: &Claim, reason: String) -> Settled {
        let letter = DeadLetter {
            queue: task.record.queue,
            group: group_of(&task.work.tenant()),
            body: task.work.next_generation(&task.job),
            reason: reason.clone(),
            job: Some(task.job.name.clone()),
            attempts: claim.attempt.min(self.limits.attempts),
            delivery: Some(task.work.id().to_owned()),
        };
        if let Err(error) = self.consumer.bury(letter).await {
            tracing::warn!(
                delivery = task.work.id(),
                job = task.job.name.as_str(),
                "its dead letter was refused: {error}"
            );
            let again = self.clock.now().plus(self.trouble_wait(&task.record));
            return self.release(task, claim, again, reason, true).await;
        }
        for _ in 0..COMPLETE_TRIES {
            match self.store.park(claim, self.clock.now(), &reason).await {
                Ok(_) => break,
                Err(error) => self.warn(task, Some(error)),
            }
        }
        Settled { outcome: "parked", reason: Some(reason), end: End::Finished }
    }

    /// The lease ran out under this attempt and another took the job: the message must see what that one makes of it.
    pub(super) fn lost(&self, now: EpochMs) -> Settled {
        let again = now.plus(self.limits.wait_after(1));
        let reason = Some("the lease had run out and another attempt took over".to_owned());
        Settled { outcome: "retry", reason, end: End::Again(again) }
    }
}
