//! Final reports, one an allocation; a later one takes the place of an earlier.

use sea_orm::FromQueryResult;
use units::{AllocationId, Timestamp};

use super::Row as AllocationRow;
use crate::db::{instant, micros};
use crate::{StoreError, Tx};
use access::allocation::Allocation;

/// A report that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRecord {
    /// What it says.
    pub content: String,
    /// Who handed it in.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromQueryResult)]
struct Row {
    content: String,
    handed_in_by: String,
    handed_in_at: i64,
}

/// Takes a report in.
///
/// # Errors
/// When the database fails.
pub async fn put_report(
    tx: &Tx,
    id: AllocationId,
    report: &ReportRecord,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO award_report (allocation, content, handed_in_by, handed_in_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (allocation) DO UPDATE SET content = excluded.content,
            handed_in_by = excluded.handed_in_by, handed_in_at = excluded.handed_in_at";
    let values = [
        id.uuid().into(),
        report.content.clone().into(),
        report.by.clone().into(),
        micros(report.at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The report of an allocation, if it came.
///
/// # Errors
/// When the database fails.
pub async fn report(tx: &Tx, id: AllocationId) -> Result<Option<ReportRecord>, StoreError> {
    const SQL: &str = "SELECT content, handed_in_by, handed_in_at FROM award_report
        WHERE allocation = $1";
    let row = tx.one::<Row>(SQL, [id.uuid().into()]).await?;
    row.map(|row| {
        let at = instant(row.handed_in_at)?;
        Ok(ReportRecord { content: row.content, by: row.handed_in_by, at })
    })
    .transpose()
}

/// The allocations that are over by `at` and have no report, the earliest end first.
///
/// # Errors
/// When the database fails.
pub async fn without_report(
    tx: &Tx,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<Allocation>, StoreError> {
    const SQL: &str = "SELECT * FROM allocation a
        WHERE (a.ends_at <= $1 OR a.closed_at <= $1)
          AND NOT EXISTS (SELECT 1 FROM award_report r WHERE r.allocation = a.id)
        ORDER BY a.ends_at, a.id LIMIT $2";
    let rows = tx.all::<AllocationRow>(SQL, [micros(at).into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(AllocationRow::allocation).collect()
}

/// How much was told of a report that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportTold {
    /// Nothing yet.
    Nothing,
    /// That it is due.
    Due,
    /// That it is overdue: there is nothing more to tell.
    Overdue,
}

impl ReportTold {
    const fn stored(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Due => 1,
            Self::Overdue => 2,
        }
    }
}

/// Allocations that were over at `at`, without a report, and of which there is more to tell; those
/// of which nothing was told come first, and then the longest over.
///
/// # Errors
/// When the database fails.
pub async fn to_tell_of(
    tx: &Tx,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<(Allocation, ReportTold)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Over {
        #[sea_orm(nested)]
        allocation: AllocationRow,
        report_told: i64,
    }
    const SQL: &str = "SELECT * FROM allocation a
        WHERE a.report_told < 2 AND (a.ends_at <= $1 OR a.closed_at <= $1)
          AND NOT EXISTS (SELECT 1 FROM award_report r WHERE r.allocation = a.id)
        ORDER BY a.report_told, a.ends_at, a.id LIMIT $2";
    let rows = tx.all::<Over>(SQL, [micros(at).into(), i64::from(limit).into()]).await?;
    let over = |row: Over| {
        let told = if row.report_told == 0 { ReportTold::Nothing } else { ReportTold::Due };
        Ok((row.allocation.allocation()?, told))
    };
    rows.into_iter().map(over).collect()
}

/// Enters how much was told of an allocation's report.
///
/// # Errors
/// When the database fails.
pub async fn set_report_told(
    tx: &Tx,
    id: AllocationId,
    told: ReportTold,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE allocation SET report_told = $2 WHERE id = $1";
    tx.execute(SQL, [id.uuid().into(), told.stored().into()]).await?;
    Ok(())
}
