//! What a person does on a page: a form becomes an act of the simulated Slack, and the browser goes back to the page it came from.

use super::Workbench;
use super::answer::{Wants, html as page, refusal, see};
use super::block_kit::{epoch_of, key, read_key};
use super::form::Fields;
use super::person::{Viewer, remember};
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use tack_simulator::{Act, Action, State};

/// `POST /act/{verb}`.
pub(super) async fn act(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    wants: Wants,
    Path(verb): Path<String>,
    fields: Fields,
) -> Response {
    if verb == "user" {
        return be(&workbench, &viewer, &fields);
    }
    let (is_other, user, action) = workbench.simulator.read(|state| {
        let user = viewer.id(state);
        let is_other = fields.get("as").is_some_and(|meant| meant != user);
        let action = action(state, &user, &verb, &fields);
        (is_other, user, action)
    });
    if is_other {
        return not_done(
            StatusCode::CONFLICT,
            wants,
            &fields,
            "Another tab of this browser has become another person.",
        );
    }
    let done = match action {
        Ok(action) => workbench.simulator.act(Act { user, action }).await.map(|_| ()).map_err(|refusal| refusal.0),
        Err(sentence) => Err(sentence),
    };
    match done {
        Ok(()) => see(fields.back()),
        Err(sentence) => not_done(StatusCode::BAD_REQUEST, wants, &fields, &sentence),
    }
}

fn not_done(status: StatusCode, wants: Wants, fields: &Fields, sentence: &str) -> Response {
    match wants {
        Wants::Html => page(
            status,
            super::frame::bare(
                "That did not work",
                maud::html! {
                    p data-testid="slack-error" role="alert" { (sentence) }
                    p { a href=(fields.back()) { "Back" } }
                },
            ),
        ),
        Wants::Json | Wants::Events => refusal(status, "refused", sentence, ""),
    }
}

/// From now on this browser is another person.
fn be(workbench: &Workbench, viewer: &Viewer, fields: &Fields) -> Response {
    let (id, is_elsewhere) = workbench.simulator.read(|state| {
        let person = state.workspace().person(&fields.text("user"));
        let is_elsewhere = person.is_some_and(|person| person.team != viewer.team(state));
        (person.map(|person| person.id.clone()), is_elsewhere)
    });
    // Another workspace has other channels.
    let back = if is_elsewhere && fields.back().starts_with("/archives/") { "/" } else { fields.back() };
    let mut response = see(back);
    if let Some(id) = id {
        remember(&mut response, &id);
    }
    response
}

/// The act that a form asks for.
fn action(state: &State, user: &str, verb: &str, fields: &Fields) -> Result<Action, String> {
    let text = |name: &str| fields.text(name);
    match verb {
        "say" => Ok(say(fields)),
        "press" => press(state, user, fields),
        // The rest have the same fields as in `POST /sim/act`.
        "home" => parsed(json!({ "act": "open_home" })),
        "shortcut" => parsed(json!({ "act": verb, "callback_id": text("callback_id") })),
        "message_shortcut" => parsed(json!({
            "act": verb, "channel": text("channel"), "ts": text("ts"), "callback_id": text("callback_id"),
        })),
        "react" | "unreact" => {
            parsed(json!({ "act": verb, "channel": text("channel"), "ts": text("ts"), "name": text("name") }))
        }
        "delete" => parsed(json!({ "act": verb, "channel": text("channel"), "ts": text("ts") })),
        "edit" => parsed(json!({ "act": verb, "channel": text("channel"), "ts": text("ts"), "text": text("text") })),
        "invite_app" | "remove_app" | "join" | "leave" => parsed(json!({ "act": verb, "channel": text("channel") })),
        "dismiss" => parsed(json!({
            "act": verb, "channel": fields.get("channel"), "ts": fields.get("ts"), "delivery_id": fields.get("delivery_id"),
        })),
        other => Err(format!("there is no act `{other}`")),
    }
}

fn parsed(act: Value) -> Result<Action, String> {
    serde_json::from_value(act).map_err(|error| error.to_string())
}

/// What begins with a slash is a command, except in threads, where Slack has none.
fn say(fields: &Fields) -> Action {
    let (channel, text) = (fields.text("channel"), fields.text("text").replace("\r\n", "\n"));
    let thread_ts = fields.get("thread_ts").map(str::to_owned);
    if thread_ts.is_none() && text.starts_with('/') {
        return Action::Command { channel, text };
    }
    Action::Say { channel, text, thread_ts }
}

/// A button of a message or view, which sends all its surface's fields along.
fn press(state: &State, user: &str, fields: &Fields) -> Result<Action, String> {
    let owned = |name: &str| fields.get(name).map(str::to_owned);
    let (channel, ts, view_id) = (owned("channel"), owned("ts"), owned("view_id"));
    if fields.get("close").is_some() {
        return Ok(Action::Close { view_id });
    }
    let blocks = blocks_of(state, user, channel.as_deref(), ts.as_deref(), view_id.as_deref());
    let values = values(&blocks, fields);
    if let Some(wanted) = fields.get("suggest") {
        let keyed = read_key(wanted).ok_or("this form names an element that cannot be read")?;
        let value = fields.text(&format!("q/{wanted}"));
        let (block_id, action_id) = (Some(keyed.block_id), keyed.action_id);
        return Ok(Action::Suggest { channel, ts, view_id, block_id, action_id, value, values });
    }
    if let Some(pressed) = fields.get("press") {
        let keyed = read_key(pressed).ok_or("this form names an element that cannot be read")?;
        let value = keyed.option.map(Value::String);
        let (block_id, action_id) = (Some(keyed.block_id), keyed.action_id);
        return Ok(Action::Click { channel, ts, view_id, block_id, action_id, value, values });
    }
    Ok(Action::Submit { view_id, values })
}

fn blocks_of(state: &State, user: &str, channel: Option<&str>, ts: Option<&str>, view_id: Option<&str>) -> Value {
    if let (Some(channel), Some(ts)) = (channel, ts) {
        let message = state.messages(channel).iter().find(|message| message.ts() == ts);
        return message.map(|message| message.blocks().into_owned()).unwrap_or_default();
    }
    let mut views = state.modals(user).into_iter().rev().chain(state.home(user));
    let view = views.find(|view| view_id.is_none_or(|id| view.id() == id));
    view.map(|view| view.body["blocks"].clone()).unwrap_or_default()
}

/// What the surface's controls hold, by the keys of their elements.
fn values(blocks: &Value, fields: &Fields) -> Map<String, Value> {
    let mut values = Map::new();
    for block in blocks.as_array().into_iter().flatten() {
        let single = [&block["element"], &block["accessory"]];
        for element in single.into_iter().chain(block["elements"].as_array().into_iter().flatten()) {
            let (Some(block_id), Some(action_id)) = (block["block_id"].as_str(), element["action_id"].as_str()) else {
                continue;
            };
            let key = key(block_id, action_id);
            let name = format!("v/{key}");
            // What this form does not have is left as it is: a button and its like hold nothing, a select without options has no control yet.
            if fields.all(&name).next().is_none() {
                continue;
            }
            let given: Vec<&str> = fields.all(&name).filter(|value| !value.is_empty()).collect();
            let value = match element["type"].as_str().unwrap_or_default() {
                "datetimepicker" => given.first().and_then(|given| epoch_of(given)).map_or(Value::Null, Value::from),
                "checkboxes" => json!(given),
                kind if kind.starts_with("multi_") => json!(given),
                _ => given.first().map_or(Value::Null, |given| json!(given)),
            };
            values.insert(key, value);
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_read_by_their_elements() {
        let blocks = json!([
            { "type": "input", "block_id": "name", "element": { "type": "plain_text_input", "action_id": "text" } },
            { "type": "actions", "block_id": "a/b", "elements": [
                { "type": "button", "action_id": "go" },
                { "type": "checkboxes", "action_id": "boxes" },
                { "type": "multi_static_select", "action_id": "many" },
                { "type": "datetimepicker", "action_id": "when" },
                { "type": "external_select", "action_id": "later" },
            ] },
        ]);
        let form = "v/name/text=&v/a%252Fb/boxes=&v/a%252Fb/many=&v/a%252Fb/many=1&v/a%252Fb/many=2&v/a%252Fb/when=2026-11-24T09:14";
        let values = values(&blocks, &Fields::parse(form.as_bytes()));
        assert_eq!(
            Value::Object(values),
            json!({ "name/text": null, "a%2Fb/boxes": [], "a%2Fb/many": ["1", "2"], "a%2Fb/when": 1_795_511_640 })
        );
    }

    #[test]
    fn a_slash_is_a_command_but_not_in_a_thread() {
        assert!(matches!(say(&Fields::parse(b"channel=C1&text=/order+3")), Action::Command { .. }));
        assert!(matches!(say(&Fields::parse(b"channel=C1&text=/order+3&thread_ts=1.2")), Action::Say { .. }));
        assert!(matches!(say(&Fields::parse(b"channel=C1&text=hi")), Action::Say { .. }));
    }
}
