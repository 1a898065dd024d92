//! Hub, agent and engine in one process are killed at random moments, while jobs are submitted,
//! run, are cancelled and end: every job is found again, runs once and is charged once.
//!
//! The agent alone is killed in the tests of crate `site`. `USINE_CRASHES` sets how often (default
//! 120), `USINE_CRASH_SEED` repeats a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use site::client::{Error, Key, Patience};
use tempfile::TempDir;

use crate::factory::{Client, Factory};
use crate::story::StartUp;

const CRASHES: u64 = 120;
const JOBS: u64 = 40;
const SECONDS_MAX: u64 = 150;

/// Random enough for moments; the seed is printed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        let seed = number_from("USINE_CRASH_SEED").unwrap_or_else(|| std::process::id().into());
        println!("USINE_CRASH_SEED={seed}");
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Dice of their own, for somebody who rolls at the same time.
    pub(crate) fn another(&mut self) -> Self {
        Self(self.roll(u64::MAX) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

pub(crate) fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Who submits, and where to.
pub(crate) struct Project {
    token: String,
    pub(crate) id: String,
}

impl Project {
    /// A start-up with hours under the playground call.
    pub(crate) async fn new(factory: &Factory) -> Self {
        Self::with_email(factory).await.0
    }

    /// The same with the address of its founder.
    pub(crate) async fn with_email(factory: &Factory) -> (Self, String) {
        let start_up = StartUp::with_hours(factory, 5_000).await;
        (Self { token: start_up.founder.token.unwrap(), id: start_up.project }, start_up.email)
    }

    pub(crate) fn client(&self, factory: &Factory) -> Client {
        Client::anonymous(&factory.url).with(&self.token)
    }
}

/// A job that is to be submitted once, however often that is tried.
pub(crate) struct Trial {
    name: String,
    key: Key,
    script: String,
    pub(crate) end: &'static str,
    /// Its id, once a reply came through.
    pub(crate) job: Option<String>,
    pub(crate) cancelled: bool,
}

impl Trial {
    pub(crate) fn new(number: u64, dice: &mut Dice) -> Self {
        let pause = dice.roll(8);
        let (last, end) = match number % 3 {
            0 => ("exit 0", "completed"),
            1 => ("exit 7", "failed exit 7"),
            _ => ("kill -9 $$", "failed signal 9"),
        };
        Self::of(number, &format!("echo ran\nsleep 0.{pause}\n{last}"), end)
    }

    /// A job that does this.
    pub(crate) fn of(number: u64, script: &str, end: &'static str) -> Self {
        let name = format!("trial-{number}");
        let script = format!(
            "#!/bin/sh\n#SBATCH --time=5 --mem=64M --ntasks=1 --job-name={name}\n{script}\n"
        );
        Self { name, key: Key::fresh(), script, end, job: None, cancelled: false }
    }

    /// Tries to submit it; the factory may be killed before, within or after.
    pub(crate) async fn submit(&mut self, project: &Project, url: &str) {
        let client = site::client::Client::new(url, Some(project.token.clone())).unwrap();
        let client = client.with_patience(Patience::NONE);
        let path = format!("/projects/{}/jobs", project.id);
        let body = json!({ "script": self.script });
        match client.post::<_, Value>(&path, &body, self.key).await {
            Ok(answer) => self.job = Some(answer["id"].as_str().unwrap().to_owned()),
            Err(Error::Unreachable(_) | Error::Interrupted(_)) => {}
            // The hub was killed while it carried the request out, and says so.
            Err(error) if error.status() == Some(409) => self.look(project, url).await,
            Err(error) => panic!("the submission was refused: {error}"),
        }
    }

    /// Finds out what became of a request; when nothing did, it may be made anew.
    async fn look(&mut self, project: &Project, url: &str) {
        let client = site::client::Client::new(url, Some(project.token.clone())).unwrap();
        // Newest first, and what is looked for is new.
        let path = format!("/projects/{}/jobs?limit=200", project.id);
        let Ok(page) = client.with_patience(Patience::NONE).get::<Value>(&path).await else {
            return;
        };
        let jobs = page["items"].as_array().unwrap();
        match jobs.iter().find(|job| job["name"] == self.name.as_str()) {
            Some(job) => self.job = Some(job["id"].as_str().unwrap().to_owned()),
            None => self.key = Key::fresh(),
        }
    }

    pub(crate) async fn cancel(&mut self, project: &Project, url: &str) {
        let Some(job) = &self.job else { return };
        let client = site::client::Client::new(url, Some(project.token.clone())).unwrap();
        let path = format!("/jobs/{job}/cancel");
        let client = client.with_patience(Patience::NONE);
        // Whether the wish came through or not, the job must end in one way.
        let _lost = client.post::<_, Value>(&path, &Value::Null, Key::fresh()).await;
        self.cancelled = true;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_is_found_again_and_charged_once_however_often_all_is_killed() {
    let crashes = number_from("USINE_CRASHES").unwrap_or(CRASHES);
    let mut dice = Dice::new();
    let first = Factory::start();
    let administrator = first.administrator().await.token.unwrap();
    let project = Project::new(&first).await;
    let folder = first.folder();
    first.kill();

    let mut trials: Vec<Trial> = Vec::new();
    let began = Instant::now();
    let mut done = 0;
    while done < crashes && began.elapsed() < Duration::from_secs(SECONDS_MAX) {
        done += 1;
        while u64::try_from(trials.len()).unwrap() < done * JOBS / crashes {
            trials.push(Trial::new(u64::try_from(trials.len()).unwrap(), &mut dice));
        }
        if dice.roll(4) == 0 {
            Factory::start_and_kill(Arc::clone(&folder), Duration::from_millis(dice.roll(400)));
            continue;
        }
        crash(&folder, &project, &mut trials, &mut dice).await;
    }
    println!("{done} crashes, {} jobs, {:?}", trials.len(), began.elapsed());

    let factory = Factory::start_in(folder);
    for trial in &mut trials {
        for _ in 0..3 {
            if trial.job.is_none() {
                trial.submit(&project, &factory.url).await;
            }
        }
    }
    let client = project.client(&factory);
    for trial in &trials {
        check(&client, trial).await;
    }
    let auditor = Client::anonymous(&factory.url).with(&administrator);
    check_books(&client, &auditor, (&project, &trials), Afterwards::Nothing).await;
}

/// Starts the factory, lets things happen, and kills it in the middle.
async fn crash(folder: &Arc<TempDir>, project: &Project, trials: &mut [Trial], dice: &mut Dice) {
    let factory = Factory::start_in(Arc::clone(folder));
    let url = factory.url.clone();
    let (moment, wish) = (dice.roll(500), dice.roll(8));
    let busy = async {
        if wish == 0
            && let Some(trial) = trials.iter_mut().rev().find(|trial| trial.job.is_some())
        {
            trial.cancel(project, &url).await;
        }
        for trial in trials.iter_mut().filter(|trial| trial.job.is_none()) {
            trial.submit(project, &url).await;
        }
    };
    let moment = tokio::time::sleep(Duration::from_millis(moment));
    tokio::select! {
        () = async { busy.await; std::future::pending().await } => {}
        () = moment => {}
    }
    factory.kill();
}

pub(crate) async fn check(client: &Client, trial: &Trial) {
    let path = format!("/jobs/{}", trial.job.as_ref().unwrap());
    let began = Instant::now();
    let job = loop {
        let job = client.get(&path).await;
        if job["state"] == "ended" {
            break job;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end: {job}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let end = job["end"].as_str().unwrap();
    assert!(end == trial.end || (trial.cancelled && end == "cancelled"), "{end}: {job}");
    let log = client.get(&format!("{path}/log?stream=stdout")).await;
    let text = log["text"].as_str().unwrap();
    if end == "cancelled" {
        assert!(["", "ran\n"].contains(&text), "{log}");
    } else {
        assert_eq!(text, "ran\n", "{job}");
        assert!(job["charged"].is_object(), "{job}");
    }
}

/// Every job of the project.
pub(crate) async fn all_jobs(client: &Client, project: &Project) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = format!("/projects/{}/jobs?limit=200", project.id);
    loop {
        let page = client.get(&path).await;
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        path = format!("/projects/{}/jobs?limit=200&cursor={next}", project.id);
    }
}

/// What may stand in the ledger for a job after its end.
#[derive(Clone, Copy)]
pub(crate) enum Afterwards {
    Nothing,
    /// What a site's accounting put right.
    Corrections,
}

pub(crate) async fn check_books(
    client: &Client,
    auditor: &Client,
    (project, trials): (&Project, &[Trial]),
    afterwards: Afterwards,
) {
    let listed = all_jobs(client, project).await;
    assert_eq!(listed.len(), trials.len(), "a job twice, or lost");

    let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut path = "/ledger/entries?limit=200".to_owned();
    loop {
        let page = auditor.get(&path).await;
        for entry in page["items"].as_array().unwrap() {
            if let Some(job) = entry["job"].as_str() {
                let kind = entry["kind"].as_str().unwrap().to_owned();
                kinds.entry(job.to_owned()).or_default().push(kind);
            }
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/ledger/entries?limit=200&cursor={next}");
    }
    for job in &listed {
        let id = job["id"].as_str().unwrap();
        let last = if job["started_at"].is_null() { "release" } else { "settle" };
        let (kept, later) = kinds[id].split_at(2);
        assert_eq!(kept, ["hold", last], "{job}");
        let expected = match afterwards {
            Afterwards::Nothing => later.is_empty(),
            Afterwards::Corrections => {
                later.iter().all(|kind| ["charge", "correction"].contains(&kind.as_str()))
            }
        };
        assert!(expected, "{later:?}: {job}");
    }
    let books = auditor.get("/ledger/check").await;
    assert_eq!(books["sound"], true, "{books}");
    let statement = client.get(&format!("/projects/{}/statement", project.id)).await;
    let closing = &statement["allocations"][0]["total"]["closing"];
    assert_eq!(closing["held"]["unit_seconds"], 0, "{statement}");
}
