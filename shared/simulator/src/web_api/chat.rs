//! Messages by method: `chat.postMessage`, `chat.postEphemeral`, `chat.update`, `chat.delete`.
//! What a message is made of is in `messages`. Sources: <https://docs.slack.dev/reference/methods/chat.postMessage/> and the pages beside it.

use serde_json::{Map, Value, json};

use super::{Answer, ApiError, Args, add_warning};
use crate::blocks;
use crate::messages;
use crate::state::State;
use crate::workspace::{Channel, ChannelType};

/// Characters of a text; more are cut off by `chat.postMessage` and refused by the other methods.
const TEXT: usize = 40_000;
/// Characters of `markdown_text`.
const MARKDOWN: usize = 12_000;
/// Most legacy attachments.
const ATTACHMENTS: usize = 100;

pub(super) fn post_message(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel"])?;
    let channel = writable(state, args.text("channel"))?;
    check_content(args)?;
    let mut warnings = Vec::new();
    if args.text("text").chars().count() > TEXT {
        let cut: String = args.text("text").chars().take(TEXT).collect();
        args.0.insert("text".to_owned(), json!(cut));
        warnings.push("message_truncated");
    }
    if !args.has("text") && !args.has("markdown_text") {
        warnings.push("missing_text_in_message");
    }
    let message = messages::app_message(state, &args.0);
    messages::post(state, &channel.id, &message, None);
    let mut answer = json!({"ok": true, "channel": channel.id, "ts": message["ts"], "message": message});
    for warning in warnings {
        add_warning(&mut answer, warning);
    }
    Ok(answer)
}

pub(super) fn post_ephemeral(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel", "user"])?;
    let channel = writable(state, args.text("channel"))?;
    let user = args.text("user").to_owned();
    if !channel.members.contains(&user) {
        return Err("user_not_in_channel".into());
    }
    check_content(args)?;
    check_length(args)?;
    let message = messages::app_message(state, &args.0);
    messages::post(state, &channel.id, &message, Some(&user));
    Ok(json!({"ok": true, "message_ts": message["ts"]}))
}

pub(super) fn update(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel", "ts"])?;
    let (channel, ts) = own_message(state, args, "cant_update_message")?;
    check_content(args)?;
    check_length(args)?;
    let message = messages::update(state, &channel, &ts, &args.0).ok_or("message_not_found")?;
    Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": message["text"], "message": message}))
}

pub(super) fn delete(state: &mut State, args: &Args) -> Answer {
    args.require(&["channel", "ts"])?;
    let (channel, ts) = own_message(state, args, "cant_delete_message")?;
    messages::delete(state, &channel, &ts).ok_or("message_not_found")?;
    Ok(json!({"ok": true, "channel": channel, "ts": ts}))
}

/// The channel the app may post in: by id, by name, or a person's direct messages.
fn writable(state: &mut State, id: &str) -> Result<Channel, ApiError> {
    let bot = state.config.bot_user_id.clone();
    let channel = state.workspace.channel_or_im(id, &bot).ok_or("channel_not_found")?;
    if !channel.members.contains(&bot) {
        let name = if channel.channel_type == ChannelType::Channel { "not_in_channel" } else { "channel_not_found" };
        return Err(name.into());
    }
    if channel.is_archived {
        return Err("is_archived".into());
    }
    Ok(channel)
}

/// Channel and stamp of a message the app may change. Ephemeral ones cannot be.
fn own_message(state: &State, args: &Args, refusal: &'static str) -> Result<(String, String), ApiError> {
    // A name is good enough to post, but not to change a message.
    let channels = &state.workspace().channels;
    let channel = channels.iter().find(|channel| channel.id == args.text("channel")).ok_or("channel_not_found")?;
    let message = state.workspace().message(&channel.id, args.text("ts"));
    let message = message.filter(|message| message.ephemeral_to.is_none()).ok_or("message_not_found")?;
    if message.body["app_id"] != json!(state.config.app_id) {
        return Err(refusal.into());
    }
    Ok((channel.id.clone(), message.ts().to_owned()))
}

fn check_length(args: &Args) -> Result<(), ApiError> {
    if args.text("text").chars().count() > TEXT { Err("msg_too_long".into()) } else { Ok(()) }
}

/// Refuses what Slack refuses in the content of a message, and turns `blocks` and `attachments` into JSON.
pub(super) fn check_content(args: &mut Args) -> Result<(), ApiError> {
    args.parse_json("blocks", "invalid_blocks_format")?;
    args.parse_json("attachments", "invalid_attachments")?;
    args.parse_json("metadata", "invalid_metadata_format")?;
    let length = |args: &Map<String, Value>, name: &str| args.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    if args.has("markdown_text") && (args.has("text") || args.has("blocks")) {
        return Err("markdown_text_conflict".into());
    }
    if args.text("markdown_text").chars().count() > MARKDOWN {
        return Err("msg_too_long".into());
    }
    if length(&args.0, "attachments") > ATTACHMENTS {
        return Err("too_many_attachments".into());
    }
    if args.has("blocks") {
        let list = &args.0["blocks"];
        if !list.is_array() {
            return Err("invalid_blocks_format".into());
        }
        let problems = blocks::problems(list, "/blocks", blocks::MESSAGE_BLOCKS);
        if !problems.is_empty() {
            return Err(ApiError::with_messages("invalid_blocks", problems));
        }
        if blocks::text_length(list) > blocks::MESSAGE_TEXT {
            return Err("msg_blocks_too_long".into());
        }
    }
    let has_list = |name| length(&args.0, name) > 0;
    if !args.has("text") && !args.has("markdown_text") && !has_list("blocks") && !has_list("attachments") {
        return Err("no_text".into());
    }
    Ok(())
}
