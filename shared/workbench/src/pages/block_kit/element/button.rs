//! Buttons and the overflow menu: elements that keep no value.
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/button-element/>,
//! <https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element/>

use maud::{Markup, html};
use serde_json::Value;

use super::Control;
use super::options::option_words;
use crate::pages::block_kit::key::enc;
use crate::pages::block_kit::text::{Attributes, element, link_target, plain, plain_text};

fn press(control: &Control<'_>, value: String, class: String) -> Attributes {
    Attributes::default()
        .set("class", class)
        .set("type", "submit")
        .set("formnovalidate", "")
        .set("form", control.surface.form)
        .set("name", "press")
        .set("value", value)
}

/// The address the script opens beside the press.
fn url(holder: &Value) -> Option<&str> {
    holder["url"].as_str().and_then(link_target)
}

pub(super) fn button(control: &Control<'_>) -> Markup {
    let button = control.element;
    let mut class = "bk-button".to_owned();
    class.push_str(match button["style"].as_str() {
        Some("primary") => " bk-primary",
        Some("danger") => " bk-danger",
        _ => "",
    });
    let url = url(button);
    if url.is_some() {
        class.push_str(" bk-button-link");
    }
    let attributes = press(control, control.key(), class)
        .set("id", control.id())
        .maybe("aria-label", Some(plain(&button["accessibility_label"])).filter(|label| !label.is_empty()))
        .maybe("data-url", url);
    let attributes = control.described(control.confirmed(control.as_element(attributes)), None);
    let words = html! {
        (plain_text(&button["text"]))
        @if url.is_some() { span aria-hidden="true" { " ↗" } }
    };
    element("button", &attributes, Some(&words))
}

pub(super) fn overflow(control: &Control<'_>) -> Markup {
    let options = control.element["options"].as_array().into_iter().flatten();
    let menu = html! {
        summary class="bk-button bk-overflow-button" aria-label=(control.own_name()) { span aria-hidden="true" { "⋯" } }
        div class="bk-menu" {
            @for option in options {
                @let value = format!("{}/{}", control.key(), enc(option["value"].as_str().unwrap_or_default()));
                @let url = url(option);
                @let attributes = press(control, value, "bk-menu-item".to_owned())
                    .set("data-testid", "option")
                    .maybe("data-url", url);
                (element("button", &control.confirmed(attributes), Some(&option_words(option))))
            }
        }
    };
    let attributes = Attributes::default().set("class", "bk-overflow").set("id", control.id());
    element("details", &control.as_element(attributes), Some(&menu))
}
