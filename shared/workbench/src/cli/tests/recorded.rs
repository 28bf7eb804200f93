//! What a workbench says, by address: a message that was answered, its copy, a dead letter, the faults.

use super::fake::{Asked, Reply};
use serde_json::{Value, json};

/// The message's delivery.
pub(super) const MESSAGE: &str = "0192f0c1-0000-7000-8000-0000000c0ffe";
/// The message that nobody could work on.
pub(super) const DEAD: &str = "0192f0c1-0000-7000-8000-000000000bad";
/// The dead letter of it.
pub(super) const LETTER: &str = "11111111-1111-4111-8111-aaaa0000beef";
/// The simulated Slack's own ids of what it sent.
pub(super) const SENT: [&str; 3] = ["sent-1", "sent-2", "sent-3"];

pub(super) fn row(id: &str, outcome: &str) -> Value {
    let is_dead = outcome == "dead";
    json!({
        "id": id, "short": id[id.len() - 5..].to_uppercase(), "at_ms": 1_795_511_703_515_u64, "kind": "event", "name": "message",
        "about": "#playground · Ada", "team": "T0ACME001", "user": "U0ADA0001", "channel": "C0PLAY001", "verdict": "queued",
        "status": 200, "ack_ms": 3, "wait_ms": 9, "attempts": if is_dead { 10 } else { 1 },
        "dedup": "claimed", "calls": if is_dead { vec![] } else { vec!["chat.postMessage"] }, "outcome": outcome,
        "cause": if is_dead { json!("channel_not_found") } else { Value::Null },
        "jobs": ["sample_message"], "copy_of": null, "replay_of": null, "retry_num": null,
        "sentence": "Ran to the end once; one message was posted.",
    })
}

/// A story: a row and what is behind it.
pub(super) fn story(id: &str, outcome: &str) -> Value {
    let mut story = row(id, outcome);
    story["jobs"] = json!([{
        "name": "sample_message", "outcome": outcome, "cause": story["cause"], "dedup_key": "event:Ev0ACME0001",
        "attempts": [{"n": 1, "at_ms": 1_795_511_703_524_u64, "wait_ms": 9, "ms": 12, "outcome": outcome, "reason": null, "process": 48_213}],
    }]);
    story["request"] = json!({
        "method": "POST", "path": "/slack/events", "headers": [["x-slack-signature", "v0=…"]],
        "body": "{\"type\":\"event_callback\"}", "bytes": 25,
    });
    story["answer"] = json!({"status": 200, "headers": [], "body": ""});
    story["calls"] = json!([{
        "at_ms": 1_795_511_703_530_u64, "method": "chat.postMessage", "status": 200, "ok": true, "error": null, "ms": 4,
        "request": "r1", "args": {}, "answer": {}, "job": "sample_message",
    }]);
    story["logs"] =
        json!([{"at_ms": 1, "function": "worker-events", "level": "INFO", "text": "said hi", "shared": false}]);
    story["timeline"] = json!([
        {"lane": "ingress", "name": "ack", "at_ms": 1_795_511_703_515_u64, "ms": 3, "text": "200 after 3 ms of 3,000", "state": "ok"},
        {"lane": "queue", "name": "wait", "at_ms": 1_795_511_703_518_u64, "ms": 9, "text": "waited 9 ms for worker-events", "state": "ok"},
        {"lane": "worker", "name": "attempt 1", "at_ms": 1_795_511_703_527_u64, "ms": 12, "text": "sample_message, attempt 1: done after 12 ms", "state": "ok"},
    ]);
    story["related"] = json!([{"id": DEAD, "relation": "replayed as"}]);
    story["curl"] = json!("curl …");
    story
}

pub(super) fn letter() -> Value {
    json!({
        "id": LETTER, "short": "0BEEF", "queue": "events", "delivery": DEAD, "job": "sample_message", "kind": "event",
        "name": "message", "team": "T0ACME001", "cause": "channel_not_found", "reason": "chat.postMessage: channel_not_found",
        "attempts": 10, "gen": 1, "sent_ms": 1_795_511_703_515_u64, "expires_ms": 1_796_721_303_515_u64,
        "would": "It would run sample_message once more.",
    })
}

fn moved(asked: &Asked) -> Value {
    let is_dry = asked.body["dry_run"] == json!(true);
    json!({"v": 1, "moved": 1, "letters": [LETTER], "dry_run": is_dry, "skipped": []})
}

fn fault(id: &str, on: bool) -> Value {
    json!({
        "id": id, "title": format!("what {id} does"), "group": "Slack → app", "promise": "at least once", "on": on,
        "times_left": if on { json!(2) } else { Value::Null }, "struck": u8::from(on),
        "verdict": if on { json!("held: 1 message for 2 copies") } else { Value::Null },
    })
}

fn app() -> Value {
    const AT_MS: u64 = 1_795_511_703_515;
    let function = |name: &str, invocations: u64, timeouts: u64, processes: Value, exits: Value| {
        json!({
            "name": name, "invocations": invocations, "throttles": 0, "timeouts": timeouts, "processes": processes, "exits": exits,
        })
    };
    let process = json!({
        "pid": 48_213, "started_ms": AT_MS, "busy": false, "state": "idle", "invocations": 3, "outdated": true,
    });
    let killed = json!({
        "pid": 48_212, "at_ms": AT_MS, "status": "signal: 9 (SIGKILL)", "cause": "killed at its time-out", "invocation": "i-1",
    });
    let ended = json!({
        "pid": 48_211, "at_ms": AT_MS - 1_000, "status": "exit status: 1", "cause": "ended by itself", "invocation": null,
    });
    json!({
        "v": 1,
        "build": {
            "serving": {"build": 2, "since_ms": AT_MS, "built_in_ms": 900},
            "state": {"is": "live", "build": 2, "since_ms": AT_MS, "built_in_ms": 900},
            "watching": {"is": "on", "folders": ["shared/listeners/src"]}, "restart_needed": false,
        },
        "functions": [
            function("ingress", 0, 1, json!([]), json!([killed])),
            function("worker", 3, 0, json!([process]), json!([ended])),
        ],
        "environment": [{"name": "SLACK_SIGNING_SECRET", "value": "… (32 letters)", "origin": "made up for this run"}],
    })
}

fn delivery(path: &str) -> Reply {
    let id = path.split('?').next().unwrap_or_default();
    let is_meant = |whole: &str| id.len() >= 4 && whole.ends_with(&id.to_ascii_lowercase());
    match id {
        _ if is_meant(MESSAGE) => Reply::Json(200, json!({"v": 1, "delivery": story(MESSAGE, "done")})),
        _ if is_meant(DEAD) => Reply::Json(200, json!({"v": 1, "delivery": story(DEAD, "dead")})),
        id if SENT[0] == id => Reply::Json(200, json!({"v": 1, "delivery": story(MESSAGE, "done")})),
        id if SENT.contains(&id) => {
            let copy = "0192f0c1-0000-7000-8000-00000000c0b1";
            Reply::Json(200, json!({"v": 1, "delivery": story(copy, "duplicate")}))
        }
        id => error(404, "not_found", &format!("there is no delivery {id}")),
    }
}

pub(super) fn error(status: u16, code: &str, message: &str) -> Reply {
    Reply::Json(status, json!({"error": {"code": code, "message": message, "hint": ""}}))
}

/// The answer to a request.
pub(super) fn reply(asked: &Asked) -> Reply {
    let ok = |json: Value| Reply::Json(200, json);
    let (line, query) = asked.line.split_once('?').unwrap_or((&asked.line, ""));
    let sent = |ids: &[&str]| ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
    match line {
        "GET /console/deliveries" if asked.accept == "text/event-stream" => Reply::Events(vec![": hello\n\n"]),
        "GET /console/deliveries" => {
            let rows =
                if query.contains("team=T0NOBODY") { vec![] } else { vec![row(MESSAGE, "done"), row(DEAD, "dead")] };
            ok(json!({"v": 1, "matching": rows.len(), "deliveries": rows, "total": 2}))
        }
        "POST /sim/deliveries" => {
            let times = usize::try_from(asked.body["times"].as_u64().unwrap()).unwrap();
            ok(json!({"delivery": {"id": SENT[0]}, "copies": sent(&SENT[1..times])}))
        }
        "POST /sim/act" => {
            let deliveries = sent(&SENT[..1]);
            let message = json!({"text": asked.body["text"], "ts": "1795511703.515000"});
            ok(json!({"outcome": "said", "message": message, "delivery": deliveries[0], "deliveries": deliveries}))
        }
        "POST /sim/reset" => ok(json!({"ok": true})),
        "GET /sim/workspace" => ok(json!({
            "team": {"id": "T0ACME001", "name": "Acme Local", "domain": "acme-local"},
            "app": {"id": "A0MINE001", "bot_id": "B0TACK001", "bot_user_id": "U0TACKBOT", "name": "tack"},
            "people": [{"id": "U0ADA0001", "name": "ada"}, {"id": "U0GRACE01", "name": "grace"}],
            "channels": [
                {"id": "C0PLAY001", "name": "playground", "channel_type": "channel"},
                {"id": "D0ADA0001", "name": "U0ADA0001", "channel_type": "im"},
            ],
        })),
        "GET /console/dead-letters" => ok(json!({
            "v": 1, "letters": [letter()],
            "causes": [{"cause": "channel_not_found", "count": 1, "first_ms": 1, "last_ms": 1}],
        })),
        "POST /console/dead-letters/redrive" | "POST /console/dead-letters/discard" => ok(moved(asked)),
        "GET /console/faults" => {
            ok(json!({"v": 1, "faults": [fault("duplicate", true), fault("worker-crash", false)]}))
        }
        "POST /console/faults" => {
            ok(json!({"v": 1, "faults": [fault("worker-crash", asked.body["on"] == json!(true))]}))
        }
        "GET /console/app" => ok(app()),
        "GET /console/listeners" => ok(json!({"v": 1, "listeners": [
            {"kind": "command", "pattern": "/order", "acks": true, "jobs": ["order.open"], "place": "src/commands/order.rs:12"},
            {"kind": "event", "pattern": "app_home_opened", "acks": false, "jobs": ["home"], "place": "src/events/home.rs:8"},
        ]})),
        _ => match line.strip_prefix("GET /console/deliveries/") {
            Some(rest) => delivery(rest),
            None if line == format!("GET /console/dead-letters/{LETTER}") => {
                let mut letter = letter();
                letter["body"] = json!("{\"v\":1}");
                ok(json!({"v": 1, "letter": letter}))
            }
            None if line.ends_with("/replay") => ok(json!({"v": 1, "delivery": {"id": MESSAGE}})),
            None => Reply::Text(404, ""),
        },
    }
}
