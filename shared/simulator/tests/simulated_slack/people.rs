//! What people do and see: commands, modals, buttons, suggestions, shortcuts, the Home tab.

use super::stand_in::{Http, Reply, Seen, act, answering, content_slack, refusal, slack, text};
use serde_json::{Value, json};
use tack_simulator::{Config, Simulator};

fn order_modal() -> Value {
    json!({
        "type": "modal", "callback_id": "order_modal", "title": text("Order"), "submit": text("Go"), "notify_on_close": true,
        "blocks": [
            {"type": "input", "block_id": "quantity_block", "label": text("How many?"),
             "element": {"type": "number_input", "action_id": "quantity", "is_decimal_allowed": false}},
            {"type": "input", "block_id": "city_block", "label": text("Where?"), "optional": true,
             "element": {"type": "external_select", "action_id": "city"}},
            {"type": "actions", "block_id": "size_block", "elements": [
                {"type": "static_select", "action_id": "size", "options": [
                    {"text": text("Small"), "value": "s"}, {"text": text("Large"), "value": "l"}]}]},
        ],
    })
}

/// Opens the order modal for Ada, as an app would after a command.
async fn open(simulator: &Simulator, http: &Http) -> Value {
    let acted = act(simulator, json!({"act": "command", "channel": "#playground", "text": "/order"})).await;
    let trigger_id = acted.deliveries[0].payload()["trigger_id"].clone();
    let opened = http.call("views.open", &json!({"trigger_id": trigger_id, "view": order_modal()})).await;
    assert_eq!(opened["ok"], true, "{opened}");
    opened["view"].clone()
}

#[tokio::test]
async fn what_is_said_reaches_the_app_and_a_mention_reaches_it_twice() {
    let (simulator, log) = content_slack();
    let acted =
        act(&simulator, json!({"as": "grace", "act": "say", "channel": "#playground", "text": "@tack hi"})).await;
    let events: Vec<_> = log.lock().unwrap().iter().map(Seen::payload).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["event"]["type"].clone()).collect();
    assert_eq!(kinds, ["message", "app_mention"]);
    assert_ne!(events[0]["event_id"], events[1]["event_id"]);
    assert_eq!(events[0]["event"]["user"], "U0GRACE01");
    assert_eq!(events[0]["event"]["text"], "<@U0TACKBOT> hi");
    assert_eq!((acted.deliveries.len(), acted.shown.outcome), (2, "said"));
    act(&simulator, json!({"act": "say", "channel": "D0ADA0001", "text": "@tack hi"})).await;
    let last = log.lock().unwrap().last().unwrap().payload();
    assert_eq!((&last["event"]["type"], &last["event"]["channel_type"]), (&json!("message"), &json!("im")));
    assert_eq!(log.lock().unwrap().len(), 3, "in direct messages there is no app_mention");
}

#[tokio::test]
async fn the_answer_to_a_command_is_a_message() {
    for (reply, outcome, sees_grace) in [
        (Reply::status(200), "nothing", false),
        (Reply::text("got it"), "message", false),
        (Reply::json(&json!({"text": "got it"})), "message", false),
        (Reply::json(&json!({"text": "got it", "response_type": "in_channel"})), "message", true),
        (Reply::json(&json!({"blocks": [{"type": "secton"}]})), "trouble", false),
    ] {
        let (simulator, log) = answering(vec![reply]);
        let acted = act(&simulator, json!({"act": "command", "channel": "#playground", "text": "/order 3"})).await;
        assert_eq!(acted.shown.outcome, outcome);
        let form = log.lock().unwrap()[0].payload();
        assert_eq!((&form["command"], &form["text"]), (&json!("/order"), &json!("3")));
        let messages = simulator.read(|state| state.messages("playground").to_vec());
        assert_eq!(messages.len(), usize::from(outcome == "message"));
        assert_eq!(messages.iter().any(|message| message.ephemeral_to.is_none()), sees_grace);
    }
}

#[tokio::test]
async fn a_command_that_fails_says_so_in_slacks_words() {
    for (status, word) in [(404, "http_client_error"), (500, "http_service_error")] {
        let (simulator, _) = answering(vec![Reply::status(status)]);
        let acted = act(&simulator, json!({"act": "command", "channel": "general", "text": "/order"})).await;
        assert_eq!(acted.shown.text.unwrap(), format!("/order failed with the error \"{word}\""));
    }
    let (simulator, _) = content_slack();
    let why = refusal(&simulator, json!({"act": "command", "channel": "general", "text": "order"})).await;
    assert!(why.contains("starts with /"), "{why}");
}

#[tokio::test]
async fn a_modal_is_walked_from_errors_to_the_end() {
    let errors = json!({"response_action": "errors", "errors": {"quantity_block": "too many"}});
    let mut second = order_modal();
    second["title"] = text("Sure?");
    second["blocks"] = json!([{"type": "divider"}]);
    let (simulator, log) = answering(vec![
        Reply::status(200),
        Reply::json(&errors),
        Reply::json(&json!({"response_action": "update", "view": order_modal()})),
        Reply::json(&json!({"response_action": "push", "view": second})),
        Reply::status(200),
        Reply::json(&json!({"response_action": "clear"})),
    ]);
    let http = Http::serve(&simulator).await;
    let view = open(&simulator, &http).await;

    let unfilled = act(&simulator, json!({"act": "submit"})).await;
    assert_eq!((unfilled.shown.outcome, unfilled.deliveries.len()), ("not_sent", 0));
    assert!(unfilled.shown.errors.unwrap()["quantity_block"].is_string());

    let refused = act(&simulator, json!({"act": "submit", "values": {"quantity": 99, "size": "Large"}})).await;
    assert_eq!((refused.shown.outcome, refused.shown.errors.clone()), ("errors", Some(errors["errors"].clone())));
    let payload = log.lock().unwrap()[1].payload();
    assert_eq!((&payload["type"], &payload["view"]["id"]), (&json!("view_submission"), &view["id"]));
    assert_eq!(payload["view"]["hash"], view["hash"]);
    let values = &payload["view"]["state"]["values"];
    assert_eq!(values["quantity_block"]["quantity"], json!({"type": "number_input", "value": "99"}));
    assert_eq!(values["city_block"]["city"], json!({"type": "external_select", "selected_option": null}));
    assert_eq!(values["size_block"]["size"]["selected_option"]["value"], "l");

    let updated = act(&simulator, json!({"act": "submit", "values": {"quantity_block": "2"}})).await;
    assert_eq!(updated.shown.outcome, "updated");
    let new = updated.shown.view.unwrap();
    assert_eq!(new["id"], view["id"]);
    assert_ne!(new["hash"], view["hash"]);

    let pushed = act(&simulator, json!({"act": "submit"})).await;
    assert_eq!(pushed.shown.outcome, "pushed");
    assert_eq!(simulator.read(|state| state.modals("ada").len()), 2);
    let closed = act(&simulator, json!({"act": "submit"})).await;
    assert_eq!(closed.shown.outcome, "closed");
    assert_eq!(simulator.read(|state| state.modals("ada")[0].id().to_owned()), view["id"]);
    assert_eq!(act(&simulator, json!({"act": "submit"})).await.shown.outcome, "cleared");
    assert!(simulator.read(|state| state.modals("ada").is_empty()));
    assert!(refusal(&simulator, json!({"act": "submit"})).await.contains("no modal open"));
}

#[tokio::test]
async fn a_bad_answer_to_a_submission_is_trouble_and_the_modal_stays() {
    for (reply, why) in [
        (Reply::text("ok"), "wants an empty body"),
        (Reply::status(500), "was not answered"),
        (Reply::json(&json!({"response_action": "explode"})), "response_action"),
        (Reply::json(&json!({"response_action": "errors", "errors": {}})), "errors"),
        (
            Reply::json(&json!({"response_action": "errors", "errors": {"quantity": "x"}})),
            "no input block has the block_id `quantity`",
        ),
        (Reply::json(&json!({"response_action": "errors", "errors": {"size_block": "x"}})), "no input block"),
        (Reply::json(&json!({"response_action": "update", "view": {"type": "modal"}})), "missing required field"),
    ] {
        let (simulator, _) = answering(vec![Reply::status(200), reply]);
        let http = Http::serve(&simulator).await;
        open(&simulator, &http).await;
        let acted = act(&simulator, json!({"act": "submit", "values": {"quantity": 1}})).await;
        assert_eq!(acted.shown.outcome, "trouble");
        let warnings = acted.deliveries[0].warnings.join("; ");
        assert!(warnings.contains(why), "{warnings:?} lacks {why:?}");
        assert_eq!(simulator.read(|state| state.modals("ada").len()), 1);
    }
}

#[tokio::test]
async fn a_fourth_modal_is_trouble() {
    let push =
        Reply::json(&json!({"response_action": "push", "view": {"type": "modal", "title": text("x"), "blocks": []}}));
    let (simulator, _) = answering(vec![Reply::status(200), push.clone(), push.clone(), push]);
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    assert_eq!(act(&simulator, json!({"act": "submit", "values": {"quantity": 1}})).await.shown.outcome, "pushed");
    assert_eq!(act(&simulator, json!({"act": "submit"})).await.shown.outcome, "pushed");
    let fourth = act(&simulator, json!({"act": "submit"})).await;
    assert_eq!(fourth.shown.outcome, "trouble");
    assert!(fourth.deliveries[0].warnings[0].contains("push_limit_reached"));
}

#[tokio::test]
async fn options_are_suggested_and_then_chosen() {
    let options = json!({"options": [{"text": text("Zürich"), "value": "zrh"}]});
    let (simulator, log) = answering(vec![Reply::status(200), Reply::json(&options)]);
    let http = Http::serve(&simulator).await;
    let view = open(&simulator, &http).await;
    let early = refusal(&simulator, json!({"act": "submit", "values": {"quantity": 1, "city": "zrh"}})).await;
    assert!(early.contains("ask for suggestions first"), "{early}");
    let acted =
        act(&simulator, json!({"act": "suggest", "view_id": view["id"], "action_id": "city", "value": "zür"})).await;
    assert_eq!((acted.shown.outcome, acted.shown.options), ("options", Some(options)));
    let payload = log.lock().unwrap()[1].payload();
    assert_eq!((&payload["type"], &payload["value"]), (&json!("block_suggestion"), &json!("zür")));
    assert_eq!((&payload["block_id"], &payload["container"]["view_id"]), (&json!("city_block"), &view["id"]));
    act(&simulator, json!({"act": "submit", "values": {"quantity": 1, "city": "Zürich"}})).await;
    let payload = log.lock().unwrap()[2].payload();
    assert_eq!(payload["view"]["state"]["values"]["city_block"]["city"]["selected_option"]["value"], "zrh");
    let wrong = refusal(&simulator, json!({"act": "suggest", "view_id": view["id"], "action_id": "quantity"})).await;
    assert!(wrong.contains("no view"), "the modal is closed by now: {wrong}");
}

#[tokio::test]
async fn options_slack_would_not_show_are_none() {
    let many = vec![json!({"text": text("x"), "value": "x"}); 101];
    for reply in [
        Reply::json(&json!({"options": many})),
        Reply::json(&json!({"options": [{"text": "plain", "value": "x"}]})),
        Reply::json(&json!({"choices": []})),
        Reply::status(200),
        Reply::status(500),
    ] {
        let (simulator, _) = answering(vec![Reply::status(200), reply]);
        let http = Http::serve(&simulator).await;
        open(&simulator, &http).await;
        let acted = act(&simulator, json!({"act": "suggest", "action_id": "city", "value": "z"})).await;
        assert_eq!((acted.shown.outcome, acted.shown.options), ("trouble", Some(json!({"options": []}))));
        assert!(!acted.deliveries[0].warnings.is_empty());
    }
}

#[tokio::test]
async fn a_button_in_a_message_is_pressed_and_the_message_replaced() {
    let (simulator, log) = answering(vec![Reply::text("thanks")]);
    simulator.set_app_member("#random", true).unwrap();
    let http = Http::serve(&simulator).await;
    let button = json!({"type": "button", "action_id": "button_click", "text": text("Click Me"), "value": "v"});
    let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "Hey"}, "accessory": button}]);
    // Ephemeral, so that no echo gets between.
    let posted = http
        .call(
            "chat.postEphemeral",
            &json!({"channel": "C0RANDOM1", "user": "U0ADA0001", "text": "Hey", "blocks": blocks}),
        )
        .await;
    let press = json!({"act": "click", "channel": "#random", "ts": posted["message_ts"], "action_id": "button_click"});
    let acted = act(&simulator, press.clone()).await;
    let payload = log.lock().unwrap()[0].payload();
    assert_eq!(payload["actions"][0]["value"], "v");
    assert_eq!(
        payload["container"],
        json!({"type": "message", "message_ts": posted["message_ts"], "channel_id": "C0RANDOM1", "is_ephemeral": true})
    );
    assert_eq!(payload.get("message"), None, "Slack keeps no ephemeral message");
    assert!(acted.deliveries[0].warnings[0].contains("wants an empty body"));
    let mut of_grace = press;
    of_grace["as"] = json!("grace");
    assert!(refusal(&simulator, of_grace).await.contains("no message"));
    let path = payload["response_url"].as_str().unwrap().strip_prefix("http://localhost:4000").unwrap();
    assert_eq!(http.post(path, &json!({"text": "done", "replace_original": true})).await.text, "ok");
    assert_eq!(simulator.read(|state| state.messages("random")[0].text().to_owned()), "done");
    assert_eq!(http.post(path, &json!({"delete_original": true})).await.text, "ok");
    assert!(simulator.read(|state| state.messages("random").is_empty()));
}

#[tokio::test]
async fn a_choice_in_a_modal_is_told_with_the_state_of_the_view() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    let view = open(&simulator, &http).await;
    act(&simulator, json!({"act": "click", "action_id": "size", "value": "s"})).await;
    let payload = log.lock().unwrap()[1].payload();
    assert_eq!((&payload["type"], &payload["container"]["view_id"]), (&json!("block_actions"), &view["id"]));
    assert_eq!(payload["actions"][0]["selected_option"]["value"], "s");
    assert_eq!(payload["view"]["state"]["values"]["size_block"]["size"]["selected_option"]["value"], "s");
    assert_eq!(payload.get("response_url"), None);
    // An input without dispatch_action keeps silent until the modal is submitted.
    assert!(act(&simulator, json!({"act": "click", "action_id": "quantity", "value": 4})).await.deliveries.is_empty());
    act(&simulator, json!({"act": "submit"})).await;
    let payload = log.lock().unwrap()[2].payload();
    assert_eq!(payload["view"]["state"]["values"]["quantity_block"]["quantity"]["value"], "4");
    assert_eq!(payload["view"]["state"]["values"]["size_block"]["size"]["selected_option"]["value"], "s");
}

#[tokio::test]
async fn a_click_on_nothing_names_what_is_there() {
    let (simulator, _) = content_slack();
    let http = Http::serve(&simulator).await;
    open(&simulator, &http).await;
    let why = refusal(&simulator, json!({"act": "click", "action_id": "colour"})).await;
    assert!(why.contains("quantity, city, size"), "{why}");
    assert!(
        refusal(&simulator, json!({"act": "click", "action_id": "size", "value": "xl"})).await.contains("no option")
    );
}

#[tokio::test]
async fn a_modal_that_is_closed_tells_the_app_if_it_asked() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    let view = open(&simulator, &http).await;
    act(&simulator, json!({"act": "close"})).await;
    let payload = log.lock().unwrap()[1].payload();
    assert_eq!((&payload["type"], &payload["view"]["id"]), (&json!("view_closed"), &view["id"]));
    assert_eq!(payload["is_cleared"], false);
    let gone = json!({"view_id": view["id"], "view": order_modal()});
    assert_eq!(http.call("views.update", &gone).await["error"], "not_found");
}

#[tokio::test]
async fn shortcuts_carry_what_slack_puts_in_them() {
    let (simulator, log) = content_slack();
    let said = act(&simulator, json!({"act": "say", "channel": "#random", "text": "file me"})).await;
    let ts = said.shown.message.unwrap()["ts"].clone();
    act(&simulator, json!({"act": "shortcut", "callback_id": "new_order"})).await;
    act(&simulator, json!({"act": "message_shortcut", "channel": "#random", "ts": ts, "callback_id": "file_it"})).await;
    let payloads: Vec<_> = log.lock().unwrap().iter().map(Seen::payload).collect();
    assert_eq!((&payloads[0]["type"], &payloads[0]["callback_id"]), (&json!("shortcut"), &json!("new_order")));
    assert_eq!(payloads[0].get("response_url"), None);
    assert_eq!((&payloads[1]["type"], &payloads[1]["message"]["text"]), (&json!("message_action"), &json!("file me")));
    assert!(payloads[1]["response_url"].is_string());
}

#[tokio::test]
async fn the_home_tab_brings_its_view_once_there_is_one() {
    let (simulator, log) = content_slack();
    let http = Http::serve(&simulator).await;
    act(&simulator, json!({"as": "grace", "act": "open_home"})).await;
    let home = json!({"type": "home", "blocks": [{"type": "divider"}]});
    let published = http.call("views.publish", &json!({"user_id": "U0GRACE01", "view": home})).await;
    act(&simulator, json!({"as": "grace", "act": "open_home"})).await;
    let events: Vec<_> = log.lock().unwrap().iter().map(|seen| seen.payload()["event"].clone()).collect();
    assert_eq!((&events[0]["type"], &events[0]["tab"]), (&json!("app_home_opened"), &json!("home")));
    assert_eq!(events[0].get("view"), None);
    assert_eq!(events[1]["view"]["id"], published["view"]["id"]);
}

#[tokio::test]
async fn unsubscribed_events_are_not_sent() {
    let config = Config { bot_events: Vec::new(), ..Config::default() };
    let (simulator, log) = slack(config, |_| Reply::status(200));
    act(&simulator, json!({"act": "say", "channel": "#playground", "text": "@tack hi"})).await;
    act(&simulator, json!({"act": "open_home"})).await;
    assert!(log.lock().unwrap().is_empty());
}
