//! An app that answers as a test says, and a client for the simulated Slack's HTTP side.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tack_simulator::{Act, Acted, Config, Simulator};
use tokio::time::Instant;

/// A request as the app saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) at: Instant,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The event, the `payload` field, or the form's fields.
    pub(crate) fn payload(&self) -> Value {
        if let Ok(json) = serde_json::from_str(&self.body) {
            return json;
        }
        let fields: serde_json::Map<_, _> = form_urlencoded::parse(self.body.as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        match fields.get("payload") {
            Some(payload) => serde_json::from_str(payload.as_str().unwrap()).unwrap(),
            None => Value::Object(fields),
        }
    }
}

/// What the app answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    after: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), after: Duration::ZERO }
    }

    pub(crate) fn text(body: &str) -> Self {
        Self { body: body.to_owned(), ..Self::status(200) }
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::text(&body.to_string()).header("content-type", "application/json")
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn after(mut self, pause: Duration) -> Self {
        self.after = pause;
        self
    }
}

/// Everything the app saw.
pub(crate) type Log = Arc<Mutex<Vec<Seen>>>;

/// A simulated Slack whose app answers in this process.
pub(crate) fn slack(config: Config, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> (Simulator, Log) {
    let log = Log::default();
    let seen_by_app = log.clone();
    let simulator = Simulator::in_process(config, move |request: Request<Bytes>| {
        let seen = Seen {
            at: Instant::now(),
            headers: request.headers().clone(),
            body: String::from_utf8(request.body().to_vec()).unwrap(),
        };
        let reply = answer(&seen);
        seen_by_app.lock().unwrap().push(seen);
        Box::pin(async move {
            tokio::time::sleep(reply.after).await;
            let mut response = Response::new(Bytes::from(reply.body));
            *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
            for (name, value) in reply.headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            Ok(response)
        })
    });
    (simulator, log)
}

/// A simulated Slack whose app takes everything.
pub(crate) fn content_slack() -> (Simulator, Log) {
    slack(Config::default(), |_| Reply::status(200))
}

/// An answer of the simulated Slack.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

/// The simulated Slack's HTTP side, served on a port of its own.
pub(crate) struct Http {
    pub(crate) address: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(crate) async fn serve(simulator: &Simulator) -> Self {
        Self { address: serve(simulator.router()).await, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let (parts, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answered {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.send("GET", path, &[], "").await.json()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answered {
        self.send("POST", path, &[("content-type", "application/json; charset=utf-8")], &body.to_string()).await
    }

    /// Calls a method with this token.
    pub(crate) async fn call_as(&self, token: &str, method: &str, args: &Value) -> Value {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", "application/json; charset=utf-8"), ("authorization", bearer.as_str())];
        self.send("POST", &format!("/api/{method}"), &headers, &args.to_string()).await.json()
    }

    /// Calls a method with a form and no token, as an app does that has none yet.
    pub(crate) async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Value {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", &format!("/api/{method}"), &headers, &form).await.json()
    }

    /// Calls a method with the bot token.
    pub(crate) async fn call(&self, method: &str, args: &Value) -> Value {
        let headers =
            [("content-type", "application/json; charset=utf-8"), ("authorization", "Bearer xoxb-simulated-bot-token")];
        self.send("POST", &format!("/api/{method}"), &headers, &args.to_string()).await.json()
    }
}

/// Serves `router` on a free port; answers the address.
pub(crate) async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Does what a person does.
pub(crate) async fn act(simulator: &Simulator, act: Value) -> Acted {
    let act: Act = serde_json::from_value(act).unwrap();
    simulator.act(act).await.unwrap()
}

/// Why a client would not do it.
pub(crate) async fn refusal(simulator: &Simulator, act: Value) -> String {
    let act: Act = serde_json::from_value(act).unwrap();
    simulator.act(act).await.unwrap_err().0
}

/// A Slack whose app gives the answers in order, then empty ones.
pub(crate) fn answering(replies: Vec<Reply>) -> (Simulator, Log) {
    let replies = Arc::new(Mutex::new(replies.into_iter()));
    slack(Config::default(), move |_: &Seen| replies.lock().unwrap().next().unwrap_or_else(|| Reply::status(200)))
}

/// A text object.
pub(crate) fn text(words: &str) -> Value {
    json!({"type": "plain_text", "text": words})
}

/// A simulated Slack over HTTP whose app takes everything.
pub(crate) async fn served() -> (Simulator, Http) {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    (simulator, http)
}

/// The same with settings.
pub(crate) async fn with_config(config: Config) -> (Simulator, Http) {
    let (simulator, _) = slack(config, |_| Reply::status(200));
    let http = Http::serve(&simulator).await;
    (simulator, http)
}

/// Calls a method that must be refused with `error`.
pub(crate) async fn refused(http: &Http, method: &str, args: Value, error: &str) -> Value {
    let answer = http.call(method, &args).await;
    assert_eq!((&answer["ok"], &answer["error"]), (&json!(false), &json!(error)), "{method} {args}");
    answer
}
