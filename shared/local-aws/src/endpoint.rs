//! One loopback endpoint for all services: faults, the record of calls, HTTP.
//! Not here: what the services do, and how a request says which one it means ([`crate::service`]).
//! Invariant: every request is in the record of calls, whatever becomes of it.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>

use crate::answer::Answer;
use crate::calls::CALLER_GONE;
use crate::faults::{Arrival, Crash, Effect};
use crate::service::{Head, JSON_1_0, Service};
use crate::{Call, Calls, FaultId, LocalAws, kms, sqs, ssm};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The largest request taken: DynamoDB's 16 MB for a batch, with room for base64 and JSON.
const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Marks a response that must not be sent: the connection is closed instead.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the reply is lost, as a fault asks")]
struct ReplyLost;

/// In a request's extensions: where it came from.
#[derive(Clone, Copy)]
struct Peer(SocketAddr);

impl LocalAws {
    /// Answers one request in process, without a socket.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let head = Head::read(request.headers());
        let parsed = if request.body().is_empty() {
            Ok(Value::Object(serde_json::Map::new()))
        } else {
            serde_json::from_slice(request.body())
        };
        let service = head.service();
        let resource = service.zip(parsed.as_ref().ok()).and_then(|(service, request)| service.resource_of(request));
        let access_key = head.access_key.clone().unwrap_or_default();
        let call = Call {
            at_ms: self.clock().now_ms(),
            caller: self.calls().caller(&access_key),
            access_key,
            service: head.service_name(),
            action: head.target.as_ref().map(|(_, action)| action.clone()).unwrap_or_default(),
            resource,
            status: None,
            error: None,
            consumed_units: None,
        };
        let mut on_record = OnRecord { calls: self.calls(), number: self.calls().begin(call.clone()), answered: false };
        let (answer, lost) = match refusal(&head, service, parsed) {
            Err(answer) => (answer, false),
            Ok((service, parsed)) => self.serve_call(service, &call, &request, parsed).await,
        };
        on_record.finish(&answer, lost);
        let answer = match service {
            Some(service) if lost => {
                service.error(500, "InternalFailure", "The reply is lost (a fault that was asked for).")
            }
            _ => answer,
        };
        let mut response = into_response(answer, service);
        if lost {
            response.extensions_mut().insert(ReplyLost);
        }
        response
    }

    /// Serves HTTP/1.1 with keep-alive until the listener fails. Dropping the future closes all connections.
    ///
    /// # Errors
    /// What the listener fails with.
    pub async fn serve(self, listener: TcpListener) -> std::io::Result<()> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(self.clone().serve_connection(stream, peer));
                    }
                    // The peer gave up between its SYN and our accept; the listener is well.
                    Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
                    Err(error) => return Err(error),
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn serve_connection(self, stream: TcpStream, peer: SocketAddr) {
        // Headers and body leave in one write or two; either way nothing may wait for an acknowledgement of the first.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let service = service_fn(|request| self.answer_http(request, peer));
        if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn answer_http(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Full<Bytes>>, ReplyLost> {
        let (mut parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
            let answer = Answer::error(
                413,
                "com.amazon.coral.service",
                "RequestEntityTooLargeException",
                "The request is too large or was cut off.",
            );
            return Ok(into_response(answer, None).map(Full::new));
        };
        parts.extensions.insert(Peer(peer));
        let response = self.handle(Request::from_parts(parts, body.to_bytes())).await;
        match response.extensions().get::<ReplyLost>() {
            Some(lost) => Err(*lost),
            None => Ok(response.map(Full::new)),
        }
    }

    /// Does what was asked, or what a fault asks; the flag says that the reply is lost.
    async fn serve_call(
        &self,
        service: Service,
        call: &Call,
        request: &Request<Bytes>,
        parsed: Value,
    ) -> (Answer, bool) {
        let arrival = Arrival {
            service: service.name(),
            action: &call.action,
            resource: call.resource.as_deref(),
            access_key: &call.access_key,
            caller: call.caller.as_deref(),
            body: request.body(),
        };
        let mut lost = false;
        let mut crash = None;
        if let Some((id, effect)) = self.faults().strike(&arrival) {
            match effect {
                Effect::Error { status, code } => {
                    return (service.error(status, &code, "A fault that was asked for."), false);
                }
                Effect::Throttle => return (service.throttle(), false),
                Effect::Hang => self.faults().removed(id).await,
                Effect::Delay(delay) => tokio::time::sleep(delay).await,
                Effect::LoseReply => lost = true,
                Effect::CrashBefore => {
                    self.crash(id, call, request).await;
                    return (service.error(500, "InternalFailure", "The caller was to be killed."), true);
                }
                Effect::CrashAfter => crash = Some(id),
            }
        }
        let answer = match service {
            Service::Sqs => sqs::wire::answer(self.sqs(), &call.action, parsed, &call.access_key).await,
            Service::DynamoDb => self.dynamodb().answer(&call.action, parsed),
            Service::Kms => kms::wire::answer(self.kms(), &call.action, parsed),
            Service::Ssm => ssm::wire::answer(self.ssm(), &call.action, parsed),
        };
        if let Some(id) = crash {
            self.crash(id, call, request).await;
            lost = true;
        }
        (answer, lost)
    }

    /// Has the caller killed, and waits for that: its end closes the connection, and with it this future ends. Returns if there is no connection.
    async fn crash(&self, fault: FaultId, call: &Call, request: &Request<Bytes>) {
        if let Some(Peer(peer)) = request.extensions().get().copied() {
            let (caller, access_key) = (call.caller.clone(), call.access_key.clone());
            self.faults().tell_crash(Crash { fault, caller, access_key, peer });
            std::future::pending().await
        }
    }
}

/// A call that is on record; one that ends unanswered is noted as such.
struct OnRecord<'a> {
    calls: &'a Calls,
    number: u64,
    answered: bool,
}

impl OnRecord<'_> {
    fn finish(&mut self, answer: &Answer, lost: bool) {
        self.answered = true;
        self.calls.finish(self.number, |call| {
            call.status = (!lost).then_some(answer.status);
            call.error.clone_from(&answer.error);
            call.consumed_units = answer.consumed_units;
        });
    }
}

impl Drop for OnRecord<'_> {
    fn drop(&mut self) {
        if !self.answered {
            self.calls.finish(self.number, |call| call.error = Some(CALLER_GONE.to_owned()));
        }
    }
}

/// What AWS's front door refuses before any service sees it.
fn refusal(
    head: &Head,
    service: Option<Service>,
    parsed: serde_json::Result<Value>,
) -> Result<(Service, Value), Answer> {
    const FRONT_DOOR: &str = "com.amazon.coral.service";
    if head.access_key.is_none() {
        let message =
            "Request is missing Authentication Token: sign it (AWS Signature Version 4); any access key will do here.";
        return Err(Answer::error(403, FRONT_DOOR, "MissingAuthenticationTokenException", message));
    }
    let Some(service) = service else {
        let message = format!("This endpoint has dynamodb, kms, sqs and ssm, not {:?}.", head.service_name());
        return Err(Answer::error(400, FRONT_DOOR, "UnknownServiceException", &message));
    };
    if head.target.is_none() {
        let message = format!(
            "{} on this machine speaks the AWS JSON protocol only: the X-Amz-Target header is missing.",
            service.name()
        );
        return Err(Answer::error(400, FRONT_DOOR, "UnknownOperationException", &message));
    }
    match parsed {
        Ok(request) => Ok((service, request)),
        Err(error) => Err(Answer::unreadable(&error.to_string())),
    }
}

fn into_response(answer: Answer, service: Option<Service>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, service.map_or(JSON_1_0, Service::content_type));
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(error) = answer.query_error.and_then(|error| HeaderValue::from_str(&error).ok()) {
        headers.insert("x-amzn-query-error", error);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::QueueSettings;
    use crate::{Clock, Effect, Fault};
    use http::header::AUTHORIZATION;

    fn request(authorization: Option<&str>, target: Option<&str>, body: &str) -> Request<Bytes> {
        let mut request = Request::new(Bytes::copy_from_slice(body.as_bytes()));
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.parse().unwrap());
        }
        if let Some(target) = target {
            request.headers_mut().insert("x-amz-target", target.parse().unwrap());
        }
        request
    }

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKIAWORKER/20261124/eu-west-1/SERVICE/aws4_request, SignedHeaders=host, Signature=00";

    fn signed(service: &str) -> String {
        SIGNED.replace("SERVICE", service)
    }

    async fn error_of(aws: &LocalAws, request: Request<Bytes>) -> (u16, String) {
        let response = aws.handle(request).await;
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), body["__type"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn an_unsigned_request_is_refused_and_recorded() {
        let aws = LocalAws::new(Clock::system());
        let (status, code) = error_of(&aws, request(None, Some("AmazonSQS.ListQueues"), "{}")).await;
        assert_eq!((status, code.as_str()), (403, "com.amazon.coral.service#MissingAuthenticationTokenException"));
        let calls = aws.calls().snapshot();
        assert_eq!((calls[0].service.as_str(), calls[0].status), ("sqs", Some(403)));
    }

    #[tokio::test]
    async fn an_unknown_service_is_told_what_there_is() {
        let aws = LocalAws::new(Clock::system());
        let response = aws
            .handle(request(Some(&signed("sts")), Some("AWSSecurityTokenServiceV20110615.GetCallerIdentity"), "{}"))
            .await;
        assert_eq!(response.status(), 400);
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(text.contains("dynamodb, kms, sqs and ssm") && text.contains("sts"), "{text}");
        assert_eq!(aws.calls().snapshot()[0].service, "sts");
    }

    #[tokio::test]
    async fn the_scope_decides_the_service_and_the_target_where_there_is_no_scope() {
        let aws = LocalAws::new(Clock::system());
        let response =
            aws.handle(request(Some("AWS4-ECDSA-P256-SHA256 Credential=AKIA"), Some("AmazonSQS.ListQueues"), "")).await;
        assert_eq!(response.status(), 200);
        let (_, code) = error_of(&aws, request(Some(&signed("dynamodb")), Some("AmazonSQS.ListQueues"), "")).await;
        assert_eq!(code, "com.amazon.coral.service#UnknownOperationException");
    }

    #[tokio::test]
    async fn a_body_that_is_no_json_is_a_serialization_exception() {
        let aws = LocalAws::new(Clock::system());
        let (status, code) =
            error_of(&aws, request(Some(&signed("sqs")), Some("AmazonSQS.ListQueues"), "Action=ListQueues")).await;
        assert_eq!((status, code.as_str()), (400, "com.amazon.coral.service#SerializationException"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_says_who_made_it_on_what() {
        let aws = LocalAws::new(Clock::virtual_from(1_700_000_000_000));
        aws.name_caller("AKIAWORKER", "worker");
        let response =
            aws.handle(request(Some(&signed("sqs")), Some("AmazonSQS.CreateQueue"), r#"{"QueueName":"events"}"#)).await;
        assert_eq!(response.status(), 200);
        let call = Call {
            at_ms: 1_700_000_000_000,
            access_key: "AKIAWORKER".to_owned(),
            caller: Some("worker".to_owned()),
            service: "sqs".to_owned(),
            action: "CreateQueue".to_owned(),
            resource: Some("events".to_owned()),
            status: Some(200),
            error: None,
            consumed_units: None,
        };
        assert_eq!(aws.calls().snapshot(), [call]);
    }

    #[tokio::test]
    async fn a_reply_lost_in_process_is_a_server_error_after_the_work_was_done() {
        let aws = LocalAws::new(Clock::system());
        aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
        aws.faults().add(Fault {
            service: "sqs".to_owned(),
            action: "SendMessage".to_owned(),
            resource: None,
            caller: None,
            contains: None,
            effect: Effect::LoseReply,
            times: None,
        });
        let body = r#"{"QueueUrl":"http://127.0.0.1:4566/000000000000/events","MessageBody":"hello"}"#;
        let (status, code) = error_of(&aws, request(Some(&signed("sqs")), Some("AmazonSQS.SendMessage"), body)).await;
        assert_eq!((status, code.as_str()), (500, "com.amazonaws.sqs#InternalFailure"));
        assert_eq!(aws.sqs().depth("events").unwrap().visible, 1);
    }
}
