//! What the functions said in their log, put together: one line per delivery when it ends, and everything that is not a step.
//! It learns only from what production logs too.

use std::collections::BTreeMap;
use tack_app::step::Step;
use tack_local_aws::lambda::OutputLine;

/// A delivery that is not finished yet.
#[derive(Default)]
struct Open {
    ack: Step,
    calls: Vec<String>,
    jobs: BTreeMap<String, Option<Step>>,
}

/// How many unfinished deliveries are remembered.
const OPEN_MAX: usize = 1_000;

/// Reads log lines and says what to print.
#[derive(Default)]
pub(crate) struct Board {
    open: BTreeMap<String, Open>,
    /// Probes that came through.
    pub(crate) probes_done: usize,
}

impl Board {
    /// What to print for a line, if anything.
    pub(crate) fn read(&mut self, line: &OutputLine) -> Option<String> {
        let Ok(step) = serde_json::from_str::<Step>(&line.line) else {
            return (!line.line.trim().is_empty()).then(|| format!("  {} | {}", line.function, line.line));
        };
        match step.step.as_str() {
            "ack" => self.acked(step),
            "call" => {
                self.called(&step);
                None
            }
            "job" => self.ran(step),
            "record" => Some(whole_message(&step)),
            // Not a step: a line of the adopter's own, or of a library.
            _ => message(&line.line).map(|text| format!("  {} | {text}", line.function)),
        }
    }

    fn acked(&mut self, step: Step) -> Option<String> {
        let names = step.jobs.clone().unwrap_or_default();
        let queued = step.verdict.as_deref() == Some("queued") || (!names.is_empty() && step.status == Some(200));
        let Some(id) = step.delivery.clone().filter(|_| queued) else { return Some(answered(&step)) };
        let open = self.open.entry(id).or_default();
        open.ack = step;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            // The worker may have been quicker than this line.
            open.jobs.entry(name.to_owned()).or_default();
        }
        let id = open.ack.delivery.clone().unwrap_or_default();
        self.finish(&id)
    }

    fn called(&mut self, step: &Step) {
        let (Some(id), Some(method)) = (&step.delivery, &step.method) else { return };
        let call = match step.outcome.as_deref() {
            Some("ok") | None => method.clone(),
            Some(error) => format!("{method} ({error})"),
        };
        self.open.entry(id.clone()).or_default().calls.push(call);
    }

    fn ran(&mut self, step: Step) -> Option<String> {
        let id = step.delivery.clone()?;
        let job = step.job.clone()?;
        if job == tack_app::probe::JOB && step.outcome.as_deref() == Some("done") {
            self.probes_done += 1;
        }
        if matches!(step.outcome.as_deref(), Some("retry" | "duplicate")) {
            return Some(unsettled(&step));
        }
        let open = self.open.entry(id.clone()).or_default();
        open.jobs.insert(job, Some(step));
        let line = self.finish(&id);
        while self.open.len() > OPEN_MAX {
            self.open.pop_first();
        }
        line
    }

    /// The line of a delivery whose ack is known and whose jobs have all ended.
    fn finish(&mut self, id: &str) -> Option<String> {
        let open = self.open.get(id)?;
        // The app's own work has no ack.
        let steps: Vec<&Step> = open.jobs.values().flatten().collect();
        if steps.len() < open.jobs.len() || steps.is_empty() {
            return None;
        }
        let outcome = |step: &Step| step.outcome.clone().unwrap_or_default();
        let worst = ["parked", "discarded", "done"].iter().find(|word| steps.iter().any(|s| outcome(s) == **word));
        let mark = match worst {
            Some(&"parked") => "✗ dead letter",
            Some(&"discarded") => "⊘ discarded",
            _ => "✓ done",
        };
        let wait = steps.iter().filter_map(|step| step.wait_ms).max().unwrap_or_default();
        let run: f64 = steps.iter().filter_map(|step| step.ms).fold(0.0, f64::max);
        let attempt = steps.iter().filter_map(|step| step.attempt).max().unwrap_or(1);
        let mut line = format!(
            "  {mark:<12} {} {:<18}{}  wait {wait} ms  run {run:.0} ms",
            short(id),
            open.ack.kind.as_deref().unwrap_or("own work"),
            open.ack.ms.map(|ms| format!(" ack {ms:.0} ms")).unwrap_or_default(),
        );
        if attempt > 1 {
            line.push_str(&format!("  attempt {attempt}"));
        }
        if !open.calls.is_empty() {
            line.push_str(&format!("  {}", counted(&open.calls)));
        }
        let jobs: Vec<&str> = open.jobs.keys().map(String::as_str).collect();
        line.push_str(&format!("  [{}]", jobs.join(", ")));
        for reason in steps.iter().filter_map(|step| step.reason.as_deref()) {
            line.push_str(&format!("\n               {reason}"));
        }
        self.open.remove(id);
        Some(line)
    }
}

/// The calls in their order, repetitions counted.
fn counted(calls: &[String]) -> String {
    let runs = calls.chunk_by(|one, next| one == next);
    let words: Vec<String> =
        runs.map(|run| if run.len() == 1 { run[0].clone() } else { format!("{} ×{}", run[0], run.len()) }).collect();
    words.join(", ")
}

/// A delivery that ended in the ingress.
fn answered(step: &Step) -> String {
    let status = step.status.unwrap_or_default();
    let mark = match (status, step.verdict.as_deref()) {
        (200, Some("ack_failed")) => "✗ ack failed",
        (200, _) => "· answered",
        _ => "⊘ refused",
    };
    let mut line = format!(
        "  {mark:<12} {} {:<18} {status} {} {:.0} ms",
        step.delivery.as_deref().map(short).unwrap_or_else(|| "-----".to_owned()),
        step.kind.as_deref().unwrap_or("-"),
        match step.verdict.as_deref() {
            Some("own") => "the app's own message, dropped",
            verdict => verdict.unwrap_or_default(),
        },
        step.ms.unwrap_or_default(),
    );
    if let Some(reason) = &step.reason {
        line.push_str(&format!("\n               {reason}"));
    }
    if let Some(hint) = step.hint.as_ref().filter(|_| step.verdict.as_deref() == Some("unhandled")) {
        line.push_str(&format!("\n               nobody listens. {hint}"));
    }
    line
}

/// A message that could not be read, or not be postponed.
fn whole_message(step: &Step) -> String {
    let mark = match step.outcome.as_deref() {
        Some("parked") => "✗ dead letter",
        _ => "↻ retrying",
    };
    let (message, reason) = (step.message.as_deref(), step.reason.as_deref());
    format!("  {mark:<12} {} a message of the queue  {}", short(message.unwrap_or("-----")), reason.unwrap_or_default())
}

/// A job that comes again.
fn unsettled(step: &Step) -> String {
    let mark = if step.outcome.as_deref() == Some("duplicate") { "= duplicate" } else { "↻ retrying" };
    let again = step.again_ms.map(|ms| format!("  again in {:.1} s", ms as f64 / 1000.0)).unwrap_or_default();
    format!(
        "  {mark:<12} {} {}{}{again}  {}",
        step.delivery.as_deref().map(short).unwrap_or_default(),
        step.job.as_deref().unwrap_or_default(),
        step.attempt.map(|attempt| format!("  attempt {attempt}")).unwrap_or_default(),
        step.reason.as_deref().unwrap_or_default(),
    )
}

/// The end of a UUID is its random part: enough for a person to tell two apart.
fn short(id: &str) -> String {
    id.get(id.len().saturating_sub(5)..).unwrap_or(id).to_uppercase()
}

/// The text of a log line that is JSON; other lines as they are.
fn message(line: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(line) {
        Ok(json) => {
            let place = json["place"].as_str().map(|place| format!(" ({place})")).unwrap_or_default();
            json["message"].as_str().map(|message| format!("{message}{place}"))
        }
        Err(_) => Some(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_local_aws::lambda::Stream;

    fn read(board: &mut Board, line: &str) -> Option<String> {
        board.read(&OutputLine {
            function: "worker-events".to_owned(),
            pid: 1,
            stream: Stream::Stdout,
            line: line.to_owned(),
            request_id: None,
        })
    }

    #[test]
    fn a_delivery_has_one_line_when_its_last_job_has_ended() {
        let mut board = Board::default();
        let ack =
            r#"{"step":"ack","delivery":"d-12345","kind":"message","verdict":"queued","status":200,"jobs":"a,b"}"#;
        assert_eq!(read(&mut board, ack), None);
        assert_eq!(
            read(&mut board, r#"{"step":"call","delivery":"d-12345","method":"chat.postMessage","outcome":"ok"}"#),
            None
        );
        assert_eq!(read(&mut board, r#"{"step":"job","delivery":"d-12345","job":"a","outcome":"done"}"#), None);
        let line =
            read(&mut board, r#"{"step":"job","delivery":"d-12345","job":"b","outcome":"parked","reason":"why"}"#)
                .unwrap();
        for part in ["dead letter", "12345", "message", "chat.postMessage", "[a, b]", "why"] {
            assert!(line.contains(part), "{part:?} in {line}");
        }
    }

    #[test]
    fn a_message_that_nobody_can_read_has_a_line_too() {
        let line = r#"{"step":"record","message_id":"m-54321","outcome":"parked","reason":"not one of ours"}"#;
        let line = read(&mut Board::default(), line).unwrap();
        assert!(line.contains("dead letter") && line.contains("54321") && line.contains("not one of ours"), "{line}");
    }

    #[test]
    fn what_is_no_step_is_passed_on() {
        let line = read(&mut Board::default(), "Task timed out after 5.00 seconds").unwrap();
        assert_eq!(line, "  worker-events | Task timed out after 5.00 seconds");
    }
}
