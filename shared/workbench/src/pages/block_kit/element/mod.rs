//! Interactive elements as native controls of one form: which kind is rendered by what, and what all of them have in common.
//! The key of a control is `key`'s matter, what a press does the server's. Invariant: every control belongs to the surface's form,
//! has a name for everyone, and works without script (a control that tells the app at once then has a button beside it).
//! Source: <https://docs.slack.dev/reference/block-kit/block-elements/>

mod button;
mod choice;
mod date_input;
mod options;
mod select;
#[cfg(test)]
mod tests;
mod text_input;

use maud::{Markup, html};
use serde_json::Value;

use super::Surface;
use super::block::picture;
use super::key::key;
use super::text::{Attributes, plain};
use super::unknown::unknown;

/// How a control is called by those who do not see what is around it.
#[derive(Clone)]
pub(super) enum Name {
    /// A `<label for>` stands above it.
    Bound,
    /// The element with this id says it.
    LabelledBy(String),
    /// It has to say it itself.
    Own,
}

/// Where an element stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In `actions` or beside a `section`: a change tells the app at once.
    Pressed,
    /// In an `input`.
    Input {
        /// A change tells the app at once.
        does_dispatch: bool,
        has_hint: bool,
        has_error: bool,
    },
}

/// An element and where it stands.
pub(super) struct Control<'a> {
    pub(super) surface: &'a Surface<'a>,
    pub(super) block: &'a Value,
    pub(super) element: &'a Value,
    pub(super) name: Name,
    pub(super) place: Place,
}

/// The element's markup.
pub(super) fn control(control: &Control<'_>) -> Markup {
    match control.kind() {
        "button" => button::button(control),
        "overflow" => button::overflow(control),
        "checkboxes" => choice::choices(control, "checkbox"),
        "radio_buttons" => choice::choices(control, "radio"),
        "static_select" | "multi_static_select" => select::static_select(control),
        "external_select" | "multi_external_select" => select::external_select(control),
        "users_select" | "multi_users_select" => select::users_select(control),
        "conversations_select" | "multi_conversations_select" => select::conversations_select(control),
        "channels_select" | "multi_channels_select" => select::channels_select(control),
        "plain_text_input" => text_input::plain_text_input(control),
        "rich_text_input" => text_input::rich_text_input(control),
        "number_input" => text_input::number_input(control),
        "email_text_input" => text_input::line_input(control, "email"),
        "url_text_input" => text_input::line_input(control, "url"),
        "datepicker" => date_input::datepicker(control),
        "timepicker" => date_input::timepicker(control),
        "datetimepicker" => date_input::datetimepicker(control),
        "image" => html! {
            span data-testid="element" data-type="image" { (picture(control.element, "bk-image-accessory")) }
        },
        _ => unknown(control.element),
    }
}

impl<'a> Control<'a> {
    fn kind(&self) -> &'a str {
        self.element["type"].as_str().unwrap_or_default()
    }

    fn is_multi(&self) -> bool {
        self.kind().starts_with("multi_")
    }

    /// One control that a `<label for>` can name; else a group of controls, or none at all.
    pub(super) fn takes_label(&self) -> bool {
        let kind = self.kind();
        let is_written = kind.ends_with("_input") && kind != "file_input";
        is_written || kind.ends_with("_select") || ["datepicker", "timepicker", "datetimepicker"].contains(&kind)
    }

    fn block_id(&self) -> &'a str {
        self.block["block_id"].as_str().unwrap_or_default()
    }

    fn action_id(&self) -> &'a str {
        self.element["action_id"].as_str().unwrap_or_default()
    }

    fn key(&self) -> String {
        key(self.block_id(), self.action_id())
    }

    /// The id of its main control, once per page.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.surface.form, self.key())
    }

    /// The field `name` in which its value travels.
    fn value_name(&self) -> String {
        format!("v/{}", self.key())
    }

    fn does_press(&self) -> bool {
        match self.place {
            Place::Pressed => true,
            Place::Input { does_dispatch, .. } => does_dispatch,
        }
    }

    /// What is chosen now, in `field`; what it starts with (`initial`) where nothing has been said about it yet.
    fn value(&self, field: &str, initial: &str) -> &'a Value {
        let chosen = self.surface.chosen.get(self.block_id()).and_then(|block| block.get(self.action_id()));
        match chosen {
            Some(chosen) => &chosen[field],
            None => &self.element[initial],
        }
    }

    fn placeholder(&self) -> Option<String> {
        Some(plain(&self.element["placeholder"])).filter(|text| !text.is_empty())
    }

    /// Its name in words, where no label says it.
    fn own_name(&self) -> String {
        let default = match self.kind() {
            "datepicker" => "Select a date",
            "timepicker" => "Select a time",
            "datetimepicker" => "Select a date and time",
            "overflow" => "More actions",
            "users_select" | "multi_users_select" => "Select a person",
            "conversations_select" | "multi_conversations_select" => "Select a conversation",
            "channels_select" | "multi_channels_select" => "Select a channel",
            kind if kind.ends_with("_input") => "Write something",
            _ => "Select an option",
        };
        self.placeholder().unwrap_or_else(|| default.to_owned())
    }

    /// `aria-labelledby` or `aria-label`; nothing where a `<label for>` does it.
    fn named(&self, attributes: Attributes) -> Attributes {
        match &self.name {
            Name::Bound if !self.takes_label() => attributes.set("aria-labelledby", format!("{}-label", self.id())),
            Name::Bound => attributes,
            Name::LabelledBy(id) => attributes.set("aria-labelledby", id.clone()),
            Name::Own => attributes.set("aria-label", self.own_name()),
        }
    }

    /// Ties hint and error to it.
    fn described(&self, attributes: Attributes, own_hint: Option<&str>) -> Attributes {
        let (has_hint, has_error) = match self.place {
            Place::Pressed => (false, false),
            Place::Input { has_hint, has_error, .. } => (has_hint, has_error),
        };
        let id = self.id();
        let parts = [has_error.then_some("error"), has_hint.then_some("hint"), own_hint];
        let ids: Vec<String> = parts.into_iter().flatten().map(|part| format!("{id}-{part}")).collect();
        attributes
            .maybe("aria-describedby", (!ids.is_empty()).then(|| ids.join(" ")))
            .maybe("aria-invalid", has_error.then_some("true"))
    }

    /// What finds it in a test.
    fn as_element(&self, attributes: Attributes) -> Attributes {
        attributes.set("data-testid", "element").set("data-type", self.kind()).set("data-action-id", self.action_id())
    }

    /// What asks the person first.
    fn confirmed(&self, attributes: Attributes) -> Attributes {
        let confirm = &self.element["confirm"];
        if !confirm.is_object() {
            return attributes;
        }
        attributes
            .set("data-confirm-title", plain(&confirm["title"]))
            .set("data-confirm-text", plain(&confirm["text"]))
            .set("data-confirm-yes", plain(&confirm["confirm"]))
            .set("data-confirm-no", plain(&confirm["deny"]))
            .maybe("data-confirm-style", confirm["style"].as_str())
    }

    /// What makes the script tell the app at once.
    fn pressing(&self, attributes: Attributes) -> Attributes {
        if self.does_press() { self.confirmed(attributes.set("data-press", self.key())) } else { attributes }
    }

    /// Everything a single control has: form, id, name, description, test id, what a change does.
    fn attributes(&self, own_hint: Option<&str>) -> Attributes {
        let attributes = Attributes::default().set("form", self.surface.form).set("id", self.id());
        let attributes = self.as_element(attributes);
        let attributes = self.described(self.named(attributes), own_hint);
        self.pressing(attributes).flag("autofocus", self.element["focus_on_load"] == true)
    }

    /// An empty value that is always sent: without it a form says nothing at all about a control with nothing chosen.
    fn presence(&self) -> Markup {
        html! { input type="hidden" form=(self.surface.form) name=(self.value_name()) value=""; }
    }

    /// The button that tells the app where there is no script.
    fn press_without_script(&self) -> Markup {
        html! {
            @if self.does_press() {
                noscript {
                    button class="bk-send" type="submit" formnovalidate form=(self.surface.form) name="press"
                        value=(self.key()) aria-label=(format!("Send: {}", self.own_name())) { "Send" }
                }
            }
        }
    }
}
