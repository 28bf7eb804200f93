//! Inputs one writes into: plain text, rich text, number, e-mail, address.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element/>,
//! <https://docs.slack.dev/reference/block-kit/composition-objects/dispatch-action-configuration-object/>

use maud::{Markup, html};

use super::Control;
use crate::pages::block_kit::rich_text::flat;
use crate::pages::block_kit::text::{Attributes, Html, element};

/// What all of them have, with what tells the app at once and on which keys.
fn written(control: &Control<'_>) -> Attributes {
    let config = &control.element["dispatch_action_config"]["trigger_actions_on"];
    let on = |trigger: &str| config.as_array().is_some_and(|list| list.iter().any(|one| one == trigger));
    let keys = match (on("on_enter_pressed"), on("on_character_entered")) {
        (true, true) => "enter character",
        (false, true) => "character",
        _ => "enter",
    };
    control
        .attributes(None)
        .set("class", "bk-text-input")
        .set("name", control.value_name())
        .set("autocomplete", "off")
        .maybe("placeholder", control.placeholder())
        .maybe("data-press-on", control.does_press().then_some(keys))
}

fn input(control: &Control<'_>, attributes: &Attributes) -> Markup {
    html! {
        (element("input", attributes, None))
        (control.press_without_script())
    }
}

fn textarea(control: &Control<'_>, text: &str) -> Markup {
    let mut content = Html::default();
    // A parser drops the first line break of a textarea.
    content.tag("\n");
    content.preformatted(text);
    html! {
        (element("textarea", &written(control).set("rows", "4"), Some(&content.finish())))
        (control.press_without_script())
    }
}

fn text_value<'a>(control: &Control<'a>) -> &'a str {
    control.value("value", "initial_value").as_str().unwrap_or_default()
}

pub(super) fn plain_text_input(control: &Control<'_>) -> Markup {
    if control.element["multiline"] == true {
        return textarea(control, text_value(control));
    }
    line_input(control, "text")
}

/// An input of one line: `text`, `email` or `url`.
pub(super) fn line_input(control: &Control<'_>, kind: &'static str) -> Markup {
    input(control, &written(control).set("type", kind).set("value", text_value(control)))
}

pub(super) fn number_input(control: &Control<'_>) -> Markup {
    let step = if control.element["is_decimal_allowed"] == true { "any" } else { "1" };
    let attributes = written(control)
        .set("type", "number")
        .set("step", step)
        .maybe("min", control.element["min_value"].as_str())
        .maybe("max", control.element["max_value"].as_str())
        .set("value", text_value(control));
    input(control, &attributes)
}

/// Rich text is written as plain lines; styles it began with are not kept.
pub(super) fn rich_text_input(control: &Control<'_>) -> Markup {
    textarea(control, &flat(control.value("rich_text_value", "initial_value")))
}
