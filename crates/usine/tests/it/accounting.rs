//! A real Slurm's accounting against the ledger: everything that may happen to a job, charged to the
//! second.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::agent::{AgentProcess, enrolled, until, with_remote_site};
use crate::factory::Factory;
use crate::slurm::{Cluster, LOGIN};
use crate::story::{StartUp, text};

/// A run as `sacct` has it: state, seconds, suspended seconds, comment.
type Row = [String; 4];

impl Cluster {
    /// Submits a script as the person, past the hub; the job's number.
    fn submit(&self, account: &str, options: &[&str], script: &str) -> String {
        let mut command = Command::new("runuser");
        command.args([
            "-u",
            LOGIN,
            "--",
            "sbatch",
            "--parsable",
            "--chdir=/tmp",
            "-o",
            "/dev/null",
        ]);
        command.args(["--mem=64M", "--time=5", &format!("--account={account}")]).args(options);
        command.args(["--wrap", script]).env("SLURM_CONF", &self.conf);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Waits until a job stands so in the queue.
    fn wait_for(&self, job: &str, state: &str) {
        for _ in 0..400 {
            if self.ask("squeue", &["-h", "-t", "all", "-j", job, "-o", "%T"]).contains(state) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("job {job} is never {state}: {}", self.ask("squeue", &["-t", "all"]));
    }

    /// Everything that the accounting has of an account, once nothing of it runs any more.
    fn booked(&self, account: &str) -> Vec<Row> {
        let account = format!("--accounts={account}");
        let columns = ["-a", "-X", "-D", "-n", "-P", "-S", "now-1days", &account];
        let format = ["-o", "State,ElapsedRaw,Suspended,Comment"];
        for _ in 0..400 {
            let rows = self.ask("sacct", &[&columns[..], &format[..]].concat());
            let row = |line: &str| -> Row {
                line.split('|').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
            };
            let runs: Vec<Row> = rows.lines().map(row).collect();
            let open = ["RUNNING", "PENDING", "SUSPENDED", "COMPLETING"];
            let queued = self.ask("squeue", &["-h", &account]);
            if queued.trim().is_empty()
                && runs.iter().all(|[state, ..]| !open.contains(&state.as_str()))
            {
                return runs;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("jobs go on: {}", self.ask("squeue", &["-t", "all"]))
    }

    /// The node on which a job runs.
    fn node_of(&self, job: &str) -> String {
        self.ask("squeue", &["-h", "-j", job, "-o", "%N"]).trim().to_owned()
    }
}

/// Has jobs by hand go through everything that Slurm does to jobs.
fn provoke(cluster: &Cluster, account: &str) {
    cluster.ask("sacctmgr", &["-i", "--quiet", "add", "qos", "usine-low"]);
    cluster.ask("sacctmgr", &["-i", "--quiet", "add", "qos", "usine-high", "preempt=usine-low"]);
    let both = "qos+=usine-low,usine-high";
    cluster.ask("sacctmgr", &["-i", "--quiet", "modify", "user", LOGIN, "set", both]);

    cluster.submit(account, &["--array=1-3", "--ntasks=1"], "sleep 2");
    cluster.submit(account, &["--ntasks=2"], "sleep 2 & sleep 1; wait; exit 3");
    let requeued = cluster.submit(account, &["--exclusive", "--requeue"], "sleep 4");
    let suspended = cluster.submit(account, &["--exclusive"], "sleep 6");
    let lost = cluster.submit(account, &["--exclusive", "--no-requeue"], "sleep 60");
    for job in [&requeued, &suspended, &lost] {
        cluster.wait_for(job, "RUNNING");
    }
    std::thread::sleep(Duration::from_secs(2));
    cluster.ask("scontrol", &["suspend", &suspended]);
    cluster.ask("scontrol", &["requeue", &requeued]);
    let node = format!("nodename={}", cluster.node_of(&lost));
    cluster.ask("scontrol", &["update", &node, "state=down", "reason=test"]);
    std::thread::sleep(Duration::from_secs(3));
    cluster.ask("scontrol", &["resume", &suspended]);
    cluster.ask("scontrol", &["update", &node, "state=resume"]);
    // A requeued job waits for two minutes unless it is told not to.
    cluster.ask("scontrol", &["update", &format!("jobid={requeued}"), "starttime=now"]);

    let nodes = cluster.ask("sinfo", &["-h", "-o", "%D"]).trim().to_owned();
    let all = format!("--nodes={nodes}");
    let low = ["--qos=usine-low", "--exclusive", "--requeue", all.as_str()];
    let preempted = cluster.submit(account, &low, "sleep 5");
    cluster.wait_for(&preempted, "RUNNING");
    let high = ["--qos=usine-high", "--exclusive", all.as_str()];
    let urgent = cluster.submit(account, &high, "sleep 1");
    cluster.wait_for(&urgent, "COMPLETED");
    cluster.ask("scontrol", &["update", &format!("jobid={preempted}"), "starttime=now"]);
}

/// Runs, and seconds accounted and charged, over all days.
fn sums(found: &Value) -> (i64, i64, i64) {
    let sum = |pointer: &str| {
        let days = found["days"].as_array().unwrap().iter();
        days.map(|day| day.pointer(pointer).unwrap().as_i64().unwrap()).sum()
    };
    (sum("/runs"), sum("/accounted/unit_seconds"), sum("/charged/unit_seconds"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_jobs_the_ledger_has_every_second_of_the_accounting() {
    let Some(cluster) = Cluster::new() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let project = format!("/projects/{}", start_up.project);
    let allocations = start_up.founder.get(&format!("{project}/allocations")).await;
    let allocation = text(&allocations["items"][0], "id");
    let account = format!("usine_a{}", allocation.replace('-', ""));
    cluster.account(&account);
    cluster.account("usine_stray");
    let config = cluster.configured(folder.path(), &factory.url, &start_up.email);
    let written = fs::read_to_string(&config).unwrap();
    let kept = written.replace("account = \"usine-lab\"\n", "") + "[slurm.accounts]\n";
    let kept = kept.replace("[slurm]\n", "[slurm]\naccounting_seconds = 1\ntime_zone = \"UTC\"\n");
    fs::write(&config, kept).unwrap();
    enrolled(&administrator, &config).await;
    let mut agent = AgentProcess::start(&config);
    until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;

    let today = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    let first = today(jiff::Timestamp::now());
    let jobs = format!("{project}/jobs");
    let script = "#!/bin/sh\n#SBATCH --time=2 --mem=64M --ntasks=1\nsleep 3\n";
    let job = text(&start_up.founder.post(&jobs, json!({ "script": script })).await, "id");
    cluster.submit("usine_stray", &[], "sleep 1");
    provoke(&cluster, &account);
    // An agent that is away for a while misses nothing.
    agent.kill();
    let runs = cluster.booked(&account);
    let agent = AgentProcess::start(&config);
    let path = format!("/jobs/{job}");
    until(&start_up.founder, &path, |job| job["state"] == "ended").await;

    let of = |state: &str| runs.iter().filter(|[is, ..]| is.starts_with(state)).count();
    for state in ["REQUEUED", "NODE_FAIL", "PREEMPTED", "FAILED", "COMPLETED"] {
        assert!(of(state) > 0, "no run is {state}: {runs:?}");
    }
    assert!(runs.iter().any(|[_, _, suspended, _]| suspended != "00:00:00"), "{runs:?}");
    let hub = runs.iter().filter(|[.., comment]| *comment == format!("usine:{job}"));
    assert_eq!(hub.count(), 1, "{runs:?}");
    let seconds: i64 = runs.iter().map(|[_, seconds, ..]| seconds.parse::<i64>().unwrap()).sum();
    let days = format!("?from={first}&to={}", today(jiff::Timestamp::now()));
    let proof = format!("/sites/afar/reconciliation{days}");
    let count = i64::try_from(runs.len()).unwrap();
    let found = until(&administrator, &proof, |found| {
        let (runs, accounted, charged) = sums(found);
        runs == count && accounted == charged
    })
    .await;
    let ran: i64 = found["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["ran_seconds"].as_i64().unwrap())
        .sum();
    assert_eq!(ran, seconds, "{found}");
    let causes: Vec<&str> = found["days"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|day| day["differences"].as_array().unwrap())
        .map(|difference| difference["cause"].as_str().unwrap())
        .collect();
    assert!(
        causes.iter().all(|cause| ["not-reported", "unknown-account"].contains(cause)),
        "{found}"
    );
    assert!(causes.contains(&"unknown-account"), "{found}");

    let (_, _, charged) = sums(&found);
    let statement = administrator.get("/ledger/entries?limit=200").await;
    let entries = statement["items"].as_array().unwrap().iter();
    let used = entries.filter(|entry| {
        ["settle", "charge", "correction"].contains(&entry["kind"].as_str().unwrap())
    });
    let used: i64 = used.map(|entry| entry["amount"].as_i64().unwrap()).sum();
    assert_eq!(used, charged, "the proof is of the ledger itself");
    let check = administrator.get("/ledger/check").await;
    assert_eq!(check["sound"], true, "{check}");
    drop(agent);

    // The same for people: the day is not over, and says so.
    let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
    command.args(["site", "reconcile", "afar", "--day", &first]).env("USINE_HUB", &factory.url);
    let shown = command.env("USINE_TOKEN", administrator.token.unwrap()).output().unwrap();
    assert_eq!(shown.status.code(), Some(1));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("not-reported") && shown.contains("usine_stray"), "{shown}");
}
