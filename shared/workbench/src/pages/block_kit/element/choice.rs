//! Checkboxes and radio buttons. A change sends the whole selection.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/checkboxes-element/>

use maud::{Markup, html};

use super::Control;
use super::options::option_markup;
use crate::pages::block_kit::text::{Attributes, element};

/// A group of inputs of `kind`: `checkbox` or `radio`.
pub(super) fn choices(control: &Control<'_>, kind: &'static str) -> Markup {
    let (chosen, role) = match kind {
        "checkbox" => (control.value("selected_options", "initial_options"), "group"),
        _ => (control.value("selected_option", "initial_option"), "radiogroup"),
    };
    let is_chosen = |value: &str| match chosen.as_array() {
        Some(many) => many.iter().any(|option| option["value"] == value),
        None => chosen["value"] == value,
    };
    let content = html! {
        (control.presence())
        @for option in control.element["options"].as_array().into_iter().flatten() {
            @let value = option["value"].as_str().unwrap_or_default();
            @let attributes = Attributes::default()
                .set("type", kind)
                .set("form", control.surface.form)
                .set("name", control.value_name())
                .set("value", value)
                .set("data-testid", "option")
                .flag("checked", is_chosen(value));
            label class="bk-choice" {
                (element("input", &control.pressing(attributes), None))
                span class="bk-choice-words" { (option_markup(option, control)) }
            }
        }
        (control.press_without_script())
    };
    let attributes = Attributes::default().set("class", "bk-choices").set("role", role).set("id", control.id());
    let attributes = control.described(control.named(control.as_element(attributes)), None);
    element("div", &attributes, Some(&content))
}
