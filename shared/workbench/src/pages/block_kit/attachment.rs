//! Legacy attachments of a message: colour bar, title, text, fields, images, and blocks inside.
//! Not here: their `actions`, which are interactive messages of before Block Kit and shown as unknown.
//! Source: <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments/>

use maud::{Markup, html};
use serde_json::Value;

use super::block::{blocks, picture};
use super::moment::date_text;
use super::rich_text::is_hex_colour;
use super::text::{link, plain_text};
use super::unknown::unknown;
use super::{Surface, mrkdwn};

/// A list of attachments as HTML. What is no list is nothing.
pub(crate) fn legacy_attachments(list: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        @for attachment in list.as_array().into_iter().flatten() { (attachment_markup(attachment, surface)) }
    }
}

fn attachment_markup(attachment: &Value, surface: &Surface<'_>) -> Markup {
    let text = |field: &str| attachment[field].as_str().filter(|text| !text.is_empty());
    let formatted = |text: &str| mrkdwn(text, surface.directory, surface.viewer);
    html! {
        @if let Some(pretext) = text("pretext") { div class="bk-text" { (formatted(pretext)) } }
        div class="bk-attachment" {
            (bar(text("color")))
            div class="bk-attachment-body" {
                @if let Some(author) = text("author_name") {
                    div class="bk-attachment-author" { (linked(author, text("author_link"))) }
                }
                @if let Some(title) = text("title") {
                    div class="bk-attachment-title" { (linked(title, text("title_link"))) }
                }
                @if let Some(words) = text("text") { div class="bk-text" { (formatted(words)) } }
                @if let Some(fields) = attachment["fields"].as_array() { (field_list(fields, surface)) }
                (blocks(&attachment["blocks"], surface))
                @for field in ["image_url", "thumb_url"] {
                    @if let Some(source) = text(field) {
                        (picture(&serde_json::json!({"image_url": source, "alt_text": "Image of the attachment"}), "bk-image"))
                    }
                }
                @for action in attachment["actions"].as_array().into_iter().flatten() { (unknown(action)) }
                (footer(attachment))
            }
        }
    }
}

fn linked(words: &str, url: Option<&str>) -> Markup {
    let words = plain_text(&Value::from(words));
    url.map_or_else(|| words.clone(), |url| link(url, &words))
}

fn field_list(fields: &[Value], surface: &Surface<'_>) -> Markup {
    html! {
        div class="bk-fields" {
            @for field in fields {
                @let class = if field["short"] == true { "bk-text bk-field" } else { "bk-text bk-field bk-field-long" };
                div class=(class) {
                    strong { (plain_text(&field["title"])) }
                    div { (mrkdwn(field["value"].as_str().unwrap_or_default(), surface.directory, surface.viewer)) }
                }
            }
        }
    }
}

fn footer(attachment: &Value) -> Markup {
    let epoch_s = attachment["ts"].as_i64().or_else(|| attachment["ts"].as_str()?.split('.').next()?.parse().ok());
    let day = epoch_s.and_then(|epoch_s| date_text(epoch_s, "{date_short}, {time} UTC"));
    html! {
        @if !attachment["footer"].is_null() || day.is_some() {
            div class="bk-hint" {
                (plain_text(&attachment["footer"]))
                @if let Some(day) = day { " · " (day) }
            }
        }
    }
}

/// The bar at its side. An SVG's fill, since inline styles are forbidden by the pages' policy.
fn bar(colour: Option<&str>) -> Markup {
    let (class, fill) = match colour {
        Some("good") => ("bk-bar bk-bar-good", None),
        Some("warning") => ("bk-bar bk-bar-warning", None),
        Some("danger") => ("bk-bar bk-bar-danger", None),
        // Slack takes the digits with and without their sign.
        Some(colour) => {
            ("bk-bar", Some(format!("#{}", colour.trim_start_matches('#'))).filter(|hex| is_hex_colour(hex)))
        }
        None => ("bk-bar", None),
    };
    html! {
        svg class=(class) aria-hidden="true" { rect width="100%" height="100%" fill=[fill] {} }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{attributes_of, text_of};
    use super::super::{Directory, SurfaceKind};
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn render(list: &Value) -> String {
        let surface = Surface {
            directory: &Directory::acme(),
            viewer: "U0ADA0001",
            chosen: &Value::Null,
            suggested: &BTreeMap::new(),
            problems: &BTreeMap::new(),
            kind: SurfaceKind::Message,
            form: "f",
        };
        legacy_attachments(list, &surface).0
    }

    #[test]
    fn slacks_example_is_shown_with_everything_it_has() {
        let html = render(&json!([{
            "color": "#36a64f", "pretext": "Optional *pretext*", "author_name": "Bobby Tables", "author_link": "http://flickr.com/bobby/",
            "title": "Slack API Documentation", "title_link": "https://api.slack.com/", "text": "Optional text",
            "fields": [{"title": "Priority", "value": "High", "short": false}], "footer": "Slack API", "ts": 123_456_789,
        }]));
        assert_eq!(attributes_of(&html, "a", "href"), ["http://flickr.com/bobby/", "https://api.slack.com/"]);
        assert_eq!(attributes_of(&html, "rect", "fill"), ["#36a64f"]);
        assert_eq!(
            text_of(&html),
            "Optional pretextBobby TablesSlack API DocumentationOptional textPriorityHighSlack API · Nov 29, 1973, 9:33 PM UTC"
        );
    }

    #[test]
    fn blocks_in_an_attachment_are_blocks() {
        let html = render(&json!([{"color": "good", "blocks": [{"type": "divider", "block_id": "d"}]}]));
        assert_eq!(attributes_of(&html, "div", "data-block-id"), ["d"]);
        assert_eq!(attributes_of(&html, "svg", "class"), ["bk-bar bk-bar-good"]);
        assert_eq!(attributes_of(&html, "rect", "fill"), [""; 0]);
    }

    #[test]
    fn a_colour_that_is_none_is_left_out() {
        let html = render(&json!([{"color": "url(javascript:alert(1))", "text": "x"}]));
        assert_eq!(attributes_of(&html, "rect", "fill"), [""; 0]);
    }

    #[test]
    fn actions_of_before_block_kit_are_shown_as_unknown() {
        let html = render(&json!([{"text": "x", "actions": [{"type": "button", "name": "game", "text": "Chess"}]}]));
        assert!(text_of(&html).contains("button: not rendered here yet"));
    }
}
