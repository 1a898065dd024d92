//! Euro amounts.

use std::fmt;

use crate::Overflow;

/// An amount of money in euro cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `count` euro cents.
    pub const fn new(count: i64) -> Self {
        Self(count)
    }

    /// `euros` whole euros.
    ///
    /// # Errors
    /// When the amount exceeds 64 bits of cents.
    pub fn euros(euros: i64) -> Result<Self, Overflow> {
        euros.checked_mul(100).map(Self).ok_or(Overflow)
    }

    /// The number of cents.
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
}

impl fmt::Display for Cents {
    /// Writes `EUR 1 234.50`, with a thin grouping by plain spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (euros, cents) = (magnitude.checked_div(100), magnitude.checked_rem(100));
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(
            f,
            "EUR {sign}{}.{:02}",
            crate::work::grouped(euros.unwrap_or_default()),
            cents.unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        assert_eq!(Cents::new(123_456_789).to_string(), "EUR 1 234 567.89");
        assert_eq!(Cents::new(-5).to_string(), "EUR -0.05");
    }
}
