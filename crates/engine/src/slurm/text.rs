//! Amounts and instants as Slurm's commands print them.

use units::Timestamp;

/// Words for an instant that is not known, has not come, or never will.
const NO_INSTANT: [&str; 8] = ["", "0", "N/A", "NONE", "None", "Unknown", "INVALID", "(null)"];

/// An instant in seconds since 1970, as `SLURM_TIME_FORMAT=%s` has them; `None` when there is none.
///
/// # Errors
/// With the text when it is neither.
pub(super) fn instant(text: &str) -> Result<Option<Timestamp>, String> {
    let text = text.trim();
    if NO_INSTANT.contains(&text) {
        return Ok(None);
    }
    let second = text.parse::<i64>().ok().and_then(|second| Timestamp::from_second(second).ok());
    second.map(Some).ok_or_else(|| format!("`{text}` is not an instant"))
}

/// A size such as `1234K`, `2.50G` or `64`, where no letter stands for `plain_kb` kibibytes, in
/// mebibytes rounded up; `None` when it is not one.
pub(super) fn size_mb(text: &str, plain_kb: u64) -> Option<u64> {
    const HUNDREDTHS: u64 = 100;
    let (digits, unit_kb) = match text.as_bytes().last()? {
        b'K' => (text.get(..text.len() - 1)?, 1),
        b'M' => (text.get(..text.len() - 1)?, 1 << 10),
        b'G' => (text.get(..text.len() - 1)?, 1 << 20),
        b'T' => (text.get(..text.len() - 1)?, 1 << 30),
        b'P' => (text.get(..text.len() - 1)?, 1 << 40),
        _ => (text, plain_kb),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = match (part.get(..1), part.get(..2)) {
        (_, Some(two)) => number(two)?,
        (Some(one), None) => number(one)?.checked_mul(10)?,
        (None, None) => 0,
    };
    let hundredths = number(whole)?.checked_mul(HUNDREDTHS)?.checked_add(part)?;
    Some(hundredths.checked_mul(unit_kb)?.div_ceil(HUNDREDTHS).div_ceil(1 << 10))
}

/// A length of time such as `2-03:04:05`, `04:05` or `00:00.084`, in milliseconds; `None` when it
/// is not one.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let (days, clock) = text
        .split_once('-')
        .map_or(Some((0, text)), |(days, clock)| number(days).map(|days| (days, clock)))?;
    let (clock, part) = clock.split_once('.').unwrap_or((clock, "0"));
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    let mut seconds = 0_u64;
    for field in clock.split(':') {
        seconds = seconds.checked_mul(60)?.checked_add(number(field)?)?;
    }
    let seconds = days.checked_mul(86_400)?.checked_add(seconds)?;
    seconds.checked_mul(1_000)?.checked_add(number(&part)?)
}

/// A time limit as `squeue` prints it, in seconds; a year where there is none.
pub(super) fn limit_seconds(text: &str) -> Option<i64> {
    const YEAR_SECONDS: i64 = 366 * 86_400;
    match text {
        "UNLIMITED" | "Partition_Limit" | "NOT_SET" | "INVALID" => Some(YEAR_SECONDS),
        _ => i64::try_from(milliseconds(text)? / 1_000).ok().map(|limit| limit.min(YEAR_SECONDS)),
    }
}

/// The amount of one kind in a list such as `cpu=4,mem=2G,gres/gpu=1`.
pub(super) fn amount<'t>(list: &'t str, kind: &str) -> Option<&'t str> {
    list.split(',')
        .find_map(|part| part.split_once('=').filter(|(name, _)| *name == kind))
        .map(|it| it.1)
}

/// A number of digits alone.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|mark| mark.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn instants_are_seconds_or_absent() {
        assert_eq!(instant("1795292165").unwrap().unwrap().as_second(), 1_795_292_165);
        for none in ["Unknown", "None", "N/A", "", "  ", "INVALID"] {
            assert_eq!(instant(none), Ok(None), "{none:?}");
        }
        assert!(instant("2026-11-21T20:00:00").is_err());
    }

    #[test]
    fn sizes_are_rounded_up_to_mebibytes() {
        assert_eq!(size_mb("1K", 1), Some(1));
        assert_eq!(size_mb("2048K", 1), Some(2));
        assert_eq!(size_mb("2.50G", 1), Some(2_560));
        assert_eq!(size_mb("64", 1 << 10), Some(64));
        assert_eq!(size_mb("0", 1), Some(0));
        for wrong in ["", "K", "x", "-1M", "1.xG"] {
            assert_eq!(size_mb(wrong, 1), None, "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_have_days_or_fractions() {
        assert_eq!(milliseconds("00:00.084"), Some(84));
        assert_eq!(milliseconds("10:00"), Some(600_000));
        assert_eq!(milliseconds("2-03:05:00"), Some(183_900_000));
        assert_eq!(milliseconds(""), None);
        assert_eq!(limit_seconds("1:00:00"), Some(3_600));
        assert_eq!(limit_seconds("UNLIMITED"), Some(366 * 86_400));
    }

    #[test]
    fn amounts_are_found_by_their_whole_name() {
        let list = "cpu=32,mem=128M,node=2,gres/gpu:test=1,gres/gpu=2";
        assert_eq!(amount(list, "gres/gpu"), Some("2"));
        assert_eq!(amount(list, "mem"), Some("128M"));
        assert_eq!(amount(list, "energy"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_fail_otherwise(text in ".{0,40}") {
            let _ = instant(&text);
            let _ = size_mb(&text, 1 << 10);
            let _ = milliseconds(&text);
            let _ = limit_seconds(&text);
            let _ = amount(&text, "mem");
        }
    }
}
