//! The money of the agreements, entered in the ledger once.

use access::agreement::{Agreement, funding};
use access::federation::System;
use ledger::Purpose;
use store::Tx;
use units::{AgreementId, Cents, Payer, Timestamp};

use crate::audit::Entry;
use crate::{Actor, App, Error};

impl App {
    /// Enters what each payer contributes to the agreement on `system`, once; `false` when it is
    /// entered already, or when it is not known to the cent who pays what.
    pub(super) async fn enter_contributions(
        &self,
        tx: &Tx,
        system: &System,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Some(contributions) = system.agreement.as_ref().and_then(contributions) else {
            return Ok(false);
        };
        let id = AgreementId::from_uuid(self.clock().mint());
        if !store::agreements::insert(tx, id, &system.key, now).await? {
            return Ok(false);
        }
        let actor = Actor::system();
        let memo = self.memo(&actor, format!("contributions to the agreement on {}", system.key));
        store::ledger::contribute(tx, memo, id, &contributions).await??;
        let paid = contributions.iter().map(|(payer, purpose, amount)| {
            let purpose = match purpose {
                Purpose::Acquisition => "acquisition",
                Purpose::Operation => "operation",
            };
            format!("{payer} {amount} for {purpose}")
        });
        let entry = Entry {
            action: "agreement.enter",
            object: &format!("system:{}", system.key),
            rule: "Regulation (EU) 2021/1173, Article 12a",
            detail: &paid.collect::<Vec<_>>().join("; "),
        };
        self.audit(tx, &actor, entry).await?;
        Ok(true)
    }
}

/// Who pays what for what, when that is known: with several states their split is not public.
fn contributions(agreement: &Agreement) -> Option<Vec<(Payer, Purpose, Cents)>> {
    let funding = funding(agreement).ok()?;
    let [(state, _)] = agreement.remainder.known()?.as_slice() else {
        return None;
    };
    let state = Payer::State(*state);
    let mut contributions = vec![
        (Payer::Union, Purpose::Acquisition, funding.union_acquisition),
        (Payer::Union, Purpose::Operation, funding.union_operation),
        (state, Purpose::Acquisition, funding.states_acquisition),
        (state, Purpose::Operation, funding.states_operation),
    ];
    contributions.retain(|(.., amount)| *amount > Cents::ZERO);
    (!contributions.is_empty()).then_some(contributions)
}
