//! Alerts: people are told, once, when an allocation comes to a threshold of policy or is likely to.

use std::collections::BTreeSet;

use access::allocation::{Alert, Allocation, alerts_ahead, alerts_of_use};
use access::policy::{Entry as PolicyEntry, Threshold};
use store::Tx;
use units::{AllocationId, ProjectId, Timestamp, Work};

pub use store::alerts::AlertRecord;

use crate::audit::Entry;
use crate::notices::{AllocationNews, Notice};
use crate::{Action, Actor, App, Error};

impl App {
    /// The alerts of a project's allocations, newest first, each with its allocation.
    ///
    /// # Errors
    /// When there is no project that the actor may see.
    pub async fn project_alerts(
        &self,
        actor: &Actor,
        id: ProjectId,
    ) -> Result<Vec<(Allocation, AlertRecord)>, Error> {
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewProject, id)).await?;
        let allocations = store::allocations::of_project(&tx, id).await?;
        let alerts = store::alerts::of_project(&tx, id).await?;
        let with_allocation = alerts.into_iter().filter_map(|alert| {
            let allocation = allocations.iter().find(|it| it.id == alert.allocation)?;
            Some((allocation.clone(), alert))
        });
        Ok(with_allocation.collect())
    }

    /// Enters the alerts to which the use of these allocations has come, within the transaction
    /// that charged them.
    pub(crate) async fn alert_of_use(
        &self,
        tx: &Tx,
        charged: &BTreeSet<AllocationId>,
    ) -> Result<(), Error> {
        let now = self.now();
        for id in charged {
            let Some(allocation) = store::allocations::by_id(tx, *id).await? else { continue };
            let standing = store::ledger::balances(tx, *id).await?;
            let total = standing.map(|it| it.total()).transpose();
            let total = total.map_err(|error| Error::Internal(error.to_string()))?;
            let used = total.map_or(Work::ZERO, |total| total.used);
            let alerts = alerts_of_use(&allocation, used, self.thresholds(now));
            if !alerts.is_empty() {
                let crossed = store::alerts::crossed(tx, *id).await?;
                self.enter_alerts(tx, &allocation, fresh(alerts, &crossed)).await?;
            }
        }
        Ok(())
    }

    /// Enters the alerts for which allocations in use are heading; gives back how many there were.
    pub(crate) async fn alert_ahead(&self, now: Timestamp) -> Result<usize, Error> {
        let found = self.heading_for(now).await?;
        if found.is_empty() {
            return Ok(0);
        }
        let mut entered = 0_usize;
        let tx = self.store().write().await?;
        for (allocation, alerts) in found {
            entered = entered.saturating_add(self.enter_alerts(&tx, &allocation, alerts).await?);
        }
        tx.commit().await?;
        Ok(entered)
    }

    /// Allocations in use, with the alerts that they are heading for and do not have yet.
    async fn heading_for(&self, now: Timestamp) -> Result<Vec<(Allocation, Vec<Alert>)>, Error> {
        let ahead = || self.thresholds(now).filter(|entry| entry.says.looks_ahead());
        let tx = self.store().read().await?;
        let mut allocations = store::allocations::active(&tx, now).await?;
        let crossed = store::alerts::crossed_by_active(&tx, now).await?;
        let of = |id: AllocationId| crossed.get(&id).map(Vec::as_slice).unwrap_or_default();
        let told = |id| ahead().all(|entry| of(id).contains(&entry.rule.entry));
        allocations.retain(|allocation| !told(allocation.id));
        let mut found = Vec::new();
        // One after the other: the movements of four weeks are read for each.
        for allocation in allocations {
            for (allocation, heading) in self.headings(&tx, &[allocation], now).await? {
                let alerts = alerts_ahead((&allocation, &heading), now, ahead());
                let alerts = fresh(alerts, of(allocation.id));
                if !alerts.is_empty() {
                    found.push((allocation, alerts));
                }
            }
        }
        Ok(found)
    }

    /// Puts alerts on record that are not there, with their lines in the audit trail; gives back
    /// how many there were.
    async fn enter_alerts(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        alerts: Vec<Alert>,
    ) -> Result<usize, Error> {
        let mut entered = 0_usize;
        for alert in alerts {
            let record = AlertRecord {
                id: self.clock().mint(),
                allocation: allocation.id,
                at: self.now(),
                alert,
            };
            if !store::alerts::enter(tx, &record).await? {
                continue;
            }
            entered = entered.saturating_add(1);
            let entry = Entry {
                action: "allocation.alert",
                object: &format!("allocation:{}", allocation.id),
                rule: &record.alert.rule.to_string(),
                detail: &record.alert.crossing.told(allocation),
            };
            self.audit(tx, &Actor::system(), entry).await?;
            let award = self.award_of(tx, allocation).await?;
            let news = AllocationNews::Crossed(record.alert.crossing);
            self.tell(tx, &Actor::system(), &Notice::Allocation(award, news)).await?;
        }
        Ok(entered)
    }

    /// The thresholds that hold at `now`.
    fn thresholds(&self, now: Timestamp) -> impl Iterator<Item = &PolicyEntry<Threshold>> {
        self.rules().policy.alerts(access::day_in_brussels(now))
    }
}

/// Those of `alerts` whose thresholds were not crossed before.
fn fresh(mut alerts: Vec<Alert>, crossed: &[String]) -> Vec<Alert> {
    alerts.retain(|alert| !crossed.contains(&alert.rule.entry));
    alerts
}

#[cfg(test)]
mod tests;
