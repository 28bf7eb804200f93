//! `events sign`: a body from `events/` with a fresh signature. Signing itself is `crate::sign`'s.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::output::Terminal;
use super::span;
use crate::sign;
use serde_json::json;
use std::path::PathBuf;
use tack_app::protocol::EpochSeconds;

#[derive(clap::Subcommand)]
pub(crate) enum EventsVerb {
    /// Prints a body with a fresh signature, made with SLACK_SIGNING_SECRET.
    #[command(after_help = "Example:\n  cargo tack events sign events/slack/event/message.json --as apigw")]
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

/// Prints.
///
/// # Errors
/// When there is no secret or no such file.
pub(crate) fn run(verb: &EventsVerb, secret: Option<String>, terminal: &mut Terminal) -> Result<(), Failure> {
    let EventsVerb::Sign { file, form, url } = verb;
    let configuration = |message: String, hint| Failure::new(Exit::Configuration, "configuration", message, hint);
    let secret = secret.ok_or_else(|| {
        let message = "SLACK_SIGNING_SECRET is missing: `cargo run` prints the one of a simulated run";
        configuration(message.to_owned(), Hint::Run)
    })?;
    let now = EpochSeconds(span::now_ms() / 1_000);
    let signed = sign::signed(file, *form, &secret, url, now);
    let signed = signed.map_err(|error| configuration(format!("{error:#}"), Hint::Kinds))?;
    if terminal.json {
        return terminal.object(&json!({"v": 1, "signed": signed}));
    }
    terminal.line(&signed)
}
