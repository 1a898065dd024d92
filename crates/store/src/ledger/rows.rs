//! Rows of the books, and what they mean.

use std::collections::BTreeMap;
use std::fmt;

use ::ledger::{
    Account, Commodity, Digest, Draft, Entry, Kind, KindParts, Movements, Part, Place, Seq, Stamp,
    Standing, Transfer,
};
use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, Cents, EntryId, JobId, Work};
use uuid::Uuid;

use crate::StoreError;
use crate::db::{instant, micros};

/// The floor of an account that has none.
const NO_FLOOR: i64 = i64::MIN;

/// A stored value that does not stand for anything the ledger writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} is unreadable: {detail}")]
pub(super) struct Unreadable {
    pub(super) what: &'static str,
    pub(super) detail: String,
}

impl Unreadable {
    fn new(what: &'static str, detail: impl ToString) -> Self {
        Self { what, detail: detail.to_string() }
    }
}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        Self::damaged(unreadable.what, unreadable.detail)
    }
}

/// An account of either unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AnyAccount {
    Hours(Account<Work>),
    Euros(Account<Cents>),
}

impl AnyAccount {
    pub(super) fn parse(name: &str) -> Result<Self, Unreadable> {
        let hours = name.parse().map(Self::Hours);
        hours
            .or_else(|_| name.parse().map(Self::Euros))
            .map_err(|error| Unreadable::new("account", error))
    }

    /// The allocation or pool it belongs to.
    pub(super) fn owner(&self) -> Option<Uuid> {
        let Self::Hours(account) = self else { return None };
        match account.place() {
            Place::Pool(pool) => Some(pool.id.uuid()),
            place => place.allocation().map(AllocationId::uuid),
        }
    }

    pub(super) fn floor(&self) -> i64 {
        match self {
            Self::Hours(account) => account.floor().map_or(NO_FLOOR, Work::count),
            Self::Euros(account) => account.floor().map_or(NO_FLOOR, Cents::count),
        }
    }
}

impl fmt::Display for AnyAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(account) => account.fmt(f),
            Self::Euros(account) => account.fmt(f),
        }
    }
}

/// An account as the pen and the statement read it.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct AccountRow {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) base: i64,
    pub(super) balance: i64,
}

/// An account with what is kept about it.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) number: i64,
    pub(super) account: AnyAccount,
    base: i64,
    pub(super) balance: i64,
}

impl AccountRow {
    pub(super) fn kept(&self) -> Result<Kept, Unreadable> {
        let account = AnyAccount::parse(&self.name)?;
        Ok(Kept { number: self.number, account, base: self.base, balance: self.balance })
    }
}

/// How the allocations among these accounts stand.
pub(super) fn standings(kept: &[Kept]) -> Vec<Standing> {
    let mut parts: BTreeMap<_, BTreeMap<_, Part>> = BTreeMap::new();
    for it in kept {
        let AnyAccount::Hours(account) = &it.account else { continue };
        let balance = Work::seconds(it.balance);
        let (Place::Available(of, payer) | Place::Held(of, payer) | Place::Used(of, payer)) =
            *account.place()
        else {
            continue;
        };
        let part = parts.entry((of, account.commodity())).or_default().entry(payer).or_default();
        match account.place() {
            Place::Available(..) => part.available = balance,
            Place::Held(..) => part.held = balance,
            _ => {
                part.used = balance;
                part.base = Work::seconds(it.base);
            }
        }
    }
    let standing =
        |((of, hours), parts): ((_, &Commodity), _)| Standing::new(of, hours.clone(), parts);
    parts.into_iter().map(standing).collect()
}

/// The columns of [`EntryRow`], in the order of [`entry_values`].
pub(super) const ENTRY_COLUMNS: &str =
    "seq, id, at, author, kind, allocation, recipient, job, refers, amount, reason, hash";

/// An entry without its transfers.
#[derive(Clone, Debug, FromQueryResult)]
pub(super) struct EntryRow {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) at: i64,
    pub(super) author: String,
    pub(super) kind: String,
    pub(super) allocation: Option<Uuid>,
    pub(super) recipient: Option<Uuid>,
    pub(super) job: Option<Uuid>,
    pub(super) refers: Option<i64>,
    pub(super) amount: Option<i64>,
    pub(super) reason: String,
    pub(super) hash: Vec<u8>,
}

/// A transfer between two accounts, by their numbers.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(super) struct TransferRow {
    pub(super) seq: i64,
    pub(super) line: i64,
    pub(super) source: i64,
    pub(super) target: i64,
    pub(super) amount: i64,
}

/// What to insert for an entry.
pub(super) fn entry_values(entry: &Entry) -> [Value; 12] {
    let parts = entry.kind().parts();
    [
        entry.seq().number().into(),
        entry.stamp().id().uuid().into(),
        micros(entry.stamp().at()).into(),
        entry.stamp().author().to_string().into(),
        entry.kind().name().into(),
        parts.allocation.map(AllocationId::uuid).into(),
        parts.recipient.map(AllocationId::uuid).into(),
        parts.job.map(JobId::uuid).into(),
        parts.refers.map(Seq::number).into(),
        parts.amount.map(Work::count).into(),
        entry.reason().into(),
        entry.hash().as_bytes().to_vec().into(),
    ]
}

impl EntryRow {
    pub(super) fn hash(&self) -> Result<Digest, Unreadable> {
        let bytes = self.hash.as_slice().try_into();
        let bytes = bytes.map_err(|_| Unreadable::new("hash", "it does not have 32 bytes"))?;
        Ok(Digest::from_bytes(bytes))
    }

    pub(super) fn seq(&self) -> Result<Seq, Unreadable> {
        seq(self.seq)
    }

    pub(super) fn stamp(&self) -> Result<Stamp, Unreadable> {
        let at = instant(self.at).map_err(|error| Unreadable::new("instant", error))?;
        let author = self.author.parse().map_err(|error| Unreadable::new("author", error))?;
        Ok(Stamp::new(EntryId::from_uuid(self.id), at, author))
    }

    pub(super) fn kind(&self) -> Result<Kind, Unreadable> {
        let parts = KindParts {
            allocation: self.allocation.map(AllocationId::from_uuid),
            recipient: self.recipient.map(AllocationId::from_uuid),
            job: self.job.map(JobId::from_uuid),
            refers: self.refers.map(seq).transpose()?,
            amount: self.amount.map(Work::seconds),
        };
        Kind::from_parts(&self.kind, parts).map_err(|error| Unreadable::new("kind", error))
    }

    /// The entry that follows the one with hash `previous`.
    pub(super) fn entry(
        &self,
        transfers: &[TransferRow],
        accounts: &BTreeMap<i64, AnyAccount>,
        previous: Digest,
    ) -> Result<Entry, Unreadable> {
        let movements = movements(transfers, accounts)?;
        let draft = Draft::new(self.kind()?, self.reason.clone(), movements);
        let draft = draft.map_err(|error| Unreadable::new("entry", error))?;
        Ok(Entry::stored(self.seq()?, self.stamp()?, draft, previous, self.hash()?))
    }
}

fn seq(number: i64) -> Result<Seq, Unreadable> {
    Seq::new(number).ok_or_else(|| Unreadable::new("position", number))
}

/// The transfers of one entry, which must be numbered without a gap.
pub(super) fn movements(
    rows: &[TransferRow],
    accounts: &BTreeMap<i64, AnyAccount>,
) -> Result<Movements, Unreadable> {
    let (mut hours, mut euros) = (Vec::new(), Vec::new());
    for (line, row) in (0_i64..).zip(rows) {
        if row.line != line {
            return Err(Unreadable::new("transfer", format!("line {line} is missing")));
        }
        let account = |number| {
            let known = accounts.get(&number);
            known
                .ok_or_else(|| Unreadable::new("transfer", format!("there is no account {number}")))
        };
        let wrong = |error| Unreadable::new("transfer", error);
        match (account(row.source)?, account(row.target)?) {
            (AnyAccount::Hours(from), AnyAccount::Hours(to)) => {
                let amount = Work::seconds(row.amount);
                hours.push(Transfer::new(from.clone(), to.clone(), amount).map_err(wrong)?);
            }
            (AnyAccount::Euros(from), AnyAccount::Euros(to)) => {
                let amount = Cents::new(row.amount);
                euros.push(Transfer::new(from.clone(), to.clone(), amount).map_err(wrong)?);
            }
            _ => return Err(Unreadable::new("transfer", "it mixes hours and euros")),
        }
    }
    match (hours.is_empty(), euros.is_empty()) {
        (_, true) => Ok(Movements::Hours(hours)),
        (true, false) => Ok(Movements::Euros(euros)),
        (false, false) => Err(Unreadable::new("entry", "it mixes hours and euros")),
    }
}
