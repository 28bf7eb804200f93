//! Views by method: `views.open`, `views.push`, `views.update`, `views.publish`.
//! What a view may be is in the crate's `views`. Sources: <https://docs.slack.dev/reference/methods/views.open/> and the pages beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
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
    let user = state.use_trigger(args.text("trigger_id"))?;
    put(state, &user, &view)
}

pub(super) fn push(state: &mut State, args: &mut Args) -> Answer {
    let view = checked(args, &["modal"])?;
    args.require(&["trigger_id"])?;
    let user = state.use_trigger(args.text("trigger_id"))?;
    if state.views.top(&user).is_none() {
        return Err("not_found".into());
    }
    put(state, &user, &view)
}

fn put(state: &mut State, user: &str, view: &Value) -> Answer {
    let (now, config) = (state.now(), state.config.clone());
    let view = state.views.push(user, view, now, &config)?;
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
    let known = known.ok_or("not_found")?;
    check_hash(args, &known.body)?;
    if known.body["type"] != view["type"] {
        let message = "[ERROR] the type of a view cannot change [json-pointer:/view/type]".to_owned();
        return Err(ApiError::with_messages("invalid_arguments", vec![message]));
    }
    let (id, user) = (known.id().to_owned(), known.user.clone());
    let (now, config) = (state.now(), state.config.clone());
    let view = state.views.replace(&id, &view, now, &config).ok_or("not_found")?;
    state.notices.push(Notice::Views(user));
    Ok(json!({"ok": true, "view": view}))
}

pub(super) fn publish(state: &mut State, args: &mut Args) -> Answer {
    args.require(&["user_id"])?;
    let view = checked(args, &["home"])?;
    let user = args.text("user_id").to_owned();
    if !state.workspace().people.iter().any(|person| person.id == user) {
        return Err("user_not_found".into());
    }
    if let Some(home) = state.views.home(&user) {
        check_hash(args, &home.body)?;
    }
    let (now, config) = (state.now(), state.config.clone());
    let view = state.views.publish(&user, &view, now, &config);
    state.notices.push(Notice::Views(user));
    Ok(json!({"ok": true, "view": view}))
}

fn check_hash(args: &Args, known: &Value) -> Result<(), ApiError> {
    if args.has("hash") && known["hash"] != args.text("hash") { Err("hash_conflict".into()) } else { Ok(()) }
}
