//! One attempt: signs, sends over plain HTTP with keep-alive, follows at most two redirects, waits no longer than Slack does, and
//! names what went wrong. When to try again is `simulator`'s matter. Invariant: every attempt is signed anew with the time of now.
//! Source: <https://docs.slack.dev/apis/events-api/>

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::Failure;
use crate::signature::sign;

const USER_AGENT: &str = "Slackbot 1.0 (+https://api.slack.com/robots)";
const REDIRECTS: u32 = 2;
const ANSWER_BYTES: usize = 1024 * 1024;

/// The answer of an app in this process.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

/// The way to the app.
#[derive(Clone)]
pub(crate) enum Door {
    Http(Box<Client<HttpConnector, Full<Bytes>>>),
    InProcess(Arc<dyn Fn(Request<Bytes>) -> Answering + Send + Sync>),
}

/// What is sent.
#[derive(Clone)]
pub(crate) struct Parcel {
    pub(crate) url: String,
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    /// Beside or instead of Slack's own; an empty value leaves one out.
    pub(crate) headers: Vec<(String, String)>,
    /// Number and reason of a redelivery.
    pub(crate) retry: Option<(u32, &'static str)>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) no_retry: bool,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Door {
    pub(crate) fn http() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self::Http(Box::new(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        match self {
            Self::InProcess(app) => app(request).await,
            Self::Http(client) => {
                let answer = client.request(request.map(Full::new)).await.map_err(|_| Failure::ConnectionFailed)?;
                let (parts, body) = answer.into_parts();
                let body = Limited::new(body, ANSWER_BYTES).collect().await.map_err(|error| {
                    if error.is::<http_body_util::LengthLimitError>() {
                        Failure::UnknownError
                    } else {
                        Failure::ConnectionFailed
                    }
                })?;
                Ok(Response::from_parts(parts, body.to_bytes()))
            }
        }
    }
}

/// The headers of an attempt made at `now` (since the Unix epoch).
pub(crate) fn headers(parcel: &Parcel, signing_secret: &str, now: Duration) -> Vec<(String, String)> {
    let given = |name: &str| {
        parcel.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    // Slack signs the timestamp it sends, so a given one is signed too.
    let timestamp = given("x-slack-request-timestamp").unwrap_or_else(|| now.as_secs().to_string());
    let mut headers = vec![
        ("user-agent", USER_AGENT.to_owned()),
        ("accept", "application/json,*/*".to_owned()),
        ("content-type", parcel.content_type.clone()),
        ("x-slack-signature", sign(signing_secret, &timestamp, &parcel.body)),
        ("x-slack-request-timestamp", timestamp),
    ];
    if let Some((number, reason)) = parcel.retry {
        headers.push(("x-slack-retry-num", number.to_string()));
        headers.push(("x-slack-retry-reason", reason.to_owned()));
    }
    let mut all: Vec<(String, String)> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), given(name).unwrap_or(value))).collect();
    for (name, value) in &parcel.headers {
        if !all.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            all.push((name.to_ascii_lowercase(), value.clone()));
        }
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// Sends once, redirects included.
pub(crate) async fn send(
    door: &Door,
    parcel: &Parcel,
    headers: &[(String, String)],
    limit: Duration,
) -> Result<Answer, Failure> {
    match tokio::time::timeout(limit, follow(door, parcel, headers)).await {
        Ok(answer) => answer,
        Err(_) => Err(Failure::HttpTimeout),
    }
}

async fn follow(door: &Door, parcel: &Parcel, headers: &[(String, String)]) -> Result<Answer, Failure> {
    let mut url = parcel.url.clone();
    for _ in 0..=REDIRECTS {
        let mut request = Request::post(&url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(parcel.body.clone()).map_err(|_| Failure::UnknownError)?;
        let answer = door.call(request).await?;
        let text = |name: header::HeaderName| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let status = answer.status();
        let location = text(header::LOCATION);
        if status.is_redirection() && !location.is_empty() {
            url = resolve(&url, &location);
            continue;
        }
        let headers = answer.headers().iter();
        return Ok(Answer {
            status: status.as_u16(),
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            content_type: text(header::CONTENT_TYPE),
            no_retry: answer.headers().get("x-slack-no-retry").is_some_and(|value| value == "1"),
            body: String::from_utf8_lossy(answer.body()).into_owned(),
        });
    }
    Err(Failure::TooManyRedirects)
}

/// `location` as seen from `url`: absolute, or a path on the same host.
fn resolve(url: &str, location: &str) -> String {
    if !location.starts_with('/') {
        return location.to_owned();
    }
    let host_end = url.find("://").map_or(0, |at| at + 3);
    let path = url[host_end..].find('/').map_or(url.len(), |at| host_end + at);
    format!("{}{location}", &url[..path])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(headers: &[(&str, &str)], retry: Option<(u32, &'static str)>) -> Parcel {
        Parcel {
            url: "http://127.0.0.1:3000/slack/events".to_owned(),
            body: Bytes::from_static(b"{}"),
            content_type: "application/json".to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            retry,
        }
    }

    fn header(headers: &[(String, String)], name: &str) -> Option<String> {
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_redelivery_says_which_one_it_is_and_why() {
        let sent = headers(&parcel(&[], Some((2, "http_timeout"))), "secret", Duration::from_secs(1_531_420_618));
        assert_eq!(header(&sent, "x-slack-retry-num").unwrap(), "2");
        assert_eq!(header(&sent, "x-slack-retry-reason").unwrap(), "http_timeout");
        assert_eq!(header(&sent, "x-slack-request-timestamp").unwrap(), "1531420618");
        assert_eq!(header(&sent, "user-agent").unwrap(), USER_AGENT);
    }

    #[test]
    fn given_headers_win_and_empty_ones_vanish() {
        let given = [("X-Slack-Signature", "v0=wrong"), ("accept", ""), ("x-extra", "1")];
        let sent = headers(&parcel(&given, None), "secret", Duration::ZERO);
        assert_eq!(header(&sent, "x-slack-signature").unwrap(), "v0=wrong");
        assert_eq!(header(&sent, "accept"), None);
        assert_eq!(header(&sent, "x-extra").unwrap(), "1");
    }

    #[test]
    fn a_given_timestamp_is_signed() {
        let sent = headers(&parcel(&[("x-slack-request-timestamp", "1")], None), "secret", Duration::from_secs(9));
        assert_eq!(header(&sent, "x-slack-signature").unwrap(), sign("secret", "1", b"{}"));
    }

    #[test]
    fn redirects_are_resolved_on_the_same_host() {
        let url = "http://127.0.0.1:3000/slack/events";
        assert_eq!(resolve(url, "/other"), "http://127.0.0.1:3000/other");
        assert_eq!(resolve(url, "http://localhost:1/x"), "http://localhost:1/x");
    }
}
