//! `cargo run`: start everything, prove the way, then tell what happens until Ctrl-C.

use crate::board::Board;
use crate::cli::say;
use crate::front::Addresses;
use crate::port;
use crate::stack::{Credentials, FunctionCommands, Stack, StackConfig};
use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tack_local_aws::lambda::{Command, OutputLine};
use tack_simulator::{Config, DeliveryRequest, Simulator, StreamEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long the first way through may take; a loaded machine starts processes slowly.
const READY_LIMIT: Duration = Duration::from_secs(60);

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
}

/// Runs until Ctrl-C.
///
/// # Errors
/// A sentence for the person: a port is taken, a function does not start, the way through does not work.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let started = Instant::now();
    say(&format!("\n  tack {} · simulated Slack, embedded AWS, your listeners\n", env!("CARGO_PKG_VERSION")));
    let app_listener = port::listen(options.app_port, "app-port").await?;
    let workbench_listener = port::listen(options.workbench_port, "workbench-port").await?;
    let aws_listener = port::listen(options.aws_port, "aws-port").await?;
    let addresses = Addresses {
        workbench: format!("http://localhost:{}", workbench_listener.local_addr()?.port()),
        app: format!("http://{}", app_listener.local_addr()?),
        aws: format!("http://{}", aws_listener.local_addr()?),
    };
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
    let router = addresses.router().merge(simulator.router());
    // "localhost" may mean either loopback address.
    if let Ok(listener) = tokio::net::TcpListener::bind(("::1", workbench_listener.local_addr()?.port())).await {
        tokio::task::spawn_local(axum::serve(listener, router.clone()).into_future());
    }
    tokio::task::spawn_local(axum::serve(workbench_listener, router).into_future());

    let (output, mut lines) = mpsc::unbounded_channel();
    let functions = commands(options.functions.as_deref())?;
    let config = StackConfig {
        variables: options.variables.clone(),
        ..StackConfig::new(functions, secrets.credentials.clone(), slack_api_url.clone(), app_listener, aws_listener)
    };
    let stack = Stack::start(config, output).await?;
    check("aws", "2 queues, 2 dead-letter queues, 1 table");

    let ready = || {
        say(&format!("\n  Ready in {:.2} s\n", started.elapsed().as_secs_f64()));
        say(&format!("  Slack           {}            (the lines to type are on that page)", addresses.workbench));
        say(&format!("  App             {}/slack/events", addresses.app));
        say(&format!("  AWS             {}", addresses.aws));
        if secrets.made_up {
            say(&format!("  Signing secret  {}   (made up for this run)", secrets.first_signing_secret()));
        }
        if (options.lookup)("SLACK_API_URL").is_some() {
            say(&format!("  Web API         {slack_api_url} (SLACK_API_URL), not the simulated one"));
        }
        say("\n  Ctrl-C ends everything.\n");
    };
    let running = async {
        let mut board = Board::default();
        prove(&simulator, &mut board, &mut lines).await?;
        ready();
        let mut slack = simulator.subscribe();
        let mut warned = String::new();
        loop {
            tokio::select! {
                line = lines.recv() => match line {
                    Some(line) => print(&mut board, &line),
                    None => return anyhow::Ok(()),
                },
                Ok(event) = slack.recv() => warn(&event, &mut warned),
            }
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

/// Ctrl-C, or a polite kill.
async fn stop_signal() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// What Slack itself would have frowned at, such as an error for a block that is not in the modal.
fn warn(event: &StreamEvent, last: &mut String) {
    let warnings = event.data["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
    for warning in warnings.iter().filter_map(|warning| warning.as_str()) {
        let line = format!("  ! Slack      {} {warning}", event.data["name"].as_str().unwrap_or_default());
        // A delivery is told of again whenever it changes.
        let told = format!("{} {warning}", event.data["id"]);
        if *last != told {
            say(&line);
            *last = told;
        }
    }
}

/// "Ready" is said only when a challenge came back and a probe went through ingress, queue and worker.
async fn prove(
    simulator: &Simulator,
    board: &mut Board,
    lines: &mut mpsc::UnboundedReceiver<OutputLine>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let challenge = serde_json::json!({ "type": "url_verification", "token": "-", "challenge": "tack" }).to_string();
    let request = DeliveryRequest::raw(challenge).header("content-type", "application/json");
    let deliveries = simulator.deliver(request).await.map_err(|refusal| anyhow::anyhow!(refusal.0))?;
    let attempt = deliveries.first().and_then(|delivery| delivery.attempts.first()).context("nothing was sent")?;
    if attempt.status != Some(200) || !attempt.answer.contains("\"tack\"") {
        drain(board, lines);
        let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
        bail!("the ingress cannot start, or did not answer the challenge ({status}): see above");
    }
    check("ingress", &format!("answered a signed url_verification in {} ms", began.elapsed().as_millis()));

    let began = Instant::now();
    let probe = serde_json::json!({ "type": tack_app::probe::EVENT });
    simulator.deliver(DeliveryRequest::event(probe)).await.map_err(|refusal| anyhow::anyhow!(refusal.0))?;
    let deadline = began + READY_LIMIT;
    while board.probes_done == 0 {
        match timeout_at(deadline, lines.recv()).await {
            // The proof has lines of its own; only what is not a step is news.
            Ok(Some(line)) => match board.read(&line) {
                Some(text) if !is_step(&line) => say(&text),
                _ => {}
            },
            Ok(None) => bail!("the functions are gone"),
            Err(_) => bail!("the probe did not come through ingress, queue and worker within {READY_LIMIT:?}"),
        }
    }
    check("round trip", &format!("a probe through ingress, queue and worker in {} ms", began.elapsed().as_millis()));
    Ok(())
}

fn drain(board: &mut Board, lines: &mut mpsc::UnboundedReceiver<OutputLine>) {
    while let Ok(line) = lines.try_recv() {
        print(board, &line);
    }
}

fn print(board: &mut Board, line: &OutputLine) {
    if let Some(text) = board.read(line) {
        say(&text);
    }
}

fn is_step(line: &OutputLine) -> bool {
    serde_json::from_str::<tack_app::step::Step>(&line.line).is_ok_and(|step| !step.step.is_empty())
}

fn check(what: &str, text: &str) {
    say(&format!("  ✓ {what:<11} {text}"));
}

/// The functions of this very binary, or those of a folder.
fn commands(folder: Option<&Path>) -> anyhow::Result<FunctionCommands> {
    let Some(folder) = folder else {
        let program = std::env::current_exe().context("this program's own path")?;
        let command =
            |name: &str| Command { program: program.clone(), args: vec!["function".to_owned(), name.to_owned()] };
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
