//! The page of one delivery, and its story for programs, also once it is settled.

use super::names::{Names, delivery_path, kind};
use super::nav::{Here, Page, page};
use super::replying::Trouble;
use super::story;
use crate::history::{Filter, History, NotFound, Query, RECORDS_MAX, Story};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts, html as answer};
use crate::pages::form::Fields;
use crate::pages::frame::bare;
use crate::pages::person::Viewer;
use axum::extract::{Path, RawQuery, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::html;
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a program waits if it does not say.
const WAIT: Duration = Duration::from_secs(10);
const WAIT_MAX_MS: u64 = 600_000;

/// `GET /console/deliveries/{id}`.
pub(super) async fn show(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    let fields = Fields::parse(raw.unwrap_or_default().as_bytes());
    match (wants, fields.get("wait")) {
        (Wants::Html, _) => shown(&workbench, &viewer, &id),
        (_, None) => match workbench.history.story(&id) {
            Ok(found) => facts(StatusCode::OK, json!({ "delivery": story::facts(&workbench, &found) })),
            Err(not_found) => trouble(&id, not_found).answer(wants, ""),
        },
        (_, Some("settled")) => {
            let given = fields.get("timeout_ms").and_then(|ms| ms.parse().ok());
            let patience = given.map_or(WAIT, |ms: u64| Duration::from_millis(ms.min(WAIT_MAX_MS)));
            settled(&workbench, &id, patience).await
        }
        (_, Some(other)) => Trouble::invalid(format!("there is no wait `{other}`"), "wait=settled").answer(wants, ""),
    }
}

fn shown(workbench: &Workbench, viewer: &Viewer, id: &str) -> Response {
    let found = match workbench.history.story(id) {
        Ok(found) => found,
        Err(not_found) => return missing(id, not_found),
    };
    // The only thing that reading changes: the coach ticks a step.
    if workbench.coach.explained(&found.row.id) {
        workbench.topics.changed("slack");
    }
    let names = Names::of(&workbench.simulator);
    let heading = [kind(&found.row).to_owned(), names.about(&found.row)];
    let heading = heading.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ");
    let path = delivery_path(&found.row.id);
    let main = story::render(workbench, &found, &story::Around::of(&workbench.history, &found), &heading);
    let title = format!("{} {heading}", found.row.short);
    let content = Page { here: Here::Deliveries, title: &title, path: &path, topics: "deliveries app faults", main };
    page(workbench, viewer, StatusCode::OK, content)
}

/// Why there is no such delivery.
pub(super) fn trouble(id: &str, not_found: NotFound) -> Trouble {
    match not_found {
        NotFound::Unknown => Trouble::not_found(
            format!(
                "there is no delivery {id}, or it left the history ({} kept)",
                super::names::thousands(RECORDS_MAX as u64)
            ),
            "an id is the delivery's own, an ending of at least 4 letters, an event_id, or the request's",
        ),
        NotFound::Ambiguous => {
            Trouble::ambiguous(format!("several deliveries end with {id}"), "give more letters of the id")
        }
    }
}

fn missing(id: &str, not_found: NotFound) -> Response {
    let trouble = trouble(id, not_found);
    let title = if not_found == NotFound::Unknown { "No such delivery" } else { "More than one delivery" };
    answer(
        trouble.status,
        bare(
            title,
            html! {
                p data-testid="error-state" { (trouble.message) "." }
                p { (trouble.hint) "." }
                p { a.button href="/console/deliveries" { "All deliveries" } }
            },
        ),
    )
}

/// Answers when nothing more will happen to it by itself, or the time is over.
async fn settled(workbench: &Workbench, id: &str, patience: Duration) -> Response {
    let until = Instant::now() + patience;
    let mut changes = workbench.history.subscribe();
    loop {
        let found = workbench.history.story(id);
        if let Ok(found) = &found
            && found.row.outcome.is_settled()
        {
            return facts(StatusCode::OK, json!({ "delivery": story::facts(workbench, found) }));
        }
        if found.as_ref().is_err_and(|not_found| *not_found == NotFound::Ambiguous)
            // Whether something changed or was missed, the next look tells.
            || timeout_at(until, changes.recv()).await.is_err()
        {
            return match found {
                Ok(found) => too_late(workbench, &found),
                Err(not_found) => trouble(id, not_found).answer(Wants::Json, ""),
            };
        }
    }
}

fn too_late(workbench: &Workbench, found: &Story) -> Response {
    let message = format!("delivery {} is still {}", found.row.short, found.row.outcome.as_str());
    let error = json!({ "code": "timeout", "message": message, "hint": "timeout_ms says how long to wait" });
    facts(StatusCode::REQUEST_TIMEOUT, json!({ "error": error, "delivery": story::facts(workbench, found) }))
}

/// The next older delivery that went wrong.
pub(super) fn older_trouble(history: &History, at_ms: u64, id: &str) -> Option<String> {
    let query = Query { state: "failed".to_owned(), before: Some(at_ms), limit: Some(1), ..Query::default() };
    let (rows, ..) = history.rows(&Filter::parse(&query).ok()?);
    rows.into_iter().map(|row| row.id).find(|older| older != id)
}
