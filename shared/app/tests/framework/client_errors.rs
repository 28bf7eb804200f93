//! Slack's errors and what they make of a job. No error text holds a token, an address or a body.
//! Sources: <https://docs.slack.dev/apis/web-api/rate-limits>, <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/reference/methods/views.open>

use crate::slack::{Answer, Slack, locally};
use crate::world::{TOKEN, World, assert_seconds};
use serde_json::{Value, json};
use std::time::Duration;
use tack_app::{ClientError, Disposition, Limits, ListenerError};

const TEXT: &str = "what-only-the-channel-may-see";

/// How one call ended: state and reason of the job's record, and how long its message stays away.
struct Ended {
    state: String,
    why: String,
    away: Option<Duration>,
    code: String,
}

async fn call(answer: Answer) -> Ended {
    call_with(answer, json!({ "channel": "C1", "text": TEXT }), Limits::default()).await
}

async fn call_with(answer: Answer, arguments: Value, limits: Limits) -> Ended {
    locally(async {
        let slack = Slack::start([answer]).await;
        ended(World { slack_api_url: slack.url.clone(), limits, ..World::new() }, arguments).await
    })
    .await
}

async fn ended(world: World, arguments: Value) -> Ended {
    let worker = world.worker(|app| {
        app.message("").lazy("job", async move |context, _| {
            let result = context.client().call("chat.postMessage", &arguments).await;
            context.resources().push(result.as_ref().map_or_else(|error| error.code().to_owned(), |_| "ok".to_owned()));
            result?;
            Ok(())
        });
    });
    let work = world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    let away = world.waiting().first().and_then(|waiting| waiting.postponed);
    let ended = Ended {
        state: world.state(&work, "job"),
        why: world.why(&work, "job"),
        away,
        code: world.log.take().remove(0),
    };
    for secret in [TOKEN, "127.0.0.1", "http:", TEXT] {
        assert!(!ended.why.contains(secret), "{:?} holds {secret:?}", ended.why);
    }
    ended
}

fn slack_error(code: &str) -> Answer {
    Answer::json(&json!({ "ok": false, "error": code }).to_string())
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_slack_says_and_not_all_at_once_behind_it() {
    for (header, seconds) in [("retry-after: 30", 30.0), ("Retry-After: 1", 1.0), ("retry-after: 0", 0.0)] {
        let ended = call(Answer::rate_limited(header)).await;
        assert_eq!((ended.state.as_str(), ended.code.as_str()), ("I1", "ratelimited"), "{header}");
        assert_seconds(ended.away.expect("postponed"), seconds, seconds + 1.0);
    }
}

#[tokio::test]
async fn a_rate_limit_without_a_time_is_waited_for_a_second() {
    for header in ["x-nothing: 1", "retry-after: soon", "retry-after: -5", "retry-after:"] {
        let ended = call(Answer::rate_limited(header)).await;
        assert_seconds(ended.away.expect("postponed"), 1.0, 2.0);
        assert_eq!(ended.state, "I1", "{header}");
    }
}

#[tokio::test]
async fn a_rate_limit_beyond_all_reason_breaks_nothing() {
    for header in ["retry-after: 18446744073709551615", "retry-after: 99999999999999999999999"] {
        let ended = call(Answer::rate_limited(header)).await;
        assert_eq!(ended.state, "I1", "{header}");
        assert!(ended.away.expect("postponed") <= Duration::from_secs(12 * 3600), "{header}");
    }
}

#[tokio::test]
async fn a_rate_limit_may_come_with_status_200() {
    let body = r#"{"ok":false,"error":"ratelimited"}"#.to_owned();
    let ended = call(Answer::Http("200 OK", "retry-after: 20", body)).await;
    assert_seconds(ended.away.expect("postponed"), 20.0, 21.0);
}

#[tokio::test]
async fn what_may_go_away_by_itself_is_retried() {
    for (answer, code) in [
        (Answer::status("500 Internal Server Error"), "http_status"),
        (Answer::status("502 Bad Gateway"), "http_status"),
        (Answer::status("503 Service Unavailable"), "http_status"),
        (Answer::status("408 Request Timeout"), "http_status"),
        (Answer::status("200 OK"), "not_json"),
        (Answer::json(""), "not_json"),
        (Answer::json(r#"{"ok":tr"#), "not_json"),
        (Answer::json(r#"{"ts":"1"}"#), "not_json"),
        (Answer::json(r#"{"ok":"true"}"#), "not_json"),
        (Answer::json("[true]"), "not_json"),
        (Answer::BreakOff, "transport"),
        (slack_error("internal_error"), "internal_error"),
        (slack_error("fatal_error"), "fatal_error"),
        (slack_error("service_unavailable"), "service_unavailable"),
        (slack_error("request_timeout"), "request_timeout"),
        (slack_error("team_added_to_org"), "team_added_to_org"),
        (slack_error("org_login_required"), "org_login_required"),
        // Also for a call from an address that the app's own list does not allow.
        (slack_error("invalid_auth"), "invalid_auth"),
    ] {
        let case = format!("{answer:?}");
        let ended = call(answer).await;
        assert_eq!((ended.state.as_str(), ended.code.as_str()), ("I1", code), "{case}");
        assert_seconds(ended.away.expect("postponed"), 5.0, 10.0);
    }
}

#[tokio::test]
async fn what_nobody_needs_to_mend_is_discarded_with_slacks_word() {
    for code in [
        "expired_trigger_id",
        "exchanged_trigger_id",
        "trigger_expired",
        "trigger_exchanged",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "is_archived",
        "channel_not_found",
        "message_not_found",
        "hash_conflict",
        "team_access_not_granted",
    ] {
        let ended = call(slack_error(code)).await;
        assert_eq!(ended.state, "C1", "{code}");
        assert!(ended.why.contains(code) && ended.why.contains("chat.postMessage"), "{}", ended.why);
    }
}

// Somebody closed the modal while it was being updated, which no deployment mends.
#[test]
fn a_view_that_is_gone_is_discarded_and_anything_else_that_is_not_found_is_not() {
    let disposition = |method: &str| {
        ClientError::Slack { method: method.to_owned(), code: "not_found".to_owned(), detail: None }.disposition()
    };
    assert!(matches!(disposition("views.update"), Disposition::Discard { .. }));
    assert!(matches!(disposition("workflows.stepCompleted"), Disposition::Park { .. }));
}

#[tokio::test]
async fn what_the_app_did_wrong_is_for_a_person() {
    for (answer, named) in [
        (slack_error("invalid_blocks"), "invalid_blocks"),
        (slack_error("no_text"), "no_text"),
        (slack_error("not_in_channel"), "not_in_channel"),
        (slack_error("an_error_of_tomorrow"), "an_error_of_tomorrow"),
        (Answer::json(r#"{"ok":false}"#), "unknown_error"),
        (Answer::json(r#"{"ok":false,"error":"missing_scope","needed":"chat:write"}"#), "chat:write"),
        (
            Answer::json(
                r#"{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] missing required field: channel"]}}"#,
            ),
            "missing required field: channel",
        ),
        (Answer::status("400 Bad Request"), "400"),
        (Answer::status("403 Forbidden"), "403"),
        (Answer::status("302 Found"), "302"),
    ] {
        let case = format!("{answer:?}");
        let ended = call(answer).await;
        assert_eq!(ended.state, "P1", "{case}");
        assert!(ended.why.contains(named), "{case}: {}", ended.why);
    }
}

#[tokio::test]
async fn a_slack_that_does_not_answer_in_time_is_retried() {
    let limits = Limits { client_call_ms: 100, ..Limits::default() };
    let ended = call_with(Answer::Silence, json!({}), limits).await;
    assert_eq!((ended.state.as_str(), ended.code.as_str()), ("I1", "timeout"));
}

#[tokio::test]
async fn a_slack_that_is_not_there_is_retried() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", gone.local_addr().expect("an address"));
    drop(gone);
    let ended = ended(World { slack_api_url: url, ..World::new() }, json!({})).await;
    assert_eq!((ended.state.as_str(), ended.code.as_str()), ("I1", "transport"));
}

#[tokio::test]
async fn arguments_that_cannot_be_sent_are_for_a_person_and_are_not_repeated() {
    for arguments in [json!(TEXT), json!([TEXT]), json!(7)] {
        let ended = call_with(Answer::json(r#"{"ok":true}"#), arguments.clone(), Limits::default()).await;
        assert_eq!((ended.state.as_str(), ended.code.as_str()), ("P1", "arguments"), "{arguments}");
    }
}

#[test]
fn a_question_mark_keeps_what_slack_said() {
    fn listener() -> Result<(), ListenerError> {
        Err(ClientError::RateLimited { method: "chat.postMessage".to_owned(), retry_after: Duration::from_secs(7) })?
    }
    let error = listener().expect_err("an error");
    assert!(
        matches!(&error, ListenerError::Slack(ClientError::RateLimited { retry_after, .. }) if retry_after.as_secs() == 7)
    );
}
