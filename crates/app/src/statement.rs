//! Statements: what a project got, set aside, used and gave back over a period, and who paid.

use std::collections::BTreeMap;

use ledger::{Commodity, Head, Kind};
use store::ledger::Statement;
use units::{AllocationId, Overflow, Payer, Period, ProjectId, Timestamp, Work};

pub use store::ledger::{Change, Movement};

use crate::{Action, Actor, App, Error};

/// A project's statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectStatement {
    /// Whose.
    pub project: ProjectId,
    /// Over which period.
    pub period: Period,
    /// When it was drawn up.
    pub at: Timestamp,
    /// The end of the books it was drawn from; who keeps it can show later that they were not
    /// rewritten.
    pub head: Head,
    /// Each allocation that was ever granted anything.
    pub allocations: Vec<AllocationStatement>,
}

/// One allocation's part of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllocationStatement {
    /// Which allocation.
    pub allocation: AllocationId,
    /// The hours it has.
    pub hours: Commodity,
    /// What happened, by payer.
    pub payers: BTreeMap<Payer, Line>,
    /// The same over all payers.
    pub total: Line,
    /// What the site bore, because jobs used more than the allocation had.
    pub absorbed: Work,
    /// Every entry of the period.
    pub movements: Vec<Movement>,
}

/// What happened to hours over a period. Between opening and closing,
/// available grows by `granted + transferred + released − held − corrected − returned − expired`,
/// held by `held − used − released`, and used by `used + corrected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// How it stood at the beginning.
    pub opening: Change,
    /// Put behind the allocation by pools.
    pub granted: Work,
    /// Received from other allocations, less what was given to them.
    pub transferred: Work,
    /// Set aside for jobs.
    pub held: Work,
    /// Charged for jobs that ended.
    pub used: Work,
    /// Added to charges by corrections; negative when hours were given back.
    pub corrected: Work,
    /// Given back when jobs ended, less what overruns drew beyond their holds.
    pub released: Work,
    /// Returned to pools.
    pub returned: Work,
    /// Expired unused.
    pub expired: Work,
    /// How it stood at the end.
    pub closing: Change,
}

impl App {
    /// The statement of a project over `period`.
    ///
    /// # Errors
    /// When the actor may not see the project or its statement.
    pub async fn project_statement(
        &self,
        actor: &Actor,
        project: ProjectId,
        period: Period,
    ) -> Result<ProjectStatement, Error> {
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewStatement, project)).await?;
        let allocations = store::allocations::of_project(&tx, project).await?;
        let ids: Vec<AllocationId> = allocations.iter().map(|allocation| allocation.id).collect();
        let statements = store::ledger::statement(&tx, &ids, period).await?;
        let allocations = statements.into_iter().map(summed).collect::<Result<_, _>>();
        Ok(ProjectStatement {
            project,
            period,
            at: self.now(),
            head: store::ledger::head(&tx).await?,
            allocations: allocations.map_err(|error| Error::Internal(error.to_string()))?,
        })
    }
}

/// Adds up what an allocation's movements did.
fn summed(statement: Statement) -> Result<AllocationStatement, Overflow> {
    let mut payers: BTreeMap<Payer, Line> = BTreeMap::new();
    for (payer, opening) in statement.opening {
        payers.entry(payer).or_default().opening = opening;
    }
    for (payer, closing) in statement.closing {
        payers.entry(payer).or_default().closing = closing;
    }
    let mut absorbed = Work::ZERO;
    for movement in &statement.movements {
        absorbed = absorbed.plus(movement.absorbed)?;
        for (payer, change) in &movement.changes {
            payers.entry(*payer).or_default().take_in(&movement.kind, change)?;
        }
    }
    let mut total = Line::default();
    for line in payers.values() {
        total.add(line)?;
    }
    Ok(AllocationStatement {
        allocation: statement.allocation,
        hours: statement.hours,
        payers,
        total,
        absorbed,
        movements: statement.movements,
    })
}

impl Line {
    fn take_in(&mut self, kind: &Kind, change: &Change) -> Result<(), Overflow> {
        match kind {
            Kind::Grant { .. } => self.granted = self.granted.plus(change.available)?,
            Kind::Transfer { .. } => self.transferred = self.transferred.plus(change.available)?,
            Kind::Hold { .. } => self.held = self.held.plus(change.held)?,
            Kind::Settle { .. } | Kind::Release { .. } => {
                self.used = self.used.plus(change.used)?;
                self.released = self.released.plus(change.available)?;
            }
            Kind::Charge { .. } => {
                // As if it had been held and settled at once.
                self.held = self.held.plus(change.used)?.plus(change.held)?;
                self.used = self.used.plus(change.used)?;
            }
            Kind::Correction { .. } => {
                self.corrected = self.corrected.plus(change.used)?;
                // A correction may shift what is held between payers, as a hold would.
                self.held = self.held.plus(change.held)?;
            }
            Kind::Return { .. } => self.returned = self.returned.minus(change.available)?,
            Kind::Expiry { .. } => self.expired = self.expired.minus(change.available)?,
            Kind::Open | Kind::Contribution => {}
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) -> Result<(), Overflow> {
        for (sum, part) in [
            (&mut self.opening.available, other.opening.available),
            (&mut self.opening.held, other.opening.held),
            (&mut self.opening.used, other.opening.used),
            (&mut self.granted, other.granted),
            (&mut self.transferred, other.transferred),
            (&mut self.held, other.held),
            (&mut self.used, other.used),
            (&mut self.corrected, other.corrected),
            (&mut self.released, other.released),
            (&mut self.returned, other.returned),
            (&mut self.expired, other.expired),
            (&mut self.closing.available, other.closing.available),
            (&mut self.closing.held, other.closing.held),
            (&mut self.closing.used, other.closing.used),
        ] {
            *sum = sum.plus(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
