//! Slack's Web API: HTTP at a base URL, one connection pool a process, a token a call.
//! Never retries by itself: the queue does, without paying for the wait. The one exception is a call that Slack turned away
//! because of its token, when there is a newer one: such a call has done nothing.
//! Source: <https://docs.slack.dev/apis/web-api/>

mod credentials;
mod error;
mod incoming_webhook;
mod teams;
mod tls;
mod transport;

pub(crate) use credentials::Credentials;
pub use error::ClientError;
pub use tls::connector;
pub use transport::HttpClient;

use crate::step::Step;
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::UserId;
use tokio::time::Instant;
use transport::Answer;

/// Where Slack's Web API is.
pub const SLACK_API_URL: &str = "https://slack.com/api/";

/// Calls the Web API as one installation. Made by the framework for each job; see [`crate::Context::client`].
pub struct Client {
    http: Rc<HttpClient>,
    base_url: Rc<str>,
    credentials: RefCell<Option<Credentials>>,
    /// No call lasts longer than this, nor beyond it.
    call_limit: Duration,
    deadline: Instant,
    delivery: String,
    job: String,
}

impl Client {
    pub(crate) fn new(
        http: Rc<HttpClient>,
        base_url: Rc<str>,
        credentials: Option<Credentials>,
        call_limit: Duration,
        deadline: Instant,
        delivery: &str,
        job: &str,
    ) -> Self {
        Self {
            http,
            base_url,
            credentials: RefCell::new(credentials),
            call_limit,
            deadline,
            delivery: delivery.to_owned(),
            job: job.to_owned(),
        }
    }

    /// The same client with another token: a user's, or the one that comes with a workflow step.
    pub fn with_token(&self, token: impl Into<SecretString>) -> Self {
        self.with(Credentials::fixed(token.into()))
    }

    /// The same client with a person's token, renewed apart from the bot's; none if they granted none, or with a single
    /// workspace.
    pub(crate) async fn of_user(&self, user: &UserId) -> Result<Option<Self>, ClientError> {
        let credentials = self.credentials.borrow().clone();
        let Some(credentials) = credentials else { return Ok(None) };
        let limit = tokio::time::timeout_at(self.deadline, credentials.of_user(user));
        let found = limit.await.map_err(|_| ClientError::Timeout { method: "user token".to_owned() })?;
        Ok(found?.map(|credentials| self.with(credentials)))
    }

    fn with(&self, credentials: Credentials) -> Self {
        Self {
            http: Rc::clone(&self.http),
            base_url: Rc::clone(&self.base_url),
            credentials: RefCell::new(Some(credentials)),
            call_limit: self.call_limit,
            deadline: self.deadline,
            delivery: self.delivery.clone(),
            job: self.job.clone(),
        }
    }

    /// Calls a method with any arguments that serde can write, and gives Slack's whole answer.
    ///
    /// Arguments go as a form, which every method takes: texts as they are, other values as JSON, nulls left out.
    /// An answer with `"ok": true` is a success whatever else is in it.
    ///
    /// # Errors
    /// [`ClientError`]; `?` in a listener turns it into the right disposition.
    pub async fn call(&self, method: &str, arguments: &impl Serialize) -> Result<Value, ClientError> {
        let credentials = self.credentials.borrow().clone();
        let (Some(credentials), Some(token)) = (&credentials, credentials.as_ref().and_then(Credentials::token)) else {
            return Err(ClientError::NoToken { method: method.to_owned() });
        };
        let mut arguments = serde_json::to_value(arguments).map_err(|error| error::arguments(method, &error))?;
        if let Some(team) = credentials.team() {
            teams::name_team(method, team, &mut arguments);
        }
        let body = Bytes::from(form(method, arguments)?);
        let result = self.send(method, token, body.clone()).await;
        let Err(ClientError::Slack { code, .. }) = &result else { return result };
        let newer = tokio::time::timeout_at(self.deadline, credentials.refused(method, code)).await;
        let Some(newer) = newer.map_err(|_| ClientError::Timeout { method: method.to_owned() })?? else {
            return result;
        };
        self.credentials.replace(Some(newer.clone()));
        let Some(token) = newer.token() else { return result };
        let result = self.send(method, token, body).await;
        if let Err(ClientError::Slack { code, .. }) = &result {
            newer.refused_again(code);
        }
        result
    }

    /// One call on the wire.
    async fn send(&self, method: &str, token: &SecretString, body: Bytes) -> Result<Value, ClientError> {
        let started = Instant::now();
        let url = format!("{}{method}", self.base_url);
        let authorization = format!("Bearer {}", token.expose_secret());
        let sent = self.http.post(&url, "application/x-www-form-urlencoded", Some(&authorization), body);
        let answer = self.in_time(method, sent).await;
        let request = answer.as_ref().ok().and_then(|answer| answer.request.clone());
        let result = answer.and_then(|answer| error::judge(method, &answer));
        self.log(method, started, request, result.as_ref().err());
        result
    }

    /// Posts to a `response_url`, which needs no token.
    ///
    /// # Errors
    /// [`ClientError`] as for [`Self::call`]; the address itself is never named in it.
    pub async fn respond(&self, response_url: &str, message: &Value) -> Result<(), ClientError> {
        const METHOD: &str = "response_url";
        let started = Instant::now();
        let body = serde_json::to_vec(message).map_err(|error| error::arguments(METHOD, &error))?;
        let sent = self.http.post(response_url, "application/json; charset=utf-8", None, body);
        let answer = self.in_time(METHOD, sent).await;
        let request = answer.as_ref().ok().and_then(|answer| answer.request.clone());
        let result = answer.and_then(|answer| error::judge_response_url(&answer));
        self.log(METHOD, started, request, result.as_ref().err());
        result
    }

    /// Slack's answer, whatever it says, unless it comes too late or not at all.
    async fn in_time(
        &self,
        method: &str,
        sent: impl Future<Output = Result<Answer, String>>,
    ) -> Result<Answer, ClientError> {
        let limit = self.deadline.min(Instant::now() + self.call_limit);
        match tokio::time::timeout_at(limit, sent).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => Err(ClientError::Transport { method: method.to_owned(), reason }),
            Err(_) => Err(ClientError::Timeout { method: method.to_owned() }),
        }
    }

    fn log(&self, method: &str, started: Instant, request: Option<String>, error: Option<&ClientError>) {
        Step {
            request,
            delivery: Some(self.delivery.clone()),
            job: Some(self.job.clone()),
            method: Some(method.to_owned()),
            outcome: Some(error.map_or("ok", ClientError::code).to_owned()),
            ms: Some(crate::step::millis(started.elapsed())),
            ..Step::new("call")
        }
        .emit();
    }
}

fn form(method: &str, arguments: Value) -> Result<Vec<u8>, ClientError> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    match arguments {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::Null => {}
                    Value::String(text) => {
                        form.append_pair(&name, &text);
                    }
                    other => {
                        form.append_pair(&name, &other.to_string());
                    }
                }
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            // What they are is not repeated: this ends up in logs and dead letters.
            let reason = "arguments must be an object of names and values".to_owned();
            return Err(ClientError::Arguments { method: method.to_owned(), reason });
        }
    }
    Ok(form.finish().into_bytes())
}
