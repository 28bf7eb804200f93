//! `response_url`s: at most five messages in thirty minutes, without a token.
//! Invariant: a use that is refused for its content counts too, as the URL cannot be had again anyway.
//! Source: <https://docs.slack.dev/interactivity/handling-user-interaction/#message_responses>

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::Instant;

use super::args::{self, Args};
use super::limits::Verdict;
use super::{chat, fault_answer, respond};
use crate::mask::mask;
use crate::messages;
use crate::simulator::Simulator;
use crate::state::{Call, State};

/// The name of these calls in the history and in faults.
const METHOD: &str = "response_url";

/// Answers one call of a `response_url`.
pub(crate) async fn serve(simulator: &Simulator, id: &str, headers: &HeaderMap, body: &Bytes) -> Response<String> {
    let started = Instant::now();
    let fault = simulator.change(|state| state.strike(METHOD));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_ms) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    simulator.change(|state| {
        let args = content(headers, body);
        let remembered = args.as_ref().map(|args| mask(&Value::Object(args.clone()))).unwrap_or_default();
        let struck = fault.as_ref().and_then(fault_answer);
        let (mut warnings, mut ts) = (Vec::new(), None);
        let answer = struck.unwrap_or_else(|| match use_url(state, id, args, &mut warnings) {
            Ok(written) => {
                ts = written;
                (StatusCode::OK, json!("ok"))
            }
            Err((status, error)) => (status, json!({"ok": false, "error": error})),
        });
        let team = state.team_of_response_url(id);
        let call = Call {
            id: crate::mint::opaque(),
            at_ms: state.now_ms(),
            method: METHOD.to_owned(),
            args: remembered,
            token: None,
            team,
            status: answer.0.as_u16(),
            answer: answer.1.clone(),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            fault: fault.is_some(),
            warnings,
            ts,
            bytes: body.len() + answer.1.to_string().len(),
        };
        let is_ok = answer.1 == "ok";
        let retry_after = fault.as_ref().and_then(|fault| fault.retry_after);
        let mut response = respond(&call.id, answer, retry_after, &[], "");
        if is_ok {
            // Two bare letters, as Slack's own hooks answer.
            *response.body_mut() = "ok".to_owned();
            response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/html"));
        }
        state.remember_call(call);
        response
    })
}

/// The message in the body: JSON, or a form with `payload`. None if it is neither.
pub(super) fn content(headers: &HeaderMap, body: &[u8]) -> Option<Map<String, Value>> {
    if let Ok(Value::Object(content)) = serde_json::from_slice(body) {
        return Some(content);
    }
    let (mut args, _) = args::read(headers, "", body).ok()?;
    args.parse_json("payload", "invalid_payload").ok()?;
    match args.fields.remove("payload") {
        Some(Value::Object(content)) => Some(content),
        _ => None,
    }
}

/// Writes, changes or deletes; answers with the stamp of the message that is there then.
fn use_url(
    state: &mut State,
    id: &str,
    content: Option<Map<String, Value>>,
    warnings: &mut Vec<String>,
) -> Result<Option<String>, (StatusCode, String)> {
    let (channel, user, origin) =
        state.use_response_url(id).map_err(|name| (StatusCode::NOT_FOUND, name.to_owned()))?;
    if state.workspace.person(&user).is_some() && state.app_before(&user, &channel).is_none() {
        // It went with the install.
        return Err((StatusCode::NOT_FOUND, "no_such_url".to_owned()));
    }
    let bad = |name: &str| (StatusCode::BAD_REQUEST, name.to_owned());
    let content = content.ok_or_else(|| bad("invalid_payload"))?;
    let is = |name: &str| content.get(name).is_some_and(|value| *value == json!(true) || *value == json!("true"));
    if is("delete_original") {
        let origin = origin.ok_or_else(|| bad("message_not_found"))?;
        return messages::delete(state, &channel, &origin).map(|()| None).ok_or_else(|| bad("message_not_found"));
    }
    let (is_replacing, is_for_all) =
        (is("replace_original"), content.get("response_type") == Some(&json!("in_channel")));
    let mut args = Args::of(content);
    chat::check_content(&mut args).map_err(|error| (StatusCode::BAD_REQUEST, error.name))?;
    if let Some(origin) = origin.filter(|_| is_replacing) {
        let writer = state.app_before_or_first(&user, &channel).id;
        return messages::update(state, &writer, &channel, &origin, &args.fields)
            .map(|_| Some(origin))
            .ok_or_else(|| bad("message_not_found"));
    }
    let mode = state.config.rate_limits;
    match state.meter.post(mode, &channel) {
        Verdict::Within => {}
        Verdict::Above(remark) => warnings.push(remark),
        Verdict::Refused(_) => return Err((StatusCode::TOO_MANY_REQUESTS, "rate_limited".to_owned())),
    }
    let app = state.app_before_or_first(&user, &channel);
    let message = messages::app_message(state, &app, &args.fields);
    let ts = message["ts"].as_str().map(str::to_owned);
    messages::post(state, &channel, message, (!is_for_all).then_some(user.as_str()));
    Ok(ts)
}
