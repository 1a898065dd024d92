//! Figures, instants and lists as Slurm writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How long, as `squeue` writes it: `0:05`, `1:00:00`, `1-02:03:00`.
pub(super) fn short_duration(seconds: i64) -> String {
    let (days, hours, minutes, seconds) = parts(seconds);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days}-{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

/// How long, as `sacct` writes it: `00:00:05`, `1-02:03:00`.
pub(super) fn long_duration(seconds: i64) -> String {
    let (days, hours, minutes, seconds) = parts(seconds);
    match days {
        0 => format!("{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{days}-{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

fn parts(seconds: i64) -> (i64, i64, i64, i64) {
    let seconds = seconds.max(0);
    (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// An instant in this machine's time, to the second.
pub(super) fn instant(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Memory as `squeue` and `sacct` write it: `1G`, `1500M`, `1.50T` where it is no whole number.
pub(super) fn memory(megabytes: u64) -> String {
    const UNITS: [&str; 3] = ["M", "G", "T"];
    let mut size = megabytes;
    let mut unit = 0;
    while size >= 1_024 && size.is_multiple_of(1_024) && unit + 1 < UNITS.len() {
        size /= 1_024;
        unit += 1;
    }
    format!("{size}{}", UNITS.get(unit).copied().unwrap_or_default())
}

/// Names of nodes with what they share written once: `n[1-3,5]`.
pub(super) fn host_list(names: &[String]) -> String {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for name in names {
        let (prefix, digits) =
            name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        match groups.iter_mut().find(|(known, _)| *known == prefix) {
            Some((_, numbers)) => numbers.push(digits),
            None => groups.push((prefix, vec![digits])),
        }
    }
    let shown = groups.into_iter().map(|(prefix, numbers)| match numbers.as_slice() {
        [only] => format!("{prefix}{only}"),
        several if several.iter().any(|digits| digits.is_empty()) => {
            several.iter().map(|digits| format!("{prefix}{digits}")).collect::<Vec<_>>().join(",")
        }
        several => format!("{prefix}[{}]", padded_ranges(several)),
    });
    shown.collect::<Vec<_>>().join(",")
}

/// Ranges of numbers that keep the zeros before them.
fn padded_ranges(digits: &[&str]) -> String {
    let mut widths: Vec<usize> =
        digits.iter().map(|text| if text.starts_with('0') { text.len() } else { 0 }).collect();
    widths.sort_unstable();
    widths.dedup();
    let mut parts = Vec::new();
    for width in widths {
        let of_width = digits
            .iter()
            .filter(|text| width == if text.starts_with('0') { text.len() } else { 0 });
        let numbers: Vec<u64> = of_width.filter_map(|text| text.parse().ok()).collect();
        parts.push(ranges(&numbers, width));
    }
    parts.join(",")
}

/// Numbers in ascending order, runs of them as `1-3`, filled up with zeros to `width`.
pub(super) fn ranges(numbers: &[u64], width: usize) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let shown = runs.into_iter().map(|(first, last)| match first == last {
        true => format!("{first:0width$}"),
        false => format!("{first:0width$}-{last:0width$}"),
    });
    shown.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_each_command_writes_them() {
        let table = [
            (5, "0:05", "00:00:05"),
            (3_600, "1:00:00", "01:00:00"),
            (93_780, "1-02:03:00", "1-02:03:00"),
            (-1, "0:00", "00:00:00"),
        ];
        for (seconds, short, long) in table {
            assert_eq!(
                (short_duration(seconds), long_duration(seconds)),
                (short.into(), long.into())
            );
        }
    }

    #[test]
    fn nodes_are_written_as_a_list_of_hosts() {
        let shown =
            |text: &str| host_list(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(shown("a1-1"), "a1-1");
        assert_eq!(shown("a1-2 a1-1 a1-3 a1-5"), "a1-[1-3,5]");
        assert_eq!(shown("n09 n10 n08 n100"), "n[10,100,08-09]");
        assert_eq!(shown("login n1 n2"), "login,n[1-2]");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn memory_is_written_in_the_largest_unit_that_is_whole() {
        assert_eq!([memory(64), memory(1_024), memory(1_500)], ["64M", "1G", "1500M"]);
        assert_eq!(memory(2 * 1_024 * 1_024), "2T");
    }
}
