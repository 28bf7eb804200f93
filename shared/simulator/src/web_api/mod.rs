//! The Web API: arguments, tokens, scopes, faults, and which method is answered by whom. Every call is remembered.
//! Invariant: an error is HTTP 200 with Slack's name for it; only a fault answers another status.
//! Source: <https://docs.slack.dev/apis/web-api/>

mod chat;
mod info;
mod response_url;
mod view;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::Instant;

use crate::config::Config;
use crate::faults::WebApiFault;
use crate::mask::{mask, mask_text};
use crate::published::fields;
use crate::simulator::Simulator;
use crate::state::{Call, State};

/// The arguments of a call.
pub(crate) struct Args(pub(crate) Map<String, Value>);

impl Args {
    /// A text argument, empty if absent.
    fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null() && *value != json!(""))
    }

    /// Refuses a call that lacks one of `names`.
    fn require(&self, names: &[&str]) -> Result<(), ApiError> {
        let missing: Vec<String> = names
            .iter()
            .filter(|name| !self.has(name))
            .map(|name| format!("[ERROR] missing required field: {name}"))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(ApiError::with_messages("invalid_arguments", missing)) }
    }

    /// A structured argument that came as text becomes JSON.
    fn parse_json(&mut self, name: &str, error: &'static str) -> Result<(), ApiError> {
        if let Some(value @ Value::String(_)) = self.0.get_mut(name) {
            let text = value.as_str().unwrap_or_default();
            *value = if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(text).map_err(|_| ApiError::named(error))?
            };
        }
        Ok(())
    }
}

/// An error by Slack's name.
#[derive(Debug)]
pub(crate) struct ApiError {
    name: String,
    messages: Vec<String>,
    more: Map<String, Value>,
}

impl ApiError {
    fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), messages: Vec::new(), more: Map::new() }
    }

    fn with_messages(name: impl Into<String>, messages: Vec<String>) -> Self {
        Self { messages, ..Self::named(name) }
    }

    fn missing_scope(needed: &str, config: &Config) -> Self {
        let more = Map::from_iter([
            ("needed".to_owned(), json!(needed)),
            ("provided".to_owned(), json!(config.scopes.join(","))),
        ]);
        Self { more, ..Self::named("missing_scope") }
    }

    fn into_json(self) -> Value {
        let mut answer = self.more;
        answer.insert("ok".to_owned(), json!(false));
        answer.insert("error".to_owned(), json!(self.name));
        if !self.messages.is_empty() {
            if self.name == "invalid_blocks" {
                let errors: Vec<_> =
                    self.messages.iter().map(|message| message.trim_start_matches("[ERROR] ")).collect();
                answer.insert("errors".to_owned(), json!(errors));
            }
            answer.insert("response_metadata".to_owned(), json!({"messages": self.messages}));
        }
        Value::Object(answer)
    }
}

impl From<&'static str> for ApiError {
    fn from(name: &'static str) -> Self {
        Self::named(name)
    }
}

type Answer = Result<Value, ApiError>;

/// The bot scope a method needs, if any. Where it depends on the channel, the method asks itself.
fn scope_of(method: &str) -> Option<&'static str> {
    match method {
        "chat.postMessage" | "chat.update" | "chat.delete" | "chat.postEphemeral" => Some("chat:write"),
        "users.info" => Some("users:read"),
        _ => None,
    }
}

/// What answers a method.
type Method = fn(&mut State, &mut Args) -> Answer;

/// The methods this Slack answers.
fn method_of(name: &str) -> Option<Method> {
    Some(match name {
        "api.test" => |_, args| info::api_test(args),
        "auth.test" => |state, _| Ok(info::auth_test(state)),
        "users.info" => |state, args| info::users_info(state, args),
        "conversations.info" => |state, args| info::conversations_info(state, args),
        "chat.postMessage" => chat::post_message,
        "chat.postEphemeral" => chat::post_ephemeral,
        "chat.update" => chat::update,
        "chat.delete" => |state, args| chat::delete(state, args),
        "views.open" => view::open,
        "views.push" => view::push,
        "views.update" => view::update,
        "views.publish" => view::publish,
        _ => return None,
    })
}

/// Reads the arguments of a body; second, a warning Slack gives about it.
fn read_args(headers: &HeaderMap, query: &str, body: &[u8]) -> Result<(Args, Option<&'static str>), ApiError> {
    let Value::Object(mut args) = fields(query.as_bytes()) else {
        return Err("invalid_arguments".into());
    };
    if body.is_empty() {
        return Ok((Args(args), None));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut warning = None;
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            let given: Value = serde_json::from_slice(body).map_err(|_| ApiError::named("invalid_json"))?;
            let Value::Object(given) = given else {
                return Err("json_not_object".into());
            };
            args.extend(given);
            if !content_type.contains("charset") {
                warning = Some("missing_charset");
            }
        }
        "application/x-www-form-urlencoded" => {
            if let Value::Object(given) = fields(body) {
                args.extend(given);
            }
        }
        "" => return Err("missing_post_type".into()),
        _ => return Err("invalid_post_type".into()),
    }
    Ok((Args(args), warning))
}

/// The token of a call: from the header, else from the arguments.
fn take_token(headers: &HeaderMap, args: &mut Args) -> Option<String> {
    let argument = args.0.remove("token");
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
    bearer.or_else(|| argument.and_then(|token| token.as_str().map(str::to_owned)))
}

fn authorize(state: &State, method: &str, token: Option<&str>) -> Result<(), ApiError> {
    if method == "api.test" {
        return Ok(());
    }
    match token {
        None | Some("") => Err("not_authed".into()),
        Some(token) if token != state.config.bot_token => Err("invalid_auth".into()),
        Some(_) if state.is_token_revoked => Err("token_revoked".into()),
        Some(_) => match scope_of(method) {
            Some(scope) if !state.config.scopes.iter().any(|granted| granted == scope) => {
                Err(ApiError::missing_scope(scope, &state.config))
            }
            _ => Ok(()),
        },
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
    let fault = simulator.change(|state| state.faults.strike(method));
    if let Some(delay) = fault.as_ref().and_then(|fault| fault.delay_ms) {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let (read, warning) = match read_args(headers, query, body) {
        Ok((args, warning)) => (Ok(args), warning),
        Err(error) => (Err(error), None),
    };
    simulator.change(|state| {
        let mut token = None;
        let mut remembered = Value::Null;
        let answer = match read {
            Ok(mut args) => {
                token = take_token(headers, &mut args);
                remembered = mask(&Value::Object(args.0.clone()));
                match fault.as_ref().and_then(fault_answer) {
                    Some(struck) => struck,
                    None => (StatusCode::OK, answer(state, method, token.as_deref(), &mut args, warning)),
                }
            }
            Err(error) => (StatusCode::OK, error.into_json()),
        };
        let retry_after = fault.as_ref().and_then(|fault| fault.retry_after);
        let is_ours = token.as_deref() == Some(state.config.bot_token.as_str());
        let call = Call {
            id: crate::mint::opaque(),
            at_ms: state.now_ms(),
            method: method.to_owned(),
            args: remembered,
            token: token.as_deref().map(mask_text),
            team: if is_ours { state.config.team.id.clone() } else { String::new() },
            status: answer.0.as_u16(),
            answer: mask(&answer.1),
            ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            fault: fault.is_some(),
        };
        let response = respond(&call.id, answer, retry_after, &state.config);
        state.remember_call(call);
        response
    })
}

fn answer(state: &mut State, method: &str, token: Option<&str>, args: &mut Args, warning: Option<&str>) -> Value {
    let Some(call) = method_of(method) else {
        return json!({"ok": false, "error": "unknown_method", "req_method": method});
    };
    let answer = authorize(state, method, token).and_then(|()| call(state, args));
    let mut answer = answer.unwrap_or_else(ApiError::into_json);
    if let Some(warning) = warning {
        add_warning(&mut answer, warning);
    }
    answer
}

/// Adds a warning where Slack puts them.
fn add_warning(answer: &mut Value, warning: &str) {
    let mut warnings = answer["response_metadata"]["warnings"].as_array().cloned().unwrap_or_default();
    warnings.push(json!(warning));
    let all: Vec<_> = warnings.iter().filter_map(Value::as_str).collect();
    answer["warning"] = json!(all.join(","));
    answer["response_metadata"]["warnings"] = Value::Array(warnings);
}

fn respond(id: &str, answer: (StatusCode, Value), retry_after: Option<u64>, config: &Config) -> Response<String> {
    let mut response = Response::new(answer.1.to_string());
    *response.status_mut() = answer.0;
    let mut headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("x-slack-req-id", id.to_owned()),
        ("x-oauth-scopes", config.scopes.join(",")),
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

pub(crate) use response_url::serve as serve_response_url;
