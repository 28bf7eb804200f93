//! The verbs against a workbench that is made up: what they ask, what they print, how they end.

mod failures;
mod fake;
mod hints;
mod installs;
mod reading;
mod recorded;
mod sending;

use super::output::{Asking, Terminal};
use super::session::Session;
use super::{Cli, carry_out, ended};
use clap::Parser;
use fake::Fake;
use serde_json::Value;
use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

/// A folder of its own that goes with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tack-cli-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Written text that a test reads afterwards.
#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How a verb ended, and what it printed.
#[derive(Debug)]
struct Ran {
    exit: u8,
    out: String,
    err: String,
}

impl Ran {
    /// stdout as one JSON object on one line.
    fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.out).unwrap()
    }

    /// stderr as `{"error": …}`.
    fn error(&self) -> Value {
        let error: Value = serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("{self:?}"));
        error["error"].clone()
    }

    /// The line after `try:`, which ends every error for people.
    fn hint(&self) -> String {
        let last = self.err.trim_end().lines().last().unwrap_or_default();
        last.strip_prefix("  try: ").unwrap_or_else(|| panic!("no hint at the end: {self:?}")).to_owned()
    }
}

async fn run_with(asking: Asking, is_coloured: bool, arguments: &[&str]) -> Ran {
    let cli = Cli::try_parse_from(std::iter::once(&"tack").chain(arguments)).unwrap_or_else(|error| panic!("{error}"));
    let (out, err) = (Paper::default(), Paper::default());
    let terminal = Terminal {
        json: cli.global.json,
        quiet: cli.global.quiet,
        is_coloured,
        asking,
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
    };
    let mut session = Session {
        terminal,
        workbench: cli.global.workbench,
        timeout: cli.global.timeout,
        run_folder: PathBuf::from("/nonexistent"),
    };
    let done = carry_out(cli.verb.unwrap(), &mut session).await;
    let exit = ended(done, &mut session.terminal).code();
    Ran { exit, out: out.text(), err: err.text() }
}

/// Runs a verb in a script: nobody can be asked.
async fn tack(fake: &Fake, arguments: &[&str]) -> Ran {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--workbench", &fake.url]);
    run_with(Asking::Nobody, false, &arguments).await
}

/// Runs a verb at a terminal where somebody answers.
async fn tack_asked(fake: &Fake, answer: &'static str, arguments: &[&str]) -> Ran {
    let mut arguments = arguments.to_vec();
    arguments.extend(["--workbench", &fake.url]);
    run_with(Asking::Answered(answer), false, &arguments).await
}
