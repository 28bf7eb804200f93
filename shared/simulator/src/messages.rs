//! Messages: what a person types becomes a message, what the app sends becomes one; both come back to the app as events.
//! Who may post where is decided before, threads are in `threads`, typed text in `compose`. Invariant: a message and its event agree, for both are made here.
//! Source: <https://docs.slack.dev/messaging/>, <https://docs.slack.dev/reference/events/message/>

use serde_json::{Map, Value, json};

use crate::attachments;
use crate::blocks;
use crate::compose::compose;
use crate::install::AppUser;
use crate::state::State;
use crate::threads;

/// Fields of a message an app may set.
const OWN_FIELDS: &[&str] = &["text", "blocks", "attachments", "thread_ts", "metadata", "client_msg_id"];

/// What the app sent, as Slack stores it. `content` has the fields of `chat.postMessage`.
pub(crate) fn app_message(state: &mut State, app: &AppUser, content: &Map<String, Value>) -> Value {
    let mut message = json!({
        "user": app.id,
        "type": "message",
        "ts": state.next_ts(),
        "bot_id": app.bot_id,
        "app_id": app.app_id,
        "text": "",
        "team": app.team.id,
        "bot_profile": {
            "id": app.bot_id, "app_id": app.app_id, "user_id": app.id, "name": app.name,
            "deleted": false, "updated": state.now().as_secs(), "team_id": app.team.id,
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
    attachments::complete(message);
}

/// Puts a message into a channel; everyone's messages come back to the app as events. Answers it as it is stored.
pub(crate) fn post(state: &mut State, channel: &str, mut message: Value, ephemeral_to: Option<&str>) -> Value {
    threads::link(state, channel, &mut message, ephemeral_to.is_some());
    state.workspace.post(channel, message.clone(), ephemeral_to.map(str::to_owned));
    state.tell_of(channel, "posted", &message);
    if ephemeral_to.is_none() {
        threads::count(state, channel, &message);
        state.emit_message(channel, message.clone());
    }
    message
}

/// `user` changes a message of theirs. None if there is none.
pub(crate) fn update(
    state: &mut State,
    user: &str,
    channel: &str,
    ts: &str,
    content: &Map<String, Value>,
) -> Option<Value> {
    let edited = json!({"user": user, "ts": state.next_ts()});
    let message = state.workspace.message_mut(channel, ts)?;
    let previous = message.body.clone();
    let mut body = previous.clone();
    for field in ["text", "blocks", "attachments"] {
        // What a new text does not bring along is gone.
        if let Some(fields) = body.as_object_mut() {
            fields.remove(field);
        }
    }
    body["text"] = json!("");
    set_content(&mut body, content);
    body["edited"] = edited;
    message.replace(body.clone());
    let is_ephemeral = message.ephemeral_to.is_some();
    state.tell_of(channel, "changed", &body);
    if !is_ephemeral {
        emit_changed(state, channel, &body, &previous);
    }
    Some(body)
}

fn emit_changed(state: &mut State, channel: &str, message: &Value, previous: &Value) {
    let event = json!({
        "type": "message", "subtype": "message_changed", "hidden": true, "ts": state.next_ts(),
        "message": message, "previous_message": previous,
    });
    state.emit_message(channel, event);
}

/// Takes a message away; of a thread's first message a tombstone stays. None if there is none.
pub(crate) fn delete(state: &mut State, channel: &str, ts: &str) -> Option<()> {
    let message = state.workspace.message_mut(channel, ts)?;
    let previous = message.body.clone();
    if previous["reply_count"].as_u64().is_some_and(|count| count > 0) {
        let mut tombstone = json!({
            "type": "message", "subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT",
            "hidden": true, "ts": ts,
        });
        for field in threads::SUMMARY {
            tombstone[*field] = previous[*field].clone();
        }
        message.replace(tombstone.clone());
        state.tell_of(channel, "changed", &tombstone);
        emit_changed(state, channel, &tombstone, &previous);
        return Some(());
    }
    let message = state.workspace.remove(channel, ts)?;
    state.tell_of(channel, "deleted", &message.body);
    if message.ephemeral_to.is_none() {
        threads::count(state, channel, &message.body);
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "ts": state.next_ts(), "deleted_ts": ts,
            "previous_message": message.body,
        });
        state.emit_message(channel, event);
    }
    Some(())
}

/// What `user` typed, posted; causes `message` and, if it names the app, `app_mention`.
pub(crate) fn say(state: &mut State, user: &str, channel: &str, typed: &str, thread_ts: Option<&str>) -> Value {
    let (text, blocks) = compose(state, user, channel, typed);
    let home = state.workspace.person(user).map(|person| person.team.clone());
    let mut message = json!({
        "user": user,
        "type": "message",
        "ts": state.next_ts(),
        "client_msg_id": uuid::Uuid::new_v4().to_string(),
        "text": text,
        "team": home,
        "blocks": blocks,
    });
    if let Some(thread_ts) = thread_ts {
        message["thread_ts"] = json!(thread_ts);
    }
    let message = post(state, channel, message, None);
    let known = state.workspace.channels.iter().find(|known| known.id == channel);
    let app = known.and_then(|known| state.app_hearing(known, user));
    // In direct messages there is no app_mention: they are all meant for the app.
    if !channel.starts_with('D') && app.is_some_and(|app| text.contains(&format!("<@{}>", app.id))) {
        let mut mention = message.clone();
        mention["type"] = json!("app_mention");
        mention["channel"] = json!(channel);
        mention["event_ts"] = mention["ts"].clone();
        state.emit_in(channel, "app_mention", mention);
    }
    message
}

/// What `user` typed instead of what stood in a message of theirs. None if there is none.
pub(crate) fn edit(state: &mut State, user: &str, channel: &str, ts: &str, typed: &str) -> Option<Value> {
    let (text, blocks) = compose(state, user, channel, typed);
    let content = Map::from_iter([("text".to_owned(), json!(text)), ("blocks".to_owned(), blocks)]);
    update(state, user, channel, ts, &content)
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
    fn a_mention_causes_two_events_with_the_same_stamp() {
        let mut state = state();
        let message = say(&mut state, "U0ADA0001", "C0PLAY001", "@tack hi", None);
        let kinds: Vec<_> = state.outbox.iter().map(|event| event["event"]["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "app_mention"]);
        assert!(state.outbox.iter().all(|event| event["event"]["ts"] == message["ts"]));
        assert_eq!(state.outbox[0]["event"]["channel_type"], "channel");
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
        assert_eq!(fields(&state.outbox[0]["event"]), fields(&published["event"]));
        let mut echo = Map::new();
        echo.insert("text".to_owned(), json!("Hey"));
        echo.insert("blocks".to_owned(), json!([{"type": "divider"}]));
        let app = state.app_of_first();
        let message = app_message(&mut state, &app, &echo);
        post(&mut state, "C0PLAY001", message, None);
        let published = crate::published::published("event/message-own-echo.json");
        assert_eq!(fields(&state.outbox[1]["event"]), fields(&published["event"]));
    }
}
