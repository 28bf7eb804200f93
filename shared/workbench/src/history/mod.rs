//! What happened: one record per request that reached the app's door, and per piece of the app's own work.
//! It is put together from what is seen outside the functions (the gateway, the queues, the simulated Slack) and from their own
//! log lines, which production logs too. Pages, terminal and command line all read it here.
//! Invariant: memory is bounded by [`RECORDS_MAX`] and [`BYTES_MAX`]; the oldest record goes first.

mod facts;
mod filter;
mod inputs;
mod join;
mod record;
mod row;
mod sentence;
mod story;
#[cfg(test)]
mod tests;

pub(crate) use facts::{Facts, payload_of};
pub(crate) use filter::{FIELDS, Filter, Query};
pub(crate) use inputs::{Arrived, BatchBegan, BatchEnded, Message, stamp};
pub(crate) use row::{Kind, Outcome, Row, short};
pub(crate) use story::{Attempt, Story};

use join::Joined;
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tack_local_aws::lambda::OutputLine;
use tokio::sync::broadcast;

/// The most records that are kept.
pub(crate) const RECORDS_MAX: usize = 10_000;
/// The most bytes of bodies, answers and log lines that are kept.
pub(crate) const BYTES_MAX: usize = 64 * 1024 * 1024;
/// Changes a slow reader may lag behind before it has to look at everything anew.
const CHANGES_KEPT: usize = 1_024;

/// Why an id names no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// Nothing here has it.
    Unknown,
    /// Several have it.
    Ambiguous,
}

/// The history. Clones share it.
#[derive(Clone)]
pub(crate) struct History {
    joined: Arc<Mutex<Joined>>,
    changes: broadcast::Sender<Row>,
}

impl History {
    pub(crate) fn new() -> Self {
        Self { joined: Arc::default(), changes: broadcast::Sender::new(CHANGES_KEPT) }
    }

    /// The gateway answered a request.
    pub(crate) fn arrived(&self, arrived: Arrived) {
        self.tell(|joined| joined.arrived(arrived));
    }

    /// A function printed a line.
    pub(crate) fn line(&self, line: &OutputLine, now_ms: u64) {
        self.tell(|joined| joined.line(line, now_ms));
    }

    /// A batch was handed to a worker.
    pub(crate) fn began(&self, batch: &BatchBegan) {
        self.tell(|joined| joined.began(batch));
    }

    /// A batch is over.
    pub(crate) fn ended(&self, batch: &BatchEnded) {
        self.tell(|joined| joined.ended(batch));
    }

    /// The simulated Slack's side of a delivery changed: `data` is its readable form.
    pub(crate) fn slack(&self, delivery: &Value) {
        self.tell(|joined| joined.slack(delivery));
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Every change from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Row> {
        self.changes.subscribe()
    }

    /// The newest rows that `filter` lets pass, how many it lets pass, and how many there are.
    pub(crate) fn rows(&self, filter: &Filter) -> (Vec<Row>, usize, usize) {
        let joined = self.lock();
        let all = joined.newest_first();
        let total = all.len();
        let mut matching = 0;
        let mut rows = Vec::new();
        let mut is_reached = filter.older_than.is_none();
        for record in all {
            if filter.takes(record) {
                matching += 1;
                if is_reached && rows.len() < filter.limit {
                    rows.push(record.row().clone());
                }
            }
            is_reached |= filter.older_than.as_deref() == Some(record.name());
        }
        (rows, matching, total)
    }

    /// The whole story of one delivery.
    ///
    /// # Errors
    /// When `id` names none or several: see `/console/deliveries/{id}` for what may be given.
    pub(crate) fn story(&self, id: &str) -> Result<Story, NotFound> {
        let joined = self.lock();
        let record = joined.find(id)?;
        Ok(story::story(record, &joined))
    }

    /// What must be sent to send it again: content type, headers and body as they came, and the simulated Slack's name for it.
    pub(crate) fn original(&self, id: &str) -> Result<record::Original, NotFound> {
        Ok(self.lock().find(id)?.original())
    }

    /// The row of the delivery with this id.
    pub(crate) fn row(&self, id: &str) -> Option<Row> {
        self.lock().find(id).ok().map(|record| record.row().clone())
    }

    /// The ids of the next newer and the next older delivery.
    pub(crate) fn neighbours(&self, id: &str) -> (Option<String>, Option<String>) {
        self.lock().neighbours(id)
    }

    /// The row of the delivery whose listener made the call that Slack calls so.
    pub(crate) fn row_of_call(&self, request: &str) -> Option<Row> {
        self.lock().of_call(request).map(|record| record.row().clone())
    }

    /// The rows of what an invocation of a function dealt with.
    pub(crate) fn rows_of_invocation(&self, invocation: &str) -> Vec<Row> {
        self.lock().of_invocation(invocation).map(|record| record.row().clone()).collect()
    }

    /// Whether `filter` lets the delivery with this id pass.
    pub(crate) fn takes(&self, filter: &Filter, id: &str) -> bool {
        self.lock().find(id).is_ok_and(|record| filter.takes(record))
    }

    fn tell(&self, change: impl FnOnce(&mut Joined) -> Vec<Row>) {
        let changed = change(&mut self.lock());
        for row in changed {
            // Nobody listening is no error.
            let _ = self.changes.send(row);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Joined> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
