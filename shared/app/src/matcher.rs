//! Which listener takes which payload: by text, by pattern, by constraint.

use regex_lite::Regex;
use std::fmt;

/// A text or a regular expression.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This very text; for messages: a text that holds it.
    Text(String),
    /// A regular expression, which may match anywhere in the text.
    Regex(Regex),
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Regex> for Pattern {
    fn from(regex: Regex) -> Self {
        Self::Regex(regex)
    }
}

impl Pattern {
    /// Whether the text is this one.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => wanted == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// Whether the text holds this one, as Bolt's `message` does it.
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text.contains(wanted.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) if text.is_empty() => f.write_str("any text"),
            Self::Text(text) => f.write_str(text),
            Self::Regex(regex) => write!(f, "regex {}", regex.as_str()),
        }
    }
}

/// Which element: by its `action_id`, within any or a certain block.
#[derive(Clone, Debug)]
pub struct ActionPattern {
    action_id: Pattern,
    block_id: Option<Pattern>,
}

impl ActionPattern {
    /// The same element in this block only.
    pub fn in_block(mut self, block_id: impl Into<Pattern>) -> Self {
        self.block_id = Some(block_id.into());
        self
    }

    /// Whether it certainly takes all that `other` takes. Of regular expressions nobody can say.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let same =
            |one: &Pattern, two: &Pattern| matches!((one, two), (Pattern::Text(one), Pattern::Text(two)) if one == two);
        same(&self.action_id, &other.action_id)
            && match (&self.block_id, &other.block_id) {
                (None, _) => true,
                (Some(one), Some(two)) => same(one, two),
                (Some(_), None) => false,
            }
    }

    /// Whether the text is this one, for kinds that have no blocks.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.action_id.is(text)
    }

    /// Whether the text holds this one, for kinds that have no blocks.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.action_id.is_in(text)
    }

    pub(crate) fn takes(&self, action_id: &str, block_id: &str) -> bool {
        self.action_id.is(action_id) && self.block_id.as_ref().is_none_or(|wanted| wanted.is(block_id))
    }
}

impl<T: Into<Pattern>> From<T> for ActionPattern {
    fn from(action_id: T) -> Self {
        Self { action_id: action_id.into(), block_id: None }
    }
}

impl fmt::Display for ActionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.action_id.fmt(f)?;
        match &self.block_id {
            Some(block_id) => write!(f, " in block {block_id}"),
            None => Ok(()),
        }
    }
}
