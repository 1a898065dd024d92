//! What may be entered about an allocation: pure decisions over how it stands.

use std::collections::BTreeMap;

use units::{AllocationId, JobId, Payer, Period, Shares, Timestamp, Work};

use crate::account::{Commodity, Place, Pool};
use crate::entry::{Draft, Movements};
use crate::kind::Kind;
use crate::quota::{self, Owner};
use crate::standing::{Charge, Insufficient, OpenHold, Part, Refusal, Standing, weight};
use crate::transfer::{Malformed, Transfer};

impl Standing {
    /// Sets `amount` aside for `job`.
    ///
    /// # Errors
    /// [`Refusal::Insufficient`] when less than `amount` is available.
    pub fn hold(
        &self,
        job: JobId,
        amount: Work,
        reason: impl Into<String>,
    ) -> Result<Draft, Refusal> {
        let total = self.total()?;
        self.covers(amount, total.available)?;
        let after = self.place(total.used, total.held.plus(amount)?)?;
        let kind = Kind::Hold { allocation: self.allocation(), job, amount };
        Ok(Draft::new(kind, reason, Movements::Hours(self.moves(&after)?))?)
    }

    /// Gives up the hold of a job that ended and charges what it used. What exceeds the hold is
    /// drawn from what is available; what exceeds that too, the site bears, out of the capacity
    /// of `period`.
    ///
    /// # Errors
    /// When the hold is not in these books.
    pub fn settle(
        &self,
        hold: &OpenHold,
        used: Work,
        period: Period,
        reason: impl Into<String>,
    ) -> Result<Draft, Refusal> {
        let total = self.total()?;
        let kept = self.without(hold, total.held)?;
        let covered = used.min(hold.amount.plus(total.available)?);
        let after = self.place(total.used.plus(covered)?, kept)?;
        let mut moves = self.moves(&after)?;
        moves.extend(self.borne(used.minus(covered)?, period)?);
        let kind =
            Kind::Settle { allocation: self.allocation(), job: hold.job, hold: hold.seq, used };
        Ok(Draft::new(kind, reason, Movements::Hours(moves))?)
    }

    /// Charges a job for which nothing was held. What exceeds what is available, the site bears,
    /// out of the capacity of `period`.
    ///
    /// # Errors
    /// When nothing was used.
    pub fn charge(
        &self,
        job: JobId,
        used: Work,
        period: Period,
        reason: impl Into<String>,
    ) -> Result<Draft, Refusal> {
        let total = self.total()?;
        let covered = used.min(total.available);
        let after = self.place(total.used.plus(covered)?, total.held)?;
        let mut moves = self.moves(&after)?;
        moves.extend(self.borne(used.minus(covered)?, period)?);
        let kind = Kind::Charge { allocation: self.allocation(), job, used };
        Ok(Draft::new(kind, reason, Movements::Hours(moves))?)
    }

    /// Gives up the hold of a job that will never run.
    ///
    /// # Errors
    /// When the hold is not in these books.
    pub fn release(&self, hold: &OpenHold, reason: impl Into<String>) -> Result<Draft, Refusal> {
        let total = self.total()?;
        let kept = self.without(hold, total.held)?;
        let after = self.place(total.used, kept)?;
        let kind = Kind::Release { allocation: self.allocation(), job: hold.job, hold: hold.seq };
        Ok(Draft::new(kind, reason, Movements::Hours(self.moves(&after)?))?)
    }

    /// Makes `charge` say `used` instead. Hours given back reduce what the site bears first, into
    /// the capacity of `period`, then return to the payers in proportion to what each has paid;
    /// hours added are drawn as in [`Self::settle`].
    ///
    /// # Errors
    /// When nothing would change, or less stands charged than the charge says.
    pub fn correct(
        &self,
        charge: &Charge,
        used: Work,
        period: Period,
        reason: impl Into<String>,
    ) -> Result<Draft, Refusal> {
        let by = used.minus(charge.used)?;
        let (capacity, absorbed) = (Place::Capacity(period), Place::Absorbed(self.allocation()));
        let total = self.total()?;
        let mut moves;
        if by > Work::ZERO {
            let covered = by.min(total.available);
            moves = self.moves(&self.place(total.used.plus(covered)?, total.held)?)?;
            moves.extend(self.borne(by.minus(covered)?, period)?);
        } else {
            let back = Work::ZERO.minus(by)?;
            let lifted = back.min(charge.absorbed);
            moves = self.refund(back.minus(lifted)?)?;
            if lifted > Work::ZERO {
                moves.push(self.transfer_of(absorbed, capacity, lifted)?);
            }
        }
        let allocation = self.allocation();
        let kind = Kind::Correction { allocation, job: charge.job, of: charge.seq, by };
        Ok(Draft::new(kind, reason, Movements::Hours(moves))?)
    }

    /// Moves `amount` of what is available to the allocation `to`, whose hours are `hours`; each
    /// payer gives in proportion to what it has available.
    ///
    /// # Errors
    /// [`Refusal::Insufficient`] when less is available; [`Refusal::OtherHours`] when the
    /// recipient is on another partition.
    pub fn transfer(
        &self,
        to: AllocationId,
        hours: &Commodity,
        amount: Work,
        reason: impl Into<String>,
    ) -> Result<Draft, Refusal> {
        if hours != self.commodity() {
            return Err(Refusal::OtherHours(self.commodity().to_string(), hours.to_string()));
        }
        self.covers(amount, self.total()?.available)?;
        let mut moves = Vec::new();
        for (payer, part) in self.split(amount, |part| part.available) {
            let from = Place::Available(self.allocation(), payer);
            moves.push(self.transfer_of(from, Place::Available(to, payer), part)?);
        }
        let kind = Kind::Transfer { from: self.allocation(), to };
        Ok(Draft::new(kind, reason, Movements::Hours(moves))?)
    }

    /// Takes away everything available, see [`Self::take_back`].
    ///
    /// # Errors
    /// When an amount exceeds 64 bits.
    pub fn lapse(
        &self,
        granted: &[(Pool, Work)],
        at: Timestamp,
        reason: &str,
    ) -> Result<Vec<Draft>, Refusal> {
        match self.total()?.available {
            Work::ZERO => Ok(Vec::new()),
            all => self.take_back(all, granted, at, reason),
        }
    }

    /// Takes away `amount` of what is available, from each payer in proportion to what it has
    /// available: back to the pools that granted it, latest period first, while their period is not
    /// over at `at`; the rest expires. `granted` says what each pool has put behind this
    /// allocation, less what it already got back. Up to two drafts, which may be entered in any
    /// order.
    ///
    /// # Errors
    /// [`Refusal::Insufficient`] when less is available.
    pub fn take_back(
        &self,
        amount: Work,
        granted: &[(Pool, Work)],
        at: Timestamp,
        reason: &str,
    ) -> Result<Vec<Draft>, Refusal> {
        self.covers(amount, self.total()?.available)?;
        let mut pools: Vec<_> = granted.iter().filter(|(pool, _)| at < pool.period.end()).collect();
        pools.sort_by_key(|(pool, _)| std::cmp::Reverse((pool.period.end(), pool.id)));
        let (mut returned, mut expired) = (Vec::new(), Vec::new());
        for (payer, mut left) in self.split(amount, |part| part.available) {
            let from = Place::Available(self.allocation(), payer);
            for (pool, given) in pools.iter().filter(|(pool, _)| pool.payer == payer) {
                let back = left.min(*given);
                if back > Work::ZERO {
                    returned.push(self.transfer_of(from, Place::Pool(*pool), back)?);
                    left = left.minus(back)?;
                }
            }
            if left > Work::ZERO {
                expired.push(self.transfer_of(from, Place::Expired(payer), left)?);
            }
        }
        let allocation = self.allocation();
        [(Kind::Return { allocation }, returned), (Kind::Expiry { allocation }, expired)]
            .into_iter()
            .filter(|(_, moves)| !moves.is_empty())
            .map(|(kind, moves)| Ok(Draft::new(kind, reason, Movements::Hours(moves))?))
            .collect()
    }

    /// What the site bears of a charge, if anything.
    fn borne(&self, beyond: Work, period: Period) -> Result<Option<Transfer<Work>>, Malformed> {
        if beyond <= Work::ZERO {
            return Ok(None);
        }
        let absorbed = Place::Absorbed(self.allocation());
        self.transfer_of(Place::Capacity(period), absorbed, beyond).map(Some)
    }

    fn covers(&self, amount: Work, available: Work) -> Result<(), Refusal> {
        if amount <= Work::ZERO {
            return Err(Malformed::NotPositive(amount.count()).into());
        }
        if amount <= available {
            return Ok(());
        }
        Err(Insufficient { missing: amount.minus(available)?, available }.into())
    }

    /// What stays held without `hold`.
    fn without(&self, hold: &OpenHold, held: Work) -> Result<Work, Refusal> {
        if hold.allocation != self.allocation() || hold.amount > held {
            return Err(Refusal::NotThere { expected: hold.amount, found: held });
        }
        Ok(held.minus(hold.amount)?)
    }

    /// The parts once `used` are charged and `held` set aside in all.
    fn place(&self, used: Work, held: Work) -> Result<BTreeMap<Payer, Part>, Refusal> {
        let mut owners = Vec::with_capacity(self.parts().len());
        let mut base = Work::ZERO;
        for part in self.parts().values() {
            base = base.plus(part.base)?;
            let paid = part.used.minus(part.base)?.count();
            owners.push(Owner { weight: weight(part)?.count(), paid });
        }
        let uneven = Refusal::Uneven(self.allocation());
        let used = used.minus(base)?;
        let paid = quota::advance(&owners, used.count()).ok_or(uneven.clone())?;
        for (owner, paid) in owners.iter_mut().zip(&paid) {
            owner.paid = *paid;
        }
        let committed = quota::advance(&owners, used.plus(held)?.count()).ok_or(uneven)?;
        let mut after = BTreeMap::new();
        for (((payer, part), paid), committed) in self.parts().iter().zip(paid).zip(committed) {
            let (paid, committed) = (Work::seconds(paid), Work::seconds(committed));
            let now = Part {
                base: part.base,
                used: part.base.plus(paid)?,
                held: committed.minus(paid)?,
                available: weight(part)?.minus(committed)?,
            };
            after.insert(*payer, now);
        }
        Ok(after)
    }

    /// The transfers that lead from these parts to `after`. Hours never change their payer.
    fn moves(&self, after: &BTreeMap<Payer, Part>) -> Result<Vec<Transfer<Work>>, Refusal> {
        let mut moves = Vec::new();
        for ((payer, before), after) in self.parts().iter().zip(after.values()) {
            let (allocation, payer) = (self.allocation(), *payer);
            let available = Place::Available(allocation, payer);
            let (held, used) = (Place::Held(allocation, payer), Place::Used(allocation, payer));
            let charged = after.used.minus(before.used)?;
            let unheld = before.held.minus(after.held)?;
            let from_hold = charged.min(unheld).max(Work::ZERO);
            for (from, to, amount) in [
                (held, used, from_hold),
                (available, used, charged.minus(from_hold)?),
                (held, available, unheld.minus(from_hold)?),
                (available, held, Work::ZERO.minus(unheld)?),
            ] {
                if amount > Work::ZERO {
                    moves.push(self.transfer_of(from, to, amount)?);
                }
            }
        }
        Ok(moves)
    }

    /// Gives `amount` of what was charged back to the payers.
    fn refund(&self, amount: Work) -> Result<Vec<Transfer<Work>>, Refusal> {
        let used = self.total()?.used;
        if amount > used {
            return Err(Refusal::NotThere { expected: amount, found: used });
        }
        self.split(amount, |part| part.used)
            .into_iter()
            .map(|(payer, part)| {
                let available = Place::Available(self.allocation(), payer);
                Ok(self.transfer_of(Place::Used(self.allocation(), payer), available, part)?)
            })
            .collect()
    }

    /// `amount` by largest remainder in proportion to `weight`, which sums to at least `amount`,
    /// so that nobody gives more than it has; without the empty parts.
    fn split(&self, amount: Work, weight: impl Fn(&Part) -> Work) -> Vec<(Payer, Work)> {
        let weights = self
            .parts()
            .iter()
            .map(|(payer, part)| (*payer, u64::try_from(weight(part).count()).unwrap_or_default()));
        let parts = Shares::new(weights).map(|shares| shares.split(amount.count()));
        let parts = parts.unwrap_or_default().into_iter();
        parts
            .filter(|(_, part)| *part > 0)
            .map(|(payer, part)| (payer, Work::seconds(part)))
            .collect()
    }

    fn transfer_of(
        &self,
        from: Place,
        to: Place,
        amount: Work,
    ) -> Result<Transfer<Work>, Malformed> {
        Transfer::new(self.account(from), self.account(to), amount)
    }
}
