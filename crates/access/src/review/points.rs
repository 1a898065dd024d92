//! Points of reviewers, in halves, and exact means of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Points in steps of a half: the usual scale of the Union's evaluations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Points {
    halves: u16,
}

impl Points {
    /// So many halves of a point.
    pub const fn halves(halves: u16) -> Self {
        Self { halves }
    }

    /// How many halves of a point.
    pub const fn count(self) -> u16 {
        self.halves
    }

    /// How far apart two are.
    pub const fn apart(self, other: Self) -> Self {
        Self { halves: self.halves.abs_diff(other.halves) }
    }
}

/// The text is no number of points.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no number of points; write 3 or 3.5")]
pub struct NotPoints(String);

impl FromStr for Points {
    type Err = NotPoints;

    fn from_str(text: &str) -> Result<Self, NotPoints> {
        let wrong = || NotPoints(text.to_owned());
        let (whole, half) = match text.split_once('.') {
            None => (text, 0),
            Some((whole, "0")) => (whole, 0),
            Some((whole, "5")) => (whole, 1),
            Some(_) => return Err(wrong()),
        };
        if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: u16 = whole.parse().map_err(|_| wrong())?;
        let halves = whole.checked_mul(2).and_then(|halves| halves.checked_add(half));
        halves.map(Self::halves).ok_or_else(wrong)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.halves.checked_div(2).unwrap_or(0);
        f.write_str(&whole.to_string())?;
        if self.halves & 1 == 1 { f.write_str(".5") } else { Ok(()) }
    }
}

/// An exact mean of points: so many halves, shared by so many.
#[derive(Clone, Copy, Debug)]
pub struct Mean {
    halves: u64,
    by: u64,
}

impl Mean {
    /// The mean of `points`; `None` of nothing.
    pub fn of(points: impl IntoIterator<Item = Points>) -> Option<Self> {
        let (mut halves, mut by) = (0_u64, 0_u64);
        for points in points {
            halves = halves.saturating_add(u64::from(points.count()));
            by = by.saturating_add(1);
        }
        (by > 0).then_some(Self { halves, by })
    }

    /// No points at all.
    pub(super) const NOTHING: Self = Self { halves: 0, by: 1 };

    /// This and `weight` times the other.
    pub(super) fn plus(self, other: Self, weight: u32) -> Self {
        let theirs = other.halves.saturating_mul(u64::from(weight)).saturating_mul(self.by);
        let ours = self.halves.saturating_mul(other.by);
        if self.by == other.by {
            let theirs = other.halves.saturating_mul(u64::from(weight));
            return Self { halves: self.halves.saturating_add(theirs), by: self.by };
        }
        Self { halves: ours.saturating_add(theirs), by: self.by.saturating_mul(other.by) }
    }

    /// Whether it is less than `points`.
    pub fn is_below(self, points: Points) -> bool {
        self.halves < u64::from(points.count()).saturating_mul(self.by)
    }

    /// Hundredths of a point, rounded half up: for people, never for comparing.
    pub fn hundredths(self) -> u64 {
        let of = self.halves.saturating_mul(100).saturating_add(self.by);
        of.checked_div(self.by.saturating_mul(2)).unwrap_or(0)
    }
}

impl Ord for Mean {
    fn cmp(&self, other: &Self) -> Ordering {
        let (ours, theirs) = (u128::from(self.halves), u128::from(other.halves));
        let ours = ours.saturating_mul(u128::from(other.by));
        ours.cmp(&theirs.saturating_mul(u128::from(self.by)))
    }
}

impl PartialOrd for Mean {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Mean {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Mean {}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.hundredths();
        let whole = hundredths.checked_div(100).unwrap_or(0);
        let rest = hundredths.saturating_sub(whole.saturating_mul(100));
        write!(f, "{whole}.{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(text: &str) -> Points {
        text.parse().unwrap()
    }

    #[test]
    fn points_are_written_as_they_are_read() {
        for text in ["0", "0.5", "3", "3.5", "5"] {
            assert_eq!(points(text).to_string(), text);
        }
        assert_eq!(points("4.0"), points("4"));
        for wrong in ["", ".5", "3.25", "-1", "+1", "3,5", "99999", "3.", "drei"] {
            assert!(wrong.parse::<Points>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn means_are_compared_exactly_and_shown_rounded() {
        let thirds = Mean::of(["3", "3", "4"].map(points)).unwrap();
        let halves = Mean::of(["3", "3.5"].map(points)).unwrap();
        assert_eq!(
            (thirds.to_string(), halves.to_string()),
            ("3.33".to_owned(), "3.25".to_owned())
        );
        assert!(thirds > halves);
        assert_eq!(Mean::of(["3", "4"].map(points)), Mean::of([points("3.5")]));
        assert!(thirds.is_below(points("3.5")) && !thirds.is_below(points("3")));
        assert_eq!(Mean::of([]), None);
    }
}
