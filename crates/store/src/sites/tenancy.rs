//! What sites tell of the books of their schedulers, and which allocations are held back at a site.

use sea_orm::FromQueryResult;
use units::{AllocationId, Slug, Timestamp};

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// What a site told last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Option<Timestamp>,
    /// When it was last as the hub wishes.
    pub agreed_at: Option<Timestamp>,
    /// What, in the words of its protocol.
    pub report: Option<String>,
    /// The plan that is to be carried out.
    pub apply: Option<String>,
}

/// An allocation that is held back at a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// Which.
    pub allocation: AllocationId,
    /// How: `paused` or `downscaled`.
    pub standing: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// What a site told; nothing where it never did.
///
/// # Errors
/// When the database fails.
pub async fn of(tx: &Tx, site: &Slug) -> Result<Told, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        told_at: Option<i64>,
        agreed_at: Option<i64>,
        report: Option<String>,
        apply: Option<String>,
    }
    const SQL: &str = "SELECT told_at, agreed_at, report, apply FROM site_tenancy WHERE site = $1";
    let Some(row) = tx.one::<Row>(SQL, [site.to_string().into()]).await? else {
        return Ok(Told::default());
    };
    Ok(Told {
        at: row.told_at.map(instant).transpose()?,
        agreed_at: row.agreed_at.map(instant).transpose()?,
        report: row.report,
        apply: row.apply,
    })
}

/// Notes what a site told; the latest counts. `agrees`: whether it is as the hub wishes.
///
/// # Errors
/// When the database fails, or the site was never entered.
pub async fn note(
    tx: &Tx,
    site: &Slug,
    (at, agrees): (Timestamp, bool),
    report: &str,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_tenancy (site, told_at, agreed_at, report)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (site) DO UPDATE SET told_at = excluded.told_at, report = excluded.report,
            agreed_at = COALESCE(excluded.agreed_at, site_tenancy.agreed_at)";
    let agreed_at = agrees.then(|| micros(at));
    let values = [site.to_string().into(), micros(at).into(), agreed_at.into(), report.into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Notes which plan is to be carried out; `None` for none.
///
/// # Errors
/// When the database fails.
pub async fn set_apply(tx: &Tx, site: &Slug, plan: Option<&str>) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE site_tenancy SET apply = $2 WHERE site = $1";
    tx.execute(SQL, [site.to_string().into(), plan.map(str::to_owned).into()]).await?;
    Ok(())
}

/// The allocations that are held back at a site.
///
/// # Errors
/// When the database fails.
pub async fn held_back(tx: &Tx, site: &Slug) -> Result<Vec<HeldBack>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        allocation: uuid::Uuid,
        standing: String,
        reason: String,
        at: i64,
    }
    const SQL: &str = "SELECT allocation, standing, reason, at FROM site_standing
        WHERE site = $1 ORDER BY at, allocation";
    let rows = tx.all::<Row>(SQL, [site.to_string().into()]).await?;
    let held_back = |row: Row| {
        Ok(HeldBack {
            allocation: AllocationId::from_uuid(row.allocation),
            standing: row.standing,
            reason: row.reason,
            since: instant(row.at)?,
        })
    };
    rows.into_iter().map(held_back).collect()
}

/// Holds an allocation back at a site; said again, what is said last holds.
///
/// # Errors
/// When the database fails, or there is no such site or allocation.
pub async fn hold_back(tx: &Tx, site: &Slug, held: &HeldBack) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO site_standing (site, allocation, standing, reason, at)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (site, allocation) DO UPDATE SET standing = excluded.standing,
            reason = excluded.reason, at = excluded.at";
    let values = [
        site.to_string().into(),
        held.allocation.uuid().into(),
        held.standing.clone().into(),
        held.reason.clone().into(),
        micros(held.since).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Holds an allocation back no more; whether it was.
///
/// # Errors
/// When the database fails.
pub async fn let_go(tx: &Tx, site: &Slug, allocation: AllocationId) -> Result<bool, StoreError> {
    const SQL: &str = "DELETE FROM site_standing WHERE site = $1 AND allocation = $2";
    Ok(tx.execute(SQL, [site.to_string().into(), allocation.uuid().into()]).await? > 0)
}
