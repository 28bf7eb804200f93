//! `resend`: a delivery once more, as something new, as the same, or with another body.

use super::client::{Client, segment};
use super::delivery::text;
use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::session::Session;
use super::wait::{self, WaitArgs};
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// With fresh ids: the app takes it for something new.
    Rerun,
    /// With the same bytes, as Slack does: the app ought to know it.
    Redeliver,
    /// With the body of --body.
    Edited,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Rerun => "rerun",
            Self::Redeliver => "redeliver",
            Self::Edited => "edited",
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct ResendArgs {
    /// Ids, or unique endings of them.
    #[arg(required = true, value_parser = NonEmptyStringValueParser::new())]
    id: Vec<String>,
    /// How: rerun, unless there is a --body.
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// The body to send instead.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Sends each again, in the order given; stops at the first that cannot be.
///
/// # Errors
/// When one is not known or cannot be sent, or the expectation was not met. What was sent until then is printed.
pub(crate) async fn run(args: ResendArgs, session: &mut Session) -> Result<(), Failure> {
    let mode = args.mode.unwrap_or(if args.body.is_some() { Mode::Edited } else { Mode::Rerun });
    let mut request = json!({"mode": mode.word()});
    match (&args.body, mode) {
        (Some(file), Mode::Edited) => request["body"] = Value::String(read(file)?),
        (Some(_), _) => return Err(Failure::usage("--body goes with --mode edited only", "resend")),
        (None, Mode::Edited) => return Err(Failure::usage("--mode edited needs the body: --body FILE", "resend")),
        (None, _) => {}
    }
    let client = session.client()?;
    let (new, stopped) = send(&args.id, &request, &client).await;
    if new.is_empty()
        && let Some(failure) = stopped
    {
        return Err(failure);
    }
    let sent = args.wait.stories(&client, &new).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        let mut answer = json!({"v": 1, "deliveries": sent.stories});
        args.wait.note_held(&mut answer, &sent);
        terminal.object(&answer)?;
    } else {
        wait::print(terminal, &sent.stories)?;
    }
    match stopped {
        Some(failure) => Err(failure),
        None => args.wait.verdict(&client, &sent),
    }
}

/// The ids of the new deliveries, and what stopped it.
async fn send(ids: &[String], request: &Value, client: &Client) -> (Vec<String>, Option<Failure>) {
    let mut new = Vec::new();
    for id in ids {
        match client.post(&format!("/console/deliveries/{}/replay", segment(id)), request).await {
            Ok(answer) => new.push(text(&answer["delivery"], "id").to_owned()),
            Err(failure) => return (new, Some(failure.hinted(Hint::List("deliveries list")))),
        }
    }
    (new, None)
}

/// A file of text.
///
/// # Errors
/// When it is not there, or not text.
pub(crate) fn read(file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        let message = format!("{} cannot be read: {error}", file.display());
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Io };
        Failure::new(exit, "file", message, Hint::Kinds)
    })?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(
            Exit::Usage,
            "file",
            format!("{} is not UTF-8, so it is no body of Slack's", file.display()),
            Hint::Kinds,
        )
    })
}
