//! The arguments and the token of a call, as they come: in the query, in a form, in JSON.
//! Source: <https://docs.slack.dev/apis/web-api/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::error::ApiError;
use crate::published::fields;

/// The arguments of a call.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) fields: Map<String, Value>,
    /// Who calls; none where a method needs no token.
    pub(super) caller: Option<Caller>,
    /// The token they call with.
    pub(super) token: String,
    /// `client_id` and `client_secret` from the header, where a method takes them.
    pub(super) client: Option<(String, String)>,
    /// What the simulated Slack has to say about the call to the one who looks at it.
    pub(crate) remarks: Vec<String>,
}

impl Args {
    pub(super) fn of(fields: Map<String, Value>) -> Self {
        Self { fields, ..Self::default() }
    }

    /// Who calls.
    ///
    /// # Errors
    /// Where nobody proved who they are.
    pub(super) fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or_else(|| "not_authed".into())
    }

    /// A text argument, empty if absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null() && *value != json!(""))
    }

    /// A switch, as JSON or as a form writes it.
    pub(super) fn is(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| [json!(true), json!("true"), json!("1"), json!(1)].contains(value))
    }

    /// A text or a number as text, empty if absent.
    pub(super) fn word(&self, name: &str) -> String {
        match self.fields.get(name) {
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// Refuses a call that lacks one of `names`.
    pub(super) fn require(&self, names: &[&str]) -> Result<(), ApiError> {
        let missing: Vec<String> = names
            .iter()
            .filter(|name| !self.has(name))
            .map(|name| format!("[ERROR] missing required field: {name}"))
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(ApiError::with_messages("invalid_arguments", missing)) }
    }

    /// A structured argument that came as text becomes JSON.
    pub(super) fn parse_json(&mut self, name: &str, error: &'static str) -> Result<(), ApiError> {
        if let Some(value @ Value::String(_)) = self.fields.get_mut(name) {
            let text = value.as_str().unwrap_or_default();
            *value = if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(text).map_err(|_| ApiError::named(error))?
            };
        }
        Ok(())
    }

    pub(super) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }
}

/// Reads the arguments of a body; second, a warning Slack gives about it.
pub(super) fn read(headers: &HeaderMap, query: &str, body: &[u8]) -> Result<(Args, Option<&'static str>), ApiError> {
    let Value::Object(mut args) = fields(query.as_bytes()) else {
        return Err("invalid_arguments".into());
    };
    if body.is_empty() {
        return Ok((Args::of(args), None));
    }
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let charset = content_type.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset="));
    let mut warning = None;
    match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            let given: Value = serde_json::from_slice(body).map_err(|_| ApiError::named("invalid_json"))?;
            let Value::Object(given) = given else {
                return Err("json_not_object".into());
            };
            args.extend(given);
            match charset.map(|charset| charset.trim_matches('"').to_ascii_lowercase()).as_deref() {
                None => warning = Some("missing_charset"),
                Some("utf-8" | "iso-8859-1") => {}
                Some(_) => return Err("invalid_charset".into()),
            }
        }
        "application/x-www-form-urlencoded" => {
            if let Value::Object(given) = fields(body) {
                args.extend(given);
            }
            warning = charset.map(|_| "superfluous_charset");
        }
        "" => return Err("missing_post_type".into()),
        _ => return Err("invalid_post_type".into()),
    }
    let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !args.keys().all(is_name) {
        return Err("invalid_arg_name".into());
    }
    Ok((Args::of(args), warning))
}

/// What an app proves itself with instead of a token, from the header.
pub(super) fn take_client(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Each half is written as in a form, so that either may hold a colon.
    let plain = |half: &str| {
        let pair = format!("v={half}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    Some((plain(id), plain(secret)))
}

/// The token of a call: from the header, else from the arguments.
pub(super) fn take_token(headers: &HeaderMap, args: &mut Args) -> Option<String> {
    let argument = args.fields.remove("token");
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
    bearer.or_else(|| argument.and_then(|token| token.as_str().map(str::to_owned)))
}
