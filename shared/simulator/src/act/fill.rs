//! Filling in, pressing and submitting: what a person gave becomes the state of a surface and, where Slack tells the app, a payload.
//! Nothing is sent here. Invariant: what an element cannot take changes nothing.

use serde_json::{Map, Value, json};

use super::cause::{Caused, idle_view_of};
use super::payload::{self, Surface};
use crate::delivery::Shown;
use crate::elements::{self, Placed, Values};
use crate::prepare::DeliveryRequest;
use crate::simulator::Refusal;
use crate::state::{Notice, State};

/// The element with this action id, in the block with this id if one is given.
pub(super) fn find<'a>(blocks: &'a Value, block_id: Option<&str>, action_id: &str) -> Result<Placed<'a>, Refusal> {
    let all = elements::placed(blocks);
    let known = names(&all);
    all.into_iter()
        .find(|placed| placed.action_id() == action_id && block_id.is_none_or(|id| placed.block_id() == id))
        .ok_or_else(|| {
            let place = block_id.map(|id| format!(" in the block {id}")).unwrap_or_default();
            Refusal(format!("there is no element {action_id}{place} (there are: {known})"))
        })
}

fn names(all: &[Placed<'_>]) -> String {
    all.iter().map(Placed::action_id).collect::<Vec<_>>().join(", ")
}

/// What may be chosen in an element besides its own options: what was suggested, and what it holds already.
fn offered(state: &State, user: &str, placed: &Placed<'_>, chosen: &Values) -> Vec<Value> {
    let mut offered = state.suggestions.options(user, &placed.action_id());
    let held = [chosen.get(&placed.key()), placed.element.get("initial_option"), placed.element.get("initial_options")];
    for held in held.into_iter().flatten() {
        match held {
            Value::Array(many) => offered.extend(many.iter().cloned()),
            one => offered.push(one.clone()),
        }
    }
    offered
}

/// What `surface` holds once `values` are filled in: a block id, an action id, or both as `block_id/action_id` → what is given.
pub(super) fn filled(
    state: &State,
    user: &str,
    surface: &Surface,
    values: &Map<String, Value>,
) -> Result<Values, Refusal> {
    let mut chosen = surface.chosen(state, user);
    let blocks = surface.blocks(state);
    let all = elements::placed(&blocks);
    for (name, given) in values {
        let placed = elements::named(&all, name)
            .ok_or_else(|| Refusal(format!("there is no input {name} (there are: {})", names(&all))))?;
        if elements::value_fields(&placed.kind()).is_none() {
            return Err(Refusal(format!("{name} is a {} and holds no value", placed.kind())));
        }
        let offered = offered(state, user, placed, &chosen);
        chosen.insert(placed.key(), elements::chosen_value(placed.element, given, &offered).map_err(Refusal)?);
    }
    Ok(chosen)
}

/// A press, or a choice, in an element.
pub(super) struct Press<'a> {
    pub(super) block_id: Option<&'a str>,
    pub(super) action_id: &'a str,
    pub(super) value: Option<&'a Value>,
    pub(super) values: &'a Map<String, Value>,
}

pub(super) fn click(state: &mut State, user: &str, surface: &Surface, press: &Press<'_>) -> Result<Caused, Refusal> {
    let mut chosen = filled(state, user, surface, press.values)?;
    let blocks = surface.blocks(state);
    let placed = find(&blocks, press.block_id, press.action_id)?;
    let held = elements::value_fields(&placed.kind());
    // Without a value of its own, it is what was just filled in.
    let given = press.value.cloned().or_else(|| {
        let is_filled = press.values.keys().any(|name| elements::named(std::slice::from_ref(&placed), name).is_some());
        held.filter(|_| is_filled).and_then(|_| chosen.get(&placed.key()).cloned())
    });
    let offered = offered(state, user, &placed, &chosen);
    let ts = state.next_ts();
    let action = elements::action(placed, given.as_ref(), &offered, &ts).map_err(Refusal)?;
    if let Some((field, _)) = held {
        chosen.insert(placed.key(), action[field].clone());
    }
    surface.choose(state, user, chosen);
    // An element of an input block tells the app only when it is asked to.
    if placed.block["type"] == "input" && placed.block["dispatch_action"] != json!(true) {
        return Ok(Caused::Requests(Vec::new()));
    }
    let payload = payload::block_actions(state, user, surface, &action)?;
    Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
}

pub(super) fn submit(
    state: &mut State,
    user: &str,
    view_id: Option<&str>,
    values: &Map<String, Value>,
) -> Result<Caused, Refusal> {
    let id = idle_view_of(state, user, view_id)?;
    let surface = Surface::View(id.clone());
    let chosen = filled(state, user, &surface, values)?;
    let blocks = surface.blocks(state);
    let unfilled = elements::unfilled(&blocks, &elements::state_values(&blocks, &chosen));
    surface.choose(state, user, chosen);
    if let Some(view) = state.views.get_mut(&id) {
        view.clear_problems();
        view.errors = unfilled.clone();
    }
    state.notices.push(Notice::Views(user.to_owned()));
    if !unfilled.is_empty() {
        return Ok(Caused::NotSent(Shown { errors: Some(json!(unfilled)), ..Shown::only("not_sent") }));
    }
    let payload = payload::submission(state, user, &id)?;
    if let Some(view) = state.views.get_mut(&id) {
        view.submission = payload["trigger_id"].as_str().map(str::to_owned);
    }
    Ok(Caused::Requests(vec![DeliveryRequest::interactive(payload)]))
}
