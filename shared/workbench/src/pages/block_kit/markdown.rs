//! The `markdown` block: CommonMark with tables, strikethrough and task lists.
//! Written event by event, so that nesting in the text is not nesting of calls. Invariant: HTML in the text is shown, never used;
//! an image is a link, as in Slack.
//! Source: <https://docs.slack.dev/reference/block-kit/blocks/markdown-block/>

use maud::Markup;
use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::text::{Html, with_emoji};

/// Deeper nesting of lists, quotes and emphasis is shown flat: browsers stop at some hundred levels too.
const NESTING: usize = 32;

/// `text` as HTML.
pub(super) fn markdown(text: &str) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut writer = Writer::default();
    for event in Parser::new_ext(text, options) {
        writer.event(event);
    }
    writer.html.finish()
}

#[derive(Default)]
struct Writer {
    html: Html,
    /// The closing tags of what is open.
    open: Vec<&'static str>,
    nesting: usize,
    is_in_link: bool,
    is_in_code: bool,
    is_in_table_head: bool,
    alignments: Vec<Alignment>,
    column: usize,
}

impl Writer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => {
                let close = self.start(tag);
                self.open.push(close);
            }
            Event::End(tag) => {
                let close = self.open.pop().unwrap_or_default();
                self.html.tag(close);
                self.end(tag);
            }
            Event::Text(text) if self.is_in_code => self.html.preformatted(&text),
            Event::Text(text) => self.html.words(&with_emoji(&text)),
            Event::Code(text) => {
                self.html.tag("<code>");
                self.html.words(&text);
                self.html.tag("</code>");
            }
            Event::Html(text) | Event::InlineHtml(text) => self.html.words(text.trim_end_matches('\n')),
            Event::SoftBreak => self.html.tag("\n"),
            Event::HardBreak => self.html.tag("<br>"),
            Event::Rule => self.html.tag("<hr class=\"bk-divider\">"),
            Event::TaskListMarker(true) => self.html.tag("<span role=\"img\" aria-label=\"done\">☑</span> "),
            Event::TaskListMarker(false) => self.html.tag("<span role=\"img\" aria-label=\"to do\">☐</span> "),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.html.words(&text);
            }
        }
    }

    /// Opens what `tag` says and answers with what closes it.
    fn start(&mut self, tag: Tag<'_>) -> &'static str {
        let (open, close) = match tag {
            Tag::Paragraph | Tag::HtmlBlock => ("<p>", "</p>"),
            Tag::Heading { level, .. } => (heading(level), "</h2>"),
            Tag::BlockQuote(_) => return self.nested("<blockquote class=\"bk-quote\">", "</blockquote>"),
            Tag::List(None) => return self.nested("<ul>", "</ul>"),
            Tag::List(Some(start)) => {
                let close = self.nested("", "</ol>");
                if !close.is_empty() {
                    self.html.open("ol", &super::text::Attributes::default().set("start", start.to_string()));
                }
                return close;
            }
            Tag::Item => return self.nested("<li>", "</li>"),
            Tag::Emphasis => return self.nested("<em>", "</em>"),
            Tag::Strong => return self.nested("<strong>", "</strong>"),
            Tag::Strikethrough => return self.nested("<s>", "</s>"),
            Tag::CodeBlock(_) => {
                self.is_in_code = true;
                ("<pre class=\"bk-pre\" tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>", "</code></pre>")
            }
            // Links do not stand in links; an image in one is its words.
            Tag::Link { .. } | Tag::Image { .. } if self.is_in_link => return "",
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.is_in_link = true;
                return self.html.open_link(&dest_url);
            }
            Tag::Table(alignments) => {
                self.alignments = alignments;
                (
                    "<div class=\"bk-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"bk-table\">",
                    "</tbody></table></div>",
                )
            }
            Tag::TableHead => {
                (self.is_in_table_head, self.column) = (true, 0);
                ("<thead><tr>", "</tr></thead><tbody>")
            }
            Tag::TableRow => {
                self.column = 0;
                ("<tr>", "</tr>")
            }
            Tag::TableCell => {
                let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
                self.column += 1;
                cell(self.is_in_table_head, alignment)
            }
            _ => ("", ""),
        };
        self.html.tag(open);
        close
    }

    fn nested(&mut self, open: &'static str, close: &'static str) -> &'static str {
        self.nesting += 1;
        if self.nesting > NESTING {
            return "";
        }
        self.html.tag(open);
        close
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::CodeBlock => self.is_in_code = false,
            TagEnd::TableHead => self.is_in_table_head = false,
            TagEnd::Link | TagEnd::Image => {
                // The inner one of two ends first and was not opened.
                self.is_in_link = self.open.iter().any(|close| *close == "</a>" || *close == "</span>");
            }
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough => self.nesting -= 1,
            _ => {}
        }
    }
}

/// Headings of a message are parts of the message, whatever their level: only their size differs.
fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "<h2 class=\"bk-md-h1\">",
        HeadingLevel::H2 => "<h2 class=\"bk-md-h2\">",
        _ => "<h2 class=\"bk-md-h3\">",
    }
}

fn cell(is_head: bool, alignment: Alignment) -> (&'static str, &'static str) {
    match (is_head, alignment) {
        (true, Alignment::Right) => ("<th scope=\"col\" class=\"bk-right\">", "</th>"),
        (true, Alignment::Center) => ("<th scope=\"col\" class=\"bk-center\">", "</th>"),
        (true, _) => ("<th scope=\"col\">", "</th>"),
        (false, Alignment::Right) => ("<td class=\"bk-right\">", "</td>"),
        (false, Alignment::Center) => ("<td class=\"bk-center\">", "</td>"),
        (false, _) => ("<td>", "</td>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(markdown(text).0, expected, "{text}");
    }

    #[test]
    fn what_slack_documents_is_shown() {
        check(
            "**bold** _italic_ ~~gone~~ `code`",
            "<p><strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code></p>",
        );
        check("# One\n\n## Two", "<h2 class=\"bk-md-h1\">One</h2><h2 class=\"bk-md-h2\">Two</h2>");
        check("- a\n- b", "<ul><li>a</li><li>b</li></ul>");
        check("3. a\n4. b", "<ol start=\"3\"><li>a</li><li>b</li></ol>");
        check("> quoted", "<blockquote class=\"bk-quote\"><p>quoted</p></blockquote>");
        check("---", "<hr class=\"bk-divider\">");
        check(
            "```rust\nlet a = \"<b>\";\n```",
            "<pre class=\"bk-pre\" tabindex=\"0\" role=\"group\" aria-label=\"Code\"><code>let a = &quot;&lt;b&gt;&quot;;\n</code></pre>",
        );
        check(
            "- [x] done\n- [ ] open",
            "<ul><li><span role=\"img\" aria-label=\"done\">☑</span> done</li><li><span role=\"img\" aria-label=\"to do\">☐</span> open</li></ul>",
        );
    }

    #[test]
    fn a_table_scrolls_in_a_box_of_its_own() {
        check(
            "| a | b |\n|---|--:|\n| 1 | 2 |",
            "<div class=\"bk-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table class=\"bk-table\">\
             <thead><tr><th scope=\"col\">a</th><th scope=\"col\" class=\"bk-right\">b</th></tr></thead>\
             <tbody><tr><td>1</td><td class=\"bk-right\">2</td></tr></tbody></table></div>",
        );
    }

    #[test]
    fn links_are_filtered_and_images_are_links() {
        check(
            "[x](https://example.com)",
            "<p><a class=\"bk-link\" href=\"https://example.com\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">x</a></p>",
        );
        check(
            "![a cat](https://example.com/cat.png)",
            "<p><a class=\"bk-link\" href=\"https://example.com/cat.png\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">a cat</a></p>",
        );
        check(
            "[![cat](https://example.com/c.png) more](https://example.com)",
            "<p><a class=\"bk-link\" href=\"https://example.com\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">cat more</a></p>",
        );
        check(
            "[x](javascript:alert(1))",
            "<p><span class=\"bk-refused-link\" title=\"Not a link here: javascript:alert(1)\">x</span></p>",
        );
    }

    #[test]
    fn html_is_shown_and_not_used() {
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>");
    }

    #[test]
    fn nesting_without_end_is_shown_flat() {
        let shown = markdown(&format!("{}deep", "> ".repeat(3_000))).0;
        assert_eq!(shown.matches("<blockquote").count(), NESTING);
        assert_eq!(shown.matches("</blockquote").count(), NESTING);
        assert!(shown.contains("deep"));
    }
}
