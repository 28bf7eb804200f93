//! Turns what is asked for into the bytes of a delivery: envelopes around events, forms around payloads, fresh ids where none are given.
//! Nothing is sent here. Invariant: a body given as text goes out byte for byte.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::delivery::{Kind, payload_of};
use crate::events;
use crate::mint;
use crate::published::published;
use crate::state::State;

/// What to send: the body of `POST /sim/deliveries`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRequest {
    /// The way it travels.
    pub kind: Kind,
    /// As text: the body (for `interactive` and `options` a text that starts with `{` is the payload). As an object: for `event` the
    /// envelope, or the inner event, which is wrapped; for `command` fields over those of a published command; else the payload.
    pub body: Value,
    /// Headers beside or instead of Slack's own; an empty value leaves one out.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Copies of the same body sent at the same time, at most 1,000.
    #[serde(default = "once")]
    pub times: u32,
    /// The workspace it comes from, instead of the one in the body.
    #[serde(default)]
    pub team: Option<String>,
}

fn once() -> u32 {
    1
}

impl DeliveryRequest {
    fn new(kind: Kind, body: Value) -> Self {
        Self { kind, body, headers: BTreeMap::new(), times: 1, team: None }
    }

    /// An event: an envelope or an inner event.
    pub fn event(body: Value) -> Self {
        Self::new(Kind::Event, body)
    }

    /// A slash command; `fields` go over those of a published one.
    pub fn command(fields: Value) -> Self {
        Self::new(Kind::Command, fields)
    }

    /// An interaction.
    pub fn interactive(payload: Value) -> Self {
        Self::new(Kind::Interactive, payload)
    }

    /// A loading of options.
    pub fn options(payload: Value) -> Self {
        Self::new(Kind::Options, payload)
    }

    /// `body` as it is.
    pub fn raw(body: impl Into<String>) -> Self {
        Self::new(Kind::Raw, Value::String(body.into()))
    }

    /// The same, sent `times` times at once.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same, with this header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same, from another workspace.
    #[must_use]
    pub fn team(mut self, team: &str) -> Self {
        self.team = Some(team.to_owned());
        self
    }
}

/// A body ready to be sent.
pub(crate) struct Prepared {
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    pub(crate) name: String,
    pub(crate) team: String,
    pub(crate) actor: Actor,
}

/// Who did what is told, where, and the stamp of the message they wrote.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Actor {
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) ts: String,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Makes the body of a delivery.
///
/// # Errors
/// A sentence when the request makes no sense.
pub(crate) fn prepare(state: &mut State, request: &DeliveryRequest) -> Result<Prepared, String> {
    let team = request.team.as_deref();
    let (body, content_type) = match (request.kind, &request.body) {
        (Kind::Raw, Value::String(body)) => {
            let given = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
            (body.clone(), given.map_or(JSON, |(_, value)| value))
        }
        (Kind::Raw, _) => return Err("a raw body is a text".to_owned()),
        (Kind::Event, Value::String(body)) => (body.clone(), JSON),
        (Kind::Event, body @ Value::Object(_)) => (envelope(state, body, team).to_string(), JSON),
        (Kind::Command, Value::String(body)) => (body.clone(), FORM),
        (Kind::Command, Value::Object(fields)) => (command(state, fields, team), FORM),
        (Kind::Interactive | Kind::Options, Value::String(body)) if body.starts_with('{') => (payload_form(body), FORM),
        (Kind::Interactive | Kind::Options, Value::String(body)) => (body.clone(), FORM),
        (Kind::Interactive | Kind::Options, payload @ Value::Object(_)) => {
            (payload_form(&interaction(state, payload, team).to_string()), FORM)
        }
        _ => return Err("body is a text or an object".to_owned()),
    };
    Ok(Prepared::of(content_type, Bytes::from(body)))
}

impl Prepared {
    /// A body as it is, and what it says of itself.
    pub(crate) fn of(content_type: &str, body: Bytes) -> Self {
        let payload = payload_of(content_type, &body);
        Self {
            name: name_of(&payload),
            team: team_of(&payload),
            actor: actor_of(&payload),
            content_type: content_type.to_owned(),
            body,
        }
    }
}

/// A JSON text in the form its kind travels in; any other text is taken for that form already.
pub(crate) fn as_it_travels(kind: Kind, text: &str) -> String {
    match (kind, serde_json::from_str::<Value>(text)) {
        (Kind::Interactive | Kind::Options, Ok(Value::Object(_))) => payload_form(text),
        (Kind::Command, Ok(fields @ Value::Object(_))) => form(&fields),
        _ => text.to_owned(),
    }
}

/// Event type, command or payload type of what is sent.
fn name_of(payload: &Value) -> String {
    let names = [&payload["event"]["type"], &payload["command"], &payload["type"]];
    let name = names.into_iter().find_map(Value::as_str);
    name.unwrap_or(if payload["ssl_check"] == "1" { "ssl_check" } else { "raw" }).to_owned()
}

/// The workspace a payload speaks of.
fn team_of(payload: &Value) -> String {
    let teams = [
        &payload["authorizations"][0]["team_id"],
        &payload["team_id"],
        &payload["team"]["id"],
        &payload["user"]["team_id"],
    ];
    teams.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned()
}

fn actor_of(payload: &Value) -> Actor {
    let event = &payload["event"];
    // A changed or deleted message is told with its own author inside.
    let message = if event["message"].is_object() { &event["message"] } else { event };
    let first = |places: &[&Value]| places.iter().find_map(|place| place.as_str()).unwrap_or_default().to_owned();
    let is_message = matches!(event["type"].as_str(), Some("message" | "app_mention"));
    Actor {
        user: first(&[
            &message["user"],
            &event["previous_message"]["user"],
            &event["user"]["id"],
            &payload["user"]["id"],
            &payload["user_id"],
        ]),
        channel: first(&[
            &event["channel"],
            &event["channel"]["id"],
            &event["item"]["channel"],
            &payload["channel"]["id"],
            &payload["channel_id"],
            &payload["container"]["channel_id"],
        ]),
        ts: if is_message { first(&[&event["deleted_ts"], &message["ts"]]) } else { String::new() },
    }
}

/// The envelope around an event. What already is one keeps every id it has.
pub(crate) fn envelope(state: &State, body: &Value, team: Option<&str>) -> Value {
    let outer = ["event_callback", "url_verification", "app_rate_limited"];
    let mut envelope = if body["type"].as_str().is_some_and(|kind| outer.contains(&kind)) {
        body.clone()
    } else {
        let installed = team.and_then(|team| state.app_in(team));
        events::envelope(&installed.unwrap_or_else(|| state.app_of_first()), body.clone())
    };
    if envelope["type"] == "event_callback" {
        let now = state.now().as_secs();
        fill(&mut envelope, "event_id", || json!(mint::id("Ev", 10)));
        fill(&mut envelope, "event_time", || json!(now));
        fill(&mut envelope, "event_context", || json!(format!("4-{}", mint::opaque())));
    }
    if let Some(team) = team {
        // An org-wide install has no workspace, and so null stays null.
        for pointer in ["/team_id", "/context_team_id", "/authorizations/0/team_id", "/event/team"] {
            if let Some(value) = envelope.pointer_mut(pointer).filter(|value| !value.is_null()) {
                *value = json!(team);
            }
        }
    }
    envelope
}

fn fill(value: &mut Value, field: &str, make: impl FnOnce() -> Value) {
    if value[field].is_null() {
        value[field] = make();
    }
}

/// The form of a slash command: a published one with `given` over it.
fn command(state: &mut State, given: &Map<String, Value>, team: Option<&str>) -> String {
    let mut fields = published("command/order.form");
    let config = state.config.clone();
    fields["api_app_id"] = json!(config.app_id);
    fields["team_id"] = json!(team.unwrap_or(&config.team.id));
    fields["team_domain"] = json!(config.team.domain);
    for (name, value) in given {
        fields[name] = value.clone();
    }
    let (channel, user) = (fields["channel_id"].clone(), fields["user_id"].clone());
    let (channel, user) = (channel.as_str().unwrap_or_default(), user.as_str().unwrap_or_default());
    if !given.contains_key("trigger_id") {
        fields["trigger_id"] = json!(state.mint_trigger(user));
    }
    if !given.contains_key("response_url") {
        fields["response_url"] = json!(state.mint_response_url(channel, user, None));
    }
    form(&fields)
}

/// The fields of a command as a form, in Slack's own order, so that what one reads looks familiar.
fn form(fields: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    const ORDER: &[&str] = &[
        "token",
        "team_id",
        "team_domain",
        "enterprise_id",
        "enterprise_name",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    ];
    let mut form = form_urlencoded::Serializer::new(String::new());
    for name in ORDER.iter().filter(|name| fields.get(**name).is_some()) {
        form.append_pair(name, &text(&fields[*name]));
    }
    for (name, value) in fields.as_object().into_iter().flatten().filter(|(name, _)| !ORDER.contains(&name.as_str())) {
        form.append_pair(name, &text(value));
    }
    form.finish()
}

/// A payload with a fresh `trigger_id` and `response_url` where its type has them and it brings none.
fn interaction(state: &mut State, payload: &Value, team: Option<&str>) -> Value {
    let mut payload = payload.clone();
    let kind = payload["type"].as_str().unwrap_or_default().to_owned();
    let user = payload["user"]["id"].as_str().unwrap_or_default().to_owned();
    if matches!(kind.as_str(), "block_actions" | "view_submission" | "shortcut" | "message_action")
        && payload.get("trigger_id").is_none()
    {
        payload["trigger_id"] = json!(state.mint_trigger(&user));
    }
    if let Some(channel) = payload["channel"]["id"].as_str().map(str::to_owned)
        && matches!(kind.as_str(), "block_actions" | "message_action")
        && payload.get("response_url").is_none()
    {
        // Of an ephemeral message only the container tells.
        let origin = payload["message"]["ts"].as_str().or(payload["container"]["message_ts"].as_str());
        let origin = origin.map(str::to_owned);
        payload["response_url"] = json!(state.mint_response_url(&channel, &user, origin.as_deref()));
    }
    if let Some(team) = team {
        for pointer in ["/team/id", "/user/team_id", "/view/team_id", "/view/app_installed_team_id"] {
            if let Some(value) = payload.pointer_mut(pointer).filter(|value| !value.is_null()) {
                *value = json!(team);
            }
        }
    }
    payload
}

fn payload_form(json: &str) -> String {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", json).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::sync::Arc;

    fn prepared(request: &DeliveryRequest) -> (Prepared, Value) {
        let mut state = State::new(Arc::new(Config::default()));
        let prepared = prepare(&mut state, request).unwrap();
        let payload = payload_of(&prepared.content_type, &prepared.body);
        (prepared, payload)
    }

    #[test]
    fn an_inner_event_is_wrapped_in_an_envelope_of_the_published_shape() {
        let (prepared, payload) = prepared(&DeliveryRequest::event(json!({"type": "team_join"})));
        assert_eq!((prepared.name.as_str(), prepared.team.as_str()), ("team_join", "T0ACME001"));
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(fields(&payload), fields(&published("event/message.json")));
        assert_ne!(payload["event_id"], published("event/message.json")["event_id"]);
    }

    #[test]
    fn an_envelope_keeps_its_event_id_and_takes_another_team() {
        let request = DeliveryRequest::event(published("event/message.json")).team("T0LOUD001");
        let (prepared, payload) = prepared(&request);
        assert_eq!(payload["event_id"], published("event/message.json")["event_id"]);
        assert_eq!(prepared.team, "T0LOUD001");
        assert_eq!(payload["event"]["team"], "T0LOUD001");
    }

    #[test]
    fn a_text_goes_out_byte_for_byte() {
        let text = "{ \"type\":\"event_callback\",  \"x\":1.50 }";
        let (prepared, _) = prepared(&DeliveryRequest::event(json!(text)));
        assert_eq!(prepared.body, text);
    }

    #[test]
    fn a_command_has_the_fields_of_the_published_one_in_its_order() {
        let (prepared, payload) = prepared(&DeliveryRequest::command(json!({"text": "2 & ü"})));
        let names = |form: &[u8]| form_urlencoded::parse(form).map(|(name, _)| name.into_owned()).collect::<Vec<_>>();
        let sample = crate::published::SAMPLES.iter().find(|sample| sample.name == "command/order.form").unwrap();
        assert_eq!(names(&prepared.body), names(sample.text.as_bytes()));
        assert_eq!(payload["text"], "2 & ü");
        assert!(payload["response_url"].as_str().unwrap().starts_with("http://localhost:4000/response/"));
    }
}
