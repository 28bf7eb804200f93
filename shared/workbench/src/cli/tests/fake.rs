//! A workbench that answers as a test says, and remembers what it was asked.

use super::recorded;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What was asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `GET /console/faults`.
    pub(super) line: String,
    pub(super) accept: String,
    pub(super) body: Value,
}

/// What to answer.
pub(super) enum Reply {
    Json(u16, Value),
    Text(u16, &'static str),
    /// Pieces of a stream of events, which ends after the last.
    Events(Vec<&'static str>),
    /// The same, but the connection stays.
    Endless(Vec<&'static str>),
    /// Once the test says so.
    Held(Arc<Notify>, Value),
    /// Never.
    Silence,
}

pub(super) struct Fake {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// A workbench that answers as recorded.
    pub(super) async fn recorded() -> Self {
        Self::answering(|_| None).await
    }

    /// As recorded, but for what `special` says.
    pub(super) async fn answering(special: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let special = Arc::new(special);
        let kept = asked.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (special, kept) = (special.clone(), kept.clone());
            async move {
                let asked = read(request).await;
                kept.lock().unwrap().push(asked.clone());
                answer(special(&asked).unwrap_or_else(|| recorded::reply(&asked))).await
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, asked }
    }

    /// A server that takes every connection, reads a little, writes this, and hangs up.
    pub(super) async fn breaking_off(written: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 1024];
                let _ = connection.read(&mut request).await;
                let _ = connection.write_all(written.as_bytes()).await;
            }
        });
        Self { url, asked: Arc::default() }
    }

    /// Everything asked so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The request lines so far.
    pub(super) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    /// The body of the last write.
    pub(super) fn written(&self) -> Value {
        let asked = self.asked();
        asked.iter().rfind(|asked| asked.line.starts_with("POST ")).expect("nothing was written").body.clone()
    }
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Asked {
        line: format!("{} {}", parts.method, parts.uri),
        accept,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

async fn answer(reply: Reply) -> Response {
    let stream = |body: Body| ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response();
    let status = |status: u16| StatusCode::from_u16(status).unwrap();
    let pieces =
        |pieces: Vec<&'static str>| futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    match reply {
        Reply::Json(code, json) => {
            (status(code), [(header::CONTENT_TYPE, "application/json")], format!("{json}\n")).into_response()
        }
        Reply::Text(code, text) => (status(code), text).into_response(),
        Reply::Events(events) => stream(Body::from_stream(pieces(events))),
        Reply::Endless(events) => stream(Body::from_stream(pieces(events).chain(futures_util::stream::pending()))),
        Reply::Held(until, json) => {
            until.notified().await;
            axum::Json(json).into_response()
        }
        Reply::Silence => std::future::pending().await,
    }
}
