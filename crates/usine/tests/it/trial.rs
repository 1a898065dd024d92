//! The hub, the agent of a site and a real Slurm, of which each part and the network between them is
//! killed or cut at random moments, while jobs are submitted, run and are cancelled: every script runs
//! exactly once, or never if its owner said so first, and is charged to the second what the accounting
//! says of it in the end, which Slurm itself puts right more than once.
//!
//! `USINE_TRIAL_JOBS` says how many jobs: `cargo xtask test` has some dozens, `cargo xtask trial --jobs
//! 300` as many as one likes, on a cluster of its own. `USINE_CRASH_SEED` repeats a run.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use units::Timestamp;

use crate::accounting::{account_of, sums, today, with_accounts};
use crate::agent::{AgentProcess, enrolled, until, with_remote_site};
use crate::crash::{Afterwards, Dice, Project, Trial, all_jobs, check_books, number_from};
use crate::factory::{Client, Factory};
use crate::faults::BadNetwork;
use crate::slurm::Cluster;

/// What brings a stopped daemon of the cluster up again.
const UP: &str = "USINE_TEST_SLURM_UP";
/// How long all jobs may take to end once nothing is killed any more.
const AFTERMATH: Duration = Duration::from_secs(420);
/// One run of a job in Slurm's accounting.
struct Run {
    state: String,
    seconds: i64,
}

/// A whole site and its hub.
struct World {
    cluster: Cluster,
    account: String,
    folder: Arc<tempfile::TempDir>,
    network: BadNetwork,
    hub: Option<Factory>,
    agent: AgentProcess,
    config: PathBuf,
    rising: Vec<Child>,
    kills: BTreeMap<&'static str, u32>,
}

impl World {
    /// Everything, and a project whose jobs may run there.
    async fn new(cluster: Cluster, dice: &mut Dice) -> (Self, Project, Client) {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        with_remote_site(folder.path());
        let hub = Factory::start_in(Arc::clone(&folder));
        let administrator = hub.administrator().await;
        let (project, email) = Project::with_email(&hub).await;
        let own_path = format!("/projects/{}", project.id);
        let account = account_of(&cluster, &project.client(&hub), &own_path).await;
        let config = with_accounts(&cluster, folder.path(), &hub.url, &email);
        enrolled(&administrator, &config).await;
        let network = BadNetwork::before(&hub.url, dice.another()).await;
        let config = with_accounts(&cluster, folder.path(), &network.url, &email);
        let agent = AgentProcess::start(&config);
        until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;
        let (rising, kills, hub) = (Vec::new(), BTreeMap::new(), Some(hub));
        let world = Self { cluster, account, folder, network, hub, agent, config, rising, kills };
        (world, project, administrator)
    }

    fn url(&self) -> String {
        self.hub.as_ref().unwrap().url.clone()
    }

    /// Kills or cuts something.
    async fn strike(&mut self, dice: &mut Dice) {
        let what = ["hub", "agent", "slurmctld", "slurmdbd", "network"];
        let what = what[usize::try_from(dice.roll(5)).unwrap()];
        *self.kills.entry(what).or_default() += 1;
        match what {
            "hub" => {
                self.hub.take().unwrap().kill();
                tokio::time::sleep(Duration::from_millis(dice.roll(1_500))).await;
                let hub = Factory::start_in(Arc::clone(&self.folder));
                self.network.lead_to(&hub.url);
                self.hub = Some(hub);
            }
            "agent" => {
                self.agent.kill();
                tokio::time::sleep(Duration::from_millis(dice.roll(1_500))).await;
                self.agent = AgentProcess::start(&self.config);
            }
            "network" => {
                self.network.cut(true);
                tokio::time::sleep(Duration::from_millis(dice.roll(4_000))).await;
                self.network.cut(false);
            }
            daemon => self.kill_daemon(daemon),
        }
    }

    /// Kills a daemon of Slurm's as a power cut would, and begins to start it again.
    fn kill_daemon(&mut self, daemon: &str) {
        self.rising.retain_mut(|up| up.try_wait().unwrap().is_none());
        if !self.rising.is_empty() {
            return;
        }
        let record = self.cluster.conf.ancestors().nth(2).unwrap().join("run");
        let text = fs::read_to_string(record.join(format!("{daemon}.process"))).unwrap();
        let pid = text.split_whitespace().next().unwrap();
        // One that is on its way up again may be gone.
        let _status = Command::new("kill").args(["-9", pid]).status().unwrap();
        self.rising.push(self.up());
    }

    fn up(&self) -> Child {
        let line = std::env::var(UP).unwrap();
        let mut words = line.split_whitespace();
        let mut up = Command::new(words.next().unwrap());
        up.args(words).stdout(Stdio::null()).spawn().unwrap()
    }

    /// Does what the administrator would: a node that Slurm drained because it was told to start a
    /// job that runs there is taken up again.
    fn mend(&self) {
        self.cluster.ask("scontrol", &["reconfigure"]);
        self.cluster.ask("scontrol", &["update", "NodeName=ALL", "State=RESUME"]);
    }

    /// Nothing fails any more, and everything is there.
    async fn calm(&mut self) {
        self.network.mend();
        for mut up in std::mem::take(&mut self.rising) {
            self.wait_for(&mut up).await;
        }
        let mut up = self.up();
        self.wait_for(&mut up).await;
    }

    async fn wait_for(&self, up: &mut Child) {
        while up.try_wait().unwrap().is_none() {
            self.mend();
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// The runs of every job that Slurm's accounting has.
    fn runs(&self) -> BTreeMap<String, Vec<Run>> {
        let account = format!("--accounts={}", self.account);
        let columns = ["-a", "-X", "-D", "-n", "-P", "-o", "State,ElapsedRaw,Comment", &account];
        let mut runs: BTreeMap<String, Vec<Run>> = BTreeMap::new();
        for row in self.cluster.ask("sacct", &columns).lines() {
            let [state, seconds, comment] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
            if let Some(job) = comment.strip_prefix("usine:") {
                let run = Run { state: state.to_owned(), seconds: seconds.parse().unwrap() };
                runs.entry(job.to_owned()).or_default().push(run);
            }
        }
        runs
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_killed_when_every_script_runs_once_and_is_charged_as_the_accounting_says() {
    let Some(count) = number_from("USINE_TRIAL_JOBS") else {
        println!("skipped: USINE_TRIAL_JOBS names no number; `cargo xtask trial` does");
        return;
    };
    let Some(cluster) = Cluster::new() else { return };
    let mut dice = Dice::new();
    let (mut world, project, administrator) = World::new(cluster, &mut dice).await;
    let diary = diary(world.folder.path());
    let first = today(&administrator).await;
    let began = Instant::now();
    let mut trials: Vec<Trial> = Vec::new();
    for number in 0..count {
        let mut trial = trial(number, &diary, &mut dice);
        trial.submit(&project, &world.url()).await;
        trials.push(trial);
        tokio::time::sleep(Duration::from_millis(dice.roll(400))).await;
        if dice.roll(7) == 0 {
            let chosen = usize::try_from(dice.roll(number + 1)).unwrap();
            trials[chosen].cancel(&project, &world.url()).await;
        }
        if dice.roll(4) == 0 {
            world.strike(&mut dice).await;
        }
    }
    println!("{count} jobs in {:?}, killed: {:?}", began.elapsed(), world.kills);
    world.calm().await;
    for trial in &mut trials {
        for _ in 0..3 {
            if trial.job.is_none() {
                trial.submit(&project, &world.url()).await;
            }
        }
    }
    let client = project.client(world.hub.as_ref().unwrap());
    ended(&world, &client, &project).await;
    println!("all ended after {:?}", began.elapsed());

    let token = administrator.token.unwrap();
    let auditor = Client::anonymous(&world.url()).with(&token);
    proved(&world, &auditor, &first).await;
    println!("all accounted after {:?}", began.elapsed());
    check_all(&world, &trials, &all_jobs(&client, &project).await, &diary);
    check_books(&client, &auditor, (&project, &trials), Afterwards::Corrections).await;
}

/// The file into which every script writes that it runs.
fn diary(folder: &Path) -> PathBuf {
    let diary = folder.join("people").join("diary");
    fs::write(&diary, "").unwrap();
    fs::set_permissions(&diary, fs::Permissions::from_mode(0o666)).unwrap();
    diary
}

fn trial(number: u64, diary: &Path, dice: &mut Dice) -> Trial {
    let tenths = dice.roll(40);
    let (last, end) = match number % 3 {
        0 | 1 => ("exit 0", "completed"),
        _ => ("exit 7", "failed exit 7"),
    };
    let line = format!("echo $USINE_JOB_ID >> {}", diary.display());
    let script = format!("{line}\nsleep {}.{}\n{last}", tenths / 10, tenths % 10);
    Trial::of(number, &script, end)
}

/// Waits until all jobs have ended.
async fn ended(world: &World, client: &Client, project: &Project) {
    let began = Instant::now();
    loop {
        let jobs = all_jobs(client, project).await;
        let open: Vec<&Value> = jobs.iter().filter(|job| job["state"] != "ended").collect();
        if open.is_empty() {
            return;
        }
        assert!(began.elapsed() < AFTERMATH, "these do not end: {open:?}\n{}", world.agent.log());
        world.mend();
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}

/// Waits until every run that the accounting has is in the books, and charged. A controller that is
/// killed loses runs now and then: what is charged for those by the agent's report is listed.
async fn proved(world: &World, auditor: &Client, first: &str) {
    let began = Instant::now();
    loop {
        let runs = world.runs();
        let count: usize = runs.values().map(Vec::len).sum();
        let seconds: i64 = runs.values().flatten().map(|run| run.seconds).sum();
        let days = format!("from={first}&to={}", today(auditor).await);
        let proof = auditor.get(&format!("/sites/afar/reconciliation?{days}")).await;
        let (told, accounted, charged) = sums(&proof);
        let lost = lost_by_slurm(&proof);
        if (told, accounted, charged) == (i64::try_from(count).unwrap(), seconds, seconds + lost) {
            return;
        }
        let told = format!("{count} runs, {seconds} s, {lost} s lost by Slurm: {proof}");
        assert!(began.elapsed() < AFTERMATH, "{told}\n{}", world.agent.log());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Seconds that are charged for runs that Slurm's accounting does not have.
fn lost_by_slurm(proof: &Value) -> i64 {
    let days = proof["days"].as_array().unwrap().iter();
    let differences = days.flat_map(|day| day["differences"].as_array().unwrap());
    let lost = differences.filter(|difference| difference["cause"] == "missing-in-accounting");
    lost.map(|difference| -difference["amount"]["unit_seconds"].as_i64().unwrap()).sum()
}

fn check_all(world: &World, trials: &[Trial], jobs: &[Value], diary: &Path) {
    let written = fs::read_to_string(diary).unwrap();
    let runs = world.runs();
    let wrong: Vec<String> = trials
        .iter()
        .filter_map(|trial| {
            let id = trial.job.as_deref().unwrap();
            let job = jobs.iter().find(|job| job["id"] == id).unwrap();
            let count = written.lines().filter(|line| *line == id).count();
            wrong(trial, job, count, runs.get(id).map_or(&[], Vec::as_slice))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} jobs: {wrong:#?}", wrong.len(), trials.len());
}

/// What is wrong with how often a job's script ran, how it ended, or what it was charged.
fn wrong(trial: &Trial, job: &Value, count: usize, runs: &[Run]) -> Option<String> {
    let end = job["end"].as_str().unwrap();
    let ran_right = match end {
        end if end == trial.end => count == 1,
        "cancelled" => trial.cancelled && count <= 1,
        // The controller forgot a job that had begun, or the number with which its script failed.
        "node-failed" => count == 1,
        "failed exit 1" => count == 1 && trial.end.starts_with("failed"),
        _ => false,
    };
    let charged = job["charged"]["unit_seconds"].as_i64().unwrap_or_default();
    let seconds: i64 = match runs {
        // Of a run that Slurm has lost nothing is known but what the agent told.
        [] if !job["started_at"].is_null() => {
            let at = |key: &str| job[key].as_str().unwrap().parse::<Timestamp>().unwrap();
            at("ended_at").as_second() - at("started_at").as_second()
        }
        runs => runs.iter().map(|run| run.seconds).sum(),
    };
    let told: Vec<String> =
        runs.iter().map(|run| format!("{} {} s", run.state, run.seconds)).collect();
    (!ran_right || charged != seconds)
        .then(|| format!("ran {count} times, charged {charged} s; Slurm has {told:?}; {job}"))
}
