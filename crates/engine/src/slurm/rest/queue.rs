//! The controller's jobs.

use serde_json::Value;

use super::format::{exit, instant, number, text, words};
use crate::slurm::state::{self, Phase};
use crate::slurm::text as figures;
use crate::slurm::transport::{Load, Queued, SlurmId, marked};

/// A job without a limit is taken to have a year, in minutes.
const YEAR_MINUTES: u64 = 366 * 24 * 60;

fn all(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("jobs").and_then(Value::as_array).into_iter().flatten()
}

fn id(job: &Value) -> Option<SlurmId> {
    let id = job.get("job_id").and_then(number)?;
    u32::try_from(id).ok().map(SlurmId)
}

fn phase(job: &Value) -> Result<Phase, state::UnknownState> {
    let words = job.get("job_state").map(words).unwrap_or_default();
    state::phase_of_all(words.into_iter())
}

/// Our jobs; others are passed over.
pub(super) fn parse(answer: &Value) -> Vec<Queued> {
    all(answer).filter_map(queued).collect()
}

fn queued(job: &Value) -> Option<Queued> {
    let ours = marked(text(job, "comment"))?;
    let phase = phase(job);
    let at = |name: &str| job.get(name).and_then(instant);
    // Of a job that waits, these are what the scheduler plans.
    let is_planned = phase == Ok(Phase::Waiting);
    Some(Queued {
        id: id(job)?,
        job: ours,
        user: text(job, "user_name").to_owned(),
        phase,
        reason: text(job, "state_reason").to_owned(),
        started: at("start_time").filter(|_| !is_planned),
        ended: at("end_time").filter(|_| !is_planned),
        nodes: text(job, "nodes").to_owned(),
        exit: job.get("exit_code").and_then(exit),
    })
}

/// Everybody's jobs that wait or run; what cannot be read is passed over.
pub(super) fn parse_load(answer: &Value) -> Vec<Load> {
    all(answer).filter_map(load).collect()
}

fn load(job: &Value) -> Option<Load> {
    let phase = phase(job).ok().filter(|phase| !matches!(phase, Phase::Over(_)))?;
    let whole = |name: &str| job.get(name).and_then(number);
    let small = |name: &str| whole(name).and_then(|number| u32::try_from(number).ok());
    let tres = text(job, "tres_req_str");
    let memory = figures::amount(tres, "mem").and_then(|text| figures::size_mb(text, 1 << 10));
    let gpus = figures::amount(tres, "gres/gpu").and_then(|text| text.parse().ok());
    let minutes = whole("time_limit").unwrap_or(YEAR_MINUTES).min(YEAR_MINUTES);
    Some(Load {
        id: id(job)?,
        phase,
        reason: text(job, "state_reason").to_owned(),
        partitions: text(job, "partition").split(',').map(str::to_owned).collect(),
        nodes: small("node_count").unwrap_or(1).max(1),
        cores: small("cpus")?,
        memory_mb: memory.unwrap_or(0),
        gpus: gpus.unwrap_or(0),
        limit_seconds: i64::try_from(minutes).ok()?.saturating_mul(60),
        priority: whole("priority").and_then(|it| i64::try_from(it).ok()).unwrap_or(0),
        started: job.get("start_time").and_then(instant),
        held: text(job, "nodes").to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MARK: &str = "usine:0189abcd-0000-7000-8000-000000000004";

    /// As Slurm 22.05.8 told it in v0.0.38, but for names.
    fn of_2205() -> Value {
        json!({"errors": [], "jobs": [
            {"comment": "x\n1|FAKE|2", "job_id": 2, "job_state": "FAILED", "user_name": "ben"},
            {
                "comment": MARK, "cpus": 2, "end_time": 1_795_292_165, "exit_code": 768,
                "job_id": 7, "job_state": "FAILED", "node_count": 1, "nodes": "bee-1",
                "partition": "batch", "priority": 1, "start_time": 1_795_292_165,
                "state_reason": "NonZeroExitCode", "time_limit": 60,
                "tres_req_str": "cpu=2,mem=1G,node=1,billing=1,gres/gpu=1", "user_name": "ann",
            },
        ]})
    }

    /// Written after the documentation of v0.0.42 (release 24.11); not recorded.
    fn of_2411() -> Value {
        let number = |number: u64| json!({"set": true, "infinite": false, "number": number});
        json!({"errors": [], "jobs": [{
            "comment": MARK, "cpus": number(2), "end_time": number(1_795_295_765),
            "exit_code": {"status": ["SUCCESS"], "return_code": number(0),
                "signal": {"id": {"set": false, "infinite": false, "number": 0}, "name": ""}},
            "job_id": 7, "job_state": ["RUNNING"], "node_count": number(1), "nodes": "bee-1",
            "partition": "batch", "priority": number(1), "start_time": number(1_795_292_165),
            "state_reason": "None", "time_limit": number(60),
            "tres_req_str": "cpu=2,mem=1G,node=1,billing=1,gres/gpu=1", "user_name": "ann",
        }]})
    }

    #[test]
    fn our_jobs_are_found_among_all_in_either_format() {
        let found = parse(&of_2205());
        let [failed] = &found[..] else { panic!("{found:?}") };
        assert_eq!((failed.id, failed.user.as_str()), (SlurmId(7), "ann"));
        assert_eq!(failed.exit.unwrap().code, 3);
        assert!(matches!(failed.phase, Ok(Phase::Over(_))));
        let found = parse(&of_2411());
        let [running] = &found[..] else { panic!("{found:?}") };
        assert_eq!(running.phase, Ok(Phase::Active));
        assert_eq!(running.started.unwrap().as_second(), 1_795_292_165);
    }

    #[test]
    fn everybodys_jobs_are_read_with_what_they_ask() {
        assert_eq!(parse_load(&of_2205()), [], "what is over is not in line");
        let found = parse_load(&of_2411());
        let [job] = &found[..] else { panic!("{found:?}") };
        assert_eq!((job.cores, job.memory_mb, job.gpus, job.limit_seconds), (2, 1_024, 1, 3_600));
    }

    #[test]
    fn nothing_else_is_a_job() {
        for odd in [json!(null), json!({"jobs": 7}), json!({"jobs": [7, null, {"comment": MARK}]})]
        {
            assert_eq!((parse(&odd), parse_load(&odd)), (vec![], vec![]), "{odd}");
        }
    }
}
