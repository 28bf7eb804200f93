//! Whether a promise held after its fault had struck: worked out from the deliveries that were struck. Pure.
//! All such words are here.

use super::table::Switch;
use crate::history::{Outcome, Row};
use serde::Serialize;

/// How a promise stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    Held,
    /// Something is still under way.
    Waiting,
    Broken,
}

/// A verdict in words, which begin with how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) standing: Standing,
    pub(crate) text: String,
}

/// What was struck.
#[derive(Debug, Default)]
pub(super) struct Struck {
    /// Deliveries, each with its copies.
    pub(super) groups: Vec<Vec<Row>>,
    /// Of those that the queue refused: how many Slack sent again until they were taken.
    pub(super) taken_later: usize,
}

impl Struck {
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flatten()
    }
}

/// The verdict on a switch; nothing as long as it has not struck anything.
pub(super) fn verdict(switch: Switch, struck: &Struck) -> Option<Verdict> {
    struck.rows().next()?;
    // What was refused or fails at the door is over at once.
    if let Some(open) = struck.rows().find(|row| !row.outcome.is_settled()) {
        return Some(waiting(switch, open));
    }
    Some(match switch {
        Switch::Duplicate => duplicate(struck),
        Switch::BadSignature => bad_signature(struck),
        Switch::QueueRefuses => queue_refuses(struck),
        Switch::TokenRevoked => token_revoked(struck),
        Switch::Slow => slow(struck),
        Switch::Reorder | Switch::Delay | Switch::RateLimited | Switch::ServerError => kept(struck),
        Switch::WorkerCrash => crash(struck),
        Switch::CrashBeforeComplete => crash_before_complete(struck),
    })
}

fn held(text: impl AsRef<str>) -> Verdict {
    Verdict { standing: Standing::Held, text: format!("held: {}", text.as_ref()) }
}

fn broken(text: impl AsRef<str>) -> Verdict {
    Verdict { standing: Standing::Broken, text: format!("not held: {}", text.as_ref()) }
}

fn waiting(switch: Switch, open: &Row) -> Verdict {
    let text = match (switch, open.outcome) {
        (Switch::WorkerCrash | Switch::CrashBeforeComplete, Outcome::Retrying) => {
            "the worker is dead; its lease ends within seconds, and then the next attempt runs".to_owned()
        }
        (Switch::RateLimited, Outcome::Retrying) => "it waits as long as Slack said".to_owned(),
        (_, Outcome::Retrying) => format!("attempt {} failed, and the next one comes", open.attempts.max(1)),
        (_, outcome) => format!("{} is {}", open.short, outcome.as_str()),
    };
    Verdict { standing: Standing::Waiting, text: format!("waiting: {text}") }
}

fn count(number: usize, word: &str) -> String {
    match (number, word) {
        (1, _) => format!("1 {word}"),
        (_, "copy") => format!("{number} copies"),
        (_, "delivery") => format!("{number} deliveries"),
        _ => format!("{number} {word}s"),
    }
}

/// Calls of Slack that worked: what people see of a run.
fn effects<'a>(rows: impl Iterator<Item = &'a Row>) -> usize {
    rows.flat_map(|row| &row.calls).filter(|call| !call.contains(" (")).count()
}

/// Nothing was to run for these.
fn is_idle(row: &Row) -> bool {
    matches!(row.outcome, Outcome::Unhandled | Outcome::Own | Outcome::Answered)
}

fn duplicate(struck: &Struck) -> Verdict {
    let ran = |row: &&Row| !is_idle(row) && row.outcome != Outcome::Duplicate;
    let copies: usize = struck.groups.iter().map(Vec::len).sum();
    if struck.rows().all(is_idle) {
        return held(format!("{} came, and nobody listens to it", count(copies, "copy")));
    }
    let twice = struck.groups.iter().find(|group| group.iter().filter(ran).count() > 1);
    if let Some(group) = twice {
        let runs = group.iter().filter(ran).count();
        return broken(format!("it ran {runs} times for {}", count(group.len(), "copy")));
    }
    match struck.groups.as_slice() {
        [group] => held(format!("{} for {}", count(effects(group.iter()), "effect"), count(copies, "copy"))),
        groups => {
            held(format!("{} came in {}, and each ran once", count(groups.len(), "event"), count(copies, "copy")))
        }
    }
}

fn bad_signature(struck: &Struck) -> Verdict {
    let all = struck.rows().count();
    match struck.rows().filter(|row| row.outcome != Outcome::Rejected).count() {
        0 => held(format!("{} refused, and nothing ran", count(all, "request"))),
        let_in => broken(format!("{} of {} let in", let_in, count(all, "request"))),
    }
}

/// Done, or in the dead letters with a reason; nothing is lost.
fn kept(struck: &Struck) -> Verdict {
    let ends = ends(struck.rows());
    if struck.rows().any(|row| matches!(row.outcome, Outcome::Failed | Outcome::Rejected)) {
        return broken(ends);
    }
    let attempts = struck.rows().map(|row| row.attempts).max().unwrap_or_default();
    match attempts {
        2.. => held(format!("{ends} after {attempts} attempts")),
        _ => held(ends),
    }
}

/// `2 done, 1 in the dead letters`; what nothing was to run for is told only if there is nothing else.
fn ends<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let (idle, others): (Vec<&Row>, Vec<&Row>) = rows.partition(|row| is_idle(row));
    for row in if others.is_empty() { idle } else { others } {
        let word = match row.outcome {
            Outcome::Dead => "in the dead letters",
            other => other.as_str(),
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

fn slow(struck: &Struck) -> Verdict {
    let slowest = struck.rows().filter_map(|row| row.ack_ms).max().unwrap_or_default();
    if slowest >= 3_000 {
        return broken(format!("Slack waited {slowest} ms for an answer"));
    }
    held(format!("{}; Slack was answered within {slowest} ms", ends(struck.rows())))
}

fn token_revoked(struck: &Struck) -> Verdict {
    let again = struck.rows().map(|row| row.attempts).max().unwrap_or_default();
    let ends = ends(struck.rows());
    match struck.rows().any(|row| row.outcome == Outcome::Discarded) {
        true if again <= 1 => held(format!("{ends} for that reason; nothing was tried again")),
        true => broken(format!("{ends}, after {again} attempts that could not work")),
        false => kept(struck),
    }
}

fn queue_refuses(struck: &Struck) -> Verdict {
    let refused: Vec<&Row> = struck.rows().collect();
    if let Some(row) = refused.iter().find(|row| row.status.is_some_and(|status| status < 500)) {
        return broken(format!("{} was acknowledged with {}", row.short, row.status.unwrap_or_default()));
    }
    let told = format!("{} answered 500, none acknowledged", count(refused.len(), "request"));
    match struck.taken_later {
        0 => held(told),
        later => held(format!("{told}; {} sent again and taken", count(later, "delivery"))),
    }
}

fn crash(struck: &Struck) -> Verdict {
    let rows: Vec<&Row> = struck.rows().collect();
    match rows.as_slice() {
        [row] if row.outcome == Outcome::Done => {
            held(format!("attempt {} finished, {}", row.attempts, count(effects(rows.iter().copied()), "effect")))
        }
        _ => kept(struck),
    }
}

fn crash_before_complete(struck: &Struck) -> Verdict {
    let runs = struck.rows().map(|row| row.attempts).max().unwrap_or_default();
    let effects = count(effects(struck.rows()), "effect");
    if struck.rows().any(|row| row.outcome != Outcome::Done) {
        return kept(struck);
    }
    held(format!("it ran {runs} times, {effects} in all: at least once is promised, exactly once is not"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Outcome, attempts: u64, calls: &[&str]) -> Row {
        Row {
            outcome,
            attempts,
            short: "7KQ2M".to_owned(),
            calls: calls.iter().map(|call| (*call).to_owned()).collect(),
            ..Row::default()
        }
    }

    fn told(switch: Switch, groups: Vec<Vec<Row>>) -> (Standing, String) {
        let verdict = verdict(switch, &Struck { groups, taken_later: 0 }).unwrap();
        (verdict.standing, verdict.text)
    }

    const POST: &[&str] = &["chat.postMessage"];

    #[test]
    fn nothing_is_said_before_it_has_struck() {
        for switch in Switch::ALL {
            assert_eq!(verdict(switch, &Struck::default()), None);
        }
    }

    #[test]
    fn two_copies_with_one_effect_hold_and_with_two_they_do_not() {
        let copies = vec![row(Outcome::Done, 1, POST), row(Outcome::Duplicate, 1, &[])];
        assert_eq!(told(Switch::Duplicate, vec![copies]), (Standing::Held, "held: 1 effect for 2 copies".to_owned()));
        let twice = vec![row(Outcome::Done, 1, POST), row(Outcome::Done, 1, POST)];
        assert_eq!(
            told(Switch::Duplicate, vec![twice]),
            (Standing::Broken, "not held: it ran 2 times for 2 copies".to_owned())
        );
        let unheard = vec![row(Outcome::Unhandled, 0, &[]), row(Outcome::Unhandled, 0, &[])];
        assert_eq!(told(Switch::Duplicate, vec![unheard]).0, Standing::Held);
        let open = vec![row(Outcome::Done, 1, POST), row(Outcome::Queued, 0, &[])];
        assert_eq!(told(Switch::Duplicate, vec![open]).0, Standing::Waiting);
    }

    #[test]
    fn a_crash_holds_when_the_second_attempt_has_finished() {
        let retrying = vec![vec![row(Outcome::Retrying, 1, &[])]];
        assert_eq!(told(Switch::WorkerCrash, retrying).0, Standing::Waiting);
        let done = vec![vec![row(Outcome::Done, 2, POST)]];
        assert_eq!(told(Switch::WorkerCrash, done).1, "held: attempt 2 finished, 1 effect");
        let twice = vec![vec![row(Outcome::Done, 2, &["chat.postMessage", "chat.postMessage"])]];
        let (standing, text) = told(Switch::CrashBeforeComplete, twice);
        assert_eq!(standing, Standing::Held);
        assert!(
            text.contains("2 times") && text.contains("2 effects") && text.contains("exactly once is not"),
            "{text}"
        );
    }

    #[test]
    fn calls_that_failed_are_no_effects() {
        let rows = vec![vec![row(Outcome::Done, 2, &["chat.postMessage (ratelimited)", "chat.postMessage"])]];
        assert_eq!(told(Switch::WorkerCrash, rows).1, "held: attempt 2 finished, 1 effect");
    }

    #[test]
    fn what_slack_did_not_sign_must_be_refused() {
        assert_eq!(told(Switch::BadSignature, vec![vec![row(Outcome::Rejected, 0, &[])]]).0, Standing::Held);
        assert_eq!(told(Switch::BadSignature, vec![vec![row(Outcome::Done, 1, POST)]]).0, Standing::Broken);
    }

    #[test]
    fn a_refusing_queue_must_not_be_acknowledged() {
        let refused = Row { status: Some(500), ..row(Outcome::Failed, 0, &[]) };
        let struck = Struck { groups: vec![vec![refused.clone()]], taken_later: 1 };
        let told_of = verdict(Switch::QueueRefuses, &struck).unwrap();
        assert_eq!(told_of.text, "held: 1 request answered 500, none acknowledged; 1 delivery sent again and taken");
        let lost = Row { status: Some(200), ..refused };
        assert_eq!(told(Switch::QueueRefuses, vec![vec![lost]]).0, Standing::Broken);
    }

    #[test]
    fn a_job_that_was_tried_until_it_worked_is_kept() {
        let own = vec![row(Outcome::Own, 0, &[])];
        let rows = vec![vec![row(Outcome::Done, 3, POST)], own, vec![row(Outcome::Dead, 1, &[])]];
        assert_eq!(told(Switch::ServerError, rows).1, "held: 1 done, 1 in the dead letters after 3 attempts");
        assert_eq!(
            told(Switch::TokenRevoked, vec![vec![row(Outcome::Discarded, 1, &[])]]).1,
            "held: 1 discarded for that reason; nothing was tried again"
        );
    }

    #[test]
    fn a_slow_slack_must_not_make_slack_wait() {
        let quick = Row { ack_ms: Some(4), ..row(Outcome::Done, 1, POST) };
        assert_eq!(told(Switch::Slow, vec![vec![quick.clone()]]).1, "held: 1 done; Slack was answered within 4 ms");
        assert_eq!(told(Switch::Slow, vec![vec![Row { ack_ms: Some(3_100), ..quick }]]).0, Standing::Broken);
    }
}
