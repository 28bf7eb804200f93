//! `say` and `act`: as a person of the simulated workspace.

use super::delivery::text;
use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::output::{clean, clean_lines};
use super::session::Session;
use super::wait::{self, WaitArgs};
use serde_json::{Map, Value, json};

/// Where people talk unless told otherwise: the app is there.
const CHANNEL: &str = "playground";

#[derive(clap::Args)]
pub(crate) struct SayArgs {
    /// What to write; a slash command if it begins with /.
    #[arg(required = true)]
    text: Vec<String>,
    /// Who: a name or an id.
    #[arg(long = "as", value_name = "USER", default_value = "ada")]
    user: String,
    /// Where: a channel, or a person for their direct messages with the app.
    #[arg(long = "in", value_name = "CHANNEL", default_value = CHANNEL)]
    channel: String,
    /// The stamp of the message to answer in its thread.
    #[arg(long, value_name = "TS")]
    thread: Option<String>,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(clap::Args)]
pub(crate) struct ActArgs {
    /// What: {"act": "say" | "command" | "click" | "suggest" | "submit" | "close" | "shortcut" | "open_home" | …, …}.
    act: String,
    /// Who, instead of the one in the JSON.
    #[arg(long = "as", value_name = "USER")]
    user: Option<String>,
    /// Where, instead of the channel in the JSON.
    #[arg(long = "in", value_name = "CHANNEL")]
    channel: Option<String>,
    #[command(flatten)]
    wait: WaitArgs,
}

/// Writes a message, or runs a slash command as the composer would.
///
/// # Errors
/// When there is no such person or channel, the expectation was not met, or the workbench cannot be asked.
pub(crate) async fn say(args: SayArgs, session: &mut Session) -> Result<(), Failure> {
    let typed = args.text.join(" ");
    let mut act = json!({"as": args.user, "channel": args.channel, "text": typed});
    match (typed.starts_with('/'), args.thread) {
        (true, Some(_)) => return Err(Failure::usage("a slash command has no place in a thread", "say")),
        (true, None) => act["act"] = json!("command"),
        (false, thread) => {
            act["act"] = json!("say");
            act["thread_ts"] = json!(thread);
        }
    }
    done(&act, "say", &args.wait, session).await
}

/// Does any act.
///
/// # Errors
/// When the act is no JSON object or makes no sense, else as [`say`].
pub(crate) async fn act(args: ActArgs, session: &mut Session) -> Result<(), Failure> {
    let wrong = |why: String| {
        let example = r#"act '{"act": "open_home"}'"#;
        Failure::new(Exit::Usage, "usage", format!("this is no act: {why}"), Hint::Command(example.to_owned()))
    };
    let mut act: Map<String, Value> = serde_json::from_str(&args.act).map_err(|error| wrong(error.to_string()))?;
    if !act.get("act").is_some_and(Value::is_string) {
        return Err(wrong("it does not say what to do in \"act\"".to_owned()));
    }
    for (name, given) in [("as", args.user), ("channel", args.channel)] {
        if let Some(given) = given {
            act.insert(name.to_owned(), json!(given));
        }
    }
    done(&Value::Object(act), "act", &args.wait, session).await
}

async fn done(act: &Value, verb: &'static str, wait: &WaitArgs, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let mut shown = client.post("/sim/act", act).await.map_err(|failure| failure.hinted(Hint::Help(verb)))?;
    let deliveries = shown["deliveries"].take();
    let ids: Vec<String> = deliveries.as_array().into_iter().flatten().map(|it| text(it, "id").to_owned()).collect();
    let sent = wait.stories(&client, &ids).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        // The deliveries are beside it, with all that became of them.
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("deliveries");
            fields.remove("delivery");
        }
        let mut answer = json!({"v": 1, "act": shown, "deliveries": sent.stories});
        wait.note_held(&mut answer, &sent);
        terminal.object(&answer)?;
    } else {
        if !terminal.quiet {
            seen(act, !ids.is_empty(), &shown).iter().try_for_each(|line| terminal.line(line))?;
        }
        wait::print(terminal, &sent.stories)?;
    }
    wait.verdict(&client, &sent)
}

/// What the person saw.
fn seen(act: &Value, is_sent: bool, shown: &Value) -> Vec<String> {
    let what = match (text(act, "act"), text(act, "text")) {
        ("command", typed) => clean(typed),
        (name, _) => clean(name),
    };
    let outcome = match (text(shown, "outcome"), is_sent) {
        ("nothing", true) => format!("sent: {what}  (the answer itself shows nothing)"),
        ("nothing", false) => format!("done: {what}"),
        (outcome, _) => clean(outcome),
    };
    let mut first = format!("  {outcome}");
    match (text(&shown["message"], "text"), text(shown, "text")) {
        ("", "") => {}
        ("", said) | (said, _) => first.push_str(&format!(": {}", clean_lines(said))),
    }
    let view = &shown["view"];
    if view.is_object() {
        first.push_str(&format!("  {} {}", clean(text(view, "callback_id")), clean(text(view, "id"))));
    }
    let mut lines = vec![first.trim_end().to_owned()];
    for (block, sentence) in shown["errors"].as_object().into_iter().flatten() {
        lines.push(format!("    {}: {}", clean(block), clean(sentence.as_str().unwrap_or_default())));
    }
    if let Some(options) = shown["options"].as_array() {
        lines.push(format!("    {} options", options.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_person_saw_is_told_in_lines() {
        let say = json!({"act": "say", "text": "hi"});
        let said = json!({"outcome": "said", "message": {"text": "hi", "ts": "1.2"}});
        assert_eq!(seen(&say, true, &said), ["  said: hi"]);
        let submit = json!({"act": "submit"});
        let errors = json!({"outcome": "errors", "errors": {"quantity": "At least 1"}});
        assert_eq!(seen(&submit, true, &errors), ["  errors", "    quantity: At least 1"]);
        let command = json!({"act": "command", "text": "/slow 3"});
        let trouble = json!({"outcome": "trouble", "text": "/slow failed with the error \"operation_timeout\""});
        assert_eq!(seen(&command, true, &trouble), ["  trouble: /slow failed with the error \"operation_timeout\""]);
        let pushed = json!({"outcome": "updated", "view": {"id": "V1", "callback_id": "order_modal"}});
        assert_eq!(seen(&submit, true, &pushed), ["  updated  order_modal V1"]);
    }

    #[test]
    fn an_answer_that_shows_nothing_is_no_nothing() {
        let nothing = json!({"outcome": "nothing"});
        let command = json!({"act": "command", "text": "/order 3"});
        assert_eq!(seen(&command, true, &nothing), ["  sent: /order 3  (the answer itself shows nothing)"]);
        assert_eq!(seen(&json!({"act": "join"}), false, &nothing), ["  done: join"]);
    }
}
