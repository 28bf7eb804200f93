//! What happened to a delivery, in one plain sentence. All such words are here.

use super::record::Record;
use super::row::{Outcome, Row, names, was_late_or_wrong};

/// The sentence of a record; `row` is its row without it.
pub(super) fn sentence(record: &Record, row: &Row) -> String {
    let told = told(record, row);
    // Work that was queued is done all the same, whatever Slack made of the answer.
    match was_late_or_wrong(record).filter(|_| row.verdict == "queued") {
        Some(reason) => format!("{told} But {reason}; an event comes again."),
        None => told,
    }
}

fn told(record: &Record, row: &Row) -> String {
    let calls = called(row);
    match row.outcome {
        Outcome::Answered => answered(record, row),
        Outcome::Own => {
            "The app's own message came back to it and was dropped, so that it does not answer itself.".to_owned()
        }
        Outcome::Unhandled => "Nobody listens to this, so it was answered 200 and nothing else happened.".to_owned(),
        Outcome::Rejected => match row.verdict.as_str() {
            "bad_signature" => format!("Not let in: {}.", signature(row.cause.as_deref())),
            "too_large" => "Not let in: the body is larger than anything Slack sends.".to_owned(),
            _ => format!("Not let in: the door answered {}.", row.status.unwrap_or_default()),
        },
        Outcome::Failed => match row.verdict.as_str() {
            "ack_failed" => "The ack failed, so the person got a safe answer and no work was started.".to_owned(),
            "queue_refused" => "The queue refused the work, so Slack was told 500 and sends an event again.".to_owned(),
            _ => match was_late_or_wrong(record) {
                Some(reason) => format!("It did not work: {reason}."),
                None => "The app gave no answer.".to_owned(),
            },
        },
        Outcome::Queued => format!("Answered in {} and waiting in the queue for a worker.", ms(row.ack_ms)),
        Outcome::Running => {
            format!("A worker has it: attempt {} is running.", row.attempts.max(1) + u64::from(killed(record) > 0))
        }
        Outcome::Retrying => match killed(record) {
            0 => format!("Attempt {} failed, and it comes again.", row.attempts.max(1)),
            _ => "The worker was killed in the middle, and the work comes again when its lease is over.".to_owned(),
        },
        Outcome::Done => done(record, row, &calls),
        Outcome::Duplicate if row.cause.as_deref().is_some_and(|cause| cause.contains("given up")) => {
            "A copy of work that had been given up: recognised, and nothing ran. Its dead letter is where it was."
                .to_owned()
        }
        Outcome::Duplicate => format!(
            "A copy of work that had been done already{}: recognised, and nothing happened a second time.",
            jobs_of(record).map(|jobs| format!(" ({jobs})")).unwrap_or_default()
        ),
        Outcome::Discarded => {
            format!("Not run: {}.", row.cause.as_deref().unwrap_or("its reason is in the log").trim_end_matches('.'))
        }
        Outcome::Dead => format!(
            "In the dead letters after {}: {}. A redrive runs it once more.",
            times(row.attempts, "attempt"),
            row.cause.as_deref().unwrap_or("its reason is in the log").trim_end_matches('.')
        ),
    }
}

fn answered(record: &Record, row: &Row) -> String {
    let shown = record.slack.as_ref().and_then(|slack| slack.shown.as_deref());
    match (row.verdict.as_str(), shown) {
        ("challenge", _) => "Slack's challenge was answered.".to_owned(),
        ("ssl_check", _) => "Slack's certificate check was answered.".to_owned(),
        ("rate_limited", _) => "Slack says that it drops events of this workspace.".to_owned(),
        ("other_app", _) => "Signed, but meant for another app: answered and dropped.".to_owned(),
        (_, Some("errors")) => {
            format!("The modal shows the errors that the ack found, after {}. No work was started.", ms(row.ack_ms))
        }
        (_, Some("options")) => format!("Options were loaded in {}.", ms(row.ack_ms)),
        _ => format!("Answered in {}; there was no work to do.", ms(row.ack_ms)),
    }
}

fn done(record: &Record, row: &Row, calls: &str) -> String {
    let is_redriven = record.jobs.values().flatten().any(|step| step.step.generation.unwrap_or_default() > 0);
    let killed = killed(record);
    let mut text = if is_redriven {
        "Redriven from the dead letters, and done".to_owned()
    } else if killed > 0 {
        format!(
            "Ran {}: the worker was killed in the middle, and attempt {} finished",
            count(row.attempts.max(2)),
            row.attempts.max(2)
        )
    } else if row.attempts > 1 {
        format!("Ran {}: the first attempt failed, and attempt {} finished", count(row.attempts), row.attempts)
    } else {
        format!("Ran once: answered in {}, waited {}", ms(row.ack_ms), ms(row.wait_ms))
    };
    text.push_str(calls);
    text.push('.');
    text
}

/// Attempts that ended without a word.
pub(super) fn killed(record: &Record) -> usize {
    let failed = record.batches.iter().filter(|batch| batch.ended.as_ref().is_some_and(|end| end.failure.is_some()));
    let spoke =
        |invocation: &str| record.jobs.values().flatten().any(|step| step.invocation.as_deref() == Some(invocation));
    failed.filter(|batch| !spoke(&batch.invocation)).count()
}

fn called(row: &Row) -> String {
    match row.calls.as_slice() {
        [] => ", and made no call".to_owned(),
        [one] => format!(", and called {one}"),
        many => format!(", and called {}", many.join(", ")),
    }
}

fn jobs_of(record: &Record) -> Option<String> {
    let ack = record.ack.as_ref()?;
    ack.step.jobs.as_deref().map(|jobs| names(jobs).join(", "))
}

fn signature(code: Option<&str>) -> String {
    match code {
        Some(code) if code.contains("stale") || code.contains("old") => {
            "its timestamp is more than five minutes old".to_owned()
        }
        Some(code) if code.contains("future") => "its timestamp is more than five minutes ahead".to_owned(),
        Some(code) if code.contains("missing") => "it carries no signature".to_owned(),
        Some("signature_mismatch") => "it was signed with another secret, or changed on its way".to_owned(),
        Some(code) => format!("its signature is wrong ({code})"),
        None => "its signature is wrong".to_owned(),
    }
}

fn ms(value: Option<u64>) -> String {
    value.map_or_else(|| "an unknown time".to_owned(), |value| format!("{value} ms"))
}

fn times(number: u64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn count(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        number => format!("{number} times"),
    }
}
