//! The starter app by its own binary: the six samples, each as Bolt's starter documents it, and the walk through command,
//! options and modal.
//! Source: <https://github.com/slack-samples/bolt-js-starter-template>

use crate::world::{Setup, World, in_world};
use serde_json::{Value, json};
use tack_simulator::{Acted, DeliveryRequest};

async fn act(world: &World, act: Value) -> Acted {
    world.slack.act(serde_json::from_value(act).unwrap()).await.unwrap()
}

/// The answer's header of this name, of the first attempt of the first delivery.
fn answer_header<'a>(acted: &'a Acted, name: &str) -> Option<&'a str> {
    let headers = &acted.deliveries.first()?.attempts.first()?.answer_headers;
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The title of the modal on top, and its first block.
fn top(world: &World) -> Option<(String, Value)> {
    world.slack.read(|state| {
        let modals = state.modals("ada");
        let body = &modals.last()?.body;
        Some((body["title"]["text"].as_str()?.to_owned(), body["blocks"][0].clone()))
    })
}

async fn modal_titled(world: &World, title: &str) -> Value {
    world.wait_for(title, || top(world).filter(|(shown, _)| shown == title)).await.1
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
        // From the access log of AWS to the delivery, and from the delivery to what Slack's support asks for.
        let ack = world.step("the answer", |step| step.step == "ack" && step.kind.as_deref() == Some("message")).await;
        assert_eq!(ack.request.as_deref(), answer_header(&said, "apigw-requestid"));
        let call = world.step("the call", |step| step.method.as_deref() == Some("chat.postMessage")).await;
        let slacks = world.slack.read(|state| state.calls_of("chat.postMessage")[0].id.clone());
        assert_eq!(call.request, Some(slacks));
        assert!(ack.request.is_some() && call.delivery == ack.delivery);
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

#[test]
fn the_sample_command_responds_to_the_person_who_typed_it() {
    in_world(Setup::starter(), async |world| {
        let typed =
            act(world, json!({ "act": "command", "channel": "playground", "text": "/sample-command hello" })).await;
        assert_eq!((typed.deliveries[0].attempts[0].status, typed.shown.outcome), (Some(200), "nothing"));
        world.settled().await;
        world.slack.read(|state| {
            assert_eq!(state.calls_of("response_url").len(), 1);
            let message = state.messages("playground").last().unwrap();
            assert_eq!(message.ephemeral_to.as_deref(), Some("U0ADA0001"), "a response is for one person");
            assert!(message.text().ends_with("hello"), "{}", message.text());
        });
        assert_eq!(world.jobs("sample_command.respond", "done").len(), 1);
    });
}

#[test]
fn the_sample_shortcut_opens_a_modal_that_its_button_updates_and_that_posts_what_was_entered() {
    in_world(Setup::starter(), async |world| {
        let run = act(world, json!({ "act": "shortcut", "callback_id": "sample_shortcut_id" })).await;
        assert_eq!(run.deliveries[0].attempts[0].status, Some(200));
        let first = modal_titled(world, "Sample modal").await;
        assert_eq!(first["accessory"]["action_id"], "sample_action_id");

        let typed = json!({ "sample_input_id": "peace & <!channel>" });
        act(world, json!({ "act": "click", "action_id": "sample_action_id", "values": typed })).await;
        let first = modal_titled(world, "Updated modal").await;
        assert!(first.get("accessory").is_none(), "{first}");
        world.slack.read(|state| {
            let [view] = state.modals("ada")[..] else { panic!("not one modal") };
            assert_eq!(view.body["callback_id"], "sample_view_id");
            let kept = view.chosen_values();
            assert_eq!(kept["input_block_id"]["sample_input_id"]["value"], "peace & <!channel>", "{kept}");
        });

        // Slack's client itself asks for what is missing: the app never hears of it.
        let empty = act(world, json!({ "act": "submit" })).await;
        assert_eq!((empty.shown.outcome, empty.deliveries.len()), ("not_sent", 0));
        let values = json!({ "sample_dropdown_id": "C0PLAY001" });
        let submitted = act(world, json!({ "act": "submit", "values": values })).await;
        assert_eq!(submitted.shown.outcome, "closed");
        world.settled().await;
        world.slack.read(|state| {
            assert!(state.modals("ada").is_empty());
            let [call] = state.calls_of("chat.postMessage")[..] else { panic!("not one post") };
            assert_eq!(call.args["channel"], "C0PLAY001");
        });
        assert_eq!(world.posted(), ["<@U0ADA0001> hopes for this :sparkles:\npeace &amp; &lt;!channel&gt;"]);
        let done = ["sample_shortcut.open", "sample_action.update", "sample_view.post"];
        assert!(done.iter().all(|job| world.jobs(job, "done").len() == 1), "{:?}", world.steps());
    });
}

#[test]
fn a_press_on_a_modal_that_has_changed_since_is_nobodys_dead_letter() {
    in_world(Setup::starter(), async |world| {
        act(world, json!({ "act": "shortcut", "callback_id": "sample_shortcut_id" })).await;
        modal_titled(world, "Sample modal").await;
        let pressed = act(world, json!({ "act": "click", "action_id": "sample_action_id" })).await;
        modal_titled(world, "Updated modal").await;
        // The same press once more, from a client that had not seen the update.
        let mut again = pressed.deliveries[0].payload();
        again["trigger_id"] = json!("1.2.another");
        world.deliver(DeliveryRequest::interactive(again)).await;
        world.settled().await;
        let [discarded] = &world.jobs("sample_action.update", "discarded")[..] else { panic!("{:?}", world.steps()) };
        assert!(discarded.reason.as_deref().unwrap_or_default().contains("hash_conflict"), "{discarded:?}");
        let letters = world.stack.aws.sqs().peek("interactions-dlq");
        assert!(letters.is_empty(), "{letters:?}");
    });
}

#[test]
fn the_home_tab_is_published_for_whoever_opens_it() {
    in_world(Setup::starter(), async |world| {
        for (person, id) in [("ada", "U0ADA0001"), ("grace", "U0GRACE01")] {
            act(world, json!({ "as": person, "act": "open_home" })).await;
            let published = || world.slack.read(|state| state.home(person).map(|view| view.body.clone()));
            let home = world.wait_for("a Home tab", published).await;
            assert_eq!(home["type"], "home");
            let greeting = home["blocks"][0]["text"]["text"].as_str().unwrap();
            assert!(greeting.contains(&format!("<@{id}>")), "{greeting}");
        }
        world.settled().await;
        // The event comes for the Messages tab as well, where there is nothing to publish.
        let messages =
            json!({ "type": "app_home_opened", "user": "U0ADA0001", "channel": "D0ADA0001", "tab": "messages" });
        world.deliver(DeliveryRequest::event(messages)).await;
        world.settled().await;
        assert_eq!(world.slack.read(|state| state.calls_of("views.publish").len()), 2);
        assert_eq!(world.jobs("app_home_opened.publish", "done").len(), 3);
    });
}
