//! `tack events sign FILE`: a body from `events/` with a fresh signature, as a curl command or as an API Gateway event.

use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::Path;
use tack_app::protocol::{EpochSeconds, SigningSecrets, sign};

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum As {
    /// A curl command for a running app.
    Curl,
    /// An API Gateway event of payload 2.0, for `cargo lambda invoke` and `sam local invoke`.
    Apigw,
}

/// The signed body as text to print.
///
/// # Errors
/// When the file cannot be read, or there is no secret.
pub(crate) fn signed(file: &Path, form: As, secret: &str, url: &str, now: EpochSeconds) -> anyhow::Result<String> {
    let raw = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let secrets = SigningSecrets::parse(secret).context("SLACK_SIGNING_SECRET holds no secret")?;
    let (content_type, body) = wire(file, &raw)?;
    let signature = sign(&secrets, now, body.as_bytes());
    Ok(match form {
        As::Curl => format!(
            "curl -sS -i {url} \\\n  -H 'content-type: {content_type}' \\\n  -H 'x-slack-request-timestamp: {}' \\\n  \
             -H 'x-slack-signature: {signature}' \\\n  --data-binary {}",
            now.0,
            quote(&body)
        ),
        As::Apigw => {
            let event = apigw(content_type, &body, &signature, now);
            serde_json::to_string_pretty(&event)?
        }
    })
}

/// The body as Slack sends it: interactions are a form with one field around the JSON that the file holds.
fn wire(file: &Path, raw: &[u8]) -> anyhow::Result<(&'static str, String)> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let text = std::str::from_utf8(raw).with_context(|| format!("{} is not UTF-8", file.display()))?;
    if file.extension().is_some_and(|extension| extension == "form") {
        return Ok((FORM, text.trim_end().to_owned()));
    }
    let json: Value = serde_json::from_str(text).with_context(|| format!("{} is not JSON", file.display()))?;
    let kind = json["type"].as_str().unwrap_or_default();
    if json.get("event").is_some() || matches!(kind, "url_verification" | "app_rate_limited" | "event_callback") {
        return Ok(("application/json", json.to_string()));
    }
    let encoded: String = json.to_string().bytes().map(percent).collect();
    Ok((FORM, format!("payload={encoded}")))
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn apigw(content_type: &str, body: &str, signature: &str, now: EpochSeconds) -> Value {
    let headers = json!({
        "content-type": content_type,
        "x-slack-request-timestamp": now.0.to_string(),
        "x-slack-signature": signature,
        "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    });
    // The body goes as text: API Gateway would encode a form in base64, and the ingress takes both.
    json!({
        "version": "2.0",
        "routeKey": "POST /slack/events",
        "rawPath": "/slack/events",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "localhost",
            "domainPrefix": "local",
            "http": { "method": "POST", "path": "/slack/events", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                      "userAgent": "Slackbot 1.0 (+https://api.slack.com/robots)" },
            "requestId": "local",
            "routeKey": "POST /slack/events",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": now.0 * 1000,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}
