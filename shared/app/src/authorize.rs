//! Whose token a job runs with.

use secrecy::SecretString;
use tack_protocol::Tenant;

/// Finds the token of an installation.
pub enum Authorize {
    /// One workspace: this token, whatever the delivery says.
    SingleWorkspace {
        /// The bot token.
        bot_token: SecretString,
    },
}

impl Authorize {
    /// The bot token for a tenant.
    pub(crate) fn bot_token(&self, _tenant: &Tenant) -> SecretString {
        match self {
            Self::SingleWorkspace { bot_token } => bot_token.clone(),
        }
    }
}
