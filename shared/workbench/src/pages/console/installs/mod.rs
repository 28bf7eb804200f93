//! Where the app is installed: what Slack has of it and what the app stored, side by side, and how the last flow went.
//! What is done to an install is in `ending`, what a page shows of both sides in `sides`. Invariant: no token in clear and no
//! ciphertext reaches a page, and a flow is begun by the app's own pages only.

mod detail;
mod ending;
mod flow;
mod sides;

pub(super) use detail::show;
pub(super) use ending::act;

use super::names::table;
use super::nav::{Here, Page, page};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts, see};
use crate::pages::authorize::{WayBack, propose};
use crate::pages::person::Viewer;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;
use sides::{Both, Standing};

const PATH: &str = "/console/installs";
/// What these pages are fetched anew for. What the workers do with an install comes with deliveries.
const TOPICS: &str = "installs slack deliveries app faults";

/// `GET /console/installs`.
pub(super) async fn list(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    let installs = sides::all(&workbench);
    if wants != Wants::Html {
        return told(&workbench, &installs);
    }
    let has_flow = workbench.stack.oauth.is_some();
    let main = html! {
        h1 { "Installs" }
        @if has_flow {
            div.actions {
                a.button.primary href=(install_page(&workbench)) data-testid="install-start" { "Install as a new workspace" }
                p.muted { "The app's own page, " code { (install_page(&workbench)) } ": another site than this one, as in life." }
            }
        } @else { (one_workspace()) }
        @if installs.is_empty() {
            div.empty data-testid="empty-state" {
                p { "Not installed anywhere." }
                @if has_flow { p { a href=(install_page(&workbench)) { "Install" } " it, or see below how that ended the last time." } }
            }
        } @else { (rows(&workbench, &installs)) }
        (flow::last(&workbench.flows.all()))
        @if has_flow { (failures()) }
    };
    let content = Page { here: Here::Installs, title: "Installs", path: PATH, topics: TOPICS, main };
    page(&workbench, &viewer, StatusCode::OK, content)
}

/// `GET /console/installs/try/{way}`: on to the app's own pages; the consent page then proposes this way back.
pub(super) async fn begin(Shared(workbench): Shared<Workbench>, Path(way): Path<String>) -> Response {
    let Some(way) = WayBack::named(&way).filter(|_| workbench.stack.oauth.is_some()) else { return see(PATH) };
    let mut response = see(&format!("{}?direct=1", install_page(&workbench)));
    propose(&mut response, Some(way));
    response
}

fn told(workbench: &Workbench, installs: &[Both]) -> Response {
    let mode = if workbench.stack.oauth.is_some() { "installs" } else { "one_workspace" };
    facts(StatusCode::OK, json!({ "mode": mode, "installs": installs, "flow": workbench.flows.all() }))
}

/// The app's page with the button.
pub(in crate::pages) fn install_page(workbench: &Workbench) -> String {
    format!("{}/slack/install", workbench.addresses.app)
}

fn one_workspace() -> Markup {
    html! {
        p.warning data-testid="one-workspace" {
            span aria-hidden="true" { "⚠ " }
            "This run serves one workspace, with the token in " code { "SLACK_BOT_TOKEN" }
            ": nothing is stored, and there are no install pages. Start without that variable for installs of any workspace."
        }
    }
}

fn rows(workbench: &Workbench, installs: &[Both]) -> Markup {
    const COLUMNS: [&str; 6] = ["Where", "State", "Bot token", "Scopes", "Rotation", ""];
    table("Installs", &COLUMNS, &html! { @for install in installs { (row(workbench, install)) } })
}

fn row(workbench: &Workbench, install: &Both) -> Markup {
    let token = install.slack.as_ref().and_then(|slack| slack.bot_token.as_deref());
    html! {
        tr data-row data-testid="install-row" data-id=(install.id) data-state=(install.standing.word()) {
            td data-label="Where" {
                a href={ (PATH) "/" (install.id) } { (install.name) } " " code { (install.id) }
                @if install.is_organisation() { " " span.tag { "whole organisation" } }
            }
            td data-label="State" { (standing(install)) }
            td data-label="Bot token" { code data-testid="token-mask" { (token.unwrap_or("none")) } }
            td data-label="Scopes" { (scopes(install)) }
            td data-label="Rotation" { (flow::rotation(install.expires_at_ms())) }
            td { (ending::buttons(workbench, install, PATH)) }
        }
    }
}

/// How it stands, in a word and a sentence.
fn standing(install: &Both) -> Markup {
    let (word, mark, mood) = install.standing.shown();
    html! {
        span.outcome data-mood=(mood) data-testid="install-standing" { span aria-hidden="true" { (mark) " " } (word) }
        @if let Some(gone) = install.stored.as_ref().and_then(|stored| stored.gone.as_ref()).filter(|_| install.standing != Standing::Installed) {
            " " span.muted { (gone.why) @if let Some(at) = gone.purge_at_ms { ", to be purged " (flow::moment(at)) } }
        }
        @if install.is_organisation() {
            @if let Some(slack) = &install.slack { " " span.muted { "in " (slack.teams.len()) " of its workspaces" } }
        }
    }
}

fn scopes(install: &Both) -> Markup {
    let granted = install.granted().len();
    html! {
        @match install.missing_scopes.as_slice() {
            [] => (granted),
            missing => span data-mood="warn" data-testid="missing-scopes" {
                (granted) ", " span aria-hidden="true" { "⚠ " } "missing " @for scope in missing { code { (scope) } " " }
            },
        }
    }
}

/// What goes wrong in life, each to be tried.
fn failures() -> Markup {
    html! {
        section.group aria-labelledby="failures" {
            h2 #failures { "What can go wrong" }
            p.muted { "Each begins at the app's own page, as a person would; Slack's page then proposes to send you back this way." }
            ul.switches {
                @for way in WayBack::ALL.into_iter().filter(|way| *way != WayBack::Agreed) {
                    li {
                        a data-testid="install-try" data-id=(way.word()) href={ (PATH) "/try/" (way.word()) } { strong { (way.title()) } }
                        p.promise { (way.promise()) }
                    }
                }
            }
        }
    }
}
