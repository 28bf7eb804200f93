//! API Gateway's event as a browser's request, and the answer back: what `http` is for Slack's requests, `browser` is for the
//! OAuth routes, where queries and cookies count and bodies do not.
//!
//! Payload 2.0 (HTTP APIs, function URLs) has the query as it was sent and cookies apart from the headers; payload 1.0 (REST
//! APIs, HTTP APIs set to it) has the query's values decoded and headers with several values. Each is answered in its kind.
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use lambda_http::http::Method;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tack_app::Arrival;
use tack_app::oauth::{OAuthAnswer, OAuthRequest, OAuthRoute};

/// Routes are known by how their paths end, which is alike behind stages, base paths and custom domains. A slash at the end
/// makes another path: the pages' links are relative.
const ROUTES: [(&str, OAuthRoute); 2] =
    [("/slack/install", OAuthRoute::Install), ("/slack/oauth_redirect", OAuthRoute::Redirect)];

/// An event of a front door. The two formats share no name of a field that both need.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BrowserEvent {
    #[serde(default)]
    raw_path: Option<String>,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    cookies: Vec<String>,
    #[serde(default)]
    path: String,
    #[serde(default)]
    http_method: String,
    #[serde(default)]
    multi_value_query_string_parameters: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    request_context: Context,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context {
    request_id: Option<String>,
    http: Option<Http>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// How the front door wants its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One value a header; cookies apart.
    Two,
    /// Several values a header.
    One,
}

impl BrowserEvent {
    /// The format that it came in.
    pub(crate) fn format(&self) -> Format {
        if self.raw_path.is_some() { Format::Two } else { Format::One }
    }

    /// What the browser wants; `None` if that is not here.
    pub(crate) fn request(self, trace: Option<String>) -> Option<OAuthRequest> {
        let path = self.raw_path.as_deref().unwrap_or(&self.path);
        let (_, route) = ROUTES.into_iter().find(|(end, _)| path.ends_with(end))?;
        let method = self.request_context.http.map_or(self.http_method, |http| http.method);
        let (query, cookies) = match self.raw_path {
            Some(_) => (self.raw_query_string, self.cookies),
            None => (encoded(self.multi_value_query_string_parameters), Vec::new()),
        };
        let several = self.multi_value_headers.unwrap_or_default().into_iter();
        // Where both are there, the one holds the last value of the other.
        let single = if several.len() == 0 { self.headers.unwrap_or_default() } else { BTreeMap::new() };
        let headers = several.chain(single.into_iter().map(|(name, value)| (name, vec![value])));
        let sent = headers.filter(|(name, _)| name.eq_ignore_ascii_case("cookie")).flat_map(|(_, values)| values);
        Some(OAuthRequest {
            route,
            method: Method::from_bytes(method.as_bytes()).ok()?,
            query,
            cookies: cookies.into_iter().chain(sent).collect(),
            arrival: Arrival { request: self.request_context.request_id, trace },
        })
    }
}

/// The query as a browser would have sent it.
fn encoded(parameters: Option<BTreeMap<String, Vec<String>>>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, values) in parameters.unwrap_or_default() {
        for value in values {
            query.append_pair(&name, &value);
        }
    }
    query.finish()
}

/// An answer in the front door's format.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BrowserAnswer {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<&'static str, Vec<String>>>,
    body: String,
    is_base64_encoded: bool,
}

impl BrowserAnswer {
    /// An answer without a page.
    pub(crate) fn empty(status: u16, format: Format) -> Self {
        Self::new(OAuthAnswer { status, headers: Vec::new(), body: String::new() }, format)
    }

    /// The answer in this format.
    pub(crate) fn new(answer: OAuthAnswer, format: Format) -> Self {
        let mut shaped = Self {
            status_code: answer.status,
            headers: None,
            cookies: None,
            multi_value_headers: None,
            body: answer.body,
            is_base64_encoded: false,
        };
        match format {
            Format::Two => {
                let (cookies, headers): (Vec<_>, Vec<_>) =
                    answer.headers.into_iter().partition(|(name, _)| *name == "set-cookie");
                shaped.cookies = Some(cookies.into_iter().map(|(_, cookie)| cookie).collect());
                shaped.headers = Some(headers.into_iter().collect());
            }
            Format::One => {
                let mut all: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
                for (name, value) in answer.headers {
                    all.entry(name).or_default().push(value);
                }
                shaped.multi_value_headers = Some(all);
            }
        }
        shaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn request(event: Value) -> Option<OAuthRequest> {
        serde_json::from_value::<BrowserEvent>(event).unwrap().request(None)
    }

    /// After AWS's example of payload 2.0.
    fn two(path: &str, method: &str) -> Value {
        json!({
            "version": "2.0",
            "routeKey": "GET /slack/oauth_redirect",
            "rawPath": path,
            "rawQueryString": "code=1.2%2F3&state=a&state=b",
            "cookies": ["theme=dark", "__Host-tack-oauth=xyz"],
            "headers": { "accept": "text/html", "host": "abc.execute-api.us-east-1.amazonaws.com" },
            "queryStringParameters": { "code": "1.2/3", "state": "a,b" },
            "requestContext": {
                "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
                "requestId": "JKJaXmPLvHcESHA=",
            },
            "isBase64Encoded": false,
        })
    }

    /// After AWS's example of payload 1.0, which names headers as they were sent.
    fn one(path: &str) -> Value {
        json!({
            "resource": "/slack/oauth_redirect",
            "path": path,
            "httpMethod": "GET",
            "headers": { "Cookie": "__Host-tack-oauth=xyz", "Accept": "text/html" },
            "multiValueHeaders": { "Cookie": ["theme=dark", "__Host-tack-oauth=xyz"], "Accept": ["text/html"] },
            "queryStringParameters": { "code": "1.2/3", "state": "b" },
            "multiValueQueryStringParameters": { "code": ["1.2/3"], "state": ["a", "b"] },
            "requestContext": { "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "path": "/prod/slack/oauth_redirect" },
            "body": null,
            "isBase64Encoded": false,
        })
    }

    #[test]
    fn a_callback_is_the_same_through_every_front_door() {
        for (name, event, id) in [
            ("HTTP API", two("/slack/oauth_redirect", "GET"), "JKJaXmPLvHcESHA="),
            ("HTTP API with a stage", two("/prod/slack/oauth_redirect", "GET"), "JKJaXmPLvHcESHA="),
            ("REST API", one("/slack/oauth_redirect"), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
            ("REST API with a base path", one("/bot/slack/oauth_redirect"), "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"),
        ] {
            let request = request(event).unwrap_or_else(|| panic!("{name}: not routed"));
            assert_eq!((request.route, &request.method), (OAuthRoute::Redirect, &Method::GET), "{name}");
            assert_eq!(request.query, "code=1.2%2F3&state=a&state=b", "{name}");
            assert_eq!(request.cookies, ["theme=dark", "__Host-tack-oauth=xyz"], "{name}");
            assert_eq!(request.arrival.request.as_deref(), Some(id), "{name}");
        }
    }

    #[test]
    fn one_cookie_header_is_found_whatever_its_case() {
        for name in ["cookie", "Cookie", "COOKIE"] {
            let mut event = one("/slack/install");
            event["multiValueHeaders"] = Value::Null;
            event["multiValueQueryStringParameters"] = Value::Null;
            event["headers"] = json!({ name: "a=1; __Host-tack-oauth=xyz" });
            let request = request(event).unwrap();
            assert_eq!((request.route, request.query.as_str()), (OAuthRoute::Install, ""));
            assert_eq!(request.cookies, ["a=1; __Host-tack-oauth=xyz"], "{name}");
        }
    }

    #[test]
    fn verbs_are_passed_on_and_other_paths_are_not() {
        for method in ["GET", "HEAD", "POST", "DELETE"] {
            assert_eq!(request(two("/slack/install", method)).unwrap().method, method);
        }
        for path in ["/slack/events", "/slack/install/", "/slack/installs", "/install", "", "/slack/oauth_redirect/x"] {
            assert!(request(two(path, "GET")).is_none(), "{path}");
            assert!(request(one(path)).is_none(), "{path}");
        }
    }

    fn answer() -> OAuthAnswer {
        let header = |name, value: &str| (name, value.to_owned());
        OAuthAnswer {
            status: 302,
            headers: vec![
                header("location", "https://slack.com/oauth/v2/authorize"),
                header("set-cookie", "a=1; Secure"),
                header("set-cookie", "b=2; Secure"),
                header("cache-control", "no-store"),
            ],
            body: String::new(),
        }
    }

    #[test]
    fn each_format_has_its_way_of_setting_two_cookies() {
        let shaped = |format| serde_json::to_value(BrowserAnswer::new(answer(), format)).unwrap();
        assert_eq!(
            shaped(Format::Two),
            json!({
                "statusCode": 302,
                "headers": { "location": "https://slack.com/oauth/v2/authorize", "cache-control": "no-store" },
                "cookies": ["a=1; Secure", "b=2; Secure"],
                "body": "",
                "isBase64Encoded": false,
            })
        );
        assert_eq!(
            shaped(Format::One),
            json!({
                "statusCode": 302,
                "multiValueHeaders": {
                    "location": ["https://slack.com/oauth/v2/authorize"],
                    "set-cookie": ["a=1; Secure", "b=2; Secure"],
                    "cache-control": ["no-store"],
                },
                "body": "",
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn the_format_is_the_front_doors() {
        let format = |event: Value| serde_json::from_value::<BrowserEvent>(event).unwrap().format();
        assert_eq!(format(two("/x", "GET")), Format::Two);
        assert_eq!(format(one("/x")), Format::One);
    }
}
