//! The page of an organisation's admins on which they choose the workspaces an org-wide app may work in. The app's install pages
//! send them here, for such an app is in no workspace at first.
//! Source: <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs/>

use crate::pages::Workbench;
use crate::pages::answer::html as answer;
use crate::pages::frame::bare;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use tack_simulator::State;

/// `GET /manage/{enterprise}/integrations/profile/{app}/workspaces/add`.
pub(super) async fn show(
    Shared(workbench): Shared<Workbench>,
    Path((enterprise, app)): Path<(String, String)>,
) -> Response {
    let (path, config) = (path(&enterprise, &app), workbench.simulator.config());
    let page = workbench.simulator.read(|state| {
        let known = state.workspace().organisation(&enterprise).filter(|_| config.app_id == app)?;
        Some(bare(&format!("Where {} may work in {}", config.bot_name, known.name), body(state, &enterprise, &path)))
    });
    match page {
        Some(page) => answer(StatusCode::OK, page),
        None => answer(
            StatusCode::NOT_FOUND,
            bare(
                "No such organisation",
                html! { p { "No organisation has this id, or this app is not the one that runs here." } p { a href="/console/installs" { "Installs" } } },
            ),
        ),
    }
}

/// The path of this page.
pub(in crate::pages) fn path(enterprise: &str, app: &str) -> String {
    format!("/manage/{enterprise}/integrations/profile/{app}/workspaces/add")
}

fn body(state: &State, enterprise: &str, path: &str) -> Markup {
    let installs = state.installs();
    let install = installs.iter().find(|install| install.id == enterprise);
    html! {
        p.muted { "This is the simulated Slack, as an admin of the organisation sees it." }
        @match install {
            None => p data-testid="empty-state" { "The app is not installed on this organisation." },
            Some(install) => {
                p { "An app on the whole organisation works only in the workspaces that it was given." }
                (workspaces(state, enterprise, &install.teams, path))
            }
        }
        p { a href={ "/console/installs/" (enterprise) } { "What was stored of it" } " · " a href="/" { "Slack" } }
    }
}

/// The workspaces of an organisation, each with the button that gives it to the app or takes it away.
pub(in crate::pages) fn workspaces(state: &State, enterprise: &str, granted: &[String], back: &str) -> Markup {
    let own = state.teams().iter().filter(|team| team.enterprise.as_deref() == Some(enterprise));
    html! {
        ul.workspaces {
            @for team in own {
                @let is_granted = granted.contains(&team.id);
                li data-testid="grant" data-id=(team.id) data-state=(if is_granted { "granted" } else { "not-granted" }) {
                    span { strong { (team.name) } " " code { (team.id) } " " @if is_granted { "✓ may work here" } @else { span.muted { "not given" } } }
                    form method="post" action="/console/installs" data-act {
                        input type="hidden" name="back" value=(back);
                        input type="hidden" name="id" value=(team.id);
                        @if is_granted {
                            button name="act" value="revoke_team" data-testid="grant-revoke" aria-label={ "Take " (team.name) " away" } { "Take away" }
                        } @else {
                            button.primary name="act" value="grant_team" data-testid="grant-team" aria-label={ "Add to " (team.name) } { "Add" }
                        }
                    }
                    @if is_granted { a href={ "/app_redirect?team=" (team.id) } { "Open Slack there" } }
                }
            }
        }
    }
}
