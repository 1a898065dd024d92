//! Applications: drafts, where they stand, and why they were refused.

use std::collections::BTreeMap;

use access::application::{Check, Draft, Member, Reason, State};
use sea_orm::FromQueryResult;
use serde::{Deserialize, Serialize};
use units::{
    AllocationId, ApplicationId, CallId, OrganisationId, PersonId, ProjectId, Slug, Timestamp,
};

use crate::db::{instant, micros};
use crate::scope::{Columns, Conditions, Scope, chosen, parsed};
use crate::{StoreError, Tx};

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Which.
    pub id: ApplicationId,
    /// Under which call.
    pub call: CallId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Who wrote it.
    pub created_by: PersonId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// What is asked.
    pub draft: Draft,
    /// How often it was written; a writer names the one it has read.
    pub version: i64,
    /// Where it stands.
    pub state: State,
    /// When it came to stand there, or was last written.
    pub state_at: Timestamp,
}

/// What a list is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only under this call.
    pub call: Option<CallId>,
    /// Only this organisation's.
    pub organisation: Option<OrganisationId>,
    /// Only those older than this one.
    pub before: Option<ApplicationId>,
    /// Without drafts of others than these organisations: a draft is its writers' affair.
    pub drafts_of: Option<Vec<OrganisationId>>,
}

#[derive(FromQueryResult)]
struct Row {
    id: uuid::Uuid,
    call: uuid::Uuid,
    organisation: uuid::Uuid,
    created_by: uuid::Uuid,
    created_at: i64,
    title: String,
    purpose: String,
    partition: Option<String>,
    hours: Option<i64>,
    months: Option<i64>,
    duties_accepted: bool,
    version: i64,
    state: String,
    state_at: i64,
    project: Option<uuid::Uuid>,
    allocation: Option<uuid::Uuid>,
    reasons: Option<String>,
    for_project: Option<uuid::Uuid>,
    fields: String,
    team: String,
}

#[derive(Serialize, Deserialize)]
struct MemberRow {
    name: String,
    email: String,
    organisation: String,
}

#[derive(Serialize, Deserialize)]
struct ReasonRow {
    rule: String,
    check: String,
    found: String,
    allowed: String,
    fits: Option<String>,
}

impl Row {
    fn application(self) -> Result<Application, StoreError> {
        let count = |number: i64| {
            u32::try_from(number).map_err(|error| StoreError::damaged("application", error))
        };
        let state_at = instant(self.state_at)?;
        let state = self.state(state_at)?;
        let partition = self.partition.as_deref().map(|text| parsed("partition", text));
        Ok(Application {
            id: ApplicationId::from_uuid(self.id),
            call: CallId::from_uuid(self.call),
            organisation: OrganisationId::from_uuid(self.organisation),
            created_by: PersonId::from_uuid(self.created_by),
            created_at: instant(self.created_at)?,
            draft: Draft {
                project: self.for_project.map(ProjectId::from_uuid),
                title: self.title,
                purpose: self.purpose,
                partition: partition.transpose()?,
                hours: self.hours.map(count).transpose()?,
                months: self.months.map(count).transpose()?,
                duties_accepted: self.duties_accepted,
                fields: slugs(&self.fields)?,
                team: team(&self.team)?,
            },
            version: self.version,
            state,
            state_at,
        })
    }

    fn state(&self, at: Timestamp) -> Result<State, StoreError> {
        let missing = || StoreError::damaged("application", "a decision without its outcome");
        Ok(match self.state.as_str() {
            "draft" => State::Draft,
            "submitted" => State::Submitted { at },
            "withdrawn" => State::Withdrawn { at },
            "awarded" => State::Awarded {
                at,
                project: ProjectId::from_uuid(self.project.ok_or_else(missing)?),
                allocation: AllocationId::from_uuid(self.allocation.ok_or_else(missing)?),
            },
            "refused" => {
                let text = self.reasons.as_deref().ok_or_else(missing)?;
                State::Refused { at, reasons: reasons(text)? }
            }
            other => return Err(StoreError::damaged("state of application", other)),
        })
    }
}

fn team(text: &str) -> Result<Vec<Member>, StoreError> {
    let rows: Vec<MemberRow> =
        serde_json::from_str(text).map_err(|error| StoreError::damaged("team", error))?;
    let member = |MemberRow { name, email, organisation }| Member { name, email, organisation };
    Ok(rows.into_iter().map(member).collect())
}

fn team_text(team: &[Member]) -> Result<String, StoreError> {
    let row = |it: &Member| MemberRow {
        name: it.name.clone(),
        email: it.email.clone(),
        organisation: it.organisation.clone(),
    };
    let rows: Vec<MemberRow> = team.iter().map(row).collect();
    serde_json::to_string(&rows).map_err(|error| StoreError::damaged("team", error))
}

/// Keys as they are stored, in a list.
pub(crate) fn slugs(text: &str) -> Result<Vec<Slug>, StoreError> {
    let damaged = |error| StoreError::damaged("list of keys", error);
    let keys: Vec<String> = serde_json::from_str(text).map_err(damaged)?;
    keys.iter().map(|key| parsed("key", key)).collect()
}

/// A list as it is stored.
pub(crate) fn list_text<T: ToString>(items: &[T]) -> Result<String, StoreError> {
    let texts: Vec<String> = items.iter().map(T::to_string).collect();
    serde_json::to_string(&texts).map_err(|error| StoreError::damaged("list", error))
}

fn reasons(text: &str) -> Result<Vec<Reason>, StoreError> {
    let damaged = |error| StoreError::damaged("reasons", error);
    let rows: Vec<ReasonRow> = serde_json::from_str(text).map_err(damaged)?;
    let reason = |row: ReasonRow| {
        Ok(Reason {
            rule: row.rule,
            check: chosen("check", &Check::WORDS, &row.check)?,
            found: row.found,
            allowed: row.allowed,
            fits: row.fits,
        })
    };
    rows.into_iter().map(reason).collect()
}

/// Adds an application in its first version.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, application: &Application) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO application (id, call, organisation, created_by, created_at,
        title, purpose, partition, hours, months, duties_accepted, version, state, state_at,
        for_project, fields, team)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let draft = &application.draft;
    let values = [
        application.id.uuid().into(),
        application.call.uuid().into(),
        application.organisation.uuid().into(),
        application.created_by.uuid().into(),
        micros(application.created_at).into(),
        draft.title.clone().into(),
        draft.purpose.clone().into(),
        draft.partition.as_ref().map(ToString::to_string).into(),
        draft.hours.map(i64::from).into(),
        draft.months.map(i64::from).into(),
        draft.duties_accepted.into(),
        application.version.into(),
        application.state.name().into(),
        micros(application.state_at).into(),
        draft.project.map(ProjectId::uuid).into(),
        list_text(&draft.fields)?.into(),
        team_text(&draft.team)?.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The applications under a call that wait for people to decide, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn undecided(tx: &Tx, call: CallId) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT * FROM application
        WHERE call = $1 AND state = 'submitted' ORDER BY state_at, id";
    let rows = tx.all::<Row>(SQL, [call.uuid().into()]).await?;
    rows.into_iter().map(Row::application).collect()
}

/// The applications that are not decided or withdrawn, newest first, older than `before`.
///
/// # Errors
/// When the database fails.
pub async fn open(
    tx: &Tx,
    before: Option<ApplicationId>,
    limit: u32,
) -> Result<Vec<Application>, StoreError> {
    let mut conditions = Conditions::default();
    if let Some(before) = before {
        conditions.and("id < {}", before.uuid());
    }
    let open = "SELECT * FROM (SELECT * FROM application
        WHERE state IN ('draft', 'submitted')) AS open";
    let (sql, values) = conditions.page(open, limit);
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::application).collect()
}

/// The applications that somebody was asked to review and that wait for a decision, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn reviewed_by(tx: &Tx, person: PersonId) -> Result<Vec<Application>, StoreError> {
    const SQL: &str = "SELECT a.* FROM application a JOIN review r ON r.application = a.id
        WHERE r.reviewer = $1 AND a.state = 'submitted' ORDER BY r.assigned_at, a.id LIMIT 500";
    let rows = tx.all::<Row>(SQL, [person.uuid().into()]).await?;
    rows.into_iter().map(Row::application).collect()
}

/// The people who wrote the applications that wait for a decision under a call.
///
/// # Errors
/// When the database fails.
pub async fn writers(
    tx: &Tx,
    call: CallId,
) -> Result<BTreeMap<PersonId, (String, String)>, StoreError> {
    #[derive(FromQueryResult)]
    struct Writer {
        id: uuid::Uuid,
        name: String,
        email: String,
    }
    const SQL: &str = "SELECT DISTINCT p.id, p.name, p.email FROM person p
        JOIN application a ON a.created_by = p.id WHERE a.call = $1 AND a.state = 'submitted'";
    let rows = tx.all::<Writer>(SQL, [call.uuid().into()]).await?;
    let read = |row: Writer| (PersonId::from_uuid(row.id), (row.name, row.email));
    Ok(rows.into_iter().map(read).collect())
}

/// Who has written a draft under a call.
///
/// # Errors
/// When the database fails.
pub async fn writers_of_drafts(tx: &Tx, call: CallId) -> Result<Vec<PersonId>, StoreError> {
    #[derive(FromQueryResult)]
    struct Writer {
        created_by: uuid::Uuid,
    }
    const SQL: &str = "SELECT DISTINCT created_by FROM application
        WHERE call = $1 AND state = 'draft' ORDER BY created_by";
    let rows = tx.all::<Writer>(SQL, [call.uuid().into()]).await?;
    Ok(rows.into_iter().map(|row| PersonId::from_uuid(row.created_by)).collect())
}

/// The application with this id.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: ApplicationId) -> Result<Option<Application>, StoreError> {
    const SQL: &str = "SELECT * FROM application WHERE id = $1";
    tx.one::<Row>(SQL, [id.uuid().into()]).await?.map(Row::application).transpose()
}

/// Writes a draft again. `false` when it is no draft any more, or no longer of `version`.
///
/// # Errors
/// When the database fails.
pub async fn write(
    tx: &Tx,
    id: ApplicationId,
    draft: &Draft,
    (version, at): (i64, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE application SET title = $3, purpose = $4, partition = $5, hours = $6,
        months = $7, duties_accepted = $8, version = version + 1, state_at = $9,
        for_project = $10, fields = $11, team = $12
        WHERE id = $1 AND version = $2 AND state = 'draft'";
    let values = [
        id.uuid().into(),
        version.into(),
        draft.title.clone().into(),
        draft.purpose.clone().into(),
        draft.partition.as_ref().map(ToString::to_string).into(),
        draft.hours.map(i64::from).into(),
        draft.months.map(i64::from).into(),
        draft.duties_accepted.into(),
        micros(at).into(),
        draft.project.map(ProjectId::uuid).into(),
        list_text(&draft.fields)?.into(),
        team_text(&draft.team)?.into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Moves an application from the state called `from` to `to`. `false` when it stands elsewhere.
///
/// # Errors
/// When the database fails.
pub async fn advance(
    tx: &Tx,
    id: ApplicationId,
    from: &str,
    to: &State,
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE application SET state = $3, state_at = $4, project = $5,
        allocation = $6, reasons = $7, version = version + 1 WHERE id = $1 AND state = $2";
    let (project, allocation) = match to {
        State::Awarded { project, allocation, .. } => {
            (Some(project.uuid()), Some(allocation.uuid()))
        }
        _ => (None, None),
    };
    let values = [
        id.uuid().into(),
        from.into(),
        to.name().into(),
        micros(at).into(),
        project.into(),
        allocation.into(),
        written(to)?.into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

fn written(state: &State) -> Result<Option<String>, StoreError> {
    let State::Refused { reasons, .. } = state else {
        return Ok(None);
    };
    let row = |reason: &Reason| ReasonRow {
        rule: reason.rule.clone(),
        check: reason.check.to_string(),
        found: reason.found.clone(),
        allowed: reason.allowed.clone(),
        fits: reason.fits.clone(),
    };
    let rows: Vec<ReasonRow> = reasons.iter().map(row).collect();
    let text = serde_json::to_string(&rows);
    text.map(Some).map_err(|error| StoreError::damaged("reasons", error))
}

/// Applications in `scope` that `filter` lets through, newest first.
///
/// # Errors
/// When the database fails.
pub async fn page(
    tx: &Tx,
    scope: &Scope,
    filter: &Filter,
    limit: u32,
) -> Result<Vec<Application>, StoreError> {
    const COLUMNS: Columns = Columns {
        organisation: Some("organisation"),
        project: None,
        partition: Some("partition IN ({})"),
    };
    let mut conditions = Conditions::within(scope, COLUMNS);
    if let Some(call) = filter.call {
        conditions.and("call = {}", call.uuid());
    }
    if let Some(organisation) = filter.organisation {
        conditions.and("organisation = {}", organisation.uuid());
    }
    if let Some(before) = filter.before {
        conditions.and("id < {}", before.uuid());
    }
    if let Some(writers) = &filter.drafts_of {
        conditions.or_one_of("state <> 'draft'", "organisation", writers);
    }
    let (sql, values) = conditions.page("SELECT * FROM application", limit);
    tx.all::<Row>(&sql, values).await?.into_iter().map(Row::application).collect()
}

#[cfg(test)]
pub(crate) mod tests;
