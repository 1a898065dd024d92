//! What the digital twin says that Slurm does, beside what Slurm does.
//!
//! A few hundred jobs that sleep are submitted to a real cluster, one that starts nothing else. Then
//! the twin reads what an administrator would give it, `slurm.conf` and the answers of `sacctmgr`
//! and `sacct`, replays the submissions, and says how far its starts are off.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::load::{self, Job};
use crate::shell;
use crate::slurm::{Cluster, PORTS, pause};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many jobs.
    #[arg(long, default_value_t = 300)]
    jobs: u64,
    /// Over how many seconds they are submitted; the jobs ask for as much as the cluster has in
    /// nine minutes.
    #[arg(long, default_value_t = 600)]
    over: u64,
    /// What the jobs are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// `SchedulerParameters` of the cluster. Jobs last seconds here and not hours, so the intervals
    /// are as much shorter than Slurm's own.
    #[arg(long, default_value = "bf_interval=1,bf_resolution=1,bf_continue,batch_sched_delay=1")]
    parameters: String,
    /// Where the dumps of the cluster go.
    #[arg(long, default_value = "target/compare-slurm")]
    out: PathBuf,
    /// Run the same jobs on a second cluster at the same time: how far is Slurm off from itself?
    #[arg(long)]
    twice: bool,
    /// Leave the cluster up afterwards.
    #[arg(long)]
    keep: bool,
}

/// The nodes of the cluster, and the cores of each.
const NODES: u16 = 8;
const CORES: u16 = 16;
const FIRST_PORT: u16 = 21_000;
/// How long the jobs may take to end after the last was submitted.
const PATIENCE_SECONDS: u64 = 1_800;

/// Brings one cluster up or two, runs the jobs, and compares.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runs = if arguments.twice { &["compare", "compareagain"][..] } else { &["compare"] };
    let clusters: Vec<Cluster> = (0..)
        .zip(runs)
        .map(|(place, name)| cluster(name, FIRST_PORT + place * PORTS, &arguments.parameters))
        .collect();
    for cluster in &clusters {
        // What earlier runs left in the accounting would count.
        cluster.down(true)?;
        cluster.up()?;
    }
    let dumps: Result<Vec<Dumps>> = std::thread::scope(|scope| {
        let observe = |cluster| move || observe(cluster, arguments);
        let runs: Vec<_> = clusters.iter().map(|cluster| scope.spawn(observe(cluster))).collect();
        let died = |_| Err(anyhow!("a run ended in a panic"));
        runs.into_iter().map(|run| run.join().unwrap_or_else(died)).collect()
    });
    if !arguments.keep {
        for cluster in &clusters {
            cluster.down(false)?;
        }
    }
    compare(&dumps?)
}

fn cluster(name: &str, ports: u16, parameters: &str) -> Cluster {
    let scheduling = format!(
        "\
SchedulerType=sched/backfill
SchedulerParameters={parameters}
PriorityType=priority/multifactor
PriorityDecayHalfLife=00:10:00
PriorityCalcPeriod=00:01:00
PriorityMaxAge=00:20:00
PriorityWeightAge=1000
PriorityWeightFairshare=10000
PriorityWeightJobSize=500
PriorityWeightQOS=5000"
    );
    Cluster {
        nodes: NODES,
        cores: CORES,
        ports,
        scheduling: Some(scheduling),
        users: load::PEOPLE.iter().map(|(user, _, _)| (*user).to_owned()).collect(),
        ..Cluster::named(name)
    }
}

/// What was dumped of a cluster.
struct Dumps {
    conf: PathBuf,
    associations: PathBuf,
    qos: PathBuf,
    jobs: PathBuf,
    /// When slurmctld was started.
    booted: String,
}

fn observe(cluster: &Cluster, arguments: &Arguments) -> Result<Dumps> {
    accounts(cluster)?;
    // Slurm knows nobody's shares before it has counted for the first time.
    pause(Duration::from_secs(65));
    let jobs =
        load::jobs(arguments.seed, arguments.jobs, arguments.over, NODES.into(), CORES.into());
    submit_all(cluster, &jobs)?;
    wait_for_the_end(cluster)?;
    dump(cluster, &arguments.out.join(&cluster.name))
}

fn accounts(cluster: &Cluster) -> Result<()> {
    let manage = |words: &[&str]| cluster.ask("sacctmgr", [&["-i"], words].concat()).map(drop);
    manage(&["add", "qos", "high", "Priority=100"])?;
    for (account, settings) in load::ACCOUNTS {
        manage(&[&["add", "account", account], settings].concat())?;
    }
    for (user, account, _) in load::PEOPLE {
        let account = format!("account={account}");
        manage(&["add", "user", user, &account, "qos=normal,high", "defaultqos=normal"])?;
    }
    Ok(())
}

/// Submits every job when its time has come.
fn submit_all(cluster: &Cluster, jobs: &[Job]) -> Result<()> {
    println!("==> {} jobs", jobs.len());
    let begun = Instant::now();
    for job in jobs {
        let due = Duration::from_millis(job.at_millis);
        pause(due.saturating_sub(begun.elapsed()));
        let mut sbatch = cluster.command("sbatch", ["--parsable", "--chdir=/"]);
        sbatch.args(["--output=/dev/null", "--error=/dev/null", "--mem-per-cpu=16"]);
        sbatch.args([
            format!("--uid={}", job.user),
            format!("--account={}", job.account),
            format!("--qos={}", job.qos),
            format!("--nodes={}", job.nodes),
            format!("--ntasks-per-node={}", job.cores_per_node),
            format!("--time={}", job.limit_minutes),
            format!("--wrap=sleep {}", job.seconds),
        ]);
        shell::quiet("sbatch", &mut sbatch)?;
    }
    println!("    submitted over {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn wait_for_the_end(cluster: &Cluster) -> Result<()> {
    let begun = Instant::now();
    loop {
        let waiting = cluster.ask("squeue", ["-h", "-o", "%A"])?.lines().count();
        if waiting == 0 {
            // The accounting hears of the last ones a little later.
            pause(Duration::from_secs(10));
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(PATIENCE_SECONDS) {
            bail!("{waiting} jobs have not ended after {PATIENCE_SECONDS} s");
        }
        pause(Duration::from_secs(5));
    }
}

fn dump(cluster: &Cluster, folder: &Path) -> Result<Dumps> {
    let folder = crate::root().join(folder);
    std::fs::create_dir_all(&folder)?;
    let keep = |name: &str, text: String| -> Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    let associations = "format=Account,ParentName,User,Share,GrpJobs,GrpTRES,GrpSubmit,GrpTRESMins,\
        MaxJobs,MaxTRES,MaxSubmit,MaxWall,DefaultQOS";
    let jobs = "JobID,Submit,Eligible,Start,End,State,Timelimit,ReqTRES,User,Account,Partition,QOS,\
        Priority,NodeList";
    let config = cluster.ask("scontrol", ["show", "config"])?;
    let booted = config.lines().find_map(|line| line.strip_prefix("BOOT_TIME"));
    let booted = booted.and_then(|rest| rest.split_once("= ")).context("no BOOT_TIME")?;
    let booted = booted.1.trim().to_owned();
    keep("booted.txt", format!("{booted}\n"))?;
    Ok(Dumps {
        booted,
        conf: keep("slurm.conf", std::fs::read_to_string(cluster.conf())?)?,
        associations: keep(
            "associations.txt",
            cluster.ask("sacctmgr", ["-P", "show", "assoc", associations])?,
        )?,
        qos: keep("qos.txt", cluster.ask("sacctmgr", ["-P", "show", "qos"])?)?,
        jobs: keep(
            "jobs.txt",
            cluster.ask("sacct", ["-a", "-X", "-P", "-S", "now-1days", "-o", jobs])?,
        )?,
    })
}

/// Lets the twin say what it makes of each run, as it is and with a second for nodes to settle, and
/// how far the runs are off from each other: tables, then JSON.
fn compare(runs: &[Dumps]) -> Result<()> {
    for dumps in runs {
        for more in [&["--settle=0"][..], &["--settle=1"], &["--settle=1", "--json"]] {
            println!("==> predicted, {}", more.join(" "));
            tell(twin_slurm(dumps).arg("--booted").arg(&dumps.booted).args(more))?;
        }
    }
    if let [first, second] = runs {
        for more in [&[][..], &["--json"]] {
            println!("==> Slurm beside Slurm");
            tell(twin_slurm(first).arg("--again").arg(&second.jobs).args(more))?;
        }
    }
    Ok(())
}

fn twin_slurm(dumps: &Dumps) -> Command {
    let mut usine = shell::cargo(["run", "-q", "-p", "usine", "--", "twin", "slurm"]);
    usine.arg("--conf").arg(&dumps.conf).arg("--associations").arg(&dumps.associations);
    usine.arg("--qos").arg(&dumps.qos).arg("--jobs").arg(&dumps.jobs);
    usine
}

fn tell(usine: &mut Command) -> Result<()> {
    let status = usine.stdout(Stdio::inherit()).status()?;
    if !status.success() {
        bail!("usine twin slurm failed ({status})");
    }
    Ok(())
}
