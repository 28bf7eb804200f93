//! Methods about the token itself: `api.test`, `auth.test`, `auth.revoke`, `auth.teams.list`, `apps.uninstall`.
//! How a token is had is in `oauth`. Sources: <https://docs.slack.dev/reference/methods/auth.test/> and the pages beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
use super::oauth;
use super::paging::Paging;
use crate::install::{Holder, lifecycle};
use crate::state::{Notice, State};

const TEAMS: Paging = Paging { usual: 100, most: 1_000, is_strict: true, word: "team" };

pub(super) fn api_test(args: &Args) -> Answer {
    if args.has("error") {
        let mut error = ApiError::named(args.text("error"));
        error.more.insert("args".to_owned(), Value::Object(args.fields.clone()));
        return Err(error);
    }
    Ok(json!({"ok": true, "args": args.fields}))
}

pub(super) fn auth_test(state: &State, args: &Args) -> Answer {
    let caller = args.caller()?;
    let app = &caller.app;
    let person = state.workspace().people.iter().find(|person| person.id == caller.user);
    let mut answer = json!({
        "ok": true,
        "url": format!("https://{}.slack.com/", app.team.domain),
        "team": app.team.name,
        "user": person.map_or(&app.name, |person| &person.name),
        "team_id": app.team.id,
        "user_id": caller.user,
        "bot_id": app.bot_id,
        "is_enterprise_install": app.is_org_wide(),
    });
    if person.is_some()
        && let Some(fields) = answer.as_object_mut()
    {
        fields.remove("bot_id");
    }
    if let Some(organisation) = &app.organisation {
        answer["enterprise_id"] = json!(organisation.id);
        if app.is_org_wide() {
            answer["url"] = json!(format!("https://{}.enterprise.slack.com/", organisation.domain));
            answer["team"] = json!(organisation.name);
            answer["team_id"] = json!(organisation.id);
        }
    }
    Ok(answer)
}

pub(super) fn teams_list(state: &State, args: &Args) -> Answer {
    let caller = args.caller()?;
    let (page, next) = TEAMS.page(args, &caller.teams, |team| team)?;
    let teams = page.iter().filter_map(|id| state.workspace.team(id));
    let teams: Vec<_> = teams.map(|team| json!({"id": team.id, "name": team.name, "domain": team.domain})).collect();
    Ok(json!({"ok": true, "teams": teams, "response_metadata": {"next_cursor": next}}))
}

pub(super) fn revoke(state: &mut State, args: &mut Args) -> Answer {
    if args.is("test") {
        return Ok(json!({"ok": true, "revoked": false}));
    }
    let access = state.installs.tokens.find(&args.token).cloned().ok_or("invalid_auth")?;
    if access.expires_at.is_some() {
        // One of two that rotate: the app stays installed, and hears nothing of it.
        state.installs.tokens.revoke(&args.token);
        state.notices.push(Notice::Installs);
    } else {
        let events = match access.holder {
            Holder::Bot => lifecycle::ended(state, &access.target),
            Holder::Person(_) => lifecycle::revoke(state, &access.target, &access.holder).unwrap_or_default(),
        };
        state.outbox.extend(events.into_iter().map(|event| event.body));
        // The words for this token, whatever became of the rest.
        state.installs.tokens.revoke(&args.token);
    }
    Ok(json!({"ok": true, "revoked": true}))
}

pub(super) fn uninstall(state: &mut State, args: &mut Args) -> Answer {
    oauth::check_client(state, args)?;
    let target = args.caller()?.app.target.clone();
    let events = lifecycle::ended(state, &target);
    state.outbox.extend(events.into_iter().map(|event| event.body));
    Ok(json!({"ok": true}))
}
