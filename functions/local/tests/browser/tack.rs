//! The real `tack` on free ports, with nothing of this environment, ended when the test ends.
//! Invariant: a test that fails shows what `tack` said; no process stays.

use crate::http::{Answer, Request};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The end of every wait: far above what a loaded machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// The app's token: easy to find wherever it must not be.
pub(crate) const BOT_TOKEN: &str = "xoxb-bot-token-that-nobody-may-see";

/// A running `tack`.
pub(crate) struct Tack {
    process: Child,
    /// The workbench as the browser calls it: `http://localhost:…`.
    pub(crate) base_url: String,
    /// The workbench's address.
    pub(crate) workbench: SocketAddr,
    /// Where Slack's requests arrive.
    pub(crate) app: SocketAddr,
    /// When the line "Ready" was read.
    pub(crate) ready_at: Instant,
    said: Said,
}

/// Every line of both outputs.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<String>>>);

impl Said {
    fn collect(&self, from: impl Read + Send + 'static) {
        let said = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                said.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The address behind a word of the lines below "Ready".
    fn address(&self, word: &str) -> Option<String> {
        let lines = self.lines();
        let below = lines.iter().skip_while(|line| !line.trim_start().starts_with("Ready in"));
        let line = below.into_iter().find(|line| line.trim_start().starts_with(&format!("{word} ")))?;
        line.split_whitespace().find(|part| part.starts_with("http://")).map(str::to_owned)
    }
}

impl Tack {
    /// Starts it for one workspace, and waits for "Ready". The signing secret is made up by itself; the token is ours, so that a
    /// test can speak as the app.
    pub(crate) fn start() -> Self {
        Self::start_with(&[("SLACK_BOT_TOKEN", BOT_TOKEN)])
    }

    /// Starts it for every workspace that installs the app, and waits for "Ready".
    pub(crate) fn start_for_installs() -> Self {
        Self::start_with(&[])
    }

    fn start_with(variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_tack"))
            .args(["--app-port", "0", "--workbench-port", "0", "--aws-port", "0", "--no-open", "--no-watch"])
            .env_clear()
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Said::default();
        said.collect(process.stdout.take().unwrap());
        said.collect(process.stderr.take().unwrap());
        let mut tack = Self {
            process,
            base_url: String::new(),
            workbench: SocketAddr::from(([127, 0, 0, 1], 0)),
            app: SocketAddr::from(([127, 0, 0, 1], 0)),
            ready_at: Instant::now(),
            said: said.clone(),
        };
        // The address of AWS is the last of the three.
        wait_for("Ready", || said.address("AWS").or_else(|| tack.process.try_wait().unwrap().map(|_| String::new())));
        tack.ready_at = Instant::now();
        let address = |word: &str| said.address(word).unwrap_or_else(|| panic!("no address of {word}"));
        tack.base_url = address("Slack");
        tack.workbench.set_port(port_of(&tack.base_url));
        tack.app.set_port(port_of(&address("App")));
        tack
    }

    /// The signing secret that was made up for this run.
    pub(crate) fn signing_secret(&self) -> String {
        let lines = self.said.lines();
        let line = lines.iter().find_map(|line| line.trim_start().strip_prefix("Signing secret"));
        line.and_then(|line| line.split_whitespace().next())
            .unwrap_or_else(|| panic!("no secret in {lines:?}"))
            .to_owned()
    }

    /// Where AWS is.
    pub(crate) fn aws(&self) -> SocketAddr {
        let port = self.said.address("AWS").map(|address| port_of(&address));
        SocketAddr::from(([127, 0, 0, 1], port.unwrap_or_default()))
    }

    /// Sends a request to the workbench.
    pub(crate) fn ask(&self, request: &Request) -> Answer {
        request.send(self.workbench).unwrap()
    }

    /// The JSON at an address.
    pub(crate) fn facts(&self, path: &str) -> Value {
        self.ask(&Request::get(path).json()).json()
    }

    /// Something a person does, without the page.
    pub(crate) fn act(&self, act: Value) -> Value {
        let answer = self.ask(&Request::post("/sim/act", &act));
        assert_eq!(answer.status, 200, "{act}: {}", answer.body);
        answer.json()
    }

    /// Ada says something in a channel, without the page.
    pub(crate) fn say(&self, channel: &str, text: &str) {
        self.act(json!({ "as": "Ada", "act": "say", "channel": channel, "text": text }));
    }

    /// The app posts a message with blocks.
    pub(crate) fn post(&self, channel: &str, text: &str, blocks: &Value) {
        let message = json!({ "channel": channel, "text": text, "blocks": blocks });
        let request = Request::post("/api/chat.postMessage", &message);
        let answer = self.ask(&request.header("authorization", &format!("Bearer {BOT_TOKEN}"))).json();
        assert_eq!(answer["ok"], true, "{answer} to {message}");
    }

    /// Sets the simulated Slack's faults.
    pub(crate) fn set_faults(&self, faults: &Value) {
        let answer = self.ask(&Request::put("/sim/faults", faults));
        assert_eq!(answer.status, 200, "{faults}: {}", answer.body);
    }

    /// The texts of a channel's messages, oldest first.
    pub(crate) fn texts(&self, channel: &str) -> Vec<String> {
        let messages = self.facts(&format!("/sim/messages?channel={channel}"));
        let texts = messages["messages"].as_array().into_iter().flatten();
        texts.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// How often a text stands in a channel.
    pub(crate) fn count(&self, channel: &str, text: &str) -> usize {
        self.texts(channel).iter().filter(|known| known.as_str() == text).count()
    }

    /// The newest deliveries as rows.
    pub(crate) fn rows(&self, query: &str) -> Vec<Value> {
        let mut list = self.facts(&format!("/console/deliveries?{query}"));
        match list["deliveries"].take() {
            Value::Array(rows) => rows,
            other => panic!("no rows but {other} in {list}"),
        }
    }

    /// Resident memory of the process itself, in megabytes, where the system tells it.
    pub(crate) fn resident_megabytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
    }

    /// Ends it as Ctrl-C does, and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.process.id().cast_signed()) {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.process.try_wait().is_ok_and(|status| status.is_some()) {
                return;
            }
            std::thread::sleep(LOOK);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Tack {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("tack said:");
            for line in self.said.lines() {
                eprintln!("| {line}");
            }
        }
        self.stop();
    }
}

fn port_of(url: &str) -> u16 {
    let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
    authority.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port in {url}"))
}

/// Waits until `look` finds what it looks for.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(LOOK);
    }
}
