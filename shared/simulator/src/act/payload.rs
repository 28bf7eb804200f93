//! The payloads that acts cause, each a published one with what is different now. Nothing is decided here.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/>

use serde_json::{Value, json};

use crate::attachments;
use crate::elements::{self, Placed, Values};
use crate::published::published;
use crate::simulator::Refusal;
use crate::state::State;
use crate::views::View;

/// Where elements are.
pub(super) enum Surface {
    Message { channel: String, ts: String },
    View(String),
}

impl Surface {
    pub(super) fn blocks(&self, state: &State) -> Value {
        match self {
            Self::Message { channel, ts } => {
                state.workspace.message(channel, ts).map(|message| message.blocks().into_owned())
            }
            Self::View(id) => state.views.get(id).map(|view| view.body["blocks"].clone()),
        }
        .unwrap_or_default()
    }

    /// What `user` chose so far.
    pub(super) fn chosen(&self, state: &State, user: &str) -> Values {
        match self {
            Self::Message { channel, ts } => {
                state.workspace.message(channel, ts).map(|message| message.hand(user).chosen.clone())
            }
            Self::View(id) => state.views.get(id).map(|view| view.chosen.clone()),
        }
        .unwrap_or_default()
    }

    pub(super) fn choose(&self, state: &mut State, user: &str, values: Values) {
        match self {
            Self::Message { channel, ts } => {
                if let Some(message) = state.workspace.message_mut(channel, ts) {
                    message.hand_mut(user).chosen = values;
                }
            }
            Self::View(id) => {
                if let Some(view) = state.views.get_mut(id) {
                    view.chosen = values;
                }
            }
        }
    }

    /// Writes where the element with this block and action id is into a payload, and takes away what the other kind of surface has.
    fn place(&self, state: &State, user: &str, key: &(String, String), payload: &mut Value) {
        for field in ["view", "message", "channel", "state", "response_url"] {
            if let Some(fields) = payload.as_object_mut() {
                fields.remove(field);
            }
        }
        match self {
            Self::View(id) => {
                payload["container"] = json!({"type": "view", "view_id": id});
                payload["view"] = state.views.get(id).map(View::with_state).unwrap_or_default();
            }
            Self::Message { channel, ts } => {
                let message = state.workspace.message(channel, ts);
                let is_ephemeral = message.is_some_and(|message| message.ephemeral_to.is_some());
                payload["container"] = json!({
                    "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": is_ephemeral,
                });
                payload["channel"] = state.channel_object(channel);
                if let Some(id) = message.and_then(|message| attachments::holding(&message.body, key)) {
                    payload["container"]["type"] = json!("message_attachment");
                    payload["container"]["attachment_id"] = id.clone();
                    // An app's unfurls are not simulated.
                    payload["container"]["is_app_unfurl"] = json!(false);
                }
                if let Some(message) = message {
                    payload["state"] = json!({"values": message.chosen_values(user)});
                    // Slack keeps no ephemeral message it could send along.
                    if !is_ephemeral {
                        payload["message"] = message.body.clone();
                    }
                }
            }
        }
    }
}

/// A published payload from `user` in this workspace.
fn from_user(state: &State, sample: &str, user: &str) -> Value {
    let mut payload = published(sample);
    let config = &state.config;
    let name = state.workspace.person(user).map(|person| person.name.clone()).unwrap_or_default();
    payload["team"] = json!({"id": config.team.id, "domain": config.team.domain});
    payload["user"]["id"] = json!(user);
    payload["user"]["team_id"] = json!(config.team.id);
    for field in ["username", "name"] {
        if payload["user"].get(field).is_some() {
            payload["user"][field] = json!(name);
        }
    }
    if payload.get("api_app_id").is_some() {
        payload["api_app_id"] = json!(config.app_id);
    }
    payload
}

pub(super) fn command(state: &State, user: &str, channel: &str, typed: &str) -> Result<Value, Refusal> {
    let typed = typed.trim();
    if !typed.starts_with('/') {
        return Err(Refusal(format!("a slash command starts with /, unlike {typed}")));
    }
    let (command, text) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let name = state.workspace.person(user).map(|person| person.name.clone());
    Ok(json!({
        "command": command,
        "text": text.trim(),
        "user_id": user,
        "user_name": name,
        "channel_id": channel,
        "channel_name": state.channel_object(channel)["name"],
    }))
}

pub(super) fn block_actions(state: &mut State, user: &str, surface: &Surface, action: &Value) -> Value {
    let mut payload = from_user(state, "interactive/block_actions-message.json", user);
    let id = |field: &str| action[field].as_str().unwrap_or_default().to_owned();
    surface.place(state, user, &(id("block_id"), id("action_id")), &mut payload);
    payload["actions"] = json!([action]);
    payload["trigger_id"] = json!(state.mint_trigger(user));
    if let Surface::Message { channel, ts } = surface {
        payload["response_url"] = json!(state.mint_response_url(channel, user, Some(ts)));
    }
    payload
}

pub(super) fn suggestion(state: &State, user: &str, surface: &Surface, placed: Placed<'_>, typed: &str) -> Value {
    let mut payload = from_user(state, "options/block_suggestion.json", user);
    surface.place(state, user, &placed.key(), &mut payload);
    payload["action_id"] = json!(placed.action_id());
    payload["block_id"] = json!(placed.block_id());
    payload["value"] = json!(typed);
    payload
}

pub(super) fn submission(state: &mut State, user: &str, view_id: &str) -> Value {
    let mut payload = from_user(state, "interactive/view_submission.json", user);
    let view = state.views.get(view_id).map(View::with_state).unwrap_or_default();
    payload["trigger_id"] = json!(state.mint_trigger(user));
    payload["response_urls"] = response_urls(state, user, &view);
    payload["view"] = view;
    payload
}

/// One `response_url` for each conversation chosen where the app asked for it.
fn response_urls(state: &mut State, user: &str, view: &Value) -> Value {
    let mut urls = Vec::new();
    for placed in elements::placed(&view["blocks"]) {
        if placed.element["response_url_enabled"] != json!(true) {
            continue;
        }
        let chosen = &view["state"]["values"][placed.block_id()][placed.action_id()];
        let channel = chosen["selected_conversation"].as_str().or(chosen["selected_channel"].as_str());
        if let Some(channel) = channel {
            urls.push(json!({
                "block_id": placed.block_id(),
                "action_id": placed.action_id(),
                "channel_id": channel,
                "response_url": state.mint_response_url(channel, user, None),
            }));
        }
    }
    Value::Array(urls)
}

pub(super) fn view_closed(state: &State, user: &str, view: &View, is_cleared: bool) -> Value {
    let mut payload = from_user(state, "interactive/view_closed.json", user);
    payload["view"] = view.with_state();
    payload["is_cleared"] = json!(is_cleared);
    payload
}

pub(super) fn shortcut(state: &mut State, user: &str, callback_id: &str) -> Value {
    let mut payload = from_user(state, "interactive/shortcut.json", user);
    payload["callback_id"] = json!(callback_id);
    payload["action_ts"] = json!(state.next_ts());
    payload["trigger_id"] = json!(state.mint_trigger(user));
    payload
}

pub(super) fn message_shortcut(
    state: &mut State,
    user: &str,
    channel: &str,
    ts: &str,
    callback_id: &str,
) -> Result<Value, Refusal> {
    let message = state.workspace.message(channel, ts).filter(|message| message.ephemeral_to.is_none());
    let message = message.ok_or_else(|| Refusal(format!("there is no message {ts} in {channel}")))?.body.clone();
    let mut payload = from_user(state, "interactive/message_action.json", user);
    payload["callback_id"] = json!(callback_id);
    payload["channel"] = state.channel_object(channel);
    payload["message_ts"] = json!(ts);
    payload["message"] = message;
    payload["action_ts"] = json!(state.next_ts());
    payload["trigger_id"] = json!(state.mint_trigger(user));
    payload["response_url"] = json!(state.mint_response_url(channel, user, Some(ts)));
    Ok(payload)
}

pub(super) fn home_opened(state: &mut State, user: &str, tab: &str) -> Value {
    let bot = state.config.bot_user_id.clone();
    let mut event = published("event/app_home_opened.json")["event"].clone();
    event["user"] = json!(user);
    event["channel"] = json!(state.workspace.im(user, &bot).id);
    event["tab"] = json!(tab);
    event["event_ts"] = json!(state.next_ts());
    if let Some(view) = state.views.home(user).filter(|_| tab == "home") {
        event["view"] = view.with_state();
    }
    event
}
