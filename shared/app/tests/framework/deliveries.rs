//! Deliveries made from the published bodies in `events/slack`.

use bytes::Bytes;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tack_app::message::{Job, SlackWork};
use tack_app::protocol::{Envelope, EpochMs};

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// When everything arrives, unless a test says otherwise.
pub(crate) const NOW: EpochMs = EpochMs(1_795_511_900_000);

pub(crate) const MESSAGE: &str = "event/message.json";
pub(crate) const COMMAND: &str = "command/order.form";
pub(crate) const SUBMISSION: &str = "interactive/view_submission.json";
pub(crate) const BUTTON: &str = "interactive/block_actions-message.json";
pub(crate) const TWO_ACTIONS: &str = "interactive/block_actions-several.json";
pub(crate) const SUGGESTION: &str = "options/block_suggestion.json";

pub(crate) fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Content type and body as Slack sends them.
pub(crate) fn wire(path: &str) -> (&'static str, Bytes) {
    match path.split('/').next() {
        Some("event") => (JSON, text(path).into()),
        Some("command") => (FORM, text(path).into()),
        _ => (FORM, payload_form(&json(path))),
    }
}

pub(crate) fn payload_form(payload: &Value) -> Bytes {
    let form = form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    form.into()
}

pub(crate) fn envelope(path: &str) -> Envelope {
    let (content_type, body) = wire(path);
    Envelope::from_body(content_type, body, NOW)
}

/// A delivery with its JSON changed.
pub(crate) fn edited(path: &str, edit: impl FnOnce(&mut Value)) -> Envelope {
    let mut value = json(path);
    edit(&mut value);
    if path.starts_with("event/") {
        Envelope::from_body(JSON, value.to_string().into(), NOW)
    } else {
        Envelope::from_body(FORM, payload_form(&value), NOW)
    }
}

/// A message of a person with this `event_id`.
pub(crate) fn event(event_id: &str) -> Envelope {
    edited(MESSAGE, |root| root["event_id"] = event_id.into())
}

/// The work that the ingress would have queued.
pub(crate) fn work(envelope: Envelope, jobs: &[&str]) -> SlackWork {
    // A delivery's name is a UUID, which has no colon.
    let key = envelope.idempotency_key().map(|key| key.0.replace(':', " ")).unwrap_or_default();
    let jobs = jobs.iter().map(|name| Job::named(*name)).collect();
    SlackWork { id: format!("delivery of {key}"), envelope, jobs, generation: 0, trace: None }
}
