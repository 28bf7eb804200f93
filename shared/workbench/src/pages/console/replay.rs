//! A delivery sent again: as something new, as the same once more, or edited. Who asked is led to the new one.

use super::names::delivery_path;
use super::replying::{Given, Trouble};
use super::{delivery, story};
use crate::history::{History, Kind, Row};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts, see};
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use tack_simulator::{Delivery, Original, Refusal, ReplayMode};
use tokio::time::{Instant, timeout_at};

/// How long the history may take to hear of what was sent.
const HEARD_OF: Duration = Duration::from_secs(2);

/// What is asked for.
enum Mode {
    Rerun,
    Redeliver,
    Edited(String),
}

/// `POST /console/deliveries/{id}/replay`.
pub(super) async fn replay(
    Shared(workbench): Shared<Workbench>,
    wants: Wants,
    Path(id): Path<String>,
    given: Given,
) -> Response {
    let wants = given.reader(wants);
    match again(&workbench, &id, &given).await {
        Err(trouble) => trouble.answer(wants, &delivery_path(&id)),
        Ok(new) if wants == Wants::Html => see(&delivery_path(&new)),
        Ok(new) => match workbench.history.story(&new) {
            Ok(found) => facts(StatusCode::OK, json!({ "delivery": story::facts(&workbench, &found) })),
            Err(not_found) => delivery::trouble(&new, not_found).answer(wants, ""),
        },
    }
}

/// Sends it, and waits until the history knows it. The id of the new one.
async fn again(workbench: &Workbench, id: &str, given: &Given) -> Result<String, Trouble> {
    let mode = read(given)?;
    let row = workbench.history.row(id);
    let original = workbench.history.original(id).map_err(|not_found| delivery::trouble(id, not_found))?;
    if row.as_ref().is_some_and(|row| row.kind == Kind::Own) {
        let message = "this is work that the app gave itself: Slack never sent it, so it cannot send it again";
        return Err(Trouble::refused(message, "send what caused it again"));
    }
    let remembered = original
        .slack_id
        .as_deref()
        .and_then(|slack_id| workbench.simulator.read(|state| state.delivery(slack_id).map(Original::from)));
    let original = remembered.unwrap_or_else(|| Original {
        kind: kind(row.as_ref()),
        content_type: original.content_type,
        body: original.body,
        headers: Vec::new(),
        replay_of: Some(original.slack_id.unwrap_or_else(|| id.to_owned())),
    });
    let sent = send(workbench, original, mode).await.map_err(|refusal| Trouble::refused(refusal.0, ""))?;
    let Some(new) = sent.first() else { return Err(Trouble::refused("nothing was sent", "")) };
    heard_of(&workbench.history, &new.id).await.ok_or_else(|| {
        let message = "it was sent, and the app did not answer so that the console could tell what became of it";
        Trouble::refused(message, "the list of deliveries shows what arrived")
    })
}

async fn send(workbench: &Workbench, original: Original, mode: Mode) -> Result<Vec<Delivery>, Refusal> {
    let simulator = &workbench.simulator;
    match mode {
        Mode::Rerun => simulator.replay_body(original, ReplayMode::Rerun).await,
        Mode::Redeliver => simulator.replay_body(original, ReplayMode::Redeliver).await,
        Mode::Edited(body) => simulator.replay_edited(original, &body, false).await,
    }
}

fn read(given: &Given) -> Result<Mode, Trouble> {
    let (mode, body) = match given {
        Given::Form(fields) => (fields.text("mode"), fields.get("body").map(|body| body.replace("\r\n", "\n"))),
        Given::Json(json) => {
            (json["mode"].as_str().unwrap_or_default().to_owned(), json["body"].as_str().map(str::to_owned))
        }
    };
    match (mode.as_str(), body) {
        ("rerun", _) => Ok(Mode::Rerun),
        ("redeliver", _) => Ok(Mode::Redeliver),
        ("edited", Some(body)) => Ok(Mode::Edited(body)),
        ("edited", None) => Err(Trouble::invalid("the edited body is missing", "give it as `body`")),
        (other, _) => Err(Trouble::invalid(format!("there is no mode `{other}`"), "rerun, redeliver or edited")),
    }
}

fn kind(row: Option<&Row>) -> tack_simulator::Kind {
    match row.map(|row| row.kind).unwrap_or_default() {
        Kind::Event => tack_simulator::Kind::Event,
        Kind::Command => tack_simulator::Kind::Command,
        Kind::Interactive => tack_simulator::Kind::Interactive,
        Kind::Options => tack_simulator::Kind::Options,
        Kind::Own | Kind::Other => tack_simulator::Kind::Raw,
    }
}

/// The history's id of what the simulated Slack calls `slack_id`.
async fn heard_of(history: &History, slack_id: &str) -> Option<String> {
    let until = Instant::now() + HEARD_OF;
    let mut changes = history.subscribe();
    loop {
        if let Some(row) = history.row(slack_id) {
            return Some(row.id);
        }
        // Whether something changed or was missed, the next look tells.
        let _ = timeout_at(until, changes.recv()).await.ok()?;
    }
}
