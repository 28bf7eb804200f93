//! API Gateway's event, of payload 2.0, REST 1.0 or a function URL, into a [`RawRequest`], and the answer back.
//! `lambda_http` decodes base64 once; the bytes are then exactly what Slack signed.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use bytes::Bytes;
use lambda_http::http::Method;
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Request, RequestExt};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
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
fn route(request: Request, received_at: EpochMs) -> Route {
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

/// An event of a front door. Payload 2.0 says so itself, and then it is read once, instead of being tried as the older
/// format first.
pub(crate) struct GatewayEvent(Request);

#[derive(Deserialize)]
struct Format<'e> {
    #[serde(borrow, default)]
    version: Option<Cow<'e, str>>,
}

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        let format: Format<'_> = serde_json::from_str(event.get()).map_err(D::Error::custom)?;
        let request = if format.version.as_deref() == Some("2.0") {
            LambdaRequest::ApiGatewayV2(serde_json::from_str(event.get()).map_err(D::Error::custom)?)
        } else {
            serde_json::from_str(event.get()).map_err(D::Error::custom)?
        };
        Ok(Self(request.into()))
    }
}

impl GatewayEvent {
    /// Where it belongs.
    pub(crate) fn route(self, received_at: EpochMs) -> Route {
        route(self.0, received_at)
    }
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
