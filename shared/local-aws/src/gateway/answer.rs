//! HTTP answers out of what a function answered, payload format 2.0. Pure.
//! Not here: what became of an invocation without an answer ([`super`]).
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

/// The function's answer is nothing that API Gateway can turn into an HTTP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed answer: {0}")]
pub struct MalformedAnswer(&'static str);

/// Reads a function's answer.
///
/// # Shape
/// `{"statusCode": 201, "headers": {"name": "value"}, "cookies": ["name=value"], "body": "…", "isBase64Encoded": false}`, where all but `statusCode` may be
/// missing. Any other JSON is the body of a 200.
///
/// # Errors
/// [`MalformedAnswer`] for what is no JSON, or has a field of the wrong kind.
pub fn http_answer(payload: &[u8]) -> Result<Response<Bytes>, MalformedAnswer> {
    let answer = serde_json::from_slice::<Value>(payload).map_err(|_| MalformedAnswer("not JSON"))?;
    match answer {
        Value::Object(fields) if fields.contains_key("statusCode") => format_2(&fields),
        Value::String(text) => Ok(inferred(text.into())),
        _ => Ok(inferred(Bytes::copy_from_slice(payload))),
    }
}

fn inferred(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn format_2(fields: &Map<String, Value>) -> Result<Response<Bytes>, MalformedAnswer> {
    let mut response = Response::new(body(fields)?);
    *response.status_mut() = status(&fields["statusCode"])?;
    // An answer that names no type is text to API Gateway.
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    let headers = match fields.get("headers") {
        None | Some(Value::Null) => &Map::new(),
        Some(Value::Object(headers)) => headers,
        Some(_) => return Err(MalformedAnswer("headers is no object")),
    };
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| MalformedAnswer("a header's name"))?;
        // The connection's own business, and the gateway's.
        if ![CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION].contains(&name) {
            response.headers_mut().insert(name, header_value(value)?);
        }
    }
    let cookies = match fields.get("cookies") {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(cookies)) => cookies,
        Some(_) => return Err(MalformedAnswer("cookies is no list")),
    };
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, header_value(cookie)?);
    }
    Ok(response)
}

fn status(value: &Value) -> Result<StatusCode, MalformedAnswer> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    let code = number.filter(|code| (100..600).contains(code)).and_then(|code| u16::try_from(code).ok());
    code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(MalformedAnswer("statusCode is no HTTP status"))
}

fn body(fields: &Map<String, Value>) -> Result<Bytes, MalformedAnswer> {
    let text = match fields.get("body") {
        None | Some(Value::Null) => return Ok(Bytes::new()),
        Some(Value::String(text)) => text,
        Some(_) => return Err(MalformedAnswer("body is no string")),
    };
    match fields.get("isBase64Encoded") {
        Some(Value::Bool(true)) => {
            STANDARD.decode(text).map(Bytes::from).map_err(|_| MalformedAnswer("body is no base64"))
        }
        None | Some(Value::Null | Value::Bool(false)) => Ok(text.clone().into()),
        Some(_) => Err(MalformedAnswer("isBase64Encoded is no boolean")),
    }
}

fn header_value(value: &Value) -> Result<HeaderValue, MalformedAnswer> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(MalformedAnswer("a header's value")),
    };
    HeaderValue::try_from(text).map_err(|_| MalformedAnswer("a header's value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(payload: &str) -> Response<Bytes> {
        http_answer(payload.as_bytes()).unwrap()
    }

    #[test]
    fn status_headers_cookies_and_body_are_taken_over() {
        // The sample of AWS's page.
        let response = answer(
            r#"{"cookies": ["cookie1", "cookie2"], "isBase64Encoded": true, "statusCode": 201, "headers": {"headername": "headervalue", "X-Number": 5}, "body": "SGVsbG8gZnJvbSBMYW1iZGEh"}"#,
        );
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["headername"], "headervalue");
        assert_eq!(response.headers()["x-number"], "5");
        let cookies: Vec<_> = response.headers().get_all(SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["cookie1", "cookie2"]);
        assert_eq!(response.body(), "Hello from Lambda!");
    }

    #[test]
    fn json_without_a_status_is_the_body_of_a_200() {
        // The two samples of AWS's page.
        assert_eq!(answer(r#""Hello from Lambda!""#).body(), "Hello from Lambda!");
        let response = answer(r#"{ "message": "Hello from Lambda!" }"#);
        assert_eq!(
            (response.status(), response.body()),
            (StatusCode::OK, &Bytes::from_static(br#"{ "message": "Hello from Lambda!" }"#))
        );
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn an_answer_may_be_as_short_as_its_status() {
        for payload in [
            r#"{"statusCode": 204}"#,
            r#"{"statusCode": "204", "headers": null, "cookies": null, "body": null, "isBase64Encoded": null}"#,
        ] {
            let response = answer(payload);
            assert_eq!((response.status(), response.body().len()), (StatusCode::NO_CONTENT, 0));
        }
    }

    #[test]
    fn the_gateway_counts_the_body_itself_and_ignores_format_1() {
        let response = answer(
            r#"{"statusCode": 200, "headers": {"Content-Length": "99", "content-type": "text/html"}, "multiValueHeaders": {"x-many": ["a"]}}"#,
        );
        assert!(response.headers().get(CONTENT_LENGTH).is_none() && response.headers().get("x-many").is_none());
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
    }

    #[test]
    fn what_is_no_answer_is_malformed() {
        for payload in [
            "",
            "not json",
            r#"{"statusCode": "abc"}"#,
            r#"{"statusCode": 99}"#,
            r#"{"statusCode": null}"#,
            r#"{"statusCode": 200, "body": {"a": 1}}"#,
            r#"{"statusCode": 200, "body": "not base64!", "isBase64Encoded": true}"#,
            r#"{"statusCode": 200, "isBase64Encoded": "true", "body": "YQ=="}"#,
            r#"{"statusCode": 200, "headers": {"bad name": "a"}}"#,
            r#"{"statusCode": 200, "headers": {"name": "line\nbreak"}}"#,
            r#"{"statusCode": 200, "headers": []}"#,
            r#"{"statusCode": 200, "cookies": "a=b"}"#,
        ] {
            assert!(http_answer(payload.as_bytes()).is_err(), "{payload}");
        }
    }
}
