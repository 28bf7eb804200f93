//! Deliveries of the simulated Slack that the console knows nothing of, since they did not reach the app: what Slack knows of them, in the
//! form of a story. Invariant: it says only what was seen from outside the app.

use super::delivery::text;
use crate::history::{Outcome, short};
use serde_json::{Value, json};

/// Nobody took it: the console will never hear of what was sent so far.
pub(crate) fn never_reached(delivery: &Value) -> bool {
    text(last(delivery), "failure") == "connection_failed"
}

/// A delivery of `/sim/deliveries/{id}` as a story, marked with `"unheard": true`.
pub(crate) fn story(delivery: &Value) -> Value {
    let id = text(delivery, "id");
    let outcome = match text(delivery, "outcome") {
        "accepted" => Outcome::Answered.as_str(),
        "retrying" => Outcome::Retrying.as_str(),
        "failed" | "stopped" => Outcome::Failed.as_str(),
        sending => sending,
    };
    let parts = [text(delivery, "channel"), text(delivery, "user")];
    let about: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    json!({
        "id": id,
        "short": short(id),
        "at_ms": delivery["at_ms"],
        "kind": delivery["kind"],
        "name": delivery["name"],
        "about": about.join(" · "),
        "team": delivery["team"],
        "user": delivery["user"],
        "channel": delivery["channel"],
        "status": last(delivery)["status"],
        "outcome": outcome,
        "cause": cause(delivery),
        "copy_of": delivery["copy_of"],
        "replay_of": delivery["replay_of"],
        "unheard": true,
    })
}

/// The newest attempt; null if there is none.
fn last(delivery: &Value) -> &Value {
    delivery["attempts"].as_array().and_then(|attempts| attempts.last()).unwrap_or(&Value::Null)
}

fn cause(delivery: &Value) -> String {
    let attempt = last(delivery);
    let ms = attempt["ms"].as_u64().unwrap_or_default();
    let mut cause = match (text(attempt, "failure"), attempt["status"].as_u64()) {
        _ if attempt.is_null() => "the simulated Slack has not sent it yet".to_owned(),
        ("connection_failed", _) => "it did not reach the app: nobody answered at its door".to_owned(),
        ("http_timeout", _) => format!("the app gave no answer within {ms} ms"),
        (_, Some(status)) => format!("it was answered {status}, and the console knows nothing of it"),
        (failure, None) => format!("it did not reach the app: {failure}"),
    };
    let faults: Vec<&str> = delivery["faults"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !faults.is_empty() {
        cause.push_str(&format!(" (faults that struck it: {})", faults.join(", ")));
    }
    cause
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(outcome: &str, attempts: Value) -> Value {
        json!({
            "id": "019ad000-0000-7000-8000-0000000abcde", "kind": "event", "name": "message", "channel": "C1", "user": "U1",
            "outcome": outcome, "attempts": attempts, "faults": [],
        })
    }

    #[test]
    fn what_slack_knows_is_told_as_a_story() {
        let refused = delivery("retrying", json!([{"status": null, "failure": "connection_failed", "ms": 1}]));
        let story = story(&refused);
        let told = [text(&story, "short"), text(&story, "about"), text(&story, "outcome")];
        assert_eq!(told, ["ABCDE", "C1 · U1", "retrying"]);
        assert_eq!(story["cause"], "it did not reach the app: nobody answered at its door");
        assert!(never_reached(&refused));
    }

    #[test]
    fn each_end_has_its_outcome_and_its_cause() {
        for (outcome, attempts, told, cause) in [
            ("sending", json!([]), "sending", "the simulated Slack has not sent it yet"),
            (
                "failed",
                json!([{"failure": "http_timeout", "ms": 3_000}]),
                "failed",
                "the app gave no answer within 3000 ms",
            ),
            (
                "accepted",
                json!([{"failure": null, "status": 200}]),
                "answered",
                "it was answered 200, and the console knows nothing of it",
            ),
            ("stopped", json!([{"failure": "unknown_error"}]), "failed", "it did not reach the app: unknown_error"),
        ] {
            let delivery = delivery(outcome, attempts);
            let story = story(&delivery);
            assert_eq!((text(&story, "outcome"), text(&story, "cause")), (told, cause));
            assert!(!never_reached(&delivery));
        }
        let mut late = delivery("sending", json!([]));
        late["faults"] = json!(["delay_ms"]);
        assert!(text(&story(&late), "cause").ends_with("(faults that struck it: delay_ms)"));
    }
}
