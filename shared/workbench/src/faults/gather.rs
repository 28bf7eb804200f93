//! Which deliveries a switch has struck, found in the simulated Slack's memory and in the history.

use super::table::Switch;
use super::verdict::Struck;
use super::{Given, slack};
use crate::history::{Filter, History, Query, Row};
use std::collections::BTreeMap;
use tack_simulator::{Outcome, Simulator, State};

/// Deliveries that a verdict looks at: the newest.
const LOOK_BACK: usize = 50;

/// What a switch has struck since it was switched on.
pub(super) fn struck(switch: Switch, given: &Given, simulator: &Simulator, history: &History) -> Struck {
    // Never switched on.
    if given.since_ms == 0 {
        return Struck::default();
    }
    let since = given.since_ms;
    let is_in_time = |at_ms: u64| at_ms >= since && given.until_ms.is_none_or(|until| at_ms <= until);
    if let Some(field) = slack::field(switch) {
        let ids = simulator.read(|state| deliveries(state, field, since));
        return Struck { groups: groups(ids, history), taken_later: 0 };
    }
    match switch {
        Switch::QueueRefuses => refused(since, simulator, history),
        Switch::WorkerCrash | Switch::CrashBeforeComplete => {
            let rows = given.crashed.iter().flat_map(|invocation| history.rows_of_invocation(invocation));
            Struck { groups: one_each(rows), taken_later: 0 }
        }
        _ => {
            let is_struck = |call: &&tack_simulator::Call| is_in_time(call.at_ms) && is_of(switch, call);
            let calls: Vec<String> = simulator.read(|state| {
                state.calls().rev().filter(is_struck).take(LOOK_BACK).map(|call| call.id.clone()).collect()
            });
            Struck { groups: one_each(calls.iter().filter_map(|call| history.row_of_call(call))), taken_later: 0 }
        }
    }
}

/// Whether a switch struck this call.
fn is_of(switch: Switch, call: &tack_simulator::Call) -> bool {
    match switch {
        Switch::RateLimited => call.fault && call.status == 429,
        Switch::ServerError => call.fault && call.status >= 500,
        Switch::Slow => call.fault && call.ms >= slack::SLOW_MS,
        Switch::TokenRevoked => call.answer["error"] == "token_revoked",
        _ => false,
    }
}

/// Ids of the deliveries that a fault struck, newest first, each with the one it is a copy of.
fn deliveries(state: &State, field: &str, since: u64) -> Vec<(String, Option<String>)> {
    let newest = state.deliveries().rev().take_while(|delivery| delivery.at_ms >= since);
    let struck = newest.filter(|delivery| delivery.faults.contains(&field)).take(LOOK_BACK);
    struck.map(|delivery| (delivery.id.clone(), delivery.copy_of.clone())).collect()
}

fn groups(ids: Vec<(String, Option<String>)>, history: &History) -> Vec<Vec<Row>> {
    let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for (id, copy_of) in ids {
        let Some(row) = history.row(&id) else { continue };
        groups.entry(copy_of.unwrap_or(id)).or_default().push(row);
    }
    groups.into_values().collect()
}

/// Each delivery once, as a group of its own.
fn one_each(rows: impl Iterator<Item = Row>) -> Vec<Vec<Row>> {
    let mut found: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        found.insert(row.id.clone(), vec![row]);
    }
    found.into_values().collect()
}

fn refused(since: u64, simulator: &Simulator, history: &History) -> Struck {
    let query = Query { state: "failed".to_owned(), since: Some(since), limit: Some(LOOK_BACK), ..Query::default() };
    let rows = Filter::parse(&query).map(|filter| history.rows(&filter).0).unwrap_or_default();
    let rows = rows.into_iter().filter(|row| row.verdict == "queue_refused");
    let taken_later = simulator.read(|state| {
        let since = state.deliveries().rev().take_while(|delivery| delivery.at_ms >= since);
        let is_taken_later = |delivery: &&tack_simulator::Delivery| {
            delivery.outcome == Outcome::Accepted && delivery.attempts.iter().any(|attempt| attempt.status == Some(500))
        };
        since.filter(is_taken_later).count()
    });
    Struck { groups: one_each(rows), taken_later }
}
