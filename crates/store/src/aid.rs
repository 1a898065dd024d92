//! The register of State aid: entered once, never changed; and who is one undertaking with whom.

use std::collections::BTreeSet;

use access::aid::AidLine;
use access::organisation::Organisation;
use jiff::civil::Date;
use sea_orm::FromQueryResult;
use units::{AllocationId, Cents, CountryCode, OrganisationId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::scope::{Conditions, parsed};
use crate::{StoreError, Tx};

/// Aid on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AidRecord {
    /// Which.
    pub id: Uuid,
    /// What was granted to whom.
    pub line: AidLine,
    /// The ceiling it was held to, with its version; `declared` for aid of others.
    pub rule: String,
    /// Who entered it.
    pub entered_by: String,
    /// When.
    pub entered_at: Timestamp,
    /// The name of the beneficiary.
    pub name: String,
    /// Its number in a public register.
    pub registration: Option<String>,
    /// The state it is established in.
    pub country: CountryCode,
}

/// Which part of the register.
#[derive(Clone, Debug, Default)]
pub struct AidFilter {
    /// Aid of this Member State.
    pub state: Option<CountryCode>,
    /// Granted on this day or later.
    pub from: Option<Date>,
    /// Granted on this day or before.
    pub to: Option<Date>,
    /// Entered before this.
    pub before: Option<Uuid>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    organisation: Uuid,
    state: String,
    granted_on: String,
    amount: i64,
    authority: String,
    instrument: String,
    sector: Option<String>,
    allocation: Option<Uuid>,
    rule: String,
    entered_by: String,
    entered_at: i64,
    name: String,
    registration: Option<String>,
    country: String,
}

impl Row {
    fn record(self) -> Result<AidRecord, StoreError> {
        let line = AidLine {
            beneficiary: OrganisationId::from_uuid(self.organisation),
            state: parsed("state", &self.state)?,
            granted_on: parsed("day", &self.granted_on)?,
            amount: Cents::new(self.amount),
            authority: self.authority,
            instrument: self.instrument,
            sector: self.sector,
            allocation: self.allocation.map(AllocationId::from_uuid),
        };
        Ok(AidRecord {
            id: self.id,
            line,
            rule: self.rule,
            entered_by: self.entered_by,
            entered_at: instant(self.entered_at)?,
            name: self.name,
            registration: self.registration,
            country: parsed("country", &self.country)?,
        })
    }
}

/// What is said of aid beside its line when it is entered.
#[derive(Clone, Copy, Debug)]
pub struct Entering<'a> {
    /// Its id.
    pub id: Uuid,
    /// The rule it was held to.
    pub rule: &'a str,
    /// Who enters it.
    pub by: &'a str,
    /// When.
    pub at: Timestamp,
}

/// Enters aid.
///
/// # Errors
/// When the database fails.
pub async fn enter(tx: &Tx, line: &AidLine, entering: Entering<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO aid (id, organisation, state, granted_on, amount, authority,
        instrument, sector, allocation, rule, entered_by, entered_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = [
        entering.id.into(),
        line.beneficiary.uuid().into(),
        line.state.to_string().into(),
        line.granted_on.to_string().into(),
        line.amount.count().into(),
        line.authority.clone().into(),
        line.instrument.clone().into(),
        line.sector.clone().into(),
        line.allocation.map(AllocationId::uuid).into(),
        entering.rule.into(),
        entering.by.into(),
        micros(entering.at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

const SELECT: &str = "SELECT * FROM (SELECT a.*, o.name, o.registration, o.country
    FROM aid a JOIN organisation o ON o.id = a.organisation) AS register";

/// A part of the register, newest entry first.
///
/// # Errors
/// When the database fails.
pub async fn register(
    tx: &Tx,
    filter: &AidFilter,
    limit: u32,
) -> Result<Vec<AidRecord>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(state) = filter.state {
        conditions.and("state = {}", state.to_string());
    }
    // Days are stored as they are written, which sorts as they follow one another.
    if let Some(from) = filter.from {
        conditions.and("granted_on >= {}", from.to_string());
    }
    if let Some(to) = filter.to {
        conditions.and("granted_on <= {}", to.to_string());
    }
    if let Some(before) = filter.before {
        conditions.and("id < {}", before);
    }
    let (sql, values) = conditions.page(SELECT, limit);
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::record).collect()
}

/// All aid of one organisation, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_organisation(
    tx: &Tx,
    organisation: OrganisationId,
) -> Result<Vec<AidRecord>, StoreError> {
    let sql = format!("{SELECT} WHERE organisation = $1 ORDER BY granted_on, id");
    let rows = tx.all::<Row>(&sql, [organisation.uuid().into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// Puts on record with whom an organisation says to be one undertaking, in place of before.
///
/// # Errors
/// When the database fails.
pub async fn set_undertaking(
    tx: &Tx,
    organisation: &Organisation,
    others: &BTreeSet<OrganisationId>,
) -> Result<(), StoreError> {
    let id = organisation.id.uuid();
    tx.execute("DELETE FROM undertaking WHERE organisation = $1", [id.into()]).await?;
    for other in others {
        const SQL: &str = "INSERT INTO undertaking (organisation, other) VALUES ($1, $2)";
        tx.execute(SQL, [id.into(), other.uuid().into()]).await?;
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Pair {
    one: Uuid,
    other: Uuid,
}

/// How many organisations one statement names at most.
const NAMED_MAX: usize = 500;

/// The organisations on record that each of these names, or that name it, in pairs.
///
/// # Errors
/// When the database fails.
pub async fn next_in_undertaking(
    tx: &Tx,
    organisations: &[OrganisationId],
) -> Result<Vec<(OrganisationId, OrganisationId)>, StoreError> {
    let mut pairs = Vec::new();
    for portion in organisations.chunks(NAMED_MAX) {
        let sql = format!(
            "SELECT u.organisation AS one, o.id AS other FROM undertaking u
                JOIN organisation o ON o.id = u.other WHERE {}
            UNION SELECT other AS one, organisation AS other FROM undertaking WHERE {}",
            is_in("u.organisation", portion.len()),
            is_in("other", portion.len())
        );
        let found = tx.all::<Pair>(&sql, portion.iter().map(|id| id.uuid().into())).await?;
        let pair =
            |it: Pair| (OrganisationId::from_uuid(it.one), OrganisationId::from_uuid(it.other));
        pairs.extend(found.into_iter().map(pair));
    }
    Ok(pairs)
}
