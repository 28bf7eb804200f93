//! What acks answer when all is well, in the JSON that Slack documents, and what guards answer instead.

use crate::deliveries::{BUTTON, COMMAND, MESSAGE, SUBMISSION, SUGGESTION, TWO_ACTIONS, edited, envelope};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use tack_app::message::Job;
use tack_app::protocol::Envelope;
use tack_app::{
    AckDecision, AckPhase, App, CommandAck, EmptyAck, Limits, OptionsReply, Refusal, Verdict, ViewAck, ViewReply,
};

type Acks<K = ()> = App<AckPhase, (), K>;

async fn decide(envelope: Envelope, register: impl FnOnce(&mut Acks)) -> AckDecision {
    App::build(register).expect("an app").ack(&envelope, &(), &Limits::default()).await
}

async fn command(answer: fn() -> CommandAck) -> AckDecision {
    let register = move |app: &mut Acks| {
        app.command("/order").ack(move |_, _| Ok(answer())).lazy("job", async |_, _| Ok(()));
    };
    decide(envelope(COMMAND), register).await
}

async fn submission(answer: fn() -> ViewAck) -> AckDecision {
    let register = move |app: &mut Acks| {
        app.view("order_modal").ack(move |_, _| Ok(answer())).lazy("job", async |_, _| Ok(()));
    };
    decide(envelope(SUBMISSION), register).await
}

fn starts_job(decision: &AckDecision) -> bool {
    decision.jobs == [Job::named("job")] && decision.verdict == Verdict::Queue
}

// https://docs.slack.dev/interactivity/implementing-slash-commands/
#[tokio::test]
async fn a_command_is_answered_with_nothing_a_text_or_a_message() {
    let silent = command(CommandAck::ok).await;
    assert_eq!(silent.reply, None);
    let text = command(|| CommandAck::ephemeral("On it")).await;
    assert_eq!(text.reply, Some(json!({ "response_type": "ephemeral", "text": "On it" })));
    let message = command(|| CommandAck::message(json!({ "response_type": "in_channel", "text": "Hear!" }))).await;
    assert_eq!(message.reply, Some(json!({ "response_type": "in_channel", "text": "Hear!" })));
    assert!([silent, text, message].iter().all(starts_job));
}

#[tokio::test]
async fn a_command_that_its_ack_refuses_is_answered_and_starts_nothing() {
    let refused = command(|| CommandAck::refuse("How many?")).await;
    assert_eq!(refused.reply, Some(json!({ "response_type": "ephemeral", "text": "How many?" })));
    assert_eq!((refused.jobs, refused.verdict), (Vec::new(), Verdict::Answered));
}

// https://docs.slack.dev/surfaces/modals
#[tokio::test]
async fn a_submitted_modal_closes_clears_is_updated_or_gets_another_on_top() {
    let close = submission(ViewAck::close).await;
    assert_eq!(close.reply, None);
    let clear = submission(ViewAck::clear).await;
    assert_eq!(clear.reply, Some(json!({ "response_action": "clear" })));
    let update = submission(|| ViewAck::update(json!({ "type": "modal" }))).await;
    assert_eq!(update.reply, Some(json!({ "response_action": "update", "view": { "type": "modal" } })));
    let push = submission(|| ViewAck::push(json!({ "type": "modal" }))).await;
    assert_eq!(push.reply, Some(json!({ "response_action": "push", "view": { "type": "modal" } })));
    assert!([close, clear, update, push].iter().all(starts_job));
}

#[tokio::test]
async fn errors_in_a_modal_are_shown_and_start_no_job() {
    let errors = submission(|| ViewAck::errors([("quantity_block", "At most 10")])).await;
    let expected = json!({ "response_action": "errors", "errors": { "quantity_block": "At most 10" } });
    assert_eq!(errors.reply, Some(expected));
    assert_eq!((errors.jobs, errors.verdict), (Vec::new(), Verdict::Answered));
}

#[tokio::test]
async fn a_step_of_a_wizard_answers_without_work() {
    let step = submission(|| ViewAck::stop(ViewReply::Push(json!({ "type": "modal" })))).await;
    assert_eq!(step.reply, Some(json!({ "response_action": "push", "view": { "type": "modal" } })));
    assert!(step.jobs.is_empty());
}

#[tokio::test]
async fn a_click_is_answered_with_an_empty_body_and_may_stop_there() {
    let ok = decide(envelope(BUTTON), |app| {
        app.action("button_click").ack(|_, _| Ok(EmptyAck::ok())).lazy("job", async |_, _| Ok(()));
    });
    let ok = ok.await;
    assert_eq!(ok.reply, None);
    assert!(starts_job(&ok));
    let stop = decide(envelope(BUTTON), |app| {
        app.action("button_click")
            .ack(|_, _| -> Result<EmptyAck, _> { Ok(EmptyAck::stop()) })
            .lazy("job", async |_, _| Ok(()));
    });
    let stop = stop.await;
    assert_eq!((stop.reply, stop.jobs, stop.verdict), (None, Vec::new(), Verdict::Answered));
}

// https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload
#[tokio::test]
async fn options_are_answered_and_nothing_is_queued() {
    let decision = decide(envelope(SUGGESTION), |app| {
        app.options("city", async |_, wanted, ()| Ok(OptionsReply::pairs([(wanted.value.as_str(), "zrh")])));
    });
    let decision = decision.await;
    let option = json!({ "text": { "type": "plain_text", "text": "zür" }, "value": "zrh" });
    assert_eq!(decision.reply, Some(json!({ "options": [option] })));
    assert_eq!((decision.jobs, decision.verdict), (Vec::new(), Verdict::Answered));
}

#[tokio::test]
async fn options_may_have_guards_and_constraints() {
    let register = |app: &mut Acks| {
        app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("Basel", "bsl")])))
            .when(|wanted| wanted.value == "bas");
        app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("Zürich", "zrh")])))
            .guard(|context| if context.user().is_some() { Ok(()) } else { Err(Refusal::new("Who are you?")) });
    };
    let told = async |value: &str, user: serde_json::Value| {
        let wanted = edited(SUGGESTION, |root| {
            root["value"] = value.into();
            root["user"] = user;
        });
        let decision = decide(wanted, register).await;
        (decision.reply.expect("an answer")["options"][0]["value"].clone(), decision.verdict)
    };
    let ada = json!({ "id": "U0ADA0001" });
    assert_eq!(told("bas", ada.clone()).await, (json!("bsl"), Verdict::Answered));
    assert_eq!(told("zür", ada).await, (json!("zrh"), Verdict::Answered));
    assert_eq!(told("zür", json!(null)).await, (json!(null), Verdict::Refused));
}

#[tokio::test]
async fn a_value_that_an_ack_hands_over_travels_with_every_job_of_its_listener() {
    #[derive(Serialize, serde::Deserialize)]
    struct Order {
        quantity: u32,
    }
    let decision = decide(envelope(SUBMISSION), |app| {
        app.view("order_modal")
            .ack(|_, submission| {
                let quantity = submission.view.state.get("quantity_block", "quantity");
                let quantity = quantity.as_str().unwrap_or_default().parse()?;
                Ok(ViewAck::close().hand_over(Order { quantity }))
            })
            .lazy("one", async |_, _, _: Order| Ok(()))
            .lazy("two", async |_, _, _: Order| Ok(()));
    });
    let job = |name: &str| Job { name: name.to_owned(), value: Some(json!({ "quantity": 3 })), action: 0 };
    assert_eq!(decision.await.jobs, [job("one"), job("two")]);
}

#[tokio::test]
async fn a_value_that_json_cannot_hold_fails_the_ack() {
    type Unwritable = BTreeMap<(u8, u8), u8>;
    let decision = decide(envelope(COMMAND), |app| {
        app.command("/order")
            .ack(|_, _| Ok(CommandAck::ok().hand_over(Unwritable::from([((1, 2), 3)]))))
            .lazy("job", async |_, _, _: Unwritable| Ok(()));
    });
    let decision = decision.await;
    assert!(matches!(decision.verdict, Verdict::Failed(_)), "{decision:?}");
    assert!(decision.jobs.is_empty());
}

#[tokio::test]
async fn an_ack_with_io_uses_the_adopters_resources_and_answers_alike() {
    let app = Acks::<Vec<&str>>::build(|app| {
        app.command("/order")
            .ack_io(async |_, _, stock: &Vec<&str>| {
                tokio::task::yield_now().await;
                Ok(CommandAck::ephemeral(format!("We have {}", stock.join(" and "))))
            })
            .lazy("job", async |_, _| Ok(()));
    });
    let stock = vec!["pens", "ink"];
    let decision = app.expect("an app").ack(&envelope(COMMAND), &stock, &Limits::default()).await;
    assert_eq!(decision.reply, Some(json!({ "response_type": "ephemeral", "text": "We have pens and ink" })));
    assert!(starts_job(&decision));
}

fn guarded(app: &mut Acks) {
    app.guard(|context| {
        let admin = context.user().is_some_and(|user| user.as_str() == "U0GRACE01");
        if admin { Ok(()) } else { Err(Refusal::new("Only Grace may.")) }
    });
    app.command("/order").lazy("command", async |_, _| Ok(()));
    app.view("order_modal").lazy("view", async |_, _| Ok(()));
    app.action("button_click").lazy("action", async |_, _| Ok(()));
    app.options("city", async |_, _, ()| Ok(OptionsReply::pairs([("secret", "secret")])));
    app.message("hi").lazy("message", async |_, _| Ok(()));
}

#[tokio::test]
async fn a_guard_refuses_with_an_answer_of_the_kind_and_starts_no_job() {
    let errors = json!({ "response_action": "errors", "errors": { "quantity_block": "Only Grace may." } });
    for (path, reply) in [
        (COMMAND, Some(json!({ "response_type": "ephemeral", "text": "Only Grace may." }))),
        (SUBMISSION, Some(errors)),
        (SUGGESTION, Some(json!({ "options": [] }))),
        (BUTTON, None),
        (MESSAGE, None),
    ] {
        let decision = decide(envelope(path), guarded).await;
        assert_eq!((decision.reply, decision.verdict), (reply, Verdict::Refused), "{path}");
        assert_eq!(decision.jobs, [], "{path}");
    }
}

#[tokio::test]
async fn a_guard_that_agrees_changes_nothing() {
    let by_grace = edited(SUBMISSION, |root| root["user"]["id"] = "U0GRACE01".into());
    assert_eq!(decide(by_grace, guarded).await.jobs, [Job::named("view")]);
}

#[tokio::test]
async fn a_refused_modal_without_inputs_is_replaced_by_one_that_says_why() {
    let without_inputs = edited(SUBMISSION, |root| root["view"]["blocks"] = json!([{ "type": "divider" }]));
    let reply = decide(without_inputs, guarded).await.reply.expect("an answer");
    assert_eq!(reply["response_action"], "update");
    assert_eq!(reply["view"]["type"], "modal");
    assert_eq!(reply["view"]["title"]["text"], "Order");
    assert_eq!(reply["view"]["blocks"][0]["text"]["text"], "Only Grace may.");
    assert!(reply["view"].get("submit").is_none(), "nothing is left to submit");
}

#[tokio::test]
async fn the_apps_guard_is_asked_before_a_listeners_own() {
    let decision = decide(envelope(COMMAND), |app| {
        app.command("/order").guard(|_| Err(Refusal::new("the listener's"))).lazy("job", async |_, _| Ok(()));
        app.guard(|_| Err(Refusal::new("the app's")));
    });
    assert_eq!(decision.await.reply.expect("an answer")["text"], "the app's");
}

#[tokio::test]
async fn a_guard_of_one_listener_leaves_the_other_matches_of_an_event_alone() {
    let decision = decide(envelope(MESSAGE), |app| {
        app.message("hi").guard(|_| Err(Refusal::new("no"))).lazy("refused", async |_, _| Ok(()));
        app.message("hi").lazy("free", async |_, _| Ok(()));
    });
    assert_eq!(decision.await.jobs, [Job::named("free")]);
}

#[tokio::test]
async fn a_refused_action_leaves_its_neighbour_alone() {
    let decision = decide(envelope(TWO_ACTIONS), |app| {
        app.action("size").guard(|_| Err(Refusal::new("no"))).lazy("size", async |_, _| Ok(()));
        app.action("delivery_date").lazy("date", async |_, _| Ok(()));
    });
    assert_eq!(decision.await.jobs, [Job { name: "date".to_owned(), value: None, action: 1 }]);
}
