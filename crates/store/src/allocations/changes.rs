//! Changes of allocations after their award, each kept with who made it and why.

use std::collections::BTreeMap;

use access::allocation::Before;
use sea_orm::FromQueryResult;
use units::{AllocationId, PartitionKey, Payer, Period, Timestamp, Work};
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
    /// Some of its hours went to another.
    MovedOut {
        /// So many.
        hours: Work,
        /// To which.
        other: AllocationId,
    },
    /// It has hours that were another's.
    MovedIn {
        /// So many.
        hours: Work,
        /// Whose they were.
        other: AllocationId,
    },
    /// Hours of later months were released.
    Advanced {
        /// So many.
        hours: Work,
    },
    /// Hours were taken back because they were not used.
    Cut {
        /// So many.
        hours: Work,
    },
    /// Another award follows it.
    Renewed {
        /// Which.
        other: AllocationId,
    },
}

/// What a change is about, as it is kept.
#[derive(Default)]
struct Columns {
    months: Option<i64>,
    amount: Option<i64>,
    other: Option<Uuid>,
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
            Self::MovedOut { .. } => "moved-out",
            Self::MovedIn { .. } => "moved-in",
            Self::Advanced { .. } => "advanced",
            Self::Cut { .. } => "cut",
            Self::Renewed { .. } => "renewed",
        }
    }

    /// The hours that it is about, if it is about some.
    pub const fn hours(&self) -> Option<Work> {
        match self {
            Self::Supplemented { hours }
            | Self::MovedOut { hours, .. }
            | Self::MovedIn { hours, .. }
            | Self::Advanced { hours }
            | Self::Cut { hours } => Some(*hours),
            Self::Suspended
            | Self::Resumed
            | Self::Terminated
            | Self::Extended { .. }
            | Self::Renewed { .. } => None,
        }
    }

    /// The other allocation that it is about, if it is about one.
    pub const fn other(&self) -> Option<AllocationId> {
        match self {
            Self::MovedOut { other, .. }
            | Self::MovedIn { other, .. }
            | Self::Renewed { other } => Some(*other),
            _ => None,
        }
    }

    /// By how many months it is longer, if it is.
    pub const fn months(&self) -> Option<u32> {
        match self {
            Self::Extended { months } => Some(*months),
            _ => None,
        }
    }

    fn columns(&self) -> Columns {
        Columns {
            months: self.months().map(i64::from),
            amount: self.hours().map(Work::count),
            other: self.other().map(AllocationId::uuid),
        }
    }

    fn of(name: &str, columns: &Columns) -> Option<Self> {
        let hours = columns.amount.map(Work::seconds);
        let other = columns.other.map(AllocationId::from_uuid);
        let months = columns.months.map(u32::try_from).transpose().ok()?;
        Some(match (name, months, hours, other) {
            ("suspended", None, None, None) => Self::Suspended,
            ("resumed", None, None, None) => Self::Resumed,
            ("terminated", None, None, None) => Self::Terminated,
            ("extended", Some(months), None, None) => Self::Extended { months },
            ("supplemented", None, Some(hours), None) => Self::Supplemented { hours },
            ("moved-out", None, Some(hours), Some(other)) => Self::MovedOut { hours, other },
            ("moved-in", None, Some(hours), Some(other)) => Self::MovedIn { hours, other },
            ("advanced", None, Some(hours), None) => Self::Advanced { hours },
            ("cut", None, Some(hours), None) => Self::Cut { hours },
            ("renewed", None, None, Some(other)) => Self::Renewed { other },
            _ => return None,
        })
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
    other: Option<Uuid>,
    reason: String,
    changed_by: String,
    changed_at: i64,
}

impl Row {
    fn record(self) -> Result<ChangeRecord, StoreError> {
        let columns = Columns { months: self.months, amount: self.amount, other: self.other };
        let kind = ChangeKind::of(&self.kind, &columns)
            .ok_or_else(|| StoreError::damaged("change of an allocation", &self.kind))?;
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
        (id, allocation, kind, months, amount, other, reason, changed_by, changed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let Columns { months, amount, other } = change.kind.columns();
    let values = [
        change.id.into(),
        change.allocation.uuid().into(),
        change.kind.name().into(),
        months.into(),
        amount.into(),
        other.into(),
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

/// The changes of the allocations on a partition that had not ended by `since`, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn changes_on(
    tx: &Tx,
    partition: &PartitionKey,
    since: Timestamp,
) -> Result<Vec<ChangeRecord>, StoreError> {
    const SQL: &str = "SELECT c.* FROM allocation a JOIN allocation_change c ON c.allocation = a.id
        WHERE a.partition = $1 AND a.ends_at > $2 ORDER BY c.changed_at, c.id";
    let rows = tx.all::<Row>(SQL, [partition.to_string().into(), micros(since).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// What these changes come to together.
pub fn before(changes: &[ChangeRecord]) -> Before {
    let mut before = Before::default();
    let add = |sum: &mut Work, hours: Work| {
        *sum = Work::seconds(sum.count().saturating_add(hours.count()));
    };
    for change in changes {
        match change.kind {
            ChangeKind::Extended { months } => {
                before.months = before.months.saturating_add(months);
            }
            ChangeKind::Supplemented { hours } => add(&mut before.hours, hours),
            ChangeKind::MovedOut { hours, .. } => add(&mut before.moved_out, hours),
            ChangeKind::MovedIn { hours, .. } => add(&mut before.moved_in, hours),
            ChangeKind::Advanced { hours } => add(&mut before.advanced, hours),
            ChangeKind::Cut { hours } => add(&mut before.cut, hours),
            ChangeKind::Suspended
            | ChangeKind::Resumed
            | ChangeKind::Terminated
            | ChangeKind::Renewed { .. } => {}
        }
    }
    before
}

/// What these changes added to the hours, or took from them, and when.
pub fn gains(changes: &[ChangeRecord]) -> Vec<(Timestamp, Work)> {
    let gain = |change: &ChangeRecord| match change.kind {
        ChangeKind::Supplemented { hours } | ChangeKind::MovedIn { hours, .. } => {
            Some((change.at, hours))
        }
        ChangeKind::MovedOut { hours, .. } | ChangeKind::Cut { hours } => {
            Some((change.at, Work::seconds(hours.count().saturating_neg())))
        }
        ChangeKind::Suspended
        | ChangeKind::Resumed
        | ChangeKind::Terminated
        | ChangeKind::Extended { .. }
        | ChangeKind::Advanced { .. }
        | ChangeKind::Renewed { .. } => None,
    };
    changes.iter().filter_map(gain).collect()
}

/// What was released before its month, and when.
pub fn advances(changes: &[ChangeRecord]) -> Vec<(Timestamp, Work)> {
    let advance = |change: &ChangeRecord| match change.kind {
        ChangeKind::Advanced { hours } => Some((change.at, hours)),
        _ => None,
    };
    changes.iter().filter_map(advance).collect()
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

/// Takes from what was granted, by payer, out of the shares of the newest pools first; gives back
/// what was taken of each.
///
/// # Errors
/// When the database fails.
pub async fn shift(
    tx: &Tx,
    id: AllocationId,
    by_payer: &BTreeMap<Payer, Work>,
) -> Result<Vec<Share>, StoreError> {
    let mut shares = super::shares(tx, id).await?;
    shares.sort_by_key(|share| std::cmp::Reverse(share.pool));
    let mut taken = Vec::new();
    for (payer, amount) in by_payer {
        let mut left = amount.count();
        for share in shares.iter().filter(|share| share.payer == *payer) {
            let part = left.min(share.amount.count());
            if part > 0 {
                taken.push(Share { amount: Work::seconds(part), ..*share });
                left = left.saturating_sub(part);
            }
        }
    }
    for share in &taken {
        const SHARE: &str = "UPDATE allocation_share SET amount = amount - $3
            WHERE allocation = $1 AND pool = $2";
        let amount = share.amount.count();
        tx.execute(SHARE, [id.uuid().into(), share.pool.uuid().into(), amount.into()]).await?;
    }
    let sum = by_payer.values().fold(0_i64, |sum, work| sum.saturating_add(work.count()));
    const GRANTED: &str = "UPDATE allocation SET amount = amount - $2 WHERE id = $1";
    tx.execute(GRANTED, [id.uuid().into(), sum.into()]).await?;
    Ok(taken)
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Option<Uuid>,
}

/// Notes that an award follows another.
///
/// # Errors
/// When the database fails, or another follows that one already.
pub async fn set_follows(
    tx: &Tx,
    id: AllocationId,
    before: AllocationId,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET follows = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), before.uuid().into()]).await?;
    Ok(())
}

/// The award that this one follows.
///
/// # Errors
/// When the database fails.
pub async fn followed(tx: &Tx, id: AllocationId) -> Result<Option<AllocationId>, StoreError> {
    const SQL: &str = "SELECT follows AS id FROM allocation WHERE id = $1";
    let row = tx.one::<IdRow>(SQL, [id.uuid().into()]).await?;
    Ok(row.and_then(|row| row.id).map(AllocationId::from_uuid))
}

/// The award that follows this one.
///
/// # Errors
/// When the database fails.
pub async fn follower(tx: &Tx, id: AllocationId) -> Result<Option<AllocationId>, StoreError> {
    const SQL: &str = "SELECT id FROM allocation WHERE follows = $1";
    let row = tx.one::<IdRow>(SQL, [id.uuid().into()]).await?;
    Ok(row.and_then(|row| row.id).map(AllocationId::from_uuid))
}
