//! The three calls that turn something into a token: a code, a refresh token, a long-lived token. One attempt each: the first
//! two are spent by it, whatever becomes of the answer.
//!
//! Invariant: no error holds a code, a token or the client secret. The client id and secret go as HTTP Basic, which Slack
//! prefers, and so are never in a form that something on the way may log.
//! Sources: <https://docs.slack.dev/reference/methods/oauth.v2.access>,
//! <https://docs.slack.dev/reference/methods/oauth.v2.exchange>

use crate::client::HttpClient;
use crate::step::{Step, millis};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::oauth::{Granted, NewToken, is_error_word};
use thiserror::Error;
use tokio::time::Instant;

const ACCESS: &str = "oauth.v2.access";
const EXCHANGE: &str = "oauth.v2.exchange";

/// Slack's token calls, as one app.
pub(crate) struct SlackOAuth {
    /// The connections to Slack.
    pub(crate) http: Rc<HttpClient>,
    /// Where the Web API is, with a slash at its end.
    pub(crate) base_url: Rc<str>,
    /// The app's client id.
    pub(crate) client_id: String,
    /// The app's client secret.
    pub(crate) client_secret: SecretString,
    /// No call lasts longer.
    pub(crate) timeout: Duration,
}

/// A call that brought no token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ExchangeError {
    /// Slack said no: its word for why, such as `invalid_code`, `bad_client_secret`, `invalid_refresh_token`, `ratelimited`.
    #[error("Slack said {0}")]
    Refused(String),
    /// The connection failed, or Slack answered with another HTTP status. It may have been done.
    #[error("{0}")]
    Transport(String),
    /// No answer in time. It may have been done.
    #[error("no answer in time")]
    Timeout,
    /// An answer that is not what Slack documents: what is wrong with it. It was probably done.
    #[error("Slack's answer cannot be read: {0}")]
    Unreadable(String),
}

impl SlackOAuth {
    /// Exchanges a code that came back with a browser. `redirect_uri` must be what the browser was sent to Slack with.
    pub(crate) async fn code(&self, code: &SecretString, redirect_uri: Option<&str>) -> Result<Granted, ExchangeError> {
        let mut fields = vec![("code", code.expose_secret())];
        fields.extend(redirect_uri.map(|uri| ("redirect_uri", uri)));
        let answer = self.call(ACCESS, &fields).await?;
        Granted::read(&answer).map_err(|missing| ExchangeError::Unreadable(format!("{missing} missing")))
    }

    /// Renews a token that expires. The refresh token is spent with the call.
    pub(crate) async fn refresh(&self, refresh: &SecretString) -> Result<NewToken, ExchangeError> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        new_token(&self.call(ACCESS, &fields).await?)
    }

    /// Exchanges a token that lives for ever for one that expires. Slack does so once a token.
    pub(crate) async fn exchange(&self, token: &SecretString) -> Result<NewToken, ExchangeError> {
        new_token(&self.call(EXCHANGE, &[("token", token.expose_secret())]).await?)
    }

    async fn call(&self, method: &'static str, fields: &[(&str, &str)]) -> Result<Value, ExchangeError> {
        let started = Instant::now();
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes();
        let credentials = BASE64.encode(format!("{}:{}", self.client_id, self.client_secret.expose_secret()));
        let authorization = format!("Basic {credentials}");
        let url = format!("{}{method}", self.base_url);
        let sent = self.http.post(&url, "application/x-www-form-urlencoded", Some(&authorization), form);
        let (request, result) = match tokio::time::timeout(self.timeout, sent).await {
            Ok(Ok(answer)) => (answer.request.clone(), judge(answer.status, &answer.body)),
            Ok(Err(reason)) => (None, Err(ExchangeError::Transport(reason))),
            Err(_) => (None, Err(ExchangeError::Timeout)),
        };
        Step {
            request,
            method: Some(method.to_owned()),
            outcome: Some(result.as_ref().err().map_or("ok", ExchangeError::code).to_owned()),
            ms: Some(millis(started.elapsed())),
            ..Step::new("call")
        }
        .emit();
        result
    }
}

impl ExchangeError {
    /// A short name for logs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Refused(word) => word,
            Self::Transport(_) => "transport",
            Self::Timeout => "timeout",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

fn new_token(answer: &Value) -> Result<NewToken, ExchangeError> {
    NewToken::read(answer).ok_or_else(|| ExchangeError::Unreadable("access_token missing".to_owned()))
}

/// Slack's answer, if it is a yes.
fn judge(status: u16, body: &[u8]) -> Result<Value, ExchangeError> {
    if status == 429 {
        return Err(ExchangeError::Refused("ratelimited".to_owned()));
    }
    if status != 200 {
        return Err(ExchangeError::Transport(format!("HTTP status {status}")));
    }
    let unreadable = || ExchangeError::Unreadable("it is not Slack's JSON".to_owned());
    let answer: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    match answer.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(answer),
        // A word and nothing else: an answer must not be able to carry anything more into a log.
        Some(false) => {
            let word = answer.get("error").and_then(Value::as_str).filter(|word| is_error_word(word));
            Err(ExchangeError::Refused(word.unwrap_or("unknown_error").to_owned()))
        }
        None => Err(unreadable()),
    }
}
