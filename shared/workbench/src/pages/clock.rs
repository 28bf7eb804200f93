//! Times as pages show them: the server writes UTC, the script turns it into the reader's own time.

use maud::{Markup, html};

/// The time of a message's stamp.
pub(super) fn local(ts: &str) -> Markup {
    time(ms_of(ts), false)
}

/// The same as text, for where there can be no element: hours and minutes in UTC.
pub(super) fn clock_of(ts: &str) -> String {
    utc(ms_of(ts)).1[..5].to_owned()
}

fn ms_of(ts: &str) -> u64 {
    let seconds: u64 = ts.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    seconds.saturating_mul(1_000)
}

/// A moment with milliseconds.
pub(super) fn precise(at_ms: u64) -> Markup {
    time(at_ms, true)
}

fn time(at_ms: u64, with_ms: bool) -> Markup {
    let (date, clock) = utc(at_ms);
    let text = if with_ms { clock.clone() } else { clock[..5].to_owned() };
    html! { time datetime={ (date) "T" (clock) "Z" } data-ms=[with_ms.then_some("1")] title={ (date) " " (clock) " UTC" } { (text) } }
}

/// `2026-11-24` and `09:14:02.118`.
pub(crate) fn utc(at_ms: u64) -> (String, String) {
    let (days, of_day) = (at_ms / 86_400_000, at_ms % 86_400_000);
    let (year, month, day) = civil(days);
    let (seconds, ms) = (of_day / 1_000, of_day % 1_000);
    let clock = format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    (format!("{year:04}-{month:02}-{day:02}"), clock)
}

/// The date of a day since 1970-01-01, in the Gregorian calendar: it repeats every 400 years of 146,097 days.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years that begin in March put the leap day at the end.
    let from_march_0000 = days + 719_468;
    let (era, of_era) = (from_march_0000 / 146_097, from_march_0000 % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_the_calendars() {
        // From `date -u -d @…`.
        for (at_ms, date, clock) in [
            (0, "1970-01-01", "00:00:00.000"),
            (951_782_400_000, "2000-02-29", "00:00:00.000"),
            (1_795_511_642_118, "2026-11-24", "09:14:02.118"),
            (4_107_542_399_999, "2100-02-28", "23:59:59.999"),
        ] {
            assert_eq!(utc(at_ms), (date.to_owned(), clock.to_owned()));
        }
    }
}
