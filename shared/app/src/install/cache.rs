//! What a process remembers of the store: a bounded number of things, each looked at by one job at a time.
//! Invariant: no answer is older than its reader allows, and a failure is shared only by those who waited for it.

use crate::ports::Clock;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;
use tack_protocol::EpochMs;
use tokio::sync::Mutex;

/// A map that forgets what was not used for longest, once it is full.
pub(super) struct Bounded<K, V> {
    most: usize,
    turn: Cell<u64>,
    entries: RefCell<HashMap<K, (u64, V)>>,
}

impl<K: Clone + Eq + Hash, V: Clone> Bounded<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, turn: Cell::default(), entries: RefCell::default() }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        let turn = self.next_turn();
        self.entries.borrow_mut().get_mut(key).map(|(used, value)| {
            *used = turn;
            value.clone()
        })
    }

    pub(super) fn put(&self, key: K, value: V) {
        let turn = self.next_turn();
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= self.most && !entries.contains_key(&key) {
            let oldest = entries.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| entries.remove(&key));
        }
        entries.insert(key, (turn, value));
    }

    pub(super) fn get_or(&self, key: &K, make: impl FnOnce() -> V) -> V {
        if let Some(value) = self.get(key) {
            return value;
        }
        let value = make();
        self.put(key.clone(), value.clone());
        value
    }

    pub(super) fn entries(&self) -> Vec<(K, V)> {
        self.entries.borrow().iter().map(|(key, (_, value))| (key.clone(), value.clone())).collect()
    }

    fn next_turn(&self) -> u64 {
        self.turn.set(self.turn.get() + 1);
        self.turn.get()
    }
}

/// The last look at one thing.
pub(super) struct Look<T> {
    looking: Mutex<()>,
    /// How many looks have ended, and how often what they saw was overtaken.
    ended: Cell<u64>,
    overtaken: Cell<u64>,
    last: RefCell<Option<(EpochMs, Result<T, String>)>>,
}

impl<T> Default for Look<T> {
    fn default() -> Self {
        Self { looking: Mutex::default(), ended: Cell::default(), overtaken: Cell::default(), last: RefCell::default() }
    }
}

impl<T: Clone> Look<T> {
    /// What was seen last, if it is not older than `life` allows, or what `read` gives. Who comes while another reads gets
    /// what that one got. A reader that is dropped leaves the look to the next.
    pub(super) async fn get(
        &self,
        clock: &dyn Clock,
        life: impl Fn(&T) -> Duration,
        read: impl AsyncFnOnce() -> Result<T, String>,
    ) -> Result<T, String> {
        if let Some((at, Ok(seen))) = &*self.last.borrow()
            && clock.now().since(*at) < life(seen)
        {
            return Ok(seen.clone());
        }
        let asked = self.ended.get();
        let _looking = self.looking.lock().await;
        if self.ended.get() != asked
            && let Some((_, seen)) = &*self.last.borrow()
        {
            return seen.clone();
        }
        let (at, overtaken) = (clock.now(), self.overtaken.get());
        let seen = read().await;
        self.ended.set(self.ended.get() + 1);
        // What changed while it was read may be missing in it: good for who asked before, and for nobody after.
        let at = if self.overtaken.get() == overtaken { at } else { EpochMs(0) };
        self.last.replace(Some((at, seen.clone())));
        seen
    }

    /// Makes the next one look for itself.
    pub(super) fn outdate(&self) {
        self.overtaken.set(self.overtaken.get() + 1);
        self.last.replace(None);
    }

    /// Puts something newer in the place of what was seen, whose age it keeps.
    pub(super) fn update(&self, newer: impl FnOnce(&T) -> Option<T>) {
        if let Some((_, Ok(seen))) = &mut *self.last.borrow_mut()
            && let Some(newer) = newer(seen)
        {
            *seen = newer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_is_forgotten_first() {
        let known = Bounded::new(2);
        known.put("a", 1);
        known.put("b", 2);
        assert_eq!(known.get(&"a"), Some(1));
        known.put("c", 3);
        assert_eq!((known.get(&"a"), known.get(&"b"), known.get(&"c")), (Some(1), None, Some(3)));
        known.put("a", 4);
        assert_eq!((known.get(&"a"), known.get(&"c")), (Some(4), Some(3)), "replacing makes no room");
    }
}
