//! What every page has: the theme, who one is, and that what happens elsewhere arrives by itself.

use crate::browser::in_browser;
use crate::page::{Theme, id};
use serde_json::json;

#[test]
fn a_theme_that_was_chosen_is_remembered() {
    in_browser(|_, page| {
        let background = "return getComputedStyle(document.documentElement).backgroundColor";
        page.open("/");
        let light = page.ask(background, &[]);
        page.prefer(Theme::Dark);
        let dark = page.ask(background, &[]);
        assert_ne!(light, dark, "the system's wish is followed");
        page.click(&id("theme-toggle"));
        assert_eq!(page.ask(background, &[]), light, "the person's wish is stronger");
        page.open("/console/deliveries");
        assert_eq!(page.ask(background, &[]), light, "and is remembered");
        page.click(&id("theme-toggle"));
        assert_eq!(page.ask(background, &[]), dark);
    });
}

#[test]
fn one_can_be_somebody_else_and_sees_what_they_see() {
    in_browser(|_, page| {
        page.open("/");
        page.say("/sample-command for Ada alone");
        page.sees_text(&id("ephemeral-note"), "Only visible to you");
        page.choose(&id("user-switch"), "Grace Hopper");
        page.sees_no(&id("ephemeral-note"));
        page.say("hi");
        page.sees_text(&id("message-author"), "Grace Hopper");
        page.click(&id("app-item"));
        page.sees_text(&id("home-view"), "@Grace");
        page.choose(&id("user-switch"), "Ada Lovelace");
        page.sees_text(&id("empty-state"), "has not published a Home tab for Ada");
    });
}

#[test]
fn what_happens_elsewhere_arrives_and_what_is_being_typed_stays() {
    in_browser(|tack, page| {
        page.open("/");
        page.fill(&id("composer-input"), "half a sent");
        tack.act(json!({ "as": "Grace", "act": "say", "channel": "playground", "text": "hello" }));
        page.sees_text(&id("message-text"), "hello, how are you?");
        let kept = "return [document.activeElement.dataset.testid, document.activeElement.value, document.activeElement.selectionStart]";
        assert_eq!(page.ask(kept, &[]), json!(["composer-input", "half a sent", 11]));
        page.type_keys("ence");
        assert_eq!(page.ask(kept, &[])[1], "half a sentence");

        page.open("/console/deliveries");
        let before = page.count(&id("delivery-row"));
        tack.act(json!({ "as": "Grace", "act": "say", "channel": "playground", "text": "hello again" }));
        page.sees_text(&format!("{}[data-state=done]", id("delivery-row")), "message");
        page.is_true(
            "a new row",
            &format!("document.querySelectorAll({}).length > {before}", json!(id("delivery-row"))),
        );
    });
}

#[test]
fn a_list_that_is_being_read_does_not_move() {
    in_browser(|tack, page| {
        for _ in 0..30 {
            tack.say("playground", "nothing that anybody listens to");
        }
        page.open("/console/deliveries");
        page.is_true("the stream is open", "document.getElementById('live-chip').dataset.state === 'ok'");
        page.ask("window.scrollTo(0, 500)", &[]);
        let before = page.count(&id("delivery-row"));
        tack.say("playground", "one more");
        page.sees(&id("new-pill"));
        assert_eq!((page.count(&id("delivery-row")), page.ask("return window.scrollY", &[])), (before, json!(500)));
        page.click(&id("new-pill"));
        page.is_true(
            "the new row",
            &format!("document.querySelectorAll({}).length > {before}", json!(id("delivery-row"))),
        );
        page.sees_no(&id("new-pill"));
    });
}

#[test]
fn without_its_script_the_page_is_forms_and_links() {
    in_browser(|tack, page| {
        page.session().dev_tools("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).unwrap();
        page.session().open(&format!("{}/", tack.base_url)).unwrap();
        page.submit_by_hand(&id("composer-input"), "hi", &id("composer-send"));
        crate::tack::wait_for("the answer", || (tack.count("playground", "hi, how are you?") == 1).then_some(()));
        page.session().dev_tools("Emulation.setScriptExecutionDisabled", &json!({ "value": false })).unwrap();
        page.open("/");
        page.sees_text(&id("message-text"), "hi, how are you?");
    });
}
