//! Verbs that send or change something.

use super::fake::{Fake, Reply};
use super::recorded::{DEAD, LETTER, MESSAGE, SENT, error, story};
use super::{Folder, run_with, tack, tack_asked};
use crate::cli::output::Asking;
use serde_json::json;

#[tokio::test]
async fn a_trigger_is_sent_by_the_simulated_slack_and_its_story_shown() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["trigger", "app_mention", "--set", "event.text=<@U0TACKBOT> hi", "--as", "grace"]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.out.starts_with("  ✓ done        C0FFE  message"), "{}", ran.out);
    let sent = fake.written();
    assert_eq!((&sent["kind"], &sent["times"]), (&json!("event"), &json!(1)));
    assert_eq!(sent["body"]["event"]["text"], "<@U0TACKBOT> hi");
    assert_eq!(sent["body"]["event"]["user"], "U0GRACE01");
    assert_eq!(sent["body"]["api_app_id"], "A0MINE001", "the app of this workbench");
    assert_eq!(fake.lines().last().unwrap(), &format!("GET /console/deliveries/{}", SENT[0]));
}

#[tokio::test]
async fn of_copies_one_may_be_done_and_the_others_duplicates() {
    let fake = Fake::recorded().await;
    let arguments = ["trigger", "message", "hi", "--duplicate", "3", "--wait", "done"];
    let ran = tack(&fake, &[&arguments[..], &["--json"]].concat()).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    let answer = ran.json();
    assert_eq!(
        (&answer["v"], &answer["held"], &answer["delivery"]["outcome"]),
        (&json!(1), &json!(true), &json!("done"))
    );
    assert_eq!(answer["copies"], json!([SENT[1], SENT[2]]));
    assert_eq!(fake.written()["times"], 3);
    let ran = tack(&fake, &arguments).await;
    assert_eq!(ran.out.matches("= duplicate").count(), 2, "{}", ran.out);
}

#[tokio::test]
async fn an_expectation_that_is_not_met_ends_with_1_and_names_the_delivery() {
    let dead = |asked: &super::fake::Asked| {
        asked
            .line
            .starts_with("GET /console/deliveries/")
            .then(|| Reply::Json(200, json!({"v": 1, "delivery": story(DEAD, "dead")})))
    };
    let fake = Fake::answering(dead).await;
    let ran = tack(&fake, &["trigger", "home", "--wait", "done"]).await;
    assert_eq!((ran.exit, ran.hint().as_str()), (1, "cargo tack why 00BAD"));
    assert!(ran.err.contains("expected done, but 00BAD ended dead") && ran.out.contains("✗ dead"), "{ran:?}");
    let ran = tack(&fake, &["trigger", "home", "--wait", "--json"]).await;
    assert_eq!((ran.exit, &ran.json()["held"], &ran.error()["code"]), (1, &json!(false), &json!("unmet")));
    assert_eq!(tack(&fake, &["trigger", "home", "--wait", "dead"]).await.exit, 0);
    assert_eq!(tack(&fake, &["trigger", "home"]).await.exit, 0, "nothing was expected");
}

#[tokio::test]
async fn what_is_not_settled_is_waited_for_until_the_time_is_over() {
    let waits = |asked: &super::fake::Asked| {
        let running = json!({"v": 1, "delivery": story(MESSAGE, "retrying")});
        match asked.line.strip_prefix("GET /console/deliveries/")? {
            path if path.contains("?wait=settled&timeout_ms=") => {
                let mut late = running;
                late["error"] = json!({"code": "timeout", "message": "it is not settled", "hint": ""});
                Some(Reply::Json(408, late))
            }
            _ => Some(Reply::Json(200, running)),
        }
    };
    let fake = Fake::answering(waits).await;
    let ran = tack(&fake, &["trigger", "home", "--wait", "done", "--timeout", "5", "--json"]).await;
    assert_eq!((ran.exit, &ran.json()["held"]), (124, &json!(false)));
    assert_eq!(ran.json()["delivery"]["outcome"], "retrying", "the story comes along");
    assert_eq!(ran.error()["code"], "timeout");
    let asked = fake.lines().pop().unwrap();
    let left: u64 = asked.split("timeout_ms=").nth(1).unwrap().parse().unwrap();
    assert!(left <= 5_000, "{asked}");
    let ran = tack(&fake, &["trigger", "home", "--times", "3", "--wait", "--timeout", "0.3"]).await;
    assert_eq!(
        (ran.exit, ran.out.matches("↻ retrying").count()),
        (124, 3),
        "those that nobody waited for as well: {ran:?}"
    );
    let settles = move |asked: &super::fake::Asked| {
        let outcome = if asked.line.contains("wait=settled") { "done" } else { "queued" };
        let is_story = asked.line.starts_with("GET /console/deliveries/");
        is_story.then(|| Reply::Json(200, json!({"v": 1, "delivery": story(MESSAGE, outcome)})))
    };
    let fake = Fake::answering(settles).await;
    assert_eq!(tack(&fake, &["say", "hi", "--wait", "done"]).await.exit, 0);
}

#[tokio::test]
async fn the_console_may_hear_of_a_delivery_a_moment_later() {
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let fake = Fake::answering(move |asked| {
        let is_story = asked.line.starts_with("GET /console/deliveries/");
        let is_early = is_story && looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 3;
        is_early.then(|| error(404, "not_found", "there is no delivery sent-1"))
    })
    .await;
    let ran = tack(&fake, &["trigger", "home"]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
}

/// What the simulated Slack says of a delivery that the console never heard of.
fn unheard(outcome: &str, failure: &str) -> Fakes {
    let delivery = json!({
        "id": SENT[0], "kind": "event", "name": "message", "channel": "C0PLAY001", "user": "U0ADA0001", "outcome": outcome,
        "attempts": [{"status": null, "failure": failure, "ms": 1}], "faults": [],
    });
    Box::new(move |asked| match asked.line.split('?').next()? {
        line if line.starts_with("GET /console/deliveries/") => Some(error(404, "not_found", "there is no delivery")),
        line if line == format!("GET /sim/deliveries/{}", SENT[0]) => {
            Some(Reply::Json(200, json!({"delivery": delivery})))
        }
        _ => None,
    })
}

type Fakes = Box<dyn Fn(&super::fake::Asked) -> Option<Reply> + Send + Sync>;

#[tokio::test]
async fn of_what_never_reached_the_app_it_is_told_what_slack_knows() {
    let cause = "\n               it did not reach the app: nobody answered at its door\n";
    let fake = Fake::answering(unheard("failed", "connection_failed")).await;
    let ran = tack(&fake, &["say", "hi"]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.out.contains("✗ failed") && ran.out.ends_with(cause), "{}", ran.out);
    let ran = tack(&fake, &["say", "hi", "--wait", "done"]).await;
    assert_eq!((ran.exit, ran.hint().as_str()), (1, "cargo tack app"));
    assert!(ran.out.ends_with(cause), "{}", ran.out);
    let ran = tack(&fake, &["trigger", "home", "--json"]).await;
    assert_eq!((ran.exit, &ran.json()["delivery"]["unheard"]), (0, &json!(true)));

    // Slack tries again: that may be waited for, as long as there is time.
    let fake = Fake::answering(unheard("retrying", "connection_failed")).await;
    let ran = tack(&fake, &["say", "hi"]).await;
    assert!(ran.exit == 0 && ran.out.contains("↻ retrying"), "{ran:?}");
    let ran = tack(&fake, &["say", "hi", "--wait", "--timeout", "0.3"]).await;
    assert_eq!((ran.exit, ran.hint().as_str()), (124, "cargo tack app"));
    assert!(ran.out.ends_with(cause) && ran.err.contains("is retrying and was not settled within 0.3 s"), "{ran:?}");
}

#[tokio::test]
async fn times_sends_several_with_ids_of_their_own() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["trigger", "message", "hi", "--times", "3", "--json"]).await;
    assert_eq!(ran.json()["repeats"].as_array().unwrap().len(), 2, "{ran:?}");
    let posts = fake.asked().into_iter().filter(|asked| asked.line == "POST /sim/deliveries");
    let ids: std::collections::BTreeSet<String> =
        posts.map(|asked| asked.body["body"]["event_id"].to_string()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn a_signature_or_a_retry_can_be_faked() {
    let fake = Fake::recorded().await;
    tack(&fake, &["trigger", "home", "--bad-signature", "--retry-num", "2"]).await;
    let headers = &fake.written()["headers"];
    assert_eq!(headers["x-slack-signature"], format!("v0={}", "0".repeat(64)));
    assert_eq!(
        (&headers["x-slack-retry-num"], &headers["x-slack-retry-reason"]),
        (&json!("2"), &json!("http_timeout"))
    );
}

#[tokio::test]
async fn print_shows_the_request_and_sends_nothing_whether_a_workbench_runs_or_not() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["trigger", "command", "/order", "3", "--print"]).await;
    assert_eq!(
        (ran.exit, &ran.json()["body"]["command"], &ran.json()["body"]["text"]),
        (0, &json!("/order"), &json!("3"))
    );
    assert_eq!(ran.json()["body"]["api_app_id"], "A0MINE001");
    assert_eq!(fake.lines(), ["GET /sim/workspace"]);
    let ran = run_with(Asking::Nobody, false, &["trigger", "message", "hi", "--in", "ops", "--print"]).await;
    assert_eq!((ran.exit, &ran.json()["body"]["event"]["channel"]), (0, &json!("C0OPS0001")));
}

#[tokio::test]
async fn the_list_of_kinds_needs_no_workbench() {
    let ran = run_with(Asking::Nobody, false, &["trigger", "list"]).await;
    assert!(ran.out.contains("  command /NAME [TEXT]") && ran.out.contains("\n  event/message\n"), "{}", ran.out);
    let ran = run_with(Asking::Nobody, false, &["trigger", "list", "--json"]).await;
    assert_eq!(
        (&ran.json()["kinds"][0]["kind"], &ran.json()["samples"][0]),
        (&json!("app_mention"), &json!("command/order-non-ascii"))
    );
}

#[tokio::test]
async fn a_file_goes_byte_for_byte() {
    let (fake, folder) = (Fake::recorded().await, Folder::new());
    let file = folder.write("body.json", "{ \"type\":\"event_callback\",  \"x\":1.50 }");
    let ran = tack(&fake, &["trigger", "raw", file.to_str().unwrap()]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert_eq!(
        (&fake.written()["kind"], &fake.written()["body"]),
        (&json!("raw"), &json!("{ \"type\":\"event_callback\",  \"x\":1.50 }"))
    );
    let ran = tack(&fake, &["trigger", "raw", file.to_str().unwrap(), "--set", "x=1"]).await;
    assert_eq!(ran.exit, 2, "{ran:?}");
    let ran = tack(&fake, &["trigger", "raw", "/nonexistent/body.json"]).await;
    assert_eq!(ran.exit, 5, "{ran:?}");
    let binary = folder.path("binary");
    std::fs::write(&binary, [0xff, 0xfe]).unwrap();
    assert_eq!(tack(&fake, &["trigger", "raw", binary.to_str().unwrap()]).await.exit, 2);
}

#[tokio::test]
async fn a_person_says_something_or_runs_a_command() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["say", "hi", "there", "--as", "grace", "--in", "general", "--wait", "done"]).await;
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.out.starts_with("  said: hi there\n  ✓ done        C0FFE"), "{}", ran.out);
    let said = json!({"as": "grace", "act": "say", "channel": "general", "text": "hi there", "thread_ts": null});
    assert_eq!(fake.written(), said);
    tack(&fake, &["say", "/order 3"]).await;
    assert_eq!(fake.written(), json!({"as": "ada", "act": "command", "channel": "playground", "text": "/order 3"}));
    assert_eq!(tack(&fake, &["say", "/order 3", "--thread", "1.2"]).await.exit, 2);
}

#[tokio::test]
async fn any_act_is_passed_on_with_person_and_place() {
    let fake = Fake::recorded().await;
    let act = r#"{"act": "click", "action_id": "sample_action_id", "ts": "1.2"}"#;
    let ran = tack(&fake, &["act", act, "--as", "grace", "--in", "playground", "--json"]).await;
    assert_eq!(
        fake.written(),
        json!({"act": "click", "action_id": "sample_action_id", "ts": "1.2", "as": "grace", "channel": "playground"})
    );
    let answer = ran.json();
    assert_eq!((&answer["act"]["outcome"], &answer["deliveries"][0]["outcome"]), (&json!("said"), &json!("done")));
    assert_eq!(answer["act"].get("deliveries"), None);
    for wrong in ["{", "[]", "{}", "3", "{\"act\": 3}"] {
        let ran = tack(&fake, &["act", wrong]).await;
        assert_eq!(ran.exit, 2, "{wrong}: {ran:?}");
        assert!(ran.hint().starts_with("cargo tack act "), "{ran:?}");
    }
}

#[tokio::test]
async fn what_a_client_would_not_send_leaves_nothing_to_wait_for() {
    let refused = |asked: &super::fake::Asked| {
        let errors = json!({"outcome": "not_sent", "errors": {"quantity": "Please complete this required field."}, "deliveries": []});
        (asked.line == "POST /sim/act").then_some(Reply::Json(200, errors))
    };
    let fake = Fake::answering(refused).await;
    let ran = tack(&fake, &["act", r#"{"act": "submit"}"#]).await;
    assert_eq!((ran.exit, ran.out.as_str()), (0, "  not_sent\n    quantity: Please complete this required field.\n"));
    let ran = tack(&fake, &["act", r#"{"act": "submit"}"#, "--wait"]).await;
    assert_eq!(ran.exit, 1, "{ran:?}");
}

#[tokio::test]
async fn a_delivery_is_sent_again_in_three_ways() {
    let (fake, folder) = (Fake::recorded().await, Folder::new());
    let ran = tack(&fake, &["resend", "c0ffe", "00bad", "--json"]).await;
    assert_eq!((ran.exit, ran.json()["deliveries"].as_array().unwrap().len()), (0, 2));
    assert_eq!(fake.written(), json!({"mode": "rerun"}));
    assert_eq!(fake.lines()[..2], ["POST /console/deliveries/c0ffe/replay", "POST /console/deliveries/00bad/replay"]);
    tack(&fake, &["resend", "c0ffe", "--mode", "redeliver", "--wait"]).await;
    assert_eq!(fake.written(), json!({"mode": "redeliver"}));
    let file = folder.write("body.json", "{\"a\": 1}");
    let file = file.to_str().unwrap();
    tack(&fake, &["resend", "c0ffe", "--body", file]).await;
    assert_eq!(fake.written(), json!({"mode": "edited", "body": "{\"a\": 1}"}));
    for wrong in [&["--mode", "edited"][..], &["--mode", "rerun", "--body", file]] {
        assert_eq!(tack(&fake, &[&["resend", "c0ffe"], wrong].concat()).await.exit, 2, "{wrong:?}");
    }
}

#[tokio::test]
async fn what_was_sent_again_before_one_failed_is_told() {
    let fake = Fake::answering(|asked| {
        (asked.line == "POST /console/deliveries/00bad/replay")
            .then(|| error(404, "not_found", "there is no delivery 00bad"))
    })
    .await;
    let ran = tack(&fake, &["resend", "c0ffe", "00bad", "c0ffe"]).await;
    assert_eq!((ran.exit, ran.hint().as_str()), (5, "cargo tack deliveries list"));
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    let ran = tack(&fake, &["resend", "00bad", "--json"]).await;
    assert_eq!((ran.exit, ran.out.as_str(), &ran.error()["code"]), (5, "", &json!("not_found")));
}

#[tokio::test]
async fn nothing_moves_before_somebody_says_so() {
    for verb in ["redrive", "discard"] {
        let fake = Fake::recorded().await;
        let ran = tack(&fake, &["dlq", verb, "--all"]).await;
        assert_eq!((ran.exit, ran.out.as_str()), (6, ""), "{ran:?}");
        assert_eq!(ran.hint(), format!("cargo tack dlq {verb} --all --yes"));
        let ran = tack_asked(&fake, "n\n", &["dlq", verb, "0beef"]).await;
        assert_eq!((ran.exit, ran.hint()), (6, format!("cargo tack dlq {verb} 0beef --yes")));
        let moved = |fake: &Fake| {
            fake.asked().iter().filter(|it| it.line.ends_with(verb) && it.body["dry_run"] != json!(true)).count()
        };
        assert_eq!(moved(&fake), 0, "{:?}", fake.asked());
        let ran = tack_asked(&fake, "y\n", &["dlq", verb, "0beef"]).await;
        assert_eq!((ran.exit, moved(&fake)), (0, 1), "{ran:?}");
        assert_eq!(fake.written(), json!({"ids": [LETTER], "dry_run": false}));
    }
}

#[tokio::test]
async fn a_redrive_says_what_moved_and_what_would() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["dlq", "redrive", "--all", "--yes"]).await;
    assert_eq!((ran.exit, ran.out), (0, format!("  1 sent back\n    {LETTER}\n")));
    assert_eq!(fake.written(), json!({"all": true}));
    let ran = tack(&fake, &["dlq", "redrive", "--cause", "channel_not_found", "--dry-run"]).await;
    assert_eq!((ran.exit, ran.out), (0, format!("  1 would be sent back\n    {LETTER}\n")));
    assert_eq!(fake.written(), json!({"cause": "channel_not_found", "dry_run": true}));
    let ran = tack(&fake, &["dlq", "discard", "00bad", "--yes", "--json"]).await;
    assert_eq!(ran.json()["moved"], 1, "a letter is found by its delivery");
    assert_eq!(tack(&fake, &["dlq", "redrive", "cafe1", "--yes"]).await.exit, 5);
}

#[tokio::test]
async fn where_there_are_no_dead_letters_none_would_move() {
    let none = |asked: &super::fake::Asked| {
        let answer = json!({"v": 1, "moved": 0, "letters": [], "dry_run": asked.body["dry_run"], "skipped": []});
        asked.line.starts_with("POST /console/dead-letters/").then_some(Reply::Json(200, answer))
    };
    let fake = Fake::answering(none).await;
    for arguments in [&["--all"][..], &["--all", "--dry-run"], &["--all", "--yes"]] {
        for verb in ["redrive", "discard"] {
            let ran = tack(&fake, &[&["dlq", verb], arguments].concat()).await;
            assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (0, "", "No dead letters.\n"), "{arguments:?}");
        }
    }
    let ran = tack(&fake, &["dlq", "redrive", "--cause", "x"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (0, "No dead letter has this cause.\n"));
    assert_eq!(tack(&fake, &["dlq", "redrive", "--all", "--json"]).await.json()["moved"], 0);
}

#[tokio::test]
async fn what_stays_is_an_expectation_not_met() {
    let skips = |asked: &super::fake::Asked| {
        let skipped = json!([{"id": LETTER, "reason": "it is being looked at"}]);
        let answer = json!({"v": 1, "moved": 0, "letters": [], "dry_run": false, "skipped": skipped});
        asked.line.ends_with("/redrive").then_some(Reply::Json(200, answer))
    };
    let ran = tack(&Fake::answering(skips).await, &["dlq", "redrive", "0beef", "--yes"]).await;
    assert_eq!((ran.exit, ran.out), (1, format!("  0 sent back\n    {LETTER} stays: it is being looked at\n")));
}

#[tokio::test]
async fn faults_are_shown_and_switched() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["fault"]).await;
    assert_eq!(
        ran.out,
        "       fault         what                    left  struck\n  \
           on   duplicate     what duplicate does     2     1×\n               \
           held: 1 message for 2 copies\n  \
           off  worker-crash  what worker-crash does\n"
    );
    for (arguments, body) in [
        (&["on", "worker-crash", "--times", "2"][..], json!({"fault": "worker-crash", "on": true, "times": 2})),
        (&["on", "duplicate"], json!({"fault": "duplicate", "on": true, "times": null})),
        (&["off", "duplicate"], json!({"fault": "duplicate", "on": false})),
        (&["off"], json!({"all": false})),
    ] {
        assert_eq!(tack(&fake, &[&["fault"], arguments].concat()).await.exit, 0, "{arguments:?}");
        assert_eq!(fake.written(), body);
    }
    let ran = tack(&fake, &["fault", "on", "worker-crahs"]).await;
    assert_eq!(ran.exit, 5);
    assert_eq!(ran.hint(), "cargo tack fault on worker-crash      (all faults: cargo tack fault list)");
    assert_eq!(tack(&fake, &["fault", "off", "earthquake"]).await.hint(), "cargo tack fault list");
}

#[tokio::test]
async fn a_reset_is_asked_for_first() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["reset"]).await;
    assert_eq!((ran.exit, ran.hint().as_str()), (6, "cargo tack reset --yes"));
    assert_eq!(tack_asked(&fake, "", &["reset"]).await.exit, 6);
    assert_eq!(fake.lines(), Vec::<String>::new());
    assert_eq!(tack_asked(&fake, "yes", &["reset"]).await.exit, 0);
    let ran = tack(&fake, &["reset", "--yes", "--json"]).await;
    assert_eq!(ran.json(), json!({"v": 1, "reset": true}));
    assert_eq!(fake.lines(), ["POST /sim/reset"; 2]);
}
