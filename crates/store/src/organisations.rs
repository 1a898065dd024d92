//! Organisations and what they declare about their size.

mod declarations;
mod verifications;
mod words;

use access::organisation::{Organisation, OrganisationKind};
use sea_orm::FromQueryResult;
use units::{OrganisationId, Timestamp};

use crate::db::micros;
use crate::ledger::is_in;
use crate::scope::{Columns, Conditions, Scope, chosen, parsed};
use crate::{StoreError, Tx};

pub(crate) use declarations::GroupRow;
pub use declarations::{
    Declaration, DeclarationTold, declarations_to_tell_of, declare, latest_declaration,
    set_declaration_told,
};
pub use verifications::{Verification, verifications, verify};
pub(crate) use words::words;

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those whose names have words that begin so.
    pub name: Option<String>,
    /// Only those older than this one.
    pub before: Option<OrganisationId>,
}

/// How many identifiers one statement names at most.
const IDS_MAX: usize = 500;

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    name: String,
    kind: String,
    country: String,
    legal_form: Option<String>,
    registration: Option<String>,
    sector: Option<String>,
    nace: Option<String>,
    registered_on: Option<String>,
}

impl Row {
    fn organisation(self) -> Result<Organisation, StoreError> {
        let day = |text: String| parsed("day of registration", &text);
        Ok(Organisation {
            id: OrganisationId::from_uuid(self.id),
            name: self.name,
            kind: chosen("kind of organisation", &OrganisationKind::WORDS, &self.kind)?,
            country: parsed("country", &self.country)?,
            legal_form: self.legal_form,
            registration: self.registration,
            sector: self.sector,
            nace: self.nace.map(|code| parsed("code of NACE", &code)).transpose()?,
            registered_on: self.registered_on.map(day).transpose()?,
        })
    }
}

/// Adds an organisation, put on record by `created_by`.
///
/// # Errors
/// [`StoreError::Exists`] when its country has one with the same registration number.
pub async fn insert(
    tx: &Tx,
    organisation: &Organisation,
    created_by: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO organisation (id, name, kind, country, legal_form, registration,
        sector, registered_on, created_by, created_at, nace)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values = [
        organisation.id.uuid().into(),
        organisation.name.clone().into(),
        organisation.kind.to_string().into(),
        organisation.country.to_string().into(),
        organisation.legal_form.clone().into(),
        organisation.registration.clone().into(),
        organisation.sector.clone().into(),
        organisation.registered_on.map(|day| day.to_string()).into(),
        created_by.into(),
        micros(at).into(),
        organisation.nace.as_ref().map(ToString::to_string).into(),
    ];
    let inserted = tx.execute(SQL, values).await;
    inserted.map_err(|error| error.or_exists("an organisation with this registration"))?;
    words::enter(tx, organisation.id, &organisation.name).await
}

/// The organisation with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: OrganisationId) -> Result<Option<Organisation>, StoreError> {
    const SQL: &str = "SELECT * FROM organisation WHERE id = $1";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::organisation).transpose()
}

/// Makes decisions about an organisation wait for one another until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &Tx, id: OrganisationId) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE organisation SET name = name WHERE id = $1";
    tx.execute(SQL, [id.uuid().into()]).await?;
    Ok(())
}

/// Those of these organisations that are on record, newest first.
///
/// # Errors
/// When the database fails.
pub async fn all_of(tx: &Tx, ids: &[OrganisationId]) -> Result<Vec<Organisation>, StoreError> {
    let mut found = Vec::with_capacity(ids.len());
    for portion in ids.chunks(IDS_MAX) {
        let chosen = is_in("id", portion.len());
        let sql = format!("SELECT * FROM organisation WHERE {chosen} ORDER BY id DESC");
        let rows = tx.all::<Row>(&sql, portion.iter().map(|id| id.uuid().into())).await?;
        for row in rows {
            found.push(row.organisation()?);
        }
    }
    Ok(found)
}

/// Organisations in `scope` that `filter` lets through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    scope: &Scope,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Organisation>, StoreError> {
    const COLUMNS: Columns = Columns {
        organisation: Some("id"),
        project: None,
        partition: Some(
            "id IN (SELECT p.organisation FROM project p JOIN allocation a ON a.project = p.id
                WHERE a.partition IN ({}))",
        ),
    };
    let mut conditions = Conditions::within(scope, COLUMNS);
    if let Some(name) = &filter.name {
        words::sought(&mut conditions, name);
    }
    if let Some(before) = filter.before {
        conditions.and("id < {}", before.uuid());
    }
    let (sql, values) = conditions.page("SELECT * FROM organisation", limit);
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::organisation).collect()
}
