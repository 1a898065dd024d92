//! The cluster, and Slurm's own ways to hand jobs in.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::factory;
use crate::figures::{Figures, milliseconds};

/// The person's login, and the account that Slurm books on.
pub(crate) const LOGIN: &str = "usine-ann";
pub(crate) const ACCOUNT: &str = "usine-lab";

/// What stands before a command that runs as the person.
pub(crate) const PREFIX: [&str; 4] = ["runuser", "-u", LOGIN, "--"];

/// A job like those that the hub is handed.
const SCRIPT: &str = "#!/bin/sh\ntrue\n";
const SIZE: [&str; 5] =
    ["--ntasks=1", "--cpus-per-task=1", "--mem=64M", "--time=1", "--output=/dev/null"];
/// The data format that every `slurmrestd` from 22.05 to 23.11 speaks.
const FORMAT: &str = "v0.0.38";

/// How `sbatch` is called again and again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Loop {
    /// By the person, on a login node.
    AsPerson,
    /// By root, in front of each call what makes it the person's.
    ByPrefix,
}

/// A real cluster on this machine.
pub(crate) struct Cluster {
    pub(crate) conf: PathBuf,
    pub(crate) rest: String,
}

impl Cluster {
    /// The one that `cargo xtask bench slurm` has brought up.
    pub(crate) fn of_environment() -> Option<Self> {
        let conf = PathBuf::from(std::env::var_os("USINE_TEST_SLURM")?);
        let rest = std::env::var("USINE_TEST_SLURM_REST").ok()?;
        let cluster = Self { conf, rest };
        let account = format!("account={ACCOUNT}");
        cluster.ask("sacctmgr", &["-i", "--quiet", "add", "account", ACCOUNT]);
        cluster.ask("sacctmgr", &["-i", "--quiet", "add", "user", LOGIN, &account]);
        Some(cluster)
    }

    /// What one of Slurm's commands prints.
    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", &self.conf).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Lets one job hold all nodes, so that every other waits.
    pub(crate) fn occupy(&self) {
        let nodes = self.ask("sinfo", &["-h", "-o", "%D"]);
        let nodes = format!("--nodes={}", nodes.trim());
        let arguments = ["--exclusive", &nodes, "--time=1-0", "--output=/dev/null"];
        self.submit(Loop::AsPerson, &arguments, "#!/bin/sh\nsleep 86400\n");
        let begun = Instant::now();
        while self.ask("squeue", &["-h", "-t", "running", "-o", "%A"]).trim().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing starts on the cluster");
            std::thread::park_timeout(Duration::from_millis(200));
        }
    }

    /// The controller's number among the processes of this machine.
    pub(crate) fn controller_id(&self) -> u32 {
        let told = self.ask("scontrol", &["show", "config"]);
        let line = told.lines().find(|line| line.starts_with("SlurmctldPidFile")).unwrap();
        let file = line.split('=').nth(1).unwrap().trim();
        std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
    }

    /// How many of the hub's jobs wait.
    pub(crate) fn ours_waiting(&self) -> usize {
        let waiting = self.ask("squeue", &["-h", "-t", "pending", "-o", "%k"]);
        waiting.lines().filter(|comment| comment.starts_with("usine:")).count()
    }

    fn submit(&self, how: Loop, arguments: &[&str], script: &str) {
        let mut command = match how {
            Loop::AsPerson => {
                let id = |which: &str| {
                    let told = Command::new("id").args([which, LOGIN]).output().unwrap().stdout;
                    String::from_utf8(told).unwrap().trim().parse::<u32>().unwrap()
                };
                let mut command = Command::new("sbatch");
                command.uid(id("-u")).gid(id("-g"));
                command
            }
            Loop::ByPrefix => {
                let mut command = Command::new(PREFIX[0]);
                command.args(&PREFIX[1..]).arg("sbatch");
                command
            }
        };
        command.args(["--parsable", "--account", ACCOUNT]).args(arguments).current_dir("/");
        command.env("SLURM_CONF", &self.conf).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut running = command.spawn().unwrap();
        running.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        assert!(running.wait().unwrap().success(), "sbatch {how:?} failed");
    }

    /// So many calls of `sbatch`, from so many loops at once.
    pub(crate) fn sbatch(&self, how: Loop, count: usize, at_once: usize) -> Figures {
        let begun = Instant::now();
        let each = std::thread::scope(|scope| {
            let one = || {
                let took = (0..count / at_once).map(|_| {
                    let begun = Instant::now();
                    self.submit(how, &SIZE, SCRIPT);
                    milliseconds(begun.elapsed())
                });
                took.collect::<Vec<f64>>()
            };
            let loops: Vec<_> = (0..at_once).map(|_| scope.spawn(one)).collect();
            loops.into_iter().flat_map(|one| one.join().unwrap()).collect()
        });
        Figures::of(each, begun.elapsed())
    }

    /// So many requests to `slurmrestd`, over so many connections at once.
    pub(crate) async fn slurmrestd(&self, count: usize, at_once: usize) -> Figures {
        let token = self.ask("scontrol", &["token", &format!("username={LOGIN}"), "lifespan=7200"]);
        let token = token.trim().trim_start_matches("SLURM_JWT=").to_owned();
        let job = json!({
            "name": "bare", "account": ACCOUNT, "nodes": [1, 1], "tasks": 1, "cpus_per_task": 1,
            "memory_per_node": 64, "time_limit": 1, "current_working_directory": "/tmp",
            "standard_output": "/dev/null", "environment": { "PATH": "/usr/bin:/bin" },
        });
        let body = Arc::new(json!({ "script": SCRIPT, "job": job }));
        let url = format!("{}/slurm/{FORMAT}/job/submit", self.rest);
        let begun = Instant::now();
        let asking: Vec<_> = (0..at_once)
            .map(|_| {
                let (url, token, body) = (url.clone(), token.clone(), Arc::clone(&body));
                tokio::spawn(async move {
                    let http = factory::http(&url);
                    let mut took = Vec::new();
                    for _ in 0..count / at_once {
                        let begun = Instant::now();
                        let request = http.post(&url).json(&*body);
                        let request = request.header("X-SLURM-USER-NAME", LOGIN);
                        let answer = request.header("X-SLURM-USER-TOKEN", &token).send().await;
                        let answer: Value = answer.unwrap().json().await.unwrap();
                        assert!(answer["job_id"].as_u64().is_some_and(|id| id > 0), "{answer}");
                        took.push(milliseconds(begun.elapsed()));
                    }
                    took
                })
            })
            .collect();
        let mut each = Vec::new();
        for connection in asking {
            each.extend(connection.await.unwrap());
        }
        Figures::of(each, begun.elapsed())
    }

    /// Begins to count what the controller is asked.
    pub(crate) fn begin_to_count(&self) {
        self.ask("sdiag", &["--reset"]);
    }

    /// What the controller was asked since then, and how often, without what daemons tell each other.
    pub(crate) fn counted(&self) -> BTreeMap<String, u64> {
        let told = self.ask("sdiag", &[]);
        let by_type = told.split("by message type").nth(1).unwrap_or_default();
        let by_type = by_type.split("by user").next().unwrap_or_default();
        let count = |line: &str| {
            let name = line.split_whitespace().next()?;
            let count = line.split("count:").nth(1)?.split_whitespace().next()?.parse().ok()?;
            let is_question = name.starts_with("REQUEST_") && name.contains("INFO");
            is_question.then(|| (name.to_owned(), count))
        };
        by_type.lines().filter_map(count).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What waits would outlive the measurement.
        self.ask("scancel", &["--quiet", "--user", LOGIN]);
    }
}
