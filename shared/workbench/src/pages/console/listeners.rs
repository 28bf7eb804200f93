//! What the running build listens to, and how one adds to it.

use super::names::{delivery_path, outcome, table};
use super::nav::{Here, Page, page};
use crate::history::{Filter, Query, Row};
use crate::listing::Listed;
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts};
use crate::pages::person::Viewer;
use crate::reload::BuildState;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;
use std::collections::HashMap;

/// The newest deliveries that are looked through for the last one of each job.
const LOOK_BACK: usize = 1_000;

/// `GET /console/listeners`.
pub(super) async fn show(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    let listeners = workbench.listing.known();
    if wants != Wants::Html {
        return facts(StatusCode::OK, json!({ "listeners": listeners }));
    }
    let main = html! {
        h1 { "Listeners" }
        @if !matches!(workbench.builds.state(), BuildState::Live { .. }) {
            p.warning { span aria-hidden="true" { "⚠ " } "These are of the build that answers now, which is not the newest code." }
        }
        @match listeners.as_deref() {
            None => div.empty data-testid="empty-state" { p { "Not known: these functions were built elsewhere." } },
            Some([]) => div.empty data-testid="empty-state" { p { "register() adds nothing yet. These lines add a command:" } },
            Some(listeners) => (list_of(listeners, &last(&workbench))),
        }
        (adding())
    };
    let content = Page {
        here: Here::Listeners,
        title: "Listeners",
        path: "/console/listeners",
        topics: "app deliveries faults",
        main,
    };
    page(&workbench, &viewer, StatusCode::OK, content)
}

/// The last delivery of each job.
fn last(workbench: &Workbench) -> HashMap<String, Row> {
    let query = Query { limit: Some(LOOK_BACK), ..Query::default() };
    let rows = Filter::parse(&query).map(|filter| workbench.history.rows(&filter).0).unwrap_or_default();
    let mut last = HashMap::new();
    for row in rows {
        for job in &row.jobs {
            if !last.contains_key(job) {
                last.insert(job.clone(), row.clone());
            }
        }
    }
    last
}

fn list_of(listeners: &[Listed], last: &HashMap<String, Row>) -> Markup {
    const COLUMNS: [&str; 6] = ["Kind", "Takes", "Ack", "Jobs", "Last delivery", "Registered at"];
    table("Listeners of the running build", &COLUMNS, &html! { @for listed in listeners { (line(listed, last)) } })
}

fn line(listed: &Listed, last: &HashMap<String, Row>) -> Markup {
    let newest = listed.jobs.iter().filter_map(|job| last.get(job)).max_by_key(|row| row.at_ms);
    html! {
        tr data-row data-testid="listener-row" data-kind=(listed.kind) {
            td data-label="Kind" { (listed.kind) }
            td data-label="Takes" { code { (listed.pattern) } }
            td data-label="Ack" { (if listed.acks { "its own" } else { "an empty 200" }) }
            td data-label="Jobs" {
                @if listed.jobs.is_empty() { "–" }
                @for job in &listed.jobs { a href=(of_listener(job)) { code { (job) } } " " }
            }
            td data-label="Last delivery" {
                @match newest {
                    Some(row) => { a href=(delivery_path(&row.id)) { code { (row.short) } } " " (outcome(row.outcome)) }
                    None => "–",
                }
            }
            td data-label="Registered at" { (if listed.place.is_empty() { "–" } else { &listed.place }) }
        }
    }
}

fn of_listener(job: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("listener", job).finish();
    format!("/console/deliveries?{query}")
}

/// Three places, and nothing else.
fn adding() -> Markup {
    html! {
        section aria-labelledby="adding" {
            h2 #adding { "Add one" }
            p { "A listener is a file, a line that names the file, and a line that registers it." }
            h3 { "The file: " code { "shared/listeners/src/commands/hello.rs" } }
            pre tabindex="0" role="group" aria-label="The file" { code { (FILE) } }
            h3 { "The line that names it: " code { "shared/listeners/src/commands/mod.rs" } }
            pre tabindex="0" role="group" aria-label="The line that names it" { code { "pub(crate) mod hello;" } }
            h3 { "The line that registers it, in " code { "register" } ": " code { "shared/listeners/src/lib.rs" } }
            pre tabindex="0" role="group" aria-label="The line that registers it" { code { "app.command(\"/hello\").lazy(\"hello.say\", commands::hello::say);" } }
            p { "Save: it is built and answers within seconds, and stands in the list above. Its name waits in queues: chosen once, never changed while work waits." }
            p { "What a real workspace has to know of it stands in " code { "infra/slack-manifest.json" } "." }
        }
    }
}

const FILE: &str = "\
//! `/hello`: greets whoever typed it.

use crate::Context;
use tack_app::ListenerError;
use tack_app::payload::SlashCommand;

pub(crate) async fn say(context: &Context, command: &SlashCommand) -> Result<(), ListenerError> {
    context.respond(format!(\"Hello {}!\", command.text.trim())).await?;
    Ok(())
}";
