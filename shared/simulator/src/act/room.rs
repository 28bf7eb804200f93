//! Acts that cause events: writing, changing, reacting, coming and going, opening the app. What the events say is made where they happen.
//! Invariant: whoever acts in a channel is in it.

use serde_json::Value;

use super::Action;
use super::cause::{Caused, channel_of};
use super::payload;
use crate::membership;
use crate::messages;
use crate::prepare::DeliveryRequest;
use crate::reactions;
use crate::simulator::Refusal;
use crate::state::State;
use crate::threads::{self, Root};

/// Does `action` and collects the events it causes.
pub(super) fn act(state: &mut State, user: &str, action: &Action) -> Result<Caused, Refusal> {
    let before = state.outbox.len();
    let said = perform(state, user, action)?;
    let events = state.outbox.drain(before..).map(DeliveryRequest::event).collect();
    Ok(match said {
        Some(message) => Caused::Said(message, events),
        None => Caused::Requests(events),
    })
}

/// Answers the message that was written, if it was one.
fn perform(state: &mut State, user: &str, action: &Action) -> Result<Option<Value>, Refusal> {
    match action {
        Action::Say { channel, text, thread_ts } => {
            let channel = own_channel(state, user, channel)?;
            if text.trim().is_empty() {
                return Err(Refusal("a message needs words: Slack's client sends no empty one".to_owned()));
            }
            let thread_ts = thread_ts.as_deref().map(|ts| first_of(state, &channel, ts)).transpose()?;
            return Ok(Some(messages::say(state, user, &channel, text, thread_ts.as_deref())));
        }
        Action::Edit { channel, ts, text } => {
            let channel = own_message(state, user, channel, ts)?;
            return Ok(messages::edit(state, user, &channel, ts, text));
        }
        Action::Delete { channel, ts } => {
            let channel = own_message(state, user, channel, ts)?;
            messages::delete(state, &channel, ts);
        }
        Action::React { channel, ts, name } | Action::Unreact { channel, ts, name } => {
            let channel = own_channel(state, user, channel)?;
            if !reactions::is_emoji(name) {
                return Err(Refusal(format!("{name} is no name of an emoji; it is written without colons")));
            }
            let is_seen = state.workspace.message(&channel, ts).is_some_and(|message| message.ephemeral_to.is_none());
            let done = match action {
                _ if !is_seen => Err("message_not_found"),
                Action::React { .. } => reactions::add(state, user, &channel, ts, name),
                _ => reactions::remove(state, user, &channel, ts, name),
            };
            done.map_err(|why| Refusal(format!("{user} cannot do this with {name} on {ts} in {channel}: {why}")))?;
        }
        Action::Join { channel } => {
            let channel = channel_of(state, user, channel)?;
            membership::join(state, user, &channel, None)?;
        }
        Action::Leave { channel } => {
            let channel = channel_of(state, user, channel)?;
            membership::leave(state, user, &channel)?;
        }
        Action::InviteApp { channel } => {
            let channel = own_channel(state, user, channel)?;
            let bot = payload::app_before(state, user, &channel)?.id;
            membership::join(state, &bot, &channel, Some(user))?;
        }
        Action::RemoveApp { channel } => {
            let channel = own_channel(state, user, channel)?;
            let bot = payload::app_before(state, user, &channel)?.id;
            membership::leave(state, &bot, &channel)?;
        }
        Action::OpenHome { tab } => {
            let tab = tab.as_deref().unwrap_or("home");
            if !["home", "messages", "about"].contains(&tab) {
                return Err(Refusal(format!("an app has the tabs home, messages and about, and no {tab}")));
            }
            let event = payload::home_opened(state, user, tab)?;
            state.emit_of(user, "app_home_opened", event);
        }
        other => return Err(Refusal(format!("{other:?} happens in no channel"))),
    }
    Ok(None)
}

/// The id of a channel this person is in.
fn own_channel(state: &mut State, user: &str, id_or_name: &str) -> Result<String, Refusal> {
    let id = channel_of(state, user, id_or_name)?;
    let is_member =
        state.workspace.channel(&id).is_some_and(|channel| channel.members.iter().any(|member| member == user));
    if is_member { Ok(id) } else { Err(Refusal(format!("{user} is not in {id_or_name}"))) }
}

/// The id of the channel a message of theirs stands in.
fn own_message(state: &mut State, user: &str, channel: &str, ts: &str) -> Result<String, Refusal> {
    let id = own_channel(state, user, channel)?;
    let message = state.workspace.message(&id, ts);
    let is_theirs = message.is_some_and(|message| message.body["user"] == user && message.body["subtype"].is_null());
    if is_theirs { Ok(id) } else { Err(Refusal(format!("{user} wrote no message {ts} in {channel}"))) }
}

/// The stamp replies to `ts` name.
fn first_of(state: &State, channel: &str, ts: &str) -> Result<String, Refusal> {
    match threads::root(state, channel, ts) {
        Root::First(first) | Root::OfReply(first) => Ok(first),
        Root::Unanswerable => Err(Refusal(format!("nobody can reply to {ts}"))),
        Root::Missing => Err(Refusal(format!("there is no message {ts} in {channel}"))),
    }
}
