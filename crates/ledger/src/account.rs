//! Accounts, and the one text form of their names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use units::{AgreementId, AllocationId, Meter, PartitionKey, Payer, Period, PoolId, Timestamp};

use crate::Unit;

/// The text does not name an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name an account")]
pub struct NotAnAccount(pub String);

/// A place in the books where amounts of one commodity are.
///
/// Its text form, `COMMODITY/PLACE`, is unique: it is what the hash of an entry covers, what
/// storage keeps, and what reading accepts; any other spelling of the same account is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account<U: Unit> {
    place: U::Place,
    /// Shared, because the accounts of an entry are all of one commodity.
    commodity: Arc<U::Commodity>,
}

impl<U: Unit> Account<U> {
    /// The account of `commodity` at `place`.
    pub fn new(commodity: impl Into<Arc<U::Commodity>>, place: U::Place) -> Self {
        Self { place, commodity: commodity.into() }
    }

    /// What its amounts are amounts of.
    pub fn commodity(&self) -> &U::Commodity {
        &self.commodity
    }

    /// The same commodity, to make another account of it.
    pub(crate) fn shared(&self) -> Arc<U::Commodity> {
        Arc::clone(&self.commodity)
    }

    /// Where it is.
    pub const fn place(&self) -> &U::Place {
        &self.place
    }

    /// The lowest balance it may have; `None` for a source, where amounts enter the books.
    pub fn floor(&self) -> Option<U> {
        if U::is_source(&self.place) { None } else { Some(U::ZERO) }
    }
}

impl<U: Unit> fmt::Display for Account<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.commodity, self.place)
    }
}

impl<U: Unit> FromStr for Account<U> {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let unknown = || NotAnAccount(text.to_owned());
        let (commodity, place) = text.split_once('/').ok_or_else(unknown)?;
        let account = Self {
            place: place.parse().map_err(|_| unknown())?,
            commodity: Arc::new(commodity.parse().map_err(|_| unknown())?),
        };
        if account.to_string() == text { Ok(account) } else { Err(unknown()) }
    }
}

/// Hours of one kind: of one partition, counted by one meter.
///
/// Hours of two partitions are as different as euros and dollars: LUMI-G and MeluXina-AI hours
/// never balance each other, nor do node-hours and GPU-hours of the same partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commodity {
    /// The partition whose hours they are.
    pub partition: PartitionKey,
    /// What is counted on it.
    pub meter: Meter,
}

impl fmt::Display for Commodity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.meter)
    }
}

impl FromStr for Commodity {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let unknown = || NotAnAccount(text.to_owned());
        let (partition, meter) = text.split_once(':').ok_or_else(unknown)?;
        Ok(Self {
            partition: partition.parse().map_err(|_| unknown())?,
            meter: meter.parse().map_err(|_| unknown())?,
        })
    }
}

/// The one commodity of money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Euro;

impl fmt::Display for Euro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("eur")
    }
}

impl FromStr for Euro {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        if text == "eur" { Ok(Self) } else { Err(NotAnAccount(text.to_owned())) }
    }
}

/// The hours of one payer in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pool {
    /// Which pool.
    pub id: PoolId,
    /// Whose hours they are.
    pub payer: Payer,
    /// When they may be granted; hours left at its end are lost to the payer.
    pub period: Period,
}

/// Where hours are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// What the partition can deliver in a period: the source of all its hours, below zero by
    /// what was given out.
    Capacity(Period),
    /// A payer's hours that nobody has yet.
    Pool(Pool),
    /// A payer's hours behind an allocation, free to be held.
    Available(AllocationId, Payer),
    /// Set aside for jobs that have not ended.
    Held(AllocationId, Payer),
    /// Charged for jobs that ended.
    Used(AllocationId, Payer),
    /// Use beyond everything the allocation had: the site bears it.
    Absorbed(AllocationId),
    /// A payer's hours that ran out unused.
    Expired(Payer),
}

impl Place {
    /// The allocation it belongs to.
    pub const fn allocation(&self) -> Option<AllocationId> {
        match self {
            Self::Available(allocation, _)
            | Self::Held(allocation, _)
            | Self::Used(allocation, _)
            | Self::Absorbed(allocation) => Some(*allocation),
            Self::Capacity(_) | Self::Pool(_) | Self::Expired(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(period) => write!(f, "capacity/{}", Span(*period)),
            Self::Pool(pool) => {
                write!(f, "pool/{}/{}/{}", pool.id, pool.payer, Span(pool.period))
            }
            Self::Available(allocation, payer) => write!(f, "available/{allocation}/{payer}"),
            Self::Held(allocation, payer) => write!(f, "held/{allocation}/{payer}"),
            Self::Used(allocation, payer) => write!(f, "used/{allocation}/{payer}"),
            Self::Absorbed(allocation) => write!(f, "absorbed/{allocation}"),
            Self::Expired(payer) => write!(f, "expired/{payer}"),
        }
    }
}

impl FromStr for Place {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let parse = || {
            let parts: Vec<&str> = text.split('/').collect();
            Some(match *parts.as_slice() {
                ["capacity", period] => Self::Capacity(span(period)?),
                ["pool", id, payer, period] => Self::Pool(Pool {
                    id: id.parse().ok()?,
                    payer: payer.parse().ok()?,
                    period: span(period)?,
                }),
                ["available", id, payer] => Self::Available(id.parse().ok()?, payer.parse().ok()?),
                ["held", id, payer] => Self::Held(id.parse().ok()?, payer.parse().ok()?),
                ["used", id, payer] => Self::Used(id.parse().ok()?, payer.parse().ok()?),
                ["absorbed", id] => Self::Absorbed(id.parse().ok()?),
                ["expired", payer] => Self::Expired(payer.parse().ok()?),
                _ => return None,
            })
        };
        parse().ok_or_else(|| NotAnAccount(text.to_owned()))
    }
}

/// What money of an agreement is for; the law caps the Union's part of each on its own
/// (Regulation (EU) 2021/1173, Article 12a).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Buying the system.
    Acquisition,
    /// Running it, until it is transferred, sold or decommissioned.
    Operation,
}

/// Where euros are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EuroPlace {
    /// A payer's own budget: the source of its contributions, below zero by what it paid.
    Budget(Payer),
    /// What a payer put into an agreement for a purpose.
    Contribution(AgreementId, Payer, Purpose),
}

impl fmt::Display for EuroPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(payer) => write!(f, "budget/{payer}"),
            Self::Contribution(agreement, payer, Purpose::Acquisition) => {
                write!(f, "acquisition/{agreement}/{payer}")
            }
            Self::Contribution(agreement, payer, Purpose::Operation) => {
                write!(f, "operation/{agreement}/{payer}")
            }
        }
    }
}

impl FromStr for EuroPlace {
    type Err = NotAnAccount;

    fn from_str(text: &str) -> Result<Self, NotAnAccount> {
        let contribution = |id: &str, payer: &str, purpose| {
            Some(Self::Contribution(id.parse().ok()?, payer.parse().ok()?, purpose))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match *parts.as_slice() {
            ["budget", payer] => payer.parse().ok().map(Self::Budget),
            ["acquisition", id, payer] => contribution(id, payer, Purpose::Acquisition),
            ["operation", id, payer] => contribution(id, payer, Purpose::Operation),
            _ => None,
        }
        .ok_or_else(|| NotAnAccount(text.to_owned()))
    }
}

/// A period as `START--END`: ISO 8601-1, 5.5.2, with the double hyphen it allows for the solidus.
struct Span(Period);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}--{}", self.0.start(), self.0.end())
    }
}

fn span(text: &str) -> Option<Period> {
    let (start, end) = text.split_once("--")?;
    let instant = |text: &str| text.parse::<Timestamp>().ok();
    Period::new(instant(start)?, instant(end)?).ok()
}
