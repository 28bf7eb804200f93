//! Incoming webhooks: a POST to the URL an install was given posts into the one channel it is for, without a token.
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::args::Args;
use super::response_url::content;
use super::{chat, fault_answer, respond};
use crate::install::AppUser;
use crate::mask::mask;
use crate::messages;
use crate::simulator::Simulator;
use crate::state::{Call, State};

/// The name of these calls in the history and in faults.
const METHOD: &str = "incoming_webhook";

/// Answers one call of the webhook with this path below the simulated Slack's address.
pub(crate) async fn serve(simulator: &Simulator, path: &str, headers: &HeaderMap, body: &Bytes) -> Response<String> {
    let started = Instant::now();
    let fault = simulator.change(|state| state.strike(METHOD));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_ms) {
        tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
    }
    simulator.change(|state| {
        let given = content(headers, body);
        let remembered = given.as_ref().map(|given| mask(&Value::Object(given.clone()))).unwrap_or_default();
        let url = format!("{}{path}", state.config.base_url);
        let place = state.installs.of_webhook(&url).and_then(|install| {
            let channel = install.webhook.as_ref()?.channel.clone();
            let team = state.workspace.channel(&channel)?.team.clone();
            let team = state.workspace.team(&team)?;
            Some((channel, AppUser::new(&state.config, &state.workspace, &install.target, team)))
        });
        let team = place.as_ref().map(|(_, app)| app.team.id.clone()).unwrap_or_default();
        let struck = fault.as_ref().and_then(fault_answer);
        let mut ts = None;
        let answer = struck.unwrap_or_else(|| match post(state, place, given) {
            Ok(written) => {
                ts = Some(written);
                (StatusCode::OK, json!("ok"))
            }
            Err((status, error)) => (status, json!(error)),
        });
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
            warnings: Vec::new(),
            ts,
            bytes: body.len() + answer.1.to_string().len(),
        };
        let retry_after = fault.as_ref().and_then(|fault| fault.retry_after);
        // Bare words, as Slack's own hooks answer.
        let words = answer.1.as_str().map(str::to_owned);
        let mut response = respond(&call.id, answer, retry_after, &[], "");
        if let Some(words) = words {
            *response.body_mut() = words;
            response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/html"));
        }
        state.remember_call(call);
        response
    })
}

fn post(
    state: &mut State,
    place: Option<(String, AppUser)>,
    content: Option<Map<String, Value>>,
) -> Result<String, (StatusCode, String)> {
    let (channel, app) = place.ok_or_else(|| (StatusCode::NOT_FOUND, "no_service".to_owned()))?;
    let bad = |name: String| (StatusCode::BAD_REQUEST, name);
    let mut args = Args::of(content.ok_or_else(|| bad("invalid_payload".to_owned()))?);
    chat::check_content(&mut args).map_err(|error| bad(error.name))?;
    let message = messages::app_message(state, &app, &args.fields);
    let message = messages::post(state, &channel, message, None);
    Ok(message["ts"].as_str().unwrap_or_default().to_owned())
}
