//! Tokens: given out, refreshed, expired, taken back. Whose they are is told by the install they belong to.
//! Invariant: a holder has at most two access tokens that work, and a refresh token works once, or again within its grace.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation/>

use std::collections::VecDeque;
use std::time::Duration;

use crate::install::Target;
use crate::mint;

/// Life of an access token that rotates.
pub(crate) const LIFE: Duration = Duration::from_secs(43_200);
/// Access tokens of one holder that work at once.
const ACTIVE: usize = 2;
/// Tokens that are remembered, dead ones among them; more than all holders have alive.
const REMEMBERED: usize = 1_000;

/// Who acts with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The app's own user.
    Bot,
    /// A person, by id.
    Person(String),
}

/// Why a token does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Revoked,
    /// The app was uninstalled.
    Uninstalled,
}

/// A token that calls methods.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) secret: String,
    pub(crate) target: Target,
    pub(crate) holder: Holder,
    /// Since the Unix epoch; none if it does not rotate.
    pub(crate) expires_at: Option<Duration>,
    /// The refresh token that came with it.
    refresh: Option<String>,
    end: Option<End>,
}

impl Access {
    /// Slack's name for the reason that it does not work.
    pub(crate) fn problem(&self, now: Duration) -> Option<&'static str> {
        match self.end {
            Some(End::Revoked) => Some("token_revoked"),
            Some(End::Uninstalled) => Some("account_inactive"),
            None if self.expires_at.is_some_and(|end| now >= end) => Some("token_expired"),
            None => None,
        }
    }
}

/// A token that is exchanged for a new pair.
struct Refresh {
    secret: String,
    target: Target,
    holder: Holder,
    used_at: Option<Duration>,
    is_revoked: bool,
}

/// What is handed to the app.
pub(crate) struct Issued {
    pub(crate) access: String,
    /// With it the access token lives [`LIFE`].
    pub(crate) refresh: Option<String>,
}

/// All tokens, oldest first.
#[derive(Default)]
pub(crate) struct Tokens {
    access: VecDeque<Access>,
    refresh: VecDeque<Refresh>,
}

impl Tokens {
    pub(crate) fn find(&self, secret: &str) -> Option<&Access> {
        self.access.iter().find(|token| token.secret == secret)
    }

    /// The newest token of a holder that works.
    pub(crate) fn current(&self, target: &Target, holder: &Holder, now: Duration) -> Option<&Access> {
        let is_theirs = |token: &&Access| token.target == *target && token.holder == *holder;
        self.access.iter().rev().find(|token| is_theirs(token) && token.problem(now).is_none())
    }

    /// Keeps a token that was made elsewhere and does not rotate.
    pub(crate) fn keep(&mut self, secret: &str, target: &Target, holder: &Holder) {
        self.put(Access {
            secret: secret.to_owned(),
            target: target.clone(),
            holder: holder.clone(),
            expires_at: None,
            refresh: None,
            end: None,
        });
    }

    /// A token for a holder: the one they have, if tokens do not rotate.
    pub(crate) fn issue(&mut self, target: &Target, holder: &Holder, now: Duration, is_rotating: bool) -> Issued {
        let letter = if *holder == Holder::Bot { 'b' } else { 'p' };
        if !is_rotating {
            if let Some(known) = self.current(target, holder, now).filter(|known| known.expires_at.is_none()) {
                return Issued { access: known.secret.clone(), refresh: None };
            }
            let access = format!("xox{letter}-{}", mint::opaque());
            self.keep(&access, target, holder);
            return Issued { access, refresh: None };
        }
        let (access, refresh) =
            (format!("xoxe.xox{letter}-1-{}", mint::opaque()), format!("xoxe-1-{}", mint::opaque()));
        self.put(Access {
            secret: access.clone(),
            target: target.clone(),
            holder: holder.clone(),
            expires_at: Some(now + LIFE),
            refresh: Some(refresh.clone()),
            end: None,
        });
        self.refresh.push_back(Refresh {
            secret: refresh.clone(),
            target: target.clone(),
            holder: holder.clone(),
            used_at: None,
            is_revoked: false,
        });
        while self.refresh.len() > REMEMBERED {
            self.refresh.pop_front();
        }
        self.retire(target, holder, now);
        Issued { access, refresh: Some(refresh) }
    }

    fn put(&mut self, token: Access) {
        self.access.push_back(token);
        while self.access.len() > REMEMBERED {
            let dead = self.access.iter().position(|token| token.end.is_some()).unwrap_or_default();
            self.access.remove(dead);
        }
    }

    /// Takes the oldest tokens of a holder back until no more than [`ACTIVE`] work.
    fn retire(&mut self, target: &Target, holder: &Holder, now: Duration) {
        let is_active =
            |token: &Access| token.target == *target && token.holder == *holder && token.problem(now).is_none();
        let mut surplus = self.access.iter().filter(|token| is_active(token)).count().saturating_sub(ACTIVE);
        let mut gone = Vec::new();
        for token in self.access.iter_mut().filter(|token| is_active(token)) {
            if surplus == 0 {
                break;
            }
            surplus -= 1;
            token.end = Some(End::Revoked);
            gone.extend(token.refresh.clone());
        }
        self.refresh.iter_mut().filter(|token| gone.contains(&token.secret)).for_each(|token| token.is_revoked = true);
    }

    /// Uses a refresh token.
    ///
    /// # Errors
    /// Slack's name for the reason, if it is unknown, taken back, or was used longer ago than `grace`.
    pub(crate) fn refresh(
        &mut self,
        secret: &str,
        now: Duration,
        grace: Duration,
    ) -> Result<(Target, Holder, Issued), &'static str> {
        let token = self.refresh.iter_mut().find(|token| token.secret == secret).ok_or("invalid_refresh_token")?;
        if token.is_revoked || token.used_at.is_some_and(|used| now.saturating_sub(used) > grace) {
            return Err("invalid_refresh_token");
        }
        token.used_at.get_or_insert(now);
        let (target, holder) = (token.target.clone(), token.holder.clone());
        let issued = self.issue(&target, &holder, now, true);
        Ok((target, holder, issued))
    }

    /// Gives a pair for a token that does not rotate, once.
    ///
    /// # Errors
    /// Slack's name for the reason, if it rotates already or was exchanged before.
    pub(crate) fn exchange(&mut self, secret: &str, now: Duration) -> Result<(Target, Holder, Issued), &'static str> {
        let token = self.find(secret).ok_or("invalid_auth")?;
        let (target, holder) = (token.target.clone(), token.holder.clone());
        let is_rotating = |known: &Access| known.expires_at.is_some() && known.problem(now) != Some("account_inactive");
        if self.access.iter().any(|known| known.target == target && known.holder == holder && is_rotating(known)) {
            return Err("token_already_exchanged");
        }
        let issued = self.issue(&target, &holder, now, true);
        Ok((target, holder, issued))
    }

    /// Takes one token back, with the refresh token that came with it.
    pub(crate) fn revoke(&mut self, secret: &str) {
        let Some(token) = self.access.iter_mut().find(|token| token.secret == secret) else { return };
        token.end.get_or_insert(End::Revoked);
        let refresh = token.refresh.clone();
        self.refresh.iter_mut().filter(|token| Some(&token.secret) == refresh.as_ref()).for_each(|token| {
            token.is_revoked = true;
        });
    }

    /// Takes every token of a holder back. False if they had none.
    pub(crate) fn revoke_all(&mut self, target: &Target, holder: &Holder) -> bool {
        self.end(End::Revoked, |of, by| of == target && by == holder)
    }

    /// Ends every token of an install.
    pub(crate) fn uninstall(&mut self, target: &Target) {
        self.end(End::Uninstalled, |of, _| of == target);
    }

    fn end(&mut self, end: End, is_it: impl Fn(&Target, &Holder) -> bool) -> bool {
        let mut any = false;
        let alive = self.access.iter_mut().filter(|token| token.end.is_none());
        for token in alive.filter(|token| is_it(&token.target, &token.holder)) {
            token.end = Some(end);
            any = true;
        }
        for token in self.refresh.iter_mut().filter(|token| is_it(&token.target, &token.holder)) {
            token.is_revoked = true;
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);
    const GRACE: Duration = Duration::from_secs(30);

    fn target() -> Target {
        Target::Workspace("T1".to_owned())
    }

    fn problem(tokens: &Tokens, secret: &str, now: Duration) -> Option<&'static str> {
        tokens.find(secret).unwrap().problem(now)
    }

    #[test]
    fn a_rotating_token_lives_twelve_hours_and_one_that_does_not_for_good() {
        let mut tokens = Tokens::default();
        let rotating = tokens.issue(&target(), &Holder::Bot, HOUR, true);
        assert!(rotating.access.starts_with("xoxe.xoxb-") && rotating.refresh.unwrap().starts_with("xoxe-1-"));
        assert_eq!(problem(&tokens, &rotating.access, HOUR * 13 - Duration::from_secs(1)), None);
        assert_eq!(problem(&tokens, &rotating.access, HOUR * 13), Some("token_expired"));
        let person = Holder::Person("U1".to_owned());
        let lasting = tokens.issue(&target(), &person, HOUR, false);
        assert!(lasting.access.starts_with("xoxp-") && lasting.refresh.is_none());
        assert_eq!(problem(&tokens, &lasting.access, HOUR * 9_000), None);
        assert_eq!(tokens.issue(&target(), &person, HOUR * 2, false).access, lasting.access);
    }

    #[test]
    fn a_refresh_token_works_once_and_again_within_its_grace() {
        let mut tokens = Tokens::default();
        let first = tokens.issue(&target(), &Holder::Bot, HOUR, true);
        let secret = first.refresh.unwrap();
        let (_, _, second) = tokens.refresh(&secret, HOUR * 2, GRACE).unwrap();
        assert_eq!(problem(&tokens, &first.access, HOUR * 2), None, "the old token stays valid");
        let (_, _, third) = tokens.refresh(&secret, HOUR * 2 + GRACE, GRACE).unwrap();
        assert_eq!(problem(&tokens, &first.access, HOUR * 2), Some("token_revoked"), "no more than two are active");
        assert!([&second, &third].iter().all(|pair| problem(&tokens, &pair.access, HOUR * 2).is_none()));
        let late = tokens.refresh(&secret, HOUR * 2 + GRACE + Duration::from_secs(1), GRACE);
        assert_eq!(late.err(), Some("invalid_refresh_token"));
        assert_eq!(tokens.refresh("xoxe-1-unknown", HOUR, GRACE).err(), Some("invalid_refresh_token"));
    }

    #[test]
    fn a_lasting_token_is_exchanged_once_and_ends_with_the_first_refresh() {
        let mut tokens = Tokens::default();
        tokens.keep("xoxb-1", &target(), &Holder::Bot);
        let (_, _, pair) = tokens.exchange("xoxb-1", HOUR).unwrap();
        assert_eq!(tokens.exchange("xoxb-1", HOUR).err(), Some("token_already_exchanged"));
        assert_eq!(problem(&tokens, "xoxb-1", HOUR), None);
        tokens.refresh(&pair.refresh.unwrap(), HOUR * 2, GRACE).unwrap();
        assert_eq!(problem(&tokens, "xoxb-1", HOUR * 2), Some("token_revoked"));
    }

    #[test]
    fn an_uninstalled_app_has_inactive_tokens_and_refreshes_none() {
        let mut tokens = Tokens::default();
        let pair = tokens.issue(&target(), &Holder::Bot, HOUR, true);
        let other = tokens.issue(&Target::Workspace("T2".to_owned()), &Holder::Bot, HOUR, true);
        tokens.uninstall(&target());
        assert_eq!(problem(&tokens, &pair.access, HOUR), Some("account_inactive"));
        assert_eq!(tokens.refresh(&pair.refresh.unwrap(), HOUR, GRACE).err(), Some("invalid_refresh_token"));
        assert_eq!(problem(&tokens, &other.access, HOUR), None);
    }
}
