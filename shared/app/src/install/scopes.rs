//! OAuth scopes: what was asked for, what was granted, and what is missing.
//! Source: <https://docs.slack.dev/reference/scopes>

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A set of scopes, such as `chat:write`. Slack writes them with commas between.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Scopes(BTreeSet<String>);

impl Scopes {
    /// Reads `chat:write,commands`; blanks count as commas.
    pub fn parse(text: &str) -> Self {
        Self(text.split([',', ' ', '\n', '\t']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this one is among them.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Each of them, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Those of these that `granted` lacks.
    pub fn missing_in(&self, granted: &Self) -> Self {
        Self(self.0.difference(&granted.0).cloned().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl From<String> for Scopes {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Scopes> for String {
    fn from(scopes: Scopes) -> Self {
        scopes.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_by_name() {
        let needed = Scopes::parse("chat:write,commands files:write");
        let granted = Scopes::parse("commands,chat:write,users:read");
        assert_eq!(needed.missing_in(&granted), Scopes::parse("files:write"));
        assert_eq!(needed.to_string(), "chat:write,commands,files:write");
        assert!(Scopes::parse(" , ").is_empty());
    }
}
