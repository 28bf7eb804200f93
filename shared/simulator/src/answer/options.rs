//! Answers to `block_suggestion` and `dialog_suggestion`: what a select offers from now on.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element/#external_select>

use serde_json::{Value, json};

use super::{Applied, body_of};
use crate::blocks::check_options;
use crate::delivery::{Failure, Shown};
use crate::problems::Problems;
use crate::send::Answer;
use crate::state::{Notice, State};

/// Most options, or groups, of an answer.
const OPTIONS: usize = 100;
/// What people read when there is nothing to choose from.
const NOTHING: &str = "No options could be loaded";

/// Remembers what the person may choose from now, or why it is nothing.
pub(super) fn options(state: &mut State, payload: &Value, answer: Result<&Answer, Failure>) -> Applied {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (user, action_id) = (text(&payload["user"]["id"]), text(&payload["action_id"]));
    match read(payload, answer) {
        Ok(reply) => {
            let groups = reply["option_groups"].as_array().filter(|groups| !groups.is_empty());
            let answered = groups.or(reply["options"].as_array()).cloned().unwrap_or_default();
            state.suggestions.loaded(&user, &action_id, Ok(answered));
            state.notices.push(Notice::Views(user));
            Applied::shown(Shown { options: Some(reply), ..Shown::only("options") })
        }
        Err(warnings) => {
            state.suggestions.loaded(&user, &action_id, Err(warnings.join("; ")));
            state.notices.push(Notice::Views(user));
            let shown = Shown { options: Some(json!({"options": []})), ..Shown::trouble(NOTHING) };
            Applied { shown: Some(shown), warnings }
        }
    }
}

/// The answer, if Slack shows it; else what is wrong with it.
fn read(payload: &Value, answer: Result<&Answer, Failure>) -> Result<Value, Vec<String>> {
    let answer = body_of(answer).map_err(|why| vec![format!("the options were not answered: {why}")])?;
    let reply = match serde_json::from_str::<Value>(&answer.body) {
        Ok(reply) if reply.get("options").is_some() || reply.get("option_groups").is_some() => reply,
        _ => return Err(vec!["the answer wants JSON with options or option_groups".to_owned()]),
    };
    // Options of legacy dialogs have `label` instead of `text`.
    if payload["type"] == "block_suggestion" {
        let mut problems = Problems::default();
        check_options(&reply, "", OPTIONS, &mut problems);
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
    }
    Ok(reply)
}
