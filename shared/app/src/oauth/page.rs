//! The pages a person sees: plain HTML, light and dark, no script, nothing loaded from elsewhere.
//! Invariant: what does not stand in this code goes through [`escape`].

use super::outcome::{InstallFailure, InstallSuccess};
use super::{OAuthAnswer, START_AGAIN};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

const STYLE: &str = ":root{color-scheme:light dark}\
body{margin:0;font:1.0625rem/1.6 system-ui,sans-serif;color:#1d1c1d;background:#f8f8f8}\
main{max-width:34rem;margin:12vh auto 2rem;padding:2rem;background:#fff;border:1px solid #ddd;border-radius:.75rem}\
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.3}\
p{margin:0 0 1rem}\
code{font:.9375rem ui-monospace,monospace;overflow-wrap:anywhere}\
a{color:#1264a3}\
a.button{display:inline-block;padding:.65rem 1.25rem;border-radius:.5rem;background:#4a154b;color:#fff;\
font-weight:600;text-decoration:none}\
a:focus-visible{outline:3px solid #1d9bd1;outline-offset:3px}\
@media(prefers-color-scheme:dark){\
body{color:#e8e8e8;background:#121016}main{background:#1d1b20;border-color:#3a363e}a{color:#6cb8f0}\
a.button{background:#e8d5ea;color:#2c0b2d}}";

/// Adds `&`, `<`, `>` and both quotes as entities.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The page with the button. `start` is where the button leads.
pub(super) fn install(start: &str) -> OAuthAnswer {
    let body =
        format!("<p>Slack will show what the app may do, and ask you to agree.</p>{}", button(start, "Add to Slack"));
    ours(200, "Add this app to Slack", &body)
}

/// The page after an installation.
pub(super) fn success(success: &InstallSuccess) -> OAuthAnswer {
    let installation = &success.installation;
    let place = installation.team_name.as_deref().or(installation.enterprise_name.as_deref());
    let place = place.map_or_else(|| "your workspace".to_owned(), |name| format!("<strong>{}</strong>", escape(name)));
    let mut body = format!("<p>The app was added to {place}. You can close this page.</p>");
    let missing: Vec<&str> = success.missing.iter().chain(success.missing_user.iter()).collect();
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("<code>{}</code>", escape(name))).collect();
        body.push_str(&format!(
            "<p>Some permissions were not granted: {}. What needs them will not work until the app is <a \
             href=\"{START_AGAIN}\">installed again</a> with them.</p>",
            names.join(", ")
        ));
    }
    if let Some(address) = &success.open_slack {
        body.push_str(&button(address, "Open Slack"));
    }
    ours(200, "All done", &body)
}

/// The page when it did not happen.
pub(super) fn failure(failure: &InstallFailure) -> OAuthAnswer {
    let (title, text) = failure.problem.words();
    let mut body = format!("<p>{text}</p>");
    if failure.problem.can_start_again() {
        body.push_str(&button(&failure.start_again, "Start again"));
    }
    ours(failure.problem.status(), title, &body)
}

/// An adopter's page. It may bring its own style and pictures; scripts stay off.
pub(super) fn adopters(status: u16, body: String) -> OAuthAnswer {
    html(status, "'unsafe-inline'; img-src https: data:", body)
}

/// On to another place.
pub(super) fn redirect(address: String) -> OAuthAnswer {
    let mut answer = bare(302);
    answer.headers.push(("location", address));
    answer
}

/// An answer without a body.
pub(super) fn bare(status: u16) -> OAuthAnswer {
    let headers = vec![("cache-control", "no-store".to_owned()), ("referrer-policy", "no-referrer".to_owned())];
    OAuthAnswer { status, headers, body: String::new() }
}

fn button(address: &str, text: &str) -> String {
    format!("<p><a class=\"button\" href=\"{}\">{text}</a></p>", escape(address))
}

fn ours(status: u16, title: &str, body: &str) -> OAuthAnswer {
    let document = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    let style = BASE64.encode(Sha256::digest(STYLE.as_bytes()));
    html(status, &format!("'sha256-{style}'"), document)
}

fn html(status: u16, style: &str, body: String) -> OAuthAnswer {
    let policy =
        format!("default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    let mut answer = bare(status);
    answer.headers.push(("content-type", "text/html; charset=utf-8".to_owned()));
    answer.headers.push(("content-security-policy", policy));
    answer.headers.push(("x-content-type-options", "nosniff".to_owned()));
    answer.body = body;
    answer
}
