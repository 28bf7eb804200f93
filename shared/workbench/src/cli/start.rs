//! No verb: the flags of `cargo run`, and starting it.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use crate::run::{self, Options};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tokio::runtime::Builder;

#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// Where the app listens.
    #[arg(long, default_value_t = 3000)]
    app_port: u16,
    /// Where the simulated Slack is.
    #[arg(long, default_value_t = 4000)]
    workbench_port: u16,
    /// Where the embedded AWS is.
    #[arg(long, default_value_t = 4566)]
    aws_port: u16,
    /// A variable for the app's functions, which see nothing else of this environment: NAME=VALUE, or NAME to pass it on.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,
    /// A folder with built functions (`ingress/bootstrap`, `worker/bootstrap`) to run instead of this build.
    #[arg(long, value_name = "DIR")]
    functions: Option<PathBuf>,
    /// Lets the simulated Slack's tokens end after twelve hours and be refreshed, as for an app with token rotation.
    #[arg(long)]
    token_rotation: bool,
    /// Leaves a changed listener alone instead of building it and swapping it in.
    #[arg(long)]
    no_watch: bool,
    /// Opens the simulated Slack in the browser.
    #[arg(long, overrides_with = "no_open")]
    open: bool,
    /// Opens no browser, which is so without --open too.
    #[arg(long, overrides_with = "open")]
    no_open: bool,
}

/// Runs the workbench until Ctrl-C.
///
/// # Errors
/// When it cannot start: a port is taken, a variable is missing, a function does not come up.
pub(crate) fn start(args: RunArgs) -> Result<(), Failure> {
    let sentence = |error: anyhow::Error| format!("{error:#}");
    serve(args).map_err(|error| Failure::new(Exit::Configuration, "not_started", sentence(error), Hint::Nothing))
}

fn serve(args: RunArgs) -> anyhow::Result<()> {
    let options = Options {
        app_port: args.app_port,
        workbench_port: args.workbench_port,
        aws_port: args.aws_port,
        functions: args.functions,
        variables: variables(&args.env)?,
        lookup: |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()),
        token_rotation: args.token_rotation,
        watch: !args.no_watch,
        open: args.open && !args.no_open,
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run::run(options))
}

fn variables(given: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let variable = |text: &String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => match std::env::var(text) {
            Ok(value) => Ok((text.clone(), value)),
            Err(_) => Err(anyhow::anyhow!("--env {text}: there is no such variable here; give it as {text}=VALUE")),
        },
    };
    given.iter().map(variable).collect()
}
