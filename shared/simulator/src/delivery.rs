//! A delivery as it is remembered: what was sent, every attempt, and what the person saw of the answer.
//! Sending lives in `send`, reading the answer in `answer`. Invariant: `readable` never shows a token.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

use crate::history::Remembered;
use crate::mask::{mask, mask_text};
use crate::published::fields;

/// The way a body travels and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Events API: JSON, redelivered when it fails.
    Event,
    /// Slash command: a form, answered with a message.
    Command,
    /// Interactivity: a form with `payload`.
    Interactive,
    /// Loading of options: a form with `payload`, answered with options.
    Options,
    /// Anything, sent as given.
    Raw,
}

/// Why an attempt failed, in the words of `x-slack-retry-reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// No answer in time.
    HttpTimeout,
    /// More than two redirects.
    TooManyRedirects,
    /// Nobody listened, or the connection broke.
    ConnectionFailed,
    /// A status other than 2xx.
    HttpError,
    /// Anything else.
    UnknownError,
}

impl Failure {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpTimeout => "http_timeout",
            Self::TooManyRedirects => "too_many_redirects",
            Self::ConnectionFailed => "connection_failed",
            Self::HttpError => "http_error",
            Self::UnknownError => "unknown_error",
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The first attempt has not ended.
    Sending,
    /// The app answered 2xx in time.
    Accepted,
    /// An attempt failed; another follows.
    Retrying,
    /// The last attempt failed.
    Failed,
    /// The app asked for no retry.
    Stopped,
}

/// One try to deliver.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// 0 for the first, else the value of `x-slack-retry-num`.
    pub retry_num: u32,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Milliseconds until the answer or the failure.
    pub ms: u64,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What was sent as headers.
    pub headers: Vec<(String, String)>,
    /// The headers of the answer.
    pub answer_headers: Vec<(String, String)>,
    /// Content type of the answer.
    pub answer_type: String,
    /// Body of the answer, at most 1 MiB.
    pub answer: String,
    /// The app answered with `x-slack-no-retry: 1`.
    pub no_retry: bool,
}

/// What the person saw after the app answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shown {
    /// `closed`, `errors`, `updated`, `pushed`, `cleared`, `options`, `message`, `nothing`, `verified`, or `trouble`.
    pub outcome: &'static str,
    /// Block id → sentence, after `errors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Value>,
    /// The view now on top, after `updated` and `pushed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<Value>,
    /// `options` or `option_groups` as answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
    /// The message that appeared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Value>,
    /// What Slack itself said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Shown {
    pub(crate) fn only(outcome: &'static str) -> Self {
        Self { outcome, ..Self::default() }
    }

    pub(crate) fn trouble(text: impl Into<String>) -> Self {
        Self { outcome: "trouble", text: Some(text.into()), ..Self::default() }
    }
}

/// Everything known of one delivery. Its `Debug` and [`Delivery::readable`] mask secrets; `body` does not.
#[derive(Clone)]
pub struct Delivery {
    /// uuid v7.
    pub id: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The way it travels.
    pub kind: Kind,
    /// Event type, command, or payload type.
    pub name: String,
    /// Workspace it speaks of; empty if none.
    pub team: String,
    /// Id of the person who acted; empty if none.
    pub user: String,
    /// Id of the channel they acted in; empty if none.
    pub channel: String,
    /// Stamp of the message it tells of; empty if none.
    pub ts: String,
    /// The body, byte for byte.
    pub body: Bytes,
    /// Its content type.
    pub content_type: String,
    /// Headers asked for beside or instead of Slack's own.
    pub headers: Vec<(String, String)>,
    /// Every attempt so far.
    pub attempts: Vec<Attempt>,
    /// Where it stands.
    pub outcome: Outcome,
    /// What the person saw.
    pub shown: Option<Shown>,
    /// What Slack would have frowned at.
    pub warnings: Vec<String>,
    /// The faults that struck it, by the names of the fields of [`DeliveryFaults`](crate::DeliveryFaults).
    pub faults: Vec<&'static str>,
    /// The delivery this one is a copy of.
    pub copy_of: Option<String>,
    /// The delivery this one repeats.
    pub replay_of: Option<String>,
}

impl Remembered for Delivery {
    fn size(&self) -> usize {
        let headers =
            |list: &[(String, String)]| list.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        let attempt = |attempt: &Attempt| attempt.answer.len() + headers(&attempt.answer_headers);
        self.body.len() + self.attempts.iter().map(attempt).sum::<usize>()
    }
}

impl Delivery {
    /// The JSON in the body: the event, the `payload` field, or the form's fields. Null if there is none.
    pub fn payload(&self) -> Value {
        payload_of(&self.content_type, &self.body)
    }

    /// The delivery as JSON without tokens; see [`Delivery`] for the fields.
    pub fn readable(&self) -> Value {
        let payload = self.payload();
        let body = if payload.is_null() {
            Value::String(mask_text(&String::from_utf8_lossy(&self.body)))
        } else {
            mask(&payload)
        };
        json!({
            "id": self.id,
            "at_ms": self.at_ms,
            "kind": self.kind,
            "name": self.name,
            "team": self.team,
            "user": self.user,
            "channel": self.channel,
            "ts": self.ts,
            "event_id": payload.get("event_id"),
            "bytes": self.body.len(),
            "content_type": self.content_type,
            "body": body,
            "attempts": self.attempts.iter().map(attempt_readable).collect::<Vec<_>>(),
            "outcome": self.outcome,
            "shown": self.shown.as_ref().map(|shown| mask(&json!(shown))),
            "warnings": self.warnings,
            "faults": self.faults,
            "copy_of": self.copy_of,
            "replay_of": self.replay_of,
        })
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.readable())
    }
}

fn attempt_readable(attempt: &Attempt) -> Value {
    let mut shown = json!(attempt);
    let object = |headers: &[(String, String)]| -> Value {
        headers.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect::<Map<_, _>>().into()
    };
    shown["headers"] = object(&attempt.headers);
    shown["answer_headers"] = object(&attempt.answer_headers);
    shown["answer"] = match serde_json::from_str::<Value>(&attempt.answer) {
        // As text, so that a reader sees what the app really wrote.
        Ok(answer) if answer.is_object() || answer.is_array() => Value::String(mask(&answer).to_string()),
        _ => Value::String(attempt.answer.clone()),
    };
    mask(&shown)
}

/// The JSON that `body` carries, null if none.
pub(crate) fn payload_of(content_type: &str, body: &[u8]) -> Value {
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).unwrap_or(Value::Null);
    }
    let fields = fields(body);
    match fields.get("payload").and_then(Value::as_str) {
        Some(payload) => serde_json::from_str(payload).unwrap_or(Value::Null),
        None => fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_that_is_shown_or_printed_hides_its_tokens() {
        let delivery = Delivery {
            id: "1".to_owned(),
            at_ms: 0,
            kind: Kind::Event,
            name: "function_executed".to_owned(),
            team: String::new(),
            user: String::new(),
            channel: String::new(),
            ts: String::new(),
            body: Bytes::from_static(
                br#"{"token":"verification-token","event":{"bot_access_token":"xwfp-secret-secret-abcd"}}"#,
            ),
            content_type: "application/json".to_owned(),
            headers: Vec::new(),
            attempts: Vec::new(),
            outcome: Outcome::Sending,
            shown: None,
            warnings: Vec::new(),
            faults: Vec::new(),
            copy_of: None,
            replay_of: None,
        };
        for text in [format!("{delivery:?}"), delivery.readable().to_string()] {
            assert!(!text.contains("verification-token") && !text.contains("secret-secret"), "{text}");
            assert!(text.contains("xwfp-…abcd"), "{text}");
        }
    }
}
