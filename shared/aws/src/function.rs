//! What every function's `main` does: one thread, settings, logging, and a clear word when it cannot start.

use crate::config;
use crate::telemetry;
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

/// Runs a function. One thread: a second one costs half as much CPU again and gains nothing.
pub(crate) fn main<F, Running>(function: F) -> ExitCode
where
    F: FnOnce(Settings) -> Running,
    Running: Future<Output = Result<(), StopReason>>,
{
    let settings = config::environment();
    telemetry::start(settings.optional("AWS_LAMBDA_LOG_LEVEL").as_deref());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return stop(&[format!("tokio cannot start: {error}")]),
    };
    match runtime.block_on(function(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(StopReason::Setup(problems)) => stop(&problems),
        Err(StopReason::Runtime(error)) => stop(&[error.to_string()]),
    }
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
