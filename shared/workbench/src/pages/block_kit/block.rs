//! The blocks: what each is made of. Elements are `element`'s matter, texts `text`'s.
//! Invariant: every block of the list stands on the page with its type and id, in order.
//! Source: <https://docs.slack.dev/reference/block-kit/blocks/>

use maud::{Markup, html};
use serde_json::Value;

use super::element::{Control, Name, Place, control};
use super::key::enc;
use super::markdown::markdown;
use super::rich_text::rich_text;
use super::text::{Attributes, element, image_source, plain, plain_text, text_object, visible};
use super::unknown::unknown;
use super::{Surface, SurfaceKind};

/// A list of blocks as HTML. What is no list is nothing.
pub(crate) fn blocks(list: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        @for block in list.as_array().into_iter().flatten() { (block_markup(block, surface)) }
    }
}

fn block_markup(block: &Value, surface: &Surface<'_>) -> Markup {
    let kind = block["type"].as_str().unwrap_or_default();
    let block_id = block["block_id"].as_str().unwrap_or_default();
    let problem = surface.problems.get(block_id).filter(|_| !block_id.is_empty());
    // An input shows its own error beside its control, except where inputs stand in a message and the press failed.
    let is_field = kind == "input" && surface.kind != SurfaceKind::Message;
    let content = match kind {
        "section" => section(block, surface),
        "actions" => actions(block, surface),
        "divider" => html! { hr class="bk-divider"; },
        "header" => header(block, surface),
        "context" => context(block, surface),
        "image" => image(block),
        "input" => input(block, surface, problem.filter(|_| is_field)),
        "rich_text" => rich_text(block, surface),
        "markdown" => html! { div class="bk-markdown" { (markdown(block["text"].as_str().unwrap_or_default())) } },
        "alert" => alert(block, surface),
        _ => unknown(block),
    };
    let problem = problem.filter(|_| !is_field);
    let content = html! {
        (content)
        @if let Some(problem) = problem {
            p class="bk-problem" data-testid="block-problem" role="alert" {
                span aria-hidden="true" { "⚠ " } (visible(problem))
            }
        }
    };
    let attributes = Attributes::default()
        .set("class", if problem.is_some() { "bk-block bk-block-problem" } else { "bk-block" })
        .set("data-testid", "block")
        .set("data-type", kind)
        .set("data-block-id", block_id);
    element("div", &attributes, Some(&content))
}

fn section(block: &Value, surface: &Surface<'_>) -> Markup {
    let text = block.get("text").filter(|text| !text.is_null());
    let text_id = format!("{}-{}-text", surface.form, enc(block["block_id"].as_str().unwrap_or_default()));
    let accessory = block.get("accessory").filter(|accessory| !accessory.is_null());
    let name = if text.is_some() { Name::LabelledBy(text_id.clone()) } else { Name::Own };
    html! {
        div class="bk-section" {
            div class="bk-section-body" {
                @if let Some(text) = text { div class="bk-text" id=(text_id) { (text_object(text, surface)) } }
                @if let Some(fields) = block["fields"].as_array() {
                    div class="bk-fields" {
                        @for field in fields { div class="bk-text bk-field" { (text_object(field, surface)) } }
                    }
                }
            }
            @if let Some(accessory) = accessory {
                div class="bk-accessory" {
                    (control(&Control { surface, block, element: accessory, name, place: Place::Pressed }))
                }
            }
        }
    }
}

fn actions(block: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        div class="bk-actions" {
            @for element in block["elements"].as_array().into_iter().flatten() {
                (control(&Control { surface, block, element, name: Name::Own, place: Place::Pressed }))
            }
        }
    }
}

fn header(block: &Value, surface: &Surface<'_>) -> Markup {
    let text = plain_text(&block["text"]);
    // A modal's title is the heading above its blocks.
    let tag = if surface.kind == SurfaceKind::Modal { "h3" } else { "h2" };
    element(tag, &Attributes::default().set("class", "bk-header"), Some(&text))
}

fn context(block: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        div class="bk-context" {
            @for element in block["elements"].as_array().into_iter().flatten() {
                @match element["type"].as_str() {
                    Some("image") => (picture(element, "bk-image-small")),
                    Some("plain_text" | "mrkdwn") => div class="bk-text" { (text_object(element, surface)) },
                    _ => (unknown(element)),
                }
            }
        }
    }
}

fn image(block: &Value) -> Markup {
    html! {
        figure class="bk-figure" {
            @if !block["title"].is_null() { figcaption { (plain_text(&block["title"])) } }
            (picture(block, "bk-image"))
        }
    }
}

/// An image, or its words where there is no address to load it from. While it cannot be loaded the browser shows the words too.
pub(super) fn picture(image: &Value, class: &'static str) -> Markup {
    let alt = plain(&image["alt_text"]);
    match image["image_url"].as_str().and_then(image_source) {
        Some(source) => html! {
            img class=(class) src=(source) alt=(alt) loading="lazy" referrerpolicy="no-referrer";
        },
        None => html! { span class=(format!("{class} bk-no-image")) role="img" aria-label=(alt) { (alt) } },
    }
}

fn input(block: &Value, surface: &Surface<'_>, error: Option<&String>) -> Markup {
    let does_dispatch = block["dispatch_action"] == true;
    let label = plain_text(&block["label"]);
    let hint = block.get("hint").filter(|hint| !hint.is_null());
    let place = Place::Input { does_dispatch, has_hint: hint.is_some(), has_error: error.is_some() };
    let control_of = Control { surface, block, element: &block["element"], name: Name::Bound, place };
    let id = control_of.id();
    let label = html! {
        (label)
        @if block["optional"] == true { span class="bk-optional" { " (optional)" } }
    };
    let label_id = Attributes::default().set("class", "bk-label").set("id", format!("{id}-label"));
    html! {
        div class="bk-input" {
            @if control_of.takes_label() {
                (element("label", &label_id.set("for", id.clone()), Some(&label)))
            } @else {
                (element("div", &label_id, Some(&label)))
            }
            (control(&control_of))
            @if let Some(hint) = hint { p class="bk-hint" id=(format!("{id}-hint")) { (plain_text(hint)) } }
            @if let Some(error) = error {
                p class="bk-error" id=(format!("{id}-error")) data-testid="field-error" {
                    span aria-hidden="true" { "⚠ " } (visible(error))
                }
            }
        }
    }
}

fn alert(block: &Value, surface: &Surface<'_>) -> Markup {
    let (class, role, icon, word) = match block["level"].as_str() {
        Some("info") => ("bk-alert bk-alert-info", "status", "ℹ", "Info"),
        Some("warning") => ("bk-alert bk-alert-warning", "alert", "⚠", "Warning"),
        Some("error") => ("bk-alert bk-alert-error", "alert", "✖", "Error"),
        Some("success") => ("bk-alert bk-alert-success", "status", "✔", "Success"),
        _ => ("bk-alert", "status", "●", "Notice"),
    };
    html! {
        div class=(class) role=(role) {
            span class="bk-alert-word" { span aria-hidden="true" { (icon) " " } (word) }
            div class="bk-text" { (text_object(&block["text"], surface)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Directory;
    use super::super::scan::{attributes_of, text_of};
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn render(list: &Value, kind: SurfaceKind, problems: &[(&str, &str)]) -> String {
        let problems = problems.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
        let surface = Surface {
            directory: &Directory::acme(),
            viewer: "U0ADA0001",
            chosen: &json!({}),
            suggested: &BTreeMap::new(),
            problems: &problems,
            kind,
            form: "f",
        };
        blocks(list, &surface).0
    }

    /// One block of a message: what stands inside its wrapper.
    fn check(block: Value, expected: &str) {
        let kind = block["type"].as_str().unwrap().to_owned();
        let html = render(&json!([block]), SurfaceKind::Message, &[]);
        let wrapper = format!("<div class=\"bk-block\" data-testid=\"block\" data-type=\"{kind}\" data-block-id=\"\">");
        assert_eq!(html, format!("{wrapper}{expected}</div>"));
    }

    #[test]
    fn a_section_has_text_and_fields_in_two_columns() {
        check(
            json!({"type": "section", "text": {"type": "mrkdwn", "text": "A message *with some bold text*"}}),
            "<div class=\"bk-section\"><div class=\"bk-section-body\"><div class=\"bk-text\" id=\"f--text\">\
             A message <strong>with some bold text</strong></div></div></div>",
        );
        check(
            json!({"type": "section", "fields": [{"type": "mrkdwn", "text": "*Priority*"}, {"type": "plain_text", "text": "*High*"}]}),
            "<div class=\"bk-section\"><div class=\"bk-section-body\"><div class=\"bk-fields\">\
             <div class=\"bk-text bk-field\"><strong>Priority</strong></div><div class=\"bk-text bk-field\">*High*</div>\
             </div></div></div>",
        );
    }

    #[test]
    fn an_accessory_is_named_by_the_sections_text() {
        let html = render(
            &json!([{"type": "section", "block_id": "when", "text": {"type": "mrkdwn", "text": "When?"}, "accessory": {"type": "datepicker", "action_id": "day"}}]),
            SurfaceKind::Message,
            &[],
        );
        assert_eq!(attributes_of(&html, "input", "aria-labelledby"), ["f-when-text"]);
        assert!(attributes_of(&html, "div", "id").contains(&"f-when-text".to_owned()));
    }

    #[test]
    fn a_divider_a_header_and_an_alert_are_themselves() {
        check(json!({"type": "divider"}), "<hr class=\"bk-divider\">");
        check(
            json!({"type": "header", "text": {"type": "plain_text", "text": "Budget *Performance*"}}),
            "<h2 class=\"bk-header\">Budget *Performance*</h2>",
        );
        check(
            json!({"type": "alert", "level": "info", "text": {"type": "mrkdwn", "text": "The work is mysterious and important."}}),
            "<div class=\"bk-alert bk-alert-info\" role=\"status\"><span class=\"bk-alert-word\"><span aria-hidden=\"true\">ℹ </span>Info</span>\
             <div class=\"bk-text\">The work is mysterious and important.</div></div>",
        );
    }

    #[test]
    fn a_header_in_a_modal_is_below_its_title() {
        let list = json!([{"type": "header", "text": {"type": "plain_text", "text": "x"}}]);
        assert!(render(&list, SurfaceKind::Modal, &[]).contains("<h3 class=\"bk-header\">x</h3>"));
    }

    #[test]
    fn a_context_is_a_row_of_images_and_texts() {
        check(
            json!({"type": "context", "elements": [
                {"type": "image", "image_url": "https://example.com/logo.jpg", "alt_text": "images"},
                {"type": "mrkdwn", "text": "Location: *Dogpatch*"},
            ]}),
            "<div class=\"bk-context\"><img class=\"bk-image-small\" src=\"https://example.com/logo.jpg\" alt=\"images\" loading=\"lazy\" referrerpolicy=\"no-referrer\">\
             <div class=\"bk-text\">Location: <strong>Dogpatch</strong></div></div>",
        );
    }

    #[test]
    fn an_image_that_has_no_address_shows_its_words() {
        check(
            json!({"type": "image", "title": {"type": "plain_text", "text": "Please enjoy"}, "image_url": "http://placekitten.com/500/500", "alt_text": "An adorable kitten"}),
            "<figure class=\"bk-figure\"><figcaption>Please enjoy</figcaption><img class=\"bk-image\" src=\"http://placekitten.com/500/500\" \
             alt=\"An adorable kitten\" loading=\"lazy\" referrerpolicy=\"no-referrer\"></figure>",
        );
        check(
            json!({"type": "image", "slack_file": {"id": "F0123456"}, "alt_text": "A file"}),
            "<figure class=\"bk-figure\"><span class=\"bk-image bk-no-image\" role=\"img\" aria-label=\"A file\">A file</span></figure>",
        );
    }

    #[test]
    fn a_markdown_block_is_markdown() {
        check(
            json!({"type": "markdown", "text": "**Lots of information!!**"}),
            "<div class=\"bk-markdown\"><p><strong>Lots of information!!</strong></p></div>",
        );
    }

    #[test]
    fn an_input_ties_label_hint_and_error_to_its_control() {
        let list = json!([{
            "type": "input", "block_id": "b/1", "label": {"type": "plain_text", "text": "Name"},
            "hint": {"type": "plain_text", "text": "In full"}, "optional": true,
            "element": {"type": "plain_text_input", "action_id": "a"},
        }]);
        let html = render(&list, SurfaceKind::Modal, &[("b/1", "Enter a name")]);
        assert_eq!(attributes_of(&html, "label", "for"), ["f-b%2F1/a"]);
        assert_eq!(attributes_of(&html, "input", "id"), ["f-b%2F1/a"]);
        assert_eq!(attributes_of(&html, "input", "aria-describedby"), ["f-b%2F1/a-error f-b%2F1/a-hint"]);
        assert_eq!(attributes_of(&html, "input", "aria-invalid"), ["true"]);
        assert_eq!(attributes_of(&html, "p", "id"), ["f-b%2F1/a-hint", "f-b%2F1/a-error"]);
        assert_eq!(attributes_of(&html, "p", "data-testid"), ["field-error"]);
        assert_eq!(text_of(&html), "Name (optional)In full⚠ Enter a name");
    }

    #[test]
    fn a_press_that_failed_marks_its_block() {
        let list = json!([
            {"type": "actions", "block_id": "a", "elements": [{"type": "button", "action_id": "b", "text": {"type": "plain_text", "text": "Go"}}]},
            {"type": "divider", "block_id": "other"},
        ]);
        let html = render(&list, SurfaceKind::Message, &[("a", "This app took too long")]);
        assert_eq!(attributes_of(&html, "div", "class")[0], "bk-block bk-block-problem");
        assert_eq!(attributes_of(&html, "p", "data-testid"), ["block-problem"]);
        assert_eq!(text_of(&html), "Go⚠ This app took too long");
    }

    #[test]
    fn what_is_not_known_is_shown_with_its_json() {
        let html = render(&json!([{"type": "data_foo", "block_id": "x", "rows": ["a"]}]), SurfaceKind::Message, &[]);
        assert_eq!(attributes_of(&html, "div", "data-testid"), ["block", "unknown-block"]);
        assert_eq!(attributes_of(&html, "div", "data-type"), ["data_foo"]);
        let text = text_of(&html);
        assert!(text.starts_with("data_foo: not rendered here yet"), "{text}");
        assert!(text.contains("\"rows\": ["), "{text}");
        let html =
            render(&json!([{"type": "actions", "elements": [{"type": "file_input"}]}]), SurfaceKind::Message, &[]);
        assert!(text_of(&html).starts_with("file_input: not rendered here yet"));
    }

    #[test]
    fn published_blocks_have_unique_ids_and_a_name_for_every_control() {
        for sample in tack_simulator::SAMPLES.iter().filter(|sample| sample.name.ends_with(".json")) {
            let body: Value = serde_json::from_str(sample.text).unwrap();
            for pointer in ["/event/blocks", "/message/blocks", "/view/blocks"] {
                let Some(list) = body.pointer(pointer) else { continue };
                let html = render(list, SurfaceKind::Modal, &[]);
                let mut ids = Vec::new();
                let mut labelled = attributes_of(&html, "label", "for");
                for tag in ["div", "input", "select", "textarea", "button", "label", "p", "span", "details"] {
                    ids.extend(attributes_of(&html, tag, "id"));
                    labelled.extend(attributes_of(&html, tag, "aria-labelledby"));
                }
                let count = ids.len();
                ids.sort();
                ids.dedup();
                assert_eq!(ids.len(), count, "{}", sample.name);
                for id in &labelled {
                    assert!(ids.contains(id), "{id} in {}", sample.name);
                }
                assert!(!html.contains("unknown-block") || html.contains("file_input"), "{}", sample.name);
            }
        }
    }
}
