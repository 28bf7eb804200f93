//! What the framework needs from the world. A trait stands here only where two real implementations exist:
//! the ones in memory (`crate::memory`) and those of `tack-aws`.

use crate::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, Owner};
use crate::install::{InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Slot, Token, UserGrant};
use crate::message::{DeadLetter, QueueName};
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use std::time::Duration;
use tack_protocol::{EpochMs, EpochSeconds, SigningSecrets, TeamId, UserId};
use thiserror::Error;

/// The time. Nothing else in the framework reads a clock for it.
pub trait Clock {
    /// Now.
    fn now(&self) -> EpochMs;
}

/// Randomness: names of deliveries and owners, jitter, the order of suspects. A seeded one makes a run repeatable.
pub trait Random {
    /// Random bits, 122 of them at least; the lowest and the highest are among them.
    fn bits(&self) -> u128;
}

/// Where acknowledged work waits.
pub trait Queue {
    /// Makes one message durable. Returns only when it is, and never says so otherwise.
    ///
    /// `group` is the tenant, so that a loud workspace does not hold up the others.
    ///
    /// # Errors
    /// [`QueueError`] when the queue did not accept it within its own time limits.
    fn send<'a>(&'a self, queue: QueueName, group: &'a str, body: String)
    -> LocalBoxFuture<'a, Result<(), QueueError>>;
}

/// What the side that takes messages out may do with them, besides finishing them.
pub trait QueueConsumer {
    /// Lets a received message stay away for `delay` before it is given out again.
    ///
    /// # Errors
    /// [`QueueError`]; the message then returns when its visibility time-out ends, which costs time and nothing else.
    fn postpone<'a>(
        &'a self,
        queue: QueueName,
        receipt: &'a str,
        delay: Duration,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>>;

    /// Makes a dead letter durable.
    ///
    /// # Errors
    /// [`QueueError`]; the message must then stay in its queue.
    fn bury<'a>(&'a self, letter: DeadLetter) -> LocalBoxFuture<'a, Result<(), QueueError>>;
}

/// The queue did not do it.
#[derive(Debug, Error)]
#[error("queue: {reason}")]
pub struct QueueError {
    /// What it said, without the message.
    pub reason: String,
}

/// Records of which jobs are running, done or given up. See [`crate::idempotency`].
pub trait IdempotencyStore {
    /// Takes a job, if nobody has it and nobody finished it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether the job was taken; nothing may run then.
    fn claim<'a>(&'a self, request: ClaimRequest) -> LocalBoxFuture<'a, Result<ClaimOutcome, StoreError>>;

    /// Marks a held job as finished for good, with the reason if it was not simply done.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn complete<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>>;

    /// Gives a held job back, not to be taken before `not_before`. An attempt that never started is not counted.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn release<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        not_before: EpochMs,
        why: &'a str,
        started: bool,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>>;

    /// Marks a held job as given up; its dead letter is durable already.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was written; the lease then runs out.
    fn park<'a>(&'a self, claim: &'a Claim, now: EpochMs, why: &'a str)
    -> LocalBoxFuture<'a, Result<Held, StoreError>>;
}

/// Where the app is installed: the precious part of what is stored. Tokens are encrypted at rest wherever there is a "rest".
pub trait InstallationStore {
    /// The installations under these names, in their order, without those that are not there. One read for all of them.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read or a token could not be decrypted.
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>>;

    /// What one person granted.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>>;

    /// The address of an installation's incoming webhook; none if it was not granted, or went with the installation. Few
    /// apps post to one, so no read opens it but this.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>>;

    /// Saves what an OAuth flow brought, over what was there; the last few versions stay as history. A newer installation
    /// is never overwritten, and one without a bot keeps the bot that is there. What was saved before is not saved again,
    /// whatever became of it: a renewal or a removal since stays, and what was installed before a removal is gone with it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was saved.
    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Takes the right to renew a token until a time, if it is still this version and nobody else has it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was taken.
    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>>;

    /// Stores the new token of a slot, if the lease is still held, and ends the lease. The token's version is one above
    /// the lease's.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was stored; asking again is safe.
    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>>;

    /// Takes away what an event that Slack dates `at` says is gone. What was installed after that stays.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether all of it was done; asking again is safe.
    fn remove<'a>(
        &'a self,
        key: &'a InstallKey,
        removal: &'a Removal,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>>;

    /// Notes whether an org-wide installation may work in a workspace; of two notes the one that Slack dates later stays.
    /// Where there is no such installation, or it is gone, nothing is noted: a purge would not find it.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was noted; asking again is safe.
    fn set_access<'a>(
        &'a self,
        organisation: &'a InstallKey,
        team: &'a TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Deletes everything under a name, if that installation is gone and due to be purged at `now`. Says whether it did.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether all of it was done; asking again is safe.
    fn purge<'a>(&'a self, key: &'a InstallKey, now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>>;

    /// Every installation, those that are gone too, in the order of their names. No token is decrypted. One that cannot be
    /// read is left out and logged: it must not keep the others' purges waiting.
    ///
    /// # Errors
    /// [`StoreError`] when the store did not answer.
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>>;
}

/// The right to renew one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalLease {
    /// Whose token.
    pub slot: Slot,
    /// The version that is to be replaced.
    pub version: u64,
    /// Who renews it; drawn before the first try, so that a repeated write is recognised.
    pub owner: Owner,
    /// Until when.
    pub until: EpochMs,
}

/// What became of asking for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leased {
    /// It is ours.
    Won,
    /// Someone else renews the token, and has until then.
    Busy {
        /// The end of their lease.
        until: EpochMs,
    },
    /// It is no longer this version, or gone: read again.
    Changed,
}

/// OAuth states: what binds a callback to the browser that began, once.
pub trait StateStore {
    /// Keeps a state until it is used or expires.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was kept.
    fn issue<'a>(&'a self, state: &'a OAuthState) -> LocalBoxFuture<'a, Result<(), StoreError>>;

    /// Uses a state up, if this browser began it and it is not too old: one conditional delete. Both names are hashes.
    ///
    /// # Errors
    /// [`StoreError`] when it is not known whether it was used up; nothing may be exchanged then.
    fn consume<'a>(
        &'a self,
        state: &'a str,
        browser: &'a str,
        now: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Consumed, StoreError>>;
}

/// A state that was sent to Slack; neither it nor the browser's cookie is in it, only their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthState {
    /// SHA-256 of the state, in hex.
    pub state: String,
    /// SHA-256 of the browser's cookie, in hex.
    pub browser: String,
    /// When it is too old.
    pub expires: EpochSeconds,
    /// The adopter's own word from `?ref=`, handed to `installed`.
    pub reference: Option<String>,
}

/// What became of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumed {
    /// It was this browser's, and nobody can use it again.
    Yes {
        /// The adopter's own word from `?ref=`.
        reference: Option<String>,
    },
    /// There is none: it was used before, expired long ago, or never issued.
    Unknown,
    /// Another browser began it. It stays.
    OtherBrowser,
    /// It was too old.
    Expired,
}

/// The store did not do it, or it is not known whether it did.
#[derive(Debug, Error)]
#[error("store: {reason}")]
pub struct StoreError {
    /// What it said.
    pub reason: String,
}

/// Where signing secrets are kept, so that one that was changed reaches a process that runs already.
pub trait SigningSecretSource {
    /// Reads them again, as they are now.
    ///
    /// # Errors
    /// [`RereadError`] when they could not be read, or none is there.
    fn reread(&self) -> LocalBoxFuture<'_, Result<SigningSecrets, RereadError>>;
}

/// The signing secrets could not be read again.
#[derive(Debug, Error)]
#[error("{reason}")]
pub struct RereadError {
    /// Why, without a secret.
    pub reason: String,
}
