//! `fault`: what goes wrong on request.

use super::client::Client;
use super::delivery::text;
use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::nearest::nearest;
use super::output::{Cell, Style, Table, Terminal, clean};
use super::session::Session;
use serde_json::{Value, json};

#[derive(clap::Args)]
pub(crate) struct FaultArgs {
    #[command(subcommand)]
    verb: Option<FaultVerb>,
}

#[derive(clap::Subcommand)]
enum FaultVerb {
    /// Every fault, and which are on.
    #[command(after_help = "Example:\n  cargo tack fault list --json")]
    List,
    /// Switches one on.
    #[command(after_help = "Example:\n  cargo tack fault on worker-crash --times 1")]
    On {
        /// Which.
        name: String,
        /// How often it strikes; without it until it is switched off (a crash: once).
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        times: Option<u32>,
    },
    /// Switches one off, or all.
    #[command(after_help = "Example:\n  cargo tack fault off rate-limited")]
    Off {
        /// Which.
        name: Option<String>,
    },
}

/// Does what was asked, and shows how the faults stand then.
///
/// # Errors
/// When there is no such fault, or the workbench cannot be asked.
pub(crate) async fn run(args: FaultArgs, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let answer = match args.verb.unwrap_or(FaultVerb::List) {
        FaultVerb::List => client.get("/console/faults").await?,
        FaultVerb::On { name, times } => {
            known(&name, &client).await?;
            let answer = client.post("/console/faults", &json!({"fault": name, "on": true, "times": times})).await;
            // What can be wrong with a fault that exists is how often it is to strike.
            answer.map_err(|failure| failure.hinted(Hint::Command(format!("fault on {name}"))))?
        }
        FaultVerb::Off { name: Some(name) } => {
            known(&name, &client).await?;
            client.post("/console/faults", &json!({"fault": name, "on": false})).await?
        }
        FaultVerb::Off { name: None } => client.post("/console/faults", &json!({"all": false})).await?,
    };
    print(&answer, &mut session.terminal)
}

/// Nothing if there is such a fault; else which was meant.
async fn known(name: &str, client: &Client) -> Result<(), Failure> {
    let answer = client.get("/console/faults").await?;
    let faults = answer["faults"].as_array().into_iter().flatten();
    let ids: Vec<&str> = faults.map(|fault| text(fault, "id")).collect();
    if ids.contains(&name) {
        return Ok(());
    }
    let hint = match nearest(name, ids) {
        Some(near) => Hint::Fault(near.to_owned()),
        None => Hint::List("fault list"),
    };
    Err(Failure::new(Exit::NotFound, "not_found", format!("unknown fault {name:?}"), hint))
}

fn print(answer: &Value, terminal: &mut Terminal) -> Result<(), Failure> {
    if terminal.json {
        return terminal.object(answer);
    }
    let faults = answer["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_on = |fault: &&Value| fault["on"] == Value::Bool(true);
    if terminal.quiet {
        return faults.iter().filter(is_on).try_for_each(|fault| terminal.line(text(fault, "id")));
    }
    let mut table = Table::headed(&["", "fault", "what", "left", "struck"]);
    for fault in faults {
        let on = if is_on(&fault) { Cell("on".to_owned(), Style::Bad) } else { Cell("off".to_owned(), Style::Dim) };
        let left = match fault["times_left"].as_u64() {
            Some(left) => left.to_string(),
            None if is_on(&fault) => "until off".to_owned(),
            None => String::new(),
        };
        let struck = fault["struck"].as_u64().filter(|struck| *struck > 0);
        let struck = struck.map(|struck| format!("{struck}×")).unwrap_or_default();
        table.row(vec![
            on,
            Cell::new(text(fault, "id")),
            Cell::new(text(fault, "title")),
            Cell::new(&left),
            Cell::new(&struck),
        ]);
        if let Some(verdict) = fault["verdict"].as_str() {
            table.below(verdict);
        }
    }
    terminal.table(&table)?;
    for other in answer["others"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        terminal.note(&format!("also set, through /sim/faults: {}", clean(other)));
    }
    Ok(())
}
