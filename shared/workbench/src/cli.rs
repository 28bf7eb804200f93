//! The command line.

use crate::run::{self, Options};
use crate::sign;
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tack_app::protocol::EpochSeconds;
use tokio::runtime::Builder;

/// The `main`s of the app's functions: each is started as a process of its own by a hidden argument of this binary.
#[derive(Clone, Copy)]
pub struct Functions {
    /// The ingress.
    pub ingress: fn() -> ExitCode,
    /// The worker.
    pub worker: fn() -> ExitCode,
}

/// A Slack app on this machine: a simulated Slack, the embedded AWS, and your listeners. No account, no set-up.
#[derive(Parser)]
#[command(name = "tack", version)]
struct Cli {
    #[command(flatten)]
    run: RunArgs,
    #[command(subcommand)]
    command: Option<Subcommands>,
}

#[derive(Args)]
struct RunArgs {
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
}

#[derive(Subcommand)]
enum Subcommands {
    /// Sample payloads.
    #[command(subcommand)]
    Events(Events),
    /// One of the app's functions, as a Lambda process.
    #[command(hide = true)]
    Function { name: String },
}

#[derive(Subcommand)]
enum Events {
    /// Prints a body with a fresh signature, made with SLACK_SIGNING_SECRET.
    Sign {
        /// A file from events/slack.
        file: PathBuf,
        /// In which form.
        #[arg(long = "as", value_enum, default_value_t = sign::As::Curl)]
        form: sign::As,
        /// Where the curl command sends it.
        #[arg(long, default_value = "http://127.0.0.1:3000/slack/events")]
        url: String,
    },
}

/// Runs `tack`. This is a whole `main`.
pub fn main(functions: Functions) -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        None => serve(cli.run),
        Some(Subcommands::Function { name }) => {
            end_with_parent();
            match name.as_str() {
                "ingress" => return (functions.ingress)(),
                "worker" => return (functions.worker)(),
                other => Err(anyhow::anyhow!("there is no function {other:?}")),
            }
        }
        Some(Subcommands::Events(Events::Sign { file, form, url })) => sign_file(&file, form, &url),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(3)
        }
    }
}

/// A function must not outlive a `tack` that was killed: one that is stopped or stuck would stay for ever.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        tracing::warn!("this process may outlive the one that started it: {error}");
    }
}

fn serve(args: RunArgs) -> anyhow::Result<()> {
    let options = Options {
        app_port: args.app_port,
        workbench_port: args.workbench_port,
        aws_port: args.aws_port,
        functions: args.functions,
        variables: variables(&args.env)?,
        lookup: |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()),
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

fn sign_file(file: &std::path::Path, form: sign::As, url: &str) -> anyhow::Result<()> {
    let secret = std::env::var("SLACK_SIGNING_SECRET").map_err(|_| {
        anyhow::anyhow!("SLACK_SIGNING_SECRET is missing: `cargo run` prints the one of a simulated run")
    })?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    say(&sign::signed(file, form, &secret, url, EpochSeconds(now))?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the person asked for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "this is for the person at the terminal")]
fn complain(line: &str) {
    eprintln!("tack: {line}");
}
