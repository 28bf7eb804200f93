//! What a request's body says about itself, in a few words for lists. The body itself is kept as bytes.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/>

use super::row::Kind;
use serde_json::Value;

/// Letters of people's words that are kept for searching.
const WORDS_MAX: usize = 300;

/// The few facts a list needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// Slack's word: the event's type, the command, the payload's type.
    pub(crate) name: String,
    /// What it is about: an action, a callback, a command's text.
    pub(crate) about: String,
    pub(crate) event_id: Option<String>,
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) channel: String,
    /// People's words, cut.
    pub(crate) words: String,
}

impl Facts {
    /// Reads a body; one that is not Slack's leaves everything empty.
    pub(crate) fn of(content_type: &str, body: &[u8]) -> Self {
        let payload = payload_of(content_type, body);
        let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let first = |pointers: &[&str]| {
            let found = pointers.iter().map(|pointer| text(pointer)).find(|text| !text.is_empty());
            found.unwrap_or_default()
        };
        let mut facts = Self {
            event_id: payload["event_id"].as_str().map(str::to_owned),
            team: first(&["/team_id", "/team/id", "/user/team_id"]),
            user: first(&["/event/user", "/event/message/user", "/user/id", "/user_id", "/event/user/id"]),
            channel: first(&[
                "/event/channel",
                "/event/item/channel",
                "/channel/id",
                "/channel_id",
                "/container/channel_id",
            ]),
            words: first(&["/event/text", "/text", "/message/text", "/event/message/text", "/value"]),
            ..Self::default()
        };
        let kind = text("/type");
        if payload.get("event").is_some() {
            facts.kind = Kind::Event;
            facts.name = text("/event/type");
            facts.about = first(&["/event/subtype", "/event/reaction", "/event/tab", "/event/callback_id"]);
        } else if payload.get("command").is_some() {
            facts.kind = Kind::Command;
            facts.name = text("/command");
            facts.about = text("/text");
        } else if kind == "block_suggestion" {
            facts.kind = Kind::Options;
            facts.name = kind;
            facts.about = text("/action_id");
        } else if content_type.starts_with("application/x-www-form-urlencoded") && !kind.is_empty() {
            facts.kind = Kind::Interactive;
            facts.name = kind;
            facts.about = first(&["/actions/0/action_id", "/view/callback_id", "/callback_id"]);
        } else {
            facts.name = kind;
        }
        let end = facts.words.char_indices().nth(WORDS_MAX).map_or(facts.words.len(), |(at, _)| at);
        facts.words.truncate(end);
        facts
    }
}

/// The JSON that a body carries, null if none: as JSON, in the field `payload`, or the form's fields.
pub(crate) fn payload_of(content_type: &str, body: &[u8]) -> Value {
    if !content_type.starts_with("application/x-www-form-urlencoded") {
        return serde_json::from_slice(body).unwrap_or_default();
    }
    let mut fields = serde_json::Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        if name == "payload" {
            return serde_json::from_str(&value).unwrap_or_default();
        }
        fields.insert(name.into_owned(), Value::String(value.into_owned()));
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> Vec<u8> {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
    }

    #[test]
    fn each_kind_says_what_it_is_about() {
        let event =
            br#"{"team_id":"T1","event_id":"Ev1","event":{"type":"message","channel":"C1","user":"U1","text":"hi"}}"#;
        let event = Facts::of("application/json", event);
        assert_eq!((event.kind, event.name.as_str(), event.words.as_str()), (Kind::Event, "message", "hi"));
        assert_eq!((event.channel.as_str(), event.user.as_str(), event.team.as_str()), ("C1", "U1", "T1"));

        const FORM: &str = "application/x-www-form-urlencoded";
        let command = Facts::of(FORM, &form(&[("command", "/order"), ("text", "3"), ("user_id", "U1")]));
        assert_eq!((command.kind, command.name.as_str(), command.about.as_str()), (Kind::Command, "/order", "3"));

        let payload = r#"{"type":"block_actions","actions":[{"action_id":"a1"}],"container":{"channel_id":"C2"}}"#;
        let action = Facts::of(FORM, &form(&[("payload", payload)]));
        assert_eq!((action.kind, action.about.as_str(), action.channel.as_str()), (Kind::Interactive, "a1", "C2"));

        let payload = r#"{"type":"block_suggestion","action_id":"a2","value":"te"}"#;
        assert_eq!(Facts::of(FORM, &form(&[("payload", payload)])).kind, Kind::Options);
    }

    #[test]
    fn what_is_not_slacks_is_nothing() {
        assert_eq!(Facts::of("text/plain", b"\xff\x00"), Facts::default());
    }

    #[test]
    fn long_words_are_cut_between_letters() {
        let body = serde_json::json!({ "event": { "type": "message", "text": "é".repeat(1_000) } }).to_string();
        assert_eq!(Facts::of("application/json", body.as_bytes()).words.chars().count(), WORDS_MAX);
    }
}
