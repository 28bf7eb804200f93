//! What an app registered, printed for whoever asks: the local console, a script. Starts nothing and reads no settings.

use crate::function;
use std::process::ExitCode;
use tack_app::SlackApp;

/// Prints the listing of an app as a JSON array of [`tack_app::Listed`]; its problems, if it has any, go to standard error.
/// This is a whole `main`.
pub fn run<A: SlackApp>() -> ExitCode {
    match tack_app::listing::<A>() {
        Ok(listed) => print(&serde_json::json!(listed)),
        Err(problems) => function::stop(&problems),
    }
}

#[expect(clippy::print_stdout, reason = "this is what was asked for")]
fn print(listed: &serde_json::Value) -> ExitCode {
    println!("{listed}");
    ExitCode::SUCCESS
}
