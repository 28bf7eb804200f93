//! HTTP requests byte by byte, each on a connection of its own: to `tack` as any program would send them, and to the browser's driver.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// The end of every answer: far above what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands between the headers and the body.
const END_OF_HEAD: &str = "\r\n\r\n";

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// From the first byte sent to the last byte received.
    pub(crate) took: Duration,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With a body of JSON.
    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        let request = Self { method: "POST", body: body.to_string().into_bytes(), ..Self::get(path) };
        request.header("content-type", "application/json")
    }

    /// With the fields of a form.
    pub(crate) fn form(path: impl Into<String>, fields: &str) -> Self {
        let request = Self { method: "POST", body: fields.as_bytes().to_vec(), ..Self::get(path) };
        request.header("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn put(path: impl Into<String>, body: &Value) -> Self {
        Self { method: "PUT", ..Self::post(path, body) }
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    /// With one more header, or instead of the `Host` that would be sent otherwise.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Wants facts and not a page.
    pub(crate) fn json(self) -> Self {
        self.header("accept", "application/json")
    }

    /// Sends it.
    ///
    /// # Errors
    /// Nobody listens there, or the connection broke.
    pub(crate) fn send(&self, to: SocketAddr) -> std::io::Result<Answer> {
        let began = Instant::now();
        let mut stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let has_host = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        let mut bytes = format!("{} {} HTTP/1.1\r\nconnection: close\r\n", self.method, self.path).into_bytes();
        if !has_host {
            bytes.extend_from_slice(format!("host: localhost:{}\r\n", to.port()).as_bytes());
        }
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", self.body.len()).as_bytes());
        bytes.extend_from_slice(&self.body);
        stream.write_all(&bytes)?;
        let received = receive(&mut stream)?;
        let text = String::from_utf8_lossy(&received);
        let (head, body) = text.split_once(END_OF_HEAD).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        Ok(Answer {
            status: status.ok_or(std::io::ErrorKind::InvalidData)?,
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_owned(),
            took: began.elapsed(),
        })
    }
}

/// Reads to the end of the body, or of the connection where no length is told. The driver of the browser keeps its connections open.
fn receive(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut received = Vec::new();
    let mut part = [0; 64 * 1024];
    loop {
        let count = stream.read(&mut part)?;
        received.extend_from_slice(&part[..count]);
        if count == 0 || is_whole(&received) {
            return Ok(received);
        }
    }
}

fn is_whole(received: &[u8]) -> bool {
    let end = received.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD.as_bytes());
    let Some(end) = end else { return false };
    let head = String::from_utf8_lossy(&received[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse::<usize>().ok());
    length.is_some_and(|length| received.len() >= end + END_OF_HEAD.len() + length)
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The names of all headers, in lower case.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.body))
    }
}
