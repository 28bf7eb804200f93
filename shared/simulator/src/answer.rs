//! What the app's answer means to the person who caused the request: a message, a modal that closes or complains, options, trouble.
//! Invariant: only what Slack would apply is applied; what it would frown at is a warning of the delivery.
//! Sources: <https://docs.slack.dev/surfaces/modals/>, <https://docs.slack.dev/interactivity/handling-user-interaction/>

use serde_json::{Map, Value, json};

use crate::blocks::check_options;
use crate::delivery::{Delivery, Failure, Kind, Shown};
use crate::messages;
use crate::problems::Problems;
use crate::send::Answer;
use crate::state::{Notice, State};
use crate::views::{self, ViewRefusal};

/// What people read when a modal gets no proper answer.
const TROUBLE: &str = "We had some trouble connecting. Try again?";
/// Most options, or groups, of an answer.
const OPTIONS: usize = 100;

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
        (Kind::Command, _) => command(state, &payload, answer),
        (_, "view_submission") => submission(state, &payload, answer),
        (_, "block_suggestion" | "dialog_suggestion") => options(state, &payload, answer),
        (_, "dialog_submission") => dialog(answer),
        (_, "interactive_message") => command(state, &payload, answer),
        (_, kind) => wants_nothing(kind, answer),
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

fn wants_nothing(kind: &str, answer: Result<&Answer, Failure>) -> Applied {
    match body_of(answer) {
        Err(why) => Applied::shown(Shown::trouble(format!("this app didn't respond: {why}"))),
        Ok(answer) if answer.body.is_empty() => Applied::shown(Shown::only("nothing")),
        Ok(answer) => Applied::warned(
            Shown::only("nothing"),
            format!("{kind} wants an empty body; {} bytes were ignored", answer.body.len()),
        ),
    }
}

fn command(state: &mut State, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let name = payload["command"].as_str().or(payload["type"].as_str()).unwrap_or_default();
    let failed = |why: &str| Applied::shown(Shown::trouble(format!("{name} failed with the error \"{why}\"")));
    let answer = match answer {
        Err(Failure::HttpTimeout) => return failed("operation_timeout"),
        Err(_) => return failed("dispatch_failed"),
        Ok(answer) if answer.is_success() => answer,
        Ok(answer) if answer.status < 500 => return failed("http_client_error"),
        Ok(_) => return failed("http_service_error"),
    };
    if answer.body.is_empty() {
        return Applied::shown(Shown::only("nothing"));
    }
    let channel = payload["channel_id"].as_str().or(payload["channel"]["id"].as_str()).unwrap_or_default().to_owned();
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
            return Applied { shown: Some(Shown::trouble(text)), warnings: problems };
        }
    }
    let is_for_all = content.get("response_type") == Some(&json!("in_channel"));
    let message = messages::app_message(state, &content);
    messages::post(state, &channel, &message, (!is_for_all).then_some(user.as_str()));
    Applied { shown: Some(Shown { message: Some(message), ..Shown::only("message") }), warnings }
}

fn submission(state: &mut State, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let trouble = |warning: String| Applied::warned(Shown::trouble(TROUBLE), warning);
    let answer = match body_of(answer) {
        Ok(answer) => answer,
        Err(why) => return trouble(format!("view_submission was not answered: {why}")),
    };
    let view_id = payload["view"]["id"].as_str().unwrap_or_default().to_owned();
    let user = payload["user"]["id"].as_str().unwrap_or_default().to_owned();
    let config = state.config.clone();
    let now = state.now();
    if answer.body.is_empty() {
        state.views.close(&view_id);
        state.notices.push(Notice::Views(user));
        return Applied::shown(Shown::only("closed"));
    }
    let Ok(reply) = serde_json::from_str::<Value>(&answer.body) else {
        return trouble("view_submission wants an empty body or JSON with response_action".to_owned());
    };
    let mut applied = match reply["response_action"].as_str() {
        Some("clear") => {
            state.views.clear(&user);
            Applied::shown(Shown::only("cleared"))
        }
        Some("errors") => match errors(&payload["view"], &reply["errors"]) {
            Ok(()) => Applied::shown(Shown { errors: Some(reply["errors"].clone()), ..Shown::only("errors") }),
            Err(warning) => trouble(warning),
        },
        Some(action @ ("update" | "push")) => {
            if let Err(refusal) = views::check(&reply["view"], &["modal"]) {
                let problems = match refusal {
                    ViewRefusal::Invalid(problems) => problems,
                    ViewRefusal::Named(name) => vec![name.to_owned()],
                };
                return Applied { shown: Some(Shown::trouble(TROUBLE)), warnings: problems };
            }
            let changed = if action == "update" {
                state.views.replace(&view_id, &reply["view"], now, &config).ok_or("not_found")
            } else {
                state.views.push(&user, &reply["view"], now, &config)
            };
            match changed {
                Ok(view) => {
                    let outcome = if action == "update" { "updated" } else { "pushed" };
                    Applied::shown(Shown { view: Some(view), ..Shown::only(outcome) })
                }
                Err(name) => trouble(format!("response_action {action}: {name}")),
            }
        }
        other => trouble(format!("response_action is {other:?} instead of errors, update, push or clear")),
    };
    if applied.shown.as_ref().is_some_and(|shown| shown.outcome != "trouble") {
        state.notices.push(Notice::Views(user));
    } else if let Some(shown) = &mut applied.shown {
        shown.text.get_or_insert_with(|| TROUBLE.to_owned());
    }
    applied
}

/// `errors` must name input blocks of the view.
fn errors(view: &Value, errors: &Value) -> Result<(), String> {
    let Some(errors) = errors.as_object().filter(|errors| !errors.is_empty()) else {
        return Err("response_action errors: errors is no object with a block_id".to_owned());
    };
    let inputs: Vec<&str> = view["blocks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|block| block["type"] == "input")
        .filter_map(|block| block["block_id"].as_str())
        .collect();
    for (block_id, sentence) in errors {
        if !inputs.contains(&block_id.as_str()) {
            let known = inputs.join(", ");
            return Err(format!(
                "response_action errors: no input block has the block_id `{block_id}` (there are: {known})"
            ));
        }
        if !sentence.is_string() {
            return Err(format!("response_action errors: the error of `{block_id}` is no text"));
        }
    }
    Ok(())
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

fn options(state: &mut State, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let nothing = |warnings| {
        let shown = Shown { options: Some(json!({"options": []})), ..Shown::trouble("No options could be loaded") };
        Applied { shown: Some(shown), warnings }
    };
    let answer = match body_of(answer) {
        Ok(answer) => answer,
        Err(why) => return nothing(vec![format!("the options were not answered: {why}")]),
    };
    let reply = match serde_json::from_str::<Value>(&answer.body) {
        Ok(reply) if reply.get("options").is_some() || reply.get("option_groups").is_some() => reply,
        _ => {
            return nothing(vec!["the answer wants JSON with options or option_groups".to_owned()]);
        }
    };
    // Options of legacy dialogs have `label` instead of `text`.
    if payload["type"] == "block_suggestion" {
        let mut problems = Problems::default();
        check_options(&reply, "", OPTIONS, &mut problems);
        if !problems.0.is_empty() {
            return nothing(problems.0);
        }
    }
    let groups = reply["option_groups"].as_array().into_iter().flatten();
    let grouped = groups.flat_map(|group| group["options"].as_array().into_iter().flatten());
    let all: Vec<Value> = reply["options"].as_array().into_iter().flatten().chain(grouped).cloned().collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    state.suggested.insert((text(&payload["user"]["id"]), text(&payload["action_id"])), all);
    Applied::shown(Shown { options: Some(reply), ..Shown::only("options") })
}
