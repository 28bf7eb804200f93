//! What a write is given (a page's form or a program's JSON), and the answer when something is not done.

use crate::pages::answer::{Wants, html as page, refusal};
use crate::pages::form::Fields;
use crate::pages::frame::bare;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use maud::html;
use serde_json::Value;

/// The body of a write.
pub(super) enum Given {
    Form(Fields),
    Json(Value),
}

impl Given {
    /// Who sends JSON reads JSON, also without saying so.
    pub(super) fn reader(&self, wants: Wants) -> Wants {
        match self {
            Self::Json(_) => Wants::Json,
            Self::Form(_) => wants,
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Given {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json = content_type.is_some_and(|content_type| content_type.starts_with("application/json"));
        if !is_json {
            return Fields::from_request(request, state).await.map(Self::Form);
        }
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        serde_json::from_slice(&body).map(Self::Json).map_err(|error| {
            Trouble::invalid(format!("the body is no JSON: {error}"), "").answer(Wants::Json, "/console/deliveries")
        })
    }
}

/// Why something was not done or shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: StatusCode,
    /// `not_found`, `ambiguous`, `invalid`, `refused`.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: String,
}

impl Trouble {
    pub(super) fn not_found(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "not_found", message: message.into(), hint: hint.into() }
    }

    pub(super) fn ambiguous(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, code: "ambiguous", message: message.into(), hint: hint.into() }
    }

    pub(super) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "invalid", message: message.into(), hint: hint.into() }
    }

    pub(super) fn refused(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "refused", message: message.into(), hint: hint.into() }
    }

    /// The answer, with a way back for a browser.
    pub(super) fn answer(&self, wants: Wants, back: &str) -> Response {
        match wants {
            Wants::Json | Wants::Events => refusal(self.status, self.code, &self.message, &self.hint),
            Wants::Html => {
                let title = if self.status == StatusCode::NOT_FOUND { "Not here" } else { "That did not work" };
                page(
                    self.status,
                    bare(
                        title,
                        html! {
                            p data-testid="error-state" role="alert" { (sentence(&self.message)) }
                            @if !self.hint.is_empty() { p { (sentence(&self.hint)) } }
                            p { a.button href=(back) { "Back" } }
                        },
                    ),
                )
            }
        }
    }
}

/// With a capital and a full stop, as people write.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}
