//! The real clock and real randomness.

use std::time::{SystemTime, UNIX_EPOCH};
use tack_app::ports::{Clock, Random};
use tack_protocol::EpochMs;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> EpochMs {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        EpochMs(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bits(&self) -> u128 {
        // Six bits of a version 4 UUID are fixed; the 122 others are plenty.
        uuid::Uuid::new_v4().as_u128()
    }
}
