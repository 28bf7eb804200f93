//! Callbacks, good and bad: what each is answered, and that nothing more happens than may.
//! Every one is also held to what holds for all: nothing is reflected, no secret is logged, no script, nothing is cached.

use crate::answers::{BOT_TOKEN, REFRESH_TOKEN, USER_TOKEN, WEBHOOK_URL, granted, no, org_wide, user_only, with, yes};
use crate::browser::{Browser, COOKIE, headers, links, place};
use crate::lines::Lines;
use crate::slack::{Answer, locally};
use crate::world::{CLIENT_SECRET, World};
use serde_json::json;
use tack_app::oauth::OAuthAnswer;

/// What comes with a code from Slack: enough to be found where it must not be.
const CODE: &str = "17653672481.canary-code.8fb095";

/// Which cookies come back with the browser.
enum Cookies {
    Own,
    None,
    /// Of another browser that began as well.
    Foreign,
    Value(&'static str),
}

/// Which port fails during the callback.
#[derive(PartialEq)]
enum Down {
    Nothing,
    States,
    Queue,
    Saving,
}

struct Vector {
    name: &'static str,
    /// Seconds between the way to Slack and the way back.
    wait: u64,
    cookies: Cookies,
    /// `{state}` stands for the one that was issued, `{code}` for the code.
    query: String,
    /// How often the browser sends it.
    times: usize,
    slack: Answer,
    down: Down,
    status: u16,
    verdict: &'static str,
    /// Words that the page must hold.
    page: &'static str,
    /// What happened to the code, the job and the installation.
    exchanged: usize,
    queued: usize,
    saved: usize,
}

/// A callback as Slack sends it, that goes well.
fn good(name: &'static str) -> Vector {
    Vector {
        name,
        wait: 30,
        cookies: Cookies::Own,
        query: "code={code}&state={state}".to_owned(),
        times: 1,
        slack: yes(&granted()),
        down: Down::Nothing,
        status: 200,
        verdict: "installed",
        page: "The app was added to <strong>Slack Pickleball Team</strong>",
        exchanged: 1,
        queued: 1,
        saved: 1,
    }
}

/// One that ends before anything is exchanged.
fn stopped(name: &'static str, verdict: &'static str, page: &'static str) -> Vector {
    Vector { status: 400, verdict, page, exchanged: 0, queued: 0, saved: 0, ..good(name) }
}

/// The same, with this query.
fn asked(name: &'static str, query: impl Into<String>, verdict: &'static str, page: &'static str) -> Vector {
    Vector { query: query.into(), ..stopped(name, verdict, page) }
}

/// One whose exchange fails.
fn refused(name: &'static str, slack: Answer, status: u16, verdict: &'static str, page: &'static str) -> Vector {
    Vector { slack, status, verdict, page, queued: 0, saved: 0, ..good(name) }
}

const USED: &str = "This link was used already";
const DAMAGED: &str = "This link is damaged";
const CANCELLED: &str = "Nothing was installed";
const NOT_ALLOWED: &str = "Slack did not allow it";
const CODE_SPENT: &str = "Slack's permission can no longer be used";
const WRONG_SETTINGS: &str = "The app is not set up correctly";
const NO_ANSWER: &str = "Slack did not answer";
const UNREADABLE: &str = "Slack answered in an unexpected way";
const OTHER_BROWSER: &str = "You began in another browser";
const NO_COOKIE: &str = "Your browser did not know us again";
const ANOTHER_STATE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn going_well() -> Vec<Vector> {
    vec![
        good("a bot is installed"),
        Vector { wait: 599, ..good("one second before it is too old") },
        Vector {
            query: "code={code}&state={state}&redirect=https%3A%2F%2Fevil.example&redirect_uri=https%3A%2F%2Fevil.example&next=%2F%2Fevil.example".to_owned(),
            ..good("foreign redirects are passed over")
        },
        Vector {
            query: "error=&code={code}&state={state}".to_owned(),
            ..good("an error without a value is none (RFC 6749, 3.1)")
        },
        Vector { slack: yes(&user_only()), ..good("user scopes only") },
        Vector {
            slack: yes(&with(&json!({ "new_field": [1, 2], "token_type": 7, "team": { "id": "T9TK3CUKW", "name": "Slack Pickleball Team", "x": {} } }))),
            ..good("fields that Slack adds are passed over")
        },
        Vector {
            slack: yes(&with(&json!({ "incoming_webhook": {
                "channel": "#ops", "channel_id": "C05002EAE", "configuration_url": "https://x.slack.com/services/B0", "url": WEBHOOK_URL,
            } }))),
            ..good("an incoming webhook comes along")
        },
        Vector {
            slack: yes(&with(&json!({ "refresh_token": REFRESH_TOKEN, "expires_in": 43200 }))),
            ..good("token rotation is on")
        },
        Vector {
            slack: yes(&with(&json!({ "scope": "commands" }))),
            page: "Some permissions were not granted: <code>chat:write</code>",
            ..good("a scope was left out")
        },
        Vector {
            slack: yes(&with(&json!({ "team": { "id": "T9TK3CUKW", "name": "<script>alert(1)</script>&\"'" } }))),
            page: "<strong>&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;</strong>",
            ..good("a workspace's name is text, whatever it is")
        },
        Vector { slack: yes(&org_wide()), status: 302, page: "", ..good("a whole organisation, on to its picker") },
        Vector {
            slack: yes(&with(&json!({ "team": { "id": "T9TK3CUKW" } }))),
            page: "The app was added to your workspace",
            ..good("a workspace without a name")
        },
    ]
}

fn states_and_browsers() -> Vec<Vector> {
    vec![
        Vector { wait: 600, ..stopped("just too old", "expired_state", "That took too long") },
        Vector { wait: 601, ..stopped("too old", "expired_state", "That took too long") },
        Vector { cookies: Cookies::None, ..stopped("a browser without cookies", "no_cookie", NO_COOKIE) },
        Vector { cookies: Cookies::Foreign, ..stopped("another browser", "other_browser", OTHER_BROWSER) },
        Vector { cookies: Cookies::Value("short"), ..stopped("a malformed cookie", "no_cookie", NO_COOKIE) },
        Vector {
            cookies: Cookies::Value("\"><script>alert(1)</script>"),
            ..stopped("a cookie with a script", "no_cookie", NO_COOKIE)
        },
        Vector {
            cookies: Cookies::Value(ANOTHER_STATE),
            ..stopped("a guessed cookie", "other_browser", OTHER_BROWSER)
        },
        asked(
            "a state of the right form that was never issued",
            format!("code={{code}}&state={ANOTHER_STATE}"),
            "unknown_state",
            USED,
        ),
        asked("a state with one letter more", "code={code}&state={state}A", "unknown_state", USED),
        asked("a state of another form", "code={code}&state=..%2F..%2Fetc%2Fpasswd", "unknown_state", USED),
        asked("a state with a null byte", "code={code}&state=%00{state}", "unknown_state", USED),
        asked("a state with a script", "code={code}&state=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "unknown_state", USED),
        asked("two states", "code={code}&state={state}&state={state}", "damaged", DAMAGED),
        asked("two codes", "code={code}&code=other-code&state={state}", "damaged", DAMAGED),
        asked("two errors", "error=access_denied&error=other_error&state={state}", "damaged", DAMAGED),
        asked("a state and nothing else", "state={state}", "damaged", DAMAGED),
        asked("a code without a value", "code=&state={state}", "damaged", DAMAGED),
        asked("a very long code", format!("code={}&state={{state}}", "c".repeat(5000)), "damaged", DAMAGED),
        asked(
            "a very long something",
            format!("code={{code}}&state={{state}}&x={}", "%41".repeat(2000)),
            "damaged",
            DAMAGED,
        ),
        Vector {
            times: 2,
            status: 400,
            verdict: "unknown_state",
            page: USED,
            ..good("the same callback twice: the second does nothing")
        },
        Vector {
            down: Down::States,
            status: 503,
            ..stopped("the states are away", "store_unavailable", "Something here did not answer")
        },
    ]
}

fn denied() -> Vec<Vector> {
    vec![
        asked("the person said no", "error=access_denied&state={state}", "cancelled", CANCELLED),
        asked("no, without a state", "error=access_denied", "cancelled", CANCELLED),
        asked(
            "no, with a state that is not ours",
            format!("error=access_denied&state={ANOTHER_STATE}"),
            "cancelled",
            CANCELLED,
        ),
        Vector {
            cookies: Cookies::Foreign,
            ..asked("no, in another browser", "error=access_denied&state={state}", "cancelled", CANCELLED)
        },
        Vector {
            down: Down::States,
            ..asked("no, while the states are away", "error=access_denied&state={state}", "cancelled", CANCELLED)
        },
        asked("no and a code: no", "error=access_denied&code={code}&state={state}", "cancelled", CANCELLED),
        asked("an unknown error", "error=team_is_on_holiday&state={state}", "slack_refused", NOT_ALLOWED),
        asked("a scope that Slack does not know", "error=invalid_scope&state={state}", "slack_refused", NOT_ALLOWED),
        asked(
            "a script as the error",
            "error=%3Cscript%3Ealert(1)%3C%2Fscript%3E&state={state}",
            "slack_refused",
            NOT_ALLOWED,
        ),
        asked(
            "line ends as the error",
            "error=a%0D%0ASet-Cookie%3A%20x%3Dy&state={state}",
            "slack_refused",
            NOT_ALLOWED,
        ),
        asked("bytes that are no text", "error=%FF%FE%00&state={state}", "slack_refused", NOT_ALLOWED),
    ]
}

fn exchanges() -> Vec<Vector> {
    let html = "<html>It is not you, it is us.</html>";
    vec![
        refused("a code that Slack does not know", no("invalid_code"), 400, "code_refused", CODE_SPENT),
        refused("a code that was used", no("code_already_used"), 400, "code_refused", CODE_SPENT),
        refused("a wrong client secret", no("bad_client_secret"), 500, "misconfigured", WRONG_SETTINGS),
        refused("a wrong client id", no("invalid_client_id"), 500, "misconfigured", WRONG_SETTINGS),
        refused("a wrong redirect URL", no("bad_redirect_uri"), 500, "misconfigured", WRONG_SETTINGS),
        refused(
            "the organisation has it already",
            no("cannot_install_an_org_installed_app"),
            400,
            "slack_refused",
            NOT_ALLOWED,
        ),
        refused("a word that Slack adds", no("some_new_error"), 400, "slack_refused", NOT_ALLOWED),
        refused(
            "an error that is no word",
            no("xoxb-17653672481-canary-bot-token <b>"),
            400,
            "slack_refused",
            NOT_ALLOWED,
        ),
        refused("too many exchanges", Answer::rate_limited("retry-after: 30"), 502, "slack_unreachable", NO_ANSWER),
        refused("Slack is unwell", no("internal_error"), 502, "slack_unreachable", NO_ANSWER),
        refused(
            "a status of 500 with HTML",
            Answer::status("500 Internal Server Error"),
            502,
            "slack_unreachable",
            NO_ANSWER,
        ),
        refused(
            "a status of 302",
            Answer::Http("302 Found", "location: https://evil.example/", String::new()),
            502,
            "slack_unreachable",
            NO_ANSWER,
        ),
        refused("the connection breaks", Answer::BreakOff, 502, "slack_unreachable", NO_ANSWER),
        refused("no answer", Answer::Silence, 502, "slack_unreachable", NO_ANSWER),
        refused(
            "HTML with a status of 200",
            Answer::Http("200 OK", "content-type: text/html", html.to_owned()),
            502,
            "slack_unreadable",
            UNREADABLE,
        ),
        refused("yes, and nothing else", Answer::json(r#"{"ok":true}"#), 502, "slack_unreadable", UNREADABLE),
        refused(
            "yes, without a token",
            yes(&with(&json!({ "access_token": "" }))),
            502,
            "slack_unreadable",
            UNREADABLE,
        ),
        refused("yes, of nowhere", yes(&with(&json!({ "team": null }))), 502, "slack_unreadable", UNREADABLE),
        refused("yes, by nobody", yes(&with(&json!({ "authed_user": null }))), 502, "slack_unreadable", UNREADABLE),
        refused("neither yes nor no", Answer::json("[]"), 502, "slack_unreadable", UNREADABLE),
        refused("another app's grant", yes(&with(&json!({ "app_id": "A0OTHER01" }))), 500, "other_app", WRONG_SETTINGS),
        Vector {
            down: Down::Queue,
            status: 503,
            verdict: "queue_unavailable",
            page: "The installation is not complete",
            queued: 0,
            saved: 0,
            ..good("the queue is away: nothing is saved")
        },
        Vector {
            down: Down::Saving,
            status: 503,
            verdict: "not_saved",
            page: "The installation is not complete",
            saved: 0,
            ..good("the installation cannot be saved")
        },
    ]
}

#[tokio::test]
async fn every_callback_is_answered_for_its_own_cause_and_does_no_more_than_it_may() {
    let vectors: Vec<Vector> =
        [going_well(), states_and_browsers(), denied(), exchanges()].into_iter().flatten().collect();
    assert!(vectors.len() >= 40);
    for vector in vectors {
        locally(run(vector)).await;
    }
}

async fn run(vector: Vector) {
    let (lines, _guard) = Lines::listen();
    let mut world = World::new([vector.slack.clone()]).await;
    if matches!(vector.slack, Answer::Silence) {
        world.limits.client_call_ms = 100;
    }
    let oauth = world.oauth();
    let (browser, other) = (Browser::default(), Browser::default());
    let state = browser.begin(&oauth, "direct=1").await;
    other.begin(&oauth, "direct=1").await;
    let mut secrets = [browser.cookies(), other.cookies()].concat();
    match vector.cookies {
        Cookies::Own => {}
        Cookies::None => browser.forget_all(),
        Cookies::Foreign => browser.set(COOKIE, &other.cookie(COOKIE).expect("a cookie")),
        Cookies::Value(value) => browser.set(COOKIE, value),
    }
    world.pass(vector.wait);
    world.ports.states_down.set(vector.down == Down::States);
    world.ports.queue_down.set(vector.down == Down::Queue);
    world.ports.saving_down.set(vector.down == Down::Saving);

    let query = vector.query.replace("{state}", &state).replace("{code}", CODE);
    let mut answer = browser.callback(&oauth, &query).await;
    for _ in 1..vector.times {
        answer = browser.callback(&oauth, &query).await;
    }

    let name = vector.name;
    let step = lines.last();
    assert_eq!((answer.status, step.verdict.as_deref()), (vector.status, Some(vector.verdict)), "{name}: {step:?}");
    assert_eq!(step.status, Some(u64::from(vector.status)), "{name}");
    assert!(answer.body.contains(vector.page), "{name}: {}", answer.body);
    let done = world.ports.done.take();
    let count = |what: &str| done.iter().filter(|done| **done == what).count();
    let happened = (world.slack.requests().len(), count("queued"), count("saved"));
    assert_eq!(happened, (vector.exchanged, vector.queued, vector.saved), "{name}: calls, jobs, saves");

    secrets.extend(
        [state.as_str(), CODE, CLIENT_SECRET, BOT_TOKEN, USER_TOKEN, REFRESH_TOKEN, WEBHOOK_URL].map(String::from),
    );
    for secret in &secrets {
        assert!(!lines.text().contains(secret.as_str()), "{name}: {secret} is in the log");
        assert!(!told(&answer).contains(secret.as_str()), "{name}: {secret} is in the answer");
    }
    reflects_nothing(name, &answer, &query);
    is_safe(name, &answer, &world);
}

/// Everything that goes to the browser, without the names that are fresh.
fn told(answer: &OAuthAnswer) -> String {
    let headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{}", headers.join("\n"), answer.body)
}

fn reflects_nothing(name: &str, answer: &OAuthAnswer, query: &str) {
    let told = told(answer);
    let raw = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value.to_owned());
    let decoded = form_urlencoded::parse(query.as_bytes()).map(|(_, value)| value.into_owned());
    // What is as short as `1` is in every page.
    for value in raw.chain(decoded).filter(|value| value.len() > 3) {
        assert!(!told.contains(&value), "{name}: {value:?} is reflected");
    }
    for injected in ["<script", "alert(1)", "evil.example"] {
        let escaped = told.replace("&lt;script&gt;alert(1)&lt;/script&gt;", "");
        assert!(!escaped.contains(injected), "{name}: {injected} is reflected");
    }
}

fn is_safe(name: &str, answer: &OAuthAnswer, world: &World) {
    assert_eq!(headers(answer, "cache-control"), ["no-store"], "{name}");
    assert_eq!(headers(answer, "referrer-policy"), ["no-referrer"], "{name}");
    assert!(answer.headers.iter().all(|(_, value)| !value.contains(['\r', '\n'])), "{name}");
    if answer.status == 302 {
        assert!(place(answer).starts_with(&world.slack.url), "{name}");
        return;
    }
    assert_eq!(headers(answer, "content-type"), ["text/html; charset=utf-8"], "{name}");
    assert_eq!(headers(answer, "x-content-type-options"), ["nosniff"], "{name}");
    let policy = headers(answer, "content-security-policy").join("");
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
        assert!(policy.contains(rule), "{name}: {policy}");
    }
    assert!(!policy.contains("script-src") && !policy.contains("unsafe-inline"), "{name}: {policy}");
    for link in links(answer) {
        let relative = link == "install?direct=1";
        assert!(relative || link.starts_with(&world.at_slack("app_redirect?")), "{name}: {link}");
    }
}
