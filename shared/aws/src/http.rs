//! API Gateway's event, of payload 2.0, REST 1.0 or a function URL, into a [`RawRequest`], and the answer back.
//! `lambda_http` decodes base64 once; the bytes are then exactly what Slack signed.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use bytes::Bytes;
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::http::{HeaderValue, Method, StatusCode};
use lambda_http::{Body, Request, RequestExt, Response};
use tack_app::HttpAnswer;
use tack_protocol::{EpochMs, RawRequest};

/// Where Slack sends everything.
const EVENTS_PATH: &str = "/slack/events";

/// What a request is for.
pub(crate) enum Route {
    /// For the listeners.
    Events(RawRequest),
    /// For nobody here.
    NotFound,
    /// The right place, the wrong verb.
    MethodNotAllowed,
}

/// Routes by the raw path, which ends alike behind stages, base paths and custom domains.
pub(crate) fn route(request: Request, received_at: EpochMs) -> Route {
    if !request.raw_http_path().trim_end_matches('/').ends_with(EVENTS_PATH) {
        return Route::NotFound;
    }
    if request.method() != Method::POST {
        return Route::MethodNotAllowed;
    }
    let (head, body) = request.into_parts();
    let body = match body {
        Body::Empty => Bytes::new(),
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    Route::Events(RawRequest { headers: head.headers, body, received_at })
}

/// The answer as API Gateway wants it.
pub(crate) fn answer(answer: HttpAnswer) -> Response<Body> {
    if answer.body.is_empty() {
        return status(answer.status);
    }
    // The framework answers in JSON only, which is text.
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An empty answer.
pub(crate) fn status(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_protocol::{EpochSeconds, SigningSecrets};

    /// Slack's published example: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const SENT: EpochSeconds = EpochSeconds(1_531_420_618);

    macro_rules! event {
        ($name:literal) => {
            include_str!(concat!("../../../events/lambda/ingress/", $name))
        };
    }

    fn routed(event: &str) -> Route {
        route(lambda_http::request::from_str(event).unwrap(), EpochMs(0))
    }

    fn raw(event: &str) -> RawRequest {
        match routed(event) {
            Route::Events(raw) => raw,
            _ => panic!("not routed to the events"),
        }
    }

    #[test]
    fn slacks_signature_holds_through_every_front_door() {
        let secrets = SigningSecrets::parse(SECRET).unwrap();
        for (name, event) in [
            ("HTTP API, form in base64", event!("http-api-command.json")),
            ("HTTP API with a stage", event!("http-api-stage-command.json")),
            ("HTTP API, text", event!("http-api-event.json")),
            ("function URL", event!("function-url-event.json")),
            ("REST API", event!("rest-api-event.json")),
        ] {
            assert!(raw(event).verify(&secrets, SENT).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_certificate_check_is_recognised_in_base64() {
        assert!(raw(event!("http-api-ssl_check.json")).is_ssl_check());
    }

    #[test]
    fn other_paths_and_verbs_have_their_own_answers() {
        let event = event!("http-api-event.json");
        assert!(matches!(routed(&event.replace("/slack/events", "/slack/other")), Route::NotFound));
        assert!(matches!(routed(&event.replace("/slack/events", "/not/slack/eventsx")), Route::NotFound));
        let get = event.replace("\"method\": \"POST\"", "\"method\": \"GET\"");
        assert!(matches!(routed(&get), Route::MethodNotAllowed));
    }
}
