//! The facts about one delivery, as they came in. What they mean is worked out in `row`, `story` and `sentence`.

use super::facts::Facts;
use super::inputs::Arrived;
use super::row::{self, Row};
use bytes::Bytes;
use std::collections::BTreeMap;
use tack_app::step::Step;

/// Log lines kept of one delivery, and bytes of one line.
const LINES_MAX: usize = 200;
const LINE_BYTES_MAX: usize = 8 * 1024;
/// Attempts, calls and batches kept of one delivery: an endless loop must not fill the memory.
const STEPS_MAX: usize = 200;

/// A step with its time and place.
#[derive(Clone, Debug)]
pub(crate) struct Timed {
    /// When it was over.
    pub(crate) at_ms: u64,
    pub(crate) step: Step,
    pub(crate) invocation: Option<String>,
    pub(crate) pid: u32,
}

/// A message of this delivery was in a batch.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) invocation: String,
    pub(crate) function: String,
    pub(crate) began_ms: u64,
    pub(crate) ended: Option<BatchEnd>,
}

#[derive(Clone, Debug)]
pub(crate) struct BatchEnd {
    pub(crate) at_ms: u64,
    /// Why the invocation has no answer.
    pub(crate) failure: Option<String>,
}

/// A line that is no step.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    pub(crate) at_ms: u64,
    pub(crate) function: String,
    pub(crate) level: String,
    pub(crate) text: String,
    /// It came from an invocation with several deliveries and names none of them.
    pub(crate) shared: bool,
}

/// What the simulated Slack knows of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slack {
    pub(crate) id: String,
    pub(crate) copy_of: Option<String>,
    pub(crate) replay_of: Option<String>,
    pub(crate) shown: Option<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) retry_num: u64,
}

/// What is needed to send a delivery again.
pub(crate) struct Original {
    pub(crate) slack_id: Option<String>,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// One delivery.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) id: Option<String>,
    pub(crate) at_ms: u64,
    pub(crate) http: Option<Arrived>,
    /// What the request's body says.
    pub(crate) facts: Facts,
    pub(crate) ack: Option<Timed>,
    pub(crate) batches: Vec<Batch>,
    /// By job name, in order.
    pub(crate) jobs: BTreeMap<String, Vec<Timed>>,
    pub(crate) calls: Vec<Timed>,
    pub(crate) logs: Vec<LogLine>,
    pub(crate) slack: Option<Slack>,
    row: Row,
    /// What a search looks into, in lower case.
    text: String,
    bytes: usize,
}

impl Record {
    pub(crate) fn new(at_ms: u64) -> Self {
        Self { at_ms, ..Self::default() }
    }

    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The gateway has answered, and the ingress's own line is still on its way.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.ack.is_none() && self.http.as_ref().is_some_and(|http| http.invocation.is_some() && http.status < 500)
    }

    /// The name pages use: the delivery's id, or the request's where the ingress gave it none.
    pub(crate) fn name(&self) -> &str {
        let request = self.http.as_ref().map(|http| http.request_id.as_str());
        self.id.as_deref().or(request).unwrap_or_default()
    }

    pub(crate) fn original(&self) -> Original {
        let http = self.http.as_ref();
        let header = |name: &str| http.and_then(|http| http.header(name)).unwrap_or_default().to_owned();
        Original {
            slack_id: self.slack.as_ref().map(|slack| slack.id.clone()),
            content_type: header("content-type"),
            body: http.map(|http| http.body.clone()).unwrap_or_default(),
        }
    }

    pub(crate) fn add_job(&mut self, job: String, step: Timed) {
        let steps = self.jobs.entry(job).or_default();
        if steps.len() >= STEPS_MAX {
            steps.remove(0);
        }
        steps.push(step);
    }

    /// False if there are enough.
    pub(crate) fn add_call(&mut self, step: Timed) -> bool {
        let has_room = self.calls.len() < STEPS_MAX;
        if has_room {
            self.calls.push(step);
        }
        has_room
    }

    pub(crate) fn add_batch(&mut self, batch: Batch) {
        if self.batches.len() >= STEPS_MAX {
            self.batches.remove(0);
        }
        self.batches.push(batch);
    }

    pub(crate) fn add_log(&mut self, mut line: LogLine) {
        if self.logs.len() >= LINES_MAX {
            return;
        }
        if line.text.len() > LINE_BYTES_MAX {
            let end = (0..=LINE_BYTES_MAX).rev().find(|at| line.text.is_char_boundary(*at)).unwrap_or(0);
            line.text.truncate(end);
            line.text.push('…');
        }
        self.logs.push(line);
    }

    /// Takes over what another record about the same delivery knows.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.id = self.id.take().or(other.id);
        self.at_ms = self.at_ms.min(other.at_ms);
        if self.http.is_none() {
            self.http = other.http;
            self.facts = other.facts;
        }
        self.ack = self.ack.take().or(other.ack);
        self.slack = self.slack.take().or(other.slack);
        self.batches.extend(other.batches);
        for (job, steps) in other.jobs {
            self.jobs.entry(job).or_default().extend(steps);
        }
        self.calls.extend(other.calls);
        self.logs.extend(other.logs);
    }

    /// Works out the row and the search text anew after a change.
    pub(crate) fn refresh(&mut self) {
        self.row = row::row(self);
        let row = &self.row;
        let text = format!(
            "{} {} {} {} {} {} {} {} {}",
            row.id,
            row.name,
            row.subject,
            row.cause.as_deref().unwrap_or_default(),
            row.jobs.join(" "),
            row.calls.join(" "),
            self.ack.as_ref().and_then(|ack| ack.step.key.as_deref()).unwrap_or_default(),
            self.facts.event_id.as_deref().unwrap_or_default(),
            self.facts.words,
        );
        self.text = text.to_lowercase();
        let http = self.http.as_ref().map_or(0, |http| http.body.len() + http.answer_body.len() + 2_048);
        let logs: usize = self.logs.iter().map(|line| line.text.len() + 64).sum();
        let steps: usize = self.jobs.values().map(Vec::len).sum::<usize>() + self.calls.len() + self.batches.len();
        self.bytes = http + logs + self.text.len() + steps * 512 + 1_024;
    }
}
