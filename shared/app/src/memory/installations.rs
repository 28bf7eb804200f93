//! Installations in memory, tokens in clear: for tests of listeners and for the simulation of promises.
//! Invariant: every call is one step; nobody sees half of it.

use crate::idempotency::{Held, Owner};
use crate::install::{
    Gone, InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Slot, Token, TokenHolder, UserGrant,
};
use crate::ports::{InstallationStore, Leased, RenewalLease, StoreError};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use secrecy::SecretString;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tack_protocol::{EpochMs, EpochSeconds, TeamId, UserId};

/// How many former versions of an installation are kept.
const HISTORY_KEPT: usize = 5;

/// Who renews a token, and who did so last.
#[derive(Clone, Debug, Default)]
struct Renewal {
    lease: Option<(Owner, EpochMs)>,
    done: Option<Owner>,
}

/// Everything under one name.
#[derive(Clone, Debug, Default)]
struct Place {
    bot: Option<(Installed, Renewal)>,
    webhook: Option<SecretString>,
    users: BTreeMap<UserId, (UserGrant, Renewal)>,
    /// What the bot's side was before, the oldest first.
    history: Vec<Installed>,
    teams: BTreeMap<TeamId, (bool, EpochSeconds)>,
}

/// Installations in a map, which clones share.
#[derive(Clone, Debug, Default)]
pub struct MemoryInstallationStore {
    places: Rc<RefCell<BTreeMap<InstallKey, Place>>>,
}

impl MemoryInstallationStore {
    /// The installation under a name, gone or not, as a read gives it.
    pub fn installed(&self, key: &InstallKey) -> Option<Installed> {
        self.places.borrow().get(key)?.bot.as_ref().map(|(installed, _)| installed.clone())
    }

    /// The address of an installation's incoming webhook.
    pub fn webhook(&self, key: &InstallKey) -> Option<SecretString> {
        self.places.borrow().get(key)?.webhook.clone()
    }

    /// What a person granted, as a read gives it.
    pub fn grant(&self, key: &InstallKey, user: &UserId) -> Option<UserGrant> {
        self.places.borrow().get(key)?.users.get(user).map(|(grant, _)| grant.clone())
    }

    /// What an installation was before, the oldest first.
    pub fn history(&self, key: &InstallKey) -> Vec<Installed> {
        self.places.borrow().get(key).map(|place| place.history.clone()).unwrap_or_default()
    }

    /// The last word on whether an org-wide installation may work in a workspace, and when Slack said it.
    pub fn access(&self, organisation: &InstallKey, team: &TeamId) -> Option<(bool, EpochSeconds)> {
        self.places.borrow().get(organisation)?.teams.get(team).copied()
    }

    /// Who has the right to renew a token, and until when; also one that has run out.
    pub fn lease_of(&self, slot: &Slot) -> Option<(Owner, EpochMs)> {
        let mut places = self.places.borrow_mut();
        places.get_mut(&slot.key)?.renewable(&slot.holder)?.1.lease.clone()
    }

    fn place<T>(&self, key: &InstallKey, change: impl FnOnce(&mut Place) -> T) -> T {
        change(self.places.borrow_mut().entry(key.clone()).or_default())
    }
}

impl Place {
    /// A holder's token, if there is one, and its renewal.
    fn renewable(&mut self, holder: &TokenHolder) -> Option<(&mut Option<Token>, &mut Renewal)> {
        match holder {
            TokenHolder::Bot => self.bot.as_mut().map(|(installed, renewal)| (&mut installed.token, renewal)),
            TokenHolder::User(user) => self.users.get_mut(user).map(|(grant, renewal)| (&mut grant.token, renewal)),
        }
    }

    fn save_bot(&mut self, new: &Installed, webhook: Option<&SecretString>) {
        if let Some((old, _)) = &self.bot {
            let (old_time, time) = (old.installation.installed_at, new.installation.installed_at);
            let is_gone = old.installation.gone.as_ref().is_some_and(|gone| gone.at >= time);
            // What was written before may have been renewed or removed since: repeating the write must not undo that.
            if old_time >= time || is_gone || (old.token.is_some() && new.token.is_none()) {
                return;
            }
            if old.token.is_some() {
                self.history.push(old.clone());
                let surplus = self.history.len().saturating_sub(HISTORY_KEPT);
                self.history.drain(..surplus);
            }
        }
        self.bot = Some((shown(new.clone()), Renewal::default()));
        self.webhook = webhook.cloned();
    }

    fn save_user(&mut self, new: &UserGrant) {
        let since = |(bot, _): &(Installed, Renewal)| bot.installation.is_uninstalled_since(new.installed_at);
        if self.bot.as_ref().is_some_and(since) {
            return;
        }
        if self.users.get(&new.user).is_none_or(|(old, _)| old.installed_at < new.installed_at) {
            self.users.insert(new.user.clone(), (new.clone(), Renewal::default()));
        }
    }

    fn remove_bot(&mut self, at: EpochSeconds, purge_at: Option<EpochMs>) -> Removed {
        let Some((installed, renewal)) = &mut self.bot else { return Removed::Absent };
        if installed.installation.installed_at.seconds() > at {
            return Removed::Newer;
        }
        let why = if purge_at.is_some() { "uninstalled" } else { "revoked" };
        // An uninstall is more than a revoked token, and stays what it was when the other comes after it.
        let less = installed.installation.gone.as_ref().is_none_or(|gone| gone.why != why && purge_at.is_some());
        if less {
            let at = EpochMs(at.0.saturating_mul(1000));
            installed.installation.gone = Some(Gone { at, why: why.to_owned(), purge_at });
        }
        (installed.token, installed.installation.expires_at, self.webhook) = (None, None, None);
        *renewal = Renewal::default();
        self.history.retain(|former| former.installation.installed_at.seconds() > at);
        Removed::Yes
    }

    fn remove_user(&mut self, user: &UserId, at: EpochSeconds) -> Removed {
        let Some((grant, renewal)) = self.users.get_mut(user) else { return Removed::Absent };
        if grant.installed_at.seconds() > at {
            return Removed::Newer;
        }
        grant.token = None;
        *renewal = Renewal::default();
        Removed::Yes
    }

    fn remove(&mut self, removal: &Removal, at: EpochSeconds) -> Removed {
        match removal {
            Removal::Bot => self.remove_bot(at, None),
            Removal::Everything { purge_at } => {
                let removed = self.remove_bot(at, Some(*purge_at));
                if removed != Removed::Newer {
                    self.users.retain(|_, (grant, _)| grant.installed_at.seconds() > at);
                    self.history.retain(|former| former.installation.installed_at.seconds() > at);
                }
                removed
            }
            Removal::Users(users) => {
                let ends: Vec<Removed> = users.iter().map(|user| self.remove_user(user, at)).collect();
                let first = |wanted: Removed| ends.contains(&wanted).then_some(wanted);
                first(Removed::Yes).or(first(Removed::Newer)).unwrap_or(Removed::Absent)
            }
        }
    }

    /// Leaves what came after the installation was gone.
    fn purge(&mut self, now: EpochMs) -> bool {
        let gone = self.bot.as_ref().and_then(|(installed, _)| installed.installation.gone.as_ref());
        let Some((at, purge_at)) = gone.and_then(|gone| Some((gone.at.seconds(), gone.purge_at?))) else {
            return false;
        };
        if purge_at > now {
            return false;
        }
        (self.bot, self.webhook) = (None, None);
        self.users.retain(|_, (grant, _)| grant.installed_at.seconds() > at);
        self.history.retain(|former| former.installation.installed_at.seconds() > at);
        self.teams.retain(|_, (_, noted)| *noted > at);
        true
    }

    fn lease(&mut self, lease: &RenewalLease, now: EpochMs) -> Leased {
        let Some((Some(token), renewal)) = self.renewable(&lease.slot.holder) else { return Leased::Changed };
        if token.version != lease.version {
            return Leased::Changed;
        }
        match &renewal.lease {
            Some((owner, until)) if *until >= now && *owner != lease.owner => Leased::Busy { until: *until },
            _ => {
                renewal.lease = Some((lease.owner.clone(), lease.until));
                Leased::Won
            }
        }
    }

    fn renew(&mut self, lease: &RenewalLease, new: &Token) -> Held {
        let Some((token, renewal)) = self.renewable(&lease.slot.holder) else { return Held::Lost };
        let Some(old) = token else { return Held::Lost };
        let next = lease.version.saturating_add(1);
        if renewal.done.as_ref() == Some(&lease.owner) && old.version == next {
            // This very write had been done before.
            return Held::Yes;
        }
        let ours = renewal.lease.as_ref().is_some_and(|(owner, _)| *owner == lease.owner);
        if !ours || old.version != lease.version {
            return Held::Lost;
        }
        *token = Some(Token { version: next, ..new.clone() });
        *renewal = Renewal { lease: None, done: Some(lease.owner.clone()) };
        if let (TokenHolder::Bot, Some((installed, _))) = (&lease.slot.holder, &mut self.bot) {
            installed.installation.expires_at = new.expires_at;
        }
        Held::Yes
    }
}

/// An installation that says when its token expires.
fn shown(mut installed: Installed) -> Installed {
    installed.installation.expires_at = installed.token.as_ref().and_then(|token| token.expires_at);
    installed
}

fn done<'a, T: 'a>(value: T) -> LocalBoxFuture<'a, Result<T, StoreError>> {
    ready(Ok(value)).boxed_local()
}

impl InstallationStore for MemoryInstallationStore {
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        done(keys.iter().filter_map(|key| self.installed(key)).collect())
    }

    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        done(self.grant(key, user))
    }

    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        done(self.webhook(key))
    }

    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        let Some(key) = new.installed.installation.key() else {
            let reason = "an installation names neither a workspace nor an organisation".to_owned();
            return ready(Err(StoreError { reason })).boxed_local();
        };
        self.place(&key, |place| {
            place.save_bot(&new.installed, new.webhook_url.as_ref());
            if let Some(user) = &new.user {
                place.save_user(user);
            }
        });
        done(())
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        done(self.place(&lease.slot.key, |place| place.lease(lease, now)))
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        done(self.place(&lease.slot.key, |place| place.renew(lease, token)))
    }

    fn remove<'a>(
        &'a self,
        key: &'a InstallKey,
        removal: &'a Removal,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>> {
        done(self.place(key, |place| place.remove(removal, at)))
    }

    fn set_access<'a>(
        &'a self,
        organisation: &'a InstallKey,
        team: &'a TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.place(organisation, |place| {
            let is_there = place.bot.as_ref().is_some_and(|(installed, _)| installed.installation.gone.is_none());
            if is_there && place.teams.get(team).is_none_or(|(_, noted)| *noted <= at) {
                place.teams.insert(team.clone(), (granted, at));
            }
        });
        done(())
    }

    fn purge<'a>(&'a self, key: &'a InstallKey, now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        done(self.place(key, |place| place.purge(now)))
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>> {
        let places = self.places.borrow();
        let bots = places.values().filter_map(|place| place.bot.as_ref());
        done(bots.map(|(installed, _)| installed.installation.clone()).collect())
    }
}
