//! How often an app may call: Slack's tiers, and one message a second in a channel.
//! Bursts are Slack's secret: what it refuses for sure is refused here, what it may refuse is remarked, as [`RateLimits`] says.
//! Source: <https://docs.slack.dev/apis/web-api/rate-limits/>

use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

use crate::config::RateLimits;

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);
/// Times a limit beyond which a call is refused in any mode but off.
const FAR: usize = 10;
/// Channels and methods that are watched; more than there are, unless someone makes them up.
const KEYS: usize = 1_000;

/// What is said to a call.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Within,
    /// A remark.
    Above(String),
    /// Seconds to wait.
    Refused(u64),
}

/// When what was called within the last minute.
#[derive(Default)]
pub(crate) struct Meter(HashMap<String, VecDeque<Instant>>);

impl Meter {
    /// Counts a call of `method` for a workspace, which may be called so often `a_minute`.
    pub(super) fn call(&mut self, mode: RateLimits, team: &str, method: &str, a_minute: usize) -> Verdict {
        self.count(mode, &format!("{team} {method}"), (a_minute, MINUTE), a_minute * FAR, || {
            format!("above the {a_minute} calls a minute Slack allows for {method}")
        })
    }

    /// Counts a message in a channel.
    pub(super) fn post(&mut self, mode: RateLimits, channel: &str) -> Verdict {
        // Short bursts pass, so that far above is told by a whole minute.
        self.count(mode, channel, (1, SECOND), 60 * FAR, || "above one message a second in a channel".to_owned())
    }

    fn count(
        &mut self,
        mode: RateLimits,
        key: &str,
        (limit, span): (usize, Duration),
        far: usize,
        remark: impl FnOnce() -> String,
    ) -> Verdict {
        if mode == RateLimits::Off {
            return Verdict::Within;
        }
        if self.0.len() >= KEYS && !self.0.contains_key(key) {
            self.0.clear();
        }
        let now = Instant::now();
        let calls = self.0.entry(key.to_owned()).or_default();
        while calls.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            calls.pop_front();
        }
        let recent = calls.iter().rev().take_while(|call| now.duration_since(**call) < span).count();
        let wait = |calls: &VecDeque<Instant>, limit: usize, span: Duration| {
            let blocking = calls[calls.len() - limit];
            (span.saturating_sub(now.duration_since(blocking)).as_millis().div_ceil(1_000) as u64).max(1)
        };
        if mode == RateLimits::Enforce && recent >= limit {
            return Verdict::Refused(wait(calls, limit, span));
        }
        if calls.len() >= far {
            return Verdict::Refused(wait(calls, far, MINUTE));
        }
        calls.push_back(now);
        if recent >= limit { Verdict::Above(remark()) } else { Verdict::Within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds(count: u64) {
        tokio::time::advance(Duration::from_secs(count)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn enforced_a_tier_holds_and_opens_again() {
        let mut meter = Meter::default();
        let mut call = || meter.call(RateLimits::Enforce, "T1", "users.list", 20);
        assert!((0..20).all(|_| call() == Verdict::Within));
        seconds(10).await;
        assert_eq!(call(), Verdict::Refused(50));
        seconds(50).await;
        assert_eq!(call(), Verdict::Within);
    }

    #[tokio::test(start_paused = true)]
    async fn a_warning_becomes_a_refusal_at_ten_times() {
        let mut meter = Meter::default();
        let mut call = |method| meter.call(RateLimits::Warn, "T1", method, 20);
        assert!((0..20).all(|_| call("users.list") == Verdict::Within));
        assert!((0..180).all(|_| matches!(call("users.list"), Verdict::Above(_))));
        assert_eq!(call("users.list"), Verdict::Refused(60));
        assert_eq!(call("conversations.list"), Verdict::Within);
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_takes_one_message_a_second() {
        let mut meter = Meter::default();
        assert_eq!(meter.post(RateLimits::Enforce, "C1"), Verdict::Within);
        assert_eq!(meter.post(RateLimits::Enforce, "C2"), Verdict::Within);
        assert_eq!(meter.post(RateLimits::Enforce, "C1"), Verdict::Refused(1));
        seconds(1).await;
        assert_eq!(meter.post(RateLimits::Enforce, "C1"), Verdict::Within);
        assert!(matches!(meter.post(RateLimits::Warn, "C1"), Verdict::Above(_)));
        assert!((0..2_000).all(|_| meter.post(RateLimits::Off, "C1") == Verdict::Within));
    }
}
