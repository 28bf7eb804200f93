//! Messages by method: `chat.postMessage`, `chat.postEphemeral`, `chat.update`, `chat.delete`, `chat.getPermalink`.
//! What a message is made of is in `messages`, what a thread is in `threads`. Sources: <https://docs.slack.dev/reference/methods/chat.postMessage/> and the pages beside it.

use serde_json::{Map, Value, json};

use super::args::Args;
use super::error::{Answer, ApiError, add_warning};
use super::history::micros;
use super::limits::Verdict;
use crate::blocks;
use crate::messages;
use crate::state::State;
use crate::threads::{self, Root};
use crate::workspace::{Channel, ChannelType};

/// Characters of a text; more are cut off by `chat.postMessage` and refused by the other methods.
const TEXT: usize = 40_000;
/// Characters of `markdown_text`.
const MARKDOWN: usize = 12_000;
/// Most legacy attachments.
const ATTACHMENTS: usize = 100;

pub(super) fn post_message(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel"])?;
    let channel = writable(state, args)?;
    check_content(args)?;
    check_thread(state, &channel.id, args)?;
    pace(state, &channel.id, args)?;
    let mut warnings = Vec::new();
    if args.text("text").chars().count() > TEXT {
        let cut: String = args.text("text").chars().take(TEXT).collect();
        args.fields.insert("text".to_owned(), json!(cut));
        warnings.push("message_truncated");
    }
    if !args.has("text") && !args.has("markdown_text") {
        warnings.push("missing_text_in_message");
    }
    let mut message = written(state, args)?;
    if args.is("reply_broadcast") && threads::is_reply(&message) {
        message["subtype"] = json!("thread_broadcast");
    }
    let message = messages::post(state, &channel.id, message, None);
    let mut answer = json!({"ok": true, "channel": channel.id, "ts": message["ts"], "message": message});
    for warning in warnings {
        add_warning(&mut answer, warning);
    }
    Ok(answer)
}

/// One message a second in a channel.
fn pace(state: &mut State, channel: &str, args: &mut Args) -> Result<(), ApiError> {
    let mode = state.config.rate_limits;
    match state.meter.post(mode, channel) {
        Verdict::Within => Ok(()),
        Verdict::Above(remark) => {
            args.remark(remark);
            Ok(())
        }
        Verdict::Refused(seconds) => Err(ApiError::limited("rate_limited", seconds)),
    }
}

/// Makes `thread_ts` that of a first message, and refuses what is none.
fn check_thread(state: &State, channel: &str, args: &mut Args) -> Result<(), ApiError> {
    if !args.has("thread_ts") {
        return Ok(());
    }
    let thread_ts = args.word("thread_ts");
    if !thread_ts.contains('.') || micros(&thread_ts).is_none() {
        let message = format!("[ERROR] {thread_ts} is not a valid thread_ts");
        return Err(ApiError::with_messages("invalid_thread_ts", vec![message]));
    }
    let first = match threads::root(state, channel, &thread_ts) {
        Root::First(first) => first,
        Root::OfReply(first) => {
            args.remark(format!("thread_ts {thread_ts} is that of a reply; Slack says to use its parent's, {first}"));
            first
        }
        Root::Unanswerable => return Err("cannot_reply_to_message".into()),
        Root::Missing => {
            args.remark(format!("there is no message {thread_ts}: Slack takes such a reply and shows it nowhere"));
            thread_ts
        }
    };
    args.fields.insert("thread_ts".to_owned(), json!(first));
    Ok(())
}

pub(super) fn post_ephemeral(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel", "user"])?;
    let channel = writable(state, args)?;
    let user = args.text("user").to_owned();
    if !channel.members.contains(&user) {
        return Err("user_not_in_channel".into());
    }
    check_content(args)?;
    check_length(args)?;
    check_thread(state, &channel.id, args)?;
    pace(state, &channel.id, args)?;
    let message = written(state, args)?;
    let message = messages::post(state, &channel.id, message, Some(&user));
    Ok(json!({"ok": true, "message_ts": message["ts"]}))
}

pub(super) fn update(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["channel", "ts"])?;
    let (channel, ts) = own_message(state, args, "cant_update_message")?;
    check_content(args)?;
    check_length(args)?;
    let user = args.caller()?.user.clone();
    let message = messages::update(state, &user, &channel, &ts, &args.fields).ok_or("message_not_found")?;
    Ok(json!({"ok": true, "channel": channel, "ts": ts, "text": message["text"], "message": message}))
}

pub(super) fn delete(state: &mut State, args: &Args) -> Answer {
    args.require(&["channel", "ts"])?;
    let (channel, ts) = own_message(state, args, "cant_delete_message")?;
    messages::delete(state, &channel, &ts).ok_or("message_not_found")?;
    Ok(json!({"ok": true, "channel": channel, "ts": ts}))
}

pub(super) fn permalink(state: &State, args: &Args) -> Answer {
    args.require(&["channel", "message_ts"])?;
    let channel = args.caller()?.channel(state, args.text("channel"))?;
    let message = state.workspace().message(&channel.id, &args.word("message_ts"));
    let message = message.filter(|message| message.ephemeral_to.is_none()).ok_or("message_not_found")?;
    Ok(json!({"ok": true, "channel": channel.id, "permalink": permalink_of(state, &channel.id, &message.body)}))
}

/// Where a message is seen: as in Slack, with the simulated one's address in front.
pub(super) fn permalink_of(state: &State, channel: &str, message: &Value) -> String {
    let ts = message["ts"].as_str().unwrap_or_default();
    let link = format!("{}/archives/{channel}/p{}", state.config.base_url, ts.replace('.', ""));
    match message["thread_ts"].as_str() {
        Some(first) if first != ts => format!("{link}?thread_ts={first}&cid={channel}"),
        _ => link,
    }
}

/// What the caller writes: the app, or the app for the person whose token it has.
fn written(state: &mut State, args: &Args) -> Result<Value, ApiError> {
    let caller = args.caller()?;
    let mut message = messages::app_message(state, &caller.app, &args.fields);
    message["user"] = json!(caller.user);
    Ok(message)
}

/// The channel the caller may post in: by id, by name, or a person's direct messages with the app.
fn writable(state: &mut State, args: &Args) -> Result<Channel, ApiError> {
    let (caller, id) = (args.caller()?, args.text("channel"));
    let known = state.workspace.channel_in(&caller.teams, id).cloned();
    let channel = match known {
        Some(channel) => channel,
        None if caller.knows(state, id) => state.workspace.im(id, &caller.app.id),
        None => {
            if let Some(foreign) = state.workspace.channels.iter().find(|channel| channel.id == id) {
                caller.reach(state, foreign)?;
            }
            return Err("channel_not_found".into());
        }
    };
    let is_public = channel.channel_type == ChannelType::Channel;
    let is_open = is_public && caller.granted("chat:write.public").is_ok();
    if !caller.is_in(&channel) && !is_open {
        let name = if is_public { "not_in_channel" } else { "channel_not_found" };
        return Err(name.into());
    }
    if channel.is_archived {
        return Err("is_archived".into());
    }
    Ok(channel)
}

/// Channel and stamp of a message the caller may change. Ephemeral ones cannot be.
fn own_message(state: &State, args: &Args, refusal: &'static str) -> Result<(String, String), ApiError> {
    // A name is good enough to post, but not to change a message.
    let caller = args.caller()?;
    let channels = &state.workspace().channels;
    let channel = channels.iter().find(|channel| channel.id == args.text("channel")).ok_or("channel_not_found")?;
    caller.reach(state, channel)?;
    let message = state.workspace().message(&channel.id, args.text("ts"));
    let message = message.filter(|message| message.ephemeral_to.is_none()).ok_or("message_not_found")?;
    if message.body["app_id"] != json!(caller.app.app_id) || message.body["user"] != json!(caller.user) {
        return Err(refusal.into());
    }
    Ok((channel.id.clone(), message.ts().to_owned()))
}

fn check_metadata(args: &Args) -> Result<(), ApiError> {
    let Some(metadata) = args.fields.get("metadata").filter(|metadata| !metadata.is_null()) else {
        return Ok(());
    };
    if !metadata.is_object() {
        return Err("invalid_metadata_format".into());
    }
    let is_event = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
    if is_event || metadata["entities"].is_array() { Ok(()) } else { Err("invalid_metadata_schema".into()) }
}

fn check_length(args: &Args) -> Result<(), ApiError> {
    if args.text("text").chars().count() > TEXT { Err("msg_too_long".into()) } else { Ok(()) }
}

/// Refuses what Slack refuses in the content of a message, and turns `blocks` and `attachments` into JSON.
pub(super) fn check_content(args: &mut Args) -> Result<(), ApiError> {
    args.parse_json("blocks", "invalid_blocks_format")?;
    args.parse_json("attachments", "invalid_attachments")?;
    args.parse_json("metadata", "invalid_metadata_format")?;
    check_metadata(args)?;
    let length = |args: &Map<String, Value>, name: &str| args.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    if args.has("markdown_text") && (args.has("text") || args.has("blocks")) {
        return Err("markdown_text_conflict".into());
    }
    if args.text("markdown_text").chars().count() > MARKDOWN {
        return Err("msg_too_long".into());
    }
    if length(&args.fields, "attachments") > ATTACHMENTS {
        return Err("too_many_attachments".into());
    }
    if args.has("blocks") {
        let list = &args.fields["blocks"];
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
    let has_list = |name| length(&args.fields, name) > 0;
    if !args.has("text") && !args.has("markdown_text") && !has_list("blocks") && !has_list("attachments") {
        return Err("no_text".into());
    }
    Ok(())
}
