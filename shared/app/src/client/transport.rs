//! One HTTP client a process: keep-alive, embedded roots.

use super::tls;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use std::time::Duration;

const USER_AGENT: &str = concat!("tack/", env!("CARGO_PKG_VERSION"));

/// Slack's answers are far smaller; what is larger is not Slack's.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Slack's name for a request is 32 characters long; nothing longer is put into the log.
const REQUEST_ID: &str = "x-slack-req-id";
const REQUEST_ID_BYTES_MAX: usize = 100;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Shorter than the idle time of load balancers, so that a thawed process does not write into a dead connection.
const IDLE: Duration = Duration::from_secs(50);

/// A pool of connections to Slack, which clones share.
#[derive(Clone)]
pub struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// Slack's name for the request: what its support asks for.
    pub(crate) request: Option<String>,
    pub(crate) body: Bytes,
}

impl HttpClient {
    /// Builds the pool; nothing is connected yet. `extra_roots` are trusted beside the embedded ones.
    ///
    /// # Errors
    /// A sentence, when one of the extra roots is not a certificate.
    pub fn new(extra_roots: Vec<CertificateDer<'static>>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        for root in extra_roots {
            roots.add(root).map_err(|error| format!("a certificate of the extra roots: {error}"))?;
        }
        let https = tls::connector(roots, CONNECT_TIMEOUT)?;
        let client =
            Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).build(https);
        Ok(Self { client })
    }

    /// Posts and reads the whole answer. Errors say what failed and never where to.
    pub(crate) async fn post(
        &self,
        url: &str,
        content_type: &str,
        authorization: Option<&str>,
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(header::CONTENT_TYPE, content_type)
            .header(header::USER_AGENT, USER_AGENT);
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request =
            request.body(Full::new(body.into())).map_err(|_| "the address or the token cannot be sent".to_owned())?;
        let answer = self.client.request(request).await.map_err(|error| {
            if error.is_connect() { "cannot connect".to_owned() } else { "the connection broke".to_owned() }
        })?;
        let status = answer.status().as_u16();
        let retry_after = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let request = answer
            .headers()
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|id| id.len() <= REQUEST_ID_BYTES_MAX)
            .map(str::to_owned);
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|_| "the answer broke off".to_owned())?
            .to_bytes();
        Ok(Answer { status, retry_after, request, body })
    }
}
