//! Why a verb did not do what it was asked: a sentence, an exit code, and what to type next.
//! Invariant: every failure ends in a hint unless its sentence says what to do, and every hint is a command that parses.

use super::exit::Exit;
use serde_json::{Value, json};

/// What to type next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    /// Nothing: the sentence says what to do.
    Nothing,
    /// Start the workbench.
    Run,
    /// The help of a verb; empty for the whole.
    Help(&'static str),
    /// A kind of trigger that was probably meant.
    Kind(String),
    /// All kinds and samples.
    Kinds,
    /// A fault that was probably meant.
    Fault(String),
    /// A verb that lists what there is.
    List(&'static str),
    /// A whole command line, after `cargo tack`.
    Command(String),
    /// The story of a delivery.
    Why(String),
    /// What the workbench itself advises.
    Advice(String),
}

impl Hint {
    /// The line after `try:`.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Run => "cargo run".to_owned(),
            Self::Help("") => "cargo tack --help".to_owned(),
            Self::Help(verb) => format!("cargo tack {verb} --help"),
            Self::Kind(kind) => format!("cargo tack trigger {kind}      (all kinds: cargo tack trigger list)"),
            Self::Kinds => "cargo tack trigger list".to_owned(),
            Self::Fault(name) => format!("cargo tack fault on {name}      (all faults: cargo tack fault list)"),
            Self::List(verb) => format!("cargo tack {verb}"),
            Self::Command(line) => format!("cargo tack {line}"),
            Self::Why(id) => format!("cargo tack why {id}"),
            Self::Advice(text) => text.clone(),
        }
    }
}

/// Why a verb ends without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// One word for programs.
    pub(crate) code: String,
    /// One sentence for people; empty where there is nothing to say.
    pub(crate) message: String,
    /// What could be done, in words; empty where there is nothing to add.
    pub(crate) advice: String,
    hint: Option<Hint>,
}

impl Failure {
    /// A failure with a hint of its own.
    pub(crate) fn new(exit: Exit, code: &str, message: impl Into<String>, hint: Hint) -> Self {
        Self { hint: Some(hint), ..Self::bare(exit, code, message) }
    }

    /// A failure whose hint its verb knows better.
    pub(crate) fn bare(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self { exit, code: code.to_owned(), message: message.into(), advice: String::new(), hint: None }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(message: impl Into<String>, verb: &'static str) -> Self {
        Self::new(Exit::Usage, "usage", message, Hint::Help(verb))
    }

    /// Whoever read the output has enough: nothing went wrong.
    pub(crate) fn reader_gone() -> Self {
        Self::bare(Exit::Done, "reader_gone", "")
    }

    /// Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::bare(Exit::Interrupted, "interrupted", "")
    }

    /// The same, with advice in words.
    #[must_use]
    pub(crate) fn advised(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    /// The same, with this hint if it has none.
    #[must_use]
    pub(crate) fn hinted(mut self, hint: Hint) -> Self {
        self.hint.get_or_insert(hint);
        self
    }

    /// What to type next; empty if the sentence says it.
    pub(crate) fn hint(&self) -> String {
        self.hint.as_ref().unwrap_or(&Hint::Help("")).text()
    }

    /// For programs: `{"error":{"code","message","hint"}}`.
    pub(crate) fn readable(&self) -> Value {
        let message = match self.advice.as_str() {
            "" => self.message.clone(),
            advice => format!("{} ({advice})", self.message),
        };
        json!({"error": {"code": self.code, "message": message, "hint": self.hint()}})
    }
}
