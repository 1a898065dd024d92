//! Capacity ahead: what becomes of each pool of a partition, quarter by quarter.

use access::agreement::Pool;
use access::allocation::{Allocation, burn_down};
use access::capacity::{Commitment, PoolAhead, Range, ahead};
use access::federation::{Partition, System};
use store::Tx;
use store::allocations::Drawn;
use store::ledger::{Change, Movement, Statement};
use store::scope::Scope as Seen;
use units::{Meter, PartitionKey, Payer, Period, Timestamp};

use super::{seen_before, sum};
use crate::{Action, Actor, App, Error};

/// How many quarters are looked at: this one and three to come.
const QUARTERS: usize = 4;

/// What becomes of a partition's hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionForecast {
    /// Which partition.
    pub partition: PartitionKey,
    /// What is counted there.
    pub meter: Meter,
    /// This quarter and those to come.
    pub quarters: Vec<QuarterForecast>,
}

/// What becomes of a partition's hours in one quarter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarterForecast {
    /// The quarter.
    pub period: Period,
    /// Pool by pool; or which figures are missing to know them.
    pub pools: Result<Vec<PoolAhead>, Vec<String>>,
}

impl App {
    /// What becomes of the hours of every partition whose factory the actor answers for.
    ///
    /// # Errors
    /// When the actor has not signed in.
    pub async fn capacity_forecasts(&self, actor: &Actor) -> Result<Vec<PartitionForecast>, Error> {
        let seen = self.visible(actor, Action::ViewCapacity)?;
        let may = |key: &PartitionKey| match &seen {
            Seen::Everything => true,
            Seen::Within { partitions, .. } => partitions.contains(key),
        };
        let now = self.now();
        let tx = self.store().read().await?;
        let mut forecasts = Vec::new();
        for (_, system) in self.rules().federation.systems() {
            for partition in system.partitions.iter().filter(|it| may(&it.key)) {
                forecasts.push(self.forecast_of(&tx, (system, partition), now).await?);
            }
        }
        Ok(forecasts)
    }

    /// What becomes of the hours of one partition.
    ///
    /// # Errors
    /// When there is no such partition, or the actor does not answer for its factory.
    pub async fn capacity_forecast(
        &self,
        actor: &Actor,
        key: &PartitionKey,
    ) -> Result<PartitionForecast, Error> {
        let found = self.rules().federation.partition(key);
        let (_, system, partition) = found.ok_or(Error::NotFound("partition"))?;
        let scope = self.rules().scope_of(key);
        actor.may(Action::ViewCapacity, scope.as_slice())?;
        let tx = self.store().read().await?;
        self.forecast_of(&tx, (system, partition), self.now()).await
    }

    async fn forecast_of(
        &self,
        tx: &Tx,
        (system, partition): (&System, &Partition),
        now: Timestamp,
    ) -> Result<PartitionForecast, Error> {
        let commitments = self.commitments(tx, &partition.key, now).await?;
        let mut quarters = Vec::with_capacity(QUARTERS);
        let mut period = Period::quarter_of(now);
        for _ in 0..QUARTERS {
            let pools = self.pools_in(tx, (system, partition), period).await?;
            let pools = pools.map(|pools| ahead((period, &pools), &commitments, now));
            quarters.push(QuarterForecast { period, pools });
            period = Period::quarter_of(period.end());
        }
        let (partition, meter) = (partition.key.clone(), partition.meter);
        Ok(PartitionForecast { partition, meter, quarters })
    }

    /// The pools of a quarter: those that were opened, or else those that the agreement gives.
    async fn pools_in(
        &self,
        tx: &Tx,
        (system, partition): (&System, &Partition),
        period: Period,
    ) -> Result<Result<Vec<Pool>, Vec<String>>, Error> {
        let opened = store::pools::at(tx, &partition.key, period.start()).await?;
        if !opened.is_empty() {
            let pool = |record: store::pools::PoolRecord| Pool {
                payer: record.payer,
                amount: record.amount,
            };
            let mut pools: Vec<Pool> = opened.into_iter().map(pool).collect();
            pools.sort_by_key(|pool| pool.payer);
            return Ok(Ok(pools));
        }
        let day = access::day_in_brussels(period.start());
        let Some(caps) = self.rules().policy.caps(day) else {
            return Ok(Err(vec![format!("not every cap of the law has an entry for {day}")]));
        };
        let computed = system.pools(partition, period, &caps);
        Ok(computed.map(|computed| computed.pools).map_err(|missing| missing.reasons))
    }

    /// What pools have put behind the allocations of a partition, and how it is used.
    async fn commitments(
        &self,
        tx: &Tx,
        key: &PartitionKey,
        now: Timestamp,
    ) -> Result<Vec<Commitment>, Error> {
        let drawn = store::allocations::drawn(tx, key, now).await?;
        let ids: Vec<_> = drawn.iter().map(|(allocation, _)| allocation.id).collect();
        let statements = store::ledger::statement(tx, &ids, seen_before(now)?).await?;
        let mut commitments = Vec::new();
        for statement in &statements {
            let found = drawn.iter().find(|(allocation, _)| allocation.id == statement.allocation);
            if let Some((allocation, drawn)) = found {
                commitments.extend(commitments_of(allocation, drawn, statement, now));
            }
        }
        Ok(commitments)
    }
}

/// What payers have behind one allocation. All of a payer's hours count with the quarter out of
/// which it first gave some.
fn commitments_of(
    allocation: &Allocation,
    drawn: &[Drawn],
    statement: &Statement,
    now: Timestamp,
) -> Vec<Commitment> {
    let of_payer = |(payer, balance): (&Payer, &Change)| {
        let first = drawn.iter().find(|it| it.payer == *payer)?;
        let left = sum([balance.available, balance.held].into_iter());
        let charge = |it: &Movement| Some((it.at, it.changes.get(payer)?.used));
        let charges: Vec<_> = statement.movements.iter().filter_map(charge).collect();
        Some(Commitment {
            payer: *payer,
            quarter: first.quarter,
            usable: allocation.period,
            used: balance.used,
            held: balance.held,
            available: balance.available,
            per_day: Range::pace(&burn_down(allocation, left, &charges, now)),
        })
    };
    statement.closing.iter().filter_map(of_payer).collect()
}

#[cfg(test)]
mod tests;
