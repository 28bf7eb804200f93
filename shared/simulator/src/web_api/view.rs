//! Views by method: `views.open`, `views.push`, `views.update`, `views.publish`.
//! What a view may be is in the crate's `views`. Sources: <https://docs.slack.dev/reference/methods/views.open/> and the pages beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
use crate::install::AppUser;
use crate::state::{Notice, State};
use crate::views::{self, ViewRefusal};

/// The `view` argument, checked.
fn checked(args: &mut Args, kinds: &[&str]) -> Result<Value, ApiError> {
    args.require(&["view"])?;
    args.parse_json("view", "invalid_arguments")?;
    let view = args.fields.get("view").cloned().unwrap_or_default();
    views::check(&view, kinds).map_err(|refusal| match refusal {
        ViewRefusal::Invalid(messages) => ApiError::with_messages("invalid_arguments", messages),
        ViewRefusal::Named(name) => name.into(),
    })?;
    Ok(view)
}

pub(super) fn open(state: &mut State, args: &mut Args) -> Answer {
    let view = checked(args, &["modal"])?;
    args.require(&["trigger_id"])?;
    // A view that is refused leaves the trigger unused; a trigger that is refused leaves the view unseen.
    let user = state.use_trigger_of(args.text("trigger_id"), &args.caller()?.app.target)?;
    put(state, args, &user, &view)
}

pub(super) fn push(state: &mut State, args: &mut Args) -> Answer {
    let view = checked(args, &["modal"])?;
    args.require(&["trigger_id"])?;
    let user = state.use_trigger_of(args.text("trigger_id"), &args.caller()?.app.target)?;
    if state.views.top(&user).is_none() {
        return Err("not_found".into());
    }
    put(state, args, &user, &view)
}

fn put(state: &mut State, args: &Args, user: &str, view: &Value) -> Answer {
    let (now, app) = (state.now(), app_for(state, args, user)?);
    let view = state.views.push(user, view, now, &app)?;
    state.notices.push(Notice::Views(user.to_owned()));
    Ok(json!({"ok": true, "view": view}))
}

pub(super) fn update(state: &mut State, args: &mut Args) -> Answer {
    if !args.has("view_id") && !args.has("external_id") {
        args.require(&["view_id"])?;
    }
    let view = checked(args, &["modal", "home"])?;
    let known = match args.text("view_id") {
        "" => state.views.by_external_id(args.text("external_id")),
        id => state.views.get(id),
    };
    let own = args.caller()?.app.target.id();
    let known = known.filter(|view| view.body["app_installed_team_id"] == *own).ok_or("not_found")?;
    check_hash(args, &known.body)?;
    if known.body["type"] != view["type"] {
        let message = "[ERROR] the type of a view cannot change [json-pointer:/view/type]".to_owned();
        return Err(ApiError::with_messages("invalid_arguments", vec![message]));
    }
    let (id, user) = (known.id().to_owned(), known.user.clone());
    let (now, app) = (state.now(), app_for(state, args, &user)?);
    let view = state.views.replace(&id, &view, now, &app).ok_or("not_found")?;
    state.notices.push(Notice::Views(user));
    Ok(json!({"ok": true, "view": view}))
}

pub(super) fn publish(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["user_id"])?;
    let view = checked(args, &["home"])?;
    let user = args.text("user_id").to_owned();
    if !args.caller()?.knows(state, &user) {
        return Err("user_not_found".into());
    }
    if let Some(home) = state.views.home(&user) {
        check_hash(args, &home.body)?;
    }
    let (now, app) = (state.now(), app_for(state, args, &user)?);
    let view = state.views.publish(&user, &view, now, &app);
    state.notices.push(Notice::Views(user));
    Ok(json!({"ok": true, "view": view}))
}

/// The app where this person is, for an org-wide install has many workspaces.
fn app_for(state: &State, args: &Args, user: &str) -> Result<AppUser, ApiError> {
    let app = args.caller()?.app.clone();
    let home = state.workspace.person(user).and_then(|person| state.workspace.team(&person.team));
    Ok(match home.filter(|_| app.is_org_wide()) {
        Some(team) => AppUser { team: team.clone(), ..app },
        None => app,
    })
}

fn check_hash(args: &Args, known: &Value) -> Result<(), ApiError> {
    if args.has("hash") && known["hash"] != args.text("hash") { Err("hash_conflict".into()) } else { Ok(()) }
}
