//! Methods about conversations as such: `conversations.open`, `info`, `list`, `members`. What was written in them is `history`'s.
//! Invariant: a private conversation the app is not in does not exist for it.
//! Sources: <https://docs.slack.dev/reference/methods/conversations.open/> and the pages beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::caller::Caller;
use super::error::{Answer, ApiError};
use super::methods::scope_of;
use super::paging::Paging;
use crate::state::State;
use crate::workspace::{Channel, ChannelType};

const LIST: Paging = Paging { usual: 100, most: 1_000, is_strict: true, word: "team" };
const MEMBERS: Paging = Paging { usual: 100, most: 1_000, is_strict: true, word: "user" };

/// People a group conversation has at most, without the one who opens it.
const OPEN_USERS: usize = 8;

/// The conversation with the id in `channel`, if the token may see it; `what` names the scope, `read` or `history`.
pub(super) fn visible(state: &State, args: &Args, what: &str) -> Result<Channel, ApiError> {
    let caller = args.caller()?;
    let channels = &state.workspace().channels;
    let channel = channels.iter().find(|channel| channel.id == args.text("channel")).ok_or("channel_not_found")?;
    caller.reach(state, channel)?;
    caller.granted(&scope_of(channel.channel_type, what))?;
    caller.channel(state, &channel.id).cloned()
}

fn object(caller: &Caller, channel: &Channel) -> Value {
    let is = |kind| channel.channel_type == kind;
    let mut object = json!({
        "id": channel.id, "created": 1_795_400_000, "is_archived": channel.is_archived,
        "is_channel": is(ChannelType::Channel), "is_group": is(ChannelType::Group), "is_im": is(ChannelType::Im), "is_mpim": false,
        "is_private": !is(ChannelType::Channel), "is_org_shared": false, "context_team_id": caller.app.team.id,
    });
    if is(ChannelType::Im) {
        object["user"] = json!(channel.name);
    } else {
        object["name"] = json!(channel.name);
        object["name_normalized"] = json!(channel.name);
        object["is_general"] = json!(channel.name == "general");
        object["is_member"] = json!(caller.is_in(channel));
        object["is_shared"] = json!(channel.is_ext_shared());
        object["is_ext_shared"] = json!(channel.is_ext_shared());
        if channel.is_ext_shared() {
            object["shared_team_ids"] = json!(channel.teams().collect::<Vec<_>>());
        }
        object["topic"] = json!({"value": "", "creator": "", "last_set": 0});
        object["purpose"] = json!({"value": "", "creator": "", "last_set": 0});
    }
    object
}

pub(super) fn info(state: &State, args: &Args) -> Answer {
    args.require(&["channel"])?;
    let channel = visible(state, args, "read")?;
    let mut object = object(args.caller()?, &channel);
    if args.is("include_num_members") {
        object["num_members"] = json!(channel.members.len());
    }
    Ok(json!({"ok": true, "channel": object}))
}

pub(super) fn list(state: &State, args: &Args) -> Answer {
    let caller = args.caller()?;
    let asked = args.text("team_id").to_owned();
    // A workspace's own token has only one, whatever it asks for.
    let teams = if caller.app.is_org_wide() { vec![asked] } else { caller.teams.clone() };
    let types = if args.has("types") { args.text("types") } else { "public_channel" };
    let mut kinds = Vec::new();
    for kind in types.split(',').map(str::trim) {
        match kind {
            "public_channel" => kinds.push(ChannelType::Channel),
            "private_channel" => kinds.push(ChannelType::Group),
            "im" => kinds.push(ChannelType::Im),
            // There are none here, and they too want their scope.
            "mpim" => caller.granted("mpim:read")?,
            _ => return Err("invalid_types".into()),
        }
    }
    for kind in &kinds {
        caller.granted(&scope_of(*kind, "read"))?;
    }
    let is_listed = |channel: &&Channel| {
        kinds.contains(&channel.channel_type)
            && teams.iter().any(|team| channel.is_in(team))
            && (channel.channel_type == ChannelType::Channel || caller.is_in(channel))
            && !(channel.is_archived && args.is("exclude_archived"))
    };
    let listed: Vec<_> = state.workspace().channels.iter().filter(is_listed).collect();
    let (page, next) = LIST.page(args, &listed, |channel| &channel.id)?;
    let channels: Vec<_> = page
        .iter()
        .map(|channel| {
            let mut object = object(caller, channel);
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
            args.caller()?.reach(state, channel)?;
            if channel.channel_type != ChannelType::Im {
                return Err("method_not_supported_for_channel_type".into());
            }
            (channel.clone(), false)
        }
    };
    let shown = if args.is("return_im") { object(args.caller()?, &channel) } else { json!({"id": channel.id}) };
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
    let caller = args.caller()?.clone();
    if users.iter().any(|user| !caller.knows(state, user)) {
        return Err("user_not_found".into());
    }
    let [user] = users else {
        args.remark("this simulated Slack has no group direct messages yet");
        return Err("method_not_supported_for_channel_type".into());
    };
    let is_im = |channel: &&Channel| {
        channel.channel_type == ChannelType::Im && channel.name == *user && channel.has(&caller.app.id)
    };
    if let Some(channel) = state.workspace().channels.iter().find(is_im) {
        return Ok((channel.clone(), false));
    }
    if args.is("prevent_creation") {
        return Err("channel_not_found".into());
    }
    Ok((state.workspace.im(user, &caller.app.id), true))
}
