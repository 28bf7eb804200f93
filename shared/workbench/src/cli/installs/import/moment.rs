//! The moments in other programs' stores: seconds since the epoch as a number, or a date and a time of day as text.
//! A text without a time zone is UTC, which is what these stores write.

use serde_json::Value;
use std::time::Duration;
use tack_app::protocol::EpochMs;

/// Reads either form; `None` if it is neither.
pub(super) fn read(value: &Value) -> Option<EpochMs> {
    match value {
        Value::Number(number) => of_seconds(number.as_f64()?),
        Value::String(text) => match text.trim().parse() {
            Ok(seconds) => of_seconds(seconds),
            Err(_) => of_text(text.trim()),
        },
        _ => None,
    }
}

/// Later than this is no number of seconds, but one of milliseconds: the year 5138.
const TOO_LATE: f64 = 1e11;

fn of_seconds(seconds: f64) -> Option<EpochMs> {
    let since = Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds > 0.0 && seconds < TOO_LATE)?;
    // Milliseconds have no more than three digits after the point, and a float may lie a hair below them.
    let rounded = since + Duration::from_micros(500);
    u64::try_from(rounded.as_millis()).ok().map(EpochMs)
}

/// `2026-11-24 09:15:03`, with a `T` between, with a part of a second, with `Z` or `+01:00` at the end.
fn of_text(text: &str) -> Option<EpochMs> {
    let (date, clock) = text.split_once(['T', ' '])?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, behind) = match clock.find(['Z', '+', '-']) {
        Some(at) => (&clock[..at], offset(&clock[at..])?),
        None => (clock, 0),
    };
    let (clock, part) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let is_a_date = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_a_date || hour > 23 || minute > 59 || second > 60 || part.is_empty() {
        return None;
    }
    let millis: i64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    let of_day = (hour * 60 + minute - behind) * 60 + second;
    u64::try_from((days(year, month, day) * 86_400 + of_day) * 1_000 + millis).ok().map(EpochMs)
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let read = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()));
    let parts: Option<Vec<i64>> = text.split(between).map(read).collect();
    parts?.try_into().ok()
}

/// Minutes that a time zone is before UTC: `Z`, `+01`, `+01:00`, `+0100`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let digits = text[1..].replace(':', "");
    let (hours, minutes) = (digits.get(..2)?, digits.get(2..).filter(|rest| !rest.is_empty()).unwrap_or("00"));
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    Some(if text.starts_with('-') { -minutes } else { minutes })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years that begin in March put the leap day at the end.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ms(value: Value) -> Option<u64> {
        read(&value).map(|moment| moment.0)
    }

    /// Expected values from `date -u -d '…' +%s`.
    #[test]
    fn texts_without_a_zone_are_utc() {
        assert_eq!(ms(json!("2026-11-24 09:15:03.515000")), Some(1_795_511_703_515));
        assert_eq!(ms(json!("2026-11-24T09:15:03")), Some(1_795_511_703_000));
        assert_eq!(ms(json!("2024-02-29 00:00:00")), Some(1_709_164_800_000));
        assert_eq!(ms(json!("2024-03-01T00:00:00Z")), Some(1_709_251_200_000));
        assert_eq!(ms(json!("2024-12-31 23:59:59.9")), Some(1_735_689_599_900));
        assert_eq!(ms(json!("1970-01-01 00:00:00")), Some(0));
    }

    #[test]
    fn a_zone_is_taken_off() {
        for text in ["2026-11-24 10:15:03+01:00", "2026-11-24T03:45:03.000-05:30", "2026-11-24 10:15:03+01"] {
            assert_eq!(ms(json!(text)), Some(1_795_511_703_000), "{text}");
        }
    }

    #[test]
    fn numbers_are_seconds_also_as_text() {
        assert_eq!(ms(json!(1_795_511_703.515)), Some(1_795_511_703_515));
        assert_eq!(ms(json!(1_795_511_703)), Some(1_795_511_703_000));
        assert_eq!(ms(json!("1795511703")), Some(1_795_511_703_000));
    }

    #[test]
    fn what_is_no_moment_is_not_taken_for_one() {
        let texts = ["", "yesterday", "2026-11-24", "2026-13-01 00:00:00", "2026-11-24 25:00:00", "2026-1-+1 00:00:00"];
        for text in texts {
            assert_eq!(ms(json!(text)), None, "{text:?}");
        }
        for number in [json!(0), json!(-5), json!(1_795_511_703_515_u64), json!(true), json!(null)] {
            assert_eq!(read(&number), None, "{number}");
        }
    }
}
