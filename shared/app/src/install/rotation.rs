//! Token rotation: early, by one worker at a time, and so that a dead worker costs at most a lease.
//!
//! ```text
//! less than 2 h left ─▶ lease on the slot ─▶ Slack: new pair ─▶ one conditional write: new pair, lease gone
//!                        │ busy, or Slack refuses: the old token serves as long as it lives
//!                        └ killed here: the lease ends after 10 s; the refresh token is still the stored one
//! ```
//! Slack takes a refresh token once, with a short grace in which it gives a new pair again. A worker killed between Slack's answer
//! and the write leaves a spent refresh token in the store; the next job of that workspace renews within the grace, because a lease
//! is short. If none comes in time, the old access token works for the rest of its two hours, and after that the app has to be
//! installed again: the log says so from the first refusal on.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use super::cache::Bounded;
use super::{Slot, Token, TokenHolder};
use crate::idempotency::{Held, Owner};
use crate::oauth::{ExchangeError, SlackOAuth};
use crate::ports::{Clock, InstallationStore, Leased, Random, RenewalLease, StoreError};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use secrecy::SecretString;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::EpochMs;
use tack_protocol::oauth::NewToken;

/// A token that lives less than this is renewed. Slack's own kits take the same.
pub(super) const EARLY: Duration = Duration::from_secs(2 * 3600);

/// How long one worker has the right to renew a token.
pub(super) const LEASE: Duration = Duration::from_secs(10);

/// How much of its lease a worker may have used when Slack's answer is there; the rest is for the write.
pub(super) const CALL: Duration = Duration::from_secs(5);

/// How long a refusal is believed.
const REFUSED: Duration = Duration::from_secs(5 * 60);

/// How often a lease is asked for when the store does not answer.
const LEASE_TRIES: u32 = 2;

/// The first wait before a new pair is stored once more; it doubles until the lease ends.
const STORE_WAIT: Duration = Duration::from_millis(100);

/// Slack's words for a refresh token that will never work again.
const SPENT: [&str; 3] = ["invalid_refresh_token", "token_expired", "token_revoked"];

/// Slack's words for trouble of its own, which passes.
const PASSING: [&str; 5] = ["ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"];

/// Slack's side of a renewal: Slack itself, or a model of it.
pub(crate) trait Renewals {
    /// A new pair for a refresh token.
    fn refresh<'a>(&'a self, refresh: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>>;

    /// The first pair for a token that lives for ever.
    fn exchange<'a>(&'a self, access: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>>;
}

impl Renewals for SlackOAuth {
    fn refresh<'a>(&'a self, refresh: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>> {
        Box::pin(self.refresh(refresh))
    }

    fn exchange<'a>(&'a self, access: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>> {
        Box::pin(self.exchange(access))
    }
}

/// What a renewal needs. Apart from the rest, since a renewal goes on when the job that began it is dropped.
pub(super) struct Parts {
    pub(super) store: Rc<dyn InstallationStore>,
    /// None where the app's client secret is not known: nothing is renewed then.
    pub(super) slack: Option<Rc<dyn Renewals>>,
    pub(super) clock: Rc<dyn Clock>,
    pub(super) random: Rc<dyn Random>,
}

/// How a renewal ended.
#[derive(Clone)]
pub(super) enum Renewed {
    /// The new token is stored.
    Stored(Token),
    /// The new token is good, and the store did not take it yet.
    Unstored(Token, RenewalLease),
    /// Another worker has the lease until then.
    Busy(EpochMs),
    /// It is another token by now, or none.
    Changed,
    /// Slack's word.
    Refused(String),
    /// It is not known what happened; the lease is left to its end.
    Failed(EpochMs, String),
}

/// What a job is to do about its token.
pub(super) enum Kept {
    /// Use this one.
    Use(Token),
    /// Use this one now, and ask again next time: it is not stored yet.
    UseUnstored(Token),
    /// The store knows more.
    LookAgain,
    /// Come again.
    Wait { until: EpochMs, reason: String },
    /// There is none that works, and none to be had.
    Dead(String),
    /// There is none that works until Slack or the store is well again, or an operator does something. That may take long.
    Trouble(String),
}

/// Until when a token is not to be renewed by this process, and why.
struct Pause {
    version: u64,
    until: EpochMs,
    why: Renewed,
}

type Running = Shared<LocalBoxFuture<'static, Renewed>>;

/// Renewals of one slot by this process.
#[derive(Default)]
struct Slate {
    /// The one under way, with the version that it replaces. It outlives the job that began it.
    running: RefCell<Option<(u64, Running)>>,
    pause: RefCell<Option<Pause>>,
    unstored: RefCell<Option<(RenewalLease, Token)>>,
}

/// Keeps tokens from expiring.
pub(super) struct Rotation {
    parts: Rc<Parts>,
    slates: Bounded<Slot, Rc<Slate>>,
}

impl Rotation {
    pub(super) fn new(parts: Parts, most: usize) -> Self {
        Self { parts: Rc::new(parts), slates: Bounded::new(most) }
    }

    /// The token to use: this one while it lives long enough, a new one when it is time. With `refused`, Slack said that it
    /// expired, whatever the clock says.
    pub(super) async fn keep(&self, slot: &Slot, token: &Token, refused: bool) -> Kept {
        let now = self.parts.clock.now();
        let lives = !refused && token.expires_at.is_none_or(|at| at > now);
        let due = refused || token.expires_at.is_some_and(|at| at.since(now) < EARLY);
        if !due {
            return Kept::Use(token.clone());
        }
        if token.refresh.is_none() || self.parts.slack.is_none() {
            return if lives { Kept::Use(token.clone()) } else { not_renewable(token) };
        }
        let slate = self.slates.get_or(slot, Rc::default);
        if let Some(kept) = slate.paused(token, now, lives, refused) {
            return kept;
        }
        let (running, joined) = self.running(&slate, slot, token);
        // One job of the process waits for the new token; the others go on with the old one, and see to it that the
        // renewal goes on should the one that waits be dropped.
        let renewed = if lives && joined {
            match running.clone().now_or_never() {
                Some(renewed) => renewed,
                None => return Kept::Use(token.clone()),
            }
        } else {
            running.clone().await
        };
        slate.ended(token.version, &running, &renewed, self.parts.clock.now());
        match renewed {
            Renewed::Stored(new) => Kept::Use(new),
            Renewed::Unstored(new, _) => Kept::UseUnstored(new),
            Renewed::Changed => Kept::LookAgain,
            _ if lives => Kept::Use(token.clone()),
            // Another worker may have been quicker, and spent the refresh token.
            Renewed::Refused(_) => Kept::LookAgain,
            Renewed::Busy(until) => Kept::Wait { until, reason: being_renewed() },
            Renewed::Failed(_, reason) => Kept::Trouble(reason),
        }
    }

    /// Whether the app's client secret is known.
    pub(super) fn can_renew(&self) -> bool {
        self.parts.slack.is_some()
    }

    /// Renews a token now, for an operator; a long-lived one is exchanged for one that expires.
    pub(super) async fn renew(&self, slot: &Slot, token: &Token) -> Renewed {
        let slate = self.slates.get_or(slot, Rc::default);
        let (running, _) = self.running(&slate, slot, token);
        let renewed = running.clone().await;
        slate.ended(token.version, &running, &renewed, self.parts.clock.now());
        renewed
    }

    /// The renewal that is under way, or a new one; and whether it was.
    fn running(&self, slate: &Slate, slot: &Slot, token: &Token) -> (Running, bool) {
        let mut running = slate.running.borrow_mut();
        if let Some((version, running)) = &*running
            && *version == token.version
        {
            return (running.clone(), true);
        }
        let left_over = slate.unstored.take().filter(|(lease, _)| lease.version == token.version);
        let new = renew(Rc::clone(&self.parts), slot.clone(), token.clone(), left_over).boxed_local().shared();
        *running = Some((token.version, new.clone()));
        (new, false)
    }
}

impl Slate {
    /// What to do without asking anybody, as long as the last renewal's end says so.
    fn paused(&self, token: &Token, now: EpochMs, lives: bool, refused: bool) -> Option<Kept> {
        let pause = self.pause.borrow();
        let pause = pause.as_ref().filter(|pause| pause.version == token.version && now < pause.until)?;
        if lives {
            return Some(Kept::Use(token.clone()));
        }
        match &pause.why {
            Renewed::Stored(_) if refused => None,
            Renewed::Busy(until) => Some(Kept::Wait { until: *until, reason: being_renewed() }),
            Renewed::Refused(word) if SPENT.contains(&word.as_str()) => Some(Kept::Dead(format!(
                "its token expired, and Slack refused to renew it ({word}): the app has to be installed again"
            ))),
            Renewed::Refused(word) => {
                Some(Kept::Trouble(format!("its token expired, and Slack refused to renew it ({word})")))
            }
            Renewed::Failed(_, reason) => Some(Kept::Trouble(reason.clone())),
            Renewed::Unstored(_, lease) => {
                Some(Kept::Wait { until: lease.until, reason: "its new token is not stored yet".to_owned() })
            }
            Renewed::Stored(_) | Renewed::Changed => None,
        }
    }

    /// Takes note of an end. Every job that waited for it does; the first counts.
    fn ended(&self, version: u64, running: &Running, renewed: &Renewed, now: EpochMs) {
        let mut current = self.running.borrow_mut();
        if !current.as_ref().is_some_and(|(_, current)| current.ptr_eq(running)) {
            return;
        }
        *current = None;
        let (version, until) = match renewed {
            // A token with a life of less than two hours is not renewed by every job.
            Renewed::Stored(new) => {
                (new.version, now.plus(new.expires_at.map(|at| at.since(now) / 2).unwrap_or_default()))
            }
            Renewed::Unstored(new, lease) => {
                self.unstored.replace(Some((lease.clone(), new.clone())));
                (version, lease.until)
            }
            Renewed::Busy(until) | Renewed::Failed(until, _) => (version, *until),
            Renewed::Refused(word) if PASSING.contains(&word.as_str()) => (version, now.plus(LEASE)),
            Renewed::Refused(_) => (version, now.plus(REFUSED)),
            Renewed::Changed => return,
        };
        self.pause.replace(Some(Pause { version, until, why: renewed.clone() }));
    }
}

fn not_renewable(token: &Token) -> Kept {
    if token.refresh.is_some() {
        let reason = "its token expired and cannot be renewed: SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are not set";
        return Kept::Trouble(reason.to_owned());
    }
    Kept::Dead("its token expired, and nothing renews it: the app has to be installed again".to_owned())
}

fn being_renewed() -> String {
    "its token expired and is being renewed by another worker".to_owned()
}

/// One renewal from lease to write.
async fn renew(parts: Rc<Parts>, slot: Slot, token: Token, left_over: Option<(RenewalLease, Token)>) -> Renewed {
    let began = parts.clock.now();
    if let Some((lease, new)) = left_over {
        let again = RenewalLease { until: began.plus(CALL), ..lease };
        return store(&parts, again, new).await;
    }
    let Some(slack) = &parts.slack else { return Renewed::Changed };
    let lease = RenewalLease {
        slot,
        version: token.version,
        // Drawn before the first try, so that a repeated write is recognised.
        owner: Owner::from_bits(parts.random.bits()),
        until: began.plus(LEASE),
    };
    match take(&parts, &lease, began).await {
        Ok(Leased::Won) => {}
        // A moment more, so that nobody meets the very end of it.
        Ok(Leased::Busy { until }) => return Renewed::Busy(until.plus(Duration::from_millis(1))),
        Ok(Leased::Changed) => return Renewed::Changed,
        Err(error) => return Renewed::Failed(lease.until, error.to_string()),
    }
    let asked = parts.clock.now();
    let left = CALL.saturating_sub(asked.since(began));
    if left.is_zero() {
        return Renewed::Failed(lease.until, "store: it took too long to take the lease".to_owned());
    }
    let call = match &token.refresh {
        Some(refresh) => slack.refresh(refresh),
        None => slack.exchange(&token.access),
    };
    match tokio::time::timeout(left, call).await.unwrap_or(Err(ExchangeError::Timeout)) {
        Ok(new) => {
            let token = Token {
                access: new.access,
                // A server that gives no new one leaves the old one in force (RFC 6749, section 6).
                refresh: new.refresh.or(token.refresh),
                expires_at: new.expires_in.map(|seconds| asked.plus(Duration::from_secs(seconds))),
                version: lease.version.saturating_add(1),
            };
            store(&parts, lease, token).await
        }
        // Slack tells of an uninstallation by an event; a refusal that goes with it is nothing to mend.
        Err(ExchangeError::Refused(word)) if !is_still_there(&parts, &lease).await => {
            let (installation, holder) = (&lease.slot.key, &lease.slot.holder);
            tracing::info!(%installation, %holder, word, "a token was not renewed: it is gone, or another by now");
            Renewed::Changed
        }
        Err(ExchangeError::Refused(word)) => {
            refused(&lease, &token, &word, asked);
            Renewed::Refused(word)
        }
        Err(error) => {
            tracing::warn!(installation = %lease.slot.key, holder = %lease.slot.holder, "token not renewed: {error}");
            Renewed::Failed(lease.until, format!("its token could not be renewed: {error}"))
        }
    }
}

async fn take(parts: &Parts, lease: &RenewalLease, now: EpochMs) -> Result<Leased, StoreError> {
    let mut tries = 1;
    loop {
        match parts.store.lease(lease, now).await {
            Err(_) if tries < LEASE_TRIES => tries += 1,
            end => return end,
        }
    }
}

/// Whether the token that is to be renewed is in the store still, as far as the store says.
async fn is_still_there(parts: &Parts, lease: &RenewalLease) -> bool {
    let key = &lease.slot.key;
    let token = match &lease.slot.holder {
        TokenHolder::Bot => {
            let read = parts.store.read(std::slice::from_ref(key)).await;
            read.map(|found| found.into_iter().next().and_then(|installed| installed.token))
        }
        TokenHolder::User(user) => parts.store.read_user(key, user).await.map(|grant| grant.and_then(|one| one.token)),
    };
    token.map_or(true, |token| token.is_some_and(|token| token.version == lease.version))
}

/// Writes a new pair as often as its lease allows: the old refresh token is spent, and this is the only copy.
async fn store(parts: &Parts, lease: RenewalLease, token: Token) -> Renewed {
    let mut wait = STORE_WAIT;
    let (installation, holder) = (&lease.slot.key, &lease.slot.holder);
    loop {
        match parts.store.renew(&lease, &token).await {
            Ok(Held::Yes) => {
                tracing::info!(%installation, %holder, "token renewed");
                return Renewed::Stored(token);
            }
            Ok(Held::Lost) => {
                tracing::warn!(%installation, %holder, "a renewed token came too late to be stored: it is another by now");
                return Renewed::Changed;
            }
            Err(error) if parts.clock.now().plus(wait) >= lease.until => {
                tracing::error!(%installation, %holder, "a renewed token could not be stored, and is tried again: {error}");
                return Renewed::Unstored(token, lease);
            }
            Err(_) => tokio::time::sleep(wait).await,
        }
        wait *= 2;
    }
}

fn refused(lease: &RenewalLease, token: &Token, word: &str, now: EpochMs) {
    let left = token.expires_at.map_or(0, |at| at.since(now).as_secs() / 60);
    let hint = match word {
        "bad_client_secret" | "invalid_client_id" => "check SLACK_CLIENT_ID and SLACK_CLIENT_SECRET",
        _ if SPENT.contains(&word) => "after that the app has to be installed again",
        _ if PASSING.contains(&word) => "it is tried again soon",
        _ => "it is tried again in 5 minutes",
    };
    tracing::error!(
        installation = %lease.slot.key, holder = %lease.slot.holder, word, hint,
        "Slack refused to renew a token; the present one has {left} minutes left"
    );
}
