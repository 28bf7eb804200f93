//! `reset`: the simulated Slack as it was at its start.

use super::failure::{Failure, Hint};
use super::session::Session;
use serde_json::json;

#[derive(clap::Args)]
pub(crate) struct ResetArgs {
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

/// Resets.
///
/// # Errors
/// When it is not wanted after all, or the workbench cannot be asked.
pub(crate) async fn run(args: ResetArgs, session: &mut Session) -> Result<(), Failure> {
    // Whether there is something to reset is known before anybody is asked.
    let client = session.client()?;
    let terminal = &mut session.terminal;
    if !args.yes {
        let question = "Forget the simulated Slack's messages, views, deliveries and faults?";
        terminal.confirm(question, Hint::Command("reset --yes".to_owned())).await?;
    }
    client.post("/sim/reset", &json!({})).await?;
    if terminal.json {
        return terminal.object(&json!({"v": 1, "reset": true}));
    }
    terminal.note("The simulated Slack is as it was at its start.");
    Ok(())
}
