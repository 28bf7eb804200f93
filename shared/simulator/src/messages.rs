//! Messages: what a person types becomes a message, what the app sends becomes one; both come back to the app as events.
//! Who may post where is decided before. Invariant: a message and its event agree, for both are made here.
//! Source: <https://docs.slack.dev/messaging/>, <https://docs.slack.dev/reference/events/message/>

use serde_json::{Map, Value, json};

use crate::blocks;
use crate::mint;
use crate::state::{Notice, State};

/// Fields of a message an app may set.
const OWN_FIELDS: &[&str] = &["text", "blocks", "attachments", "thread_ts", "metadata"];

/// What the app sent, as Slack stores it. `content` has the fields of `chat.postMessage`.
pub(crate) fn app_message(state: &mut State, content: &Map<String, Value>) -> Value {
    let config = state.config.clone();
    let mut message = json!({
        "user": config.bot_user_id,
        "type": "message",
        "ts": state.next_ts(),
        "bot_id": config.bot_id,
        "app_id": config.app_id,
        "text": "",
        "team": config.team.id,
        "bot_profile": {
            "id": config.bot_id, "app_id": config.app_id, "user_id": config.bot_user_id, "name": config.bot_name,
            "deleted": false, "updated": state.now().as_secs(), "team_id": config.team.id,
        },
    });
    set_content(&mut message, content);
    message
}

/// Takes the content of a message over, and leaves the rest of it alone.
pub(crate) fn set_content(message: &mut Value, content: &Map<String, Value>) {
    for field in OWN_FIELDS {
        if let Some(value) = content.get(*field).filter(|value| !value.is_null()) {
            message[*field] = value.clone();
        }
    }
    if let Some(text) = content.get("markdown_text") {
        message["text"] = text.clone();
        message["blocks"] = json!([{"type": "markdown", "text": text}]);
    }
    if let Some(blocks) = message.get_mut("blocks") {
        blocks::fill_ids(blocks);
    }
}

/// Puts the app's message into a channel; everyone's messages come back to the app as events.
pub(crate) fn post(state: &mut State, channel: &str, message: &Value, ephemeral_to: Option<&str>) {
    state.workspace.post(channel, message.clone(), ephemeral_to.map(str::to_owned));
    state.notices.push(Notice::Message { channel: channel.to_owned(), change: "posted", message: message.clone() });
    if ephemeral_to.is_none() {
        state.emit_message(channel, message.clone());
    }
}

/// Changes a message of the app. False if there is none.
pub(crate) fn update(state: &mut State, channel: &str, ts: &str, content: &Map<String, Value>) -> Option<Value> {
    let edited = json!({"user": state.config.bot_user_id, "ts": state.next_ts()});
    let message = state.workspace.message_mut(channel, ts)?;
    let previous = message.body.clone();
    for field in ["text", "blocks", "attachments"] {
        // What a new text does not bring along is gone.
        if let Some(fields) = message.body.as_object_mut() {
            fields.remove(field);
        }
    }
    message.body["text"] = json!("");
    set_content(&mut message.body, content);
    message.body["edited"] = edited;
    let (body, is_ephemeral) = (message.body.clone(), message.ephemeral_to.is_some());
    state.notices.push(Notice::Message { channel: channel.to_owned(), change: "changed", message: body.clone() });
    if !is_ephemeral {
        let ts = state.next_ts();
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "ts": ts,
            "message": body, "previous_message": previous,
        });
        state.emit_message(channel, event);
    }
    Some(body)
}

/// Takes a message away. None if there is none.
pub(crate) fn delete(state: &mut State, channel: &str, ts: &str) -> Option<()> {
    let message = state.workspace.remove(channel, ts)?;
    state.notices.push(Notice::Message {
        channel: channel.to_owned(),
        change: "deleted",
        message: message.body.clone(),
    });
    if message.ephemeral_to.is_none() {
        let now = state.next_ts();
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "ts": now, "deleted_ts": ts,
            "previous_message": message.body,
        });
        state.emit_message(channel, event);
    }
    Some(())
}

/// What `user` typed, posted; causes `message` and, if it names the app, `app_mention`.
pub(crate) fn say(state: &mut State, user: &str, channel: &str, typed: &str, thread_ts: Option<&str>) -> Value {
    let (text, elements) = compose(state, typed);
    let mut message = json!({
        "user": user,
        "type": "message",
        "ts": state.next_ts(),
        "client_msg_id": uuid::Uuid::new_v4().to_string(),
        "text": text,
        "team": state.config.team.id,
        "blocks": [{
            "type": "rich_text",
            "block_id": mint::block_kit_id(),
            "elements": [{"type": "rich_text_section", "elements": elements}],
        }],
    });
    if let Some(thread_ts) = thread_ts {
        message["thread_ts"] = json!(thread_ts);
    }
    post(state, channel, &message, None);
    let bot = state.config.bot_user_id.clone();
    let is_member = state.workspace.channel(channel).is_some_and(|channel| channel.members.contains(&bot));
    // In direct messages there is no app_mention: they are all meant for the app.
    if is_member && !channel.starts_with('D') && text.contains(&format!("<@{bot}>")) {
        let mut mention = message.clone();
        mention["type"] = json!("app_mention");
        mention["channel"] = json!(channel);
        mention["event_ts"] = mention["ts"].clone();
        state.emit("app_mention", mention);
    }
    message
}

/// Typed text as Slack stores it: `& < >` escaped, `@name` and `#name` linked. Second: the elements of its rich text.
fn compose(state: &State, typed: &str) -> (String, Vec<Value>) {
    let (mut text, mut plain, mut elements) = (String::new(), String::new(), Vec::new());
    let mut rest = typed;
    while let Some(first) = rest.chars().next() {
        let link = matches!(first, '<' | '@' | '#').then(|| link(state, rest)).flatten();
        if let Some((length, wire, element)) = link {
            if !plain.is_empty() {
                elements.push(json!({"type": "text", "text": std::mem::take(&mut plain)}));
            }
            text.push_str(&wire);
            elements.push(element);
            rest = &rest[length..];
            continue;
        }
        match first {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
        plain.push(first);
        rest = &rest[first.len_utf8()..];
    }
    if !plain.is_empty() {
        elements.push(json!({"type": "text", "text": plain}));
    }
    (text, elements)
}

/// The link at the start of `rest`: its length as typed, its form on the wire, its element.
fn link(state: &State, rest: &str) -> Option<(usize, String, Value)> {
    let user = |id: &str, length| Some((length, format!("<@{id}>"), json!({"type": "user", "user_id": id})));
    if let Some(inside) = rest.strip_prefix("<@") {
        let id = &inside[..inside.find('>')?];
        let is_known =
            id == state.config.bot_user_id || state.workspace.person(id).is_some_and(|person| person.id == id);
        return if is_known { user(id, id.len() + 3) } else { None };
    }
    let sigil = rest.chars().next()?;
    let name: String = rest.chars().skip(1).take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    match sigil {
        '@' if name.eq_ignore_ascii_case(&state.config.bot_name) => user(&state.config.bot_user_id, 1 + name.len()),
        '@' => user(&state.workspace.person(&name)?.id, 1 + name.len()),
        '#' if !name.is_empty() => {
            let id = &state.workspace.channel(&name)?.id;
            Some((1 + name.len(), format!("<#{id}>"), json!({"type": "channel", "channel_id": id})))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::sync::Arc;

    fn state() -> State {
        State::new(Arc::new(Config::default()))
    }

    #[test]
    fn typed_text_is_escaped_and_linked_as_slack_does() {
        let check = |typed: &str, wire: &str| assert_eq!(compose(&state(), typed).0, wire, "{typed}");
        check("a & b < c > d", "a &amp; b &lt; c &gt; d");
        check("@tack hi", "<@U0TACKBOT> hi");
        check("<@U0TACKBOT> hi", "<@U0TACKBOT> hi");
        check("<@U0NOBODY1> hi", "&lt;@U0NOBODY1&gt; hi");
        check("ask @grace in #general", "ask <@U0GRACE01> in <#C0GENERAL>");
        check("me@example.com #1", "me@example.com #1");
    }

    #[test]
    fn a_mention_causes_two_events_with_the_same_stamp() {
        let mut state = state();
        let message = say(&mut state, "U0ADA0001", "C0PLAY001", "@tack hi", None);
        let kinds: Vec<_> = state.outbox.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "app_mention"]);
        assert!(state.outbox.iter().all(|event| event["ts"] == message["ts"]));
        assert_eq!(state.outbox[0]["channel_type"], "channel");
    }

    #[test]
    fn where_the_app_is_not_a_member_it_hears_nothing() {
        let mut state = state();
        say(&mut state, "U0ADA0001", "C0RANDOM1", "@tack hi", None);
        assert!(state.outbox.is_empty());
    }

    #[test]
    fn a_message_event_has_the_fields_of_the_published_one() {
        let mut state = state();
        say(&mut state, "U0ADA0001", "C0PLAY001", "hi", None);
        let published = crate::published::published("event/message.json");
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(fields(&state.outbox[0]), fields(&published["event"]));
        let mut echo = Map::new();
        echo.insert("text".to_owned(), json!("Hey"));
        echo.insert("blocks".to_owned(), json!([{"type": "divider"}]));
        let message = app_message(&mut state, &echo);
        post(&mut state, "C0PLAY001", &message, None);
        let published = crate::published::published("event/message-own-echo.json");
        assert_eq!(fields(&state.outbox[1]), fields(&published["event"]));
    }
}
