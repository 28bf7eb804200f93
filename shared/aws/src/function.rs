//! What every function's `main` does: one thread, settings, logging, and a clear word when it cannot start.

use crate::client::AwsClients;
use crate::config::{self, APP_CONFIG_PARAMETER, SLACK_SECRETS_PARAMETER};
use crate::{secrets, telemetry};
use lambda_runtime::Error;
use std::future::Future;
use std::process::ExitCode;
use tack_app::{App, Phase, Settings, SetupError, SlackApp};

/// Why a function did not start or did not go on.
pub(crate) enum StopReason {
    /// Settings that are missing or malformed, and registrations that contradict each other.
    Setup(Vec<String>),
    /// Lambda's Runtime API is gone.
    Runtime(Error),
}

/// What a function starts with.
pub(crate) struct Start {
    /// All settings, wherever they come from.
    pub(crate) settings: Settings,
    /// AWS's services.
    pub(crate) clients: Result<AwsClients, SetupError>,
    /// Whether the signing secret is a plain variable.
    pub(crate) has_plain_signing_secret: bool,
}

/// Runs a function. One thread: a second one costs half as much CPU again and gains nothing.
pub(crate) fn main<F, Running>(function: F) -> ExitCode
where
    F: FnOnce(Start) -> Running,
    Running: Future<Output = Result<(), StopReason>>,
{
    let plain = config::environment();
    telemetry::start(plain.optional("AWS_LAMBDA_LOG_LEVEL").as_deref());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop(&[format!("tokio cannot start: {error}")]),
    };
    let run = async {
        match start(plain).await {
            Ok(start) => function(start).await,
            Err(problems) => Err(StopReason::Setup(problems)),
        }
    };
    match runtime.block_on(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(StopReason::Setup(problems)) => stop(&problems),
        Err(StopReason::Runtime(error)) => stop(&[error.to_string()]),
    }
}

/// Settings from plain variables, and from the parameters that some of them may name. Where none is named nothing is
/// awaited; where one cannot be read, nothing else is looked for: what it would have held would only seem to be missing.
async fn start(plain: Settings) -> Result<Start, Vec<String>> {
    let has_plain_signing_secret = plain.optional(config::SLACK_SIGNING_SECRET).is_some();
    let clients = AwsClients::from_settings(&plain);
    let is_named = [SLACK_SECRETS_PARAMETER, APP_CONFIG_PARAMETER].iter().any(|name| plain.optional(name).is_some());
    let settings = match &clients {
        Ok(clients) if is_named => {
            let values = secrets::read(&plain, &clients.parameters()).await?;
            secrets::behind(plain, values)
        }
        Err(SetupError) if is_named => return Err(plain.problems()),
        _ => plain,
    };
    Ok(Start { settings, clients, has_plain_signing_secret })
}

/// Says why, to the person at the terminal or in the log.
#[expect(clippy::print_stderr, reason = "what a person reads when a function does not start")]
pub(crate) fn stop(problems: &[String]) -> ExitCode {
    let said: &[String] = if problems.is_empty() {
        &["the app's resources could not be built, and no problem was named: use settings.problem(…)".to_owned()]
    } else {
        problems
    };
    eprintln!("cannot start:\n  {}", said.join("\n  "));
    ExitCode::FAILURE
}

/// The listeners of an app for one phase; what contradicts itself joins the other problems.
pub(crate) fn build_app<P: Phase, A: SlackApp>(
    settings: &Settings,
) -> Result<App<P, A::Resources, A::AckResources>, SetupError> {
    App::build(A::register).map_err(|problems| {
        for problem in problems {
            let SetupError = settings.problem(problem);
        }
        SetupError
    })
}
