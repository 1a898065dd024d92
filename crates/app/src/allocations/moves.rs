//! Hours that move from one award to another, or are released before their month.

use std::collections::BTreeMap;

use access::allocation::{self as rules, Allocation, Between, Changing};
use ledger::{Entry, Movements, Place};
use store::Tx;
use store::allocations::{self as records, ChangeKind};
use units::{AllocationId, Payer, Slug, Work};

use super::{internal, refused, whole};
use crate::{Action, Actor, App, Error};

impl App {
    /// Moves hours to another allocation, which the actor may change as well.
    pub(super) async fn transfer(
        &self,
        tx: &Tx,
        (actor, reason): (&Actor, &str),
        (giver, to): (&Allocation, AllocationId),
        hours: u32,
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        let taker = self.allocation_for(tx, actor, (Action::ChangeAllocation, to)).await?;
        records::lock(tx, to).await?;
        let rules = self.change_rules(tx, giver, now).await?;
        let before = records::before(&records::changes(tx, giver.id).await?);
        let standing = store::ledger::balances(tx, giver.id).await?;
        let total = standing.map(|standing| standing.total()).transpose();
        let total = total.map_err(|error| internal(&error))?.unwrap_or_default();
        let (giver_mode, taker_mode) =
            (self.mode_key(tx, giver).await?, self.mode_key(tx, &taker).await?);
        let owners = (self.owner(tx, giver).await?, self.owner(tx, &taker).await?);
        let between = Between {
            giver: Changing { allocation: giver, rules: &rules, before, now },
            giver_mode: &giver_mode,
            taker: &taker,
            taker_mode: &taker_mode,
            one_organisation: owners.0 == owners.1,
            available: total.available,
        };
        let work = whole(hours)?;
        rules::transfer(&between, work).map_err(|reasons| refused(&reasons))?;
        let memo = self.memo(actor, format!("from allocation {} to {to}: {reason}", giver.id));
        let entry = store::ledger::transfer(tx, memo, giver.id, to, work).await??;
        let moved = records::shift(tx, giver.id, &by_payer(&[entry])).await?;
        for share in &moved {
            records::add(tx, to, share).await?;
        }
        let came = ChangeKind::MovedIn { hours: work, other: giver.id };
        self.record_change(tx, actor, &taker, (came, reason.to_owned())).await?;
        Ok(ChangeKind::MovedOut { hours: work, other: to })
    }

    /// Releases hours of later months.
    pub(super) async fn release_early(
        &self,
        tx: &Tx,
        allocation: &Allocation,
        hours: u32,
    ) -> Result<ChangeKind, Error> {
        let now = self.now();
        let rules = self.change_rules(tx, allocation, now).await?;
        let before = records::before(&records::changes(tx, allocation.id).await?);
        let changing = Changing { allocation, rules: &rules, before, now };
        let later = self.released_of(tx, allocation).await?.map(|it| it.tranche.later);
        let work = whole(hours)?;
        rules::advance(&changing, work, later).map_err(|reasons| refused(&reasons))?;
        Ok(ChangeKind::Advanced { hours: work })
    }

    /// The access mode that an allocation was awarded under.
    pub(super) async fn mode_key(&self, tx: &Tx, allocation: &Allocation) -> Result<Slug, Error> {
        let application = store::applications::by_id(tx, allocation.application).await?;
        let application = application.ok_or(Error::NotFound("application"))?;
        let call = store::calls::by_id(tx, application.call).await?;
        Ok(call.ok_or(Error::NotFound("call"))?.mode)
    }

    async fn owner(
        &self,
        tx: &Tx,
        allocation: &Allocation,
    ) -> Result<units::OrganisationId, Error> {
        let project = store::projects::by_id(tx, allocation.project).await?;
        Ok(project.ok_or(Error::NotFound("project"))?.organisation)
    }
}

/// What these entries take from each payer's part of an allocation.
pub(super) fn by_payer(entries: &[Entry]) -> BTreeMap<Payer, Work> {
    let mut taken: BTreeMap<Payer, Work> = BTreeMap::new();
    for entry in entries {
        let Movements::Hours(transfers) = entry.movements() else { continue };
        for transfer in transfers {
            if let Place::Available(_, payer) = transfer.from().place() {
                let sum = taken.entry(*payer).or_insert(Work::ZERO);
                *sum = Work::seconds(sum.count().saturating_add(transfer.amount().count()));
            }
        }
    }
    taken
}
