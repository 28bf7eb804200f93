//! What the gateway tells of a request when it is answered.
//! Not here: when it tells ([`super::Gateway`]).

use super::answer::MalformedAnswer;
use super::event::HttpRequest;
use super::{Answered, INTEGRATION_TIMEOUT, header_list};
use crate::lambda::InvokeError;
use bytes::Bytes;
use std::time::Duration;

/// A request that was answered. It holds what the client sent, secrets included: what shows it has to mask them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredRequest {
    /// The request's id, in the event's `requestContext.requestId` and in the answer's `apigw-requestid`.
    pub request_id: String,
    /// When its head was there, epoch milliseconds.
    pub received_ms: u64,
    /// Its method.
    pub method: String,
    /// Its path.
    pub path: String,
    /// Its query as sent, without the question mark.
    pub query: String,
    /// Its headers as they came, in their order, with names in lower case; those of one name follow each other.
    pub headers: Vec<(String, String)>,
    /// Its body as it came; empty where it was not read ([`RequestFailure::NoRoute`]) or not to its end.
    pub body: Bytes,
    /// Who sent it, such as `127.0.0.1`.
    pub source_ip: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers, with names in lower case.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body.
    pub answer_body: Bytes,
    /// From its head to the answer, in milliseconds.
    pub duration_ms: u64,
    /// The invocation it became; `None` if the gateway answered by itself.
    pub invocation: Option<RequestInvocation>,
    /// Why the answer is not the function's.
    pub failure: Option<RequestFailure>,
}

/// The invocation that a request became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestInvocation {
    /// The function's name.
    pub function: String,
    /// The Lambda request id, which the lines of the process carry.
    pub request_id: String,
    /// The process that had it; `None` where none had.
    pub pid: Option<u32>,
}

/// Why a request's answer is the gateway's own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestFailure {
    /// No function serves this method and path: 404.
    #[error("no function serves this method and path")]
    NoRoute,
    /// The body is over [`super::BODY_BYTES_MAX`]: 413.
    #[error("the body is over the limit of 10 MB")]
    TooLarge,
    /// The client hung up before its body was complete: 400, which nobody reads.
    #[error("the body broke off: {0}")]
    BodyBroken(String),
    /// The invocation has no answer: 503 if it was throttled, 413 for an event over 6 MB, else 500.
    #[error(transparent)]
    Invocation(#[from] InvokeError),
    /// The function had not answered within [`INTEGRATION_TIMEOUT`], and runs on: 503.
    #[error("no answer within {INTEGRATION_TIMEOUT:?}")]
    TookTooLong,
    /// The function's answer is no HTTP answer: 500.
    #[error(transparent)]
    Malformed(#[from] MalformedAnswer),
}

pub(super) fn report(request: HttpRequest, answered: &Answered, after: Duration) -> AnsweredRequest {
    AnsweredRequest {
        request_id: request.request_id,
        received_ms: request.received_ms,
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        source_ip: request.source_ip,
        status: answered.response.status().as_u16(),
        answer_headers: header_list(answered.response.headers()),
        answer_body: answered.response.body().clone(),
        duration_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        invocation: answered.invocation.clone(),
        failure: answered.failure.clone(),
    }
}
