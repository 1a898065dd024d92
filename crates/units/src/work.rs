//! Metered work: what a job uses and what an allocation grants.

use std::fmt;
use std::str::FromStr;

use crate::Overflow;

/// The text does not name a meter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a meter: use gpu, node, core or qpu")]
pub struct NotAMeter(pub String);

/// What is counted on a partition. One unit of [`Work`] is one of these held for one second.
///
/// Industrial access modes count GPU-hours and all others node-hours (EuroHPC access calls
/// 2025/2026), so the meter belongs to the partition and its charge rule, not to the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meter {
    /// One GPU held for one second.
    Gpu,
    /// One whole node held for one second.
    Node,
    /// One core held for one second.
    Core,
    /// One quantum processor held for one second.
    Qpu,
}

impl Meter {
    /// The short name of one hour, as in `5 000 GPU-h`.
    pub const fn hour_name(self) -> &'static str {
        match self {
            Self::Gpu => "GPU-h",
            Self::Node => "node-h",
            Self::Core => "core-h",
            Self::Qpu => "QPU-h",
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gpu => "gpu",
            Self::Node => "node",
            Self::Core => "core",
            Self::Qpu => "qpu",
        })
    }
}

impl FromStr for Meter {
    type Err = NotAMeter;

    fn from_str(text: &str) -> Result<Self, NotAMeter> {
        match text {
            "gpu" => Ok(Self::Gpu),
            "node" => Ok(Self::Node),
            "core" => Ok(Self::Core),
            "qpu" => Ok(Self::Qpu),
            _ => Err(NotAMeter(text.to_owned())),
        }
    }
}

/// An amount of metered work: unit-seconds of the partition's [`Meter`] (GPU-seconds, node-seconds …).
///
/// ```
/// use units::{Meter, Work};
/// let granted = Work::hours(5_000).unwrap();
/// assert_eq!(granted.display(Meter::Gpu).to_string(), "5 000.00 GPU-h");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(i64);

impl Work {
    /// No work.
    pub const ZERO: Self = Self(0);

    /// `count` unit-seconds.
    pub const fn seconds(count: i64) -> Self {
        Self(count)
    }

    /// `count` unit-hours.
    ///
    /// # Errors
    /// When the amount exceeds 64 bits of unit-seconds.
    pub fn hours(count: i64) -> Result<Self, Overflow> {
        count.checked_mul(3_600).map(Self).ok_or(Overflow)
    }

    /// The work of `units` GPUs, nodes or cores held together for `seconds`.
    ///
    /// # Errors
    /// When the amount exceeds 64 bits of unit-seconds.
    pub fn held(units: u32, seconds: i64) -> Result<Self, Overflow> {
        i64::from(units).checked_mul(seconds).map(Self).ok_or(Overflow)
    }

    /// The number of unit-seconds.
    pub const fn count(self) -> i64 {
        self.0
    }

    /// The sum.
    ///
    /// # Errors
    /// When it exceeds 64 bits.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// When it exceeds 64 bits.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// The amount as hours of `meter`, to two decimals, rounded half away from zero for reading.
    pub const fn display(self, meter: Meter) -> DisplayWork {
        DisplayWork { work: self, meter }
    }
}

/// [`Work`] with the meter it is counted in, ready to print.
#[derive(Clone, Copy, Debug)]
pub struct DisplayWork {
    work: Work,
    meter: Meter,
}

impl fmt::Display for DisplayWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, hundredths) = hundredths_of_hours(self.work);
        let whole = hundredths.checked_div(100).unwrap_or_default();
        let rest = hundredths.checked_rem(100).unwrap_or_default();
        write!(f, "{sign}{}.{rest:02} {}", grouped(whole), self.meter.hour_name())
    }
}

/// Sign and magnitude in hundredths of an hour: 36 unit-seconds each.
fn hundredths_of_hours(work: Work) -> (&'static str, u64) {
    let magnitude = work.0.unsigned_abs();
    let rounded = magnitude.saturating_add(18).checked_div(36).unwrap_or_default();
    (if work.0 < 0 && rounded > 0 { "-" } else { "" }, rounded)
}

/// `1234567` as `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (index, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(index);
        if index > 0 && left.is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_reads_in_hours() {
        let shown = |seconds| Work::seconds(seconds).display(Meter::Gpu).to_string();
        assert_eq!(shown(3_600), "1.00 GPU-h");
        assert_eq!(shown(18), "0.01 GPU-h");
        assert_eq!(shown(17), "0.00 GPU-h");
        assert_eq!(shown(-17), "0.00 GPU-h");
        assert_eq!(shown(-7_200), "-2.00 GPU-h");
        assert_eq!(shown(3_600 * 1_234_567), "1 234 567.00 GPU-h");
    }

    #[test]
    fn amounts_beyond_64_bits_are_refused() {
        assert_eq!(Work::hours(i64::MAX), Err(Overflow));
        assert_eq!(Work::held(u32::MAX, i64::MAX), Err(Overflow));
        assert_eq!(Work::seconds(i64::MAX).plus(Work::seconds(1)), Err(Overflow));
    }
}
