//! What a foreign web page, or a name that was made to point at this machine, gets from the workbench: nothing.
//! These are programs' requests; no browser is needed.

use crate::browser::turn;
use crate::http::{Answer, Request};
use crate::tack::{BOT_TOKEN, Tack};
use serde_json::json;

/// Addresses of every kind: a page, JSON, assets, streams, the machine interface, the Web API, what is not there.
const ADDRESSES: [&str; 9] = [
    "/",
    "/archives/C0PLAY001",
    "/console/deliveries",
    "/console/dead-letters",
    "/assets/tack.js",
    "/live",
    "/sim/workspace",
    "/api/auth.test",
    "/no/such/page",
];

/// A page's own forms and the JSON of programs.
fn writes() -> [(&'static str, Request); 4] {
    let say = json!({ "as": "Ada", "act": "say", "channel": "playground", "text": "from afar" });
    [
        ("a person's act", Request::post("/sim/act", &say)),
        ("a fault", Request::post("/console/faults", &json!({ "fault": "duplicate", "on": true }))),
        ("a redrive", Request::post("/console/dead-letters/redrive", &json!({ "all": true }))),
        ("a form", Request::form("/act/say", "channel=C0PLAY001&text=from+afar")),
    ]
}

fn with_tack(test: impl FnOnce(&Tack)) {
    let _turn = turn();
    test(&Tack::start());
}

fn refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.body);
}

#[test]
fn a_name_that_is_not_this_machines_reaches_nothing() {
    with_tack(|tack| {
        let port = tack.workbench.port();
        let foreign = [
            "evil.example".to_owned(),
            format!("evil.example:{port}"),
            format!("localhost.evil.example:{port}"),
            format!("127.0.0.1.evil.example:{port}"),
            "0.0.0.0".to_owned(),
            String::new(),
        ];
        for host in &foreign {
            for path in ADDRESSES {
                refused(&tack.ask(&Request::get(path).header("host", host)), &format!("{path} of host {host:?}"));
            }
            for (what, request) in writes() {
                refused(&tack.ask(&request.header("host", host)), &format!("{what} of host {host:?}"));
            }
        }
        for own in [format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
            assert_eq!(tack.ask(&Request::get("/sim/workspace").header("host", &own)).status, 200, "{own}");
        }
        assert!(tack.texts("playground").is_empty(), "and nobody said anything");
    });
}

#[test]
fn a_foreign_page_writes_nothing() {
    with_tack(|tack| {
        let port = tack.workbench.port();
        let origins = [
            "https://evil.example".to_owned(),
            "null".to_owned(),
            format!("http://evil.example:{port}"),
            format!("http://localhost:{}", port.wrapping_add(1)),
            format!("https://localhost:{port}"),
        ];
        for (what, request) in writes() {
            for origin in &origins {
                let answer = tack.ask(&request.clone().header("origin", origin));
                refused(&answer, &format!("{what} from {origin}"));
            }
            let navigated = request.clone().header("sec-fetch-site", "cross-site");
            refused(&tack.ask(&navigated), &format!("{what} by a cross-site form"));
        }
        assert!(tack.texts("playground").is_empty(), "and nobody said anything");
        assert_eq!(tack.facts("/console/faults")["faults"][0]["on"], false, "and no fault is on");

        let (_, own) = writes().into_iter().next().unwrap();
        let own = own.header("origin", &tack.base_url).header("sec-fetch-site", "same-origin");
        assert_eq!(tack.ask(&own).status, 200, "our own page does");
    });
}

#[test]
fn every_answer_forbids_foreign_scripts_frames_and_readers() {
    with_tack(|tack| {
        for path in ADDRESSES.into_iter().filter(|path| *path != "/live") {
            let answer = tack.ask(&Request::get(path).header("origin", "https://evil.example"));
            let policy = answer.header("content-security-policy").unwrap_or_default();
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'self'",
            ] {
                assert!(policy.contains(part), "{path}: {part} is not in {policy:?}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            let cors: Vec<&str> = answer.header_names().filter(|name| name.starts_with("access-control-")).collect();
            assert!(cors.is_empty(), "{path} lets other origins read it: {cors:?}");
        }
    });
}

#[test]
fn no_page_and_no_fact_holds_a_secret() {
    with_tack(|tack| {
        tack.say("playground", "hi");
        tack.act(json!({ "as": "Ada", "act": "command", "channel": "playground", "text": "/sample-command hi" }));
        crate::tack::wait_for("two answers", || (tack.rows("state=done").len() == 2).then_some(()));
        let secret = tack.signing_secret();
        assert!(secret.len() > 16);
        let rows = tack.rows("");
        let stories = rows.iter().map(|row| format!("/console/deliveries/{}", row["id"].as_str().unwrap()));
        let pages = [
            "/console/deliveries",
            "/console/app",
            "/console/listeners",
            "/console/help",
            "/archives/C0PLAY001",
            "/sim/calls",
            "/sim/deliveries",
        ];
        for path in pages.into_iter().map(str::to_owned).chain(stories) {
            for wanted in ["text/html", "application/json"] {
                let answer = tack.ask(&Request::get(&path).header("accept", wanted));
                assert!(!answer.body.contains(&secret), "{path} as {wanted} shows the signing secret");
                assert!(!answer.body.contains(BOT_TOKEN), "{path} as {wanted} shows the bot's token");
            }
        }
    });
}
