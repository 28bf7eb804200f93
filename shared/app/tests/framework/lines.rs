//! What an operator can follow from one log line to the next: names of deliveries, jobs and requests.

use crate::deliveries::{COMMAND, MESSAGE};
use crate::ingress::{door, published, register, unsigned};
use crate::ports::Ports;
use crate::slack::{Answer, Slack, locally};
use crate::world::World;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tack_app::Arrival;
use tack_app::step::Step;
use tracing_subscriber::fmt::MakeWriter;

/// The lines of this thread, for as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
        (lines, tracing::subscriber::set_default(json))
    }

    fn all(&self) -> Vec<Value> {
        let bytes = self.0.lock().expect("lines").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    pub(crate) fn steps(&self, name: &str) -> Vec<Step> {
        let steps = self.all().into_iter().filter(|line| line["step"] == name);
        steps.map(|line| serde_json::from_value(line).expect("a step")).collect()
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

#[tokio::test]
async fn the_line_of_an_answer_names_the_request_as_the_access_log_does() {
    let (lines, _guard) = Lines::listen();
    let door = door(&Rc::new(Ports::default()), register);
    let named = |name: &str| Arrival { request: Some(name.to_owned()), ..Arrival::default() };
    door.answer(published(COMMAND), named("JKJaXmPLvHcESHA=")).await;
    door.answer(unsigned("text/plain", "nobody signed this"), named("JKJaXmPLvHcESHB=")).await;
    door.answer(published(COMMAND), Arrival::default()).await;
    let steps = lines.steps("ack");
    let names: Vec<_> = steps.iter().map(|step| (step.request.as_deref(), step.verdict.as_deref())).collect();
    assert_eq!(
        names,
        [
            (Some("JKJaXmPLvHcESHA="), Some("queued")),
            (Some("JKJaXmPLvHcESHB="), Some("bad_signature")),
            (None, Some("queued")),
        ]
    );
    assert!(lines.all()[2].get("request").is_none(), "what does not apply is absent");
}

// Slack's support asks for the header of this name; the simulated Slack sends it as well.
#[tokio::test]
async fn the_line_of_a_call_names_the_request_as_slack_does_whatever_the_answer_is() {
    let id = "f5b1a0c3d2e4f60718293a4b5c6d7e8f";
    let header = "x-slack-req-id: f5b1a0c3d2e4f60718293a4b5c6d7e8f";
    let refused = r#"{"ok":false,"error":"invalid_auth"}"#;
    let endless: &'static str = format!("x-slack-req-id: {}", "f".repeat(101)).leak();
    for (answer, expected) in [
        (Answer::Http("200 OK", header, r#"{"ok":true}"#.to_owned()), Some(id)),
        (Answer::Http("200 OK", header, refused.to_owned()), Some(id)),
        (Answer::Http("500 Oops", header, String::new()), Some(id)),
        (Answer::Http("200 OK", endless, r#"{"ok":true}"#.to_owned()), None),
        (Answer::json(r#"{"ok":true}"#), None),
        (Answer::BreakOff, None),
    ] {
        let (lines, _guard) = Lines::listen();
        let case = format!("{answer:?}");
        locally(async {
            let slack = Slack::start([answer]).await;
            let world = World { slack_api_url: slack.url.clone(), ..World::new() };
            let worker = world.worker(|app| {
                app.message("").lazy("job", async |context, _| {
                    context.client().call("api.test", &json!({})).await?;
                    Ok(())
                });
            });
            world.send_event("Ev1", &["job"]).await;
            world.batch(&worker).await;
        })
        .await;
        let steps = lines.steps("call");
        let [step] = &steps[..] else { panic!("{case}: {steps:?}") };
        assert_eq!(step.request.as_deref(), expected, "{case}");
        assert!(step.delivery.is_some() && step.job.as_deref() == Some("job"), "{case}: {step:?}");
    }
}

#[tokio::test]
async fn a_listeners_own_lines_are_found_by_its_delivery_and_job() {
    let (lines, _guard) = Lines::listen();
    let world = World::new();
    let worker = world.worker(|app| {
        app.message("").lazy("job", async |context, _| {
            context.logger().info("for the record");
            context.logger().warn("worth a look");
            context.logger().error("something failed");
            Ok(())
        });
    });
    let work = world.send_event("Ev1", &["job"]).await;
    world.batch(&worker).await;
    let said: Vec<_> = lines.all().into_iter().filter(|line| line.get("step").is_none()).collect();
    let levels: Vec<_> = said.iter().map(|line| line["level"].as_str().unwrap_or_default()).collect();
    assert_eq!(levels, ["INFO", "WARN", "ERROR"]);
    for line in said {
        assert_eq!((&line["delivery"], &line["job"]), (&json!(work.id), &json!("job")), "{line}");
    }
}

#[tokio::test]
async fn what_panics_in_a_listener_can_say_for_which_delivery_and_job() {
    let world = World::new();
    let worker = world.worker(|app| {
        for job in ["one", "two"] {
            app.message("").lazy(job, async |context, _| {
                tokio::task::yield_now().await;
                let running = tack_app::running().expect("a job is running");
                context.resources().push(format!("{} {:?}", running.delivery, running.job));
                Ok(())
            });
        }
    });
    let work = world.send_event("Ev1", &["one", "two"]).await;
    world.batch(&worker).await;
    let expected = ["one", "two"].map(|job| format!("{} Some({job:?})", work.id));
    let mut said = world.log.take();
    said.sort();
    assert_eq!(said, expected);
    assert_eq!(tack_app::running(), None);
}

#[tokio::test]
async fn what_panics_in_the_ingress_can_say_for_which_delivery() {
    let seen = Rc::new(RefCell::new(None));
    let see = Rc::clone(&seen);
    let ports = Rc::new(Ports::default());
    let door = door(&ports, move |app| {
        app.message("").lazy("job", async |_, _| Ok(())).guard(move |_| {
            see.replace(tack_app::running());
            Ok(())
        });
    });
    door.answer(published(MESSAGE), Arrival::default()).await;
    let running = seen.take().expect("a delivery is being answered");
    assert_eq!(running.job, None);
    assert!(ports.queue.waiting()[0].body.contains(&running.delivery));
    assert_eq!(tack_app::running(), None);
}
