//! Putting together what belongs to one delivery, from sources that come in any order.
//! The gateway and the ingress share a request id, ingress and worker the delivery's id, a worker's lines its invocation's id, and the
//! simulated Slack finds the request id in the answer's headers, as Slack's support would.

use super::NotFound;
use super::facts::Facts;
use super::inputs::{Arrived, BatchBegan, BatchEnded, header, stamp, texts};
use super::record::{Batch, BatchEnd, LogLine, Record, Slack, Timed};
use super::row::{Outcome, Row};
use super::{BYTES_MAX, RECORDS_MAX};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use tack_app::message::Work;
use tack_app::step::Step;
use tack_local_aws::lambda::OutputLine;

/// All records, oldest first, and how they are found.
#[derive(Default)]
pub(crate) struct Joined {
    records: BTreeMap<u64, Record>,
    next: u64,
    bytes: usize,
    by_id: HashMap<String, u64>,
    by_request: HashMap<String, u64>,
    by_slack: HashMap<String, u64>,
    /// By Slack's id of a call that its listener made.
    by_call: HashMap<String, u64>,
    /// Of requests that the simulated Slack has not claimed: their signatures, which tell apart what has no answer.
    by_signature: HashMap<String, Vec<u64>>,
    /// Which deliveries an invocation dealt with.
    by_invocation: HashMap<String, Vec<u64>>,
    /// The other way round: what the simulated Slack sent and nobody here has seen yet, by signature.
    unclaimed: HashMap<String, Vec<Slack>>,
    /// Deliveries that were under way when everything was forgotten.
    forgotten: HashSet<String>,
    /// Lines of an invocation that came before it was known whose they are.
    waiting: HashMap<String, Vec<LogLine>>,
}

/// The id of the newest delivery, whichever that is.
const LAST: &str = "last";
/// Invocations whose lines may wait, and lines of one of them.
const WAITING_MAX: usize = 256;
const WAITING_LINES_MAX: usize = 50;
/// Attempts of the simulated Slack's whose request has not been told of yet.
const UNCLAIMED_MAX: usize = 1_000;

impl Joined {
    pub(crate) fn newest_first(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.records.values().rev()
    }

    /// Forgets everything, and what was under way for good: nobody wants half of its story.
    pub(crate) fn clear(&mut self) {
        let open = self.records.values().filter(|record| !record.row().outcome.is_settled());
        let forgotten = open.filter_map(|record| record.id.clone()).collect();
        *self = Self { forgotten, next: self.next, ..Self::default() };
    }

    pub(crate) fn arrived(&mut self, arrived: Arrived) -> Vec<Row> {
        let at = self.entry_of_request(&arrived.request_id.clone(), arrived.at_ms);
        if let Some(signature) = arrived.header("x-slack-signature") {
            self.by_signature.entry(signature.to_owned()).or_default().push(at);
            self.claim(signature, at);
        }
        if let Some(invocation) = &arrived.invocation {
            self.belongs(invocation.clone(), at);
        }
        let content_type = arrived.header("content-type").unwrap_or_default().to_owned();
        if let Some(record) = self.records.get_mut(&at) {
            record.facts = Facts::of(&content_type, &arrived.body);
            record.at_ms = arrived.at_ms;
            record.http = Some(arrived);
        }
        self.refreshed(&[at])
    }

    pub(crate) fn line(&mut self, line: &OutputLine, now_ms: u64) -> Vec<Row> {
        let Some(step) = serde_json::from_str::<Step>(&line.line).ok().filter(|step| !step.step.is_empty()) else {
            return self.log(line, now_ms);
        };
        let name = step.step.clone();
        let now_ms = stamp(&line.line).unwrap_or(now_ms);
        let timed = Timed { at_ms: now_ms, step, invocation: line.request_id.clone(), pid: line.pid };
        let at = match (name.as_str(), timed.step.delivery.clone(), timed.step.request.clone()) {
            ("ack", id, request) => {
                let at = match request {
                    Some(request) => self.entry_of_request(&request, now_ms),
                    None => self.add(now_ms),
                };
                match id {
                    Some(id) => self.named(at, id),
                    None => at,
                }
            }
            ("job" | "call", Some(id), _) => match self.entry_of_id(&id, now_ms) {
                Some(at) => at,
                None => return Vec::new(),
            },
            _ => return self.log(line, now_ms),
        };
        if let Some(invocation) = &line.request_id {
            self.belongs(invocation.clone(), at);
        }
        let Some(record) = self.records.get_mut(&at) else { return Vec::new() };
        match (name.as_str(), timed.step.job.clone()) {
            ("ack", _) => record.ack = Some(timed),
            ("job", Some(job)) => record.add_job(job, timed),
            _ => {
                let request = timed.step.request.clone();
                if record.add_call(timed)
                    && let Some(request) = request
                {
                    self.by_call.insert(request, at);
                }
            }
        }
        self.refreshed(&[at])
    }

    pub(crate) fn began(&mut self, batch: &BatchBegan) -> Vec<Row> {
        let mut changed = Vec::new();
        for message in &batch.messages {
            // A message that is not ours has no delivery.
            let Ok(work) = Work::decode(&message.body) else { continue };
            let Some(at) = self.entry_of_id(work.id(), batch.at_ms) else { continue };
            self.belongs(batch.invocation.clone(), at);
            if let Some(record) = self.records.get_mut(&at) {
                record.add_batch(Batch {
                    invocation: batch.invocation.clone(),
                    function: batch.function.clone(),
                    began_ms: batch.at_ms,
                    ended: None,
                });
                changed.push(at);
            }
        }
        self.refreshed(&changed)
    }

    pub(crate) fn ended(&mut self, ended: &BatchEnded) -> Vec<Row> {
        self.waiting.remove(&ended.invocation);
        let concerned = self.by_invocation.get(&ended.invocation).cloned().unwrap_or_default();
        for at in &concerned {
            let batches = self.records.get_mut(at).map(|record| record.batches.iter_mut());
            for batch in batches.into_iter().flatten().filter(|batch| batch.invocation == ended.invocation) {
                batch.ended = Some(BatchEnd { at_ms: ended.at_ms, failure: ended.failure.clone() });
            }
        }
        self.refreshed(&concerned)
    }

    pub(crate) fn slack(&mut self, delivery: &Value) -> Vec<Row> {
        let known = Slack {
            id: delivery["id"].as_str().unwrap_or_default().to_owned(),
            copy_of: delivery["copy_of"].as_str().map(str::to_owned),
            replay_of: delivery["replay_of"].as_str().map(str::to_owned),
            shown: delivery["shown"]["text"].as_str().or(delivery["shown"]["outcome"].as_str()).map(str::to_owned),
            warnings: texts(&delivery["warnings"]),
            retry_num: 0,
        };
        let mut changed = Vec::new();
        for attempt in delivery["attempts"].as_array().into_iter().flatten() {
            let slack = Slack { retry_num: attempt["retry_num"].as_u64().unwrap_or_default(), ..known.clone() };
            match self.record_of_attempt(attempt, &slack) {
                Some(at) => {
                    self.is_of(at, slack);
                    changed.push(at);
                }
                None => self.expect(attempt, slack),
            }
        }
        self.refreshed(&changed)
    }

    /// The record that `id` names: see `/console/deliveries/{id}`.
    pub(crate) fn find(&self, id: &str) -> Result<&Record, NotFound> {
        let exact = self.by_id.get(id).or_else(|| self.by_request.get(id)).or_else(|| self.by_slack.get(id));
        if let Some(record) = exact.and_then(|at| self.records.get(at)) {
            return Ok(record);
        }
        if id.eq_ignore_ascii_case(LAST) {
            // The app's own messages come right after what caused them, and nobody means them.
            let mut named = self.newest_first().filter(|record| record.row().outcome != Outcome::Own);
            return named.next().ok_or(NotFound::Unknown);
        }
        let ending = id.to_lowercase();
        let is_ending = ending.len() >= 4 && ending.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        let mut found = self.newest_first().filter(|record| {
            is_ending && record.id.as_ref().is_some_and(|id| id.ends_with(&ending))
                || !id.is_empty() && record.facts.event_id.as_deref() == Some(id)
        });
        match (found.next(), found.next()) {
            (None, _) => Err(NotFound::Unknown),
            // Copies of one event share its id: the first of them is meant.
            (Some(record), Some(_)) if !is_ending => {
                Ok(self.records.values().find(|other| other.facts.event_id.as_deref() == Some(id)).unwrap_or(record))
            }
            (Some(_), Some(_)) => Err(NotFound::Ambiguous),
            (Some(record), None) => Ok(record),
        }
    }

    /// The records whose deliveries are the same to the app: copies, retries, replays.
    pub(crate) fn same(&self, record: &Record) -> Vec<&Record> {
        let key = |record: &Record| record.ack.as_ref().and_then(|ack| ack.step.key.clone());
        let Some(wanted) = key(record) else { return Vec::new() };
        let others = self.newest_first().filter(|other| other.name() != record.name());
        others.filter(|other| key(other).as_ref() == Some(&wanted)).take(20).collect()
    }

    /// The record of what the simulated Slack calls so.
    pub(crate) fn of_slack(&self, id: &str) -> Option<&Record> {
        self.records.get(self.by_slack.get(id)?)
    }

    /// The record whose listener made the call that Slack calls so.
    pub(crate) fn of_call(&self, request: &str) -> Option<&Record> {
        self.records.get(self.by_call.get(request)?)
    }

    /// The records that an invocation dealt with.
    pub(crate) fn of_invocation(&self, invocation: &str) -> impl Iterator<Item = &Record> {
        self.by_invocation.get(invocation).into_iter().flatten().filter_map(|at| self.records.get(at))
    }

    pub(crate) fn neighbours(&self, id: &str) -> (Option<String>, Option<String>) {
        let Ok(name) = self.find(id).map(|record| record.name().to_owned()) else { return (None, None) };
        let Some(at) = self.by_id.get(&name).or_else(|| self.by_request.get(&name)) else { return (None, None) };
        let named = |record: &Record| record.name().to_owned();
        let newer = self.records.range(at + 1..).next().map(|(_, record)| named(record));
        let older = self.records.range(..at).next_back().map(|(_, record)| named(record));
        (newer, older)
    }

    /// How many entries the indexes have, for the test that they do not grow.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> Vec<usize> {
        vec![
            self.by_id.len(),
            self.by_request.len(),
            self.by_slack.len(),
            self.by_call.len(),
            self.by_signature.len(),
            self.by_invocation.len(),
            self.waiting.len(),
        ]
    }

    fn log(&mut self, line: &OutputLine, now_ms: u64) -> Vec<Row> {
        let json: Value = serde_json::from_str(&line.line).unwrap_or_default();
        let text = match json["message"].as_str() {
            Some(message) => match json["place"].as_str() {
                Some(place) => format!("{message} ({place})"),
                None => message.to_owned(),
            },
            None => line.line.clone(),
        };
        let mut log = LogLine {
            at_ms: now_ms,
            function: line.function.clone(),
            level: json["level"].as_str().unwrap_or_default().to_lowercase(),
            text,
            shared: false,
        };
        let concerned = match (json["delivery"].as_str(), &line.request_id) {
            // An adopter's line may name deliveries of another sort.
            (Some(id), _) => self.by_id.get(id).copied().into_iter().collect(),
            (None, Some(invocation)) => match self.by_invocation.get(invocation) {
                Some(concerned) => concerned.clone(),
                None => {
                    if self.waiting.len() < WAITING_MAX || self.waiting.contains_key(invocation) {
                        let lines = self.waiting.entry(invocation.clone()).or_default();
                        if lines.len() < WAITING_LINES_MAX {
                            lines.push(log);
                        }
                    }
                    return Vec::new();
                }
            },
            (None, None) => return Vec::new(),
        };
        log.shared = concerned.len() > 1;
        for at in &concerned {
            if let Some(record) = self.records.get_mut(at) {
                record.add_log(log.clone());
            }
        }
        self.refreshed(&concerned)
    }

    /// The simulated Slack's side of a record.
    fn is_of(&mut self, at: u64, slack: Slack) {
        if slack.retry_num == 0 {
            self.by_slack.insert(slack.id.clone(), at);
        }
        if let Some(record) = self.records.get_mut(&at) {
            record.slack = Some(slack);
        }
    }

    /// Remembers an attempt until its request is told of; the simulated Slack may have given up before the door had an answer.
    fn expect(&mut self, attempt: &Value, slack: Slack) {
        let Some(signature) = header(&attempt["headers"], "x-slack-signature") else { return };
        if self.unclaimed.len() >= UNCLAIMED_MAX && !self.unclaimed.contains_key(&signature) {
            return;
        }
        let expected = self.unclaimed.entry(signature).or_default();
        expected.retain(|known| (&known.id, known.retry_num) != (&slack.id, slack.retry_num));
        expected.push(slack);
    }

    fn claim(&mut self, signature: &str, at: u64) {
        let Some(expected) = self.unclaimed.get_mut(signature) else { return };
        let slack = expected.remove(0);
        if expected.is_empty() {
            self.unclaimed.remove(signature);
        }
        self.is_of(at, slack);
    }

    fn record_of_attempt(&self, attempt: &Value, slack: &Slack) -> Option<u64> {
        let headers = &attempt["answer_headers"];
        let answered = header(headers, "apigw-requestid").and_then(|request| self.by_request.get(&request)).copied();
        if answered.is_some() {
            return answered;
        }
        let signature = header(&attempt["headers"], "x-slack-signature")?;
        let unclaimed = self.by_signature.get(&signature)?;
        let is_free = |at: &&u64| {
            let known = self.records.get(at).map(|record| record.slack.as_ref());
            known.is_some_and(|known| {
                known.is_none_or(|known| (&known.id, known.retry_num) == (&slack.id, slack.retry_num))
            })
        };
        unclaimed.iter().find(is_free).copied()
    }

    fn entry_of_request(&mut self, request: &str, at_ms: u64) -> u64 {
        if let Some(at) = self.by_request.get(request) {
            return *at;
        }
        let at = self.add(at_ms);
        self.by_request.insert(request.to_owned(), at);
        at
    }

    /// The record of a delivery, a new one if need be; none of one that was forgotten.
    fn entry_of_id(&mut self, id: &str, at_ms: u64) -> Option<u64> {
        if self.forgotten.contains(id) {
            return None;
        }
        if let Some(at) = self.by_id.get(id) {
            return Some(*at);
        }
        let at = self.add(at_ms);
        Some(self.named(at, id.to_owned()))
    }

    fn add(&mut self, at_ms: u64) -> u64 {
        let at = self.next;
        self.next += 1;
        self.records.insert(at, Record::new(at_ms));
        at
    }

    /// Gives the record at `at` its delivery's id; a record that had it already is put together with it.
    fn named(&mut self, at: u64, id: String) -> u64 {
        if let Some(other) = self.by_id.get(&id).copied().filter(|other| *other != at) {
            if let Some(known) = self.records.remove(&other) {
                self.bytes = self.bytes.saturating_sub(known.bytes());
                if let Some(record) = self.records.get_mut(&at) {
                    record.absorb(known);
                }
            }
            self.by_call.values_mut().filter(|known| **known == other).for_each(|known| *known = at);
            for concerned in self.by_invocation.values_mut() {
                concerned.iter_mut().filter(|known| **known == other).for_each(|known| *known = at);
            }
        }
        if let Some(record) = self.records.get_mut(&at) {
            record.id = Some(id.clone());
        }
        self.by_id.insert(id, at);
        at
    }

    fn belongs(&mut self, invocation: String, at: u64) {
        let waited = self.waiting.remove(&invocation).unwrap_or_default();
        let concerned = self.by_invocation.entry(invocation).or_default();
        if !concerned.contains(&at) {
            concerned.push(at);
        }
        if let Some(record) = self.records.get_mut(&at) {
            waited.into_iter().for_each(|line| record.add_log(line));
        }
    }

    fn refreshed(&mut self, changed: &[u64]) -> Vec<Row> {
        let mut rows = Vec::with_capacity(changed.len());
        for at in changed {
            if let Some(record) = self.records.get_mut(at) {
                self.bytes = self.bytes.saturating_sub(record.bytes());
                record.refresh();
                self.bytes += record.bytes();
                if !record.is_unfinished() {
                    rows.push(record.row().clone());
                }
            }
        }
        while self.records.len() > RECORDS_MAX || self.bytes > BYTES_MAX {
            self.forget_oldest();
        }
        rows
    }

    fn forget_oldest(&mut self) {
        let Some((at, record)) = self.records.pop_first() else { return };
        self.bytes = self.bytes.saturating_sub(record.bytes());
        if let Some(id) = &record.id {
            self.by_id.remove(id);
        }
        if let Some(slack) = &record.slack {
            self.by_slack.remove(&slack.id);
        }
        let mut invocations: Vec<&str> = record.batches.iter().map(|batch| batch.invocation.as_str()).collect();
        if let Some(http) = &record.http {
            self.by_request.remove(&http.request_id);
            invocations.extend(http.invocation.as_deref());
            if let Some(signature) = http.header("x-slack-signature") {
                remove_from(&mut self.by_signature, signature, at);
            }
        }
        for request in record.calls.iter().filter_map(|call| call.step.request.as_ref()) {
            self.by_call.remove(request);
        }
        let steps = record.ack.iter().chain(record.jobs.values().flatten()).chain(&record.calls);
        invocations.extend(steps.filter_map(|step| step.invocation.as_deref()));
        for invocation in invocations {
            remove_from(&mut self.by_invocation, invocation, at);
        }
        if let Some(request) = record.ack.as_ref().and_then(|ack| ack.step.request.as_deref()) {
            self.by_request.remove(request);
        }
    }
}

fn remove_from(index: &mut HashMap<String, Vec<u64>>, key: &str, at: u64) {
    if let Some(list) = index.get_mut(key) {
        list.retain(|known| *known != at);
        if list.is_empty() {
            index.remove(key);
        }
    }
}
