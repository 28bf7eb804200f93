//! What Slack said, and what that means for the job.
//! No error holds a body, a token or an address: they end up in logs and dead letters.
//! Sources: <https://docs.slack.dev/apis/web-api/rate-limits>, <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/reference/methods/views.update>

use super::incoming_webhook;
use super::transport::Answer;
use crate::error::Disposition;
use serde_json::Value;
use std::time::Duration;
use thiserror::Error;

/// A call that Slack did not do, or of which it is not known whether it did.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClientError {
    /// Slack answered `"ok": false`.
    #[error("{method}: Slack said {code}{}", detail.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
    Slack {
        /// The method.
        method: String,
        /// Slack's name for the error.
        code: String,
        /// What Slack added: the scope it wanted, the field it did not like.
        detail: Option<String>,
    },
    /// Slack wants us to wait.
    #[error("{method}: rate limited for {} s", retry_after.as_secs())]
    RateLimited {
        /// The method.
        method: String,
        /// `Retry-After`.
        retry_after: Duration,
    },
    /// An HTTP status that is neither 200 nor 429.
    #[error("{method}: HTTP status {status}")]
    Http {
        /// The method.
        method: String,
        /// The status.
        status: u16,
    },
    /// A 200 whose body is not JSON with `ok`.
    #[error("{method}: the answer is not Slack's JSON")]
    NotJson {
        /// The method.
        method: String,
    },
    /// No answer in time. It may have been done.
    #[error("{method}: no answer in time")]
    Timeout {
        /// The method.
        method: String,
    },
    /// The connection failed. It may have been done.
    #[error("{method}: {reason}")]
    Transport {
        /// The method.
        method: String,
        /// What failed.
        reason: String,
    },
    /// There is no token for this workspace.
    #[error("{method}: there is no token for this workspace")]
    NoToken {
        /// The method.
        method: String,
    },
    /// The token expired, and the new one is not there yet.
    #[error("{method}: {reason}")]
    TokenRenewal {
        /// The method.
        method: String,
        /// Who is at it, or what keeps it.
        reason: String,
        /// When to come again.
        retry_after: Duration,
    },
    /// The arguments cannot be sent.
    #[error("{method}: {reason}")]
    Arguments {
        /// The method.
        method: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The payload names no place to answer to.
    #[error("{0}")]
    NoTarget(&'static str),
}

/// Errors for which there is nothing to mend: the moment or the permission is gone.
const DISCARDED: [&str; 15] = [
    "account_inactive",
    "channel_not_found",
    "exchanged_trigger_id",
    "expired_trigger_id",
    "expired_url",
    "hash_conflict",
    "is_archived",
    "message_not_found",
    "team_access_not_granted",
    "team_not_found",
    "token_expired",
    "token_revoked",
    "trigger_exchanged",
    "trigger_expired",
    "used_url",
];

/// Errors that go away by themselves.
/// `invalid_auth` is also Slack's word for an address that the app's own list does not allow, and two are said of a
/// workspace that is being moved into an organisation.
const TRANSIENT: [&str; 7] = [
    "fatal_error",
    "internal_error",
    "invalid_auth",
    "org_login_required",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
];

impl ClientError {
    /// A short name for logs and metrics.
    pub fn code(&self) -> &str {
        match self {
            Self::Slack { code, .. } => code,
            Self::RateLimited { .. } => "ratelimited",
            Self::Http { .. } => "http_status",
            Self::NotJson { .. } => "not_json",
            Self::Timeout { .. } => "timeout",
            Self::Transport { .. } => "transport",
            Self::NoToken { .. } => "no_token",
            Self::TokenRenewal { .. } => "token_renewal",
            Self::Arguments { .. } => "arguments",
            Self::NoTarget(_) => "no_target",
        }
    }

    /// What becomes of a job that failed with it.
    pub fn disposition(&self) -> Disposition {
        let reason = self.to_string();
        match self {
            Self::RateLimited { retry_after, .. } | Self::TokenRenewal { retry_after, .. } => {
                Disposition::Retry { after: Some(*retry_after), reason }
            }
            Self::Slack { code, .. } if TRANSIENT.contains(&code.as_str()) => {
                Disposition::Retry { after: None, reason }
            }
            Self::Slack { code, .. } if DISCARDED.contains(&code.as_str()) => Disposition::Discard { reason },
            // Of a view it says that the person closed it meanwhile; of anything else that an id is wrong.
            Self::Slack { method, code, .. } if code == "not_found" && method.starts_with("views.") => {
                Disposition::Discard { reason }
            }
            Self::Slack { method, code, .. } if incoming_webhook::is_over(method, code) => {
                Disposition::Discard { reason }
            }
            Self::Http { status, .. } if *status >= 500 || *status == 408 => Disposition::Retry { after: None, reason },
            Self::NotJson { .. } | Self::Timeout { .. } | Self::Transport { .. } => {
                Disposition::Retry { after: None, reason }
            }
            Self::NoToken { .. } => Disposition::Discard { reason },
            Self::Slack { .. } | Self::Http { .. } | Self::Arguments { .. } | Self::NoTarget(_) => {
                Disposition::Park { reason }
            }
        }
    }
}

pub(super) fn arguments(method: &str, error: &serde_json::Error) -> ClientError {
    ClientError::Arguments { method: method.to_owned(), reason: error.to_string() }
}

/// Slack's answer to a method.
pub(super) fn judge(method: &str, answer: &Answer) -> Result<Value, ClientError> {
    let method = method.to_owned();
    if answer.status == 429 {
        return Err(rate_limited(method, answer));
    }
    if answer.status != 200 {
        return Err(ClientError::Http { method, status: answer.status });
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(ClientError::NotJson { method });
    };
    match body.get("ok").and_then(Value::as_bool) {
        Some(true) => Ok(body),
        Some(false) => {
            let code = body.get("error").and_then(Value::as_str).unwrap_or("unknown_error").to_owned();
            if matches!(code.as_str(), "ratelimited" | "rate_limited") {
                return Err(rate_limited(method, answer));
            }
            Err(ClientError::Slack { method, code, detail: detail(&body) })
        }
        None => Err(ClientError::NotJson { method }),
    }
}

/// A `response_url` answers `ok` as text, or JSON with an error.
pub(super) fn judge_response_url(answer: &Answer) -> Result<(), ClientError> {
    let method = "response_url".to_owned();
    if answer.status == 429 {
        return Err(rate_limited(method, answer));
    }
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or(Value::Null);
    if let Some(code) = body.get("error").and_then(Value::as_str) {
        return Err(ClientError::Slack { method, code: code.to_owned(), detail: None });
    }
    match answer.status {
        200 => Ok(()),
        404 | 410 => Err(ClientError::Slack { method, code: "expired_url".to_owned(), detail: None }),
        status => Err(ClientError::Http { method, status }),
    }
}

pub(super) fn rate_limited(method: String, answer: &Answer) -> ClientError {
    // Without the header Slack's advice is to plan for one request a second.
    let retry_after = answer.retry_after.unwrap_or(Duration::from_secs(1));
    ClientError::RateLimited { method, retry_after }
}

/// What Slack adds to an error: `needed` and `response_metadata.messages`.
fn detail(body: &Value) -> Option<String> {
    if let Some(needed) = body.get("needed").and_then(Value::as_str) {
        return Some(format!("needed: {needed}"));
    }
    let messages = body.pointer("/response_metadata/messages")?.as_array()?;
    let text: Vec<&str> = messages.iter().filter_map(Value::as_str).collect();
    (!text.is_empty()).then(|| text.join("; "))
}
