//! A token in a client's hand: what is done when Slack turns it away.
//! Invariant: whoever asks again gets a token that Slack has not turned away yet, or none.

use super::rotation::Kept;
use super::tokens::{Ask, Seen};
use super::{InstallKey, Slot, Token, Tokens};
use crate::authorize::Unauthorized;
use secrecy::SecretString;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// How often a store is asked again because the token changed under a call's hands.
const LOOKS: u32 = 4;

/// How long a call that Slack turned away waits for another worker's renewal, and how often it looks.
const RENEWAL_WAIT: Duration = Duration::from_secs(3);
const RENEWAL_LOOK: Duration = Duration::from_millis(300);

/// Slack's word for a token that does not work, and also for a call from an address that the app's own list does not allow. So
/// no other job is dropped for it, and no new token is fetched: it is only looked whether there is another.
pub(crate) const INVALID_AUTH: &str = "invalid_auth";

/// A token that was given out, and where it came from.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(super) tokens: Rc<Tokens>,
    pub(super) ask: Rc<Ask>,
    pub(super) slot: Slot,
    pub(super) version: u64,
    /// Whether there is a refresh token to it.
    pub(super) rotates: bool,
    pub(crate) access: SecretString,
}

impl Issued {
    /// Whose installation it is of.
    pub(crate) fn is_org_wide(&self) -> bool {
        matches!(self.slot.key, InstallKey::Enterprise(_))
    }

    /// Slack turned it away with this word. Gives the token to try once more with, if there is one by now.
    ///
    /// A token that rotates is renewed when it is said to be revoked, too: Slack revokes the oldest of three, and a renewal that
    /// was repeated because its answer got lost makes three.
    pub(crate) async fn refused(&self, word: &str) -> Result<Option<Self>, Unauthorized> {
        if self.rotates && word != INVALID_AUTH { self.renewed(word).await } else { self.replaced(word).await }
    }

    /// The token of an installation that was made since.
    async fn replaced(&self, word: &str) -> Result<Option<Self>, Unauthorized> {
        self.tokens.bury(&self.slot, self.version, word);
        match self.tokens.issue(Rc::clone(&self.ask)).await {
            Ok(grant) => Ok(grant.issued.filter(|new| new.is_other_than(self))),
            Err(Unauthorized::NotInstalled(_) | Unauthorized::Unknown(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The token that another worker has stored, or a new one.
    async fn renewed(&self, word: &str) -> Result<Option<Self>, Unauthorized> {
        let tokens = &self.tokens;
        let began = Instant::now();
        let mut looks = 0;
        loop {
            tokens.outdate(&self.ask);
            let found = match tokens.look(&self.ask).await? {
                Seen::There(found) => found,
                Seen::Nothing(_) => return Ok(None),
            };
            let Some(token) = &found.token else { return Ok(None) };
            let same = found.slot == self.slot && token.version <= self.version;
            match tokens.rotation.keep(&found.slot, token, same).await {
                Kept::Use(new) => {
                    tokens.take_over(&found.slot, &new);
                    return Ok(self.other(&found.slot, new));
                }
                Kept::UseUnstored(new) => return Ok(self.other(&found.slot, new)),
                Kept::LookAgain if looks < LOOKS => looks += 1,
                Kept::LookAgain => return Ok(None),
                Kept::Wait { .. } if began.elapsed() < RENEWAL_WAIT => tokio::time::sleep(RENEWAL_LOOK).await,
                Kept::Wait { until, reason } => return Err(Unauthorized::Wait { until, reason }),
                Kept::Dead(_) => {
                    tokens.bury(&self.slot, self.version, word);
                    return Ok(None);
                }
                Kept::Trouble(reason) => return Err(Unauthorized::Trouble(reason)),
            }
        }
    }

    /// Takes note that Slack turned away the second token, too.
    pub(crate) fn refused_again(&self, word: &str) {
        self.tokens.bury(&self.slot, self.version, word);
    }

    /// What is given out in place of this one, if it is another.
    fn other(&self, slot: &Slot, token: Token) -> Option<Self> {
        Some(self.tokens.issued(&self.ask, slot, token)).filter(|new| new.is_other_than(self))
    }

    fn is_other_than(&self, former: &Self) -> bool {
        self.slot != former.slot || self.version > former.version
    }
}
