//! Lambda events out of HTTP requests, as API Gateway and function URLs make them. Pure.
//! Not here: receiving a request ([`super`]), or what a function makes of an event.
//! Invariant: the body's bytes come out again, as text or as base64 (a REST API's text excepted, as documented).
//! Sources: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html>

use crate::lambda::calendar::UtcTime;
use crate::{ACCOUNT, REGION};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The id of the API, and of the function URL.
const API_ID: &str = "localapi00";
/// The only stage of an HTTP API and of a function URL.
const DEFAULT_STAGE: &str = "$default";
/// The stage of a REST API, which has no default one.
const REST_STAGE: &str = "prod";

/// An HTTP request as it came in.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method, in capitals.
    pub method: String,
    /// The path as on the request line.
    pub path: String,
    /// The query as on the request line, without `?`; empty if there was none.
    pub query: String,
    /// The headers in order, each as sent; a name may occur again.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Bytes,
    /// Who sent it.
    pub source_ip: String,
    /// What it is called in the answer and in logs.
    pub request_id: String,
    /// When it came in, epoch milliseconds.
    pub received_ms: u64,
}

impl HttpRequest {
    /// The first value of a header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    fn media_type(&self) -> String {
        let content_type = self.header("content-type").unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    fn time(&self) -> String {
        UtcTime::from_epoch_ms(self.received_ms).common_log()
    }
}

/// The event of an HTTP API, payload format 2.0. `route_key` is such as `POST /slack/events`.
pub fn payload_v2(request: &HttpRequest, route_key: &str) -> Value {
    let host = request.header("host").unwrap_or_default();
    let domain = host.rsplit_once(':').map_or(host, |(domain, _port)| domain);
    format_2(request, route_key, domain)
}

/// The event of a function URL: format 2.0 with the URL's own domain.
pub fn function_url(request: &HttpRequest) -> Value {
    format_2(request, DEFAULT_STAGE, &format!("{API_ID}.lambda-url.{REGION}.on.aws"))
}

fn format_2(request: &HttpRequest, route_key: &str, domain: &str) -> Value {
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": joined_headers(request),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent").unwrap_or_default(),
            },
            "requestId": request.request_id,
            "routeKey": route_key,
            "stage": DEFAULT_STAGE,
            "time": request.time(),
            "timeEpoch": request.received_ms,
        },
        "isBase64Encoded": false,
    });
    // These are left out, not empty, when there is nothing to say.
    let cookies = cookies(request);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let query = query(request);
    if !query.is_empty() {
        event["queryStringParameters"] =
            query.into_iter().map(|(name, values)| (name, json!(values.join(",")))).collect();
    }
    if !request.body.is_empty() {
        let media_type = request.media_type();
        let (body, encoded) = encode_body(&request.body, is_text(&media_type));
        event["body"] = body.into();
        event["isBase64Encoded"] = encoded.into();
    }
    event
}

/// What an HTTP API passes on as text. AWS lists the types nowhere; these were measured against it
/// (<https://github.com/ministackorg/ministack/issues/766>), and a form arrives in base64 (<https://github.com/middyjs/middy/pull/603>).
fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || matches!(media_type, "application/json" | "application/xml" | "application/javascript")
}

fn encode_body(body: &[u8], as_text: bool) -> (String, bool) {
    match std::str::from_utf8(body) {
        Ok(text) if as_text => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

/// Names in lower case, values of a repeated header joined by commas; cookies go their own way.
fn joined_headers(request: &HttpRequest) -> BTreeMap<String, String> {
    let mut joined = BTreeMap::<String, String>::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("cookie")) {
        joined
            .entry(name.to_ascii_lowercase())
            .and_modify(|values| {
                values.push(',');
                values.push_str(value);
            })
            .or_insert_with(|| value.clone());
    }
    joined
}

fn cookies(request: &HttpRequest) -> Vec<&str> {
    let lines = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    lines.flat_map(|(_, value)| value.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty()).collect()
}

/// Every parameter, decoded, with all its values in order.
fn query(request: &HttpRequest) -> BTreeMap<String, Vec<String>> {
    let mut parameters = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        parameters.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    parameters
}

/// The event of a REST API, payload format 1.0. A body is base64 if `binary_media_types` names its type (`image/png`, `image/*`, `*/*`), else
/// text, in which bytes that are not UTF-8 are lost: so does AWS.
pub fn payload_v1(request: &HttpRequest, binary_media_types: &[&str]) -> Value {
    let mut headers = Map::new();
    let mut multi_value_headers = BTreeMap::<&str, Vec<&str>>::new();
    for (name, value) in &request.headers {
        // Of a repeated header the last value stands.
        headers.insert(name.clone(), json!(value));
        multi_value_headers.entry(name).or_default().push(value);
    }
    let query = query(request);
    let last_values: BTreeMap<_, _> = query.iter().map(|(name, values)| (name, values.last())).collect();
    let media_type = request.media_type();
    let binary = binary_media_types.iter().any(|pattern| matches_media_type(pattern, &media_type));
    let body = match (request.body.is_empty(), binary) {
        (true, _) => Value::Null,
        (false, true) => STANDARD.encode(&request.body).into(),
        (false, false) => String::from_utf8_lossy(&request.body).into(),
    };
    let domain = format!("{API_ID}.execute-api.{REGION}.amazonaws.com");
    json!({
        "resource": request.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": multi_value_headers,
        "queryStringParameters": if query.is_empty() { Value::Null } else { json!(last_values) },
        "multiValueQueryStringParameters": if query.is_empty() { Value::Null } else { json!(query) },
        "pathParameters": null,
        "stageVariables": null,
        "requestContext": {
            "resourceId": "local0",
            "resourcePath": request.path,
            "httpMethod": request.method,
            "extendedRequestId": request.request_id,
            "requestTime": request.time(),
            "path": format!("/{REST_STAGE}{}", request.path),
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": REST_STAGE,
            "domainPrefix": API_ID,
            "requestTimeEpoch": request.received_ms,
            "requestId": request.request_id,
            "identity": {
                "cognitoIdentityPoolId": null,
                "accountId": null,
                "cognitoIdentityId": null,
                "caller": null,
                "sourceIp": request.source_ip,
                "principalOrgId": null,
                "accessKey": null,
                "cognitoAuthenticationType": null,
                "cognitoAuthenticationProvider": null,
                "userArn": null,
                "userAgent": request.header("user-agent"),
                "user": null,
            },
            "domainName": domain,
            "apiId": API_ID,
        },
        "body": body,
        "isBase64Encoded": binary && !request.body.is_empty(),
    })
}

fn matches_media_type(pattern: &str, media_type: &str) -> bool {
    match pattern.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => media_type.split_once('/').is_some_and(|(actual, _)| actual == kind),
        None => pattern == media_type,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], body: &[u8]) -> HttpRequest {
        HttpRequest {
            method: "POST".into(),
            path: "/slack/events".into(),
            query: String::new(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Bytes::copy_from_slice(body),
            source_ip: "192.0.2.1".into(),
            request_id: "id".into(),
            received_ms: 1_583_348_638_390,
        }
    }

    fn of_type(content_type: &str, body: &[u8]) -> Value {
        payload_v2(&request(&[("Content-Type", content_type)], body), "POST /slack/events")
    }

    #[test]
    fn format_2_has_the_fields_of_the_aws_sample() {
        let sent = HttpRequest {
            method: "GET".into(),
            path: "/my/path".into(),
            query: "parameter1=value1&parameter1=value2&parameter2=value".into(),
            ..request(
                &[
                    ("Host", "id.execute-api.us-east-1.amazonaws.com"),
                    ("Cookie", "cookie1; cookie2"),
                    ("User-Agent", "agent"),
                ],
                b"",
            )
        };
        let event = payload_v2(&sent, "GET /my/path");
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "GET /my/path");
        assert_eq!(event["rawPath"], "/my/path");
        assert_eq!(event["rawQueryString"], "parameter1=value1&parameter1=value2&parameter2=value");
        assert_eq!(event["cookies"], json!(["cookie1", "cookie2"]));
        assert_eq!(event["queryStringParameters"], json!({"parameter1": "value1,value2", "parameter2": "value"}));
        let context = &event["requestContext"];
        assert_eq!(context["domainName"], "id.execute-api.us-east-1.amazonaws.com");
        assert_eq!(context["domainPrefix"], "id");
        let http = json!({"method": "GET", "path": "/my/path", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "agent"});
        assert_eq!(context["http"], http);
        assert_eq!(context["stage"], "$default");
        assert_eq!(context["time"], "04/Mar/2020:19:03:58 +0000");
        assert_eq!(context["timeEpoch"], 1_583_348_638_390_u64);
        assert_eq!(event["isBase64Encoded"], false);
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn names_are_lower_case_repeated_headers_are_joined_and_cookies_are_no_headers() {
        let event = payload_v2(&request(&[("X-One", "a"), ("x-one", "b"), ("COOKIE", "c=d")], b""), "$default");
        assert_eq!(event["headers"], json!({"x-one": "a,b"}));
        assert_eq!(event["cookies"], json!(["c=d"]));
        let bare = payload_v2(&request(&[], b""), "$default");
        assert!(bare.get("cookies").is_none() && bare.get("queryStringParameters").is_none());
    }

    #[test]
    fn text_types_come_as_text_whatever_their_parameters() {
        for content_type in [
            "text/plain",
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/xml",
            "application/javascript",
        ] {
            let event = of_type(content_type, "{\"text\": \"ü\"}".as_bytes());
            assert_eq!(
                (&event["body"], &event["isBase64Encoded"]),
                (&json!("{\"text\": \"ü\"}"), &json!(false)),
                "{content_type}"
            );
        }
    }

    #[test]
    fn a_form_and_a_body_without_type_come_in_base64() {
        for content_type in
            ["application/x-www-form-urlencoded", "", "application/octet-stream", "application/vnd.api+json"]
        {
            let event = of_type(content_type, b"token=gIkuvaNzQIHg97ATvDxqgjtO");
            let body = json!("dG9rZW49Z0lrdXZhTnpRSUhnOTdBVHZEeHFnanRP");
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&body, &json!(true)), "{content_type}");
        }
    }

    #[test]
    fn text_that_is_not_utf_8_comes_in_base64() {
        let event = of_type("application/json", b"\xff\xfe");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("//4="), &json!(true)));
    }

    #[test]
    fn a_function_url_has_a_domain_of_its_own_and_no_route() {
        let event = function_url(&request(&[("Content-Type", "application/x-www-form-urlencoded")], b"a=b"));
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "$default");
        assert_eq!(event["requestContext"]["domainName"], "localapi00.lambda-url.us-east-1.on.aws");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT1i"), &json!(true)));
    }

    #[test]
    fn a_rest_api_keeps_names_as_sent_and_the_last_of_several_values() {
        let mut sent =
            request(&[("X-One", "a"), ("X-One", "b"), ("Content-Type", "application/x-www-form-urlencoded")], b"a=b");
        sent.query = "name=me&name=you%21".into();
        let event = payload_v1(&sent, &[]);
        assert_eq!(event["headers"]["X-One"], "b");
        assert_eq!(event["multiValueHeaders"]["X-One"], json!(["a", "b"]));
        assert_eq!(event["queryStringParameters"], json!({"name": "you!"}));
        assert_eq!(event["multiValueQueryStringParameters"], json!({"name": ["me", "you!"]}));
        assert_eq!(event["requestContext"]["path"], "/prod/slack/events");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("a=b"), &json!(false)));
        assert!(event.get("version").is_none(), "only an HTTP API with format 1.0 says so");
    }

    #[test]
    fn a_rest_api_encodes_what_its_binary_media_types_name() {
        let form = request(&[("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], b"a=b");
        for pattern in ["*/*", "application/*", "application/x-www-form-urlencoded"] {
            let event = payload_v1(&form, &["image/png", pattern]);
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT1i"), &json!(true)), "{pattern}");
        }
        assert_eq!(payload_v1(&request(&[], b""), &["*/*"])["body"], Value::Null);
    }
}
