//! What an operator or an admin does with an install: uninstalls it, takes its token back, makes its token due, gives it a
//! workspace of its organisation or takes one away. Slack's side ends first, and then sends the events of it, as in life.
//! Invariant: the app's own store is changed by the app alone, but for the time at which a token is due.

use super::super::replying::{Given, Trouble};
use super::sides::{Both, Standing};
use super::{PATH, sides, told};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, see};
use crate::stack::Stack;
use axum::extract::State as Shared;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::json;
use tack_local_aws::Clock;

/// A token with less than that left is renewed at its next use. The app's own figure is two hours.
const DUE_MS: u64 = 60 * 60 * 1_000;

/// `POST /console/installs`: `act` (`uninstall`, `revoke`, `rotate`, `grant_team`, `revoke_team`) and `id`.
pub(in crate::pages::console) async fn act(
    Shared(workbench): Shared<Workbench>,
    wants: Wants,
    given: Given,
) -> Response {
    let wants = given.reader(wants);
    let (act, id) = match &given {
        Given::Form(fields) => (fields.text("act"), fields.text("id")),
        Given::Json(json) => {
            let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
            (text("act"), text("id"))
        }
    };
    match (end(&workbench, &act, &id).await, wants) {
        (Err(trouble), wants) => trouble.answer(wants, PATH),
        (Ok(()), Wants::Html) => see(match &given {
            Given::Form(fields) if fields.get("back").is_some() => fields.back(),
            _ => PATH,
        }),
        (Ok(()), _) => told(&workbench, &sides::all(&workbench)),
    }
}

async fn end(workbench: &Workbench, act: &str, id: &str) -> Result<(), Trouble> {
    let slack = &workbench.simulator;
    let done = match act {
        "uninstall" => slack.uninstall(id).await.map(|_| ()),
        "revoke" => slack.revoke(id, None).await.map(|_| ()),
        "grant_team" => slack.grant_team(id).await.map(|_| ()),
        "revoke_team" => slack.revoke_team(id).await.map(|_| ()),
        "rotate" => return rotate(workbench, id).await,
        other => {
            let verbs = "uninstall, revoke, rotate, grant_team, revoke_team";
            return Err(Trouble::invalid(format!("there is no act `{other}`"), verbs));
        }
    };
    done.map_err(|refusal| Trouble::refused(refusal.0, ""))
}

/// Makes the stored token due, and lets the workers begin afresh, so that they see it: the next job renews it.
async fn rotate(workbench: &Workbench, id: &str) -> Result<(), Trouble> {
    let install = sides::all(workbench).into_iter().find(|install| install.id == id);
    let is_rotating = install.and_then(|install| install.stored?.expires_at_ms).is_some();
    if !is_rotating {
        return Err(Trouble::refused(format!("no token of {id} that expires is stored"), "Token rotation is off."));
    }
    let kind = if id.starts_with('E') { 'E' } else { 'T' };
    let key = json!({ "pk": { "S": format!("{kind}#{id}") }, "sk": { "S": "BOT" } });
    let due = Clock::system().now_ms() + DUE_MS;
    let stack = &workbench.stack;
    let changed = stack.set_number(Stack::INSTALLATIONS_TABLE, &key, "tex", due).await;
    changed.map_err(|error| Trouble::refused(error.to_string(), ""))?;
    for worker in [&stack.interactions, &stack.events] {
        worker.replace(worker.command()).await;
    }
    workbench.topics.changed("installs");
    Ok(())
}

/// What can be done with an install, as it stands.
pub(super) fn buttons(workbench: &Workbench, install: &Both, back: &str) -> Markup {
    let has_token = install.slack.as_ref().is_some_and(|slack| slack.bot_token.is_some());
    let rotates = install.stored.as_ref().is_some_and(|stored| stored.expires_at_ms.is_some()) && has_token;
    let is_gone = install.slack.is_none() || install.standing == Standing::Revoked;
    html! {
        form.row-actions method="post" action=(PATH) data-act {
            input type="hidden" name="back" value=(back);
            input type="hidden" name="id" value=(install.id);
            @if rotates { button name="act" value="rotate" data-testid="install-rotate" aria-label={ "Renew the token of " (install.name) " with the next event" } { "Rotate" } }
            @if has_token { button name="act" value="revoke" data-testid="install-revoke" aria-label={ "Revoke the bot token of " (install.name) } { "Revoke" } }
            @if install.slack.is_some() {
                button.danger name="act" value="uninstall" data-testid="install-uninstall" aria-label={ "Uninstall from " (install.name) } { "Uninstall" }
            }
            @if is_gone && workbench.stack.oauth.is_some() {
                a.button href={ (super::install_page(workbench)) } data-testid="install-again" aria-label={ "Install in " (install.name) " again" } { "Install again" }
            }
        }
    }
}
