//! Slack's Web API: HTTP at a base URL, one connection pool a process, a token a call.
//! Never retries by itself: the queue does, without paying for the wait.
//! Source: <https://docs.slack.dev/apis/web-api/>

mod error;
mod tls;
mod transport;

pub use error::ClientError;
pub use tls::connector;
pub use transport::HttpClient;

use crate::step::Step;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;
use transport::Answer;

/// Where Slack's Web API is.
pub const SLACK_API_URL: &str = "https://slack.com/api/";

/// Calls the Web API as one installation. Made by the framework for each job; see [`crate::Context::client`].
pub struct Client {
    http: Rc<HttpClient>,
    base_url: Rc<str>,
    token: Option<SecretString>,
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
        token: Option<SecretString>,
        call_limit: Duration,
        deadline: Instant,
        delivery: &str,
        job: &str,
    ) -> Self {
        Self { http, base_url, token, call_limit, deadline, delivery: delivery.to_owned(), job: job.to_owned() }
    }

    /// The same client with another token: a user's, or the one that comes with a workflow step.
    pub fn with_token(&self, token: impl Into<SecretString>) -> Self {
        Self {
            http: Rc::clone(&self.http),
            base_url: Rc::clone(&self.base_url),
            token: Some(token.into()),
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
        let Some(token) = &self.token else {
            return Err(ClientError::NoToken { method: method.to_owned() });
        };
        let started = Instant::now();
        let body = form(method, arguments)?;
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

fn form(method: &str, arguments: &impl Serialize) -> Result<Vec<u8>, ClientError> {
    let arguments = serde_json::to_value(arguments).map_err(|error| error::arguments(method, &error))?;
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
