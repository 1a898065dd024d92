//! Amounts as Slurm writes them: `cpu=48,mem=100G,gres/gpu=4`, and times of `slurm.conf`.

use sched::{Resource, Tres};

use crate::trace::TraceError;
use crate::trace::fields::Field;

/// The kind that a name stands for; of GPUs, whatever their type.
fn kind(name: &str) -> Option<Resource> {
    match name.to_ascii_lowercase().as_str() {
        "cpu" => Some(Resource::Cpu),
        "mem" => Some(Resource::Memory),
        "node" => Some(Resource::Node),
        "billing" => Some(Resource::Billing),
        "gres/gpu" => Some(Resource::Gpu),
        _ => None,
    }
}

/// Amounts of the kinds that are ours, and those of others by name.
type Listed<'t, T> = (Tres<Option<T>>, Vec<(&'t str, &'t str)>);

/// The amounts in a list, and those that are of no kind of ours by name. Typed GPUs are among the
/// latter, for the plain count holds them too.
pub(super) fn amounts<'t, T>(
    field: &Field<'t>,
    read: impl Fn(&Field<'t>, Resource) -> Result<T, TraceError>,
) -> Result<Listed<'t, T>, TraceError>
where
    T: Copy,
{
    let (mut amounts, mut others) = (Tres::all(None), Vec::new());
    let mut column = field.column;
    for part in field.text.split(',').filter(|part| !part.is_empty()) {
        let here = Field { text: part, line: field.line, column };
        column += part.len() + 1;
        let Some((name, amount)) = part.split_once('=') else {
            return Err(here.expected("a resource such as gres/gpu=4"));
        };
        let at = here.column + name.len() + 1;
        match kind(name) {
            Some(kind) => {
                let amount = read(&Field { text: amount, line: field.line, column: at }, kind)?;
                amounts = amounts.with(kind, Some(amount));
            }
            None => others.push((name, amount)),
        }
    }
    Ok((amounts, others))
}

/// A whole amount; of memory in mebibytes unless a letter says otherwise.
pub(super) fn whole(field: &Field<'_>, kind: Resource) -> Result<u64, TraceError> {
    const AMOUNT_MAX: u64 = 1 << 50;
    let (digits, factor) = match (kind, field.text.strip_suffix(['M', 'G', 'T', 'P'])) {
        (Resource::Memory, Some(digits)) => (digits, unit_mb(field.text)),
        _ => (field.text, 1),
    };
    // Slurm shortens 102912M to 100.50G.
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let part = after.get(..2).unwrap_or(after);
    let hundredths = match part.len() {
        0 => Some(0),
        1 => part.parse::<u64>().ok().map(|tenths| tenths * 10),
        _ => part.parse().ok(),
    };
    let plain = |text: &str| text.bytes().all(|mark| mark.is_ascii_digit());
    let amount = || {
        let units = before.parse::<u64>().ok().filter(|_| plain(before) && plain(after))?;
        units.checked_mul(factor)?.checked_add(hundredths? * factor / 100)
    };
    amount()
        .filter(|amount| *amount <= AMOUNT_MAX)
        .ok_or_else(|| field.expected("a whole amount such as 48 or 100G"))
}

/// What the last letter of an amount of memory stands for.
fn unit_mb(text: &str) -> u64 {
    match text.as_bytes().last() {
        Some(b'G') => 1 << 10,
        Some(b'T') => 1 << 20,
        Some(b'P') => 1 << 30,
        _ => 1,
    }
}

/// A weight such as `0.25G`, in thousandths for one; of memory for a mebibyte.
pub(super) fn milli(field: &Field<'_>, kind: Resource) -> Result<u64, TraceError> {
    const WEIGHT_MAX: u64 = 1 << 40;
    let (digits, per) = match (kind, field.text.strip_suffix(['M', 'G', 'T', 'P'])) {
        (Resource::Memory, Some(digits)) => (digits, unit_mb(field.text)),
        _ => (field.text, 1),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let thousandths: String = after.chars().chain("000".chars()).take(3).collect();
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|mark| mark.is_ascii_digit());
    let before = if before.is_empty() && !after.is_empty() { "0" } else { before };
    let amount = || {
        let units = before.parse::<u64>().ok().filter(|_| plain(before) && plain(&thousandths))?;
        Some(units.checked_mul(1_000)?.checked_add(thousandths.parse().ok()?)? / per)
    };
    amount()
        .filter(|amount| *amount <= WEIGHT_MAX)
        .ok_or_else(|| field.expected("a weight such as 0.25G"))
}

/// A time of `slurm.conf`: minutes, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
/// `days-hours:minutes`, `days-hours:minutes:seconds`; `None` when it is not one.
pub(super) fn conf_seconds(text: &str) -> Option<i64> {
    const SECONDS_MAX: i64 = 100 * 366 * 86_400;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|mark| mark.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten().filter(|number| *number <= SECONDS_MAX)
    };
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(number(days)?), clock),
        None => (None, text),
    };
    let parts = clock.split(':').map(number).collect::<Option<Vec<i64>>>()?;
    let (hours, minutes, seconds) = match (days, parts.as_slice()) {
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let total = days.unwrap_or(0) * 86_400 + hours * 3_600 + minutes * 60 + seconds;
    (total <= SECONDS_MAX).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(text: &str) -> Field<'_> {
        Field { text, line: 1, column: 1 }
    }

    #[test]
    fn times_of_the_configuration_are_minutes_unless_they_say_more() {
        let cases = [
            ("5", 300),
            ("5:30", 330),
            ("01:02:03", 3_723),
            ("7-0", 604_800),
            ("1-2:03", 93_780),
            ("1-02:03:04", 93_784),
        ];
        for (text, seconds) in cases {
            assert_eq!(conf_seconds(text), Some(seconds), "{text}");
        }
        for wrong in ["", "-", "1:2:3:4", "-5", "x", "1-", "99999999999999999999"] {
            assert_eq!(conf_seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn memory_is_mebibytes_unless_a_letter_says_otherwise() {
        let memory = |text| whole(&field(text), Resource::Memory).ok();
        assert_eq!(memory("512"), Some(512));
        assert_eq!(memory("100.50G"), Some(102_912));
        assert_eq!(memory("1T"), Some(1 << 20));
        assert_eq!(memory("G"), None);
        assert_eq!(whole(&field("48"), Resource::Cpu).ok(), Some(48));
        assert_eq!(whole(&field("48G"), Resource::Cpu).ok(), None);
    }

    #[test]
    fn weights_are_thousandths() {
        assert_eq!(milli(&field("1.0"), Resource::Cpu).ok(), Some(1_000));
        assert_eq!(milli(&field(".25"), Resource::Cpu).ok(), Some(250));
        assert_eq!(milli(&field("2.048G"), Resource::Memory).ok(), Some(2));
        assert_eq!(milli(&field("-1"), Resource::Cpu).ok(), None);
    }
}
