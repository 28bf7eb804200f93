//! Everything that can go wrong between a verb and its workbench.

use super::fake::{Fake, Reply};
use super::recorded::error;
use super::{Ran, run_with, tack};
use crate::cli::output::Asking;

/// A verb of each sort.
const VERBS: [&[&str]; 12] = [
    &["trigger", "home"],
    &["say", "hi"],
    &["act", r#"{"act": "open_home"}"#],
    &["deliveries", "list"],
    &["deliveries", "tail"],
    &["resend", "c0ffe"],
    &["dlq", "list"],
    &["fault", "list"],
    &["listeners"],
    &["app"],
    &["why", "c0ffe"],
    &["reset", "--yes"],
];

async fn each(fake: &Fake, more: &[&str], check: impl Fn(&Ran, &[&str])) {
    for verb in VERBS {
        check(&tack(fake, &[verb, more].concat()).await, verb);
    }
}

#[tokio::test]
async fn without_a_workbench_every_verb_says_how_to_start_one() {
    for verb in VERBS {
        let ran = run_with(Asking::Nobody, false, verb).await;
        assert_eq!((ran.exit, ran.hint().as_str(), ran.out.as_str()), (4, "cargo run", ""), "{verb:?}");
        let ran = run_with(Asking::Nobody, false, &[verb, &["--json"]].concat()).await;
        assert_eq!((ran.exit, ran.error()["code"].as_str()), (4, Some("no_workbench")), "{verb:?}");
        assert_eq!(ran.error()["hint"], "cargo run");
    }
}

#[tokio::test]
async fn nobody_at_the_address_is_no_workbench_either() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    for verb in VERBS {
        let ran = run_with(Asking::Nobody, false, &[verb, &["--workbench", &address]].concat()).await;
        assert_eq!(ran.exit, 4, "{verb:?}: {ran:?}");
        assert!(ran.err.contains(&address), "{ran:?}");
    }
}

#[tokio::test]
async fn a_workbench_that_does_not_answer_is_left_after_the_timeout() {
    let fake = Fake::answering(|_| Some(Reply::Silence)).await;
    each(&fake, &["--timeout", "0.05"], |ran, verb| {
        assert_eq!(ran.exit, 124, "{verb:?}: {ran:?}");
        assert!(ran.err.contains("within 0.05 s"), "{ran:?}");
        ran.hint();
    })
    .await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_io_failure() {
    for written in ["", "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 100\r\n\r\n{\"v\""] {
        let fake = Fake::breaking_off(written).await;
        each(&fake, &[], |ran, verb| assert_eq!(ran.exit, 74, "{verb:?} after {written:?}: {ran:?}")).await;
    }
}

#[tokio::test]
async fn something_else_at_the_address_is_not_taken_for_a_workbench() {
    for reply in [
        || Reply::Text(404, ""),
        || Reply::Text(404, "<!doctype html><title>Not found</title>"),
        || Reply::Text(200, "<!doctype html><title>Hello</title>"),
    ] {
        let fake = Fake::answering(move |_| Some(reply())).await;
        each(&fake, &[], |ran, verb| {
            assert_eq!(ran.exit, 69, "{verb:?}: {ran:?}");
            ran.hint();
        })
        .await;
    }
}

#[tokio::test]
async fn errors_of_the_console_have_their_exit_codes() {
    for (status, code, exit) in [
        (404, "not_found", 5),
        (400, "ambiguous", 2),
        (400, "invalid", 2),
        (403, "refused", 6),
        (408, "timeout", 124),
        (500, "broken", 74),
    ] {
        let fake = Fake::answering(move |_| Some(error(status, code, "this is why"))).await;
        for verb in
            [&["why", "c0ffe"][..], &["deliveries", "show", "c0ffe"], &["deliveries", "list"], &["resend", "c0ffe"]]
        {
            let ran = tack(&fake, verb).await;
            assert_eq!(ran.exit, exit, "{code} {verb:?}: {ran:?}");
            assert!(ran.err.starts_with("error: this is why\n"), "{ran:?}");
            ran.hint();
            let ran = tack(&fake, &[verb, &["--json"]].concat()).await;
            assert_eq!((ran.exit, ran.error()["code"].as_str(), ran.out.as_str()), (exit, Some(code), ""));
        }
    }
}

#[tokio::test]
async fn the_workbenchs_own_advice_is_passed_on_and_what_to_type_stays_a_command() {
    for (hint, said, typed) in [
        ("cargo tack deliveries list --q hi", "error: no\n  try: ", "cargo tack deliveries list --q hi"),
        ("give more of the id", "error: no\n  give more of the id\n  try: ", "cargo tack deliveries list"),
    ] {
        let body = serde_json::json!({"error": {"code": "not_found", "message": "no", "hint": hint}});
        let fake = Fake::answering(move |_| Some(Reply::Json(404, body.clone()))).await;
        let ran = tack(&fake, &["why", "c0ffe"]).await;
        assert!(ran.err.starts_with(said), "{ran:?}");
        assert_eq!(ran.hint(), typed);
    }
}

#[tokio::test]
async fn the_simulated_slack_refuses_in_its_own_words() {
    for (status, text, exit) in [
        (400, "there is no person Zoe", 5),
        (400, "this body does not fit: unknown variant `jump`", 2),
        (403, "Pages from `null` may not change this simulated Slack.", 6),
    ] {
        let fake =
            Fake::answering(move |asked| (asked.line == "POST /sim/act").then_some(Reply::Text(status, text))).await;
        let ran = tack(&fake, &["say", "hi"]).await;
        assert_eq!(ran.exit, exit, "{ran:?}");
        assert!(ran.err.contains(text), "{ran:?}");
    }
}

#[tokio::test]
async fn a_hostile_answer_cannot_steer_the_terminal() {
    let fake = Fake::answering(|_| Some(error(404, "not_found", "gone\u{1b}[2J\u{9b}31m"))).await;
    let ran = tack(&fake, &["why", "c0ffe"]).await;
    assert!(!ran.err.chars().any(|c| c.is_control() && c != '\n'), "{ran:?}");
}

#[tokio::test]
async fn names_and_paths_that_do_not_fit_are_told_before_anything_is_sent() {
    let fake = Fake::recorded().await;
    for (arguments, exit) in [
        (&["trigger", "app_mentoin"][..], 2),
        (&["trigger", "event/mesage"], 5),
        (&["trigger", "view"], 2),
        (&["trigger", "home", "--set", "event.tab"], 2),
        (&["trigger", "home", "--set", "event.tab.x=1"], 2),
        (&["trigger", "home", "--unset", "event.text"], 2),
        (&["trigger", "home", "--as", "zoe"], 5),
        (&["trigger", "message", "hi", "--in", "nowhere"], 5),
        (&["trigger", "url_verification", "--as", "ada"], 2),
    ] {
        let ran = tack(&fake, arguments).await;
        assert_eq!((ran.exit, ran.out.as_str()), (exit, ""), "{arguments:?}: {ran:?}");
        ran.hint();
    }
    assert!(fake.lines().iter().all(|line| line == "GET /sim/workspace"), "{:?}", fake.lines());
}

#[tokio::test]
async fn what_the_workbench_refuses_is_told_with_the_hint_of_its_verb() {
    let state = "there is no state `nope`; there are answered, queued";
    let words = "words to look for, and is: kind:";
    let counted = "token-revoked cannot be counted: it is on until it is switched off";
    let fake = Fake::answering(move |asked| {
        let refused = |message: &str, hint: &str| {
            let error = serde_json::json!({"code": "invalid", "message": message, "hint": hint});
            Some(Reply::Json(400, serde_json::json!({ "error": error })))
        };
        match asked.line.split('?').next()? {
            "GET /console/deliveries" => refused(state, words),
            "GET /console/faults" => {
                Some(Reply::Json(200, serde_json::json!({"v": 1, "faults": [{"id": "token-revoked"}]})))
            }
            "POST /console/faults" => refused(counted, ""),
            _ => None,
        }
    })
    .await;
    for (arguments, said, hint) in [
        (
            &["deliveries", "list", "--q", "is:nope"][..],
            format!("{state}\n  {words}"),
            "cargo tack deliveries list --help",
        ),
        (&["deliveries", "tail", "--q", "is:nope"], format!("{state}\n  {words}"), "cargo tack deliveries tail --help"),
        (&["fault", "on", "token-revoked", "--times", "3"], counted.to_owned(), "cargo tack fault on token-revoked"),
    ] {
        let ran = tack(&fake, arguments).await;
        assert_eq!((ran.exit, ran.err), (2, format!("error: {said}\n  try: {hint}\n")), "{arguments:?}");
    }
    let ran = tack(&fake, &["deliveries", "list", "--q", "is:nope", "--json"]).await;
    assert_eq!(ran.error()["message"], format!("{state} ({words})"));
}

#[test]
fn a_run_that_does_not_start_says_itself_what_to_do() {
    let (out, err) = (super::Paper::default(), super::Paper::default());
    let mut terminal = crate::cli::output::Terminal {
        json: false,
        quiet: false,
        is_coloured: false,
        asking: Asking::Nobody,
        out: Box::new(out),
        err: Box::new(err.clone()),
    };
    let missing = ["tack", "--env", "TACK_NO_SUCH_VARIABLE"];
    let cli = <crate::cli::Cli as clap::Parser>::try_parse_from(missing).unwrap();
    let exit = crate::cli::ended(crate::cli::start::start(cli.run), &mut terminal);
    assert_eq!(exit.code(), 3);
    let said = "--env TACK_NO_SUCH_VARIABLE: there is no such variable here; give it as TACK_NO_SUCH_VARIABLE=VALUE";
    assert_eq!(err.text(), format!("error: {said}\n"));
}
