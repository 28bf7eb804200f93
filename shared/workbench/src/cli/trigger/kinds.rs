//! The kinds of `tack trigger`, each a published body with what it takes filled in.

use super::super::exit::Exit;
use super::super::failure::{Failure, Hint};
use super::super::nearest::nearest;
use super::facts::Facts;
use serde_json::{Value, json};
use tack_simulator::{SAMPLES, Sample};

/// A kind that has a name of its own.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What comes after the name, as the list shows it.
    pub(crate) takes: &'static str,
    pub(crate) what: &'static str,
    /// The published body it starts from; empty for a file of one's own.
    sample: &'static str,
    /// What is needed, and at most taken.
    words: (usize, usize),
    fill: fn(&mut Value, &[String], &Facts),
}

/// Every kind, in the order of the list.
pub(crate) const KINDS: [Kind; 13] = [
    Kind {
        name: "app_mention",
        takes: "[TEXT]",
        what: "somebody mentions the app",
        sample: "event/app_mention.json",
        words: (0, usize::MAX),
        fill: mention,
    },
    Kind {
        name: "message",
        takes: "TEXT",
        what: "a message in a channel the app is in",
        sample: "event/message.json",
        words: (1, usize::MAX),
        fill: |payload, words, _| speak(payload, &words.join(" "), None),
    },
    Kind {
        name: "command",
        takes: "/NAME [TEXT]",
        what: "a slash command",
        sample: "command/order.form",
        words: (1, usize::MAX),
        fill: command,
    },
    Kind {
        name: "action",
        takes: "ACTION_ID [VALUE]",
        what: "a press on a message's button",
        sample: "interactive/block_actions-message.json",
        words: (1, 2),
        fill: action,
    },
    Kind {
        name: "view",
        takes: "CALLBACK_ID",
        what: "a modal is submitted",
        sample: "interactive/view_submission.json",
        words: (1, 1),
        fill: |payload, words, _| payload["view"]["callback_id"] = json!(words[0]),
    },
    Kind {
        name: "shortcut",
        takes: "CALLBACK_ID",
        what: "a global shortcut",
        sample: "interactive/shortcut.json",
        words: (1, 1),
        fill: |payload, words, _| payload["callback_id"] = json!(words[0]),
    },
    Kind {
        name: "message_shortcut",
        takes: "CALLBACK_ID",
        what: "a shortcut on a message",
        sample: "interactive/message_action.json",
        words: (1, 1),
        fill: |payload, words, _| payload["callback_id"] = json!(words[0]),
    },
    Kind {
        name: "options",
        takes: "ACTION_ID [TYPED]",
        what: "a select asks for its options",
        sample: "options/block_suggestion.json",
        words: (1, usize::MAX),
        fill: options,
    },
    Kind {
        name: "home",
        takes: "",
        what: "somebody opens the app's Home tab",
        sample: "event/app_home_opened.json",
        words: (0, 0),
        fill: |_, _, _| {},
    },
    Kind {
        name: "member_joined_channel",
        takes: "",
        what: "the app, or --as somebody, joins a channel",
        sample: "event/member_joined_channel.json",
        words: (0, 0),
        fill: |_, _, _| {},
    },
    Kind {
        name: "reaction_added",
        takes: "[NAME]",
        what: "a reaction to a message",
        sample: "event/reaction_added.json",
        words: (0, 1),
        fill: |payload, words, _| {
            if let Some(name) = words.first() {
                payload["event"]["reaction"] = json!(name.trim_matches(':'));
            }
        },
    },
    Kind {
        name: "url_verification",
        takes: "",
        what: "Slack checks the request URL",
        sample: "event/url_verification.json",
        words: (0, 0),
        fill: |_, _, _| {},
    },
    Kind { name: "raw", takes: "FILE", what: "a file, byte for byte", sample: "", words: (1, 1), fill: |_, _, _| {} },
];

/// What is to be sent.
#[derive(Debug)]
pub(crate) enum What {
    /// A published body, and how the words after its name fill it in.
    Published(&'static Sample, fn(&mut Value, &[String], &Facts)),
    /// A file of one's own.
    File,
    /// Nothing: tell what there is.
    List,
}

/// The kind or published body that is meant.
///
/// # Errors
/// When there is none, or the words after it do not fit.
pub(crate) fn find(name: &str, words: &[String]) -> Result<What, Failure> {
    let fits = |takes: &str, (least, most): (usize, usize)| {
        if (least..=most).contains(&words.len()) {
            return Ok(());
        }
        let form = format!("trigger {name} {takes}");
        Err(Failure::new(Exit::Usage, "usage", format!("write it as: {}", form.trim_end()), Hint::Kinds))
    };
    if name == "list" {
        return fits("", (0, 0)).map(|()| What::List);
    }
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        fits(kind.takes, kind.words)?;
        let Some(sample) = sample(kind.sample) else { return Ok(What::File) };
        return Ok(What::Published(sample, kind.fill));
    }
    if let Some(sample) = sample(name) {
        return fits("", (0, 0)).map(|()| What::Published(sample, |_, _, _| {}));
    }
    let samples = SAMPLES.iter().map(|sample| short_name(sample));
    let (exit, what, near) = if name.contains('/') {
        (Exit::NotFound, "sample", nearest(name, samples))
    } else {
        let kinds = KINDS.iter().map(|kind| kind.name);
        (Exit::Usage, "kind", nearest(name, kinds).or_else(|| sample_of_event(name)))
    };
    let code = if exit == Exit::Usage { "usage" } else { "not_found" };
    let hint = near.map_or(Hint::Kinds, |near| Hint::Kind(example(near)));
    Err(Failure::new(exit, code, format!("unknown {what} {name:?}"), hint))
}

/// `tokens_revoked` is a sample, though no kind of its own.
fn sample_of_event(name: &str) -> Option<&'static str> {
    SAMPLES.iter().map(short_name).find(|sample| sample.rsplit('/').next() == Some(name))
}

/// A kind with what it needs.
pub(crate) fn example(name: &str) -> String {
    let words = match name {
        "message" => " hi",
        "command" => " /order 3",
        "action" => " sample_action_id",
        "view" => " sample_view_id",
        "shortcut" | "message_shortcut" => " sample_shortcut_id",
        "options" => " order_item tea",
        "raw" => " events/slack/event/message.json",
        _ => "",
    };
    format!("{name}{words}")
}

/// The path of a published body without its ending: `event/message`.
pub(crate) fn short_name(sample: &Sample) -> &'static str {
    sample.name.rsplit_once('.').map_or(sample.name, |(name, _)| name)
}

fn sample(name: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.name == name || short_name(sample) == name)
}

fn mention(payload: &mut Value, words: &[String], facts: &Facts) {
    if !words.is_empty() {
        let bot = facts.bot_user();
        let mark = format!("<@{bot}>");
        let text = words.join(" ");
        let rest = text.strip_prefix(&mark).unwrap_or(&text).trim_start();
        speak(payload, rest, Some(bot));
    }
}

/// A message's text, and the same as the rich text that Slack's clients send beside it.
fn speak(payload: &mut Value, text: &str, mentioned: Option<&str>) {
    let event = &mut payload["event"];
    let mut elements = vec![json!({"type": "text", "text": text})];
    event["text"] = json!(text);
    if let Some(user) = mentioned {
        event["text"] = json!(format!("<@{user}> {text}"));
        elements[0]["text"] = json!(format!(" {text}"));
        elements.insert(0, json!({"type": "user", "user_id": user}));
    }
    event["blocks"][0]["elements"] = json!([{"type": "rich_text_section", "elements": elements}]);
}

fn command(payload: &mut Value, words: &[String], _: &Facts) {
    let typed = words.join(" ");
    let (name, text) = typed.split_once(char::is_whitespace).unwrap_or((&typed, ""));
    let slash = if name.starts_with('/') { "" } else { "/" };
    payload["command"] = json!(format!("{slash}{name}"));
    payload["text"] = json!(text.trim());
}

fn action(payload: &mut Value, words: &[String], _: &Facts) {
    let button = "/message/blocks/0/accessory";
    for (field, word) in ["action_id", "value"].into_iter().zip(words) {
        for place in [format!("/actions/0/{field}"), format!("{button}/{field}")] {
            if let Some(value) = payload.pointer_mut(&place) {
                *value = json!(word);
            }
        }
    }
}

fn options(payload: &mut Value, words: &[String], _: &Facts) {
    let id = words.first().map(String::as_str).unwrap_or_default();
    payload["action_id"] = json!(id);
    payload["view"]["blocks"][0]["element"]["action_id"] = json!(id);
    if words.len() > 1 {
        payload["value"] = json!(words[1..].join(" "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_published_body_is_found() {
        for kind in &KINDS {
            let example = example(kind.name);
            let words: Vec<String> = example.split(' ').skip(1).map(str::to_owned).collect();
            let found = find(kind.name, &words).unwrap();
            assert_eq!(matches!(found, What::File), kind.name == "raw", "{example}");
        }
        for sample in SAMPLES {
            assert!(matches!(find(sample.name, &[]).unwrap(), What::Published(..)), "{}", sample.name);
            assert!(matches!(find(short_name(sample), &[]).unwrap(), What::Published(..)), "{}", sample.name);
        }
    }

    #[test]
    fn a_slip_suggests_the_nearest() {
        let failure = find("app_mentoin", &[]).unwrap_err();
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Usage, "unknown kind \"app_mentoin\""));
        assert_eq!(failure.hint(), "cargo tack trigger app_mention      (all kinds: cargo tack trigger list)");
        let failure = find("event/mesage", &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound);
        assert!(failure.hint().starts_with("cargo tack trigger event/message "), "{}", failure.hint());
        assert!(find("tokens_revoked", &[]).unwrap_err().hint().contains("event/tokens_revoked"));
        assert_eq!(find("teleport", &[]).unwrap_err().hint(), "cargo tack trigger list");
    }

    #[test]
    fn a_kind_says_what_it_takes() {
        for (kind, words) in [("view", 0), ("home", 1), ("command", 0), ("action", 3), ("event/message", 1)] {
            let words = vec!["x".to_owned(); words];
            let failure = find(kind, &words).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{kind}");
            assert!(failure.message.starts_with(&format!("write it as: trigger {kind}")), "{}", failure.message);
        }
    }
}
