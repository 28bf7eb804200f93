//! The list of deliveries: its filters are the address, newest first, and as a stream for who wants to watch.

use super::names::{Names, count, delivery_path, kind, ms, outcome, readable, table, thousands};
use super::nav::{Here, Page, page};
use super::replying::Trouble;
use crate::history::{FIELDS, Filter, History, Outcome, Query, Row};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts};
use crate::pages::clock::precise;
use crate::pages::form::Fields;
use crate::pages::person::Viewer;
use axum::extract::{RawQuery, State as Shared};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};
use std::convert::Infallible;
use tokio::sync::broadcast::error::RecvError;

const PATH: &str = "/console/deliveries";

/// Kinds that a person may choose from.
const KINDS: [&str; 6] = ["event", "command", "interactive", "options", "own", "other"];

/// `GET /console/deliveries`.
pub(super) async fn list(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    RawQuery(raw): RawQuery,
) -> Response {
    let (query, read) = read(raw.as_deref().unwrap_or_default());
    let filter = match read {
        Ok(filter) => filter,
        Err(sentence) if wants == Wants::Html => return not_understood(&workbench, &viewer, &query, &sentence),
        Err(sentence) => return Trouble::invalid(sentence, hint()).answer(wants, PATH),
    };
    match wants {
        Wants::Events => stream(workbench, filter),
        Wants::Json => {
            let (rows, matching, total) = workbench.history.rows(&filter);
            let answer_times = workbench.answer_times.readable();
            let names = Names::of(&workbench.simulator);
            let rows: Vec<Value> = rows.iter().map(|row| readable(&names, row, row)).collect();
            let body =
                json!({ "deliveries": rows, "matching": matching, "total": total, "answer_times": answer_times });
            facts(StatusCode::OK, body)
        }
        Wants::Html => {
            let main = render(&workbench, &query, filter);
            let path = address(&query, Some(&query.older_than));
            let content = Page {
                here: Here::Deliveries,
                title: "Deliveries",
                path: &path,
                topics: "deliveries app faults",
                main,
            };
            page(&workbench, &viewer, StatusCode::OK, content)
        }
    }
}

/// Reads the address: the query as given, and what it means or why it means nothing.
fn read(raw: &str) -> (Query, Result<Filter, String>) {
    let fields = Fields::parse(raw.as_bytes());
    let mut wrong = None;
    let mut number = |name: &str, what: &str| {
        let given = fields.get(name)?;
        let number = given.parse::<u64>();
        if number.is_err() {
            wrong = Some(format!("`{name}={given}`: write {what}"));
        }
        number.ok()
    };
    let since = number("since", "milliseconds since 1970");
    let before = number("before", "milliseconds since 1970");
    let limit = number("limit", "a number from 1 to 1,000");
    let query = Query {
        state: fields.text("state"),
        kind: fields.text("kind"),
        listener: fields.text("listener"),
        team: fields.text("team"),
        q: fields.text("q"),
        since,
        before,
        older_than: fields.text("older_than"),
        limit: limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)),
    };
    let filter = wrong.map_or_else(|| Filter::parse(&query), Err);
    (query, filter)
}

fn hint() -> String {
    format!("words to look for, and {}", FIELDS.join(" "))
}

/// The address of a list; `older_than` is apart, since older pages differ in nothing else.
fn address(query: &Query, older_than: Option<&str>) -> String {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let Query { state, kind, listener, team, q, since, before, older_than: _, limit } = query;
    for (name, value) in [("state", state), ("kind", kind), ("listener", listener), ("team", team), ("q", q)] {
        if !value.trim().is_empty() {
            fields.append_pair(name, value.trim());
        }
    }
    let numbers = [("since", *since), ("before", *before), ("limit", limit.map(|limit| limit as u64))];
    for (name, value) in numbers.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        fields.append_pair(name, &value.to_string());
    }
    if let Some(id) = older_than.filter(|id| !id.is_empty()) {
        fields.append_pair("older_than", id);
    }
    match fields.finish() {
        query if query.is_empty() => PATH.to_owned(),
        query => format!("{PATH}?{query}"),
    }
}

fn stream(workbench: Workbench, filter: Filter) -> Response {
    let changes = workbench.history.subscribe();
    let events = stream::unfold((changes, workbench, filter), |(mut changes, workbench, filter)| async move {
        loop {
            let event = match changes.recv().await {
                Ok(row) if workbench.history.takes(&filter, &row.id) => {
                    let row = readable(&Names::of(&workbench.simulator), &row, &row);
                    Some(Event::default().event("delivery").data(row.to_string()))
                }
                Ok(_) => None,
                // What was missed has to be asked for.
                Err(RecvError::Lagged(missed)) => Some(Event::default().event("resync").data(missed.to_string())),
                Err(RecvError::Closed) => return None,
            };
            if let Some(event) = event {
                return Some((Ok::<_, Infallible>(event), (changes, workbench, filter)));
            }
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

fn render(workbench: &Workbench, query: &Query, mut filter: Filter) -> Markup {
    let limit = filter.limit;
    // One more than shown tells whether there are older ones.
    filter.limit += 1;
    let (mut rows, matching, total) = workbench.history.rows(&filter);
    let has_older = rows.len() > limit;
    rows.truncate(limit);
    let older = rows.last().filter(|_| has_older).map(|row| row.id.clone());
    let names = Names::of(&workbench.simulator);
    html! {
        (head(workbench, query))
        @if let Some((median, of)) = workbench.answer_times.median() {
            p.muted data-testid="answer-times" {
                "First answer on the screen, from the key press: " strong { (median) " ms" } " (median of the last " (of) ")."
            }
        }
        @if rows.is_empty() { (nothing(workbench, query, total)) }
        @else {
            p.muted {
                @if Filter::is_open(query) { (count(total, "delivery", "deliveries")) ", newest first." }
                @else { (thousands(matching as u64)) " of " (count(total, "delivery", "deliveries")) " match, newest first." }
                @if !query.older_than.is_empty() { " These are older ones. " a href=(address(query, None)) { "Back to the newest" } }
            }
            (list_of(&rows, &names))
            @if let Some(last) = older { p { a.button href=(address(query, Some(&last))) rel="next" { "Older" } } }
        }
    }
}

fn head(workbench: &Workbench, query: &Query) -> Markup {
    let mut listeners: Vec<String> = workbench.listing.all().into_iter().flat_map(|listed| listed.jobs).collect();
    listeners.sort();
    listeners.dedup();
    // `failed` stands for all that went wrong.
    let outcomes = Outcome::ALL.into_iter().map(Outcome::as_str).filter(|word| *word != "failed");
    let states = ["failed"].into_iter().chain(outcomes);
    html! {
        h1 { "Deliveries" }
        form.filters method="get" action=(PATH) data-testid="delivery-filter" role="search" {
            label { span { "State" } (choice("state", "delivery-state", &query.state, states)) }
            label { span { "Kind" } (choice("kind", "delivery-kind", &query.kind, KINDS.into_iter())) }
            label { span { "Listener" } (choice("listener", "delivery-listener", &query.listener, listeners.iter().map(String::as_str))) }
            @if !query.team.trim().is_empty() { input type="hidden" name="team" value=(query.team); }
            label.search {
                span { "Search" }
                input type="search" name="q" value=(query.q) data-testid="delivery-search" data-key="/" placeholder="id, text, error… is:failed kind: listener: ack:>100";
            }
            button { "Filter" }
            @if !Filter::is_open(query) { a.button href=(PATH) data-testid="delivery-clear" { "Clear" } }
        }
        div data-live-pause {
            button.pill type="button" data-new-pill data-testid="new-pill" hidden { "▲ New deliveries: show them" }
        }
    }
}

/// A choice that takes effect at once. A value that is not offered is offered all the same, since the address may name it.
fn choice<'a>(name: &str, test_id: &str, chosen: &str, options: impl Iterator<Item = &'a str>) -> Markup {
    let chosen = chosen.trim();
    let mut options: Vec<&str> = options.collect();
    if !chosen.is_empty() && !options.contains(&chosen) {
        options.push(chosen);
    }
    html! {
        select name=(name) data-testid=(test_id) data-submit {
            option value="" selected[chosen.is_empty()] { "all" }
            @for option in options { option value=(option) selected[option == chosen] { (option) } }
        }
    }
}

fn list_of(rows: &[Row], names: &Names) -> Markup {
    // What became of it stands before what a small screen has no room for.
    const COLUMNS: [&str; 10] =
        ["Time", "Id", "What", "Outcome", "Verdict", "Ack", "Wait", "Attempts", "Dedup", "Calls"];
    let first_trouble = rows.iter().position(|row| row.outcome.is_trouble());
    table(
        "Deliveries, newest first",
        &COLUMNS,
        &html! {
            @for (at, row) in rows.iter().enumerate() { (line(row, names, first_trouble == Some(at))) }
        },
    )
}

fn line(row: &Row, names: &Names, is_first_trouble: bool) -> Markup {
    let about = names.about(row);
    html! {
        tr data-row data-testid="delivery-row" data-id=(row.id) data-state=(row.outcome.as_str()) {
            td.nowrap data-label="Time" { (precise(row.at_ms)) }
            td data-label="Id" {
                a href=(delivery_path(&row.id)) data-testid="delivery-link" data-key=[is_first_trouble.then_some("n")] { code { (row.short) } }
            }
            td data-label="What" {
                strong { (kind(row)) } @if !about.is_empty() { " " span.about { (about) } }
                @if row.copy_of.is_some() { " " span.tag { "copy" } }
                @if row.replay_of.is_some() { " " span.tag { "sent again" } }
                @if let Some(number) = row.retry_num.filter(|number| *number > 0) { " " span.tag { "retry " (number) } }
            }
            td data-label="Outcome" data-testid="delivery-outcome" {
                (outcome(row.outcome))
                @if let Some(cause) = &row.cause { div.cause { (cause) } }
            }
            td data-label="Verdict" { (if row.verdict.is_empty() { "–" } else { &row.verdict }) }
            td.number data-label="Ack" data-testid="delivery-ack-ms" { (ms(row.ack_ms)) }
            td.number data-label="Wait" data-testid="delivery-wait-ms" { (ms(row.wait_ms)) }
            td.number data-label="Attempts" data-testid="delivery-attempts" { (if row.attempts == 0 { "–".to_owned() } else { row.attempts.to_string() }) }
            td data-label="Dedup" data-testid="delivery-dedup" { (row.dedup.unwrap_or("–")) }
            td data-label="Calls" { (if row.calls.is_empty() { "–".to_owned() } else { counted(&row.calls) }) }
        }
    }
}

/// Calls in their order, repetitions counted.
fn counted(calls: &[String]) -> String {
    let runs = calls.chunk_by(|one, next| one == next);
    let words = runs.map(|run| if run.len() == 1 { run[0].clone() } else { format!("{} ×{}", run[0], run.len()) });
    words.collect::<Vec<_>>().join(", ")
}

fn nothing(workbench: &Workbench, query: &Query, total: usize) -> Markup {
    html! {
        div.empty data-testid="empty-state" {
            @if total == 0 {
                p { "Nothing has arrived. " a href="/" { "Say hi in #playground" } " or run " code { "cargo tack trigger app_mention" } "." }
            } @else {
                p { "Nothing matches" @for part in parts(query) { " " code { (part.0) } } "." }
                @if let Some((part, rest, found)) = nearest(&workbench.history, query) {
                    p { "Without " code { (part) } ": " a href=(address(&rest, None)) { (count(found, "delivery", "deliveries")) } "." }
                }
                p { a.button href=(PATH) { "Clear the filter" } }
            }
        }
    }
}

/// Every part of a query in words, and the query without it.
fn parts(query: &Query) -> Vec<(String, Query)> {
    let without = |change: fn(&mut Query)| {
        let mut rest = query.clone();
        rest.older_than.clear();
        change(&mut rest);
        rest
    };
    let mut parts = Vec::new();
    for (name, value, rest) in [
        ("state", &query.state, without(|rest| rest.state.clear())),
        ("kind", &query.kind, without(|rest| rest.kind.clear())),
        ("listener", &query.listener, without(|rest| rest.listener.clear())),
        ("team", &query.team, without(|rest| rest.team.clear())),
    ] {
        if !value.trim().is_empty() {
            parts.push((format!("{name}:{}", value.trim()), rest));
        }
    }
    for (at, word) in query.q.split_whitespace().enumerate() {
        let mut rest = without(|_| {});
        let others = query.q.split_whitespace().enumerate().filter(|(other, _)| *other != at);
        rest.q = others.map(|(_, word)| word).collect::<Vec<_>>().join(" ");
        parts.push((word.to_owned(), rest));
    }
    for (name, is_given, rest) in [
        ("since", query.since.is_some(), without(|rest| rest.since = None)),
        ("before", query.before.is_some(), without(|rest| rest.before = None)),
    ] {
        if is_given {
            parts.push((name.to_owned(), rest));
        }
    }
    parts
}

/// The part without which something matches.
fn nearest(history: &History, query: &Query) -> Option<(String, Query, usize)> {
    parts(query).into_iter().find_map(|(part, rest)| {
        let (_, matching, _) = history.rows(&Filter::parse(&rest).ok()?);
        (matching > 0).then_some((part, rest, matching))
    })
}

fn not_understood(workbench: &Workbench, viewer: &Viewer, query: &Query, sentence: &str) -> Response {
    let main = html! {
        (head(workbench, query))
        div.empty data-testid="error-state" role="alert" {
            p { strong { "This filter is not understood: " } (sentence) "." }
            p { "Search takes words to look for, and " @for field in FIELDS { code { (field) } " " } }
            p { a.button href=(PATH) { "Clear the filter" } }
        }
    };
    let content = Page { here: Here::Deliveries, title: "Deliveries", path: PATH, topics: "app faults", main };
    page(workbench, viewer, StatusCode::BAD_REQUEST, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_back() {
        let address = address(
            &Query { state: "dead".to_owned(), q: "is:failed ü&x=1".to_owned(), limit: Some(7), ..Query::default() },
            Some("019ad000-1"),
        );
        assert_eq!(
            address,
            "/console/deliveries?state=dead&q=is%3Afailed+%C3%BC%26x%3D1&limit=7&older_than=019ad000-1"
        );
        let (query, filter) = read(address.split_once('?').unwrap().1);
        assert_eq!(
            (query.state.as_str(), query.q.as_str(), query.older_than.as_str()),
            ("dead", "is:failed ü&x=1", "019ad000-1")
        );
        assert_eq!(filter.unwrap().limit, 7);
        assert_eq!(super::address(&Query::default(), None), PATH);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (raw, words) in [
            ("since=yesterday", ["since=yesterday", "1970"]),
            ("state=broken", ["broken", "duplicate"]),
            ("q=ack:slow", ["ack:slow", "ack:>100"]),
        ] {
            let sentence = read(raw).1.unwrap_err();
            assert!(words.iter().all(|word| sentence.contains(word)), "{sentence}");
        }
    }

    #[test]
    fn each_part_of_a_filter_can_be_left_out() {
        let query = Query { state: "dead".to_owned(), q: "is:failed tea".to_owned(), ..Query::default() };
        let parts = parts(&query);
        let words: Vec<&str> = parts.iter().map(|(word, _)| word.as_str()).collect();
        assert_eq!(words, ["state:dead", "is:failed", "tea"]);
        assert_eq!((parts[0].1.state.as_str(), parts[1].1.q.as_str(), parts[2].1.q.as_str()), ("", "tea", "is:failed"));
    }
}
