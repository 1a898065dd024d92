//! Runs of jobs as `sacct -D -X -P` tells them: what each held, for how long, and on whose account.
//!
//! A job that is put back in the queue has one row for each time that it was submitted, all with
//! the number of the job. Rows of steps (`4711.batch`) hold nothing of their own and are passed
//! over. One row is read at a time, so that years of history need no memory.

use std::io::BufRead;

use jiff::tz::TimeZone;
use sched::Resource;

use super::resources::{amounts, whole};
use crate::trace::TraceError;
use crate::trace::fields::{Field, Limit};
use crate::trace::sacct::{Fate, fate, is_step};
use crate::trace::table::{Column, Dialect, Row, Table};

/// What `sacct` is to be asked for; `Comment` may follow.
pub const RUN_COLUMNS: &str = "JobIDRaw,JobID,Submit,Start,End,State,ElapsedRaw,Suspended,\
    TimelimitRaw,AllocTRES,ConsumedEnergyRaw,User,Account,Partition,Cluster";

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Slurm's number of the job; elements of arrays and parts of heterogeneous jobs have their own.
    pub number: u64,
    /// The number as people know it: `4711`, `4711_3`, `4711+1`.
    pub label: String,
    /// The cluster, where the text says.
    pub cluster: Option<String>,
    /// When it was submitted, or put back in the queue, in seconds since 1970. With the number it
    /// names the run.
    pub submitted: i64,
    /// When it got its nodes; `None` when it never did.
    pub started: Option<i64>,
    /// When it ended; `None` while it has not.
    pub ended: Option<i64>,
    /// Slurm's word for how it stands, such as `COMPLETED`.
    pub state: String,
    /// How long it had its nodes, without the time in which it was suspended.
    pub ran_seconds: i64,
    /// How long it was suspended.
    pub suspended_seconds: i64,
    /// How long it might run; `None` where its partition says.
    pub limit_seconds: Option<i64>,
    /// Nodes it had.
    pub nodes: u32,
    /// Cores it had, on all of them.
    pub cores: u32,
    /// Memory it had, on all of them, in mebibytes.
    pub memory_mb: u64,
    /// GPUs it had, on all of them.
    pub gpus: u32,
    /// All that it had, as Slurm writes it.
    pub tres: String,
    /// The energy that its nodes took, in joules, where the cluster measures it.
    pub energy_joules: Option<u64>,
    /// The login of its owner.
    pub user: String,
    /// The account it is booked on.
    pub account: String,
    /// The partition, or several with commas between while it waits.
    pub partition: String,
    /// Its comment, where the text has it.
    pub comment: Option<String>,
    /// The line that tells of it, from 1.
    pub line: u64,
}

struct Columns {
    number: Column,
    label: Column,
    submitted: Column,
    started: Column,
    ended: Column,
    state: Column,
    ran: Column,
    suspended: Option<Column>,
    limit: Option<Column>,
    tres: Column,
    energy: Option<Column>,
    user: Column,
    account: Column,
    partition: Option<Column>,
    cluster: Option<Column>,
    comment: Option<Column>,
}

impl Columns {
    fn of<R: BufRead>(table: &Table<R>) -> Result<Self, TraceError> {
        Ok(Self {
            number: table.require(&["JobIDRaw"])?,
            label: table.find(&["JobID"]).map_or_else(|| table.require(&["JobIDRaw"]), Ok)?,
            submitted: table.require(&["Submit"])?,
            started: table.require(&["Start"])?,
            ended: table.require(&["End"])?,
            state: table.require(&["State"])?,
            ran: table.require(&["ElapsedRaw"])?,
            suspended: table.find(&["Suspended"]),
            limit: table.find(&["TimelimitRaw"]),
            tres: table.require(&["AllocTRES"])?,
            energy: table.find(&["ConsumedEnergyRaw"]),
            user: table.require(&["User"])?,
            account: table.require(&["Account"])?,
            partition: table.find(&["Partition"]),
            cluster: table.find(&["Cluster"]),
            comment: table.find(&["Comment"]),
        })
    }
}

/// Runs, one after the other as they are asked for.
pub struct Runs<R> {
    table: Table<R>,
    columns: Columns,
    zone: TimeZone,
}

impl<R> std::fmt::Debug for Runs<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runs").finish_non_exhaustive()
    }
}

impl<R: BufRead> Runs<R> {
    /// Reads the heading. Dates without an offset are of `zone`; seconds since 1970, which `sacct`
    /// prints with `SLURM_TIME_FORMAT=%s`, are exact in every hour of the year.
    ///
    /// # Errors
    /// When there is none, or a column is missing.
    pub fn open(input: R, zone: TimeZone) -> Result<Self, TraceError> {
        let table = Table::open(input, Dialect::Pipes)?;
        let columns = Columns::of(&table)?;
        Ok(Self { table, columns, zone })
    }

    /// The next run; `None` at the end.
    ///
    /// # Errors
    /// At the first thing that cannot be meant.
    pub fn next_run(&mut self) -> Result<Option<Run>, TraceError> {
        while let Some(row) = self.table.next()? {
            if !is_step(row.field(self.columns.number).text) {
                return run(&row, &self.columns, &self.zone).map(Some);
            }
        }
        Ok(None)
    }
}

fn run(row: &Row<'_>, columns: &Columns, zone: &TimeZone) -> Result<Run, TraceError> {
    let number = row.field(columns.number);
    let state = row.field(columns.state);
    let over = match fate(&state)? {
        Fate::Ended | Fate::Requeued => true,
        Fate::Unfinished => false,
    };
    let ran_seconds = row.field(columns.ran).seconds()?;
    let (amounts, others) = amounts(&row.field(columns.tres), whole)?;
    let count = |kind| u32::try_from(amounts.of(kind).unwrap_or(0)).unwrap_or(u32::MAX);
    let typed = || others.iter().filter_map(|(name, amount)| typed_gpus(name, amount)).sum();
    let nodes = count(Resource::Node);
    let field = |column| row.field(column);
    let optional = |column| row.maybe(column);
    let known = |column| Some(field(column)).filter(is_known);
    // A job that was withdrawn from the queue is told with a start that is its end.
    let started = known(columns.started).filter(|_| nodes > 0 || ran_seconds > 0);
    let ended = known(columns.ended).filter(|_| over);
    if let (true, None) = (over, ended) {
        return Err(field(columns.ended).expected("an instant, for the run is over"));
    }
    let limit = optional(columns.limit).map(|limit| limit.limit_minutes()).transpose()?;
    let energy = optional(columns.energy).map(|it| energy(&it)).transpose()?.flatten();
    Ok(Run {
        number: number.text.parse().map_err(|_| number.expected("the number of a job"))?,
        label: field(columns.label).text.to_owned(),
        cluster: optional(columns.cluster).map(|it| it.text.to_owned()),
        submitted: field(columns.submitted).instant_in(zone)?,
        started: started.map(|it| it.instant_in(zone)).transpose()?,
        ended: ended.map(|it| it.instant_in(zone)).transpose()?,
        state: state.text.split_whitespace().next().unwrap_or_default().to_owned(),
        ran_seconds,
        suspended_seconds: optional(columns.suspended).map_or(Ok(0), |it| it.elapsed())?,
        limit_seconds: match limit {
            Some(Limit::Seconds(seconds)) if seconds > 0 => Some(seconds),
            _ => None,
        },
        nodes,
        cores: count(Resource::Cpu),
        memory_mb: amounts.of(Resource::Memory).unwrap_or(0),
        gpus: amounts.of(Resource::Gpu).map_or_else(typed, |_| count(Resource::Gpu)),
        tres: field(columns.tres).text.to_owned(),
        energy_joules: energy.or_else(|| {
            let told = others.iter().find(|(name, _)| *name == "energy");
            told.and_then(|(_, joules)| joules.parse().ok()).filter(|joules| *joules < UNKNOWN)
        }),
        user: field(columns.user).text.to_owned(),
        account: field(columns.account).text.to_owned(),
        partition: optional(columns.partition).map_or_else(String::new, |it| it.text.to_owned()),
        comment: columns.comment.map(|column| field(column).text.to_owned()),
        line: row.line,
    })
}

/// Slurm's words for a number that is not known lie just below 2 to the power of 32 and 64.
const UNKNOWN: u64 = u64::MAX - 2;

fn energy(field: &Field<'_>) -> Result<Option<u64>, TraceError> {
    let joules: u64 = field.text.parse().map_err(|_| field.expected("a number of joules"))?;
    Ok(Some(joules).filter(|joules| *joules > 0 && *joules < UNKNOWN))
}

/// GPUs of one type, where no plain count stands beside them.
fn typed_gpus(name: &str, amount: &str) -> Option<u32> {
    name.strip_prefix("gres/gpu:").and_then(|_| amount.parse().ok())
}

fn is_known(field: &Field<'_>) -> bool {
    !["", "None", "Unknown"].contains(&field.text)
}

#[cfg(test)]
mod tests;
