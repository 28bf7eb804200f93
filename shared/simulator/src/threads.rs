//! Threads: what a reply says of its first message, and what that one says of its replies.
//! Invariant: the summary in a first message agrees with the replies that stand in the channel.
//! Sources: <https://docs.slack.dev/messaging/#threading>, <https://docs.slack.dev/reference/events/message/thread_broadcast/>

use serde_json::{Value, json};

use crate::state::State;
use crate::workspace::Message;

/// What a first message says of its thread.
pub(crate) const SUMMARY: &[&str] =
    &["thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users", "is_locked"];

/// Kinds of message nobody can reply to.
const UNANSWERABLE: &[&str] = &["channel_join", "channel_leave", "tombstone"];

/// What stands behind a `thread_ts`.
#[derive(Debug, PartialEq)]
pub(crate) enum Root {
    /// A message that can have replies; its stamp.
    First(String),
    /// A reply; the stamp of its first message.
    OfReply(String),
    /// A message that can have none.
    Unanswerable,
    /// Nothing.
    Missing,
}

/// Looks for the first message of a thread.
pub(crate) fn root(state: &State, channel: &str, thread_ts: &str) -> Root {
    let Some(message) = state.workspace.message(channel, thread_ts) else {
        return Root::Missing;
    };
    let is_kind = |kinds: &[&str]| message.body["subtype"].as_str().is_some_and(|subtype| kinds.contains(&subtype));
    match message.body["thread_ts"].as_str() {
        _ if message.ephemeral_to.is_some() => Root::Unanswerable,
        Some(first) if first != thread_ts => Root::OfReply(first.to_owned()),
        // Where a thread goes on, its deleted first message is no hindrance.
        None if is_kind(UNANSWERABLE) => Root::Unanswerable,
        _ => Root::First(thread_ts.to_owned()),
    }
}

/// A message is a reply: it names another as its first.
pub(crate) fn is_reply(body: &Value) -> bool {
    body["thread_ts"].is_string() && body["thread_ts"] != body["ts"]
}

/// Stands in the channel, and not only in its thread.
pub(crate) fn is_in_channel(body: &Value) -> bool {
    !is_reply(body) || body["subtype"] == "thread_broadcast"
}

/// Writes into a reply what it says of its first message.
pub(crate) fn link(state: &State, channel: &str, message: &mut Value, is_ephemeral: bool) {
    if is_ephemeral || !is_reply(message) {
        return;
    }
    let Some(first) = state.workspace.message(channel, message["thread_ts"].as_str().unwrap_or_default()) else {
        return;
    };
    if message["subtype"] == "thread_broadcast" {
        let mut root = first.body.clone();
        summarise(&mut root, &replies(state, channel, first.ts()), Some(message));
        message["root"] = root;
    } else {
        message["parent_user_id"] = first.body["user"].clone();
    }
}

fn replies<'a>(state: &'a State, channel: &str, first: &str) -> Vec<&'a Value> {
    let all = state.workspace.messages(channel).iter().filter(|message| message.ephemeral_to.is_none());
    all.map(|message| &message.body).filter(|body| is_reply(body) && body["thread_ts"] == first).collect()
}

/// Writes the summary of `replies`, and of one more, into their first message.
fn summarise(first: &mut Value, replies: &[&Value], more: Option<&Value>) {
    let replies: Vec<&Value> = replies.iter().copied().chain(more).collect();
    let Some(latest) = replies.last() else {
        if let Some(fields) = first.as_object_mut() {
            SUMMARY.iter().for_each(|field| {
                fields.remove(*field);
            });
        }
        return;
    };
    let mut users: Vec<&Value> = Vec::new();
    for reply in &replies {
        if !users.contains(&&reply["user"]) {
            users.push(&reply["user"]);
        }
    }
    first["thread_ts"] = first["ts"].clone();
    first["reply_count"] = json!(replies.len());
    first["reply_users_count"] = json!(users.len());
    first["latest_reply"] = latest["ts"].clone();
    first["reply_users"] = json!(users);
    first["is_locked"] = json!(false);
}

/// Sums the thread of `reply` up anew, after it was posted or deleted. Does nothing if it is no reply.
pub(crate) fn count(state: &mut State, channel: &str, reply: &Value) {
    if is_reply(reply) {
        recount(state, channel, reply["thread_ts"].as_str().unwrap_or_default());
    }
}

fn recount(state: &mut State, channel: &str, first: &str) {
    let Some(mut body) = state.workspace.message(channel, first).map(|message| message.body.clone()) else {
        return;
    };
    summarise(&mut body, &replies(state, channel, first), None);
    if let Some(message) = state.workspace.message_mut(channel, first) {
        message.body = body.clone();
    }
    state.tell_of(channel, "changed", &body);
}

/// The messages of a thread, its first one first; a message without replies is a thread of one. Empty if there is no such message.
pub(crate) fn thread<'a>(state: &'a State, channel: &str, ts: &str) -> Vec<&'a Message> {
    let first = match root(state, channel, ts) {
        Root::First(first) | Root::OfReply(first) => first,
        Root::Unanswerable => ts.to_owned(),
        Root::Missing => return Vec::new(),
    };
    let all = state.workspace.messages(channel).iter().filter(|message| message.ephemeral_to.is_none());
    all.filter(|message| message.ts() == first || message.body["thread_ts"] == first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::messages;
    use std::sync::Arc;

    const PLAY: &str = "C0PLAY001";

    fn thread_of_two() -> (State, String, String) {
        let mut state = State::new(Arc::new(Config::default()));
        let text = |value: &Value| value["ts"].as_str().unwrap().to_owned();
        let first = text(&messages::say(&mut state, "U0ADA0001", PLAY, "first", None));
        let reply = text(&messages::say(&mut state, "U0GRACE01", PLAY, "reply", Some(&first)));
        (state, first, reply)
    }

    fn body(state: &State, ts: &str) -> Value {
        state.workspace.message(PLAY, ts).unwrap().body.clone()
    }

    #[test]
    fn a_first_message_sums_its_replies_up() {
        let (mut state, first, reply) = thread_of_two();
        let root = body(&state, &first);
        assert_eq!((&root["reply_count"], &root["latest_reply"]), (&json!(1), &json!(reply)));
        assert_eq!((&root["reply_users"], &root["thread_ts"]), (&json!(["U0GRACE01"]), &json!(first)));
        assert_eq!(body(&state, &reply)["parent_user_id"], "U0ADA0001");
        assert_eq!(state.outbox[1]["event"]["thread_ts"], json!(first));
        messages::delete(&mut state, PLAY, &reply).unwrap();
        assert_eq!(body(&state, &first).get("reply_count"), None);
        assert_eq!(body(&state, &first).get("thread_ts"), None);
    }

    #[test]
    fn a_thread_outlives_its_first_message() {
        let (mut state, first, reply) = thread_of_two();
        messages::delete(&mut state, PLAY, &first).unwrap();
        let tombstone = body(&state, &first);
        assert_eq!((&tombstone["subtype"], &tombstone["reply_count"]), (&json!("tombstone"), &json!(1)));
        assert_eq!(state.outbox.last().unwrap()["event"]["subtype"], "message_changed");
        assert_eq!(root(&state, PLAY, &first), Root::First(first.clone()));
        assert_eq!(thread(&state, PLAY, &reply).len(), 2);
    }

    #[test]
    fn what_stands_behind_a_stamp_is_told_apart() {
        let (state, first, reply) = thread_of_two();
        assert_eq!(root(&state, PLAY, &first), Root::First(first.clone()));
        assert_eq!(root(&state, PLAY, &reply), Root::OfReply(first));
        assert_eq!(root(&state, PLAY, "1.2"), Root::Missing);
    }
}
