//! A world of its own for each test: a simulated Slack and a whole stack on free ports, and everything the functions said.
//! Invariant: every wait has a generous end, and a test that fails shows what the functions printed.

pub(crate) use crate::setup::{Installs, Setup};
use crate::visitor::{Page, Visitor};
use crate::wire::Wire;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tack_app::step::Step;
use tack_local_aws::lambda::OutputLine;
use tack_local_aws::sqs::{MessageSnapshot, NewMessage};
use tack_simulator::{Acted, Config, Consent, Delivery, DeliveryRequest, Simulator, Target};
use tack_workbench::{Credentials, Stack, StackConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

/// What Slack and the app share in every world: easy to find wherever it must not be.
pub(crate) const SIGNING_SECRET: &str = "signing-secret-that-nobody-may-see";
/// The token of the workspace.
pub(crate) const BOT_TOKEN: &str = "xoxb-bot-token-that-nobody-may-see";
/// What the app proves itself with where it is installed by OAuth.
pub(crate) const CLIENT_SECRET: &str = "client-secret-that-nobody-may-see";
/// Where the tests talk.
pub(crate) const CHANNEL: &str = "C0PLAY001";

/// The end of every wait: far above what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(100);
/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A running world.
pub(crate) struct World {
    /// The simulated Slack.
    pub(crate) slack: Simulator,
    /// The app and its AWS.
    pub(crate) stack: Stack,
    /// Where Slack's requests arrive.
    pub(crate) door: SocketAddr,
    /// Where the simulated Slack is.
    pub(crate) slack_door: SocketAddr,
    /// What went between the app and the Web API, with nothing hidden.
    pub(crate) wire: Wire,
    /// What is in a browser's hands while it installs: states, codes, cookies.
    pub(crate) held: Rc<RefCell<BTreeSet<String>>>,
    output: Output,
}

/// Runs a test in a world of its own and ends its processes.
pub(crate) fn in_world(setup: Setup, test: impl AsyncFnOnce(&World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let world = World::start(setup).await;
        let shown_on_failure = world.output.clone();
        test(&world).await;
        shown_on_failure.is_over();
        world.stack.shutdown().await;
    });
}

impl World {
    async fn start(setup: Setup) -> Self {
        let [app, slack, aws] = [free_port().await, free_port().await, free_port().await];
        let door = app.local_addr().unwrap();
        let base_url = format!("http://localhost:{}", slack.local_addr().unwrap().port());
        // The functions are told the address and not the name, which a machine may resolve to another address first.
        let api_url = format!("http://{}/api/", slack.local_addr().unwrap());
        let slack_door = slack.local_addr().unwrap();
        let redirect_uri = format!("http://{door}/slack/oauth_redirect");
        let serves = setup.serves(redirect_uri.clone());
        let defaults = Config::default();
        let simulator = Simulator::new(Config {
            app_url: format!("http://{door}/slack/events"),
            base_url,
            signing_secret: SIGNING_SECRET.to_owned(),
            bot_token: BOT_TOKEN.to_owned(),
            installed: setup.installs.is_none(),
            client_secret: CLIENT_SECRET.to_owned(),
            redirect_urls: vec![redirect_uri],
            token_rotation: setup.installs.as_ref().is_some_and(|installs| installs.rotation),
            refresh_grace: setup.installs.as_ref().map_or(defaults.refresh_grace, |installs| installs.refresh_grace),
            bot_events: setup.bot_events,
            // A loaded machine may take its time; what must be quick is measured.
            ack_limit: Duration::from_secs(20),
            trigger_life: Duration::from_secs(60),
            retry_after: setup.retry_after,
            ..Config::default()
        });
        let wire = Wire::default();
        tokio::task::spawn_local(axum::serve(slack, wire.tapped(simulator.router())).into_future());
        let credentials = Credentials {
            signing_secret: SecretString::from(setup.signing_secret),
            serves,
            app_id: Some(simulator.config().app_id.clone()),
        };
        let mut config = StackConfig::new(setup.functions, credentials, api_url, app, aws);
        config.limits = setup.limits;
        config.worker_timeout = setup.worker_timeout;
        config.visibility = setup.visibility;
        config.variables = setup.variables;
        let (sender, lines) = mpsc::unbounded_channel();
        let output = Output::default();
        tokio::task::spawn_local(output.clone().collect(lines));
        let stack = Stack::start(config, sender).await.unwrap();
        for (name, value) in setup.parameters {
            stack.aws.ssm().put(name, SecretString::from(value.to_string())).unwrap();
        }
        Self { slack: simulator, stack, door, slack_door, wire, held: Rc::default(), output }
    }

    /// A browser that has not been here before.
    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.door, Rc::clone(&self.held))
    }

    /// A person installs the app as a browser does it, and is on the app's last page.
    pub(crate) async fn install(&self, person: &str, target: Target) -> Page {
        let visitor = self.visitor();
        let authorize = visitor.get("/slack/install?direct=1").await.location();
        let back = self.slack.allow(query_of(&authorize), &Consent::new(person, target)).unwrap();
        visitor.get(&back).await
    }

    /// What a person does, in JSON as the machine interface takes it.
    pub(crate) async fn act(&self, act: Value) -> Acted {
        self.slack.act(serde_json::from_value(act).unwrap()).await.unwrap()
    }

    /// A person says hi in a channel.
    pub(crate) async fn hi(&self, person: &str, channel: &str) -> Acted {
        self.act(json!({ "as": person, "act": "say", "channel": channel, "text": "hi" })).await
    }

    /// Asks AWS for something by hand, as neither the functions nor their SDK do it.
    pub(crate) async fn ask_aws(&self, service: &str, target: &str, request: &Value) -> Value {
        let scope = format!("Credential=AKIABYHAND/20261124/us-east-1/{service}/aws4_request");
        let asked = axum::http::Request::post("/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=00"))
            .body(axum::body::Bytes::from(request.to_string()))
            .unwrap();
        let answer = self.stack.aws.handle(asked).await;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{target}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Sends and waits for the answer to the first attempt of each copy.
    pub(crate) async fn deliver(&self, request: DeliveryRequest) -> Vec<Delivery> {
        self.slack.deliver(request).await.unwrap()
    }

    /// Puts messages into the events queue, all visible at the same moment: no task of this thread comes in between.
    pub(crate) fn send_events(&self, bodies: impl IntoIterator<Item = String>) {
        for body in bodies {
            let message = NewMessage { body, group_id: Some("T0ACME001".to_owned()), ..NewMessage::default() };
            self.stack.aws.sqs().send("events", message).unwrap();
        }
    }

    /// Waits until `look` finds what it looks for.
    pub(crate) async fn wait_for<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < end, "waited in vain for {what}");
            sleep(LOOK).await;
        }
    }

    /// Waits until there is no message in the two queues: everything ended in one way or the other.
    pub(crate) async fn settled(&self) {
        let sqs = self.stack.aws.sqs();
        let is_empty = || Stack::QUEUES.iter().all(|queue| sqs.depth(queue).unwrap().total() == 0);
        self.wait_for("empty queues", || is_empty().then_some(())).await;
    }

    /// Waits for a step.
    pub(crate) async fn step(&self, what: &str, is: impl Fn(&Step) -> bool) -> Step {
        self.wait_for(what, || self.steps().into_iter().find(|step| is(step))).await
    }

    /// All steps so far.
    pub(crate) fn steps(&self) -> Vec<Step> {
        self.lines().iter().filter_map(step_of).collect()
    }

    /// The ends of a job: its steps with this outcome.
    pub(crate) fn jobs(&self, job: &str, outcome: &str) -> Vec<Step> {
        let is = |step: &Step| {
            step.step == "job" && step.job.as_deref() == Some(job) && step.outcome.as_deref() == Some(outcome)
        };
        self.steps().into_iter().filter(is).collect()
    }

    /// Everything the functions printed.
    pub(crate) fn lines(&self) -> Vec<OutputLine> {
        self.output.lines.borrow().clone()
    }

    /// The process that called this method of the Web API.
    pub(crate) async fn caller_of(&self, method: &str) -> u32 {
        let is_call = |line: &OutputLine| step_of(line).is_some_and(|step| step.method.as_deref() == Some(method));
        self.wait_for("the log line of a call", || self.lines().into_iter().find(is_call)).await.pid
    }

    /// The texts that were really posted, in order.
    pub(crate) fn posted(&self) -> Vec<String> {
        self.slack.read(|state| {
            let posts = state.calls_of("chat.postMessage");
            let posts = posts.iter().filter(|call| call.answer["ok"] == true);
            posts.map(|call| call.args["text"].as_str().unwrap_or_default().to_owned()).collect()
        })
    }

    /// How often this text was really posted.
    pub(crate) fn effects(&self, text: &str) -> usize {
        self.posted().iter().filter(|posted| *posted == text).count()
    }

    /// Waits until a listener says by an `api.test` that it has come to this place.
    pub(crate) async fn reached(&self, place: &str) {
        let is_there =
            || self.slack.read(|state| state.calls_of("api.test").iter().any(|call| call.args["place"] == place));
        self.wait_for(place, || is_there().then_some(())).await;
    }

    /// The dead letters of events.
    pub(crate) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.stack.aws.sqs().peek("events-dlq").into_iter().map(DeadLetter).collect()
    }
}

/// What is behind the question mark.
pub(crate) fn query_of(url: &str) -> &str {
    url.split_once('?').unwrap().1
}

/// A message in a dead-letter queue.
pub(crate) struct DeadLetter(pub(crate) MessageSnapshot);

impl DeadLetter {
    /// Its body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.0.body).unwrap_or_default()
    }

    /// The text of an attribute, empty without one.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.0.attributes.get(name).and_then(|attribute| attribute.string.as_deref()).unwrap_or_default()
    }
}

pub(crate) fn step_of(line: &OutputLine) -> Option<Step> {
    serde_json::from_str::<Step>(&line.line).ok().filter(|step| !step.step.is_empty())
}

async fn free_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// What the functions printed; shown when the test fails.
#[derive(Clone, Default)]
struct Output {
    lines: Rc<RefCell<Vec<OutputLine>>>,
    is_over: Rc<RefCell<bool>>,
}

impl Output {
    async fn collect(self, mut lines: mpsc::UnboundedReceiver<OutputLine>) {
        while let Some(line) = lines.recv().await {
            self.lines.borrow_mut().push(line);
        }
    }

    fn is_over(&self) {
        *self.is_over.borrow_mut() = true;
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.is_over.replace(true) {
            for line in self.lines.borrow().iter() {
                eprintln!("{} {} | {}", line.function, line.pid, line.line);
            }
        }
    }
}
