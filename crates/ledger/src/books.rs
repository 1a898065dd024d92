//! The books: entries folded into balances, and the check of entries that come from outside.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use units::{AllocationId, Cents, JobId, Overflow, Payer, Work};

use crate::account::{Account, Commodity, Place};
use crate::chain::Digest;
use crate::entry::{Draft, Entry, Movements, Stamp};
use crate::fault::{Broken, Fault};
use crate::kind::{Kind, Seq};
use crate::standing::{OpenHold, Part, Standing};
use crate::transfer::{Malformed, Transfer};
use crate::unit::Unit;

/// The end of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The position of the last entry; `None` in empty books.
    pub seq: Option<Seq>,
    /// Its hash, or [`Digest::GENESIS`].
    pub hash: Digest,
}

impl Head {
    /// The head of empty books.
    pub const EMPTY: Self = Self { seq: None, hash: Digest::GENESIS };

    /// The position of the next entry.
    pub fn next(&self) -> Seq {
        self.seq.map_or(Seq::FIRST, Seq::next)
    }
}

/// What the books know of an allocation beside its balances.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roster {
    commodity: Arc<Commodity>,
    /// What each payer had paid when the shares last changed.
    base: BTreeMap<Payer, Work>,
    on_hold: Work,
}

/// The state that entries add up to.
///
/// ```
/// use ledger::{Author, Books, Stamp, open, Commodity, Pool};
/// use units::{EntryId, Meter, Payer, Period, PoolId, Timestamp, Work};
/// # let uuid = |n: u8| format!("00000000-0000-0000-0000-0000000000{n:02x}");
/// let now = Timestamp::from_second(1_795_000_000).unwrap();
/// let period = Period::quarter_of(now);
/// let hours = Commodity { partition: "meluxina-ai.gpu".parse().unwrap(), meter: Meter::Gpu };
/// let pool = Pool { id: uuid(1).parse().unwrap(), payer: Payer::Union, period };
///
/// let mut books = Books::new();
/// let draft = open(&hours, period, &[(pool, Work::hours(5_000).unwrap())], "agreement signed")?;
/// let entry = books.append(Stamp::new(uuid(2).parse().unwrap(), now, Author::Hub), draft).unwrap();
/// assert_eq!(ledger::verify([entry]), Ok(books));
/// # Ok::<(), ledger::Malformed>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    head: Head,
    hours: BTreeMap<Account<Work>, Work>,
    euros: BTreeMap<Account<Cents>, Cents>,
    rosters: BTreeMap<AllocationId, Roster>,
    holds: BTreeMap<Seq, OpenHold>,
}

impl Default for Books {
    fn default() -> Self {
        Self::new()
    }
}

/// Balances after an entry, of the accounts it moves.
type After<U> = BTreeMap<Account<U>, U>;

impl Books {
    /// Books without any entry.
    pub const fn new() -> Self {
        Self::resume(Head::EMPTY)
    }

    /// Books whose entries up to `head` are elsewhere, with as much of their state as is then
    /// told by [`Self::recall`], [`Self::recall_standing`] and [`Self::recall_hold`]; an account
    /// not told of counts as empty.
    pub const fn resume(head: Head) -> Self {
        Self {
            head,
            hours: BTreeMap::new(),
            euros: BTreeMap::new(),
            rosters: BTreeMap::new(),
            holds: BTreeMap::new(),
        }
    }

    /// Tells the balance of an account that belongs to no allocation.
    pub fn recall(&mut self, account: Account<Work>, balance: Work) {
        self.hours.insert(account, balance);
    }

    /// Tells how an allocation stands.
    ///
    /// # Errors
    /// When a sum exceeds 64 bits.
    pub fn recall_standing(&mut self, standing: &Standing) -> Result<(), Overflow> {
        let allocation = standing.allocation();
        let mut base = BTreeMap::new();
        for (payer, part) in standing.parts() {
            for (place, balance) in [
                (Place::Available(allocation, *payer), part.available),
                (Place::Held(allocation, *payer), part.held),
                (Place::Used(allocation, *payer), part.used),
            ] {
                self.hours.insert(standing.account(place), balance);
            }
            base.insert(*payer, part.base);
        }
        let on_hold = standing.total()?.held;
        self.rosters.insert(allocation, Roster { commodity: standing.shared(), base, on_hold });
        Ok(())
    }

    /// Tells of a hold that is open.
    pub fn recall_hold(&mut self, hold: OpenHold) {
        self.holds.insert(hold.seq, hold);
    }

    /// The end of the chain.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The balance of an account of hours.
    pub fn hours(&self, account: &Account<Work>) -> Work {
        self.hours.get(account).copied().unwrap_or_default()
    }

    /// The balance of an account of euros.
    pub fn euros(&self, account: &Account<Cents>) -> Cents {
        self.euros.get(account).copied().unwrap_or_default()
    }

    /// Every account of hours that was ever moved, with its balance.
    pub fn all_hours(&self) -> impl Iterator<Item = (&Account<Work>, Work)> {
        self.hours.iter().map(|(account, balance)| (account, *balance))
    }

    /// Every account of euros that was ever moved, with its balance.
    pub fn all_euros(&self) -> impl Iterator<Item = (&Account<Cents>, Cents)> {
        self.euros.iter().map(|(account, balance)| (account, *balance))
    }

    /// How an allocation stands; `None` if it was never granted anything.
    pub fn standing(&self, allocation: AllocationId) -> Option<Standing> {
        let roster = self.rosters.get(&allocation)?;
        let at = |place| self.hours(&Account::new(Arc::clone(&roster.commodity), place));
        let part = |payer: Payer, base: Work| Part {
            base,
            used: at(Place::Used(allocation, payer)),
            held: at(Place::Held(allocation, payer)),
            available: at(Place::Available(allocation, payer)),
        };
        let parts = roster.base.iter().map(|(payer, base)| (*payer, part(*payer, *base)));
        Some(Standing::new(allocation, Arc::clone(&roster.commodity), parts.collect()))
    }

    /// The hold that `seq` entered, while it is open.
    pub fn open_hold(&self, seq: Seq) -> Option<&OpenHold> {
        self.holds.get(&seq)
    }

    /// The last hold for `job`, while it is open.
    pub fn open_hold_of(&self, job: JobId) -> Option<&OpenHold> {
        self.holds.values().rev().find(|hold| hold.job == job)
    }

    /// Enters `draft`, or refuses it and changes nothing.
    ///
    /// # Errors
    /// When an account would fall below its floor, or the draft does not fit what stands.
    pub fn append(&mut self, stamp: Stamp, draft: Draft) -> Result<Entry, Fault> {
        let entry = Entry::seal(self.head.next(), stamp, draft, self.head.hash);
        self.apply(&entry)?;
        Ok(entry)
    }

    /// Takes in an entry that was stored, after checking everything about it.
    ///
    /// # Errors
    /// When the entry cannot stand after those already taken in; the books then do not change.
    pub fn replay(&mut self, entry: &Entry) -> Result<(), Broken> {
        self.check(entry).map_err(|fault| Broken { seq: entry.seq(), fault })
    }

    fn check(&mut self, entry: &Entry) -> Result<(), Fault> {
        let next = self.head.next();
        if entry.seq() != next {
            return Err(Fault::Sequence(next));
        }
        if entry.previous() != self.head.hash {
            return Err(Fault::Link { expected: self.head.hash, found: entry.previous() });
        }
        let expected = entry.expected_hash();
        if entry.hash() != expected {
            return Err(Fault::Hash { expected, found: entry.hash() });
        }
        self.apply(entry)
    }

    fn apply(&mut self, entry: &Entry) -> Result<(), Fault> {
        if let Some(before) = entry.kind().parts().refers
            && before >= entry.seq()
        {
            return Err(Fault::NotBefore(before));
        }
        match entry.movements() {
            Movements::Euros(transfers) => {
                let after = moved(&self.euros, transfers)?;
                self.euros.extend(after);
            }
            Movements::Hours(transfers) => self.apply_hours(entry, transfers)?,
        }
        self.head = Head { seq: Some(entry.seq()), hash: entry.hash() };
        Ok(())
    }

    /// All that can fail stands before all that changes.
    fn apply_hours(&mut self, entry: &Entry, transfers: &[Transfer<Work>]) -> Result<(), Fault> {
        let after = moved(&self.hours, transfers)?;
        let parts = entry.kind().parts();
        let mut rosters = Vec::new();
        for allocation in parts.allocation.into_iter().chain(parts.recipient) {
            let roster = self.roster_after(allocation, entry.kind(), transfers, &after)?;
            rosters.push((allocation, roster));
        }
        self.hours.extend(after);
        self.rosters.extend(rosters);
        if let Kind::Hold { allocation, job, amount } = *entry.kind() {
            let seq = entry.seq();
            self.holds.insert(seq, OpenHold { seq, allocation, job, amount });
        }
        if let Some(hold) = entry.kind().closes() {
            self.holds.remove(&hold);
        }
        Ok(())
    }

    fn roster_after(
        &self,
        allocation: AllocationId,
        kind: &Kind,
        transfers: &[Transfer<Work>],
        after: &After<Work>,
    ) -> Result<Roster, Fault> {
        let mut roster = self.roster_before(allocation, transfers)?;
        let at = |account: &Account<Work>| {
            after.get(account).copied().unwrap_or_else(|| self.hours(account))
        };
        for transfer in transfers {
            if let Place::Available(of, payer) = transfer.to().place()
                && *of == allocation
            {
                roster.base.entry(*payer).or_default();
            }
        }
        let of = |place| at(&Account::new(Arc::clone(&roster.commodity), place));
        let mut parts: BTreeMap<Payer, Part> = BTreeMap::new();
        for (payer, base) in &roster.base {
            let part = Part {
                base: *base,
                used: of(Place::Used(allocation, *payer)),
                held: of(Place::Held(allocation, *payer)),
                available: of(Place::Available(allocation, *payer)),
            };
            parts.insert(*payer, part);
        }
        let standing = Standing::new(allocation, Arc::clone(&roster.commodity), parts);
        roster.on_hold = self.on_hold_after(roster.on_hold, kind)?;
        let held = standing.total()?.held;
        if held != roster.on_hold {
            return Err(Fault::Held { held, open: roster.on_hold });
        }
        if kind.follows_shares() {
            if !standing.is_exact() {
                return Err(Fault::Uneven(allocation));
            }
        } else {
            roster.base =
                standing.parts().iter().map(|(payer, part)| (*payer, part.used)).collect();
        }
        Ok(roster)
    }

    fn roster_before(
        &self,
        allocation: AllocationId,
        transfers: &[Transfer<Work>],
    ) -> Result<Roster, Fault> {
        let hours = transfers.first().ok_or(Malformed::Empty)?.from().shared();
        let Some(known) = self.rosters.get(&allocation) else {
            return Ok(Roster { commodity: hours, base: BTreeMap::new(), on_hold: Work::ZERO });
        };
        if known.commodity == hours {
            return Ok(known.clone());
        }
        let (expected, found) = (known.commodity.to_string(), hours.to_string());
        Err(Fault::OtherHours { allocation, expected, found })
    }

    /// What the open holds of an allocation add up to after an entry of `kind`.
    fn on_hold_after(&self, before: Work, kind: &Kind) -> Result<Work, Fault> {
        match *kind {
            Kind::Hold { amount, .. } => Ok(before.plus(amount)?),
            Kind::Settle { allocation, job, hold, .. }
            | Kind::Release { allocation, job, hold } => {
                let open = self.holds.get(&hold).ok_or(Fault::NoSuchHold(hold))?;
                if open.allocation != allocation || open.job != job {
                    return Err(Fault::NoSuchHold(hold));
                }
                Ok(before.minus(open.amount)?)
            }
            _ => Ok(before),
        }
    }
}

/// The balances of the accounts that `transfers` move, afterwards; none below its floor.
fn moved<U: Unit>(
    before: &BTreeMap<Account<U>, U>,
    transfers: &[Transfer<U>],
) -> Result<After<U>, Fault> {
    let mut after = After::<U>::new();
    let at = |account: &Account<U>| before.get(account).copied().unwrap_or_default();
    for transfer in transfers {
        let from = after.entry(transfer.from().clone()).or_insert_with(|| at(transfer.from()));
        *from = from.minus(transfer.amount())?;
        let to = after.entry(transfer.to().clone()).or_insert_with(|| at(transfer.to()));
        *to = to.plus(transfer.amount())?;
    }
    for (account, balance) in &after {
        if account.floor().is_some_and(|floor| *balance < floor) {
            let (account, balance) = (account.to_string(), balance.count());
            return Err(Fault::Floor { account, balance });
        }
    }
    Ok(after)
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            None => f.write_str("no entries"),
            Some(seq) => write!(f, "entry {seq}, hash {}", self.hash),
        }
    }
}

/// Recomputes everything from the first entry on: sequence, links, hashes, well-formedness, floors,
/// holds, shares. The books they add up to, or the first entry that cannot stand.
///
/// # Errors
/// Names the first broken entry, and what is wrong with it.
pub fn verify(entries: impl IntoIterator<Item = Entry>) -> Result<Books, Broken> {
    let mut books = Books::new();
    for entry in entries {
        books.replay(&entry)?;
    }
    Ok(books)
}
