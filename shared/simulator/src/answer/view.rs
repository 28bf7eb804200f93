//! Answers to `view_submission`: the modal closes, complains, changes, or gets a companion on top.
//! Source: <https://docs.slack.dev/surfaces/modals/>

use serde_json::Value;
use std::collections::BTreeMap;

use super::{Applied, body_of};
use crate::delivery::{Failure, Shown};
use crate::send::Answer;
use crate::state::{Notice, State};
use crate::views::{self, ViewRefusal};

/// What people read when a modal gets no proper answer.
pub(super) const TROUBLE: &str = "We had some trouble connecting. Try again?";

/// Applies the answer, and leaves in the view what the person is told.
pub(super) fn submission(state: &mut State, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let view_id = payload["view"]["id"].as_str().unwrap_or_default();
    let user = payload["user"]["id"].as_str().unwrap_or_default();
    let applied = applied(state, payload, view_id, user, answer);
    let shown = applied.shown.as_ref();
    if let Some(view) = state.views.get_mut(view_id) {
        let is_trouble = shown.is_some_and(|shown| shown.outcome == "trouble");
        view.trouble = is_trouble.then(|| TROUBLE.to_owned());
        view.errors = sentences(shown.and_then(|shown| shown.errors.as_ref()));
        // Another delivery about this view, such as a replay, does not end the person's own.
        if view.submission.as_deref() == payload["trigger_id"].as_str() {
            view.submission = None;
        }
    }
    state.notices.push(Notice::Views(user.to_owned()));
    applied
}

/// Block id → sentence.
fn sentences(errors: Option<&Value>) -> BTreeMap<String, String> {
    let errors = errors.and_then(Value::as_object).into_iter().flatten();
    errors.filter_map(|(block_id, sentence)| Some((block_id.clone(), sentence.as_str()?.to_owned()))).collect()
}

fn applied(state: &mut State, payload: &Value, view_id: &str, user: &str, answer: Result<&Answer, Failure>) -> Applied {
    let trouble = |warning: String| Applied::warned(Shown::trouble(TROUBLE), warning);
    let answer = match body_of(answer) {
        Ok(answer) => answer,
        Err(why) => return trouble(format!("view_submission was not answered: {why}")),
    };
    if answer.body.is_empty() {
        state.views.close(view_id);
        return Applied::shown(Shown::only("closed"));
    }
    let Ok(reply) = serde_json::from_str::<Value>(&answer.body) else {
        return trouble("view_submission wants an empty body or JSON with response_action".to_owned());
    };
    let (app, now) = (state.app_before_or_first(user, ""), state.now());
    match reply["response_action"].as_str() {
        Some("clear") => {
            state.views.clear(user);
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
                state.views.replace(view_id, &reply["view"], now, &app).ok_or("not_found")
            } else {
                state.views.push(user, &reply["view"], now, &app)
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
    }
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
