//! A small HTTP server in Slack's place, which answers as a test says and remembers what it was asked.

use std::cell::RefCell;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, LocalSet};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// What comes after `Bearer` or `Basic`.
    pub(crate) credentials: String,
    pub(crate) form: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `chat.postMessage xoxb-a`: who called what.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.credentials)
    }
}

type Answering = Rc<dyn Fn(&Request) -> String>;

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
    /// Must run inside [`locally`].
    pub(crate) async fn start(answering: impl Fn(&Request) -> String + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/api/", listener.local_addr().expect("an address"));
        let requests: Rc<RefCell<Vec<Request>>> = Rc::default();
        let (answering, known): (Answering, _) = (Rc::new(answering), Rc::clone(&requests));
        let server = tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, Rc::clone(&answering), Rc::clone(&known)));
            }
        });
        Self { url, requests, server }
    }

    /// What was asked since the last look.
    pub(crate) fn take(&self) -> Vec<Request> {
        self.requests.take()
    }

    /// The same as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.take().iter().map(Request::line).collect()
    }
}

/// Runs a test that needs a Slack.
pub(crate) async fn locally<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

async fn serve(mut stream: TcpStream, answering: Answering, requests: Rc<RefCell<Vec<Request>>>) {
    while let Some(request) = read(&mut stream).await {
        requests.borrow_mut().push(request.clone());
        let body = answering(&request);
        // What begins with a status line of its own is a whole answer.
        let text = match body.starts_with("HTTP/1.1 ") {
            true => body,
            false => format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()),
        };
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let (head, body_at) = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8_lossy(&bytes[..end]).into_owned(), end + 4);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let header = |wanted: &str| {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    while bytes.len() < body_at + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default();
    Some(Request {
        method: path.trim_start_matches("/api/").to_owned(),
        credentials: header("authorization")
            .and_then(|value| Some(value.split_once(' ')?.1.to_owned()))
            .unwrap_or_default(),
        form: form_urlencoded::parse(&bytes[body_at..]).into_owned().collect(),
    })
}
