//! Staff, turnover and balance sheet.

use std::fmt;

use jiff::civil::Date;
use units::{Cents, Overflow, PartsPerMillion};

use crate::document::word;
use crate::policy::{Ceilings, SmeDefinition};

/// Staff in annual work units, in hundredths: one full-time person over a whole year is 1.00.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Awu(u32);

impl Awu {
    /// `hundredths` of an annual work unit.
    pub const fn hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// `units` whole annual work units.
    ///
    /// # Errors
    /// When the number exceeds 32 bits of hundredths.
    pub fn units(units: u32) -> Result<Self, Overflow> {
        units.checked_mul(100).map(Self).ok_or(Overflow)
    }

    /// The number of hundredths.
    pub const fn count(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Awu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(100).unwrap_or_default();
        let rest = self.0.checked_rem(100).unwrap_or_default();
        if rest == 0 { write!(f, "{whole} AWU") } else { write!(f, "{whole}.{rest:02} AWU") }
    }
}

/// The three measures of an enterprise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Staff.
    pub headcount: Awu,
    /// Annual turnover.
    pub turnover: Cents,
    /// Annual balance sheet total.
    pub balance_sheet: Cents,
}

impl Size {
    /// The sum of two sizes; what exceeds the range stays at its end, which is large anyway.
    pub fn plus(self, other: Self) -> Self {
        let most = |_| Cents::new(i64::MAX);
        Self {
            headcount: Awu(self.headcount.0.saturating_add(other.headcount.0)),
            turnover: self.turnover.plus(other.turnover).unwrap_or_else(most),
            balance_sheet: self.balance_sheet.plus(other.balance_sheet).unwrap_or_else(most),
        }
    }

    /// The part of it that `share` names, rounded down.
    pub fn part(self, share: PartsPerMillion) -> Self {
        let headcount = u32::try_from(share.of(i64::from(self.headcount.0)));
        Self {
            headcount: Awu(headcount.unwrap_or(u32::MAX)),
            turnover: Cents::new(share.of(self.turnover.count())),
            balance_sheet: Cents::new(share.of(self.balance_sheet.count())),
        }
    }

    /// The class that `definition` gives this size (Annex, Article 2).
    pub fn class(&self, definition: &SmeDefinition) -> SizeClass {
        let classes = [
            (definition.micro, SizeClass::Micro),
            (definition.small, SizeClass::Small),
            (definition.medium, SizeClass::Medium),
        ];
        let fitting = classes.into_iter().find(|(ceilings, _)| self.fits(ceilings));
        fitting.map_or(SizeClass::Large, |(_, class)| class)
    }

    /// Staff below the ceiling, and at least one of turnover and balance sheet within its own.
    fn fits(&self, ceilings: &Ceilings) -> bool {
        u64::from(self.headcount.0) < u64::from(ceilings.headcount_below).saturating_mul(100)
            && (self.turnover <= ceilings.turnover_max
                || self.balance_sheet <= ceilings.balance_sheet_max)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, turnover {}, balance sheet {}",
            self.headcount, self.turnover, self.balance_sheet
        )
    }
}

/// One accounting period of an enterprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountingPeriod {
    /// The day the accounts were closed.
    pub closed_on: Date,
    /// What they say.
    pub size: Size,
    /// Whether this is an estimate made in good faith, as a new enterprise may give
    /// (Annex, Article 4(3)).
    pub estimated: bool,
}

/// The class of an enterprise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SizeClass {
    /// A micro-enterprise.
    Micro,
    /// A small enterprise.
    Small,
    /// A medium-sized enterprise.
    Medium,
    /// Neither of these.
    Large,
}

impl SizeClass {
    /// The classes, by the words that files use.
    pub const WORDS: [(&str, Self); 4] = [
        ("micro", Self::Micro),
        ("small", Self::Small),
        ("medium", Self::Medium),
        ("large", Self::Large),
    ];

    /// Whether this is a small or medium-sized enterprise.
    pub const fn is_sme(self) -> bool {
        !matches!(self, Self::Large)
    }
}

impl fmt::Display for SizeClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&Self::WORDS, self))
    }
}
