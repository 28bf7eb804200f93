//! What the terminal says of what happens: one line for each delivery that is settled, one for each time that it will come again, and
//! everything the functions say that is no step.
//! What became of a delivery is the history's to know; here is only what has been told. Invariant: nothing is told twice, and memory is
//! bounded by [`NOTES_MAX`].

use crate::cli;
use crate::history::{Outcome, RECORDS_MAX, Row, short};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tack_app::step::Step;
use tack_local_aws::lambda::OutputLine;
use tokio::time::Instant;

/// Deliveries whose lines are remembered: as many as the history has.
const NOTES_MAX: usize = RECORDS_MAX;
/// How long a settled delivery waits for its own request: a worker may be quicker than the ingress's last word.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a line is about: another line follows only when this changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    outcome: Outcome,
    /// How often it was redriven.
    generation: u64,
    /// The attempt that failed; 0 for what is settled.
    attempt: u64,
}

/// What is remembered of a delivery.
#[derive(Debug, Default)]
struct Note {
    /// The last state that has a line, or that needs none.
    last: Option<Told>,
    generation: u64,
    /// The longest run of a job.
    run_ms: Option<f64>,
    /// When the job that failed comes again.
    again_ms: Option<u64>,
    /// It is a copy that waits for the outcome of another.
    is_waiting_copy: bool,
    /// No request brought it, or none is waited for any more.
    needs_no_request: bool,
}

/// Decides what to print.
#[derive(Default)]
pub(crate) struct Board {
    notes: HashMap<String, Note>,
    /// The same, oldest first.
    order: VecDeque<String>,
    /// Deliveries whose request is not known yet, and until when that is waited for.
    held: VecDeque<(Instant, String)>,
    /// Probes that came through.
    pub(crate) probes_done: usize,
}

impl Board {
    /// What to print for a line of a function: what is no step, and messages that nobody can read.
    pub(crate) fn read(&mut self, line: &OutputLine) -> Option<String> {
        let step = serde_json::from_str::<Step>(&line.line).ok().filter(|step| !step.step.is_empty());
        let Some(step) = step else {
            return message(&line.line).map(|text| format!("  {} | {text}", line.function));
        };
        match step.step.as_str() {
            "job" => self.ran(&step),
            "record" => return Some(whole_message(&step)),
            "oauth" => return install(&step),
            _ => {}
        }
        None
    }

    /// A message on its way to a worker.
    pub(crate) fn began(&mut self, body: &str) {
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        if let (Some("app"), Some(id)) = (json["origin"].as_str(), json["id"].as_str()) {
            self.note(id).needs_no_request = true;
        }
    }

    /// What to print for a delivery that changed. `about` says in words where it was and who did it.
    pub(crate) fn row(&mut self, row: &Row, about: impl FnOnce() -> String, now: Instant) -> Option<String> {
        if row.id.is_empty() {
            // The ingress gave it no name, and the door's is not known yet.
            return None;
        }
        let note = self.note(&row.id);
        let is_settled = row.outcome.is_settled();
        let attempt = if is_settled { 0 } else { row.attempts };
        let state = Told { outcome: row.outcome, generation: note.generation, attempt };
        let last = note.last.replace(state);
        let is_told = last == Some(state);
        // A message that SQS brings twice finds its work done.
        let is_echo = row.outcome == Outcome::Duplicate && last.is_some_and(|last| last.outcome == Outcome::Done);
        let is_on_its_way = matches!(row.outcome, Outcome::Queued | Outcome::Running);
        if is_told || is_echo || is_on_its_way || (note.is_waiting_copy && !is_settled) {
            return None;
        }
        if row.status.is_none() && !note.needs_no_request {
            note.last = last;
            if !self.held.iter().any(|(_, held)| *held == row.id) {
                self.held.push_back((now + PATIENCE, row.id.clone()));
            }
            return None;
        }
        let again_ms = note.again_ms.filter(|_| row.outcome == Outcome::Retrying);
        let (run_ms, is_first) = (note.run_ms, last.is_none_or(|last| last.outcome != row.outcome));
        if is_first && row.outcome == Outcome::Done && row.jobs == [tack_app::probe::JOB] {
            self.probes_done += 1;
        }
        let mut facts = serde_json::to_value(row).unwrap_or_default();
        if let Some(fields) = facts.as_object_mut() {
            fields.extend([
                ("about".to_owned(), json!(about())),
                ("run_ms".to_owned(), json!(run_ms)),
                ("again_ms".to_owned(), json!(again_ms)),
            ]);
        }
        Some(cli::line_of(&facts))
    }

    /// When to ask again for [`Board::overdue`].
    pub(crate) fn due(&self) -> Option<Instant> {
        self.held.front().map(|(until, _)| *until)
    }

    /// Deliveries that were waited for long enough: their rows are told as they are now.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<String> {
        let mut overdue = Vec::new();
        while self.due().is_some_and(|until| until <= now) {
            let Some((_, id)) = self.held.pop_front() else { break };
            self.note(&id).needs_no_request = true;
            overdue.push(id);
        }
        overdue
    }

    /// The history was cleared.
    pub(crate) fn clear(&mut self) {
        *self = Self { probes_done: self.probes_done, ..Self::default() };
    }

    fn ran(&mut self, step: &Step) {
        let Some(id) = &step.delivery else { return };
        let note = self.note(id);
        note.generation = note.generation.max(step.generation.unwrap_or_default());
        note.is_waiting_copy = step.outcome.as_deref() == Some("duplicate") && step.again_ms.is_some();
        note.again_ms = step.again_ms;
        if let Some(ms) = step.ms {
            note.run_ms = Some(note.run_ms.map_or(ms, |known| known.max(ms)));
        }
    }

    fn note(&mut self, id: &str) -> &mut Note {
        if !self.notes.contains_key(id) {
            if self.order.len() >= NOTES_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.notes.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        self.notes.entry(id.to_owned()).or_default()
    }
}

/// A message that could not be read, or not be postponed.
fn whole_message(step: &Step) -> String {
    let outcome = if step.outcome.as_deref() == Some("parked") { Outcome::Dead } else { Outcome::Retrying };
    let mark = format!("{} {}", outcome.mark(), outcome.as_str());
    let (message, reason) = (step.message.as_deref(), step.reason.as_deref());
    let id = message.map_or_else(|| "-----".to_owned(), short);
    format!("  {mark:<12}  {id}  a message of the queue  {}", reason.unwrap_or_default())
}

/// The text of a log line that is JSON; other lines as they are. Nothing for an empty one.
fn message(line: &str) -> Option<String> {
    let json: Value = serde_json::from_str(line).unwrap_or_default();
    match json["message"].as_str() {
        Some(message) => {
            let place = json["place"].as_str().map(|place| format!(" ({place})")).unwrap_or_default();
            Some(format!("{message}{place}"))
        }
        None => (!line.trim().is_empty()).then(|| line.to_owned()),
    }
}

/// What came of an install: the end of its flow, and what went wrong in it.
fn install(step: &Step) -> Option<String> {
    let verdict = step.verdict.as_deref().unwrap_or_default();
    let well = step.status.is_some_and(|status| status < 400);
    if well && verdict != "installed" {
        return None;
    }
    let (mark, team) = (if well { '✓' } else { '✗' }, step.team.as_deref().unwrap_or_default());
    let why: Vec<&str> = [&step.reason, &step.hint].into_iter().flatten().map(String::as_str).collect();
    let said = why.join(": ");
    let text = [verdict, team, &said].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let text = format!("  {mark} install     {text}");
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Kind;
    use tack_local_aws::lambda::Stream;

    const ID: &str = "019ad000-0000-7000-8000-0000000abcde";

    fn read(board: &mut Board, line: &str) -> Option<String> {
        board.read(&OutputLine {
            function: "worker-events".to_owned(),
            pid: 1,
            stream: Stream::Stdout,
            line: line.to_owned(),
            request_id: None,
        })
    }

    fn job(board: &mut Board, more: Value) {
        let mut step = json!({ "step": "job", "delivery": ID, "job": "greet", "ms": 12.4 });
        step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(read(board, &step.to_string()), None);
    }

    fn row(outcome: Outcome, attempts: u64) -> Row {
        Row {
            id: ID.to_owned(),
            short: "ABCDE".to_owned(),
            kind: Kind::Event,
            name: "message".to_owned(),
            status: Some(200),
            ack_ms: Some(3),
            outcome,
            attempts,
            jobs: vec!["greet".to_owned()],
            ..Row::default()
        }
    }

    fn told(board: &mut Board, row: &Row) -> Option<String> {
        board.row(row, || "#playground · Ada".to_owned(), Instant::now())
    }

    #[test]
    fn an_install_has_a_line_at_its_end_and_where_it_fails() {
        let mut board = Board::default();
        let mut told = |step: Value| read(&mut board, &step.to_string());
        assert_eq!(told(json!({ "step": "oauth", "verdict": "redirected", "status": 302 })), None);
        let installed = json!({ "step": "oauth", "verdict": "installed", "status": 200, "team": "T0ACME001" });
        assert_eq!(told(installed).unwrap(), "  ✓ install     installed T0ACME001");
        let failed = json!({ "step": "oauth", "verdict": "misconfigured", "status": 500, "reason": "bad_client_secret",
            "hint": "set SLACK_CLIENT_SECRET" });
        assert_eq!(told(failed).unwrap(), "  ✗ install     misconfigured bad_client_secret: set SLACK_CLIENT_SECRET");
    }

    #[test]
    fn a_delivery_has_one_line_when_it_is_settled() {
        let mut board = Board::default();
        assert_eq!(told(&mut board, &row(Outcome::Queued, 0)), None);
        assert_eq!(told(&mut board, &row(Outcome::Running, 1)), None);
        job(&mut board, json!({ "outcome": "done", "attempt": 1 }));
        let line = told(&mut board, &row(Outcome::Done, 1)).unwrap();
        assert_eq!(line, "  ✓ done        ABCDE  message             #playground · Ada  ack 3 ms  run 12 ms  [greet]");
        assert_eq!(told(&mut board, &row(Outcome::Done, 1)), None, "whatever else becomes known of it");
    }

    #[test]
    fn each_failed_attempt_says_that_it_comes_again() {
        let mut board = Board::default();
        job(&mut board, json!({ "outcome": "retry", "attempt": 1, "again_ms": 2_000 }));
        let failed = |attempt| Row { cause: Some("ratelimited".to_owned()), ..row(Outcome::Retrying, attempt) };
        let line = told(&mut board, &failed(1)).unwrap();
        assert!(
            line.contains("↻ retrying") && line.contains("again in 2.0 s") && line.contains("ratelimited"),
            "{line}"
        );
        assert_eq!(told(&mut board, &failed(1)), None);
        assert!(told(&mut board, &failed(2)).unwrap().contains("attempt 2"));
        // Killed twice without a word: no attempt is known of either.
        let killed = row(Outcome::Retrying, 2);
        assert_eq!(told(&mut board, &row(Outcome::Running, 2)), None);
        assert!(told(&mut board, &killed).is_some());
        assert!(told(&mut board, &row(Outcome::Done, 3)).unwrap().contains("attempt 3"));
    }

    #[test]
    fn a_redriven_delivery_is_told_of_again_whatever_its_end() {
        let mut board = Board::default();
        let dead = |jobs: u64| Row { cause: Some("why".to_owned()), ..row(Outcome::Dead, jobs) };
        job(&mut board, json!({ "outcome": "parked", "attempt": 10, "gen": 0 }));
        let line = told(&mut board, &dead(10)).unwrap();
        assert!(
            line.contains("✗ dead") && line.contains("message") && line.ends_with("\n               why"),
            "{line}"
        );
        assert_eq!(told(&mut board, &dead(3)), None, "another job of it is still at work");
        job(&mut board, json!({ "outcome": "parked", "attempt": 10, "gen": 1 }));
        assert!(told(&mut board, &dead(10)).is_some());
        job(&mut board, json!({ "outcome": "done", "attempt": 1, "gen": 2 }));
        let line = told(&mut board, &row(Outcome::Done, 10)).unwrap();
        assert!(line.contains("message") && !line.contains("own work"), "{line}");
    }

    #[test]
    fn a_request_that_was_answered_with_an_error_has_a_line_with_its_status() {
        for (status, outcome) in [(503, Outcome::Failed), (500, Outcome::Failed), (401, Outcome::Rejected)] {
            let refused = Row {
                status: Some(status),
                jobs: Vec::new(),
                cause: Some("the function is throttled".to_owned()),
                ..row(outcome, 0)
            };
            let line = told(&mut Board::default(), &refused).unwrap();
            assert!(line.contains(&format!(" {status} ")) && line.contains("throttled"), "{line}");
        }
    }

    #[test]
    fn a_copy_has_one_line() {
        let mut board = Board::default();
        job(&mut board, json!({ "outcome": "duplicate", "again_ms": 900 }));
        assert_eq!(told(&mut board, &row(Outcome::Retrying, 0)), None, "it waits for the one that works");
        job(&mut board, json!({ "outcome": "duplicate" }));
        assert!(told(&mut board, &row(Outcome::Duplicate, 0)).unwrap().contains("= duplicate"));
        // The same message once more, after its work.
        let mut board = Board::default();
        assert!(told(&mut board, &row(Outcome::Done, 1)).is_some());
        assert_eq!(told(&mut board, &row(Outcome::Duplicate, 1)), None);
    }

    #[test]
    fn what_is_settled_before_its_request_is_known_waits_a_moment() {
        let (mut board, now) = (Board::default(), Instant::now());
        let early = Row { status: None, kind: Kind::Own, name: String::new(), ..row(Outcome::Done, 1) };
        let tell = |board: &mut Board, row: &Row| board.row(row, String::new, now);
        assert_eq!(tell(&mut board, &early), None);
        assert_eq!(tell(&mut board, &early), None);
        assert!(tell(&mut board, &row(Outcome::Done, 1)).unwrap().contains("message"));
        assert_eq!((board.due(), board.overdue(now)), (Some(now + PATIENCE), Vec::new()));
        assert_eq!(board.overdue(now + PATIENCE), [ID]);
        assert_eq!((board.due(), tell(&mut board, &row(Outcome::Done, 1))), (None, None), "it was told");

        // One that came to the queue by itself is told when the moment is over.
        let mut board = Board::default();
        assert_eq!(tell(&mut board, &early), None);
        assert_eq!(board.overdue(now + PATIENCE), [ID]);
        assert!(tell(&mut board, &early).unwrap().contains("own work"));

        let mut board = Board::default();
        board.began(&json!({ "v": 1, "origin": "app", "id": ID }).to_string());
        assert!(tell(&mut board, &early).unwrap().contains("own work"), "no request brings it");
    }

    #[test]
    fn what_has_no_name_yet_has_no_line() {
        let (mut board, now) = (Board::default(), Instant::now());
        let nameless = Row { id: String::new(), status: None, ..row(Outcome::Rejected, 0) };
        for _ in 0..2 {
            assert_eq!(board.row(&nameless, String::new, now), None);
            assert_eq!(board.overdue(now + PATIENCE), Vec::<String>::new());
        }
        assert!(told(&mut board, &Row { status: Some(401), ..row(Outcome::Rejected, 0) }).is_some());
    }

    #[test]
    fn probes_that_came_through_are_counted_once() {
        let mut board = Board::default();
        let probe = Row { jobs: vec![tack_app::probe::JOB.to_owned()], ..row(Outcome::Running, 1) };
        told(&mut board, &probe);
        assert_eq!(board.probes_done, 0);
        for _ in 0..2 {
            told(&mut board, &Row { outcome: Outcome::Done, ..probe.clone() });
        }
        assert_eq!(board.probes_done, 1);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut board = Board::default();
        for number in 0..NOTES_MAX + 10 {
            let delivery = Row { id: format!("d-{number}"), ..row(Outcome::Done, 1) };
            assert!(told(&mut board, &delivery).is_some());
        }
        assert_eq!((board.notes.len(), board.order.len()), (NOTES_MAX, NOTES_MAX));
    }

    #[test]
    fn a_message_that_nobody_can_read_has_a_line_too() {
        let line = r#"{"step":"record","message_id":"m-54321","outcome":"parked","reason":"not one of ours"}"#;
        let line = read(&mut Board::default(), line).unwrap();
        assert!(line.contains("✗ dead") && line.contains("54321") && line.contains("not one of ours"), "{line}");
    }

    #[test]
    fn what_is_no_step_is_passed_on() {
        let mut board = Board::default();
        for (line, text) in [
            ("Task timed out after 5.00 seconds", Some("Task timed out after 5.00 seconds")),
            (r#"{"level":"ERROR","message":"panicked","place":"src/lib.rs:3"}"#, Some("panicked (src/lib.rs:3)")),
            (r#"{"my":"own"}"#, Some(r#"{"my":"own"}"#)),
            ("[1, 2]", Some("[1, 2]")),
            ("  ", None),
        ] {
            assert_eq!(read(&mut board, line), text.map(|text| format!("  worker-events | {text}")), "{line}");
        }
    }
}
