//! Whose token a job runs with.

use crate::client::Credentials;
use crate::install::{InstallKey, Installation, Tokens};
use crate::ports::InstallationStore;
use secrecy::SecretString;
use std::rc::Rc;
use tack_protocol::{EpochMs, Tenant, UserId};

/// Finds the token of an installation.
pub enum Authorize {
    /// One workspace: this token, whatever the delivery says.
    SingleWorkspace {
        /// The bot token.
        bot_token: SecretString,
    },
    /// As many workspaces and organisations as have installed the app.
    Installations(Rc<Tokens>),
}

/// With what a job may work.
pub(crate) struct Authorized {
    /// What its client calls Slack with; nothing where only user scopes were granted.
    pub(crate) token: Option<Credentials>,
    /// The installation, where installations are kept.
    pub(crate) installation: Option<Rc<Installation>>,
}

/// Why a job may not start.
#[derive(Debug)]
pub(crate) enum Unauthorized {
    /// There is no installation, or it is gone: the job is dropped, for this reason.
    NotInstalled(String),
    /// Nothing is known of such an installation. It may be about to be saved: a delivery that has just come waits, any other
    /// is dropped.
    Unknown(String),
    /// Somebody else is renewing the token.
    Wait {
        /// When to look again.
        until: EpochMs,
        /// Why.
        reason: String,
    },
    /// The store did not answer, or an operator has to do something first.
    Trouble(String),
}

impl Authorize {
    /// What a job of a tenant may work with, on behalf of the person behind its delivery, if there is one.
    pub(crate) async fn authorize(&self, tenant: &Tenant, person: Option<&UserId>) -> Result<Authorized, Unauthorized> {
        match self {
            Self::SingleWorkspace { bot_token } => {
                Ok(Authorized { token: Some(Credentials::fixed(bot_token.clone())), installation: None })
            }
            Self::Installations(tokens) => {
                let grant = tokens.of(tenant, person).await?;
                let token = Credentials::installed(tokens, tenant, grant.issued);
                Ok(Authorized { token: Some(token), installation: grant.installation })
            }
        }
    }

    /// Where installations are kept; nowhere with a single workspace.
    pub(crate) fn store(&self) -> Option<&dyn InstallationStore> {
        match self {
            Self::SingleWorkspace { .. } => None,
            Self::Installations(tokens) => Some(&**tokens.store()),
        }
    }

    /// Jobs of a tenant are dropped for want of an installation.
    pub(crate) fn tell_discarded(&self, tenant: &Tenant, reason: &str) {
        if let Self::Installations(tokens) = self {
            tokens.tell_discarded(tenant, reason);
        }
    }

    /// Something about an installation has changed: the next job looks again.
    pub(crate) fn forget(&self, key: &InstallKey) {
        if let Self::Installations(tokens) = self {
            tokens.forget(key);
        }
    }
}
