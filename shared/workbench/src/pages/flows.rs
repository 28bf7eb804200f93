//! What the app's install pages and the consent page did lately, in their order: the app's own log lines, which production
//! writes too, and between them what a person decided. Invariant: no more than [`KEPT`] of them, and none holds a token, a state
//! or a code.

use crate::history::stamp;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tack_app::step::Step;
use tack_local_aws::lambda::OutputLine;
use tack_simulator::mask_text;

/// Steps that are kept: a flow has four or five.
const KEPT: usize = 40;

/// One step of a flow.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct FlowStep {
    /// Epoch milliseconds.
    pub(crate) at_ms: u64,
    /// `person` or `app`.
    pub(crate) who: &'static str,
    /// What the app made of the request, in the word of its log; of a person `allowed` or `cancelled`.
    pub(crate) verdict: String,
    /// The HTTP status of the app's answer.
    pub(crate) status: Option<u64>,
    /// The workspace, once it is known.
    pub(crate) team: Option<String>,
    /// Why, or who and where.
    pub(crate) reason: Option<String>,
    /// What to change.
    pub(crate) hint: Option<String>,
}

impl FlowStep {
    /// The app answered, and nothing was wrong.
    pub(crate) fn is_well(&self) -> bool {
        self.status.is_none_or(|status| status < 400)
    }
}

/// The newest steps. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Flows(Arc<Mutex<VecDeque<FlowStep>>>);

impl Flows {
    /// Looks at a line that a function printed. True if it is a step of a flow.
    pub(crate) fn line(&self, line: &OutputLine, now_ms: u64) -> bool {
        let Ok(step) = serde_json::from_str::<Step>(&line.line) else { return false };
        if step.step != "oauth" {
            return false;
        }
        self.add(FlowStep {
            at_ms: stamp(&line.line).unwrap_or(now_ms),
            who: "app",
            verdict: step.verdict.unwrap_or_default(),
            status: step.status,
            team: step.team,
            reason: step.reason.map(|reason| mask_text(&reason)),
            hint: step.hint,
        });
        true
    }

    /// A person decided on the consent page.
    pub(super) fn decided(&self, verdict: &str, what: String, now_ms: u64) {
        let (verdict, reason) = (verdict.to_owned(), Some(what));
        self.add(FlowStep { at_ms: now_ms, who: "person", verdict, status: None, team: None, reason, hint: None });
    }

    /// All that are kept, oldest first.
    pub(crate) fn all(&self) -> Vec<FlowStep> {
        self.lock().iter().cloned().collect()
    }

    /// Starts over.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, step: FlowStep) {
        let mut steps = self.lock();
        if steps.len() >= KEPT {
            steps.pop_front();
        }
        // A line may have waited in its pipe.
        let at = steps.iter().rposition(|known| known.at_ms <= step.at_ms).map_or(0, |at| at + 1);
        steps.insert(at, step);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<FlowStep>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tack_local_aws::lambda::Stream;

    fn line(body: &Value) -> OutputLine {
        let function = "oauth".to_owned();
        OutputLine { function, pid: 1, stream: Stream::Stdout, line: body.to_string(), request_id: None }
    }

    #[test]
    fn a_line_of_the_install_pages_is_a_step_and_others_are_none() {
        let flows = Flows::default();
        let failed = json!({ "timestamp": "2026-11-24T09:14:02.118123Z", "step": "oauth", "verdict": "misconfigured", "status": 500,
            "reason": "Slack answered bad_client_secret to xoxb-1234567890-secret", "hint": "SLACK_CLIENT_SECRET is not this app's" });
        assert!(flows.line(&line(&failed), 7));
        assert!(!flows.line(&line(&json!({ "step": "ack", "verdict": "queued" })), 7));
        assert!(!flows.line(&line(&json!("text")), 7));
        let steps = flows.all();
        assert_eq!(steps.len(), 1);
        assert_eq!((steps[0].at_ms, steps[0].verdict.as_str()), (1_795_511_642_118, "misconfigured"));
        assert!(!steps[0].is_well() && !steps[0].reason.as_deref().unwrap().contains("secret-"));
        assert!(!format!("{steps:?}").contains("1234567890"), "{steps:?}");
    }

    #[test]
    fn steps_stand_in_the_order_of_their_times_and_the_oldest_go_first() {
        let flows = Flows::default();
        flows.decided("allowed", "Ada".to_owned(), 20);
        flows.line(&line(&json!({ "step": "oauth", "verdict": "redirected" })), 10);
        let verdicts: Vec<String> = flows.all().into_iter().map(|step| step.verdict).collect();
        assert_eq!(verdicts, ["redirected", "allowed"]);
        for at in 0..KEPT as u64 {
            flows.decided("allowed", String::new(), 100 + at);
        }
        assert_eq!(flows.all().len(), KEPT);
        assert_eq!(flows.all()[0].at_ms, 100);
    }
}
