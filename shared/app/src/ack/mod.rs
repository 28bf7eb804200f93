//! Phase 1: a delivery in, an answer and the names of jobs out. Decides and does nothing:
//! no token, no store, no queue. An ack that fails, panics or is late never looks like success, and starts no job.

mod answer;
mod context;
mod safe;

pub(crate) use answer::Outcome;
pub use answer::{Ack, CommandAck, EmptyAck, HandedOver, Nothing, ViewAck};
pub use context::{AckContext, Refusal};

use crate::app::{AckFn, App, Guard, Phase, Route};
use crate::error::AckError;
use crate::hints;
use crate::install::lifecycle;
use crate::limits::Limits;
use crate::message::Job;
use crate::probe;
use futures_util::FutureExt;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tack_protocol::Envelope;
use tack_protocol::payload::Payload;
use tokio::time::Instant;

/// What to answer and what to queue.
#[derive(Clone, Debug, PartialEq)]
pub struct AckDecision {
    /// The JSON of the 200, or an empty one.
    pub reply: Option<Value>,
    /// Which listeners are to run; none means that nothing is queued.
    pub jobs: Vec<Job>,
    /// How it came about.
    pub verdict: Verdict,
}

/// How an [`AckDecision`] came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is work.
    Queue,
    /// The answer is all.
    Answered,
    /// Nobody listens.
    Unhandled,
    /// The app's own doing.
    Own,
    /// A guard said no.
    Refused,
    /// An ack failed, for this reason.
    Failed(String),
}

/// What one listener's ack said, without its types.
pub(crate) struct Erased {
    pub(crate) reply: Option<Value>,
    /// `None`: no job. `Some(None)`: jobs without a value.
    pub(crate) proceed: Option<Option<Value>>,
}

/// How long async acks may take. Slack waits for the delivery as a whole, so all acks of one delivery share it.
struct Budget<'l> {
    started: Instant,
    limits: &'l Limits,
}

impl Budget<'_> {
    fn of<K>(&self, route: &Route<K>) -> Duration {
        Duration::from_millis(if route.is_options { self.limits.options_ms } else { self.limits.ack_io_ms })
    }
}

impl<P: Phase, R, K> App<P, R, K> {
    /// Decides about a delivery.
    pub async fn ack(&self, envelope: &Envelope, resources: &K, limits: &Limits) -> AckDecision {
        if probe::is_probe(envelope) {
            let jobs = vec![Job::named(probe::JOB)];
            return AckDecision { reply: None, jobs, verdict: Verdict::Queue };
        }
        // What is stored must follow whoever else listens; and these events name the app without being of its doing.
        let is_lifecycle = lifecycle::is_lifecycle(envelope);
        if self.ignore_self && envelope.is_own() && !is_lifecycle {
            return AckDecision { reply: None, jobs: Vec::new(), verdict: Verdict::Own };
        }
        let (routes, broken) = self.matching(envelope);
        if routes.is_empty() && !broken && !is_lifecycle {
            return AckDecision { reply: None, jobs: Vec::new(), verdict: Verdict::Unhandled };
        }
        let taken = !routes.is_empty();
        let budget = Budget { started: Instant::now(), limits };
        let mut decision = AckDecision { reply: None, jobs: Vec::new(), verdict: Verdict::Answered };
        if is_lifecycle {
            decision.jobs.push(Job::named(lifecycle::JOB));
        }
        for (route, part) in routes {
            self.ack_route(route, part, envelope, resources, &budget, &mut decision).await;
        }
        if broken {
            let reason = "a listener's constraint panicked".to_owned();
            if taken {
                // Whoever took it answers for itself: its job starts, so nobody may be told that nothing was done.
                decision.verdict = Verdict::Failed(reason);
            } else {
                fail(&mut decision, envelope, reason);
            }
        }
        if !decision.jobs.is_empty() && decision.verdict == Verdict::Answered {
            decision.verdict = Verdict::Queue;
        }
        decision
    }

    async fn ack_route(
        &self,
        route: &Route<K>,
        part: usize,
        envelope: &Envelope,
        resources: &K,
        budget: &Budget<'_>,
        decision: &mut AckDecision,
    ) {
        let context = AckContext::new(envelope);
        match refusal(self.guards.iter().chain(&route.guards), &context) {
            Ok(None) => {}
            Ok(Some(refusal)) => {
                decision.reply = safe::body(&envelope.payload, &refusal.text).or(decision.reply.take());
                if !matches!(decision.verdict, Verdict::Failed(_)) {
                    decision.verdict = Verdict::Refused;
                }
                return;
            }
            Err(reason) => return fail(decision, envelope, reason),
        }
        match run_ack(route, part, &context, resources, budget).await {
            Ok(Erased { reply, proceed }) => {
                decision.reply = reply.or(decision.reply.take());
                if let Some(value) = proceed {
                    let job = |name: &&str| Job { name: (*name).to_owned(), value: value.clone(), action: part };
                    decision.jobs.extend(route.jobs.iter().map(job));
                }
            }
            Err(reason) => fail(decision, envelope, reason),
        }
    }

    /// Every match for events, the first match for what needs an answer, the first match of each action.
    /// The flag says that a constraint panicked: its listener is taken for no match, and the delivery counts as failed.
    fn matching(&self, envelope: &Envelope) -> (Vec<(&Route<K>, usize)>, bool) {
        let payload = &envelope.payload;
        let parts = match payload {
            Payload::BlockActions(interaction) => interaction.actions.len(),
            _ => 1,
        };
        let mut found: Vec<(&Route<K>, usize)> = Vec::new();
        let mut broken = false;
        for part in 0..parts {
            for route in &self.routes {
                let takes = std::panic::catch_unwind(AssertUnwindSafe(|| route.matches(payload, part)));
                broken |= takes.is_err();
                if takes.unwrap_or(false) {
                    found.push((route, part));
                    if !route.every_match {
                        break;
                    }
                }
            }
        }
        (found, broken)
    }

    /// What to tell the developer about a delivery that nobody took.
    pub fn hint(&self, envelope: &Envelope) -> String {
        hints::unhandled(envelope)
    }
}

/// The first guard that says no. A guard that panics says no to everybody.
pub(crate) fn refusal<'g>(
    guards: impl Iterator<Item = &'g Guard>,
    context: &AckContext<'_>,
) -> Result<Option<Refusal>, String> {
    for guard in guards {
        let verdict = std::panic::catch_unwind(AssertUnwindSafe(|| guard(context)));
        match verdict {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => return Ok(Some(refusal)),
            Err(_) => return Err("a guard panicked".to_owned()),
        }
    }
    Ok(None)
}

fn fail(decision: &mut AckDecision, envelope: &Envelope, reason: String) {
    decision.reply = safe::body(&envelope.payload, safe::FAILED);
    decision.verdict = Verdict::Failed(reason);
}

async fn run_ack<K>(
    route: &Route<K>,
    part: usize,
    context: &AckContext<'_>,
    resources: &K,
    budget: &Budget<'_>,
) -> Result<Erased, String> {
    let result: Result<Result<Erased, AckError>, _> = match &route.ack {
        AckFn::Empty => return Ok(Erased { reply: None, proceed: Some(None) }),
        AckFn::Pure(ack) => std::panic::catch_unwind(AssertUnwindSafe(|| ack(context, part))),
        AckFn::Io(ack) => {
            let allowed = budget.of(route);
            let running = AssertUnwindSafe(ack(context, part, resources)).catch_unwind();
            match tokio::time::timeout_at(budget.started + allowed, running).await {
                Ok(result) => result,
                Err(_) => return Err(format!("the ack took longer than {} ms", allowed.as_millis())),
            }
        }
    };
    match result {
        Ok(Ok(erased)) => Ok(erased),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("the ack panicked".to_owned()),
    }
}
