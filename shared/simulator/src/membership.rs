//! Who is in a channel: joining, being invited, leaving, and what Slack tells of it in the channel and to the app.
//! Sources: <https://docs.slack.dev/reference/events/member_joined_channel/>, <https://docs.slack.dev/reference/events/message/channel_join/>

use serde_json::{Value, json};

use crate::messages;
use crate::simulator::Refusal;
use crate::state::State;
use crate::workspace::{Channel, ChannelType};

fn channel_of(state: &State, channel: &str) -> Result<Channel, Refusal> {
    let found = state.workspace.channel(channel).cloned();
    let found = found.ok_or_else(|| Refusal(format!("there is no channel {channel}")))?;
    if found.channel_type == ChannelType::Im {
        return Err(Refusal("nobody joins or leaves direct messages".to_owned()));
    }
    Ok(found)
}

fn name_of(state: &State, user: &str) -> String {
    let person = state.workspace.person(user).map(|person| person.name.clone());
    person.unwrap_or_else(|| state.config.bot_name.clone())
}

/// `user` comes into a channel (by id), by themselves or invited.
///
/// # Errors
/// A sentence when Slack would not let them.
pub(crate) fn join(state: &mut State, user: &str, channel: &str, inviter: Option<&str>) -> Result<(), Refusal> {
    let channel = channel_of(state, channel)?;
    if channel.members.iter().any(|member| member == user) {
        return Err(Refusal(format!("{} is in #{} already", name_of(state, user), channel.name)));
    }
    if channel.channel_type == ChannelType::Group && inviter.is_none() {
        return Err(Refusal(format!("#{} is private: someone in it must invite", channel.name)));
    }
    state.workspace.set_member(&channel.id, user, true);
    let message = note(state, user, "channel_join", "has joined the channel", inviter);
    messages::post(state, &channel.id, message, None);
    let event = event(state, user, "member_joined_channel", &channel.id, inviter);
    state.emit_in(&channel.id, "member_joined_channel", event);
    Ok(())
}

/// `user` goes out of a channel (by id).
///
/// # Errors
/// A sentence when they are not in it.
pub(crate) fn leave(state: &mut State, user: &str, channel: &str) -> Result<(), Refusal> {
    let channel = channel_of(state, channel)?;
    if !channel.members.iter().any(|member| member == user) {
        return Err(Refusal(format!("{} is not in #{}", name_of(state, user), channel.name)));
    }
    let event = event(state, user, "member_left_channel", &channel.id, None);
    // Told while they are still in it: an app hears of its own leaving too.
    state.emit_in(&channel.id, "member_left_channel", event);
    state.workspace.set_member(&channel.id, user, false);
    let message = note(state, user, "channel_leave", "has left the channel", None);
    messages::post(state, &channel.id, message, None);
    Ok(())
}

/// The line everyone in the channel reads.
fn note(state: &mut State, user: &str, subtype: &str, words: &str, inviter: Option<&str>) -> Value {
    let mut message = json!({
        "type": "message", "subtype": subtype, "ts": state.next_ts(), "user": user, "text": format!("<@{user}> {words}"),
    });
    if let Some(inviter) = inviter {
        message["inviter"] = json!(inviter);
    }
    message
}

fn event(state: &mut State, user: &str, kind: &str, channel: &str, inviter: Option<&str>) -> Value {
    let known = state.workspace.channels.iter().find(|known| known.id == channel);
    let home = known.map(|known| state.home_of(user, known));
    // A letter of old: public and private channels alike have a C today.
    let mut event = json!({
        "type": kind, "user": user, "channel": channel, "channel_type": "C", "team": home,
        "event_ts": state.next_ts(),
    });
    if let Some(inviter) = inviter {
        event["inviter"] = json!(inviter);
    }
    event
}
