//! Options and their groups, as elements and apps list them.
//! Source: <https://docs.slack.dev/reference/block-kit/composition-objects/option-object/>

use maud::{Markup, html};
use serde_json::Value;

use super::Control;
use crate::pages::block_kit::text::{plain, plain_text, text_object};

/// A choice of a `<select>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) words: String,
}

impl Choice {
    pub(super) fn of(option: &Value) -> Self {
        let words = plain(&option["text"]);
        let description = plain(&option["description"]);
        let words = if description.is_empty() { words } else { format!("{words} – {description}") };
        Self { value: option["value"].as_str().unwrap_or_default().to_owned(), words }
    }
}

/// Choices under a label, or under none.
pub(super) type Groups = Vec<(Option<String>, Vec<Choice>)>;

/// The options of a list of options, a list of groups, or an object that holds either.
pub(super) fn groups(options: &Value) -> Groups {
    let choices = |list: &Value| list.as_array().into_iter().flatten().map(Choice::of).collect();
    if let Some(held) = options.get("option_groups").or(options.get("options")).filter(|held| held.is_array()) {
        return groups(held);
    }
    let list = options.as_array().map_or(&[][..], Vec::as_slice);
    if list.iter().any(|item| item["options"].is_array()) {
        list.iter().map(|group| (Some(plain(&group["label"])), choices(&group["options"]))).collect()
    } else {
        vec![(None, choices(options))]
    }
}

/// An option's text and description without formatting, as markup.
pub(super) fn option_words(option: &Value) -> Markup {
    html! {
        span { (plain_text(&option["text"])) }
        @if !option["description"].is_null() { span class="bk-description" { (plain_text(&option["description"])) } }
    }
}

/// An option's text and description, formatted where their type says so.
pub(super) fn option_markup(option: &Value, control: &Control<'_>) -> Markup {
    html! {
        span class="bk-text" { (text_object(&option["text"], control.surface)) }
        @if !option["description"].is_null() {
            span class="bk-description" { (text_object(&option["description"], control.surface)) }
        }
    }
}
