//! Points in time as people read them, in UTC: Slack's date tokens, and the values of native date and time inputs.
//! Knows no clock, so nothing is "today" here. Invariant: a time outside the years 1 to 9999 is not shown as a date.
//! Sources: <https://docs.slack.dev/messaging/formatting-message-text/#date-formatting>,
//! <https://docs.slack.dev/reference/block-kit/block-elements/date-element/>

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The first day of the epoch was a Thursday.
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
/// Seconds of a day.
const DAY: i64 = 86_400;
/// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, epoch seconds.
const SHOWN: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

struct Moment {
    year: i64,
    month: usize,
    day: i64,
    weekday: &'static str,
    second_of_day: i64,
}

/// The Gregorian date of `epoch_s` in UTC. Years are counted from March, so that the leap day is a year's last.
fn moment(epoch_s: i64) -> Option<Moment> {
    if !SHOWN.contains(&epoch_s) {
        return None;
    }
    let days = epoch_s.div_euclid(DAY);
    // Days since 0000-03-01, cut into eras of 400 years.
    let since = days + 719_468;
    let (era, day_of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    Some(Moment {
        year: era * 400 + year_of_era + i64::from(month <= 2),
        month: usize::try_from(month).ok()?,
        day: day_of_year - (153 * from_march + 2) / 5 + 1,
        weekday: WEEKDAYS[usize::try_from(days.rem_euclid(7)).ok()?],
        second_of_day: epoch_s.rem_euclid(DAY),
    })
}

impl Moment {
    fn month_name(&self) -> &'static str {
        MONTHS[self.month - 1]
    }

    /// `23rd`.
    fn ordinal(&self) -> String {
        let ending = match (self.day % 10, self.day / 10) {
            (1, tens) if tens != 1 => "st",
            (2, tens) if tens != 1 => "nd",
            (3, tens) if tens != 1 => "rd",
            _ => "th",
        };
        format!("{}{ending}", self.day)
    }

    fn clock(&self, with_seconds: bool) -> String {
        let (hour, minute, second) =
            (self.second_of_day / 3_600, self.second_of_day / 60 % 60, self.second_of_day % 60);
        let half = if hour < 12 { "AM" } else { "PM" };
        let hour = (hour + 11) % 12 + 1;
        if with_seconds {
            format!("{hour}:{minute:02}:{second:02} {half}")
        } else {
            format!("{hour}:{minute:02} {half}")
        }
    }

    fn token(&self, name: &str) -> Option<String> {
        let (year, month, day) = (self.year, self.month, self.day);
        Some(match name {
            "date_num" => format!("{year:04}-{month:02}-{day:02}"),
            "date_slash" => format!("{day:02}/{month:02}/{year:04}"),
            // Without a clock "today" and "3 minutes ago" are not known; the date itself is never wrong.
            "date" | "date_pretty" | "ago" => format!("{} {}, {year}", self.month_name(), self.ordinal()),
            "date_long_full" => format!("{} {day}, {year}", self.month_name()),
            "date_short" | "date_short_pretty" => format!("{} {day}, {year}", &self.month_name()[..3]),
            "date_long" | "date_long_pretty" | "day_divider_pretty" => {
                format!("{}, {} {}, {year}", self.weekday, self.month_name(), self.ordinal())
            }
            "time" => self.clock(false),
            "time_secs" => self.clock(true),
            _ => return None,
        })
    }
}

/// `format` with its `{tokens}` filled in. None where Slack shows the fallback: an unknown token, an open brace, no such time.
pub(super) fn date_text(epoch_s: i64, format: &str) -> Option<String> {
    let moment = moment(epoch_s)?;
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        let (token, after) = after.split_once('}')?;
        text.push_str(before);
        text.push_str(&moment.token(token)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// The value of a `datetime-local` input, UTC: `2026-12-01T17:50`.
pub(super) fn datetime_local(epoch_s: i64) -> Option<String> {
    let moment = moment(epoch_s)?;
    let minutes = moment.second_of_day / 60;
    Some(format!("{:04}-{:02}-{:02}T{:02}:{:02}", moment.year, moment.month, moment.day, minutes / 60, minutes % 60))
}

/// The epoch seconds of what a `datetime-local` input sends (with or without seconds), read as UTC. None if it is no such time.
pub(crate) fn epoch_of(datetime_local: &str) -> Option<i64> {
    let number = |text: &str, most: i64| {
        let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok())?.filter(|number| *number <= most)
    };
    let (date, time) = datetime_local.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (number(date.next()?, 9_999)?, number(date.next()?, 12)?, number(date.next()?, 31)?);
    let mut time = time.split(':');
    let (hour, minute) = (number(time.next()?, 23)?, number(time.next()?, 59)?);
    // Browsers may add a fraction of a second.
    let second = time.next().map_or(Some(0), |second| number(second.split('.').next()?, 59))?;
    if date.next().is_some() || time.next().is_some() || month == 0 || day == 0 {
        return None;
    }
    let from_march = (month + 9) % 12;
    let year = year - i64::from(month <= 2);
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * from_march + 2) / 5
        + (day - 1)
        - 719_468;
    let epoch_s = days * DAY + hour * 3_600 + minute * 60 + second;
    // The 31st of a shorter month is another day than the one that was typed.
    moment(epoch_s).filter(|moment| moment.day == day).map(|_| epoch_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2014-02-18 14:39:42 UTC, the moment of Slack's own examples (06:39:42 in its author's zone).
    const DOCUMENTED: i64 = 1_392_734_382;

    #[test]
    fn documented_tokens_read_as_documented() {
        for (format, expected) in [
            ("{date_num}", "2014-02-18"),
            ("{date_slash}", "18/02/2014"),
            ("{date}", "February 18th, 2014"),
            ("{date_short}", "Feb 18, 2014"),
            ("{date_long}", "Tuesday, February 18th, 2014"),
            ("{date_long_full}", "February 18, 2014"),
            ("{time}", "2:39 PM"),
            ("{time_secs}", "2:39:42 PM"),
            ("Posted {date_num} {time_secs}", "Posted 2014-02-18 2:39:42 PM"),
            ("no token", "no token"),
        ] {
            assert_eq!(date_text(DOCUMENTED, format).as_deref(), Some(expected), "{format}");
        }
        assert_eq!(date_text(1_387_756_800, "{date_long}").as_deref(), Some("Monday, December 23rd, 2013"));
        assert_eq!(date_text(1_596_931_200, "{date_short}").as_deref(), Some("Aug 9, 2020"));
    }

    #[test]
    fn what_cannot_be_formatted_falls_back() {
        assert_eq!(date_text(DOCUMENTED, "{date_fancy}"), None);
        assert_eq!(date_text(DOCUMENTED, "{date"), None);
        assert_eq!(date_text(i64::MAX, "{date}"), None);
        assert_eq!(date_text(i64::MIN, "{date}"), None);
    }

    #[test]
    fn a_local_date_and_time_is_read_as_utc_and_back() {
        for (epoch_s, text) in [
            (1_796_147_400, "2026-12-01T17:50"),
            (0, "1970-01-01T00:00"),
            (951_782_400, "2000-02-29T00:00"),
            (4_107_542_340, "2100-02-28T23:59"),
            (-62_135_596_800, "0001-01-01T00:00"),
        ] {
            assert_eq!(datetime_local(epoch_s).as_deref(), Some(text));
            assert_eq!(epoch_of(text), Some(epoch_s), "{text}");
        }
        assert_eq!(epoch_of("2026-12-01T17:50:30"), Some(1_796_147_430));
        assert_eq!(epoch_of("2026-12-01T17:50:30.250"), Some(1_796_147_430));
    }

    #[test]
    fn what_is_no_local_date_and_time_is_refused() {
        for text in [
            "",
            "2026-12-01",
            "2026-13-01T00:00",
            "2026-02-30T00:00",
            "2026-1-1T-1:00",
            "x-y-zTa:b",
            "2100-02-29T00:00",
            "2026-12-01T24:00",
        ] {
            assert_eq!(epoch_of(text), None, "{text}");
        }
    }
}
