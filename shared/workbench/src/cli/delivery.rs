//! A delivery as people read it: one line as in the terminal of `cargo run`, and the whole story.
//! The words and marks of an outcome are the history's own. Invariant: reads what is there and leaves out what is not.

use super::output::{Cell, Style, Table, clean, clean_lines};
use super::span;
use crate::history::Outcome;
use serde_json::Value;

/// The words of every outcome.
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    Outcome::ALL.into_iter().map(Outcome::as_str)
}

/// The words of outcomes after which nothing follows by itself.
pub(crate) fn settled_words() -> impl Iterator<Item = &'static str> {
    Outcome::ALL.into_iter().filter(|outcome| outcome.is_settled()).map(Outcome::as_str)
}

/// Where a delivery stands, if its word is known.
pub(crate) fn outcome_of(row: &Value) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == text(row, "outcome"))
}

/// Nothing follows by itself.
pub(crate) fn is_settled(row: &Value) -> bool {
    outcome_of(row).is_some_and(Outcome::is_settled)
}

/// A text field, empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Mark and word of an outcome, in its style.
fn marked(row: &Value) -> Cell {
    let outcome = outcome_of(row);
    let style = match outcome {
        Some(Outcome::Done) => Style::Good,
        Some(Outcome::Queued | Outcome::Running | Outcome::Retrying) => Style::Waiting,
        Some(Outcome::Dead | Outcome::Failed | Outcome::Rejected) => Style::Bad,
        _ => Style::Plain,
    };
    let word = clean(text(row, "outcome"));
    // A job has words of its own beside those of a delivery.
    Cell(outcome.map_or(word.clone(), |outcome| format!("{} {word}", outcome.mark())), style)
}

/// The short id: enough to tell two apart, and what the other verbs take.
pub(crate) fn short(row: &Value) -> &str {
    match text(row, "short") {
        "" => text(row, "id"),
        short => short,
    }
}

/// What it is about, where and who.
fn subject(row: &Value) -> String {
    clean(text(row, "about"))
}

/// Slack's word for what came, or the way it came.
fn name(row: &Value) -> String {
    match (text(row, "name"), text(row, "kind")) {
        ("", "own") => "own work".to_owned(),
        ("", kind) => clean(kind),
        (name, _) => clean(name),
    }
}

/// A delivery as the terminal of `cargo run` tells it: a line, and one below for the cause.
pub(crate) fn line_of(row: &Value) -> String {
    let mut table = Table::default();
    add(&mut table, row);
    table.lines(|_, text| text.to_owned()).join("\n")
}

/// Adds a delivery to a table.
pub(crate) fn add(table: &mut Table, row: &Value) {
    let ms = |label: &str, field: &str| match row[field].as_f64() {
        Some(ms) => format!("{label} {ms:.0} ms"),
        None => String::new(),
    };
    let attempts = row["attempts"].as_u64().filter(|attempts| *attempts > 1);
    let again = row["again_ms"].as_f64();
    let jobs = names(&row["jobs"]).join(", ");
    let remark = match outcome_of(row) {
        Some(Outcome::Own) => "the app's own message, dropped",
        Some(Outcome::Unhandled) => "nobody listens",
        _ => "",
    };
    let Cell(mark, style) = marked(row);
    table.row(vec![
        // As wide as in the terminal, so that single lines stand below each other too.
        Cell(format!("{mark:<12}"), style),
        Cell::new(short(row)),
        Cell(format!("{:<18}", name(row)), Style::Plain),
        Cell::new(&shortened(&subject(row), 32)),
        Cell::new(&row["status"].as_u64().filter(|status| *status != 200).map(|s| s.to_string()).unwrap_or_default()),
        Cell::new(&ms("ack", "ack_ms")),
        Cell::new(&ms("wait", "wait_ms")),
        Cell::new(&ms("run", "run_ms")),
        Cell::new(&attempts.map(|attempts| format!("attempt {attempts}")).unwrap_or_default()),
        Cell::new(&again.map(|ms| format!("again in {:.1} s", ms / 1_000.0)).unwrap_or_default()),
        Cell::new(&counted(&names(&row["calls"]))),
        Cell::new(&if jobs.is_empty() { String::new() } else { format!("[{jobs}]") }),
        Cell::new(remark),
    ]);
    if let Some(cause) = row["cause"].as_str().filter(|cause| !cause.is_empty()) {
        table.below(cause);
    }
}

/// Strings of an array, or what its objects are called: a job's name, a call's method with its error.
fn names(list: &Value) -> Vec<String> {
    let name = |item: &Value| match (item.as_str().or(item["name"].as_str()), item["method"].as_str()) {
        (Some(name), _) => Some(name.to_owned()),
        (None, Some(method)) => Some(match item["error"].as_str() {
            Some(error) => format!("{method} ({error})"),
            None => method.to_owned(),
        }),
        (None, None) => None,
    };
    list.as_array().into_iter().flatten().filter_map(name).collect()
}

/// Calls in their order, repetitions counted.
fn counted(calls: &[String]) -> String {
    let runs = calls.chunk_by(|one, next| one == next);
    let words = runs.map(|run| if run.len() == 1 { run[0].clone() } else { format!("{} ×{}", run[0], run.len()) });
    words.collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// When and where a delivery came from: `message  #playground · Ada  2026-11-24 09:15:03 UTC  team T0ACME001`.
fn heading(story: &Value) -> String {
    let at = story["at_ms"].as_u64().map(span::utc).unwrap_or_default();
    let team = text(story, "team");
    let team = if team.is_empty() { String::new() } else { format!("team {team}") };
    let parts = [text(story, "name"), &subject(story), &at, &team].map(clean);
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// The sentence and the time line.
pub(crate) fn why(story: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}  delivery {}", heading(story), clean(short(story)))];
    let mut table = Table::default();
    let begin = story["at_ms"].as_f64().unwrap_or_default();
    for step in story["timeline"].as_array().into_iter().flatten() {
        let at = step["at_ms"].as_f64().map(|at| format!("{:+.0} ms", at - begin)).unwrap_or_default();
        let took = step["ms"].as_f64().map(|ms| format!("{ms:.0} ms")).unwrap_or_default();
        let what = clean(text(step, "text"));
        table.row(vec![Cell::new(&at), Cell::new(text(step, "lane")), Cell::new(&took), Cell::new(&what)]);
    }
    lines.extend(table.lines(|_, text| text.to_owned()));
    lines.push(clean(text(story, "sentence")));
    lines
}

/// Everything that is known, the request's body only if asked for.
pub(crate) fn story(story: &Value, with_body: bool) -> Vec<String> {
    let mut lines = why(story);
    let list = |field: &str| story[field].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut section = |name: &str, table: Table| {
        let rows = table.lines(|_, text| text.to_owned());
        if !rows.is_empty() {
            lines.push(format!("\n{name}"));
            lines.extend(rows);
        }
    };
    section("facts", facts(story));

    let mut jobs = Table::default();
    for job in list("jobs") {
        jobs.row(vec![Cell::new(text(job, "name")), marked(job), Cell::new(text(job, "cause"))]);
        for attempt in job["attempts"].as_array().into_iter().flatten() {
            let mut words = vec![format!("attempt {}", attempt["n"]), text(attempt, "outcome").to_owned()];
            words.extend(attempt["ms"].as_f64().map(|ms| format!("{ms:.0} ms")));
            words.push(text(attempt, "reason").to_owned());
            jobs.below(&words.join("  "));
        }
    }
    section("jobs", jobs);

    let mut calls = Table::default();
    for call in list("calls") {
        let status = call["status"].as_u64().map(|status| status.to_string()).unwrap_or_default();
        let result = if call["ok"] == Value::Bool(true) { "ok" } else { text(call, "error") };
        let ms = call["ms"].as_f64().map(|ms| format!("{ms:.0} ms")).unwrap_or_default();
        calls.row([text(call, "method"), &status, result, &ms, text(call, "job")].map(Cell::new).to_vec());
    }
    section("Web API calls", calls);

    let mut logs = Table::default();
    for log in list("logs") {
        logs.row([text(log, "function"), text(log, "level"), text(log, "text")].map(Cell::new).to_vec());
    }
    section("log", logs);

    let mut related = Table::default();
    for other in list("related") {
        related.row([text(other, "relation"), text(other, "id")].map(Cell::new).to_vec());
    }
    section("related", related);

    let mut warnings = Table::default();
    for warning in list("warnings").iter().filter_map(Value::as_str) {
        warnings.row(vec![Cell::new(warning)]);
    }
    section("Slack would frown", warnings);

    let request = &story["request"];
    if request.is_object() {
        lines.push(format!("\nrequest  {} {}", clean(text(request, "method")), clean(text(request, "path"))));
        if with_body {
            let headers = request["headers"].as_array().into_iter().flatten();
            let header = |pair: &Value| Some(format!("  {}: {}", clean(pair[0].as_str()?), clean(pair[1].as_str()?)));
            lines.extend(headers.filter_map(header));
            lines.push(format!("\n{}", clean_lines(text(request, "body"))));
        }
    }
    lines
}

fn facts(story: &Value) -> Table {
    let answer = &story["answer"];
    let number = |value: &Value| value.as_u64().map(|number| number.to_string()).unwrap_or_default();
    let facts = [
        ("id", text(story, "id").to_owned()),
        ("outcome", text(story, "outcome").to_owned()),
        ("cause", text(story, "cause").to_owned()),
        ("verdict", text(story, "verdict").to_owned()),
        ("answer", [number(&answer["status"]), shortened(text(answer, "body"), 200)].join(" ").trim().to_owned()),
        ("replay of", text(story, "replay_of").to_owned()),
        ("copy of", text(story, "copy_of").to_owned()),
        ("bytes", number(&story["request"]["bytes"])),
    ];
    let mut table = Table::default();
    for (name, fact) in facts.iter().filter(|(_, fact)| !fact.is_empty()) {
        table.row(vec![Cell::new(name), Cell::new(fact)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain(row: &Value) -> Vec<String> {
        let mut table = Table::default();
        add(&mut table, row);
        table.lines(|_, text| text.to_owned())
    }

    #[test]
    fn a_line_looks_like_the_terminals() {
        let row = json!({
            "id": "0192f0c1-1111-7222-8333-444455556666", "short": "56666", "name": "message",
            "about": "#playground · Ada", "ack_ms": 3.2, "wait_ms": 9, "attempts": 2, "outcome": "done", "cause": null,
            "calls": ["chat.postMessage", "chat.postMessage", "reactions.add"], "jobs": ["greet", "count"],
        });
        assert_eq!(
            plain(&row),
            [
                "  ✓ done        56666  message             #playground · Ada  ack 3 ms  wait 9 ms  attempt 2  chat.postMessage ×2, reactions.add  [greet, count]"
            ]
        );
    }

    #[test]
    fn a_cause_has_a_line_of_its_own_and_missing_facts_no_room() {
        let row =
            json!({"id": "0192", "name": "url_verification", "outcome": "rejected", "cause": "the signature is wrong"});
        assert_eq!(plain(&row), ["  ⊘ rejected    0192  url_verification", "               the signature is wrong"]);
        assert_eq!(plain(&json!({})), [""]);
    }

    #[test]
    fn a_hostile_delivery_stays_on_its_line() {
        let row = json!({"id": "x\u{1b}[2J", "name": "a\nb", "about": "\u{1b}]0;title\u{7}", "outcome": "do\rne"});
        let lines = plain(&row);
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains(char::is_control), "{lines:?}");
    }

    #[test]
    fn an_outcome_that_is_not_known_is_shown_as_it_is() {
        assert_eq!(plain(&json!({"outcome": "postponed"})), ["  postponed"]);
        let waiting: Vec<_> = words().filter(|word| !settled_words().any(|settled| settled == *word)).collect();
        assert_eq!(waiting, ["queued", "running", "retrying"]);
    }
}
