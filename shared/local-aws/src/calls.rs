//! What was called over the wire: who, which service and action, on which queue, table, key or parameter, with which answer.
//! Not here: bodies; they hold what must not be shown.
//! Invariant: memory is bounded; the oldest call goes first.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many calls are kept.
pub const CALLS_KEPT_MAX: usize = 10_000;

/// The error of a call whose caller closed its connection before the answer.
pub const CALLER_GONE: &str = "CallerGone";

/// One request to the endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// When it arrived, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The access key id that signed it.
    pub access_key: String,
    /// The name given to that key with [`crate::LocalAws::name_caller`].
    pub caller: Option<String>,
    /// The service as in the credential scope, such as `sqs`.
    pub service: String,
    /// The action, such as `SendMessage`.
    pub action: String,
    /// The queue's, table's or parameter's name, a key's id or alias; the first one where an action names several tables, and of a ciphertext the key it
    /// was made with.
    pub resource: Option<String>,
    /// The HTTP status of the answer; `None` as long as, or because, none was given (a hanging call, a lost reply).
    pub status: Option<u16>,
    /// The error code of an answer that is not a success; [`CALLER_GONE`] where the caller went away before there was one.
    pub error: Option<String>,
    /// Read or write units that DynamoDB would have charged, where known.
    pub consumed_units: Option<f64>,
}

/// The record of all calls. Clones share it.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    kept: VecDeque<Call>,
    /// How many calls came before the first one kept.
    dropped: u64,
    names: HashMap<String, String>,
}

impl Calls {
    /// The calls that are kept, oldest first.
    pub fn snapshot(&self) -> Vec<Call> {
        self.lock().kept.iter().cloned().collect()
    }

    /// Forgets all calls; names stay.
    pub fn clear(&self) {
        let mut state = self.lock();
        let gone = state.kept.len() as u64;
        state.kept.clear();
        state.dropped += gone;
    }

    pub(crate) fn name_caller(&self, access_key: &str, name: &str) {
        self.lock().names.insert(access_key.to_owned(), name.to_owned());
    }

    pub(crate) fn caller(&self, access_key: &str) -> Option<String> {
        self.lock().names.get(access_key).cloned()
    }

    /// Notes an arrival; the number returned is for [`Self::finish`].
    pub(crate) fn begin(&self, call: Call) -> u64 {
        let mut state = self.lock();
        if state.kept.len() == CALLS_KEPT_MAX {
            state.kept.pop_front();
            state.dropped += 1;
        }
        state.kept.push_back(call);
        state.dropped + state.kept.len() as u64 - 1
    }

    /// Notes the answer. A call that is no longer kept is left alone.
    pub(crate) fn finish(&self, number: u64, note: impl FnOnce(&mut Call)) {
        let mut state = self.lock();
        let index = number.checked_sub(state.dropped).and_then(|index| usize::try_from(index).ok());
        if let Some(call) = index.and_then(|index| state.kept.get_mut(index)) {
            note(call);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(at_ms: u64) -> Call {
        Call {
            at_ms,
            access_key: "AKIA".to_owned(),
            caller: None,
            service: "sqs".to_owned(),
            action: "SendMessage".to_owned(),
            resource: None,
            status: None,
            error: None,
            consumed_units: None,
        }
    }

    #[test]
    fn the_oldest_calls_go_first_when_memory_is_full() {
        let calls = Calls::default();
        for at_ms in 0..CALLS_KEPT_MAX as u64 + 5 {
            calls.begin(call(at_ms));
        }
        let kept = calls.snapshot();
        assert_eq!(kept.len(), CALLS_KEPT_MAX);
        assert_eq!(kept[0].at_ms, 5);
    }

    #[test]
    fn an_answer_finds_its_call_after_others_were_dropped_and_none_after_a_clear() {
        let calls = Calls::default();
        let first = calls.begin(call(0));
        calls.clear();
        let second = calls.begin(call(1));
        calls.finish(first, |call| call.status = Some(500));
        calls.finish(second, |call| call.status = Some(200));
        assert_eq!(calls.snapshot()[0].status, Some(200));
    }
}
