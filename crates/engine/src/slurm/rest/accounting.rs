//! The accounting's jobs.

use serde_json::Value;

use super::format::{exit, instant, number, text, words};
use crate::slurm::state;
use crate::slurm::transport::{Accounted, SlurmId, marked};

/// The runs; what cannot be read is passed over.
pub(super) fn parse(answer: &Value) -> Vec<Accounted> {
    let jobs = answer.get("jobs").and_then(Value::as_array);
    jobs.into_iter().flatten().filter_map(run).collect()
}

fn run(job: &Value) -> Option<Accounted> {
    let at = |name: &str| job.pointer(&format!("/time/{name}")).and_then(instant);
    let words = job.pointer("/state/current").map(words).unwrap_or_default();
    let held_nodes = job.get("allocation_nodes").and_then(number).is_some_and(|count| count > 0);
    let comment = job.pointer("/comment/job").and_then(Value::as_str).unwrap_or_default();
    Some(Accounted {
        id: SlurmId(job.get("job_id").and_then(number)?.try_into().ok()?),
        job: marked(comment),
        user: text(job, "user").to_owned(),
        phase: state::phase_of_all(words.into_iter()),
        exit: job.get("exit_code").and_then(exit),
        submitted: at("submission"),
        started: at("start").filter(|_| held_nodes),
        ended: at("end"),
        peak_memory_mb: steps(job).filter_map(peak_mb).max(),
        cpu_milliseconds: cpu_milliseconds(job),
    })
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job.get("steps").and_then(Value::as_array).into_iter().flatten()
}

/// The most memory that a task of a step held, which is told in bytes.
fn peak_mb(step: &Value) -> Option<u64> {
    let amounts = step.pointer("/tres/requested/max")?.as_array()?;
    let memory = amounts.iter().find(|amount| text(amount, "type") == "mem")?;
    memory.get("count").and_then(number).map(|bytes| bytes.div_ceil(1 << 20))
}

/// The processor time of all steps; what is told of the job itself is zero in some releases.
fn cpu_milliseconds(job: &Value) -> Option<u64> {
    let total = |of: &Value| {
        let part = |name: &str| of.pointer(&format!("/time/total/{name}")).and_then(number);
        part("seconds")?.checked_mul(1_000)?.checked_add(part("microseconds")? / 1_000)
    };
    let of_steps: u64 = steps(job).filter_map(total).sum();
    total(job).map(|of_job| of_job.max(of_steps))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slurm::state::{Close, Phase};
    use serde_json::json;

    const MARK: &str = "usine:0189abcd-0000-7000-8000-000000000004";

    #[test]
    fn a_run_of_2205_is_read() {
        // As Slurm 22.05.8 told it in v0.0.38, but for names; the memory is added.
        let answer = json!({"jobs": [{
            "comment": {"administrator": null, "job": MARK, "system": null},
            "allocation_nodes": 1,
            "time": {"end": 1_795_292_165, "start": 1_795_292_165, "submission": 1_795_292_164,
                "total": {"seconds": 0, "microseconds": 0}},
            "exit_code": {"status": "SUCCESS", "return_code": 0},
            "job_id": 2, "state": {"current": "FAILED", "reason": "None"}, "user": "ann",
            "steps": [{
                "time": {"total": {"seconds": 1, "microseconds": 2_368}},
                "tres": {"requested": {"max": [{"type": "cpu", "count": 1_000},
                    {"type": "mem", "name": null, "count": 41_943_040}]}},
            }],
        }]});
        let found = parse(&answer);
        let [run] = &found[..] else { panic!("{found:?}") };
        assert!(run.job.is_some());
        assert_eq!(run.phase, Ok(Phase::Over(Close::Failed)));
        // It tells no status, so that of the queue has to do.
        assert!(!run.exit.unwrap().is_failure());
        assert_eq!((run.peak_memory_mb, run.cpu_milliseconds), (Some(40), Some(1_002)));
    }

    #[test]
    fn a_run_of_2411_is_read() {
        // Written after the documentation of v0.0.42; not recorded.
        let number = |number: u64| json!({"set": true, "infinite": false, "number": number});
        let answer = json!({"jobs": [{
            "comment": {"administrator": "", "job": MARK, "system": ""},
            "allocation_nodes": 0,
            "time": {"end": 1_795_292_165, "start": 1_795_292_165, "submission": 1_795_292_164,
                "total": {"seconds": 0, "microseconds": 0}},
            "exit_code": {"status": ["FAILED"], "return_code": number(3),
                "signal": {"id": {"set": false, "infinite": false, "number": 0}, "name": ""}},
            "job_id": 2, "state": {"current": ["CANCELLED"], "reason": "None"}, "user": "ann", "steps": [],
        }]});
        let found = parse(&answer);
        let [run] = &found[..] else { panic!("{found:?}") };
        assert_eq!(run.exit.unwrap().code, 3);
        assert_eq!(run.started, None, "it never held a node");
    }

    #[test]
    fn nothing_else_is_a_run() {
        for odd in [json!(null), json!({"jobs": {}}), json!({"jobs": [[], {"job_id": -1}]})] {
            assert_eq!(parse(&odd), [], "{odd}");
        }
    }
}
