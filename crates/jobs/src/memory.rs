//! Amounts of memory as Slurm writes them.

use std::fmt;
use std::str::FromStr;

/// The text is not an amount of memory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of memory: write a whole number with K, M, G or T, such as 16G")]
pub struct NotAMemory(pub String);

/// An amount of memory in MiB, the unit Slurm counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Memory(u64);

impl Memory {
    /// No memory; as a request, all the memory of the node.
    pub const ZERO: Self = Self(0);

    /// `count` MiB.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count)
    }

    /// `count` GiB.
    pub const fn gibibytes(count: u64) -> Self {
        Self(count.saturating_mul(1_024))
    }

    /// The number of MiB.
    pub const fn count_mb(self) -> u64 {
        self.0
    }

    /// `self` times `count`; stays at the largest amount instead of wrapping, which fits nowhere.
    pub fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(u64::from(count)))
    }

    /// `part` of `whole` equal parts of `self`, rounded up.
    pub fn share(self, part: u32, whole: u32) -> Self {
        let scaled = u128::from(self.0).saturating_mul(u128::from(part));
        let whole = u128::from(whole.max(1));
        Self(u64::try_from(scaled.div_ceil(whole)).unwrap_or(u64::MAX))
    }
}

impl FromStr for Memory {
    type Err = NotAMemory;

    fn from_str(text: &str) -> Result<Self, NotAMemory> {
        amount(text).map(Self).ok_or_else(|| NotAMemory(text.to_owned()))
    }
}

/// The MiB that `text` stands for; kilobytes are rounded up.
fn amount(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let number: u64 = number.parse().ok()?;
    match unit.to_ascii_uppercase().as_str() {
        "" | "M" | "MB" => Some(number),
        "K" | "KB" => Some(number.div_ceil(1_024)),
        "G" | "GB" => number.checked_mul(1_024),
        "T" | "TB" => number.checked_mul(1_024 * 1_024),
        _ => None,
    }
}

impl fmt::Display for Memory {
    /// Writes the largest unit that needs no fraction: `16G`, `1500M`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = self.0.checked_div(1_024).unwrap_or_default();
        match (self.0, self.0.is_multiple_of(1_024)) {
            (0, _) => f.write_str("0"),
            (_, true) => write!(f, "{gigabytes}G"),
            (megabytes, false) => write!(f, "{megabytes}M"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_those_of_slurm() {
        let table = [
            ("4000", Some(4_000)),
            ("16G", Some(16_384)),
            ("16g", Some(16_384)),
            ("2TB", Some(2_097_152)),
            ("1K", Some(1)),
            ("0", Some(0)),
            ("", None),
            ("G", None),
            ("1.5G", None),
            ("16GiB", None),
            ("-1", None),
            ("99999999999999999999T", None),
            ("18446744073709551615T", None),
        ];
        for (text, expected) in table {
            assert_eq!(text.parse().ok().map(Memory::count_mb), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn memory_survives_printing_and_parsing(raw in any::<u64>()) {
            let memory = Memory::mebibytes(raw);
            prop_assert_eq!(memory.to_string().parse(), Ok(memory));
        }
    }
}
