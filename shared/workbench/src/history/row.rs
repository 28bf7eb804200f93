//! One line of the list of deliveries: what a record comes to.

use super::record::{Record, Timed};
use super::sentence;
use serde::Serialize;
use tack_simulator::mask_text;

/// The way a delivery came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Events API.
    Event,
    /// Slash command.
    Command,
    /// Press, submission, shortcut.
    Interactive,
    /// Loading of options.
    Options,
    /// The app's own work.
    Own,
    /// Anything else at the door.
    #[default]
    Other,
}

impl Kind {
    /// Its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Command => "command",
            Self::Interactive => "interactive",
            Self::Options => "options",
            Self::Own => "own",
            Self::Other => "other",
        }
    }
}

/// What became of a delivery. The words are the same in pages, terminal and JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The ack was all.
    #[default]
    Answered,
    /// In the queue.
    Queued,
    /// A worker has it.
    Running,
    /// It failed and comes again.
    Retrying,
    /// Every job is done.
    Done,
    /// Every job had been done before.
    Duplicate,
    /// Not run, for a stated reason.
    Discarded,
    /// In the dead letters.
    Dead,
    /// Not let in.
    Rejected,
    /// Nobody listens.
    Unhandled,
    /// The app's own message.
    Own,
    /// The ack failed, or there was no answer.
    Failed,
}

impl Outcome {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Answered,
        Self::Queued,
        Self::Running,
        Self::Retrying,
        Self::Done,
        Self::Duplicate,
        Self::Discarded,
        Self::Dead,
        Self::Rejected,
        Self::Unhandled,
        Self::Own,
        Self::Failed,
    ];

    /// Its word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Duplicate => "duplicate",
            Self::Discarded => "discarded",
            Self::Dead => "dead",
            Self::Rejected => "rejected",
            Self::Unhandled => "unhandled",
            Self::Own => "own",
            Self::Failed => "failed",
        }
    }

    /// Its mark: colour is never the only sign.
    pub(crate) fn mark(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Answered | Self::Own => "·",
            Self::Duplicate => "=",
            Self::Queued | Self::Running => "…",
            Self::Retrying => "↻",
            Self::Dead | Self::Failed => "✗",
            Self::Rejected | Self::Unhandled | Self::Discarded => "⊘",
        }
    }

    /// Nothing more will happen by itself.
    pub(crate) fn is_settled(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Retrying)
    }

    /// Somebody may want to look at it.
    pub(crate) fn is_trouble(self) -> bool {
        matches!(self, Self::Dead | Self::Rejected | Self::Failed | Self::Retrying)
    }
}

/// A line of the list, and of `tack deliveries list --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    /// The delivery's id; API Gateway's of the request where the ingress gave none.
    pub(crate) id: String,
    /// The end of the id: enough for a person.
    pub(crate) short: String,
    pub(crate) at_ms: u64,
    pub(crate) kind: Kind,
    /// Slack's word for what came.
    pub(crate) name: String,
    /// What it is about.
    pub(crate) subject: String,
    pub(crate) team: String,
    pub(crate) user: String,
    pub(crate) channel: String,
    /// What the ingress made of it.
    pub(crate) verdict: String,
    /// The HTTP status of the answer.
    pub(crate) status: Option<u16>,
    /// From the request's arrival to the answer.
    pub(crate) ack_ms: Option<u64>,
    /// From the arrival to the start of the first job.
    pub(crate) wait_ms: Option<u64>,
    /// A worker was killed in the middle of it.
    pub(crate) was_killed: bool,
    /// From the arrival to the first call of Slack's that worked: what a person waited.
    pub(crate) first_call_ms: Option<u64>,
    pub(crate) attempts: u64,
    /// `claimed` or `duplicate`.
    pub(crate) dedup: Option<&'static str>,
    /// Web API methods in their order, an error in brackets.
    pub(crate) calls: Vec<String>,
    pub(crate) outcome: Outcome,
    /// Why, where there is something to explain.
    pub(crate) cause: Option<String>,
    pub(crate) jobs: Vec<String>,
    pub(crate) copy_of: Option<String>,
    pub(crate) replay_of: Option<String>,
    pub(crate) retry_num: Option<u64>,
    /// What happened, in plain words.
    pub(crate) sentence: String,
}

/// The row of a record.
pub(super) fn row(record: &Record) -> Row {
    let facts = &record.facts;
    let ack = record.ack.as_ref().map(|ack| &ack.step);
    let slack = record.slack.as_ref();
    let name = record.name();
    let steps: Vec<&Timed> = record.jobs.values().flatten().collect();
    let is_own_work = record.http.is_none() && record.ack.is_none() && !steps.is_empty();
    let mut jobs: Vec<String> = ack.and_then(|ack| ack.jobs.as_deref()).map(names).unwrap_or_default();
    jobs.extend(record.jobs.keys().filter(|job| !jobs.contains(job)).cloned().collect::<Vec<_>>());
    let first_call = record.calls.iter().find(|call| call.step.outcome.as_deref() == Some("ok"));
    let outcome = outcome(record, &jobs);
    let mut row = Row {
        id: name.to_owned(),
        short: short(name),
        at_ms: record.at_ms,
        kind: if is_own_work { Kind::Own } else { facts.kind },
        name: if facts.name.is_empty() {
            ack.and_then(|ack| ack.kind.clone()).unwrap_or_default()
        } else {
            facts.name.clone()
        },
        // People type anything, and reasons repeat it.
        subject: mask_text(&facts.about),
        team: facts.team.clone(),
        user: facts.user.clone(),
        channel: facts.channel.clone(),
        verdict: ack.and_then(|ack| ack.verdict.clone()).unwrap_or_default(),
        status: record.http.as_ref().map(|http| http.status),
        ack_ms: record.http.as_ref().map(|http| http.ms),
        wait_ms: steps.iter().filter_map(|step| step.step.wait_ms).min(),
        first_call_ms: first_call.map(|call| call.at_ms.saturating_sub(record.at_ms)),
        was_killed: sentence::killed(record) > 0,
        attempts: steps.iter().filter_map(|step| step.step.attempt).max().unwrap_or_default(),
        dedup: match outcome {
            Outcome::Duplicate => Some("duplicate"),
            _ if steps.is_empty() => None,
            _ => Some("claimed"),
        },
        calls: record.calls.iter().map(|call| call_word(&call.step)).collect(),
        outcome,
        cause: cause(record, outcome).map(|cause| mask_text(&cause)),
        jobs,
        copy_of: slack.and_then(|slack| slack.copy_of.clone()),
        replay_of: slack.and_then(|slack| slack.replay_of.clone()),
        retry_num: ack.and_then(|ack| ack.retry_num),
        sentence: String::new(),
    };
    row.sentence = sentence::sentence(record, &row);
    row
}

/// The end of a UUID is its random part: enough for a person to tell two apart.
pub(crate) fn short(id: &str) -> String {
    id.get(id.len().saturating_sub(5)..).unwrap_or(id).to_uppercase()
}

pub(super) fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn call_word(step: &tack_app::step::Step) -> String {
    let method = step.method.clone().unwrap_or_default();
    match step.outcome.as_deref() {
        Some("ok") | None => method,
        Some(error) => format!("{method} ({error})"),
    }
}

fn outcome(record: &Record, jobs: &[String]) -> Outcome {
    let Some(ack) = record.ack.as_ref().map(|ack| &ack.step) else {
        return match &record.http {
            Some(http) if http.status >= 500 => Outcome::Failed,
            Some(http) if http.status >= 400 => Outcome::Rejected,
            // The ingress says in a moment what it made of it.
            Some(http) if http.invocation.is_some() => Outcome::Queued,
            Some(_) if record.jobs.is_empty() => Outcome::Answered,
            _ => of_jobs(record, jobs),
        };
    };
    match ack.verdict.as_deref().unwrap_or_default() {
        "queued" => of_jobs(record, jobs),
        _ if was_late_or_wrong(record).is_some() && ack.status.is_none_or(|status| status < 400) => Outcome::Failed,
        "unhandled" => Outcome::Unhandled,
        "own" => Outcome::Own,
        "bad_signature" | "too_large" => Outcome::Rejected,
        "ack_failed" | "queue_refused" => Outcome::Failed,
        _ => Outcome::Answered,
    }
}

/// Why Slack took the answer for a failure, if it did.
pub(super) fn was_late_or_wrong(record: &Record) -> Option<String> {
    let http = record.http.as_ref()?;
    let answer = match &http.problem {
        Some(problem) => format!("Slack was told {}: {problem}", http.status),
        None if http.status >= 300 => format!("Slack was told {}", http.status),
        None if http.ms > ANSWER_LIMIT_MS => {
            format!("the answer took {} ms, and Slack had given up after 3,000", http.ms)
        }
        None => return None,
    };
    Some(answer)
}

/// How long Slack waits for an answer.
const ANSWER_LIMIT_MS: u64 = 3_000;

fn of_jobs(record: &Record, jobs: &[String]) -> Outcome {
    let is_running = record.batches.last().is_some_and(|batch| batch.ended.is_none());
    let each = |job: &String| match record.jobs.get(job).and_then(|steps| steps.last()) {
        None if is_running => Outcome::Running,
        None if record.batches.iter().any(|batch| batch.ended.as_ref().is_some_and(|end| end.failure.is_some())) => {
            Outcome::Retrying
        }
        None => Outcome::Queued,
        Some(step) => match step.step.outcome.as_deref() {
            Some("parked") => Outcome::Dead,
            Some("retry") if is_running_after(record, step) => Outcome::Running,
            Some("retry") => Outcome::Retrying,
            // A copy that met the owner at work comes again; one that came too late is over.
            Some("duplicate") if step.step.again_ms.is_some() => Outcome::Retrying,
            Some("duplicate") => Outcome::Duplicate,
            Some("discarded") => Outcome::Discarded,
            _ => Outcome::Done,
        },
    };
    const WORST_FIRST: [Outcome; 7] = [
        Outcome::Dead,
        Outcome::Retrying,
        Outcome::Running,
        Outcome::Queued,
        Outcome::Discarded,
        Outcome::Done,
        Outcome::Duplicate,
    ];
    let found: Vec<Outcome> = jobs.iter().map(each).collect();
    WORST_FIRST.into_iter().find(|worst| found.contains(worst)).unwrap_or(Outcome::Queued)
}

fn is_running_after(record: &Record, step: &Timed) -> bool {
    record
        .batches
        .last()
        .is_some_and(|batch| batch.ended.is_none() && Some(&batch.invocation) != step.invocation.as_ref())
}

fn cause(record: &Record, outcome: Outcome) -> Option<String> {
    let last = record.jobs.values().filter_map(|steps| steps.last());
    let of_job = last.filter_map(|step| step.step.reason.clone()).next();
    let ack = record.ack.as_ref().map(|ack| &ack.step);
    match outcome {
        Outcome::Done | Outcome::Queued | Outcome::Running | Outcome::Answered | Outcome::Own => {
            ack.filter(|ack| ack.verdict.as_deref() != Some("queued")).and_then(|ack| ack.reason.clone())
        }
        Outcome::Unhandled => ack.and_then(|ack| ack.hint.clone()),
        Outcome::Rejected | Outcome::Failed => {
            let of_ack = ack.and_then(|ack| ack.reason.clone());
            of_ack.or_else(|| was_late_or_wrong(record))
        }
        Outcome::Retrying if of_job.is_none() => {
            let ends = record.batches.iter().rev().filter_map(|batch| batch.ended.as_ref());
            ends.filter_map(|end| end.failure.clone()).next()
        }
        _ => of_job,
    }
}
