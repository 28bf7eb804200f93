//! One call of Slack's Web API, as an operator: `auth.revoke` with the token that is to go.
//! Source: <https://docs.slack.dev/reference/methods/auth.revoke>

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

/// How long Slack may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Slack's answer is far smaller.
const ANSWER_BYTES: usize = 1024 * 1024;

/// What Slack made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Revoked {
    /// The token works no more.
    Yes,
    /// It did not work before; this is Slack's word for it.
    Before(String),
    /// Slack's word for why not.
    No(String),
}

/// Revokes a token. `base` is where the Web API is, with a slash at its end.
///
/// # Errors
/// A sentence, without the token, when it is not known whether Slack did it.
pub(super) async fn revoke(base: &str, token: &SecretString) -> Result<Revoked, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let client = Client::builder(TokioExecutor::new()).build(tack_app::tls_connector(roots, LIMIT)?);
    let request = Request::post(format!("{base}auth.revoke"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::new(Bytes::new()))
        .map_err(|_| "the address or the token cannot be sent".to_owned())?;
    let asked = async {
        let answer = client.request(request).await.map_err(|_| format!("{base} cannot be reached"))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES).collect().await;
        let body = body.map_err(|_| "Slack's answer broke off".to_owned())?.to_bytes();
        serde_json::from_slice(&body).map_err(|_| format!("Slack answered {status} and no JSON"))
    };
    let answer: Value =
        tokio::time::timeout(LIMIT, asked).await.map_err(|_| "Slack did not answer in time".to_owned())??;
    let word = answer["error"].as_str().unwrap_or_default();
    Ok(match (answer["ok"].as_bool(), word) {
        (Some(true), _) => Revoked::Yes,
        (_, "account_inactive" | "invalid_auth" | "token_expired" | "token_revoked") => {
            Revoked::Before(word.to_owned())
        }
        (_, "") => return Err("Slack's answer says neither yes nor no".to_owned()),
        _ => Revoked::No(word.to_owned()),
    })
}
