//! `cargo run`: start everything, prove the way, then tell what happens until Ctrl-C.

use crate::addresses::Addresses;
use crate::cli::say;
use crate::installing;
use crate::pages::Workbench;
use crate::place::Place;
use crate::port;
use crate::reload::{self, Copies, Project};
use crate::stack::{Credentials, FunctionCommands, OAuthClient, Serves, Stack, StackConfig};
use crate::telling::{Sources, Telling};
use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tack_local_aws::lambda::Command;
use tack_simulator::{Config, Consent, Simulator, Target};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Who installs the app at the start: the first workspace's administrator.
const INSTALLER: &str = "ada";

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
    /// The simulated Slack's tokens end and are refreshed.
    pub(crate) token_rotation: bool,
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

    let exe = std::env::current_exe().context("this program's own path")?;
    let copies = Copies::open(&exe).context("a folder for the builds that serve")?;
    let functions = commands(options.functions.as_deref(), &copies.keep(1, &exe)?)?;
    let secrets = Secrets::from_environment(options.lookup, &addresses.app, functions.oauth.is_some());
    let is_simulated = (options.lookup)("SLACK_API_URL").is_none();
    let slack_api_url = (options.lookup)("SLACK_API_URL").unwrap_or_else(|| format!("{}/api/", addresses.workbench));
    let simulator = Simulator::new(Config {
        app_url: format!("{}/slack/events", addresses.app),
        base_url: addresses.workbench.clone(),
        signing_secret: secrets.first_signing_secret(),
        token_rotation: options.token_rotation,
        ..secrets.simulated()
    });

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
    let has_installs = matches!(secrets.credentials.serves, Serves::Installs(_));
    let tables = if has_installs { "2 tables, 1 key" } else { "1 table" };
    check("aws", &format!("2 queues, 2 dead-letter queues, {tables}"));

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
        if has_installs {
            say(&format!("  Install         {}/slack/install", addresses.app));
        }
        if !is_simulated {
            say(&format!("  Web API         {slack_api_url} (SLACK_API_URL), not the simulated one"));
        }
    };
    let running = async {
        telling.prove().await?;
        if has_installs && is_simulated {
            let began = Instant::now();
            let team = workbench.simulator.config().team.clone();
            let consent = Consent::new(INSTALLER, Target::Workspace(team.id));
            installing::install(&workbench.simulator, &addresses.app, &consent).await.context("install")?;
            let ms = began.elapsed().as_millis();
            check("install", &format!("into {}, by the app's own /slack/install, in {ms} ms", team.name));
        }
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
        let oauth = Some(command("oauth"));
        return Ok(FunctionCommands { ingress: command("ingress"), worker: command("worker"), oauth });
    };
    let command = |name: &str| {
        let path = folder.join(name).join("bootstrap");
        let program = path.canonicalize().with_context(|| format!("--functions: {} is not there", path.display()))?;
        anyhow::Ok(Command { program, args: Vec::new() })
    };
    let oauth = folder.join("oauth").is_dir().then(|| command("oauth")).transpose()?;
    Ok(FunctionCommands { ingress: command("ingress")?, worker: command("worker")?, oauth })
}

struct Secrets {
    credentials: Credentials,
    made_up: bool,
}

impl Secrets {
    /// From the environment where they are set, else made up for this run. A bot token that is given, and functions without
    /// install pages, serve one workspace.
    fn from_environment(lookup: fn(&str) -> Option<String>, app: &str, has_oauth: bool) -> Self {
        let given = lookup("SLACK_SIGNING_SECRET");
        let made_up = given.is_none();
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let defaults = Config::default();
        let serves = match lookup("SLACK_BOT_TOKEN") {
            None if has_oauth => Serves::Installs(OAuthClient {
                client_id: lookup("SLACK_CLIENT_ID").unwrap_or_else(|| defaults.client_id.clone()),
                // Not made up for each run: `tack installs rotate` has to know it too.
                client_secret: SecretString::from(lookup("SLACK_CLIENT_SECRET").unwrap_or(defaults.client_secret)),
                scopes: lookup("SLACK_SCOPES").unwrap_or_else(|| defaults.scopes.join(",")),
                user_scopes: lookup("SLACK_USER_SCOPES").unwrap_or_default(),
                redirect_uri: format!("{app}/slack/oauth_redirect"),
            }),
            token => {
                let bot_token = SecretString::from(token.unwrap_or_else(|| format!("xoxb-simulated-{}", random())));
                Serves::OneWorkspace { bot_token }
            }
        };
        // Tokens are bound to the app, so it is named where installs are kept.
        let is_named = matches!(serves, Serves::Installs(_));
        let app_id = lookup("SLACK_APP_ID").or_else(|| is_named.then(|| defaults.app_id.clone()));
        let credentials =
            Credentials { signing_secret: SecretString::from(given.unwrap_or_else(random)), serves, app_id };
        Self { credentials, made_up }
    }

    /// What the simulated Slack knows of the app.
    fn simulated(&self) -> Config {
        let defaults = Config::default();
        let app_id = self.credentials.app_id.clone().unwrap_or(defaults.app_id.clone());
        match &self.credentials.serves {
            Serves::OneWorkspace { bot_token } => {
                Config { app_id, bot_token: bot_token.expose_secret().to_owned(), ..defaults }
            }
            Serves::Installs(client) => Config {
                app_id,
                installed: false,
                client_id: client.client_id.clone(),
                client_secret: client.client_secret.expose_secret().to_owned(),
                redirect_urls: vec![client.redirect_uri.clone()],
                ..defaults
            },
        }
    }

    fn first_signing_secret(&self) -> String {
        let all = self.credentials.signing_secret.expose_secret();
        all.split(',').next().unwrap_or_default().trim().to_owned()
    }
}
