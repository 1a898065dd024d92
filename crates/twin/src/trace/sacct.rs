//! `sacct -P`: a heading that names the columns, fields between `|`.
//!
//! Needed are `JobID`, `Submit`, `State`, `Elapsed` (or `ElapsedRaw`) and something that says how
//! large the job was: `AllocTRES`, `ReqTRES`, `NNodes`, `NCPUS` or their relatives. `Timelimit`,
//! `User`, `Account`, `Partition` are used where they are. Instants are taken as UTC.
//!
//! Rows of steps (`4711.batch`) are left out. Rows with one `JobID` are attempts of one job that
//! was put back in the queue, as `sacct --duplicates` lists them: it counts from the first
//! submission, and its run time is that of all attempts together, for so long it held the machine.

use std::collections::BTreeMap;
use std::io::BufRead;

use super::fields::{Field, Limit};
use super::table::{Column, Dialect, Row, Table};
use super::{Entry, NameId, Trace, TraceError};

struct Columns {
    id: Column,
    submit: Column,
    state: Column,
    elapsed: Option<Column>,
    elapsed_raw: Option<Column>,
    limit: Option<Column>,
    limit_raw: Option<Column>,
    allocated: Option<Column>,
    requested: Option<Column>,
    nodes: Option<Column>,
    cores: Option<Column>,
    user: Option<Column>,
    account: Option<Column>,
    partition: Option<Column>,
}

impl Columns {
    fn of<R: BufRead>(table: &Table<R>) -> Result<Self, TraceError> {
        let columns = Self {
            id: table.require(&["JobID", "JobIDRaw"])?,
            submit: table.require(&["Submit"])?,
            state: table.require(&["State"])?,
            elapsed: table.find(&["Elapsed"]),
            elapsed_raw: table.find(&["ElapsedRaw"]),
            limit: table.find(&["Timelimit"]),
            limit_raw: table.find(&["TimelimitRaw"]),
            allocated: table.find(&["AllocTRES"]),
            requested: table.find(&["ReqTRES"]),
            nodes: table.find(&["NNodes", "AllocNodes", "ReqNodes"]),
            cores: table.find(&["NCPUS", "AllocCPUS", "ReqCPUS"]),
            user: table.find(&["User"]),
            account: table.find(&["Account"]),
            partition: table.find(&["Partition"]),
        };
        if columns.elapsed_raw.is_none() {
            table.require(&["Elapsed", "ElapsedRaw"])?;
        }
        let sizes = [columns.allocated, columns.requested, columns.nodes, columns.cores];
        if sizes.iter().all(Option::is_none) {
            table.require(&["AllocTRES", "ReqTRES", "NNodes", "NCPUS"])?;
        }
        Ok(columns)
    }
}

/// What became of a row's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Ended,
    Requeued,
    Unfinished,
}

pub(super) fn read(input: impl BufRead) -> Result<Trace, TraceError> {
    let mut table = Table::open(input, Dialect::Pipes)?;
    let columns = Columns::of(&table)?;
    let mut trace = Trace::default();
    // Where the job of each id stands; ids of Slurm come back after a requeue.
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(row) = table.next()? {
        let id = row.field(columns.id);
        if id.text.is_empty() {
            return Err(id.expected("the number of a job"));
        }
        if is_step(id.text) {
            trace.skipped.steps += 1;
            continue;
        }
        match fate(&row.field(columns.state))? {
            Fate::Unfinished => {
                trace.skipped.unfinished += 1;
                continue;
            }
            Fate::Requeued => trace.skipped.requeued += 1,
            Fate::Ended => {}
        }
        let entry = entry(&row, &columns, &mut trace)?;
        if entry.run_seconds <= 0 {
            trace.skipped.not_run += 1;
            continue;
        }
        match known.get(id.text).and_then(|index| trace.entries.get_mut(*index)) {
            Some(earlier) => again(earlier, entry),
            None => {
                known.insert(id.text.to_owned(), trace.entries.len());
                trace.push(row.line, entry)?;
            }
        }
    }
    Ok(trace)
}

/// Adds another attempt of a job.
fn again(earlier: &mut Entry, entry: Entry) {
    let submit = earlier.submit.min(entry.submit);
    let run_seconds = earlier.run_seconds.saturating_add(entry.run_seconds);
    *earlier = Entry { submit, run_seconds, ..entry };
}

/// Steps carry a point after the number: `4711.batch`, `4711_3.0`, `4711+1.extern`.
pub(crate) fn is_step(id: &str) -> bool {
    id.contains('.')
}

/// What a state means, whatever else is said of it.
pub(crate) fn fate(state: &Field<'_>) -> Result<Fate, TraceError> {
    // `CANCELLED by 1000` says who did it, and a `+` that the text was cut.
    let word = state.text.split_whitespace().next().unwrap_or_default().trim_end_matches('+');
    match word {
        "COMPLETED" | "FAILED" | "TIMEOUT" | "CANCELLED" | "NODE_FAIL" | "OUT_OF_MEMORY"
        | "OUT_OF_ME" | "DEADLINE" | "PREEMPTED" | "BOOT_FAIL" | "REVOKED" => Ok(Fate::Ended),
        "REQUEUED" | "SPECIAL_EXIT" => Ok(Fate::Requeued),
        "PENDING" | "RUNNING" | "SUSPENDED" | "RESIZING" | "COMPLETING" | "CONFIGURING"
        | "STAGE_OUT" | "SIGNALING" | "STOPPED" | "REQUEUE_HOLD" | "REQUEUE_FED" => {
            Ok(Fate::Unfinished)
        }
        _ => Err(state.expected("a state of Slurm, such as COMPLETED")),
    }
}

fn entry(row: &Row<'_>, columns: &Columns, trace: &mut Trace) -> Result<Entry, TraceError> {
    let submit = row.field(columns.submit).instant()?;
    let run_seconds = match (row.maybe(columns.elapsed_raw), row.maybe(columns.elapsed)) {
        (Some(raw), _) => raw.seconds()?,
        (None, Some(elapsed)) => elapsed.elapsed()?,
        (None, None) => 0,
    };
    let limit = match (row.maybe(columns.limit_raw), row.maybe(columns.limit)) {
        (Some(raw), _) => raw.limit_minutes()?,
        (None, Some(limit)) => limit.limit()?,
        (None, None) => Limit::None,
    };
    let mut size = Size::default();
    for column in [columns.requested, columns.allocated] {
        if let Some(field) = row.maybe(column) {
            size = Size::of_tres(&field)?;
        }
    }
    if let (0, Some(nodes)) = (size.nodes, row.maybe(columns.nodes)) {
        size.nodes = nodes.count()?;
    }
    if let (0, Some(cores)) = (size.cores, row.maybe(columns.cores)) {
        size.cores = cores.count()?;
    }
    let mut name = |column| row.maybe(column).map_or(NameId::NONE, |it| trace.names.id(it.text));
    Ok(Entry {
        submit,
        run_seconds,
        limit_seconds: match limit {
            Limit::Seconds(seconds) if seconds > 0 => Some(seconds),
            Limit::Seconds(_) | Limit::None => None,
        },
        nodes: size.nodes,
        cores: size.cores,
        gpus: size.gpus,
        user: name(columns.user),
        account: name(columns.account),
        queue: name(columns.partition),
        class: NameId::NONE,
    })
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    nodes: u32,
    cores: u32,
    gpus: u32,
}

impl Size {
    /// Of trackable resources such as `cpu=8,gres/gpu=4,gres/gpu:a100=4,mem=64G,node=1`.
    fn of_tres(field: &Field<'_>) -> Result<Self, TraceError> {
        let mut size = Self::default();
        let (mut typed, mut column) = (0_u32, field.column);
        for part in field.text.split(',') {
            let here = Field { text: part, line: field.line, column };
            column += part.len() + 1;
            let Some((name, amount)) = part.split_once('=') else {
                return Err(here.expected("a resource such as gres/gpu=4"));
            };
            let amount =
                Field { text: amount, line: field.line, column: here.column + name.len() + 1 };
            match name {
                "cpu" => size.cores = amount.count()?,
                "node" => size.nodes = amount.count()?,
                "gres/gpu" => size.gpus = amount.count()?,
                _ if name.starts_with("gres/gpu:") => {
                    typed = typed.saturating_add(amount.count()?);
                }
                _ => {}
            }
        }
        // The plain count, where there is one, counts the typed ones too.
        size.gpus = size.gpus.max(typed);
        Ok(size)
    }
}
