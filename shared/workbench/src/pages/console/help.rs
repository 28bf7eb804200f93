//! Keys, words, addresses, and what is promised.

use super::nav::{Here, Page, page};
use crate::history::{FIELDS, Outcome};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts};
use crate::pages::person::Viewer;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::json;

const KEYS: [(&str, &str); 17] = [
    ("g s", "Slack"),
    ("g d", "Deliveries"),
    ("g l", "Dead letters"),
    ("g i", "Installs"),
    ("g f", "Faults"),
    ("g a", "App"),
    ("g h", "Help"),
    ("j k", "next and previous row"),
    ("Enter", "open the row"),
    ("Esc", "back"),
    ("[ ]", "newer and older delivery"),
    ("r", "re-run"),
    ("d", "redeliver"),
    ("e c", "edit and send; copy as cURL"),
    ("n", "next failed"),
    ("/", "search"),
    ("p", "pause the list, and go on"),
];

const PROMISES: [(&str, &str); 7] = [
    ("Acknowledged means durable", "Slack hears 2xx only after the queue has the work."),
    (
        "At least once",
        "Every job runs until it is done, discarded for a stated reason, or in the dead letters with one.",
    ),
    ("One owner", "Two workers never run the same job of a delivery at once."),
    ("Done is final", "No retry, copy or redrive runs a finished job again for 19 days."),
    ("Slack sees no error", "for a request it signed, unless the queue refuses it or the body is over the limit."),
    ("One bad event holds up no other", "nor does one loud workspace."),
    ("Secrets stay secret", "Tokens and secrets are masked in logs, pages and commands."),
];

const WORDS: [(Outcome, &str); 12] = [
    (Outcome::Answered, "the ack was all; there was no work"),
    (Outcome::Queued, "it waits for a worker"),
    (Outcome::Running, "a worker has it"),
    (Outcome::Retrying, "an attempt failed, and another one comes"),
    (Outcome::Done, "every job is done"),
    (Outcome::Duplicate, "a copy of what had been done; nothing happened twice"),
    (Outcome::Discarded, "not run, for a stated reason"),
    (Outcome::Dead, "in the dead letters"),
    (Outcome::Rejected, "not let in: not signed, too old, too large"),
    (Outcome::Unhandled, "nobody listens to it"),
    (Outcome::Own, "the app's own message, dropped"),
    (Outcome::Failed, "the ack failed, or there was no answer"),
];

/// `GET /console/help`.
pub(super) async fn show(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    let addresses = &workbench.addresses;
    if wants != Wants::Html {
        let (slack, app, aws) = (&addresses.workbench, &addresses.app, &addresses.aws);
        return facts(StatusCode::OK, json!({ "workbench": slack, "app": app, "aws": aws }));
    }
    let main = html! {
        h1 { "Help" }
        section aria-labelledby="keys" {
            h2 #keys { "Keys" }
            p { button type="button" data-keys-toggle data-testid="keys-toggle" aria-pressed="true" { "Single letters are keys" } " " span.muted { "They never are while one types." } }
            dl.keys { @for (key, words) in KEYS { div { dt { @for one in key.split(' ') { kbd { (one) } " " } } dd { (words) } } } }
        }
        (words())
        section aria-labelledby="promises" {
            h2 #promises { "What is promised" }
            dl.list { @for (promise, words) in PROMISES { div { dt { (promise) } dd { (words) } } } }
            p { "Not promised: effects exactly once (Slack's calls take no idempotency key), order (Slack promises none), anything before the acknowledgement." }
        }
        section aria-labelledby="addresses" {
            h2 #addresses { "Addresses" }
            dl.list {
                div { dt { "Simulated Slack, console" } dd { code { (addresses.workbench) } } }
                div { dt { "The app's door" } dd { code { (addresses.app) "/slack/events" } } }
                div { dt { "AWS: any SDK, any key, us-east-1" } dd { code { (addresses.aws) } } }
            }
            p {
                "Every page here is JSON for a program: "
                code { "curl -H 'accept: application/json' " (addresses.workbench) "/console/deliveries" }
                ". The same as commands: " code { "cargo tack deliveries list" } ", " code { "cargo tack fault on duplicate" } ", " code { "cargo tack --help" } "."
            }
        }
        section aria-labelledby="links" {
            h2 #links { "Links" }
            ul {
                li { a href="https://docs.slack.dev/" rel="noreferrer" { "Slack's developer documents" } }
                li { a href="https://docs.slack.dev/reference/block-kit/" rel="noreferrer" { "Block Kit reference" } }
                li { a href="https://docs.slack.dev/reference/methods" rel="noreferrer" { "Web API methods" } }
            }
        }
    };
    let content = Page { here: Here::Help, title: "Help", path: "/console/help", topics: "app faults", main };
    page(&workbench, &viewer, StatusCode::OK, content)
}

fn words() -> Markup {
    html! {
        section aria-labelledby="words" {
            h2 #words { "Words" }
            dl.list { @for (outcome, words) in WORDS { div { dt { (super::names::outcome(outcome)) } dd { (words) } } } }
            p {
                "A search takes words to look for, and "
                @for field in FIELDS { code { (field) } " " }
                ". Example: " a href="/console/deliveries?q=is%3Afailed" { code { "is:failed" } } ", " a href="/console/deliveries?q=ack%3A%3E100" { code { "ack:>100" } } "."
            }
            p { strong { "Re-run" } " sends the same content as something new, with fresh ids. " strong { "Redeliver" } " sends the same bytes once more, as Slack does. " strong { "Redrive" } " sends a dead letter back to its queue." }
        }
    }
}
