//! The Runtime API over HTTP: one loopback listener for each process, so its port says who asks.
//! Not here: which invocation a process gets ([`super::exchange`]).
//! Invariant: `next` blocks and never answers an error.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>

use super::exchange::{Answer, Exchange, Offer};
use super::{InvokeError, PAYLOAD_BYTES_MAX};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use tokio::net::TcpListener;

const VERSION: &str = "/2018-06-01/runtime/";
const EXTENSIONS: &str = "/2020-01-01/extension/";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

/// What the API says about the function whose process asks.
pub(super) struct About {
    pub(super) name: String,
    pub(super) arn: String,
}

/// Serves one process for as long as the future is polled.
pub(super) async fn serve(listener: TcpListener, exchange: Arc<Exchange>, about: About) {
    let router = Router::new().fallback(handle).with_state(Arc::new((exchange, about)));
    // Without TCP_NODELAY an answer waits for the process's delayed acknowledgement, some 40 ms.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY on a Runtime API connection");
        }
    });
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "a Runtime API listener failed");
    }
}

async fn handle(State(shared): State<Arc<(Arc<Exchange>, About)>>, request: Request) -> Response {
    let (exchange, about) = &*shared;
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Some(rest) = path.strip_prefix(EXTENSIONS) {
        return extension(exchange, about, &parts.method, rest).await;
    }
    let Some(rest) = path.strip_prefix(VERSION) else {
        return not_found();
    };
    match (&parts.method, rest.split('/').collect::<Vec<_>>().as_slice()) {
        (&Method::GET, ["invocation", "next"]) => invocation(exchange.next().await, about),
        (&Method::POST, ["invocation", id, "response"]) => answered(exchange.answer(id, response(body).await)),
        (&Method::POST, ["invocation", id, "error"]) => {
            answered(exchange.answer(id, Err(function_error(&parts.headers, body).await)))
        }
        (&Method::POST, ["init", "error"]) => {
            exchange.set_init_error(function_error(&parts.headers, body).await.to_string());
            accepted()
        }
        _ => not_found(),
    }
}

fn invocation(invocation: Offer, about: &About) -> Response {
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", invocation.request_id),
        ("lambda-runtime-deadline-ms", invocation.deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", about.arn.clone()),
        ("lambda-runtime-trace-id", invocation.trace_id),
    ];
    (headers, invocation.payload).into_response()
}

async fn response(body: Body) -> Answer {
    to_bytes(body, PAYLOAD_BYTES_MAX).await.map_err(|error| InvokeError::FunctionError {
        error_type: "Function.ResponseSizeTooLarge".into(),
        message: format!("the response is over {PAYLOAD_BYTES_MAX} bytes, or broke off: {error}"),
        payload: Bytes::new(),
    })
}

/// The document of a failed init or invocation.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ErrorDocument {
    error_type: Option<String>,
    error_message: Option<String>,
}

async fn function_error(headers: &HeaderMap, body: Body) -> InvokeError {
    // A document that cannot be read is still an error of the function.
    let payload = to_bytes(body, PAYLOAD_BYTES_MAX).await.unwrap_or_default();
    let document = serde_json::from_slice::<ErrorDocument>(&payload).unwrap_or_default();
    let header = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    InvokeError::FunctionError {
        error_type: document.error_type.or(header).unwrap_or_else(|| "Runtime.Unknown".into()),
        message: document.error_message.unwrap_or_default(),
        payload,
    }
}

fn answered(result: Result<(), super::exchange::InvalidRequestId>) -> Response {
    match result {
        Ok(()) => accepted(),
        Err(_) => refused(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"),
    }
}

/// Enough of the Extensions API for a runtime that registers an internal extension to be told of its end by SIGTERM; there are no events.
async fn extension(exchange: &Exchange, about: &About, method: &Method, rest: &str) -> Response {
    match (method, rest) {
        (&Method::POST, "register") => {
            exchange.register_extension();
            let identifier = [("lambda-extension-identifier", uuid::Uuid::new_v4().to_string())];
            let function = json!({"functionName": about.name, "functionVersion": "$LATEST", "handler": "bootstrap"});
            (identifier, Json(function)).into_response()
        }
        (&Method::GET, "event/next") => std::future::pending().await,
        (&Method::POST, "init/error" | "exit/error") => accepted(),
        _ => not_found(),
    }
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn not_found() -> Response {
    refused(StatusCode::NOT_FOUND, "NotFound", "the Runtime API has no such operation")
}

fn refused(status: StatusCode, error_type: &str, message: &str) -> Response {
    (status, Json(json!({"errorType": error_type, "errorMessage": message}))).into_response()
}
