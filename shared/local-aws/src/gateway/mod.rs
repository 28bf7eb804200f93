//! The front door: an HTTP API with payload format 2.0 in front of functions.
//! Not here: what an event or an answer looks like ([`event`], [`answer`]), what the observer is told ([`AnsweredRequest`]); REST APIs and function URLs, of which only the events exist.
//! Invariant: every request gets an answer, and the observer hears of every one, even if the client has hung up.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>

pub mod answer;
pub mod event;
mod observer;

use crate::Clock;
use crate::lambda::{Function, Invocation, InvokeError};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::serve::ListenerExt;
use bytes::Bytes;
use event::HttpRequest;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

pub use observer::{AnsweredRequest, RequestFailure, RequestInvocation};

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

    /// Answers one request and tells the observer.
    async fn answer(self, request: Request, from: SocketAddr) -> Response<Bytes> {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let mut received = HttpRequest {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: header_list(&parts.headers),
            body: Bytes::new(),
            source_ip: from.ip().to_string(),
            request_id: uuid::Uuid::new_v4().to_string(),
            received_ms: Clock::system().now_ms(),
        };
        let mut answered = self.integrate(&parts, body, &mut received).await;
        if let Ok(value) = HeaderValue::try_from(&received.request_id) {
            answered.response.headers_mut().insert("apigw-requestid", value);
        }
        if let Some(observer) = &self.observer {
            // An observer that has gone is no reason to fail the request.
            let _ = observer.send(observer::report(received, &answered, began.elapsed()));
        }
        answered.response
    }

    /// The way from the route through the function to the answer. What is read of the body is left in `received`.
    async fn integrate(&self, parts: &Parts, body: Body, received: &mut HttpRequest) -> Answered {
        let Some(route) =
            self.routes.iter().find(|route| route.method == parts.method && route.path == parts.uri.path())
        else {
            return Answered::refused(RequestFailure::NoRoute);
        };
        match Limited::new(body, BODY_BYTES_MAX).collect().await {
            Ok(body) => received.body = body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Answered::refused(RequestFailure::TooLarge),
            Err(error) => return Answered::refused(RequestFailure::BodyBroken(error.to_string())),
        }
        let function = &route.function;
        let mut forwarded = received.clone();
        add_forwarded(&mut forwarded);
        let event = event::payload_v2(&forwarded, &format!("{} {}", route.method, route.path));
        let invocation = Invocation::new(event.to_string().into());
        let request_id = invocation.request_id.clone();
        let served = timeout(INTEGRATION_TIMEOUT, function.serve(invocation)).await;
        let pid = match &served {
            Ok(served) => served.pid,
            // It runs on.
            Err(_) => function.process_of(&request_id),
        };
        let outcome = match served {
            Ok(served) => match served.answer {
                Ok(payload) => answer::http_answer(&payload).map_err(RequestFailure::Malformed),
                Err(error) => Err(RequestFailure::Invocation(error)),
            },
            Err(_) => Err(RequestFailure::TookTooLong),
        };
        let mut answered = match outcome {
            Ok(response) => Answered { response, invocation: None, failure: None },
            Err(failure) => {
                tracing::warn!(request_id = received.request_id, function = function.name(), %failure, "no answer from the function");
                Answered::refused(failure)
            }
        };
        answered.invocation = Some(RequestInvocation { function: function.name().to_owned(), request_id, pid });
        answered
    }
}

/// An answer and how it came about.
struct Answered {
    response: Response<Bytes>,
    invocation: Option<RequestInvocation>,
    failure: Option<RequestFailure>,
}

impl Answered {
    fn refused(failure: RequestFailure) -> Self {
        Self { response: refusal(&failure), invocation: None, failure: Some(failure) }
    }
}

async fn handle(
    State(gateway): State<Gateway>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    // A task of its own: when the client hangs up, this future is dropped, and the observer is to hear of the request all the same.
    let answer = tokio::spawn(gateway.answer(request, from)).await;
    answer.unwrap_or_else(|_| refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")).map(Body::from)
}

/// Names are in lower case. Bytes that are not UTF-8 are replaced.
fn header_list(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
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

fn refusal(failure: &RequestFailure) -> Response<Bytes> {
    use InvokeError as E;
    use RequestFailure as F;
    match failure {
        F::NoRoute => refuse(StatusCode::NOT_FOUND, "Not Found"),
        F::BodyBroken(_) => refuse(StatusCode::BAD_REQUEST, "Bad Request"),
        F::TooLarge | F::Invocation(E::PayloadTooLarge { .. }) => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large")
        }
        F::TookTooLong | F::Invocation(E::Throttled | E::ShutDown) => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
        }
        F::Malformed(_)
        | F::Invocation(
            E::TimedOut { .. } | E::FunctionError { .. } | E::ProcessExited { .. } | E::InitFailed { .. },
        ) => refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

fn refuse(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = Response::new(format!(r#"{{"message":"{message}"}}"#).into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
