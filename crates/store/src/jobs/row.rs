//! A job as its row.

use std::num::NonZeroU32;

use ::jobs::Memory;
use ::jobs::life::{Life, State};
use ::jobs::request::Request;
use sea_orm::FromQueryResult;
use units::{AllocationId, JobId, OrganisationId, PersonId, ProjectId, Work};
use uuid::Uuid;
use vault::Recipe;

use super::{Element, Job, Measured, OpenJob, Owner, Place, Program};
use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// The columns of a [`Row`], in any statement that reads one.
pub(super) const COLUMNS: &str = "id, number, array_id, array_number, array_index, array_at_once, project, organisation,
    person, allocation, factory, site, partition, charge_rule, name, service, service_version,
    script, environment, network, folder, stdout, stderr, options, dependency, nodes, tasks, cores,
    memory_mb, gpus, time_limit_seconds, held, charged, submitted_at, state, cancel_asked, started_at, ended_at,
    ended_how, reason, peak_memory_mb, cpu_milliseconds, stdout_bytes, stderr_bytes, metrics, node_list,
    (SELECT email FROM person WHERE person.id = job.person) AS email";

/// The columns of an [`OpenRow`].
pub(super) const OPEN_COLUMNS: &str =
    "id, nodes, tasks, cores, memory_mb, gpus, time_limit_seconds, state";

/// What of a job matters to others in line.
#[derive(FromQueryResult)]
pub(super) struct OpenRow {
    id: Uuid,
    nodes: i64,
    tasks: i64,
    cores: i64,
    memory_mb: i64,
    gpus: i64,
    time_limit_seconds: i64,
    state: String,
}

impl OpenRow {
    pub(super) fn job(self) -> Result<OpenJob, StoreError> {
        let Self { nodes, tasks, cores, memory_mb, gpus, time_limit_seconds, .. } = self;
        Ok(OpenJob {
            id: JobId::from_uuid(self.id),
            request: request([nodes, tasks, cores, memory_mb, gpus, time_limit_seconds])?,
            waits: self.state != "running",
        })
    }
}

/// Nodes, tasks, cores, memory, GPUs and time limit as they are stored.
fn request(
    [nodes, tasks, cores, memory_mb, gpus, time_limit_seconds]: [i64; 6],
) -> Result<Request, StoreError> {
    Ok(Request {
        nodes: count(nodes)?,
        tasks: count(tasks)?,
        cores: count(cores)?,
        memory: Memory::mebibytes(u64::try_from(memory_mb).map_err(damaged)?),
        gpus: u32::try_from(gpus).map_err(damaged)?,
        time_limit_seconds: count(time_limit_seconds)?,
    })
}

#[derive(FromQueryResult)]
pub(super) struct Row {
    id: Uuid,
    number: Option<i64>,
    array_id: Option<Uuid>,
    array_number: Option<i64>,
    array_index: Option<i64>,
    array_at_once: Option<i64>,
    project: Uuid,
    organisation: Uuid,
    person: Uuid,
    allocation: Uuid,
    factory: String,
    site: String,
    partition: String,
    charge_rule: String,
    name: String,
    service: Option<String>,
    service_version: Option<String>,
    script: String,
    environment: String,
    network: bool,
    folder: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    options: Option<String>,
    dependency: Option<String>,
    nodes: i64,
    tasks: i64,
    cores: i64,
    memory_mb: i64,
    gpus: i64,
    time_limit_seconds: i64,
    held: i64,
    charged: Option<i64>,
    submitted_at: i64,
    state: String,
    cancel_asked: bool,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    ended_how: Option<String>,
    reason: Option<String>,
    peak_memory_mb: Option<i64>,
    cpu_milliseconds: Option<i64>,
    stdout_bytes: i64,
    stderr_bytes: i64,
    metrics: i64,
    node_list: Option<String>,
    email: Option<String>,
}

impl Row {
    pub(super) fn job(self) -> Result<Job, StoreError> {
        Ok(Job {
            id: JobId::from_uuid(self.id),
            number: self.number.unwrap_or_default(),
            element: self.element()?,
            owner: Owner {
                project: ProjectId::from_uuid(self.project),
                organisation: OrganisationId::from_uuid(self.organisation),
                person: PersonId::from_uuid(self.person),
                allocation: AllocationId::from_uuid(self.allocation),
            },
            place: Place {
                factory: parsed(&self.factory)?,
                site: parsed(&self.site)?,
                partition: parsed(&self.partition)?,
                charge_rule: parsed(&self.charge_rule)?,
            },
            dependency: self.dependency.as_deref().map(parsed).transpose()?,
            request: self.request()?,
            held: Work::seconds(self.held),
            charged: self.charged.map(Work::seconds),
            submitted_at: instant(self.submitted_at)?,
            life: self.life()?,
            measured: Measured {
                peak_memory_mb: self.peak_memory_mb,
                cpu_milliseconds: self.cpu_milliseconds,
                stdout_bytes: self.stdout_bytes,
                stderr_bytes: self.stderr_bytes,
                metrics: self.metrics,
            },
            program: self.program()?,
            user: user(&self.email.unwrap_or_default()).to_owned(),
            nodes: self.node_list.iter().flat_map(|it| it.split(',')).map(str::to_owned).collect(),
            name: self.name,
            reason: self.reason,
        })
    }

    fn element(&self) -> Result<Option<Element>, StoreError> {
        let (Some(array), Some(index)) = (self.array_id, self.array_index) else {
            return Ok(None);
        };
        let at_once_max = self.array_at_once.map(count).transpose()?;
        let index = u32::try_from(index).map_err(damaged)?;
        let number = self.array_number.unwrap_or_default();
        Ok(Some(Element { array: JobId::from_uuid(array), number, index, at_once_max }))
    }

    fn program(&self) -> Result<Program, StoreError> {
        let script = parsed(&self.script)?;
        let recipe = match (&self.service, &self.service_version) {
            (Some(name), Some(version)) => {
                Recipe::Service { name: parsed(name)?, version: version.clone() }
            }
            _ => Recipe::Script { sha256: script },
        };
        Ok(Program {
            recipe,
            script,
            environment: serde_json::from_str(&self.environment).map_err(damaged)?,
            network: self.network,
            folder: self.folder.clone(),
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            options: match &self.options {
                Some(options) => serde_json::from_str(options).map_err(damaged)?,
                None => Vec::new(),
            },
        })
    }

    fn request(&self) -> Result<Request, StoreError> {
        let Self { nodes, tasks, cores, memory_mb, gpus, time_limit_seconds, .. } = *self;
        request([nodes, tasks, cores, memory_mb, gpus, time_limit_seconds])
    }

    fn life(&self) -> Result<Life, StoreError> {
        let started = self.started_at.map(instant).transpose()?;
        let ended = self.ended_at.map(instant).transpose()?;
        let state = match (self.state.as_str(), started, ended, &self.ended_how) {
            ("held", ..) => State::Held,
            ("ordered", ..) => State::Ordered,
            ("queued", ..) => State::Queued,
            ("running", Some(started), ..) => State::Running { started },
            ("ended", started, Some(ended), Some(how)) => {
                State::Ended { end: parsed(how)?, started, ended }
            }
            (other, ..) => return Err(damaged(other)),
        };
        Ok(Life { state, cancel_asked: self.cancel_asked })
    }
}

/// Adds the row of a job that was just submitted.
pub(super) async fn insert(tx: &Tx, job: &Job) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO job (id, array_id, array_index, array_at_once, project,
            organisation, person, allocation, factory, site, partition, charge_rule, name, service,
            service_version, script, environment, network, folder, stdout, stderr, dependency, nodes,
            tasks, cores, memory_mb, gpus, time_limit_seconds, held, submitted_at, state,
            cancel_asked, reason, number, array_number, options, stdout_bytes, stderr_bytes,
            metrics, touched)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35,
            $36, 0, 0, 0, 0)";
    let (service, version) = match &job.program.recipe {
        Recipe::Service { name, version } => (Some(name.to_string()), Some(version.clone())),
        Recipe::Script { .. } => (None, None),
    };
    let (environment, options) = written(&job.program)?;
    let memory_mb = i64::try_from(job.request.memory.count_mb()).map_err(damaged)?;
    let values = [
        job.id.uuid().into(),
        job.element.map(|element| element.array.uuid()).into(),
        job.element.map(|element| i64::from(element.index)).into(),
        job.element.and_then(|e| e.at_once_max).map(|limit| i64::from(limit.get())).into(),
        job.owner.project.uuid().into(),
        job.owner.organisation.uuid().into(),
        job.owner.person.uuid().into(),
        job.owner.allocation.uuid().into(),
        job.place.factory.to_string().into(),
        job.place.site.to_string().into(),
        job.place.partition.to_string().into(),
        job.place.charge_rule.to_string().into(),
        job.name.clone().into(),
        service.into(),
        version.into(),
        job.program.script.to_string().into(),
        environment.into(),
        job.program.network.into(),
        job.program.folder.clone().into(),
        job.program.stdout.clone().into(),
        job.program.stderr.clone().into(),
        job.dependency.as_ref().map(ToString::to_string).into(),
        i64::from(job.request.nodes.get()).into(),
        i64::from(job.request.tasks.get()).into(),
        i64::from(job.request.cores.get()).into(),
        memory_mb.into(),
        i64::from(job.request.gpus).into(),
        i64::from(job.request.time_limit_seconds.get()).into(),
        job.held.count().into(),
        micros(job.submitted_at).into(),
        job.life.state.name().into(),
        job.life.cancel_asked.into(),
        job.reason.clone().into(),
        job.number.into(),
        job.element.map(|element| element.number).into(),
        options.into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The variables and the options of a job, as they are stored.
pub(super) fn written(program: &Program) -> Result<(String, Option<String>), StoreError> {
    let environment = serde_json::to_string(&program.environment)
        .map_err(|error| StoreError::damaged("environment", error))?;
    let options = serde_json::to_string(&program.options)
        .map_err(|error| StoreError::damaged("options", error))?;
    Ok((environment, Some(options).filter(|_| !program.options.is_empty())))
}

/// How a person is called by a short name: their address up to the `@`.
pub fn user(email: &str) -> &str {
    email.split_once('@').map_or(email, |(user, _)| user)
}

fn damaged(detail: impl ToString) -> StoreError {
    StoreError::damaged("job", detail)
}

fn count(stored: i64) -> Result<NonZeroU32, StoreError> {
    let count = u32::try_from(stored).ok().and_then(NonZeroU32::new);
    count.ok_or_else(|| damaged(stored))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error: T::Err| damaged(error))
}
