//! Statements: what happened to allocations over a period.

use std::collections::BTreeMap;

use ::ledger::{Author, Commodity, Kind, Movements, Part, Place, Seq, Transfer};
use units::{AllocationId, EntryId, Payer, Period, Timestamp, Work};
use uuid::Uuid;

use super::read::{accounts_in, accounts_of};
use super::rows::{ENTRY_COLUMNS, EntryRow, TransferRow, movements, standings};
use crate::{StoreError, Tx};

/// What an entry did to one payer's part of an allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Added to what is available.
    pub available: Work,
    /// Added to what is held.
    pub held: Work,
    /// Added to what was used.
    pub used: Work,
}

/// One entry, as it concerns one allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Its position in the books.
    pub seq: Seq,
    /// Its id.
    pub id: EntryId,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// What it is.
    pub kind: Kind,
    /// Why.
    pub reason: String,
    /// What it changed, by payer.
    pub changes: BTreeMap<Payer, Change>,
    /// What it made the site bear.
    pub absorbed: Work,
    /// What expired by it, of all payers.
    pub expired: Work,
}

/// An allocation over a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Which allocation.
    pub allocation: AllocationId,
    /// The hours it has.
    pub hours: Commodity,
    /// How it stood when the period began, by payer.
    pub opening: BTreeMap<Payer, Change>,
    /// How it stood when the period ended, or stands now.
    pub closing: BTreeMap<Payer, Change>,
    /// What happened in between, in the order of the books.
    pub movements: Vec<Movement>,
}

/// The statements of `allocations` over `period`; those never granted anything are left out.
///
/// # Errors
/// When the store fails, or a row cannot be read as an entry.
pub async fn statement(
    tx: &Tx,
    allocations: &[AllocationId],
    period: Period,
) -> Result<Vec<Statement>, StoreError> {
    let ids: Vec<Uuid> = allocations.iter().map(|id| id.uuid()).collect();
    let kept = accounts_of(tx, &ids).await?;
    let mut statements = Vec::new();
    for standing in standings(&kept) {
        let allocation = standing.allocation();
        let mut movements = since(tx, allocation, period.start()).await?;
        let mut closing: BTreeMap<Payer, Change> =
            standing.parts().iter().map(|(payer, part)| (*payer, whole(part))).collect();
        let later = movements.iter().filter(|movement| movement.at >= period.end());
        for movement in later {
            undo(&mut closing, movement)?;
        }
        movements.retain(|movement| movement.at < period.end());
        let mut opening = closing.clone();
        for movement in &movements {
            undo(&mut opening, movement)?;
        }
        let hours = standing.commodity().clone();
        statements.push(Statement { allocation, hours, opening, closing, movements });
    }
    Ok(statements)
}

/// Everything that concerned `allocation` from `start` on.
async fn since(
    tx: &Tx,
    allocation: AllocationId,
    start: Timestamp,
) -> Result<Vec<Movement>, StoreError> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS} FROM ledger_entry \
         WHERE (allocation = $1 OR recipient = $1) AND at >= $2 ORDER BY seq"
    );
    let start = start.as_microsecond();
    let rows = tx.all::<EntryRow>(&sql, [allocation.uuid().into(), start.into()]).await?;
    const TRANSFERS: &str = "SELECT t.seq, t.line, t.source, t.target, t.amount \
        FROM ledger_entry e JOIN ledger_transfer t ON t.seq = e.seq \
        WHERE (e.allocation = $1 OR e.recipient = $1) AND e.at >= $2 ORDER BY t.seq, t.line";
    let transfers =
        tx.all::<TransferRow>(TRANSFERS, [allocation.uuid().into(), start.into()]).await?;
    let accounts = accounts_in(tx, transfers.iter()).await?;
    let mut found = Vec::with_capacity(rows.len());
    let mut transfers = transfers.as_slice();
    for row in rows {
        let count = transfers.iter().take_while(|transfer| transfer.seq == row.seq).count();
        let (mine, rest) = transfers.split_at(count);
        transfers = rest;
        let Movements::Hours(mine) = movements(mine, &accounts)? else { continue };
        found.push(movement(allocation, &row, &mine)?);
    }
    Ok(found)
}

fn movement(
    allocation: AllocationId,
    row: &EntryRow,
    transfers: &[Transfer<Work>],
) -> Result<Movement, StoreError> {
    let stamp = row.stamp()?;
    let mut movement = Movement {
        seq: row.seq()?,
        id: stamp.id(),
        at: stamp.at(),
        author: stamp.author().clone(),
        kind: row.kind()?,
        reason: row.reason.clone(),
        changes: BTreeMap::new(),
        absorbed: Work::ZERO,
        expired: Work::ZERO,
    };
    for transfer in transfers {
        let given = minus(Work::ZERO, transfer.amount())?;
        add(&mut movement, allocation, transfer.from().place(), given)?;
        add(&mut movement, allocation, transfer.to().place(), transfer.amount())?;
    }
    Ok(movement)
}

fn add(
    movement: &mut Movement,
    allocation: AllocationId,
    place: &Place,
    amount: Work,
) -> Result<(), StoreError> {
    if place.allocation().is_some_and(|of| of != allocation) {
        return Ok(());
    }
    let sum = match place {
        Place::Available(_, payer) => &mut movement.changes.entry(*payer).or_default().available,
        Place::Held(_, payer) => &mut movement.changes.entry(*payer).or_default().held,
        Place::Used(_, payer) => &mut movement.changes.entry(*payer).or_default().used,
        Place::Absorbed(_) => &mut movement.absorbed,
        Place::Expired(_) => &mut movement.expired,
        Place::Capacity(_) | Place::Pool(_) => return Ok(()),
    };
    *sum = sum.plus(amount).map_err(|error| StoreError::damaged("amount", error))?;
    Ok(())
}

const fn whole(part: &Part) -> Change {
    Change { available: part.available, held: part.held, used: part.used }
}

fn undo(balances: &mut BTreeMap<Payer, Change>, movement: &Movement) -> Result<(), StoreError> {
    for (payer, change) in &movement.changes {
        let balance = balances.entry(*payer).or_default();
        balance.available = minus(balance.available, change.available)?;
        balance.held = minus(balance.held, change.held)?;
        balance.used = minus(balance.used, change.used)?;
    }
    Ok(())
}

fn minus(a: Work, b: Work) -> Result<Work, StoreError> {
    a.minus(b).map_err(|error| StoreError::damaged("amount", error))
}
