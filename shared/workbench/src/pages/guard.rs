//! Keeps foreign web pages out of the pages, and tells the browser to run nothing but our own script.
//! Source: <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy>

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

/// No script, style, font, frame or connection but our own; images may come from anywhere, as in Slack.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same for a page whose form leads on to another site: browsers hold `form-action` against where a form is redirected to, too.
pub(super) fn policy_for_forms_to(url: &str) -> HeaderValue {
    let origin: String = url.split('/').take(3).collect::<Vec<_>>().join("/");
    // Of anything else than the parts of an origin a browser could make a policy of its own.
    let is_origin = origin.chars().all(|c| c.is_ascii_alphanumeric() || ":/.-[]".contains(c));
    let forms = if is_origin { format!("form-action 'self' {origin}") } else { "form-action 'self'".to_owned() };
    HeaderValue::from_str(&POLICY.replace("form-action 'self'", &forms)).unwrap_or(HeaderValue::from_static(POLICY))
}

/// Puts the guard around every route: only this machine's names reach them, only our own pages write.
pub(super) fn around(routes: Router, base_url: String) -> Router {
    routes.layer(middleware::from_fn(move |request: Request, next: Next| {
        let checked = tack_simulator::guard(request.method(), request.uri().path(), request.headers(), &base_url);
        async move {
            let mut response = match checked {
                Ok(()) => next.run(request).await,
                Err(sentence) => (StatusCode::FORBIDDEN, sentence).into_response(),
            };
            add_headers(&mut response);
            response
        }
    }))
}

fn add_headers(response: &mut Response) {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: with it browsers call the origin of a form "null", and a form without script would be a foreign one.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_may_lead_to_one_more_origin_and_the_rest_of_the_policy_stays() {
        let policy = policy_for_forms_to("http://127.0.0.1:3000/slack/oauth_redirect?a=b");
        let policy = policy.to_str().unwrap();
        assert!(policy.contains("form-action 'self' http://127.0.0.1:3000; frame-ancestors 'none'"), "{policy}");
        assert_eq!(policy.replace(" http://127.0.0.1:3000", ""), POLICY);
        for odd in ["http://a b/", "http://a;script-src */", "http://a,b/", "javascript:alert(1)'x/"] {
            assert_eq!(policy_for_forms_to(odd), POLICY, "{odd}");
        }
    }
}
