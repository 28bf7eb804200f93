//! Every page in both themes and three widths: read by axe where it is there (`TACK_AXE` names its file), and by our own audit always.
//! The audit knows less than axe and shares nothing with it; what neither can see, such as the order of the focus, is `keyboard`'s.

use crate::browser::in_browser;
use crate::page::{Page, Theme, element, id};
use crate::tack::{Tack, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const AUDIT: &str = include_str!("audit.js");
/// Names the file `axe.min.js`; relative to the workspace.
const AXE: &str = "TACK_AXE";
/// Both themes, wide and as narrow as has to work; and once in between, where the layout is another.
const LOOKS: [(u32, Theme); 5] =
    [(1440, Theme::Light), (1440, Theme::Dark), (800, Theme::Light), (320, Theme::Light), (320, Theme::Dark)];

/// The rules that are laws: WCAG 2.2 AA and what leads there, and axe's own good practice.
const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] })
        .then(({ violations }) => done(violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id} (${help}): ${target} ${failureSummary}`))))
        .catch((error) => done([String(error)]));";

/// Reads pages, and remembers what it found.
pub(crate) struct Reader<'a> {
    page: &'a Page,
    axe: Option<String>,
    /// What was found, and where.
    found: BTreeMap<String, Vec<String>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(page: &'a Page) -> Self {
        Self { page, axe: axe(), found: BTreeMap::new() }
    }

    /// Reads what is shown now, in each of these looks.
    pub(crate) fn read(&mut self, what: &str) {
        for (width, theme) in LOOKS {
            self.page.resize(width);
            self.page.prefer(theme);
            self.page.screenshot(&format!("page-{what}"));
            let mut found = sentences(&self.page.ask(AUDIT, &[]));
            if let Some(axe) = &self.axe {
                if self.page.ask("return !window.axe", &[]) == true {
                    self.page.session().run(axe, &[]).unwrap();
                }
                found.extend(sentences(&self.page.session().run_async(RUN_AXE, &[]).unwrap()));
            }
            for sentence in found {
                self.found.entry(sentence).or_default().push(format!("{what} ({}, {width} px)", theme.word()));
            }
        }
    }

    pub(crate) fn open(&mut self, what: &str, path: &str) {
        self.page.resize(LOOKS[0].0);
        self.page.open(path);
        self.page.sees("h1");
        self.read(what);
    }

    /// Nothing was found on any page.
    pub(crate) fn finds_nothing(self) {
        if self.axe.is_none() {
            println!("axe skipped: {AXE} names no axe.min.js (.ci/run fetches one); the tests' own audit ran");
        }
        let found: Vec<String> =
            self.found.iter().map(|(found, places)| format!("{found}\n    {}", places.join(", "))).collect();
        assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
    }
}

fn sentences(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|sentence| sentence.as_str().unwrap_or_default().to_owned()).collect()
}

fn axe() -> Option<String> {
    let named = PathBuf::from(std::env::var_os(AXE)?);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = workspace.join(&named);
    Some(std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{AXE}: {}: {error}", path.display())))
}

#[test]
fn the_simulated_slack_can_be_used_by_everybody() {
    in_browser(|tack, page| {
        let mut reader = Reader::new(page);
        reader.open("channel-empty", "/");
        reader.open("channel-without-app", "/archives/C0RANDOM1");
        reader.open("home-unpublished", "/app/home");
        talk(tack);
        reader.open("channel", "/");
        page.click("[data-testid=\"message-menu\"] summary");
        reader.read("message-menu");
        page.open("/");
        page.fill(&id("composer-input"), "/");
        page.sees(&id("command-option"));
        reader.read("command-menu");
        page.open("/");
        page.click(&format!("{} summary", id("global-shortcuts")));
        reader.read("shortcuts");

        let first = tack.facts("/sim/messages?channel=playground")["messages"][0]["ts"].clone();
        let thread = first.as_str().unwrap().replace('.', "");
        reader.open("thread", &format!("/archives/C0PLAY001/p{thread}"));
        page.open("/");
        page.click(&id("app-item"));
        page.sees_text(&id("home-view"), "Welcome home");
        reader.read("home");
        reader.open("direct-messages", "/app/messages");
        reader.finds_nothing();
    });
}

#[test]
fn modals_can_be_used_by_everybody() {
    in_browser(|_, page| {
        let mut reader = Reader::new(page);
        page.open("/");
        page.say("/order 0");
        page.sees(&id("modal"));
        reader.read("modal");
        page.fill(&id("option-search"), "tea");
        page.choose(&format!("{} select", element("order_item")), "Green tea");
        page.click(&id("modal-submit"));
        page.sees(&id("field-error"));
        reader.read("modal-with-an-error");
        page.click(&id("modal-close"));
        page.sees_no(&id("modal"));
        page.click(&format!("{} summary", id("global-shortcuts")));
        page.click(&id("global-shortcut"));
        page.sees(&id("modal"));
        reader.read("sample-modal");
        reader.finds_nothing();
    });
}

#[test]
fn blocks_can_be_used_by_everybody() {
    in_browser(|tack, page| {
        let mut reader = Reader::new(page);
        page.expect_in_console("none.png");
        for blocks in blocks() {
            tack.post("playground", "blocks", &blocks);
        }
        page.open("/");
        page.sees(&id("element"));
        reader.read("blocks");
        reader.finds_nothing();
    });
}

#[test]
fn the_console_can_be_used_by_everybody() {
    in_browser(|tack, page| {
        let mut reader = Reader::new(page);
        reader.open("dead-letters-none", "/console/dead-letters");
        reader.open("faults-off", "/console/faults");
        talk(tack);
        let done = tack.rows("state=done").first().unwrap()["id"].as_str().unwrap().to_owned();
        reader.open("story", &format!("/console/deliveries/{done}"));
        tack.set_faults(&json!({ "web_api": { "chat.postMessage": { "error": "restricted_action" } } }));
        tack.say("playground", "hey");
        let dead = wait_for("a dead letter", || Some(tack.rows("state=dead").first()?["id"].as_str()?.to_owned()));
        reader.open("story-dead", &format!("/console/deliveries/{dead}"));
        reader.open("dead-letters", "/console/dead-letters");
        let letter = tack.facts("/console/dead-letters")["letters"][0]["id"].as_str().unwrap().to_owned();
        reader.open("dead-letter", &format!("/console/dead-letters/{letter}"));
        reader.open("faults-on", "/console/faults");
        reader.open("deliveries", "/console/deliveries");
        reader.open("deliveries-none", "/console/deliveries?q=nothing-that-is-anywhere");
        reader.open("listeners", "/console/listeners");
        reader.open("app", "/console/app");
        reader.open("help", "/console/help");
        page.expect_in_console("400");
        page.expect_in_console("404");
        reader.open("deliveries-bad-query", "/console/deliveries?q=is%3Alost");
        reader.open("no-such-delivery", "/console/deliveries/0000dead");
        reader.open("no-such-page", "/no/such/page");
        reader.finds_nothing();
    });
}

/// Something of everything: a greeting, an answer for one person only, an order, a thread, a failure.
fn talk(tack: &Tack) {
    tack.say("playground", "hi");
    tack.act(json!({ "as": "Ada", "act": "command", "channel": "playground", "text": "/sample-command hello" }));
    wait_for("both answers", || (tack.rows("state=done").len() >= 2).then_some(()));
    let parent = tack.facts("/sim/messages?channel=playground")["messages"][0]["ts"].clone();
    tack.act(json!({ "as": "Ada", "act": "say", "channel": "playground", "text": "in a thread", "thread_ts": parent }));
    tack.act(json!({ "as": "Ada", "act": "react", "channel": "playground", "ts": parent, "name": "eyes" }));
    let faults = json!({ "fault": "queue-refuses", "on": true, "times": 1 });
    assert_eq!(tack.ask(&crate::http::Request::post("/console/faults", &faults).json()).status, 200);
    tack.act(json!({ "as": "Ada", "act": "command", "channel": "playground", "text": "/order 3" }));
    tack.ask(&crate::http::Request::post("/console/faults", &json!({ "all": false })).json());
}

/// Every block and element that a message may hold, in a few messages.
fn blocks() -> Vec<Value> {
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let mrkdwn = |text: &str| json!({ "type": "mrkdwn", "text": text });
    let option = |text: &str| json!({ "text": plain(text), "value": text });
    let options = [option("one"), option("two"), option("three")];
    let select = |kind: &str| json!({ "type": kind, "action_id": kind, "placeholder": plain("Pick") });
    let with_options = |kind: &str| json!({ "type": kind, "action_id": kind, "options": options });
    let picks =
        |kind: &str| json!({ "type": kind, "action_id": kind, "placeholder": plain("Pick"), "options": options });
    vec![
        json!([
            { "type": "header", "text": plain("A header") },
            { "type": "section", "text": mrkdwn("*bold* _italic_ ~struck~ `code` <https://example.com|a link> <@U0ADA0001> <#C0PLAY001> :tada:\n> quoted\n```\ncode\n```") },
            { "type": "section", "fields": [mrkdwn("*Left*\none"), mrkdwn("*Right*\ntwo")] },
            { "type": "divider" },
            { "type": "context", "elements": [mrkdwn("small print"), plain("and plain")] },
            { "type": "image", "image_url": "https://localhost:1/none.png", "alt_text": "a picture that cannot be loaded" },
            { "type": "markdown", "text": "# Heading\n\n* a list\n* [ ] a task\n\n| a | table |\n| - | - |\n| 1 | 2 |\n" },
            { "type": "rich_text", "elements": [
                { "type": "rich_text_section", "elements": [{ "type": "text", "text": "rich", "style": { "bold": true } }, { "type": "emoji", "name": "wave" }] },
                { "type": "rich_text_list", "style": "bullet", "elements": [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": "item" }] }] },
                { "type": "rich_text_quote", "elements": [{ "type": "text", "text": "quoted" }] },
                { "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": "preformatted" }] },
            ] },
        ]),
        json!([
            { "type": "actions", "elements": [
                { "type": "button", "action_id": "plain", "text": plain("Plain") },
                { "type": "button", "action_id": "primary", "style": "primary", "text": plain("Primary") },
                { "type": "button", "action_id": "danger", "style": "danger", "text": plain("Danger"), "confirm":
                    { "title": plain("Sure?"), "text": plain("It is gone then."), "confirm": plain("Yes"), "deny": plain("No") } },
                { "type": "button", "action_id": "link", "url": "https://example.com", "text": plain("Link") },
                picks("static_select"), select("users_select"), select("conversations_select"), select("channels_select"), with_options("overflow"), with_options("checkboxes"),
                with_options("radio_buttons"),
            ] },
            { "type": "actions", "elements": [
                { "type": "datepicker", "action_id": "datepicker" }, { "type": "timepicker", "action_id": "timepicker" },
                { "type": "datetimepicker", "action_id": "datetimepicker" },
                { "type": "external_select", "action_id": "order_item", "min_query_length": 0, "placeholder": plain("Search") },
            ] },
            { "type": "section", "text": mrkdwn("with an accessory"), "accessory":
                { "type": "multi_static_select", "action_id": "many", "placeholder": plain("Pick some"), "options": options, "max_selected_items": 2 } },
            { "type": "section", "text": mrkdwn("with a button"), "accessory": { "type": "button", "action_id": "beside", "text": plain("Press") } },
        ]),
    ]
}
