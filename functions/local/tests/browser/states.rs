//! What each page says when there is nothing to show, and when something is wrong: what is missing, why, and what to do.

use crate::browser::in_browser;
use crate::page::{Page, Theme, element, id};
use crate::tack::{Tack, wait_for};
use serde_json::json;

#[test]
fn pages_with_nothing_on_them_say_what_to_do() {
    in_browser(|_, page| {
        page.open("/");
        page.sees_text(&id("empty-state"), "No messages in #playground yet.");
        page.sees_text(&id("empty-state"), "hi");

        page.open("/app/home");
        page.sees_text(&id("empty-state"), "has not published a Home tab for Ada");
        page.screenshot("empty-home");

        page.open("/app/messages");
        page.sees(&id("empty-state"));

        page.open("/console/dead-letters");
        page.sees_text(&id("empty-state"), "None");
        page.screenshot("empty-dead-letters");

        page.open("/console/faults");
        page.sees_text(&id("empty-state"), "All off. The app sees an honest Slack.");
        page.screenshot("empty-faults");

        // The probe came through before anybody looked.
        page.open("/console/deliveries?kind=command");
        page.sees(&id("empty-state"));
        page.screenshot("empty-deliveries");
    });
}

#[test]
fn where_the_app_is_not_it_can_be_invited() {
    in_browser(|tack, page| {
        let channels = tack.facts("/sim/workspace");
        let bot = channels["app"]["bot_user_id"].clone();
        let without = channels["channels"].as_array().unwrap().iter().find(|channel| {
            channel["channel_type"] == "channel" && !channel["members"].as_array().unwrap().contains(&bot)
        });
        let channel = without.unwrap()["id"].as_str().unwrap().to_owned();
        page.open(&format!("/archives/{channel}"));
        page.sees_text(&id("empty-state"), "not in this channel");
        page.screenshot("not-in-channel");
        page.click(&id("invite-app"));
        page.sees_no(&id("invite-app"));
        page.say("hi");
        page.sees_text(&format!("{}.app", id("message")), "hi, how are you?");
    });
}

#[test]
fn a_search_without_a_match_and_one_that_makes_no_sense_say_so() {
    in_browser(|tack, page| {
        tack.say("playground", "hi");
        page.open("/console/deliveries?q=is%3Afailed+kind%3Acommand");
        page.sees_text(&id("empty-state"), "is:failed kind:command");
        page.screenshot("nothing-matches");
        page.click(&format!("{} a[href=\"/console/deliveries\"]", id("empty-state")));
        page.sees(&id("delivery-row"));

        page.expect_in_console("400");
        page.open("/console/deliveries?q=is%3Alost");
        page.sees_text(&id("error-state"), "lost");
        page.sees_text(&id("error-state"), "done");
        assert_eq!(
            page.ask("return document.querySelector(arguments[0]).value", &[json!(id("delivery-search"))]),
            "is:lost"
        );
        page.screenshot("bad-query");
    });
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    in_browser(|_, page| {
        page.expect_in_console("404");
        page.open("/console/deliveries/0000dead");
        page.sees_text("main", "left the history (10,000 kept)");
        page.screenshot("unknown-delivery");

        page.open("/console/dead-letters/0000dead");
        page.sees_text("main", "0000dead");

        page.open("/archives/C0NOWHERE");
        page.sees_text("main", "no such channel");

        page.open("/no/such/page");
        page.sees_text("main", "/console/deliveries");
        page.sees_text("main", "/app/home");
        page.screenshot("no-such-page");
    });
}

#[test]
fn what_slack_would_say_of_an_app_that_fails_is_shown_with_the_reason() {
    in_browser(|tack, page| {
        page.open("/");
        let on = json!({ "fault": "queue-refuses", "on": true, "times": null });
        assert_eq!(tack.ask(&crate::http::Request::post("/console/faults", &on).json()).status, 200);
        page.sees(&id("fault-chip"));
        page.say("/sample-command hello");
        page.sees_text(&id("slack-error"), "failed with the error");
        page.sees_text(".notice", "why?");
        page.screenshot("slack-error");
        let off = json!({ "all": false });
        assert_eq!(tack.ask(&crate::http::Request::post("/console/faults", &off).json()).status, 200);
        page.sees_no(&id("fault-chip"));
    });
}

#[test]
fn a_modal_whose_app_fails_stays_open_with_what_was_typed() {
    in_browser(|tack, page| {
        page.open("/");
        page.say("/order 3");
        page.sees(&id("modal"));
        page.fill(&id("option-search"), "green");
        page.choose(&format!("{} select", element("order_item")), "Green tea");
        let on = json!({ "fault": "queue-refuses", "on": true, "times": null });
        assert_eq!(tack.ask(&crate::http::Request::post("/console/faults", &on).json()).status, 200);
        page.click(&id("modal-submit"));
        page.sees_text(&format!("{} {}", id("modal"), id("slack-error")), "trouble");
        page.screenshot("modal-trouble");
        let quantity =
            page.ask("return document.querySelector(arguments[0]).value", &[json!(element("order_quantity"))]);
        assert_eq!(quantity, "3");
    });
}

#[test]
fn an_unknown_block_is_shown_and_never_dropped() {
    in_browser(|tack, page| {
        let blocks = json!([
            { "type": "section", "text": { "type": "mrkdwn", "text": "known" } },
            { "type": "video", "title": { "type": "plain_text", "text": "A film" }, "alt_text": "a film",
              "video_url": "https://example.com/v", "thumbnail_url": "https://example.com/t.png" },
        ]);
        tack.post("playground", "a film", &blocks);
        page.open("/");
        page.sees_text(&id("unknown-block"), "video: not rendered here yet");
        page.sees_text(&id("block"), "known");
        page.screenshot("unknown-block");
    });
}

#[test]
fn every_page_stays_readable_when_tack_is_gone() {
    in_browser(|tack, page| {
        tack.say("playground", "hi");
        wait_for("the answer", || (tack.count("playground", "hi, how are you?") == 1).then_some(()));
        page.open("/");
        page.sees_text(&id("message-text"), "hi, how are you?");
        page.is_true("the stream is open", "document.getElementById('live-chip').dataset.state === 'ok'");
        gone(tack, page);
        page.sees_text(&id("message-text"), "hi, how are you?");
        page.screenshot("gone");
        page.prefer(Theme::Dark);
        page.screenshot("gone");
        page.fill(&id("composer-input"), "are you there?");
        page.press(&[crate::web_driver::keys::ENTER]);
        page.sees_text(&id("toast"), "did not answer");
        let kept = page.ask("return document.querySelector(arguments[0]).value", &[json!(id("composer-input"))]);
        assert_eq!(kept, "are you there?", "and what was typed is kept");
    });
}

fn gone(tack: &mut Tack, page: &Page) {
    page.expect_in_console("ERR_CONNECTION_REFUSED");
    page.expect_in_console("ERR_INCOMPLETE_CHUNKED_ENCODING");
    page.expect_in_console("ERR_EMPTY_RESPONSE");
    page.expect_in_console("ERR_CONNECTION_RESET");
    tack.stop();
    page.sees_text("#gone", "tack stopped. Start it with cargo run");
}
