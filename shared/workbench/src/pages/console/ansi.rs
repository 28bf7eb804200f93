//! A compiler's own rendering as HTML: its colours become classes, everything else is text.
//! Invariant: a class is one of ours, whatever the text says.
//! Source: ECMA-48, 8.3.117 (SGR); links are OSC 8.

use maud::{Markup, html};

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Look {
    is_bold: bool,
    colour: Option<usize>,
}

const COLOURS: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

impl Look {
    fn class(self) -> Option<String> {
        let colour = self.colour.and_then(|colour| COLOURS.get(colour)).map(|colour| format!("ansi-{colour}"));
        match (self.is_bold, colour) {
            (false, None) => None,
            (true, None) => Some("ansi-bold".to_owned()),
            (false, Some(colour)) => Some(colour),
            (true, Some(colour)) => Some(format!("ansi-bold {colour}")),
        }
    }

    /// Follows one "select graphic rendition".
    fn follow(&mut self, parameters: &str) {
        let mut codes = parameters.split([';', ':']).map(|code| code.parse::<usize>().unwrap_or_default());
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                22 => self.is_bold = false,
                30..=37 => self.colour = Some(code - 30),
                90..=97 => self.colour = Some(code - 90),
                39 => self.colour = None,
                // Of the 256 colours the first sixteen have names; 48 is the ground.
                38 | 48 => match codes.next() {
                    Some(5) => {
                        let number = codes.next().filter(|number| *number < 16);
                        if code == 38 {
                            self.colour = number.map(|number| number % 8);
                        }
                    }
                    Some(2) => drop(codes.by_ref().take(3).count()),
                    _ => {}
                },
                _ => {}
            }
        }
    }
}

/// Text with ANSI colours as markup.
pub(super) fn ansi(text: &str) -> Markup {
    let pieces = pieces(text);
    html! {
        @for (look, piece) in &pieces {
            @match look.class() {
                Some(class) => span class=(class) { (piece) }
                None => (piece)
            }
        }
    }
}

fn pieces(text: &str) -> Vec<(Look, &str)> {
    let mut pieces = Vec::new();
    let mut look = Look::default();
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        if !before.is_empty() {
            pieces.push((look, before));
        }
        rest = match sequence.chars().next() {
            Some('[') => {
                let end = sequence[1..].find(|letter: char| ('@'..='~').contains(&letter)).map(|at| at + 1);
                match end {
                    Some(end) => {
                        if sequence[end..].starts_with('m') {
                            look.follow(&sequence[1..end]);
                        }
                        &sequence[end + 1..]
                    }
                    None => "",
                }
            }
            // A link ends with BEL or ESC \; its text stays.
            Some(']') => match sequence.find(['\u{7}', '\u{1b}']) {
                Some(end) if sequence[end..].starts_with('\u{7}') => &sequence[end + 1..],
                Some(end) => sequence[end + 1..].strip_prefix('\\').unwrap_or(&sequence[end + 1..]),
                None => "",
            },
            _ => sequence,
        };
    }
    if !rest.is_empty() {
        pieces.push((look, rest));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compilers_error_keeps_its_words_and_colours() {
        // As rustc 1.95 renders it with `--error-format=json --json=diagnostic-rendered-ansi`.
        let text = "\u{1b}[1m\u{1b}[91merror[E0425]\u{1b}[0m\u{1b}[1m: cannot find value `x`\u{1b}[0m\n \u{1b}[94m--> \u{1b}[0msrc/main.rs:2:5\n";
        assert_eq!(
            ansi(text).into_string(),
            "<span class=\"ansi-bold ansi-red\">error[E0425]</span><span class=\"ansi-bold\">: cannot find value `x`</span>\n \
             <span class=\"ansi-blue\">--&gt; </span>src/main.rs:2:5\n"
        );
    }

    #[test]
    fn the_sixteen_named_ones_of_256_colours_are_known_and_others_are_plain() {
        assert_eq!(ansi("\u{1b}[38;5;9ma\u{1b}[0mb").into_string(), "<span class=\"ansi-red\">a</span>b");
        assert_eq!(ansi("\u{1b}[38;5;208ma").into_string(), "a");
        assert_eq!(ansi("\u{1b}[38;2;1;31;3;32ma").into_string(), "<span class=\"ansi-green\">a</span>");
        assert_eq!(ansi("\u{1b}[48;5;1ma").into_string(), "a");
    }

    #[test]
    fn links_lose_their_target_and_keep_their_words() {
        let bel = "see \u{1b}]8;;javascript:alert(1)\u{7}E0425\u{1b}]8;;\u{7}.";
        assert_eq!(ansi(bel).into_string(), "see E0425.");
        let st = "see \u{1b}]8;;https://example.com\u{1b}\\E0425\u{1b}]8;;\u{1b}\\.";
        assert_eq!(ansi(st).into_string(), "see E0425.");
    }

    #[test]
    fn no_text_becomes_markup_and_no_sequence_a_class() {
        for hostile in [
            "<script>alert(1)</script>",
            "\u{1b}[\"><img src=x>m",
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}]",
            "\u{1b}[999999999999m<b>",
        ] {
            let markup = ansi(hostile).into_string();
            assert!(!markup.contains("<script") && !markup.contains("<img") && !markup.contains("<b>"), "{markup}");
        }
    }
}
