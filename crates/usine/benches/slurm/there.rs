//! A hub and the agent of the cluster, and jobs handed in at the hub.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use units::Timestamp;

use crate::afar::{AgentProcess, enrolled, until, with_remote_site};
use crate::cluster::{ACCOUNT, Cluster, LOGIN, PREFIX};
use crate::factory::{self, Client, Factory};
use crate::figures::{Figures, milliseconds};
use crate::story::{StartUp, text};

/// How long what Slurm answered is taken to hold: the agent's own default.
pub(crate) const INTERVAL: Duration = Duration::from_secs(2);
/// A job that would do nothing, if it ever ran.
const SCRIPT: &str = "#!/bin/sh\n#SBATCH --time=1 --ntasks=1 --cpus-per-task=1 --mem=64M\ntrue\n";
/// The longest array that is handed in at once.
const ARRAY: usize = 500;

/// How the agent reaches Slurm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// By commands, its default.
    Commands,
    /// By `slurmrestd`.
    Rest,
}

/// What is measured of jobs that were handed in at the hub.
pub(crate) struct HandedIn {
    /// Until the hub answered.
    pub(crate) answer: Figures,
    /// Until it had heard from the site that Slurm has the job.
    pub(crate) known: Figures,
}

/// A hub and the agent of the cluster, with somebody who has hours and a login there.
pub(crate) struct There {
    factory: Factory,
    start_up: StartUp,
    agent: AgentProcess,
}

impl There {
    pub(crate) async fn begin(cluster: &Cluster, way: Way) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        with_remote_site(folder.path());
        let factory = Factory::start_in(Arc::clone(&folder));
        let administrator = factory.administrator().await;
        let start_up = StartUp::with_hours(&factory, 5_000).await;
        let reached = (way, factory.url.as_str());
        let config = configured(cluster, folder.path(), reached, &start_up.email);
        enrolled(&administrator, &config).await;
        let agent = AgentProcess::start(&config);
        until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;
        Self { factory, start_up, agent }
    }

    pub(crate) fn agent_id(&self) -> u32 {
        self.agent.id()
    }

    /// So many jobs, over so many connections at once.
    pub(crate) async fn hand_in(&self, count: usize, at_once: usize) -> HandedIn {
        let begun = Instant::now();
        let handing: Vec<_> = (0..at_once)
            .map(|_| {
                let submitter = self.submitter();
                tokio::spawn(async move {
                    let mut handed = Vec::new();
                    for _ in 0..count / at_once {
                        handed.push(submitter.submit().await);
                    }
                    handed
                })
            })
            .collect();
        let mut handed = Vec::new();
        for connection in handing {
            handed.extend(connection.await.unwrap());
        }
        self.handed_in(handed, begun.elapsed()).await
    }

    /// So many jobs, each once Slurm has the one before.
    pub(crate) async fn hand_in_one_by_one(&self, count: usize) -> HandedIn {
        let submitter = self.submitter();
        let (mut handed, mut answering) = (Vec::new(), Duration::ZERO);
        for _ in 0..count {
            let one = submitter.submit().await;
            answering += one.answered;
            self.known(&one.job).await;
            handed.push(one);
        }
        self.handed_in(handed, answering).await
    }

    /// At least so many more jobs, and waits until Slurm has all.
    pub(crate) async fn hand_in_arrays(&self, count: usize) {
        let path = format!("/projects/{}/jobs", self.start_up.project);
        let options = format!("--array=1-{ARRAY}");
        for _ in 0..count.div_ceil(ARRAY) {
            let body = json!({ "script": SCRIPT, "options": [options.clone()] });
            let answer = self.start_up.founder.post(&path, body).await;
            let jobs = answer["jobs"].as_array().unwrap();
            for job in jobs.iter().rev() {
                self.known(&text(job, "id")).await;
            }
        }
    }

    fn submitter(&self) -> Submitter {
        let token = self.start_up.founder.token.clone().unwrap();
        let url = format!("{}/api/v1/projects/{}/jobs", self.factory.url, self.start_up.project);
        Submitter { http: factory::http(&self.factory.url), url, token }
    }

    /// When the hub heard that Slurm has the job.
    async fn known(&self, job: &str) -> Duration {
        let is_known = |job: &Value| job["state"] != "ordered";
        let client: &Client = &self.start_up.founder;
        let mut shown = client.get(&format!("/jobs/{job}")).await;
        let begun = Instant::now();
        while !is_known(&shown) {
            assert!(begun.elapsed() < Duration::from_secs(300), "{}", self.agent.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
            shown = client.get(&format!("/jobs/{job}")).await;
        }
        let trail = shown["trail"].as_array().unwrap();
        let accepted = trail.iter().find(|told| told["kind"] == "accepted");
        let accepted = accepted.unwrap_or_else(|| panic!("not taken: {shown}"));
        let at: Timestamp = text(accepted, "taken_at").parse().unwrap();
        Duration::from_micros(at.as_microsecond().try_into().unwrap())
    }

    async fn handed_in(&self, handed: Vec<Handed>, took: Duration) -> HandedIn {
        let answers = handed.iter().map(|one| milliseconds(one.answered)).collect();
        let first = handed.iter().map(|one| one.sent).min().unwrap();
        let mut known = BTreeMap::new();
        for one in &handed {
            known.insert(&one.job, (one.sent, self.known(&one.job).await));
        }
        let last = known.values().map(|(_, known)| *known).max().unwrap();
        let each = known.values().map(|(sent, known)| milliseconds(known.saturating_sub(*sent)));
        let known = Figures::of(each.collect(), last.saturating_sub(first));
        HandedIn { answer: Figures::of(answers, took), known }
    }
}

/// One connection of the person's.
struct Submitter {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// One job that was handed in.
struct Handed {
    job: String,
    /// When it was sent, since 1970.
    sent: Duration,
    /// How long the answer took.
    answered: Duration,
}

impl Submitter {
    async fn submit(&self) -> Handed {
        let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let begun = Instant::now();
        let request = self.http.post(&self.url).bearer_auth(&self.token);
        let answer = request.json(&json!({ "script": SCRIPT })).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let answered = begun.elapsed();
        Handed { job: text(&answer["jobs"][0], "id"), sent, answered }
    }
}

/// The agent's configuration: to Slurm as the person, everything else as it is by default.
fn configured(cluster: &Cluster, folder: &Path, (way, url): (Way, &str), address: &str) -> PathBuf {
    let home = folder.join("people").join(LOGIN);
    fs::create_dir_all(&home).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("chown").arg(LOGIN).arg(&home).status().unwrap().success());
    let prefix = PREFIX.map(|word| if word == LOGIN { "{user}" } else { word });
    let rest = match way {
        Way::Commands => String::new(),
        Way::Rest => format!("rest = \"{}\"\n", cluster.rest),
    };
    let config = format!(
        "hub = \"{url}\"\nsite = \"afar\"\nfolder = \"afar\"\nengine = \"slurm\"\n\
         [slurm]\njobs = \"{}/{{user}}/usine\"\nconf = \"{}\"\naccount = \"{ACCOUNT}\"\n\
         person = {prefix:?}\ninterval_seconds = {}\n{rest}\
         [slurm.persons]\n\"{address}\" = \"{LOGIN}\"\n",
        folder.join("people").display(),
        cluster.conf.display(),
        INTERVAL.as_secs(),
    );
    let file = folder.join("agent.toml");
    fs::write(&file, config).unwrap();
    file
}
