//! API Gateway's event, of payload 2.0, REST 1.0 or a function URL, into a [`RawRequest`], and the answer back.
//! Base64 is decoded once; the bytes are then exactly what Slack signed.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Request, RequestExt};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tack_app::HttpAnswer;
use tack_protocol::{EpochMs, RawRequest};

/// Where Slack sends everything.
const EVENTS_PATH: &str = "/slack/events";

/// What a request is for.
pub(crate) enum Route {
    /// For the listeners: the request, and the front door's name for it.
    Events(RawRequest, Option<String>),
    /// For nobody here.
    NotFound,
    /// The right place, the wrong verb.
    MethodNotAllowed,
}

/// An event of a front door.
pub(crate) enum GatewayEvent {
    /// Payload 2.0, of an HTTP API or a function URL: what nearly every request is, so only the parts in use are read.
    Two(Payload2),
    /// Anything else that `lambda_http` knows: REST APIs, and HTTP APIs set to the older format.
    Other(Box<Request>),
}

/// The parts of payload 2.0 that are used. `lambda_http` would keep all of it and build a URL: a tenth of a request's CPU.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payload2 {
    version: String,
    raw_path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    request_context: Context2,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context2 {
    #[serde(default)]
    request_id: Option<String>,
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(payload) = serde_json::from_str::<Payload2>(event.get())
            && payload.version == "2.0"
        {
            return Ok(Self::Two(payload));
        }
        let other: LambdaRequest = serde_json::from_str(event.get()).map_err(D::Error::custom)?;
        Ok(Self::Other(Box::new(other.into())))
    }
}

impl GatewayEvent {
    /// Where it belongs.
    pub(crate) fn route(self, received_at: EpochMs) -> Route {
        match self {
            Self::Two(payload) => route(
                &payload.raw_path,
                payload.request_context.http.method == "POST",
                || header_map(&payload.headers),
                || decoded(payload.body.unwrap_or_default(), payload.is_base64_encoded),
                payload.request_context.request_id,
                received_at,
            ),
            Self::Other(request) => {
                let (path, is_post) = (request.raw_http_path().to_owned(), request.method() == Method::POST);
                let request_id = match request.request_context_ref() {
                    Some(RequestContext::ApiGatewayV1(context)) => context.request_id.clone(),
                    Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
                    _ => None,
                };
                let (head, body) = request.into_parts();
                let body = || Bytes::copy_from_slice(body.as_ref());
                route(&path, is_post, || head.headers, body, request_id, received_at)
            }
        }
    }
}

/// Routes by the raw path, which ends alike behind stages, base paths and custom domains.
fn route(
    path: &str,
    is_post: bool,
    headers: impl FnOnce() -> HeaderMap,
    body: impl FnOnce() -> Bytes,
    request_id: Option<String>,
    received_at: EpochMs,
) -> Route {
    if !path.trim_end_matches('/').ends_with(EVENTS_PATH) {
        return Route::NotFound;
    }
    if !is_post {
        return Route::MethodNotAllowed;
    }
    Route::Events(RawRequest { headers: headers(), body: body(), received_at }, request_id)
}

/// What is no header for HTTP is none for Slack's signature either.
fn header_map(headers: &BTreeMap<String, String>) -> HeaderMap {
    let parsed = headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
    });
    parsed.collect()
}

/// Base64 is taken off once. A body that is not what it says stays as it is, and its signature fails.
fn decoded(body: String, is_base64: bool) -> Bytes {
    if is_base64 && let Ok(bytes) = BASE64.decode(&body) {
        return Bytes::from(bytes);
    }
    Bytes::from(body)
}

/// An answer as both formats want it.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GatewayAnswer {
    status_code: u16,
    headers: BTreeMap<&'static str, &'static str>,
    body: String,
    is_base64_encoded: bool,
}

impl GatewayAnswer {
    /// An empty answer.
    pub(crate) fn empty(status_code: u16) -> Self {
        Self { status_code, headers: BTreeMap::new(), body: String::new(), is_base64_encoded: false }
    }
}

impl From<HttpAnswer> for GatewayAnswer {
    fn from(answer: HttpAnswer) -> Self {
        // The framework answers in JSON or not at all.
        let json = (!answer.body.is_empty()).then_some(("content-type", "application/json"));
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        Self { headers: json.into_iter().collect(), body, ..Self::empty(answer.status) }
    }
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
        serde_json::from_str::<GatewayEvent>(event).unwrap().route(EpochMs(0))
    }

    fn raw(event: &str) -> RawRequest {
        match routed(event) {
            Route::Events(raw, _) => raw,
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

    // The id that an access log has as $context.requestId, wherever the request came in.
    #[test]
    fn a_request_keeps_the_name_that_its_front_door_gave_it() {
        for (event, expected) in [
            (event!("http-api-event.json"), "JKJaXmPLvHcESHA="),
            (event!("function-url-event.json"), "JKJaXmPLvHcESHA="),
            (event!("rest-api-event.json"), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
        ] {
            let Route::Events(_, request_id) = routed(event) else { panic!("not routed to the events") };
            assert_eq!(request_id.as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_answer_has_the_shape_that_both_formats_take() {
        let shape = |answer: HttpAnswer| serde_json::to_value(GatewayAnswer::from(answer)).unwrap();
        let json = shape(HttpAnswer { status: 200, body: Bytes::from_static(b"{}") });
        let headers = serde_json::json!({ "content-type": "application/json" });
        assert_eq!(
            json,
            serde_json::json!({ "statusCode": 200, "headers": headers, "body": "{}", "isBase64Encoded": false })
        );
        let empty = shape(HttpAnswer { status: 401, body: Bytes::new() });
        assert_eq!(
            empty,
            serde_json::json!({ "statusCode": 401, "headers": {}, "body": "", "isBase64Encoded": false })
        );
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
