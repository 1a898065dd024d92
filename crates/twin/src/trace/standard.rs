//! The Standard Workload Format as a trace; its processors are cores.

use std::io::BufRead;

use super::{Entry, NameId, SECONDS_MAX, Trace, TraceError};
use crate::swf::Records;

pub(super) fn read(input: impl BufRead) -> Result<Trace, TraceError> {
    let mut trace = Trace::default();
    let mut records = Records::new(input);
    while let Some(record) = records.next() {
        let record = record?;
        let asked = if record.requested > 0 { record.requested } else { record.allocated };
        let cores = u32::try_from(asked).ok().filter(|cores| *cores > 0);
        let (Some(cores), 1..=SECONDS_MAX) = (cores, record.run) else {
            trace.skipped.not_run += 1;
            continue;
        };
        let mut name = |number: i64| match number {
            1.. => trace.names.id(&number.to_string()),
            _ => NameId::NONE,
        };
        let entry = Entry {
            submit: record.submit.clamp(0, SECONDS_MAX),
            run_seconds: record.run,
            limit_seconds: Some(record.estimate).filter(|limit| (1..=SECONDS_MAX).contains(limit)),
            nodes: 0,
            cores,
            gpus: 0,
            user: name(record.user),
            account: name(record.group),
            queue: name(record.queue),
            class: NameId::NONE,
        };
        trace.push(records.line(), entry)?;
    }
    Ok(trace)
}
