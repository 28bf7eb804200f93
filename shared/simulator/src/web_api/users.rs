//! Methods about people: `users.info`, `users.list`.
//! Sources: <https://docs.slack.dev/reference/methods/users.info/> and the page beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::Answer;
use super::methods::granted;
use super::paging::Paging;
use crate::state::State;
use crate::workspace::Person;

/// Slack delivers everyone to those who ask for no size.
const PAGING: Paging = Paging { usual: 1_000, most: 1_000, is_strict: false, word: "user" };

/// Everyone, the app's own user last.
fn everyone(state: &State) -> Vec<Person> {
    let config = &state.config;
    let bot = Person {
        id: config.bot_user_id.clone(),
        name: config.bot_name.clone(),
        real_name: config.bot_name.clone(),
        is_admin: false,
    };
    state.workspace().people.iter().cloned().chain([bot]).collect()
}

fn object(state: &State, person: &Person) -> Value {
    let config = &state.config;
    let is_bot = person.id == config.bot_user_id;
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
    } else if granted(config, "users:read.email").is_ok() {
        user["profile"]["email"] = json!(format!("{}@example.com", person.name));
    }
    user
}

pub(super) fn info(state: &State, args: &Args) -> Answer {
    let everyone = everyone(state);
    let person = everyone.iter().find(|person| person.id == args.text("user")).ok_or("user_not_found")?;
    Ok(json!({"ok": true, "user": object(state, person)}))
}

pub(super) fn list(state: &State, args: &Args) -> Answer {
    let everyone = everyone(state);
    let (page, next) = PAGING.page(args, &everyone, |person| &person.id)?;
    let members: Vec<_> = page.iter().map(|person| object(state, person)).collect();
    Ok(json!({
        "ok": true, "members": members, "cache_ts": state.now().as_secs(), "response_metadata": {"next_cursor": next},
    }))
}
