//! Phase 1 around its edges: bytes in, HTTP answer out, and in between at most one message in a queue.
//! A 2xx goes out only after the queue accepted the work, or when there is none. Nothing else is written here.

use crate::ack::Verdict;
use crate::app::{AckPhase, App};
use crate::limits::{Limits, MESSAGE_BYTES_MAX, RAW_BODY_BYTES_MAX};
use crate::message::{QueueName, SlackWork, group_of};
use crate::ports::{Clock, Queue, Random};
use crate::running;
use crate::signing::AcceptedSecrets;
use crate::step::{Step, millis};
use bytes::Bytes;
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{AppId, Envelope, EpochMs, Inbound, RawRequest};
use tokio::time::Instant;

/// What the front door says about a request beside the request itself; for logs and traces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// API Gateway's name for the request, which is in its access log and in its answer.
    pub request: Option<String>,
    /// AWS's trace header; it travels with the work.
    pub trace: Option<String>,
}

/// What goes back to Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body, or an empty one.
    pub body: Bytes,
}

impl HttpAnswer {
    fn empty(status: u16) -> Self {
        Self { status, body: Bytes::new() }
    }

    fn json(body: &Value) -> Self {
        Self { status: 200, body: Bytes::from(body.to_string()) }
    }
}

/// The door's logic, the same in a Lambda and in a test.
pub struct Ingress<R, K> {
    /// The listeners.
    pub app: App<AckPhase, R, K>,
    /// What async acks use.
    pub resources: K,
    /// Accepted signing secrets.
    pub secrets: AcceptedSecrets,
    /// The one app that is served, if that is to be checked.
    pub app_id: Option<AppId>,
    /// Where work goes.
    pub queue: Rc<dyn Queue>,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// Time limits.
    pub limits: Limits,
}

impl<R: 'static, K: 'static> Ingress<R, K> {
    /// Answers a request within [`Limits::answer_ms`].
    pub async fn answer(&self, request: RawRequest, arrival: Arrival) -> HttpAnswer {
        let started = Instant::now();
        let mut step = Step { request: arrival.request, ..Step::new("ack") };
        let answer = self.decide(request, arrival.trace, started, &mut step).await;
        step.status = Some(u64::from(answer.status));
        step.ms = Some(millis(started.elapsed()));
        step.emit();
        answer
    }

    async fn decide(
        &self,
        request: RawRequest,
        trace: Option<String>,
        started: Instant,
        step: &mut Step,
    ) -> HttpAnswer {
        let verdict = |step: &mut Step, verdict: &str| step.verdict = Some(verdict.to_owned());
        if request.body.len() > RAW_BODY_BYTES_MAX {
            verdict(step, "too_large");
            step.reason = Some(format!("the body has {} bytes", request.body.len()));
            return HttpAnswer::empty(413);
        }
        if request.is_ssl_check() {
            verdict(step, "ssl_check");
            return HttpAnswer::empty(200);
        }
        let verified = match self.secrets.verify(request, self.clock.now(), &mut step.reread).await {
            Ok(verified) => verified,
            Err(error) => {
                verdict(step, "bad_signature");
                step.reason = Some(error.code().to_owned());
                return HttpAnswer::empty(401);
            }
        };
        match verified.decode() {
            Inbound::SslCheck => {
                verdict(step, "ssl_check");
                HttpAnswer::empty(200)
            }
            Inbound::UrlVerification { challenge } => {
                verdict(step, "challenge");
                HttpAnswer::json(&json!({ "challenge": challenge }))
            }
            Inbound::AppRateLimited { team, .. } => {
                verdict(step, "rate_limited");
                step.team = team.map(|team| team.to_string());
                step.hint = Some("Slack drops events of this workspace above 30,000 an hour".to_owned());
                HttpAnswer::empty(200)
            }
            Inbound::Envelope(envelope) => {
                let deadline = started + Duration::from_millis(self.limits.answer_ms);
                self.take(*envelope, trace, deadline, step).await
            }
        }
    }

    async fn take(&self, envelope: Envelope, trace: Option<String>, deadline: Instant, step: &mut Step) -> HttpAnswer {
        let id = delivery_id(envelope.received_at, &*self.random);
        step.delivery = Some(id.clone());
        step.kind = Some(envelope.payload.kind().to_owned());
        step.app = envelope.app.as_ref().map(AppId::to_string);
        step.team = Some(group_of(&envelope.tenant));
        step.key = envelope.idempotency_key().map(|key| key.0);
        step.retry_num = envelope.retry.as_ref().map(|retry| u64::from(retry.num));
        step.retry_reason = envelope.retry.as_ref().map(|retry| retry.reason.clone());
        if self.app_id.is_some() && envelope.app.is_some() && self.app_id != envelope.app {
            step.verdict = Some("other_app".to_owned());
            return HttpAnswer::empty(200);
        }
        let decision = running::within(&id, None, self.app.ack(&envelope, &self.resources, &self.limits)).await;
        let answer = decision.reply.as_ref().map_or_else(|| HttpAnswer::empty(200), HttpAnswer::json);
        match &decision.verdict {
            Verdict::Queue => step.verdict = Some("queued".to_owned()),
            Verdict::Answered => step.verdict = Some("answered".to_owned()),
            Verdict::Own => step.verdict = Some("own".to_owned()),
            Verdict::Refused => step.verdict = Some("refused".to_owned()),
            Verdict::Unhandled => {
                step.verdict = Some("unhandled".to_owned());
                step.hint = Some(self.app.hint(&envelope));
            }
            Verdict::Failed(reason) => {
                step.verdict = Some("ack_failed".to_owned());
                step.reason = Some(reason.clone());
            }
        }
        if decision.jobs.is_empty() {
            return answer;
        }
        let names: Vec<&str> = decision.jobs.iter().map(|job| job.name.as_str()).collect();
        step.jobs = Some(names.join(","));
        let (queue, group) = (QueueName::of(envelope.kind), group_of(&envelope.tenant));
        let work = SlackWork { id, envelope, jobs: decision.jobs, generation: 0, trace };
        let body = work.encode();
        if body.len() > MESSAGE_BYTES_MAX {
            step.verdict = Some("too_large".to_owned());
            step.reason = Some(format!("the encoded message has {} bytes", body.len()));
            return HttpAnswer::empty(413);
        }
        match tokio::time::timeout_at(deadline, self.queue.send(queue, &group, body)).await {
            Ok(Ok(())) => answer,
            Ok(Err(error)) => {
                step.verdict = Some("queue_refused".to_owned());
                step.reason = Some(error.to_string());
                HttpAnswer::empty(500)
            }
            Err(_) => {
                step.verdict = Some("queue_refused".to_owned());
                step.reason = Some("the queue did not answer in time".to_owned());
                HttpAnswer::empty(500)
            }
        }
    }
}

/// A UUID v7: it sorts by time.
pub(crate) fn delivery_id(now: EpochMs, random: &dyn Random) -> String {
    let bits = random.bits().to_be_bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&bits[..10]);
    uuid::Builder::from_unix_timestamp_millis(now.0, &tail).into_uuid().to_string()
}
