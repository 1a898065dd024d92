//! Jobs as `sacct -P` tells them, with when they started.

use std::collections::BTreeSet;
use std::io::BufRead;

use sched::Resource;

use super::resources::{amounts, whole};
use super::{Part, SlurmError};
use crate::trace::fields::{Field, Limit};
use crate::trace::sacct::{Fate, fate, is_step};
use crate::trace::table::{Column, Dialect, Row, Table};
use crate::trace::{JOBS_MAX, TraceError};

/// A job that Slurm ran, or that was withdrawn before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedJob {
    /// Its number as Slurm writes it.
    pub id: String,
    /// When it could have started at the earliest, in seconds since 1970.
    pub eligible: i64,
    /// When it started; `None` if it never did.
    pub start: Option<i64>,
    /// When it ended, or was withdrawn.
    pub end: i64,
    /// How long it might run; `None` when its partition says.
    pub limit_seconds: Option<i64>,
    /// How many nodes it asked, at least 1.
    pub nodes: u32,
    /// Cores on all of them.
    pub cores: u32,
    /// Memory on all of them in mebibytes.
    pub memory_mb: u64,
    /// GPUs on all of them.
    pub gpus: u32,
    /// Who submitted it.
    pub user: String,
    /// For which account.
    pub account: String,
    /// Where.
    pub partition: String,
    /// In which class.
    pub qos: String,
    /// The line that tells of it, from 1.
    pub line: u64,
}

/// What `sacct` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedJobs {
    /// The jobs, in the order in which they could start.
    pub jobs: Vec<ObservedJob>,
    /// Jobs that waited or ran when it was asked; they are left out.
    pub unfinished: u64,
    /// Attempts of a job after its first; they are left out.
    pub repeated: u64,
}

struct Columns {
    id: Column,
    submit: Column,
    eligible: Option<Column>,
    start: Column,
    end: Column,
    state: Column,
    limit: Column,
    tres: Column,
    user: Column,
    account: Column,
    partition: Column,
    qos: Column,
}

/// Reads what `sacct -X -P -o JobID,Submit,Eligible,Start,End,State,Timelimit,ReqTRES,User,
/// Account,Partition,QOS` prints, in any order of columns; `part` says of which run.
///
/// # Errors
/// At the first thing that cannot be meant, or when no job ended.
pub fn read_jobs(input: impl BufRead, part: Part) -> Result<ObservedJobs, SlurmError> {
    read(input).map_err(|source| SlurmError::Text { part, source })
}

fn read(input: impl BufRead) -> Result<ObservedJobs, TraceError> {
    let mut table = Table::open(input, Dialect::Pipes)?;
    let columns = Columns {
        id: table.require(&["JobID"])?,
        submit: table.require(&["Submit"])?,
        eligible: table.find(&["Eligible"]),
        start: table.require(&["Start"])?,
        end: table.require(&["End"])?,
        state: table.require(&["State"])?,
        limit: table.require(&["Timelimit"])?,
        tres: table.require(&["ReqTRES", "AllocTRES"])?,
        user: table.require(&["User"])?,
        account: table.require(&["Account"])?,
        partition: table.require(&["Partition"])?,
        qos: table.require(&["QOS"])?,
    };
    let mut told = ObservedJobs::default();
    let mut known = BTreeSet::new();
    while let Some(row) = table.next()? {
        let id = row.field(columns.id);
        if is_step(id.text) {
            continue;
        }
        if fate(&row.field(columns.state))? == Fate::Unfinished {
            told.unfinished += 1;
            continue;
        }
        if !known.insert(id.text.to_owned()) {
            told.repeated += 1;
            continue;
        }
        if told.jobs.len() >= JOBS_MAX {
            let what = format!("there are more than {JOBS_MAX} jobs");
            return Err(TraceError::TooMuch { line: row.line, what });
        }
        told.jobs.push(job(&row, &columns)?);
    }
    if told.jobs.is_empty() {
        return Err(TraceError::Empty);
    }
    // Of those that may start in the same second, the first number goes first.
    told.jobs.sort_by_cached_key(|job| (job.eligible, number(&job.id), job.line));
    Ok(told)
}

fn job(row: &Row<'_>, columns: &Columns) -> Result<ObservedJob, TraceError> {
    let (amounts, _) = amounts(&row.field(columns.tres), whole)?;
    let count = |kind| u32::try_from(amounts.of(kind).unwrap_or(0)).unwrap_or(u32::MAX);
    let submit = row.field(columns.submit).instant()?;
    let eligible = row.maybe(columns.eligible).filter(is_known).map(|at| at.instant());
    let end = row.field(columns.end).instant()?;
    let start = Some(row.field(columns.start)).filter(is_known).map(|at| at.instant());
    let name = |column| row.field(column).text.to_owned();
    Ok(ObservedJob {
        id: name(columns.id),
        eligible: eligible.transpose()?.unwrap_or(submit).max(submit),
        // A job that was cancelled in the queue is told with a start that is its end.
        start: start.transpose()?.filter(|start| *start < end),
        end,
        limit_seconds: match row.field(columns.limit).limit()? {
            Limit::Seconds(seconds) if seconds > 0 => Some(seconds),
            Limit::Seconds(_) | Limit::None => None,
        },
        nodes: count(Resource::Node).max(1),
        cores: count(Resource::Cpu).max(1),
        memory_mb: amounts.of(Resource::Memory).unwrap_or(0),
        gpus: count(Resource::Gpu),
        user: name(columns.user),
        account: name(columns.account),
        partition: name(columns.partition),
        qos: name(columns.qos),
        line: row.line,
    })
}

fn is_known(field: &Field<'_>) -> bool {
    !["", "None", "Unknown"].contains(&field.text)
}

/// The number of a job, without what follows it: `4711_3`, `4711+1`.
fn number(id: &str) -> u64 {
    let digits = id.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0, |number: u64, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    })
}
