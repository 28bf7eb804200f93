//! A command line that makes no sense, told like every other failure: clap's words, then what to type next.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use std::ffi::OsString;

/// What clap refused, as a failure. Its words come with tips and the usage; only their last line, which says where help is, is ours.
pub(crate) fn failure(error: &Error, command: &Command, arguments: &[OsString]) -> Failure {
    let text = error.render().to_string();
    let text = text.split("\nFor more information").next().unwrap_or_default();
    let text = text.trim().trim_start_matches("error: ").to_owned();
    let (mut path, verb) = verb(command, arguments);
    // clap would print the whole help then.
    let text = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let verbs = verb.get_subcommands().map(Command::get_name).filter(|name| *name != "help");
            format!("{} what? {}", path.join(" "), verbs.collect::<Vec<_>>().join(", "))
        }
        _ => text,
    };
    // The verb that was probably meant, if clap found one.
    if let Some(ContextValue::Strings(near)) = error.get(ContextKind::SuggestedSubcommand)
        && let Some(near) = near.first()
    {
        path.push(near.clone());
    }
    path.push("--help".to_owned());
    Failure::new(Exit::Usage, "usage", text, Hint::Command(path.join(" ")))
}

/// The verb that was typed, as far as it is one.
fn verb<'a>(command: &'a Command, arguments: &[OsString]) -> (Vec<String>, &'a Command) {
    let mut path = Vec::new();
    let mut command = command;
    for argument in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        let Some(found) = command.find_subcommand(argument).filter(|found| !found.is_hide_set()) else { continue };
        path.push(found.get_name().to_owned());
        command = found;
    }
    (path, command)
}
