//! The payloads that acts cause, each a published one with what is different now. Nothing is decided here.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/>

use serde_json::{Value, json};

use crate::attachments;
use crate::elements::{self, Placed, Values};
use crate::install::AppUser;
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
    /// The app whose surface it is, as `user` meets it.
    fn app(&self, state: &State, user: &str) -> Result<AppUser, Refusal> {
        let view = if let Self::View(id) = self { state.views.get(id) } else { None };
        // Of a modal opened in a shared channel the app is that of the other side.
        let installed = view.and_then(|view| view.body["app_installed_team_id"].as_str());
        match installed.and_then(|place| state.app_in(place)) {
            Some(app) => Ok(app),
            None => app_before(state, user, self.channel()),
        }
    }

    /// The id of the channel it is in, empty for none.
    fn channel(&self) -> &str {
        match self {
            Self::Message { channel, .. } => channel,
            Self::View(_) => "",
        }
    }

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

/// A published payload from `user` to the app as they meet it.
fn from_user(state: &State, sample: &str, user: &str, app: &AppUser) -> Value {
    let mut payload = published(sample);
    let person = state.workspace.person(user);
    let name = person.map(|person| person.name.clone()).unwrap_or_default();
    payload["team"] = json!({"id": app.team.id, "domain": app.team.domain});
    payload["user"]["id"] = json!(user);
    payload["user"]["team_id"] = json!(person.map(|person| &person.team));
    if let Some(organisation) = &app.organisation {
        payload["enterprise"] = json!({"id": organisation.id, "name": organisation.name});
        payload["is_enterprise_install"] = json!(app.is_org_wide());
    }
    if app.is_org_wide() {
        payload["team"] = Value::Null;
    }
    for field in ["username", "name"] {
        if payload["user"].get(field).is_some() {
            payload["user"][field] = json!(name);
        }
    }
    if payload.get("api_app_id").is_some() {
        payload["api_app_id"] = json!(app.app_id);
    }
    payload
}

/// The app as `user` meets it in a channel (an id) or on a surface of its own.
///
/// # Errors
/// Where it is not installed.
pub(super) fn app_before(state: &State, user: &str, channel: &str) -> Result<AppUser, Refusal> {
    state.app_before(user, channel).ok_or_else(|| {
        let team = state.workspace.person(user).and_then(|person| state.workspace.team(&person.team));
        let team = team.map(|team| team.name.clone()).unwrap_or_default();
        Refusal(format!("{} is not installed in {team}", state.config.bot_name))
    })
}

pub(super) fn command(state: &State, user: &str, channel: &str, typed: &str) -> Result<Value, Refusal> {
    let typed = typed.trim();
    if !typed.starts_with('/') {
        return Err(Refusal(format!("a slash command starts with /, unlike {typed}")));
    }
    let (command, text) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    let person = state.workspace.person(user);
    let name = person.map(|person| person.name.clone());
    let mut fields = json!({
        "command": command,
        "text": text.trim(),
        "user_id": user,
        "user_name": name,
        "channel_id": channel,
        "channel_name": state.channel_object(channel)["name"],
    });
    if let Some(team) = person.and_then(|person| state.workspace.team(&person.team)) {
        fields["team_id"] = json!(team.id);
        fields["team_domain"] = json!(team.domain);
    }
    let app = state.app_before(user, channel);
    if let Some(organisation) = app.as_ref().and_then(|app| app.organisation.as_ref()) {
        fields["enterprise_id"] = json!(organisation.id);
        fields["enterprise_name"] = json!(organisation.name);
        // A form knows no booleans.
        fields["is_enterprise_install"] = json!(app.as_ref().is_some_and(AppUser::is_org_wide).to_string());
    }
    Ok(fields)
}

pub(super) fn block_actions(
    state: &mut State,
    user: &str,
    surface: &Surface,
    action: &Value,
) -> Result<Value, Refusal> {
    let app = surface.app(state, user)?;
    let mut payload = from_user(state, "interactive/block_actions-message.json", user, &app);
    let id = |field: &str| action[field].as_str().unwrap_or_default().to_owned();
    surface.place(state, user, &(id("block_id"), id("action_id")), &mut payload);
    payload["actions"] = json!([action]);
    payload["trigger_id"] = json!(state.mint_trigger_in(user, surface.channel()));
    if let Surface::Message { channel, ts } = surface {
        payload["response_url"] = json!(state.mint_response_url(channel, user, Some(ts)));
    }
    Ok(payload)
}

pub(super) fn suggestion(
    state: &State,
    user: &str,
    surface: &Surface,
    placed: Placed<'_>,
    typed: &str,
) -> Result<Value, Refusal> {
    let app = surface.app(state, user)?;
    let mut payload = from_user(state, "options/block_suggestion.json", user, &app);
    surface.place(state, user, &placed.key(), &mut payload);
    payload["action_id"] = json!(placed.action_id());
    payload["block_id"] = json!(placed.block_id());
    payload["value"] = json!(typed);
    Ok(payload)
}

pub(super) fn submission(state: &mut State, user: &str, view_id: &str) -> Result<Value, Refusal> {
    let app = Surface::View(view_id.to_owned()).app(state, user)?;
    let mut payload = from_user(state, "interactive/view_submission.json", user, &app);
    let view = state.views.get(view_id).map(View::with_state).unwrap_or_default();
    payload["trigger_id"] = json!(state.mint_trigger(user));
    payload["response_urls"] = response_urls(state, user, &view);
    payload["view"] = view;
    Ok(payload)
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
    let app = state.app_before_or_first(user, "");
    let mut payload = from_user(state, "interactive/view_closed.json", user, &app);
    payload["view"] = view.with_state();
    payload["is_cleared"] = json!(is_cleared);
    payload
}

pub(super) fn shortcut(state: &mut State, user: &str, callback_id: &str) -> Result<Value, Refusal> {
    let app = app_before(state, user, "")?;
    let mut payload = from_user(state, "interactive/shortcut.json", user, &app);
    payload["callback_id"] = json!(callback_id);
    payload["action_ts"] = json!(state.next_ts());
    payload["trigger_id"] = json!(state.mint_trigger(user));
    Ok(payload)
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
    let app = app_before(state, user, channel)?;
    let mut payload = from_user(state, "interactive/message_action.json", user, &app);
    payload["callback_id"] = json!(callback_id);
    payload["channel"] = state.channel_object(channel);
    payload["message_ts"] = json!(ts);
    payload["message"] = message;
    payload["action_ts"] = json!(state.next_ts());
    payload["trigger_id"] = json!(state.mint_trigger_in(user, channel));
    payload["response_url"] = json!(state.mint_response_url(channel, user, Some(ts)));
    Ok(payload)
}

pub(super) fn home_opened(state: &mut State, user: &str, tab: &str) -> Result<Value, Refusal> {
    let bot = app_before(state, user, "")?.id;
    let mut event = published("event/app_home_opened.json")["event"].clone();
    event["user"] = json!(user);
    event["channel"] = json!(state.workspace.im(user, &bot).id);
    event["tab"] = json!(tab);
    event["event_ts"] = json!(state.next_ts());
    if let Some(view) = state.views.home(user).filter(|_| tab == "home") {
        event["view"] = view.with_state();
    }
    Ok(event)
}
