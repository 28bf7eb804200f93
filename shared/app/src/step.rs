//! One log line per step of a delivery: ids, times and verdicts, never content.
//! The same type writes the line and reads it, so that the local console learns from what production logs too.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The target of step lines in the log.
pub const TARGET: &str = "tack.step";

/// A step. What does not apply is absent from the line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    /// `ack` (the ingress answered), `job` (the worker dealt with a job), `call` (a call to Slack), `record` (a message as
    /// a whole), `oauth` (a browser that installs was answered).
    pub step: String,
    /// The delivery's name.
    pub delivery: Option<String>,
    /// Somebody else's name for the request: API Gateway's for what Slack sent (`ack`, the same as in the access log), Slack's
    /// for what the app sent (`call`, from `x-slack-req-id`).
    pub request: Option<String>,
    /// Slack's word for the kind.
    pub kind: Option<String>,
    /// SQS's name for a message that could not be read or postponed.
    #[serde(rename = "message_id")]
    pub message: Option<String>,
    /// The app.
    pub app: Option<String>,
    /// The workspace.
    pub team: Option<String>,
    /// What makes two deliveries the same.
    pub key: Option<String>,
    /// What the ingress made of it: `queued`, `answered`, `unhandled`, `own`, `challenge`, `ssl_check`, `rate_limited`,
    /// `bad_signature`, `too_large`, `queue_refused`, `ack_failed`, `refused`, `other_app`. Of an installation: `install_page`,
    /// `redirected`, `restarted`, `installed`, `method_not_allowed`, or one of [`crate::oauth::InstallProblem`]'s words.
    pub verdict: Option<String>,
    /// The HTTP status.
    pub status: Option<u64>,
    /// What came of reading the signing secrets again: `healed` (the request holds with the new ones), `no_match`, or why
    /// they could not be read.
    pub reread: Option<String>,
    /// Slack's retry number.
    pub retry_num: Option<u64>,
    /// Slack's retry reason.
    pub retry_reason: Option<String>,
    /// The jobs that were queued, separated by commas.
    pub jobs: Option<String>,
    /// The job.
    pub job: Option<String>,
    /// The attempt, from 1.
    pub attempt: Option<u64>,
    /// How often the delivery was redriven.
    #[serde(rename = "gen")]
    pub generation: Option<u64>,
    /// `done`, `duplicate`, `retry`, `discarded`, `parked`; for a call `ok` or Slack's error.
    pub outcome: Option<String>,
    /// The Web API method.
    pub method: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What the reader could do.
    pub hint: Option<String>,
    /// How long the step took, in milliseconds.
    pub ms: Option<f64>,
    /// From arrival to the start of the job, in milliseconds.
    pub wait_ms: Option<u64>,
    /// When the job may run again, in milliseconds from now.
    pub again_ms: Option<u64>,
}

impl Step {
    /// An empty step of this name.
    pub fn new(step: &str) -> Self {
        Self { step: step.to_owned(), ..Self::default() }
    }

    /// Writes the line: errors and warnings are those an operator looks at.
    pub fn emit(&self) {
        let serious = matches!(self.verdict.as_deref(), Some("queue_refused" | "ack_failed" | "too_large"))
            || self.outcome.as_deref() == Some("parked")
            || self.step == "oauth" && self.status.is_some_and(|status| status >= 500);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: TARGET,
                    step = self.step.as_str(),
                    delivery = self.delivery.as_deref(),
                    request = self.request.as_deref(),
                    kind = self.kind.as_deref(),
                    message_id = self.message.as_deref(),
                    app = self.app.as_deref(),
                    team = self.team.as_deref(),
                    key = self.key.as_deref(),
                    verdict = self.verdict.as_deref(),
                    status = self.status,
                    reread = self.reread.as_deref(),
                    retry_num = self.retry_num,
                    retry_reason = self.retry_reason.as_deref(),
                    jobs = self.jobs.as_deref(),
                    job = self.job.as_deref(),
                    attempt = self.attempt,
                    r#gen = self.generation,
                    outcome = self.outcome.as_deref(),
                    method = self.method.as_deref(),
                    reason = self.reason.as_deref(),
                    hint = self.hint.as_deref(),
                    ms = self.ms,
                    wait_ms = self.wait_ms,
                    again_ms = self.again_ms,
                )
            };
        }
        let notable = matches!(self.verdict.as_deref(), Some("other_app" | "rate_limited"))
            || self.outcome.as_deref() == Some("discarded");
        match (serious, notable) {
            (true, _) => line!(error),
            (false, true) => line!(warn),
            (false, false) => line!(info),
        }
    }
}

/// Milliseconds with three places.
pub fn millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
