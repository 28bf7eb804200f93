//! Fields of a row that another program wrote. What is missing, null or empty is the same: these stores use all three.
//! Invariant: an error names the file, the row and the field, and never the value, which may be a token.

use super::found::unreadable;
use super::moment;
use crate::cli::failure::Failure;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tack_app::install::Scopes;
use tack_app::protocol::EpochMs;

/// A JSON object, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    /// For messages.
    pub(super) origin: &'a str,
    pub(super) map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn wrong(self, name: &str, problem: &str) -> Failure {
        unreadable(self.origin, &format!("{name} {problem}"))
    }

    /// Text.
    pub(super) fn text(self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(name, "is no text")),
        }
    }

    /// Text that must be there.
    pub(super) fn required(self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A token or another secret.
    pub(super) fn secret(self, name: &str) -> Result<Option<SecretString>, Failure> {
        Ok(self.text(name)?.map(SecretString::from))
    }

    /// Yes or no, also as a database writes it.
    pub(super) fn flag(self, name: &str) -> Result<bool, Failure> {
        let said = match self.get(name) {
            None => return Ok(false),
            Some(Value::Bool(is)) => return Ok(*is),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::String(text)) => text.to_ascii_lowercase(),
            Some(_) => String::new(),
        };
        match said.as_str() {
            "1" | "t" | "true" => Ok(true),
            "0" | "f" | "false" => Ok(false),
            _ => Err(self.wrong(name, "is neither true nor false")),
        }
    }

    /// A moment that must be there.
    pub(super) fn moment(self, name: &str) -> Result<EpochMs, Failure> {
        self.optional_moment(name)?.ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A moment.
    pub(super) fn optional_moment(self, name: &str) -> Result<Option<EpochMs>, Failure> {
        let read =
            |value| moment::read(value).ok_or_else(|| self.wrong(name, "is no time: seconds, or a date and a time"));
        self.get(name).map(read).transpose()
    }

    /// Scopes, as a list or with commas between.
    pub(super) fn scopes(self, name: &str) -> Result<Scopes, Failure> {
        match self.get(name) {
            None => Ok(Scopes::default()),
            Some(Value::String(text)) => Ok(Scopes::parse(text)),
            Some(Value::Array(list)) => {
                let words: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
                let words = words.ok_or_else(|| self.wrong(name, "is no list of words"))?;
                Ok(Scopes::parse(&words.join(",")))
            }
            Some(_) => Err(self.wrong(name, "is no list of words")),
        }
    }

    /// An object within.
    pub(super) fn object(self, name: &str) -> Result<Option<Fields<'a>>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { map, ..self })),
            Some(_) => Err(self.wrong(name, "is no object")),
        }
    }

    /// A list of objects within.
    pub(super) fn objects(self, name: &str) -> Result<Vec<Fields<'a>>, Failure> {
        let wrong = || self.wrong(name, "is no list of objects");
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => {
                list.iter().map(|item| Ok(Fields { map: item.as_object().ok_or_else(wrong)?, ..self })).collect()
            }
            Some(_) => Err(wrong()),
        }
    }
}

/// A JSON object of a text.
///
/// # Errors
/// When it is none. What is wrong is told by its place alone.
pub(super) fn object(origin: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(unreadable(origin, "it is no JSON object")),
        Err(error) => {
            let place = format!("it is no JSON (line {}, column {})", error.line(), error.column());
            Err(unreadable(origin, &place))
        }
    }
}
