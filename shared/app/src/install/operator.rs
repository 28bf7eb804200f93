//! Renewing tokens on an operator's word: at once, and a long-lived one for one that expires. Under the same lease as the
//! workers' own renewals, so that both may happen at any time.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use super::rotation::Renewed;
use super::{Slot, Token, TokenHolder, Tokens};
use tack_protocol::EpochMs;
use thiserror::Error;

/// Why a token was not renewed on an operator's word.
#[derive(Debug, Error)]
pub enum RenewError {
    /// There is no such installation, it is gone, or that person granted nothing.
    #[error("there is no token")]
    NoToken,
    /// It lives for ever; [`Tokens::exchange`] makes it one that expires.
    #[error("the token does not expire: exchange it first")]
    LongLived,
    /// It expires already.
    #[error("the token expires already: renew it")]
    Expires,
    /// The app's client id and secret are not known.
    #[error("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set")]
    NoCredentials,
    /// A worker is renewing it, or another changed it meanwhile.
    #[error("another worker is renewing it")]
    Busy,
    /// Slack's word.
    #[error("Slack said {0}")]
    Refused(String),
    /// It is not known what happened.
    #[error("{0}")]
    Failed(String),
}

impl Tokens {
    /// Renews a token that expires, now. Gives the time when the new one does.
    ///
    /// # Errors
    /// [`RenewError`]; after `Failed` Slack may have done it, and the same call may be made again within moments.
    pub async fn renew(&self, slot: &Slot) -> Result<Option<EpochMs>, RenewError> {
        let token = self.stored(slot).await?;
        if token.refresh.is_none() {
            return Err(RenewError::LongLived);
        }
        self.renew_token(slot, &token).await
    }

    /// Exchanges a token that lives for ever for one that expires, which Slack does once a token and only for an app with
    /// token rotation. Gives the time when the new one expires.
    ///
    /// # Errors
    /// As [`Self::renew`].
    pub async fn exchange(&self, slot: &Slot) -> Result<Option<EpochMs>, RenewError> {
        let token = self.stored(slot).await?;
        if token.refresh.is_some() {
            return Err(RenewError::Expires);
        }
        self.renew_token(slot, &token).await
    }

    async fn stored(&self, slot: &Slot) -> Result<Token, RenewError> {
        if !self.rotation.can_renew() {
            return Err(RenewError::NoCredentials);
        }
        let token = match &slot.holder {
            TokenHolder::Bot => {
                let read = self.store().read(std::slice::from_ref(&slot.key)).await;
                read.map(|found| found.into_iter().next().and_then(|installed| installed.token))
            }
            TokenHolder::User(user) => {
                self.store().read_user(&slot.key, user).await.map(|grant| grant.and_then(|grant| grant.token))
            }
        };
        token.map_err(|error| RenewError::Failed(error.to_string()))?.ok_or(RenewError::NoToken)
    }

    async fn renew_token(&self, slot: &Slot, token: &Token) -> Result<Option<EpochMs>, RenewError> {
        let renewed = self.rotation.renew(slot, token).await;
        self.forget(&slot.key);
        match renewed {
            Renewed::Stored(new) => Ok(new.expires_at),
            Renewed::Busy(_) | Renewed::Changed => Err(RenewError::Busy),
            Renewed::Refused(word) => Err(RenewError::Refused(word)),
            Renewed::Failed(_, reason) => Err(RenewError::Failed(reason)),
            Renewed::Unstored(..) => Err(RenewError::Failed("the new token could not be stored".to_owned())),
        }
    }
}
