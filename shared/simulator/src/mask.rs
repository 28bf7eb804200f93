//! Hides tokens and secrets in everything the simulated Slack shows. What it sends and stores stays whole.
//! Invariant: no answer of the machine interface is written without [`mask`].

use serde_json::Value;

/// Fields whose value is a secret whatever it looks like.
const SECRET_FIELDS: &[&str] = &[
    "token",
    "access_token",
    "bot_access_token",
    "refresh_token",
    "client_secret",
    "signing_secret",
    "response_url",
    "x-slack-signature",
    "authorization",
];

/// How Slack's tokens begin.
const TOKEN_PREFIXES: &[&str] = &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe.", "xoxe-", "xapp-", "xwfp-"];

/// `value` with every token and secret replaced by its beginning and its last four characters.
pub fn mask(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(secret) if SECRET_FIELDS.contains(&name.as_str()) => {
                        Value::String(mask_secret(secret))
                    }
                    other => mask(other),
                };
                (name.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(mask).collect(),
        Value::String(text) => Value::String(mask_text(text)),
        other => other.clone(),
    }
}

/// `text` with the tokens in it masked.
pub fn mask_text(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = TOKEN_PREFIXES.iter().filter_map(|prefix| rest.find(prefix)).min() {
        let token = &rest[at..];
        let end = token.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.')).unwrap_or(token.len());
        masked.push_str(&rest[..at]);
        masked.push_str(&mask_secret(&token[..end]));
        rest = &token[end..];
    }
    masked.push_str(rest);
    masked
}

/// `xoxb-…last4`; a `response_url` keeps where it points to; short secrets vanish.
fn mask_secret(secret: &str) -> String {
    let prefix = if secret.starts_with("http") {
        secret.rfind('/').map_or("", |at| &secret[..=at])
    } else if secret.starts_with("xox") || secret.starts_with("xapp") || secret.starts_with("xwfp") {
        secret.find('-').map_or("", |at| &secret[..=at])
    } else {
        ""
    };
    let hidden: Vec<char> = secret[prefix.len()..].chars().collect();
    // Four characters of a short secret would be too much of it.
    let last: String = if hidden.len() >= 12 { hidden[hidden.len() - 4..].iter().collect() } else { String::new() };
    format!("{prefix}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tokens_keep_their_prefix_and_last_four() {
        assert_eq!(mask_text("Bearer xoxb-simulated-bot-token."), "Bearer xoxb-…ken.");
        assert_eq!(mask_text("a xoxb-not-a-real-token and xwfp-another-fake-one!"), "a xoxb-…oken and xwfp-…-one!");
    }

    #[test]
    fn secret_fields_are_masked_at_any_depth() {
        let shown = mask(&json!({
            "token": "verification-token",
            "event": {"bot_access_token": "xwfp-0123456789abcdef"},
            "list": [{"response_url": "http://localhost:4000/response/0123456789abcdef"}],
            "text": "hello",
        }));
        assert_eq!(
            shown,
            json!({
                "token": "…oken",
                "event": {"bot_access_token": "xwfp-…cdef"},
                "list": [{"response_url": "http://localhost:4000/response/…cdef"}],
                "text": "hello",
            })
        );
    }

    #[test]
    fn a_short_secret_shows_nothing() {
        assert_eq!(mask(&json!({"token": "abcdefgh"})), json!({"token": "…"}));
    }
}
