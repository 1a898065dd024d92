//! Where hours are heading: how fast allocations are used and when they run out, and what becomes of
//! each pool.

mod capacity;

use access::allocation::{Allocation, BurnDown, WINDOW_DAYS, burn_down};
use jiff::SignedDuration;
use store::Tx;
use units::{AllocationId, Period, ProjectId, Timestamp, Work};

use crate::{Action, Actor, App, Error};

pub use capacity::{PartitionForecast, QuarterForecast};

impl App {
    /// Where the allocations of a project are heading, oldest first.
    ///
    /// # Errors
    /// When there is no project that the actor may see.
    pub async fn project_forecast(
        &self,
        actor: &Actor,
        id: ProjectId,
    ) -> Result<Vec<(Allocation, BurnDown)>, Error> {
        let now = self.now();
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewProject, id)).await?;
        let allocations = store::allocations::of_project(&tx, id).await?;
        self.headings(&tx, &allocations, now).await
    }

    /// Where each of these allocations is heading; those never granted anything are left out.
    pub(crate) async fn headings(
        &self,
        tx: &Tx,
        allocations: &[Allocation],
        now: Timestamp,
    ) -> Result<Vec<(Allocation, BurnDown)>, Error> {
        let ids: Vec<AllocationId> = allocations.iter().map(|allocation| allocation.id).collect();
        let statements = store::ledger::statement(tx, &ids, seen_before(now)?).await?;
        let heading = statements.iter().filter_map(|statement| {
            let allocation = allocations.iter().find(|it| it.id == statement.allocation)?;
            let left = statement.closing.values();
            let left = sum(left.flat_map(|part| [part.available, part.held]));
            let charges: Vec<_> = statement
                .movements
                .iter()
                .map(|it| (it.at, sum(it.changes.values().map(|change| change.used))))
                .collect();
            Some((allocation.clone(), burn_down(allocation, left, &charges, now)))
        });
        Ok(heading.collect())
    }
}

/// The span up to and including `now` over which the pace is looked at.
fn seen_before(now: Timestamp) -> Result<Period, Error> {
    let days = i64::try_from(WINDOW_DAYS).unwrap_or(i64::MAX);
    let start = now.checked_sub(SignedDuration::from_hours(days.saturating_mul(24)));
    let end = now.checked_add(SignedDuration::from_nanos(1));
    let span = start.ok().zip(end.ok()).and_then(|(start, end)| Period::new(start, end).ok());
    span.ok_or_else(|| Error::Internal("the clock stands at the end of time".to_owned()))
}

fn sum(parts: impl Iterator<Item = Work>) -> Work {
    Work::seconds(parts.fold(0, |sum, part| sum.saturating_add(part.count())))
}
