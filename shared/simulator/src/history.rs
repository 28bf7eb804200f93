//! What is remembered of deliveries and calls, oldest first.
//! Invariant: bounded in number and in bytes, so a simulator that runs for weeks does not grow; the newest always stays.

use std::collections::VecDeque;

/// Deliveries, and calls, that are remembered.
pub const HISTORY: usize = 2_000;

/// Bytes of all bodies and answers that are remembered of deliveries, and again of calls.
const HISTORY_BYTES: usize = 64 * 1024 * 1024;

/// Something that is remembered.
pub(crate) trait Remembered {
    /// About how many bytes it holds.
    fn size(&self) -> usize;
}

/// The newest of many.
pub(crate) struct History<T> {
    items: VecDeque<T>,
    bytes: usize,
}

impl<T: Remembered> History<T> {
    pub(crate) fn new() -> Self {
        Self { items: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn push(&mut self, item: T) {
        self.bytes += item.size();
        self.items.push_back(item);
        self.forget();
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.items.iter()
    }

    /// Changes the newest item that `is_it`. False if none is remembered.
    pub(crate) fn change(&mut self, is_it: impl Fn(&T) -> bool, change: impl FnOnce(&mut T)) -> bool {
        let Some(item) = self.items.iter_mut().rev().find(|item| is_it(item)) else {
            return false;
        };
        self.bytes -= item.size();
        change(item);
        self.bytes += item.size();
        self.forget();
        true
    }

    fn forget(&mut self) {
        while self.items.len() > HISTORY || (self.bytes > HISTORY_BYTES && self.items.len() > 1) {
            if let Some(oldest) = self.items.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Remembered for usize {
        fn size(&self) -> usize {
            *self
        }
    }

    fn kept(history: &History<usize>) -> Vec<usize> {
        history.iter().copied().collect()
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut history = History::new();
        (0..HISTORY + 5).for_each(|number| history.push(number));
        assert_eq!(kept(&history), (5..HISTORY + 5).collect::<Vec<_>>());
    }

    #[test]
    fn the_oldest_go_when_they_are_too_large_but_never_the_newest() {
        let mib = 1024 * 1024;
        let mut history = History::new();
        (0..5).for_each(|number| history.push(15 * mib + number));
        assert_eq!(kept(&history), (1..5).map(|number| 15 * mib + number).collect::<Vec<_>>());
        history.push(65 * mib);
        assert_eq!(kept(&history), [65 * mib]);
        history.push(1);
        assert_eq!(kept(&history), [1]);
    }

    #[test]
    fn what_grows_counts_with_what_it_has_become() {
        let mib = 1024 * 1024;
        let mut history = History::new();
        [1, 2, 3].into_iter().for_each(|size| history.push(size));
        assert!(history.change(|item| *item == 3, |item| *item = 64 * mib - 2));
        assert_eq!(kept(&history), [2, 64 * mib - 2]);
        assert!(!history.change(|item| *item == 1, |_| ()));
    }
}
