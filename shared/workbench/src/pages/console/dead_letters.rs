//! The page of dead letters: by cause, each with what a redrive would do, and the way back to their queue or out.

use super::letters::{Cause, Deed, Done, Knowledge, Letter, Skipped, body, carry_out, causes, letters};
use super::names::{count, delivery_path, table};
use super::nav::{Here, Page, page};
use super::replying::{Given, Trouble};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts, see};
use crate::pages::clock::precise;
use crate::pages::person::Viewer;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

const PATH: &str = "/console/dead-letters";
const TITLE: &str = "Dead letters";
/// The page hears of letters as deliveries change.
const TOPICS: &str = "deliveries app faults";

/// `GET /console/dead-letters`.
pub(super) async fn list(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    let letters = all(&workbench);
    let causes = causes(&letters);
    if wants != Wants::Html {
        return facts(StatusCode::OK, json!({ "letters": letters, "causes": causes }));
    }
    let main = render(&workbench, &letters, &causes);
    page(
        &workbench,
        &viewer,
        StatusCode::OK,
        Page { here: Here::DeadLetters, title: TITLE, path: PATH, topics: TOPICS, main },
    )
}

/// `GET /console/dead-letters/{id}`.
pub(super) async fn show(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<String>,
) -> Response {
    let found = one(&all(&workbench), &id);
    let letter = match found {
        Ok(letter) => letter,
        Err(trouble) => return trouble.answer(wants, PATH),
    };
    let body = body(workbench.stack.aws.sqs(), &letter);
    if wants != Wants::Html {
        let mut told = json!(letter);
        told["body"] = Value::String(body);
        return facts(StatusCode::OK, json!({ "letter": told }));
    }
    let title = format!("Dead letter {}", letter.short);
    let path = format!("{PATH}/{}", letter.id);
    let main = html! {
        nav.crumbs aria-label="Dead letter" { a href=(PATH) data-key="Escape" { "‹ Dead letters" } code { (letter.short) } }
        h1 { (heading(&letter)) }
        p.sentence { (letter.reason) }
        p { strong { "A redrive: " } (letter.would) }
        (details(&workbench, &letter))
        h2 { "Body, secrets masked" }
        pre tabindex="0" role="group" aria-label="Body" { code { (body) } }
        form method="post" action={ (PATH) "/redrive" } data-act {
            input type="hidden" name="back" value=(PATH);
            button.primary name="one" value=(letter.id) data-testid="redrive" { "Redrive" }
            (discard(&[("one", &letter.id, "Discard it for good")]))
        }
    };
    page(
        &workbench,
        &viewer,
        StatusCode::OK,
        Page { here: Here::DeadLetters, title: &title, path: &path, topics: "app faults", main },
    )
}

/// `POST /console/dead-letters/redrive`.
pub(super) async fn redrive(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    given: Given,
) -> Response {
    moved(&workbench, &viewer, wants, Deed::Redrive, &given)
}

/// `POST /console/dead-letters/discard`.
pub(super) async fn discard_letters(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    given: Given,
) -> Response {
    moved(&workbench, &viewer, wants, Deed::Discard, &given)
}

fn all(workbench: &Workbench) -> Vec<Letter> {
    let jobs = workbench.listing.all().into_iter().flat_map(|listed| listed.jobs).collect();
    let knowledge = Knowledge { jobs, now_ms: workbench.stack.aws.clock().now_ms() };
    letters(workbench.stack.aws.sqs(), &knowledge)
}

/// The letter with this id, or this ending of one, or of this delivery.
fn one(letters: &[Letter], id: &str) -> Result<Letter, Trouble> {
    if let Some(letter) = letters.iter().find(|letter| letter.id == id) {
        return Ok(letter.clone());
    }
    let ending = id.to_ascii_lowercase();
    let is_it =
        |letter: &&Letter| ending.len() >= 4 && letter.id.ends_with(&ending) || letter.delivery == id && !id.is_empty();
    let mut found = letters.iter().filter(is_it);
    match (found.next(), found.next()) {
        (Some(letter), None) => Ok(letter.clone()),
        (None, _) => Err(Trouble::not_found(
            format!("there is no dead letter {id}: it was redriven or discarded, or never there"),
            "the list shows those there are",
        )),
        (Some(_), Some(_)) => {
            Err(Trouble::ambiguous(format!("several dead letters end with {id}"), "give more of the id"))
        }
    }
}

/// Which letters are meant.
enum Which {
    Ids(Vec<String>),
    All,
    Cause(String),
}

struct Order {
    which: Which,
    /// Only those of this queue.
    queue: Option<String>,
    is_dry: bool,
}

impl Order {
    fn read(given: &Given) -> Result<Self, Trouble> {
        let (which, queue, is_dry) = match given {
            Given::Form(fields) => {
                let which = if let Some(one) = fields.get("one") {
                    Some(Which::Ids(vec![one.to_owned()]))
                } else if let Some(cause) = fields.get("cause") {
                    Some(Which::Cause(cause.to_owned()))
                } else if fields.get("all").is_some() {
                    Some(Which::All)
                } else {
                    let ids: Vec<String> = fields.all("id").map(str::to_owned).collect();
                    // A dry run of nothing is one of everything.
                    match (ids.is_empty(), fields.get("dry_run")) {
                        (false, _) => Some(Which::Ids(ids)),
                        (true, Some(_)) => Some(Which::All),
                        (true, None) => None,
                    }
                };
                (which, fields.get("queue").map(str::to_owned), fields.get("dry_run").is_some())
            }
            Given::Json(json) => {
                let ids =
                    json["ids"].as_array().map(|ids| ids.iter().filter_map(Value::as_str).map(str::to_owned).collect());
                let which = match (ids, json["cause"].as_str(), json["all"].as_bool()) {
                    (Some(ids), None, None | Some(false)) => Some(Which::Ids(ids)),
                    (None, Some(cause), None | Some(false)) => Some(Which::Cause(cause.to_owned())),
                    (None, None, Some(true)) => Some(Which::All),
                    _ => None,
                };
                (which, json["queue"].as_str().map(str::to_owned), json["dry_run"].as_bool().unwrap_or_default())
            }
        };
        let queue = queue.map(|queue| queue.trim_end_matches("-dlq").to_owned());
        if let Some(unknown) = queue.as_ref().filter(|queue| !crate::stack::Stack::QUEUES.contains(&queue.as_str())) {
            return Err(Trouble::invalid(format!("there is no queue `{unknown}`"), "interactions or events"));
        }
        match which {
            Some(which) => Ok(Self { which, queue, is_dry }),
            None => Err(Trouble::invalid("no letter was chosen", "tick some, or give one of `ids`, `cause` and `all`")),
        }
    }

    /// The chosen ones, and those that are not there.
    fn choose(&self, letters: Vec<Letter>) -> (Vec<Letter>, Vec<Skipped>) {
        let letters =
            letters.into_iter().filter(|letter| self.queue.as_deref().is_none_or(|queue| queue == letter.queue));
        match &self.which {
            Which::All => (letters.collect(), Vec::new()),
            Which::Cause(cause) => (letters.filter(|letter| letter.cause == *cause).collect(), Vec::new()),
            Which::Ids(ids) => {
                let letters: Vec<Letter> = letters.filter(|letter| ids.contains(&letter.id)).collect();
                let is_gone = |id: &&String| letters.iter().all(|letter| letter.id != **id);
                let gone = ids.iter().filter(is_gone).map(|id| Skipped::gone(id)).collect();
                (letters, gone)
            }
        }
    }
}

fn moved(workbench: &Workbench, viewer: &Viewer, wants: Wants, deed: Deed, given: &Given) -> Response {
    let wants = given.reader(wants);
    let order = match Order::read(given) {
        Ok(order) => order,
        Err(trouble) => return trouble.answer(wants, PATH),
    };
    let (chosen, gone) = order.choose(all(workbench));
    let mut done = match carry_out(workbench.stack.aws.sqs(), deed, &chosen, order.is_dry) {
        Ok(done) => done,
        Err(error) => return Trouble::refused(error.to_string(), "").answer(wants, PATH),
    };
    done.skipped.extend(gone);
    if !order.is_dry {
        workbench.topics.changed("deliveries");
    }
    if wants != Wants::Html {
        let Done { letters, skipped } = &done;
        let told = json!({ "moved": letters.len(), "letters": letters, "dry_run": order.is_dry, "skipped": skipped });
        return facts(StatusCode::OK, told);
    }
    if !order.is_dry && done.skipped.is_empty() {
        return see(PATH);
    }
    let main = outcome(deed, order.is_dry, &chosen, &done);
    page(
        workbench,
        viewer,
        StatusCode::OK,
        Page { here: Here::DeadLetters, title: TITLE, path: PATH, topics: "", main },
    )
}

fn heading(letter: &Letter) -> String {
    let name = if letter.name.is_empty() { letter.kind } else { &letter.name };
    if letter.job.is_empty() || letter.job == name { name.to_owned() } else { format!("{name} · {}", letter.job) }
}

fn render(workbench: &Workbench, letters: &[Letter], causes: &[Cause]) -> Markup {
    let of = |queue: &str| letters.iter().filter(|letter| letter.queue == queue).count();
    html! {
        h1 { (TITLE) }
        @if letters.is_empty() {
            div.empty data-testid="empty-state" {
                p { "None: every job was done, or discarded for a reason." }
                p { "To see one, make Slack refuse for good: " a href="/console/faults" { "Faults" } " → 500 from Slack, until off; then say hi and wait until its ten attempts are used up, some 45 s." }
            }
        } @else {
            p { "interactions " strong { (of("interactions")) } " · events " strong { (of("events")) } ". A job that is redriven runs once more, whatever its age." }
            form method="post" action={ (PATH) "/redrive" } data-act {
                input type="hidden" name="back" value=(PATH);
                div.actions {
                    button.primary data-testid="dlq-redrive" { "Redrive those ticked" }
                    button name="all" value="1" data-testid="dlq-redrive-all" { "Redrive all" }
                    button name="dry_run" value="1" data-testid="dlq-dry-run" { "Dry run" }
                    (discard(&[("ticked", "1", "Discard those ticked"), ("all", "1", "Discard all")]))
                }
                @for cause in causes { (group(workbench, letters, cause)) }
            }
        }
    }
}

/// Asks once more, also without script: the buttons come out only when it is opened.
fn discard(buttons: &[(&str, &str, &str)]) -> Markup {
    html! {
        details.confirm {
            summary.button { "Discard…" }
            span { "What is discarded is gone for good." }
            @for (name, value, words) in buttons {
                button.danger name=(name) value=(value) formaction={ (PATH) "/discard" } data-testid="discard" { (words) }
            }
        }
    }
}

fn group(workbench: &Workbench, letters: &[Letter], cause: &Cause) -> Markup {
    const COLUMNS: [&str; 9] = ["", "Letter", "What", "Queue", "Attempts", "Since", "Kept until", "A redrive", ""];
    html! {
        section.group data-testid="dlq-group" data-cause=(cause.cause) {
            h2 { (cause.cause) }
            p {
                (count(cause.count, "letter", "letters")) " · first " (precise(cause.first_ms)) " · last " (precise(cause.last_ms)) " "
                button name="cause" value=(cause.cause) data-testid="dlq-redrive-cause" { "Redrive " @if cause.count == 1 { "it" } @else { "these" } }
            }
            (table(&format!("Dead letters: {}", cause.cause), &COLUMNS, &html! {
                @for letter in letters.iter().filter(|letter| letter.cause == cause.cause) { (row(workbench, letter)) }
            }))
        }
    }
}

fn row(workbench: &Workbench, letter: &Letter) -> Markup {
    html! {
        tr data-row data-testid="dlq-row" data-id=(letter.id) {
            td { label.tick { input type="checkbox" name="id" value=(letter.id); span.visually-hidden { "Tick letter " (letter.short) } } }
            td data-label="Letter" {
                a href={ (PATH) "/" (letter.id) } { code { (letter.short) } }
                @if let Some(held) = letter.held { " " span.tag { (held) } }
            }
            td data-label="What" {
                strong { (heading(letter)) }
                @if workbench.history.row(&letter.delivery).is_some() { " " a href=(delivery_path(&letter.delivery)) { "its delivery" } }
                @if letter.reason != letter.cause { div.cause { (letter.reason) } }
            }
            td data-label="Queue" { (letter.queue) }
            td.number data-label="Attempts" { (letter.attempts) @if letter.generation > 1 { " · redriven " (letter.generation - 1) "×" } }
            td.nowrap data-label="Since" { (precise(letter.sent_ms)) }
            td.nowrap data-label="Kept until" { (crate::pages::clock::utc(letter.expires_ms).0) }
            td data-label="A redrive" { (letter.would) }
            td { button name="one" value=(letter.id) data-testid="redrive" { "Redrive" span.visually-hidden { " letter " (letter.short) } } }
        }
    }
}

fn details(workbench: &Workbench, letter: &Letter) -> Markup {
    html! {
        dl.facts {
            div { dt { "Job" } dd { code { (letter.job) } } }
            div { dt { "Queue" } dd { (letter.queue) } }
            div { dt { "Attempts" } dd { (letter.attempts) } }
            div { dt { "Redriven" } dd { (letter.generation.saturating_sub(1)) "×" } }
            div { dt { "Since" } dd { (precise(letter.sent_ms)) } }
            div { dt { "Kept until" } dd { (crate::pages::clock::utc(letter.expires_ms).0) } }
            @if !letter.team.is_empty() { div { dt { "Workspace" } dd { code { (letter.team) } } } }
            div { dt { "Delivery" } dd {
                @if workbench.history.row(&letter.delivery).is_some() { a href=(delivery_path(&letter.delivery)) { code { (letter.delivery) } } }
                @else { code { (letter.delivery) } }
            } }
        }
    }
}

/// What was done, or would be.
fn outcome(deed: Deed, is_dry: bool, chosen: &[Letter], done: &Done) -> Markup {
    let verb = match (deed, is_dry) {
        (Deed::Redrive, false) => "sent back to their queue",
        (Deed::Redrive, true) => "would be sent back to their queue",
        (Deed::Discard, false) => "discarded",
        (Deed::Discard, true) => "would be discarded",
    };
    html! {
        nav.crumbs aria-label="Dead letters" { a href=(PATH) data-key="Escape" { "‹ Dead letters" } }
        h1 { @if is_dry { "Dry run" } @else { (TITLE) } }
        p data-testid="dlq-outcome" role="status" { strong { (count(done.letters.len(), "letter", "letters")) } " " (verb) "." }
        @if is_dry && deed == Deed::Redrive {
            form method="post" action={ (PATH) "/redrive" } data-act {
                input type="hidden" name="back" value=(PATH);
                ul {
                    @for letter in chosen.iter().filter(|letter| done.letters.contains(&letter.id)) {
                        li { input type="hidden" name="id" value=(letter.id); code { (letter.short) } " " (heading(letter)) ": " (letter.would) }
                    }
                }
                @if !done.letters.is_empty() { button.primary data-testid="dlq-redrive" { "Redrive them" } }
            }
        }
        @if !done.skipped.is_empty() {
            h2 { (count(done.skipped.len(), "letter stays", "letters stay")) }
            ul { @for skipped in &done.skipped { li { code { (skipped.id) } ": " (skipped.reason) } } }
            p { a.button href=(PATH) { "Continue" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::Fields;

    fn read(given: &Given) -> Result<(Option<usize>, bool), Trouble> {
        let order = Order::read(given)?;
        let ids = match order.which {
            Which::Ids(ids) => Some(ids.len()),
            Which::All | Which::Cause(_) => None,
        };
        Ok((ids, order.is_dry))
    }

    #[test]
    fn the_button_that_is_pressed_says_which_letters_are_meant() {
        let form = |text: &str| read(&Given::Form(Fields::parse(text.as_bytes())));
        assert_eq!(form("id=1&id=2"), Ok((Some(2), false)));
        assert_eq!(form("id=1&id=2&one=3"), Ok((Some(1), false)), "a letter's own button is for that letter alone");
        assert_eq!(form("id=1&all=1"), Ok((None, false)));
        assert_eq!(form("id=1&dry_run=1"), Ok((Some(1), true)));
        assert_eq!(form("dry_run=1"), Ok((None, true)));
        assert_eq!(form("back=/").unwrap_err().code, "invalid");
    }

    #[test]
    fn a_program_says_one_thing_only() {
        let json = |json: Value| read(&Given::Json(json));
        assert_eq!(json(json!({ "ids": ["1"], "dry_run": true })), Ok((Some(1), true)));
        assert_eq!(json(json!({ "all": true })), Ok((None, false)));
        for wrong in [
            json!({}),
            json!({ "all": false }),
            json!({ "ids": [], "all": true }),
            json!({ "all": true, "queue": "other" }),
        ] {
            assert_eq!(json(wrong.clone()).unwrap_err().code, "invalid", "{wrong}");
        }
    }
}
