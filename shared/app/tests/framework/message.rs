//! The queue message: Slack's body byte for byte, in characters that SQS takes, and what becomes of messages of others.

use crate::deliveries::{
    BUTTON, COMMAND, FORM, JSON, MESSAGE, NOW, SUBMISSION, SUGGESTION, edited, envelope, event, text, work,
};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use tack_app::idempotency::RecordKey;
use tack_app::message::{AppWork, Job, MessageError, SlackWork, Work, group_of};
use tack_app::protocol::{AppId, Envelope, TeamId, Tenant};

fn carrying(body: impl Into<Bytes>) -> SlackWork {
    work(Envelope::from_body(JSON, body.into(), NOW), &["job"])
}

fn decoded(text: &str) -> Work {
    Work::decode(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn slack(text: &str) -> SlackWork {
    match decoded(text) {
        Work::Slack(work) => *work,
        Work::App(work) => panic!("{work:?}"),
    }
}

/// Whether SQS takes this text: `#x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF`.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn sqs_takes(text: &str) -> bool {
    text.chars().all(|c| {
        let code = u32::from(c);
        matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
    })
}

#[test]
fn a_body_travels_as_text_or_base64_whichever_is_smaller() {
    for (body, expected) in [
        (&b"{\"text\":\"hi\"}"[..], "text"),
        ("{\"text\":\"grüezi 🍞\"}".as_bytes(), "text"),
        (b"payload=%7B%22type%22%3A%22shortcut%22%7D", "text"),
        (b"line\nbreak\tand\rmore", "text"),
        (b"\"\"\"\"\"\"\"\"\"\"\"\"", "base64"),
        (b"\x00\x01\x02\x03\x04\x05", "base64"),
        (b"\xff\xfe\xfd", "base64"),
        (b"cut in the middle of \xc3", "base64"),
        ("not a character: \u{FFFE}".as_bytes(), "base64"),
        ("not a character: \u{FFFF}".as_bytes(), "base64"),
        (b"", "text"),
    ] {
        let encoded = carrying(body).encode();
        let wire: Value = serde_json::from_str(&encoded).expect("JSON");
        assert_eq!(wire["enc"], expected, "{body:?}");
        assert!(sqs_takes(&encoded), "{body:?}");
        assert_eq!(slack(&encoded).envelope.body, body, "{body:?}");
    }
}

#[test]
fn base64_is_the_standard_alphabet_with_padding() {
    // RFC 4648, section 10 has these very examples for text; here are bytes that need + and /.
    let wire: Value = serde_json::from_str(&carrying(&b"\xfb\xff\xbf\xfb"[..]).encode()).expect("JSON");
    assert_eq!(wire["body"], "+/+/+w==");
}

proptest! {
    #[test]
    fn any_bytes_come_out_as_they_went_in_and_sqs_takes_the_message(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let encoded = carrying(body.clone()).encode();
        prop_assert!(sqs_takes(&encoded));
        prop_assert_eq!(&slack(&encoded).envelope.body[..], &body[..]);
        let overhead = carrying("").encode().len();
        prop_assert!(encoded.len() <= overhead + body.len().div_ceil(3) * 4 + 2);
    }

    #[test]
    fn any_text_comes_out_as_it_went_in_and_sqs_takes_the_message(body in "\\PC*|[\\x00-\\x1f\"\\\\]*|.*[\u{FFFE}\u{FFFF}].*") {
        let encoded = carrying(body.clone()).encode();
        prop_assert!(sqs_takes(&encoded));
        prop_assert_eq!(slack(&encoded).envelope.body, body);
    }

    #[test]
    fn no_text_makes_decoding_panic(text in ".*|\\{\"v\":[0-9]{1,30},.*\\}") {
        drop(Work::decode(&text));
    }
}

#[test]
fn what_an_ack_hands_over_may_hold_any_text() {
    let mut work = work(envelope(COMMAND), &["job"]);
    work.jobs[0].value = Some(json!({ "text": "\u{FFFE} \u{FFFF} \u{0} \"" }));
    let encoded = work.encode();
    assert!(sqs_takes(&encoded), "SQS would refuse the message, and Slack would see an error");
    assert_eq!(slack(&encoded).jobs, work.jobs);
}

#[test]
fn work_of_the_apps_own_may_hold_any_text() {
    let work = own_work(json!("\u{FFFE}\u{FFFF}"));
    assert!(sqs_takes(&work.encode()));
    let Work::App(read) = decoded(&work.encode()) else { panic!("work of the app") };
    assert_eq!(read.payload, work.payload);
}

fn own_work(payload: Value) -> AppWork {
    AppWork {
        id: "w1".to_owned(),
        job: "nightly".to_owned(),
        enterprise: None,
        team: Some("T0ACME001".into()),
        is_enterprise_install: false,
        key: "2026-11-24".to_owned(),
        payload,
        received_at: Some(NOW),
        generation: 0,
        trace: None,
    }
}

#[test]
fn unknown_fields_of_later_writers_of_the_same_version_are_ignored() {
    let mut wire: Value = serde_json::from_str(&carrying("{}").encode()).expect("JSON");
    wire["priority"] = json!({ "level": 7 });
    wire["jobs"][0]["colour"] = json!("blue");
    assert_eq!(slack(&wire.to_string()).jobs, [Job::named("job")]);
}

#[test]
fn a_newer_version_is_told_apart_whatever_it_looks_like() {
    for text in [
        r#"{"v":2,"origin":"slack"}"#,
        r#"{"v":2}"#,
        r#"{"v":3,"origin":{"kind":"slack"},"body":1}"#,
        r#"{"origin":"mars","v":99}"#,
        r#"{"v":4294967296}"#,
    ] {
        assert!(matches!(Work::decode(text), Err(MessageError::Newer(_))), "{text}: {:?}", Work::decode(text));
    }
    assert_eq!(Work::decode(r#"{"v":2,"origin":"slack"}"#).expect_err("newer"), MessageError::Newer(2));
}

#[test]
fn what_is_not_ours_is_undecodable() {
    let whole = carrying(&b"\xff"[..]).encode();
    let bad_base64 = whole.replace("\"body\":\"/w==\"", "\"body\":\"/w=\"");
    assert_ne!(whole, bad_base64);
    let without_jobs = whole.replace("\"jobs\":", "\"gigs\":");
    for text in [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        r#"{"v":"1","origin":"slack"}"#,
        r#"{"v":1}"#,
        r#"{"v":0,"origin":"slack"}"#,
        r#"{"v":1,"origin":"mars"}"#,
        r#"{"v":1,"origin":"app","job":"nightly"}"#,
        &whole[..whole.len() - 1],
        &bad_base64,
        &without_jobs,
    ] {
        assert!(matches!(Work::decode(text), Err(MessageError::Undecodable(_))), "{text}: {:?}", Work::decode(text));
    }
}

#[test]
fn what_a_partner_writes_needs_only_job_team_and_key() {
    let Work::App(work) = decoded(r#"{"v":1,"origin":"app","job":"nightly","team":"T0ACME001","key":"k1"}"#) else {
        panic!("work of the app")
    };
    let team = work.team.as_ref().map(TeamId::as_str);
    assert_eq!((work.job.as_str(), team, work.key.as_str()), ("nightly", Some("T0ACME001"), "k1"));
    assert_eq!((work.payload, work.generation, work.received_at), (Value::Null, 0, None));
    assert_eq!(work.id, "k1", "a name for the log");
}

#[test]
fn own_work_is_for_a_workspace_or_for_a_whole_organisation() {
    let message = |places: Value| {
        let mut wire = json!({ "v": 1, "origin": "app", "job": "nightly", "key": "k1" });
        wire.as_object_mut().expect("an object").extend(places.as_object().expect("an object").clone());
        Work::decode(&wire.to_string())
    };
    let organisation = message(json!({ "enterprise": "E0ACMEORG" })).expect("a message");
    assert_eq!(organisation.idempotency_key(), "app:E0ACMEORG:k1");
    let tenant = organisation.tenant();
    assert_eq!(
        (tenant.team.clone(), tenant.is_enterprise_install, group_of(&tenant).as_str()),
        (None, true, "E0ACMEORG")
    );
    let workspace = message(json!({ "enterprise": "E0ACMEORG", "team": "T0ACME001" })).expect("a message");
    assert_eq!(workspace.idempotency_key(), "app:T0ACME001:k1");
    assert!(!workspace.tenant().is_enterprise_install);
    for nowhere in [json!({}), json!({ "team": null, "enterprise": null }), json!({ "enterprise": "" })] {
        let read = message(nowhere.clone());
        assert!(matches!(read, Err(MessageError::Undecodable(_))), "{nowhere}: {read:?}");
    }
}

#[test]
fn a_schedule_names_no_place_when_it_asks_for_all_purges_that_are_due() {
    let daily = r#"{"v":1,"origin":"app","job":"tack.purge_due","key":"2026-11-24T03:00:00Z"}"#;
    let read = Work::decode(daily).expect("a message");
    assert_eq!(read.idempotency_key(), "app::2026-11-24T03:00:00Z");
    assert_eq!(group_of(&read.tenant()), "none");
}

#[test]
fn a_partners_message_of_which_no_record_could_be_made_is_undecodable() {
    let message = |job: &str, team: &str, key: &str| {
        Work::decode(&json!({ "v": 1, "origin": "app", "job": job, "team": team, "key": key }).to_string())
    };
    let (longest_name, longest_key) = ("n".repeat(128), "k".repeat(512));
    for (job, team, key) in [
        ("nightly", "T0ACME001", "k"),
        (&longest_name, "T0ACME001", &longest_key),
        ("report.daily_v2-a/b!", "T1", "a key: with # and @, é and \u{1f36e}"),
    ] {
        assert!(message(job, team, key).is_ok(), "{job} {team} {key}");
    }
    for (job, team, key) in [
        ("nightly", "T1", ""),
        ("nightly", "T1", &"k".repeat(513)),
        ("nightly", "T1", &"é".repeat(257)),
        ("", "T1", "k"),
        (&"n".repeat(129), "T1", "k"),
        ("a#b", "T1", "k"),
        ("a,b", "T1", "k"),
        ("a@1", "T1", "k"),
        ("a b", "T1", "k"),
        ("a\nb", "T1", "k"),
        ("a\u{0}b", "T1", "k"),
        ("a\u{7f}b", "T1", "k"),
        ("naïve", "T1", "k"),
        ("nightly", "", "k"),
        ("nightly", &"T".repeat(1_000), "k"),
    ] {
        let read = message(job, team, key);
        assert!(matches!(read, Err(MessageError::Undecodable(_))), "{job:?} {team:?} {key:?}: {read:?}");
    }
}

// https://docs.slack.dev/apis/events-api/using-socket-mode: through a socket an interaction is plain JSON, as an event is.
#[test]
fn the_kind_beside_a_body_tells_what_it_is() {
    for (path, kind, word, key) in [
        (SUBMISSION, "interactive", "view_submission", "trigger:"),
        (BUTTON, "interactive", "block_actions", "trigger:"),
        (SUGGESTION, "interactive", "block_suggestion", "body:"),
        (MESSAGE, "events_api", "message", "event:"),
    ] {
        let mut wire: Value = serde_json::from_str(&carrying(text(path)).encode()).expect("JSON");
        wire["kind"] = json!(kind);
        let read = slack(&wire.to_string());
        assert_eq!(read.envelope.payload.kind(), word, "{path}");
        assert_eq!(read.envelope.kind.as_str(), kind, "{path}");
        assert_eq!(read.envelope.body, text(path), "{path}");
        assert!(Work::Slack(Box::new(read.clone())).idempotency_key().starts_with(key), "{path}");
        assert_eq!(serde_json::from_str::<Value>(&read.encode()).expect("JSON")["kind"], kind, "{path}");
    }
    let unsaid = carrying(text(SUBMISSION)).encode().replace("\"kind\":", "\"kino\":");
    assert!(matches!(Work::decode(&unsaid), Err(MessageError::Undecodable(_))));
}

#[test]
fn a_dead_letter_holds_its_job_alone_one_generation_on_and_the_same_body() {
    let mut two = work(edited(MESSAGE, |_| {}), &["one", "two"]);
    two.jobs[1].value = Some(json!(7));
    two.trace = Some("Root=1".to_owned());
    let letter = slack(&Work::Slack(Box::new(two.clone())).next_generation(&two.jobs[1]));
    assert_eq!(letter.jobs, [two.jobs[1].clone()]);
    assert_eq!((letter.generation, letter.id, letter.trace), (1, two.id, two.trace));
    assert_eq!(letter.envelope.body, two.envelope.body);
    assert_eq!(letter.envelope.received_at, NOW, "its age counts from its arrival");
}

#[test]
fn a_dead_letter_of_the_apps_own_work_is_the_same_work_one_generation_on() {
    let work = Work::App(Box::new(own_work(json!({ "rows": 3 }))));
    let Work::App(letter) = decoded(&work.next_generation(&Job::named("nightly"))) else { panic!("work of the app") };
    assert_eq!((letter.generation, letter.key.as_str(), &letter.payload["rows"]), (1, "2026-11-24", &json!(3)));
}

fn key(work: &SlackWork, job: &str) -> String {
    RecordKey::new(&Work::Slack(Box::new(work.clone())), &Job::named(job), None).as_str().to_owned()
}

#[test]
fn a_record_is_named_by_app_delivery_job_and_generation() {
    let mut work = work(event("Ev1"), &["greet"]);
    assert_eq!(key(&work, "greet"), "D#A0TACK001#event:Ev1#greet#0");
    work.generation = 2;
    assert_eq!(key(&work, "greet"), "D#A0TACK001#event:Ev1#greet#2");
    let own = Work::App(Box::new(own_work(Value::Null)));
    let own_key = |app: Option<&AppId>| RecordKey::new(&own, &Job::named("nightly"), app).as_str().to_owned();
    assert_eq!(own_key(None), "D#own#app:T0ACME001:2026-11-24#nightly#0");
    assert_eq!(own_key(Some(&"A1".into())), "D#A1#app:T0ACME001:2026-11-24#nightly#0");
    // What Slack said of the app counts in what Slack sent.
    let sent = Work::Slack(Box::new(work));
    let sent_key = RecordKey::new(&sent, &Job::named("greet"), Some(&"A1".into()));
    assert_eq!(sent_key.as_str(), "D#A0TACK001#event:Ev1#greet#2");
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: a partition key holds 2048 bytes.
#[test]
fn a_long_key_is_hashed_so_that_its_record_can_be_written() {
    let long = |length: usize| work(event(&"E".repeat(length)), &["greet"]);
    assert!(key(&long(5_000), "greet").len() < 2048);
    assert_ne!(key(&long(5_000), "greet"), key(&long(5_001), "greet"));
}

#[test]
fn a_delivery_that_slack_gave_no_key_goes_by_its_bytes() {
    let without = |text: &str| {
        let envelope = edited(MESSAGE, |root| {
            root["event_id"] = json!(null);
            root["event"]["text"] = text.into();
        });
        key(&work(envelope, &["greet"]), "greet")
    };
    assert_eq!(without("a"), without("a"));
    assert_ne!(without("a"), without("b"));
}

// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html: a message group id has 1 to 128
// alphanumeric characters and punctuation marks.
#[test]
fn a_message_group_is_the_workspace_in_characters_that_sqs_takes() {
    let group = |enterprise: Option<&str>, team: Option<&str>| {
        group_of(&Tenant {
            enterprise: enterprise.map(Into::into),
            team: team.map(Into::into),
            is_enterprise_install: false,
        })
    };
    assert_eq!(group(Some("E1"), Some("T1")), "T1");
    assert_eq!(group(Some("E1"), None), "E1");
    assert!(!group(None, None).is_empty());
    let (spaces, accents, long) =
        (group(None, Some(" \n ")), group(None, Some("TÄ1")), group(None, Some(&"T".repeat(300))));
    assert!(!spaces.is_empty());
    assert_eq!(accents, "T1");
    assert_eq!(long.len(), 128);
}

#[test]
fn a_form_keeps_its_content_type() {
    assert_eq!(slack(&work(envelope(COMMAND), &["job"]).encode()).envelope.content_type, FORM);
}
