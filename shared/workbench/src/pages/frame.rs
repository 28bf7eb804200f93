//! What every page has: the head, the top bar with who one is and how the build stands, and the bar for when `tack` is gone.

use super::Workbench;
use super::person::{Viewer, people_options};
use crate::reload::BuildState;
use maud::{DOCTYPE, Markup, html};

/// The two halves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Slack,
    Console,
}

/// What a page puts into the frame.
pub(super) struct Frame<'a> {
    pub(super) half: Half,
    /// For the tab of the browser.
    pub(super) title: &'a str,
    /// The path that forms come back to.
    pub(super) path: &'a str,
    /// Topics at whose change the page is fetched anew.
    pub(super) topics: &'a str,
    pub(super) body: Markup,
}

/// Frames a page.
pub(super) fn frame(workbench: &Workbench, viewer: &Viewer, page: &Frame<'_>) -> Markup {
    let Frame { half, title, path, topics, body } = page;
    let (people, team, me) = workbench.simulator.read(|state| {
        let (me, team) = (viewer.id(state), viewer.team(state));
        let name = state.workspace().team(&team).map(|team| team.name.clone()).unwrap_or_default();
        (people_options(state, &me), name, me)
    });
    let on = workbench.faults.on();
    document(
        title,
        html! {
            header.top data-testid="app-frame" {
                span.brand { "tack " small { "simulated Slack" } }
                nav aria-label="Halves" {
                    a href="/" data-testid="nav-slack" aria-current=[(*half == Half::Slack).then_some("page")] { "Slack" }
                    a href="/console/deliveries" data-testid="nav-console" aria-current=[(*half == Half::Console).then_some("page")] { "Console" }
                }
                span.muted data-testid="workspace" { (team) }
                span.space {}
                form method="post" action="/act/user" {
                    input type="hidden" name="back" value=(path);
                    label for="user-switch" { "You are" }
                    select #user-switch name="user" data-testid="user-switch" data-submit { (people) }
                    noscript { button { "Be this person" } }
                }
                @if on > 0 {
                    a.chip data-testid="fault-chip" data-state="bad" href="/console/faults" { "⚠ " (on) @if on == 1 { " fault on" } @else { " faults on" } }
                }
                (build_chip(&workbench.builds.state()))
                span.chip #live-chip data-testid="live-chip" data-state="ok" role="status" data-keep { span.sign aria-hidden="true" { "●" } " connected" }
                button.plain type="button" data-testid="theme-toggle" data-theme-toggle aria-label="Switch between light and dark" { "◐" }
            }
            div.bar #gone data-state="bad" role="alert" { strong { "tack stopped." } " Start it with " code { "cargo run" } "; this page stays readable and comes back by itself." }
            @if let BuildState::Broken { errors, .. } = workbench.builds.state() {
                div.bar data-state="bad" data-testid="build-bar" role="status" {
                    "The build is broken (" (errors.len()) @if errors.len() == 1 { " error" } @else { " errors" } "); the one before it keeps answering. "
                    a href="/console/app" { "See the error" }
                }
            }
            div.whole #page data-topics=(topics) data-path=(path) data-as=(me) { (body) }
        },
    )
}

/// A page without anything of the workbench, for what is wrong with the address itself.
pub(super) fn bare(title: &str, body: Markup) -> Markup {
    document(title, html! { main.page #main { h1 { (title) } (body) } })
}

fn document(title: &str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · tack, simulated Slack" }
                link rel="icon" href="/assets/icon.svg";
                link rel="stylesheet" href="/assets/tack.css";
                script src="/assets/tack.js" {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                (body)
            }
        }
    }
}

fn build_chip(state: &BuildState) -> Markup {
    let (sign, word, mood) = match state {
        BuildState::Live { build: 1, .. } => ("●", "live build".to_owned(), "ok"),
        BuildState::Live { build, .. } => ("●", format!("live build {build}"), "ok"),
        BuildState::Building { .. } => ("…", "building".to_owned(), "busy"),
        BuildState::Broken { errors, .. } => ("✗", format!("build failed ({})", errors.len()), "bad"),
        BuildState::DoesNotStart { .. } => ("✗", "build does not start".to_owned(), "bad"),
    };
    html! {
        a.chip data-testid="build-chip" data-state=(mood) href="/console/app" { span.sign aria-hidden="true" { (sign) } (word) }
    }
}
