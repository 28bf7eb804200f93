//! The Web API: who calls, faults, limits, and the memory of every call. Which method is answered by whom is in `methods`.
//! Invariant: an error is HTTP 200 with Slack's name for it; only a fault and a limit answer another status.
//! Source: <https://docs.slack.dev/apis/web-api/>

mod args;
mod auth;
mod caller;
mod chat;
mod conversations;
mod error;
mod history;
mod incoming_webhook;
mod limits;
mod methods;
mod oauth;
mod paging;
mod reactions;
mod response_url;
mod users;
mod view;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

use crate::faults::WebApiFault;
use crate::mask::{mask, mask_text};
use crate::simulator::Simulator;
use crate::state::{Call, State};
use args::Args;
use caller::Caller;
use error::{ApiError, add_warning};
use limits::Verdict;
use methods::Method;

pub(crate) use incoming_webhook::serve as serve_incoming_webhook;
pub(crate) use limits::Meter;
pub(crate) use response_url::serve as serve_response_url;

/// Counts the call; a limit that is overstepped refuses it or leaves a remark.
fn measure(state: &mut State, name: &str, method: &Method, args: &mut Args) -> Result<(), ApiError> {
    let mode = state.config.rate_limits;
    let team = args.caller.as_ref().map(|caller| caller.app.team.id.clone()).unwrap_or_default();
    let verdict = method.a_minute.map_or(Verdict::Within, |limit| state.meter.call(mode, &team, name, limit));
    match verdict {
        Verdict::Within => Ok(()),
        Verdict::Above(remark) => {
            args.remark(remark);
            Ok(())
        }
        Verdict::Refused(seconds) => Err(ApiError::limited("ratelimited", seconds)),
    }
}

/// What a fault answers instead of Slack: status and body.
fn fault_answer(fault: &WebApiFault) -> Option<(StatusCode, Value)> {
    let status = fault.status.or(fault.retry_after.map(|_| 429));
    let error = match (&fault.error, status) {
        (Some(error), _) => error.clone(),
        (None, Some(429)) => "ratelimited".to_owned(),
        (None, Some(status)) => format!("http_{status}"),
        (None, None) => return None,
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
    Some((status, json!({"ok": false, "error": error})))
}

/// Answers one call of the Web API.
pub(crate) async fn serve(
    simulator: &Simulator,
    method: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Response<String> {
    let started = Instant::now();
    let fault = simulator.change(|state| state.strike(method));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_ms) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let (read, warning) = match args::read(headers, query, body) {
        Ok((args, warning)) => (Ok(args), warning),
        Err(error) => (Err(error), None),
    };
    simulator.change(|state| {
        let mut token = None;
        let mut remembered = Value::Null;
        let mut remarks = Vec::new();
        let (mut team, mut scopes) = (String::new(), Vec::new());
        let mut retry_after = fault.as_ref().and_then(|fault| fault.retry_after);
        let answer = match read {
            Ok(mut args) => {
                token = args::take_token(headers, &mut args);
                args.token = token.clone().unwrap_or_default();
                args.client = args::take_client(headers);
                remembered = mask(&Value::Object(args.fields.clone()));
                if let Some(caller) = token.as_deref().and_then(|token| Caller::of(state, token, &args)) {
                    team = if caller.app.team.id.is_empty() {
                        caller.app.target.id().to_owned()
                    } else {
                        caller.app.team.id
                    };
                    scopes = caller.scopes;
                }
                match fault.as_ref().and_then(fault_answer) {
                    Some(struck) => struck,
                    None => {
                        let mut answered = answer(state, method, token.as_deref(), &mut args);
                        if let Some(warning) = warning {
                            add_warning(&mut answered.1, warning);
                        }
                        remarks = args.remarks;
                        retry_after = answered.2;
                        (answered.0, answered.1)
                    }
                }
            }
            Err(error) => (StatusCode::OK, error.into_json()),
        };
        let call = Call {
            id: crate::mint::opaque(),
            at_ms: state.now_ms(),
            method: method.to_owned(),
            args: remembered,
            token: token.as_deref().map(mask_text),
            team,
            status: answer.0.as_u16(),
            answer: mask(&answer.1),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            fault: fault.is_some(),
            warnings: remarks,
            ts: ["ts", "message_ts"].iter().find_map(|name| answer.1[*name].as_str().map(str::to_owned)),
            bytes: body.len() + answer.1.to_string().len(),
        };
        let accepted = Method::named(method).map(|method| method.scope.listed()).unwrap_or_default();
        let response = respond(&call.id, answer, retry_after, &scopes, &accepted);
        state.remember_call(call);
        response
    })
}

/// Status, body, and seconds to wait.
fn answer(state: &mut State, name: &str, token: Option<&str>, args: &mut Args) -> (StatusCode, Value, Option<u64>) {
    let Some(method) = Method::named(name) else {
        args.remark(format!("this simulated Slack does not have {name} yet"));
        let answer = json!({"ok": false, "error": "unknown_method", "req_method": name});
        return (StatusCode::OK, answer, None);
    };
    let answer = caller::authorize(state, name, &method, token, args)
        .and_then(|()| measure(state, name, &method, args))
        .and_then(|()| (method.call)(state, args));
    match answer {
        Ok(answer) => (StatusCode::OK, answer, None),
        Err(error) => {
            let retry_after = error.retry_after;
            let status = if retry_after.is_some() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::OK };
            (status, error.into_json(), retry_after)
        }
    }
}

fn respond(
    id: &str,
    answer: (StatusCode, Value),
    retry_after: Option<u64>,
    scopes: &[String],
    accepted: &str,
) -> Response<String> {
    let mut response = Response::new(answer.1.to_string());
    *response.status_mut() = answer.0;
    let mut headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("x-slack-req-id", id.to_owned()),
        ("x-oauth-scopes", scopes.join(",")),
        ("x-accepted-oauth-scopes", accepted.to_owned()),
    ];
    if let Some(seconds) = retry_after {
        headers.push(("retry-after", seconds.to_string()));
    }
    for (name, value) in headers {
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
