//! How flows went: each step with its time, and where one failed its cause and what to change.

use crate::pages::clock::{precise, utc};
use crate::pages::flows::FlowStep;
use maud::{Markup, html};
use tack_local_aws::Clock;

/// The steps that are kept, the newest flow last.
pub(super) fn last(steps: &[FlowStep]) -> Markup {
    html! {
        section.group aria-labelledby="flow" {
            h2 #flow { "The last flows" }
            @if steps.is_empty() { p.muted { "Nobody has opened the app's install page yet." } }
            @else {
                ol.flow data-testid="install-flow" {
                    @for step in steps {
                        li data-testid="install-step" data-verdict=(step.verdict) data-state=(if step.is_well() { "ok" } else { "bad" }) {
                            (precise(step.at_ms)) " "
                            span.outcome data-mood=(if step.is_well() { "plain" } else { "bad" }) {
                                span aria-hidden="true" { (if step.is_well() { "·" } else { "✗" }) " " }
                                (words(&step.verdict))
                            }
                            @if let Some(team) = &step.team { " " code { (team) } }
                            @if let Some(reason) = &step.reason { " " span.muted { (reason) } }
                            @if let Some(hint) = &step.hint { p.warning { (hint) } }
                        }
                    }
                }
            }
        }
    }
}

/// A word of the log, as a person says it. One that is not known stands for itself.
fn words(verdict: &str) -> &str {
    match verdict {
        "install_page" => "the page with the button was shown",
        "redirected" => "a state was issued, and the browser sent to Slack",
        "restarted" => "it came back without a state, and was sent to Slack again, with one",
        "installed" => "the code was exchanged, and the tokens were stored",
        "allowed" => "allowed at Slack",
        "cancelled" => "cancelled",
        "slack_refused" => "Slack sent the browser back with an error",
        "no_state" => "no state came back, for the second time",
        "unknown_state" => "the state was used before, or never issued",
        "expired_state" => "the state is older than ten minutes",
        "other_browser" => "another browser began",
        "no_cookie" => "the browser sent no cookie",
        "damaged" => "the address is not one that Slack makes",
        "ref_too_long" => "?ref= holds more than 512 bytes",
        "code_refused" => "Slack does not take the code",
        "misconfigured" => "Slack does not accept the app's settings",
        "slack_unreachable" => "Slack did not answer",
        "slack_unreadable" => "Slack's answer is not what it documents",
        "other_app" => "Slack granted it to another app",
        "store_unavailable" => "states could not be read or written",
        "queue_unavailable" => "the queue did not take the work that follows",
        "not_saved" => "the installation could not be saved",
        other => other,
    }
}

/// When a token is renewed, if it is.
pub(super) fn rotation(expires_at_ms: Option<u64>) -> Markup {
    let Some(end) = expires_at_ms else { return html! { "off" } };
    let left = end.saturating_sub(Clock::system().now_ms()) / 60_000;
    html! {
        @if left == 0 { span data-mood="bad" { "✗ expired" } } @else { "on, expires in " (left / 60) " h " (left % 60) " m" }
    }
}

/// A day and a time, for what may be far away.
pub(super) fn moment(at_ms: u64) -> Markup {
    let (date, clock) = utc(at_ms);
    html! { span.nowrap { (date) " " (clock[..5]) " UTC" } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Flows;

    #[test]
    fn a_failure_says_its_cause_and_what_to_change_and_foreign_text_stays_text() {
        let flows = Flows::default();
        let line = serde_json::json!({ "step": "oauth", "verdict": "<b>new</b>", "status": 500, "reason": "<script>", "hint": "SLACK_CLIENT_SECRET" });
        let stream = tack_local_aws::lambda::Stream::Stdout;
        let line = tack_local_aws::lambda::OutputLine {
            function: "oauth".to_owned(),
            pid: 1,
            stream,
            line: line.to_string(),
            request_id: None,
        };
        assert!(flows.line(&line, 1));
        let page = last(&flows.all()).into_string();
        assert!(
            page.contains("&lt;script&gt;") && page.contains("&lt;b&gt;new&lt;/b&gt;") && !page.contains("<script>"),
            "{page}"
        );
        assert!(page.contains("SLACK_CLIENT_SECRET") && page.contains("data-state=\"bad\""), "{page}");
    }
}
