//! Which delivery is behind what one sees: for a message of the app the delivery whose listener posted it, for a person's message the
//! delivery that told the app of it.

use crate::history::{History, Row};
use std::collections::HashMap;
use tack_simulator::{Kind, State};

/// Calls and deliveries that are looked through, newest first; older messages have no link.
const LOOK_BACK: usize = 400;

/// By stamp of a message.
pub(super) struct Stories {
    by_ts: HashMap<String, Row>,
    by_delivery: HashMap<String, Row>,
    /// By person: what they did last, and its delivery.
    last: HashMap<String, (String, Row)>,
}

impl Stories {
    pub(super) fn of(state: &State, history: &History) -> Self {
        let mut stories = Self { by_ts: HashMap::new(), by_delivery: HashMap::new(), last: HashMap::new() };
        for delivery in state.deliveries().rev().take(LOOK_BACK) {
            let Some(row) = history.row(&delivery.id) else { continue };
            if !delivery.ts.is_empty() {
                stories.by_ts.entry(delivery.ts.clone()).or_insert_with(|| row.clone());
            }
            if delivery.kind != Kind::Options && !delivery.user.is_empty() {
                let what = format!("{} {}", row.name, row.subject);
                stories.last.entry(delivery.user.clone()).or_insert_with(|| (what.trim().to_owned(), row.clone()));
            }
            stories.by_delivery.insert(delivery.id.clone(), row);
        }
        for call in state.calls().rev().take(LOOK_BACK) {
            if let (Some(ts), Some(row)) = (&call.ts, history.row_of_call(&call.id)) {
                // The oldest call is the one that wrote the message.
                stories.by_ts.insert(ts.clone(), row);
            }
        }
        stories
    }

    /// The delivery behind the message with this stamp.
    pub(super) fn of_message(&self, ts: &str) -> Option<&Row> {
        self.by_ts.get(ts)
    }

    /// What a person did last, in words, and its delivery.
    pub(super) fn last_of(&self, user: &str) -> Option<(&str, &Row)> {
        self.last.get(user).map(|(what, row)| (what.as_str(), row))
    }

    /// The delivery that the simulated Slack calls so.
    pub(super) fn of_delivery(&self, id: &str) -> Option<&Row> {
        self.by_delivery.get(id)
    }
}
