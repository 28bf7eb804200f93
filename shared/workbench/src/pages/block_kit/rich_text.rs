//! The `rich_text` block: sections, lists, quotes, preformatted text, and the elements inside them.
//! Its texts are plain: no marks, no entities. Invariant: an element that is not known is shown as its words, never dropped.
//! Source: <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/>

use maud::{Markup, html};
use serde_json::Value;

use super::Surface;
use super::mrkdwn::{channel, date_markup, group, preformatted, user};
use super::text::{Attributes, Html, element, emoji, link, words};

/// Deepest indent that is shown.
const INDENT: u64 = 8;

/// A `rich_text` block's content.
pub(super) fn rich_text(block: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        @for part in list(block, "elements") { (part_markup(part, surface)) }
    }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn part_markup(part: &Value, surface: &Surface<'_>) -> Markup {
    match part["type"].as_str().unwrap_or_default() {
        "rich_text_section" => html! { div class="bk-rich-section" { (inline(part, surface)) } },
        "rich_text_quote" => html! { blockquote class="bk-quote" { (inline(part, surface)) } },
        "rich_text_preformatted" => {
            let mut html = Html::default();
            preformatted(&flat(part), &mut html);
            let bordered = if part["border"] == 1 { "bk-bordered" } else { "bk-borderless" };
            html! { div class=(bordered) data-language=[part["language"].as_str()] { (html.finish()) } }
        }
        "rich_text_list" => rich_list(part, surface),
        _ => html! { div class="bk-rich-section" { (inline_element(part, surface)) } },
    }
}

fn rich_list(part: &Value, surface: &Surface<'_>) -> Markup {
    let is_ordered = part["style"] == "ordered";
    let indent = part["indent"].as_u64().unwrap_or_default().min(INDENT);
    let bordered = if part["border"] == 1 { " bk-bordered" } else { "" };
    let attributes = Attributes::default().set("class", format!("bk-list bk-indent-{indent}{bordered}")).maybe(
        "start",
        part["offset"].as_u64().filter(|_| is_ordered).map(|offset| offset.saturating_add(1).to_string()),
    );
    let items = html! {
        @for item in list(part, "elements") { li { (inline(item, surface)) } }
    };
    element(if is_ordered { "ol" } else { "ul" }, &attributes, Some(&items))
}

fn inline(part: &Value, surface: &Surface<'_>) -> Markup {
    html! {
        @for piece in list(part, "elements") { (styled(piece, inline_element(piece, surface))) }
    }
}

/// Puts on what `style` asks for.
fn styled(piece: &Value, content: Markup) -> Markup {
    let style = &piece["style"];
    let wraps: [(&str, &'static str); 6] = [
        ("code", "code"),
        ("strike", "s"),
        ("italic", "em"),
        ("bold", "strong"),
        ("underline", "u"),
        ("highlight", "mark"),
    ];
    wraps
        .into_iter()
        .filter(|(name, _)| style[*name] == true)
        .fold(content, |content, (_, tag)| element(tag, &Attributes::default(), Some(&content)))
}

fn inline_element(piece: &Value, surface: &Surface<'_>) -> Markup {
    let field = |name: &str| piece[name].as_str();
    match field("type").unwrap_or_default() {
        "text" => words(field("text").unwrap_or_default()),
        "link" => {
            let url = field("url").unwrap_or_default();
            link(url, &words(field("text").filter(|text| !text.is_empty()).unwrap_or(url)))
        }
        "user" => user(surface.directory, surface.viewer, field("user_id").unwrap_or_default(), None),
        "channel" => channel(surface.directory, field("channel_id").unwrap_or_default(), None),
        "usergroup" => group(field("usergroup_id").unwrap_or_default()),
        "team" => group(field("team_id").unwrap_or_default()),
        "broadcast" => group(field("range").unwrap_or_default()),
        "emoji" => emoji_markup(piece),
        "date" => date_markup(
            piece["timestamp"].as_i64(),
            field("format").unwrap_or_default(),
            field("url"),
            field("fallback").unwrap_or("a date"),
        ),
        "color" => colour(field("value").unwrap_or_default()),
        _ => words(&flat(piece)),
    }
}

fn emoji_markup(piece: &Value) -> Markup {
    let name = piece["name"].as_str().unwrap_or_default();
    let name = piece["skin_tone"].as_u64().map_or_else(|| name.to_owned(), |tone| format!("{name}::skin-tone-{tone}"));
    let glyph = emoji(&name).map(str::to_owned).or_else(|| unicode(piece["unicode"].as_str()?));
    html! {
        @match glyph {
            Some(glyph) => span class="bk-emoji" title=(format!(":{name}:")) { (glyph) },
            None => (words(&format!(":{name}:"))),
        }
    }
}

/// `1f44b-1f3ff` as the emoji it stands for, if it is one.
fn unicode(code_points: &str) -> Option<String> {
    let glyph: Option<String> = code_points
        .split('-')
        .take(12)
        .map(|point| u32::from_str_radix(point, 16).ok().and_then(char::from_u32))
        .collect();
    glyph.filter(|glyph| emojis::get(glyph).is_some())
}

/// A colour beside its value. An SVG's fill, since inline styles are forbidden by the pages' policy.
fn colour(value: &str) -> Markup {
    html! {
        @if is_hex_colour(value) {
            svg class="bk-swatch" width="12" height="12" aria-hidden="true" { rect width="12" height="12" fill=(value) {} }
        }
        (words(value))
    }
}

/// `#` and three or six hexadecimal digits.
pub(super) fn is_hex_colour(value: &str) -> bool {
    value
        .strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The words of rich text without any style: what a textarea can show, one line for each section and list item.
pub(super) fn flat(value: &Value) -> String {
    let children = list(value, "elements");
    if children.is_empty() {
        let field = ["text", "fallback", "url", "user_id", "channel_id", "range", "name", "value"]
            .into_iter()
            .find_map(|field| value[field].as_str());
        return field.unwrap_or_default().to_owned();
    }
    let is_inline = !matches!(value["type"].as_str(), Some("rich_text" | "rich_text_list"));
    let separator = if is_inline { "" } else { "\n" };
    children.iter().map(flat).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::super::{Directory, SurfaceKind};
    use super::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn check(elements: Value, expected: &str) {
        let surface = Surface {
            directory: &Directory::acme(),
            viewer: "U0ADA0001",
            chosen: &Value::Null,
            suggested: &BTreeMap::new(),
            problems: &BTreeMap::new(),
            kind: SurfaceKind::Message,
            form: "f",
        };
        assert_eq!(rich_text(&json!({"type": "rich_text", "elements": elements}), &surface).0, expected, "{elements}");
    }

    /// One section with these elements.
    fn check_inline(elements: Value, expected: &str) {
        let section = json!([{"type": "rich_text_section", "elements": elements}]);
        check(section, &format!("<div class=\"bk-rich-section\">{expected}</div>"));
    }

    #[test]
    fn slacks_example_of_a_styled_section_reads_as_documented() {
        check_inline(
            json!([
                {"type": "text", "text": "Hello there, I am a basic rich text block! "},
                {"type": "text", "text": "bold", "style": {"bold": true}},
                {"type": "text", "text": " *plain* &amp;\nnext", "style": {}},
            ]),
            "Hello there, I am a basic rich text block! <strong>bold</strong> *plain* &amp;amp;<br>next",
        );
        check_inline(
            json!([{"type": "text", "text": "x", "style": {"bold": true, "italic": true, "strike": true, "code": true}}]),
            "<strong><em><s><code>x</code></s></em></strong>",
        );
    }

    #[test]
    fn everything_that_can_be_mentioned_is_named() {
        check_inline(
            json!([
                {"type": "user", "user_id": "U0ADA0001"}, {"type": "channel", "channel_id": "C0PLAY001"},
                {"type": "broadcast", "range": "here"}, {"type": "usergroup", "usergroup_id": "S1"},
            ]),
            "<span class=\"bk-mention bk-mention-me\" data-user=\"U0ADA0001\">@Ada Lovelace</span>\
             <span class=\"bk-mention\" data-channel=\"C0PLAY001\">#playground</span>\
             <span class=\"bk-mention bk-mention-group\">@here</span>\
             <span class=\"bk-mention bk-mention-group\">@S1</span>",
        );
    }

    #[test]
    fn emoji_are_found_by_name_and_by_code_point() {
        check_inline(json!([{"type": "emoji", "name": "wave"}]), "<span class=\"bk-emoji\" title=\":wave:\">👋</span>");
        check_inline(
            json!([{"type": "emoji", "name": "wave", "skin_tone": 6}]),
            "<span class=\"bk-emoji\" title=\":wave::skin-tone-6:\">👋🏿</span>",
        );
        check_inline(
            json!([{"type": "emoji", "name": "name_only_slack_has", "unicode": "1f44b"}]),
            "<span class=\"bk-emoji\" title=\":name_only_slack_has:\">👋</span>",
        );
        check_inline(json!([{"type": "emoji", "name": "custom", "unicode": "3c-73"}]), ":custom:");
    }

    #[test]
    fn a_date_a_link_and_a_colour_are_shown() {
        check_inline(
            json!([{"type": "date", "timestamp": 1_628_633_820, "format": "{date_num}", "fallback": "a day"}]),
            "<time datetime=\"2021-08-10\" title=\"a day (shown in UTC)\">2021-08-10</time>",
        );
        check_inline(
            json!([{"type": "link", "url": "https://example.com"}]),
            "<a class=\"bk-link\" href=\"https://example.com\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">https://example.com</a>",
        );
        check_inline(
            json!([{"type": "color", "value": "#F405B3"}]),
            "<svg class=\"bk-swatch\" width=\"12\" height=\"12\" aria-hidden=\"true\"><rect width=\"12\" height=\"12\" fill=\"#F405B3\"></rect></svg>#F405B3",
        );
        check_inline(json!([{"type": "color", "value": "red\" onload=\"x"}]), "red&quot; onload=&quot;x");
    }

    #[test]
    fn lists_know_their_style_indent_offset_and_border() {
        let section = json!({"type": "rich_text_section", "elements": [{"type": "text", "text": "Huddles"}]});
        check(
            json!([{"type": "rich_text_list", "style": "bullet", "indent": 1, "border": 1, "elements": [section]}]),
            "<ul class=\"bk-list bk-indent-1 bk-bordered\"><li>Huddles</li></ul>",
        );
        check(
            json!([{"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [section, section]}]),
            "<ol class=\"bk-list bk-indent-0\" start=\"3\"><li>Huddles</li><li>Huddles</li></ol>",
        );
        check(
            json!([{"type": "rich_text_list", "style": "bullet", "indent": 900, "elements": []}]),
            "<ul class=\"bk-list bk-indent-8\"></ul>",
        );
    }

    #[test]
    fn quotes_and_code_stand_apart() {
        check(
            json!([
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "Yoda"}]},
                {"type": "rich_text_preformatted", "border": 1, "language": "json", "elements": [{"type": "text", "text": "{\n  \"a\": 1\n}"}]},
            ]),
            "<blockquote class=\"bk-quote\">Yoda</blockquote>\
             <div class=\"bk-bordered\" data-language=\"json\"><pre class=\"bk-pre\" tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>{\n  &quot;a&quot;: 1\n}</code></pre></div>",
        );
    }

    #[test]
    fn an_element_that_is_not_known_is_shown_as_its_words() {
        check_inline(json!([{"type": "sparkle", "text": "new"}]), "new");
        check(
            json!([{"type": "rich_text_poem", "elements": [{"type": "text", "text": "rose"}]}]),
            "<div class=\"bk-rich-section\">rose</div>",
        );
    }

    #[test]
    fn rich_text_flattens_to_lines() {
        let text = json!({"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [
                {"type": "text", "text": "once "}, {"type": "text", "text": "upon", "style": {"bold": true}}, {"type": "text", "text": " a time"},
            ]},
            {"type": "rich_text_list", "style": "bullet", "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]},
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "b"}]},
            ]},
        ]});
        assert_eq!(flat(&text), "once upon a time\na\nb");
        assert_eq!(flat(&Value::Null), "");
    }
}
