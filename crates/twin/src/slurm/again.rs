//! The same submissions on the same machine once more: how far Slurm is off from itself.
//!
//! A second decides who gets a node, and who gets it decides what fits next: two runs of one Slurm
//! on one load differ. No prediction can be closer to the first run than the second is but by luck.

use std::collections::BTreeMap;

use super::{ObservedJob, Part, Prediction, SlurmError};

/// The starts of another run, as predictions for this one: each job waits as long as it did there.
///
/// # Errors
/// When the other run had other jobs.
pub fn again(jobs: &[ObservedJob], other: &[ObservedJob]) -> Result<Prediction, SlurmError> {
    let others: BTreeMap<&str, &ObservedJob> =
        other.iter().map(|job| (job.id.as_str(), job)).collect();
    let starts = jobs.iter().map(|job| {
        let twin = others.get(job.id.as_str()).filter(|twin| is_same(job, twin));
        let twin = twin.ok_or_else(|| missing(job, others.get(job.id.as_str())))?;
        Ok(twin.start.map(|start| job.eligible.saturating_add(start.saturating_sub(twin.eligible))))
    });
    Ok(Prediction { starts: starts.collect::<Result<_, _>>()?, notes: Vec::new() })
}

fn is_same(one: &ObservedJob, other: &ObservedJob) -> bool {
    let asked =
        |job: &ObservedJob| (job.nodes, job.cores, job.memory_mb, job.gpus, job.limit_seconds);
    let whose =
        |job: &ObservedJob| [&job.user, &job.account, &job.partition, &job.qos].map(Clone::clone);
    asked(one) == asked(other) && whose(one) == whose(other)
}

fn missing(job: &ObservedJob, other: Option<&&ObservedJob>) -> SlurmError {
    let (line, what) = match other {
        Some(other) => (other.line, format!("job {} is another than in the first run", job.id)),
        None => (1, format!("job {} of the first run is not there", job.id)),
    };
    SlurmError::Wrong { part: Part::Again, line, what }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::super::{Agreement, read_jobs};
    use super::*;

    /// What `sacct` tells of jobs with these numbers, submissions, starts and cores.
    fn run(jobs: &[(u32, u32, u32, u32)]) -> Vec<ObservedJob> {
        let mut text =
            "JobID|Submit|Start|End|State|Timelimit|ReqTRES|User|Account|Partition|QOS\n"
                .to_owned();
        for (id, submit, start, cores) in jobs {
            let at = |minute: &u32| format!("2026-11-21T10:{minute:02}:00");
            let (submit, start) = (at(submit), at(start));
            writeln!(
                text,
                "{id}|{submit}|{start}|2026-11-21T11:00:00|COMPLETED|01:00:00|cpu={cores},node=1|\
                 ann|physics|batch|normal"
            )
            .unwrap();
        }
        read_jobs(text.as_bytes(), Part::Again).unwrap().jobs
    }

    #[test]
    fn a_run_is_measured_against_another_by_how_long_each_job_waits() {
        let first = run(&[(1, 0, 0, 4), (2, 1, 5, 8), (3, 2, 3, 1)]);
        let later = run(&[(3, 12, 13, 1), (1, 10, 10, 4), (2, 11, 17, 8)]);
        let agreement = Agreement::of(&first, &again(&first, &later).unwrap());
        assert_eq!(agreement.jobs, 3);
        assert_eq!(agreement.error_seconds_max, 120, "job 2 waits for six minutes and not four");
        assert_eq!(agreement.error_seconds_median, 0);
    }

    #[test]
    fn a_run_of_other_jobs_is_refused() {
        let first = run(&[(1, 0, 0, 4), (2, 1, 5, 8)]);
        let refused = |other: &[ObservedJob]| again(&first, other).unwrap_err();
        let fewer = refused(&run(&[(1, 0, 0, 4)]));
        assert_eq!(fewer.to_string(), "1:1: job 2 of the first run is not there");
        let wider = refused(&run(&[(1, 0, 0, 4), (2, 1, 5, 16)]));
        assert_eq!(wider.to_string(), "3:1: job 2 is another than in the first run");
        assert_eq!(wider.part(), Part::Again);
    }
}
