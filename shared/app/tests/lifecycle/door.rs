//! What the ingress makes of these events, and how the events of a workspace without the app end.

use crate::world::{
    LIFECYCLE, LONG_AGO, REVOKED, TEAM, UNINSTALLED, World, body, installation, notice, published, work,
};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tack_app::protocol::Envelope;
use tack_app::{AckDecision, AckPhase, App, Limits, Verdict};
use tracing_subscriber::fmt::MakeWriter;

const KINDS: [&str; 5] =
    ["app_uninstalled", "app_uninstalled_team", "tokens_revoked", "team_access_granted", "team_access_revoked"];

fn of_kind(kind: &str) -> Envelope {
    body(&json!({
        "team_id": TEAM,
        "api_app_id": "A0TACK001",
        // The event names this app, as the app's own doings do; and its user is the bot.
        "event": { "type": kind, "app_id": "A0TACK001", "user": "U0TACKBOT" },
        "authorizations": [{ "team_id": TEAM, "user_id": "U0TACKBOT", "is_bot": true }],
        "type": "event_callback",
        "event_id": "Ev1",
    }))
}

async fn ack(register: impl FnOnce(&mut App<AckPhase>), envelope: &Envelope) -> AckDecision {
    App::build(register).expect("an app").ack(envelope, &(), &Limits::default()).await
}

fn names(decision: &AckDecision) -> Vec<&str> {
    decision.jobs.iter().map(|job| job.name.as_str()).collect()
}

#[tokio::test]
async fn they_are_queued_though_nobody_listens_and_are_never_taken_for_the_apps_own_doing() {
    for kind in KINDS {
        let decision = ack(|_| {}, &of_kind(kind)).await;
        assert_eq!(
            (names(&decision), &decision.verdict, &decision.reply),
            (vec![LIFECYCLE], &Verdict::Queue, &None),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn an_adopters_listener_runs_beside_in_the_same_delivery() {
    for kind in KINDS {
        let listening = |app: &mut App<AckPhase>| {
            app.event(kind).lazy("mine", async |_, _| Ok(()));
        };
        let decision = ack(listening, &of_kind(kind)).await;
        assert_eq!((names(&decision), &decision.verdict), (vec![LIFECYCLE, "mine"], &Verdict::Queue), "{kind}");
    }
}

#[tokio::test]
async fn a_guard_and_a_broken_listener_keep_nothing_from_the_store() {
    fn refusing(app: &mut App<AckPhase>) {
        app.guard(|_| Err(tack_app::Refusal::new("no")));
        app.event("app_uninstalled").lazy("mine", async |_, _| Ok(()));
    }
    fn broken(app: &mut App<AckPhase>) {
        app.event("app_uninstalled").when(|_| panic!("on purpose")).lazy("mine", async |_, _| Ok(()));
    }
    for register in [refusing, broken] {
        let decision = ack(register, &published(UNINSTALLED)).await;
        assert_eq!(names(&decision), [LIFECYCLE], "{:?}", decision.verdict);
    }
}

#[tokio::test]
async fn an_event_of_another_type_is_as_it_was() {
    let decision = ack(|_| {}, &of_kind("app_home_opened")).await;
    assert_eq!(decision.verdict, Verdict::Own);
    let decision = ack(|_| {}, &published("app_home_opened.json")).await;
    assert_eq!((names(&decision), &decision.verdict), (vec![], &Verdict::Unhandled));
}

/// The lines of this thread, for as long as the guard lives.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn of_jobs(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("lines").clone()).expect("UTF-8");
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        all.filter(|line| line["step"] == "job").collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn the_events_of_a_workspace_without_the_app_end_quietly_with_the_reason_in_one_line_each() {
    let lines = Lines::default();
    let json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
    let _guard = tracing::subscriber::set_default(json);
    let world = World::new();
    world.install(installation("T0OTHER01", LONG_AGO)).await;
    let worker = world.worker(|app| {
        app.event("app_mention").lazy("mention", async |context, _| {
            context.resources().push("mentioned");
            Ok(())
        });
    });
    let sent = work(notice("app_mention.json", |root| root["event_id"] = json!("Ev1")), &["mention"]);
    world.send(&sent).await;
    // Younger ones wait: the app may be about to be installed.
    world.pass(Duration::from_secs(10));
    assert_eq!(world.batch(&worker).await, 0);
    assert!(world.log.take().is_empty() && world.sending.queue.letters().is_empty());
    let [line] = &lines.of_jobs()[..] else { panic!("one line of the job: {:?}", lines.of_jobs()) };
    assert_eq!((&line["outcome"], &line["team"]), (&json!("discarded"), &json!(TEAM)));
    assert!(line["reason"].as_str().is_some_and(|reason| reason.contains("not installed in T0ACME001")), "{line}");
    // An event that finds nothing to change ends as quietly.
    world.handle(&worker, published(REVOKED)).await;
    assert_eq!(lines.of_jobs().len(), 2);
}
