//! The adopter's own settings: looked up by name, every missing or malformed one reported together with Tack's.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

type Lookup = Box<dyn Fn(&str) -> Option<String>>;

/// A look-up of settings that remembers what was missing.
///
/// Ask for everything first and use `?` afterwards, so that all problems are found in one start:
/// ```
/// # use tack_app::{Settings, SetupError};
/// fn read(settings: &Settings) -> Result<(String, u16), SetupError> {
///     let table = settings.required("ORDERS_TABLE");
///     let limit = settings.parsed("ORDERS_LIMIT");
///     Ok((table?, limit?))
/// }
/// ```
pub struct Settings {
    lookup: Lookup,
    problems: RefCell<Vec<String>>,
}

/// Something is missing or malformed; [`Settings`] holds the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupError;

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting is missing or malformed")
    }
}

impl std::error::Error for SetupError {}

impl Settings {
    /// Settings from a look-up by name; empty values count as absent.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self { lookup: Box::new(lookup), problems: RefCell::default() }
    }

    /// A value, if there is one.
    pub fn optional(&self, name: &str) -> Option<String> {
        let value = (self.lookup)(name)?;
        // A line end at the end of a secret is the commonest mistake, and it makes a header that cannot be sent.
        Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// A value of a certain form, if there is one.
    ///
    /// # Errors
    /// [`SetupError`], remembered by name, when it is there and malformed.
    pub fn optional_parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, SetupError>
    where
        T::Err: fmt::Display,
    {
        self.optional(name).map(|_| self.parsed(name)).transpose()
    }

    /// A value that must be there.
    ///
    /// # Errors
    /// [`SetupError`], remembered by name.
    pub fn required(&self, name: &str) -> Result<String, SetupError> {
        self.optional(name).ok_or_else(|| self.problem(format!("{name} is missing")))
    }

    /// A value that must be there and have a certain form.
    ///
    /// # Errors
    /// [`SetupError`], remembered by name. The value is not repeated: it may be a secret.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Result<T, SetupError>
    where
        T::Err: fmt::Display,
    {
        self.required(name)?.parse().map_err(|error| self.problem(format!("{name} is malformed: {error}")))
    }

    /// Remembers a problem in the adopter's words.
    pub fn problem(&self, sentence: impl Into<String>) -> SetupError {
        self.problems.borrow_mut().push(sentence.into());
        SetupError
    }

    /// All problems so far.
    pub fn problems(&self) -> Vec<String> {
        self.problems.borrow().clone()
    }
}
