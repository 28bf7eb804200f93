//! The app's own side: the build and its errors, the functions' processes and how they ended, the variables they see.

use super::ansi::ansi;
use super::names::{count, table, thousands};
use super::nav::{Here, Page, page};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts};
use crate::pages::clock::precise;
use crate::pages::person::Viewer;
use crate::reload::{BuildReport, BuildState, Diagnostic, Watching};
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Serialize;
use serde_json::json;
use tack_local_aws::lambda::{ExitCause, Function, ProcessState};
use tack_simulator::mask_text;

/// Exits of a function that are shown: the newest.
const EXITS_MAX: usize = 20;

/// `GET /console/app`.
pub(super) async fn show(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    let report = workbench.builds.report();
    let stack = &workbench.stack;
    let all = [&stack.ingress, &stack.interactions, &stack.events].into_iter().chain(&stack.oauth);
    let functions: Vec<FunctionState> = all.map(FunctionState::of).collect();
    let environment: Vec<Variable> = stack.environment.iter().map(|(name, value)| Variable::of(name, value)).collect();
    if wants != Wants::Html {
        let told = json!({ "build": report, "functions": functions, "environment": environment });
        return facts(StatusCode::OK, told);
    }
    let main = html! {
        h1 { "App" }
        (build(&report))
        (processes(&functions))
        (variables(&environment))
    };
    // Processes come and go with deliveries.
    let content = Page { here: Here::App, title: "App", path: "/console/app", topics: "app deliveries faults", main };
    page(&workbench, &viewer, StatusCode::OK, content)
}

/// A function and its processes.
#[derive(Serialize)]
struct FunctionState {
    name: String,
    invocations: u64,
    throttles: u64,
    timeouts: u64,
    processes: Vec<Process>,
    /// Newest first.
    exits: Vec<Exit>,
}

#[derive(Serialize)]
struct Process {
    pid: u32,
    started_ms: u64,
    busy: bool,
    /// `starting`, `busy`, `idle`, `ending`.
    state: &'static str,
    invocations: u64,
    /// It runs a build that was replaced, and ends with what it is doing.
    outdated: bool,
}

#[derive(Serialize)]
struct Exit {
    pid: u32,
    at_ms: u64,
    status: String,
    cause: &'static str,
    /// The invocation that it left unanswered.
    invocation: Option<String>,
}

impl FunctionState {
    fn of(function: &Function) -> Self {
        let stats = function.stats();
        let processes = function.processes().into_iter().map(|process| Process {
            pid: process.pid,
            started_ms: process.started_ms,
            busy: process.state == ProcessState::Busy,
            state: match process.state {
                ProcessState::Starting => "starting",
                ProcessState::Busy => "busy",
                ProcessState::Idle => "idle",
                ProcessState::Ending => "ending",
            },
            invocations: process.invocations,
            outdated: process.is_outdated,
        });
        let exits = function.exits().into_iter().rev().take(EXITS_MAX).map(|exit| Exit {
            pid: exit.pid,
            at_ms: exit.at_ms,
            status: exit.status,
            cause: match exit.cause {
                ExitCause::Itself => "ended by itself",
                ExitCause::TimedOut => "killed at its time-out",
                ExitCause::InitTooLong => "killed, since it did not start in time",
                ExitCause::Killed => "killed on request",
                ExitCause::Replaced => "replaced by a newer build",
                ExitCause::ShutDown => "shut down",
            },
            invocation: exit.request_id,
        });
        Self {
            name: function.name().to_owned(),
            invocations: stats.invocations,
            throttles: stats.throttles,
            timeouts: stats.timeouts,
            processes: processes.collect(),
            exits: exits.collect(),
        }
    }
}

/// A variable of the functions.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Variable {
    name: String,
    value: String,
    origin: &'static str,
}

/// Ours, none of which is a secret.
const OPEN: [&str; 15] = [
    "AWS_ENDPOINT_URL",
    "EVENTS_DLQ_URL",
    "EVENTS_QUEUE_URL",
    "INSTALLATIONS_TABLE",
    "INTERACTIONS_DLQ_URL",
    "INTERACTIONS_QUEUE_URL",
    "SLACK_API_URL",
    "SLACK_APP_ID",
    "SLACK_CLIENT_ID",
    "SLACK_REDIRECT_URI",
    "SLACK_SCOPES",
    "SLACK_USER_SCOPES",
    "STATE_TABLE",
    "TACK_LIMITS",
    "TOKEN_KEY_ID",
];
const SECRET: [&str; 3] = ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "SLACK_CLIENT_SECRET"];

impl Variable {
    fn of(name: &str, value: &str) -> Self {
        let is_made_up = value.starts_with("xoxb-simulated-");
        let (value, origin) = if OPEN.contains(&name) {
            (mask_text(value), if name.starts_with("SLACK_") { "tack, or your shell" } else { "tack" })
        } else {
            // An adopter's own may hold anything.
            let origin = match (SECRET.contains(&name), is_made_up) {
                (true, true) => "made up for this run",
                (true, false) => "your shell, or made up for this run",
                (false, _) => "--env",
            };
            (masked(value), origin)
        };
        Self { name: name.to_owned(), value, origin }
    }
}

/// Nothing of a secret but where a token begins and ends.
fn masked(value: &str) -> String {
    let length = value.chars().count();
    match mask_text(value) {
        masked if masked != value && value.starts_with("xox") => masked,
        _ => format!("… ({})", count(length, "letter", "letters")),
    }
}

fn build(report: &BuildReport) -> Markup {
    html! {
        section aria-labelledby="build" {
            h2 #build { "Build" }
            @match &report.state {
                BuildState::Live { .. } => p data-testid="build-state" data-state="live" { "Live: build " (report.serving.build) ", since " (precise(report.serving.since_ms)) (took(report)) "." },
                BuildState::Building { build, since_ms, serving, note } => {
                    p data-testid="build-state" data-state="building" {
                        "Building number " (build) " since " (precise(*since_ms)) "; build " (serving) " keeps answering."
                        @if let Some(note) = note { " " (note) "." }
                    }
                }
                BuildState::Broken { since_ms, serving, errors, .. } => {
                    p data-testid="build-state" data-state="broken" {
                        strong { "It does not compile: " (count(errors.len(), "error", "errors")) } ", since " (precise(*since_ms))
                        ". Build " (serving) " keeps answering; save a change and it is built again."
                    }
                    @for error in errors { (diagnostic(error)) }
                }
                BuildState::DoesNotStart { since_ms, serving, function, lines, .. } => {
                    p data-testid="build-state" data-state="does-not-start" {
                        strong { "It compiles, and " (function) " does not start" } ", since " (precise(*since_ms)) ". Build " (serving) " keeps answering."
                    }
                    pre data-testid="build-error" tabindex="0" role="group" aria-label={ "What " (function) " said" } { code { (ansi(&lines.join("\n"))) } }
                }
            }
            p.muted {
                @match &report.watching {
                    Watching::Starting => { "Looking for what to watch." },
                    Watching::On { folders } => { "A change is noticed when it is saved in " @for folder in folders { code { (folder) } " " } },
                    Watching::Off { reason } => { "Nothing is watched: " (reason) },
                }
            }
            @if report.restart_needed { p.warning { span aria-hidden="true" { "⚠ " } "The workbench's own code changed: start " code { "cargo run" } " again for it." } }
        }
    }
}

fn took(report: &BuildReport) -> Markup {
    html! { @if let Some(ms) = report.serving.built_in_ms { ", " (thousands(ms)) " ms after it was saved" } }
}

fn diagnostic(error: &Diagnostic) -> Markup {
    html! {
        article data-testid="build-error" {
            h3 { (error.message) @if let Some(file) = &error.file { " " code { (file) @if let Some(line) = error.line { ":" (line) } } } }
            pre tabindex="0" role="group" aria-label="What the compiler says" { code { (ansi(&error.rendered)) } }
        }
    }
}

fn processes(functions: &[FunctionState]) -> Markup {
    html! {
        section aria-labelledby="processes" {
            h2 #processes { "Processes" }
            @for function in functions {
                h3 { (function.name) " " span.muted {
                    (count(usize::try_from(function.invocations).unwrap_or(usize::MAX), "invocation", "invocations"))
                    @if function.throttles > 0 { " · " (function.throttles) " throttled" }
                    @if function.timeouts > 0 { " · " (function.timeouts) " timed out" }
                } }
                @if function.processes.is_empty() { p.muted { "No process now: the next invocation starts one." } }
                @else {
                    (table(&format!("Processes of {}", function.name), &["Pid", "Since", "State", "Invocations"], &html! {
                        @for process in &function.processes {
                            tr data-testid="process-row" data-state=(process.state) {
                                td.number data-label="Pid" { (process.pid) }
                                td.nowrap data-label="Since" { (precise(process.started_ms)) }
                                td data-label="State" { (process.state) @if process.outdated { ", of an older build" } }
                                td.number data-label="Invocations" { (process.invocations) }
                            }
                        }
                    }))
                }
                @if !function.exits.is_empty() {
                    details {
                        summary { (count(function.exits.len(), "exit", "exits")) ", the last: " (function.exits[0].cause) }
                        ul { @for exit in &function.exits {
                            li data-testid="exit" { (precise(exit.at_ms)) " pid " (exit.pid) " " (exit.cause) ", " (exit.status) @if exit.invocation.is_some() { ", in the middle of an invocation" } }
                        } }
                    }
                }
            }
        }
    }
}

fn variables(environment: &[Variable]) -> Markup {
    html! {
        section aria-labelledby="environment" {
            h2 #environment { "Environment" }
            p.muted { "The functions see these and what Lambda sets, and nothing else of this machine." }
            (table("Variables of the functions", &["Name", "Value", "Set by"], &html! {
                @for variable in environment {
                    tr data-testid="variable" data-id=(variable.name) {
                        td data-label="Name" { code { (variable.name) } }
                        td.value data-label="Value" { code { (variable.value) } }
                        td data-label="Set by" { (variable.origin) }
                    }
                }
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let shown = |name: &str, value: &str| Variable::of(name, value).value;
        assert_eq!(shown("SLACK_SIGNING_SECRET", "8f742231b10e8888abcd99yyyzzz85a5"), "… (32 letters)");
        assert_eq!(shown("SLACK_BOT_TOKEN", "xoxb-simulated-secretsecretsecret9f3a"), "xoxb-…9f3a");
        assert_eq!(shown("SLACK_BOT_TOKEN", "some-other-token"), "… (16 letters)");
        assert_eq!(shown("DATABASE_URL", "postgres://me:secret@host"), "… (25 letters)");
        assert_eq!(shown("STATE_TABLE", "state"), "state");
    }

    #[test]
    fn it_is_said_who_set_a_variable() {
        let origin = |name: &str, value: &str| Variable::of(name, value).origin;
        assert_eq!(origin("SLACK_BOT_TOKEN", "xoxb-simulated-1"), "made up for this run");
        assert_eq!(origin("STATE_TABLE", "state"), "tack");
        assert_eq!(origin("DATABASE_URL", "x"), "--env");
    }

    #[test]
    fn a_broken_build_shows_what_the_compiler_says() {
        let error = Diagnostic {
            rendered: "\u{1b}[1m\u{1b}[91merror\u{1b}[0m: <b>x</b>\n".to_owned(),
            message: "<b>x</b>".to_owned(),
            file: Some("src/lib.rs".to_owned()),
            line: Some(3),
        };
        let shown = diagnostic(&error).into_string();
        assert!(shown.contains("src/lib.rs:3") && shown.contains("ansi-red") && !shown.contains("<b>"), "{shown}");
    }
}
