//! Answers of `oauth.v2.access`, after the example in Slack's reference. Every secret in them is a canary.

use crate::slack::Answer;
use serde_json::{Value, json};

pub(crate) const BOT_TOKEN: &str = "xoxb-17653672481-canary-bot-token";
pub(crate) const USER_TOKEN: &str = "xoxp-1234-canary-user-token";
pub(crate) const REFRESH_TOKEN: &str = "xoxe-1-canary-refresh-token";
pub(crate) const WEBHOOK_URL: &str = "https://hooks.slack.com/services/T9TK3CUKW/B0/canary-webhook";

/// A bot and the person who installed it.
pub(crate) fn granted() -> Value {
    json!({
        "ok": true,
        "access_token": BOT_TOKEN,
        "token_type": "bot",
        "scope": "commands,chat:write",
        "bot_user_id": "U0KRQLJ9H",
        "app_id": "A0KRD7HC3",
        "team": { "name": "Slack Pickleball Team", "id": "T9TK3CUKW" },
        "enterprise": null,
        "is_enterprise_install": false,
        "authed_user": { "id": "U1234" },
    })
}

/// The same with some fields changed, or left out where they are null.
pub(crate) fn with(changes: &Value) -> Value {
    let mut answer = granted();
    for (name, value) in changes.as_object().expect("an object") {
        answer[name] = value.clone();
    }
    answer
}

pub(crate) fn org_wide() -> Value {
    with(&json!({
        "team": null,
        "enterprise": { "name": "slack-pickleball", "id": "E12345678" },
        "is_enterprise_install": true,
    }))
}

/// Slack leaves the bot's fields out when only user scopes were granted.
pub(crate) fn user_only() -> Value {
    let mut answer = with(&json!({
        "authed_user": { "id": "U1234", "scope": "search:read", "access_token": USER_TOKEN, "token_type": "user" },
    }));
    for name in ["access_token", "token_type", "scope", "bot_user_id"] {
        answer.as_object_mut().expect("an object").remove(name);
    }
    answer
}

pub(crate) fn yes(answer: &Value) -> Answer {
    Answer::json(&answer.to_string())
}

pub(crate) fn no(word: &str) -> Answer {
    Answer::json(&json!({ "ok": false, "error": word }).to_string())
}
