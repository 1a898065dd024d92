//! What entries do, and which moves each kind of entry may make.

use std::fmt;

use units::{AllocationId, JobId, Work};

use crate::account::{EuroPlace, Place};
use crate::entry::Movements;
use crate::transfer::{Malformed, Transfer};

/// The position of an entry in the books, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(i64);

impl Seq {
    /// The position of the first entry.
    pub const FIRST: Self = Self(1);

    /// The position `number`; `None` unless it is at least 1.
    pub const fn new(number: i64) -> Option<Self> {
        if number >= 1 { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A partition's capacity in a period becomes the pools of its payers.
    Open,
    /// Pools stand behind an allocation.
    Grant {
        /// Who receives.
        allocation: AllocationId,
    },
    /// Hours are set aside for a job.
    Hold {
        /// Whose hours.
        allocation: AllocationId,
        /// For which job.
        job: JobId,
        /// How many in all.
        amount: Work,
    },
    /// A job ended: its hold is given up and what it used is charged.
    Settle {
        /// Whose hours.
        allocation: AllocationId,
        /// Which job.
        job: JobId,
        /// The entry that set its hours aside.
        hold: Seq,
        /// What it used, including what the site bears.
        used: Work,
    },
    /// A job ran for which nothing was held: the scheduler's accounting told of it.
    Charge {
        /// Whose hours.
        allocation: AllocationId,
        /// Which job.
        job: JobId,
        /// What it used, including what the site bears.
        used: Work,
    },
    /// A job will never run: its hold is given up and nothing is charged.
    Release {
        /// Whose hours.
        allocation: AllocationId,
        /// Which job.
        job: JobId,
        /// The entry that set its hours aside.
        hold: Seq,
    },
    /// Hours move from one allocation to another on the same partition; each hour keeps its payer.
    Transfer {
        /// Who gives.
        from: AllocationId,
        /// Who receives.
        to: AllocationId,
    },
    /// A charge was wrong; the difference is entered, and the wrong entry stays.
    Correction {
        /// Whose hours.
        allocation: AllocationId,
        /// Which job.
        job: JobId,
        /// The entry that settled or charged the job.
        of: Seq,
        /// What is added to the charge; negative when hours are given back.
        by: Work,
    },
    /// Unused hours of an ended allocation are lost, because their pool's period is over.
    Expiry {
        /// Whose hours.
        allocation: AllocationId,
    },
    /// Unused hours of an ended allocation go back to pools whose period is not over.
    Return {
        /// Whose hours.
        allocation: AllocationId,
    },
    /// A payer pays into an agreement, in euros.
    Contribution,
}

/// A [`Kind`] taken apart, for hashing and for storage: each column is used by some kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindParts {
    /// The allocation concerned; of a transfer, the one that gives.
    pub allocation: Option<AllocationId>,
    /// Of a transfer, the allocation that receives.
    pub recipient: Option<AllocationId>,
    /// The job concerned.
    pub job: Option<JobId>,
    /// The entry that this one answers: the hold, or the charge corrected.
    pub refers: Option<Seq>,
    /// What is held, used, or added to the charge, in unit-seconds.
    pub amount: Option<Work>,
}

/// The name is not that of a kind, or the parts are not those of that kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` with these parts is not a kind of entry")]
pub struct NotAKind(pub String);

impl Kind {
    /// The name, in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Grant { .. } => "grant",
            Self::Hold { .. } => "hold",
            Self::Settle { .. } => "settle",
            Self::Charge { .. } => "charge",
            Self::Release { .. } => "release",
            Self::Transfer { .. } => "transfer",
            Self::Correction { .. } => "correction",
            Self::Expiry { .. } => "expiry",
            Self::Return { .. } => "return",
            Self::Contribution => "contribution",
        }
    }

    /// Takes the kind apart.
    pub fn parts(&self) -> KindParts {
        let none = KindParts::default();
        match *self {
            Self::Open | Self::Contribution => none,
            Self::Grant { allocation }
            | Self::Expiry { allocation }
            | Self::Return { allocation } => KindParts { allocation: Some(allocation), ..none },
            Self::Transfer { from, to } => {
                KindParts { allocation: Some(from), recipient: Some(to), ..none }
            }
            Self::Hold { allocation, job, amount }
            | Self::Charge { allocation, job, used: amount } => KindParts {
                allocation: Some(allocation),
                job: Some(job),
                amount: Some(amount),
                ..none
            },
            Self::Settle { allocation, job, hold: refers, used: amount }
            | Self::Correction { allocation, job, of: refers, by: amount } => KindParts {
                allocation: Some(allocation),
                job: Some(job),
                refers: Some(refers),
                amount: Some(amount),
                ..none
            },
            Self::Release { allocation, job, hold } => KindParts {
                allocation: Some(allocation),
                job: Some(job),
                refers: Some(hold),
                ..none
            },
        }
    }

    /// Puts a kind together again.
    ///
    /// # Errors
    /// When the name is unknown, a part is missing, or one too many is there.
    pub fn from_parts(name: &str, parts: KindParts) -> Result<Self, NotAKind> {
        let wrong = || NotAKind(name.to_owned());
        let allocation = parts.allocation.ok_or_else(wrong);
        let job = parts.job.ok_or_else(wrong);
        let refers = parts.refers.ok_or_else(wrong);
        let amount = parts.amount.ok_or_else(wrong);
        let kind = match name {
            "open" => Self::Open,
            "contribution" => Self::Contribution,
            "grant" => Self::Grant { allocation: allocation? },
            "expiry" => Self::Expiry { allocation: allocation? },
            "return" => Self::Return { allocation: allocation? },
            "transfer" => {
                Self::Transfer { from: allocation?, to: parts.recipient.ok_or_else(wrong)? }
            }
            "hold" => Self::Hold { allocation: allocation?, job: job?, amount: amount? },
            "settle" => {
                Self::Settle { allocation: allocation?, job: job?, hold: refers?, used: amount? }
            }
            "charge" => Self::Charge { allocation: allocation?, job: job?, used: amount? },
            "release" => Self::Release { allocation: allocation?, job: job?, hold: refers? },
            "correction" => {
                Self::Correction { allocation: allocation?, job: job?, of: refers?, by: amount? }
            }
            _ => return Err(wrong()),
        };
        if kind.parts() == parts { Ok(kind) } else { Err(wrong()) }
    }

    /// The hold that an entry of this kind gives up.
    pub const fn closes(&self) -> Option<Seq> {
        match self {
            Self::Settle { hold, .. } | Self::Release { hold, .. } => Some(*hold),
            _ => None,
        }
    }

    /// Whether the shares of the payers stay as they are, so that the moves must follow them.
    pub(crate) const fn follows_shares(&self) -> bool {
        matches!(
            self,
            Self::Hold { .. } | Self::Settle { .. } | Self::Charge { .. } | Self::Release { .. }
        )
    }

    /// Whether an entry of this kind may make these moves, and moves what it names.
    pub(crate) fn check(&self, movements: &Movements) -> Result<(), Malformed> {
        match movements {
            Movements::Hours(transfers) => {
                for transfer in transfers {
                    if !self.moves_hours(transfer.from().place(), transfer.to().place()) {
                        return Err(Malformed::misplaced(self, transfer));
                    }
                }
                self.check_amount(transfers)
            }
            Movements::Euros(transfers) => {
                for transfer in transfers {
                    if !self.moves_euros(transfer.from().place(), transfer.to().place()) {
                        return Err(Malformed::misplaced(self, transfer));
                    }
                }
                Ok(())
            }
        }
    }

    fn moves_hours(&self, from: &Place, to: &Place) -> bool {
        use Place::{Absorbed, Available, Capacity, Expired, Held, Pool, Used};
        match (*self, *from, *to) {
            (Self::Open, Capacity(period), Pool(pool)) => period == pool.period,
            (Self::Grant { allocation }, Pool(pool), Available(to, payer)) => {
                to == allocation && pool.payer == payer
            }
            (Self::Return { allocation }, Available(from, payer), Pool(pool)) => {
                from == allocation && pool.payer == payer
            }
            (Self::Expiry { allocation }, Available(from, payer), Expired(of)) => {
                from == allocation && of == payer
            }
            (Self::Transfer { from: giver, to: taker }, Available(from, p), Available(to, q)) => {
                from == giver && to == taker && p == q
            }
            (
                Self::Settle { allocation, .. }
                | Self::Charge { allocation, .. }
                | Self::Correction { allocation, .. },
                Capacity(_),
                Absorbed(to),
            ) => to == allocation,
            (Self::Correction { allocation, .. }, Absorbed(from), Capacity(_)) => {
                from == allocation
            }
            (
                Self::Hold { allocation, .. }
                | Self::Settle { allocation, .. }
                | Self::Charge { allocation, .. }
                | Self::Release { allocation, .. }
                | Self::Correction { allocation, .. },
                Available(a, p) | Held(a, p) | Used(a, p),
                Available(b, q) | Held(b, q) | Used(b, q),
            ) => {
                a == allocation
                    && b == allocation
                    && p == q
                    && self.reaches(from)
                    && self.reaches(to)
            }
            _ => false,
        }
    }

    /// Holds and releases leave what was charged alone.
    const fn reaches(&self, place: &Place) -> bool {
        !matches!((self, place), (Self::Hold { .. } | Self::Release { .. }, Place::Used(..)))
    }

    fn moves_euros(&self, from: &EuroPlace, to: &EuroPlace) -> bool {
        match (self, from, to) {
            (Self::Contribution, EuroPlace::Budget(p), EuroPlace::Contribution(_, q, _)) => p == q,
            _ => false,
        }
    }

    fn check_amount(&self, transfers: &[Transfer<Work>]) -> Result<(), Malformed> {
        let (named, moved) = match *self {
            Self::Hold { amount, .. } => {
                (amount, net(transfers, |place| matches!(place, Place::Held(..)))?)
            }
            Self::Settle { used, .. } | Self::Charge { used, .. } => {
                (used, net(transfers, is_charge)?)
            }
            Self::Correction { by, .. } => (by, net(transfers, is_charge)?),
            _ => return Ok(()),
        };
        if named == moved {
            return Ok(());
        }
        Err(Malformed::Amount { kind: self.name(), named: named.count(), moved: moved.count() })
    }
}

const fn is_charge(place: &Place) -> bool {
    matches!(place, Place::Used(..) | Place::Absorbed(_))
}

/// What the transfers bring to the places that `count` names, less what they take away.
pub(crate) fn net(
    transfers: &[Transfer<Work>],
    counts: impl Fn(&Place) -> bool,
) -> Result<Work, units::Overflow> {
    let mut sum = Work::ZERO;
    for transfer in transfers {
        if counts(transfer.to().place()) {
            sum = sum.plus(transfer.amount())?;
        }
        if counts(transfer.from().place()) {
            sum = sum.minus(transfer.amount())?;
        }
    }
    Ok(sum)
}
