//! The time the simulated Slack writes into stamps. Lives of triggers and pauses use tokio's clock directly.
//! Invariant: while tokio's clock runs freely this is the system's time; when a test moves tokio's clock, it moves along.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Tells the time since the Unix epoch.
pub(crate) struct Clock {
    real_start: std::time::Instant,
    tokio_start: tokio::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { real_start: std::time::Instant::now(), tokio_start: tokio::time::Instant::now() }
    }

    /// Time since the Unix epoch.
    pub(crate) fn now(&self) -> Duration {
        let skipped = self.tokio_start.elapsed().saturating_sub(self.real_start.elapsed());
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A free running clock differs by nanoseconds only: not worth an untrue stamp.
        if skipped < Duration::from_millis(1) { system } else { system + skipped }
    }
}
