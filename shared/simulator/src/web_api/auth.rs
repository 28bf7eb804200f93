//! Methods about the token itself: `api.test`, `auth.test`.
//! Sources: <https://docs.slack.dev/reference/methods/auth.test/> and the page beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
use crate::state::State;

pub(super) fn api_test(args: &Args) -> Answer {
    if args.has("error") {
        let mut error = ApiError::named(args.text("error"));
        error.more.insert("args".to_owned(), Value::Object(args.fields.clone()));
        return Err(error);
    }
    Ok(json!({"ok": true, "args": args.fields}))
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
