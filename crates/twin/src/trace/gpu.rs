//! Traces of GPU clusters: a table with a heading, one job a row.
//!
//! Two families of headings are known, whatever the order of their columns:
//!
//! - the jobs of Microsoft's Philly clusters as recovered for the Gavel paper: `vc`, `gpus`,
//!   `duration_s` and `submit_s_since_first_job_of_vc`;
//! - SenseTime's Helios (`job_id, user, vc, gpu_num, cpu_num, node_num, state, submit_time,
//!   start_time, end_time, duration, queue`) and Shanghai AI Laboratory's Acme (the same names, with
//!   `type` and `mem_per_pod_GB`), where `queue` is a time and not a name.
//!
//! None of them says how long a job asked to run.

use std::io::BufRead;

use super::fields::Field;
use super::table::{Column, Dialect, Row, Table};
use super::{Entry, NameId, Trace, TraceError};

struct Columns {
    submit: Column,
    duration: Column,
    gpus: Column,
    cores: Option<Column>,
    nodes: Option<Column>,
    state: Option<Column>,
    user: Option<Column>,
    account: Option<Column>,
    kind: Option<Column>,
}

pub(super) fn read(input: impl BufRead) -> Result<Trace, TraceError> {
    let mut table = Table::open(input, Dialect::Commas)?;
    let columns = Columns {
        submit: table.require(&["submit_time", "submit_s_since_first_job_of_vc"])?,
        duration: table.require(&["duration", "duration_s"])?,
        gpus: table.require(&["gpu_num", "gpus"])?,
        cores: table.find(&["cpu_num"]),
        nodes: table.find(&["node_num"]),
        state: table.find(&["state"]),
        user: table.find(&["user"]),
        account: table.find(&["vc"]),
        kind: table.find(&["type"]),
    };
    let mut trace = Trace::default();
    while let Some(row) = table.next()? {
        if row.maybe(columns.state).is_some_and(|state| is_unfinished(&state)) {
            trace.skipped.unfinished += 1;
            continue;
        }
        let duration = row.maybe(Some(columns.duration)).map(|it| it.seconds()).transpose()?;
        let Some(run_seconds) = duration.filter(|seconds| *seconds > 0) else {
            trace.skipped.not_run += 1;
            continue;
        };
        let entry = entry(&row, &columns, run_seconds, &mut trace)?;
        trace.push(row.line, entry)?;
    }
    Ok(trace)
}

fn is_unfinished(state: &Field<'_>) -> bool {
    matches!(state.text, "RUNNING" | "PENDING" | "SUSPENDED")
}

fn entry(
    row: &Row<'_>,
    columns: &Columns,
    run_seconds: i64,
    trace: &mut Trace,
) -> Result<Entry, TraceError> {
    let count = |column| row.maybe(column).map_or(Ok(0), |it| it.count());
    let (cores, nodes) = (count(columns.cores)?, count(columns.nodes)?);
    let mut name = |column| row.maybe(column).map_or(NameId::NONE, |it| trace.names.id(it.text));
    Ok(Entry {
        submit: row.field(columns.submit).instant()?,
        run_seconds,
        limit_seconds: None,
        nodes,
        cores,
        gpus: row.field(columns.gpus).count()?,
        user: name(columns.user),
        account: name(columns.account),
        queue: name(columns.kind),
        class: NameId::NONE,
    })
}
