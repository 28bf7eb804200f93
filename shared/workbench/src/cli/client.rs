//! HTTP to the workbench: JSON in, JSON out, and server-sent events. Plain HTTP on this machine, one deadline for a whole verb.
//! Invariant: every way an exchange can fail has an exit code and a sentence that names the address.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::place::nowhere;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Largest answer read.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Largest line of a stream.
const EVENT_BYTES: usize = 16 * 1024 * 1024;
/// How much longer than `--timeout` the last answers are waited for.
const GRACE: Duration = Duration::from_secs(2);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An answer of the workbench, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
    /// Null if it is not JSON.
    json: Value,
}

/// The way to one workbench.
pub(crate) struct Client {
    base: String,
    http: Http<HttpConnector, Full<Bytes>>,
    deadline: Option<Instant>,
    limit: Option<Duration>,
}

impl Client {
    /// `limit` is for everything asked from now on.
    pub(crate) fn new(base: String, limit: Option<Duration>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Http::builder(TokioExecutor::new()).build(connector);
        Self { base, http, deadline: limit.and_then(|limit| Instant::now().checked_add(limit)), limit }
    }

    /// What an address says.
    ///
    /// # Errors
    /// In the words of the answer.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.within(self.deadline, self.exchange("GET", path, None)).await?.accepted(path)
    }

    /// Has something done.
    ///
    /// # Errors
    /// In the words of the answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.within(self.deadline, self.exchange("POST", path, Some(body))).await?.accepted(path)
    }

    /// The same a little beyond the time: how something stands that was waited for too long.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn get_at_last(&self, path: &str) -> Result<Value, Failure> {
        self.within(self.late(), self.exchange("GET", path, None)).await?.accepted(path)
    }

    /// Asks an address that waits by itself for as long as there is time: what it says, and whether that came in time.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn get_waiting(&self, path: &str) -> Result<(Value, bool), Failure> {
        let left = self.left().as_millis();
        let path = format!("{path}?wait=settled&timeout_ms={left}");
        let answer = self.within(self.late(), self.exchange("GET", &path, None)).await?;
        if answer.status == StatusCode::REQUEST_TIMEOUT && answer.json["delivery"].is_object() {
            return Ok((answer.json, false));
        }
        Ok((answer.accepted(&path)?, true))
    }

    /// Everything an address tells from now on.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) async fn stream(&self, path: &str) -> Result<Events, Failure> {
        let opened = async {
            let answer = self.send("GET", path, None, "text/event-stream").await?;
            if !answer.status().is_success() {
                let answer = self.whole(answer).await?;
                return Err(answer.accepted(path).err().unwrap_or_else(|| not_ours(path)));
            }
            let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            if !content_type.is_some_and(|content_type| content_type.starts_with("text/event-stream")) {
                return Err(not_ours(path));
            }
            Ok(answer.into_body())
        };
        let body = self.within(self.deadline, opened).await?;
        Ok(Events {
            body,
            base: self.base.clone(),
            lines: Lines::default(),
            deadline: self.deadline,
            limit: self.limit,
        })
    }

    /// The deadline for answers that take all the time there is.
    fn late(&self) -> Option<Instant> {
        self.deadline.and_then(|deadline| deadline.checked_add(GRACE))
    }

    /// The time that is left.
    fn left(&self) -> Duration {
        self.deadline.map_or(Duration::from_secs(24 * 60 * 60), |deadline| deadline - Instant::now())
    }

    /// Whether there is time left.
    pub(crate) fn has_time(&self) -> bool {
        !self.left().is_zero()
    }

    /// `--timeout` ran out.
    pub(crate) fn timed_out(&self, message: &str) -> Failure {
        timed_out(self.limit, message)
    }

    async fn within<T>(
        &self,
        deadline: Option<Instant>,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        match deadline {
            None => work.await,
            Some(deadline) => match tokio::time::timeout_at(deadline, work).await {
                Ok(done) => done,
                Err(_) => Err(self.timed_out(&format!("the workbench at {} did not answer", self.base))),
            },
        }
    }

    async fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let answer = self.send(method, path, body, "application/json").await?;
        self.whole(answer).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        accept: &str,
    ) -> Result<http::Response<BoxBody<Bytes, BoxError>>, Failure> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(header::ACCEPT, accept);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default()));
        let request =
            request.body(body).map_err(|error| Failure::usage(format!("{path:?} cannot be asked for: {error}"), ""))?;
        let answer = self.http.request(request).await.map_err(|error| {
            if error.is_connect() {
                return nowhere(format!("nobody answers at {}", self.base));
            }
            broken(&self.base)
        })?;
        Ok(answer.map(|body| body.map_err(BoxError::from).boxed()))
    }

    async fn whole(&self, answer: http::Response<BoxBody<Bytes, BoxError>>) -> Result<Answer, Failure> {
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                let most = ANSWER_BYTES / 1024 / 1024;
                return Failure::bare(Exit::Io, "io", format!("the answer is larger than {most} MiB: ask for less"));
            }
            broken(&self.base)
        })?;
        let body = body.to_bytes();
        Ok(Answer { status: parts.status, json: serde_json::from_slice(&body).unwrap_or_default(), body })
    }
}

/// The connection ended in the middle.
fn broken(base: &str) -> Failure {
    Failure::new(Exit::Io, "io", format!("the connection to {base} broke: has the workbench ended?"), Hint::Run)
}

/// Something answers that is not a workbench of this version.
fn not_ours(path: &str) -> Failure {
    let address = path.split('?').next().unwrap_or_default();
    let message = format!("what answers there has no {address}: is it a workbench of this version?");
    Failure::new(Exit::Missing, "missing", message, Hint::Run)
}

fn timed_out(limit: Option<Duration>, message: &str) -> Failure {
    let within = limit.map(|limit| format!(" within {} s", limit.as_secs_f64())).unwrap_or_default();
    Failure::bare(Exit::Timeout, "timeout", format!("{message}{within}"))
}

impl Answer {
    /// The JSON of a good answer, or what a bad one says.
    fn accepted(self, path: &str) -> Result<Value, Failure> {
        if self.status.is_success() {
            return if self.json.is_object() { Ok(self.json) } else { Err(not_ours(path)) };
        }
        let error = &self.json["error"];
        let Some(code) = error["code"].as_str() else { return Err(self.in_words(path)) };
        let exit = match code {
            "not_found" => Exit::NotFound,
            "ambiguous" | "invalid" => Exit::Usage,
            "refused" => Exit::Refused,
            "timeout" => Exit::Timeout,
            _ => self.exit(),
        };
        let message = error["message"].as_str().unwrap_or(code);
        // A hint is something to type; advice is in words.
        Err(match error["hint"].as_str().unwrap_or_default() {
            "" => Failure::bare(exit, code, message),
            hint if hint.starts_with("cargo ") => Failure::new(exit, code, message, Hint::Advice(hint.to_owned())),
            advice => Failure::bare(exit, code, message).advised(advice),
        })
    }

    /// The machine interface below `/sim` answers errors in plain words.
    fn in_words(&self, path: &str) -> Failure {
        let text = String::from_utf8_lossy(&self.body);
        let text = text.trim();
        let is_page = text.starts_with('<') || text.is_empty();
        match self.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if is_page => not_ours(path),
            _ if is_page => Failure::bare(self.exit(), "io", format!("the workbench answered {}", self.status)),
            StatusCode::NOT_FOUND => Failure::bare(Exit::NotFound, "not_found", text),
            StatusCode::BAD_REQUEST if text.starts_with("there is no ") => {
                Failure::bare(Exit::NotFound, "not_found", text)
            }
            StatusCode::FORBIDDEN => Failure::bare(Exit::Refused, "refused", text),
            _ => Failure::bare(self.exit(), "invalid", text),
        }
    }

    fn exit(&self) -> Exit {
        match self.status {
            StatusCode::NOT_FOUND => Exit::NotFound,
            StatusCode::FORBIDDEN => Exit::Refused,
            StatusCode::REQUEST_TIMEOUT => Exit::Timeout,
            status if status.is_client_error() => Exit::Usage,
            _ => Exit::Io,
        }
    }
}

/// One server-sent event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// The events of a stream, as they come.
pub(crate) struct Events {
    body: BoxBody<Bytes, BoxError>,
    base: String,
    lines: Lines,
    deadline: Option<Instant>,
    limit: Option<Duration>,
}

impl Events {
    /// The next one; `None` when the workbench has ended the stream.
    ///
    /// # Errors
    /// When the connection broke or the time is over.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(event) = self.lines.next() {
                return Ok(Some(event));
            }
            if self.lines.rest.len() > EVENT_BYTES {
                return Err(broken(&self.base));
            }
            let frame = self.body.frame();
            let frame = match self.deadline {
                None => frame.await,
                Some(deadline) => tokio::time::timeout_at(deadline, frame)
                    .await
                    .map_err(|_| timed_out(self.limit, "the stream did not end"))?,
            };
            match frame {
                None => return Ok(None),
                Some(Err(_)) => return Err(broken(&self.base)),
                Some(Ok(frame)) => self.lines.rest.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..])),
            }
        }
    }
}

/// Bytes put together to lines, lines to events.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    name: String,
    data: Vec<String>,
}

impl Lines {
    /// The next whole event in the bytes so far.
    fn next(&mut self) -> Option<Event> {
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                let name = std::mem::take(&mut self.name);
                let data = std::mem::take(&mut self.data);
                if !data.is_empty() {
                    let name = if name.is_empty() { "message".to_owned() } else { name };
                    return Some(Event { name, data: data.join("\n") });
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => self.name = value.to_owned(),
                "data" => self.data.push(value.to_owned()),
                // A comment, an id, a pause: nothing to show.
                _ => {}
            }
        }
        None
    }
}

/// An id as a segment of a path.
pub(crate) fn segment(id: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    id.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples are those of <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
    #[test]
    fn a_stream_is_read_whatever_its_pieces() {
        let text = ": test stream\n\ndata: first event\nid: 1\n\ndata:second\ndata: über 🍮\n\nevent: delivery\r\ndata: {}\r\n\r\ndata: unfinished";
        let expected = [("message", "first event"), ("message", "second\nüber 🍮"), ("delivery", "{}")];
        for size in [1, 2, 3, 7, 1_000] {
            let mut lines = Lines::default();
            let mut events = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                lines.rest.extend_from_slice(piece);
                while let Some(event) = lines.next() {
                    events.push((event.name, event.data));
                }
            }
            let events: Vec<_> = events.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
            assert_eq!(events, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn an_id_stays_one_segment_of_the_path() {
        assert_eq!(segment("0192-ab_C.~"), "0192-ab_C.~");
        assert_eq!(segment("../a b?c#d%"), "..%2Fa%20b%3Fc%23d%25");
        assert_eq!(segment("ü"), "%C3%BC");
    }
}
