//! `app`: the app's own side: the build that answers, the functions' processes and how they ended, the variables they see.

use super::delivery::text;
use super::failure::Failure;
use super::output::{Cell, Style, Table, Terminal, clean, clean_lines};
use super::session::Session;
use super::span;
use serde_json::Value;

/// Prints it.
///
/// # Errors
/// When the workbench cannot be asked.
pub(crate) async fn run(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client()?.get("/console/app").await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    if terminal.quiet {
        let processes = list(&answer, "functions").iter().flat_map(|function| list(function, "processes"));
        let mut pids = processes.filter_map(|process| process["pid"].as_u64());
        return pids.try_for_each(|pid| terminal.line(&pid.to_string()));
    }
    build(&answer["build"]).iter().try_for_each(|line| terminal.line(line))?;
    section("processes", &processes(list(&answer, "functions")), terminal)?;
    section("exits, newest first", &exits(list(&answer, "functions")), terminal)?;
    section("environment", &variables(list(&answer, "environment")), terminal)
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn section(name: &str, table: &Table, terminal: &mut Terminal) -> Result<(), Failure> {
    if table.lines(|_, text| text.to_owned()).is_empty() {
        return Ok(());
    }
    terminal.line(&format!("\n{name}"))?;
    terminal.table(table)
}

fn time(value: &Value) -> String {
    value.as_u64().map(span::utc).unwrap_or_default()
}

/// What serves, and what became of the newest change.
fn build(build: &Value) -> Vec<String> {
    let (serving, state, watching) = (&build["serving"], &build["state"], &build["watching"]);
    let mut lines = vec![format!("build {} answers since {}", serving["build"], time(&serving["since_ms"]))];
    lines.extend(newest(state));
    match text(watching, "is") {
        "on" => {
            let folders: Vec<String> = list(watching, "folders").iter().filter_map(Value::as_str).map(clean).collect();
            lines.push(format!("  watched: {}", folders.join(", ")));
        }
        "off" => lines.push(format!("  nothing is watched: {}", clean(text(watching, "reason")))),
        _ => {}
    }
    if build["restart_needed"] == Value::Bool(true) {
        lines.push("  the workbench's own code changed: start cargo run again for it".to_owned());
    }
    lines
}

/// What became of the newest change, where it does not serve.
fn newest(state: &Value) -> Vec<String> {
    let (number, since) = (&state["build"], time(&state["since_ms"]));
    match text(state, "is") {
        "live" => Vec::new(),
        "building" => match text(state, "note") {
            "" => vec![format!("  … number {number} is built, since {since}")],
            note => vec![format!("  … number {number} is built, since {since}: {}", clean(note))],
        },
        "broken" => {
            let errors = list(state, "errors").iter().map(|error| {
                let place = match (error["file"].as_str(), error["line"].as_u64()) {
                    (Some(file), Some(line)) => format!("  {file}:{line}"),
                    (Some(file), None) => format!("  {file}"),
                    (None, _) => String::new(),
                };
                format!("      {}{}", clean(text(error, "message")), clean(&place))
            });
            let first = format!("  ✗ number {number} does not compile, since {since}");
            std::iter::once(first).chain(errors).collect()
        }
        "does_not_start" => {
            let function = clean(text(state, "function"));
            let first = format!("  ✗ number {number} compiles, and {function} does not start, since {since}");
            let said = list(state, "lines").iter().filter_map(Value::as_str);
            std::iter::once(first).chain(said.map(|line| format!("      {}", clean_lines(line)))).collect()
        }
        other => vec![format!("  {}", clean(other))],
    }
}

fn processes(functions: &[Value]) -> Table {
    let mut table = Table::default();
    for function in functions {
        let count = |field: &str| match function[field].as_u64() {
            None | Some(0) => String::new(),
            Some(number) => format!("{field} {number}"),
        };
        let counts = ["invocations", "throttles", "timeouts"].map(count);
        let mut cells = vec![Cell::new(text(function, "name"))];
        cells.extend(counts.iter().map(|count| Cell::new(count)));
        table.row(cells);
        if list(function, "processes").is_empty() {
            table.below("no process now: the next invocation starts one");
        }
        for process in list(function, "processes") {
            let outdated = if process["outdated"] == Value::Bool(true) { ", of an older build" } else { "" };
            let (state, since) = (text(process, "state"), time(&process["started_ms"]));
            table.below(&format!("pid {}  {state}{outdated}  since {since}", process["pid"]));
        }
    }
    table
}

fn exits(functions: &[Value]) -> Table {
    let of_function = |function| list(function, "exits").iter().map(move |exit| (text(function, "name"), exit));
    let mut exits: Vec<(&str, &Value)> = functions.iter().flat_map(of_function).collect();
    exits.sort_by_key(|(_, exit)| std::cmp::Reverse(exit["at_ms"].as_u64()));
    let mut table = Table::default();
    for (function, exit) in exits {
        let unanswered = if exit["invocation"].is_string() { "in the middle of an invocation" } else { "" };
        let (at, pid) = (time(&exit["at_ms"]), format!("pid {}", exit["pid"]));
        table.row([&at, function, &pid, text(exit, "cause"), text(exit, "status"), unanswered].map(Cell::new).to_vec());
    }
    table
}

fn variables(environment: &[Value]) -> Table {
    let mut table = Table::default();
    for variable in environment {
        table.row(vec![
            Cell::new(text(variable, "name")),
            Cell(clean(text(variable, "origin")), Style::Dim),
            // Last, since it may be long.
            Cell::new(text(variable, "value")),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(state: &Value) -> Vec<String> {
        let serving = json!({"build": 1, "since_ms": 0});
        build(&json!({"serving": serving, "state": state, "watching": {"is": "off", "reason": "--no-watch"}}))
    }

    #[test]
    fn a_build_that_does_not_serve_says_why() {
        let errors = json!([{"message": "expected `;`", "file": "src/lib.rs", "line": 3}, {"message": "aborting"}]);
        assert_eq!(
            told(&json!({"is": "broken", "build": 2, "since_ms": 1_000, "errors": errors})),
            [
                "build 1 answers since 1970-01-01 00:00:00 UTC",
                "  ✗ number 2 does not compile, since 1970-01-01 00:00:01 UTC",
                "      expected `;`  src/lib.rs:3",
                "      aborting",
                "  nothing is watched: --no-watch",
            ]
        );
        let stuck = json!({
            "is": "does_not_start", "build": 2, "since_ms": 1_000, "function": "worker", "lines": ["TABLE is missing\u{1b}[2J"],
        });
        assert_eq!(
            told(&stuck)[1..3],
            [
                "  ✗ number 2 compiles, and worker does not start, since 1970-01-01 00:00:01 UTC",
                "      TABLE is missing\u{fffd}[2J",
            ]
        );
        let building = json!({"is": "building", "build": 3, "since_ms": 1_000, "note": null});
        assert_eq!(told(&building)[1], "  … number 3 is built, since 1970-01-01 00:00:01 UTC");
    }
}
