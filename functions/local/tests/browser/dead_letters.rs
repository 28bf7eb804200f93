//! A delivery that cannot succeed: it is found, understood, mended and sent back, all on the pages.

use crate::browser::in_browser;
use crate::page::id;
use crate::tack::wait_for;
use serde_json::json;

#[test]
fn a_poison_delivery_says_why_it_died_and_comes_back_by_a_redrive() {
    in_browser(|tack, page| {
        // Slack refuses for good, so there is no second attempt.
        tack.set_faults(&json!({ "web_api": { "chat.postMessage": { "error": "restricted_action" } } }));
        page.open("/");
        page.say("hi");
        page.sees_text(&id("delivery-link"), "dead");
        page.screenshot("dead-01-in-the-channel");

        page.click(&id("delivery-link"));
        page.wait_for_path("/console/deliveries/");
        page.sees_text(&id("delivery-sentence"), "restricted_action");
        page.screenshot("dead-02-story");

        page.click(&id("nav-dead-letters"));
        page.sees_text("h1", "Dead letters");
        page.sees_text(&id("dlq-group"), "restricted_action");
        assert_eq!(page.count(&id("dlq-row")), 1);
        page.screenshot("dead-03-letters");
        page.click(&id("dlq-dry-run"));
        page.sees_text(&id("dlq-outcome"), "1 letter");
        page.screenshot("dead-04-dry-run");
        assert_eq!(letters(tack), 1, "a dry run moves nothing");
        assert_eq!(tack.count("playground", "hi, how are you?"), 0);

        tack.set_faults(&json!({}));
        page.open("/console/dead-letters");
        page.click(&id("redrive"));
        page.sees_text(&id("empty-state"), "None");
        wait_for("the answer", || (tack.count("playground", "hi, how are you?") == 1).then_some(()));
        page.open("/");
        page.sees_times(1, &format!("{}.app", id("message")), "hi, how are you?");
        page.sees_text(&id("delivery-link"), "done");
        assert_eq!(letters(tack), 0);
        page.screenshot("dead-05-back");
    });
}

fn letters(tack: &crate::tack::Tack) -> usize {
    tack.facts("/console/dead-letters")["letters"].as_array().map(Vec::len).unwrap_or_default()
}

#[test]
fn what_is_discarded_is_asked_for_twice_and_gone() {
    in_browser(|tack, page| {
        tack.set_faults(&json!({ "web_api": { "chat.postMessage": { "error": "restricted_action" } } }));
        for _ in 0..3 {
            tack.say("playground", "hi");
        }
        wait_for("three dead letters", || (letters(tack) == 3).then_some(()));
        page.open("/console/dead-letters");
        page.sees_times(3, &id("dlq-row"), "");
        assert_eq!(page.count(&id("discard")), 0, "nothing is discarded by one click");
        page.click("details.confirm summary");
        page.click(&format!("{}[name=all]", id("discard")));
        page.sees_text(&id("empty-state"), "None");
        assert_eq!(letters(tack), 0);
    });
}
