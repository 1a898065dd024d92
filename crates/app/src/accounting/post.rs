//! Making the ledger charge each job for all its runs together.
//!
//! [`due`] compares what the runs come to with what stands charged, and is asked again whenever
//! either changes: so it does not matter which of the two was told first, or how often.

use std::collections::{BTreeMap, BTreeSet};

use store::ledger::{Denied, Pen, charges_of};
use store::usage::{self, Origin, Run};
use store::{Tx, jobs as records};
use units::{AllocationId, JobId, Work};

use crate::jobs::Job;
use crate::{Actor, App, Error, Topic};

/// Why a job cannot be charged for its runs yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// One of its runs has not ended.
    Runs,
    /// The hub has not heard of the end of the job, whose hours are still held.
    NotHeard,
    /// No charge rule was in force when it was submitted.
    NoRule,
}

/// What is to be entered for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// It cannot be said yet.
    Later(Waits),
    /// The ledger has it as it is.
    Nothing,
    /// A charge, for it was never charged.
    Charge(Work),
    /// A correction: this much was used, and something else stands charged.
    Correct(Work),
}

/// What is to be entered for a job with these runs, of which `standing` stands charged. `open` says
/// whether the hub still waits for its end.
pub(super) fn due(runs: &[&Run], open: bool, standing: Option<Work>) -> Due {
    if runs.iter().any(|run| run.ended.is_none()) {
        return Due::Later(Waits::Runs);
    }
    if open {
        return Due::Later(Waits::NotHeard);
    }
    let Some(used) = cost(runs) else { return Due::Later(Waits::NoRule) };
    match standing {
        Some(standing) if standing == used => Due::Nothing,
        None if used == Work::ZERO => Due::Nothing,
        None => Due::Charge(used),
        Some(_) => Due::Correct(used),
    }
}

/// What runs cost together; `None` when that of one is not known.
fn cost(runs: &[&Run]) -> Option<Work> {
    runs.iter().try_fold(Work::ZERO, |sum, run| sum.plus(run.charge?).ok())
}

/// The runs of each job, those alone that may be charged.
pub(super) fn by_job(runs: &[Run]) -> BTreeMap<JobId, Vec<&Run>> {
    let mut by_job = BTreeMap::<JobId, Vec<&Run>>::new();
    for run in runs.iter().filter(|run| run.origin != Origin::Unknown) {
        by_job.entry(run.job).or_default().push(run);
    }
    by_job
}

impl App {
    /// Has the ledger charge these jobs, which are in order, what their runs come to. Gives back
    /// what to tell after the commit.
    pub(super) async fn post(
        &self,
        tx: &Tx,
        actor: &Actor,
        jobs: &[JobId],
    ) -> Result<Vec<Topic>, Error> {
        let runs = usage::of_jobs(tx, jobs).await?;
        let runs = by_job(&runs);
        let mut own = BTreeMap::<JobId, Job>::new();
        for id in jobs {
            let is_own = |run: &&Run| run.origin == Origin::Hub;
            let outside = runs.get(id).is_some_and(|runs| !runs.iter().any(is_own));
            if !outside && let Some(job) = records::take(tx, *id).await? {
                own.insert(*id, job);
            }
        }
        // Read after the hub's own jobs were taken: nobody charges one meanwhile.
        let charged = charges_of(tx, jobs).await?;
        let (mut entered, mut settled) = (Vec::new(), Vec::new());
        for id in jobs {
            let runs = runs.get(id).map(Vec::as_slice).unwrap_or_default();
            let open = own.get(id).is_some_and(|job| !job.life.state.is_final());
            match due(runs, open, charged.get(id).map(|charged| charged.used)) {
                Due::Later(_) => {}
                Due::Nothing => settled.push(*id),
                due @ (Due::Charge(_) | Due::Correct(_)) => {
                    let allocation = runs.iter().find_map(|run| run.allocation);
                    entered.push((*id, due, allocation, reason(runs)));
                    settled.push(*id);
                }
            }
        }
        self.enter(tx, actor, &entered).await?;
        usage::mark_posted(tx, &settled).await?;
        let mut topics = Vec::new();
        for (id, due, ..) in &entered {
            let (Some(job), Due::Charge(used) | Due::Correct(used)) = (own.get_mut(id), due) else {
                continue;
            };
            job.charged = Some(*used);
            records::update(tx, job).await?;
            topics.push(Topic::Job(*id));
        }
        Ok(topics)
    }

    async fn enter(
        &self,
        tx: &Tx,
        actor: &Actor,
        entered: &[(JobId, Due, Option<AllocationId>, String)],
    ) -> Result<(), Error> {
        if entered.is_empty() {
            return Ok(());
        }
        let allocations: BTreeSet<AllocationId> =
            entered.iter().filter_map(|(_, _, allocation, _)| *allocation).collect();
        let mut pen = Pen::take(tx, &[]).await?;
        pen.foresee(&allocations.iter().copied().collect::<Vec<_>>()).await?;
        let mut last = Ok(());
        for (job, due, allocation, reason) in entered {
            let memo = self.memo(actor, reason.clone());
            let entry = match (due, allocation) {
                (Due::Charge(used), Some(allocation)) => {
                    pen.charge(memo, *allocation, *job, *used).await?
                }
                (Due::Correct(used), _) => pen.correct(memo, *job, *used).await?,
                (Due::Charge(_) | Due::Later(_) | Due::Nothing, _) => continue,
            };
            last = entry.map(|_| ());
            if last.is_err() {
                break;
            }
        }
        pen.write(last).await?.map_err(|denied| in_books(&denied))?;
        self.alert_of_use(tx, &allocations).await
    }
}

/// What an entry says of the runs that it is for: the figures that Slurm has of them.
fn reason(runs: &[&Run]) -> String {
    let Some(first) = runs.first() else {
        return "the accounting has no run of this job any more".to_owned();
    };
    let sum =
        |count: fn(&Run) -> i64| runs.iter().fold(0_i64, |sum, run| sum.saturating_add(count(run)));
    let ran = sum(|run| run.ran_seconds);
    let times = if runs.len() > 1 { format!(" in {} runs", runs.len()) } else { String::new() };
    let suspended = match sum(|run| run.suspended_seconds) {
        0 => String::new(),
        seconds => format!(", suspended {seconds} s"),
    };
    let energy = match sum(|run| run.energy_joules.unwrap_or(0)) {
        0 => String::new(),
        joules => format!(", {joules} J"),
    };
    let held = runs.iter().rev().map(|run| run.tres.as_str()).find(|tres| !tres.is_empty());
    let held = held.map(|tres| format!(" with {tres}")).unwrap_or_default();
    let (label, cluster) = (&first.label, &first.cluster);
    format!("accounting of {cluster}: job {label} ran {ran} s{times}{held}{suspended}{energy}")
}

/// The books contradict the accounting, which no request can cause.
fn in_books(denied: &Denied) -> Error {
    Error::Internal(format!("the ledger does not accept what the accounting tells: {denied}"))
}
