//! How an app comes by its tokens: `oauth.v2.access` (a code, or a refresh token) and `oauth.v2.exchange`.
//! Who agreed to what is `install::consent`'s matter, the life of tokens `install::tokens`'. Invariant: a code makes one install.
//! Sources: <https://docs.slack.dev/reference/methods/oauth.v2.access/>, <https://docs.slack.dev/authentication/using-token-rotation/>

use serde_json::{Value, json};

use super::args::Args;
use super::error::{Answer, ApiError};
use crate::install::{Holder, Issued, LIFE, Target};
use crate::state::{Notice, State};

/// Refuses an app that does not prove who it is, by the header or by arguments.
pub(super) fn check_client(state: &State, args: &Args) -> Result<(), ApiError> {
    let given = || (args.text("client_id").to_owned(), args.text("client_secret").to_owned());
    let (id, secret) = args.client.clone().unwrap_or_else(given);
    if id != state.config.client_id {
        return Err("invalid_client_id".into());
    }
    if secret != state.config.client_secret {
        return Err("bad_client_secret".into());
    }
    Ok(())
}

pub(super) fn access(state: &mut State, args: &mut Args) -> Answer {
    check_client(state, args)?;
    match args.text("grant_type") {
        "" | "authorization_code" => with_code(state, args),
        "refresh_token" => {
            let (now, grace) = (state.now(), state.config.refresh_grace);
            let (target, holder, issued) = state.installs.tokens.refresh(args.text("refresh_token"), now, grace)?;
            state.notices.push(Notice::Installs);
            Ok(renewed(state, &target, &holder, &issued))
        }
        _ => Err("invalid_grant_type".into()),
    }
}

pub(super) fn exchange(state: &mut State, args: &mut Args) -> Answer {
    check_client(state, args)?;
    let token = args.token.clone();
    if token.is_empty() {
        return Err("not_authed".into());
    }
    let now = state.now();
    let problem = state.installs.tokens.find(&token).ok_or("invalid_auth")?.problem(now);
    if let Some(problem) = problem {
        return Err(problem.into());
    }
    if !state.config.token_rotation {
        return Err("token_rotation_not_enabled".into());
    }
    let (target, holder, issued) = state.installs.tokens.exchange(&token, now)?;
    state.notices.push(Notice::Installs);
    Ok(renewed(state, &target, &holder, &issued))
}

/// `{id, name}` of the workspace and the organisation of an install; null where there is none.
fn places(state: &State, target: &Target) -> (Value, Value) {
    let organisation = match target {
        Target::Workspace(id) => state.workspace.organisation_of(id),
        Target::Organisation(id) => state.workspace.organisation(id),
    };
    let team = state.workspace.team(target.id());
    (
        team.map_or(Value::Null, |team| json!({"id": team.id, "name": team.name})),
        organisation.map_or(Value::Null, |known| json!({"id": known.id, "name": known.name})),
    )
}

/// Writes a token, and what belongs to it, into an answer.
fn put(answer: &mut Value, issued: &Issued, kind: &str, scopes: &[String]) {
    answer["access_token"] = json!(issued.access);
    answer["token_type"] = json!(kind);
    answer["scope"] = json!(scopes.join(","));
    if let Some(refresh) = &issued.refresh {
        answer["refresh_token"] = json!(refresh);
        answer["expires_in"] = json!(LIFE.as_secs());
    }
}

/// The answer to a refresh, or to an exchange.
fn renewed(state: &State, target: &Target, holder: &Holder, issued: &Issued) -> Value {
    let install = state.installs.get(target);
    let (team, enterprise) = places(state, target);
    let mut answer = json!({
        "ok": true, "app_id": state.config.app_id, "team": team, "enterprise": enterprise,
        "is_enterprise_install": matches!(target, Target::Organisation(_)),
    });
    match holder {
        Holder::Bot => {
            let scopes = install.map(|install| install.scopes.clone()).unwrap_or_default();
            put(&mut answer, issued, "bot", &scopes);
            answer["bot_user_id"] = json!(crate::world::app_user(&state.config, target.id()).0);
        }
        Holder::Person(user) => {
            let scopes = install.and_then(|install| install.people.get(user).cloned()).unwrap_or_default();
            put(&mut answer, issued, "user", &scopes);
            answer["user_id"] = json!(user);
        }
    }
    answer
}

/// Exchanges a code: the app is installed by it.
fn with_code(state: &mut State, args: &Args) -> Answer {
    let (now, is_rotating) = (state.now(), state.config.token_rotation);
    let code = state.installs.codes.get_mut(args.text("code")).filter(|code| !code.is_used);
    let code = code.filter(|code| !code.is_expired(now)).ok_or("invalid_code")?;
    let given = args.text("redirect_uri");
    if code.redirect_uri.as_deref().unwrap_or_default() != given {
        return Err("bad_redirect_uri".into());
    }
    code.is_used = true;
    let (target, person) = (code.target.clone(), code.person.clone());
    let (scopes, user_scopes, channel) = (code.scopes.clone(), code.user_scopes.clone(), code.channel.clone());
    state.grant(&target, &person, &scopes, &user_scopes);
    let (team, enterprise) = places(state, &target);
    let mut answer = json!({
        "ok": true, "app_id": state.config.app_id, "authed_user": {"id": person}, "team": team, "enterprise": enterprise,
        "is_enterprise_install": matches!(target, Target::Organisation(_)),
    });
    if !scopes.is_empty() {
        let all = state.installs.get(&target).map(|install| install.scopes.clone()).unwrap_or_default();
        let issued = state.installs.tokens.issue(&target, &Holder::Bot, now, is_rotating);
        put(&mut answer, &issued, "bot", &all);
        answer["bot_user_id"] = json!(crate::world::app_user(&state.config, target.id()).0);
    }
    if !user_scopes.is_empty() {
        let holder = Holder::Person(person.clone());
        let all = state.installs.get(&target).and_then(|install| install.people.get(&person).cloned());
        let issued = state.installs.tokens.issue(&target, &holder, now, is_rotating);
        put(&mut answer["authed_user"], &issued, "user", &all.unwrap_or_default());
    }
    if let Some(channel) = channel {
        state.add_webhook(&target, &channel);
        let url = state.installs.get(&target).and_then(|install| install.webhook.as_ref()).map(|hook| hook.url.clone());
        let name = state.workspace.channel(&channel).map(|channel| channel.name.clone()).unwrap_or_default();
        answer["incoming_webhook"] = json!({
            "channel": format!("#{name}"), "channel_id": channel, "url": url,
            "configuration_url": format!("{}/services/{}", state.config.base_url, target.id()),
        });
    }
    state.notices.push(Notice::Installs);
    Ok(answer)
}
