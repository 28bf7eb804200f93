//! Methods about conversations as such: `conversations.open`, `info`, `list`, `members`. What was written in them is `history`'s.
//! Invariant: a private conversation the app is not in does not exist for it.
//! Sources: <https://docs.slack.dev/reference/methods/conversations.open/> and the pages beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
use super::methods::{granted, scope_of};
use super::paging::Paging;
use crate::state::State;
use crate::workspace::{Channel, ChannelType};

const LIST: Paging = Paging { usual: 100, most: 1_000, is_strict: true, word: "team" };
const MEMBERS: Paging = Paging { usual: 100, most: 1_000, is_strict: true, word: "user" };

/// People a group conversation has at most, without the one who opens it.
const OPEN_USERS: usize = 8;

/// The conversation with the id in `channel`, if the token may see it; `what` names the scope, `read` or `history`.
pub(super) fn visible(state: &State, args: &Args, what: &str) -> Result<Channel, ApiError> {
    let config = &state.config;
    let channels = &state.workspace().channels;
    let channel = channels.iter().find(|channel| channel.id == args.text("channel")).ok_or("channel_not_found")?;
    granted(config, &scope_of(channel.channel_type, what))?;
    if channel.channel_type != ChannelType::Channel && !channel.members.contains(&config.bot_user_id) {
        return Err("channel_not_found".into());
    }
    Ok(channel.clone())
}

fn object(state: &State, channel: &Channel) -> Value {
    let config = &state.config;
    let is = |kind| channel.channel_type == kind;
    let mut object = json!({
        "id": channel.id, "created": 1_795_400_000, "is_archived": channel.is_archived,
        "is_channel": is(ChannelType::Channel), "is_group": is(ChannelType::Group), "is_im": is(ChannelType::Im), "is_mpim": false,
        "is_private": !is(ChannelType::Channel), "is_org_shared": false, "context_team_id": config.team.id,
    });
    if is(ChannelType::Im) {
        object["user"] = json!(channel.name);
    } else {
        object["name"] = json!(channel.name);
        object["name_normalized"] = json!(channel.name);
        object["is_general"] = json!(channel.name == "general");
        object["is_member"] = json!(channel.members.contains(&config.bot_user_id));
        object["is_shared"] = json!(false);
        object["is_ext_shared"] = json!(false);
        object["topic"] = json!({"value": "", "creator": "", "last_set": 0});
        object["purpose"] = json!({"value": "", "creator": "", "last_set": 0});
    }
    object
}

pub(super) fn info(state: &State, args: &Args) -> Answer {
    args.require(&["channel"])?;
    let channel = visible(state, args, "read")?;
    let mut object = object(state, &channel);
    if args.is("include_num_members") {
        object["num_members"] = json!(channel.members.len());
    }
    Ok(json!({"ok": true, "channel": object}))
}

pub(super) fn list(state: &State, args: &Args) -> Answer {
    let types = if args.has("types") { args.text("types") } else { "public_channel" };
    let mut kinds = Vec::new();
    for kind in types.split(',').map(str::trim) {
        match kind {
            "public_channel" => kinds.push(ChannelType::Channel),
            "private_channel" => kinds.push(ChannelType::Group),
            "im" => kinds.push(ChannelType::Im),
            // There are none here, and they too want their scope.
            "mpim" => granted(&state.config, "mpim:read")?,
            _ => return Err("invalid_types".into()),
        }
    }
    for kind in &kinds {
        granted(&state.config, &scope_of(*kind, "read"))?;
    }
    let is_listed = |channel: &&Channel| {
        kinds.contains(&channel.channel_type)
            && (channel.channel_type == ChannelType::Channel || channel.members.contains(&state.config.bot_user_id))
            && !(channel.is_archived && args.is("exclude_archived"))
    };
    let listed: Vec<_> = state.workspace().channels.iter().filter(is_listed).collect();
    let (page, next) = LIST.page(args, &listed, |channel| &channel.id)?;
    let channels: Vec<_> = page
        .iter()
        .map(|channel| {
            let mut object = object(state, channel);
            if channel.channel_type != ChannelType::Im {
                object["num_members"] = json!(channel.members.len());
            }
            object
        })
        .collect();
    Ok(json!({"ok": true, "channels": channels, "response_metadata": {"next_cursor": next}}))
}

pub(super) fn members(state: &State, args: &Args) -> Answer {
    args.require(&["channel"])?;
    let channel = visible(state, args, "read")?;
    let (page, next) = MEMBERS.page(args, &channel.members, |member| member)?;
    Ok(json!({"ok": true, "members": page, "response_metadata": {"next_cursor": next}}))
}

pub(super) fn open(state: &mut State, args: &mut Args) -> Answer {
    let (channel, is_new) = match (args.text("channel"), args.text("users")) {
        ("", "") => return Err("users_list_not_supplied".into()),
        ("", users) => {
            let users: Vec<String> = users.split(',').map(|user| user.trim().to_owned()).collect();
            opened(state, args, &users)?
        }
        (id, _) => {
            let channels = &state.workspace().channels;
            let channel = channels.iter().find(|channel| channel.id == id).ok_or("channel_not_found")?;
            if channel.channel_type != ChannelType::Im {
                return Err("method_not_supported_for_channel_type".into());
            }
            (channel.clone(), false)
        }
    };
    let shown = if args.is("return_im") { object(state, &channel) } else { json!({"id": channel.id}) };
    let mut answer = json!({"ok": true, "channel": shown});
    if !is_new {
        answer["no_op"] = json!(true);
        answer["already_open"] = json!(true);
    }
    Ok(answer)
}

/// The direct messages with `users`, and whether they are new.
fn opened(state: &mut State, args: &mut Args, users: &[String]) -> Result<(Channel, bool), ApiError> {
    if users.len() > OPEN_USERS {
        return Err("too_many_users".into());
    }
    if users.iter().any(|user| !state.workspace().people.iter().any(|person| person.id == *user)) {
        return Err("user_not_found".into());
    }
    let [user] = users else {
        args.remark("this simulated Slack has no group direct messages yet");
        return Err("method_not_supported_for_channel_type".into());
    };
    let is_im = |channel: &&Channel| channel.channel_type == ChannelType::Im && channel.name == *user;
    if let Some(channel) = state.workspace().channels.iter().find(is_im) {
        return Ok((channel.clone(), false));
    }
    if args.is("prevent_creation") {
        return Err("channel_not_found".into());
    }
    let bot = state.config.bot_user_id.clone();
    Ok((state.workspace.im(user, &bot), true))
}
