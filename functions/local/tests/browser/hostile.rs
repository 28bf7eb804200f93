//! Texts that try to become something else than text, by every way into a page that a person or the app has. Nothing runs, nothing is loaded,
//! nothing gets out of its place.

use crate::browser::in_browser;
use crate::page::{Page, element, id};
use crate::tack::{Tack, wait_for};
use serde_json::{Value, json};

/// Each sets `window.hurt` or opens a dialog if it is ever taken for more than text.
const CORPUS: [&str; 16] = [
    "<script>window.hurt=1</script>",
    "<img src=x onerror=\"window.hurt=2\">",
    "\"><svg onload=window.hurt=3>",
    "' autofocus onfocus='window.hurt=4' x='",
    "</textarea></title></style><script>window.hurt=5</script>",
    "<a href=\"javascript:window.hurt=6\">press</a>",
    "<javascript:window.hurt=7|press>",
    "[press](javascript:window.hurt=8)",
    "<iframe srcdoc=\"<script>parent.hurt=9</script>\"></iframe>",
    "<math><mi//xlink:href=\"data:x,<script>window.hurt=10</script>\">",
    "<details open ontoggle=window.hurt=11>",
    "<form action=https://evil.example><button>press</button></form>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example/>",
    "<style>*{display:none!important}</style>",
    "{{constructor.constructor('window.hurt=12')()}} ${window.hurt=13} <%= 14 %>",
];

/// What no page of ours has, whatever stands in it.
const TRACES: &str = "
    const found = [];
    if (window.hurt !== undefined) found.push('something ran: ' + window.hurt);
    for (const one of document.querySelectorAll('*')) {
        for (const { name, value } of one.attributes) {
            if (name.startsWith('on') || name === 'srcdoc' || name === 'style') found.push(`${one.nodeName} ${name}=${value}`);
            if (['href', 'src', 'action', 'formaction'].includes(name) && /^\\s*(javascript|data|vbscript):/i.test(value)) found.push(`${one.nodeName} ${name}=${value}`);
        }
    }
    for (const one of document.querySelectorAll('script')) if (one.getAttribute('src') !== '/assets/tack.js') found.push(one.outerHTML);
    for (const one of document.querySelectorAll('iframe, object, embed, base, style, svg [onload], math')) found.push(one.outerHTML);
    for (const one of document.querySelectorAll('meta[http-equiv]')) found.push(one.outerHTML);
    for (const one of document.forms) if (new URL(one.action).origin !== location.origin) found.push(one.outerHTML);
    return found;";

fn is_harmless(page: &Page, at: &str) {
    assert_eq!(page.session().dialog(), None, "{at}: a dialog is open");
    let traces = page.ask(TRACES, &[]);
    assert_eq!(traces, json!([]), "{at}");
    assert_eq!(page.attribute("html", "lang"), "en", "{at} is still our page");
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn what_people_say_and_the_app_says_back_stays_text() {
    in_browser(|tack, page| {
        page.open("/");
        for text in CORPUS {
            tack.say("playground", text);
        }
        page.sees_text(&id("message"), "constructor.constructor");
        for text in CORPUS {
            tack.act(json!({ "as": "Ada", "act": "command", "channel": "playground", "text": format!("/sample-command {text}") }));
        }
        page.sees_times(2, &id("message"), "constructor.constructor");
        let shown = page.texts(&id("message-text")).join("\n");
        for text in CORPUS.into_iter().filter(|text| !text.contains("|press>") && !text.contains("](")) {
            assert!(shown.contains(text), "{text} is not shown as it was typed in\n{shown}");
        }
        is_harmless(page, "a channel");
        every_page_is_harmless(tack, page);
    });
}

/// The list, each story with everything unfolded, and the rest of the console.
fn every_page_is_harmless(tack: &Tack, page: &Page) {
    wait_for("every delivery's end", || {
        let rows = tack.rows("limit=1000");
        rows.iter().all(|row| row["outcome"] != "queued" && row["outcome"] != "running").then_some(())
    });
    page.open("/console/deliveries");
    is_harmless(page, "the deliveries");
    for row in tack.rows("limit=1000").iter().take(2 * CORPUS.len()) {
        let path = format!("/console/deliveries/{}", row["id"].as_str().unwrap());
        page.open(&path);
        page.ask("for (const one of document.querySelectorAll('details')) one.open = true", &[]);
        is_harmless(page, &path);
    }
    for path in
        ["/console/dead-letters", "/console/faults", "/console/listeners", "/console/app", "/console/help", "/app/home"]
    {
        page.open(path);
        is_harmless(page, path);
    }
}

#[test]
fn what_is_typed_into_a_modal_stays_text_there_and_in_the_message() {
    in_browser(|tack, page| {
        page.open("/");
        page.click(&format!("{} summary", id("global-shortcuts")));
        page.click(&id("global-shortcut"));
        page.sees(&id("modal"));
        page.fill(&element("sample_input_id"), &CORPUS.join(" "));
        page.click(&element("sample_action_id"));
        page.sees_text(&id("modal-title"), "Updated modal");
        is_harmless(page, "the modal");
        let typed = page.ask("return document.querySelector(arguments[0]).value", &[json!(element("sample_input_id"))]);
        assert_eq!(typed, json!(CORPUS.join(" ")), "what was typed is still there");
        page.choose(&element("sample_dropdown_id"), "#playground");
        page.click(&id("modal-submit"));
        page.sees_text(&id("message-text"), "hopes for this");
        is_harmless(page, "the message");
        let shown = page.texts(&id("message-text")).join("\n");
        assert!(shown.contains(CORPUS[0]) && shown.contains(CORPUS[1]), "{shown}");

        page.say("/order 3");
        page.sees(&id("modal"));
        page.fill(&id("option-search"), CORPUS[1]);
        page.sees_text(&id("modal"), "No options.");
        page.fill(&element("order_quantity"), CORPUS[2]);
        page.click(&id("modal-submit"));
        page.sees(&id("field-error"));
        is_harmless(page, "a modal with errors");
        page.click(&id("modal-close"));
        page.sees_no(&id("modal"));
        page.say("/order <img src=x onerror=window.hurt=15>");
        page.sees_text(&id("message"), "I do not understand");
        is_harmless(page, "a refusal that says what was typed");
        every_page_is_harmless(tack, page);
    });
}

#[test]
fn what_stands_in_an_address_stays_text() {
    in_browser(|_, page| {
        page.expect_in_console("404");
        page.expect_in_console("400");
        let all = encoded(&CORPUS.join(" "));
        let with_all = [
            format!("/console/deliveries?state={all}"),
            format!("/console/deliveries?kind={all}&listener={all}&team={all}"),
            format!("/console/dead-letters/{all}"),
            format!("/archives/{all}"),
            format!("/no/such/{all}"),
        ];
        let with_each = CORPUS
            .into_iter()
            .map(encoded)
            .flat_map(|text| [format!("/console/deliveries?q={text}"), format!("/console/deliveries/{text}")]);
        for path in with_all.into_iter().chain(with_each) {
            page.open(&path);
            is_harmless(page, &path);
        }
    });
}

#[test]
fn blocks_of_the_app_stay_text() {
    in_browser(|tack, page| {
        let text = |text: &str| json!({ "type": "plain_text", "text": text });
        let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
        for (number, hostile) in CORPUS.into_iter().enumerate() {
            let blocks: Value = json!([
                { "type": "header", "text": text(hostile) },
                { "type": "section", "block_id": hostile, "text": mrkdwn(hostile), "fields": [mrkdwn(hostile)], "accessory":
                    { "type": "button", "action_id": hostile, "value": hostile, "text": text(hostile) } },
                { "type": "context", "elements": [mrkdwn(hostile)] },
                { "type": "actions", "elements": [
                    { "type": "static_select", "action_id": format!("{number}"), "placeholder": text(hostile),
                      "options": [{ "text": text(hostile), "value": hostile }] },
                ] },
            ]);
            tack.post("playground", hostile, &blocks);
        }
        page.open("/");
        page.sees(&id("block"));
        is_harmless(page, "a channel full of blocks");
    });
}
