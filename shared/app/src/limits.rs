//! Every time-out, ladder and size in one struct: defaults here, `TACK_LIMITS` (JSON) overrides single fields.
//! The template is compared with these by a test.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often a queue gives a message out before it takes it for dead: the template's `maxReceiveCount`, as a backstop.
pub const RECEIVES_MAX: u32 = 60;

/// Largest raw body that is looked at, in bytes. Slack documents nothing above it.
pub const RAW_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Largest encoded message, in bytes: SQS takes 1 MiB including attributes, and a dead letter adds its reasons.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024 - 4096;

/// Limits; all times in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The ingress answers within this time whatever the queue does.
    pub answer_ms: u64,
    /// What an `ack_io` may take.
    pub ack_io_ms: u64,
    /// What an options listener may take; nothing is queued after it.
    pub options_ms: u64,
    /// One try of SendMessage, from the ingress.
    pub queue_attempt_ms: u64,
    /// All tries of SendMessage together, from the ingress.
    pub queue_total_ms: u64,
    /// A listener that still runs this long before the invocation's deadline is dropped.
    pub overrun_margin_ms: u64,
    /// One call of Slack's Web API.
    pub client_call_ms: u64,
    /// How many attempts a job has.
    pub attempts: u32,
    /// The waits between attempts; the last one repeats.
    pub ladder_ms: Vec<u64>,
    /// Interactions older than this are not started any more: their `response_url` is nearly dead.
    pub stale_interactions_ms: u64,
    /// Events older than this are not started any more.
    pub stale_events_ms: u64,
    /// How long the data of a workspace that uninstalled the app is kept. With 0 it is purged at once; after longer graces it is
    /// the job `tack.purge_due` that finds what is due.
    pub purge_grace_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_ms: 2_500,
            ack_io_ms: 1_500,
            options_ms: 2_000,
            queue_attempt_ms: 1_000,
            queue_total_ms: 2_300,
            overrun_margin_ms: 1_000,
            client_call_ms: 30_000,
            attempts: 10,
            ladder_ms: vec![10_000, 30_000, 120_000, 600_000, 1_800_000, 7_200_000],
            stale_interactions_ms: 25 * 60_000,
            stale_events_ms: 6 * 3_600_000,
            purge_grace_ms: 0,
        }
    }
}

impl Limits {
    /// Reads overrides.
    ///
    /// # Errors
    /// A sentence that names the field, when a field is unknown or of the wrong type, or when no attempt would be left.
    pub fn parse(json: &str) -> Result<Self, String> {
        let limits: Self = serde_json::from_str(json).map_err(|error| error.to_string())?;
        if limits.attempts == 0 || limits.ladder_ms.is_empty() {
            return Err("attempts must be at least 1 and ladder_ms must hold a wait".to_owned());
        }
        Ok(limits)
    }

    /// The wait after a failed attempt (from 1), before jitter.
    pub fn wait_after(&self, attempt: u32) -> Duration {
        let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let wait = self.ladder_ms.get(step).or(self.ladder_ms.last()).copied().unwrap_or_default();
        Duration::from_millis(wait)
    }
}
