//! `cargo run`: start everything, prove the way, then tell what happens until Ctrl-C.

use crate::addresses::Addresses;
use crate::cli::say;
use crate::pages::Workbench;
use crate::place::Place;
use crate::port;
use crate::reload::{self, Copies, Project};
use crate::stack::{Credentials, FunctionCommands, Stack, StackConfig};
use crate::telling::{Sources, Telling};
use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tack_local_aws::lambda::Command;
use tack_simulator::{Config, Simulator};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What `tack` was told.
pub(crate) struct Options {
    pub(crate) app_port: u16,
    pub(crate) workbench_port: u16,
    pub(crate) aws_port: u16,
    pub(crate) functions: Option<PathBuf>,
    /// The adopter's own variables for the functions.
    pub(crate) variables: BTreeMap<String, String>,
    /// The environment.
    pub(crate) lookup: fn(&str) -> Option<String>,
    /// Build a changed listener and swap it in.
    pub(crate) watch: bool,
    /// Open the simulated Slack in the browser.
    pub(crate) open: bool,
}

/// Runs until Ctrl-C.
///
/// # Errors
/// A sentence for the person: a port is taken, a function does not start, the way through does not work.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let started = Instant::now();
    say(&format!("\n  tack {} · simulated Slack, embedded AWS, your listeners\n", env!("CARGO_PKG_VERSION")));
    let ports = Ports::open(&options).await?;
    let addresses = Arc::new(ports.addresses()?);
    check("ports", &format!("app {} · simulated Slack {} · AWS {}", addresses.app, addresses.workbench, addresses.aws));

    let secrets = Secrets::from_environment(options.lookup);
    let slack_api_url = (options.lookup)("SLACK_API_URL").unwrap_or_else(|| format!("{}/api/", addresses.workbench));
    let simulator = Simulator::new(Config {
        app_url: format!("{}/slack/events", addresses.app),
        base_url: addresses.workbench.clone(),
        signing_secret: secrets.first_signing_secret(),
        bot_token: secrets.credentials.bot_token.expose_secret().to_owned(),
        app_id: secrets.credentials.app_id.clone().unwrap_or_else(|| Config::default().app_id),
        ..Config::default()
    });
    let exe = std::env::current_exe().context("this program's own path")?;
    let copies = Copies::open(&exe).context("a folder for the builds that serve")?;
    let functions = commands(options.functions.as_deref(), &copies.keep(1, &exe)?)?;

    let (output, lines) = mpsc::unbounded_channel();
    let (requests, answered) = mpsc::unbounded_channel();
    let (batches, of_queues) = mpsc::unbounded_channel();
    let config = StackConfig {
        variables: options.variables.clone(),
        requests: Some(requests),
        batches: Some(batches),
        ..StackConfig::new(functions, secrets.credentials.clone(), slack_api_url.clone(), ports.app, ports.aws)
    };
    let stack = Stack::start(config, output).await?;
    check("aws", "2 queues, 2 dead-letter queues, 1 table");

    let workbench = Workbench::new(simulator, stack.clone(), addresses.clone());
    workbench.serve(ports.workbench).await?;
    let sources = Sources { lines, answered, of_queues, slack: workbench.simulator.subscribe() };
    let mut telling = Telling::new(workbench.clone(), sources);

    let ready = || {
        say(&format!("\n  Ready in {:.2} s\n", started.elapsed().as_secs_f64()));
        say(&format!("  Slack           {}            say hi in #playground", addresses.workbench));
        say(&format!("  Console         {}/console", addresses.workbench));
        say(&format!("  App             {}/slack/events", addresses.app));
        say(&format!("  AWS             {}", addresses.aws));
        if secrets.made_up {
            say(&format!("  Signing secret  {}   (made up for this run)", secrets.first_signing_secret()));
        }
        if (options.lookup)("SLACK_API_URL").is_some() {
            say(&format!("  Web API         {slack_api_url} (SLACK_API_URL), not the simulated one"));
        }
    };
    let running = async {
        telling.prove().await?;
        workbench.find_listeners().await;
        ready();
        let _place = Place::announce(&exe, &addresses);
        let watching = async {
            match project(&options, &exe) {
                Ok(project) => {
                    say("  Save a listener, and the new code answers within seconds. Ctrl-C ends everything.\n");
                    reload::watch(project, stack.served.to_vec(), copies, workbench.builds.clone(), say).await;
                }
                Err(reason) => {
                    say(&format!("  No reload: {reason}. Ctrl-C ends everything.\n"));
                    workbench.builds.not_watched(reason);
                }
            }
            std::future::pending::<()>().await;
        };
        if options.open {
            open_in_browser(&addresses.workbench);
        }
        tokio::select! {
            told = telling.run() => told,
            () = watching => Ok(()),
        }
    };
    // From the first function process on, Ctrl-C must not simply kill this one.
    let ended = tokio::select! {
        ended = running => ended,
        stopped = stop_signal() => stopped.context("waiting for Ctrl-C"),
    };
    stack.shutdown().await;
    ended
}

/// The three ports.
struct Ports {
    app: TcpListener,
    workbench: TcpListener,
    aws: TcpListener,
}

impl Ports {
    /// Opens all of them, or says of each that is taken who has it.
    async fn open(options: &Options) -> anyhow::Result<Self> {
        let app = port::listen(options.app_port, "app-port").await;
        let workbench = port::listen(options.workbench_port, "workbench-port").await;
        let aws = port::listen(options.aws_port, "aws-port").await;
        match (app, workbench, aws) {
            (Ok(app), Ok(workbench), Ok(aws)) => Ok(Self { app, workbench, aws }),
            (app, workbench, aws) => {
                let refused = [app.err(), workbench.err(), aws.err()];
                let sentences: Vec<String> = refused.into_iter().flatten().map(|error| error.to_string()).collect();
                bail!(sentences.join("\ntack: "))
            }
        }
    }

    fn addresses(&self) -> anyhow::Result<Addresses> {
        Ok(Addresses {
            workbench: format!("http://localhost:{}", self.workbench.local_addr()?.port()),
            app: format!("http://{}", self.app.local_addr()?),
            aws: format!("http://{}", self.aws.local_addr()?),
        })
    }
}

/// What is built when a source changes, or why nothing is.
fn project(options: &Options, exe: &Path) -> Result<Project, String> {
    if !options.watch {
        return Err("--no-watch".to_owned());
    }
    if options.functions.is_some() {
        return Err("--functions runs what is built elsewhere".to_owned());
    }
    let folder = std::env::current_dir().map_err(|error| error.to_string())?;
    Project::of_cargo_run(exe, &folder, options.lookup)
}

/// Whether it works or not, the address is in the terminal.
fn open_in_browser(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let opened = std::process::Command::new(program)
        .arg(address)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = opened {
        say(&format!("  (no browser could be opened: {error})"));
    }
}

/// Ctrl-C, or a polite kill.
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

pub(crate) fn check(what: &str, text: &str) {
    say(&format!("  ✓ {what:<11} {text}"));
}

/// The functions of this very binary, or those of a folder.
fn commands(folder: Option<&Path>, program: &Path) -> anyhow::Result<FunctionCommands> {
    let Some(folder) = folder else {
        let command =
            |name: &str| Command { program: program.to_owned(), args: vec!["function".to_owned(), name.to_owned()] };
        return Ok(FunctionCommands { ingress: command("ingress"), worker: command("worker") });
    };
    let command = |name: &str| {
        let path = folder.join(name).join("bootstrap");
        let program = path.canonicalize().with_context(|| format!("--functions: {} is not there", path.display()))?;
        anyhow::Ok(Command { program, args: Vec::new() })
    };
    Ok(FunctionCommands { ingress: command("ingress")?, worker: command("worker")? })
}

struct Secrets {
    credentials: Credentials,
    made_up: bool,
}

impl Secrets {
    /// From the environment where they are set, else made up for this run.
    fn from_environment(lookup: fn(&str) -> Option<String>) -> Self {
        let given = lookup("SLACK_SIGNING_SECRET");
        let made_up = given.is_none();
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let credentials = Credentials {
            signing_secret: SecretString::from(given.unwrap_or_else(random)),
            bot_token: SecretString::from(
                lookup("SLACK_BOT_TOKEN").unwrap_or_else(|| format!("xoxb-simulated-{}", random())),
            ),
            app_id: lookup("SLACK_APP_ID"),
        };
        Self { credentials, made_up }
    }

    fn first_signing_secret(&self) -> String {
        let all = self.credentials.signing_secret.expose_secret();
        all.split(',').next().unwrap_or_default().trim().to_owned()
    }
}
