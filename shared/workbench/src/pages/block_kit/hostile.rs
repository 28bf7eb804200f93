//! Texts that try to break out, put into every string of every block and element. The HTML is read by `scan`, which shares nothing
//! with what wrote it.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::directory::Directory;
use super::scan::{Piece, attributes_of, scan};
use super::{Surface, SurfaceKind, blocks, key, legacy_attachments, plain_text, read_key};

/// Strings with a purpose of their own.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</div><script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "\"><img src=x onerror=alert(1)>",
    "'><img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=alert(1) x=\"",
    "` onload=alert(1) `",
    "<svg/onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=data:text/html,<script>alert(1)</script>>",
    "<embed src=javascript:alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<form action=//evil.example><input type=submit>",
    "<button formaction=javascript:alert(1)>",
    "<textarea></textarea><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</select></option><script>alert(1)</script>",
    "</noscript><script>alert(1)</script>",
    "</title></style></script><script>alert(1)</script>",
    "<!--<script>alert(1)</script>-->",
    "--><script>alert(1)</script>",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?xml version=\"1.0\"?><x/>",
    "<plaintext>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "javascript&colon;alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "//evil.example",
    "https://evil.example\" onclick=\"alert(1)",
    "https://evil.example/<script>alert(1)</script>",
    "https://evil.example/ javascript:alert(1)",
    "<javascript:alert(1)|x>",
    "<JAVASCRIPT:alert(1)>",
    "<data:text/html,x|click>",
    "<https://evil.example|<script>alert(1)</script>>",
    "<https://evil.example\" onclick=\"alert(1)|x>",
    "<https://evil.example|\" onclick=\"alert(1)>",
    "<https://evil.example|&lt;script&gt;alert(1)&lt;/script&gt;>",
    "<mailto:a@b.example\" onclick=\"x|y>",
    "<@U0ADA0001|\"><script>alert(1)</script>>",
    "<@\"><script>>",
    "<#C0PLAY001|<img onerror=alert(1)>>",
    "<!date^0^{date}^javascript:alert(1)|x>",
    "<!date^0^<script>{date}</script>^https://a.example|\"><script>>",
    "<!date^99999999999999999999^{date}|\" onclick=\"x>",
    "<!subteam^S1|\"><script>alert(1)</script>>",
    "<!\"><script>alert(1)</script>>",
    "*_~`*_~`*_~`*_~`",
    "*a _b* c_ ~d *e~ f*",
    "```</code></pre><script>alert(1)</script>```",
    "``````",
    "`</code><script>`",
    ">>> </blockquote><script>alert(1)</script>",
    "&gt; &lt;script&gt;",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "&#60;script&#62;&#x3c;script&#x3e;",
    "&quot;&apos;&nbsp;&",
    ":wave::skin-tone-9::\"><script>:",
    ":<script>:",
    "[x](javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "![x\" onerror=\"alert(1)](https://evil.example/\"onerror=\"alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "[a](https://evil.example \"\\\" onclick=\\\"alert(1)\")",
    "[![a](https://evil.example) ![b](javascript:x)](https://evil.example) [c [d](https://a.example)](https://b.example)",
    "| <script> | \" |\n|---|---|\n| <img onerror=x> | [x](data:x) |",
    "~~~\"><script>\n</code></pre><script>\n~~~",
    "# <script>\n\n<div onclick=alert(1)>\n\n- [ ] <b>",
    "\u{202e}txt.exe\u{202c}",
    "\u{2066}\u{2067}\u{2068}",
    "\u{0}<\u{0}script>\u{0}",
    "\u{feff}\u{200b}\u{2028}\u{2029}",
    "\u{1b}[31mred\u{7f}",
    "%22%3E%3Cscript%3E",
    "../../x?y=1&z=2#w",
    "a/b/c",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\\\"\\'\\\\",
    "\r\n\r\n<script>",
    "",
    " ",
    "𝕏👩‍👩‍👧‍👦é́́́́",
];

/// Blocks that use every field which is rendered.
fn samples() -> Value {
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": true});
    let mrkdwn = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": false});
    let confirm =
        json!({"title": plain("t"), "text": mrkdwn("x"), "confirm": plain("y"), "deny": plain("n"), "style": "danger"});
    let option = |value: &str| json!({"text": plain(value), "value": value, "description": plain("d")});
    let options = json!([option("a"), option("b")]);
    let groups = json!([{"label": plain("g"), "options": options}]);
    let with = |kind: &str, mut fields: Value| {
        fields["type"] = json!(kind);
        fields["action_id"] = json!(format!("{kind}_id"));
        fields["placeholder"] = plain("p");
        // Once for each of the two ways a control is made.
        if ["button", "static_select"].contains(&kind) {
            fields["confirm"] = confirm.clone();
        }
        fields
    };
    let elements = [
        with(
            "button",
            json!({"text": plain("b"), "value": "v", "url": "https://example.com", "style": "primary", "accessibility_label": "l"}),
        ),
        with(
            "overflow",
            json!({"options": [{"text": plain("o"), "value": "v", "url": "https://example.com", "description": plain("d")}]}),
        ),
        with("static_select", json!({"options": options, "initial_option": option("a")})),
        with(
            "multi_static_select",
            json!({"option_groups": groups, "initial_options": [option("a")], "max_selected_items": 2}),
        ),
        with("external_select", json!({"initial_option": option("z"), "min_query_length": 2})),
        with("multi_external_select", json!({"initial_options": [option("z")]})),
        with("users_select", json!({"initial_user": "U0ADA0001"})),
        with("multi_users_select", json!({"initial_users": ["U0ADA0001", "U1"]})),
        with("conversations_select", json!({"initial_conversation": "C1", "filter": {"include": ["public"]}})),
        with("multi_conversations_select", json!({"initial_conversations": ["C1"]})),
        with("channels_select", json!({"initial_channel": "C1"})),
        with("multi_channels_select", json!({"initial_channels": ["C1"]})),
        with(
            "checkboxes",
            json!({"options": [{"text": mrkdwn("a"), "value": "a", "description": mrkdwn("d")}], "initial_options": [option("a")]}),
        ),
        with("radio_buttons", json!({"options": options, "initial_option": option("a")})),
        with(
            "plain_text_input",
            json!({"initial_value": "v", "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]}}),
        ),
        with("plain_text_input", json!({"initial_value": "v", "multiline": true})),
        with(
            "rich_text_input",
            json!({"initial_value": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "v"}]}]}}),
        ),
        with(
            "number_input",
            json!({"initial_value": "1", "min_value": "0", "max_value": "9", "is_decimal_allowed": true}),
        ),
        with("email_text_input", json!({"initial_value": "a@b.example"})),
        with("url_text_input", json!({"initial_value": "https://example.com"})),
        with("datepicker", json!({"initial_date": "2026-12-01"})),
        with("timepicker", json!({"initial_time": "17:30", "timezone": "Europe/Zurich"})),
        with("datetimepicker", json!({"initial_date_time": 1_796_147_400})),
        with("file_input", json!({"filetypes": ["png"]})),
        json!({"type": "image", "image_url": "https://example.com/a.png", "alt_text": "alt"}),
    ];
    let mut list = vec![
        json!({"type": "divider"}),
        json!({"type": "header", "text": plain("h")}),
        json!({"type": "section", "text": mrkdwn("s"), "fields": [mrkdwn("f"), plain("f")]}),
        json!({"type": "context", "elements": [mrkdwn("c"), plain("c"), {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "alt"}, {"type": "other"}]}),
        json!({"type": "image", "image_url": "https://example.com/a.png", "alt_text": "alt", "title": plain("t")}),
        json!({"type": "image", "slack_file": {"id": "F1"}, "alt_text": "alt"}),
        json!({"type": "markdown", "text": "m"}),
        json!({"type": "alert", "text": mrkdwn("a"), "level": "info"}),
        json!({"type": "data_foo", "text": "unknown", "deep": {"er": ["x"]}}),
        json!({"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [
                {"type": "text", "text": "t", "style": {"bold": true, "italic": true, "strike": true, "code": true}},
                {"type": "link", "url": "https://example.com", "text": "l"},
                {"type": "link", "url": "https://example.com"},
                {"type": "user", "user_id": "U0ADA0001"}, {"type": "channel", "channel_id": "C0PLAY001"},
                {"type": "usergroup", "usergroup_id": "S1"}, {"type": "team", "team_id": "T1"},
                {"type": "broadcast", "range": "here"}, {"type": "color", "value": "#ff0000"},
                {"type": "emoji", "name": "wave", "unicode": "1f44b", "skin_tone": 3},
                {"type": "date", "timestamp": 0, "format": "{date}", "url": "https://example.com", "fallback": "f"},
                {"type": "new_thing", "text": "n"},
            ]},
            {"type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 2, "border": 1, "elements": [
                {"type": "rich_text_section", "elements": [{"type": "text", "text": "i"}]},
            ]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "q"}]},
            {"type": "rich_text_preformatted", "border": 0, "language": "rust", "elements": [{"type": "text", "text": "p"}]},
            {"type": "rich_text_new", "text": "n"},
        ]}),
    ];
    for element in &elements {
        // The three places differ in how a control is named and pressed, not in what it is made of.
        if ["button", "static_select", "external_select", "image"].contains(&element["type"].as_str().unwrap()) {
            list.push(json!({"type": "actions", "elements": [element]}));
            list.push(json!({"type": "section", "text": plain("s"), "accessory": element}));
        }
        list.push(json!({
            "type": "input", "label": plain("l"), "hint": plain("h"), "element": element, "optional": true, "dispatch_action": true,
        }));
    }
    for (at, block) in list.iter_mut().enumerate() {
        block["block_id"] = json!(format!("block_{at}"));
    }
    Value::Array(list)
}

fn attachments() -> Value {
    json!([{
        "color": "#36a64f", "pretext": "p", "author_name": "a", "author_link": "https://example.com", "title": "t",
        "title_link": "https://example.com", "text": "x", "fields": [{"title": "f", "value": "v", "short": true}],
        "image_url": "https://example.com/a.png", "thumb_url": "https://example.com/b.png", "footer": "f", "ts": "123.4",
        "fallback": "f", "actions": [{"type": "button", "text": "b", "name": "n"}],
        "blocks": [{"type": "section", "block_id": "inside", "text": {"type": "mrkdwn", "text": "s"}}],
    }])
}

/// Where the strings of a value are.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        // The type of a text object is compared with one word and never shown.
        Value::String(kind) if kind == "plain_text" || kind == "mrkdwn" => {}
        Value::String(_) => found.push(pointer.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| leaves(item, &format!("{pointer}/{at}"), found))
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| leaves(item, &format!("{pointer}/{name}"), found))
        }
        _ => {}
    }
}

/// What surrounds the blocks of these tests.
struct Around {
    directory: Directory,
    chosen: Value,
    suggested: BTreeMap<String, Value>,
    problems: BTreeMap<String, String>,
}

impl Around {
    fn plain() -> Self {
        Self { directory: Directory::acme(), chosen: json!({}), suggested: BTreeMap::new(), problems: BTreeMap::new() }
    }

    fn surface(&self, kind: SurfaceKind) -> Surface<'_> {
        Surface {
            directory: &self.directory,
            viewer: "U0ADA0001",
            chosen: &self.chosen,
            suggested: &self.suggested,
            problems: &self.problems,
            kind,
            form: "f",
        }
    }

    fn render(&self, list: &Value) -> String {
        blocks(list, &self.surface(SurfaceKind::Modal)).0
    }
}

const ALLOWED: &[&str] = &[
    "a",
    "blockquote",
    "br",
    "button",
    "code",
    "details",
    "div",
    "em",
    "figcaption",
    "figure",
    "h2",
    "h3",
    "hr",
    "img",
    "input",
    "label",
    "li",
    "mark",
    "noscript",
    "ol",
    "optgroup",
    "option",
    "p",
    "pre",
    "rect",
    "s",
    "select",
    "span",
    "strong",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "time",
    "tr",
    "u",
    "ul",
];

/// Fails on whatever could run, load or lead somewhere it must not. Answers with the tags that are not mere formatting.
fn inspect(html: &str, told: impl std::fmt::Display) -> Vec<String> {
    const FORMATTING: &[&str] = &[
        "a",
        "blockquote",
        "br",
        "code",
        "div",
        "em",
        "h2",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "span",
        "strong",
        "time",
        "ul",
        "hr",
    ];
    let pieces = scan(html).unwrap_or_else(|error| panic!("{error}\n{told}\n{html}"));
    let mut structure = Vec::new();
    // A link or button in another one is closed early by browsers, and what follows ends up elsewhere.
    let mut pressable = 0;
    for piece in pieces {
        let (name, attributes) = match piece {
            Piece::Open(name, attributes) => (name, attributes),
            Piece::Close(name) => {
                pressable -= i32::from(name == "a" || name == "button");
                continue;
            }
            Piece::Text(_) => continue,
        };
        pressable += i32::from(name == "a" || name == "button");
        assert!(pressable <= 1, "<{name}> in another\n{told}\n{html}");
        assert!(ALLOWED.contains(&name.as_str()), "<{name}>\n{told}\n{html}");
        for (attribute, value) in &attributes {
            assert!(!attribute.starts_with("on"), "{attribute}\n{told}\n{html}");
            assert!(
                !["style", "srcdoc", "srcset", "formaction", "action", "xlink:href"].contains(&attribute.as_str()),
                "{attribute}\n{told}"
            );
            if ["href", "src", "data-url"].contains(&attribute.as_str()) {
                let value = value.to_ascii_lowercase();
                let allowed = ["https://", "http://", "mailto:"].iter().any(|scheme| value.starts_with(scheme));
                assert!(allowed, "{attribute}={value}\n{told}");
                assert!(!value.contains(char::is_whitespace), "{attribute}={value}\n{told}");
            }
        }
        if !FORMATTING.contains(&name.as_str()) {
            structure.push(name);
        }
    }
    structure
}

/// Fields whose words decide what is rendered: another structure is what they are for.
fn decides_structure(pointer: &str, block: &Value) -> bool {
    let field = pointer.rsplit('/').next().unwrap_or_default();
    ["type", "image_url", "thumb_url", "style"].contains(&field)
        || block["type"] == "markdown"
        || pointer.contains("/filter/")
}

/// `block` with a text in each of these fields: the `shift`th for the first, the next one for the next, and so on.
fn filled(block: &Value, pointers: &[&String], texts: &[&str], shift: usize) -> Value {
    let mut block = block.clone();
    for (at, pointer) in pointers.iter().enumerate() {
        *block.pointer_mut(pointer).unwrap() = json!(texts[(at + shift) % texts.len()]);
    }
    json!([block])
}

#[test]
fn no_text_breaks_out_of_any_field_of_any_block() {
    let around = Around::plain();
    // An empty text may leave its own element out, so the structure is compared without.
    let (texts, blank): (Vec<&str>, Vec<&str>) = HOSTILE.iter().partition(|text| !text.trim().is_empty());
    for block in samples().as_array().unwrap() {
        let mut pointers = Vec::new();
        leaves(block, "", &mut pointers);
        let (deciding, shown): (Vec<_>, Vec<_>) =
            pointers.iter().partition(|pointer| decides_structure(pointer, block));
        let harmless = inspect(&around.render(&filled(block, &shown, &["harmless"], 0)), block);
        // Every field holds every text once, beside other hostile ones.
        for shift in 0..texts.len() {
            let list = filled(block, &shown, &texts, shift);
            assert_eq!(inspect(&around.render(&list), &list), harmless, "{list}");
        }
        for text in &blank {
            inspect(&around.render(&filled(block, &shown, &[text], 0)), block);
        }
        for pointer in deciding {
            for text in HOSTILE {
                inspect(&around.render(&filled(block, &[pointer], &[text], 0)), format_args!("{text} in {pointer}"));
            }
        }
    }
}

#[test]
fn a_huge_text_in_every_field_at_once_breaks_nothing() {
    let around = Around::plain();
    let huge = "<\"&*_`>".repeat(300);
    for block in samples().as_array().unwrap() {
        let mut pointers = Vec::new();
        leaves(block, "", &mut pointers);
        let mut block = block.clone();
        for pointer in pointers.iter().filter(|pointer| !pointer.ends_with("/type")) {
            *block.pointer_mut(pointer).unwrap() = json!(huge);
        }
        inspect(&around.render(&json!([block])), &block["type"]);
    }
}

#[test]
fn no_text_breaks_out_of_an_attachment() {
    let around = Around::plain();
    let sample = attachments();
    let mut pointers = Vec::new();
    leaves(&sample, "", &mut pointers);
    for pointer in &pointers {
        for text in HOSTILE {
            let mut list = sample.clone();
            *list.pointer_mut(pointer).unwrap() = json!(text);
            let html = legacy_attachments(&list, &around.surface(SurfaceKind::Message)).0;
            inspect(&html, format_args!("{text}\nin {pointer}"));
        }
    }
}

#[test]
fn no_text_breaks_out_of_messages_names_answers_and_problems() {
    for text in HOSTILE {
        let mut around = Around::plain();
        around.directory = Directory::called(text);
        let option = json!({"text": {"type": "plain_text", "text": text}, "value": text});
        around.suggested = BTreeMap::from([
            ("external_select_id".to_owned(), json!([option])),
            (
                "multi_external_select_id".to_owned(),
                json!([{"label": {"type": "plain_text", "text": text}, "options": [option]}]),
            ),
        ]);
        let mut chosen = json!({});
        for block in samples().as_array().unwrap() {
            let id = block["block_id"].as_str().unwrap();
            around.problems.insert(id.to_owned(), (*text).to_owned());
            for element in [&block["element"], &block["accessory"], &block["elements"][0]] {
                if let Some(action_id) = element["action_id"].as_str() {
                    chosen[id][action_id] = json!({
                        "type": element["type"], "value": text, "selected_option": option, "selected_options": [option],
                        "selected_user": text, "selected_users": [text], "selected_conversation": text,
                        "selected_conversations": [text], "selected_channel": text, "selected_channels": [text],
                        "selected_date": text, "selected_time": text, "selected_date_time": text,
                        "rich_text_value": {"type": "rich_text", "elements": [{"type": "text", "text": text}]},
                    });
                }
            }
        }
        around.chosen = chosen;
        for kind in [SurfaceKind::Message, SurfaceKind::Modal, SurfaceKind::Home] {
            inspect(&blocks(&samples(), &around.surface(kind)).0, text);
        }
        inspect(&super::mrkdwn(text, &around.directory, "").0, text);
        inspect(&plain_text(&json!({"type": "plain_text", "text": text})).0, text);
        inspect(&plain_text(&json!(text)).0, text);
    }
}

#[test]
fn ids_come_back_whatever_they_hold() {
    let around = Around::plain();
    for text in HOSTILE {
        let button = json!({"type": "button", "action_id": text, "text": {"type": "plain_text", "text": "b"}});
        let html = around.render(&json!([{"type": "actions", "block_id": text, "elements": [button]}]));
        let keyed = read_key(&attributes_of(&html, "button", "value")[0]).unwrap();
        assert_eq!((keyed.block_id.as_str(), keyed.action_id.as_str()), (*text, *text));
        assert_eq!(attributes_of(&html, "button", "value")[0], key(text, text));
        let menu = json!({"type": "overflow", "action_id": text, "options": [{"text": {"type": "plain_text", "text": "b"}, "value": text}]});
        let html = around.render(&json!([{"type": "actions", "block_id": text, "elements": [menu]}]));
        let keyed = read_key(&attributes_of(&html, "button", "value")[0]).unwrap();
        assert_eq!((keyed.action_id.as_str(), keyed.option.as_deref()), (*text, Some(*text)));
    }
}

#[test]
fn what_is_not_shaped_like_blocks_is_taken_calmly() {
    let around = Around::plain();
    let wrong =
        [json!(null), json!(1), json!("x"), json!([]), json!({}), json!([1, null, "x", []]), json!({"type": 7})];
    for value in &wrong {
        inspect(&around.render(value), "");
        inspect(&legacy_attachments(value, &around.surface(SurfaceKind::Message)).0, "");
    }
    // Every field of every block, with every wrong shape.
    for block in samples().as_array().unwrap() {
        let mut pointers = Vec::new();
        places(block, "", &mut pointers);
        for pointer in &pointers {
            for value in &wrong {
                let mut block = block.clone();
                *block.pointer_mut(pointer).unwrap() = value.clone();
                inspect(&around.render(&json!([block])), format_args!("{value} in {pointer} of {block}"));
            }
        }
    }
}

/// Where all values of a value are.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{pointer}/{at}"), found))
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| places(item, &format!("{pointer}/{name}"), found))
        }
        _ => {}
    }
}

#[test]
fn long_texts_take_time_in_proportion() {
    let directory = Directory::acme();
    // A parser that went back for each of these would not come to an end.
    for piece in [
        "*",
        "_*~",
        "`",
        "```",
        "<",
        "<a",
        "<https://a",
        ":",
        ":a",
        "&",
        "&amp;",
        ">",
        "> a\n",
        "https://",
        "*a ",
        "<@",
        "[",
        "![",
        "|",
        "**",
        "* ",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        inspect(&super::mrkdwn(&text, &directory, "").0, piece);
        let text = piece.repeat(12_000 / piece.len());
        let html = Around::plain().render(&json!([{"type": "markdown", "text": text}]));
        inspect(&html, piece);
    }
}

#[test]
fn nothing_but_text_writes_unescaped() {
    let sources = [
        include_str!("attachment.rs"),
        include_str!("block.rs"),
        include_str!("element/button.rs"),
        include_str!("element/choice.rs"),
        include_str!("element/date_input.rs"),
        include_str!("element/mod.rs"),
        include_str!("element/options.rs"),
        include_str!("element/select.rs"),
        include_str!("element/text_input.rs"),
        include_str!("markdown.rs"),
        include_str!("mrkdwn.rs"),
        include_str!("rich_text.rs"),
        include_str!("unknown.rs"),
    ];
    for source in sources {
        assert!(!source.contains("PreEscaped"), "{source:.200}");
    }
}
