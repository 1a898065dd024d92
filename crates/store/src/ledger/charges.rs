//! What stands charged for many jobs, read at once.

use std::collections::BTreeMap;

use sea_orm::{FromQueryResult, Value};
use units::{JobId, Work};
use uuid::Uuid;

use super::write::is_in;
use crate::{StoreError, Tx};

/// Jobs that one statement asks for, at most.
const AT_ONCE: usize = 256;

/// What stands charged for a job after corrections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charged {
    /// What it used, including what the site bears.
    pub used: Work,
    /// The part that the site bears.
    pub borne: Work,
}

#[derive(FromQueryResult)]
struct Row {
    job: Uuid,
    used: i64,
    borne: i64,
}

/// What stands charged for each of these jobs; those that were never settled or charged are left
/// out.
///
/// # Errors
/// When the store fails.
pub async fn charges_of(tx: &Tx, jobs: &[JobId]) -> Result<BTreeMap<JobId, Charged>, StoreError> {
    let mut charged = BTreeMap::new();
    for some in jobs.chunks(AT_ONCE) {
        let of = |column: &str| is_in(column, some.len());
        let sql = format!(
            "WITH first AS (\
                 SELECT h.job, s.seq, s.amount FROM ledger_entry h JOIN ledger_entry s \
                     ON s.refers = h.seq AND s.kind IN ('settle', 'release') \
                     WHERE h.kind = 'hold' AND s.kind = 'settle' AND {} \
                 UNION ALL SELECT job, seq, amount FROM ledger_entry \
                     WHERE kind = 'charge' AND {}), \
             every AS (\
                 SELECT job, seq, amount FROM first \
                 UNION ALL SELECT f.job, c.seq, c.amount FROM first f JOIN ledger_entry c \
                     ON c.refers = f.seq AND c.kind = 'correction') \
             SELECT e.job AS job, CAST(SUM(e.amount) AS BIGINT) AS used, \
                 CAST(SUM((SELECT COALESCE(SUM(CASE WHEN t.target = a.number THEN t.amount \
                     ELSE -t.amount END), 0) FROM ledger_transfer t JOIN ledger_account a \
                     ON a.number IN (t.source, t.target) AND a.name LIKE '%/absorbed/%' \
                     WHERE t.seq = e.seq)) AS BIGINT) AS borne \
             FROM every e GROUP BY e.job",
            of("h.job"),
            of("job"),
        );
        let values = some.iter().map(|job| Value::from(job.uuid()));
        for row in tx.all::<Row>(&sql, values).await? {
            let (used, borne) = (Work::seconds(row.used), Work::seconds(row.borne));
            charged.insert(JobId::from_uuid(row.job), Charged { used, borne });
        }
    }
    Ok(charged)
}
