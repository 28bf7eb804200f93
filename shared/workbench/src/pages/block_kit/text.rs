//! Foreign text on its way into a page: escaping, links, entities, emoji. Everything an app or a person wrote passes here,
//! through maud's escaping or through [`Html`]. Not here: what the marks of `mrkdwn` or Markdown mean.
//! Invariant: the only unescaped strings are tags that stand in our source; a link leads to `http`, `https` or `mailto`.
//! Source: <https://docs.slack.dev/messaging/formatting-message-text/#escaping>

use maud::{Markup, PreEscaped, Render};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::Surface;
use super::mrkdwn;

/// The attributes of a tag. Names are ours, values are anyone's.
#[derive(Clone, Default)]
pub(super) struct Attributes(Vec<(&'static str, String)>);

impl Attributes {
    pub(super) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Nothing if there is no value.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// `checked`, `selected` and their like.
    pub(super) fn flag(self, name: &'static str, is_set: bool) -> Self {
        self.maybe(name, is_set.then_some(""))
    }
}

/// Markup that is written piece by piece, for parsers whose nesting follows the text and must not grow the stack.
#[derive(Default)]
pub(super) struct Html(String);

impl Html {
    /// A tag of ours. `'static`, so that nothing foreign can be one.
    pub(super) fn tag(&mut self, tag: &'static str) {
        self.0.push_str(tag);
    }

    /// An opening tag with attributes.
    pub(super) fn open(&mut self, name: &'static str, attributes: &Attributes) {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in &attributes.0 {
            self.0.push(' ');
            self.0.push_str(attribute);
            self.0.push_str("=\"");
            value.render_to(&mut self.0);
            self.0.push('"');
        }
        self.0.push('>');
    }

    /// The start of a link to `url`, or of plain words with the reason where that may not be followed. Answers with the closing tag.
    pub(super) fn open_link(&mut self, url: &str) -> &'static str {
        let Some(url) = link_target(url) else {
            let reason = format!("Not a link here: {}", visible(url));
            self.open("span", &Attributes::default().set("class", "bk-refused-link").set("title", reason));
            return "</span>";
        };
        let attributes = Attributes::default()
            .set("class", "bk-link")
            .set("href", url)
            .set("target", "_blank")
            .set("rel", "noopener noreferrer nofollow");
        self.open("a", &attributes);
        "</a>"
    }

    /// Foreign text, escaped, with its line breaks.
    pub(super) fn words(&mut self, text: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.0.push_str("<br>");
            }
            visible(line.strip_suffix('\r').unwrap_or(line)).render_to(&mut self.0);
        }
    }

    /// Foreign text where line breaks stand for themselves: inside `<pre>`.
    pub(super) fn preformatted(&mut self, text: &str) {
        visible(text).render_to(&mut self.0);
    }

    /// What has been escaped before.
    pub(super) fn markup(&mut self, markup: &Markup) {
        self.0.push_str(&markup.0);
    }

    pub(super) fn finish(self) -> Markup {
        PreEscaped(self.0)
    }
}

/// `text` with control characters that a parser would drop or that no one sees made visible. Tabs and line breaks stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    if text.contains(is_hidden) { Cow::Owned(text.replace(is_hidden, "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Escaped text with line breaks.
pub(super) fn words(text: &str) -> Markup {
    let mut html = Html::default();
    html.words(text);
    html.finish()
}

/// Slack's three entities, decoded once: `&amp;lt;` is the text `&lt;`.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let (plain, encoded) = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")]
            .into_iter()
            .find(|(_, encoded)| rest.starts_with(encoded))
            .unwrap_or(("&", "&"));
        decoded.push_str(plain);
        rest = &rest[encoded.len()..];
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The address of a link, if it is one that may be followed: `http`, `https` or `mailto`, without spaces or control characters.
pub(super) fn link_target(url: &str) -> Option<&str> {
    const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
    has_scheme(url, &SCHEMES).then_some(url)
}

/// The address of an image, if it is one that may be loaded: `http` or `https`.
pub(super) fn image_source(url: &str) -> Option<&str> {
    has_scheme(url, &["https://", "http://"]).then_some(url)
}

fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    // Browsers drop some of these characters before they look for a scheme, so none is let through.
    let is_clean = !url.contains(|character: char| character.is_whitespace() || character.is_control());
    let starts_with = |scheme: &&str| {
        url.len() > scheme.len()
            && url.is_char_boundary(scheme.len())
            && url[..scheme.len()].eq_ignore_ascii_case(scheme)
    };
    is_clean && schemes.iter().any(starts_with)
}

/// `content` as a link to `url`; where that may not be followed, `content` alone with the reason.
pub(super) fn link(url: &str, content: &Markup) -> Markup {
    let mut html = Html::default();
    let close = html.open_link(url);
    html.markup(content);
    html.tag(close);
    html.finish()
}

/// An element with its content; an element of its own kind that has none (`input`) is given None.
pub(super) fn element(name: &'static str, attributes: &Attributes, content: Option<&Markup>) -> Markup {
    let mut html = Html::default();
    html.open(name, attributes);
    if let Some(content) = content {
        html.markup(content);
        html.tag("</");
        html.tag(name);
        html.tag(">");
    }
    html.finish()
}

/// The emoji Slack calls `name` (without colons), maybe followed by `::skin-tone-3`.
pub(super) fn emoji(name: &str) -> Option<&'static str> {
    let (name, tone) = name.split_once("::").map_or((name, None), |(name, tone)| (name, Some(tone)));
    let found = emojis::get_by_shortcode(name).or_else(|| by_unicode_name().get(name).copied())?;
    let Some(tone) = tone else {
        return Some(found.as_str());
    };
    let tone = match tone {
        "skin-tone-2" => emojis::SkinTone::Light,
        "skin-tone-3" => emojis::SkinTone::MediumLight,
        "skin-tone-4" => emojis::SkinTone::Medium,
        "skin-tone-5" => emojis::SkinTone::MediumDark,
        "skin-tone-6" => emojis::SkinTone::Dark,
        _ => return None,
    };
    Some(found.with_skin_tone(tone).unwrap_or(found).as_str())
}

/// Where Slack's name differs from GitHub's it is mostly Unicode's: `thinking_face`.
fn by_unicode_name() -> &'static HashMap<String, &'static emojis::Emoji> {
    static NAMES: OnceLock<HashMap<String, &'static emojis::Emoji>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let named = |emoji: &'static emojis::Emoji| (emoji.name().to_lowercase().replace([' ', '-'], "_"), emoji);
        emojis::iter().map(named).collect()
    })
}

/// Longest emoji name that is looked up, with a skin tone.
const EMOJI_NAME: usize = 100;

/// An emoji at the start of `text` (which starts with a colon): the glyph, and how many bytes its name takes.
pub(super) fn emoji_at_start(text: &str) -> Option<(&'static str, usize)> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-'".contains(&byte);
    let length = text.bytes().skip(1).take(EMOJI_NAME).take_while(|byte| is_name(*byte)).count();
    let name = text.get(1..=length).filter(|name| !name.is_empty() && text[1 + length..].starts_with(':'))?;
    let taken = length + 2;
    let tone = text[taken..].strip_prefix(":skin-tone-").and_then(|rest| rest.get(..2));
    if let Some(tone) = tone.filter(|tone| tone.ends_with(':')) {
        let toned = format!("{name}::skin-tone-{}", tone.trim_end_matches(':'));
        if let Some(glyph) = emoji(&toned) {
            return Some((glyph, taken + ":skin-tone-N:".len()));
        }
    }
    emoji(name).map(|glyph| (glyph, taken))
}

/// `text` with emoji for their names.
pub(super) fn with_emoji(text: &str) -> Cow<'_, str> {
    if !text.contains(':') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(':') {
        shown.push_str(&rest[..at]);
        rest = &rest[at..];
        let (glyph, taken) = emoji_at_start(rest).unwrap_or((":", 1));
        shown.push_str(glyph);
        rest = &rest[taken..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// The words of a text object, for where no markup can stand: attributes, options.
pub(super) fn plain(object: &Value) -> String {
    let text = object.as_str().or(object["text"].as_str()).unwrap_or_default();
    let text = decode(text);
    // Attributes and options are one line, and a browser would change other control characters on its own.
    let text = if object["emoji"] == false { text } else { Cow::Owned(with_emoji(&text).into_owned()) };
    visible(&text).into_owned()
}

/// A text object without formatting, or a bare string.
pub(crate) fn plain_text(object: &Value) -> Markup {
    words(&plain(object))
}

/// A text object as its `type` says.
pub(super) fn text_object(object: &Value, surface: &Surface<'_>) -> Markup {
    if object["type"] == "mrkdwn" {
        let is_verbatim = object["verbatim"] == true;
        let reader = mrkdwn::Reader { directory: surface.directory, viewer: surface.viewer, is_verbatim };
        reader.read(object["text"].as_str().unwrap_or_default())
    } else {
        plain_text(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn entities_are_decoded_once_and_escaped_once() {
        assert_eq!(decode("&lt;b&gt; &amp;lt; &amp;amp; &quot; & &"), "<b> &lt; &amp; &quot; & &");
        assert_eq!(
            plain_text(&json!({"type": "plain_text", "text": "a &lt;b&gt; &amp; \"c\""})).0,
            "a &lt;b&gt; &amp; &quot;c&quot;"
        );
    }

    #[test]
    fn line_breaks_of_plain_text_are_kept() {
        assert_eq!(plain_text(&json!({"text": "one\ntwo"})).0, "one<br>two");
        assert_eq!(plain_text(&json!({"text": "one\r\ntwo"})).0, "one<br>two");
    }

    #[test]
    fn hidden_characters_are_shown() {
        assert_eq!(visible("a\0b\u{1b}c\td"), "a\u{fffd}b\u{fffd}c\td");
    }

    #[test]
    fn emoji_stand_for_their_names() {
        let shown = |text: &str| plain(&json!({"type": "plain_text", "text": text}));
        assert_eq!(shown("hi :wave:!"), "hi 👋!");
        assert_eq!(shown(":wave::skin-tone-6:"), "👋🏿");
        assert_eq!(shown(":thinking_face:"), "🤔");
        assert_eq!(shown(":no_such_emoji: 10:30:45 ::"), ":no_such_emoji: 10:30:45 ::");
        assert_eq!(plain(&json!({"type": "plain_text", "text": ":wave:", "emoji": false})), ":wave:");
    }

    #[test]
    fn links_lead_to_the_web_or_to_mail() {
        for url in ["https://example.com/a?b=c&d", "HTTP://EXAMPLE.COM", "mailto:ada@example.com"] {
            assert_eq!(link_target(url), Some(url));
        }
        for url in [
            "javascript:alert(1)",
            "java\nscript:alert(1)",
            " https://example.com",
            "https://exa mple.com",
            "data:text/html,x",
            "//example.com",
            "/console",
            "https://",
            "vbscript:x",
            "file:///etc/passwd",
            "ü",
        ] {
            assert_eq!(link_target(url), None, "{url}");
        }
        assert_eq!(image_source("mailto:ada@example.com"), None);
    }

    #[test]
    fn a_refused_link_keeps_its_words_and_says_why() {
        assert_eq!(
            link("javascript:alert(1)", &words("x")).0,
            r#"<span class="bk-refused-link" title="Not a link here: javascript:alert(1)">x</span>"#
        );
    }
}
