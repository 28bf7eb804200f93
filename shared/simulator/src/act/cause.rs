//! What an act causes: finds the element, view or channel a person means, changes what they see, and names what is to be sent.
//! Nothing is sent here.

use serde_json::{Map, Value, json};

use super::Action;
use super::payload::{self, Surface};
use crate::elements::{self, Placed};
use crate::messages;
use crate::prepare::DeliveryRequest;
use crate::simulator::Refusal;
use crate::state::{Notice, State};

/// What an act makes of the state: things to send, or already the end.
pub(super) enum Caused {
    Requests(Vec<DeliveryRequest>),
    Said(Value, Vec<DeliveryRequest>),
    NotSent(Map<String, Value>),
}

/// Does `action` for `user` and says what is to be sent.
pub(super) fn cause(state: &mut State, user: &str, action: &Action) -> Result<Caused, Refusal> {
    match action {
        Action::Say { channel, text, thread_ts } => {
            let channel = channel_of(state, channel)?;
            let before = state.outbox.len();
            let message = messages::say(state, user, &channel, text, thread_ts.as_deref());
            let events = state.outbox.drain(before..).map(DeliveryRequest::event).collect();
            Ok(Caused::Said(message, events))
        }
        Action::Command { channel, text } => {
            let channel = channel_of(state, channel)?;
            let fields = payload::command(state, user, &channel, text)?;
            Ok(Caused::Requests(vec![DeliveryRequest::command(fields)]))
        }
        Action::Click { channel, ts, view_id, action_id, value } => {
            let surface = surface_of(state, user, channel.as_deref(), ts.as_deref(), view_id.as_deref())?;
            click(state, user, &surface, action_id, value.as_ref())
        }
        Action::Suggest { channel, ts, view_id, action_id, value } => {
            let surface = surface_of(state, user, channel.as_deref(), ts.as_deref(), view_id.as_deref())?;
            let blocks = surface.blocks(state);
            let placed = find(&blocks, action_id)?;
            if !placed.kind().contains("external_select") {
                return Err(Refusal(format!("{action_id} is a {} and asks for no options", placed.kind())));
            }
            let payload = payload::suggestion(state, user, &surface, placed, value);
            Ok(Caused::Requests(vec![DeliveryRequest::options(payload)]))
        }
        Action::Submit { view_id, values } => submit(state, user, view_id.as_deref(), values),
        Action::Close { view_id } => close(state, user, view_id.as_deref()),
        Action::Shortcut { callback_id } => {
            let payload = payload::shortcut(state, user, callback_id);
            Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
        }
        Action::MessageShortcut { channel, ts, callback_id } => {
            let channel = channel_of(state, channel)?;
            let payload = payload::message_shortcut(state, user, &channel, ts, callback_id)?;
            Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
        }
        Action::OpenHome {} => {
            let before = state.outbox.len();
            let event = payload::home_opened(state, user);
            state.emit("app_home_opened", event);
            Ok(Caused::Requests(state.outbox.drain(before..).map(DeliveryRequest::event).collect()))
        }
    }
}

fn channel_of(state: &mut State, id_or_name: &str) -> Result<String, Refusal> {
    let bot = state.config.bot_user_id.clone();
    let person = state.workspace.person(id_or_name).map(|person| person.id.clone());
    let id = person.unwrap_or_else(|| id_or_name.to_owned());
    let channel = state.workspace.channel_or_im(&id, &bot);
    Ok(channel.ok_or_else(|| Refusal(format!("there is no channel {id_or_name}")))?.id)
}

/// Where an element is looked for.
fn surface_of(
    state: &mut State,
    user: &str,
    channel: Option<&str>,
    ts: Option<&str>,
    view_id: Option<&str>,
) -> Result<Surface, Refusal> {
    if let (Some(channel), Some(ts)) = (channel, ts) {
        let channel = channel_of(state, channel)?;
        let message = state.workspace.message(&channel, ts);
        let is_visible = message.is_some_and(|message| message.ephemeral_to.as_deref().is_none_or(|to| to == user));
        return if is_visible {
            Ok(Surface::Message { channel, ts: ts.to_owned() })
        } else {
            Err(Refusal(format!("there is no message {ts} that {user} sees in {channel}")))
        };
    }
    Ok(Surface::View(view_of(state, user, view_id)?))
}

fn view_of(state: &State, user: &str, view_id: Option<&str>) -> Result<String, Refusal> {
    let view = match view_id {
        Some(id) => state.views.get(id).filter(|view| view.user == user),
        None => state.views.top(user),
    };
    view.map(|view| view.id().to_owned()).ok_or_else(|| match view_id {
        Some(id) => Refusal(format!("{user} has no view {id}")),
        None => Refusal(format!("{user} has no modal open")),
    })
}

fn find<'a>(blocks: &'a Value, action_id: &str) -> Result<Placed<'a>, Refusal> {
    let all = elements::placed(blocks);
    let known: Vec<_> = all.iter().map(Placed::action_id).collect();
    all.into_iter()
        .find(|placed| placed.action_id() == action_id)
        .ok_or_else(|| Refusal(format!("there is no element {action_id} (there are: {})", known.join(", "))))
}

fn suggested(state: &State, user: &str, action_id: &str) -> Vec<Value> {
    state.suggested.get(&(user.to_owned(), action_id.to_owned())).cloned().unwrap_or_default()
}

fn click(
    state: &mut State,
    user: &str,
    surface: &Surface,
    action_id: &str,
    value: Option<&Value>,
) -> Result<Caused, Refusal> {
    let blocks = surface.blocks(state);
    let placed = find(&blocks, action_id)?;
    let options = suggested(state, user, action_id);
    let ts = state.next_ts();
    let action = elements::action(placed, value, &options, &ts).map_err(Refusal)?;
    if let Some((field, _)) = elements::value_fields(&placed.kind()) {
        surface.choose(state, placed.key(), action[field].clone());
    }
    // An element of an input block tells the app only when it is asked to.
    if placed.block["type"] == "input" && placed.block["dispatch_action"] != json!(true) {
        return Ok(Caused::Requests(Vec::new()));
    }
    let payload = payload::block_actions(state, user, surface, &action);
    Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
}

fn submit(
    state: &mut State,
    user: &str,
    view_id: Option<&str>,
    values: &Map<String, Value>,
) -> Result<Caused, Refusal> {
    let id = view_of(state, user, view_id)?;
    let view = state.views.get(&id).cloned().ok_or_else(|| Refusal(format!("there is no view {id}")))?;
    let blocks = &view.body["blocks"];
    let all = elements::placed(blocks);
    let mut chosen = view.chosen.clone();
    for (name, given) in values {
        let placed = all.iter().find(|placed| placed.block_id() == *name || placed.action_id() == *name);
        let Some(placed) = placed else {
            let known: Vec<_> = all.iter().map(Placed::action_id).collect();
            return Err(Refusal(format!("the view has no input {name} (there are: {})", known.join(", "))));
        };
        let options = suggested(state, user, &placed.action_id());
        chosen.insert(placed.key(), elements::chosen_value(placed.element, given, &options).map_err(Refusal)?);
    }
    let unfilled = elements::unfilled(blocks, &elements::state_values(blocks, &chosen));
    if let Some(view) = state.views.get_mut(&id) {
        view.chosen = chosen;
    }
    if !unfilled.is_empty() {
        return Ok(Caused::NotSent(unfilled));
    }
    let payload = payload::submission(state, user, &id);
    Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
}

fn close(state: &mut State, user: &str, view_id: Option<&str>) -> Result<Caused, Refusal> {
    let id = view_of(state, user, view_id)?;
    let view = state.views.get(&id).cloned().ok_or_else(|| Refusal(format!("there is no view {id}")))?;
    if view.body["type"] == "home" {
        return Err(Refusal("a Home tab cannot be closed".to_owned()));
    }
    let is_cleared = view.body["clear_on_close"] == json!(true);
    let closed = if is_cleared { state.views.clear(user) } else { vec![view] };
    state.views.close(&id);
    state.notices.push(Notice::Views(user.to_owned()));
    let mut requests = Vec::new();
    for view in closed.iter().filter(|view| view.body["notify_on_close"] == json!(true)) {
        requests.push(DeliveryRequest::interactive(payload::view_closed(state, user, view, is_cleared)));
    }
    Ok(Caused::Requests(requests))
}
