//! The one source of time for queues, tables and records.
//! Invariant: under a virtual clock nothing here reads wall time, so a simulation is repeatable.

use std::time::{SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// Wall time, or tokio's (pausable) time counted from a given epoch, so that a simulation can run under virtual time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Virtual { epoch_ms: u64, started: Instant },
}

impl Clock {
    /// Wall time.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// Tokio's time: `epoch_ms` now, and from here on whatever the runtime's clock says. Make and read it inside the runtime.
    pub fn virtual_from(epoch_ms: u64) -> Self {
        Self(Source::Virtual { epoch_ms, started: Instant::now() })
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| millis(since.as_millis())),
            Source::Virtual { epoch_ms, started } => epoch_ms.saturating_add(millis(started.elapsed().as_millis())),
        }
    }
}

fn millis(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_virtual_clock_moves_with_the_runtime_and_not_with_the_wall() {
        let clock = Clock::virtual_from(1_700_000_000_000);
        assert_eq!(clock.now_ms(), 1_700_000_000_000);
        tokio::time::advance(Duration::from_millis(1_500)).await;
        assert_eq!(clock.clone().now_ms(), 1_700_000_001_500);
    }

    #[test]
    fn the_system_clock_is_after_the_year_2025() {
        assert!(Clock::system().now_ms() > 1_767_225_600_000);
    }
}
