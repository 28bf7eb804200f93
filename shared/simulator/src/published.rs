//! The published bodies the simulated Slack starts from, by name. Sending, filling in and answering live elsewhere.
//! Invariant: every file below `events/slack` is listed here, and each parses.
//! Sources: the pages named in `events/README.md`.

use serde_json::Value;

/// How a body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The body is this JSON.
    Json,
    /// The body is `payload=` and this JSON, urlencoded.
    Payload,
    /// The body is this urlencoded form.
    Urlencoded,
}

/// One published body.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Path below `events/slack`, such as `event/message.json`.
    pub name: &'static str,
    /// How it travels.
    pub form: Form,
    /// The file.
    pub text: &'static str,
}

/// Every published body.
pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "command/order-non-ascii.form",
        form: Form::Urlencoded,
        text: include_str!("../../../events/slack/command/order-non-ascii.form"),
    },
    Sample {
        name: "command/order.form",
        form: Form::Urlencoded,
        text: include_str!("../../../events/slack/command/order.form"),
    },
    Sample {
        name: "command/ssl_check.form",
        form: Form::Urlencoded,
        text: include_str!("../../../events/slack/command/ssl_check.form"),
    },
    Sample {
        name: "event/app_home_opened.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/app_home_opened.json"),
    },
    Sample {
        name: "event/app_mention.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/app_mention.json"),
    },
    Sample {
        name: "event/app_rate_limited.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/app_rate_limited.json"),
    },
    Sample {
        name: "event/app_uninstalled.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/app_uninstalled.json"),
    },
    Sample {
        name: "event/function_executed.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/function_executed.json"),
    },
    Sample {
        name: "event/member_joined_channel.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/member_joined_channel.json"),
    },
    Sample {
        name: "event/message-bot-subtype.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-bot-subtype.json"),
    },
    Sample {
        name: "event/message-changed.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-changed.json"),
    },
    Sample {
        name: "event/message-in-dm.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-in-dm.json"),
    },
    Sample {
        name: "event/message-org-install.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-org-install.json"),
    },
    Sample {
        name: "event/message-own-echo.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-own-echo.json"),
    },
    Sample {
        name: "event/message-shared-channel.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message-shared-channel.json"),
    },
    Sample {
        name: "event/message.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/message.json"),
    },
    Sample {
        name: "event/reaction_added.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/reaction_added.json"),
    },
    Sample {
        name: "event/tokens_revoked.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/tokens_revoked.json"),
    },
    Sample {
        name: "event/unknown-type.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/unknown-type.json"),
    },
    Sample {
        name: "event/url_verification.json",
        form: Form::Json,
        text: include_str!("../../../events/slack/event/url_verification.json"),
    },
    Sample {
        name: "interactive/block_actions-message.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/block_actions-message.json"),
    },
    Sample {
        name: "interactive/block_actions-org-install.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/block_actions-org-install.json"),
    },
    Sample {
        name: "interactive/block_actions-several.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/block_actions-several.json"),
    },
    Sample {
        name: "interactive/block_actions-view.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/block_actions-view.json"),
    },
    Sample {
        name: "interactive/dialog_submission.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/dialog_submission.json"),
    },
    Sample {
        name: "interactive/interactive_message.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/interactive_message.json"),
    },
    Sample {
        name: "interactive/message_action.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/message_action.json"),
    },
    Sample {
        name: "interactive/shortcut.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/shortcut.json"),
    },
    Sample {
        name: "interactive/unknown-type.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/unknown-type.json"),
    },
    Sample {
        name: "interactive/view_closed.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/view_closed.json"),
    },
    Sample {
        name: "interactive/view_submission-every-input.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/view_submission-every-input.json"),
    },
    Sample {
        name: "interactive/view_submission.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/view_submission.json"),
    },
    Sample {
        name: "interactive/workflow_step_edit.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/interactive/workflow_step_edit.json"),
    },
    Sample {
        name: "options/block_suggestion.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/options/block_suggestion.json"),
    },
    Sample {
        name: "options/dialog_suggestion.json",
        form: Form::Payload,
        text: include_str!("../../../events/slack/options/dialog_suggestion.json"),
    },
];

/// The sample called `name` as JSON; a form becomes an object of its fields.
#[expect(clippy::expect_used, reason = "names are literals in this crate and a test parses every sample")]
pub(crate) fn published(name: &str) -> Value {
    let sample = SAMPLES.iter().find(|sample| sample.name == name).expect("a listed sample");
    match sample.form {
        Form::Urlencoded => fields(sample.text.as_bytes()),
        Form::Json | Form::Payload => serde_json::from_str(sample.text).expect("a sample is JSON"),
    }
}

/// The fields of an urlencoded form as an object of strings.
pub(crate) fn fields(form: &[u8]) -> Value {
    form_urlencoded::parse(form).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn files_below(folder: &Path, found: &mut Vec<String>, root: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, found, root);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/"));
            }
        }
    }

    #[test]
    fn every_file_is_listed_here_and_in_the_readme() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack");
        let mut files = Vec::new();
        files_below(&root, &mut files, &root);
        files.sort();
        let mut listed: Vec<_> = SAMPLES.iter().map(|sample| sample.name.to_owned()).collect();
        listed.sort();
        assert_eq!(files, listed);
        let readme = include_str!("../../../events/README.md");
        for name in listed {
            assert!(readme.contains(&format!("`{name}`")), "events/README.md does not mention {name}");
        }
    }

    #[test]
    fn every_sample_parses_and_says_what_it_is() {
        for sample in SAMPLES {
            let body = published(sample.name);
            let folder = sample.name.split('/').next().unwrap();
            match folder {
                "event" => assert!(body["type"].is_string() && body["token"].is_string(), "{}", sample.name),
                "command" => {
                    assert!(body["command"].is_string() || body["ssl_check"] == "1", "{}", sample.name);
                    assert!(!sample.text.ends_with('\n'), "{}: a form has no final newline", sample.name);
                }
                "interactive" | "options" => {
                    assert!(body["type"].is_string() && body["user"]["id"].is_string(), "{}", sample.name);
                }
                other => panic!("{other} is not a kind of delivery"),
            }
            if body["type"] == "event_callback" {
                assert!(body["event_id"].as_str().unwrap().starts_with("Ev"), "{}", sample.name);
                assert!(body["event_time"].is_u64(), "{}", sample.name);
                assert!(body["event"]["event_ts"].is_string(), "{}", sample.name);
            }
        }
    }

    #[test]
    fn event_ids_are_never_used_twice() {
        let mut ids: Vec<_> = SAMPLES
            .iter()
            .filter(|sample| sample.form == Form::Json)
            .filter_map(|sample| published(sample.name)["event_id"].as_str().map(str::to_owned))
            .collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }

    #[test]
    fn a_form_keeps_text_beyond_ascii() {
        assert_eq!(published("command/order-non-ascii.form")["text"], "3 × crème brûlée & Straße 🍮 100% + 1");
    }
}
