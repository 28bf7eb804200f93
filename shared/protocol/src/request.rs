//! From the bytes of an HTTP request to something that is known to come from Slack.
//! The order is fixed by the types: raw, verified, decoded.
//! Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>

use crate::envelope::{Envelope, EnvelopeKind};
use crate::ids::{AppId, TeamId};
use crate::payload::{Payload, json};
use crate::signature::{self, SignatureError, SigningSecrets};
use crate::time::{EpochMs, EpochSeconds};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

/// A request as it arrived: nothing about it is believed yet.
#[derive(Clone, Debug)]
pub struct RawRequest {
    /// All headers.
    pub headers: HeaderMap,
    /// The very bytes that were signed, after one base64 decoding where the front door encoded them.
    pub body: Bytes,
    /// When it arrived here.
    pub received_at: EpochMs,
}

impl RawRequest {
    /// Whether this is Slack's occasional certificate check: a form whose decoded field `ssl_check` is `1`.
    /// It comes unsigned, so it may be answered 200 with an empty body and must cause nothing.
    /// Source: <https://docs.slack.dev/interactivity/implementing-slash-commands/>
    pub fn is_ssl_check(&self) -> bool {
        is_form(&self.headers)
            && form_urlencoded::parse(&self.body).any(|(name, value)| name == "ssl_check" && value == "1")
    }

    /// Believes the request if one of `secrets` made its signature and its timestamp lies within 300 s of `now`.
    ///
    /// # Errors
    /// [`SignatureError`] says which rule failed; answer 401 with an empty body.
    pub fn verify(self, secrets: &SigningSecrets, now: EpochSeconds) -> Result<VerifiedRequest, SignatureError> {
        let signature = single(&self.headers, SIGNATURE)?.to_str().map_err(|_| SignatureError::Malformed)?;
        let timestamp = single(&self.headers, TIMESTAMP)?.to_str().map_err(|_| SignatureError::BadTimestamp)?;
        signature::verify(secrets, now, timestamp, signature, &self.body)?;
        Ok(VerifiedRequest(self))
    }
}

fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h HeaderValue, SignatureError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(SignatureError::Missing(name))?;
    match values.next() {
        Some(_) => Err(SignatureError::Repeated(name)),
        None => Ok(value),
    }
}

/// The media type up to `;`, in lower case.
fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|value| value.trim().to_ascii_lowercase())
        .unwrap_or_default()
}

fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers) == "application/x-www-form-urlencoded"
}

/// A request that Slack signed. [`RawRequest::verify`] is the only way to get one.
#[derive(Clone, Debug)]
pub struct VerifiedRequest(RawRequest);

impl VerifiedRequest {
    /// Reads the body. This cannot fail: what is not understood becomes an envelope of unknown kind with its bytes kept.
    pub fn decode(self) -> Inbound {
        let RawRequest { headers, body, received_at } = self.0;
        let envelope = Envelope::from_http(&headers, body, received_at);
        match (envelope.kind, &envelope.payload) {
            (EnvelopeKind::SlashCommands, payload) if json::text(payload.raw(), "ssl_check") == "1" => {
                Inbound::SslCheck
            }
            (EnvelopeKind::EventsApi, Payload::Unknown(outer)) => match outer.kind.as_str() {
                "url_verification" => {
                    Inbound::UrlVerification { challenge: json::text(&outer.raw, "challenge").to_owned() }
                }
                "app_rate_limited" => Inbound::AppRateLimited {
                    app: json::id(&outer.raw, "api_app_id"),
                    team: json::id(&outer.raw, "team_id"),
                    minute: outer.raw.get("minute_rate_limited").and_then(Value::as_u64).map(EpochSeconds),
                },
                _ => Inbound::Envelope(Box::new(envelope)),
            },
            _ => Inbound::Envelope(Box::new(envelope)),
        }
    }
}

/// What a verified request is.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// Slack asks whether this address is ours; answer with the challenge.
    /// Source: <https://docs.slack.dev/reference/events/url_verification>
    UrlVerification {
        /// To be sent back as it is.
        challenge: String,
    },
    /// Slack dropped events of a workspace for the named minute.
    /// Source: <https://docs.slack.dev/reference/events/app_rate_limited>
    AppRateLimited {
        /// The app that was limited.
        app: Option<AppId>,
        /// The workspace whose events were dropped.
        team: Option<TeamId>,
        /// The minute, as its first second.
        minute: Option<EpochSeconds>,
    },
    /// A certificate check that was signed after all.
    SslCheck,
    /// Everything that may have listeners.
    Envelope(Box<Envelope>),
}
