//! Slack's identifiers, so that a team cannot be passed where a user is meant.
//! They are opaque: Slack promises a prefix letter and nothing else.
//! Source: <https://docs.slack.dev/apis/web-api/>

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! slack_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the identifier as Slack sent it.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The identifier as Slack sent it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }
    };
}

slack_id!(
    /// An app, `A…`.
    AppId
);
slack_id!(
    /// A workspace, `T…`.
    TeamId
);
slack_id!(
    /// An Enterprise Grid organisation, `E…`.
    EnterpriseId
);
slack_id!(
    /// A person or a bot user, `U…` or `W…`.
    UserId
);
slack_id!(
    /// A conversation: channel `C…`, direct message `D…`, group `G…`.
    ChannelId
);
