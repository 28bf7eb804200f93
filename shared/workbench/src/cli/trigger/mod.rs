//! `trigger`: one delivery of a kind, made from a published body, signed and sent by the simulated Slack.

mod body;
mod facts;
mod kinds;
mod path;

use super::client::Client;
use super::delivery::text;
use super::failure::Failure;
use super::output::{Cell, Style, Table, Terminal};
use super::session::Session;
use super::wait::{self, WaitArgs};
use super::{place, resend, span};
use body::Changes;
use facts::Facts;
use kinds::{KINDS, What};
use path::Edit;
use serde_json::{Value, json};
use std::path::Path;
use tack_simulator::SAMPLES;

/// Most of anything at once, as the simulated Slack has it.
const MOST: i64 = 1_000;

#[derive(clap::Args)]
pub(crate) struct TriggerArgs {
    /// A kind, a published body such as event/message, or `list`.
    kind: String,
    /// What the kind takes: a text, a command line, an id, a file.
    words: Vec<String>,
    /// Changes the payload: event.text=hi, actions.0.value=3. The value is JSON if it can be read as JSON, else text.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Takes something out of the payload.
    #[arg(long, value_name = "PATH")]
    unset: Vec<String>,
    /// Who: a name or an id.
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// Where: a channel, or a person for their direct messages with the app.
    #[arg(long = "in", value_name = "CHANNEL")]
    channel: Option<String>,
    /// Sends that many, one after the other, each with ids of its own.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    times: u32,
    /// Sends the same one that many times at once.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    duplicate: u32,
    /// Says that it is Slack's N-th retry.
    #[arg(long, value_name = "N")]
    retry_num: Option<u32>,
    /// Signs it wrongly.
    #[arg(long)]
    bad_signature: bool,
    #[command(flatten)]
    wait: WaitArgs,
    /// Prints what would be asked of the simulated Slack (POST /sim/deliveries), and sends nothing.
    #[arg(long, conflicts_with = "wait")]
    print: bool,
}

/// Sends.
///
/// # Errors
/// When the kind is unknown, a change does not fit, the expectation was not met, or the workbench cannot be asked.
pub(crate) async fn run(args: TriggerArgs, session: &mut Session) -> Result<(), Failure> {
    let what = kinds::find(&args.kind, &args.words)?;
    if matches!(what, What::List) {
        return list(&mut session.terminal);
    }
    let usage = |message: String| Failure::usage(message, "trigger");
    let mut edits: Vec<Edit> =
        args.set.iter().map(|given| Edit::set(given)).collect::<Result<_, _>>().map_err(usage)?;
    for given in &args.unset {
        edits.push(Edit::unset(given).map_err(usage)?);
    }
    if args.print {
        let facts = match place::find(session.workbench.as_deref(), &session.run_folder) {
            Ok(_) => workspace(&session.client()?).await?,
            Err(failure) if session.workbench.is_some() => return Err(failure),
            // Nothing is sent, so nothing need run.
            Err(_) => Facts::at_the_start(),
        };
        return session.terminal.object(&request(&args, &what, &edits, &facts)?);
    }
    let client = session.client()?;
    let facts = workspace(&client).await?;
    let mut firsts = Vec::new();
    let mut copies = Vec::new();
    for _ in 0..args.times {
        let answer = client.post("/sim/deliveries", &request(&args, &what, &edits, &facts)?).await?;
        firsts.push(text(&answer["delivery"], "id").to_owned());
        let others = answer["copies"].as_array().into_iter().flatten();
        copies.extend(others.map(|copy| text(copy, "id").to_owned()));
    }
    // Of a copy it only matters what becomes of it.
    let mut ids = firsts.clone();
    if args.wait.is_wanted() || !session.terminal.json {
        ids.extend(copies.iter().cloned());
    }
    let sent = args.wait.stories(&client, &ids).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        let mut answer = json!({"v": 1, "delivery": sent.stories.first(), "copies": copies});
        if args.times > 1 {
            answer["repeats"] = json!(sent.stories[1..firsts.len()]);
        }
        args.wait.note_held(&mut answer, &sent);
        terminal.object(&answer)?;
    } else {
        wait::print(terminal, &sent.stories)?;
    }
    args.wait.verdict(&client, &sent)
}

async fn workspace(client: &Client) -> Result<Facts, Failure> {
    Ok(Facts::of(client.get("/sim/workspace").await?))
}

/// What is asked of the simulated Slack, with ids of its own each time.
fn request(args: &TriggerArgs, what: &What, edits: &[Edit], facts: &Facts) -> Result<Value, Failure> {
    let mut request = match what {
        What::Published(sample, fill) => {
            let mut payload = body::payload(sample);
            fill(&mut payload, &args.words, facts);
            facts.adopt(&mut payload);
            let changes = Changes {
                person: args.user.as_deref().map(|given| facts.person(given)).transpose()?,
                channel: args.channel.as_deref().map(|given| facts.channel(given)).transpose()?,
                edits,
            };
            body::compose(sample, payload, &changes, span::now_ms())?
        }
        What::File | What::List => {
            if !edits.is_empty() || args.user.is_some() || args.channel.is_some() {
                let message = "a raw file goes byte for byte, so --set, --unset, --as and --in make no sense";
                return Err(Failure::usage(message, "trigger"));
            }
            body::raw(resend::read(Path::new(args.words.first().map_or("", String::as_str)))?)
        }
    };
    body::add_headers(&mut request, args.retry_num, args.bad_signature);
    request["times"] = json!(args.duplicate);
    Ok(request)
}

/// Every kind and every published body.
fn list(terminal: &mut Terminal) -> Result<(), Failure> {
    let samples: Vec<&str> = SAMPLES.iter().map(kinds::short_name).collect();
    if terminal.json {
        let kind = |kind: &kinds::Kind| json!({"kind": kind.name, "takes": kind.takes, "what": kind.what});
        let kinds: Vec<Value> = KINDS.iter().map(kind).collect();
        return terminal.object(&json!({"v": 1, "kinds": kinds, "samples": samples}));
    }
    if terminal.quiet {
        let all = KINDS.iter().map(|kind| kind.name).chain(samples);
        return all.into_iter().try_for_each(|name| terminal.line(name));
    }
    let mut table = Table::default();
    for kind in &KINDS {
        let what = Cell(kind.what.to_owned(), Style::Dim);
        table.row(vec![Cell::new(&format!("{} {}", kind.name, kind.takes)), what]);
    }
    terminal.table(&table)?;
    terminal.line("\npublished bodies")?;
    samples.into_iter().try_for_each(|name| terminal.line(&format!("  {name}")))
}
