//! Time limits in every way Slurm lets people write them.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// The text is not a time limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a time limit: write MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, \
     DAYS-HOURS, DAYS-HOURS:MINUTES, DAYS-HOURS:MINUTES:SECONDS or UNLIMITED"
)]
pub struct NotATimeLimit(pub String);

/// How long a job asks to run at most.
///
/// Slurm counts limits in minutes and rounds seconds up; here seconds are kept, and an engine
/// that can only count minutes rounds up when it hands the job over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeLimit {
    /// So many seconds.
    Seconds(NonZeroU32),
    /// As long as the partition allows; zero means the same in Slurm.
    Unlimited,
}

impl TimeLimit {
    fn of_seconds(seconds: u64) -> Option<Self> {
        let seconds = u32::try_from(seconds).ok()?;
        Some(NonZeroU32::new(seconds).map_or(Self::Unlimited, Self::Seconds))
    }
}

impl FromStr for TimeLimit {
    type Err = NotATimeLimit;

    fn from_str(text: &str) -> Result<Self, NotATimeLimit> {
        let unlimited = ["unlimited", "infinite", "-1"];
        if unlimited.iter().any(|word| text.eq_ignore_ascii_case(word)) {
            return Ok(Self::Unlimited);
        }
        seconds_of(text).and_then(Self::of_seconds).ok_or_else(|| NotATimeLimit(text.to_owned()))
    }
}

/// The seconds that `text` stands for, or nothing when it is in no known form.
fn seconds_of(text: &str) -> Option<u64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let parts = rest.split(':').map(number).collect::<Option<Vec<u64>>>()?;
    let (hours, minutes, seconds) = match (days.is_some(), parts.as_slice()) {
        (true, [h]) => (*h, 0, 0),
        (true, [h, m]) => (*h, *m, 0),
        (false, [m]) => (0, *m, 0),
        (false, [m, s]) => (0, *m, *s),
        (_, [h, m, s]) => (*h, *m, *s),
        _ => return None,
    };
    let total = days.unwrap_or_default().checked_mul(24)?.checked_add(hours)?;
    let total = total.checked_mul(60)?.checked_add(minutes)?;
    total.checked_mul(60)?.checked_add(seconds)
}

/// Decimal digits and nothing else.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for TimeLimit {
    /// Writes `HH:MM:SS` or `D-HH:MM:SS`, as `squeue` does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Seconds(limit) = self else {
            return f.write_str("UNLIMITED");
        };
        let part = |divisor: u32, modulus: u32| {
            let whole = limit.get().checked_div(divisor).unwrap_or_default();
            whole.checked_rem(modulus).unwrap_or_default()
        };
        let days = part(86_400, u32::MAX);
        if days > 0 {
            write!(f, "{days}-")?;
        }
        write!(f, "{:02}:{:02}:{:02}", part(3_600, 24), part(60, 60), part(1, 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(text: &str) -> Option<u32> {
        match text.parse() {
            Ok(TimeLimit::Seconds(limit)) => Some(limit.get()),
            Ok(TimeLimit::Unlimited) => Some(0),
            Err(NotATimeLimit(_)) => None,
        }
    }

    #[test]
    fn every_form_of_slurm_is_read() {
        let table = [
            ("90", Some(5_400)),
            ("1:30", Some(90)),
            ("0:02", Some(2)),
            ("02:00:00", Some(7_200)),
            ("1-0", Some(86_400)),
            ("2-12", Some(216_000)),
            ("1-02:03", Some(93_780)),
            ("1-02:03:04", Some(93_784)),
            ("0", Some(0)),
            ("UNLIMITED", Some(0)),
            ("infinite", Some(0)),
            ("-1", Some(0)),
            ("", None),
            ("1h", None),
            ("1:2:3:4", None),
            ("1-", None),
            ("-5", None),
            ("+5", None),
            ("1-2-3", None),
            ("1.5", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(seconds(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_limit_survives_printing_and_parsing(raw in 1u32..) {
            let limit = TimeLimit::Seconds(NonZeroU32::new(raw).unwrap());
            prop_assert_eq!(limit.to_string().parse(), Ok(limit));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".*") {
            let _outcome = text.parse::<TimeLimit>();
        }
    }
}
