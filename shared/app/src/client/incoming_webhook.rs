//! Posting to an installation's incoming webhook: an address that is a secret, opened when it is needed and named nowhere.
//! Source: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>

use super::credentials::Credentials;
use super::error::{self, ClientError};
use super::transport::Answer;
use super::{Client, credentials};
use crate::install::Installation;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::Instant;

/// What these calls are called in errors and log lines.
const METHOD: &str = "incoming_webhook";

/// No word of Slack's is longer; what is may be anything, and is not repeated.
const WORD_BYTES_MAX: usize = 64;

/// Slack's words for a webhook that works no more: it was taken away, or its channel or workspace was.
const OVER: [&str; 5] = ["channel_is_archived", "no_active_hooks", "no_service", "no_team", "team_disabled"];

/// Whether an error says that there is nothing left to post to.
pub(super) fn is_over(method: &str, code: &str) -> bool {
    method == METHOD && OVER.contains(&code)
}

impl Client {
    /// Posts to an installation's incoming webhook, if it has one.
    pub(crate) async fn post_to_incoming_webhook(
        &self,
        installation: Option<&Installation>,
        message: &Value,
    ) -> Result<(), ClientError> {
        let credentials = self.credentials.borrow().clone();
        let key = installation.filter(|one| one.webhook.is_some()).and_then(Installation::key);
        let (Some(Credentials::Installed { tokens, .. }), Some(key)) = (credentials, key) else {
            return Err(ClientError::NoTarget(
                "post_to_incoming_webhook: this installation has none; ask for the scope incoming-webhook",
            ));
        };
        let started = Instant::now();
        let body = serde_json::to_vec(message).map_err(|error| error::arguments(METHOD, &error))?;
        let read = tokio::time::timeout_at(self.deadline, tokens.store().read_webhook(&key)).await;
        let read = read.map_err(|_| ClientError::Timeout { method: METHOD.to_owned() })?;
        let url = read.map_err(|error| credentials::store_trouble(METHOD, &error))?;
        // It was there when the installation was read: it went with its token since.
        let url = url.ok_or_else(|| ClientError::NoToken { method: METHOD.to_owned() })?;
        let sent = self.http.post(url.expose_secret(), "application/json; charset=utf-8", None, body);
        let answer = self.in_time(METHOD, sent).await;
        let request = answer.as_ref().ok().and_then(|answer| answer.request.clone());
        let result = answer.and_then(|answer| judge(&answer));
        self.log(METHOD, started, request, result.as_ref().err());
        result
    }
}

/// A webhook answers `ok`, or one bare word that says why not.
fn judge(answer: &Answer) -> Result<(), ClientError> {
    let method = METHOD.to_owned();
    match answer.status {
        200 => return Ok(()),
        429 => return Err(error::rate_limited(method, answer)),
        _ => {}
    }
    let word = std::str::from_utf8(&answer.body).unwrap_or_default().trim();
    let is_word = !word.is_empty()
        && word.len() <= WORD_BYTES_MAX
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match answer.status {
        400..=499 if is_word => Err(ClientError::Slack { method, code: word.to_owned(), detail: None }),
        404 | 410 => Err(ClientError::Slack { method, code: "no_service".to_owned(), detail: None }),
        status => Err(ClientError::Http { method, status }),
    }
}
