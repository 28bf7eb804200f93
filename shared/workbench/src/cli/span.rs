//! Times as people type and read them: `10m`, `3m` ago, UTC. No time zones.

use crate::pages::clock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Units with their milliseconds, the longer names of a common ending first.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// `10m`, `90s`, `2h`, `1d`, `500ms`.
///
/// # Errors
/// A sentence that shows the form.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no span of time: write 30s, 10m, 2h or 1d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = UNITS.iter().find(|(unit, _)| *unit == &text[digits.len()..]).ok_or_else(wrong)?;
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit.1).map(Duration::from_millis).ok_or_else(wrong)
}

/// How long ago, in one unit: `12s`, `3m`, `2h`, `5d`.
pub(crate) fn age(ms: u64) -> String {
    let (unit, length) = UNITS.iter().rev().find(|(_, length)| ms >= *length && *length > 1).unwrap_or(&UNITS[1]);
    format!("{}{unit}", ms / length)
}

/// `2026-11-24 09:15:03 UTC`.
pub(crate) fn utc(ms: u64) -> String {
    let (date, clock) = clock::utc(ms);
    format!("{date} {} UTC", &clock[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_typed() {
        assert_eq!(parse("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("1d"), Ok(Duration::from_secs(86_400)));
        for wrong in ["", "10", "m", "ten minutes", "10 m", "10y", "-1s", "99999999999999999999d", "10M"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_age_has_one_unit() {
        for (ms, text) in [
            (0, "0s"),
            (999, "0s"),
            (12_300, "12s"),
            (60_000, "1m"),
            (7_199_000, "1h"),
            (86_400_000, "1d"),
            (864_000_000, "10d"),
        ] {
            assert_eq!(age(ms), text);
        }
    }

    /// Expected values from `date -u -d @N`.
    #[test]
    fn days_are_counted_as_the_calendar_does() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_400_000), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_735_689_599_000), "2024-12-31 23:59:59 UTC");
        assert_eq!(utc(1_795_511_703_515), "2026-11-24 09:15:03 UTC");
    }
}
