//! The front door: an HTTP API with payload format 2.0 in front of functions.
//! Not here: what an event or an answer looks like ([`event`], [`answer`]); REST APIs and function URLs, of which only the events exist.
//! Invariant: every request gets an answer, and the observer hears of every one.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>

pub mod answer;
pub mod event;

use crate::Clock;
use crate::lambda::{Function, InvokeError};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::serve::ListenerExt;
use bytes::Bytes;
use event::HttpRequest;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// The largest request body.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How long the gateway waits for a function.
pub const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Which function serves a method and path.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, matched as a whole.
    pub path: String,
    /// The function.
    pub function: Function,
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredRequest {
    /// The request's id, in the event and in the answer's `apigw-requestid`.
    pub request_id: String,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// The answer's status.
    pub status: u16,
    /// From its head to the answer, in milliseconds.
    pub duration_ms: u64,
}

/// An HTTP API. Clones share its routes.
#[derive(Clone)]
pub struct Gateway {
    routes: Arc<[Route]>,
    observer: Option<mpsc::UnboundedSender<AnsweredRequest>>,
}

impl Gateway {
    /// An API with these routes and no other.
    pub fn new(routes: Vec<Route>) -> Self {
        Self { routes: routes.into(), observer: None }
    }

    /// Tells `observer` of every request it answers.
    #[must_use]
    pub fn observed_by(self, observer: mpsc::UnboundedSender<AnsweredRequest>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Answers requests until the future is dropped.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let router = Router::new().fallback(handle).with_state(self);
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY on a gateway connection");
            }
        });
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    }

    async fn answer(&self, request: Request, from: SocketAddr, request_id: &str) -> Response<Bytes> {
        let (parts, body) = request.into_parts();
        let Some(route) =
            self.routes.iter().find(|route| route.method == parts.method && route.path == parts.uri.path())
        else {
            return refuse(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let received = received(&parts, body, from, request_id);
        let event = event::payload_v2(&received, &format!("{} {}", route.method, route.path));
        match timeout(INTEGRATION_TIMEOUT, route.function.invoke(event.to_string().into())).await {
            Ok(Ok(payload)) => answer::http_answer(&payload).unwrap_or_else(|error| {
                tracing::warn!(request_id, function = route.function.name(), %error, "the function's answer cannot be passed on");
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Ok(Err(error)) => without_answer(&error, route, request_id),
            Err(_) => refuse(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }
}

async fn handle(
    State(gateway): State<Gateway>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let began = Instant::now();
    let request_id = uuid::Uuid::new_v4().to_string();
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let mut response = gateway.answer(request, from, &request_id).await;
    if let Ok(value) = HeaderValue::try_from(&request_id) {
        response.headers_mut().insert("apigw-requestid", value);
    }
    if let Some(observer) = &gateway.observer {
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        // An observer that has gone is no reason to fail the request.
        let _ = observer.send(AnsweredRequest {
            request_id,
            method,
            path,
            status: response.status().as_u16(),
            duration_ms,
        });
    }
    response.map(Body::from)
}

fn received(parts: &http::request::Parts, body: Bytes, from: SocketAddr, request_id: &str) -> HttpRequest {
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut request = HttpRequest {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.into(),
        source_ip: from.ip().to_string(),
        request_id: request_id.to_owned(),
        received_ms: Clock::system().now_ms(),
    };
    add_forwarded(&mut request);
    request
}

/// API Gateway says for whom it forwards. Whoever stands before us, such as a tunnel, knows the outer protocol and port better than we do.
fn add_forwarded(request: &mut HttpRequest) {
    let port = request.header("host").and_then(|host| host.rsplit_once(':')).map_or("80", |(_, port)| port).to_owned();
    let forwarded_for = match request.header("x-forwarded-for") {
        Some(before) => format!("{before}, {}", request.source_ip),
        None => request.source_ip.clone(),
    };
    request.headers.retain(|(name, _)| name != "x-forwarded-for");
    request.headers.push(("x-forwarded-for".into(), forwarded_for));
    for (name, value) in [("x-forwarded-proto", "http"), ("x-forwarded-port", port.as_str())] {
        if request.header(name).is_none() {
            request.headers.push((name.into(), value.into()));
        }
    }
}

fn without_answer(error: &InvokeError, route: &Route, request_id: &str) -> Response<Bytes> {
    tracing::warn!(request_id, function = route.function.name(), %error, "no answer from the function");
    match error {
        InvokeError::Throttled | InvokeError::ShutDown => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        InvokeError::PayloadTooLarge { .. } => refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
        InvokeError::TimedOut { .. }
        | InvokeError::FunctionError { .. }
        | InvokeError::ProcessExited { .. }
        | InvokeError::InitFailed { .. } => refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

fn refuse(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = Response::new(format!(r#"{{"message":"{message}"}}"#).into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
