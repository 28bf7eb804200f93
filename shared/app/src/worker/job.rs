//! One job: claim, then listener, then complete, release or park. Two writes and no read.

use super::Worker;
use super::batch::{End, FirstLook, Task};
use super::settle::LADDER_FROM;
use crate::ack::{AckContext, refusal};
use crate::app::{LazyJob, RunJob};
use crate::authorize::{Authorized, Unauthorized};
use crate::client::Client;
use crate::context::{Context, origin};
use crate::error::{Disposition, ListenerError};
use crate::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, LEASE_MARGIN, Owner};
use crate::install::lifecycle::WithToken;
use crate::message::{Work, group_of};
use crate::middleware::Next;
use crate::ports::StoreError;
use crate::running;
use crate::step::{Step, millis};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EnvelopeKind, EpochMs};
use tokio::time::Instant;

/// The time a job needs at least to be worth a start.
const SUSPECT_TIME_MIN: Duration = Duration::from_millis(500);

/// How long after a delivery came an installation may still be saved, and how long its job waits at least between two looks.
const SAVED_WITHIN: Duration = Duration::from_secs(10);
const SAVED_LOOK: Duration = Duration::from_secs(2);

/// What the reason of a job begins with whose fallback runs in place of its listener, and failed.
const FALLBACK_FAILED: &str = "stale: its fallback: ";

/// What is to become of a claimed job.
pub(super) enum Decision {
    /// It ran, or will not.
    Ended(Disposition),
    /// Something it needs is not there yet; the attempt is not counted.
    NotStarted {
        /// When to look again.
        until: EpochMs,
        /// Why.
        reason: String,
    },
}

impl From<Disposition> for Decision {
    fn from(disposition: Disposition) -> Self {
        Self::Ended(disposition)
    }
}

impl<R: 'static, K: 'static> Worker<R, K> {
    /// Claims a job and runs it, unless it is a suspect.
    pub(super) async fn first_look(&self, task: &Task, deadline: Instant) -> FirstLook {
        let claim = match self.claim(task, deadline).await {
            Ok(claim) => claim,
            Err(end) => return FirstLook::Ended(end),
        };
        if !claim.after_silence || claim.attempt > self.limits.attempts {
            return FirstLook::Ended(self.run(task, claim, deadline).await);
        }
        let now = self.clock.now();
        // Due at once: a claim wants this time to have passed.
        let due = EpochMs(now.0.saturating_sub(1));
        let reason = "its last attempt ended without a word; it waits for the other jobs of the batch";
        match self.store.release(&claim, now, due, reason, false).await {
            Ok(Held::Yes) => FirstLook::Suspect,
            Ok(Held::Lost) => FirstLook::Ended(self.lost(now).end),
            Err(error) => {
                self.warn(task, Some(error));
                FirstLook::Ended(End::Again(now.plus(self.trouble_wait(&task.record))))
            }
        }
    }

    /// Runs a job whose last attempt ended without a word, if there is time left. Waiting cost it no attempt.
    pub(super) async fn run_suspect(&self, task: &Task, deadline: Instant) -> End {
        if self.listener_deadline(deadline) < Instant::now() + SUSPECT_TIME_MIN {
            let reason = "there was no time left after the other jobs of the batch";
            self.report(task, "retry", Some(reason.to_owned()), |_| {});
            return End::Again(self.clock.now());
        }
        match self.claim(task, deadline).await {
            Ok(claim) => self.run(task, claim, deadline).await,
            Err(end) => end,
        }
    }

    async fn claim(&self, task: &Task, deadline: Instant) -> Result<Claim, End> {
        let now = self.clock.now();
        let remaining = deadline.saturating_duration_since(Instant::now());
        let request = ClaimRequest {
            key: task.key.clone(),
            // Drawn before the first try, so that a repeated write is recognised.
            owner: Owner::from_bits(self.random.bits()),
            now,
            lease_end: now.plus(remaining + LEASE_MARGIN),
            body_hash: task.work.body_hash(),
        };
        let duplicate = |reason: &str| self.report(task, "duplicate", Some(reason.to_owned()), |_| {});
        match self.store.claim(request).await {
            Ok(ClaimOutcome::Won(claim)) => Ok(claim),
            Ok(ClaimOutcome::Busy { until }) => {
                self.report(task, "duplicate", Some("it is running, or not due yet".to_owned()), |step| {
                    step.again_ms = Some(u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX));
                });
                // A moment more, so that the message does not meet the very end of the lease.
                Err(End::Again(until.plus(Duration::from_millis(1))))
            }
            Ok(ClaimOutcome::Complete) => {
                duplicate("it was finished before");
                Err(End::Finished)
            }
            Ok(ClaimOutcome::Parked) => {
                duplicate("it was given up before; its dead letter exists");
                Err(End::Finished)
            }
            Err(error) => {
                self.report(task, "retry", Some(error.to_string()), |_| {});
                Err(End::Again(now.plus(self.trouble_wait(&task.record))))
            }
        }
    }

    pub(super) fn listener_deadline(&self, deadline: Instant) -> Instant {
        let margin = Duration::from_millis(self.limits.overrun_margin_ms);
        deadline.checked_sub(margin).unwrap_or(deadline)
    }

    /// From a claim to its settlement.
    async fn run(&self, task: &Task, claim: Claim, deadline: Instant) -> End {
        let started = Instant::now();
        let wait = task.work.received_at().map(|at| self.clock.now().since(at));
        let deciding = self.decide(task, &claim, deadline);
        let decision = running::within(task.work.id(), Some(&task.job.name), deciding).await;
        let settled = self.settle(task, &claim, decision).await;
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
    async fn decide(&self, task: &Task, claim: &Claim, deadline: Instant) -> Decision {
        if claim.attempt > self.limits.attempts {
            let reason = match &claim.last_reason {
                Some(reason) if !claim.after_silence => reason.clone(),
                _ => format!("attempt {} was killed or timed out", claim.attempt - 1),
            };
            return Disposition::Park { reason }.into();
        }
        if let Some(decision) = self.own_part(task, claim, deadline).await {
            return decision;
        }
        let Some(lazy) = self.app.jobs.get(task.job.name.as_str()) else {
            // A deployment under way heals it; otherwise its attempts run out.
            let reason = format!("no job is named {:?} here", task.job.name);
            return Disposition::Retry { after: None, reason }.into();
        };
        let authorized = match self.authorized(task).await {
            Ok(authorized) => authorized,
            Err(unauthorized) => return self.not_authorized(task, unauthorized),
        };
        let context = self.context(task, claim, authorized, self.listener_deadline(deadline));
        if let Some(disposition) = self.too_old(task, claim, lazy, &context).await {
            return disposition.into();
        }
        if let Some(disposition) = self.refused(&task.work, lazy) {
            return disposition.into();
        }
        self.run_listener(task, &lazy.run, &context).await.into()
    }

    async fn authorized(&self, task: &Task) -> Result<Authorized, Unauthorized> {
        let without = Authorized { token: None, installation: None };
        let (person, with_token) = match &*task.work {
            Work::Slack(work) => (work.envelope.user.as_ref(), WithToken::of(&work.envelope)),
            Work::App(_) => (None, WithToken::Always),
        };
        if with_token == WithToken::Never {
            return Ok(without);
        }
        match self.authorize.authorize(&task.work.tenant(), person).await {
            Err(Unauthorized::NotInstalled(_) | Unauthorized::Unknown(_)) if with_token == WithToken::IfAny => {
                Ok(without)
            }
            authorized => authorized,
        }
    }

    /// What becomes of a job without the token it needs. None of its attempts is used up.
    fn not_authorized(&self, task: &Task, unauthorized: Unauthorized) -> Decision {
        let now = self.clock.now();
        let (until, reason) = match unauthorized {
            Unauthorized::Unknown(reason) => match self.may_be_saved_yet(task, now) {
                Some(until) => (until, reason),
                None => return self.not_installed(task, reason),
            },
            Unauthorized::NotInstalled(reason) => return self.not_installed(task, reason),
            // Others' renewals may fail one after the other: in the long run it is the ladder that counts.
            Unauthorized::Wait { until, reason } if task.record.receive_count >= LADDER_FROM => {
                (until.max(now.plus(self.trouble_wait(&task.record))), reason)
            }
            Unauthorized::Wait { until, reason } => (until, reason),
            Unauthorized::Trouble(reason) => (now.plus(self.trouble_wait(&task.record)), reason),
        };
        Decision::NotStarted { until, reason }
    }

    fn not_installed(&self, task: &Task, reason: String) -> Decision {
        self.authorize.tell_discarded(&task.work.tenant(), &reason);
        Disposition::Discard { reason }.into()
    }

    /// When to look again for the installation of a delivery that has just come: Slack sends the first ones as soon as a person
    /// agreed, and the installation is saved only then. Between the looks it waits as long as before, up to the end.
    fn may_be_saved_yet(&self, task: &Task, now: EpochMs) -> Option<EpochMs> {
        let received_at = task.work.received_at().unwrap_or(task.record.sent_at);
        let age = now.since(received_at);
        let left = SAVED_WITHIN.checked_sub(age).filter(|left| !left.is_zero())?;
        Some(now.plus(age.max(SAVED_LOOK).min(left)))
    }

    pub(super) async fn run_listener(&self, task: &Task, run: &RunJob<R>, context: &Context<R>) -> Disposition {
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
            Ok(Err(panic)) => ListenerError::Panicked(panic_text(panic.as_ref())),
            Err(_) => ListenerError::Overran { attempt: context.attempt },
        };
        let Some(handler) = &self.app.on_error else { return error.disposition() };
        // After an overrun there is the margin left, less what settling the job takes.
        let limit = context.deadline + Duration::from_millis(self.limits.overrun_margin_ms / 4);
        let chosen = AssertUnwindSafe(handler(context, &error)).catch_unwind();
        match tokio::time::timeout_at(limit, chosen).await {
            Ok(Ok(Some(disposition))) => disposition,
            _ => error.disposition(),
        }
    }

    /// Work that is too old to start: it is dropped, and its fallback runs if it has one, once for all jobs of a listener.
    /// What was started in time goes on, and a redriven message is new: a person wants it.
    async fn too_old(
        &self,
        task: &Task,
        claim: &Claim,
        lazy: &LazyJob<R>,
        context: &Context<R>,
    ) -> Option<Disposition> {
        let Work::Slack(work) = &*task.work else { return None };
        let route = lazy.route?;
        let default = match work.envelope.kind {
            EnvelopeKind::EventsApi => self.limits.stale_events_ms,
            EnvelopeKind::SlashCommands | EnvelopeKind::Interactive => self.limits.stale_interactions_ms,
        };
        let limit = self.app.routes[route].stale_after.unwrap_or(Duration::from_millis(default));
        let age = self.clock.now().since(task.record.sent_at);
        let fallback_failed = claim.last_reason.as_deref().is_some_and(|reason| reason.starts_with(FALLBACK_FAILED));
        if work.generation > 0 || age <= limit || (claim.attempt > 1 && !fallback_failed) {
            return None;
        }
        let reason = format!("stale: it was sent {} s ago, and {} s is the limit", age.as_secs(), limit.as_secs());
        let first = self.app.routes[route].jobs.first() == Some(&task.job.name.as_str());
        let Some(fallback) = self.app.fallbacks.get(&route).filter(|_| first) else {
            return Some(Disposition::Discard { reason });
        };
        Some(match self.run_listener(task, fallback, context).await {
            Disposition::Done => Disposition::Discard { reason },
            Disposition::Retry { after, reason } => {
                Disposition::Retry { after, reason: format!("{FALLBACK_FAILED}{reason}") }
            }
            Disposition::Park { reason } => Disposition::Park { reason: format!("{FALLBACK_FAILED}{reason}") },
            discard @ Disposition::Discard { .. } => discard,
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

    pub(super) fn context(&self, task: &Task, claim: &Claim, authorized: Authorized, deadline: Instant) -> Context<R> {
        let tenant = task.work.tenant();
        let (user, channel, response_url) = origin(&task.work);
        let client = Client::new(
            Rc::clone(&self.http),
            Rc::clone(&self.slack_api_url),
            authorized.token,
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
            installation: authorized.installation,
            user,
            channel,
            response_url,
            trace: match &*task.work {
                Work::Slack(work) => work.trace.clone(),
                Work::App(work) => work.trace.clone(),
            },
            deadline,
        }
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

    pub(super) fn warn(&self, task: &Task, error: Option<StoreError>) {
        if let Some(error) = error {
            tracing::warn!(delivery = task.work.id(), job = task.job.name.as_str(), "{error}");
        }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a text").chars().take(300).collect()
}
