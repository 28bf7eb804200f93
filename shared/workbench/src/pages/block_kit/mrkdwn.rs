//! Slack's `mrkdwn`: bold, italic, strike, code, quotes, and what stands between angle brackets.
//! Not here: Markdown (`markdown`), rich text (`rich_text`). Invariant: one pass, time in proportion to the length;
//! a mark without its partner stays text.
//! Source: <https://docs.slack.dev/messaging/formatting-message-text/>

use maud::{Markup, html};

use super::directory::Directory;
use super::moment::date_text;
use super::text::{Html, decode, emoji_at_start, link, link_target, with_emoji, words};

/// Who reads, and how.
pub(super) struct Reader<'a> {
    pub(super) directory: &'a Directory,
    pub(super) viewer: &'a str,
    /// Addresses that stand alone stay text.
    pub(super) is_verbatim: bool,
}

/// What a line is made of.
enum Token<'a> {
    Text(&'a str),
    /// `*`, `_` or `~`, by its place in [`MARKS`].
    Mark {
        kind: usize,
        can_open: bool,
        can_close: bool,
    },
    Code(&'a str),
    Angle(&'a str),
    Emoji(&'static str, &'a str),
    Address(&'a str),
}

/// The mark, its opening and its closing tag.
const MARKS: [(&str, &str, &str); 3] = [("*", "<strong>", "</strong>"), ("_", "<em>", "</em>"), ("~", "<s>", "</s>")];
const FENCE: &str = "```";

impl<'a> Reader<'a> {
    /// `text` as HTML that may stand in a block.
    pub(super) fn read(&self, text: &str) -> Markup {
        let mut html = Html::default();
        let mut rest = text;
        while let Some((before, code, after)) = fenced(rest) {
            self.lines(before.strip_suffix('\n').unwrap_or(before), &mut html);
            preformatted(&decode(code), &mut html);
            rest = after.strip_prefix('\n').unwrap_or(after);
        }
        self.lines(rest, &mut html);
        html.finish()
    }

    fn lines(&self, text: &str, html: &mut Html) {
        if text.is_empty() {
            return;
        }
        let mut rest = Some(text);
        let mut is_first = true;
        while let Some(text) = rest {
            if let Some(quoted) = all_quoted(text) {
                html.tag("<blockquote class=\"bk-quote\">");
                self.inline_lines(quoted.split('\n'), html);
                html.tag("</blockquote>");
                return;
            }
            if let Some(first) = quoted_line(first_line(text).0) {
                html.tag("<blockquote class=\"bk-quote\">");
                let mut quoted = vec![first];
                rest = first_line(text).1;
                while let Some(more) = rest.and_then(|rest| quoted_line(first_line(rest).0)) {
                    quoted.push(more);
                    rest = rest.and_then(|rest| first_line(rest).1);
                }
                self.inline_lines(quoted.into_iter(), html);
                html.tag("</blockquote>");
                // A quote is a block: the line break after it is its own end.
                is_first = true;
                continue;
            }
            if !is_first {
                html.tag("<br>");
            }
            let (line, after) = first_line(text);
            self.inline(line, html);
            is_first = after.is_some_and(|after| quoted_line(first_line(after).0).is_some());
            rest = after;
        }
    }

    fn inline_lines<'t>(&self, lines: impl Iterator<Item = &'t str>, html: &mut Html) {
        for (at, line) in lines.enumerate() {
            if at > 0 {
                html.tag("<br>");
            }
            self.inline(line, html);
        }
    }

    /// One line. Marks do not reach beyond it.
    fn inline(&self, line: &str, html: &mut Html) {
        let tokens = self.tokens(line);
        let pairs = paired(&tokens);
        for (token, pair) in tokens.iter().zip(pairs) {
            match (token, pair) {
                (Token::Text(text), _) => html.words(&decode(text)),
                (Token::Mark { kind, .. }, Pair::Opens) => html.tag(MARKS[*kind].1),
                (Token::Mark { kind, .. }, Pair::Closes) => html.tag(MARKS[*kind].2),
                (Token::Mark { kind, .. }, Pair::None) => html.tag(MARKS[*kind].0),
                (Token::Code(code), _) => {
                    html.tag("<code>");
                    html.words(&decode(code));
                    html.tag("</code>");
                }
                (Token::Angle(inside), _) => html.markup(&self.angle(inside)),
                (Token::Emoji(glyph, name), _) => {
                    html.markup(&html! { span class="bk-emoji" title=(name) { (glyph) } });
                }
                (Token::Address(address), _) => {
                    let address = decode(address);
                    html.markup(&link(&address, &words(&address)));
                }
            }
        }
    }

    fn tokens<'t>(&self, line: &'t str) -> Vec<Token<'t>> {
        let mut tokens = Vec::new();
        let (mut text_start, mut at) = (0, 0);
        while let Some(byte) = line.as_bytes().get(at) {
            let rest = &line[at..];
            let found = match byte {
                b'`' => code(rest),
                b'<' => angle_bracket(rest),
                b':' => emoji_at_start(rest).map(|(glyph, taken)| (Token::Emoji(glyph, &rest[..taken]), taken)),
                b'*' | b'_' | b'~' => Some((mark(line, at), 1)),
                b'h' | b'H' if !self.is_verbatim => address(line, at),
                _ => None,
            };
            let Some((token, taken)) = found else {
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            if text_start < at {
                tokens.push(Token::Text(&line[text_start..at]));
            }
            tokens.push(token);
            at += taken;
            text_start = at;
        }
        if text_start < line.len() {
            tokens.push(Token::Text(&line[text_start..]));
        }
        tokens
    }

    /// What stands between `<` and `>`.
    fn angle(&self, inside: &str) -> Markup {
        let (target, label) = inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
        let label = label.filter(|label| !label.is_empty()).map(|label| with_emoji(&decode(label)).into_owned());
        if let Some(id) = target.strip_prefix('@') {
            return user(self.directory, self.viewer, id, label.as_deref());
        }
        if let Some(id) = target.strip_prefix('#') {
            return channel(self.directory, id, label.as_deref());
        }
        if let Some(command) = target.strip_prefix('!') {
            return special(command, label.as_deref());
        }
        let url = decode(target);
        let shown = url.strip_prefix("mailto:").filter(|_| link_target(&url).is_some()).unwrap_or(&url);
        link(&url, &words(label.as_deref().unwrap_or(shown)))
    }
}

/// The text before a fenced part, the code in it, and the rest.
fn fenced(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find(FENCE)?;
        let code = start + FENCE.len();
        let length = text[code..].find(FENCE)?;
        let end = code + length + FENCE.len();
        if length > 0 {
            return Some((&text[..start], &text[code..code + length], &text[end..]));
        }
        from = end;
    }
}

/// Code in a scroller of its own that the keyboard reaches.
pub(super) fn preformatted(code: &str, html: &mut Html) {
    html.tag("<pre class=\"bk-pre\" tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>");
    let code = code.strip_prefix('\n').unwrap_or(code);
    html.preformatted(code.strip_suffix('\n').unwrap_or(code));
    html.tag("</code></pre>");
}

fn first_line(text: &str) -> (&str, Option<&str>) {
    text.split_once('\n').map_or((text, None), |(line, rest)| (line, Some(rest)))
}

/// The text after `>`, in either spelling.
fn quoted_line(line: &str) -> Option<&str> {
    let quoted = line.strip_prefix("&gt;").or(line.strip_prefix('>'))?;
    Some(quoted.strip_prefix(' ').unwrap_or(quoted))
}

/// Everything after `>>>`.
fn all_quoted(text: &str) -> Option<&str> {
    let quoted = text.strip_prefix("&gt;&gt;&gt;").or(text.strip_prefix(">>>"))?;
    Some(quoted.strip_prefix([' ', '\n']).unwrap_or(quoted))
}

fn code(rest: &str) -> Option<(Token<'_>, usize)> {
    let end = rest[1..].find('`').filter(|end| *end > 0)?;
    Some((Token::Code(&rest[1..=end]), end + 2))
}

fn angle_bracket(rest: &str) -> Option<(Token<'_>, usize)> {
    let end = rest[1..].find(['<', '>']).filter(|end| *end > 0 && rest[1 + end..].starts_with('>'))?;
    let inside = &rest[1..=end];
    let is_scheme = |target: &str| {
        let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme);
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    (inside.starts_with(['@', '#', '!']) || is_scheme(inside)).then_some((Token::Angle(inside), end + 2))
}

/// A mark opens before a word and closes behind one.
fn mark(line: &str, at: usize) -> Token<'_> {
    let before = line[..at].chars().next_back();
    let after = line[at + 1..].chars().next();
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let is_space = |character: Option<char>| character.is_none_or(char::is_whitespace);
    Token::Mark {
        kind: MARKS.iter().position(|(mark, ..)| line[at..].starts_with(mark)).unwrap_or_default(),
        can_open: !is_word(before) && !is_space(after),
        can_close: !is_space(before) && !is_word(after),
    }
}

/// An address that stands alone.
fn address(line: &str, at: usize) -> Option<(Token<'_>, usize)> {
    let rest = &line[at..];
    let starts = |scheme: &str| rest.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !(starts("https://") || starts("http://")) || line[..at].ends_with(char::is_alphanumeric) {
        return None;
    }
    let end = rest.find(|character: char| character.is_whitespace() || "<>|`\"".contains(character));
    let address = &rest[..end.unwrap_or(rest.len())];
    // A sentence's own marks are not part of the address.
    let address = address.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '*', '_', '~']);
    link_target(address).map(|address| (Token::Address(address), address.len()))
}

#[derive(Clone, Copy)]
enum Pair {
    None,
    Opens,
    Closes,
}

/// Which marks belong together. Of each kind at most one is open, so the nesting is at most as deep as there are kinds.
fn paired(tokens: &[Token<'_>]) -> Vec<Pair> {
    let mut pairs = vec![Pair::None; tokens.len()];
    // The open mark's place, and how much other than marks had been seen there.
    let mut open: [Option<(usize, usize)>; MARKS.len()] = [None; MARKS.len()];
    let mut content = 0;
    for (at, token) in tokens.iter().enumerate() {
        let Token::Mark { kind, can_open, can_close } = *token else {
            content += 1;
            continue;
        };
        match open[kind] {
            Some((start, before)) if can_close && content > before => {
                (pairs[start], pairs[at]) = (Pair::Opens, Pair::Closes);
                // What was opened inside and not closed inside stays text.
                for other in &mut open {
                    *other = other.filter(|(other, _)| *other < start);
                }
            }
            None if can_open => open[kind] = Some((at, content)),
            _ => {}
        }
    }
    pairs
}

/// A mention of someone; the one who looks sees their own marked.
pub(super) fn user(directory: &Directory, viewer: &str, id: &str, label: Option<&str>) -> Markup {
    let name = directory.user(id).or(label).unwrap_or(id).trim_start_matches('@');
    let class = if !viewer.is_empty() && id == viewer { "bk-mention bk-mention-me" } else { "bk-mention" };
    html! { span class=(class) data-user=(id) { "@" (words(name)) } }
}

/// A mention of a channel.
pub(super) fn channel(directory: &Directory, id: &str, label: Option<&str>) -> Markup {
    let name = directory.conversation(id).or(label).unwrap_or(id).trim_start_matches('#');
    html! { span class="bk-mention" data-channel=(id) { "#" (words(name)) } }
}

/// A mention of many: `here`, `channel`, `everyone`, or a user group's name.
pub(super) fn group(name: &str) -> Markup {
    html! { span class="bk-mention bk-mention-group" { "@" (words(name.trim_start_matches('@'))) } }
}

/// What begins with `!`.
fn special(command: &str, label: Option<&str>) -> Markup {
    if let Some(date) = command.strip_prefix("date^") {
        let mut parts = date.splitn(3, '^');
        let epoch_s = parts.next().and_then(|epoch_s| epoch_s.parse().ok());
        let format = decode(parts.next().unwrap_or_default());
        let url = parts.next().map(decode);
        return date_markup(epoch_s, &format, url.as_deref(), label.unwrap_or(command));
    }
    match command.split_once('^').map_or((command, None), |(command, rest)| (command, Some(rest))) {
        ("here" | "channel" | "everyone", _) => group(command),
        ("subteam", Some(id)) => group(label.unwrap_or(id)),
        (other, _) => words(label.unwrap_or(other)),
    }
}

/// A date in UTC, or its fallback.
pub(super) fn date_markup(epoch_s: Option<i64>, format: &str, url: Option<&str>, fallback: &str) -> Markup {
    let text = epoch_s.and_then(|epoch_s| date_text(epoch_s, format));
    let stamp = epoch_s.and_then(|epoch_s| date_text(epoch_s, "{date_num}"));
    let shown = match (&text, stamp) {
        (Some(text), Some(day)) => {
            html! { time datetime=(day) title=(format!("{fallback} (shown in UTC)")) { (words(text)) } }
        }
        _ => words(fallback),
    };
    url.map_or_else(|| shown.clone(), |url| link(url, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        Reader { directory: &Directory::acme(), viewer: "U0ADA0001", is_verbatim: false }.read(text).0
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(read(text), expected, "{text}");
    }

    fn web(url: &str, words: &str) -> String {
        format!(
            "<a class=\"bk-link\" href=\"{url}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{words}</a>"
        )
    }

    #[test]
    fn documented_marks_format() {
        check("*bold* _italic_ ~strike~", "<strong>bold</strong> <em>italic</em> <s>strike</s>");
        check("This is `inline *code*` here", "This is <code>inline *code*</code> here");
        check("*_both_* (_x_), *a b*.", "<strong><em>both</em></strong> (<em>x</em>), <strong>a b</strong>.");
        check("one\ntwo", "one<br>two");
    }

    #[test]
    fn a_mark_without_its_partner_stays_text() {
        for text in [
            "2 * 3 * 4",
            "*",
            "**",
            "***",
            "a*b*c",
            "snake_case_name",
            "*open",
            "close*",
            "`open",
            "``",
            "~ x ~",
            "* a*",
        ] {
            check(text, text);
        }
        check("*one\ntwo*", "*one<br>two*");
        check("*a _b* c_", "<strong>a _b</strong> c_");
    }

    #[test]
    fn fenced_code_keeps_its_lines_and_marks() {
        let pre = |code: &str| {
            format!("<pre class=\"bk-pre\" tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>{code}</code></pre>")
        };
        check("```one\n*two*```", &pre("one\n*two*"));
        check("before\n```\nlet a = 1;\n```\nafter", &format!("before{}after", pre("let a = 1;")));
        check("```a``` ```b```", &format!("{} {}", pre("a"), pre("b")));
        check("```open", "```open");
        check("`````` ```a```", &format!("`````` {}", pre("a")));
    }

    #[test]
    fn quotes_reach_over_their_lines() {
        let quote = |text: &str| format!("<blockquote class=\"bk-quote\">{text}</blockquote>");
        check("> one\n> *two*\nthree", &format!("{}three", quote("one<br><strong>two</strong>")));
        check("before\n&gt; as people's messages have it", &format!("before{}", quote("as people's messages have it")));
        check(">>> all\nof it", &quote("all<br>of it"));
        check("a > b", "a &gt; b");
    }

    #[test]
    fn people_channels_and_groups_are_mentioned_by_name() {
        check("<@U0GRACE01>", "<span class=\"bk-mention\" data-user=\"U0GRACE01\">@Grace Hopper</span>");
        check("<@U0ADA0001>", "<span class=\"bk-mention bk-mention-me\" data-user=\"U0ADA0001\">@Ada Lovelace</span>");
        check("<@U0TACKBOT>", "<span class=\"bk-mention\" data-user=\"U0TACKBOT\">@tack</span>");
        check("<@U0NOBODY1>", "<span class=\"bk-mention\" data-user=\"U0NOBODY1\">@U0NOBODY1</span>");
        check("<@U0NOBODY1|nobody>", "<span class=\"bk-mention\" data-user=\"U0NOBODY1\">@nobody</span>");
        check("<#C0PLAY001>", "<span class=\"bk-mention\" data-channel=\"C0PLAY001\">#playground</span>");
        check("<#C0OTHER01|other>", "<span class=\"bk-mention\" data-channel=\"C0OTHER01\">#other</span>");
        check(
            "<!here> <!channel>",
            "<span class=\"bk-mention bk-mention-group\">@here</span> <span class=\"bk-mention bk-mention-group\">@channel</span>",
        );
        check("<!subteam^SAZ94GDB8>", "<span class=\"bk-mention bk-mention-group\">@SAZ94GDB8</span>");
        check("<!subteam^SAZ94GDB8|@cooks>", "<span class=\"bk-mention bk-mention-group\">@cooks</span>");
    }

    #[test]
    fn links_have_their_label_or_their_address() {
        check("<https://example.com|here *x*>", &web("https://example.com", "here *x*"));
        check(
            "<https://example.com/a?b=c&amp;d=e>",
            &web("https://example.com/a?b=c&amp;d=e", "https://example.com/a?b=c&amp;d=e"),
        );
        check("<mailto:bob@example.com|Email Bob>", &web("mailto:bob@example.com", "Email Bob"));
        check("<mailto:bob@example.com>", &web("mailto:bob@example.com", "bob@example.com"));
        check("*<https://example.com|x>*", &format!("<strong>{}</strong>", web("https://example.com", "x")));
    }

    #[test]
    fn an_address_that_stands_alone_is_a_link_unless_verbatim() {
        check(
            "see https://example.com/a_b_c.",
            &format!("see {}.", web("https://example.com/a_b_c", "https://example.com/a_b_c")),
        );
        check("xhttps://example.com", "xhttps://example.com");
        let reader = Reader { directory: &Directory::acme(), viewer: "", is_verbatim: true };
        assert_eq!(reader.read("https://example.com").0, "https://example.com");
    }

    #[test]
    fn an_address_that_may_not_be_followed_is_words() {
        check(
            "<javascript:alert(1)|x>",
            "<span class=\"bk-refused-link\" title=\"Not a link here: javascript:alert(1)\">x</span>",
        );
    }

    #[test]
    fn dates_are_formatted_in_utc_and_fall_back() {
        check(
            "<!date^1392734382^Posted {date_num} {time_secs}|Posted 2014-02-18 6:39:42 AM PST>",
            "<time datetime=\"2014-02-18\" title=\"Posted 2014-02-18 6:39:42 AM PST (shown in UTC)\">Posted 2014-02-18 2:39:42 PM</time>",
        );
        check(
            "<!date^1392734382^{date_short}^https://example.com/|Feb 18, 2014 PST>",
            &web(
                "https://example.com/",
                "<time datetime=\"2014-02-18\" title=\"Feb 18, 2014 PST (shown in UTC)\">Feb 18, 2014</time>",
            ),
        );
        check("<!date^soon^{date}|soon>", "soon");
        check("<!date^1392734382^{never}|the fallback>", "the fallback");
    }

    #[test]
    fn entities_are_text_and_never_marks() {
        check("&lt;@U0ADA0001&gt; &amp;lt; a &amp; b", "&lt;@U0ADA0001&gt; &amp;lt; a &amp; b");
        check("a < b and <b>bold</b>", "a &lt; b and &lt;b&gt;bold&lt;/b&gt;");
    }

    #[test]
    fn emoji_have_their_name_as_title() {
        check(":tada:", "<span class=\"bk-emoji\" title=\":tada:\">🎉</span>");
        check(":not_an_emoji_of_slack:", ":not_an_emoji_of_slack:");
        check("10:30:45", "10:30:45");
    }
}
