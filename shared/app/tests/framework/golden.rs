//! `events/queue/v1`: messages that were written once and must be read for ever.
//! A file here is never changed; a field that joins the format later gets a file of its own.

use crate::deliveries::{BUTTON, COMMAND, MESSAGE, NOW, TWO_ACTIONS, envelope, work};
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

fn slack(path: &str, jobs: &[&str]) -> SlackWork {
    SlackWork { id: ID.to_owned(), ..work(envelope(path), jobs) }
}

fn retried_event() -> SlackWork {
    let mut work = slack(MESSAGE, &["message.hello", "audit.log"]);
    work.envelope.retry = Some(Retry { num: 1, reason: "http_timeout".to_owned() });
    work.trace = Some("Root=1-6924a3dc-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0".to_owned());
    work
}

fn submission() -> SlackWork {
    let mut work = slack("interactive/view_submission.json", &["order.save"]);
    work.jobs[0].value = Some(json!({ "quantity": 3, "note": "für Zürich" }));
    work
}

fn several_actions() -> SlackWork {
    let mut work = slack(TWO_ACTIONS, &["size.chosen", "date.chosen"]);
    work.jobs[1].action = 1;
    work
}

/// A body that is no text: travels as base64.
fn bytes() -> SlackWork {
    let body = b"command=%2Forder&trigger_id=1.2.3&team_id=T0ACME001&api_app_id=A0TACK001&text=\xff\xfe".to_vec();
    let envelope = Envelope::from_body("application/x-www-form-urlencoded", body.into(), NOW);
    SlackWork { id: ID.to_owned(), ..work(envelope, &["order.fulfil"]) }
}

fn own_work() -> AppWork {
    AppWork {
        id: format!("{ID}:row-7"),
        job: "order.import".to_owned(),
        enterprise: Some("E0ACMEORG".into()),
        team: "T0ACME001".into(),
        key: "row-7".to_owned(),
        payload: json!({ "row": 7, "name": "Ada" }),
        received_at: Some(NOW),
        generation: 0,
        trace: Some("Root=1-6924a3dc-0123456789abcdef01234567".to_owned()),
    }
}

/// What every file holds: its name, what this code makes of the same input, and the key of its first job's record.
fn all() -> Vec<(&'static str, Work, &'static str)> {
    let slack_work = |work: SlackWork| Work::Slack(Box::new(work));
    let org = "event/message-org-install.json";
    vec![
        ("event.json", slack_work(slack("event/app_mention.json", &["mention.answer"])), "event:Ev0ACME0006#mention.answer#0"),
        ("event-retried-traced.json", slack_work(retried_event()), "event:Ev0ACME0001#message.hello#0"),
        ("event-org-install.json", slack_work(slack(org, &["message.hello"])), "event:Ev0ACME0014#message.hello#0"),
        (
            "function_executed.json",
            slack_work(slack("event/function_executed.json", &["sample_step.run"])),
            "function:Fx0SAMPLE1#sample_step.run#0",
        ),
        (
            "slash_command.json",
            slack_work(slack(COMMAND, &["order.fulfil"])),
            "trigger:1795511730001.1795500000.00000000000000000000000000000001#order.fulfil#0",
        ),
        ("slash_command-base64.json", slack_work(bytes()), "trigger:1.2.3#order.fulfil#0"),
        (
            "block_actions.json",
            slack_work(slack(BUTTON, &["button.clicked"])),
            "trigger:1795511800001.1795500000.00000000000000000000000000000101#button.clicked#0",
        ),
        (
            "block_actions-several.json",
            slack_work(several_actions()),
            "trigger:1795511800003.1795500000.00000000000000000000000000000103#size.chosen#0",
        ),
        (
            "view_submission.json",
            slack_work(submission()),
            "trigger:1795511800005.1795500000.00000000000000000000000000000105#order.save#0",
        ),
        (
            "view_closed.json",
            slack_work(slack("interactive/view_closed.json", &["order.closed"])),
            "view:V0ORDER01:1795511790.k3Jd82mQ#order.closed#0",
        ),
        (
            "shortcut.json",
            slack_work(slack("interactive/shortcut.json", &["shortcut.run"])),
            "trigger:1795511800007.1795500000.00000000000000000000000000000107#shortcut.run#0",
        ),
        (
            "message_action.json",
            slack_work(SlackWork { generation: 2, ..slack("interactive/message_action.json", &["file.it"]) }),
            "trigger:1795511800008.1795500000.00000000000000000000000000000108#file.it#2",
        ),
        ("app.json", Work::App(Box::new(own_work())), "app:T0ACME001:row-7#order.import#0"),
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
    for (name, work, _) in all() {
        let written: Value = serde_json::from_str(&encode(&work)).expect("JSON");
        assert_eq!(written, golden(name), "{name}: version 1 is frozen");
    }
}

#[test]
fn every_message_that_was_ever_written_is_read_whole() {
    for (name, expected, key) in all() {
        let read = Work::decode(&golden(name).to_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read.id(), expected.id(), "{name}");
        assert_eq!(read.jobs(), expected.jobs(), "{name}");
        assert_eq!(read.generation(), expected.generation(), "{name}");
        assert_eq!(read.received_at(), Some(NOW), "{name}");
        assert_eq!(read.tenant(), expected.tenant(), "{name}");
        assert_eq!(read.body_hash(), expected.body_hash(), "{name}");
        let record = RecordKey::new(&read, &read.jobs()[0].name, read.generation());
        let app = if name == "app.json" { "own" } else { "A0TACK001" };
        let app = read.app().unwrap_or(app);
        assert_eq!(record.as_str(), format!("D#{app}#{key}"), "{name}: records outlive deployments, so their names are frozen");
        if let (Work::Slack(read), Work::Slack(expected)) = (&read, &expected) {
            assert_eq!(read.envelope.body, expected.envelope.body, "{name}");
            assert_eq!(read.envelope.content_type, expected.envelope.content_type, "{name}");
            assert_eq!(read.envelope.retry, expected.envelope.retry, "{name}");
            assert_eq!(read.trace, expected.trace, "{name}");
        }
        assert_eq!(encode(&read), encode(&expected), "{name}: and written again as it was");
    }
}

/// The least that somebody outside has to write; not what this code would write.
#[test]
fn the_smallest_message_of_a_partner_is_read() {
    let read = Work::decode(&golden("app-minimal.json").to_string()).expect("a message");
    assert_eq!(read.jobs(), [Job::named("report.daily")]);
    assert_eq!(read.idempotency_key(), "app:T0ACME001:2026-11-24");
    assert_eq!((read.generation(), read.received_at()), (0, None::<EpochMs>));
    assert_eq!(RecordKey::new(&read, "report.daily", 0).as_str(), "D#own#app:T0ACME001:2026-11-24#report.daily#0");
}

#[test]
fn every_file_of_the_folder_is_held_by_a_test() {
    let mut held: BTreeSet<String> = all().iter().map(|(name, ..)| (*name).to_owned()).collect();
    held.insert("app-minimal.json".to_owned());
    let there: BTreeSet<String> = fs::read_dir(folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, held);
}
