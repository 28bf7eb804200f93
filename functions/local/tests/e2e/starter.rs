//! The starter app by its own binary: a greeting, and the walk through command, options and modal.

use crate::world::{Setup, World, in_world};
use serde_json::{Value, json};
use tack_simulator::{Acted, DeliveryRequest};

async fn act(world: &World, act: Value) -> Acted {
    world.slack.act(serde_json::from_value(act).unwrap()).await.unwrap()
}

#[test]
fn one_signed_hi_becomes_one_posted_greeting() {
    in_world(Setup::starter(), async |world| {
        let said = act(world, json!({ "act": "say", "channel": "playground", "text": "hi" })).await;
        assert_eq!(said.deliveries[0].attempts[0].status, Some(200));
        world.settled().await;
        let step = world.step("the end of the job", |step| step.outcome.as_deref() == Some("done")).await;
        assert_eq!((step.job.as_deref(), step.attempt), (Some("sample_message.greet"), Some(1)));
        world.slack.read(|state| {
            let [call] = state.calls_of("chat.postMessage")[..] else { panic!("not one call") };
            assert_eq!((&call.args["channel"], &call.args["text"]), (&json!("C0PLAY001"), &json!("hi, how are you?")));
            let texts: Vec<_> = state.messages("playground").iter().map(|message| message.text()).collect();
            assert_eq!(texts, ["hi", "hi, how are you?"]);
        });
        // The greeting came back to the app as an event, and the app knows its own voice.
        let own = |step: &tack_app::step::Step| step.verdict.as_deref() == Some("own");
        world.step("the echo", own).await;
        world.settled().await;
        assert_eq!(world.posted().len(), 1);
    });
}

#[test]
fn an_order_is_walked_from_the_command_through_errors_to_the_message() {
    in_world(Setup::starter(), async |world| {
        let typed = act(world, json!({ "act": "command", "channel": "playground", "text": "/order 3" })).await;
        assert_eq!(typed.shown.outcome, "nothing", "the modal is opened by the worker");
        let has_modal = || world.slack.read(|state| state.modals("ada").len()) == 1;
        world.wait_for("a modal", || has_modal().then_some(())).await;

        let options = act(world, json!({ "act": "suggest", "action_id": "order_item", "value": "tea" })).await;
        assert_eq!(options.shown.outcome, "options");
        let offered = options.shown.options.unwrap();
        let values: Vec<_> = offered["options"].as_array().unwrap().iter().map(|option| &option["value"]).collect();
        assert_eq!(values, ["tea-black", "tea-green"]);

        let values = json!({ "order_item": "tea-green", "order_quantity": "0" });
        let refused = act(world, json!({ "act": "submit", "values": values })).await;
        assert_eq!(refused.shown.outcome, "errors");
        let errors = refused.shown.errors.unwrap();
        assert_eq!(errors.as_object().unwrap().keys().collect::<Vec<_>>(), ["quantity"]);
        assert!(world.slack.read(|state| state.modals("ada").len()) == 1, "the modal stays");

        // What Slack's client would not let through, someone with another client may send: each field has its own error.
        let mut payload = refused.deliveries[0].payload();
        payload["view"]["state"]["values"]["item"]["order_item"]["selected_option"] = Value::Null;
        let refused = world.deliver(DeliveryRequest::interactive(payload)).await;
        let shown = refused[0].shown.as_ref().unwrap();
        let errors = shown.errors.as_ref().unwrap().as_object().unwrap();
        assert_eq!(errors.keys().collect::<Vec<_>>(), ["item", "quantity"]);

        let placed = act(world, json!({ "act": "submit", "values": { "order_quantity": "3" } })).await;
        assert_eq!(placed.shown.outcome, "closed");
        world.settled().await;
        assert_eq!(world.posted(), ["<@U0ADA0001> ordered 3 × Green tea."]);
        let last =
            world.slack.read(|state| state.messages("playground").last().map(|message| message.text().to_owned()));
        assert_eq!(last.as_deref(), Some("<@U0ADA0001> ordered 3 × Green tea."));
        assert_eq!(world.jobs("order.place", "done").len(), 1, "the refused submissions started no job");
    });
}

#[test]
fn help_is_seen_by_one_person_and_queues_nothing() {
    in_world(Setup::starter(), async |world| {
        for text in ["/order help", "/order many"] {
            let typed = act(world, json!({ "act": "command", "channel": "playground", "text": text })).await;
            assert_eq!(typed.shown.outcome, "message");
            world.slack.read(|state| {
                let message = state.messages("playground").last().unwrap().clone();
                assert_eq!(message.ephemeral_to.as_deref(), Some("U0ADA0001"));
                assert!(message.text().contains("/order 3"), "{}", message.text());
            });
        }
        let calls = world.stack.aws.calls().snapshot();
        assert!(calls.is_empty(), "{calls:?}");
    });
}
