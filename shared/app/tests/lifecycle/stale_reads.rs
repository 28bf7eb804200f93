//! A store whose reads show what was before for a moment. Nothing final may follow from that.

use crate::world::{
    LIFECYCLE, LONG_AGO, TEAM, TestWorker, UNINSTALLED, World, installation, published, register, work,
};
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::Held;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Token, Tokens, TokensParts, UserGrant,
};
use tack_app::memory::{MemoryInstallationStore, SeededRandom};
use tack_app::ports::{InstallationStore, Leased, RenewalLease, StoreError};
use tack_app::protocol::{EpochMs, EpochSeconds, TeamId, UserId};
use tack_app::{Authorize, HttpClient};

/// Some of its reads, counted from 0, show another store: the state before.
struct Lagging {
    inner: MemoryInstallationStore,
    before: MemoryInstallationStore,
    stale: Range<u32>,
    reads: Cell<u32>,
}

impl InstallationStore for Lagging {
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        let read = self.reads.get();
        self.reads.set(read + 1);
        if self.stale.contains(&read) { self.before.read(keys) } else { self.inner.read(keys) }
    }

    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        self.inner.read_user(key, user)
    }

    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        self.inner.read_webhook(key)
    }

    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.inner.save(new)
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        self.inner.lease(lease, now)
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.inner.renew(lease, token)
    }

    fn remove<'a>(
        &'a self,
        key: &'a InstallKey,
        removal: &'a Removal,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>> {
        self.inner.remove(key, removal, at)
    }

    fn set_access<'a>(
        &'a self,
        organisation: &'a InstallKey,
        team: &'a TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.inner.set_access(organisation, team, granted, at)
    }

    fn purge<'a>(&'a self, key: &'a InstallKey, now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        self.inner.purge(key, now)
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>> {
        self.inner.list()
    }
}

/// A worker over an installation from long ago, some of whose reads show it as it was at first.
async fn lagging(world: &World, stale: Range<u32>) -> TestWorker {
    let before = MemoryInstallationStore::default();
    before.save(&installation(TEAM, LONG_AGO)).await.expect("a save");
    world.install(installation(TEAM, LONG_AGO)).await;
    let tokens = Tokens::new(TokensParts {
        store: Rc::new(Lagging { inner: world.installations.clone(), before, stale, reads: Cell::default() }),
        credentials: None,
        http: HttpClient::new(Vec::new()).expect("an HTTP client"),
        slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
        clock: Rc::clone(&world.clock) as _,
        random: Rc::new(SeededRandom::new(2)),
    });
    world.worker_with(Authorize::Installations(Rc::new(tokens)), register)
}

#[tokio::test(start_paused = true)]
async fn what_follows_from_a_removal_is_not_lost_when_it_cannot_be_read_yet() {
    let world = World::new();
    let worker = lagging(&world, 0..1).await;
    let sent = work(published(UNINSTALLED), &[LIFECYCLE]);
    world.send(&sent).await;
    assert_eq!(world.batch(&worker).await, 1);
    assert!(world.end(&sent, LIFECYCLE).contains("the removal of T0ACME001 cannot be read yet"));
    world.pass(Duration::from_secs(11));
    assert_eq!(world.batch(&worker).await, 0);
    assert_eq!(world.own_waiting().len(), 2, "uninstalled and purge");
}

#[tokio::test(start_paused = true)]
async fn a_purge_that_sees_the_installation_as_it_was_waits() {
    let world = World::new();
    // The first is that of the event, then those of what follows from it.
    let worker = lagging(&world, 1..3).await;
    world.send(&work(published(UNINSTALLED), &[LIFECYCLE])).await;
    assert_eq!(world.batch(&worker).await, 0);
    let purge = world.waiting().into_iter().find(|body| body.contains("tack.purge")).expect("a purge");
    assert_eq!(world.batch(&worker).await, 1);
    assert_eq!(world.end_of_own(&purge), "I0: the record does not show that uninstallation yet");
    world.pass(Duration::from_secs(11));
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.row(TEAM).is_none());
}
