//! The accounting of a modelled cluster: every run that is over, by its number and its submission.

use units::{JobId, Timestamp};

use jobs::life::End;
use twin::slurm::Run;

use super::super::state::{Close, Phase};
use super::super::transport::Accounted;
use super::world::World;
use crate::accounts::{Accounted as Booked, Span};

/// A run that is over, as the accounting hears of it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) seen: Accounted,
    pub(super) cores: u32,
    pub(super) limit_seconds: u64,
}

impl World {
    /// The accounting takes in what the controller has for it.
    pub(super) fn book(&mut self, outbox: Vec<Row>) {
        for row in outbox {
            self.rows.insert((row.seen.id, row.seen.submitted), row);
        }
    }

    pub(super) fn accounted(&self, wanted: impl Fn(&Accounted) -> bool) -> Vec<Accounted> {
        let rows = self.rows.values().map(|row| &row.seen);
        rows.filter(|row| wanted(row)).cloned().collect()
    }

    /// Every run that held something from the one instant to the other.
    pub(super) fn runs(&self, (from, to): Span) -> Vec<Booked> {
        let held = |row: &&Row| {
            let began = row.seen.started.or(row.seen.ended);
            row.seen.ended.is_some_and(|ended| ended >= from) && began.is_some_and(|at| at <= to)
        };
        self.rows.values().filter(held).filter_map(booked).collect()
    }

    /// For how many seconds all runs of a job together had nodes; `None` when there is no run.
    pub(super) fn booked_seconds(&self, job: JobId) -> Option<i64> {
        let mine = self.rows.values().filter(|row| row.seen.job == Some(job));
        mine.map(|row| seconds(&row.seen)).reduce(|sum, seconds| sum.saturating_add(seconds))
    }
}

/// How long a run had its nodes.
fn seconds(row: &Accounted) -> i64 {
    let at = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    match (at(row.started), at(row.ended)) {
        (Some(started), Some(ended)) => ended.saturating_sub(started),
        _ => 0,
    }
}

/// A run in the words of `sacct`.
fn booked(row: &Row) -> Option<Booked> {
    let Row { seen, cores, limit_seconds } = row;
    let at = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    let word = match &seen.phase {
        Ok(Phase::Over(Close::Completed)) => "COMPLETED",
        Ok(Phase::Over(Close::Plain(End::Cancelled))) => "CANCELLED",
        Ok(Phase::Over(Close::Plain(End::NodeFailed))) => "NODE_FAIL",
        Ok(Phase::Over(Close::Plain(End::TimedOut))) => "TIMEOUT",
        _ => "FAILED",
    };
    let run = Run {
        number: seen.id.0.into(),
        label: seen.id.0.to_string(),
        cluster: None,
        submitted: at(seen.submitted)?,
        started: at(seen.started),
        ended: at(seen.ended),
        state: word.to_owned(),
        ran_seconds: seconds(seen),
        suspended_seconds: 0,
        limit_seconds: i64::try_from(*limit_seconds).ok(),
        nodes: 1,
        cores: *cores,
        memory_mb: 1_024,
        gpus: 0,
        tres: format!("cpu={cores},mem=1G,node=1"),
        energy_joules: None,
        user: seen.user.clone(),
        account: "lab".to_owned(),
        partition: "batch".to_owned(),
        comment: None,
        line: 0,
    };
    Some(Booked { run, job: seen.job })
}
