//! The listeners of an app that lives outside Tack's repository. Each part says a word of its own, so that a test can look
//! for it in the built functions.

use tack_app::payload::{Message, SlashCommand};
use tack_app::{
    AckContext, AckError, App, CommandAck, Context, ListenerError, Next, Phase, Settings, SetupError, SlackApp,
};

/// The app.
pub struct Pong;

/// What its listeners need.
pub struct Resources {
    answer: String,
}

impl SlackApp for Pong {
    type Resources = Resources;
    type AckResources = ();

    fn register<P: Phase>(app: &mut App<P, Resources>) {
        app.middleware(log);
        app.message("ping").lazy("pong", pong);
        app.command("/ping").ack(ack).lazy("ping.command", command);
    }

    async fn resources(settings: &Settings) -> Result<Resources, SetupError> {
        let answer =
            settings.optional("PONG_ANSWER").unwrap_or_else(|| "pong, says the-word-of-the-resources".to_owned());
        Ok(Resources { answer })
    }

    async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }
}

async fn log(context: &Context<Resources>, next: Next<'_, Resources>) -> Result<(), ListenerError> {
    if context.job().is_empty() {
        return Err(ListenerError::permanent("a job without a name, says the-word-of-the-middleware"));
    }
    next.run().await
}

async fn pong(context: &Context<Resources>, message: &Message) -> Result<(), ListenerError> {
    if message.text.contains("the-word-of-the-listener") {
        return Err(ListenerError::discard("asked for"));
    }
    context.say(context.resources().answer.as_str()).await?;
    Ok(())
}

fn ack(_: &AckContext<'_>, command: &SlashCommand) -> Result<CommandAck, AckError> {
    Ok(match command.text.as_str() {
        "the-word-of-the-ack" => CommandAck::refuse("no"),
        _ => CommandAck::ok(),
    })
}

async fn command(context: &Context<Resources>, _: &SlashCommand) -> Result<(), ListenerError> {
    context.respond("pong").await?;
    Ok(())
}
