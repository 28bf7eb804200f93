//! The workbench around an app that is played here: it says what an ingress and a worker would say of each request.

use crate::addresses::Addresses;
use crate::faults::world::{in_world as on_local_set, stack};
use crate::history::{Arrived, History, Row};
use crate::pages::Workbench;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;
use tack_local_aws::Clock;
use tack_local_aws::lambda::{OutputLine, Stream};
use tack_simulator::{Answering, Config, DeliveryRequest, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A workbench that is served.
pub(super) struct World {
    pub(super) workbench: Workbench,
    address: String,
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        assert!(self.body.ends_with('\n'), "{self:?}");
        let json: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(json["v"], 1, "{json}");
        json
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

/// Runs a test with a workbench.
pub(super) fn in_world(test: impl AsyncFnOnce(&World)) {
    on_local_set(async || test(&World::new().await).await);
}

impl World {
    async fn new() -> Self {
        let history: Arc<OnceLock<History>> = Arc::default();
        let played = Played { history: history.clone(), requests: AtomicU64::new(0), seen: Mutex::default() };
        let simulator = Simulator::in_process(Config::default(), move |request| played.answer(request));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let addresses = Addresses {
            workbench: format!("http://{address}"),
            app: "http://127.0.0.1:3000".to_owned(),
            aws: "http://127.0.0.1:4566".to_owned(),
        };
        let mut slack = simulator.subscribe();
        let workbench = Workbench::new(simulator, stack().await, addresses.into());
        history.set(workbench.history.clone()).ok().unwrap();
        let told = workbench.history.clone();
        tokio::task::spawn_local(async move {
            while let Ok(event) = slack.recv().await {
                if event.name == "delivery.upsert" {
                    told.slack(&event.data);
                }
            }
        });
        workbench.serve(listener).await.unwrap();
        Self { workbench, address }
    }

    /// Sends an event with this text, and waits until the history knows it.
    pub(super) async fn say(&self, text: &str) -> Row {
        let event = json!({ "type": "message", "channel": "C0PLAY001", "user": "U0ADA0001", "text": text, "ts": "1795511642.000100" });
        let sent = self.workbench.simulator.deliver(DeliveryRequest::event(event)).await.unwrap();
        self.row(&sent[0].id).await
    }

    pub(super) async fn row(&self, id: &str) -> Row {
        let mut changes = self.workbench.history.subscribe();
        loop {
            if let Some(row) = self.workbench.history.row(id) {
                return row;
            }
            changes.recv().await.unwrap();
        }
    }

    pub(super) async fn page(&self, path: &str) -> Got {
        self.send("GET", path, &[("accept", "text/html")], "").await
    }

    pub(super) async fn facts(&self, path: &str) -> Got {
        self.send("GET", path, &[("accept", "application/json")], "").await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Got {
        self.send("POST", path, &[("content-type", "application/json")], &body.to_string()).await
    }

    pub(super) async fn submit(&self, path: &str, form: &str) -> Got {
        let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, form).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let mut stream = self.ask(method, path, headers, body).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Got { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The connection, with the request sent.
    pub(super) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }
}

/// The app: every body it sees for the first time is done, and every further time a duplicate. Text with `boom` is parked.
struct Played {
    history: Arc<OnceLock<History>>,
    requests: AtomicU64,
    seen: Mutex<HashSet<String>>,
}

impl Played {
    fn answer(&self, request: Request<Bytes>) -> Answering {
        let request_id = format!("door-{}", self.requests.fetch_add(1, Ordering::Relaxed));
        if let Some(history) = self.history.get() {
            self.tell(history, &request_id, request);
        }
        let answer = Response::builder().header("apigw-requestid", request_id).body(Bytes::new()).unwrap();
        Box::pin(async move { Ok(answer) })
    }

    fn tell(&self, history: &History, request_id: &str, request: Request<Bytes>) {
        let now_ms = Clock::system().now_ms();
        let (parts, body) = request.into_parts();
        let headers =
            parts.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let json: Value = serde_json::from_slice(&body).unwrap_or_default();
        let key = json["event_id"].as_str().map_or_else(|| format!("body:{}", body.len()), |id| format!("event:{id}"));
        let is_bad = String::from_utf8_lossy(&body).contains("boom");
        let delivery = uuid::Uuid::now_v7().to_string();
        history.arrived(Arrived {
            request_id: request_id.to_owned(),
            at_ms: now_ms,
            ms: 3,
            method: "POST".to_owned(),
            path: "/slack/events".to_owned(),
            headers: headers.collect(),
            body: body.clone(),
            status: 200,
            answer_headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
            answer_body: Bytes::new(),
            invocation: None,
            problem: None,
        });
        let is_new = self.seen.lock().unwrap().insert(key.clone());
        let outcome = match (is_bad, is_new) {
            (true, _) => "parked",
            (false, true) => "done",
            (false, false) => "duplicate",
        };
        let ack = json!({ "step": "ack", "request": request_id, "delivery": delivery, "key": key, "verdict": "queued", "status": 200, "jobs": "greet", "kind": "events_api" });
        let job = json!({ "step": "job", "delivery": delivery, "job": "greet", "attempt": 1, "outcome": outcome, "ms": 4.5, "wait_ms": 6, "reason": is_bad.then_some("boom") });
        for line in [ack, job] {
            let line = OutputLine {
                function: "worker-events".to_owned(),
                pid: 7,
                stream: Stream::Stdout,
                line: line.to_string(),
                request_id: None,
            };
            history.line(&line, now_ms);
        }
    }
}

/// Waits for a text on a connection.
pub(super) async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut part = [0; 4096];
    while !text.contains(wanted) {
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut part)).await.unwrap().unwrap();
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&part[..read]));
    }
    text
}
