//! What an act causes: finds the element, view or channel a person means, changes what they see, and names what is to be sent.
//! Nothing is sent here.

use serde_json::{Value, json};

use super::Action;
use super::administer;
use super::fill::{Press, click, filled, find, submit};
use super::payload::{self, Surface};
use super::room;
use crate::delivery::Shown;
use crate::messages;
use crate::notices::PersonNotice;
use crate::prepare::DeliveryRequest;
use crate::simulator::Refusal;
use crate::state::{Notice, State};
use crate::views::View;

/// What an act makes of the state: things to send, or already the end.
pub(super) enum Caused {
    Requests(Vec<DeliveryRequest>),
    Said(Value, Vec<DeliveryRequest>),
    NotSent(Shown),
}

/// Does `action` for `user` and says what is to be sent.
pub(super) fn cause(state: &mut State, user: &str, action: &Action) -> Result<Caused, Refusal> {
    match action {
        Action::Command { channel, text } => {
            let channel = channel_of(state, user, channel)?;
            let fields = payload::command(state, user, &channel, text)?;
            let name = fields["command"].as_str().unwrap_or_default();
            if let Some(notice) = unknown_command(state, user, &channel, name) {
                let text = Some(notice.text.clone());
                state.tell(user, notice);
                return Ok(Caused::NotSent(Shown { text, ..Shown::only("not_sent") }));
            }
            Ok(Caused::Requests(vec![DeliveryRequest::command(fields)]))
        }
        Action::Click { channel, ts, view_id, block_id, action_id, value, values } => {
            let surface = surface_of(state, user, channel.as_deref(), ts.as_deref(), view_id.as_deref())?;
            let press = Press { block_id: block_id.as_deref(), action_id, value: value.as_ref(), values };
            click(state, user, &surface, &press)
        }
        Action::Suggest { channel, ts, view_id, block_id, action_id, value, values } => {
            let surface = surface_of(state, user, channel.as_deref(), ts.as_deref(), view_id.as_deref())?;
            let chosen = filled(state, user, &surface, values)?;
            surface.choose(state, user, chosen);
            let blocks = surface.blocks(state);
            let placed = find(&blocks, block_id.as_deref(), action_id)?;
            if !placed.kind().contains("external_select") {
                return Err(Refusal(format!("{action_id} is a {} and asks for no options", placed.kind())));
            }
            let payload = payload::suggestion(state, user, &surface, placed, value)?;
            Ok(Caused::Requests(vec![DeliveryRequest::options(payload)]))
        }
        Action::Submit { view_id, values } => submit(state, user, view_id.as_deref(), values),
        Action::Close { view_id } => close(state, user, view_id.as_deref()),
        Action::Shortcut { callback_id } => {
            let payload = payload::shortcut(state, user, callback_id)?;
            Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
        }
        Action::MessageShortcut { channel, ts, callback_id } => {
            let channel = channel_of(state, user, channel)?;
            let payload = payload::message_shortcut(state, user, &channel, ts, callback_id)?;
            Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
        }
        Action::Dismiss { channel, ts, delivery_id } => {
            dismiss(state, user, channel.as_deref(), ts.as_deref(), delivery_id.as_deref())
        }
        Action::Uninstall { .. } | Action::Revoke { .. } | Action::GrantTeam { .. } | Action::RevokeTeam { .. } => {
            administer::act(state, user, action).map(Caused::Requests)
        }
        Action::Say { .. }
        | Action::OpenHome { .. }
        | Action::Edit { .. }
        | Action::Delete { .. }
        | Action::React { .. }
        | Action::Unreact { .. }
        | Action::Join { .. }
        | Action::Leave { .. }
        | Action::InviteApp { .. }
        | Action::RemoveApp { .. } => room::act(state, user, action),
    }
}

/// What Slack tells of a command that no app has. None if the app has it, or if its commands are not known.
fn unknown_command(state: &State, user: &str, channel: &str, name: &str) -> Option<PersonNotice> {
    let why = match (&state.commands, state.app_before(user, channel)) {
        (_, None) => "the app is not installed in this workspace".to_owned(),
        (Some(known), _) if !known.iter().any(|command| command == name) => {
            let known = if known.is_empty() { "none for any command".to_owned() } else { known.join(", ") };
            format!("the app has no listener for {name}; it has {known}")
        }
        _ => return None,
    };
    Some(PersonNotice {
        at_ms: state.now_ms(),
        channel: channel.to_owned(),
        text: format!(
            "{name} is not a valid command. Slack takes whatever begins with “/” for a command; to send it as a message, put a space before it."
        ),
        delivery_id: String::new(),
        why,
    })
}

/// The id of a channel of the workspace of `user`, or of a person's direct messages with the app, opened if need be.
pub(super) fn channel_of(state: &mut State, user: &str, id_or_name: &str) -> Result<String, Refusal> {
    let teams = state.teams_of(user);
    if let Some(channel) = state.workspace.channel_in(&teams, id_or_name) {
        return Ok(channel.id.clone());
    }
    let person = state.workspace.person(id_or_name).filter(|person| teams.contains(&person.team));
    let person = person.ok_or_else(|| Refusal(format!("there is no channel {id_or_name}")))?.id.clone();
    let app = payload::app_before(state, &person, "")?;
    Ok(state.workspace.im(&person, &app.id).id)
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
        let channel = channel_of(state, user, channel)?;
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

/// The view a person may submit or close: a client waits for the answer to a submission first.
pub(super) fn idle_view_of(state: &State, user: &str, view_id: Option<&str>) -> Result<String, Refusal> {
    let id = view_of(state, user, view_id)?;
    if state.views.get(&id).is_some_and(View::is_being_submitted) {
        return Err(Refusal("this view is being submitted".to_owned()));
    }
    Ok(id)
}

/// Takes away what only this person sees: an ephemeral message, or a notice.
fn dismiss(
    state: &mut State,
    user: &str,
    channel: Option<&str>,
    ts: Option<&str>,
    delivery_id: Option<&str>,
) -> Result<Caused, Refusal> {
    // A notice about no delivery has an empty id, which names nothing.
    let delivery_id = delivery_id.filter(|id| !id.is_empty());
    let is_gone = match (channel, ts, delivery_id) {
        (Some(channel), Some(ts), _) => {
            let channel = channel_of(state, user, channel)?;
            let message = state.workspace.message(&channel, ts);
            let is_theirs = message.is_some_and(|message| message.ephemeral_to.as_deref() == Some(user));
            is_theirs && messages::delete(state, &channel, ts).is_some()
        }
        (_, _, Some(delivery_id)) => state.dismiss(user, delivery_id, None),
        (Some(channel), ..) => {
            let channel = channel_of(state, user, channel)?;
            state.dismiss(user, "", Some(&channel))
        }
        _ => return Err(Refusal("dismiss wants channel and ts, delivery_id, or channel".to_owned())),
    };
    if is_gone {
        Ok(Caused::Requests(Vec::new()))
    } else {
        Err(Refusal(format!("{user} sees nothing like that that could be dismissed")))
    }
}

fn close(state: &mut State, user: &str, view_id: Option<&str>) -> Result<Caused, Refusal> {
    let id = idle_view_of(state, user, view_id)?;
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
