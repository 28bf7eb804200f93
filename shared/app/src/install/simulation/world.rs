//! What stands between a worker and the store and Slack: a wire that is slow, loses requests and answers, and processes that are
//! killed at any point. What was sent is done, whether or not somebody waits for it.

use super::slack::{Pair, Slack};
use crate::idempotency::Held;
use crate::install::rotation::Renewals;
use crate::install::{InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Slot, Token, UserGrant};
use crate::memory::{MemoryInstallationStore, SeededRandom};
use crate::oauth::ExchangeError;
use crate::ports::{Clock, InstallationStore, Leased, Random, RenewalLease, StoreError};
use futures_util::future::LocalBoxFuture;
use secrecy::{ExposeSecret, SecretString};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::oauth::NewToken;
use tack_protocol::{EpochMs, EpochSeconds, TeamId, UserId};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// tokio's virtual time as ours.
pub(super) struct VirtualClock(Instant);

impl VirtualClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> EpochMs {
        EpochMs(1_790_000_000_000).plus(self.0.elapsed())
    }
}

/// A fault that is built in, to see that it is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Planted {
    Nothing,
    /// Everybody gets the lease.
    NoLease,
    /// A new pair is written whatever is there.
    BlindWrite,
}

#[derive(Default)]
pub(super) struct Figures {
    pub(super) commits: Cell<u64>,
    pub(super) overtaken: Cell<u64>,
    pub(super) lost_leases: Cell<u64>,
    pub(super) busy: Cell<u64>,
    pub(super) kills: Cell<u64>,
    pub(super) lost_messages: Cell<u64>,
    pub(super) calls: Cell<u64>,
    pub(super) refused_calls: Cell<u64>,
    pub(super) waits: Cell<u64>,
}

pub(super) fn count(figure: &Cell<u64>) {
    figure.set(figure.get() + 1);
}

/// All that is shared.
pub(super) struct World {
    pub(super) clock: Rc<VirtualClock>,
    pub(super) random: Rc<SeededRandom>,
    pub(super) slack: Slack,
    pub(super) store: MemoryInstallationStore,
    pub(super) planted: Planted,
    /// Nothing is late, lost or killed, for tests of one thing at a time.
    pub(super) calm: Cell<bool>,
    /// The store refuses every new pair.
    pub(super) takes_no_pair: Cell<bool>,
    pub(super) figures: Figures,
    pub(super) violations: RefCell<Vec<String>>,
    /// Who has which lease, as the outside sees it.
    leases: RefCell<HashMap<Slot, (String, EpochMs)>>,
}

impl World {
    pub(super) fn new(seed: u64, planted: Planted) -> Rc<Self> {
        Rc::new(Self {
            clock: Rc::new(VirtualClock::start()),
            random: Rc::new(SeededRandom::new(seed)),
            slack: Slack::default(),
            store: MemoryInstallationStore::default(),
            planted,
            calm: Cell::default(),
            takes_no_pair: Cell::default(),
            figures: Figures::default(),
            violations: RefCell::default(),
            leases: RefCell::default(),
        })
    }

    pub(super) fn now(&self) -> EpochMs {
        self.clock.now()
    }

    pub(super) fn below(&self, most: u64) -> u64 {
        u64::try_from(self.random.bits() % u128::from(most.max(1))).unwrap_or_default()
    }

    pub(super) fn chance(&self, in_thousand: u64) -> bool {
        !self.calm.get() && self.below(1000) < in_thousand
    }

    pub(super) fn milliseconds(&self, most: u64) -> Duration {
        Duration::from_millis(self.below(most))
    }

    pub(super) fn violated(&self, what: String) {
        self.violations.borrow_mut().push(what);
    }

    /// One way over the wire: mostly quick, at times so slow that nobody waits any more.
    fn way(&self) -> Duration {
        if self.chance(15) { self.milliseconds(14_000) } else { self.milliseconds(120) }
    }

    fn won(&self, lease: &RenewalLease) {
        let now = self.now();
        let owner = lease.owner.as_str().to_owned();
        let former = self.leases.borrow_mut().insert(lease.slot.clone(), (owner.clone(), lease.until));
        if let Some((other, until)) = former
            && other != owner
            && until >= now
        {
            self.violated(format!("two leases of {} at once", lease.slot.key));
        }
    }

    /// A new pair is in the store: it must be one that can be renewed, and come from the one that it replaced. Its access
    /// token works, unless Slack handed out two more for requests that it got late.
    fn committed(&self, lease: &RenewalLease, before: &Token, token: &Token) {
        count(&self.figures.commits);
        self.leases.borrow_mut().remove(&lease.slot);
        let workspace = workspace_of(&lease.slot.key);
        let refresh =
            |token: &Token| token.refresh.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default().to_owned();
        if !self.slack.is_unused(workspace, &refresh(token)) {
            self.violated(format!("{}: a spent refresh token was stored", lease.slot.key));
        }
        if !self.slack.is_child(workspace, &refresh(token), &refresh(before)) {
            self.violated(format!("{}: a pair was stored over another than the one it renews", lease.slot.key));
        }
        if self.slack.call(workspace, token.access.expose_secret(), self.now()).is_err() {
            count(&self.figures.overtaken);
        }
    }
}

/// One worker's process.
#[derive(Default)]
pub(super) struct Process {
    killed: Cell<bool>,
    death: Notify,
}

impl Process {
    pub(super) fn kill(&self) {
        self.killed.set(true);
        self.death.notify_waiters();
    }

    pub(super) fn is_killed(&self) -> bool {
        self.killed.get()
    }

    pub(super) async fn killed(&self) {
        let death = self.death.notified();
        if !self.is_killed() {
            death.await;
        }
    }
}

/// A process's connection to the store and to Slack.
pub(super) struct Wire {
    pub(super) world: Rc<World>,
    pub(super) process: Rc<Process>,
}

impl Wire {
    /// Sends something that is done at the other end. An error says nothing about whether it was.
    async fn send<T: 'static>(&self, effect: impl FnOnce() -> T + 'static) -> Result<T, &'static str> {
        let world = &self.world;
        let (there, back) = (world.way(), world.way());
        let (lose_request, lose_answer) = (world.chance(10), world.chance(10));
        let (kill_before, kill_after) = (world.chance(6), world.chance(6));
        let process = Rc::clone(&self.process);
        let (answer, answered) = oneshot::channel();
        let counted = Rc::clone(world);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(there).await;
            if kill_before {
                process.kill();
            }
            if lose_request {
                count(&counted.figures.lost_messages);
                return;
            }
            let done = effect();
            if kill_after {
                process.kill();
            }
            if lose_answer {
                count(&counted.figures.lost_messages);
                return;
            }
            tokio::time::sleep(back).await;
            let _ = answer.send(done);
        });
        answered.await.map_err(|_| "the connection broke")
    }

    async fn store<T: 'static>(
        &self,
        effect: impl FnOnce(&World) -> LocalBoxFuture<'_, Result<T, StoreError>> + 'static,
    ) -> Result<T, StoreError> {
        let world = Rc::clone(&self.world);
        let done = move || {
            use futures_util::FutureExt;
            effect(&world).now_or_never().expect("a store in memory does not wait")
        };
        self.send(done).await.map_err(|reason| StoreError { reason: reason.to_owned() })?
    }
}

/// Which workspace a key of the simulation stands for.
fn workspace_of(key: &InstallKey) -> usize {
    key.id().trim_start_matches('T').parse().expect("T and a number")
}

impl InstallationStore for Wire {
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        let keys = keys.to_vec();
        Box::pin(self.store(move |world| {
            let found = keys.iter().filter_map(|key| world.store.installed(key)).collect();
            Box::pin(std::future::ready(Ok(found)))
        }))
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        let lease = lease.clone();
        Box::pin(self.store(move |world| {
            Box::pin(async move {
                let never = EpochMs(u64::MAX);
                let now = if world.planted == Planted::NoLease { never } else { now };
                let leased = world.store.lease(&lease, now).await?;
                match leased {
                    Leased::Won => world.won(&lease),
                    Leased::Busy { .. } => count(&world.figures.busy),
                    Leased::Changed => {}
                }
                Ok(leased)
            })
        }))
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        let (lease, token) = (lease.clone(), token.clone());
        if self.world.takes_no_pair.get() {
            return Box::pin(std::future::ready(Err(StoreError { reason: "the table is away".to_owned() })));
        }
        Box::pin(self.store(move |world| {
            Box::pin(async move {
                let stored = || world.store.installed(&lease.slot.key).and_then(|installed| installed.token);
                let before = stored().expect("a token");
                let mut written = lease.clone();
                if world.planted == Planted::BlindWrite {
                    written.version = before.version;
                    world.store.lease(&written, EpochMs(u64::MAX)).await?;
                }
                let held = world.store.renew(&written, &token).await?;
                match held {
                    Held::Yes if stored().is_some_and(|after| after.version > before.version) => {
                        world.committed(&lease, &before, &token);
                    }
                    Held::Yes => {}
                    Held::Lost => count(&world.figures.lost_leases),
                }
                Ok(held)
            })
        }))
    }

    fn read_user<'a>(
        &'a self,
        _key: &'a InstallKey,
        _user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        unreachable!("no person's token here")
    }

    fn read_webhook<'a>(
        &'a self,
        _key: &'a InstallKey,
    ) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        unreachable!("nobody posts here")
    }

    fn save<'a>(&'a self, _new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        unreachable!("workers save nothing")
    }

    fn remove<'a>(
        &'a self,
        _key: &'a InstallKey,
        _removal: &'a Removal,
        _at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>> {
        unreachable!("nothing is uninstalled here")
    }

    fn set_access<'a>(
        &'a self,
        _organisation: &'a InstallKey,
        _team: &'a TeamId,
        _granted: bool,
        _at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        unreachable!("no organisation here")
    }

    fn purge<'a>(&'a self, _key: &'a InstallKey, _now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        unreachable!("nothing is purged here")
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>> {
        unreachable!("no worker lists")
    }
}

impl Renewals for Wire {
    fn refresh<'a>(&'a self, refresh: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>> {
        let (world, refresh) = (Rc::clone(&self.world), refresh.expose_secret().to_owned());
        let asked = self.send(move || world.slack.refresh(&refresh, world.now()));
        Box::pin(async move {
            match asked.await {
                Ok(Ok(Pair { access, refresh })) => Ok(NewToken {
                    access: access.into(),
                    refresh: Some(refresh.into()),
                    expires_in: Some(super::slack::LIFE.as_secs()),
                }),
                Ok(Err(word)) => Err(ExchangeError::Refused(word.to_owned())),
                Err(reason) => Err(ExchangeError::Transport(reason.to_owned())),
            }
        })
    }

    fn exchange<'a>(&'a self, _access: &'a SecretString) -> LocalBoxFuture<'a, Result<NewToken, ExchangeError>> {
        unreachable!("every token expires here")
    }
}
