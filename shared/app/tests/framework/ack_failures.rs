//! An ack that fails, panics or is late never looks like success, and starts no job.

use crate::deliveries::{BUTTON, COMMAND, MESSAGE, SUBMISSION, SUGGESTION, TWO_ACTIONS, edited, envelope};
use serde_json::{Value, json};
use std::future::pending;
use std::time::Duration;
use tack_app::message::Job;
use tack_app::protocol::Envelope;
use tack_app::{
    AckDecision, AckError, AckPhase, App, CommandAck, EmptyAck, Limits, OptionsReply, Refusal, Regex, Verdict, ViewAck,
};
use tokio::time::{Instant, sleep};

type Acks = App<AckPhase, (), ()>;
type Register = fn(&mut Acks);

const SECRET: &str = "relation \"orders\" does not exist";

async fn decide(envelope: Envelope, register: impl FnOnce(&mut Acks)) -> AckDecision {
    App::build(register).expect("an app").ack(&envelope, &(), &Limits::default()).await
}

fn erring(app: &mut Acks) {
    app.command("/order")
        .ack(|_, _| -> Result<CommandAck, _> { Err(AckError::new(SECRET)) })
        .lazy("c", async |_, _| Ok(()));
    app.view("order_modal")
        .ack(|_, _| -> Result<ViewAck, _> { Err(AckError::new(SECRET)) })
        .lazy("v", async |_, _| Ok(()));
    app.action("button_click")
        .ack(|_, _| -> Result<EmptyAck, _> { Err(AckError::new(SECRET)) })
        .lazy("a", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| Err(AckError::new(SECRET)));
}

fn panicking(app: &mut Acks) {
    app.command("/order").ack(|_, _| -> Result<CommandAck, _> { panic!("{SECRET}") }).lazy("c", async |_, _| Ok(()));
    app.view("order_modal").ack(|_, _| -> Result<ViewAck, _> { panic!("{SECRET}") }).lazy("v", async |_, _| Ok(()));
    app.action("button_click").ack(|_, _| -> Result<EmptyAck, _> { panic!("{SECRET}") }).lazy("a", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| -> Result<OptionsReply, AckError> { panic!("{SECRET}") });
}

fn hanging(app: &mut Acks) {
    app.command("/order")
        .ack_io(async |_, _, ()| -> Result<CommandAck, _> { pending().await })
        .lazy("c", async |_, _| Ok(()));
    app.view("order_modal")
        .ack_io(async |_, _, ()| -> Result<ViewAck, _> { pending().await })
        .lazy("v", async |_, _| Ok(()));
    app.action("button_click")
        .ack_io(async |_, _, ()| -> Result<EmptyAck, _> { pending().await })
        .lazy("a", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| pending().await);
}

fn guard_panicking(app: &mut Acks) {
    app.guard(|_| panic!("{SECRET}"));
    app.command("/order").lazy("c", async |_, _| Ok(()));
    app.view("order_modal").lazy("v", async |_, _| Ok(()));
    app.action("button_click").lazy("a", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("x", "x")])));
}

fn is_error_of_kind(path: &str, reply: Option<&Value>) -> bool {
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    match (path, reply) {
        (COMMAND, Some(reply)) => reply["response_type"] == "ephemeral" && text(&reply["text"]),
        (SUBMISSION, Some(reply)) => reply["response_action"] == "errors" && text(&reply["errors"]["quantity_block"]),
        (SUGGESTION, Some(reply)) => *reply == json!({ "options": [] }),
        (BUTTON, None) => true,
        _ => false,
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_the_answer_is_an_error_of_the_kind_and_no_job_starts() {
    let ways: [(_, Register); 4] =
        [("error", erring), ("panic", panicking), ("late", hanging), ("guard", guard_panicking)];
    for (way, register) in ways {
        for path in [COMMAND, SUBMISSION, SUGGESTION, BUTTON] {
            let decision = decide(envelope(path), register).await;
            let case = format!("{way}, {path}: {decision:?}");
            assert!(matches!(decision.verdict, Verdict::Failed(_)), "{case}");
            assert!(decision.jobs.is_empty(), "{case}");
            assert!(is_error_of_kind(path, decision.reply.as_ref()), "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_went_wrong_is_for_the_log_and_is_not_shown() {
    let decision = decide(envelope(COMMAND), erring).await;
    assert_eq!(decision.verdict, Verdict::Failed(SECRET.to_owned()));
    assert!(!decision.reply.expect("an answer").to_string().contains("orders"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_modal_without_inputs_is_replaced_by_an_error_view() {
    for blocks in [json!([{ "type": "divider" }]), json!([]), json!(null)] {
        let submission = edited(SUBMISSION, |root| root["view"]["blocks"] = blocks);
        let reply = decide(submission, erring).await.reply.expect("an answer");
        assert_eq!((&reply["response_action"], &reply["view"]["type"]), (&json!("update"), &json!("modal")));
    }
}

/// How long an answer took, in milliseconds of paused time.
async fn timed(envelope: Envelope, register: impl FnOnce(&mut Acks)) -> (AckDecision, u128) {
    let started = Instant::now();
    let decision = decide(envelope, register).await;
    (decision, started.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn an_ack_with_io_has_a_second_and_a_half_and_options_have_two() {
    assert_eq!(timed(envelope(COMMAND), hanging).await.1, 1_500);
    assert_eq!(timed(envelope(SUBMISSION), hanging).await.1, 1_500);
    assert_eq!(timed(envelope(SUGGESTION), hanging).await.1, 2_000);
}

#[tokio::test(start_paused = true)]
async fn an_ack_with_io_that_is_just_in_time_counts() {
    let (decision, ms) = timed(envelope(COMMAND), |app| {
        app.command("/order")
            .ack_io(async |_, _, ()| {
                sleep(Duration::from_millis(1_499)).await;
                Ok(CommandAck::ok())
            })
            .lazy("job", async |_, _| Ok(()));
    })
    .await;
    assert_eq!((decision.jobs, ms), (vec![Job::named("job")], 1_499));
}

#[tokio::test(start_paused = true)]
async fn the_acks_of_several_actions_share_one_budget() {
    // Slack waits 3 s for the whole payload, however many elements were used.
    let (decision, ms) = timed(envelope(TWO_ACTIONS), |app| {
        app.action("size")
            .ack_io(async |_, _, ()| -> Result<EmptyAck, _> { pending().await })
            .lazy("s", async |_, _| Ok(()));
        app.action("delivery_date")
            .ack_io(async |_, _, ()| -> Result<EmptyAck, _> { pending().await })
            .lazy("d", async |_, _| Ok(()));
    })
    .await;
    assert!(decision.jobs.is_empty());
    assert_eq!(ms, 1_500);
}

#[tokio::test(start_paused = true)]
async fn limits_set_the_budgets() {
    let limits = Limits { ack_io_ms: 70, options_ms: 90, ..Limits::default() };
    let app = Acks::build(hanging).expect("an app");
    for (path, budget) in [(COMMAND, 70), (SUGGESTION, 90)] {
        let started = Instant::now();
        app.ack(&envelope(path), &(), &limits).await;
        assert_eq!(started.elapsed().as_millis(), budget, "{path}");
    }
}

#[tokio::test]
async fn a_panic_of_one_events_guard_leaves_the_other_matches_alone() {
    let decision = decide(envelope(MESSAGE), |app| {
        app.message("hi").guard(|_| panic!("oh")).lazy("broken", async |_, _| Ok(()));
        app.message(Regex::new("h").expect("a pattern")).lazy("sound", async |_, _| Ok(()));
    });
    let decision = decision.await;
    assert_eq!(decision.jobs, [Job::named("sound")]);
    assert!(matches!(decision.verdict, Verdict::Failed(_)), "it is counted all the same: {decision:?}");
}

fn constraint_panicking(app: &mut Acks) {
    app.command("/order").when(|_| panic!("{SECRET}")).lazy("c", async |_, _| Ok(()));
    app.view("order_modal").when(|_| panic!("{SECRET}")).lazy("v", async |_, _| Ok(()));
    app.action("button_click").when(|_| panic!("{SECRET}")).lazy("a", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("x", "x")]))).when(|_| panic!("{SECRET}"));
}

#[tokio::test]
async fn a_constraint_that_panics_is_no_match_and_does_not_look_like_success() {
    for path in [COMMAND, SUBMISSION, SUGGESTION, BUTTON] {
        let decision = decide(envelope(path), constraint_panicking).await;
        let case = format!("{path}: {decision:?}");
        assert!(matches!(&decision.verdict, Verdict::Failed(reason) if !reason.contains(SECRET)), "{case}");
        assert!(decision.jobs.is_empty(), "{case}");
        assert!(is_error_of_kind(path, decision.reply.as_ref()), "{case}");
    }
}

#[tokio::test]
async fn a_constraint_that_panics_leaves_the_other_matches_of_an_event_alone() {
    let decision = decide(envelope(MESSAGE), |app| {
        app.message("hi").lazy("first", async |_, _| Ok(()));
        app.message("hi").when(|_| panic!("oh")).lazy("broken", async |_, _| Ok(()));
        app.message("hi").lazy("last", async |_, _| Ok(()));
    });
    let decision = decision.await;
    assert_eq!((decision.jobs, decision.reply), (vec![Job::named("first"), Job::named("last")], None));
    assert!(matches!(decision.verdict, Verdict::Failed(_)), "it is counted all the same");
}

#[tokio::test]
async fn a_listener_that_takes_what_a_broken_constraint_did_not_answers_for_itself() {
    // Its job starts, so nobody may be told that nothing was done.
    for path in [COMMAND, SUBMISSION, SUGGESTION] {
        let decision = decide(envelope(path), |app| {
            constraint_panicking(app);
            app.command(Regex::new("").expect("a pattern"))
                .ack(|_, _| Ok(CommandAck::ephemeral("On it")))
                .lazy("c2", async |_, _| Ok(()));
            app.view(Regex::new("").expect("a pattern"))
                .ack(|_, _| Ok(ViewAck::clear()))
                .lazy("v2", async |_, _| Ok(()));
            app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("Zürich", "zrh")])));
        });
        let decision = decision.await;
        assert!(matches!(decision.verdict, Verdict::Failed(_)), "{path}: {decision:?}");
        assert_eq!(decision.jobs.len(), usize::from(path != SUGGESTION), "{path}");
        let reply = decision.reply.expect("an answer").to_string();
        assert!(["On it", "clear", "zrh"].iter().any(|told| reply.contains(told)), "{path}: {reply}");
    }
}

#[tokio::test]
async fn a_guards_refusal_hides_no_failure_before_or_after_it() {
    let broken = |app: &mut Acks| {
        app.message("hi").guard(|_| panic!("oh")).lazy("broken", async |_, _| Ok(()));
    };
    let refusing = |app: &mut Acks| {
        app.message("hi").guard(|_| Err(Refusal::new("no"))).lazy("refused", async |_, _| Ok(()));
    };
    let before = decide(envelope(MESSAGE), |app| {
        broken(app);
        refusing(app);
    });
    let after = decide(envelope(MESSAGE), |app| {
        refusing(app);
        broken(app);
    });
    for decision in [before.await, after.await] {
        assert!(matches!(decision.verdict, Verdict::Failed(_)), "{decision:?}");
        assert!(decision.jobs.is_empty());
    }
    let actions = decide(envelope(TWO_ACTIONS), |app| {
        app.action("size")
            .ack(|_, _| -> Result<EmptyAck, _> { Err(AckError::new("oh")) })
            .lazy("s", async |_, _| Ok(()));
        app.action("delivery_date").guard(|_| Err(Refusal::new("no"))).lazy("d", async |_, _| Ok(()));
    });
    assert_eq!(actions.await.verdict, Verdict::Failed("oh".to_owned()));
}
