//! What the app's answer means to the person who caused the request: a message, a modal that closes or complains, options, trouble.
//! Modals are in `view`, options in `options`. Invariant: only what Slack would apply is applied; what it would frown at is a warning.
//! Sources: <https://docs.slack.dev/surfaces/modals/>, <https://docs.slack.dev/interactivity/handling-user-interaction/>

mod options;
mod view;

use serde_json::{Map, Value, json};

use crate::delivery::{Delivery, Failure, Kind, Shown};
use crate::messages;
use crate::notices::PersonNotice;
use crate::send::Answer;
use crate::state::{Notice, State};
use options::options;
use view::{TROUBLE, submission};

/// What people read when a shortcut gets no proper answer.
const SHORTCUT_TROUBLE: &str = "Sorry, that didn't work. Try again?";

/// What the person sees, and what Slack frowns at.
pub(crate) struct Applied {
    pub(crate) shown: Option<Shown>,
    pub(crate) warnings: Vec<String>,
}

impl Applied {
    fn shown(shown: Shown) -> Self {
        Self { shown: Some(shown), warnings: Vec::new() }
    }

    fn warned(shown: Shown, warning: impl Into<String>) -> Self {
        Self { shown: Some(shown), warnings: vec![warning.into()] }
    }
}

/// Applies the answer to the first attempt of `delivery`.
pub(crate) fn apply(state: &mut State, delivery: &Delivery, answer: Result<&Answer, Failure>) -> Applied {
    let payload = delivery.payload();
    match (delivery.kind, payload["type"].as_str().unwrap_or_default()) {
        (Kind::Event, "url_verification") => challenge(&payload, answer),
        (Kind::Event | Kind::Raw, _) => Applied { shown: None, warnings: Vec::new() },
        (Kind::Command, _) => command(state, delivery, &payload, answer),
        (_, "view_submission") => submission(state, &payload, answer),
        (_, "block_suggestion" | "dialog_suggestion") => options(state, &payload, answer),
        (_, "dialog_submission") => dialog(answer),
        (_, "interactive_message") => command(state, delivery, &payload, answer),
        (_, kind) => {
            let applied = wants_nothing(kind, answer);
            let trouble = applied.shown.as_ref().and_then(|shown| shown.text.as_deref());
            match kind {
                "block_actions" => pressed(state, &payload, trouble),
                "view_closed" => closed(state, &payload, trouble),
                "shortcut" | "message_action" if trouble.is_some() => {
                    let channel = payload["channel"]["id"].as_str().unwrap_or_default();
                    tell(state, delivery, channel, SHORTCUT_TROUBLE, &why(delivery, answer));
                }
                _ => {}
            }
            applied
        }
    }
}

fn body_of(answer: Result<&Answer, Failure>) -> Result<&Answer, String> {
    match answer {
        Ok(answer) if answer.is_success() => Ok(answer),
        Ok(answer) => Err(format!("status {}", answer.status)),
        Err(failure) => Err(failure.as_str().to_owned()),
    }
}

fn challenge(payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let expected = payload["challenge"].as_str().unwrap_or_default();
    let body = match body_of(answer) {
        Ok(answer) => answer.body.trim(),
        Err(why) => {
            return Applied::shown(Shown::trouble(format!("your URL didn't respond: {why}")));
        }
    };
    let is_json = serde_json::from_str::<Value>(body).is_ok_and(|body| body["challenge"] == expected);
    if is_json || body == expected || body.strip_prefix("challenge=") == Some(expected) {
        Applied::shown(Shown::only("verified"))
    } else {
        Applied::shown(Shown::trouble("your URL didn't respond with the value of the challenge parameter"))
    }
}

/// What the warning triangle of an element says.
fn warning(answer: Result<&Answer, Failure>) -> String {
    match answer {
        Ok(answer) => format!("This app responded with Status Code {}", answer.status),
        Err(Failure::HttpTimeout) => "Operation timed out. Apps need to respond within 3 seconds.".to_owned(),
        Err(failure) => format!("This app didn't respond: {}", failure.as_str()),
    }
}

/// What happened, for the one who wonders why.
fn why(delivery: &Delivery, answer: Result<&Answer, Failure>) -> String {
    let (id, ms) = (&delivery.id, delivery.attempts.last().map_or(0, |attempt| attempt.ms));
    match answer {
        Ok(answer) => format!("delivery {id} was answered with status {} after {ms} ms", answer.status),
        Err(Failure::HttpTimeout) => format!("delivery {id} was not answered within {ms} ms"),
        Err(failure) => format!("delivery {id} failed after {ms} ms: {}", failure.as_str()),
    }
}

/// Tells the person whose delivery it was.
fn tell(state: &mut State, delivery: &Delivery, channel: &str, text: &str, why: &str) {
    let notice = PersonNotice {
        at_ms: state.now_ms(),
        channel: channel.to_owned(),
        text: text.to_owned(),
        delivery_id: delivery.id.clone(),
        why: why.to_owned(),
    };
    state.tell(&delivery.user, notice);
}

/// Puts the warning triangle beside the element that was pressed, or takes those of this person away.
fn pressed(state: &mut State, payload: &Value, trouble: Option<&str>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (user, container) = (text(&payload["user"]["id"]), &payload["container"]);
    if let Some(view) = state.views.get_mut(&text(&container["view_id"])) {
        view.trouble = trouble.map(str::to_owned);
        state.notices.push(Notice::Views(user));
        return;
    }
    let (channel, ts) = (text(&container["channel_id"]), text(&container["message_ts"]));
    if let Some(message) = state.workspace.message_mut(&channel, &ts) {
        let problems = &mut message.hand_mut(&user).problems;
        problems.clear();
        if let Some(trouble) = trouble {
            problems.insert(text(&payload["actions"][0]["block_id"]), trouble.to_owned());
        }
        let message = message.body.clone();
        state.tell_of(&channel, "pressed", &message);
    }
}

/// A modal that is closed is gone: what went wrong stands in the one below, if there is one.
fn closed(state: &mut State, payload: &Value, trouble: Option<&str>) {
    let user = payload["user"]["id"].as_str().unwrap_or_default();
    let below = state.views.top(user).map(|view| view.id().to_owned());
    if let (Some(trouble), Some(view)) = (trouble, below.and_then(|id| state.views.get_mut(&id))) {
        view.trouble = Some(trouble.to_owned());
        state.notices.push(Notice::Views(user.to_owned()));
    }
}

fn wants_nothing(kind: &str, answer: Result<&Answer, Failure>) -> Applied {
    match body_of(answer) {
        Err(_) => Applied::shown(Shown::trouble(warning(answer))),
        Ok(answer) if answer.body.is_empty() => Applied::shown(Shown::only("nothing")),
        Ok(answer) => Applied::warned(
            Shown::only("nothing"),
            format!("{kind} wants an empty body; {} bytes were ignored", answer.body.len()),
        ),
    }
}

/// A command, or a button of a legacy message: the answer is a message.
fn command(state: &mut State, delivery: &Delivery, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let name = payload["command"].as_str().or(payload["type"].as_str()).unwrap_or_default();
    let channel = payload["channel_id"].as_str().or(payload["channel"]["id"].as_str()).unwrap_or_default().to_owned();
    let error = match answer {
        Err(Failure::HttpTimeout) => Some("operation_timeout"),
        Err(_) => Some("dispatch_failed"),
        Ok(answer) if answer.is_success() => None,
        Ok(answer) if answer.status < 500 => Some("http_client_error"),
        Ok(_) => Some("http_service_error"),
    };
    let answer = match (answer, error) {
        (Ok(answer), None) => answer,
        (answer, error) => {
            let text = format!("{name} failed with the error \"{}\"", error.unwrap_or("dispatch_failed"));
            tell(state, delivery, &channel, &text, &why(delivery, answer));
            return Applied::shown(Shown::trouble(text));
        }
    };
    if answer.body.is_empty() {
        return Applied::shown(Shown::only("nothing"));
    }
    let user = payload["user_id"].as_str().or(payload["user"]["id"].as_str()).unwrap_or_default().to_owned();
    let mut warnings = Vec::new();
    let content = match serde_json::from_str::<Value>(&answer.body) {
        Ok(Value::Object(content)) => content,
        _ => {
            if answer.content_type.starts_with("application/json") {
                warnings.push("the answer says it is JSON, and is no JSON object; it was shown as text".to_owned());
            }
            Map::from_iter([("text".to_owned(), json!(answer.body))])
        }
    };
    if content.get("text").is_none() && content.get("blocks").is_none() && content.get("attachments").is_none() {
        warnings.push("the answer is a message without text, blocks or attachments".to_owned());
        return Applied { shown: Some(Shown::only("nothing")), warnings };
    }
    if let Some(blocks) = content.get("blocks") {
        let problems = crate::blocks::problems(blocks, "/blocks", crate::blocks::MESSAGE_BLOCKS);
        if !problems.is_empty() {
            let text = format!("{name} failed with the error \"invalid_blocks\"");
            let why =
                format!("the answer to delivery {} has blocks Slack refuses: {}", delivery.id, problems.join("; "));
            tell(state, delivery, &channel, &text, &why);
            return Applied { shown: Some(Shown::trouble(text)), warnings: problems };
        }
    }
    let is_for_all = content.get("response_type") == Some(&json!("in_channel"));
    let app = state.app_before_or_first(&user, &channel);
    let message = messages::app_message(state, &app, &content);
    let message = messages::post(state, &channel, message, (!is_for_all).then_some(user.as_str()));
    Applied { shown: Some(Shown { message: Some(message), ..Shown::only("message") }), warnings }
}

fn dialog(answer: Result<&Answer, Failure>) -> Applied {
    match body_of(answer) {
        Err(why) => Applied::warned(Shown::trouble(TROUBLE), format!("dialog_submission was not answered: {why}")),
        Ok(answer) if answer.body.is_empty() => Applied::shown(Shown::only("closed")),
        Ok(answer) => match serde_json::from_str::<Value>(&answer.body) {
            Ok(reply) if reply["errors"].is_array() => {
                Applied::shown(Shown { errors: Some(reply["errors"].clone()), ..Shown::only("errors") })
            }
            _ => Applied::warned(Shown::trouble(TROUBLE), "dialog_submission wants an empty body or a list of errors"),
        },
    }
}
