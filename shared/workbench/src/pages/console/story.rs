//! The story of a delivery, as a page and as JSON: the history's, with what the simulated Slack knows of each call beside it.

use super::curl::{curl, has_secrets};
use super::delivery::older_trouble;
use super::names::{Names, delivery_path, kind, ms, outcome, outcome_named, readable, table};
use super::time_line::time_line;
use crate::history::{Attempt, History, Kind, Outcome, Story};
use crate::pages::Workbench;
use crate::pages::clock::precise;
use maud::{Markup, html};
use serde_json::{Value, json};
use tack_simulator::{Call, State};

/// The story for programs.
pub(super) fn facts(workbench: &Workbench, story: &Story) -> Value {
    let mut facts = readable(&Names::of(&workbench.simulator), &story.row, story);
    workbench.simulator.read(|state| {
        for call in facts["calls"].as_array_mut().into_iter().flatten() {
            let Some(known) = call["request"].as_str().and_then(|request| call_of(state, request)) else { continue };
            call["status"] = json!(known.status);
            call["args"] = known.args.clone();
            call["answer"] = known.answer.clone();
            call["fault"] = json!(known.fault);
        }
    });
    for job in facts["jobs"].as_array_mut().into_iter().flatten() {
        job["dedup_key"] =
            json!(story.key.as_ref().map(|key| format!("{key}#{}", job["name"].as_str().unwrap_or_default())));
    }
    facts["curl"] = json!(lines(workbench, story));
    facts
}

/// The simulated Slack's memory of a call: the newest ones only.
fn call_of<'a>(state: &'a State, request: &str) -> Option<&'a Call> {
    state.calls().rev().find(|call| call.id == request)
}

/// The lines for a shell.
fn lines(workbench: &Workbench, story: &Story) -> Option<String> {
    let original = workbench.history.original(&story.row.id).ok()?;
    let request = story.request.as_ref()?;
    let url = format!("{}{}", workbench.addresses.app, request.path);
    curl(&url, &original.content_type, &original.body)
}

/// The deliveries around this one in the list.
pub(super) struct Around {
    newer: Option<String>,
    older: Option<String>,
    older_trouble: Option<String>,
}

impl Around {
    pub(super) fn of(history: &History, story: &Story) -> Self {
        let (newer, older) = history.neighbours(&story.row.id);
        Self { newer, older, older_trouble: older_trouble(history, story.row.at_ms, &story.row.id) }
    }
}

/// The page's content.
pub(super) fn render(workbench: &Workbench, story: &Story, around: &Around, heading: &str) -> Markup {
    let row = &story.row;
    html! {
        (crumbs(story, around))
        h1 { (heading) }
        p.sentence data-testid="delivery-sentence" { (row.sentence) }
        @if row.outcome == Outcome::Dead {
            p { a href="/console/dead-letters" { "Its dead letter, with the button that redrives it" } }
        }
        (again(story))
        dl.facts {
            div { dt { "Outcome" } dd data-testid="delivery-outcome" data-state=(row.outcome.as_str()) { (outcome(row.outcome)) } }
            @if let Some(cause) = &row.cause { div { dt { "Cause" } dd { (cause) } } }
            div { dt { "Arrived" } dd { (precise(row.at_ms)) } }
            div { dt { "Ack" } dd data-testid="delivery-ack-ms" { (ms(row.ack_ms)) } }
            div { dt { "Wait" } dd data-testid="delivery-wait-ms" { (ms(row.wait_ms)) } }
            @if row.first_call_ms.is_some() { div { dt { "First call" } dd { (ms(row.first_call_ms)) } } }
            div { dt { "Attempts" } dd data-testid="delivery-attempts" { (row.attempts) } }
            @if let Some(dedup) = row.dedup { div { dt { "Dedup" } dd data-testid="delivery-dedup" { (dedup) } } }
            @if let Some(key) = &story.key { div { dt { "Key" } dd { code { (key) } } } }
            div { dt { "Id" } dd { code { (row.id) } } }
        }
        @for warning in &story.warnings { p.warning { span aria-hidden="true" { "⚠ " } "Slack would frown: " (warning) } }
        section aria-labelledby="time" {
            h2 #time { "Time line" }
            @if story.timeline.is_empty() { p.muted { "Nothing has happened yet." } }
            @else { (time_line(story)) }
        }
        (attempts(workbench, story))
        (calls(workbench, story))
        (request(story))
        (answer(story))
        (log(story))
        (related(story))
        (edit(workbench, story))
    }
}

fn crumbs(story: &Story, around: &Around) -> Markup {
    let path = |id: &Option<String>| id.as_deref().map(delivery_path);
    html! {
        nav.crumbs aria-label="Delivery" {
            a href="/console/deliveries" data-key="Escape" { "‹ Deliveries" }
            code { (story.row.short) }
            span.space {}
            @if let Some(path) = path(&around.newer) { a href=(path) data-key="[" rel="prev" { "‹ newer" } }
            @if let Some(path) = path(&around.older) { a href=(path) data-key="]" rel="next" { "older ›" } }
            @if let Some(path) = path(&around.older_trouble) { a href=(path) data-key="n" { "next failed ›" } }
        }
    }
}

/// Sending it again.
fn again(story: &Story) -> Markup {
    if story.row.kind == Kind::Own || story.request.is_none() {
        return html! {};
    }
    let path = delivery_path(&story.row.id);
    html! {
        form.again method="post" action={ (path) "/replay" } data-act data-testid="replay" {
            input type="hidden" name="back" value=(path);
            button.primary name="mode" value="rerun" data-key="r" data-testid="replay-mode" data-mode="rerun" title="The same content as something new: fresh ids, signed anew" { "Re-run" }
            button name="mode" value="redeliver" data-key="d" data-testid="replay-mode" data-mode="redeliver" title="The same bytes once more, as Slack does: the app ought to know them" { "Redeliver" }
            a.button href="#edit" { "Edit and send" }
            a.button href="#shell" { "cURL" }
        }
    }
}

fn attempts(workbench: &Workbench, story: &Story) -> Markup {
    let places = workbench.listing.all();
    let place = |job: &str| {
        places.iter().find(|listed| listed.jobs.iter().any(|known| known == job)).map(|listed| listed.place.clone())
    };
    html! {
        section aria-labelledby="attempts" {
            h2 #attempts { "Attempts" }
            @if story.jobs.is_empty() { p.muted { "No job was started for it." } }
            @for job in &story.jobs {
                h3 {
                    code { (job.name) } " " (outcome_named(&job.outcome))
                    @if let Some(place) = place(&job.name).filter(|place| !place.is_empty()) { " " span.muted { (place) } }
                }
                @if job.attempts.is_empty() { p.muted { "It waits for its first attempt." } }
                @else {
                    (table(&format!("Attempts of {}", job.name), &["Attempt", "At", "Waited", "Took", "Outcome", "Process"], &html! {
                        @for attempt in &job.attempts { (attempt_row(attempt)) }
                    }))
                }
            }
        }
    }
}

fn attempt_row(attempt: &Attempt) -> Markup {
    html! {
        tr data-testid="attempt" data-state=(attempt.outcome) {
            td data-label="Attempt" {
                @if attempt.n == 0 { "–" } @else { (attempt.n) }
                @if attempt.redriven > 0 { ", redriven" }
            }
            td.nowrap data-label="At" { (precise(attempt.at_ms)) }
            td.number data-label="Waited" { (ms(attempt.wait_ms)) }
            td.number data-label="Took" { (taken(attempt.ms)) }
            td data-label="Outcome" {
                (outcome_named(&attempt.outcome))
                @if let Some(reason) = &attempt.reason { div.cause { (reason) } }
                @if let Some(again) = attempt.again_ms { div.muted { "again in " (ms(Some(again))) } }
            }
            td.number data-label="Process" { (attempt.process.map_or_else(|| "–".to_owned(), |pid| pid.to_string())) }
        }
    }
}

fn taken(ms: Option<f64>) -> String {
    ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1} ms"))
}

fn calls(workbench: &Workbench, story: &Story) -> Markup {
    let known: Vec<Option<Call>> = workbench.simulator.read(|state| {
        let find = |request: &Option<String>| request.as_deref().and_then(|request| call_of(state, request)).cloned();
        story.calls.iter().map(|call| find(&call.request)).collect()
    });
    html! {
        section aria-labelledby="calls" {
            h2 #calls { "Web API calls" }
            @if story.calls.is_empty() { p.muted { "The listener made no Web API call." } }
            @for (call, known) in story.calls.iter().zip(&known) {
                details.call data-testid="api-call" data-state=(if call.ok { "ok" } else { "error" }) {
                    summary {
                        code { (call.method) } " "
                        (outcome_named(if call.ok { "ok" } else { "failed" }))
                        @if let Some(error) = &call.error { " " (error) }
                        " " span.muted {
                            @if let Some(known) = known { (known.status) " · " @if known.fault { "fault · " } }
                            (taken(call.ms))
                            @if let Some(job) = &call.job { " · " (job) }
                        }
                    }
                    @match known {
                        Some(known) => {
                            (code_block("Arguments", &pretty(&known.args)))
                            (code_block("Answer", &pretty(&known.answer)))
                        }
                        None => p.muted { "The simulated Slack no longer has this call, or it went elsewhere." }
                    }
                    @if let Some(request) = &call.request { p.muted { "Slack's request id " code { (request) } } }
                }
            }
        }
    }
}

fn request(story: &Story) -> Markup {
    html! {
        section aria-labelledby="request" {
            h2 #request { "Request" }
            @match &story.request {
                Some(request) => {
                    p { code { (request.method) " " (request.path) } span.muted { " · " (super::names::thousands(request.bytes as u64)) " bytes · " (request.content_type) } }
                    (headers("request-headers", &request.headers))
                    div data-testid="request-body" { (code_block("Body, secrets masked", &request.body)) }
                }
                None if story.row.kind == Kind::Own => p.muted { "The app gave itself this work: no request came from Slack." }
                None => p.muted { "The request is not in the history." }
            }
        }
    }
}

fn answer(story: &Story) -> Markup {
    html! {
        section aria-labelledby="answer" {
            h2 #answer { "Answer" }
            @match &story.answer {
                Some(answer) => {
                    p { code { (answer.status) } span.muted { " after " (ms(Some(answer.ms))) " of 3,000" } }
                    (headers("answer-headers", &answer.headers))
                    div data-testid="answer-body" {
                        @if answer.body.trim().is_empty() { p.muted { "An empty body." } }
                        @else { (code_block("Body", &answer.body)) }
                    }
                }
                None => p.muted { "There was no answer." }
            }
        }
    }
}

fn headers(test_id: &str, headers: &[(String, String)]) -> Markup {
    html! {
        details data-testid=(test_id) {
            summary { (super::names::count(headers.len(), "header", "headers")) }
            dl.headers { @for (name, value) in headers { div { dt { code { (name) } } dd { code { (value) } } } } }
        }
    }
}

fn log(story: &Story) -> Markup {
    html! {
        section aria-labelledby="log" {
            h2 #log { "Log" }
            @if story.logs.is_empty() { p.muted { "No other line was logged." } }
            @else {
                ol.log {
                    @for line in &story.logs {
                        li data-testid="log-line" data-level=(line.level) {
                            (precise(line.at_ms)) " " span.muted { (line.function) }
                            @if !line.level.is_empty() { " " span.level { (line.level) } }
                            " " code { (line.text) }
                            @if line.shared { " " span.muted { "(others of the same batch may have written it)" } }
                        }
                    }
                }
            }
        }
    }
}

fn related(story: &Story) -> Markup {
    html! {
        section aria-labelledby="related" {
            h2 #related { "Related" }
            @if story.related.is_empty() { p.muted { "No other delivery has to do with it." } }
            @else {
                ul { @for other in &story.related {
                    li data-testid="related" data-id=(other.id) {
                        (other.relation) " " a href=(delivery_path(&other.id)) { code { (other.short) } } " " (outcome_named(other.outcome))
                    }
                } }
            }
        }
    }
}

/// The body to change, and the lines for a shell.
fn edit(workbench: &Workbench, story: &Story) -> Markup {
    let Some(request) = story.request.as_ref().filter(|_| story.row.kind != Kind::Own) else { return html! {} };
    let path = delivery_path(&story.row.id);
    let original = workbench.history.original(&story.row.id).ok();
    let masks = original.is_some_and(|original| has_secrets(&original.content_type, &original.body));
    html! {
        section aria-labelledby="edit" {
            h2 #edit { "Edit and send" }
            form method="post" action={ (path) "/replay" } data-act {
                input type="hidden" name="back" value=(path);
                label for="edit-body" { "The body of this " (kind(&story.row)) ", signed anew when it is sent" }
                textarea #edit-body.code name="body" rows="12" spellcheck="false" autocomplete="off" data-testid="edit-body" data-key="e" { "\n" (request.body) }
                p.muted {
                    "Its ids are sent as they stand here: with the same ids the app takes it for a copy. What is masked is sent as it was."
                }
                button name="mode" value="edited" data-testid="edit-submit" { "Send" }
            }
        }
        section aria-labelledby="shell" {
            h2 #shell { "From a shell" }
            @match lines(workbench, story) {
                Some(lines) => {
                    p.muted {
                        "Signs it anew with " code { "$SLACK_SIGNING_SECRET" } ", which is not part of the lines. The ids are the same: the app takes it for a copy."
                        @if masks { " Slack's own tokens in the body are masked, so an answer to its " code { "response_url" } " goes nowhere." }
                    }
                    button type="button" data-copy="#curl" data-testid="copy-curl" data-key="c" { "Copy as cURL" }
                    pre #curl tabindex="0" role="group" aria-label="Lines for a shell" { code { (lines) } }
                }
                None => p.muted { "This body is no text, so no shell can hold it." }
            }
        }
    }
}

/// A piece of code with a scroller of its own.
fn code_block(name: &str, text: &str) -> Markup {
    html! {
        h3 { (name) }
        pre tabindex="0" role="group" aria-label=(name) { code { (text) } }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
