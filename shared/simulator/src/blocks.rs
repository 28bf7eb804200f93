//! What Slack refuses in blocks, and the ids it gives to blocks and elements that have none.
//! Views as a whole are `views`' matter. Invariant: every problem names its place as `[json-pointer:…]`, as Slack does.
//! Sources: <https://docs.slack.dev/reference/block-kit/blocks/>, <https://docs.slack.dev/reference/block-kit/block-elements/>

use serde_json::{Value, json};
use std::collections::HashSet;

use crate::mint;
use crate::problems::{ANY, ANY_OPTIONAL, PLAIN, PLAIN_OPTIONAL, Problems};

/// Most blocks of a message.
pub(crate) const MESSAGE_BLOCKS: usize = 50;
/// Most blocks of a modal or Home tab.
pub(crate) const VIEW_BLOCKS: usize = 100;
/// Characters of all block texts of a message together; beyond it Slack answers `msg_blocks_too_long` (observed, undocumented).
pub(crate) const MESSAGE_TEXT: usize = 13_200;

/// Block types Slack documents.
const TYPES: &[&str] = &[
    "actions",
    "alert",
    "call",
    "card",
    "carousel",
    "container",
    "context",
    "context_actions",
    "data_table",
    "data_visualization",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "share_shortcut",
    "table",
    "task_card",
    "video",
];

/// Everything wrong with `blocks`, at `pointer`.
pub(crate) fn problems(blocks: &Value, pointer: &str, most: usize) -> Vec<String> {
    let mut problems = Problems::default();
    let Some(list) = blocks.as_array() else {
        problems.add(pointer, "must be an array");
        return problems.0;
    };
    if list.len() > most {
        problems.add(pointer, format!("no more than {most} items allowed"));
    }
    let mut ids = HashSet::new();
    for (at, block) in list.iter().enumerate() {
        let pointer = format!("{pointer}/{at}");
        if let Some(id) = block["block_id"].as_str()
            && !ids.insert(id)
        {
            problems.add(&format!("{pointer}/block_id"), format!("block_id `{id}` must be unique"));
        }
        check_block(block, &pointer, &mut problems);
    }
    problems.0
}

fn check_block(block: &Value, pointer: &str, problems: &mut Problems) {
    let Some(kind) = block["type"].as_str() else {
        problems.add(&format!("{pointer}/type"), "missing required field: type");
        return;
    };
    if !TYPES.contains(&kind) {
        problems.add(&format!("{pointer}/type"), format!("unsupported type: {kind}"));
        return;
    }
    problems.string(block, "block_id", pointer, 255);
    match kind {
        "section" => {
            problems.text(block, "text", pointer, 3_000, ANY_OPTIONAL);
            let fields = problems.list(block, "fields", pointer, (1, 10), false);
            for (at, field) in fields.iter().enumerate() {
                problems.text_object(field, &format!("{pointer}/fields/{at}"), 2_000, false);
            }
            if block["text"].is_null() && fields.is_empty() {
                problems.add(pointer, "missing required field: text or fields");
            }
            if let Some(accessory) = block.get("accessory") {
                check_element(accessory, &format!("{pointer}/accessory"), problems);
            }
        }
        "header" => problems.text(block, "text", pointer, 150, PLAIN),
        "image" => check_image(block, pointer, problems),
        "context" => {
            for (at, element) in problems.list(block, "elements", pointer, (1, 10), true).iter().enumerate() {
                let pointer = format!("{pointer}/elements/{at}");
                match element["type"].as_str() {
                    Some("image") => check_image(element, &pointer, problems),
                    Some("plain_text" | "mrkdwn") => {}
                    _ => problems.add(&pointer, "must be an image or a text"),
                }
            }
        }
        "actions" => check_elements(block, pointer, 25, problems),
        "context_actions" => check_elements(block, pointer, 5, problems),
        "input" => {
            problems.text(block, "label", pointer, 2_000, PLAIN);
            problems.text(block, "hint", pointer, 2_000, PLAIN_OPTIONAL);
            match block.get("element") {
                Some(element) => check_element(element, &format!("{pointer}/element"), problems),
                None => problems.add(&format!("{pointer}/element"), "missing required field: element"),
            }
        }
        "markdown" => {
            if !block["text"].is_string() {
                problems.add(&format!("{pointer}/text"), "missing required field: text");
            }
            problems.string(block, "text", pointer, 12_000);
        }
        "rich_text" => {
            problems.list(block, "elements", pointer, (0, usize::MAX), true);
        }
        // Newer blocks pass as they are: their limits still move.
        _ => {}
    }
}

fn check_image(image: &Value, pointer: &str, problems: &mut Problems) {
    if image["image_url"].is_null() && image["slack_file"].is_null() {
        problems.add(pointer, "missing required field: image_url or slack_file");
    }
    if image["alt_text"].is_null() {
        problems.add(&format!("{pointer}/alt_text"), "missing required field: alt_text");
    }
    problems.string(image, "image_url", pointer, 3_000);
    problems.string(image, "alt_text", pointer, 2_000);
}

fn check_elements(block: &Value, pointer: &str, most: usize, problems: &mut Problems) {
    let mut ids = HashSet::new();
    for (at, element) in problems.list(block, "elements", pointer, (1, most), true).iter().enumerate() {
        let pointer = format!("{pointer}/elements/{at}");
        if let Some(id) = element["action_id"].as_str()
            && !ids.insert(id)
        {
            problems.add(&format!("{pointer}/action_id"), format!("action_id `{id}` already exists in this block"));
        }
        check_element(element, &pointer, problems);
    }
}

fn check_element(element: &Value, pointer: &str, problems: &mut Problems) {
    let Some(kind) = element["type"].as_str() else {
        problems.add(&format!("{pointer}/type"), "missing required field: type");
        return;
    };
    problems.string(element, "action_id", pointer, 255);
    problems.text(element, "placeholder", pointer, 150, PLAIN_OPTIONAL);
    match kind {
        "button" => {
            problems.text(element, "text", pointer, 75, PLAIN);
            problems.string(element, "value", pointer, 2_000);
            problems.string(element, "url", pointer, 3_000);
            if let Some(style) = element["style"].as_str()
                && !["primary", "danger"].contains(&style)
            {
                problems.add(&format!("{pointer}/style"), "must be primary or danger");
            }
        }
        "static_select" | "multi_static_select" => {
            if element["options"].is_null() && element["option_groups"].is_null() {
                problems.add(pointer, "missing required field: options or option_groups");
            }
            check_options(element, pointer, 100, problems);
        }
        "overflow" => check_options(element, pointer, 5, problems),
        "checkboxes" | "radio_buttons" => check_options(element, pointer, 10, problems),
        "image" => check_image(element, pointer, problems),
        "number_input" if !element["is_decimal_allowed"].is_boolean() => {
            problems.add(&format!("{pointer}/is_decimal_allowed"), "missing required field: is_decimal_allowed");
        }
        _ => {}
    }
}

/// Problems of `options` and `option_groups`, in an element or in the answer to a `block_suggestion`.
pub(crate) fn check_options(holder: &Value, pointer: &str, most: usize, problems: &mut Problems) {
    let groups = problems.list(holder, "option_groups", pointer, (1, 100), false);
    for (at, group) in groups.iter().enumerate() {
        let pointer = format!("{pointer}/option_groups/{at}");
        problems.text(group, "label", &pointer, 75, PLAIN);
        check_option_list(group, &pointer, most, problems);
    }
    if holder.get("options").is_some() || groups.is_empty() {
        check_option_list(holder, pointer, most, problems);
    }
}

fn check_option_list(holder: &Value, pointer: &str, most: usize, problems: &mut Problems) {
    for (at, option) in problems.list(holder, "options", pointer, (0, most), true).iter().enumerate() {
        let pointer = format!("{pointer}/options/{at}");
        problems.text(option, "text", &pointer, 75, ANY);
        if !option["value"].is_string() && !option["url"].is_string() {
            problems.add(&format!("{pointer}/value"), "missing required field: value");
        }
        problems.string(option, "value", &pointer, 150);
    }
}

/// Characters of all texts in `blocks`.
pub(crate) fn text_length(blocks: &Value) -> usize {
    match blocks {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => text.chars().count(),
                other => text_length(other),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_length).sum(),
        _ => 0,
    }
}

/// Gives every block a `block_id` and every interactive element an `action_id`, as Slack does.
pub(crate) fn fill_ids(blocks: &mut Value) {
    for block in blocks.as_array_mut().into_iter().flatten() {
        let is_block = block.is_object();
        if is_block && block["block_id"].as_str().is_none_or(str::is_empty) {
            block["block_id"] = json!(mint::block_kit_id());
        }
        for field in ["accessory", "element"] {
            if let Some(element) = block.get_mut(field) {
                fill_action_id(element);
            }
        }
        if matches!(block["type"].as_str(), Some("actions" | "context_actions")) {
            block["elements"].as_array_mut().into_iter().flatten().for_each(fill_action_id);
        }
    }
}

fn fill_action_id(element: &mut Value) {
    let is_interactive = element.is_object() && element["type"] != "image";
    if is_interactive && element["action_id"].as_str().is_none_or(str::is_empty) {
        element["action_id"] = json!(mint::block_kit_id());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(blocks: Value, expected: &[&str]) {
        assert_eq!(problems(&blocks, "/blocks", MESSAGE_BLOCKS), expected);
    }

    #[test]
    fn blocks_slack_publishes_are_allowed() {
        for sample in crate::published::SAMPLES.iter().filter(|sample| sample.name.ends_with(".json")) {
            let body = crate::published::published(sample.name);
            for pointer in ["/event/blocks", "/message/blocks", "/view/blocks"] {
                if let Some(blocks) = body.pointer(pointer) {
                    assert_eq!(problems(blocks, "/blocks", VIEW_BLOCKS), Vec::<String>::new(), "{}", sample.name);
                }
            }
        }
    }

    #[test]
    fn a_section_needs_something_to_say() {
        check(
            json!([{"type": "section"}]),
            &["[ERROR] missing required field: text or fields [json-pointer:/blocks/0]"],
        );
        check(
            json!([{"type": "section", "text": {"type": "mrkdwn", "text": ""}}]),
            &["[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]"],
        );
        check(
            json!([{"type": "section", "text": {"type": "mrkdwn", "text": "x".repeat(3_001)}}]),
            &["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
        );
    }

    #[test]
    fn a_misspelt_type_is_named() {
        check(json!([{"type": "secton"}]), &["[ERROR] unsupported type: secton [json-pointer:/blocks/0/type]"]);
    }

    #[test]
    fn block_ids_are_unique_and_blocks_are_counted() {
        let divider = json!({"type": "divider", "block_id": "a"});
        check(json!([divider, divider]), &["[ERROR] block_id `a` must be unique [json-pointer:/blocks/1/block_id]"]);
        let many = vec![json!({"type": "divider"}); 51];
        check(json!(many), &["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]);
    }

    #[test]
    fn elements_are_checked_where_they_are() {
        check(
            json!([{"type": "actions", "elements": [
                {"type": "button", "action_id": "a", "text": {"type": "mrkdwn", "text": "x"}},
                {"type": "static_select", "action_id": "a", "options": [{"text": {"type": "plain_text", "text": "x"}}]},
            ]}]),
            &[
                "[ERROR] must be plain_text [json-pointer:/blocks/0/elements/0/text/type]",
                "[ERROR] action_id `a` already exists in this block [json-pointer:/blocks/0/elements/1/action_id]",
                "[ERROR] missing required field: value [json-pointer:/blocks/0/elements/1/options/0/value]",
            ],
        );
    }

    #[test]
    fn missing_ids_are_filled_in() {
        let mut blocks =
            json!([{"type": "actions", "elements": [{"type": "button"}]}, {"type": "divider", "block_id": "kept"}]);
        fill_ids(&mut blocks);
        assert_eq!(blocks[0]["block_id"].as_str().unwrap().len(), 5);
        assert_eq!(blocks[0]["elements"][0]["action_id"].as_str().unwrap().len(), 5);
        assert_eq!(blocks[1]["block_id"], "kept");
    }
}
