//! Interactive elements: where they are in blocks, and what each type's value looks like in `state.values` and `actions`.
//! Whether blocks are allowed is `blocks`' matter. Sources: <https://docs.slack.dev/reference/block-kit/block-elements/>

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Values by (block id, action id).
pub(crate) type Values = BTreeMap<(String, String), Value>;

/// An interactive element and where it is.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) block: &'a Value,
    pub(crate) element: &'a Value,
}

impl Placed<'_> {
    pub(crate) fn block_id(&self) -> String {
        text(self.block, "block_id")
    }

    pub(crate) fn action_id(&self) -> String {
        text(self.element, "action_id")
    }

    pub(crate) fn kind(&self) -> String {
        text(self.element, "type")
    }

    pub(crate) fn key(&self) -> (String, String) {
        (self.block_id(), self.action_id())
    }

    pub(crate) fn is_required(&self) -> bool {
        self.block["type"] == "input" && self.block["optional"] != json!(true)
    }
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

/// Every interactive element in `blocks`, in order.
pub(crate) fn placed(blocks: &Value) -> Vec<Placed<'_>> {
    let mut found = Vec::new();
    for block in blocks.as_array().into_iter().flatten() {
        collect(block, block, &mut found);
    }
    found
}

fn collect<'a>(block: &'a Value, value: &'a Value, found: &mut Vec<Placed<'a>>) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("action_id") && fields.contains_key("type") {
                found.push(Placed { block, element: value });
                return;
            }
            // A container's blocks have ids of their own.
            let block = if fields.contains_key("block_id") { value } else { block };
            for value in fields.values() {
                collect(block, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|value| collect(block, value, found)),
        _ => {}
    }
}

/// The element that `name` means: `block_id/action_id` with both parts percent-encoded, else a block id, else an action id.
pub(crate) fn named<'a, 'b>(all: &'b [Placed<'a>], name: &str) -> Option<&'b Placed<'a>> {
    let key = name.split_once('/').map(|(block, action)| (percent_decoded(block), percent_decoded(action)));
    all.iter()
        .find(|placed| key.as_ref().is_some_and(|key| *key == placed.key()))
        .or_else(|| all.iter().find(|placed| placed.block_id() == name || placed.action_id() == name))
}

/// `text` with every `%2F` and the like decoded; what is no such triple stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        match digits.as_deref() {
            Some([byte]) => {
                bytes.push(*byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The field that holds the value, and the one that holds the value at the start. None if the type keeps no value.
pub(crate) fn value_fields(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => ("value", "initial_value"),
        "static_select" | "external_select" | "radio_buttons" => ("selected_option", "initial_option"),
        "multi_static_select" | "multi_external_select" | "checkboxes" => ("selected_options", "initial_options"),
        "users_select" => ("selected_user", "initial_user"),
        "multi_users_select" => ("selected_users", "initial_users"),
        "conversations_select" => ("selected_conversation", "initial_conversation"),
        "multi_conversations_select" => ("selected_conversations", "initial_conversations"),
        "channels_select" => ("selected_channel", "initial_channel"),
        "multi_channels_select" => ("selected_channels", "initial_channels"),
        "datepicker" => ("selected_date", "initial_date"),
        "timepicker" => ("selected_time", "initial_time"),
        "datetimepicker" => ("selected_date_time", "initial_date_time"),
        "rich_text_input" => ("rich_text_value", "initial_value"),
        "file_input" => ("files", "initial_files"),
        _ => return None,
    })
}

/// `state.values` of a surface: what was chosen, else what it started with, else null (an empty list for many).
pub(crate) fn state_values(blocks: &Value, chosen: &Values) -> Value {
    let mut values = Map::new();
    for placed in placed(blocks) {
        let Some((field, initial)) = value_fields(&placed.kind()) else {
            continue;
        };
        let value = chosen.get(&placed.key()).cloned().unwrap_or_else(|| {
            placed.element.get(initial).cloned().unwrap_or(if field.ends_with('s') { json!([]) } else { Value::Null })
        });
        let block = values.entry(placed.block_id()).or_insert_with(|| json!({}));
        block[placed.action_id()] = json!({"type": placed.kind(), field: value});
    }
    Value::Object(values)
}

/// The value a person gave, in the element's own shape: options are looked up in the element, then in `suggested`.
///
/// # Errors
/// A sentence when the element cannot take `given`.
pub(crate) fn chosen_value(element: &Value, given: &Value, suggested: &[Value]) -> Result<Value, String> {
    let kind = text(element, "type");
    let Some((field, _)) = value_fields(&kind) else {
        return Ok(given.clone());
    };
    let one = |given: &Value| -> Result<Value, String> {
        if field.starts_with("selected_option") {
            return option(element, given, suggested);
        }
        match given {
            Value::String(text) if field == "selected_date_time" => text
                .parse::<u64>()
                .map(Value::from)
                .map_err(|_| format!("{kind} takes seconds since the Unix epoch, unlike {given}")),
            Value::Number(number) if field == "value" => Ok(Value::String(number.to_string())),
            Value::String(_) => Ok(given.clone()),
            Value::Number(_) if field == "selected_date_time" => Ok(given.clone()),
            Value::Object(_) if field == "rich_text_value" || field == "files" => Ok(given.clone()),
            other => Err(format!("{kind} cannot take {other}")),
        }
    };
    match (given, field) {
        (Value::Null, field) => Ok(if field.ends_with('s') { json!([]) } else { Value::Null }),
        // A text field or a date that was emptied holds nothing.
        (Value::String(words), field) if words.is_empty() && !field.starts_with("selected_option") => {
            Ok(if field.ends_with('s') { json!([]) } else { Value::Null })
        }
        (Value::String(words), "rich_text_value") => Ok(rich_text(words)),
        (Value::Array(many), field) if field.ends_with('s') => many.iter().map(one).collect(),
        (single, field) if field.ends_with('s') => Ok(json!([one(single)?])),
        (single, _) => one(single),
    }
}

fn rich_text(words: &str) -> Value {
    json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": words}]}]})
}

/// The option of `element` (or one that was suggested) whose value or text is `given`.
pub(crate) fn option(element: &Value, given: &Value, suggested: &[Value]) -> Result<Value, String> {
    let grouped = element["option_groups"].as_array().into_iter().flatten();
    let grouped = grouped.flat_map(|group| group["options"].as_array().into_iter().flatten());
    let own = element["options"].as_array().into_iter().flatten().chain(grouped);
    own.chain(suggested)
        .find(|option| option["value"] == *given || option["text"]["text"] == *given || *option == given)
        .cloned()
        .ok_or_else(|| {
            let hint = if text(element, "type").contains("external") { " (ask for suggestions first)" } else { "" };
            format!("{} has no option {given}{hint}", text(element, "action_id"))
        })
}

/// What a client sends in `actions` for a press of `element`: the element's own fields a reader needs, and the new value.
///
/// # Errors
/// A sentence when the element cannot take `given`.
pub(crate) fn action(
    placed: Placed<'_>,
    given: Option<&Value>,
    suggested: &[Value],
    ts: &str,
) -> Result<Value, String> {
    let (element, kind) = (placed.element, placed.kind());
    let mut action = json!({
        "type": kind, "action_id": placed.action_id(), "block_id": placed.block_id(), "action_ts": ts,
    });
    match kind.as_str() {
        "button" | "icon_button" | "workflow_button" => {
            for field in ["text", "value", "style", "url"] {
                if let Some(value) = element.get(field) {
                    action[field] = value.clone();
                }
            }
        }
        "overflow" => action["selected_option"] = option(element, given.unwrap_or(&Value::Null), suggested)?,
        "feedback_buttons" => {
            let side = if given == Some(&json!("negative")) { "negative_button" } else { "positive_button" };
            action["value"] = element[side]["value"].clone();
            action["text"] = element[side]["text"].clone();
        }
        _ => {
            let Some((field, initial)) = value_fields(&kind) else {
                return Err(format!("{kind} cannot be pressed"));
            };
            action[field] = chosen_value(element, given.unwrap_or(&Value::Null), suggested)?;
            for field in [initial, "placeholder"] {
                if let Some(value) = element.get(field) {
                    action[field] = value.clone();
                }
            }
        }
    }
    Ok(action)
}

/// Why a client would not submit a value that is there.
fn misfit(element: &Value, value: &Value) -> Option<String> {
    let most = |length: usize, field: &str| element[field].as_u64().filter(|most| length as u64 > *most);
    let Some(words) = value.as_str() else {
        let chosen = value.as_array().map_or(0, Vec::len);
        return most(chosen, "max_selected_items").map(|most| format!("at most {most} can be chosen"));
    };
    let length = words.chars().count();
    if let Some(least) = element["min_length"].as_u64().filter(|least| (length as u64) < *least) {
        return Some(format!("at least {least} characters are needed"));
    }
    if let Some(most) = most(length, "max_length") {
        return Some(format!("at most {most} characters fit"));
    }
    match element["type"].as_str() {
        Some("number_input") => misfit_number(element, words),
        Some("email_text_input") => {
            let is_mail = words.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
            (!is_mail).then(|| "this is no e-mail address".to_owned())
        }
        Some("url_text_input") => {
            let rest = words.strip_prefix("https://").or_else(|| words.strip_prefix("http://"));
            rest.is_none_or(str::is_empty).then(|| "this is no web address".to_owned())
        }
        _ => None,
    }
}

fn misfit_number(element: &Value, words: &str) -> Option<String> {
    let Some(number) = words.parse::<f64>().ok().filter(|number| number.is_finite()) else {
        return Some("this is no number".to_owned());
    };
    let limit = |field: &str| element[field].as_str().and_then(|limit| limit.parse::<f64>().ok());
    if element["is_decimal_allowed"] != json!(true) && number.fract() != 0.0 {
        Some("this is no whole number".to_owned())
    } else if let Some(least) = limit("min_value").filter(|least| number < *least) {
        Some(format!("this is less than {least}"))
    } else {
        limit("max_value").filter(|most| number > *most).map(|most| format!("this is more than {most}"))
    }
}

/// Block id → sentence for every input a client would refuse to submit.
pub(crate) fn unfilled(blocks: &Value, values: &Value) -> BTreeMap<String, String> {
    let mut errors = BTreeMap::new();
    for placed in placed(blocks) {
        let Some((field, _)) = value_fields(&placed.kind()) else {
            continue;
        };
        let value = &values[placed.block_id()][placed.action_id()][field];
        let is_empty = match value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        let problem = if is_empty {
            placed.is_required().then(|| "this field is required".to_owned())
        } else {
            misfit(placed.element, value)
        };
        if let Some(problem) = problem {
            errors.insert(placed.block_id(), problem);
        }
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::published;

    #[test]
    fn every_inputs_published_state_is_rebuilt_from_what_a_person_gives() {
        let payload = published("interactive/view_submission-every-input.json");
        let (blocks, published) = (&payload["view"]["blocks"], &payload["view"]["state"]["values"]);
        let given = [
            ("name", json!("Ada Lovelace")),
            ("count", json!(12)),
            ("mail", json!("ada@example.com")),
            ("link", json!("https://example.com/menu")),
            ("size", json!("l")),
            ("tops", json!(["nuts", "Cream"])),
            ("city", json!("zrh")),
            ("cities", json!(["osl"])),
            ("who", json!("U0GRACE01")),
            ("crew", json!(["U0GRACE01", "U0LINUS01"])),
            ("conv", json!("C0PLAY001")),
            ("chan", json!("C0GENERAL")),
            ("day", json!("2026-12-01")),
            ("time", json!("17:30")),
            ("at", json!(1_796_147_400)),
            ("extras", json!("gift")),
            ("speed", json!("fast")),
            ("story", published["text_b"]["story"]["rich_text_value"].clone()),
        ];
        let suggested = [
            json!({"text": {"type": "plain_text", "text": "Zürich", "emoji": true}, "value": "zrh"}),
            json!({"text": {"type": "plain_text", "text": "Oslo", "emoji": true}, "value": "osl"}),
        ];
        let mut chosen = Values::new();
        for placed in placed(blocks) {
            if let Some((_, value)) = given.iter().find(|(action_id, _)| placed.action_id() == *action_id) {
                chosen.insert(placed.key(), chosen_value(placed.element, value, &suggested).unwrap());
            }
        }
        assert_eq!(&state_values(blocks, &chosen), published);
        assert!(unfilled(blocks, published).is_empty());
    }

    #[test]
    fn an_option_nobody_offered_cannot_be_chosen() {
        let element = json!({"type": "external_select", "action_id": "city"});
        let refused = chosen_value(&element, &json!("zrh"), &[]).unwrap_err();
        assert!(refused.contains("ask for suggestions first"), "{refused}");
    }

    #[test]
    fn required_and_overlong_inputs_are_found() {
        let blocks = json!([
            {"type": "input", "block_id": "a", "element": {"type": "plain_text_input", "action_id": "x"}},
            {"type": "input", "block_id": "b", "optional": true, "element": {"type": "plain_text_input", "action_id": "x"}},
            {"type": "input", "block_id": "c", "element": {"type": "plain_text_input", "action_id": "x", "max_length": 2}},
        ]);
        let chosen = Values::from([(("c".to_owned(), "x".to_owned()), json!("abc"))]);
        let errors = unfilled(&blocks, &state_values(&blocks, &chosen));
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn what_does_not_fit_its_element_is_not_sent() {
        let check = |element: Value, value: Value, word: Option<&str>| {
            let found = misfit(&element, &value);
            assert_eq!(found.is_some(), word.is_some(), "{element} {value} {found:?}");
            assert!(found.unwrap_or_default().contains(word.unwrap_or_default()), "{element} {value}");
        };
        let whole = json!({"type": "number_input", "is_decimal_allowed": false, "min_value": "2", "max_value": "9"});
        check(whole.clone(), json!("5"), None);
        check(whole.clone(), json!("1"), Some("less than 2"));
        check(whole.clone(), json!("10"), Some("more than 9"));
        check(whole.clone(), json!("2.5"), Some("whole"));
        check(whole, json!("two"), Some("no number"));
        check(json!({"type": "number_input", "is_decimal_allowed": true}), json!("-2.5"), None);
        check(json!({"type": "email_text_input"}), json!("ada@example.com"), None);
        check(json!({"type": "email_text_input"}), json!("ada"), Some("e-mail"));
        check(json!({"type": "url_text_input"}), json!("https://example.com/menu"), None);
        check(json!({"type": "url_text_input"}), json!("javascript:alert(1)"), Some("web address"));
        let two = json!({"type": "multi_static_select", "max_selected_items": 2});
        check(two.clone(), json!([1, 2]), None);
        check(two, json!([1, 2, 3]), Some("at most 2"));
    }

    #[test]
    fn a_button_sends_its_text_and_value() {
        let payload = published("interactive/block_actions-message.json");
        let elements = placed(&payload["message"]["blocks"]);
        let sent = action(elements[0], None, &[], "1795511800.010000").unwrap();
        assert_eq!(sent, payload["actions"][0]);
    }
}
