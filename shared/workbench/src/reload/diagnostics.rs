//! What cargo says on standard output with `--message-format=json-diagnostic-rendered-ansi`: one JSON object a line. Pure.
//! Not here: running it ([`super::compile`]).
//! Source: <https://doc.rust-lang.org/cargo/reference/external-tools.html>, <https://doc.rust-lang.org/rustc/json.html>

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    /// The whole error as rustc shows it, over several lines, with ANSI colours.
    pub(crate) rendered: String,
    /// Its first line without colours.
    pub(crate) message: String,
    /// Where it is: relative to the workspace.
    pub(crate) file: Option<String>,
    /// Its line there, from 1.
    pub(crate) line: Option<u64>,
}

/// What was said so far.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The errors in cargo's order.
    pub(super) errors: Vec<Diagnostic>,
    /// Where the binary is, once it is built.
    pub(super) executable: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Diagnostic { message: RustcMessage },
    #[serde(rename = "compiler-artifact")]
    Artifact { target: Target, executable: Option<PathBuf> },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct RustcMessage {
    level: String,
    message: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u64,
    is_primary: bool,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Messages {
    /// Takes one line. What is not cargo's (a build script may print anything) is passed over.
    pub(super) fn read(&mut self, line: &str, bin: &str) {
        match serde_json::from_str(line) {
            Ok(Message::Diagnostic { message }) if message.level.starts_with("error") => self.error(message),
            Ok(Message::Artifact { target, executable: Some(executable) })
                if target.name == bin && target.kind.iter().any(|kind| kind == "bin") =>
            {
                self.executable = Some(executable);
            }
            _ => {}
        }
    }

    fn error(&mut self, message: RustcMessage) {
        // The last word of a crate that has errors, and none of them.
        if message.message.starts_with("aborting due to") {
            return;
        }
        let place = message.spans.into_iter().find(|span| span.is_primary);
        let error = Diagnostic {
            rendered: message.rendered.unwrap_or_else(|| format!("error: {}\n", message.message)),
            message: message.message,
            line: place.as_ref().map(|span| span.line_start),
            file: place.map(|span| span.file_name),
        };
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// What cargo itself complained of on standard error, such as a manifest it cannot read or a build script that failed.
pub(super) fn of_cargo(stderr: &str) -> Diagnostic {
    let rest = stderr.find("error").map_or(stderr, |start| &stderr[start..]).trim_end();
    let first = rest.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first);
    let message = if message.is_empty() { "cargo failed without a word" } else { message };
    Diagnostic { rendered: format!("{rest}\n"), message: message.to_owned(), file: None, line: None }
}

/// Text without ANSI colours and links.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = match sequence.chars().next() {
            // A control sequence ends with its first byte from @ to ~.
            Some('[') => after(&sequence[1..], |c| ('@'..='~').contains(&c)),
            // An operating system command ends with BEL or ESC \.
            Some(']') => after(&sequence[1..], |c| c == '\u{7}' || c == '\\'),
            _ => sequence,
        };
    }
    plain.push_str(rest);
    plain
}

fn after(text: &str, end: impl Fn(char) -> bool) -> &str {
    text.find(end)
        .and_then(|at| text[at..].char_indices().nth(1).map(|(next, _)| &text[at + next..]))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    // As cargo 1.95 printed them, shortened to the fields it documents.
    const UNRESOLVED: &str = r#"{"reason":"compiler-message","package_id":"path+file:///app#0.1.0","manifest_path":"/app/Cargo.toml","target":{"kind":["bin"],"crate_types":["bin"],"name":"tack","src_path":"/app/src/main.rs","edition":"2024"},"message":{"rendered":"\u001b[1m\u001b[91merror[E0425]\u001b[0m\u001b[1m: cannot find value `x`\u001b[0m\n \u001b[94m--> \u001b[0msrc/main.rs:2:5\n","$message_type":"diagnostic","children":[],"level":"error","message":"cannot find value `x`","spans":[{"byte_end":21,"byte_start":20,"column_end":6,"column_start":5,"expansion":null,"file_name":"src/other.rs","is_primary":false,"label":null,"line_end":9,"line_start":9},{"byte_end":21,"byte_start":20,"column_end":6,"column_start":5,"expansion":null,"file_name":"src/main.rs","is_primary":true,"label":"not found in this scope","line_end":2,"line_start":2}],"code":{"code":"E0425","explanation":null}}}"#;
    const ABORTING: &str = r#"{"reason":"compiler-message","message":{"rendered":"error: aborting due to 1 previous error\n","level":"error","message":"aborting due to 1 previous error","spans":[],"code":null}}"#;
    const WARNING: &str = r#"{"reason":"compiler-message","message":{"rendered":"warning: unused\n","level":"warning","message":"unused variable: `x`","spans":[],"code":null}}"#;
    const LIBRARY: &str = r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"crate_types":["lib"],"name":"tack"},"profile":{"opt_level":"0"},"features":[],"filenames":["/t/libtack.rlib"],"executable":null,"fresh":true}"#;
    const BINARY: &str = r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"crate_types":["bin"],"name":"tack"},"profile":{"opt_level":"0"},"features":[],"filenames":["/t/debug/tack"],"executable":"/t/debug/tack","fresh":false}"#;

    fn read(lines: &[&str]) -> Messages {
        let mut messages = Messages::default();
        lines.iter().for_each(|line| messages.read(line, "tack"));
        messages
    }

    #[test]
    fn an_error_has_its_rendering_its_message_and_its_primary_place() {
        let messages = read(&[WARNING, UNRESOLVED, ABORTING, r#"{"reason":"build-finished","success":false}"#]);
        let [error] = messages.errors.as_slice() else { panic!("{messages:?}") };
        assert_eq!(error.message, "cannot find value `x`");
        assert_eq!((error.file.as_deref(), error.line), (Some("src/main.rs"), Some(2)));
        assert_eq!(plain(&error.rendered), "error[E0425]: cannot find value `x`\n --> src/main.rs:2:5\n");
        assert_eq!(messages.executable, None);
    }

    #[test]
    fn an_error_that_is_said_twice_counts_once() {
        assert_eq!(read(&[UNRESOLVED, UNRESOLVED]).errors.len(), 1);
    }

    #[test]
    fn the_executable_is_that_of_the_binary() {
        assert_eq!(read(&[LIBRARY]).executable, None);
        assert_eq!(read(&[LIBRARY, BINARY]).executable, Some("/t/debug/tack".into()));
        let mut other = Messages::default();
        other.read(BINARY, "worker");
        assert_eq!(other.executable, None);
    }

    #[test]
    fn what_is_no_message_of_cargo_is_passed_over() {
        let messages = read(&["", "hello", "{}", "[1]", r#"{"reason":"build-script-executed","env":[]}"#]);
        assert!(messages.errors.is_empty() && messages.executable.is_none());
    }

    #[test]
    fn what_cargo_itself_complains_of_is_an_error_without_a_place() {
        let error = of_cargo("warning: a\nerror: failed to parse manifest at `/app/Cargo.toml`\n\nCaused by:\n  why\n");
        assert_eq!(error.message, "failed to parse manifest at `/app/Cargo.toml`");
        assert!(error.rendered.ends_with("Caused by:\n  why\n") && !error.rendered.contains("warning"));
        assert_eq!(of_cargo("").message, "cargo failed without a word");
    }

    #[test]
    fn plain_text_has_neither_colours_nor_links() {
        assert_eq!(plain("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: ä"), "error: ä");
        assert_eq!(plain("\u{1b}]8;;https://doc.rust-lang.org\u{7}E0425\u{1b}]8;;\u{7}!"), "E0425!");
        assert_eq!(plain("\u{1b}]8;;https://x\u{1b}\\E1\u{1b}]8;;\u{1b}\\."), "E1.");
        assert_eq!(plain("cut \u{1b}[3"), "cut ");
    }
}
