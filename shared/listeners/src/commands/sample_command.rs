//! `/sample-command`: answers the person who typed it, through the command's `response_url`.
//!
//! Only lazy: Slack gets its empty 200 at once, and this runs in the worker, up to 30 minutes later if it must.

use crate::Context;
use tack_app::ListenerError;
use tack_app::payload::SlashCommand;

pub(crate) async fn respond(context: &Context, command: &SlashCommand) -> Result<(), ListenerError> {
    context.respond(answer(&command.text)).await?;
    Ok(())
}

fn answer(text: &str) -> String {
    match text.trim() {
        "" => "This is the sample command. Try it with a word or two behind it.".to_owned(),
        text => format!("This is the sample command, and you typed: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_said_back() {
        assert!(answer(" hello there ").ends_with("you typed: hello there"));
        assert!(answer("").starts_with("This is the sample command."));
    }
}
