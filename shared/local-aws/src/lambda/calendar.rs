//! Calendar dates out of epoch milliseconds, in UTC, for log stream names and request times.
//! Not here: reading a clock ([`crate::Clock`]).
//! Source of the date arithmetic: the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last.

/// A moment in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UtcTime {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
}

const DAYS_BEFORE_EPOCH: u64 = 719_468; // 0000-03-01 to 1970-01-01
const DAYS_IN_400_YEARS: u64 = 146_097;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl UtcTime {
    /// From milliseconds since the Unix epoch.
    pub(crate) fn from_epoch_ms(epoch_ms: u64) -> Self {
        let seconds = epoch_ms / 1000;
        let days = seconds / 86_400 + DAYS_BEFORE_EPOCH;
        let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
        // Leap days that lie before this day in its 400 years, taken out, leave years of 365 days.
        let leap_days = day_of_era / 1460 + day_of_era / 146_096 - day_of_era / 36_524;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    /// As access logs write it: `12/Mar/2020:19:03:58 +0000`.
    pub(crate) fn common_log(self) -> String {
        let month = usize::try_from(self.month).ok().and_then(|month| MONTHS.get(month.wrapping_sub(1))).unwrap_or(&"");
        format!("{:02}/{month}/{:04}:{:02}:{:02}:{:02} +0000", self.day, self.year, self.hour, self.minute, self.second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(epoch_s: u64, expected: &str) {
        assert_eq!(UtcTime::from_epoch_ms(epoch_s * 1000 + 999).common_log(), expected);
    }

    #[test]
    fn dates_agree_with_the_calendar() {
        check(0, "01/Jan/1970:00:00:00 +0000");
        check(951_827_696, "29/Feb/2000:12:34:56 +0000"); // date -u -d @951827696
        check(1_709_251_199, "29/Feb/2024:23:59:59 +0000");
        check(1_709_251_200, "01/Mar/2024:00:00:00 +0000");
        check(1_735_689_599, "31/Dec/2024:23:59:59 +0000");
        check(4_107_542_400, "01/Mar/2100:00:00:00 +0000"); // 2100 is no leap year
    }

    #[test]
    fn the_time_of_the_aws_sample_event_reads_as_date_says() {
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (its `time` is of another day).
        assert_eq!(UtcTime::from_epoch_ms(1_583_348_638_390).common_log(), "04/Mar/2020:19:03:58 +0000");
    }
}
