//! Awards that follow others without an application.

use access::allocation::{self as rules, Allocation, Changing, Renewing};
use store::Tx;
use store::allocations::{self as records, ChangeKind, Share};
use units::AllocationId;

use super::{refused, whole};
use crate::{Actor, App, Error};

/// How far a chain of awards is followed; policy allows far fewer.
const RENEWALS_MAX: u32 = 100;

impl App {
    /// Makes an award that follows this one, out of the pool of the current period.
    pub(super) async fn renew(
        &self,
        tx: &Tx,
        (actor, reason): (&Actor, &str),
        allocation: &Allocation,
        (hours, months): (u32, u32),
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        let (pool, payer, offered) = self.offered_to(tx, allocation, now).await?;
        let rules = self.change_rules(tx, allocation, now).await?;
        let before = records::before(&records::changes(tx, allocation.id).await?);
        let application = store::applications::by_id(tx, allocation.application).await?;
        let application = application.ok_or(Error::NotFound("application"))?;
        let renewing = Renewing {
            award: Changing { allocation, rules: &rules, before, now },
            months: application.draft.months.unwrap_or_default(),
            report: self.report_stage_of(tx, allocation).await?,
            renewals: self.renewals_before(tx, allocation.id).await?,
            followed: records::follower(tx, allocation.id).await?.is_some(),
        };
        let work = whole(hours)?;
        let period = rules::renew(&renewing, (work, months), &offered.source())
            .map_err(|reasons| refused(&reasons))?;
        let next = Allocation {
            id: AllocationId::from_uuid(self.clock().mint()),
            amount: work,
            period,
            granted_at: now,
            closed_at: None,
            suspended: None,
            ..allocation.clone()
        };
        let memo = self.memo(actor, format!("allocation {} renewed: {reason}", allocation.id));
        self.grant_out_of(tx, memo, (next.id, pool), work).await?;
        records::insert(tx, &next, &[Share { pool, payer, amount: work }]).await?;
        records::set_follows(tx, next.id, allocation.id).await?;
        Ok(ChangeKind::Renewed { other: next.id })
    }

    /// How many awards this one follows.
    async fn renewals_before(&self, tx: &Tx, id: AllocationId) -> Result<u32, Error> {
        let (mut count, mut at) = (0_u32, id);
        while count < RENEWALS_MAX {
            let Some(before) = records::followed(tx, at).await? else { break };
            (count, at) = (count.saturating_add(1), before);
        }
        Ok(count)
    }
}
