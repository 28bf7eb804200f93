//! One job: claim, then listener, then complete, release or park. Two writes and no read.

use super::Worker;
use super::batch::{End, FirstLook, Task};
use crate::ack::{AckContext, refusal};
use crate::app::{LazyJob, RunJob};
use crate::client::Client;
use crate::context::{Context, origin};
use crate::error::Disposition;
use crate::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, LEASE_MARGIN, Owner};
use crate::message::{DeadLetter, Work, group_of};
use crate::middleware::Next;
use crate::ports::StoreError;
use crate::probe;
use crate::step::{Step, millis};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EnvelopeKind, EpochMs};
use tokio::time::Instant;

/// How often a finished job's record is tried to be written, before its lease is left to run out.
const COMPLETE_TRIES: u32 = 3;

/// The longest wait that is granted: the queue forgets a message after four days, and then nothing would be left of it.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

impl<R: 'static, K: 'static> Worker<R, K> {
    /// Claims a job and runs it, unless it is a suspect.
    pub(super) async fn first_look(&self, task: &Task, deadline: Instant) -> FirstLook {
        let now = self.clock.now();
        let remaining = deadline.saturating_duration_since(Instant::now());
        let lease_end = now.plus(remaining + LEASE_MARGIN);
        let request = ClaimRequest {
            key: task.key.clone(),
            // Drawn before the first try, so that a repeated write is recognised.
            owner: Owner::from_bits(self.random.bits()),
            now,
            lease_end,
            body_hash: task.work.body_hash(),
        };
        match self.store.claim(request).await {
            Ok(ClaimOutcome::Won(claim)) if claim.after_silence && claim.attempt <= self.limits.attempts => {
                FirstLook::Suspect(claim)
            }
            Ok(ClaimOutcome::Won(claim)) => FirstLook::Ended(self.run(task, claim, deadline).await),
            Ok(ClaimOutcome::Busy { until }) => {
                self.report(task, "duplicate", Some("it is running, or not due yet".to_owned()), |step| {
                    step.again_ms = Some(u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX));
                });
                // A moment more, so that the message does not meet the very end of the lease.
                FirstLook::Ended(End::Again(until.plus(Duration::from_millis(1))))
            }
            Ok(ClaimOutcome::Complete) => {
                self.report(task, "duplicate", Some("it was finished before".to_owned()), |_| {});
                FirstLook::Ended(End::Finished)
            }
            Ok(ClaimOutcome::Parked) => {
                self.report(
                    task,
                    "duplicate",
                    Some("it was given up before; its dead letter exists".to_owned()),
                    |_| {},
                );
                FirstLook::Ended(End::Finished)
            }
            Err(error) => {
                let wait = self.jitter(self.limits.wait_after(task.record.receive_count));
                self.report(task, "retry", Some(error.to_string()), |_| {});
                FirstLook::Ended(End::Again(now.plus(wait)))
            }
        }
    }

    /// Runs a job whose last attempt ended without a word, if there is time left; otherwise this attempt does not count.
    pub(super) async fn run_suspect(&self, task: &Task, claim: Claim, deadline: Instant) -> End {
        if self.listener_deadline(deadline) > Instant::now() {
            return self.run(task, claim, deadline).await;
        }
        let now = self.clock.now();
        let reason = "there was no time left after the other jobs of the batch";
        self.report(task, "retry", Some(reason.to_owned()), |step| step.attempt = Some(u64::from(claim.attempt)));
        self.warn(task, self.store.release(&claim, now, now, reason, false).await.err());
        End::Again(now)
    }

    fn listener_deadline(&self, deadline: Instant) -> Instant {
        let margin = Duration::from_millis(self.limits.overrun_margin_ms);
        deadline.checked_sub(margin).unwrap_or(deadline)
    }

    /// From a claim to its settlement.
    async fn run(&self, task: &Task, claim: Claim, deadline: Instant) -> End {
        let started = Instant::now();
        let wait = task.work.received_at().map(|at| self.clock.now().since(at));
        let disposition = self.decide(task, &claim, deadline).await;
        let settled = self.settle(task, &claim, disposition).await;
        self.report(task, settled.outcome, settled.reason, |step| {
            step.attempt = Some(u64::from(claim.attempt));
            step.ms = Some(millis(started.elapsed()));
            step.wait_ms = wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            if let End::Again(at) = settled.end {
                let again = at.since(self.clock.now()).as_millis();
                step.again_ms = Some(u64::try_from(again).unwrap_or(u64::MAX));
            }
        });
        settled.end
    }

    /// Everything that can keep a listener from running, then the listener.
    async fn decide(&self, task: &Task, claim: &Claim, deadline: Instant) -> Disposition {
        if claim.attempt > self.limits.attempts {
            let reason = match &claim.last_reason {
                Some(reason) if !claim.after_silence => reason.clone(),
                _ => format!("attempt {} was killed or timed out", claim.attempt - 1),
            };
            return Disposition::Park { reason };
        }
        if task.job.name == probe::JOB {
            return Disposition::Done;
        }
        let Some(lazy) = self.app.jobs.get(task.job.name.as_str()) else {
            // A deployment under way heals it; otherwise its attempts run out.
            return Disposition::Retry { after: None, reason: format!("no job is named {:?} here", task.job.name) };
        };
        let context = self.context(task, claim, self.listener_deadline(deadline));
        if let Some(disposition) = self.too_old(task, claim, lazy, &context).await {
            return disposition;
        }
        if let Some(disposition) = self.refused(&task.work, lazy) {
            return disposition;
        }
        self.run_listener(task, &lazy.run, &context).await
    }

    async fn run_listener(&self, task: &Task, run: &RunJob<R>, context: &Context<R>) -> Disposition {
        let next = Next {
            rest: &self.app.middleware,
            context,
            run,
            work: &task.work,
            part: task.job.action,
            value: task.job.value.clone(),
        };
        let listener = AssertUnwindSafe(next.run()).catch_unwind();
        let error = match tokio::time::timeout_at(context.deadline, listener).await {
            Ok(Ok(Ok(()))) => return Disposition::Done,
            Ok(Ok(Err(error))) => error,
            Ok(Err(panic)) => {
                let reason = format!("the listener panicked: {}", panic_text(panic.as_ref()));
                return Disposition::Retry { after: None, reason };
            }
            Err(_) => {
                let reason = format!("attempt {} was still running shortly before its deadline", context.attempt);
                return Disposition::Retry { after: None, reason };
            }
        };
        let Some(handler) = &self.app.on_error else { return error.disposition() };
        let chosen = AssertUnwindSafe(handler(context, &error)).catch_unwind();
        match tokio::time::timeout_at(context.deadline, chosen).await {
            Ok(Ok(Some(disposition))) => disposition,
            _ => error.disposition(),
        }
    }

    /// Work that is too old to start. Once redriven, a person wants it, however old it is.
    async fn too_old(
        &self,
        task: &Task,
        claim: &Claim,
        lazy: &LazyJob<R>,
        context: &Context<R>,
    ) -> Option<Disposition> {
        let Work::Slack(work) = &task.work else { return None };
        let route = lazy.route?;
        let default = match work.envelope.kind {
            EnvelopeKind::EventsApi => self.limits.stale_events_ms,
            EnvelopeKind::SlashCommands | EnvelopeKind::Interactive => self.limits.stale_interactions_ms,
        };
        let limit = self.app.routes[route].stale_after.unwrap_or(Duration::from_millis(default));
        let age = self.clock.now().since(work.envelope.received_at);
        if work.generation > 0 || age <= limit {
            return None;
        }
        let reason = format!("stale: it arrived {} s ago, and {} s is the limit", age.as_secs(), limit.as_secs());
        if claim.attempt > 1 {
            // It was tried and it failed: that is for a person to see.
            let last = claim.last_reason.as_deref().unwrap_or("the attempt before ended without a word");
            return Some(Disposition::Park { reason: format!("{reason}; before that: {last}") });
        }
        let Some(fallback) = self.app.fallbacks.get(&route) else { return Some(Disposition::Discard { reason }) };
        Some(match self.run_listener(task, fallback, context).await {
            Disposition::Done => Disposition::Discard { reason },
            other => other,
        })
    }

    fn refused(&self, work: &Work, lazy: &LazyJob<R>) -> Option<Disposition> {
        let (Work::Slack(work), Some(route)) = (work, lazy.route) else { return None };
        let guards = self.app.guards.iter().chain(&self.app.routes[route].guards);
        match refusal(guards, &AckContext::new(&work.envelope)) {
            Ok(None) => None,
            Ok(Some(_)) => Some(Disposition::Discard { reason: "a guard refused it".to_owned() }),
            // A mistake of the code, which a deployment mends: it must not throw away what was acknowledged.
            Err(reason) => Some(Disposition::Retry { after: None, reason }),
        }
    }

    fn context(&self, task: &Task, claim: &Claim, deadline: Instant) -> Context<R> {
        let tenant = task.work.tenant();
        let (user, channel, response_url) = origin(&task.work);
        let client = Client::new(
            Rc::clone(&self.http),
            Rc::clone(&self.slack_api_url),
            Some(self.authorize.bot_token(&tenant)),
            Duration::from_millis(self.limits.client_call_ms),
            deadline,
            task.work.id(),
            &task.job.name,
        );
        Context {
            resources: Rc::clone(&self.resources),
            client,
            queue: Rc::clone(&self.queue),
            clock: Rc::clone(&self.clock),
            own_jobs: Rc::clone(&self.own_jobs),
            delivery: task.work.id().to_owned(),
            key: task.work.idempotency_key(),
            job: task.job.name.clone(),
            attempt: claim.attempt,
            generation: task.work.generation(),
            tenant,
            user,
            channel,
            response_url,
            trace: match &task.work {
                Work::Slack(work) => work.trace.clone(),
                Work::App(work) => work.trace.clone(),
            },
            deadline,
        }
    }

    async fn settle(&self, task: &Task, claim: &Claim, disposition: Disposition) -> Settled {
        match disposition {
            Disposition::Done => self.complete(task, claim, None).await,
            Disposition::Discard { reason } => self.complete(task, claim, Some(reason)).await,
            Disposition::Park { reason } => self.park(task, claim, reason).await,
            Disposition::Retry { reason, .. } if claim.attempt >= self.limits.attempts => {
                self.park(task, claim, format!("all {} attempts failed; the last: {reason}", claim.attempt)).await
            }
            Disposition::Retry { after, reason } => {
                let wait = match after {
                    // Never before Slack's time, and not all at once behind it.
                    Some(after) => {
                        let after = after.min(WAIT_MAX);
                        after + self.up_to((after / 10).min(Duration::from_secs(1)))
                    }
                    None => self.jitter(self.limits.wait_after(claim.attempt)),
                };
                self.release(task, claim, wait, reason).await
            }
        }
    }

    async fn complete(&self, task: &Task, claim: &Claim, why: Option<String>) -> Settled {
        let outcome = if why.is_some() { "discarded" } else { "done" };
        let mut tries = 1;
        loop {
            let now = self.clock.now();
            match self.store.complete(claim, now, why.as_deref()).await {
                Ok(Held::Yes) => return Settled { outcome, reason: why, end: End::Finished },
                Ok(Held::Lost) => return self.lost(task, now),
                Err(_) if tries < COMPLETE_TRIES => tries += 1,
                Err(error) => {
                    // The effect is out. The lease ends by itself, and the job runs again: at least once, as promised.
                    let again = now.plus(self.limits.wait_after(1));
                    return Settled { outcome: "retry", reason: Some(error.to_string()), end: End::Again(again) };
                }
            }
        }
    }

    async fn release(&self, task: &Task, claim: &Claim, wait: Duration, reason: String) -> Settled {
        let now = self.clock.now();
        let not_before = now.plus(wait);
        match self.store.release(claim, now, not_before, &reason, true).await {
            Ok(Held::Yes) => Settled { outcome: "retry", reason: Some(reason), end: End::Again(not_before) },
            Ok(Held::Lost) => self.lost(task, now),
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
            let wait = self.jitter(self.limits.wait_after(claim.attempt));
            return self.release(task, claim, wait, reason).await;
        }
        let now = self.clock.now();
        match self.store.park(claim, now, &reason).await {
            Ok(_) => {}
            Err(error) => self.warn(task, Some(error)),
        }
        Settled { outcome: "parked", reason: Some(reason), end: End::Finished }
    }

    /// The lease ran out under this attempt and another took the job: the message must see what that one makes of it.
    fn lost(&self, _task: &Task, now: EpochMs) -> Settled {
        let again = now.plus(self.limits.wait_after(1));
        let reason = Some("the lease had run out and another attempt took over".to_owned());
        Settled { outcome: "retry", reason, end: End::Again(again) }
    }

    pub(super) fn report(&self, task: &Task, outcome: &str, reason: Option<String>, more: impl FnOnce(&mut Step)) {
        let mut step = Step {
            delivery: Some(task.work.id().to_owned()),
            team: Some(group_of(&task.work.tenant())),
            job: Some(task.job.name.clone()),
            generation: Some(u64::from(task.work.generation())),
            outcome: Some(outcome.to_owned()),
            reason,
            ..Step::new("job")
        };
        more(&mut step);
        step.emit();
    }

    fn warn(&self, task: &Task, error: Option<StoreError>) {
        if let Some(error) = error {
            tracing::warn!(delivery = task.work.id(), job = task.job.name.as_str(), "{error}");
        }
    }
}

/// How a claim was settled.
struct Settled {
    outcome: &'static str,
    reason: Option<String>,
    end: End,
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a text").chars().take(300).collect()
}
