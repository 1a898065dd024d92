//! Limits as `sacctmgr` prints them, of accounts and of classes.

use std::io::BufRead;

use sched::{Limits, Tres};

use super::resources::{amounts, whole};
use super::{Note, Part};
use crate::trace::TraceError;
use crate::trace::fields::Limit;
use crate::trace::table::{Column, Row, Table};

/// Where the limits stand in a table.
pub(super) struct LimitColumns {
    group_tres: Option<Column>,
    group_tres_minutes: Option<Column>,
    group_jobs: Option<Column>,
    group_submitted: Option<Column>,
    jobs_per_user: Option<Column>,
    submitted_per_user: Option<Column>,
    tres_per_user: Option<Column>,
    tres_per_job: Option<Column>,
    wall: Option<Column>,
    /// Limits that the core does not have, by their names.
    others: Vec<(&'static str, Column)>,
}

const OTHERS: [&str; 14] = [
    "GraceTime",
    "GrpTRESRunMins",
    "GrpWall",
    "LimitFactor",
    "MaxJobsPA",
    "MaxSubmitPA",
    "MaxTRESMins",
    "MaxTRESPA",
    "MaxTRESPerNode",
    "MaxTRESRunMinsPA",
    "MaxTRESRunMinsPU",
    "MinTRES",
    "UsageFactor",
    "UsageThres",
];
/// What means nothing in those.
const NOTHING: [&str; 3] = ["", "00:00:00", "1.000000"];

impl LimitColumns {
    pub(super) fn of<R: BufRead>(table: &Table<R>) -> Self {
        let others = OTHERS.into_iter();
        Self {
            group_tres: table.find(&["GrpTRES"]),
            group_tres_minutes: table.find(&["GrpTRESMins"]),
            group_jobs: table.find(&["GrpJobs"]),
            group_submitted: table.find(&["GrpSubmit", "GrpSubmitJobs"]),
            jobs_per_user: table.find(&["MaxJobs", "MaxJobsPU", "MaxJobsPerUser"]),
            submitted_per_user: table.find(&["MaxSubmit", "MaxSubmitPU", "MaxSubmitJobs"]),
            tres_per_user: table.find(&["MaxTRESPU", "MaxTRESPerUser"]),
            tres_per_job: table.find(&["MaxTRES", "MaxTRESPerJob"]),
            wall: table.find(&["MaxWall", "MaxWallDurationPerJob"]),
            others: others.filter_map(|name| Some((name, table.find(&[name])?))).collect(),
        }
    }

    /// The limits in a row; those that the core does not have are named.
    pub(super) fn read(
        &self,
        row: &Row<'_>,
        part: Part,
        notes: &mut Vec<Note>,
    ) -> Result<Limits, TraceError> {
        for (name, column) in &self.others {
            let value = row.field(*column).text;
            if !NOTHING.contains(&value) {
                let what = format!("{name}={value} is not taken into account");
                notes.push(Note { part, line: row.line, what });
            }
        }
        let mut tres = |column: Option<Column>| -> Result<Tres<Option<u64>>, TraceError> {
            let Some(field) = row.maybe(column) else { return Ok(Tres::all(None)) };
            let (found, others) = amounts(&field, whole)?;
            notes.extend(others.into_iter().map(|(name, _)| Note {
                part,
                line: row.line,
                what: format!("the limit of {name} is not taken into account"),
            }));
            Ok(found)
        };
        let count = |column| row.maybe(column).map(|field| field.count()).transpose();
        Ok(Limits {
            group_tres: tres(self.group_tres)?,
            group_tres_minutes: tres(self.group_tres_minutes)?,
            tres_per_user: tres(self.tres_per_user)?,
            tres_per_job: tres(self.tres_per_job)?,
            group_jobs: count(self.group_jobs)?,
            group_submitted: count(self.group_submitted)?,
            jobs_per_user: count(self.jobs_per_user)?,
            submitted_per_user: count(self.submitted_per_user)?,
            wall_seconds: match row.maybe(self.wall).map(|field| field.limit()).transpose()? {
                Some(Limit::Seconds(seconds)) => Some(seconds),
                Some(Limit::None) | None => None,
            },
        })
    }
}
