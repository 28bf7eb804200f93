//! From a published body to what is asked of the simulated Slack: fresh ids, the person, the place, the changes, the headers.
//! Invariant: sent twice, it is two deliveries; only `--duplicate` sends the same one again.

use super::super::failure::Failure;
use super::facts::{Channel, Person};
use super::path::Edit;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use tack_simulator::{Form, Sample};

/// Fields that the simulated Slack fills in where they are missing, so that they work.
const FILLED_IN: [&str; 5] = ["trigger_id", "response_url", "event_id", "event_time", "event_context"];

/// The way a body is asked for.
#[derive(Default)]
pub(crate) struct Changes<'a> {
    pub(crate) person: Option<Person<'a>>,
    pub(crate) channel: Option<Channel<'a>>,
    pub(crate) edits: &'a [Edit],
}

/// The JSON of a published body; a form becomes an object of its fields.
pub(crate) fn payload(sample: &Sample) -> Value {
    match sample.form {
        Form::Json | Form::Payload => serde_json::from_str(sample.text).unwrap_or_default(),
        Form::Urlencoded => form_urlencoded::parse(sample.text.trim_end().as_bytes())
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect(),
    }
}

/// `kind` and `body` for `POST /sim/deliveries`.
///
/// # Errors
/// When a change does not fit the body.
pub(crate) fn compose(
    sample: &Sample,
    mut payload: Value,
    changes: &Changes<'_>,
    now_ms: u64,
) -> Result<Value, Failure> {
    let kind = sample.name.split('/').next().unwrap_or_default();
    freshen(&mut payload, kind, now_ms);
    let usage = |message: String| Failure::usage(message, "trigger");
    let no_place = |what: &str, flag: &str| usage(format!("{} has no {what}, so {flag} makes no sense", sample.name));
    if let Some(person) = &changes.person {
        set_person(&mut payload, kind, person).then_some(()).ok_or_else(|| no_place("person", "--as"))?;
    }
    if let Some(channel) = &changes.channel {
        set_channel(&mut payload, kind, channel).then_some(()).ok_or_else(|| no_place("channel", "--in"))?;
    }
    for edit in changes.edits {
        edit.apply(&mut payload).map_err(usage)?;
    }
    // What was taken away would be filled in again.
    let is_taken =
        |edit: &Edit| matches!(edit, Edit::Unset(_)) && edit.is_outermost() && FILLED_IN.contains(&edit.outermost());
    let is_command = kind == "command";
    // A command's fields go over those of a published one, so what is missing needs the whole text as well.
    let is_whole = changes.edits.iter().any(|edit| is_taken(edit) || (is_command && matches!(edit, Edit::Unset(_))))
        || (is_command && payload.get("command").is_none());
    if is_whole {
        let text = if is_command { form(&payload) } else { payload.to_string() };
        return Ok(json!({"kind": kind, "body": text}));
    }
    let is_set = |field: &str| changes.edits.iter().any(|edit| edit.is_outermost() && edit.outermost() == field);
    if let Some(fields) = payload.as_object_mut() {
        for field in ["trigger_id", "response_url"] {
            if !is_set(field) && is_filled_in(kind, fields, field) {
                fields.remove(field);
            }
        }
    }
    Ok(json!({"kind": kind, "body": payload}))
}

/// A file of one's own: JSON, or else a form.
pub(crate) fn raw(text: String) -> Value {
    let is_json = serde_json::from_str::<Value>(&text).is_ok();
    let content_type = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
    json!({"kind": "raw", "body": text, "headers": {"content-type": content_type}})
}

/// Adds headers beside those that are there.
pub(crate) fn add_headers(request: &mut Value, retry_num: Option<u32>, is_badly_signed: bool) {
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    if let Some(number) = retry_num {
        headers.insert("x-slack-retry-num", number.to_string());
        headers.insert("x-slack-retry-reason", "http_timeout".to_owned());
    }
    if is_badly_signed {
        headers.insert("x-slack-signature", format!("v0={}", "0".repeat(64)));
    }
    for (name, value) in headers {
        request["headers"][name] = json!(value);
    }
}

/// Whether the simulated Slack makes this field where it is missing.
fn is_filled_in(kind: &str, fields: &Map<String, Value>, field: &str) -> bool {
    let of_type = |types: &[&str]| fields.get("type").and_then(Value::as_str).is_some_and(|it| types.contains(&it));
    match (kind, field) {
        ("command", _) => true,
        ("interactive", "trigger_id") => of_type(&["block_actions", "view_submission", "shortcut", "message_action"]),
        ("interactive", _) => of_type(&["block_actions", "message_action"]) && fields.contains_key("channel"),
        _ => false,
    }
}

/// New ids and stamps wherever an app may look for them, so that this is nothing it knows.
fn freshen(payload: &mut Value, kind: &str, now_ms: u64) {
    let random = || uuid::Uuid::new_v4().simple().to_string();
    let capitals = |prefix: &str| format!("{prefix}{}", random()[..9].to_uppercase());
    let stamp = format!("{}.{:03}{:03}", now_ms / 1_000, now_ms % 1_000, uuid::Uuid::new_v4().as_bytes()[0]);
    let mut set = |pointer: &str, value: Value| {
        if let Some(place) = payload.pointer_mut(pointer) {
            *place = value;
        }
    };
    if kind == "event" {
        set("/event_id", json!(capitals("Ev0")));
        set("/event_time", json!(now_ms / 1_000));
        set("/event_context", json!(format!("4-{}", random())));
        set("/event/ts", json!(stamp));
        set("/event/event_ts", json!(stamp));
        set("/event/client_msg_id", json!(uuid::Uuid::new_v4().to_string()));
        set("/event/function_execution_id", json!(capitals("Fx0")));
    } else {
        set("/view/hash", json!(format!("{}.{}", now_ms / 1_000, &random()[..8])));
        set("/action_ts", json!(stamp));
        set("/actions/0/action_ts", json!(stamp));
    }
}

/// Writes the person in; false if the body has no place for one.
fn set_person(payload: &mut Value, kind: &str, person: &Person<'_>) -> bool {
    match kind {
        "event" => put(payload, "/event/user", person.id),
        "command" => put(payload, "/user_name", person.name) & put(payload, "/user_id", person.id),
        _ => {
            for name in ["/user/username", "/user/name"] {
                put(payload, name, person.name);
            }
            put(payload, "/user/id", person.id)
        }
    }
}

/// Writes the conversation in; false if the body has no place for one.
fn set_channel(payload: &mut Value, kind: &str, channel: &Channel<'_>) -> bool {
    let is_direct = channel.channel_type == "im";
    match kind {
        "event" => {
            let is_membership = payload["event"]["type"] == "member_joined_channel";
            let word = match (is_membership, channel.channel_type) {
                (true, "channel") => "C",
                (true, _) => "G",
                (false, word) => word,
            };
            put(payload, "/event/channel_type", word);
            // Both, where an event has both.
            put(payload, "/event/channel", channel.id) | put(payload, "/event/item/channel", channel.id)
        }
        _ => {
            let name = if is_direct { "directmessage" } else { channel.name };
            put(payload, "/container/channel_id", channel.id);
            put(payload, "/channel/name", name);
            put(payload, "/channel_name", name);
            put(payload, "/channel/id", channel.id) | put(payload, "/channel_id", channel.id)
        }
    }
}

fn put(payload: &mut Value, pointer: &str, text: &str) -> bool {
    let place = payload.pointer_mut(pointer);
    place.map(|place| *place = json!(text)).is_some()
}

/// The fields of a command as Slack sends them.
fn form(fields: &Value) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields.as_object().into_iter().flatten() {
        form.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    form.finish()
}

#[cfg(test)]
mod tests {
    use super::super::facts::Facts;
    use super::super::kinds::{self, What};
    use super::*;
    use crate::cli::exit::Exit;

    const NOW: u64 = 1_795_511_703_515;

    fn published(kind: &str, words: &[&str]) -> (&'static Sample, Value) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let What::Published(sample, fill) = kinds::find(kind, &words).unwrap() else { panic!("{kind}") };
        let mut payload = payload(sample);
        fill(&mut payload, &words, &Facts::at_the_start());
        (sample, payload)
    }

    fn composed(kind: &str, words: &[&str], edits: &[Edit]) -> Value {
        let (sample, payload) = published(kind, words);
        compose(sample, payload, &Changes { edits, ..Changes::default() }, NOW).unwrap()
    }

    #[test]
    fn a_message_says_the_same_in_text_and_blocks() {
        let request = composed("message", &["hi", "there"], &[]);
        assert_eq!((&request["kind"], &request["body"]["event"]["text"]), (&json!("event"), &json!("hi there")));
        let element = &request["body"]["event"]["blocks"][0]["elements"][0]["elements"][0];
        assert_eq!(*element, json!({"type": "text", "text": "hi there"}));
    }

    #[test]
    fn a_mention_begins_with_the_app_once() {
        for words in [&["what", "is", "new?"][..], &["<@U0TACKBOT> what is new?"]] {
            let request = composed("app_mention", words, &[]);
            assert_eq!(request["body"]["event"]["text"], "<@U0TACKBOT> what is new?");
            let elements = &request["body"]["event"]["blocks"][0]["elements"][0]["elements"];
            let expected = json!([{"type": "user", "user_id": "U0TACKBOT"}, {"type": "text", "text": " what is new?"}]);
            assert_eq!(*elements, expected);
        }
    }

    #[test]
    fn a_command_is_split_into_name_and_text() {
        for words in [&["/order", "3", "teas"][..], &["/order 3 teas"], &["order", "3 teas"]] {
            let request = composed("command", words, &[]);
            let body = &request["body"];
            assert_eq!((&body["command"], &body["text"]), (&json!("/order"), &json!("3 teas")));
            assert!(body.get("trigger_id").is_none() && body.get("response_url").is_none(), "Slack makes them");
        }
    }

    #[test]
    fn the_ids_of_interactions_are_where_listeners_look() {
        let pressed = &composed("action", &["sample_action_id", "7"], &[])["body"];
        assert_eq!(pressed["actions"][0]["action_id"], "sample_action_id");
        assert_eq!(pressed["actions"][0]["value"], "7");
        assert_eq!(pressed["message"]["blocks"][0]["accessory"]["action_id"], "sample_action_id");
        let submitted = &composed("view", &["sample_view_id"], &[])["body"];
        assert_eq!(submitted["view"]["callback_id"], "sample_view_id");
        let shortcut = &composed("message_shortcut", &["file_it"], &[])["body"];
        assert_eq!((&shortcut["type"], &shortcut["callback_id"]), (&json!("message_action"), &json!("file_it")));
        let options = composed("options", &["order_item", "green", "tea"], &[]);
        assert_eq!((&options["kind"], &options["body"]["value"]), (&json!("options"), &json!("green tea")));
    }

    #[test]
    fn sent_twice_it_is_nothing_the_app_knows() {
        for (kind, words, pointers) in [
            ("message", &["hi"][..], &["/body/event_id", "/body/event/ts", "/body/event/client_msg_id"][..]),
            ("view", &["x"], &["/body/view/hash"]),
            ("event/function_executed", &[], &["/body/event_id", "/body/event/function_execution_id"]),
            ("interactive/view_closed", &[], &["/body/view/hash"]),
        ] {
            let (one, other) = (composed(kind, words, &[]), composed(kind, words, &[]));
            for pointer in pointers {
                let (one, other) = (one.pointer(pointer).unwrap(), other.pointer(pointer).unwrap());
                assert!(one != other || pointer.ends_with("/ts"), "{kind} {pointer}: {one}");
            }
        }
        let sent = composed("message", &["hi"], &[]);
        assert!(sent["body"]["event"]["ts"].as_str().unwrap().starts_with("1795511703.515"), "{sent}");
        assert_eq!(sent["body"]["event_time"], 1_795_511_703);
    }

    #[test]
    fn every_published_body_can_be_asked_for() {
        for sample in tack_simulator::SAMPLES {
            let request = composed(sample.name, &[], &[]);
            let body = &request["body"];
            assert!(body.is_object() || sample.name == "command/ssl_check.form", "{}: {body}", sample.name);
            let request: tack_simulator::DeliveryRequest = serde_json::from_value(request).unwrap();
            assert_eq!(request.times, 1);
        }
        let check = composed("command/ssl_check", &[], &[]);
        assert_eq!(check["body"], "ssl_check=1&token=verification-token-not-real");
    }

    #[test]
    fn what_was_set_or_taken_away_stays_so() {
        let set = |given: &str| Edit::set(given).unwrap();
        let unset = |path: &str| Edit::unset(path).unwrap();
        let sent = composed("app_mention", &[], &[set("event_id=Ev0MINE"), set("event.text=<@U0TACKBOT> hi")]);
        assert_eq!(
            (&sent["body"]["event_id"], &sent["body"]["event"]["text"]),
            (&json!("Ev0MINE"), &json!("<@U0TACKBOT> hi"))
        );
        let sent = composed("shortcut", &["x"], &[set("trigger_id=1.2.3")]);
        assert_eq!(sent["body"]["trigger_id"], "1.2.3");
        let sent = composed("shortcut", &["x"], &[unset("trigger_id")]);
        let text: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
        assert_eq!((text.get("trigger_id"), &text["callback_id"]), (None, &json!("x")));
        let sent = composed("command", &["/order"], &[unset("text")]);
        let fields: BTreeMap<_, _> = form_urlencoded::parse(sent["body"].as_str().unwrap().as_bytes()).collect();
        assert!(!fields.contains_key("text") && fields["command"] == "/order", "{fields:?}");
        let sent = composed("message", &["hi"], &[unset("event_id")]);
        assert!(sent["body"].is_string(), "else Slack would make one");
    }

    #[test]
    fn a_person_and_a_place_are_written_wherever_the_body_has_them() {
        let facts = Facts::at_the_start();
        let changed = |kind: &str, words: &[&str]| {
            let (sample, payload) = published(kind, words);
            let person = Some(facts.person("grace").unwrap());
            let channel = Some(facts.channel("ops").unwrap());
            compose(sample, payload, &Changes { person, channel, edits: &[] }, NOW)
                .map(|mut request| request["body"].take())
        };
        let message = changed("message", &["hi"]).unwrap();
        assert_eq!(message["event"]["user"], "U0GRACE01");
        assert_eq!(
            (&message["event"]["channel"], &message["event"]["channel_type"]),
            (&json!("C0OPS0001"), &json!("group"))
        );
        let command = changed("command", &["/order"]).unwrap();
        assert_eq!((&command["user_name"], &command["channel_name"]), (&json!("grace"), &json!("ops")));
        let press = changed("action", &["x"]).unwrap();
        assert_eq!((&press["user"]["id"], &press["channel"]["id"]), (&json!("U0GRACE01"), &json!("C0OPS0001")));
        assert_eq!(press["container"]["channel_id"], "C0OPS0001");
        let reaction = changed("reaction_added", &[]).unwrap();
        assert_eq!(reaction["event"]["item"]["channel"], "C0OPS0001");
        let failure = changed("url_verification", &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.message.contains("--as"), "{}", failure.message);
    }

    #[test]
    fn headers_say_that_it_is_a_retry_or_badly_signed() {
        let mut request = composed("message", &["hi"], &[]);
        add_headers(&mut request, Some(2), true);
        assert_eq!(request["headers"]["x-slack-retry-num"], "2");
        assert_eq!(request["headers"]["x-slack-retry-reason"], "http_timeout");
        assert_eq!(request["headers"]["x-slack-signature"], format!("v0={}", "0".repeat(64)));
        let mut file = raw("a=1".to_owned());
        add_headers(&mut file, Some(1), false);
        assert_eq!(file["headers"]["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(file["headers"]["x-slack-retry-num"], "1");
        assert_eq!(raw("{}".to_owned())["headers"]["content-type"], "application/json");
    }
}
