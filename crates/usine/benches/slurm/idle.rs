//! What the agent takes of the machine, and asks of Slurm, while nothing happens.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::there::{INTERVAL, There};

/// Ticks of the processor clock in a second, as Linux counts them to programs.
const TICKS: f64 = 100.0;

/// What a process takes.
pub(crate) struct Load {
    /// Of one core, by itself.
    pub(crate) own_percent: f64,
    /// With the programs that it ran meanwhile.
    pub(crate) whole_percent: f64,
    pub(crate) memory_mib: f64,
}

/// What it asks of the controller.
pub(crate) struct Counted {
    pub(crate) questions: BTreeMap<String, u64>,
    pub(crate) job_questions_an_interval: f64,
    pub(crate) load: Load,
    /// What the controller takes meanwhile.
    pub(crate) controller: Load,
}

/// Watches a process for a while.
pub(crate) async fn watch(process: u32, length: Duration) -> Load {
    let (begun, before) = (Instant::now(), ticks(process));
    tokio::time::sleep(length).await;
    let (passed, after) = (begun.elapsed().as_secs_f64(), ticks(process));
    let percent = |ticks: u64| ticks as f64 / TICKS / passed * 100.0;
    let own = after.0 - before.0;
    Load {
        own_percent: percent(own),
        whole_percent: percent(own + after.1 - before.1),
        memory_mib: memory_mib(process),
    }
}

/// Counts what is asked for a while in which only the agent asks.
pub(crate) async fn count(cluster: &Cluster, there: &There, length: Duration) -> Counted {
    // What follows submissions is over by then.
    tokio::time::sleep(INTERVAL * 2).await;
    cluster.begin_to_count();
    let (load, controller) =
        tokio::join!(watch(there.agent_id(), length), watch(cluster.controller_id(), length));
    let questions = cluster.counted();
    let jobs = questions.iter().filter(|(name, _)| name.contains("_JOB"));
    let jobs = jobs.map(|(_, count)| *count).sum::<u64>() as f64;
    let intervals = length.as_secs_f64() / INTERVAL.as_secs_f64();
    Counted { questions, job_questions_an_interval: jobs / intervals, load, controller }
}

/// Ticks of processor time that a process took, and those that programs took which it ran and that
/// have ended.
fn ticks(process: u32) -> (u64, u64) {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name of the program may hold anything; the fields count from behind it.
    let fields: Vec<&str> = line.rsplit(')').next().unwrap().split_whitespace().collect();
    let field = |number: usize| fields[number].parse::<u64>().unwrap();
    (field(11) + field(12), field(13) + field(14))
}

fn memory_mib(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1_024.0
}
