//! Methods that only tell: `api.test`, `auth.test`, `users.info`, `conversations.info`.
//! Sources: <https://docs.slack.dev/reference/methods/auth.test/> and the pages beside it.

use serde_json::{Value, json};

use super::{Answer, ApiError, Args};
use crate::state::State;
use crate::workspace::{ChannelType, Person};

pub(super) fn api_test(args: &Args) -> Answer {
    if args.has("error") {
        let mut error = ApiError::named(args.text("error"));
        error.more.insert("args".to_owned(), Value::Object(args.0.clone()));
        return Err(error);
    }
    Ok(json!({"ok": true, "args": args.0}))
}

pub(super) fn auth_test(state: &State) -> Value {
    let config = &state.config;
    json!({
        "ok": true,
        "url": format!("https://{}.slack.com/", config.team.domain),
        "team": config.team.name,
        "user": config.bot_name,
        "team_id": config.team.id,
        "user_id": config.bot_user_id,
        "bot_id": config.bot_id,
        "is_enterprise_install": false,
    })
}

pub(super) fn users_info(state: &State, args: &Args) -> Answer {
    let config = &state.config;
    let id = args.text("user");
    let is_bot = id == config.bot_user_id;
    let bot = Person {
        id: config.bot_user_id.clone(),
        name: config.bot_name.clone(),
        real_name: config.bot_name.clone(),
        is_admin: false,
    };
    let person = if is_bot { Some(&bot) } else { state.workspace().people.iter().find(|person| person.id == id) };
    let person = person.ok_or("user_not_found")?;
    let mut user = json!({
        "id": person.id, "team_id": config.team.id, "name": person.name, "deleted": false, "real_name": person.real_name,
        "tz": "Europe/London", "tz_label": "Greenwich Mean Time", "tz_offset": 0,
        "profile": {"real_name": person.real_name, "display_name": person.name, "team": config.team.id},
        "is_admin": person.is_admin, "is_owner": person.is_admin, "is_primary_owner": false, "is_restricted": false,
        "is_ultra_restricted": false, "is_bot": is_bot, "is_app_user": false, "updated": 1_795_500_000,
    });
    if is_bot {
        user["profile"]["bot_id"] = json!(config.bot_id);
        user["profile"]["api_app_id"] = json!(config.app_id);
    } else if config.scopes.iter().any(|scope| scope == "users:read.email") {
        user["profile"]["email"] = json!(format!("{}@example.com", person.name));
    }
    Ok(json!({"ok": true, "user": user}))
}

pub(super) fn conversations_info(state: &State, args: &Args) -> Answer {
    let config = &state.config;
    let id = args.text("channel");
    let channel = state.workspace().channels.iter().find(|channel| channel.id == id).ok_or("channel_not_found")?;
    let is_member = channel.members.contains(&config.bot_user_id);
    let scope = match channel.channel_type {
        ChannelType::Channel => "channels:read",
        ChannelType::Group => "groups:read",
        ChannelType::Im => "im:read",
    };
    if !config.scopes.iter().any(|granted| granted == scope) {
        return Err(ApiError::missing_scope(scope, config));
    }
    // Private conversations do not exist for those outside.
    if channel.channel_type != ChannelType::Channel && !is_member {
        return Err("channel_not_found".into());
    }
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
        object["is_member"] = json!(is_member);
        object["is_shared"] = json!(false);
        object["is_ext_shared"] = json!(false);
        object["topic"] = json!({"value": "", "creator": "", "last_set": 0});
        object["purpose"] = json!({"value": "", "creator": "", "last_set": 0});
    }
    Ok(json!({"ok": true, "channel": object}))
}
