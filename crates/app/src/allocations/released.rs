//! How much of an allocation is released, and what may therefore be set aside.

use std::collections::BTreeSet;

use access::allocation::{Allocation, Story, Tranche, tranche};
use access::policy::Beyond;
use jiff::SignedDuration;
use store::Tx;
use store::allocations as records;
use units::{AllocationId, PartitionKey, Period, Timestamp, Work};

use super::internal;
use crate::{App, Error};

/// What of an allocation is released, and how it stands.
pub(crate) struct Released {
    pub(crate) tranche: Tranche,
    /// What happens to jobs beyond it.
    pub(crate) beyond: Beyond,
    held: Work,
    available: Work,
}

impl App {
    /// The tranche of the current month, where hours are released by policy.
    pub(crate) async fn released_of(
        &self,
        tx: &Tx,
        allocation: &Allocation,
    ) -> Result<Option<Released>, Error> {
        let now = self.now();
        let awarded = access::day_in_brussels(allocation.granted_at);
        let Some(rule) = self.rules().policy.release(&allocation.partition, awarded) else {
            return Ok(None);
        };
        let start = allocation.period.start();
        let end = now.max(start).checked_add(SignedDuration::from_nanos(1));
        let span = Period::new(start, end.map_err(|error| internal(&error))?);
        let span = span.map_err(|error| internal(&error))?;
        let statements = store::ledger::statement(tx, &[allocation.id], span).await?;
        let Some(statement) = statements.first() else { return Ok(None) };
        let sum = |parts: &mut dyn Iterator<Item = Work>| {
            Work::seconds(parts.fold(0, |sum, part| sum.saturating_add(part.count())))
        };
        let charges: Vec<_> = statement
            .movements
            .iter()
            .map(|it| (it.at, sum(&mut it.changes.values().map(|change| change.used))))
            .collect();
        let held = sum(&mut statement.closing.values().map(|change| change.held));
        let available = sum(&mut statement.closing.values().map(|change| change.available));
        let changes = records::changes(tx, allocation.id).await?;
        let (advances, gains) = (records::advances(&changes), records::gains(&changes));
        let story = Story { charges: &charges, advances: &advances, gains: &gains };
        let found = tranche(allocation, &rule.says, story, now);
        let beyond = rule.says.beyond;
        Ok(found.map(|tranche| Released { tranche, beyond, held, available }))
    }

    /// Refuses what goes beyond the part of an allocation that is released. To be asked with the
    /// pen of the books in hand, so that nobody else holds hours meanwhile.
    pub(crate) async fn within_release(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        asked: Work,
    ) -> Result<(), Error> {
        let Some(released) = self.released_of(tx, allocation).await? else { return Ok(()) };
        let Released { tranche, beyond, held, available } = released;
        if beyond == Beyond::LowerPriority {
            return Ok(());
        }
        let left = tranche.left(held);
        // What is not there at all, the books refuse.
        if asked <= left || available < asked {
            return Ok(());
        }
        let shown = |work: Work| work.display(allocation.meter).to_string();
        let released = tranche.quota.count().saturating_add(tranche.carried.count());
        let text = format!(
            "{} would be held and {} are left of what is released until {}: {} released, {} used, \
             {} held; the next part is released then",
            shown(asked),
            shown(left),
            tranche.period.end(),
            shown(Work::seconds(released)),
            shown(tranche.used),
            shown(held),
        );
        Err(Error::refused("allocation.released", text))
    }
}

/// Which of these allocations on a partition have used all that is released for this month, where
/// policy lets their jobs run behind all others then. However many there are, two statements tell.
pub(crate) async fn beyond_their_part(
    app: &App,
    tx: &Tx,
    partition: &PartitionKey,
    (since, allocations): (Timestamp, &[&Allocation]),
) -> Result<BTreeSet<AllocationId>, Error> {
    let rule_of = |allocation: &Allocation| {
        let awarded = access::day_in_brussels(allocation.granted_at);
        let rule = app.rules().policy.release(&allocation.partition, awarded);
        rule.filter(|rule| rule.says.beyond == Beyond::LowerPriority)
    };
    if !allocations.iter().any(|allocation| rule_of(allocation).is_some()) {
        return Ok(BTreeSet::new());
    }
    let used = records::used_by_day(tx, partition, since).await?;
    let changes = records::changes_on(tx, partition, since).await?;
    let is_beyond = |allocation: &Allocation| {
        let rule = rule_of(allocation)?;
        let charges = used.get(&allocation.id).map(Vec::as_slice).unwrap_or_default();
        let mut mine = changes.clone();
        mine.retain(|change| change.allocation == allocation.id);
        let (advances, gains) = (records::advances(&mine), records::gains(&mine));
        let story = Story { charges, advances: &advances, gains: &gains };
        let tranche = tranche(allocation, &rule.says, story, app.now())?;
        (tranche.left(Work::ZERO) == Work::ZERO).then_some(allocation.id)
    };
    Ok(allocations.iter().filter_map(|allocation| is_beyond(allocation)).collect())
}
