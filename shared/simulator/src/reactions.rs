//! Reactions: emoji beside a message, and the events about them. Who may react is decided before.
//! Sources: <https://docs.slack.dev/reference/events/reaction_added/>, <https://docs.slack.dev/reference/events/reaction_removed/>

use serde_json::{Value, json};

use crate::state::State;

/// `name` can be an emoji: lower-case letters, digits, `_`, `-`, `+`, `'`, with or without a skin tone. Whether there is such an emoji
/// is not looked up, for a workspace may have its own.
pub(crate) fn is_emoji(name: &str) -> bool {
    let (name, tone) = name.split_once("::").unwrap_or((name, "skin-tone-2"));
    let is_tone = matches!(tone.strip_prefix("skin-tone-"), Some("2" | "3" | "4" | "5" | "6"));
    let is_letter = |c: char| c.is_lowercase() || c.is_ascii_digit() || (c.is_alphabetic() && !c.is_uppercase());
    is_tone && !name.is_empty() && name.chars().all(|c| is_letter(c) || matches!(c, '_' | '-' | '+' | '\''))
}

/// Adds a reaction.
///
/// # Errors
/// Slack's name for the reason, if there is no such message or they reacted so before.
pub(crate) fn add(state: &mut State, user: &str, channel: &str, ts: &str, name: &str) -> Result<(), &'static str> {
    let body = &mut state.workspace.message_mut(channel, ts).ok_or("message_not_found")?.body;
    if !body["reactions"].is_array() {
        body["reactions"] = json!([]);
    }
    let reactions = body["reactions"].as_array_mut().ok_or("message_not_found")?;
    match reactions.iter_mut().find(|reaction| reaction["name"] == name) {
        Some(reaction) => {
            let mut users = reaction["users"].as_array().cloned().unwrap_or_default();
            if users.iter().any(|known| known == user) {
                return Err("already_reacted");
            }
            users.push(json!(user));
            *reaction = json!({"name": name, "users": users, "count": users.len()});
        }
        None => reactions.push(json!({"name": name, "users": [user], "count": 1})),
    }
    told(state, "reaction_added", user, channel, ts, name);
    Ok(())
}

/// Takes a reaction back.
///
/// # Errors
/// Slack's name for the reason, if there is no such message or they did not react so.
pub(crate) fn remove(state: &mut State, user: &str, channel: &str, ts: &str, name: &str) -> Result<(), &'static str> {
    let body = &mut state.workspace.message_mut(channel, ts).ok_or("message_not_found")?.body;
    let reactions = body["reactions"].as_array_mut().ok_or("no_reaction")?;
    let at = reactions.iter().position(|reaction| reaction["name"] == name).ok_or("no_reaction")?;
    let users = reactions[at]["users"].as_array().cloned().unwrap_or_default();
    let left: Vec<Value> = users.iter().filter(|known| *known != user).cloned().collect();
    if left.len() == users.len() {
        return Err("no_reaction");
    }
    if left.is_empty() {
        reactions.remove(at);
    } else {
        reactions[at] = json!({"name": name, "users": left, "count": left.len()});
    }
    if reactions.is_empty()
        && let Some(fields) = body.as_object_mut()
    {
        fields.remove("reactions");
    }
    told(state, "reaction_removed", user, channel, ts, name);
    Ok(())
}

fn told(state: &mut State, kind: &str, user: &str, channel: &str, ts: &str, name: &str) {
    let body = state.workspace.message(channel, ts).map(|message| message.body.clone()).unwrap_or_default();
    state.tell_of(channel, "changed", &body);
    let mut event = json!({
        "type": kind, "user": user, "reaction": name,
        "item": {"type": "message", "channel": channel, "ts": ts},
        "event_ts": state.next_ts(),
    });
    // What nobody wrote has no author.
    if body["user"].is_string() {
        event["item_user"] = body["user"].clone();
    }
    state.emit_in(channel, kind, event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_emoji_are_told_from_others() {
        for name in ["thumbsup", "+1", "white_check_mark", "e-mail", "wave::skin-tone-4", "8ball", "été", "日本"] {
            assert!(is_emoji(name), "{name}");
        }
        for name in ["", ":thumbsup:", "Thumbsup", "thumbs up", "wave::skin-tone-9", "::skin-tone-2", "👍", "<b>"] {
            assert!(!is_emoji(name), "{name}");
        }
    }
}
