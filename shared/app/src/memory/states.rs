//! OAuth states in memory.

use crate::ports::{Consumed, OAuthState, StateStore, StoreError};
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use std::cell::RefCell;
use std::collections::BTreeMap;
use tack_protocol::EpochSeconds;

/// States in a map, by their hash.
#[derive(Debug, Default)]
pub struct MemoryStateStore {
    states: RefCell<BTreeMap<String, OAuthState>>,
}

impl MemoryStateStore {
    /// What is kept, in the order of the hashes.
    pub fn states(&self) -> Vec<OAuthState> {
        self.states.borrow().values().cloned().collect()
    }

    fn consume_now(&self, state: &str, browser: &str, now: EpochSeconds) -> Consumed {
        let mut states = self.states.borrow_mut();
        match states.get(state) {
            None => Consumed::Unknown,
            Some(known) if known.browser != browser => Consumed::OtherBrowser,
            Some(known) if known.expires <= now => Consumed::Expired,
            Some(_) => Consumed::Yes { reference: states.remove(state).and_then(|known| known.reference) },
        }
    }
}

impl StateStore for MemoryStateStore {
    fn issue<'a>(&'a self, state: &'a OAuthState) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        self.states.borrow_mut().insert(state.state.clone(), state.clone());
        ready(Ok(())).boxed_local()
    }

    fn consume<'a>(
        &'a self,
        state: &'a str,
        browser: &'a str,
        now: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Consumed, StoreError>> {
        ready(Ok(self.consume_now(state, browser, now))).boxed_local()
    }
}
