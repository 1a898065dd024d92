//! Alerts: which allocation crossed which threshold of policy, when. Entered once, never changed.

use std::collections::BTreeMap;

use access::allocation::{Alert, Crossing};
use access::policy::RuleId;
use sea_orm::FromQueryResult;
use units::{AllocationId, PartsPerMillion, ProjectId, Timestamp, Work};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// An alert on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertRecord {
    /// Which.
    pub id: Uuid,
    /// The allocation that crossed the threshold.
    pub allocation: AllocationId,
    /// When it was entered.
    pub at: Timestamp,
    /// Which threshold, and how the allocation stood to it.
    pub alert: Alert,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    allocation: Uuid,
    threshold: String,
    rule_file: String,
    rule_from: String,
    kind: String,
    parts: Option<i64>,
    amount: Option<i64>,
    ahead_at: Option<i64>,
    entered_at: i64,
}

impl Row {
    fn record(self) -> Result<AlertRecord, StoreError> {
        let crossing = self.crossing()?;
        let from = parsed("day of an alert's rule", &self.rule_from)?;
        let rule = RuleId { file: self.rule_file, entry: self.threshold, from };
        Ok(AlertRecord {
            id: self.id,
            allocation: AllocationId::from_uuid(self.allocation),
            at: instant(self.entered_at)?,
            alert: Alert { rule, crossing },
        })
    }

    fn crossing(&self) -> Result<Crossing, StoreError> {
        let damaged = || StoreError::damaged("alert", &self.kind);
        let percent = || {
            let parts = self.parts.and_then(|parts| u32::try_from(parts).ok());
            parts.map(PartsPerMillion::new).ok_or_else(damaged)
        };
        let amount = || self.amount.map(Work::seconds).ok_or_else(damaged);
        Ok(match self.kind.as_str() {
            "used" => Crossing::Used { percent: percent()?, used: amount()? },
            "runs-out-early" => {
                Crossing::RunsOutEarly { at: instant(self.ahead_at.ok_or_else(damaged)?)? }
            }
            "unused-at-end" => Crossing::UnusedAtEnd { percent: percent()?, left: amount()? },
            _ => return Err(damaged()),
        })
    }
}

/// Enters an alert; `false` when the allocation has one of this threshold already.
///
/// # Errors
/// When the database fails.
pub async fn enter(tx: &Tx, record: &AlertRecord) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO alert (id, allocation, threshold, rule_file, rule_from, kind,
            parts, amount, ahead_at, entered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (allocation, threshold) DO NOTHING";
    let (kind, percent, amount, at) = match record.alert.crossing {
        Crossing::Used { percent, used } => ("used", Some(percent), Some(used), None),
        Crossing::RunsOutEarly { at } => ("runs-out-early", None, None, Some(at)),
        Crossing::UnusedAtEnd { percent, left } => {
            ("unused-at-end", Some(percent), Some(left), None)
        }
    };
    let rule = &record.alert.rule;
    let values = [
        record.id.into(),
        record.allocation.uuid().into(),
        rule.entry.clone().into(),
        rule.file.clone().into(),
        rule.from.to_string().into(),
        kind.into(),
        percent.map(|percent| i64::from(percent.parts())).into(),
        amount.map(Work::count).into(),
        at.map(micros).into(),
        micros(record.at).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// The thresholds that an allocation has crossed, by their keys.
///
/// # Errors
/// When the database fails.
pub async fn crossed(tx: &Tx, allocation: AllocationId) -> Result<Vec<String>, StoreError> {
    #[derive(FromQueryResult)]
    struct Key {
        threshold: String,
    }
    const SQL: &str = "SELECT threshold FROM alert WHERE allocation = $1 ORDER BY threshold";
    let rows = tx.all::<Key>(SQL, [allocation.uuid().into()]).await?;
    Ok(rows.into_iter().map(|row| row.threshold).collect())
}

/// The thresholds that allocations in use at `at` have crossed, by their keys; allocations that
/// crossed none are left out.
///
/// # Errors
/// When the database fails.
pub async fn crossed_by_active(
    tx: &Tx,
    at: Timestamp,
) -> Result<BTreeMap<AllocationId, Vec<String>>, StoreError> {
    #[derive(FromQueryResult)]
    struct Crossed {
        allocation: Uuid,
        threshold: String,
    }
    const SQL: &str = "SELECT l.allocation, l.threshold
        FROM alert l JOIN allocation a ON a.id = l.allocation
        WHERE a.lapsed_at IS NULL AND a.ends_at > $1";
    let mut crossed = BTreeMap::<_, Vec<String>>::new();
    for row in tx.all::<Crossed>(SQL, [micros(at).into()]).await? {
        crossed.entry(AllocationId::from_uuid(row.allocation)).or_default().push(row.threshold);
    }
    Ok(crossed)
}

/// The alerts of a project's allocations, newest first.
///
/// # Errors
/// When the database fails.
pub async fn of_project(tx: &Tx, project: ProjectId) -> Result<Vec<AlertRecord>, StoreError> {
    const SQL: &str = "SELECT l.id, l.allocation, l.threshold, l.rule_file, l.rule_from, l.kind,
            l.parts, l.amount, l.ahead_at, l.entered_at
        FROM alert l JOIN allocation a ON a.id = l.allocation
        WHERE a.project = $1 ORDER BY l.entered_at DESC, COALESCE(l.parts, 0) DESC, l.threshold,
            l.allocation DESC";
    let rows = tx.all::<Row>(SQL, [project.uuid().into()]).await?;
    rows.into_iter().map(Row::record).collect()
}
