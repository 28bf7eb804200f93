//! A small HTTP server in Slack's place: one scripted answer a request, and a memory of what was asked.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Status line's rest, headers, body.
    Http(&'static str, &'static str, String),
    /// The connection is closed in the middle of the answer.
    BreakOff,
    /// No answer.
    Silence,
}

impl Answer {
    pub(crate) fn json(body: &str) -> Self {
        Self::Http("200 OK", "content-type: application/json", body.to_owned())
    }

    pub(crate) fn status(status: &'static str) -> Self {
        Self::Http(status, "content-type: text/html", "<html>It is not you, it is us.</html>".to_owned())
    }

    pub(crate) fn rate_limited(header: &'static str) -> Self {
        Self::Http("429 Too Many Requests", header, r#"{"ok":false,"error":"ratelimited"}"#.to_owned())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.headers.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// Ends with the test that started it.
pub(crate) struct Slack {
    pub(crate) url: String,
    requests: Rc<RefCell<Vec<Request>>>,
    server: JoinHandle<()>,
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Slack {
    /// Must run inside a [`LocalSet`].
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let requests: Rc<RefCell<Vec<Request>>> = Rc::default();
        let script = Rc::new(RefCell::new(script.into_iter().collect::<VecDeque<_>>()));
        let known = Rc::clone(&requests);
        let server = tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, Rc::clone(&script), Rc::clone(&known)));
            }
        });
        Self { url, requests, server }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }
}

/// Runs a test that needs a Slack.
pub(crate) async fn locally<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

async fn serve(mut stream: TcpStream, script: Rc<RefCell<VecDeque<Answer>>>, requests: Rc<RefCell<Vec<Request>>>) {
    while let Some(request) = read(&mut stream).await {
        requests.borrow_mut().push(request);
        let answer = script.borrow_mut().pop_front().unwrap_or_else(|| Answer::json(r#"{"ok":true}"#));
        let text = match answer {
            Answer::Http(status, header, body) => {
                format!("HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            Answer::BreakOff => "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"ok\":tr".to_owned(),
            Answer::Silence => std::future::pending().await,
        };
        let broken = text.ends_with("tr");
        if stream.write_all(text.as_bytes()).await.is_err() || broken {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let mut request = Request {
        path: line.split(' ').nth(1).unwrap_or_default().to_owned(),
        headers: headers.to_owned(),
        body: String::new(),
    };
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    request.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(request)
}
