//! The same first minutes without a mouse: Tab, Enter, Escape, arrows and the letters of the help page. Wherever the focus goes it can be seen.

use crate::browser::in_browser;
use crate::page::{Page, element, id};
use crate::web_driver::keys;
use serde_json::{Value, json};

/// Stops of the focus that one is willing to count.
const STOPS_MAX: usize = 80;

/// Where the focus is, and whether one sees it there: a ring of two pixels, within the window.
const FOCUS: &str = "
    const one = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    const { top, bottom, width, height } = one.getBoundingClientRect();
    return {
        is: one.matches(arguments[0]),
        isBody: one === document.body,
        isInDialog: !!one.closest('dialog'),
        name: one.outerHTML.slice(0, 160),
        isRinged: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        isInWindow: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
    };";

fn focus(page: &Page, css: &str) -> Value {
    page.ask(FOCUS, &[json!(css)])
}

/// Presses Tab until the focus is there.
fn tab_to(page: &Page, css: &str) {
    page.sees(css);
    for _ in 0..STOPS_MAX {
        page.press(&[keys::TAB]);
        let at = focus(page, css);
        if at["isBody"] != true {
            assert!(at["isRinged"] == true && at["isInWindow"] == true, "the focus cannot be seen: {at}");
        }
        if at["is"] == true {
            return;
        }
    }
    panic!("{STOPS_MAX} times Tab do not lead to {css}");
}

fn has_focus(page: &Page, css: &str) {
    page.is_true(&format!("the focus on {css}"), &format!("document.activeElement.matches({})", json!(css)));
}

/// Replaces what the focused field holds.
fn retype(page: &Page, text: &str) {
    page.press_with(&[keys::CONTROL], 'a');
    page.type_keys(text);
}

fn answer(page: &Page, times: usize) {
    page.sees_times(times, &format!("{}.app", id("message")), "hi, how are you?");
}

#[test]
fn the_first_five_minutes_need_no_mouse() {
    in_browser(|tack, page| {
        page.open("/");
        has_focus(page, &id("composer-input"));
        page.type_keys("hi");
        page.press(&[keys::ENTER]);
        answer(page, 1);
        order(page);
        the_shortcut(page);

        tab_to(page, &id("app-item"));
        page.press(&[keys::ENTER]);
        page.sees_text(&id("home-view"), "Welcome home, @Ada");

        go(page, 's', "/archives/");
        tab_to(page, &id("delivery-link"));
        page.press(&[keys::ENTER]);
        page.wait_for_path("/console/deliveries/");
        page.sees(&id("delivery-sentence"));
        page.press(&['d']);
        page.sees_text(&id("delivery-outcome"), "duplicate");
        assert_eq!(tack.count("playground", "hi, how are you?"), 1);

        go(page, 'f', "/console/faults");
        tab_to(page, &format!("[data-fault=worker-crash] {}", id("fault-on")));
        page.press(&[keys::ENTER]);
        page.sees(&id("fault-chip"));
        go(page, 's', "/archives/");
        has_focus(page, &id("composer-input"));
        page.type_keys("hi");
        page.press(&[keys::ENTER]);
        answer(page, 2);
        page.sees_times(5, &format!("{}[data-state=done]", id("coach-step")), "");
    });
}

/// `g` and a letter go to a page. The focus must not be in a field.
fn go(page: &Page, letter: char, path: &str) {
    page.ask("document.activeElement.blur()", &[]);
    page.press(&['g', letter]);
    page.wait_for_path(path);
    page.sees("h1");
}

/// The command from its menu, a refusal at the field, and an order.
fn order(page: &Page) {
    page.type_keys("/");
    page.sees(&id("command-option"));
    let chosen = format!("{}[aria-selected=true]", id("command-option"));
    for _ in 0..page.count(&id("command-option")) {
        page.press(&[keys::DOWN]);
        if page.texts(&chosen) == ["/order"] {
            break;
        }
    }
    page.press(&[keys::ENTER]);
    page.is_true("the command in the composer", "document.activeElement.value === '/order '");
    page.type_keys("3");
    page.press(&[keys::ENTER]);
    page.sees(&id("modal"));
    has_focus(page, &id("option-search"));
    page.type_keys("green");
    let menu = format!("{} select", element("order_item"));
    page.sees(&menu);
    tab_to(page, &menu);
    page.type_keys("Green");
    tab_to(page, &element("order_quantity"));
    retype(page, "0");
    page.press(&[keys::ENTER]);
    page.sees_text(&id("field-error"), "A whole number from 1 to 100, please.");
    has_focus(page, &element("order_quantity"));
    retype(page, "3");
    page.press(&[keys::ENTER]);
    page.sees_no(&id("modal"));
    page.sees_text(&id("message"), "ordered 3 × Green tea.");
    has_focus(page, &id("composer-input"));
}

/// A modal keeps the focus until it is closed, and gives it back.
fn the_shortcut(page: &Page) {
    let shortcuts = format!("{} summary", id("global-shortcuts"));
    tab_to(page, &shortcuts);
    page.press(&[keys::ENTER]);
    tab_to(page, &id("global-shortcut"));
    page.press(&[keys::ENTER]);
    page.sees_text(&id("modal-title"), "Sample modal");
    for _ in 0..20 {
        page.press(&[keys::TAB]);
        let at = focus(page, "*");
        // The browser's own controls come between the last and the first.
        assert!(at["isInDialog"] == true || at["isBody"] == true, "the focus left the modal: {at}");
    }
    for _ in 0..20 {
        page.press_with(&[keys::SHIFT], keys::TAB);
        let at = focus(page, "*");
        assert!(at["isInDialog"] == true || at["isBody"] == true, "the focus left the modal backwards: {at}");
    }
    tab_to(page, &element("sample_action_id"));
    page.press(&[keys::SPACE]);
    page.sees_text(&id("modal-title"), "Updated modal");
    page.press(&[keys::ESCAPE]);
    page.sees_no(&id("modal"));
    page.is_true("the focus back in the page", "document.activeElement !== document.body");
}

#[test]
fn every_stop_of_the_focus_on_every_page_can_be_seen() {
    in_browser(|tack, page| {
        tack.say("playground", "hi");
        crate::tack::wait_for("the answer", || (tack.rows("state=done").len() == 1).then_some(()));
        let story = tack.rows("state=done")[0]["id"].as_str().unwrap().to_owned();
        let story = format!("/console/deliveries/{story}");
        for width in [1440, 320] {
            page.resize(width);
            for path in [
                "/",
                "/app/home",
                "/console/deliveries",
                &story,
                "/console/dead-letters",
                "/console/faults",
                "/console/listeners",
                "/console/app",
                "/console/help",
            ] {
                page.open(path);
                page.ask("document.activeElement.blur()", &[]);
                let mut stops = 0;
                for _ in 0..STOPS_MAX {
                    page.press(&[keys::TAB]);
                    let at = focus(page, "*");
                    if at["isBody"] == true {
                        break;
                    }
                    stops += 1;
                    assert!(at["isRinged"] == true && at["isInWindow"] == true, "{path} at {width} px: {at}");
                }
                assert!(stops > 5, "{path} has {stops} stops");
            }
        }
    });
}

#[test]
fn letters_are_text_in_a_field_and_can_be_switched_off() {
    in_browser(|tack, page| {
        page.open("/");
        page.type_keys("go?");
        let typed = page.ask("return document.activeElement.value", &[]);
        assert_eq!((page.path().as_str(), typed), ("/archives/C0PLAY001", json!("go?")));

        page.open("/console/help");
        page.sees("[data-keys-toggle]");
        page.click("[data-keys-toggle]");
        page.ask("document.activeElement.blur()", &[]);
        page.press(&['g', 'd']);
        page.click("[data-keys-toggle]");
        assert_eq!(page.path(), "/console/help", "switched off, the letters do nothing");
        go(page, 'd', "/console/deliveries");
        tack.say("playground", "hi");
        page.sees_text(&id("delivery-row"), "message");
        page.ask("document.activeElement.blur()", &[]);
        page.press(&['j', keys::ENTER]);
        page.wait_for_path("/console/deliveries/");
        page.press(&['?']);
        page.wait_for_path("/console/help");
    });
}
