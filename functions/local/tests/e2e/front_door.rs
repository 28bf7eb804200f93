//! What the door answers, request by request.

use crate::door::{Answer, Post};
use crate::message::{message_event, now_ms};
use crate::world::{SIGNING_SECRET, Setup, in_world};
use serde_json::json;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.to_owned() }
}

#[test]
fn a_signed_challenge_is_answered_with_itself() {
    in_world(Setup::starter(), async |world| {
        let body = json!({ "type": "url_verification", "token": "t", "challenge": "3eZbrw1aBm2rZgRNFdxV" }).to_string();
        let answered = Post::signed(JSON, body).to(world.door).await;
        assert_eq!(answered, answer(200, r#"{"challenge":"3eZbrw1aBm2rZgRNFdxV"}"#));
    });
}

#[test]
fn whatever_slack_signed_is_answered_200_even_if_nobody_knows_it() {
    in_world(Setup::starter(), async |world| {
        let unknown = include_str!("../../../../events/slack/event/unknown-type.json");
        let interaction = "payload=%7B%22type%22%3A%22from_the_future%22%7D";
        for (content_type, body) in [
            (JSON, unknown),
            (JSON, include_str!("../../../../events/slack/event/app_rate_limited.json")),
            (JSON, "this is no JSON"),
            (JSON, ""),
            (FORM, interaction),
            (FORM, "payload=%7Bnot+json"),
            (FORM, "command=%2Fnobody&text=listens"),
        ] {
            assert_eq!(Post::signed(content_type, body).to(world.door).await, answer(200, ""), "{body}");
        }
        assert!(world.stack.aws.calls().snapshot().is_empty(), "and nothing is queued");
    });
}

#[test]
fn what_slack_did_not_sign_is_refused() {
    in_world(Setup::starter(), async |world| {
        let body = message_event("Ev0FORGED01", "hi").to_string();
        let now = now_ms() / 1000;
        let signed = Post::signed(JSON, body.clone());
        let at = |seconds| Post::signed_at(seconds, SIGNING_SECRET, JSON, body.clone());
        for (what, post, status) in [
            ("the signature of another body", signed.clone().with_body(body.replace("hi", "ho")), 401),
            ("another secret", Post::signed_at(now, "another-secret", JSON, body.clone()), 401),
            ("a signature of ten minutes ago", at(now - 600), 401),
            ("a signature of in ten minutes", at(now + 600), 401),
            ("no signature", Post::unsigned(JSON, body.clone()), 401),
            (
                "a signature without a timestamp",
                Post::unsigned(JSON, body.clone()).header("x-slack-signature", "v0=00"),
                401,
            ),
            ("two signatures", signed.header("x-slack-signature", "v0=00"), 401),
            ("more than a megabyte", Post::signed(JSON, "x".repeat(1024 * 1024 + 1)), 413),
        ] {
            assert_eq!(post.to(world.door).await, answer(status, ""), "{what}");
        }
        assert!(world.stack.aws.calls().snapshot().is_empty(), "and nothing is queued");
    });
}

#[test]
fn unsigned_a_certificate_check_is_answered_and_nothing_else() {
    in_world(Setup::starter(), async |world| {
        for (content_type, body, status) in [
            (FORM, "token=t&ssl_check=1", 200),
            (FORM, "ssl_check=1&command=%2Forder&text=3&trigger_id=1.2.3&team_id=T0ACME001&user_id=U1", 200),
            (FORM, "ssl_check=%31", 200),
            (FORM, "ssl_check=0", 401),
            (FORM, "ssl_check=", 401),
            (FORM, "command=%2Forder&text=ssl_check%3D1", 401),
            (FORM, "", 401),
            (JSON, r#"{"ssl_check":"1"}"#, 401),
            (JSON, "ssl_check=1", 401),
            ("text/plain", "ssl_check=1", 401),
            (JSON, r#"{"type":"url_verification","challenge":"c"}"#, 401),
        ] {
            let answered = Post::unsigned(content_type, body).to(world.door).await;
            assert_eq!(answered, answer(status, ""), "{content_type}: {body}");
        }
        assert!(world.stack.aws.calls().snapshot().is_empty(), "and nothing is queued");
    });
}
