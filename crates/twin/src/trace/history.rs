//! The hub's own history: CSV with a heading, one job that ended a row.
//!
//! | column | meaning |
//! | --- | --- |
//! | `job` | its id |
//! | `submitted`, `started`, `ended` | instants of RFC 3339; a job that never started has the last two empty |
//! | `time_limit_seconds` | how long it asked to run |
//! | `nodes`, `cores`, `gpus` | what it held, altogether |
//! | `person` | who submitted it, as a pseudonym |
//! | `project` | the project it was charged to |
//! | `partition` | where it ran |
//! | `class` | the class of the organisation: `sme`, `start-up`, `industry`, `academia`, `public` |
//!
//! `submitted`, `started`, `ended` and one of `nodes`, `cores`, `gpus` must be there; columns may
//! stand in any order and others are ignored. [`HistoryRow`](super::HistoryRow) writes it.

use std::io::BufRead;

use super::table::{Column, Dialect, Row, Table};
use super::{Entry, NameId, Trace, TraceError};

/// The columns, in the order in which they are written.
pub(super) const HEADING: [&str; 12] = [
    "job",
    "submitted",
    "started",
    "ended",
    "time_limit_seconds",
    "nodes",
    "cores",
    "gpus",
    "person",
    "project",
    "partition",
    "class",
];

struct Columns {
    submitted: Column,
    started: Column,
    ended: Column,
    limit: Option<Column>,
    sizes: [Option<Column>; 3],
    names: [Option<Column>; 4],
}

pub(super) fn read(input: impl BufRead) -> Result<Trace, TraceError> {
    let mut table = Table::open(input, Dialect::Commas)?;
    let columns = Columns {
        submitted: table.require(&["submitted"])?,
        started: table.require(&["started"])?,
        ended: table.require(&["ended"])?,
        limit: table.find(&["time_limit_seconds"]),
        sizes: ["nodes", "cores", "gpus"].map(|name| table.find(&[name])),
        names: ["person", "project", "partition", "class"].map(|name| table.find(&[name])),
    };
    if columns.sizes.iter().all(Option::is_none) {
        table.require(&["nodes", "cores", "gpus"])?;
    }
    let mut trace = Trace::default();
    while let Some(row) = table.next()? {
        let (Some(started), ended) = (row.maybe(Some(columns.started)), row.field(columns.ended))
        else {
            trace.skipped.not_run += 1;
            continue;
        };
        if ended.text.is_empty() {
            trace.skipped.unfinished += 1;
            continue;
        }
        let (from, until) = (started.instant()?, ended.instant()?);
        if until < from {
            return Err(ended.expected("an end that is not before the start"));
        }
        let entry = entry(&row, &columns, (until - from).max(1), &mut trace)?;
        trace.push(row.line, entry)?;
    }
    Ok(trace)
}

fn entry(
    row: &Row<'_>,
    columns: &Columns,
    run_seconds: i64,
    trace: &mut Trace,
) -> Result<Entry, TraceError> {
    let count = |column| row.maybe(column).map_or(Ok(0), |it| it.count());
    let [nodes, cores, gpus] = columns.sizes;
    let mut name = |column| row.maybe(column).map_or(NameId::NONE, |it| trace.names.id(it.text));
    let [user, account, queue, class] = columns.names.map(&mut name);
    let limit = row.maybe(columns.limit).map(|it| it.seconds()).transpose()?;
    Ok(Entry {
        submit: row.field(columns.submitted).instant()?,
        run_seconds,
        limit_seconds: limit.filter(|seconds| *seconds > 0),
        nodes: count(nodes)?,
        cores: count(cores)?,
        gpus: count(gpus)?,
        user,
        account,
        queue,
        class,
    })
}
