//! `events/queue/v1`: messages that were written once and must be read for ever.
//! A file here is never changed; a field that joins the format later gets a file of its own.

use crate::deliveries::NOW;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tack_app::idempotency::RecordKey;
use tack_app::message::{AppWork, Job, SlackWork, Work};
use tack_app::protocol::{Envelope, EpochMs, Retry};

const ID: &str = "019ab5c2-9560-7b1f-8d6a-0123456789ab";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/queue/v1")
}

fn golden(name: &str) -> Value {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What Slack sent when a file was written, read from the file without the code under test.
fn envelope(name: &str) -> Envelope {
    let wire = golden(name);
    let text = |field: &str| wire[field].as_str().unwrap_or_else(|| panic!("{name}: {field}")).to_owned();
    let body = match text("enc").as_str() {
        "text" => text("body").into(),
        "base64" => BASE64.decode(text("body")).expect("base64").into(),
        other => panic!("{name}: {other}"),
    };
    Envelope::from_body(&text("content_type"), body, NOW)
}

/// A file: what its name is, Slack's word for its payload, what this code makes of the same input, and its first record.
struct Written {
    name: &'static str,
    kind: &'static str,
    work: Work,
    record: &'static str,
}

fn from_slack(
    name: &'static str,
    kind: &'static str,
    jobs: &[&str],
    record: &'static str,
    more: fn(&mut SlackWork),
) -> Written {
    let jobs = jobs.iter().map(|name| Job::named(*name)).collect();
    let mut work = SlackWork { id: ID.to_owned(), envelope: envelope(name), jobs, generation: 0, trace: None };
    more(&mut work);
    Written { name, kind, work: Work::Slack(Box::new(work)), record }
}

fn own_work() -> Written {
    let work = AppWork {
        id: format!("{ID}:row-7"),
        job: "order.import".to_owned(),
        enterprise: Some("E0ACMEORG".into()),
        team: Some("T0ACME001".into()),
        is_enterprise_install: false,
        key: "row-7".to_owned(),
        payload: json!({ "row": 7, "name": "Ada" }),
        received_at: Some(NOW),
        generation: 0,
        trace: Some("Root=1-6924a3dc-0123456789abcdef01234567".to_owned()),
    };
    let record = "D#own#app:T0ACME001:row-7#order.import#0";
    Written { name: "app.json", kind: "", work: Work::App(Box::new(work)), record }
}

fn own_work_of_an_organisation() -> Written {
    let work = AppWork {
        id: format!("{ID}:quarter-4"),
        job: "order.report".to_owned(),
        enterprise: Some("E0ACMEORG".into()),
        team: None,
        is_enterprise_install: false,
        key: "quarter-4".to_owned(),
        payload: json!({ "quarter": 4 }),
        received_at: Some(NOW),
        generation: 0,
        trace: None,
    };
    let record = "D#own#app:E0ACMEORG:quarter-4#order.report#0";
    Written { name: "app-org-install.json", kind: "", work: Work::App(Box::new(work)), record }
}

fn all() -> Vec<Written> {
    vec![
        from_slack(
            "event.json",
            "app_mention",
            &["mention.answer"],
            "D#A0TACK001#event:Ev0ACME0006#mention.answer#0",
            |_| {},
        ),
        from_slack(
            "event-retried-traced.json",
            "message",
            &["message.hello", "audit.log"],
            "D#A0TACK001#event:Ev0ACME0001#message.hello#0",
            |work| {
                work.envelope.retry = Some(Retry { num: 1, reason: "http_timeout".to_owned() });
                let trace = "Root=1-6924a3dc-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0";
                work.trace = Some(trace.to_owned());
            },
        ),
        from_slack(
            "event-org-install.json",
            "message",
            &["message.hello"],
            "D#A0TACK001#event:Ev0ACME0014#message.hello#0",
            |_| {},
        ),
        from_slack(
            "function_executed.json",
            "function_executed",
            &["sample_step.run"],
            "D#A0TACK001#function:Fx0SAMPLE1#sample_step.run#0",
            |_| {},
        ),
        from_slack(
            "slash_command.json",
            "slash_command",
            &["order.fulfil"],
            "D#A0TACK001#trigger:1795511730001.1795500000.00000000000000000000000000000001#order.fulfil#0",
            |_| {},
        ),
        from_slack(
            "slash_command-base64.json",
            "slash_command",
            &["order.fulfil"],
            "D#A0TACK001#trigger:1.2.3#order.fulfil#0",
            |_| {},
        ),
        from_slack(
            "block_actions.json",
            "block_actions",
            &["button.clicked"],
            "D#A0TACK001#trigger:1795511800001.1795500000.00000000000000000000000000000101#button.clicked#0",
            |_| {},
        ),
        from_slack(
            "block_actions-several.json",
            "block_actions",
            &["size.chosen", "date.chosen"],
            "D#A0TACK001#trigger:1795511800003.1795500000.00000000000000000000000000000103#size.chosen#0",
            |work| work.jobs[1].action = 1,
        ),
        from_slack(
            "view_submission.json",
            "view_submission",
            &["order.save"],
            "D#A0TACK001#trigger:1795511800005.1795500000.00000000000000000000000000000105#order.save#0",
            |work| work.jobs[0].value = Some(json!({ "quantity": 3, "note": "für Zürich" })),
        ),
        from_slack(
            "view_closed.json",
            "view_closed",
            &["order.closed"],
            "D#A0TACK001#view:V0ORDER01:1795511790.k3Jd82mQ#order.closed#0",
            |_| {},
        ),
        from_slack(
            "shortcut.json",
            "shortcut",
            &["shortcut.run"],
            "D#own#trigger:1795511800007.1795500000.00000000000000000000000000000107#shortcut.run#0",
            |_| {},
        ),
        from_slack(
            "message_action-redriven.json",
            "message_action",
            &["file.it"],
            "D#own#trigger:1795511800008.1795500000.00000000000000000000000000000108#file.it#2",
            |work| work.generation = 2,
        ),
        own_work(),
        own_work_of_an_organisation(),
    ]
}

fn encode(work: &Work) -> String {
    match work {
        Work::Slack(work) => work.encode(),
        Work::App(work) => work.encode(),
    }
}

#[test]
fn the_same_input_is_written_as_it_always_was() {
    for Written { name, work, .. } in all() {
        let written: Value = serde_json::from_str(&encode(&work)).expect("JSON");
        assert_eq!(written, golden(name), "{name}: version 1 is frozen");
    }
}

#[test]
fn every_message_that_was_ever_written_is_read_whole() {
    for Written { name, kind, work: expected, record } in all() {
        let read = Work::decode(&golden(name).to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.id(), expected.id(), "{name}");
        assert_eq!(read.jobs(), expected.jobs(), "{name}");
        assert_eq!(read.generation(), expected.generation(), "{name}");
        assert_eq!(read.received_at(), Some(NOW), "{name}");
        assert_eq!(read.tenant(), expected.tenant(), "{name}");
        assert_eq!(read.body_hash(), expected.body_hash(), "{name}");
        let first = RecordKey::new(&read, &read.jobs()[0], None);
        assert_eq!(first.as_str(), record, "{name}: records outlive deployments, so their names are frozen too");
        if let (Work::Slack(read), Work::Slack(expected)) = (&read, &expected) {
            assert_eq!(read.envelope.payload.kind(), kind, "{name}");
            assert_eq!(read.envelope.body, expected.envelope.body, "{name}");
            assert_eq!(read.envelope.content_type, expected.envelope.content_type, "{name}");
            assert_eq!(read.envelope.retry, expected.envelope.retry, "{name}");
            assert_eq!(read.trace, expected.trace, "{name}");
        }
        assert_eq!(encode(&read), encode(&expected), "{name}: and is written again as it was");
    }
}

/// The least that somebody outside has to write; not what this code would write.
#[test]
fn the_smallest_message_of_a_partner_is_read() {
    let read = Work::decode(&golden("app-minimal.json").to_string()).expect("a message");
    assert_eq!(read.jobs(), [Job::named("report.daily")]);
    assert_eq!(read.idempotency_key(), "app:T0ACME001:2026-11-24");
    assert_eq!((read.generation(), read.received_at()), (0, None::<EpochMs>));
    assert_eq!(RecordKey::new(&read, &read.jobs()[0], None).as_str(), "D#own#app:T0ACME001:2026-11-24#report.daily#0");
}

#[test]
fn every_file_of_the_folder_is_held_by_a_test() {
    let mut held: BTreeSet<String> = all().iter().map(|written| written.name.to_owned()).collect();
    held.insert("app-minimal.json".to_owned());
    let there: BTreeSet<String> = fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, held);
}
