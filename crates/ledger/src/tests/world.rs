//! Books with names short enough for stories: allocations `a`, `b` …, jobs 1, 2 …, payers as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use units::{AllocationId, EntryId, JobId, Meter, Payer, Period, PoolId, Shares, Timestamp, Work};

use crate::*;

/// A refusal, in words.
pub(super) type Told<T> = Result<T, String>;

pub(super) struct World {
    pub(super) books: Books,
    pub(super) entries: Vec<Entry>,
    pub(super) now: Timestamp,
    pools: BTreeMap<(Commodity, Payer), Pool>,
    granted: BTreeMap<AllocationId, BTreeMap<PoolId, Work>>,
    holds: BTreeMap<JobId, Seq>,
    charges: BTreeMap<JobId, (AllocationId, Charge)>,
}

pub(super) fn id(number: u128) -> String {
    format!("{number:032x}")
}

pub(super) fn allocation(name: &str) -> AllocationId {
    id(0xa110_0000 + u128::from(name.as_bytes()[0])).parse().unwrap()
}

pub(super) fn job(number: u128) -> JobId {
    id(0x10b0_0000 + number).parse().unwrap()
}

pub(super) fn hours(partition: &str) -> Commodity {
    Commodity { partition: partition.parse().unwrap(), meter: Meter::Gpu }
}

pub(super) fn period() -> Period {
    Period::quarter_of("2026-11-21T09:00:00Z".parse().unwrap())
}

fn told<E: std::error::Error>(error: E) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        write!(text, ": {next}").unwrap();
        cause = next.source();
    }
    text
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            books: Books::new(),
            entries: Vec::new(),
            now: "2026-11-21T09:00:00Z".parse().unwrap(),
            pools: BTreeMap::new(),
            granted: BTreeMap::new(),
            holds: BTreeMap::new(),
            charges: BTreeMap::new(),
        }
    }

    pub(super) fn enter(&mut self, draft: Draft) -> Told<Entry> {
        let id = id(0xe000_0000 + self.entries.len() as u128).parse::<EntryId>().unwrap();
        let author = Author::Site("here".parse().unwrap());
        let entry = self.books.append(Stamp::new(id, self.now, author), draft).map_err(told)?;
        self.entries.push(entry.clone());
        Ok(entry)
    }

    pub(super) fn open(&mut self, partition: &str, payers: &[(Payer, i64)]) -> Told<Entry> {
        let commodity = hours(partition);
        let pools: Vec<_> = payers
            .iter()
            .map(|(payer, amount)| {
                let known = self.pools.len() as u128;
                let key = (commodity.clone(), *payer);
                let fresh = Pool {
                    id: id(0x9001_0000 + known).parse().unwrap(),
                    payer: *payer,
                    period: period(),
                };
                (*self.pools.entry(key).or_insert(fresh), Work::seconds(*amount))
            })
            .collect();
        let draft = open(&commodity, period(), &pools, "agreement").map_err(told)?;
        self.enter(draft)
    }

    pub(super) fn grant(
        &mut self,
        to: AllocationId,
        partition: &str,
        amount: i64,
        shares: &[(Payer, u64)],
    ) -> Told<Entry> {
        let commodity = hours(partition);
        let balance =
            |pool: &Pool| self.books.hours(&Account::new(commodity.clone(), Place::Pool(*pool)));
        let mine: Vec<_> = self
            .pools
            .iter()
            .filter(|((of, _), _)| *of == commodity)
            .map(|(_, pool)| (*pool, balance(pool)))
            .collect();
        let weights = shares.iter().filter_map(|(payer, weight)| {
            Some((self.pools.get(&(commodity.clone(), *payer))?.id, *weight))
        });
        let shares = Shares::new(weights).map_err(told)?;
        let amount = Work::seconds(amount);
        let draft = grant(to, (&commodity, &mine), &shares, amount, "award").map_err(told)?;
        let entry = self.enter(draft)?;
        let granted = self.granted.entry(to).or_default();
        for (pool, part) in shares.split(amount.count()) {
            let sum = granted.entry(pool).or_default();
            *sum = sum.plus(Work::seconds(part)).unwrap();
        }
        Ok(entry)
    }

    pub(super) fn standing(&self, of: AllocationId) -> Told<Standing> {
        self.books.standing(of).ok_or_else(|| "no such allocation".to_owned())
    }

    pub(super) fn hold(&mut self, of: AllocationId, job: JobId, amount: i64) -> Told<Entry> {
        let draft = self.standing(of)?.hold(job, Work::seconds(amount), "submitted");
        let entry = self.enter(draft.map_err(told)?)?;
        self.holds.insert(job, entry.seq());
        Ok(entry)
    }

    pub(super) fn open_hold(&self, job: JobId) -> Told<OpenHold> {
        let seq = self.holds.get(&job).ok_or("no such hold")?;
        self.books.open_hold(*seq).copied().ok_or_else(|| "the hold is closed".to_owned())
    }

    pub(super) fn settle(&mut self, job: JobId, used: i64) -> Told<Entry> {
        let hold = self.open_hold(job)?;
        let standing = self.standing(hold.allocation)?;
        let used = Work::seconds(used);
        let draft = standing.settle(&hold, used, period(), "ended").map_err(told)?;
        let entry = self.enter(draft)?;
        let charge = Charge { seq: entry.seq(), job, used, absorbed: absorbed(&entry) };
        self.charges.insert(job, (hold.allocation, charge));
        Ok(entry)
    }

    pub(super) fn charge(&mut self, of: AllocationId, job: JobId, used: i64) -> Told<Entry> {
        let used = Work::seconds(used);
        let draft = self.standing(of)?.charge(job, used, period(), "accounting").map_err(told)?;
        let entry = self.enter(draft)?;
        let charge = Charge { seq: entry.seq(), job, used, absorbed: absorbed(&entry) };
        self.charges.insert(job, (of, charge));
        Ok(entry)
    }

    pub(super) fn release(&mut self, job: JobId) -> Told<Entry> {
        let hold = self.open_hold(job)?;
        let draft = self.standing(hold.allocation)?.release(&hold, "cancelled").map_err(told)?;
        self.enter(draft)
    }

    pub(super) fn correct(&mut self, job: JobId, used: i64) -> Told<Entry> {
        let (of, charge) = *self.charges.get(&job).ok_or("no such charge")?;
        let used = Work::seconds(used);
        let draft = self.standing(of)?.correct(&charge, used, period(), "meter was wrong");
        let entry = self.enter(draft.map_err(told)?)?;
        let absorbed = charge.absorbed.plus(absorbed(&entry)).unwrap();
        self.charges.insert(job, (of, Charge { used, absorbed, ..charge }));
        Ok(entry)
    }

    pub(super) fn transfer(
        &mut self,
        from: AllocationId,
        to: AllocationId,
        amount: i64,
    ) -> Told<Entry> {
        let hours = self.standing(to)?.commodity().clone();
        let draft = self.standing(from)?.transfer(to, &hours, Work::seconds(amount), "regrouped");
        self.enter(draft.map_err(told)?)
    }

    pub(super) fn lapse(&mut self, of: AllocationId) -> Told<Vec<Entry>> {
        self.take_back(of, None)
    }

    /// Takes back so much, or all.
    pub(super) fn take_back(&mut self, of: AllocationId, amount: Option<i64>) -> Told<Vec<Entry>> {
        let granted = self.granted.get(&of).cloned().unwrap_or_default();
        let pool = |id: &PoolId| *self.pools.values().find(|pool| pool.id == *id).unwrap();
        let granted: Vec<_> = granted.iter().map(|(id, given)| (pool(id), *given)).collect();
        let standing = self.standing(of)?;
        let drafts = match amount {
            None => standing.lapse(&granted, self.now, "ended"),
            Some(amount) => {
                standing.take_back(Work::seconds(amount), &granted, self.now, "not used")
            }
        };
        let drafts = drafts.map_err(told)?;
        let entries =
            drafts.into_iter().map(|draft| self.enter(draft)).collect::<Told<Vec<_>>>()?;
        for entry in &entries {
            for (_, to, amount) in moves(entry) {
                if let Place::Pool(pool) = to {
                    let given = self.granted.get_mut(&of).unwrap().get_mut(&pool.id).unwrap();
                    *given = given.minus(amount).unwrap();
                }
            }
        }
        Ok(entries)
    }
}

pub(super) fn moves(entry: &Entry) -> Vec<(Place, Place, Work)> {
    let Movements::Hours(transfers) = entry.movements() else { return Vec::new() };
    transfers.iter().map(|t| (*t.from().place(), *t.to().place(), t.amount())).collect()
}

fn absorbed(entry: &Entry) -> Work {
    moves(entry).into_iter().fold(Work::ZERO, |sum, (from, to, amount)| match (from, to) {
        (Place::Absorbed(_), _) => sum.minus(amount).unwrap(),
        (_, Place::Absorbed(_)) => sum.plus(amount).unwrap(),
        _ => sum,
    })
}
