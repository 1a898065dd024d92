//! Jobs that have ended, as far as a history of the machine's load tells of them.

use sea_orm::FromQueryResult;
use units::{JobId, OrganisationId, PartitionKey, Period, PersonId, ProjectId, Slug, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::scope::parsed;
use crate::{StoreError, Tx};

/// A job that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Which.
    pub id: JobId,
    /// The project it was charged to.
    pub project: ProjectId,
    /// The organisation that the project belongs to.
    pub organisation: OrganisationId,
    /// Who submitted it.
    pub person: PersonId,
    /// Where it ran.
    pub partition: PartitionKey,
    /// The nodes set aside for it.
    pub nodes: u32,
    /// The cores set aside for it, altogether.
    pub cores: u32,
    /// The GPUs set aside for it, altogether.
    pub gpus: u32,
    /// How long it asked to run.
    pub time_limit_seconds: i64,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it started and when it ended, if it ever started.
    pub ran: Option<(Timestamp, Timestamp)>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    project: Uuid,
    organisation: Uuid,
    person: Uuid,
    partition: String,
    nodes: i64,
    cores: i64,
    gpus: i64,
    time_limit_seconds: i64,
    submitted_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

impl Row {
    fn past(self) -> Result<Past, StoreError> {
        let count =
            |stored: i64| u32::try_from(stored).map_err(|error| StoreError::damaged("job", error));
        let started = self.started_at.map(instant).transpose()?;
        let ended = self.ended_at.map(instant).transpose()?;
        Ok(Past {
            id: JobId::from_uuid(self.id),
            project: ProjectId::from_uuid(self.project),
            organisation: OrganisationId::from_uuid(self.organisation),
            person: PersonId::from_uuid(self.person),
            partition: parsed("partition", &self.partition)?,
            nodes: count(self.nodes)?,
            cores: count(self.cores)?,
            gpus: count(self.gpus)?,
            time_limit_seconds: self.time_limit_seconds,
            submitted_at: instant(self.submitted_at)?,
            ran: started.zip(ended),
        })
    }
}

/// The jobs at `factory` that were submitted in `period` and have ended, in order of submission,
/// from behind the job `after` on; at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn history(
    tx: &Tx,
    (factory, period): (&Slug, Period),
    after: Option<(Timestamp, JobId)>,
    limit: u32,
) -> Result<Vec<Past>, StoreError> {
    const SQL: &str = "SELECT id, project, organisation, person, partition, nodes, cores, gpus,
            time_limit_seconds, submitted_at, started_at, ended_at
        FROM job WHERE factory = $1 AND state = 'ended' AND submitted_at >= $2
            AND submitted_at < $3 AND (submitted_at, id) > ($4, $5)
        ORDER BY submitted_at, id LIMIT $6";
    let start = (period.start(), JobId::from_uuid(Uuid::nil()));
    let (at, id) = after.unwrap_or(start);
    let values = [
        factory.to_string().into(),
        micros(period.start()).into(),
        micros(period.end()).into(),
        micros(at).into(),
        id.uuid().into(),
        i64::from(limit).into(),
    ];
    tx.all::<Row>(SQL, values).await?.into_iter().map(Row::past).collect()
}
