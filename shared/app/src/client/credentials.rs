//! What a client calls Slack with: a token as it is, or one of an installation, which can be another by the next call.

use super::error::ClientError;
use crate::authorize::Unauthorized;
use crate::install::{INVALID_AUTH, Issued, Tokens};
use crate::ports::StoreError;
use secrecy::SecretString;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EpochMs, TeamId, Tenant, UserId};

/// How long a job waits that found the store in trouble in the middle of its run.
const TROUBLE_WAIT: Duration = Duration::from_secs(10);

/// Slack's words for a token that does not work: of these, [`INVALID_AUTH`] may be about something else.
const TURNED_AWAY: [&str; 3] = ["account_inactive", INVALID_AUTH, "token_revoked"];

/// A token and what is known of it.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// This one, whatever Slack says.
    Fixed(SecretString),
    /// An installation's, if it has one.
    Installed { tokens: Rc<Tokens>, tenant: Rc<Tenant>, issued: Option<Issued> },
}

impl Credentials {
    pub(crate) fn fixed(token: SecretString) -> Self {
        Self::Fixed(token)
    }

    pub(crate) fn installed(tokens: &Rc<Tokens>, tenant: &Tenant, issued: Option<Issued>) -> Self {
        Self::Installed { tokens: Rc::clone(tokens), tenant: Rc::new(tenant.clone()), issued }
    }

    pub(super) fn token(&self) -> Option<&SecretString> {
        match self {
            Self::Fixed(token) => Some(token),
            Self::Installed { issued, .. } => issued.as_ref().map(|issued| &issued.access),
        }
    }

    /// The workspace to name where a token is for a whole organisation.
    pub(super) fn team(&self) -> Option<&TeamId> {
        match self {
            Self::Installed { tenant, issued: Some(issued), .. } if issued.is_org_wide() => tenant.team.as_ref(),
            Self::Fixed(_) | Self::Installed { .. } => None,
        }
    }

    /// The same for a person's token.
    pub(super) async fn of_user(&self, user: &UserId) -> Result<Option<Self>, ClientError> {
        let Self::Installed { tokens, tenant, .. } = self else { return Ok(None) };
        let issued = tokens.of_user(tenant, user).await.map_err(|why| not_now("user token", tokens.now(), why))?;
        Ok(issued.map(|issued| Self::Installed {
            tokens: Rc::clone(tokens),
            tenant: Rc::clone(tenant),
            issued: Some(issued),
        }))
    }

    /// Slack said no to a call. If it was about the token and there is a newer one, the call may be made once more with that.
    pub(super) async fn refused(&self, method: &str, code: &str) -> Result<Option<Self>, ClientError> {
        let Self::Installed { tokens, tenant, issued: Some(issued) } = self else { return Ok(None) };
        if code != "token_expired" && !TURNED_AWAY.contains(&code) {
            return Ok(None);
        }
        let newer = issued.refused(code).await.map_err(|why| not_now(method, tokens.now(), why))?;
        Ok(newer.map(|newer| Self::Installed {
            tokens: Rc::clone(tokens),
            tenant: Rc::clone(tenant),
            issued: Some(newer),
        }))
    }

    /// Slack said no to the second try, too.
    pub(super) fn refused_again(&self, code: &str) {
        if let Self::Installed { issued: Some(issued), .. } = self
            && TURNED_AWAY.contains(&code)
        {
            issued.refused_again(code);
        }
    }
}

/// The store did not answer in the middle of a job's run.
pub(super) fn store_trouble(method: &str, error: &StoreError) -> ClientError {
    ClientError::TokenRenewal { method: method.to_owned(), reason: error.to_string(), retry_after: TROUBLE_WAIT }
}

fn not_now(method: &str, now: EpochMs, why: Unauthorized) -> ClientError {
    let (reason, retry_after) = match why {
        Unauthorized::Wait { until, reason } => (reason, until.since(now)),
        Unauthorized::NotInstalled(reason) | Unauthorized::Unknown(reason) | Unauthorized::Trouble(reason) => {
            (reason, TROUBLE_WAIT)
        }
    };
    ClientError::TokenRenewal { method: method.to_owned(), reason, retry_after }
}
