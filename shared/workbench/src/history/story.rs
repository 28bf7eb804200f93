//! Everything about one delivery, for its page and for `tack deliveries show --json`. Secrets are masked here.

use super::facts::payload_of;
use super::join::Joined;
use super::record::{Record, Timed};
use super::row::{Row, was_late_or_wrong};
use serde::Serialize;
use serde_json::Value;
use tack_simulator::{mask, mask_text};

/// Headers whose values are secrets, or as good as one.
const SECRET_HEADERS: [&str; 3] = ["authorization", "cookie", "x-slack-signature"];

/// A delivery's story.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Story {
    #[serde(flatten)]
    pub(crate) row: Row,
    pub(crate) jobs: Vec<Job>,
    pub(crate) request: Option<Request>,
    pub(crate) answer: Option<Answer>,
    pub(crate) calls: Vec<Call>,
    pub(crate) logs: Vec<Log>,
    pub(crate) timeline: Vec<Span>,
    pub(crate) related: Vec<Related>,
    /// What Slack would frown at in the answer.
    pub(crate) warnings: Vec<String>,
    /// The simulated Slack's name for it.
    pub(crate) slack_id: Option<String>,
    /// What makes two deliveries the same.
    pub(crate) key: Option<String>,
}

/// A job and its attempts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Job {
    pub(crate) name: String,
    /// `done`, `duplicate`, `retrying`, `discarded`, `dead`; `waiting` before the first word.
    pub(crate) outcome: String,
    pub(crate) cause: Option<String>,
    pub(crate) attempts: Vec<Attempt>,
}

/// One attempt of a job.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attempt {
    /// From 1; 0 for a copy, which was recognised and not run.
    pub(crate) n: u64,
    /// How often it had come back from the dead letters.
    pub(crate) redriven: u64,
    /// Its start.
    pub(crate) at_ms: u64,
    pub(crate) wait_ms: Option<u64>,
    pub(crate) ms: Option<f64>,
    /// As for the job; `running`, or `killed` without a word.
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) again_ms: Option<u64>,
    /// The process.
    pub(crate) process: Option<u32>,
}

/// The request as it came.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Readable: JSON where it carries some, masked.
    pub(crate) body: String,
    pub(crate) content_type: String,
    pub(crate) bytes: usize,
}

/// The answer as it went.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) ms: u64,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A call to Slack.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Call {
    /// Its start.
    pub(crate) at_ms: u64,
    pub(crate) method: String,
    pub(crate) ok: bool,
    pub(crate) error: Option<String>,
    pub(crate) ms: Option<f64>,
    /// Slack's `x-slack-req-id`.
    pub(crate) request: Option<String>,
    pub(crate) job: Option<String>,
}

/// A log line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Log {
    pub(crate) at_ms: u64,
    pub(crate) function: String,
    pub(crate) level: String,
    pub(crate) text: String,
    /// Others of the same invocation may have written it.
    pub(crate) shared: bool,
}

/// A bar of the time line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Span {
    /// `ingress`, `queue`, `worker` or `slack`.
    pub(crate) lane: &'static str,
    pub(crate) name: String,
    pub(crate) at_ms: u64,
    pub(crate) ms: f64,
    pub(crate) text: String,
    /// `ok`, `bad`, `wait`.
    pub(crate) state: &'static str,
}

/// Another delivery that has to do with this one.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Related {
    pub(crate) id: String,
    pub(crate) short: String,
    /// `same to the app`, `copy of`, `replay of`.
    pub(crate) relation: &'static str,
    pub(crate) outcome: &'static str,
}

/// Tells the story of a record.
pub(super) fn story(record: &Record, all: &Joined) -> Story {
    let row = record.row().clone();
    let jobs: Vec<Job> = row.jobs.iter().map(|name| job(record, name)).collect();
    Story {
        request: record.http.as_ref().map(|http| {
            let content_type = http.header("content-type").unwrap_or_default().to_owned();
            Request {
                method: http.method.clone(),
                path: http.path.clone(),
                headers: masked(&http.headers),
                body: readable(&content_type, &http.body),
                content_type,
                bytes: http.body.len(),
            }
        }),
        answer: record.http.as_ref().map(|http| Answer {
            status: http.status,
            ms: http.ms,
            headers: masked(&http.answer_headers),
            body: readable("application/json", &http.answer_body),
        }),
        calls: record.calls.iter().map(call).collect(),
        logs: record.logs.iter().map(log).collect(),
        timeline: timeline(record, &jobs),
        related: related(record, all),
        warnings: record.slack.as_ref().map(|slack| slack.warnings.clone()).unwrap_or_default(),
        slack_id: record.slack.as_ref().map(|slack| slack.id.clone()),
        key: record.ack.as_ref().and_then(|ack| ack.step.key.clone()),
        jobs,
        row,
    }
}

fn log(line: &super::record::LogLine) -> Log {
    let super::record::LogLine { at_ms, function, level, text, shared } = line.clone();
    Log { at_ms, function, level, text: mask_text(&text), shared }
}

fn call(timed: &Timed) -> Call {
    let step = &timed.step;
    let error = step.outcome.clone().filter(|outcome| outcome != "ok");
    Call {
        at_ms: start(timed),
        method: step.method.clone().unwrap_or_default(),
        ok: error.is_none(),
        error,
        ms: step.ms,
        request: step.request.clone(),
        job: step.job.clone(),
    }
}

fn start(timed: &Timed) -> u64 {
    timed.at_ms.saturating_sub(whole_ms(timed.step.ms.unwrap_or_default()))
}

fn whole_ms(ms: f64) -> u64 {
    std::time::Duration::try_from_secs_f64(ms.max(0.0) / 1_000.0)
        .ok()
        .and_then(|duration| u64::try_from(duration.as_millis()).ok())
        .unwrap_or_default()
}

fn span_ms(from: u64, to: u64) -> f64 {
    u32::try_from(to.saturating_sub(from)).map_or(f64::from(u32::MAX), f64::from)
}

fn job(record: &Record, name: &str) -> Job {
    let steps = record.jobs.get(name).map(Vec::as_slice).unwrap_or_default();
    // A look at work that is not due yet is no attempt.
    let looks = |step: &&Timed| step.step.outcome.as_deref() == Some("duplicate") && step.step.again_ms.is_some();
    let mut attempts: Vec<Attempt> = steps.iter().filter(|step| !looks(step)).map(attempt).collect();
    for batch in &record.batches {
        let spoke = steps.iter().any(|step| step.invocation.as_deref() == Some(batch.invocation.as_str()));
        let (outcome, ms, reason) = match &batch.ended {
            None => ("running", None, None),
            Some(end) if end.failure.is_some() => {
                ("killed", Some(span_ms(batch.began_ms, end.at_ms)), end.failure.clone())
            }
            Some(_) => continue,
        };
        if !spoke {
            attempts.push(Attempt {
                n: 0,
                redriven: 0,
                at_ms: batch.began_ms,
                wait_ms: None,
                ms,
                outcome: outcome.to_owned(),
                reason,
                again_ms: None,
                process: None,
            });
        }
    }
    attempts.sort_by_key(|attempt| attempt.at_ms);
    let mut last = 0;
    for attempt in &mut attempts {
        // One that was killed left no number; a copy has none.
        if attempt.n == 0 && attempt.outcome != "duplicate" {
            attempt.n = last + 1;
        }
        last = last.max(attempt.n);
    }
    let newest = attempts.last();
    Job {
        name: name.to_owned(),
        outcome: newest.map_or_else(|| "waiting".to_owned(), |attempt| attempt.outcome.clone()),
        cause: newest.and_then(|attempt| attempt.reason.clone()),
        attempts,
    }
}

fn attempt(timed: &Timed) -> Attempt {
    let step = &timed.step;
    Attempt {
        n: step.attempt.unwrap_or_default(),
        redriven: step.generation.unwrap_or_default(),
        at_ms: start(timed),
        wait_ms: step.wait_ms,
        ms: step.ms,
        // The words of everywhere else.
        outcome: match step.outcome.as_deref().unwrap_or_default() {
            "parked" => "dead".to_owned(),
            "retry" => "retrying".to_owned(),
            word => word.to_owned(),
        },
        reason: step.reason.clone().map(|reason| mask_text(&reason)),
        again_ms: step.again_ms,
        process: Some(timed.pid),
    }
}

fn timeline(record: &Record, jobs: &[Job]) -> Vec<Span> {
    let mut spans = Vec::new();
    if let Some(http) = &record.http {
        spans.push(Span {
            lane: "ingress",
            name: "answered".to_owned(),
            at_ms: http.at_ms,
            ms: span_ms(0, http.ms),
            text: match &http.problem {
                Some(problem) => format!("{} after {} ms: {problem}", http.status, http.ms),
                None => format!("{} after {} ms of 3,000", http.status, http.ms),
            },
            state: if was_late_or_wrong(record).is_none() { "ok" } else { "bad" },
        });
    }
    let mut waited_until = record.http.as_ref().map_or(record.at_ms, |http| http.at_ms + http.ms);
    for batch in &record.batches {
        // The queue hands work out before the answer that acknowledges it has left the door.
        let waited_from = waited_until.min(batch.began_ms);
        // A worker that has to start first makes the work wait as well.
        let of_batch =
            record.jobs.values().flatten().filter(|step| step.invocation.as_ref() == Some(&batch.invocation));
        let begun = of_batch.map(start).min().unwrap_or(batch.began_ms).max(batch.began_ms);
        spans.push(Span {
            lane: "queue",
            name: "waited".to_owned(),
            at_ms: waited_from,
            ms: span_ms(waited_from, begun),
            text: format!("waited {} ms for {}", begun.saturating_sub(waited_from), batch.function),
            state: "wait",
        });
        if let Some(end) = &batch.ended {
            waited_until = end.at_ms;
        }
    }
    for job in jobs {
        for attempt in &job.attempts {
            let ms = attempt.ms.unwrap_or_default();
            let redriven = if attempt.redriven > 0 { " redriven," } else { "" };
            let mut text = match attempt.n {
                0 => format!("{}:{redriven} {}", job.name, attempt.outcome),
                n => format!("{},{redriven} attempt {n}: {}", job.name, attempt.outcome),
            };
            if attempt.ms.is_some() {
                text.push_str(&format!(" after {ms:.0} ms"));
            }
            if let Some(reason) = &attempt.reason {
                text.push_str(&format!(", {reason}"));
            }
            let state = match attempt.outcome.as_str() {
                "done" | "duplicate" => "ok",
                "running" => "wait",
                _ => "bad",
            };
            spans.push(Span { lane: "worker", name: job.name.clone(), at_ms: attempt.at_ms, ms, text, state });
        }
    }
    for call in record.calls.iter().map(call) {
        let ms = call.ms.unwrap_or_default();
        let verdict = call.error.as_deref().unwrap_or("ok");
        let text = format!("{} {verdict} in {ms:.0} ms", call.method);
        let state = if call.ok { "ok" } else { "bad" };
        spans.push(Span { lane: "slack", name: call.method, at_ms: call.at_ms, ms, text, state });
    }
    spans.sort_by_key(|span| span.at_ms);
    spans
}

fn related(record: &Record, all: &Joined) -> Vec<Related> {
    let one = |other: &Record, relation| Related {
        id: other.name().to_owned(),
        short: other.row().short.clone(),
        relation,
        outcome: other.row().outcome.as_str(),
    };
    let mut related: Vec<Related> = all.same(record).into_iter().map(|other| one(other, "same to the app")).collect();
    if let Some(slack) = &record.slack {
        for (id, relation) in [(&slack.copy_of, "copy of"), (&slack.replay_of, "replay of")] {
            let other = id.as_ref().and_then(|id| all.of_slack(id));
            if let Some(other) = other.filter(|other| related.iter().all(|known| known.id != other.name())) {
                related.push(one(other, relation));
            }
        }
    }
    related
}

fn masked(headers: &[(String, String)]) -> Vec<(String, String)> {
    let masked = |(name, value): &(String, String)| {
        let is_secret = SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
        let value = if is_secret { "…".to_owned() } else { mask_text(value) };
        (name.clone(), value)
    };
    headers.iter().map(masked).collect()
}

/// A body for people: JSON indented and without tokens, text as it is.
fn readable(content_type: &str, body: &[u8]) -> String {
    match payload_of(content_type, body) {
        Value::Null => mask_text(&String::from_utf8_lossy(body)),
        payload => serde_json::to_string_pretty(&mask(&payload)).unwrap_or_default(),
    }
}
