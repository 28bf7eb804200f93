//! The command line: verbs, flags, and what each of them starts. A verb asks the workbench that runs over HTTP, the same
//! addresses that its pages have, and prints what it says.
//!
//! One file per family of verbs; `session` is what they share. Invariant: a verb changes nothing but what its name says, and
//! ends with one of the codes of [`exit::Exit`].

mod app;
mod client;
mod dead_letters;
mod deliveries;
mod delivery;
mod exit;
mod failure;
mod fault;
mod installs;
mod listeners;
mod nearest;
mod output;
mod people;
mod place;
mod resend;
mod reset;
mod session;
mod sign;
mod span;
mod start;
#[cfg(test)]
mod tests;
mod trigger;
mod unheard;
mod usage;
mod wait;

pub(crate) use delivery::line_of;

use clap::builder::NonEmptyStringValueParser;
use clap::{CommandFactory, Parser, Subcommand};
use exit::Exit;
use failure::Failure;
use output::Terminal;
use session::Session;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The `main`s of the app's functions: each is started as a process of its own by a hidden argument of this binary.
#[derive(Clone, Copy)]
pub struct Functions {
    /// The ingress.
    pub ingress: fn() -> ExitCode,
    /// The worker.
    pub worker: fn() -> ExitCode,
    /// The install pages.
    pub oauth: fn() -> ExitCode,
    /// Prints what the app registered, as a JSON array.
    pub listing: fn() -> ExitCode,
}

/// A Slack app on this machine: a simulated Slack, the embedded AWS, and your listeners. No account, no set-up.
///
/// Without a verb it starts the workbench, as `cargo run` does. A verb asks the workbench that runs.
#[derive(Parser)]
#[command(name = "tack", bin_name = "cargo tack", version, after_help = exit::Exit::help())]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    run: start::RunArgs,
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// Where the help lists the flags that every verb has.
const EVERYWHERE: &str = "With every verb";

#[derive(clap::Args)]
struct Global {
    /// JSON instead of text: one object, or one a line for a stream; errors as {"error":{"code","message","hint"}} on stderr.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Where the workbench is, instead of the one of this build that runs.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "URL")]
    workbench: Option<String>,
    /// How long a verb may take: 30, unless it is a stream.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// Ids only, and no remarks.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Sends one delivery of a kind, or a published body.
    #[command(after_help = "Examples:\n  \
        cargo tack trigger app_mention --set event.text='<@U0TACKBOT> hi' --duplicate 3 --wait done\n  \
        cargo tack trigger command /order 3 --as grace\n  \
        cargo tack trigger list")]
    Trigger(trigger::TriggerArgs),
    /// Says something as a person; a slash command if it begins with /.
    #[command(after_help = "Example:\n  cargo tack say hi --as grace --in playground --wait")]
    Say(people::SayArgs),
    /// Does anything a person can do.
    #[command(after_help = "Example:\n  cargo tack act '{\"act\": \"click\", \"action_id\": \"sample_action_id\"}'")]
    Act(people::ActArgs),
    /// The history of deliveries: list, show, tail.
    #[command(subcommand, after_help = "Example:\n  cargo tack deliveries list --state failed --since 10m")]
    Deliveries(deliveries::DeliveriesVerb),
    /// Sends a delivery again: as something new, as the same, or edited.
    #[command(after_help = "Example:\n  cargo tack resend 3f9a1 --mode redeliver --wait duplicate")]
    Resend(resend::ResendArgs),
    /// Dead letters: list, show, redrive, discard.
    #[command(subcommand, after_help = "Example:\n  cargo tack dlq redrive --all --dry-run")]
    Dlq(dead_letters::DlqVerb),
    /// What goes wrong on request: list, on, off.
    #[command(after_help = "Example:\n  cargo tack fault on worker-crash --times 1")]
    Fault(fault::FaultArgs),
    /// Where the app is installed: list, show, revoke, rotate, purge, export, import.
    #[command(after_help = "Example:\n  cargo tack installs list")]
    Installs(installs::InstallsArgs),
    /// What the app listens to, and where in the code.
    #[command(after_help = "Example:\n  cargo tack listeners")]
    Listeners,
    /// The app's own side: its build, its processes and how they ended, the variables they see.
    #[command(after_help = "Example:\n  cargo tack app")]
    App,
    /// What happened to a delivery: a sentence and the time line.
    #[command(after_help = "Example:\n  cargo tack why 3f9a1")]
    Why {
        /// Its id or a unique ending of it, an event_id, or API Gateway's request id.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
    },
    /// The simulated Slack as it was at its start.
    #[command(after_help = "Example:\n  cargo tack reset --yes")]
    Reset(reset::ResetArgs),
    /// Sample payloads.
    #[command(subcommand, after_help = "Example:\n  cargo tack events sign events/slack/event/message.json")]
    Events(sign::EventsVerb),
    /// One of the app's functions, as a Lambda process.
    #[command(hide = true)]
    Function {
        /// `ingress`, `worker`, `oauth`, or `listing`.
        name: String,
    },
}

/// Runs `tack`. This is a whole `main`.
pub fn main(functions: Functions) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error, &arguments),
    };
    let Global { json, workbench, timeout, quiet } = cli.global;
    let terminal = Terminal::of_process(json, quiet, std::env::var("NO_COLOR").ok().as_deref());
    let mut session = Session { terminal, workbench, timeout, run_folder: run_folder() };
    let done = match cli.verb {
        Some(Verb::Function { name }) => {
            end_with_parent();
            match name.as_str() {
                "ingress" => return (functions.ingress)(),
                "worker" => return (functions.worker)(),
                "oauth" => return (functions.oauth)(),
                "listing" => return (functions.listing)(),
                other => Err(Failure::usage(format!("there is no function {other:?}"), "")),
            }
        }
        None => without_verb(cli.run, &session),
        Some(verb) => until_interrupted(verb, &mut session),
    };
    ExitCode::from(ended(done, &mut session.terminal).code())
}

/// How the process ends; a failure is told.
fn ended(done: Result<(), Failure>, terminal: &mut Terminal) -> Exit {
    match done {
        Ok(()) => Exit::Done,
        Err(failure) => {
            terminal.complain(&failure);
            failure.exit
        }
    }
}

/// Help and version are answers; the rest is a failure.
fn misunderstood(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    let is_json = arguments.iter().any(|argument| argument == "--json");
    if !error.use_stderr() {
        // A help that nobody reads any more is no failure.
        let _ = error.print();
        return ExitCode::from(Exit::Done.code());
    }
    let mut terminal = Terminal::of_process(is_json, false, None);
    let exit = ended(Err(usage::failure(error, &Cli::command(), arguments)), &mut terminal);
    ExitCode::from(exit.code())
}

/// `cargo run`.
fn without_verb(args: start::RunArgs, session: &Session) -> Result<(), Failure> {
    let given = [
        ("--json", session.terminal.json),
        ("--quiet", session.terminal.quiet),
        ("--timeout", session.timeout.is_some()),
        ("--workbench", session.workbench.is_some()),
    ];
    if let Some((flag, _)) = given.iter().find(|(_, is_given)| *is_given) {
        return Err(Failure::usage(format!("{flag} belongs to a verb, and there is none"), ""));
    }
    start::start(args)
}

/// Does what a verb says; Ctrl-C ends it.
fn until_interrupted(verb: Verb, session: &mut Session) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::bare(Exit::Io, "io", format!("this process cannot do anything: {error}")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            // Listening begins before anything is printed.
            biased;
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
            done = carry_out(verb, session) => done,
        }
    });
    // A question that was not answered has a thread that still waits for the answer.
    runtime.shutdown_background();
    done
}

async fn carry_out(verb: Verb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        Verb::Trigger(args) => trigger::run(args, session).await,
        Verb::Say(args) => people::say(args, session).await,
        Verb::Act(args) => people::act(args, session).await,
        Verb::Deliveries(verb) => deliveries::run(verb, session).await,
        Verb::Resend(args) => resend::run(args, session).await,
        Verb::Dlq(verb) => dead_letters::run(verb, session).await,
        Verb::Fault(args) => fault::run(args, session).await,
        Verb::Installs(args) => installs::run(args, session).await,
        Verb::Listeners => listeners::run(session).await,
        Verb::App => app::run(session).await,
        Verb::Why { id } => deliveries::why(&id, session).await,
        Verb::Reset(args) => reset::run(args, session).await,
        Verb::Events(verb) => sign::run(&verb, std::env::var("SLACK_SIGNING_SECRET").ok(), &mut session.terminal),
        // Dealt with before anything of this starts.
        Verb::Function { name } => Err(Failure::usage(format!("there is no function {name:?}"), "")),
    }
}

/// Where the workbenches of this build write themselves down. A program without a path of its own finds none.
fn run_folder() -> PathBuf {
    place::run_folder().unwrap_or_default()
}

/// A function must not outlive a `tack` that was killed: one that is stopped or stuck would stay for ever.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        tracing::warn!("this process may outlive the one that started it: {error}");
    }
}

/// A time limit: seconds, also a part of one.
fn seconds(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no number of seconds above 0");
    let seconds: f64 = text.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero()).ok_or_else(wrong)
}

/// Prints a line of the workbench itself.
#[expect(clippy::print_stdout, reason = "this is what the person asked for")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
