//! Where the app is installed, and with whose tokens it works there.
//!
//! `record` says what an installation is and by which name it is kept, `scopes` what it may do; `lifecycle` reads Slack's events
//! about installations and changes what is stored, `jobs` are the app's own jobs before and after. `tokens` finds the token to
//! work with: `cache` remembers, `rotation` renews, `issued` is what a client holds, `operator` what a person asks for. Tokens
//! are apart from the rest, so that a list, a page or a log line can hold an [`Installation`] and no secret.
//! Source: <https://docs.slack.dev/authentication/installing-with-oauth>

mod cache;
mod issued;
mod jobs;
pub(crate) mod lifecycle;
mod operator;
mod record;
mod rotation;
mod scopes;
#[cfg(test)]
mod simulation;
mod tokens;

pub(crate) use issued::{INVALID_AUTH, Issued};
pub use jobs::{INSTALLED, InstalledEvent, PURGE, PURGE_DUE, PurgeRequest, UNINSTALLED, UninstalledEvent};
pub(crate) use jobs::{purge, uninstalled};
pub use lifecycle::JOB as LIFECYCLE;
pub use operator::RenewError;
pub use record::{
    Gone, InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Slot, Token, TokenHolder, UserGrant,
    WebhookTarget,
};
pub use scopes::Scopes;
pub use tokens::{ClientCredentials, Tokens, TokensParts};
