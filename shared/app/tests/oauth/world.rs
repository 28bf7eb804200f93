//! The world around the flow: ports in memory that can be told to fail, a clock set by hand, and what happened in which order.

use crate::slack::{Answer, Slack};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use secrecy::SecretString;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::Held;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Scopes, Token, UserGrant,
};
use tack_app::memory::{ManualClock, MemoryInstallationStore, MemoryQueue, MemoryStateStore, SeededRandom};
use tack_app::message::QueueName;
use tack_app::oauth::{InstallPages, OAuth, OAuthParts};
use tack_app::ports::{
    Consumed, InstallationStore, Leased, OAuthState, Queue, QueueError, RenewalLease, StateStore, StoreError,
};
use tack_app::protocol::{AppId, EpochMs, EpochSeconds, TeamId, UserId};
use tack_app::{HttpClient, Limits};

/// 2024-06-15 12:00:00 UTC.
pub(crate) const NOW: EpochMs = EpochMs(1_718_452_800_000);
pub(crate) const CLIENT_ID: &str = "1234567890.9876543210";
pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";

/// What the ports are to refuse, and what they did.
#[derive(Default)]
pub(crate) struct Ports {
    pub(crate) installations: MemoryInstallationStore,
    pub(crate) states: MemoryStateStore,
    pub(crate) queue: MemoryQueue,
    pub(crate) states_down: Cell<bool>,
    pub(crate) queue_down: Cell<bool>,
    pub(crate) saving_down: Cell<bool>,
    pub(crate) done: RefCell<Vec<&'static str>>,
}

pub(crate) struct World {
    pub(crate) ports: Rc<Ports>,
    pub(crate) clock: Rc<ManualClock>,
    pub(crate) slack: Slack,
    pub(crate) app_id: Option<AppId>,
    pub(crate) redirect_uri: Option<String>,
    pub(crate) user_scopes: Scopes,
    pub(crate) pages: InstallPages,
    pub(crate) limits: Limits,
}

impl World {
    /// Must run inside a `LocalSet`.
    pub(crate) async fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            ports: Rc::default(),
            clock: Rc::new(ManualClock::at(NOW)),
            slack: Slack::start(script).await,
            app_id: Some("A0KRD7HC3".into()),
            redirect_uri: None,
            user_scopes: Scopes::default(),
            pages: InstallPages::default(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn oauth(&self) -> OAuth {
        OAuth::new(OAuthParts {
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.into(),
            scopes: Scopes::parse("chat:write,commands"),
            user_scopes: self.user_scopes.clone(),
            redirect_uri: self.redirect_uri.clone(),
            app_id: self.app_id.clone(),
            store: Rc::clone(&self.ports) as _,
            states: Rc::clone(&self.ports) as _,
            queue: Rc::clone(&self.ports) as _,
            http: HttpClient::new(Vec::new()).expect("an HTTP client"),
            slack_api_url: format!("{}api/", self.slack.url),
            clock: Rc::clone(&self.clock) as _,
            random: Rc::new(SeededRandom::new(1)),
            pages: self.pages,
            limits: self.limits.clone(),
        })
    }

    /// The place of a page in the simulated Slack.
    pub(crate) fn at_slack(&self, path: &str) -> String {
        format!("{}{path}", self.slack.url)
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The one installation that was saved.
    pub(crate) fn installed(&self, key: &str) -> Installed {
        let key = InstallKey::parse(key).expect("a key");
        self.ports.installations.installed(&key).expect("an installation")
    }

    /// Its incoming webhook's address.
    pub(crate) fn webhook(&self, key: &str) -> Option<SecretString> {
        self.ports.installations.webhook(&InstallKey::parse(key).expect("a key"))
    }
}

fn down<T>() -> Result<T, StoreError> {
    Err(StoreError { reason: "ProvisionedThroughputExceededException".to_owned() })
}

impl StateStore for Ports {
    fn issue<'a>(&'a self, state: &'a OAuthState) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        if self.states_down.get() { ready(down()).boxed_local() } else { self.states.issue(state) }
    }

    fn consume<'a>(
        &'a self,
        state: &'a str,
        browser: &'a str,
        now: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Consumed, StoreError>> {
        if self.states_down.get() { ready(down()).boxed_local() } else { self.states.consume(state, browser, now) }
    }
}

impl Queue for Ports {
    fn send<'a>(
        &'a self,
        queue: QueueName,
        group: &'a str,
        body: String,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        if self.queue_down.get() {
            return ready(Err(QueueError { reason: "RequestThrottled".to_owned() })).boxed_local();
        }
        self.done.borrow_mut().push("queued");
        self.queue.send(queue, group, body)
    }
}

impl InstallationStore for Ports {
    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        if self.saving_down.get() {
            return ready(down()).boxed_local();
        }
        self.done.borrow_mut().push("saved");
        self.installations.save(new)
    }

    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        self.installations.read(keys)
    }

    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        self.installations.read_webhook(key)
    }

    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        self.installations.read_user(key, user)
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        self.installations.lease(lease, now)
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.installations.renew(lease, token)
    }

    fn remove<'a>(
        &'a self,
        key: &'a InstallKey,
        removal: &'a Removal,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>> {
        self.installations.remove(key, removal, at)
    }

    fn set_access<'a>(
        &'a self,
        organisation: &'a InstallKey,
        team: &'a TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.installations.set_access(organisation, team, granted, at)
    }

    fn purge<'a>(&'a self, key: &'a InstallKey, now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        self.installations.purge(key, now)
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>> {
        self.installations.list()
    }
}
