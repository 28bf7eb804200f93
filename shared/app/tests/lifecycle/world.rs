//! A worker that keeps installations, over ports in memory.

use futures_util::future::{LocalBoxFuture, pending};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tack_app::idempotency::RecordKey;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Scopes, Token, Tokens, TokensParts, UserGrant,
};
use tack_app::memory::{ManualClock, MemoryInstallationStore, MemoryQueue, MemoryStore, SeededRandom};
use tack_app::message::{AppWork, Job, QueueName, SlackWork, Work, group_of};
use tack_app::ports::{InstallationStore, Queue, QueueError};
use tack_app::protocol::{Envelope, EpochMs};
use tack_app::{App, Authorize, HttpClient, LazyPhase, Limits, Phase, Worker, WorkerParts};

/// When everything arrives. Slack dates the published `app_uninstalled` 219 s before, `tokens_revoked` 220 s.
pub(crate) const NOW: EpochMs = EpochMs(1_795_511_900_000);
pub(crate) const UNINSTALLED_AT: EpochMs = EpochMs(1_795_511_681_000);

/// Well before all that.
pub(crate) const LONG_AGO: EpochMs = EpochMs(1_795_000_000_000);

pub(crate) const UNINSTALLED: &str = "app_uninstalled.json";
pub(crate) const REVOKED: &str = "tokens_revoked.json";
pub(crate) const LIFECYCLE: &str = "tack.lifecycle";
pub(crate) const TEAM: &str = "T0ACME001";

const REMAINING: Duration = Duration::from_secs(30);

/// What listeners did, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn push(&self, line: impl Into<String>) {
        self.0.borrow_mut().push(line.into());
    }

    /// Everything since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A queue that may never answer.
#[derive(Default)]
pub(crate) struct Sending {
    pub(crate) queue: Rc<MemoryQueue>,
    pub(crate) hangs: Cell<bool>,
}

impl Queue for Sending {
    fn send<'a>(
        &'a self,
        queue: QueueName,
        group: &'a str,
        body: String,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        if self.hangs.get() { Box::pin(pending()) } else { self.queue.send(queue, group, body) }
    }
}

pub(crate) type TestWorker = Worker<Log, ()>;

pub(crate) struct World {
    pub(crate) clock: Rc<ManualClock>,
    pub(crate) records: Rc<MemoryStore>,
    pub(crate) sending: Rc<Sending>,
    pub(crate) installations: MemoryInstallationStore,
    pub(crate) log: Log,
    pub(crate) limits: Limits,
}

/// All three hooks, and a listener of the adopter's for an uninstallation.
pub(crate) fn register<P: Phase>(app: &mut App<P, Log>) {
    app.installed(async |context, event| {
        let scopes = &event.scopes;
        let reference = event.reference.as_deref().unwrap_or("-");
        context.resources().push(format!("installed by {} {reference} {scopes}", event.installer));
        Ok(())
    });
    app.uninstalled(async |context, event| {
        context.resources().push(format!("uninstalled at {}", event.at.0));
        Ok(())
    });
    app.purge(async |context, request| {
        context.resources().push(format!("purge of {}", request.gone_at.0));
        Ok(())
    });
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            clock: Rc::new(ManualClock::at(NOW)),
            records: Rc::default(),
            sending: Rc::default(),
            installations: MemoryInstallationStore::default(),
            log: Log::default(),
            limits: Limits::default(),
        }
    }

    pub(crate) fn with_grace(grace: Duration) -> Self {
        let purge_grace_ms = u64::try_from(grace.as_millis()).expect("a grace");
        Self { limits: Limits { purge_grace_ms, ..Limits::default() }, ..Self::new() }
    }

    /// A worker that reads installations. Port 9 is "discard": no Slack answers there.
    pub(crate) fn worker(&self, register: impl FnOnce(&mut App<LazyPhase, Log>)) -> TestWorker {
        let tokens = Tokens::new(TokensParts {
            store: Rc::new(self.installations.clone()),
            credentials: None,
            http: HttpClient::new(Vec::new()).expect("an HTTP client"),
            slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
            clock: Rc::clone(&self.clock) as _,
            random: Rc::new(SeededRandom::new(2)),
        });
        self.worker_with(Authorize::Installations(Rc::new(tokens)), register)
    }

    pub(crate) fn worker_with(
        &self,
        authorize: Authorize,
        register: impl FnOnce(&mut App<LazyPhase, Log>),
    ) -> TestWorker {
        let parts = WorkerParts {
            resources: self.log.clone(),
            authorize,
            app_id: None,
            http: HttpClient::new(Vec::new()).expect("an HTTP client"),
            slack_api_url: "http://127.0.0.1:9/api/".to_owned(),
            store: Rc::clone(&self.records) as _,
            queue: Rc::clone(&self.sending) as _,
            consumer: Rc::clone(&self.sending.queue) as _,
            clock: Rc::clone(&self.clock) as _,
            random: Rc::new(SeededRandom::new(1)),
            limits: self.limits.clone(),
        };
        Worker::new(App::build(register).expect("an app"), parts)
    }

    pub(crate) async fn install(&self, new: NewInstallation) {
        self.installations.save(&new).await.expect("a save");
    }

    pub(crate) fn row(&self, key: &str) -> Option<Installed> {
        self.installations.installed(&InstallKey::parse(key).expect("a key"))
    }

    /// Since when, why and until when; `None` for what is there and works.
    pub(crate) fn gone(&self, key: &str) -> Option<(EpochMs, String, Option<EpochMs>)> {
        let row = self.row(key).expect("a row");
        assert_eq!(row.token.is_none(), row.installation.gone.is_some(), "a dead token is deleted, a live one kept");
        row.installation.gone.map(|gone| (gone.at, gone.why, gone.purge_at))
    }

    pub(crate) async fn send(&self, work: &SlackWork) {
        let queue = QueueName::of(work.envelope.kind);
        self.sending.queue.send(queue, &group_of(&work.envelope.tenant), work.encode()).await.expect("a send");
    }

    pub(crate) async fn send_own(&self, body: &str) {
        self.sending.queue.send(QueueName::Events, "none", body.to_owned()).await.expect("a send");
    }

    /// One invocation over all that waits; how many messages must come again.
    pub(crate) async fn batch(&self, worker: &TestWorker) -> usize {
        let records = self.sending.queue.receive(QueueName::Events);
        let failed = worker.run_batch(records.clone(), REMAINING).await;
        self.sending.queue.finish(&records, &failed);
        failed.len()
    }

    /// An invocation whose process is killed after this much time.
    pub(crate) async fn killed_batch(&self, worker: &TestWorker, after: Duration) {
        let batch = worker.run_batch(self.sending.queue.receive(QueueName::Events), REMAINING);
        assert!(tokio::time::timeout(after, batch).await.is_err(), "it ended before it was killed");
    }

    /// Sends an event to [`LIFECYCLE`] alone and runs whatever follows from it, to the end.
    pub(crate) async fn handle(&self, worker: &TestWorker, envelope: Envelope) -> SlackWork {
        let work = work(envelope, &[LIFECYCLE]);
        self.send(&work).await;
        while !self.waiting().is_empty() {
            assert_eq!(self.batch(worker).await, 0, "everything ends at once: {:?}", self.waiting());
        }
        work
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// The work of the app's own that waits, as job and key.
    pub(crate) fn own_waiting(&self) -> Vec<(String, String)> {
        self.own_works().into_iter().map(|work| (work.job, work.key)).collect()
    }

    pub(crate) fn own_works(&self) -> Vec<AppWork> {
        self.waiting()
            .into_iter()
            .filter_map(|body| match Work::decode(&body).expect("a message") {
                Work::App(work) => Some(*work),
                Work::Slack(_) => None,
            })
            .collect()
    }

    pub(crate) fn waiting(&self) -> Vec<String> {
        self.sending.queue.waiting().into_iter().map(|waiting| waiting.body).collect()
    }

    /// `C1: why` and so on: state, attempts and reason of a job's record.
    pub(crate) fn end(&self, work: &SlackWork, job: &str) -> String {
        self.end_of(&RecordKey::new(&Work::Slack(Box::new(work.clone())), &Job::named(job), None))
    }

    /// The same of work of the app's own.
    pub(crate) fn end_of_own(&self, body: &str) -> String {
        let work = Work::decode(body).expect("a message");
        self.end_of(&RecordKey::new(&work, &work.jobs()[0], None))
    }

    fn end_of(&self, key: &RecordKey) -> String {
        let record = self.records.record(key).unwrap_or_else(|| panic!("no record {}", key.as_str()));
        let (state, attempts) = (record.state(), record.attempts());
        record.why().map_or(format!("{state}{attempts}"), |why| format!("{state}{attempts}: {why}"))
    }
}

/// A published body, changed.
pub(crate) fn notice(file: &str, edit: impl FnOnce(&mut Value)) -> Envelope {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack/event").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut root: Value = serde_json::from_str(&text).expect("JSON");
    edit(&mut root);
    body(&root)
}

pub(crate) fn published(file: &str) -> Envelope {
    notice(file, |_| {})
}

pub(crate) fn body(root: &Value) -> Envelope {
    Envelope::from_body("application/json", root.to_string().into(), NOW)
}

/// The work that the ingress would have queued.
pub(crate) fn work(envelope: Envelope, jobs: &[&str]) -> SlackWork {
    let key = envelope.idempotency_key().map(|key| key.0.replace(':', " ")).unwrap_or_default();
    let jobs = jobs.iter().map(|name| Job::named(*name)).collect();
    SlackWork { id: format!("delivery of {key}"), envelope, jobs, generation: 0, trace: None }
}

/// An installation of the bot in a workspace, or with an `E…` on an organisation.
pub(crate) fn installation(place: &str, at: EpochMs) -> NewInstallation {
    let is_organisation = place.starts_with('E');
    let shown = json!({
        "app": "A0TACK001",
        "team": (!is_organisation).then_some(place),
        "enterprise": is_organisation.then_some(place),
        "bot_user": "U0TACKBOT",
        "scopes": "chat:write,commands",
        "installer": "U0ADA0001",
        "installed_at": at.0,
    });
    let installation: Installation = serde_json::from_value(shown).expect("an installation");
    let token = token(at);
    NewInstallation { installed: Installed { installation, token: Some(token) }, webhook_url: None, user: None }
}

/// The same, in a workspace of an organisation.
pub(crate) fn on_grid(team: &str, enterprise: &str, bot: &str) -> NewInstallation {
    let mut new = installation(team, LONG_AGO);
    new.installed.installation.enterprise = Some(enterprise.into());
    new.installed.installation.bot_user = Some(bot.into());
    new
}

/// The same, and the person who installed it granted user scopes.
pub(crate) fn with_user(mut new: NewInstallation, user: &str) -> NewInstallation {
    let at = new.installed.installation.installed_at;
    let scopes = Scopes::parse("search:read");
    new.user = Some(UserGrant { user: user.into(), scopes, installed_at: at, token: Some(token(at)) });
    new
}

fn token(at: EpochMs) -> Token {
    let version = Token::first_version(at);
    Token { access: "xoxb-not-a-real-token".into(), refresh: None, expires_at: None, version }
}
