//! Block Kit's elements under a person's hands: what each sends to the app when it is used, in Slack's words.
//! Source: <https://docs.slack.dev/reference/interaction-payloads/block_actions-payload/>

use crate::browser::in_browser;
use crate::page::{Page, element, id};
use crate::tack::{Tack, wait_for};
use crate::web_driver::keys;
use serde_json::{Value, json};

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text })
}

fn option(text: &str) -> Value {
    json!({ "text": plain(text), "value": format!("value of {text}") })
}

fn actions(elements: &Value) -> Value {
    json!([{ "type": "actions", "block_id": "the block", "elements": elements }])
}

/// The action of the newest press, once there are so many.
fn pressed(tack: &Tack, page: &Page, times: usize) -> Value {
    page.is_true("the page at rest", "!document.querySelector('[aria-busy=true]')");
    wait_for(&format!("press {times}"), || {
        let list = tack.facts("/sim/deliveries");
        let bodies = list["deliveries"].as_array().into_iter().flatten().map(|delivery| &delivery["body"]);
        let presses: Vec<&Value> = bodies.filter(|body| body["type"] == "block_actions").collect();
        assert!(presses.len() <= times, "more presses than asked for: {presses:#?}");
        (presses.len() == times).then(|| presses[times - 1]["actions"][0].clone())
    })
}

/// What is expected is part of what was sent.
fn holds(found: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&found[name], value, "{name} of {found:#}");
    }
}

#[test]
fn every_element_tells_the_app_what_was_done_with_it() {
    in_browser(|tack, page| {
        let options = json!([option("one"), option("two"), option("three")]);
        tack.post(
            "playground",
            "elements",
            &actions(&json!([
                { "type": "button", "action_id": "button", "text": plain("Press"), "value": "the value" },
                { "type": "static_select", "action_id": "static", "options": options },
                { "type": "overflow", "action_id": "overflow", "options": options },
                { "type": "users_select", "action_id": "user" },
                { "type": "conversations_select", "action_id": "conversation" },
                { "type": "channels_select", "action_id": "channel" },
                { "type": "datepicker", "action_id": "date", "initial_date": "2026-11-24" },
                { "type": "timepicker", "action_id": "time" },
                { "type": "datetimepicker", "action_id": "moment" },
                { "type": "checkboxes", "action_id": "boxes", "options": options },
                { "type": "radio_buttons", "action_id": "radios", "options": options },
            ])),
        );
        page.open("/");
        page.sees(&element("button"));

        page.click(&element("button"));
        holds(
            &pressed(tack, page, 1),
            &json!({ "type": "button", "action_id": "button", "block_id": "the block", "value": "the value" }),
        );
        page.choose(&element("static"), "two");
        holds(&pressed(tack, page, 2)["selected_option"], &json!({ "value": "value of two" }));
        page.choose(&element("user"), "Grace Hopper");
        holds(&pressed(tack, page, 3), &json!({ "type": "users_select", "selected_user": "U0GRACE01" }));
        page.choose(&element("conversation"), "#random");
        holds(
            &pressed(tack, page, 4),
            &json!({ "type": "conversations_select", "selected_conversation": "C0RANDOM1" }),
        );
        page.choose(&element("channel"), "#general");
        assert_eq!(pressed(tack, page, 5)["selected_channel"].as_str().map(|id| &id[..1]), Some("C"));

        set(page, "date", "2026-12-31");
        holds(
            &pressed(tack, page, 6),
            &json!({ "type": "datepicker", "selected_date": "2026-12-31", "initial_date": "2026-11-24" }),
        );
        set(page, "time", "09:14");
        holds(&pressed(tack, page, 7), &json!({ "type": "timepicker", "selected_time": "09:14" }));
        set(page, "moment", "2026-11-24T09:14");
        holds(&pressed(tack, page, 8), &json!({ "type": "datetimepicker", "selected_date_time": 1_795_511_640 }));

        page.click(&format!("{} input[value=\"value of one\"]", element("boxes")));
        assert_eq!(values(&pressed(tack, page, 9)["selected_options"]), ["value of one"]);
        page.click(&format!("{} input[value=\"value of three\"]", element("boxes")));
        assert_eq!(values(&pressed(tack, page, 10)["selected_options"]), ["value of one", "value of three"]);
        page.click(&format!("{} input[value=\"value of two\"]", element("radios")));
        holds(&pressed(tack, page, 11)["selected_option"], &json!({ "value": "value of two" }));

        page.click(&format!("{} summary", element("overflow")));
        page.click(&format!("{} {}:nth-of-type(2)", element("overflow"), id("option")));
        holds(&pressed(tack, page, 12), &json!({ "type": "overflow" }));
        page.screenshot("elements-used");
    });
}

fn set(page: &Page, action_id: &str, value: &str) {
    page.sees(&element(action_id));
    let script = "const one = document.querySelector(arguments[0]);
        const control = one.matches('input') ? one : one.querySelector('input');
        control.focus();
        control.value = arguments[1];
        control.dispatchEvent(new Event('input', { bubbles: true }));
        control.dispatchEvent(new Event('change', { bubbles: true }));";
    page.ask(script, &[json!(element(action_id)), json!(value)]);
}

fn values(options: &Value) -> Vec<&str> {
    options.as_array().into_iter().flatten().filter_map(|option| option["value"].as_str()).collect()
}

#[test]
fn an_element_that_asks_first_sends_nothing_until_it_is_answered_yes() {
    in_browser(|tack, page| {
        tack.post("playground", "confirm", &actions(&json!([{
            "type": "button", "action_id": "delete", "text": plain("Delete"), "style": "danger",
            "confirm": { "title": plain("Really?"), "text": plain("It is gone then."), "confirm": plain("Delete it"), "deny": plain("Keep it") },
        }])));
        page.open("/");
        for refuse in [&|page: &Page| page.click(&id("confirm-no")) as _, &|page: &Page| page.press(&[keys::ESCAPE])]
            as [&dyn Fn(&Page); 2]
        {
            page.click(&element("delete"));
            page.sees_text(&id("confirm-dialog"), "It is gone then.");
            page.screenshot("confirm");
            refuse(page);
            page.sees_no(&id("confirm-dialog"));
        }
        page.click(&element("delete"));
        page.sees_text(&id("confirm-yes"), "Delete it");
        page.click(&id("confirm-yes"));
        holds(&pressed(tack, page, 1), &json!({ "action_id": "delete" }));
    });
}

#[test]
fn a_press_that_fails_shows_a_warning_on_its_block() {
    in_browser(|tack, page| {
        tack.post(
            "playground",
            "press me",
            &actions(&json!([{ "type": "button", "action_id": "sample_action_id", "text": plain("Press") }])),
        );
        page.open("/");
        let on = json!({ "fault": "queue-refuses", "on": true, "times": null });
        assert_eq!(tack.ask(&crate::http::Request::post("/console/faults", &on).json()).status, 200);
        page.click(&element("sample_action_id"));
        page.sees(&id("block-problem"));
        page.screenshot("block-problem");
    });
}
