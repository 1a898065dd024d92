//! Housekeeping: what has to happen because time passes. Every step may be repeated.

use access::call::Call;
use access::policy::{AccessMode, CutOffs, DecidedBy, Entry};
use ledger::{Commodity, Pool};
use store::Tx;
use store::pools::PoolRecord;
use units::{AllocationId, CallId, PartitionKey, Period, PoolId, Slug, Timestamp, Work};

use crate::audit::Entry as AuditEntry;
use crate::{Actor, App, Error};

/// What housekeeping found to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Housekeeping {
    /// Systems whose agreement's contributions were entered.
    pub agreements_entered: Vec<Slug>,
    /// Partitions whose pools of this quarter were opened.
    pub pools_opened: Vec<PartitionKey>,
    /// Standing calls that were opened.
    pub calls_opened: Vec<Slug>,
    /// How many allocations gave back what they had left.
    pub allocations_lapsed: usize,
    /// From how many allocations unused hours were taken back.
    pub allocations_cut: usize,
    /// How many alerts about what is to come were entered.
    pub alerts_entered: usize,
    /// How many notices were told because time has passed.
    pub notices_told: usize,
}

impl App {
    /// Enters the agreements' contributions, opens the pools of the current quarter and the
    /// standing calls, lets the hours of allocations that have ended run out, and tells of those
    /// that are heading for a threshold. To be run at the start and from time to time; what is
    /// done already is left alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn keep_house(&self) -> Result<Housekeeping, Error> {
        let now = self.now();
        let mut done = Housekeeping::default();
        let tx = self.store().write().await?;
        for (_, system) in self.rules().federation.systems() {
            if self.enter_contributions(&tx, system, now).await? {
                done.agreements_entered.push(system.key.clone());
            }
            for partition in &system.partitions {
                if self.open_pools(&tx, &partition.key, now).await? {
                    done.pools_opened.push(partition.key.clone());
                }
            }
        }
        done.calls_opened = self.open_standing_calls(&tx, now).await?;
        store::ssh::forget(&tx, now).await?;
        tx.commit().await?;
        done.allocations_lapsed = self.lapse(now).await?;
        done.allocations_cut = self.cut_unused(now).await?;
        done.alerts_entered = self.alert_ahead(now).await?;
        done.notices_told = self.tell_of_time(now).await?;
        Ok(done)
    }

    /// Opens the pools of the quarter around `now`, once; `false` when they are open, or when the
    /// agreement leaves something unknown that they need.
    pub(crate) async fn open_pools(
        &self,
        tx: &Tx,
        key: &PartitionKey,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some((_, system, partition)) = self.rules().federation.partition(key) else {
            return Ok(false);
        };
        let period = Period::quarter_of(now);
        let Ok(computed) = system.pools(partition, period, &self.caps(now)?) else {
            return Ok(false);
        };
        let mut opened = Vec::new();
        for pool in &computed.pools {
            let record = PoolRecord {
                id: PoolId::from_uuid(self.clock().mint()),
                partition: key.clone(),
                meter: partition.meter,
                payer: pool.payer,
                period,
                amount: pool.amount,
                opened_at: now,
            };
            if store::pools::insert(tx, &record).await? {
                opened.push((Pool { id: record.id, payer: record.payer, period }, record.amount));
            }
        }
        if opened.is_empty() {
            return Ok(false);
        }
        let hours = Commodity { partition: key.clone(), meter: partition.meter };
        let system_actor = Actor::system();
        let memo = self.memo(&system_actor, format!("pools of {key}, {period}"));
        store::ledger::open_pools(tx, memo, &hours, period, &opened).await??;
        let entry = AuditEntry {
            action: "pools.open",
            object: &format!("partition:{key}"),
            rule: "Regulation (EU) 2021/1173, Article 17",
            detail: &computed.lines.join("; "),
        };
        self.audit(tx, &system_actor, entry).await?;
        Ok(true)
    }

    /// Opens the call of every rolling mode that the rules decide, for the served partitions that
    /// are counted in its unit.
    async fn open_standing_calls(&self, tx: &Tx, now: Timestamp) -> Result<Vec<Slug>, Error> {
        let mut opened = Vec::new();
        for mode in self.rules().policy.modes(access::day_in_brussels(now)) {
            let partitions = self.served_in(&mode.says);
            if !is_standing(&mode.says) || partitions.is_empty() {
                continue;
            }
            let key: Slug =
                mode.rule.entry.parse().map_err(|error| Error::Internal(format!("{error}")))?;
            if store::calls::by_key(tx, &key).await?.is_some() {
                continue;
            }
            let call = Call {
                id: CallId::from_uuid(self.clock().mint()),
                key: key.clone(),
                title: mode.says.name.clone(),
                mode: key.clone(),
                rule: mode.rule.clone(),
                partitions,
                opens_at: now,
                closes_at: None,
            };
            self.record_call(tx, &Actor::system(), &call, mode).await?;
            opened.push(key);
        }
        Ok(opened)
    }

    /// Puts a call on record with its audit line.
    pub(crate) async fn record_call(
        &self,
        tx: &Tx,
        actor: &Actor,
        call: &Call,
        mode: &Entry<AccessMode>,
    ) -> Result<(), Error> {
        store::calls::insert(tx, call, &actor.subject().to_string(), self.now()).await?;
        let entry = AuditEntry {
            action: "call.publish",
            object: &format!("call:{}", call.id),
            rule: &mode.rule.to_string(),
            detail: &format!("{} ({})", call.title, call.key),
        };
        self.audit(tx, actor, entry).await
    }

    fn served_in(&self, mode: &AccessMode) -> Vec<PartitionKey> {
        let counted = |key: &&PartitionKey| {
            let found = self.rules().federation.partition(key);
            found.is_some_and(|(.., partition)| partition.meter == mode.meter)
        };
        self.rules().served.iter().filter(counted).cloned().collect()
    }

    /// Takes back what allocations that are over have left, each in a transaction of its own.
    /// Hours still held by running jobs come back when those end, and lapse at a later turn.
    async fn lapse(&self, now: Timestamp) -> Result<usize, Error> {
        let tx = self.store().read().await?;
        let over = store::allocations::over(&tx, now).await?;
        drop(tx);
        let mut lapsed = 0_usize;
        for allocation in over {
            let tx = self.store().write().await?;
            let ended = allocation.closed_at.unwrap_or_else(|| allocation.period.end());
            let reason = format!("the allocation ended on {ended}");
            lapsed = lapsed
                .saturating_add(usize::from(self.lapse_one(&tx, allocation.id, &reason).await?));
            tx.commit().await?;
        }
        Ok(lapsed)
    }

    /// Takes back what an allocation that is over has available; whether that was all.
    pub(crate) async fn lapse_one(
        &self,
        tx: &Tx,
        id: AllocationId,
        reason: &str,
    ) -> Result<bool, Error> {
        let actor = Actor::system();
        let memos = [self.memo(&actor, reason.to_owned()), self.memo(&actor, reason.to_owned())];
        store::ledger::expire(tx, memos, id).await??;
        let standing = store::ledger::balances(tx, id).await?;
        let total = standing.map(|it| it.total()).transpose();
        let held = total.map_err(|error| Error::Internal(error.to_string()))?;
        let all = held.is_none_or(|total| total.held == Work::ZERO);
        if all {
            store::allocations::set_lapsed(tx, id, self.now()).await?;
        }
        Ok(all)
    }
}

/// Whether a mode's call is always open and decided without people.
fn is_standing(mode: &AccessMode) -> bool {
    mode.decided_by == DecidedBy::Rules && mode.cut_offs.known() == Some(&CutOffs::AlwaysOpen)
}
