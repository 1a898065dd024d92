//! Jobs to a real Slurm: by the hub and the agent of its site, beside Slurm's own two ways in, on the
//! same cluster in the same run. All nodes are held by one job, so that submissions are measured and
//! not what jobs do. Then what it takes to watch thousands of jobs that wait, and nothing at all.
//!
//! `cargo xtask bench slurm [--quick] [-- --rest --waiting]` brings the cluster up; with `--rest` the agent
//! speaks to `slurmrestd` instead of running commands, with `--waiting` submissions are left out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a measurement that cannot go on must stop"
)]

#[path = "../../tests/it/afar.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod afar;
#[path = "../../tests/it/factory.rs"]
#[expect(dead_code, reason = "benchmarks use a part of what tests do")]
mod factory;
#[path = "../../tests/it/story.rs"]
mod story;

mod cluster;
mod figures;
mod idle;
mod there;

use std::time::Duration;

use cluster::{Cluster, Loop};
use figures::Figures;
use serde_json::{Map, Value, json};
use there::{There, Way};

/// Connections, or loops, at once.
const AT_ONCE: [usize; 2] = [1, 16];

/// How long a run is.
struct Length {
    /// Submissions each way.
    submissions: usize,
    /// Submissions one after the other, each until Slurm has it.
    alone: usize,
    /// Jobs that wait while queries are counted.
    waiting: usize,
    /// How long they are.
    counted: Duration,
    /// How long the agent that has nothing to do is watched.
    idle: Duration,
}

impl Length {
    const FULL: Self = Self {
        submissions: 400,
        alone: 100,
        waiting: 10_000,
        counted: Duration::from_secs(60),
        idle: Duration::from_secs(300),
    };
    const QUICK: Self = Self {
        submissions: 48,
        alone: 10,
        waiting: 300,
        counted: Duration::from_secs(10),
        idle: Duration::from_secs(10),
    };
}

#[tokio::main]
async fn main() {
    let wants = |word: &str| std::env::args().any(|argument| argument == word);
    let length = if wants("--quick") { Length::QUICK } else { Length::FULL };
    let way = if wants("--rest") { Way::Rest } else { Way::Commands };
    let Some(cluster) = Cluster::of_environment() else {
        println!("no figures of Slurm: `cargo xtask bench slurm` brings a cluster up, as root");
        return;
    };
    cluster.occupy();
    let there = There::begin(&cluster, way).await;
    let mut json = Map::from_iter([("bench".to_owned(), json!("slurm"))]);

    // What follows its start is over by then.
    tokio::time::sleep(there::INTERVAL * 5).await;
    let idle = idle::watch(there.agent_id(), length.idle).await;
    println!(
        "an agent with nothing to do ({way:?}), over {:?}: {:.2} % of a core itself, {:.2} % with the \
         commands it runs, {:.1} MiB resident",
        length.idle, idle.own_percent, idle.whole_percent, idle.memory_mib
    );
    put(&mut json, "idle_agent_processor_percent", idle.own_percent);
    put(&mut json, "idle_agent_processor_percent_with_commands", idle.whole_percent);
    put(&mut json, "idle_agent_memory_mebibytes", idle.memory_mib);

    if !wants("--waiting") {
        submissions(&cluster, &there, &length, &mut json).await;
    }
    waiting(&cluster, &there, &length, &mut json).await;
    println!("{}", Value::Object(json));
}

fn put(json: &mut Map<String, Value>, key: &str, figure: f64) {
    json.insert(key.to_owned(), json!((figure * 100.0).round() / 100.0));
}

/// Every way to hand jobs in.
async fn submissions(
    cluster: &Cluster,
    there: &There,
    length: &Length,
    json: &mut Map<String, Value>,
) {
    println!("\n{:44} {:>7}  {}", "submissions", "at once", Figures::HEADING);
    let mut tell = |name: &str, key: &str, at_once: usize, figures: &Figures| {
        println!("{name:44} {at_once:7}  {figures}");
        put(json, &format!("{key}_{at_once}_per_second"), figures.per_second);
        put(json, &format!("{key}_{at_once}_p50_milliseconds"), figures.p50);
        put(json, &format!("{key}_{at_once}_p99_milliseconds"), figures.p99);
    };
    let mut ratios = Vec::new();
    for at_once in AT_ONCE {
        let count = length.submissions;
        let bare = cluster.sbatch(Loop::AsPerson, count, at_once);
        tell("sbatch in a loop, the person's own", "sbatch", at_once, &bare);
        let prefixed = cluster.sbatch(Loop::ByPrefix, count, at_once);
        tell("sbatch in a loop, by the agent's `runuser`", "sbatch_by_prefix", at_once, &prefixed);
        let rest = cluster.slurmrestd(count, at_once).await;
        tell("slurmrestd", "slurmrestd", at_once, &rest);
        let handed = there.hand_in(count, at_once).await;
        tell("usine, until the hub answers", "usine_answer", at_once, &handed.answer);
        tell("usine, until the hub knows that Slurm has it", "usine_known", at_once, &handed.known);
        ratios.push((
            at_once,
            handed,
            [("sbatch", bare), ("sbatch_by_prefix", prefixed), ("slurmrestd", rest)],
        ));
    }
    let alone = there.hand_in_one_by_one(length.alone).await;
    tell("usine, one after the other: the answer", "usine_alone_answer", 1, &alone.answer);
    tell("usine, one after the other: Slurm has it", "usine_alone_known", 1, &alone.known);
    for (at_once, handed, peers) in ratios {
        for (name, peer) in peers {
            for (key, ours) in [("answer", &handed.answer), ("known", &handed.known)] {
                let ratio = ours.per_second / peer.per_second;
                println!("usine ({key}) / {name}, {at_once} at once: {ratio:.2}");
                put(json, &format!("ratio_{key}_to_{name}_{at_once}"), ratio);
            }
        }
    }
}

/// What it costs to know where jobs stand, a few and very many.
async fn waiting(cluster: &Cluster, there: &There, length: &Length, json: &mut Map<String, Value>) {
    for (key, more) in [("few", 0), ("many", length.waiting)] {
        there.hand_in_arrays(more).await;
        let jobs = cluster.ours_waiting();
        let counted = idle::count(cluster, there, length.counted).await;
        println!(
            "\n{jobs} jobs wait, over {:?}: {:.2} questions for jobs an interval of {:?}, the agent \
             takes {:.1} % of a core itself, {:.1} % with its commands, {:.1} MiB, slurmctld {:.1} %",
            length.counted,
            counted.job_questions_an_interval,
            there::INTERVAL,
            counted.load.own_percent,
            counted.load.whole_percent,
            counted.load.memory_mib,
            counted.controller.own_percent
        );
        for (question, count) in &counted.questions {
            println!("  {question} {count}");
        }
        put(json, &format!("{key}_waiting_jobs"), jobs as f64);
        put(
            json,
            &format!("{key}_waiting_job_questions_an_interval"),
            counted.job_questions_an_interval,
        );
        put(json, &format!("{key}_waiting_agent_processor_percent"), counted.load.own_percent);
        put(
            json,
            &format!("{key}_waiting_agent_processor_percent_with_commands"),
            counted.load.whole_percent,
        );
        put(json, &format!("{key}_waiting_agent_memory_mebibytes"), counted.load.memory_mib);
        put(
            json,
            &format!("{key}_waiting_slurmctld_processor_percent"),
            counted.controller.own_percent,
        );
    }
}
