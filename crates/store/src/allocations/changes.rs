//! Changes of allocations after their award, each kept with who made it and why.

use access::allocation::Before;
use sea_orm::FromQueryResult;
use units::{AllocationId, Period, Timestamp, Work};
use uuid::Uuid;

use super::Share;
use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// Nothing may be submitted against it for now.
    Suspended,
    /// It may be used again.
    Resumed,
    /// It ended before its time.
    Terminated,
    /// It lasts longer.
    Extended {
        /// By so many months.
        months: u32,
    },
    /// It has more hours.
    Supplemented {
        /// So many more.
        hours: Work,
    },
}

impl ChangeKind {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Resumed => "resumed",
            Self::Terminated => "terminated",
            Self::Extended { .. } => "extended",
            Self::Supplemented { .. } => "supplemented",
        }
    }
}

/// A change on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// Which.
    pub id: Uuid,
    /// Of which allocation.
    pub allocation: AllocationId,
    /// What.
    pub kind: ChangeKind,
    /// Why, for people.
    pub reason: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    allocation: Uuid,
    kind: String,
    months: Option<i64>,
    amount: Option<i64>,
    reason: String,
    changed_by: String,
    changed_at: i64,
}

impl Row {
    fn record(self) -> Result<ChangeRecord, StoreError> {
        let damaged = || StoreError::damaged("change of an allocation", &self.kind);
        let kind = match (self.kind.as_str(), self.months, self.amount) {
            ("suspended", None, None) => ChangeKind::Suspended,
            ("resumed", None, None) => ChangeKind::Resumed,
            ("terminated", None, None) => ChangeKind::Terminated,
            ("extended", Some(months), None) => {
                ChangeKind::Extended { months: u32::try_from(months).map_err(|_| damaged())? }
            }
            ("supplemented", None, Some(amount)) => {
                ChangeKind::Supplemented { hours: Work::seconds(amount) }
            }
            _ => return Err(damaged()),
        };
        Ok(ChangeRecord {
            id: self.id,
            allocation: AllocationId::from_uuid(self.allocation),
            kind,
            reason: self.reason,
            by: self.changed_by,
            at: instant(self.changed_at)?,
        })
    }
}

/// Puts a change on record.
///
/// # Errors
/// When the database fails.
pub async fn insert_change(tx: &Tx, change: &ChangeRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO allocation_change
        (id, allocation, kind, months, amount, reason, changed_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (months, amount) = match change.kind {
        ChangeKind::Extended { months } => (Some(i64::from(months)), None),
        ChangeKind::Supplemented { hours } => (None, Some(hours.count())),
        ChangeKind::Suspended | ChangeKind::Resumed | ChangeKind::Terminated => (None, None),
    };
    let values = [
        change.id.into(),
        change.allocation.uuid().into(),
        change.kind.name().into(),
        months.into(),
        amount.into(),
        change.reason.clone().into(),
        change.by.clone().into(),
        micros(change.at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The changes of an allocation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn changes(tx: &Tx, id: AllocationId) -> Result<Vec<ChangeRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation_change WHERE allocation = $1
        ORDER BY changed_at, id";
    let rows = tx.all::<Row>(SQL, [id.uuid().into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// What these changes come to together.
pub fn before(changes: &[ChangeRecord]) -> Before {
    let mut before = Before::default();
    for change in changes {
        match change.kind {
            ChangeKind::Extended { months } => {
                before.months = before.months.saturating_add(months);
            }
            ChangeKind::Supplemented { hours } => {
                let sum = before.hours.count().saturating_add(hours.count());
                before.hours = Work::seconds(sum);
            }
            ChangeKind::Suspended | ChangeKind::Resumed | ChangeKind::Terminated => {}
        }
    }
    before
}

/// Makes changes of an allocation wait for one another until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: AllocationId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET amount = amount WHERE id = $1";
    tx.execute(SQL, [id.uuid().into()]).await?;
    Ok(())
}

/// Suspends an allocation with a reason, or lifts that.
///
/// # Errors
/// When the database fails.
pub async fn set_suspended(
    tx: &Tx,
    id: AllocationId,
    suspended: Option<(Timestamp, &str)>,
) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE allocation SET suspended_at = $2, suspended_because = $3 WHERE id = $1";
    let (at, because) = suspended.unzip();
    let values = [id.uuid().into(), at.map(micros).into(), because.map(str::to_owned).into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Closes an allocation.
///
/// # Errors
/// When the database fails.
pub async fn close(tx: &Tx, id: AllocationId, at: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET closed_at = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), micros(at).into()]).await?;
    Ok(())
}

/// Gives an allocation another period.
///
/// # Errors
/// When the database fails.
pub async fn set_period(tx: &Tx, id: AllocationId, period: Period) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET starts_at = $2, ends_at = $3 WHERE id = $1";
    let (start, end) = (micros(period.start()), micros(period.end()));
    tx.execute(SQL, [id.uuid().into(), start.into(), end.into()]).await?;
    Ok(())
}

/// Adds to what was granted, out of a pool.
///
/// # Errors
/// When the database fails.
pub async fn add(tx: &Tx, id: AllocationId, share: &Share) -> Result<(), StoreError> {
    const GRANTED: &str = "UPDATE allocation SET amount = amount + $2 WHERE id = $1";
    tx.execute(GRANTED, [id.uuid().into(), share.amount.count().into()]).await?;
    const SHARE: &str = "INSERT INTO allocation_share (allocation, pool, payer, amount)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (allocation, pool)
        DO UPDATE SET amount = allocation_share.amount + excluded.amount";
    let values = [
        id.uuid().into(),
        share.pool.uuid().into(),
        share.payer.to_string().into(),
        share.amount.count().into(),
    ];
    tx.execute(SHARE, values).await?;
    Ok(())
}
