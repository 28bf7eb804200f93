//! Methods about emoji beside messages: `reactions.add`, `reactions.remove`, `reactions.get`.
//! Sources: <https://docs.slack.dev/reference/methods/reactions.add/> and the pages beside it.

use serde_json::json;

use super::args::Args;
use super::chat::permalink_of;
use super::error::{Answer, ApiError};
use super::history::micros;
use crate::reactions;
use crate::state::State;
use crate::workspace::ChannelType;

/// Channel and stamp of the message that is meant.
fn item(state: &State, args: &Args) -> Result<(String, String), ApiError> {
    if !args.has("channel") || !args.has("timestamp") {
        return Err("no_item_specified".into());
    }
    let ts = args.word("timestamp");
    if micros(&ts).is_none() {
        return Err("bad_timestamp".into());
    }
    let channels = &state.workspace().channels;
    let channel = channels.iter().find(|channel| channel.id == args.text("channel")).ok_or("channel_not_found")?;
    let is_member = channel.members.contains(&state.config.bot_user_id);
    if channel.channel_type != ChannelType::Channel && !is_member {
        return Err("channel_not_found".into());
    }
    let message = state.workspace().message(&channel.id, &ts).filter(|message| message.ephemeral_to.is_none());
    let message = message.ok_or("message_not_found")?;
    Ok((channel.id.clone(), message.ts().to_owned()))
}

/// The message and the emoji that are meant, where the app may react.
fn place(state: &State, args: &Args) -> Result<(String, String, String), ApiError> {
    args.require(&["name"])?;
    // Slack's own clients write colons, and its API takes none.
    if !reactions::is_emoji(args.text("name")) {
        return Err("invalid_name".into());
    }
    let (channel, ts) = item(state, args)?;
    let known = state.workspace().channel(&channel);
    if known.is_some_and(|known| known.is_archived) {
        return Err("is_archived".into());
    }
    if !known.is_some_and(|known| known.members.contains(&state.config.bot_user_id)) {
        return Err("not_in_channel".into());
    }
    Ok((channel, ts, args.text("name").to_owned()))
}

pub(super) fn add(state: &mut State, args: &Args) -> Answer {
    let (channel, ts, name) = place(state, args)?;
    let bot = state.config.bot_user_id.clone();
    reactions::add(state, &bot, &channel, &ts, &name)?;
    Ok(json!({"ok": true}))
}

pub(super) fn remove(state: &mut State, args: &Args) -> Answer {
    let (channel, ts, name) = place(state, args)?;
    let bot = state.config.bot_user_id.clone();
    reactions::remove(state, &bot, &channel, &ts, &name)?;
    Ok(json!({"ok": true}))
}

pub(super) fn get(state: &State, args: &Args) -> Answer {
    let (channel, ts) = item(state, args)?;
    let mut message = state.workspace().message(&channel, &ts).ok_or("message_not_found")?.body.clone();
    message["permalink"] = json!(permalink_of(state, &channel, &message));
    Ok(json!({"ok": true, "type": "message", "channel": channel, "message": message}))
}
