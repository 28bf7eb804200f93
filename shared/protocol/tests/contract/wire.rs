//! Putting a body on the wire the way Slack does: signed, with its content type.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tack_protocol::{Envelope, EpochMs, EpochSeconds, Inbound, RawRequest, SigningSecrets, VerifiedRequest, sign};

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// When every request of these tests arrives.
pub(crate) const NOW: EpochMs = EpochMs(1_795_511_642_118);

/// A request with these headers that Slack signed.
pub(crate) fn verified(headers: &[(&str, &str)], body: impl Into<Bytes>) -> VerifiedRequest {
    let body = body.into();
    let secrets = SigningSecrets::parse("a signing secret").expect("a secret");
    let sent: EpochSeconds = NOW.seconds();
    let signature = sign(&secrets, sent, &body);
    let timestamp = sent.0.to_string();
    let ours = [("x-slack-signature", signature.as_str()), ("x-slack-request-timestamp", timestamp.as_str())];
    let headers: HeaderMap = headers
        .iter()
        .chain(&ours)
        .map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).expect("a header name"),
                HeaderValue::from_bytes(value.as_bytes()).expect("a header value"),
            )
        })
        .collect();
    RawRequest { headers, body, received_at: NOW }.verify(&secrets, sent).expect("a signature that holds")
}

/// What a signed body of this content type is.
pub(crate) fn inbound(content_type: &str, body: impl Into<Bytes>) -> Inbound {
    verified(&[("content-type", content_type)], body).decode()
}

/// The envelope a signed body decodes to.
pub(crate) fn envelope(content_type: &str, body: impl Into<Bytes>) -> Envelope {
    match inbound(content_type, body) {
        Inbound::Envelope(envelope) => *envelope,
        other => panic!("no envelope: {other:?}"),
    }
}

/// A form body.
pub(crate) fn form<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The body of an interaction: one field, `payload`.
pub(crate) fn payload_form(payload: &Value) -> String {
    form([("payload", payload.to_string().as_str())])
}

/// An event delivery.
pub(crate) fn event(root: &Value) -> Envelope {
    envelope(JSON, root.to_string())
}

/// An interaction.
pub(crate) fn interaction(payload: &Value) -> Envelope {
    envelope(FORM, payload_form(payload))
}

/// A slash command.
pub(crate) fn command<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Envelope {
    envelope(FORM, form(fields))
}
