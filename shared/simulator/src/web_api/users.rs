//! Methods about people: `users.info`, `users.list`.
//! Sources: <https://docs.slack.dev/reference/methods/users.info/> and the page beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::caller::Caller;
use super::error::Answer;
use super::paging::Paging;
use crate::state::State;
use crate::workspace::Person;

/// Slack delivers everyone to those who ask for no size.
const PAGING: Paging = Paging { usual: 1_000, most: 1_000, is_strict: false, word: "user" };

/// Everyone, the app's own user last.
fn everyone(state: &State, caller: &Caller, is_known: impl Fn(&Person) -> bool) -> Vec<Person> {
    let app = &caller.app;
    let bot = Person {
        id: app.id.clone(),
        team: app.team.id.clone(),
        name: app.name.clone(),
        real_name: app.name.clone(),
        is_admin: false,
        is_org_admin: false,
    };
    state.workspace().people.iter().filter(|person| is_known(person)).cloned().chain([bot]).collect()
}

fn object(caller: &Caller, person: &Person) -> Value {
    let app = &caller.app;
    let is_bot = person.id == app.id;
    let mut user = json!({
        "id": person.id, "team_id": person.team, "name": person.name, "deleted": false, "real_name": person.real_name,
        "tz": "Europe/London", "tz_label": "Greenwich Mean Time", "tz_offset": 0,
        "profile": {"real_name": person.real_name, "display_name": person.name, "team": person.team},
        "is_admin": person.is_admin, "is_owner": person.is_admin, "is_primary_owner": false, "is_restricted": false,
        "is_ultra_restricted": false, "is_bot": is_bot, "is_app_user": false, "updated": 1_795_500_000,
    });
    if is_bot {
        user["profile"]["bot_id"] = json!(app.bot_id);
        user["profile"]["api_app_id"] = json!(app.app_id);
    } else if caller.granted("users:read.email").is_ok() {
        user["profile"]["email"] = json!(format!("{}@example.com", person.name));
    }
    if !is_bot && !caller.teams.contains(&person.team) {
        // Met in a shared channel only.
        user["is_stranger"] = json!(true);
    }
    user
}

pub(super) fn info(state: &State, args: &Args) -> Answer {
    let caller = args.caller()?;
    let everyone = everyone(state, caller, |person| caller.knows(state, &person.id));
    let person = everyone.iter().find(|person| person.id == args.text("user")).ok_or("user_not_found")?;
    Ok(json!({"ok": true, "user": object(caller, person)}))
}

pub(super) fn list(state: &State, args: &Args) -> Answer {
    let caller = args.caller()?;
    let everyone = everyone(state, caller, |person| person.team == caller.app.team.id);
    let (page, next) = PAGING.page(args, &everyone, |person| &person.id)?;
    let members: Vec<_> = page.iter().map(|person| object(caller, person)).collect();
    Ok(json!({
        "ok": true, "members": members, "cache_ts": state.now().as_secs(), "response_metadata": {"next_cursor": next},
    }))
}
