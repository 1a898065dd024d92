//! A run as its row.

use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, JobId, Work};
use uuid::Uuid;

use super::{Origin, Run};
use crate::StoreError;
use crate::db::{instant, micros};
use crate::scope::parsed;

/// The columns of a [`Row`], those first that name it.
pub(super) const COLUMNS: &str = "site, cluster, number, submitted_at, job, allocation, origin, \
    label, account, login, partition, state, started_at, ended_at, ran_seconds, \
    suspended_seconds, limit_seconds, nodes, cores, memory_mb, gpus, tres, energy_joules, charge, \
    posted";

#[derive(FromQueryResult)]
pub(super) struct Row {
    site: String,
    cluster: String,
    number: i64,
    submitted_at: i64,
    job: Uuid,
    allocation: Option<Uuid>,
    origin: String,
    label: String,
    account: String,
    login: String,
    partition: String,
    state: String,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    ran_seconds: i64,
    suspended_seconds: i64,
    limit_seconds: Option<i64>,
    nodes: i64,
    cores: i64,
    memory_mb: i64,
    gpus: i64,
    tres: String,
    energy_joules: Option<i64>,
    charge: Option<i64>,
    posted: bool,
}

impl Row {
    pub(super) fn run(self) -> Result<Run, StoreError> {
        Ok(Run {
            site: parsed("site", &self.site)?,
            cluster: self.cluster,
            number: self.number,
            submitted: instant(self.submitted_at)?,
            job: JobId::from_uuid(self.job),
            allocation: self.allocation.map(AllocationId::from_uuid),
            origin: Origin::named(&self.origin)?,
            label: self.label,
            account: self.account,
            login: self.login,
            partition: self.partition,
            state: self.state,
            started: self.started_at.map(instant).transpose()?,
            ended: self.ended_at.map(instant).transpose()?,
            ran_seconds: self.ran_seconds,
            suspended_seconds: self.suspended_seconds,
            limit_seconds: self.limit_seconds,
            nodes: self.nodes,
            cores: self.cores,
            memory_mb: self.memory_mb,
            gpus: self.gpus,
            tres: self.tres,
            energy_joules: self.energy_joules,
            charge: self.charge.map(Work::seconds),
            posted: self.posted,
        })
    }
}

/// The row of a run, in the order of [`COLUMNS`].
pub(super) fn values(run: &Run) -> [Value; 25] {
    let text = |text: &String| Value::from(text.as_str());
    [
        run.site.to_string().into(),
        text(&run.cluster),
        run.number.into(),
        micros(run.submitted).into(),
        run.job.uuid().into(),
        run.allocation.map(AllocationId::uuid).into(),
        run.origin.name().into(),
        text(&run.label),
        text(&run.account),
        text(&run.login),
        text(&run.partition),
        text(&run.state),
        run.started.map(micros).into(),
        run.ended.map(micros).into(),
        run.ran_seconds.into(),
        run.suspended_seconds.into(),
        run.limit_seconds.into(),
        run.nodes.into(),
        run.cores.into(),
        run.memory_mb.into(),
        run.gpus.into(),
        text(&run.tres),
        run.energy_joules.into(),
        run.charge.map(Work::count).into(),
        run.posted.into(),
    ]
}
