//! One address, two readers: a browser gets the page, a program that asks for JSON the facts.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};
use maud::Markup;
use serde_json::{Value, json};
use std::convert::Infallible;

/// What the reader wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Html,
    Json,
    /// Server-sent events.
    Events,
}

impl<S: Sync> FromRequestParts<S> for Wants {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Ok(match accept {
            accept if accept.contains("text/html") => Self::Html,
            accept if accept.contains("text/event-stream") => Self::Events,
            accept if accept.contains("application/json") => Self::Json,
            _ => Self::Html,
        })
    }
}

/// A page.
pub(super) fn html(status: StatusCode, page: Markup) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")],
        page.into_string(),
    )
        .into_response()
}

/// Facts: `{"v":1, …}` with a newline at the end.
pub(super) fn facts(status: StatusCode, mut body: Value) -> Response {
    if let Some(fields) = body.as_object_mut() {
        fields.insert("v".to_owned(), json!(1));
    }
    (status, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], format!("{body}\n"))
        .into_response()
}

/// A refusal for a program.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str, hint: &str) -> Response {
    facts(status, json!({ "error": { "code": code, "message": message, "hint": hint } }))
}

/// Goes on with another page after a write.
pub(super) fn see(path: &str) -> Response {
    match http::HeaderValue::from_str(path) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response(),
    }
}

/// There is no page at this address.
pub(super) async fn no_such_page(wants: Wants) -> Response {
    const PAGES: &str = "/, /archives/{channel}, /app/home, /console/deliveries, /console/dead-letters, /console/installs, \
                         /console/faults, /console/listeners, /console/app, /console/help";
    match wants {
        Wants::Html => html(
            StatusCode::NOT_FOUND,
            super::frame::bare(
                "No such page",
                maud::html! {
                    p { "There is no page at this address. There are:" }
                    ul { @for page in PAGES.split(", ") { li { code { (page) } } } }
                    p { a href="/" { "Back to the simulated Slack" } }
                },
            ),
        ),
        Wants::Json | Wants::Events => {
            refusal(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address", PAGES)
        }
    }
}
