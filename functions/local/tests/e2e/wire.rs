//! What goes between the app and the Web API, with nothing hidden: the simulated Slack itself shows no token.
//! Invariant: it only listens.

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::Response;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// More than any call.
const BYTES_MAX: usize = 16 * 1024 * 1024;
/// What of an answer is a secret.
const SECRETS: [&str; 5] = [
    "/access_token",
    "/refresh_token",
    "/authed_user/access_token",
    "/authed_user/refresh_token",
    "/incoming_webhook/url",
];

/// One call and its answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    /// The token it came with, empty without one.
    pub(crate) token: String,
    /// Fields of a form.
    pub(crate) form: Vec<(String, String)>,
    pub(crate) answer: Value,
}

impl Exchange {
    /// A field of the form, empty without it.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// All calls so far. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Wire(Arc<Mutex<Vec<Exchange>>>);

impl Wire {
    /// `slack`, listened to.
    pub(crate) fn tapped(&self, slack: Router) -> Router {
        let wire = self.clone();
        slack.layer(middleware::from_fn(move |request: Request, next: Next| {
            let wire = wire.clone();
            async move { wire.listen(request, next).await }
        }))
    }

    async fn listen(&self, request: Request, next: Next) -> Response {
        let Some(method) = request.uri().path().strip_prefix("/api/").map(str::to_owned) else {
            return next.run(request).await;
        };
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BYTES_MAX).await.unwrap();
        let (form, token) = (form_of(&parts, &body), bearer(&parts));
        let answer = next.run(Request::from_parts(parts, Body::from(body))).await;
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, BYTES_MAX).await.unwrap();
        let answer = serde_json::from_slice(&body).unwrap_or_default();
        self.0.lock().unwrap().push(Exchange { method, token, form, answer });
        Response::from_parts(head, Body::from(body))
    }

    /// Calls of a method, oldest first.
    pub(crate) fn calls_of(&self, method: &str) -> Vec<Exchange> {
        self.0.lock().unwrap().iter().filter(|call| call.method == method).cloned().collect()
    }

    /// The refreshes, oldest first.
    pub(crate) fn refreshes(&self) -> Vec<Exchange> {
        let mut calls = self.calls_of("oauth.v2.access");
        calls.retain(|call| call.field("grant_type") == "refresh_token");
        calls
    }

    /// The tokens of the app's own user that this workspace or organisation (an id) was given, oldest first.
    pub(crate) fn tokens_of(&self, place: &str) -> Vec<String> {
        let given = self.calls_of("oauth.v2.access");
        let of_place = given.iter().filter(|call| {
            let answer = &call.answer;
            let pointer = if answer["is_enterprise_install"] == true { "/enterprise/id" } else { "/team/id" };
            answer.pointer(pointer).is_some_and(|id| id == place)
        });
        of_place.filter_map(|call| call.answer["access_token"].as_str().map(str::to_owned)).collect()
    }

    /// The tokens that the calls of a method came with, in order.
    pub(crate) fn used(&self, method: &str) -> Vec<String> {
        self.calls_of(method).into_iter().map(|call| call.token).collect()
    }

    /// Every secret that the app was given.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        let calls = self.0.lock().unwrap();
        let given = calls.iter().flat_map(|call| SECRETS.iter().filter_map(|pointer| call.answer.pointer(pointer)));
        given.filter_map(|secret| secret.as_str().map(str::to_owned)).collect()
    }
}

fn bearer(parts: &Parts) -> String {
    let value = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().to_owned()
}

/// What the tests look at has no character that would be escaped.
fn form_of(parts: &Parts, body: &Bytes) -> Vec<(String, String)> {
    let is_form = parts.headers.get("content-type").is_some_and(|kind| kind.to_str().unwrap().contains("form"));
    let text = std::str::from_utf8(body).unwrap_or_default();
    let fields = text.split('&').filter(|_| is_form).filter_map(|field| field.split_once('='));
    fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
