//! A real Slurm's accounting against the ledger: everything that may happen to a job, charged to the
//! second.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::agent::{AgentProcess, enrolled, until, with_remote_site};
use crate::factory::{Client, Factory};
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
    async fn wait_for(&self, job: &str, state: &str) {
        for _ in 0..400 {
            if self.ask("squeue", &["-h", "-t", "all", "-j", job, "-o", "%T"]).contains(state) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("job {job} is never {state}: {}", self.ask("squeue", &["-t", "all"]));
    }

    /// Everything that the accounting has of an account, once nothing of it runs any more.
    async fn booked(&self, account: &str) -> Vec<Row> {
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
            sleep(Duration::from_millis(100)).await;
        }
        panic!("jobs go on: {}", self.ask("squeue", &["-t", "all"]))
    }

    /// The node on which a job runs.
    fn node_of(&self, job: &str) -> String {
        self.ask("squeue", &["-h", "-j", job, "-o", "%N"]).trim().to_owned()
    }
}

/// Has jobs by hand go through everything that Slurm does to jobs.
async fn provoke(cluster: &Cluster, account: &str) {
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
        cluster.wait_for(job, "RUNNING").await;
    }
    sleep(Duration::from_secs(2)).await;
    cluster.ask("scontrol", &["suspend", &suspended]);
    cluster.ask("scontrol", &["requeue", &requeued]);
    let node = format!("nodename={}", cluster.node_of(&lost));
    cluster.ask("scontrol", &["update", &node, "state=down", "reason=test"]);
    sleep(Duration::from_secs(3)).await;
    cluster.ask("scontrol", &["resume", &suspended]);
    cluster.ask("scontrol", &["update", &node, "state=resume"]);
    // A requeued job waits for two minutes unless it is told not to.
    cluster.ask("scontrol", &["update", &format!("jobid={requeued}"), "starttime=now"]);

    let nodes = cluster.ask("sinfo", &["-h", "-o", "%D"]).trim().to_owned();
    let all = format!("--nodes={nodes}");
    let low = ["--qos=usine-low", "--exclusive", "--requeue", all.as_str()];
    let preempted = cluster.submit(account, &low, "sleep 5");
    cluster.wait_for(&preempted, "RUNNING").await;
    let high = ["--qos=usine-high", "--exclusive", all.as_str()];
    let urgent = cluster.submit(account, &high, "sleep 1");
    cluster.wait_for(&urgent, "COMPLETED").await;
    cluster.ask("scontrol", &["update", &format!("jobid={preempted}"), "starttime=now"]);
}

/// Runs, and seconds accounted and charged, over all days.
pub(crate) fn sums(found: &Value) -> (i64, i64, i64) {
    let sum = |pointer: &str| {
        let days = found["days"].as_array().unwrap().iter();
        days.map(|day| day.pointer(pointer).unwrap().as_i64().unwrap()).sum()
    };
    (sum("/runs"), sum("/accounted/unit_seconds"), sum("/charged/unit_seconds"))
}

/// The causes of all differences of all days.
fn causes(found: &Value) -> Vec<&str> {
    let days = found["days"].as_array().unwrap().iter();
    let differences = days.flat_map(|day| day["differences"].as_array().unwrap());
    differences.map(|difference| difference["cause"].as_str().unwrap()).collect()
}

/// The configuration of the agent, with an account for each allocation.
pub(crate) fn with_accounts(cluster: &Cluster, folder: &Path, url: &str, email: &str) -> PathBuf {
    let config = cluster.configured(folder, url, email);
    let written = fs::read_to_string(&config).unwrap();
    let kept = written.replace("account = \"usine-lab\"\n", "") + "[slurm.accounts]\n";
    let often = "[slurm]\naccounting_seconds = 1\ntime_zone = \"UTC\"\n";
    fs::write(&config, kept.replace("[slurm]\n", often)).unwrap();
    config
}

/// Makes the account of a project's only allocation.
pub(crate) async fn account_of(cluster: &Cluster, member: &Client, project: &str) -> String {
    let allocations = member.get(&format!("{project}/allocations")).await;
    let account = format!("usine_a{}", text(&allocations["items"][0], "id").replace('-', ""));
    cluster.account(&account);
    account
}

/// The day on which the agent called last.
pub(crate) async fn today(administrator: &Client) -> String {
    let seen = text(&administrator.get("/sites/afar").await, "seen_at");
    seen.split('T').next().unwrap().to_owned()
}

/// What the ledger's entries charge in all.
async fn charged_in_all(administrator: &Client) -> i64 {
    let page = administrator.get("/ledger/entries?limit=200").await;
    let charges = ["settle", "charge", "correction"];
    let is_charge = |entry: &&Value| charges.contains(&entry["kind"].as_str().unwrap());
    let entries = page["items"].as_array().unwrap().iter().filter(is_charge);
    entries.map(|entry| entry["amount"].as_i64().unwrap()).sum()
}

/// Everything that Slurm does to jobs is among the runs of an account.
fn assert_all_of_it(runs: &[Row], job: &str) {
    for state in ["REQUEUED", "NODE_FAIL", "PREEMPTED", "FAILED", "COMPLETED"] {
        assert!(runs.iter().any(|[is, ..]| is.starts_with(state)), "no run is {state}: {runs:?}");
    }
    assert!(runs.iter().any(|[_, _, suspended, _]| suspended != "00:00:00"), "{runs:?}");
    let mark = format!("usine:{job}");
    assert_eq!(runs.iter().filter(|[.., comment]| *comment == mark).count(), 1, "{runs:?}");
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
    let account = account_of(&cluster, &start_up.founder, &project).await;
    cluster.account("usine_stray");
    let config = with_accounts(&cluster, folder.path(), &factory.url, &start_up.email);
    enrolled(&administrator, &config).await;
    let mut agent = AgentProcess::start(&config);
    until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;

    let first = today(&administrator).await;
    let script = "#!/bin/sh\n#SBATCH --time=2 --mem=64M --ntasks=1\nsleep 3\n";
    let jobs = format!("{project}/jobs");
    let job = text(&start_up.founder.post(&jobs, json!({ "script": script })).await, "id");
    cluster.submit("usine_stray", &[], "sleep 1");
    provoke(&cluster, &account).await;
    // An agent that is away for a while misses nothing.
    agent.kill();
    let runs = cluster.booked(&account).await;
    let _agent = AgentProcess::start(&config);
    until(&start_up.founder, &format!("/jobs/{job}"), |job| job["state"] == "ended").await;
    assert_all_of_it(&runs, &job);

    let proof =
        format!("/sites/afar/reconciliation?from={first}&to={}", today(&administrator).await);
    let count = i64::try_from(runs.len()).unwrap();
    let agrees = |(told, accounted, charged)| told == count && accounted == charged;
    let found = until(&administrator, &proof, |found| agrees(sums(found))).await;
    let days = found["days"].as_array().unwrap().iter();
    let ran: i64 = days.map(|day| day["ran_seconds"].as_i64().unwrap()).sum();
    let seconds: i64 = runs.iter().map(|[_, seconds, ..]| seconds.parse::<i64>().unwrap()).sum();
    assert_eq!(ran, seconds, "{found}");
    let told = causes(&found);
    assert!(told.contains(&"unknown-account"), "{found}");
    let harmless = ["not-reported", "unknown-account"];
    assert!(told.iter().all(|cause| harmless.contains(cause)), "{found}");
    assert_eq!(charged_in_all(&administrator).await, sums(&found).2, "the proof is of the ledger");
    let check = administrator.get("/ledger/check").await;
    assert_eq!(check["sound"], true, "{check}");

    // The same for people: the day is not over, and says so.
    let mut command = Command::new(env!("CARGO_BIN_EXE_usine"));
    command.args(["site", "reconcile", "afar", "--day", &first]).env("USINE_HUB", &factory.url);
    let shown = command.env("USINE_TOKEN", administrator.token.unwrap()).output().unwrap();
    assert_eq!(shown.status.code(), Some(1));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("not-reported") && shown.contains("usine_stray"), "{shown}");
}
