//! Unused hours that policy takes back without being asked.

use access::allocation::{self as rules, Allocation, Changing, Use};
use access::policy::{Cut, Entry};
use store::Tx;
use store::allocations::{self as records, ChangeKind};
use units::{Payer, Timestamp, Work};

use super::{internal, moves::by_payer};
use crate::{Actor, App, Error};

impl App {
    /// Cuts what is due, each award in a transaction of its own; how many were cut.
    pub(crate) async fn cut_unused(&self, now: Timestamp) -> Result<usize, Error> {
        if !self.rules().policy.cuts_anything() {
            return Ok(0);
        }
        let tx = self.store().read().await?;
        let active = store::allocations::active(&tx, now).await?;
        drop(tx);
        let mut cut = 0_usize;
        for allocation in active {
            let tx = self.store().write().await?;
            records::lock(&tx, allocation.id).await?;
            if self.cut_one(&tx, &allocation, now).await? {
                tx.commit().await?;
                cut = cut.saturating_add(1);
            }
        }
        Ok(cut)
    }

    /// Cuts an award once for all, if a rule says so.
    async fn cut_one(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let changes = records::changes(tx, allocation.id).await?;
        if changes.iter().any(|change| matches!(change.kind, ChangeKind::Cut { .. })) {
            return Ok(false);
        }
        let standing = store::ledger::balances(tx, allocation.id).await?;
        let total = standing.map(|standing| standing.total()).transpose();
        let Some(total) = total.map_err(|error| internal(&error))? else { return Ok(false) };
        let before = records::before(&changes);
        let awarded = Changing { allocation, rules: &[], before, now }.awarded();
        let its = Use { awarded, used: total.used, available: total.available };
        let due = self.cut_rules(tx, allocation).await?.into_iter().find_map(|rule| {
            rules::cut(allocation, &rule.says, its, now).map(|hours| (rule, hours))
        });
        let Some((rule, hours)) = due else { return Ok(false) };
        self.carry_out_cut(tx, allocation, (rule, hours, its)).await?;
        Ok(true)
    }

    async fn carry_out_cut(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        (rule, hours, its): (&Entry<Cut>, Work, Use),
    ) -> Result<(), Error> {
        let shown = |work: Work| work.display(allocation.meter).to_string();
        let reason = format!(
            "{} of {} are used after {} months; less than {} is cut ({})",
            shown(its.used),
            shown(its.awarded),
            rule.says.after_months,
            rule.says.used_below,
            rule.rule
        );
        let system = Actor::system();
        let memos = [self.memo(&system, reason.clone()), self.memo(&system, reason.clone())];
        let entries = store::ledger::take_back(tx, memos, allocation.id, hours).await??;
        records::shift(tx, allocation.id, &by_payer(&entries)).await?;
        self.record_change(tx, &system, allocation, (ChangeKind::Cut { hours }, reason)).await
    }

    /// The cuts that policy knew on the day of the award.
    async fn cut_rules(&self, tx: &Tx, allocation: &Allocation) -> Result<Vec<&Entry<Cut>>, Error> {
        let mode = self.mode_key(tx, allocation).await?;
        let shares = records::shares(tx, allocation.id).await?;
        let payers: Vec<Payer> = shares.iter().map(|share| share.payer).collect();
        let awarded = access::day_in_brussels(allocation.granted_at);
        Ok(self.rules().policy.cuts(&mode, &payers, awarded))
    }
}
