//! Methods about emoji beside messages: `reactions.add`, `reactions.remove`, `reactions.get`.
//! Sources: <https://docs.slack.dev/reference/methods/reactions.add/> and the pages beside it.

use serde_json::json;

use super::args::Args;
use super::chat::permalink_of;
use super::error::{Answer, ApiError};
use super::history::micros;
use crate::reactions;
use crate::state::State;

/// Channel and stamp of the message that is meant.
fn item(state: &State, args: &Args) -> Result<(String, String), ApiError> {
    if !args.has("channel") || !args.has("timestamp") {
        return Err("no_item_specified".into());
    }
    let ts = args.word("timestamp");
    if micros(&ts).is_none() {
        return Err("bad_timestamp".into());
    }
    let channel = args.caller()?.channel(state, args.text("channel"))?;
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
    let caller = args.caller()?;
    let known = caller.channel(state, &channel)?;
    if known.is_archived {
        return Err("is_archived".into());
    }
    if !caller.is_in(known) {
        return Err("not_in_channel".into());
    }
    Ok((channel, ts, args.text("name").to_owned()))
}

pub(super) fn add(state: &mut State, args: &Args) -> Answer {
    let (channel, ts, name) = place(state, args)?;
    let user = args.caller()?.user.clone();
    reactions::add(state, &user, &channel, &ts, &name)?;
    Ok(json!({"ok": true}))
}

pub(super) fn remove(state: &mut State, args: &Args) -> Answer {
    let (channel, ts, name) = place(state, args)?;
    let user = args.caller()?.user.clone();
    reactions::remove(state, &user, &channel, &ts, &name)?;
    Ok(json!({"ok": true}))
}

pub(super) fn get(state: &State, args: &Args) -> Answer {
    let (channel, ts) = item(state, args)?;
    let mut message = state.workspace().message(&channel, &ts).ok_or("message_not_found")?.body.clone();
    message["permalink"] = json!(permalink_of(state, &channel, &message));
    Ok(json!({"ok": true, "type": "message", "channel": channel, "message": message}))
}
