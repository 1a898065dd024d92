//! Allocations after their award: suspended, resumed, terminated, extended, supplemented, renewed;
//! hours that move, are advanced or cut; and how they are released.

mod cuts;
mod moves;
mod released;
mod renewals;
mod reports;

pub(crate) use released::beyond_their_part;

use access::allocation::{self as rules, Allocation, Changing, Refusal, Source};
use access::application::ShareLeft;
use access::policy::AwardChanges;
use store::Tx;
use store::allocations::{self as records, Share};
use store::ledger::{Denied, Memo};
use units::{AllocationId, Payer, Period, PoolId, Shares, Timestamp, Work};

pub use store::allocations::{ChangeKind, ChangeRecord, ReportRecord};

use crate::applications::no_answer;
use crate::audit::Entry;
use crate::notices::{AllocationNews, Moved, Notice};
use crate::{Action, Actor, App, Error, FieldError, Reason, Scope};

/// The longest reason, in characters.
const REASON_LENGTH_MAX: usize = 500;

/// What is to be done with an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing may be submitted against it until it is resumed; what was submitted goes on.
    Suspend,
    /// It may be used again.
    Resume,
    /// It ends now; what is available goes back.
    Terminate,
    /// It lasts longer.
    Extend {
        /// By so many months.
        months: u32,
    },
    /// It has more hours, out of the pool of the current period.
    Supplement {
        /// So many more, of its unit.
        hours: u32,
    },
    /// Some of what it has available goes to another allocation.
    Transfer {
        /// To which.
        to: AllocationId,
        /// So many, of its unit.
        hours: u32,
    },
    /// Hours of later months are released now.
    Advance {
        /// So many, of its unit.
        hours: u32,
    },
    /// Another award follows it, out of the pool of the current period.
    Renew {
        /// With so many hours.
        hours: u32,
        /// For so many months.
        months: u32,
    },
}

impl Change {
    /// Who may ask for it.
    pub const fn action(&self) -> Action {
        match self {
            Self::Suspend | Self::Resume => Action::SuspendAllocation,
            Self::Terminate
            | Self::Extend { .. }
            | Self::Supplement { .. }
            | Self::Transfer { .. }
            | Self::Advance { .. }
            | Self::Renew { .. } => Action::ChangeAllocation,
        }
    }
}

impl App {
    /// Changes an allocation, with a reason that its project reads; gives it back, or the one that
    /// follows it.
    ///
    /// # Errors
    /// [`Error::Refused`] with every rule against it, or when the actor may not.
    pub async fn change_allocation(
        &self,
        actor: &Actor,
        id: AllocationId,
        (change, reason): (Change, &str),
    ) -> Result<Allocation, Error> {
        let reason = sound(reason)?;
        let tx = self.store().write().await?;
        let allocation = self.allocation_for(&tx, actor, (change.action(), id)).await?;
        store::pools::lock(&tx, &allocation.partition, self.now()).await?;
        records::lock(&tx, id).await?;
        // As it stands now that nobody else changes it.
        let found = records::by_id(&tx, id).await?;
        let allocation = found.ok_or(Error::NotFound("allocation"))?;
        let kind = match change {
            Change::Suspend => self.suspend(&tx, &allocation, &reason).await?,
            Change::Resume => self.resume(&tx, &allocation).await?,
            Change::Terminate => self.terminate(&tx, &allocation, &reason).await?,
            Change::Extend { months } => self.extend(&tx, &allocation, months).await?,
            Change::Supplement { hours } => {
                self.supplement(&tx, (actor, &reason), &allocation, hours).await?
            }
            Change::Transfer { to, hours } => {
                self.transfer(&tx, (actor, &reason), (&allocation, to), hours).await?
            }
            Change::Advance { hours } => self.release_early(&tx, &allocation, hours).await?,
            Change::Renew { hours, months } => {
                self.renew(&tx, (actor, &reason), &allocation, (hours, months)).await?
            }
        };
        self.record_change(&tx, actor, &allocation, (kind, reason)).await?;
        let id = match kind {
            ChangeKind::Renewed { other } => other,
            _ => id,
        };
        let after = records::by_id(&tx, id).await?.ok_or(Error::NotFound("allocation"))?;
        tx.commit().await?;
        Ok(after)
    }

    /// The factory whose staff may act on an allocation.
    pub fn scope_of_allocation(&self, allocation: &Allocation) -> Option<Scope> {
        self.rules().scope_of(&allocation.partition)
    }

    /// What was changed of an allocation, oldest first.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn allocation_changes(
        &self,
        actor: &Actor,
        id: AllocationId,
    ) -> Result<Vec<ChangeRecord>, Error> {
        let tx = self.store().read().await?;
        self.allocation_for(&tx, actor, (Action::ViewProject, id)).await?;
        Ok(records::changes(&tx, id).await?)
    }

    /// The allocation, if the actor may do `action` with it.
    pub(crate) async fn allocation_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, AllocationId),
    ) -> Result<Allocation, Error> {
        let found = records::by_id(tx, id).await?;
        let mut scopes = Vec::new();
        if let Some(allocation) = &found {
            scopes = self.project_scopes(tx, allocation.project).await?;
            if matches!(action, Action::SuspendAllocation | Action::ChangeAllocation) {
                // Whoever runs another factory of the project has no say here.
                let here = self.scope_of_allocation(allocation);
                scopes.retain(|scope| {
                    !matches!(scope, Scope::Factory(_)) || here.as_ref() == Some(scope)
                });
            }
        }
        actor.may_with(action, Action::ViewProject, "allocation", &scopes)?;
        found.ok_or(Error::NotFound("allocation"))
    }

    async fn suspend(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        reason: &str,
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        rules::suspend(allocation, now).map_err(|why| refused(&[why]))?;
        records::set_suspended(tx, allocation.id, Some((now, reason))).await?;
        Ok(ChangeKind::Suspended)
    }

    async fn resume(&self, tx: &Tx, allocation: &Allocation) -> Result<ChangeKind, Error> {
        rules::resume(allocation, self.now()).map_err(|why| refused(&[why]))?;
        records::set_suspended(tx, allocation.id, None).await?;
        Ok(ChangeKind::Resumed)
    }

    /// Ends an allocation. What jobs have held stays theirs until they end, and lapses then.
    async fn terminate(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        reason: &str,
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        rules::terminate(allocation, now).map_err(|why| refused(&[why]))?;
        records::close(tx, allocation.id, now).await?;
        self.lapse_one(tx, allocation.id, &format!("the allocation was terminated: {reason}"))
            .await?;
        Ok(ChangeKind::Terminated)
    }

    async fn extend(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        months: u32,
    ) -> Result<ChangeKind, Error> {
        let period = self.extended(tx, allocation, months, self.now()).await?;
        records::set_period(tx, allocation.id, period).await?;
        Ok(ChangeKind::Extended { months })
    }

    async fn extended(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        months: u32,
        now: Timestamp,
    ) -> Result<Period, Error> {
        let rules = self.change_rules(tx, allocation, now).await?;
        let before = records::before(&records::changes(tx, allocation.id).await?);
        let changing = Changing { allocation, rules: &rules, before, now };
        rules::extend(&changing, months).map_err(|reasons| refused(&reasons))
    }

    /// Grants more hours, by the rules and out of the pool that an award would have now.
    async fn supplement(
        &self,
        tx: &Tx,
        (actor, reason): (&Actor, &str),
        allocation: &Allocation,
        hours: u32,
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        let (pool, payer, situation) = self.offered_to(tx, allocation, now).await?;
        let work = whole(hours)?;
        let rules = self.change_rules(tx, allocation, now).await?;
        let before = records::before(&records::changes(tx, allocation.id).await?);
        let changing = Changing { allocation, rules: &rules, before, now };
        rules::supplement(&changing, work, &situation.source())
            .map_err(|reasons| refused(&reasons))?;
        let memo = self.memo(actor, format!("allocation {} supplemented: {reason}", allocation.id));
        self.grant_out_of(tx, memo, (allocation.id, pool), work).await?;
        records::add(tx, allocation.id, &Share { pool, payer, amount: work }).await?;
        Ok(ChangeKind::Supplemented { hours: work })
    }

    /// The pool that more hours for this award would come from, with what bears on them.
    async fn offered_to(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        now: Timestamp,
    ) -> Result<(PoolId, Payer, Offered), Error> {
        self.open_pools(tx, &allocation.partition, now).await?;
        let application = store::applications::by_id(tx, allocation.application).await?;
        let application = application.ok_or(Error::NotFound("application"))?;
        let facts = self.load(tx, &application, now).await?.facts;
        let case = facts.under(&self.rules().policy).map_err(no_answer)?;
        let situation = case.situation();
        let (Some(pool), Some(offer)) = (case.pool(), situation.offer) else {
            let text = "no pool of this period has hours for its access mode";
            return Err(Error::refused("pool", text));
        };
        let offered = Offered {
            left: offer.remaining,
            shares: situation.shares.to_vec(),
            is_aid: situation.aid.is_some(),
        };
        Ok((pool, case.mode().says.draws_on, offered))
    }

    /// Takes hours out of a pool; what another decision has taken meanwhile is a refusal.
    async fn grant_out_of(
        &self,
        tx: &Tx,
        memo: Memo,
        (allocation, pool): (AllocationId, PoolId),
        work: Work,
    ) -> Result<(), Error> {
        let granted = store::ledger::grant(tx, memo, allocation, &Shares::sole(pool), work).await?;
        granted.map(drop).map_err(|denied| match denied {
            Denied::Short(short) => Error::refused("pool", short.to_string()),
            other => Error::from(other),
        })
    }

    /// The entries of policy about changes of this allocation.
    async fn change_rules(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        now: Timestamp,
    ) -> Result<Vec<&access::policy::Entry<AwardChanges>>, Error> {
        let application = store::applications::by_id(tx, allocation.application).await?;
        let application = application.ok_or(Error::NotFound("application"))?;
        let call = store::calls::by_id(tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let shares = records::shares(tx, allocation.id).await?;
        let payers: Vec<Payer> = shares.iter().map(|share| share.payer).collect();
        let today = access::day_in_brussels(now);
        Ok(self.rules().policy.award_changes(&call.mode, &payers, today))
    }

    async fn record_change(
        &self,
        tx: &Tx,
        actor: &Actor,
        allocation: &Allocation,
        (kind, reason): (ChangeKind, String),
    ) -> Result<(), Error> {
        let mut what = String::new();
        if let Some(months) = kind.months() {
            what.push_str(&format!(" by {months} months"));
        }
        if let Some(hours) = kind.hours() {
            what.push_str(&format!(" {}", hours.display(allocation.meter)));
        }
        if let Some(other) = kind.other() {
            what.push_str(&format!(" (allocation {other})"));
        }
        let detail = format!("{}{what}: {reason}", kind.name());
        let record = ChangeRecord {
            id: self.clock().mint(),
            allocation: allocation.id,
            kind,
            reason: reason.clone(),
            by: actor.subject().to_string(),
            at: self.now(),
        };
        records::insert_change(tx, &record).await?;
        let entry = Entry {
            action: &format!("allocation.{}", kind.name()),
            object: &format!("allocation:{}", allocation.id),
            rule: &allocation.rule,
            detail: &detail,
        };
        self.audit(tx, actor, entry).await?;
        let found = records::by_id(tx, allocation.id).await?;
        let after = found.ok_or(Error::NotFound("allocation"))?;
        let award = self.award_of(tx, &after).await?;
        let news = news_of(kind, reason, &after);
        self.tell(tx, actor, &Notice::Allocation(award, news)).await.map(drop)
    }
}

/// What is told of a change; `after` is the allocation as it stands then.
fn news_of(kind: ChangeKind, reason: String, after: &Allocation) -> AllocationNews {
    match kind {
        ChangeKind::Suspended => AllocationNews::Suspended { reason },
        ChangeKind::Resumed => AllocationNews::Resumed { reason },
        ChangeKind::Terminated => AllocationNews::Terminated { reason },
        ChangeKind::Extended { .. } => {
            AllocationNews::Extended { until: after.period.end(), reason }
        }
        ChangeKind::Supplemented { hours } => AllocationNews::Supplemented { work: hours, reason },
        ChangeKind::MovedOut { hours: work, .. } => {
            AllocationNews::Moved { how: Moved::Out, work, reason }
        }
        ChangeKind::MovedIn { hours: work, .. } => {
            AllocationNews::Moved { how: Moved::In, work, reason }
        }
        ChangeKind::Advanced { hours: work } => {
            AllocationNews::Moved { how: Moved::Advanced, work, reason }
        }
        ChangeKind::Cut { hours: work } => AllocationNews::Moved { how: Moved::Cut, work, reason },
        ChangeKind::Renewed { .. } => AllocationNews::Renewed { reason },
    }
}

/// What a pool offers to an award that has hours already.
struct Offered {
    left: Work,
    shares: Vec<ShareLeft>,
    is_aid: bool,
}

impl Offered {
    fn source(&self) -> Source<'_> {
        Source { left: self.left, shares: &self.shares, is_aid: self.is_aid }
    }
}

fn whole(hours: u32) -> Result<Work, Error> {
    Work::hours(i64::from(hours)).map_err(|error| internal(&error))
}

fn refused(reasons: &[Refusal]) -> Error {
    let told = |why: &Refusal| Reason::new(why.rule.clone(), why.to_string());
    Error::Refused(reasons.iter().map(told).collect())
}

fn internal(error: &dyn std::fmt::Display) -> Error {
    Error::Internal(error.to_string())
}

fn sound(reason: &str) -> Result<String, Error> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length == 0 || length > REASON_LENGTH_MAX || reason.chars().any(char::is_control) {
        let allowed = format!("write 1 to {REASON_LENGTH_MAX} characters in one line");
        return Err(Error::Invalid(vec![FieldError::new("reason", allowed)]));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests;
