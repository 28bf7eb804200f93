//! One install, both its sides: what Slack has, what the app stored, and where they differ.

use super::super::names::Names;
use super::super::nav::{Here, Page, page};
use super::super::replying::Trouble;
use super::flow::{moment, rotation};
use super::sides::{Both, Stored};
use super::{PATH, TOPICS, ending, scopes, sides, standing};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts};
use crate::pages::authorize::workspaces;
use crate::pages::person::Viewer;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;
use tack_simulator::InstallShown;

/// `GET /console/installs/{T… or E…}`.
pub(in crate::pages::console) async fn show(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<String>,
) -> Response {
    let Some(install) = sides::all(&workbench).into_iter().find(|install| install.id == id) else {
        let trouble =
            Trouble::not_found(format!("the app is not installed in `{id}`, and nothing is stored of it"), "");
        return trouble.answer(wants, PATH);
    };
    if wants != Wants::Html {
        return facts(StatusCode::OK, json!({ "install": install }));
    }
    let path = format!("{PATH}/{}", install.id);
    let main = html! {
        p.crumbs { a href=(PATH) { "Installs" } }
        h1 { (install.name) " " code { (install.id) } }
        p { (standing(&install)) }
        (ending::buttons(&workbench, &install, &path))
        (links(&workbench, &install))
        div.sides {
            (at_slack(&workbench, &install))
            (in_the_store(&workbench, &install))
        }
        @if install.is_organisation() { (organisation(&workbench, &install, &path)) }
    };
    let content = Page { here: Here::Installs, title: &install.name, path: &path, topics: TOPICS, main };
    page(&workbench, &viewer, StatusCode::OK, content)
}

fn links(workbench: &Workbench, install: &Both) -> Markup {
    let app = &workbench.simulator.config().app_id;
    html! {
        p.crumbs {
            @if !install.is_organisation() { a href={ "/app_redirect?app=" (app) "&team=" (install.id) } { "Open Slack there" } }
            a href={ "/console/deliveries?q=team%3A" (install.id) } { "Its deliveries" }
        }
    }
}

fn at_slack(workbench: &Workbench, install: &Both) -> Markup {
    let names = Names::of(&workbench.simulator);
    html! {
        section aria-labelledby="at-slack" data-testid="install-slack" {
            h2 #at-slack { "At Slack" }
            @match &install.slack {
                None => p.muted { "Not installed." },
                Some(slack) => {
                    dl.list {
                        div { dt { "Bot token" } dd { code data-testid="token-mask" { (slack.bot_token.as_deref().unwrap_or("none that works")) } } }
                        div { dt { "Rotation" } dd { (rotation(slack.expires_at_ms)) } }
                        div { dt { "The app's user" } dd { code { (slack.bot_user_id) } " " code { (slack.bot_id) } } }
                        div { dt { "Scopes" } dd { (scopes(install)) } }
                        div { dt { "Installed" } dd { "by " (names.name(&slack.installed_by)) ", " (moment(slack.installed_at_ms)) } }
                        @if let Some(webhook) = &slack.incoming_webhook { div { dt { "Incoming webhook" } dd { (names.name(&webhook.channel_id)) " " code { (webhook.url) } } } }
                    }
                    (granted(slack))
                    @for user in &slack.users {
                        h3 { (names.name(&user.user)) " " code { (user.user) } }
                        p { code data-testid="token-mask" { (user.token.as_deref().unwrap_or("none that works")) } " " span.muted { (user.scopes.join(", ")) } }
                    }
                }
            }
        }
    }
}

fn granted(slack: &InstallShown) -> Markup {
    html! { details { summary { "All scopes" } ul { @for scope in &slack.scopes { li { code { (scope) } } } } } }
}

fn in_the_store(workbench: &Workbench, install: &Both) -> Markup {
    let is_kept = workbench.stack.oauth.is_some();
    html! {
        section aria-labelledby="stored" data-testid="install-stored" {
            h2 #stored { "Stored by the app" }
            @match &install.stored {
                None if is_kept => p data-mood="warn" { span aria-hidden="true" { "⚠ " } "Not stored: the app does not know this install." },
                None => p.muted { "Nothing is stored in this run: the token is " code { "SLACK_BOT_TOKEN" } "." },
                Some(stored) => (rows(stored, &Names::of(&workbench.simulator))),
            }
        }
    }
}

fn rows(stored: &Stored, names: &Names) -> Markup {
    let token = |has_token: bool| if has_token { "encrypted, bound to this row" } else { "none" };
    html! {
        dl.list {
            div { dt { "Token" } dd { (token(stored.has_token)) } }
            div { dt { "Token's version" } dd { (stored.version) } }
            div { dt { "Rotation" } dd { (rotation(stored.expires_at_ms)) @if stored.leased_until_ms.is_some() { span.muted { ", last renewed under a lease" } } } }
            div { dt { "Scopes" } dd { (stored.scopes.len()) } }
            div { dt { "Installed" } dd { "by " (names.name(&stored.installer)) ", " (moment(stored.installed_at_ms)) } }
            @if let Some(channel) = &stored.webhook_channel { div { dt { "Incoming webhook" } dd { (channel) ", its URL encrypted" } } }
            @if let Some(gone) = &stored.gone {
                div { dt { "Gone" } dd { (gone.why) ", " (moment(gone.at_ms)) @match gone.purge_at_ms { Some(at) => { "; to be purged " (moment(at)) } None => "; kept" } } }
            }
            @if !stored.former_ms.is_empty() { div { dt { "Installed before" } dd { @for at in &stored.former_ms { (moment(*at)) " " } } } }
            @for (team, is_granted) in &stored.access { div { dt { "Told of " code { (team) } } dd { (if *is_granted { "granted" } else { "taken away" }) } } }
        }
        @for user in &stored.users {
            h3 { (names.name(&user.user)) " " code { (user.user) } }
            p { (token(user.has_token)) " " span.muted { (user.scopes.join(", ")) } }
        }
    }
}

fn organisation(workbench: &Workbench, install: &Both, path: &str) -> Markup {
    let granted = install.slack.as_ref().map(|slack| slack.teams.clone()).unwrap_or_default();
    html! {
        section aria-labelledby="workspaces" {
            h2 #workspaces { "Workspaces of the organisation" }
            @if install.slack.is_some() { (workbench.simulator.read(|state| workspaces(state, &install.id, &granted, path))) }
            @else { p.muted { "The app is not installed there." } }
        }
    }
}
