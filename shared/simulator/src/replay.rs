//! Deliveries sent again: the same bytes, edited ones, or the same with fresh ids. Sending itself is `deliver`'s matter.
//! Invariant: what is run anew has fresh ids wherever the app or Slack looks for one, so a modal really opens again.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deliver::Outgoing;
use crate::delivery::{Delivery, Kind, payload_of};
use crate::mask::mask;
use crate::mint;
use crate::prepare::{self, Prepared};
use crate::simulator::{Refusal, Simulator};
use crate::state::State;
use crate::threads;

/// How a delivery is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayMode {
    /// With fresh ids: the app takes it for something new.
    Rerun,
    /// With the same bytes, as Slack does: the app ought to know it.
    Redeliver,
    /// As it is, and not as a redelivery: the ids are those in the body.
    Edited,
}

/// What is sent again: the parts of a delivery, remembered or kept elsewhere.
#[derive(Clone)]
pub struct Original {
    /// The way it travels.
    pub kind: Kind,
    /// Its content type.
    pub content_type: String,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// Headers beside or instead of Slack's own.
    pub headers: Vec<(String, String)>,
    /// The id it was delivered under.
    pub replay_of: Option<String>,
}

impl From<&Delivery> for Original {
    fn from(delivery: &Delivery) -> Self {
        Self {
            kind: delivery.kind,
            content_type: delivery.content_type.clone(),
            body: delivery.body.clone(),
            headers: delivery.headers.clone(),
            replay_of: Some(delivery.id.clone()),
        }
    }
}

impl Simulator {
    /// Sends a remembered delivery again.
    ///
    /// # Errors
    /// If it is not remembered.
    pub async fn replay(&self, id: &str, mode: ReplayMode) -> Result<Vec<Delivery>, Refusal> {
        self.replay_body(self.original(id)?, mode).await
    }

    /// The parts of a remembered delivery.
    ///
    /// # Errors
    /// If it is not remembered.
    pub(crate) fn original(&self, id: &str) -> Result<Original, Refusal> {
        let found = self.read(|state| state.delivery(id).map(Original::from));
        found.ok_or_else(|| Refusal(format!("there is no delivery {id}")))
    }

    /// Sends a body again that need not be remembered.
    ///
    /// # Errors
    /// When a reset comes in between.
    pub async fn replay_body(&self, original: Original, mode: ReplayMode) -> Result<Vec<Delivery>, Refusal> {
        let Original { kind, content_type, mut body, mut headers, replay_of } = original;
        let payload = payload_of(&content_type, &body);
        if mode == ReplayMode::Rerun && payload.is_object() && kind != Kind::Raw {
            body = self.change(|state| Bytes::from(fresh(state, kind, payload)));
        }
        if mode == ReplayMode::Redeliver && kind == Kind::Event {
            for (name, value) in [("x-slack-retry-num", "1"), ("x-slack-retry-reason", "http_timeout")] {
                if !headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                    headers.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        let prepared = Prepared::of(&content_type, body);
        self.send_out(Outgoing { kind, prepared, headers, times: 1, replay_of }).await
    }

    /// Sends `text` instead of the body of `original`, signed anew: an event's JSON, a payload's JSON, or the fields of a command as JSON
    /// (each also as it travels). Secrets that are masked in `text` are those of the original. Ids are those in `text`; with `is_rerun`
    /// they are fresh.
    ///
    /// # Errors
    /// When a reset comes in between.
    pub async fn replay_edited(
        &self,
        original: Original,
        text: &str,
        is_rerun: bool,
    ) -> Result<Vec<Delivery>, Refusal> {
        let text = unmasked(text, &payload_of(&original.content_type, &original.body));
        let body = Bytes::from(prepare::as_it_travels(original.kind, &text));
        let mode = if is_rerun { ReplayMode::Rerun } else { ReplayMode::Edited };
        self.replay_body(Original { body, ..original }, mode).await
    }
}

/// `text` with the secrets of `original` where it shows them masked; byte for byte the same if it shows none.
fn unmasked(text: &str, original: &Value) -> String {
    fn restore(edited: &mut Value, original: &Value, masked: &Value) -> bool {
        match edited {
            Value::Object(fields) => fields
                .iter_mut()
                .map(|(name, value)| restore(value, &original[name.as_str()], &masked[name.as_str()]))
                .fold(false, |any, is_restored| any | is_restored),
            Value::Array(items) => items
                .iter_mut()
                .enumerate()
                .map(|(at, value)| restore(value, &original[at], &masked[at]))
                .fold(false, |any, is_restored| any | is_restored),
            Value::String(_) if *edited == *masked && *masked != *original => {
                *edited = original.clone();
                true
            }
            _ => false,
        }
    }
    let Ok(mut edited) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    if restore(&mut edited, original, &mask(original)) { edited.to_string() } else { text.to_owned() }
}

/// The body with new ids, as it travels.
fn fresh(state: &mut State, kind: Kind, mut payload: Value) -> String {
    match kind {
        Kind::Event => fresh_event(state, &mut payload),
        _ => fresh_interaction(state, &mut payload),
    }
    prepare::as_it_travels(kind, &payload.to_string())
}

/// Replaces what is there.
fn renew(place: Option<&mut Value>, make: impl FnOnce() -> Value) {
    if let Some(place) = place.filter(|place| !place.is_null()) {
        *place = make();
    }
}

fn fresh_event(state: &mut State, envelope: &mut Value) {
    let now = state.now();
    renew(envelope.get_mut("event_id"), || json!(mint::id("Ev", 10)));
    renew(envelope.get_mut("event_time"), || json!(now.as_secs()));
    renew(envelope.get_mut("event_context"), || json!(format!("4-{}", mint::opaque())));
    let Some(event) = envelope.get_mut("event").filter(|event| event.is_object()) else {
        return;
    };
    renew(event.get_mut("function_execution_id"), || json!(mint::id("Fx", 10)));
    renew(event.get_mut("event_ts"), || json!(state.next_ts()));
    match event["type"].as_str() {
        Some("message" | "app_mention") if event["subtype"].is_null() => write_again(state, event),
        Some("app_home_opened") => {
            let home = state.views.home(event["user"].as_str().unwrap_or_default());
            if let Some(home) = home.map(crate::views::View::with_state) {
                event["view"] = home;
            }
        }
        _ => {}
    }
}

/// A message is new only if someone writes it once more: so it stands in the channel a second time, and can be answered and reacted to.
fn write_again(state: &mut State, event: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (channel, ts) = (text(&event["channel"]), text(&event["ts"]));
    let Some(mut message) = state.workspace.message(&channel, &ts).map(|message| message.body.clone()) else {
        return;
    };
    let is_reply = threads::is_reply(&message);
    if let Some(fields) = message.as_object_mut() {
        let summary = threads::SUMMARY.iter().filter(|_| !is_reply);
        for field in summary.chain(&["reactions", "edited"]) {
            fields.remove(*field);
        }
    }
    let ts = json!(state.next_ts());
    for body in [&mut message, event] {
        renew(body.get_mut("ts"), || ts.clone());
        renew(body.get_mut("event_ts"), || ts.clone());
    }
    let client_msg_id = json!(uuid::Uuid::new_v4().to_string());
    for body in [&mut message, event] {
        renew(body.get_mut("client_msg_id"), || client_msg_id.clone());
    }
    state.workspace.post(&channel, message.clone(), None);
    threads::count(state, &channel, &message);
    state.tell_of(&channel, "posted", &message);
}

fn fresh_interaction(state: &mut State, payload: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // A command has its fields at the top, a payload in objects.
    let first = |one: &Value, other: &Value| if one.is_string() { text(one) } else { text(other) };
    let user = first(&payload["user_id"], &payload["user"]["id"]);
    let channel = first(&payload["channel_id"], &payload["channel"]["id"]);
    let origin = first(&payload["message"]["ts"], &payload["container"]["message_ts"]);
    renew(payload.get_mut("trigger_id"), || json!(state.mint_trigger(&user)));
    let origin = (!origin.is_empty()).then_some(origin);
    renew(payload.get_mut("response_url"), || json!(state.mint_response_url(&channel, &user, origin.as_deref())));
    for entry in payload.get_mut("response_urls").and_then(Value::as_array_mut).into_iter().flatten() {
        let channel = text(&entry["channel_id"]);
        renew(entry.get_mut("response_url"), || json!(state.mint_response_url(&channel, &user, None)));
    }
    renew(payload.get_mut("action_ts"), || json!(state.next_ts()));
    for action in payload.get_mut("actions").and_then(Value::as_array_mut).into_iter().flatten() {
        renew(action.get_mut("action_ts"), || json!(state.next_ts()));
    }
    if let Some(view) = payload.get_mut("view").filter(|view| view["hash"].is_string()) {
        // The hash of a view that is still there, so that the app may change it.
        let known = state.views.get(view["id"].as_str().unwrap_or_default()).map(|known| known.body["hash"].clone());
        view["hash"] = known.unwrap_or_else(|| json!(mint::view_hash(state.now())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::published::published;
    use std::sync::Arc;

    fn state() -> State {
        State::new(Arc::new(Config::default()))
    }

    #[test]
    fn an_event_run_anew_has_new_ids() {
        let event = published("event/function_executed.json");
        let mut fresh = event.clone();
        fresh_event(&mut state(), &mut fresh);
        for pointer in ["/event_id", "/event_context", "/event/function_execution_id", "/event/event_ts"] {
            assert_ne!(fresh.pointer(pointer), event.pointer(pointer), "{pointer}");
        }
        assert_eq!(fresh["event"]["inputs"], event["event"]["inputs"]);
    }

    #[test]
    fn an_interaction_run_anew_has_new_ids() {
        let mut state = state();
        let fresh = |state: &mut State, payload: &Value| {
            let mut fresh = payload.clone();
            fresh_interaction(state, &mut fresh);
            fresh
        };
        let submission = published("interactive/view_submission.json");
        let again = fresh(&mut state, &submission);
        assert!(state.use_trigger(again["trigger_id"].as_str().unwrap()).is_ok());
        assert_ne!(again["view"]["hash"], submission["view"]["hash"]);
        let press = published("interactive/block_actions-message.json");
        let again = fresh(&mut state, &press);
        assert!(state.use_trigger(again["trigger_id"].as_str().unwrap()).is_ok());
        let url = again["response_url"].as_str().unwrap();
        let (channel, user, origin) = state.use_response_url(url.rsplit('/').next().unwrap()).unwrap();
        assert_eq!(json!(channel), press["channel"]["id"]);
        assert_eq!(json!(user), press["user"]["id"]);
        assert_eq!(json!(origin), press["message"]["ts"]);
        assert_ne!(again["actions"][0]["action_ts"], press["actions"][0]["action_ts"]);
        let suggestion = published("options/block_suggestion.json");
        assert_eq!(fresh(&mut state, &suggestion).get("trigger_id"), None);
    }

    #[test]
    fn an_edited_text_gets_its_secrets_back_and_else_stays_as_typed() {
        let original = json!({"token": "verification-token", "text": "hi", "list": [{"response_url": "http://x/response/0123456789abcdef"}]});
        let shown = mask(&original).to_string();
        assert!(shown.contains('…'));
        let edited = unmasked(&shown.replace("hi", "ho"), &original);
        let mut expected = original.clone();
        expected["text"] = json!("ho");
        assert_eq!(serde_json::from_str::<Value>(&edited).unwrap(), expected);
        for typed in ["{ \"text\": \"ho\",  \"x\":1.50 }", "no JSON", "{\"token\":\"…other\"}"] {
            assert_eq!(unmasked(typed, &original), typed);
        }
    }
}
