//! A worker with installations: ports in memory, a store that counts and fails on request, a Slack that answers as told.

use crate::slack::{Request, Slack};
use futures_util::future::LocalBoxFuture;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::{Held, RecordKey};
use tack_app::install::{
    ClientCredentials, InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Scopes, Slot, Token,
    TokenHolder, Tokens, TokensParts, UserGrant,
};
use tack_app::memory::{ManualClock, MemoryInstallationStore, MemoryQueue, MemoryStore, SeededRandom};
use tack_app::message::{Job, QueueName, SlackWork, Work, group_of};
use tack_app::ports::{Clock, InstallationStore, Leased, Queue, RenewalLease, StoreError};
use tack_app::protocol::{Envelope, EpochMs, EpochSeconds, TeamId, UserId};
use tack_app::{App, Authorize, HttpClient, LazyPhase, Limits, Worker, WorkerParts};

/// When everything begins.
pub(crate) const NOW: EpochMs = EpochMs(1_795_511_900_000);
pub(crate) const LONG_AGO: EpochMs = EpochMs(1_795_000_000_000);

pub(crate) const TEAM: &str = "T0ACME001";
pub(crate) const MESSAGE: &str = "message.json";
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The store in memory, watched.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) inner: MemoryInstallationStore,
    calls: RefCell<Vec<&'static str>>,
    failing: Cell<Option<(&'static str, u32)>>,
}

impl Watched {
    /// The next calls of this name fail, as many as this.
    pub(crate) fn fail(&self, call: &'static str, times: u32) {
        self.failing.set(Some((call, times)));
    }

    /// What was called since the last look.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.calls.take()
    }

    fn through<'a, T: 'a>(
        &self,
        call: &'static str,
        done: LocalBoxFuture<'a, Result<T, StoreError>>,
    ) -> LocalBoxFuture<'a, Result<T, StoreError>> {
        self.calls.borrow_mut().push(call);
        let fails = self.failing.get().is_some_and(|(failing, left)| failing == call && left > 0);
        if let Some((failing, left)) = self.failing.get().filter(|_| fails) {
            self.failing.set(Some((failing, left - 1)));
        }
        Box::pin(async move {
            // A store is never there at once: neighbours get their turn.
            tokio::task::yield_now().await;
            if fails { Err(StoreError { reason: "the table is away".to_owned() }) } else { done.await }
        })
    }
}

impl InstallationStore for Watched {
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        self.through("read", self.inner.read(keys))
    }

    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        self.through("read_user", self.inner.read_user(key, user))
    }

    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        self.through("read_webhook", self.inner.read_webhook(key))
    }

    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.inner.save(new)
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        self.through("lease", self.inner.lease(lease, now))
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        self.through("renew", self.inner.renew(lease, token))
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

/// What listeners did, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn push(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

pub(crate) type TestApp = App<LazyPhase, Log>;

/// The listener of most tests: one call.
pub(crate) fn posting(app: &mut TestApp) {
    app.message("").lazy("post", async |context, _| {
        context.client().call("chat.postMessage", &json!({ "channel": "C0PLAY001", "text": "hello" })).await?;
        Ok(())
    });
}

pub(crate) struct World {
    pub(crate) clock: Rc<ManualClock>,
    pub(crate) store: Rc<Watched>,
    pub(crate) slack: Slack,
    pub(crate) tokens: Rc<Tokens>,
    pub(crate) log: Log,
    records: Rc<MemoryStore>,
    queue: Rc<MemoryQueue>,
    worker: Worker<Log, ()>,
    sent: Cell<u32>,
}

impl World {
    /// A worker of an app that posts, before a Slack that answers so.
    pub(crate) async fn new(answering: impl Fn(&Request) -> String + 'static) -> Self {
        Self::with(answering, posting, true).await
    }

    pub(crate) async fn with(
        answering: impl Fn(&Request) -> String + 'static,
        register: impl FnOnce(&mut TestApp),
        rotation: bool,
    ) -> Self {
        let slack = Slack::start(answering).await;
        let (clock, store) = (Rc::new(ManualClock::at(NOW)), Rc::new(Watched::default()));
        let http = HttpClient::new(Vec::new()).expect("an HTTP client");
        let credentials = ClientCredentials { client_id: "123.456".to_owned(), client_secret: "not-a-secret".into() };
        let tokens = Rc::new(Tokens::new(TokensParts {
            store: Rc::clone(&store) as _,
            credentials: rotation.then_some(credentials),
            http: http.clone(),
            slack_api_url: slack.url.clone(),
            clock: Rc::clone(&clock) as _,
            random: Rc::new(SeededRandom::new(2)),
        }));
        let (records, queue, log) = (Rc::new(MemoryStore::default()), Rc::new(MemoryQueue::default()), Log::default());
        let parts = WorkerParts {
            resources: log.clone(),
            authorize: Authorize::Installations(Rc::clone(&tokens)),
            app_id: None,
            http,
            slack_api_url: slack.url.clone(),
            store: Rc::clone(&records) as _,
            queue: Rc::clone(&queue) as _,
            consumer: Rc::clone(&queue) as _,
            clock: Rc::clone(&clock) as _,
            random: Rc::new(SeededRandom::new(1)),
            limits: Limits::default(),
        };
        let worker = Worker::new(App::build(register).expect("an app"), parts);
        Self { clock, store, slack, tokens, log, records, queue, worker, sent: Cell::default() }
    }

    pub(crate) async fn install(&self, new: &NewInstallation) {
        self.store.save(new).await.expect("a store in memory");
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// Since everything began.
    pub(crate) fn passed(&self) -> Duration {
        self.clock.now().since(NOW)
    }

    /// The first workspace's token as it is stored.
    pub(crate) fn stored(&self) -> Token {
        self.store.inner.installed(&slot().key).and_then(|installed| installed.token).expect("a token")
    }

    /// Another worker has the right to renew the first workspace's token for this long.
    pub(crate) async fn taken_by_another(&self, time: Duration) -> RenewalLease {
        let now = self.clock.now();
        let owner = tack_app::idempotency::Owner::from_bits(7);
        let lease = RenewalLease { slot: slot(), version: self.stored().version, owner, until: now.plus(time) };
        assert_eq!(self.store.inner.lease(&lease, now).await.expect("a store"), Leased::Won);
        lease
    }

    /// A new event of this kind waits.
    pub(crate) async fn send(&self, file: &str, edit: impl FnOnce(&mut Value)) -> SlackWork {
        self.sent.set(self.sent.get() + 1);
        let mut root = published(file);
        root["event_id"] = format!("Ev{}", self.sent.get()).into();
        edit(&mut root);
        let envelope = Envelope::from_body("application/json", root.to_string().into(), self.clock.now());
        let id = format!("delivery {}", self.sent.get());
        let work = SlackWork { id, envelope, jobs: vec![Job::named("post")], generation: 0, trace: None };
        let group = group_of(&work.envelope.tenant);
        self.queue.send(QueueName::Events, &group, work.encode()).await.expect("a queue");
        work
    }

    /// One invocation over all that waits; how many messages must come again.
    pub(crate) async fn batch(&self) -> usize {
        let records = self.queue.receive(QueueName::Events);
        let failed = self.worker.run_batch(records.clone(), Duration::from_secs(30)).await;
        self.queue.finish(&records, &failed);
        failed.len()
    }

    /// A message arrives and is dealt with; the end of its job as [`Self::end`].
    pub(crate) async fn message(&self) -> String {
        self.event(MESSAGE, |_| {}).await
    }

    /// The same of one that is dealt with when no installation can be on its way any more.
    pub(crate) async fn late_message(&self) -> String {
        let work = self.send(MESSAGE, |_| {}).await;
        self.pass(SECOND * 10);
        self.batch().await;
        self.end(&work)
    }

    pub(crate) async fn event(&self, file: &str, edit: impl FnOnce(&mut Value)) -> String {
        let work = self.send(file, edit).await;
        self.batch().await;
        self.end(&work)
    }

    /// `C1`, or with a reason `C1: why`: state, attempts and reason of the job's record.
    pub(crate) fn end(&self, work: &SlackWork) -> String {
        let key = RecordKey::new(&Work::Slack(Box::new(work.clone())), &Job::named("post"), None);
        let record = self.records.record(&key).expect("a record");
        let (state, attempts) = (record.state(), record.attempts());
        record.why().map_or(format!("{state}{attempts}"), |why| format!("{state}{attempts}: {why}"))
    }

    /// How long the only message that waits stays away.
    pub(crate) fn postponed(&self) -> Duration {
        let waiting = self.queue.waiting();
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting[0].postponed.expect("a message that was postponed")
    }
}

pub(crate) fn slot() -> Slot {
    Slot { key: InstallKey::Team(TEAM.into()), holder: TokenHolder::Bot }
}

pub(crate) fn published(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack/event").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn ok() -> String {
    json!({ "ok": true }).to_string()
}

pub(crate) fn error(word: &str) -> String {
    json!({ "ok": false, "error": word }).to_string()
}

/// Slack's answer to a renewal.
pub(crate) fn pair(access: &str, refresh: &str) -> String {
    json!({ "ok": true, "access_token": access, "refresh_token": refresh, "expires_in": 43_200 }).to_string()
}

/// Installed in a workspace, or with an `E…` on an organisation, with this token, which lives until it is revoked.
pub(crate) fn installed(place: &str, access: &str, at: EpochMs) -> NewInstallation {
    let is_organisation = place.starts_with('E');
    let shown = json!({
        "team": (!is_organisation).then_some(place),
        "enterprise": is_organisation.then_some(place),
        "bot_user": "U0TACKBOT",
        "installer": "U0ADA0001",
        "installed_at": at.0,
    });
    let installation: Installation = serde_json::from_value(shown).expect("an installation");
    let token = Token { access: access.into(), refresh: None, expires_at: None, version: Token::first_version(at) };
    NewInstallation { installed: Installed { installation, token: Some(token) }, webhook_url: None, user: None }
}

/// The same with a token that lives this long from [`NOW`].
pub(crate) fn expiring(access: &str, refresh: &str, lives: Duration) -> NewInstallation {
    let mut new = installed(TEAM, access, LONG_AGO);
    let token = new.installed.token.as_mut().expect("a token");
    token.refresh = Some(refresh.into());
    token.expires_at = Some(NOW.plus(lives));
    new
}

/// The same, and this person granted user scopes.
pub(crate) fn with_user(mut new: NewInstallation, user: &str, token: Token) -> NewInstallation {
    let scopes = Scopes::parse("search:read");
    let installed_at = new.installed.installation.installed_at;
    new.user = Some(UserGrant { user: user.into(), scopes, installed_at, token: Some(token) });
    new
}
