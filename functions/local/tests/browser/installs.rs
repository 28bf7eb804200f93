//! Installing as a person does it: the app's own pages at one site, the simulated Slack at another, one browser between them.
//! What the flow answers to every kind of request is tested beside it; here is what only a browser shows: cookies, policies, redirects.

use crate::accessibility::Reader;
use crate::browser::{Browser, in_browser_with};
use crate::http::Request;
use crate::page::{Page, id};
use crate::tack::{Tack, wait_for};
use serde_json::{Value, json};

/// What the app's pages say when it worked.
const DONE: &str = "All done";
/// The cookie by which the app knows a browser again.
const COOKIE: &str = "__Host-tack-oauth";
/// What the bot says to one who says hi.
const GREETING: &str = "hi, how are you?";

fn in_installs(test: impl FnOnce(&mut Tack, &Page)) {
    in_browser_with(Tack::start_for_installs, |tack, page| {
        // The app's site has no icon, and its pages for failures have the status of failures.
        page.expect_in_console("favicon.ico");
        page.expect_in_console("400 (Bad Request)");
        test(tack, page);
    });
}

/// From the console to the consent page, by the app's page with the button.
fn to_consent(page: &Page) {
    page.open("/console/installs");
    page.click(&id("install-start"));
    page.sees_text("h1", "Add this app to Slack");
    page.click("a.button");
    page.sees(&id("consent"));
}

/// Agrees as this person, in the place that is proposed to them.
fn allow_as(page: &Page, person: &str) {
    page.choose(&id("consent-person"), person);
    page.wait_for_path("/oauth/v2/authorize?");
    let chosen = format!(
        "document.querySelector('#consent-person')?.selectedOptions[0].text.trim() === '{person}' && document.querySelector('[name=as][type=hidden]') !== null"
    );
    page.is_true(&format!("{person} is asked"), &chosen);
    page.is_true(
        "the form is theirs",
        "document.querySelector('form.consent [name=as]').value === document.querySelector('#consent-person').value",
    );
    page.click(&id("consent-allow"));
}

/// Says hi where one is, and is greeted.
fn is_greeted(page: &Page) {
    page.say("hi");
    page.sees_text(&id("message-text"), GREETING);
}

fn cookies_of_the_app(tack: &Tack, page: &Page) -> Vec<Value> {
    let urls = json!({ "urls": [format!("http://{}/slack/oauth_redirect", tack.app)] });
    let mut cookies = page.session().dev_tools("Network.getCookies", &urls).unwrap();
    match cookies["cookies"].take() {
        Value::Array(cookies) => cookies,
        other => panic!("no cookies but {other}"),
    }
}

fn installs(tack: &Tack) -> Vec<(String, String)> {
    let all = tack.facts("/console/installs");
    let word = |install: &Value, name: &str| install[name].as_str().unwrap_or_default().to_owned();
    let installs = all["installs"].as_array().into_iter().flatten();
    installs.map(|install| (word(install, "id"), word(install, "standing"))).collect()
}

/// How many messages the app was told of.
fn told_of_messages(tack: &Tack) -> usize {
    let deliveries = tack.facts("/sim/deliveries");
    deliveries["deliveries"].as_array().into_iter().flatten().filter(|delivery| delivery["name"] == "message").count()
}

#[test]
fn a_second_workspace_installs_the_app_and_the_bot_answers_there() {
    in_installs(|tack, page| {
        assert_eq!(installs(tack), [("T0ACME001".to_owned(), "installed".to_owned())]);
        page.open("/");
        page.choose(&id("user-switch"), "Hank Pym");
        page.sees_text(&id("workspace"), "Globex");
        page.open("/");
        page.sees(&id("not-installed"));
        assert_eq!(page.count(&id("command-option")) + page.count(&id("global-shortcuts")), 0, "nothing of the app's");
        page.click(&id("add-to-slack"));
        page.click("a.button");
        page.sees_text(&id("consent"), "Globex");
        page.sees_text(&id("consent-scope"), "chat:write");
        page.screenshot("consent");
        let known: Vec<_> = cookies_of_the_app(tack, page);
        let known = known.iter().find(|cookie| cookie["name"] == COOKIE);
        let known = known.unwrap_or_else(|| panic!("Chromium keeps no {COOKIE} of {} over plain HTTP", tack.app));
        assert_eq!((&known["secure"], &known["httpOnly"], &known["path"]), (&json!(true), &json!(true), &json!("/")));
        page.click(&id("consent-allow"));
        page.sees_text("h1", DONE);
        page.sees_text("main", "Globex");
        page.screenshot("install-success");
        page.click("a.button");
        page.wait_for_path("/app/messages");
        page.sees_text(&id("workspace"), "Globex");
        page.open("/archives/C0GLOBGEN");
        is_greeted(page);
        page.screenshot("second-workspace");
        let calls = tack.facts("/sim/calls");
        let posted =
            calls["calls"].as_array().unwrap().iter().find(|call| call["method"] == "chat.postMessage").unwrap();
        assert_eq!(posted["team"], "T0GLOBEX1", "{posted}");
        page.open("/console/installs");
        page.sees_text("[data-testid=\"install-row\"][data-id=\"T0GLOBEX1\"]", "installed");
        page.sees_text(&id("install-step"), "the tokens were stored");
    });
}

#[test]
fn what_goes_wrong_on_the_way_installs_nothing_and_says_why() {
    in_installs(|tack, page| {
        for (way, heading) in [
            ("denied", "Nothing was installed"),
            ("used_code", "Slack's permission can no longer be used"),
            ("expired_state", "That took too long"),
            ("other_browser", "You began in another browser"),
        ] {
            page.open("/console/installs");
            page.click(&format!("[data-testid=\"install-try\"][data-id=\"{way}\"]"));
            page.sees(&id("consent-ways"));
            allow_as(page, "Hank Pym");
            page.sees_text("h1", heading);
            assert_eq!(installs(tack).len(), 1, "{way}");
            let flow = tack.facts("/console/installs")["flow"].take();
            let last = flow.as_array().and_then(|steps| steps.last()).cloned().unwrap_or_default();
            assert_eq!(last["who"], "app", "{way}: {flow}");
            assert!(last["status"].as_u64().is_some_and(|status| status == 400), "{way}: {last}");
        }
        // And the next try is a plain one.
        to_consent(page);
        allow_as(page, "Hank Pym");
        page.sees_text("h1", DONE);
        assert_eq!(installs(tack).len(), 2);
    });
}

#[test]
fn who_comes_back_without_a_state_is_sent_once_more_with_one() {
    in_installs(|tack, page| {
        page.open("/console/installs");
        page.click("[data-testid=\"install-try\"][data-id=\"without_state\"]");
        page.sees(&id("consent-ways"));
        allow_as(page, "Hank Pym");
        page.is_true(
            "the consent page again, with nothing special proposed",
            "document.querySelector('[name=way]:checked')?.value === 'agreed'",
        );
        assert_eq!(installs(tack).len(), 1, "a code without a state is not exchanged");
        allow_as(page, "Hank Pym");
        page.sees_text("h1", DONE);
        assert_eq!(installs(tack).len(), 2);
        let flow = tack.facts("/console/installs")["flow"].take();
        let restarts = flow.as_array().unwrap().iter().filter(|step| step["verdict"] == "restarted").count();
        assert_eq!(restarts, 1, "{flow}");
    });
}

#[test]
fn another_browser_cannot_end_what_one_began() {
    in_installs(|tack, page| {
        let other = Page::new(Browser::start().unwrap(), &tack.base_url);
        to_consent(page);
        let address = page.path();
        to_consent(&other);
        other.open(&address);
        other.sees(&id("consent"));
        allow_as(&other, "Hank Pym");
        other.sees_text("h1", "You began in another browser");
        assert_eq!(installs(tack).len(), 1);
        allow_as(page, "Hank Pym");
        page.sees_text("h1", DONE);
    });
}

#[test]
fn an_uninstalled_workspace_is_quiet_until_the_app_is_installed_again() {
    in_installs(|tack, page| {
        page.open("/archives/C0PLAY001");
        is_greeted(page);
        page.open("/console/installs");
        page.click(&id("install-uninstall"));
        page.sees(&id("empty-state"));
        wait_for("nothing to be left", || installs(tack).is_empty().then_some(()));
        page.screenshot("installs-none");
        page.open("/archives/C0PLAY001");
        page.sees(&id("not-installed"));
        let (said, told) = (tack.count("playground", "hi"), told_of_messages(tack));
        page.say("hi");
        wait_for("what was said", || (tack.count("playground", "hi") > said).then_some(()));
        assert_eq!(told_of_messages(tack), told, "the app is told nothing");
        page.click(&id("add-to-slack"));
        page.click("a.button");
        allow_as(page, "Ada Lovelace");
        page.sees_text("h1", DONE);
        page.open("/archives/C0PLAY001");
        page.say("hi");
        page.sees_times(2, &id("message-text"), GREETING);
    });
}

#[test]
fn a_revoked_token_is_told_and_the_next_install_heals_it() {
    in_installs(|tack, page| {
        page.open("/console/installs");
        page.click(&id("install-revoke"));
        page.sees_text(&id("install-standing"), "token revoked");
        let stored = || tack.facts("/console/installs/T0ACME001")["install"]["stored"].take();
        wait_for("the app to know", || (stored()["gone"]["why"] == "revoked").then_some(()));
        assert_eq!(stored()["has_token"], false);
        page.click(&id("install-again"));
        page.click("a.button");
        allow_as(page, "Ada Lovelace");
        page.sees_text("h1", DONE);
        assert_eq!(installs(tack), [("T0ACME001".to_owned(), "installed".to_owned())]);
        page.open("/archives/C0PLAY001");
        is_greeted(page);
    });
}

#[test]
fn an_organisation_installs_the_app_for_one_of_its_workspaces() {
    in_installs(|tack, page| {
        to_consent(page);
        page.choose(&id("consent-person"), "Gavin Belson");
        page.sees_text(&id("consent"), "the whole organisation");
        page.screenshot("consent-organisation");
        page.click("[data-testid=\"consent-target\"][value=\"E0HOOLI01\"]");
        page.click(&id("consent-allow"));
        page.wait_for_path("/manage/E0HOOLI01/");
        page.click("[data-testid=\"grant\"][data-id=\"T0HOOLIX1\"] button");
        page.sees_text("[data-testid=\"grant\"][data-id=\"T0HOOLIX1\"]", "may work here");
        page.screenshot("organisation");
        page.click("[data-testid=\"grant\"][data-id=\"T0HOOLIX1\"] a");
        page.wait_for_path("/app/messages");
        page.sees_text(&id("workspace"), "Hooli XYZ");
        page.open("/archives/C0HOOXGEN");
        is_greeted(page);
        // The page that is left may ask once more for what the new person cannot see.
        page.expect_in_console("404");
        page.choose(&id("user-switch"), "Jian Yang");
        page.sees_text(&id("workspace"), "Hooli Labs");
        page.open("/archives/C0HOOLGEN");
        page.sees(&id("not-installed"));
        assert_eq!(installs(tack).len(), 2);
    });
}

#[test]
fn the_pages_of_an_installation_can_be_used_by_everybody() {
    in_installs(|_, page| {
        let mut reader = Reader::new(page);
        reader.open("installs", "/console/installs");
        reader.open("install", "/console/installs/T0ACME001");
        to_consent(page);
        reader.read("consent");
        page.click(&format!("{} summary", id("consent-ways")));
        reader.read("consent-ways");
        page.choose(&id("consent-person"), "Grace Hopper");
        page.is_true("Grace is asked", "document.querySelector('form.consent [name=as]').value === 'U0GRACE01'");
        page.expect_in_console("403");
        page.click(&id("consent-allow"));
        page.sees(&id("slack-error"));
        reader.read("consent-refused");
        reader.open("consent-problem", "/oauth/v2/authorize?client_id=nobody");
        to_consent(page);
        page.choose(&id("consent-person"), "Gavin Belson");
        page.is_true("Gavin is asked", "document.querySelector('form.consent [name=as]').value === 'U0GAVIN01'");
        page.click("[data-testid=\"consent-target\"][value=\"E0HOOLI01\"]");
        page.click(&id("consent-allow"));
        page.wait_for_path("/manage/E0HOOLI01/");
        reader.read("organisation");
        reader.open("install-organisation", "/console/installs/E0HOOLI01");
        page.open("/");
        page.choose(&id("user-switch"), "Hank Pym");
        page.sees_text(&id("workspace"), "Globex");
        reader.open("not-installed", "/archives/C0GLOBGEN");
        reader.open("shared-channel", "/archives/C0SHARED1");
        page.expect_in_console("404");
        reader.open("no-such-install", "/console/installs/T0NOWHERE");
        page.open("/console/installs");
        page.click("[data-id=\"E0HOOLI01\"] [data-testid=\"install-uninstall\"]");
        page.sees_no("[data-id=\"E0HOOLI01\"] [data-testid=\"install-uninstall\"]");
        page.click(&id("install-uninstall"));
        page.sees(&id("empty-state"));
        reader.read("installs-none");
        reader.finds_nothing();
    });
}

#[test]
fn names_and_addresses_of_others_stay_text() {
    in_installs(|tack, page| {
        let evil = "<img src=x onerror=\"document.body.dataset.evil=1\">\"'&";
        let doc = json!({ "team": "T0EVIL", "team_name": evil, "installer": evil, "scopes": evil, "installed_at": 1 });
        let row = json!({ "TableName": "installations", "Item": {
            "pk": { "S": "T#T0EVIL" }, "sk": { "S": "BOT" }, "ins": { "N": "1" }, "ver": { "N": "1" }, "doc": { "S": doc.to_string() },
            "gone_at": { "N": "2" }, "gone_why": { "S": evil },
        } });
        let put = Request::post("/", &row).header("x-amz-target", "DynamoDB_20120810.PutItem");
        let put = put.header("authorization", "AWS4-HMAC-SHA256 Credential=AKIATEST/-/-/dynamodb/aws4_request");
        let put = put.header("content-type", "application/x-amz-json-1.0").send(tack.aws()).unwrap();
        assert_eq!(put.status, 200, "{}", put.body);
        page.open("/console/installs");
        page.sees_text("[data-testid=\"install-row\"][data-id=\"T0EVIL\"]", "<img src=x");
        page.open("/console/installs/T0EVIL");
        page.sees_text("h1", "<img src=x");
        let client = "1234567890.1234567890";
        let encoded = "%3Cimg%20src%3Dx%20onerror%3D%22document.body.dataset.evil%3D1%22%3E";
        page.open(&format!("/oauth/v2/authorize?client_id={client}&scope=chat%3Awrite&state={encoded}&team={encoded}&as={encoded}&{encoded}={encoded}"));
        page.sees(&id("consent"));
        page.expect_in_console("400");
        page.open(&format!("/oauth/v2/authorize?client_id={client}&scope=%3Cimg%2Fsrc%3Dx%2Fonerror%3Dalert(1)%3E"));
        page.sees_text(&id("consent-problem"), "<img/src=x");
        page.is_true("nothing of it ran", "document.body.dataset.evil === undefined");
        let answer = tack.ask(&Request::get(format!(
            "/oauth/v2/authorize?client_id={client}&scope=commands&redirect_uri=https%3A%2F%2Fevil.example"
        )));
        assert_eq!((answer.status, answer.header("location")), (400, None), "a foreign redirect_uri leads nowhere");
        assert!(answer.body.contains("bad_redirect_uri"), "{}", answer.body);
    });
}
