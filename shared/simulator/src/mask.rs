//! Hides tokens and secrets in everything the simulated Slack shows. What it sends and stores stays whole.
//! Invariant: no answer of the machine interface is written without [`mask`].

use serde_json::Value;

/// Fields whose value is a secret whatever it looks like.
const SECRET_FIELDS: &[&str] = &[
    "token",
    "access_token",
    "code",
    "code_verifier",
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

/// `text` with the tokens and the URLs of incoming webhooks in it masked.
pub fn mask_text(text: &str) -> String {
    mask_hooks(&mask_tokens(text))
}

/// The last of the three parts after this is the secret of an incoming webhook.
const HOOK: &str = "/services/";

fn mask_hooks(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(HOOK).map(|at| at + HOOK.len()) {
        let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '/');
        let end = rest[at..].find(is_end).map_or(rest.len(), |end| at + end);
        masked.push_str(&rest[..at]);
        let path = &rest[at..end];
        match path.match_indices('/').nth(1) {
            Some((slash, _)) => {
                masked.push_str(&path[..=slash]);
                masked.push_str(&mask_secret(&path[slash + 1..]));
            }
            None => masked.push_str(path),
        }
        rest = &rest[end..];
    }
    masked.push_str(rest);
    masked
}

fn mask_tokens(text: &str) -> String {
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
    fn rotating_tokens_and_webhooks_are_masked_where_they_stand() {
        assert_eq!(mask_text("xoxe.xoxb-1-0123456789abcdef"), "xoxe.xoxb-…cdef");
        assert_eq!(mask_text("(xoxe-1-0123456789abcdef)"), "(xoxe-…cdef)");
        assert_eq!(
            mask(
                &json!({"url": "http://localhost:4000/services/T1/B1/0123456789abcdef", "code": "1.0123456789abcdef"})
            ),
            json!({"url": "http://localhost:4000/services/T1/B1/…cdef", "code": "…cdef"})
        );
        assert_eq!(mask_text("see /services/ and /services/T1"), "see /services/ and /services/T1");
    }

    #[test]
    fn a_short_secret_shows_nothing() {
        assert_eq!(mask(&json!({"token": "abcdefgh"})), json!({"token": "…"}));
    }
}
