//! Verbs that only read.

use super::fake::{Fake, Reply};
use super::recorded::{DEAD, LETTER, MESSAGE};
use super::{run_with, tack};
use crate::cli::output::Asking;
use serde_json::json;

#[tokio::test]
async fn the_list_shows_a_line_for_each_delivery() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["deliveries", "list"]).await;
    assert_eq!((ran.exit, ran.err.as_str()), (0, "2 of 2\n"));
    assert_eq!(
        ran.out,
        "  ✓ done        C0FFE  message             #playground · Ada  ack 3 ms  wait 9 ms              chat.postMessage  [sample_message]\n  \
           ✗ dead        00BAD  message             #playground · Ada  ack 3 ms  wait 9 ms  attempt 10                    [sample_message]\n               \
           channel_not_found\n"
    );
    assert_eq!(fake.lines(), ["GET /console/deliveries?limit=100"]);
    assert_eq!(fake.asked()[0].accept, "application/json");
}

#[tokio::test]
async fn the_list_is_filtered_by_the_workbench() {
    let fake = Fake::recorded().await;
    let arguments =
        ["deliveries", "list", "--state", "failed", "--kind", "event", "--listener", "x", "--q", "a b", "--limit", "5"];
    assert_eq!(tack(&fake, &arguments).await.exit, 0);
    assert_eq!(fake.lines(), ["GET /console/deliveries?state=failed&kind=event&listener=x&q=a+b&limit=5"]);
    let ran = tack(&fake, &["deliveries", "list", "--team", "T0NOBODY"]).await;
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", "None of 2 deliveries matches.\n"));
    let began = crate::cli::span::now_ms();
    assert_eq!(tack(&fake, &["deliveries", "list", "--since", "10m"]).await.exit, 0);
    let line = fake.lines().pop().unwrap();
    let since: u64 = line.split("since=").nth(1).unwrap().parse().unwrap();
    assert!((began - 600_000..=crate::cli::span::now_ms() - 600_000).contains(&since), "{line}");
}

#[tokio::test]
async fn json_is_what_the_workbench_says_and_nothing_else() {
    let fake = Fake::recorded().await;
    for arguments in [
        &["deliveries", "list"][..],
        &["deliveries", "show", MESSAGE],
        &["why", MESSAGE],
        &["dlq", "list"],
        &["dlq", "show", LETTER],
        &["fault"],
        &["fault", "list"],
        &["listeners"],
        &["app"],
    ] {
        let mut arguments = arguments.to_vec();
        arguments.push("--json");
        let ran = tack(&fake, &arguments).await;
        assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{arguments:?}");
        assert_eq!(ran.json()["v"], 1, "{arguments:?}");
    }
}

#[tokio::test]
async fn quiet_prints_ids_only() {
    let fake = Fake::recorded().await;
    for (arguments, ids) in [
        (&["deliveries", "list"][..], format!("{MESSAGE}\n{DEAD}\n")),
        (&["dlq", "list"], format!("{LETTER}\n")),
        (&["fault", "list"], "duplicate\n".to_owned()),
        (&["app"], "48213\n".to_owned()),
        (&["deliveries", "show", "c0ffe"], format!("{MESSAGE}\n")),
    ] {
        let mut arguments = arguments.to_vec();
        arguments.push("--quiet");
        let ran = tack(&fake, &arguments).await;
        assert_eq!((ran.out, ran.err.as_str()), (ids, ""), "{arguments:?}");
    }
}

#[tokio::test]
async fn one_delivery_is_told_whole_and_its_body_on_request() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["deliveries", "show", "C0FFE"]).await;
    for part in [
        "message  #playground · Ada  2026-11-24 09:15:03 UTC  team T0ACME001  delivery C0FFE",
        "  +0 ms   ingress  3 ms   200 after 3 ms of 3,000",
        "Ran to the end once; one message was posted.",
        "  sample_message  ✓ done",
        "attempt 1  done  12 ms",
        "  chat.postMessage  200  ok  4 ms  sample_message",
        "  worker-events  INFO  said hi",
        "  replayed as  0192f0c1-0000-7000-8000-000000000bad",
        "request  POST /slack/events",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    assert!(!ran.out.contains("event_callback"));
    let ran = tack(&fake, &["deliveries", "show", "C0FFE", "--body"]).await;
    assert!(ran.out.ends_with("  x-slack-signature: v0=…\n\n{\"type\":\"event_callback\"}\n"), "{}", ran.out);
    assert_eq!(fake.lines(), ["GET /console/deliveries/C0FFE"; 2]);
}

#[tokio::test]
async fn why_is_the_time_line_and_the_sentence() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["why", MESSAGE]).await;
    assert_eq!(
        ran.out,
        "message  #playground · Ada  2026-11-24 09:15:03 UTC  team T0ACME001  delivery C0FFE\n  \
           +0 ms   ingress  3 ms   200 after 3 ms of 3,000\n  \
           +3 ms   queue    9 ms   waited 9 ms for worker-events\n  \
           +12 ms  worker   12 ms  sample_message, attempt 1: done after 12 ms\n\
         Ran to the end once; one message was posted.\n"
    );
}

#[tokio::test]
async fn dead_letters_are_listed_with_their_causes_and_shown_with_their_body() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["dlq", "list"]).await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].starts_with("  id     queue   what     job             attempts  age"), "{}", ran.out);
    assert!(
        lines[1].starts_with("  0BEEF  events  message  sample_message  10") && lines[1].ends_with("channel_not_found"),
        "{}",
        ran.out
    );
    assert_eq!(lines[2..], ["", "causes", "     1  channel_not_found"]);
    let ran = tack(&fake, &["dlq", "show", "0beef"]).await;
    for part in [
        "  reason      chat.postMessage: channel_not_found",
        "  a redrive   It would run sample_message once more.",
        "\n{\"v\":1}\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in\n{}", ran.out);
    }
    assert_eq!(fake.lines().last().unwrap(), &format!("GET /console/dead-letters/{LETTER}"));
    let empty = Fake::answering(|_| Some(Reply::Json(200, json!({"v": 1, "letters": [], "causes": []})))).await;
    let ran = tack(&empty, &["dlq", "list"]).await;
    assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (0, "", "No dead letters.\n"));
}

#[tokio::test]
async fn listeners_stand_in_a_table() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["listeners"]).await;
    assert_eq!(
        ran.out,
        "  kind     listens to       ack  jobs        where\n  \
           command  /order           ack  order.open  src/commands/order.rs:12\n  \
           event    app_home_opened       home        src/events/home.rs:8\n"
    );
}

#[tokio::test]
async fn listeners_of_functions_that_were_built_elsewhere_are_not_known() {
    for (listeners, said) in [
        (json!(null), "Not known: these functions were built elsewhere.\n"),
        (json!([]), "register() adds nothing yet.\n"),
    ] {
        let fake = Fake::answering(move |_| Some(Reply::Json(200, json!({"v": 1, "listeners": listeners})))).await;
        let ran = tack(&fake, &["listeners"]).await;
        assert_eq!((ran.exit, ran.out.as_str(), ran.err.as_str()), (0, "", said));
    }
}

#[tokio::test]
async fn the_apps_own_side_is_build_processes_exits_and_variables() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["app"]).await;
    assert_eq!(
        ran.out,
        "build 2 answers since 2026-11-24 09:15:03 UTC\n  \
           watched: shared/listeners/src\n\
         \n\
         processes\n  \
           ingress                 timeouts 1\n               \
           no process now: the next invocation starts one\n  \
           worker   invocations 3\n               \
           pid 48213  idle, of an older build  since 2026-11-24 09:15:03 UTC\n\
         \n\
         exits, newest first\n  \
           2026-11-24 09:15:03 UTC  ingress  pid 48212  killed at its time-out  signal: 9 (SIGKILL)  in the middle of an invocation\n  \
           2026-11-24 09:15:02 UTC  worker   pid 48211  ended by itself         exit status: 1\n\
         \n\
         environment\n  \
           SLACK_SIGNING_SECRET  made up for this run  … (32 letters)\n"
    );
}

const CHANGES: [&str; 6] = [
    "event: delivery\ndata: {\"id\":\"d1\",\"short\":\"D1\",\"name\":\"message\",\"outcome\":\"queued\",\"attempts\":0}\n\n",
    "event: delivery\ndata: {\"id\":\"d1\",\"short\":\"D1\",\"name\":\"message\",\"outco",
    "me\":\"retrying\",\"attempts\":1}\n\n: still here\n\n",
    "event: resync\ndata: {}\n\n",
    "event: delivery\ndata: {\"id\":\"d1\",\"short\":\"D1\",\"name\":\"message\",\"outcome\":\"done\",\"attempts\":2}\n\n",
    "event: delivery\ndata: {\"id\":\"d1\",\"short\":\"D1\",\"name\":\"message\",\"outcome\":\"done\",\"attempts\":2}\n\n",
];

#[tokio::test]
async fn tail_tells_what_becomes_of_each_until_the_workbench_ends() {
    let fake =
        Fake::answering(|asked| asked.line.starts_with("GET /console").then(|| Reply::Events(CHANGES.to_vec()))).await;
    let ran = tack(&fake, &["deliveries", "tail", "--kind", "event"]).await;
    assert_eq!(ran.out, "  ↻ retrying    D1  message\n  ✓ done        D1  message             attempt 2\n");
    assert!(ran.err.contains("Some changes were missed"), "{}", ran.err);
    assert_eq!((ran.exit, ran.hint().as_str()), (4, "cargo run"));
    assert_eq!(fake.asked()[0].accept, "text/event-stream");
    assert_eq!(fake.lines(), ["GET /console/deliveries?kind=event"]);
}

#[tokio::test]
async fn tail_as_json_is_an_object_a_line_for_every_change() {
    let fake = Fake::answering(|_| Some(Reply::Events(CHANGES.to_vec()))).await;
    let ran = tack(&fake, &["deliveries", "tail", "--json"]).await;
    let outcomes: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["queued", "retrying", "done", "done"]);
    assert_eq!(ran.error()["code"], "no_workbench");
}

#[tokio::test]
async fn tail_ends_when_the_time_that_was_given_is_over() {
    let fake = Fake::answering(|_| Some(Reply::Endless(CHANGES.to_vec()))).await;
    let ran = tack(&fake, &["deliveries", "tail", "--timeout", "0.3"]).await;
    assert_eq!(ran.exit, 124);
    assert!(ran.out.contains("✓ done"), "{}", ran.out);
}

#[tokio::test]
async fn colours_are_shown_only_where_they_are_wanted() {
    let fake = Fake::recorded().await;
    let arguments = ["deliveries", "list", "--workbench", &fake.url];
    let coloured = run_with(Asking::Nobody, true, &arguments).await.out;
    assert!(coloured.contains("\u{1b}[32m✓ done"), "{coloured:?}");
    let plain = run_with(Asking::Nobody, false, &arguments).await.out;
    let mut without = coloured;
    for code in ["\u{1b}[32m", "\u{1b}[31m", "\u{1b}[0m"] {
        without = without.replace(code, "");
    }
    assert_eq!(without, plain);
}
