//! The history from the outside: what came in, in which order, and what it says then.

use super::*;
use bytes::Bytes;
use serde_json::json;
use tack_local_aws::lambda::Stream;

const ID: &str = "019ad000-0000-7000-8000-0000000abcde";
const BODY: &str = r#"{"token":"verification-token","team_id":"T1","event_id":"Ev1","event":{"type":"message","channel":"C1","user":"U1","text":"hi there"}}"#;

fn arrived(request: &str, status: u16) -> Arrived {
    Arrived {
        request_id: request.to_owned(),
        at_ms: 1_000,
        ms: 3,
        method: "POST".to_owned(),
        path: "/slack/events".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-slack-signature".to_owned(), format!("v0={request}")),
        ],
        body: Bytes::from_static(BODY.as_bytes()),
        status,
        answer_headers: Vec::new(),
        answer_body: Bytes::new(),
        invocation: Some(format!("invocation-{request}")),
        problem: None,
    }
}

fn line(function: &str, invocation: &str, text: &Value) -> OutputLine {
    OutputLine {
        function: function.to_owned(),
        pid: 7,
        stream: Stream::Stdout,
        line: text.to_string(),
        request_id: Some(invocation.to_owned()),
    }
}

fn ack(id: &str, request: &str) -> OutputLine {
    let step = json!({
        "step": "ack", "delivery": id, "request": request, "kind": "message", "verdict": "queued", "status": 200, "jobs": "greet",
        "key": "event:Ev1",
    });
    line("ingress", &format!("invocation-{request}"), &step)
}

fn job(id: &str, invocation: &str, attempt: u64, outcome: &str, more: Value) -> OutputLine {
    let mut step = json!({
        "step": "job", "delivery": id, "job": "greet", "attempt": attempt, "outcome": outcome, "ms": 10.0, "wait_ms": 9,
    });
    if let (Some(fields), Value::Object(more)) = (step.as_object_mut(), more) {
        fields.extend(more);
    }
    line("worker-events", invocation, &step)
}

fn call(id: &str, invocation: &str) -> OutputLine {
    let step = json!({
        "step": "call", "delivery": id, "job": "greet", "method": "chat.postMessage", "outcome": "ok", "ms": 4.0, "request": "slack-1",
    });
    line("worker-events", invocation, &step)
}

/// A message of the queue, as ARCHITECTURE describes it.
fn message(id: &str) -> String {
    json!({
        "v": 1, "origin": "slack", "id": id, "received_at": 1_000, "kind": "events_api", "app": "A1", "team": "T1", "enc": "text",
        "content_type": "application/json", "body": BODY, "jobs": [{ "name": "greet" }], "gen": 0,
    })
    .to_string()
}

fn began(id: &str, invocation: &str, at_ms: u64) -> BatchBegan {
    BatchBegan {
        invocation: invocation.to_owned(),
        function: "worker-events".to_owned(),
        at_ms,
        messages: vec![Message { body: message(id) }],
    }
}

fn ended(invocation: &str, at_ms: u64, failure: Option<&str>) -> BatchEnded {
    BatchEnded { invocation: invocation.to_owned(), at_ms, failure: failure.map(str::to_owned) }
}

fn only_row(history: &History) -> Row {
    let (rows, matching, total) = history.rows(&Filter::parse(&Query::default()).unwrap());
    assert_eq!((rows.len(), matching, total), (1, 1, 1), "{rows:#?}");
    rows[0].clone()
}

/// A greeting from its arrival to its end.
fn greeted(history: &History) {
    history.line(&ack(ID, "r1"), 1_003);
    history.arrived(arrived("r1", 200));
    history.began(&began(ID, "w1", 1_012));
    history.line(&call(ID, "w1"), 1_020);
    history.line(&job(ID, "w1", 1, "done", json!({})), 1_022);
    history.ended(&ended("w1", 1_023, None));
}

#[test]
fn a_greeting_ran_once() {
    let history = History::new();
    greeted(&history);
    let row = only_row(&history);
    assert_eq!((row.outcome, row.kind, row.name.as_str()), (Outcome::Done, Kind::Event, "message"));
    assert_eq!((row.ack_ms, row.wait_ms, row.first_call_ms, row.attempts), (Some(3), Some(9), Some(20), 1));
    assert_eq!(row.sentence, "Ran once: answered in 3 ms, waited 9 ms, and called chat.postMessage.");
    let story = history.story("abcde").unwrap();
    let lanes: Vec<&str> = story.timeline.iter().map(|span| span.lane).collect();
    assert_eq!(lanes, ["ingress", "queue", "worker", "slack"]);
    assert_eq!(history.row_of_call("slack-1").unwrap().id, ID);
}

#[test]
fn a_request_is_not_told_of_before_the_ingress_has_said_what_it_made_of_it() {
    let history = History::new();
    let mut changes = history.subscribe();
    history.arrived(arrived("r1", 200));
    assert!(changes.try_recv().is_err(), "nobody can know yet whether there is work");
    assert!(!only_row(&history).outcome.is_settled());
    history.line(&ack(ID, "r1"), 1_003);
    assert_eq!(changes.try_recv().unwrap().id, ID);
}

#[test]
fn the_order_in_which_things_become_known_changes_nothing() {
    let inputs: [fn(&History); 5] = [
        |history| history.arrived(arrived("r1", 200)),
        |history| history.line(&ack(ID, "r1"), 1_003),
        |history| history.began(&began(ID, "w1", 1_012)),
        |history| history.line(&call(ID, "w1"), 1_020),
        |history| history.line(&job(ID, "w1", 1, "done", json!({})), 1_022),
    ];
    for shift in 0..inputs.len() {
        let history = History::new();
        for at in 0..inputs.len() {
            inputs[(at + shift) % inputs.len()](&history);
        }
        let row = only_row(&history);
        assert_eq!((row.outcome, row.calls.len(), row.ack_ms), (Outcome::Done, 1, Some(3)), "begun at {shift}");
        assert_eq!(history.story(ID).unwrap().calls.len(), 1, "begun at {shift}");
    }
}

#[test]
fn a_killed_worker_leaves_an_attempt_without_a_word() {
    let history = History::new();
    history.arrived(arrived("r1", 200));
    history.line(&ack(ID, "r1"), 1_003);
    assert_eq!(only_row(&history).outcome, Outcome::Queued);
    history.began(&began(ID, "w1", 1_012));
    assert_eq!(only_row(&history).outcome, Outcome::Running);
    history.ended(&ended("w1", 1_040, Some("the process ended: signal 9")));
    let row = only_row(&history);
    assert_eq!((row.outcome, row.cause.as_deref()), (Outcome::Retrying, Some("the process ended: signal 9")));
    history.began(&began(ID, "w2", 7_000));
    history.line(&call(ID, "w2"), 7_010);
    history.line(&job(ID, "w2", 2, "done", json!({})), 7_012);
    history.ended(&ended("w2", 7_013, None));
    let row = only_row(&history);
    assert_eq!((row.outcome, row.attempts), (Outcome::Done, 2));
    assert!(
        row.sentence.starts_with("Ran twice: the worker was killed in the middle, and attempt 2 finished"),
        "{}",
        row.sentence
    );
    let story = history.story(ID).unwrap();
    let attempts: Vec<(u64, &str)> =
        story.jobs[0].attempts.iter().map(|attempt| (attempt.n, attempt.outcome.as_str())).collect();
    assert_eq!(attempts, [(1, "killed"), (2, "done")]);
}

#[test]
fn a_copy_is_a_duplicate_and_knows_its_like() {
    const COPY: &str = "019ad000-0000-7000-8000-0000000fffff";
    let history = History::new();
    greeted(&history);
    history.line(&ack(COPY, "r2"), 2_003);
    history.arrived(arrived("r2", 200));
    history.line(&job(COPY, "w3", 0, "duplicate", json!({ "attempt": null })), 2_010);
    let row = history.row(COPY).unwrap();
    assert_eq!((row.outcome, row.dedup), (Outcome::Duplicate, Some("duplicate")));
    let story = history.story(COPY).unwrap();
    assert_eq!((story.related[0].id.as_str(), story.related[0].relation), (ID, "same to the app"));
    // Both have the event's id: the first is meant.
    assert_eq!(history.story("Ev1").unwrap().row.id, ID);
    assert_eq!(history.neighbours(COPY), (None, Some(ID.to_owned())));
}

#[test]
fn a_dead_letter_that_is_redriven_is_done() {
    let history = History::new();
    history.arrived(arrived("r1", 200));
    history.line(&ack(ID, "r1"), 1_003);
    history.line(&job(ID, "w1", 1, "parked", json!({ "reason": "channel_not_found" })), 1_020);
    let row = only_row(&history);
    assert_eq!((row.outcome, row.cause.as_deref()), (Outcome::Dead, Some("channel_not_found")));
    assert!(row.sentence.contains("channel_not_found"), "{}", row.sentence);
    history.line(&job(ID, "w2", 1, "done", json!({ "gen": 1 })), 9_000);
    let row = only_row(&history);
    assert_eq!(row.outcome, Outcome::Done);
    assert!(row.sentence.starts_with("Redriven"), "{}", row.sentence);
}

#[test]
fn what_is_not_let_in_says_why() {
    let history = History::new();
    history.arrived(arrived("r1", 401));
    let step = json!({ "step": "ack", "request": "r1", "verdict": "bad_signature", "status": 401, "reason": "stale_timestamp" });
    history.line(&line("ingress", "invocation-r1", &step), 1_003);
    let row = only_row(&history);
    assert_eq!((row.outcome, row.id.as_str()), (Outcome::Rejected, "r1"));
    assert_eq!(row.sentence, "Not let in: its timestamp is more than five minutes old.");
}

#[test]
fn lines_belong_to_the_delivery_of_their_invocation() {
    let history = History::new();
    greeted(&history);
    history.line(
        &line("worker-events", "w1", &json!({ "level": "ERROR", "message": "panicked", "place": "a.rs:9" })),
        1_021,
    );
    let story = history.story(ID).unwrap();
    assert_eq!((story.logs[0].text.as_str(), story.logs[0].level.as_str()), ("panicked (a.rs:9)", "error"));
    assert!(!story.logs[0].shared);
    // Another delivery of the same batch: whose line it was nobody knows.
    history.began(&began("019ad000-0000-7000-8000-000000000002", "w1", 1_012));
    history.line(&line("worker-events", "w1", &json!({ "message": "whose?" })), 1_022);
    assert!(history.story(ID).unwrap().logs[1].shared);
}

#[test]
fn the_simulated_slack_is_found_by_the_answers_header_or_else_by_the_signature() {
    let history = History::new();
    history.arrived(arrived("r1", 200));
    history.arrived(arrived("r2", 200));
    let attempt =
        |headers: Value, answer: Value| json!([{ "retry_num": 0, "headers": headers, "answer_headers": answer }]);
    history.slack(&json!({
        "id": "s1", "attempts": attempt(json!({}), json!([["apigw-requestid", "r1"]])), "copy_of": null,
    }));
    // No answer came in time, so there are no headers of one.
    history.slack(&json!({ "id": "s2", "attempts": attempt(json!({ "X-Slack-Signature": "v0=r2" }), json!([])), "copy_of": "s1" }));
    assert_eq!(history.row("s1").unwrap().id, "r1");
    let row = history.row("s2").unwrap();
    assert_eq!((row.id.as_str(), row.copy_of.as_deref()), ("r2", Some("s1")));
}

#[test]
fn nothing_shows_a_secret() {
    let history = History::new();
    let mut request = arrived("r1", 200);
    request.headers.push(("authorization".to_owned(), "Bearer xoxb-1234567890-secret".to_owned()));
    history.arrived(request);
    history.line(&ack(ID, "r1"), 1_003);
    history.line(&line("ingress", "invocation-r1", &json!({ "message": "token xoxb-1234567890-secret" })), 1_004);
    let story = serde_json::to_string(&history.story(ID).unwrap()).unwrap();
    for secret in ["verification-token", "1234567890-secret", "v0=r1"] {
        assert!(!story.contains(secret), "{secret} in {story}");
    }
}

#[test]
fn a_list_is_filtered_by_words() {
    let history = History::new();
    greeted(&history);
    let count = |q: &str| {
        let query = Query { q: q.to_owned(), ..Query::default() };
        history.rows(&Filter::parse(&query).unwrap()).1
    };
    for q in
        ["", "HI", "hi there", "is:done", "kind:event listener:greet", "event_id:Ev1", "ack:>2", "abcde", "team:T1"]
    {
        assert_eq!(count(q), 1, "{q:?}");
    }
    for q in ["bye", "is:dead", "is:failed", "kind:command", "listener:other", "event_id:Ev2", "ack:>3"] {
        assert_eq!(count(q), 0, "{q:?}");
    }
    let bad = Query { q: "is:finished".to_owned(), ..Query::default() };
    assert!(Filter::parse(&bad).unwrap_err().contains("there are answered"), "the words are named");
}

#[test]
fn an_ending_names_one_delivery_or_is_ambiguous() {
    let history = History::new();
    history.line(&ack("00000000-0000-7000-8000-00000001abcd", "r1"), 1);
    history.line(&ack("00000000-0000-7000-8000-00000002abcd", "r2"), 2);
    assert_eq!(history.story("abcd").err(), Some(NotFound::Ambiguous));
    assert_eq!(history.story("2ABCD").unwrap().row.id, "00000000-0000-7000-8000-00000002abcd");
    assert_eq!(history.story("bcd").err(), Some(NotFound::Unknown));
    assert_eq!(history.story("").err(), Some(NotFound::Unknown));
    assert_eq!(history.story("LAST").unwrap().row.id, "00000000-0000-7000-8000-00000002abcd");
}

#[test]
fn ten_thousand_are_kept_and_not_one_more() {
    let history = History::new();
    for number in 0..RECORDS_MAX + 500 {
        let (id, request) = (format!("00000000-0000-7000-8000-{number:012x}"), format!("r{number}"));
        history.arrived(arrived(&request, 200));
        history.line(&ack(&id, &request), 1);
        history.began(&began(&id, &format!("w{number}"), 2));
        history.line(&call(&id, &format!("w{number}")), 3);
        history.line(&job(&id, &format!("w{number}"), 1, "done", json!({})), 3);
        history.ended(&ended(&format!("w{number}"), 4, None));
    }
    let (_, matching, total) = history.rows(&Filter::parse(&Query::default()).unwrap());
    assert_eq!((matching, total), (RECORDS_MAX, RECORDS_MAX));
    let sizes = history.lock().sizes();
    assert!(sizes.iter().all(|size| *size <= 2 * RECORDS_MAX), "{sizes:?}");
}

#[test]
fn large_bodies_push_out_old_ones_before_the_memory_is_full() {
    let history = History::new();
    for number in 0..200 {
        let mut request = arrived(&format!("r{number}"), 200);
        request.body = vec![b'x'; 1024 * 1024].into();
        history.arrived(request);
    }
    let (_, _, total) = history.rows(&Filter::parse(&Query::default()).unwrap());
    assert!(total < 70, "{total} of 1 MiB each");
}

#[test]
fn an_attempt_that_slack_gave_up_is_found_when_the_door_answers_at_last() {
    let history = History::new();
    let gave_up = json!({
        "id": "s1", "attempts": [{ "retry_num": 0, "headers": { "x-slack-signature": "v0=r1" }, "answer_headers": [] }],
    });
    history.slack(&gave_up);
    history.slack(&gave_up);
    let mut late = arrived("r1", 200);
    late.ms = 4_016;
    history.arrived(late);
    let step = json!({ "step": "ack", "delivery": ID, "request": "r1", "verdict": "answered", "status": 200 });
    history.line(&line("ingress", "invocation-r1", &step), 5_000);
    let row = history.row("s1").unwrap();
    assert_eq!((row.id.as_str(), row.outcome), (ID, Outcome::Failed));
    assert!(row.sentence.contains("the answer took 4016 ms"), "{}", row.sentence);
}

#[test]
fn an_error_of_the_gateway_is_no_success_whatever_the_ingress_had_said() {
    let history = History::new();
    let step = json!({ "step": "ack", "delivery": ID, "request": "r1", "verdict": "answered", "status": 200 });
    history.line(&line("ingress", "invocation-r1", &step), 1_003);
    history.arrived(Arrived { problem: Some("timed out after 5 s".to_owned()), ..arrived("r1", 500) });
    let row = only_row(&history);
    assert_eq!((row.outcome, row.cause.as_deref()), (Outcome::Failed, Some("Slack was told 500: timed out after 5 s")));
    history.clear();
    history.line(&ack(ID, "r1"), 1_003);
    history.arrived(arrived("r1", 503));
    history.line(&job(ID, "w1", 1, "done", json!({})), 1_022);
    let row = only_row(&history);
    assert_eq!(row.outcome, Outcome::Done);
    assert!(row.sentence.ends_with("But Slack was told 503; an event comes again."), "{}", row.sentence);
}

#[test]
fn what_is_no_delivery_leaves_no_record() {
    let history = History::new();
    history
        .line(&line("worker-events", "w1", &json!({ "message": "parcel left the house", "delivery": "DHL-123" })), 1);
    let mut foreign = began(ID, "w1", 1);
    foreign.messages[0].body = json!({ "id": "T(1)>" }).to_string();
    history.began(&foreign);
    assert_eq!(history.rows(&Filter::parse(&Query::default()).unwrap()).2, 0);
}

#[test]
fn what_was_under_way_when_everything_was_forgotten_does_not_come_back() {
    let history = History::new();
    history.line(&ack(ID, "r1"), 1_003);
    history.clear();
    history.began(&began(ID, "w1", 1_012));
    history.line(&job(ID, "w1", 1, "done", json!({})), 1_022);
    assert_eq!(history.rows(&Filter::parse(&Query::default()).unwrap()).2, 0);
}

#[test]
fn page_after_page_shows_every_row_once() {
    let history = History::new();
    for number in 0..25 {
        // All in one millisecond, and told of in another order than they came.
        history.line(&ack(&format!("00000000-0000-7000-8000-{number:012x}"), &format!("r{}", 25 - number)), 1);
    }
    let mut seen = Vec::new();
    loop {
        let older_than = seen.last().cloned().unwrap_or_default();
        let filter = Filter::parse(&Query { limit: Some(10), older_than, ..Query::default() }).unwrap();
        let (rows, matching, _) = history.rows(&filter);
        assert_eq!(matching, 25);
        if rows.is_empty() {
            break;
        }
        seen.extend(rows.into_iter().map(|row| row.id));
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (25, 25));
}

#[test]
fn a_copy_of_what_was_given_up_is_not_called_done() {
    let history = History::new();
    history.line(&ack(ID, "r1"), 1);
    let reason = json!({ "attempt": null, "reason": "it was given up before; its dead letter exists" });
    history.line(&job(ID, "w1", 0, "duplicate", reason), 2);
    assert!(only_row(&history).sentence.contains("given up"), "{}", only_row(&history).sentence);
}

#[test]
fn a_step_is_as_old_as_its_line_says_and_not_as_its_reading() {
    let history = History::new();
    // The door saw it at 2026-11-24T09:14:02.100Z, which is 1795511642.1 by `date -u -d … +%s`.
    let begin = 1_795_511_642_100;
    history.arrived(Arrived { at_ms: begin, ..arrived("r1", 200) });
    history.line(&ack(ID, "r1"), begin + 3);
    history.began(&began(ID, "w1", begin + 5));
    let stamped = |line: OutputLine, stamp: &str| {
        let mut json: Value = serde_json::from_str(&line.line).unwrap();
        json["timestamp"] = json!(stamp);
        OutputLine { line: json.to_string(), ..line }
    };
    // Both are read long after; the job began before its call.
    history.line(&stamped(call(ID, "w1"), "2026-11-24T09:14:02.130000Z"), begin + 500);
    history.line(&stamped(job(ID, "w1", 1, "done", json!({})), "2026-11-24T09:14:02.132000Z"), begin + 900);
    let story = history.story(ID).unwrap();
    assert_eq!(story.jobs[0].attempts[0].at_ms, begin + 22);
    assert_eq!(story.calls[0].at_ms, begin + 26);
    let queue = story.timeline.iter().find(|span| span.lane == "queue").unwrap();
    assert_eq!(queue.text, "waited 19 ms for worker-events", "until the job began");
}
