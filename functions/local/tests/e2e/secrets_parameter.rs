//! The signing secret out of SSM, as the ingress has it: read once, read again when a signature does not hold, and no more than that.

use crate::door::{Answer, Post};
use crate::message::{message_event, now_ms};
use crate::world::{SIGNING_SECRET, Setup, World, in_world};
use secrecy::SecretString;
use serde_json::{Value, json};
use tack_local_aws::{Effect, Fault};

const PARAMETER: &str = "/tack/test/secrets";
const JSON: &str = "application/json";
const NEXT: &str = "the-signing-secret-after-it";

/// The starter without a plain signing secret.
fn setup(kept: Option<Value>) -> Setup {
    Setup {
        signing_secret: "",
        variables: [("SLACK_SECRETS_PARAMETER".to_owned(), PARAMETER.to_owned())].into(),
        parameters: kept.map(|kept| (PARAMETER, kept)).into_iter().collect(),
        ..Setup::drill()
    }
}

async fn answer(world: &World, secret: &str, event_id: &str) -> u16 {
    let body = message_event(event_id, "nobody listens to this").to_string();
    let Answer { status, .. } = Post::signed_at(now_ms() / 1000, secret, JSON, body).to(world.door).await;
    status
}

/// How often the ingress asked for the parameter.
fn reads(world: &World) -> usize {
    let calls = world.stack.aws.calls().snapshot();
    let is_read = |call: &&tack_local_aws::Call| {
        call.caller.as_deref() == Some("ingress")
            && (call.service.as_str(), call.action.as_str()) == ("ssm", "GetParameter")
    };
    calls.iter().filter(is_read).count()
}

fn put(world: &World, secrets: &str) {
    let kept = json!({ "SLACK_SIGNING_SECRET": secrets }).to_string();
    world.stack.aws.ssm().put(PARAMETER, SecretString::from(kept)).unwrap();
}

#[test]
fn a_rotated_signing_secret_heals_with_the_next_request_and_false_signatures_cause_one_read_a_minute() {
    let kept = json!({ "SLACK_SIGNING_SECRET": SIGNING_SECRET });
    in_world(setup(Some(kept)), async |world| {
        assert_eq!(answer(world, SIGNING_SECRET, "Ev0PARAM001").await, 200);
        assert_eq!(answer(world, SIGNING_SECRET, "Ev0PARAM002").await, 200);
        let pids = world.stack.ingress.pids();
        assert_eq!((reads(world), pids.len()), (1, 1), "at the start, and no more");

        put(world, NEXT);
        assert_eq!(answer(world, NEXT, "Ev0PARAM003").await, 200, "the first request after it");
        assert_eq!(reads(world), 2);
        for number in 0..5 {
            assert_eq!(answer(world, "of-somebody-else", &format!("Ev0FALSE00{number}")).await, 401);
        }
        assert_eq!(answer(world, SIGNING_SECRET, "Ev0PARAM004").await, 401, "the one before is over");
        assert_eq!(answer(world, NEXT, "Ev0PARAM005").await, 200);
        assert_eq!((reads(world), world.stack.ingress.pids()), (2, pids), "within a minute, in the same process");
        let healed = world.step("a healed request", |step| step.reread.as_deref() == Some("healed")).await;
        assert_eq!(healed.status, Some(200));
    });
}

#[test]
fn two_signing_secrets_hold_at_once() {
    let kept = json!({ "SLACK_SIGNING_SECRET": format!("{SIGNING_SECRET},{NEXT}") });
    in_world(setup(Some(kept)), async |world| {
        assert_eq!(answer(world, SIGNING_SECRET, "Ev0BOTH0001").await, 200);
        assert_eq!(answer(world, NEXT, "Ev0BOTH0002").await, 200);
        assert_eq!(reads(world), 1);
        assert_eq!(answer(world, "of-somebody-else", "Ev0BOTH0003").await, 401);
        assert_eq!(answer(world, "of-somebody-else", "Ev0BOTH0004").await, 401);
        assert_eq!(reads(world), 2);
    });
}

/// What the ingress said instead of starting.
async fn refusal(world: &World) -> String {
    assert_eq!(answer(world, SIGNING_SECRET, "Ev0NOSTART1").await, 500);
    let said = || {
        let lines: Vec<_> = world.lines().into_iter().map(|line| line.line).collect();
        let text = lines.join("\n");
        text.contains("cannot start").then_some(text).filter(|text| text.contains(PARAMETER))
    };
    world.wait_for("a reason", said).await
}

#[test]
fn a_parameter_that_is_missing_or_not_allowed_is_named_with_what_to_do() {
    in_world(setup(None), async |world| {
        let said = refusal(world).await;
        assert!(said.contains("SLACK_SECRETS_PARAMETER") && said.contains("none of this name"), "{said}");
    });
    in_world(setup(Some(json!({ "SLACK_SIGNING_SECRET": SIGNING_SECRET }))), async |world| {
        world.stack.aws.faults().add(Fault {
            service: "ssm".to_owned(),
            action: "GetParameter".to_owned(),
            resource: Some(PARAMETER.to_owned()),
            caller: Some("ingress".to_owned()),
            contains: None,
            effect: Effect::Error { status: 400, code: "AccessDeniedException".to_owned() },
            times: None,
        });
        let said = refusal(world).await;
        assert!(said.contains("ssm:GetParameter") && said.contains("kms:Decrypt"), "{said}");
        assert!(!said.contains(SIGNING_SECRET));
    });
}
