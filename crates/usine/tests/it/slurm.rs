//! A hub, the agent of a site, and a real Slurm beside it: from a submission to the hours charged.

mod accounts;
mod logins;
mod scripts;
mod submitit;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::agent::{AgentProcess, enrolled, until, with_remote_site};
use crate::factory::Factory;
use crate::story::{PASSWORD, StartUp, text};

/// Where the cluster's `slurm.conf` is, which `cargo xtask test` brings up.
const CONF: &str = "USINE_TEST_SLURM";
/// The login of the person who submits, and the account that Slurm books on.
pub(crate) const LOGIN: &str = "usine-ann";
const ACCOUNT: &str = "usine-lab";

/// The cluster, for one test at a time.
pub(crate) struct Cluster {
    pub(crate) conf: PathBuf,
    _turn: File,
}

impl Cluster {
    /// `None`, said aloud, where there is none.
    pub(crate) fn new() -> Option<Self> {
        let Some(conf) = std::env::var_os(CONF).map(PathBuf::from) else {
            println!("skipped: {CONF} names no slurm.conf; `cargo xtask test` brings a cluster up");
            return None;
        };
        let turn = File::create(conf.with_extension("turn")).unwrap();
        turn.lock().unwrap();
        let cluster = Self { conf, _turn: turn };
        cluster.account(ACCOUNT);
        Some(cluster)
    }

    /// Makes an account, and lets the person use it. What is there already is refused.
    pub(crate) fn account(&self, name: &str) {
        self.ask("sacctmgr", &["-i", "--quiet", "add", "account", name]);
        let account = format!("account={name}");
        self.ask("sacctmgr", &["-i", "--quiet", "add", "user", LOGIN, &account]);
    }

    pub(crate) fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", &self.conf).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Slurm's number for a job of the hub, once it has one.
    fn number_of(&self, job: &str) -> Option<String> {
        let rows = self.ask("squeue", &["-h", "--states=all", "-o", "%A %k"]);
        let mark = format!("usine:{job}");
        let found = rows
            .lines()
            .find_map(|row| row.split_once(' ').filter(|(_, comment)| *comment == mark));
        found.map(|(number, _)| number.to_owned())
    }

    /// Who ran a job of the hub, how it ended and for how many seconds it ran, once for each time
    /// that Slurm has it.
    fn runs(&self, job: &str) -> Vec<(String, String, i64)> {
        let columns = ["-a", "-X", "-n", "-P", "-o", "User,State,ElapsedRaw,Comment"];
        let rows = self.ask("sacct", &columns);
        let ours = rows.lines().filter(|row| row.ends_with(&format!("usine:{job}")));
        let run = |row: &str| {
            let [user, state, seconds, _] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
            (user.to_owned(), state.to_owned(), seconds.parse().unwrap())
        };
        ours.map(run).collect()
    }

    /// What the agent of `afar` needs to know.
    pub(crate) fn configured(&self, folder: &Path, url: &str, address: &str) -> PathBuf {
        let home = folder.join("people").join(LOGIN);
        fs::create_dir_all(&home).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Command::new("chown").arg(LOGIN).arg(&home).status().unwrap().success());
        let config = format!(
            "hub = \"{url}\"\nsite = \"afar\"\nfolder = \"afar\"\nengine = \"slurm\"\n\
             interval_milliseconds = 100\nwait_seconds = 3\n\
             [slurm]\nsteps_seconds = 1\njobs = \"{}/{{user}}/usine\"\nconf = \"{}\"\naccount = \"{ACCOUNT}\"\n\
             person = [\"runuser\", \"-u\", \"{{user}}\", \"--\"]\ninterval_seconds = 1\n\
             [slurm.persons]\n\"{address}\" = \"{LOGIN}\"\n",
            folder.join("people").display(),
            self.conf.display(),
        );
        let file = folder.join("agent.toml");
        fs::write(&file, config).unwrap();
        file
    }
}

/// A hub and the agent of the cluster, with somebody who has hours and a login there.
struct There {
    factory: Factory,
    start_up: StartUp,
    token: String,
    /// The person's own folder at the cluster.
    home: PathBuf,
    /// Slurm's commands, spoken to the hub.
    links: PathBuf,
    _agent: AgentProcess,
}

impl There {
    async fn new(cluster: &Cluster) -> Self {
        Self::in_folder(cluster, with_remote_site).await
    }

    /// The same with the hub that `configure` writes the configuration of.
    async fn in_folder(cluster: &Cluster, configure: impl Fn(&Path)) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        configure(folder.path());
        let factory = Factory::start_in(Arc::clone(&folder));
        let administrator = factory.administrator().await;
        let start_up = StartUp::with_hours(&factory, 100).await;
        let config = cluster.configured(folder.path(), &factory.url, &start_up.email);
        enrolled(&administrator, &config).await;
        let agent = AgentProcess::start(&config);
        until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;
        let session = json!({ "email": start_up.email, "password": PASSWORD });
        let session =
            crate::factory::Client::anonymous(&factory.url).post("/session", session).await;
        let links = folder.path().join("links");
        let made =
            Command::new(env!("CARGO_BIN_EXE_usine")).args(["slurm", "links"]).arg(&links).output();
        assert!(made.unwrap().status.success());
        let home = folder.path().join("people").join(LOGIN);
        Self { factory, start_up, token: text(&session, "token"), home, links, _agent: agent }
    }

    /// A command of Slurm's name, spoken to the hub, in the person's folder.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.links.join(program));
        command.current_dir(&self.home);
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    fn environment(&self) -> [(&'static str, &str); 3] {
        [
            ("USINE_HUB", &self.factory.url),
            ("USINE_TOKEN", &self.token),
            ("USINE_CREDENTIALS", "/none"),
        ]
    }

    /// What such a command prints, which must succeed.
    fn told(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_as_its_person_once_and_is_charged_what_the_accounting_says() {
    let Some(cluster) = Cluster::new() else { return };
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let configured = |address: &str| cluster.configured(folder.path(), &factory.url, address);
    let config = configured("somebody@example.org");
    enrolled(&administrator, &config).await;
    let mut agent = AgentProcess::start(&config);
    let site = until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;
    assert!(site["inventory"]["nodes"].as_i64().unwrap() > 1, "{site}");

    // Whoever has no login is told so before anything is held, until the table names one.
    let jobs = format!("/projects/{}/jobs", start_up.project);
    let unknown = json!({ "script": "#!/bin/sh\n#SBATCH --time=2\n" });
    let (status, refused) = start_up.founder.send(Method::POST, &jobs, Some(unknown)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert!(refused.to_string().contains("you have no login there"), "{refused}");
    let requests = "/sites/afar/login-requests";
    assert_eq!(administrator.get(requests).await["items"][0]["email"], start_up.email.as_str());
    configured(&start_up.email);
    agent.kill();
    agent = AgentProcess::start(&config);
    until(&administrator, requests, |asked| asked["items"] == json!([])).await;

    let script = "#!/bin/sh\n#SBATCH --time=2 --mem=64M --ntasks=1\nid -un\nsrun -J train sleep 4\n\
        srun -J check sh -c 'exit 3' 2> /dev/null\necho done\n";
    let job = text(&start_up.founder.post(&jobs, json!({ "script": script })).await, "id");
    let path = format!("/jobs/{job}");
    until(&start_up.founder, &path, |job| job["state"] == "running").await;
    agent.kill();
    let _agent = AgentProcess::start(&config);
    let ended = until(&start_up.founder, &path, |job| job["state"] == "ended").await;
    assert_eq!(ended["end"], "completed", "{ended}");

    // The steps come with the accounting, which hears of them a little later.
    let steps = |job: &Value| -> Vec<String> {
        let line = |step: &Value| format!("{} {} {}", step["id"], step["name"], step["exit_code"]);
        job["steps"].as_array().into_iter().flatten().map(line).collect()
    };
    let expected = [r#""batch" "batch" 0"#, r#""0" "train" 0"#, r#""1" "check" 3"#];
    let seen = until(&start_up.founder, &path, |job| {
        expected.iter().all(|step| steps(job).contains(&(*step).to_owned()))
    });
    seen.await;

    let log = start_up.founder.get(&format!("{path}/log?stream=stdout")).await;
    assert_eq!(log["text"], format!("{LOGIN}\ndone\n"));
    let runs = cluster.runs(&job);
    let [(user, state, seconds)] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((user.as_str(), state.as_str()), (LOGIN, "COMPLETED"));
    assert_eq!(ended["charged"]["unit_seconds"].as_i64(), Some(*seconds), "{ended}");
}
