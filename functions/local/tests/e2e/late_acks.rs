//! Acks that do not end in time: the person gets a safe answer, and nothing is queued.

use crate::world::{Setup, in_world};
use serde_json::{Value, json};
use tack_simulator::DeliveryRequest;

#[test]
fn options_that_take_too_long_are_answered_with_none_in_time() {
    in_world(Setup::drill(), async |world| {
        let mut payload: Value =
            serde_json::from_str(include_str!("../../../../events/slack/options/block_suggestion.json")).unwrap();
        payload["action_id"] = json!("slow_select");
        let asked = world.deliver(DeliveryRequest::options(payload)).await.remove(0);
        let attempt = &asked.attempts[0];
        assert_eq!((attempt.status, attempt.answer.as_str()), (Some(200), r#"{"options":[]}"#));
        assert!(attempt.ms < 3_000, "{} ms", attempt.ms);
        let step = world.step("the ack", |step| step.verdict.as_deref() == Some("ack_failed")).await;
        assert!(step.reason.unwrap().contains("2000 ms"));
    });
}

#[test]
fn a_command_whose_ack_hangs_is_answered_with_an_apology_and_starts_no_job() {
    in_world(Setup::drill(), async |world| {
        let typed = world.deliver(DeliveryRequest::command(json!({ "command": "/hang" }))).await.remove(0);
        let attempt = &typed.attempts[0];
        assert_eq!(attempt.status, Some(200));
        assert!(attempt.ms < 3_000, "{} ms", attempt.ms);
        let answer: Value = serde_json::from_str(&attempt.answer).unwrap();
        assert_eq!(answer["response_type"], "ephemeral");
        assert!(answer["text"].as_str().unwrap().contains("nothing was done"), "{answer}");
        world.step("the ack", |step| step.verdict.as_deref() == Some("ack_failed")).await;
        assert!(world.stack.aws.calls().snapshot().is_empty(), "nothing is queued");
        assert_eq!(world.stack.interactions.stats().invocations, 0);
    });
}
