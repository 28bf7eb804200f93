//! Requests to the app's door, byte by byte, for what a well-behaved client would not send.

use crate::message::now_ms;
use crate::world::SIGNING_SECRET;
use std::net::SocketAddr;
use tack_simulator::sign;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request to `/slack/events`.
#[derive(Clone)]
pub(crate) struct Post {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Post {
    /// A request without any header of its own.
    pub(crate) fn bare(body: impl Into<Vec<u8>>) -> Self {
        Self { headers: Vec::new(), body: body.into() }
    }

    /// A request without a signature.
    pub(crate) fn unsigned(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::bare(body).header("content-type", content_type)
    }

    /// A request that Slack signed just now.
    pub(crate) fn signed(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::signed_at(now_ms() / 1000, SIGNING_SECRET, content_type, body)
    }

    /// A request signed at that second with that secret.
    pub(crate) fn signed_at(seconds: u64, secret: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let post = Self::unsigned(content_type, body);
        let signature = sign(secret, &seconds.to_string(), &post.body);
        post.header("x-slack-request-timestamp", &seconds.to_string()).header("x-slack-signature", &signature)
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another body under the same headers.
    pub(crate) fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sends it on a connection of its own.
    pub(crate) async fn to(&self, door: SocketAddr) -> Answer {
        let mut stream = TcpStream::connect(door).await.unwrap();
        let mut head = format!("POST /slack/events HTTP/1.1\r\nhost: {door}\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&self.body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, body: body.to_owned() }
    }
}
