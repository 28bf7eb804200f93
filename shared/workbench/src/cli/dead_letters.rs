//! `dlq`: dead letters: what they are, why, back to their queue, or away.
//! Invariant: nothing moves or goes before somebody said so.

use super::client::{Client, segment};
use super::delivery::{short, text};
use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::output::{Cell, Style, Table, Terminal, clean, clean_lines};
use super::session::Session;
use super::span;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};

#[derive(clap::Subcommand)]
pub(crate) enum DlqVerb {
    /// Every dead letter, and their causes.
    #[command(after_help = "Example:\n  cargo tack dlq list")]
    List,
    /// One dead letter with its body, and what a redrive would do.
    #[command(after_help = "Example:\n  cargo tack dlq show 3f9a1")]
    Show {
        /// Its id, a unique ending of it, or its delivery.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// Sends dead letters back to their queue: each parked job runs once more.
    #[command(after_help = "Example:\n  cargo tack dlq redrive --all --dry-run\n  cargo tack dlq redrive 3f9a1 --yes")]
    Redrive(MoveArgs),
    /// Throws dead letters away.
    #[command(after_help = "Example:\n  cargo tack dlq discard --cause channel_not_found --yes")]
    Discard(MoveArgs),
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Ids, unique endings of them, or their deliveries.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    id: Vec<String>,
    /// All with this cause.
    #[arg(long)]
    cause: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

#[derive(clap::Args)]
pub(crate) struct MoveArgs {
    #[command(flatten)]
    which: Which,
    /// Only says which it would be.
    #[arg(long)]
    dry_run: bool,
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

/// What is done with dead letters.
#[derive(Clone, Copy)]
struct Move {
    verb: &'static str,
    asks: &'static str,
    done: &'static str,
}

const REDRIVE: Move = Move { verb: "redrive", asks: "Send back to the queue", done: "sent back" };
const DISCARD: Move = Move { verb: "discard", asks: "Throw away for good", done: "thrown away" };

/// Does what was asked.
///
/// # Errors
/// When there is no such letter, it is not wanted after all, or the workbench cannot be asked.
pub(crate) async fn run(verb: DlqVerb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        DlqVerb::List => list(session).await,
        DlqVerb::Show { id } => show(&id, session).await,
        DlqVerb::Redrive(args) => moved(REDRIVE, &args, session).await,
        DlqVerb::Discard(args) => moved(DISCARD, &args, session).await,
    }
}

const NONE: &str = "No dead letters.";

fn letters(answer: &Value) -> &[Value] {
    answer["letters"].as_array().map(Vec::as_slice).unwrap_or_default()
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let answer = session.client()?.get("/console/dead-letters").await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    let letters = letters(&answer);
    if terminal.quiet {
        return letters.iter().try_for_each(|letter| terminal.line(&clean(text(letter, "id"))));
    }
    if letters.is_empty() {
        terminal.note(NONE);
        return Ok(());
    }
    let mut table = Table::headed(&["id", "queue", "what", "job", "attempts", "age", "cause"]);
    for letter in letters {
        let sent = letter["sent_ms"].as_u64().map(|sent| span::age(span::now_ms().saturating_sub(sent)));
        let attempts = letter["attempts"].as_u64().map(|attempts| attempts.to_string()).unwrap_or_default();
        let mut cells = vec![Cell(clean(short(letter)), Style::Plain)];
        let texts = [text(letter, "queue"), text(letter, "name"), text(letter, "job"), &attempts];
        cells.extend(texts.map(Cell::new));
        cells.push(Cell::new(&sent.unwrap_or_default()));
        cells.push(Cell(clean(text(letter, "cause")), Style::Bad));
        table.row(cells);
    }
    terminal.table(&table)?;
    let causes = answer["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !causes.is_empty() {
        terminal.line("\ncauses")?;
        let mut table = Table::default();
        for cause in causes {
            let count = cause["count"].as_u64().unwrap_or_default();
            table.row(vec![Cell(format!("{count:>4}"), Style::Plain), Cell::new(text(cause, "cause"))]);
        }
        terminal.table(&table)?;
    }
    Ok(())
}

async fn show(id: &str, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let id = one_of(letters(&client.get("/console/dead-letters").await?), id)?;
    let answer = client.get(&format!("/console/dead-letters/{}", segment(&id))).await;
    let answer = answer.map_err(|failure| failure.hinted(Hint::List("dlq list")))?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    let letter = &answer["letter"];
    let time = |field: &str| letter[field].as_u64().map(span::utc).unwrap_or_default();
    let number = |field: &str| letter[field].as_u64().map(|number| number.to_string()).unwrap_or_default();
    // A letter carries the number that its redrive will have.
    let before = letter["gen"].as_u64().unwrap_or_default().saturating_sub(1);
    let redriven = if before > 0 { format!("{before}×") } else { String::new() };
    let mut table = Table::default();
    for (name, fact) in [
        ("id", text(letter, "id").to_owned()),
        ("queue", text(letter, "queue").to_owned()),
        ("what", [text(letter, "kind"), text(letter, "name")].join(" ")),
        ("job", text(letter, "job").to_owned()),
        ("delivery", text(letter, "delivery").to_owned()),
        ("team", text(letter, "team").to_owned()),
        ("cause", text(letter, "cause").to_owned()),
        ("reason", text(letter, "reason").to_owned()),
        ("attempts", number("attempts")),
        ("redriven", redriven),
        ("since", time("sent_ms")),
        ("kept until", time("expires_ms")),
        ("a redrive", text(letter, "would").to_owned()),
    ] {
        if !fact.trim().is_empty() {
            table.row(vec![Cell(name.to_owned(), Style::Dim), Cell::new(&fact)]);
        }
    }
    terminal.table(&table)?;
    terminal.line(&format!("\n{}", clean_lines(text(letter, "body"))))
}

/// The id of the one letter that is meant.
fn one_of(letters: &[Value], given: &str) -> Result<String, Failure> {
    let lower = given.to_ascii_lowercase();
    let whole = letters.iter().find(|letter| text(letter, "id") == given);
    if let Some(letter) = whole {
        return Ok(text(letter, "id").to_owned());
    }
    let is_ending = |id: &str| lower.len() >= 4 && id.to_ascii_lowercase().ends_with(&lower);
    let is_meant = |letter: &&Value| {
        let id = text(letter, "id");
        let is_short = text(letter, "short").eq_ignore_ascii_case(given) && !given.is_empty();
        is_ending(id) || is_short || is_ending(text(letter, "delivery"))
    };
    let meant: Vec<&Value> = letters.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [letter] => Ok(text(letter, "id").to_owned()),
        [] => {
            let message = format!("there is no dead letter {given:?}");
            Err(Failure::new(Exit::NotFound, "not_found", message, Hint::List("dlq list")))
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|letter| text(letter, "id")).collect();
            let message = format!("{given:?} may mean {} dead letters: {}", several.len(), ids.join(", "));
            Err(Failure::new(Exit::Usage, "ambiguous", message, Hint::List("dlq list")))
        }
    }
}

async fn moved(what: Move, args: &MoveArgs, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let mut which = which(&args.which, &client).await?;
    let path = format!("/console/dead-letters/{}", what.verb);
    let answer = if args.yes && !args.dry_run {
        client.post(&path, &which).await?
    } else {
        which["dry_run"] = json!(true);
        let would = client.post(&path, &which).await?;
        let count = would["moved"].as_u64().unwrap_or_default();
        if args.dry_run || count == 0 {
            would
        } else {
            let letters = if count == 1 { "1 dead letter".to_owned() } else { format!("{count} dead letters") };
            let question = format!("{}: {letters}?", what.asks);
            session.terminal.confirm(&question, Hint::Command(again(what, &args.which))).await?;
            which["dry_run"] = json!(false);
            // The person took their time to answer: that is not the verb's.
            session.client()?.post(&path, &which).await?
        }
    };
    let none = if args.which.cause.is_some() { "No dead letter has this cause." } else { NONE };
    print(what, none, &answer, &mut session.terminal)?;
    let skipped = answer["skipped"].as_array().map_or(0, Vec::len);
    if skipped > 0 && !args.dry_run {
        let message = format!("{skipped} of them stayed where they were");
        return Err(Failure::new(Exit::Unmet, "unmet", message, Hint::List("dlq list")));
    }
    Ok(())
}

async fn which(args: &Which, client: &Client) -> Result<Value, Failure> {
    if args.all {
        return Ok(json!({"all": true}));
    }
    if let Some(cause) = &args.cause {
        return Ok(json!({"cause": cause}));
    }
    let answer = client.get("/console/dead-letters").await?;
    let ids: Vec<String> = args.id.iter().map(|id| one_of(letters(&answer), id)).collect::<Result<_, _>>()?;
    Ok(json!({"ids": ids}))
}

/// The same command with the answer given beforehand.
fn again(what: Move, args: &Which) -> String {
    let quoted = |text: &String| {
        let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c));
        if is_plain { text.clone() } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let which = match (&args.cause, args.all) {
        (_, true) => "--all".to_owned(),
        (Some(cause), _) => format!("--cause {}", quoted(cause)),
        (None, _) => args.id.iter().map(quoted).collect::<Vec<_>>().join(" "),
    };
    format!("dlq {} {which} --yes", what.verb)
}

fn print(what: Move, none: &str, answer: &Value, terminal: &mut Terminal) -> Result<(), Failure> {
    if terminal.json {
        return terminal.object(answer);
    }
    let ids: Vec<&str> = answer["letters"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if terminal.quiet {
        return ids.iter().try_for_each(|id| terminal.line(&clean(id)));
    }
    let moved = answer["moved"].as_u64().unwrap_or_default();
    let skipped = answer["skipped"].as_array().map(Vec::as_slice).unwrap_or_default();
    if moved == 0 && skipped.is_empty() {
        terminal.note(none);
        return Ok(());
    }
    let would = if answer["dry_run"] == json!(true) { "would be " } else { "" };
    terminal.line(&format!("  {moved} {would}{}", what.done))?;
    ids.iter().try_for_each(|id| terminal.line(&format!("    {}", clean(id))))?;
    for skipped in skipped {
        terminal.line(&format!("    {} stays: {}", clean(text(skipped, "id")), clean(text(skipped, "reason"))))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Vec<Value> {
        vec![
            json!({"id": "11111111-1111-4111-8111-aaaa0000beef", "short": "0BEEF", "delivery": "0192f0c1-0000-7000-8000-0000000c0ffe"}),
            json!({"id": "22222222-2222-4222-8222-bbbb0000beef", "short": "B0000BEEF", "delivery": "0192f0c1-0000-7000-8000-000000000bad"}),
        ]
    }

    #[test]
    fn a_letter_is_found_by_its_id_an_ending_or_its_delivery() {
        let first = "11111111-1111-4111-8111-aaaa0000beef";
        for given in [first, "aaaa0000beef", "AAAA0000BEEF", "0beef", "0c0ffe"] {
            let found = one_of(&some(), given).map_err(|failure| failure.code);
            match given {
                // The second ends so as well.
                "0beef" => assert_eq!(found.unwrap_err(), "ambiguous"),
                _ => assert_eq!(found.unwrap(), first, "{given}"),
            }
        }
        assert_eq!(one_of(&some(), "cafe1").unwrap_err().exit, Exit::NotFound);
        assert_eq!(one_of(&some(), "").unwrap_err().exit, Exit::NotFound);
        assert_eq!(one_of(&some(), "ef").unwrap_err().exit, Exit::NotFound, "too short to be told apart");
    }

    #[test]
    fn a_cause_in_a_hint_is_quoted_for_the_shell() {
        let args = Which { id: vec![], cause: Some("can't post".to_owned()), all: false };
        assert_eq!(again(REDRIVE, &args), r"dlq redrive --cause 'can'\''t post' --yes");
    }
}
