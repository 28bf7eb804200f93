//! A clock that is set by hand, and randomness that repeats.

use crate::ports::{Clock, Random};
use std::cell::Cell;
use std::time::Duration;
use tack_protocol::EpochMs;

/// Stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(Cell<u64>);

impl ManualClock {
    /// Starts here.
    pub fn at(now: EpochMs) -> Self {
        Self(Cell::new(now.0))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.set(EpochMs(self.0.get()).plus(by).0);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> EpochMs {
        EpochMs(self.0.get())
    }
}

/// The same bits for the same seed (SplitMix64).
#[derive(Debug)]
pub struct SeededRandom(Cell<u64>);

impl SeededRandom {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }

    fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SeededRandom {
    fn bits(&self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }
}
