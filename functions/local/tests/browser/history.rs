//! Ten thousand deliveries: the pages stay quick, and memory stays bounded. The figures are printed; what is asserted leaves room for a machine
//! that has other things to do.

use crate::browser::{in_browser, turn};
use crate::http::Request;
use crate::page::id;
use crate::tack::{Tack, wait_for};
use serde_json::json;
use std::time::{Duration, Instant};

/// What the history keeps.
const KEPT: u64 = 10_000;
/// More than it keeps.
const SENT: u64 = 10_200;
/// Sent by one request.
const AT_ONCE: u64 = 300;
/// What a page may take on an idle machine.
const PROMISED: Duration = Duration::from_millis(200);
/// How much longer on one that is not.
const ROOM: u32 = 5;
/// For a development build with its debug information.
const MEGABYTES_MAX: u64 = 600;

#[test]
fn with_ten_thousand_deliveries_every_page_is_quick_and_memory_bounded() {
    let _turn = turn();
    let tack = Tack::start();
    let before = tack.resident_megabytes();
    let began = Instant::now();
    fill(&tack);
    println!("{SENT} deliveries in {:.1} s", began.elapsed().as_secs_f64());

    let total = tack.facts("/console/deliveries?limit=1")["total"].as_u64().unwrap();
    assert_eq!(total, KEPT, "the oldest left the history");
    let newest = tack.rows("limit=1")[0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/archives/C0PLAY001".to_owned(),
        "/console/deliveries".to_owned(),
        "/console/deliveries?limit=1000".to_owned(),
        "/console/deliveries?q=nothing-that-is-anywhere".to_owned(),
        "/console/deliveries?q=is:failed".to_owned(),
        format!("/console/deliveries/{newest}"),
        "/console/dead-letters".to_owned(),
        "/console/faults".to_owned(),
        "/console/listeners".to_owned(),
        "/console/app".to_owned(),
        "/console/help".to_owned(),
    ] {
        for wanted in ["text/html", "application/json"] {
            let took = median(&tack, &path, wanted);
            println!("  {:>6.1} ms  {path} as {wanted}", took.as_secs_f64() * 1000.0);
            assert!(took < PROMISED * ROOM, "{path} as {wanted} took {took:?}");
        }
    }
    if let (Some(before), Some(after)) = (before, tack.resident_megabytes()) {
        println!("  {before} MB resident at the start, {after} MB with {KEPT} deliveries");
        assert!(after < MEGABYTES_MAX, "{after} MB");
    }
}

/// Events that nobody listens to, and now and then one that somebody answers.
fn fill(tack: &Tack) {
    let mut sent = tack.facts("/console/deliveries?limit=1")["total"].as_u64().unwrap();
    while sent < SENT {
        let event = json!({ "type": "reaction_added", "user": "U0ADA0001", "reaction": "eyes",
                            "item": { "type": "message", "channel": "C0PLAY001", "ts": "1795511642.118000" } });
        let request = json!({ "kind": "event", "body": event, "times": AT_ONCE });
        let answer = tack.ask(&Request::post("/sim/deliveries", &request));
        assert_eq!(answer.status, 200, "{}", answer.body);
        sent += AT_ONCE;
        tack.say("playground", "hi");
    }
    wait_for("the end of every delivery", || {
        let rows = tack.rows("limit=1000");
        rows.iter().all(|row| row["outcome"] != "queued" && row["outcome"] != "running").then_some(())
    });
}

fn median(tack: &Tack, path: &str, wanted: &str) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let answer = tack.ask(&Request::get(path).header("accept", wanted));
            assert!(answer.status < 500, "{path}: {}", answer.status);
            answer.took
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
fn the_first_answer_is_on_the_screen_soon_after_the_key_press() {
    const TIMES: usize = 9;
    in_browser(|tack, page| {
        page.open("/");
        for number in 1..=TIMES {
            page.say("hi");
            page.sees_times(number, &format!("{}.app", id("message")), "hi, how are you?");
        }
        let times = wait_for("the page's own clock", || {
            let times = tack.facts("/console/deliveries?limit=1")["answer_times"].clone();
            (times["count"].as_u64().unwrap_or_default() as usize >= TIMES).then_some(times)
        });
        println!("first answer on the screen, by the page's clock: {times}");
        assert!(times["median_ms"].as_u64().is_some_and(|ms| ms < 2_000), "{times}");
        page.open("/console/deliveries");
        page.sees_text(&id("answer-times"), "First answer on the screen");
    });
}
