//! `listeners`: what the app registered.

use super::delivery::text;
use super::failure::Failure;
use super::output::{Cell, Table};
use super::session::Session;
use serde_json::Value;

/// Prints a table of listeners.
///
/// # Errors
/// When the workbench cannot be asked.
pub(crate) async fn run(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client()?.get("/console/listeners").await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    if answer["listeners"].is_null() {
        terminal.note("Not known: these functions were built elsewhere.");
        return Ok(());
    }
    let mut table = Table::headed(&["kind", "listens to", "ack", "jobs", "where"]);
    let listeners = answer["listeners"].as_array().map(Vec::as_slice).unwrap_or_default();
    for listener in listeners {
        let jobs: Vec<&str> = listener["jobs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let ack = if listener["acks"] == Value::Bool(true) { "ack" } else { "" };
        let cells = [text(listener, "kind"), text(listener, "pattern"), ack, &jobs.join(", "), text(listener, "place")];
        table.row(cells.map(Cell::new).to_vec());
    }
    if listeners.is_empty() {
        terminal.note("register() adds nothing yet.");
        return Ok(());
    }
    terminal.table(&table)
}
