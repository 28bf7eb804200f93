//! The console: what happened to each delivery, the dead letters, installs, faults, listeners, the build. Each address answers a browser with a page and a
//! program with the same facts as JSON.
//! Not here: what happened itself (`history`), faults (`faults`), builds (`reload`).
//! Invariant: reading changes nothing but the coach's ticks, every write is a form that works without script, and foreign text reaches a page
//! through maud alone.

mod ansi;
mod app;
mod curl;
mod dead_letters;
mod deliveries;
mod delivery;
mod faults;
mod help;
mod installs;
mod letters;
mod listeners;
mod names;
mod nav;
mod replay;
mod replying;
mod story;
#[cfg(test)]
mod tests;
mod time_line;

pub(super) use installs::install_page;
pub(crate) use names::Names;

use super::Workbench;
use super::answer::see;
use axum::Router;
use axum::routing::{get, post};

pub(super) fn routes() -> Router<Workbench> {
    Router::new()
        .route("/console", get(|| async { see("/console/deliveries") }))
        .route("/console/deliveries", get(deliveries::list))
        .route("/console/deliveries/{id}", get(delivery::show))
        .route("/console/deliveries/{id}/replay", post(replay::replay))
        .route("/console/dead-letters", get(dead_letters::list))
        .route("/console/dead-letters/redrive", post(dead_letters::redrive))
        .route("/console/dead-letters/discard", post(dead_letters::discard_letters))
        .route("/console/dead-letters/{id}", get(dead_letters::show))
        .route("/console/faults", get(faults::show).post(faults::switch))
        .route("/console/installs", get(installs::list).post(installs::act))
        .route("/console/installs/{id}", get(installs::show))
        .route("/console/installs/try/{way}", get(installs::begin))
        .route("/console/listeners", get(listeners::show))
        .route("/console/app", get(app::show))
        .route("/console/help", get(help::show))
}
