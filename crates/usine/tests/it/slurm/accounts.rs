//! Accounts, users and limits in a real Slurm, kept as the hub wishes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{ACCOUNT, Cluster, LOGIN, text, until};
use crate::agent::{AgentProcess, enrolled, with_remote_site};
use crate::factory::{Client, Factory};
use crate::story::StartUp;

const ACCOUNTS: &str = "/sites/afar/accounts";

/// A prefix that no run before used on this cluster.
fn fresh_prefix() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    format!("t{}_", now.as_millis())
}

/// The configuration of the agent, which keeps accounts under `prefix`.
fn keeps_accounts(cluster: &Cluster, folder: &Path, hub: (&str, &str), keeps: (&str, &str)) {
    let ((url, address), (prefix, manage)) = (hub, keeps);
    let file = cluster.configured(folder, url, address);
    let text = fs::read_to_string(&file).unwrap();
    let (before, after) = text.split_once(&format!("account = \"{ACCOUNT}\"\n")).unwrap();
    let accounts = format!(
        "[slurm.accounts]\nprefix = \"{prefix}\"\nmanage = \"{manage}\"\ninterval_seconds = 1\n\
         resource = \"cpu\"\n[slurm.accounts.drift]\nlimits = \"mend\"\nshares = \"accept\"\n\
         [slurm.accounts.classes.sme]\nmodes = [\"playground\"]\npriority = 70\nfairshare = 40\n\
         ceiling = \"cpu=40\"\n"
    );
    fs::write(&file, format!("{before}{after}{accounts}")).unwrap();
}

impl Cluster {
    /// Everything on the books that does not bear the prefix.
    fn others(&self, prefix: &str) -> Vec<String> {
        let columns = "format=account,user,parentname,fairshare,grptres,grpsubmit,defaultqos,qos";
        let associations = self.ask("sacctmgr", &["-nP", "show", "assoc", columns]);
        let qualities = ["-nP", "show", "qos", "format=name,priority,flags,grptresmins"];
        let users = ["-nP", "show", "user", "format=user,defaultaccount,admin"];
        let all = associations + &self.ask("sacctmgr", &qualities) + &self.ask("sacctmgr", &users);
        all.lines().filter(|line| !line.contains(prefix)).map(str::to_owned).collect()
    }

    /// What is on the books of the quality of service of this name.
    fn quality(&self, name: &str) -> String {
        let name = format!("name={name}");
        let columns = "format=name,priority,flags,grptresmins";
        self.ask("sacctmgr", &["-nP", "show", "qos", "where", &name, columns]).trim().to_owned()
    }

    /// Submits past the hub, as the person.
    fn by_hand(&self, account: &str, size: &[&str]) -> Output {
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
        command.arg(format!("--account={account}")).args(size).args(["--wrap", "sleep 1"]);
        command.env("SLURM_CONF", &self.conf).output().unwrap()
    }
}

async fn agree(operator: &Client, shown: &Value) {
    let plan = json!({ "plan": shown["plan"] });
    operator.post(&format!("{ACCOUNTS}/apply"), plan).await;
}

fn has(list: &Value, word: &str, other: &str) -> bool {
    let texts = list.as_array().into_iter().flatten().map(|it| it["text"].as_str().unwrap());
    texts.into_iter().any(|text| text.contains(word) && text.contains(other))
}

/// A hub with somebody who has hours, and the agent of a site that keeps its accounts.
struct Site {
    cluster: Cluster,
    folder: Arc<tempfile::TempDir>,
    factory: Factory,
    operator: Client,
    start_up: StartUp,
    prefix: String,
    allocation: String,
}

impl Site {
    async fn new(cluster: Cluster) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        with_remote_site(folder.path());
        let factory = Factory::start_in(Arc::clone(&folder));
        let operator = factory.administrator().await;
        let start_up = StartUp::with_hours(&factory, 100).await;
        let allocation = allocation_of(&start_up).await;
        let prefix = fresh_prefix();
        Self { cluster, folder, factory, operator, start_up, prefix, allocation }
    }

    /// An agent that keeps accounts in this way.
    async fn agent(&self, manage: &str) -> AgentProcess {
        let hub = (self.factory.url.as_str(), self.start_up.email.as_str());
        keeps_accounts(&self.cluster, self.folder.path(), hub, (&self.prefix, manage));
        let config = self.folder.path().join("agent.toml");
        if !self.folder.path().join("afar").exists() {
            enrolled(&self.operator, &config).await;
        }
        AgentProcess::start(&config)
    }

    /// The allocation's account, and its quality of service.
    fn account(&self) -> String {
        format!("{}a{}", self.prefix, self.allocation.replace('-', ""))
    }

    async fn submit(&self) -> (StatusCode, Value) {
        let jobs = format!("/projects/{}/jobs", self.start_up.project);
        let script = "#!/bin/sh\n#SBATCH --time=1 --mem=64M --ntasks=1\nid -un\n";
        self.start_up.founder.send(Method::POST, &jobs, Some(json!({ "script": script }))).await
    }

    /// A job of the hub, from its submission to its end.
    async fn job(&self) -> Value {
        let (_, submitted) = self.submit().await;
        let path = format!("/jobs/{}", text(&submitted, "id"));
        until(&self.start_up.founder, &path, |job| job["state"] == "ended").await
    }

    async fn shown(&self, is: impl Fn(&Value) -> bool) -> Value {
        until(&self.operator, ACCOUNTS, is).await
    }

    async fn stand(&self, standing: Value) {
        self.operator.put(&format!("{ACCOUNTS}/{}", self.allocation), standing).await;
    }

    fn modify(&self, kind: &str, name: &str, set: &str) {
        let name = format!("name={name}");
        self.cluster.ask("sacctmgr", &["-iQ", "modify", kind, "where", &name, "set", set]);
    }

    /// A job that is not bounded by anything but whether it may be submitted.
    fn small(&self) -> Output {
        self.cluster.by_hand(&self.account(), &["-n1", "--mem=64M", "-t", "1"])
    }

    /// Over the budget, a job waits, past the hub too.
    async fn holds_back_what_would_not_fit(&self) {
        let large = self.cluster.by_hand(&self.account(), &["-n8", "--mem=64M", "-t", "2-0"]);
        let number = String::from_utf8(large.stdout).unwrap();
        let why = ["-h", "-j", number.trim(), "-o", "%T %r"];
        let waits =
            || self.cluster.ask("squeue", &why).starts_with("PENDING QOSGrpCPUMinutesLimit");
        until_true("the limit", waits).await;
        self.cluster.ask("scancel", &[number.trim()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_becomes_accounts_and_limits_once_that_is_agreed_to() {
    let Some(cluster) = Cluster::new() else { return };
    let site = Site::new(cluster).await;
    let (cluster, account) = (&site.cluster, site.account());
    let others = cluster.others(&site.prefix);
    let _agent = site.agent("plan").await;

    // A plan is shown, and nothing is done; a job that needs the account is refused with the reason.
    let shown = site.shown(|it| it["steps_total"].as_i64() >= Some(5)).await;
    assert_eq!((&shown["manage"], &shown["agrees"]), (&json!("plan"), &json!(false)));
    assert!(has(&shown["steps"], "create user", LOGIN), "{shown}");
    assert_eq!(cluster.others("no such prefix"), others);
    let early = site.job().await;
    assert_eq!(early["end"], "refused", "{early}");
    assert!(text(&early, "reason").contains("usine site accounts afar"), "{early}");

    // Agreed to, it is carried out, and the job runs under the allocation's account.
    agree(&site.operator, &shown).await;
    let shown = site.shown(|it| it["agrees"] == true).await;
    assert_eq!(shown["steps"], json!([]), "{shown}");
    assert_eq!(cluster.quality(&account), format!("{account}|70|NoDecay|cpu=6000"));
    assert_eq!(site.job().await["end"], "completed");
    let booked = ["-a", "-X", "-n", "-P", "-o", "User,QOS", &format!("--accounts={account}")];
    until_true("sacct", || cluster.ask("sacct", &booked) == format!("{LOGIN}|{account}\n")).await;
    site.holds_back_what_would_not_fit().await;

    // By hand: a limit is mended once that is agreed to, a share is accepted.
    site.modify("qos", &account, "grptresmins=cpu=9");
    site.modify("account", &format!("{}c_sme", site.prefix), "fairshare=3");
    let shown = site.shown(|it| it["drift"].as_array().unwrap().len() == 2).await;
    assert!(has(&shown["drift"], "fairshare", "is 3") && has(&shown["drift"], "budget", "cpu=9"));
    assert_eq!(shown["steps_total"], 1, "{shown}");
    assert_eq!(cluster.quality(&account), format!("{account}|70|NoDecay|cpu=9"));
    agree(&site.operator, &shown).await;
    let shown = site.shown(|it| it["agrees"] == true).await;
    assert_eq!(shown["drift"][0]["response"], "accept", "{shown}");
    assert_eq!(cluster.quality(&account), format!("{account}|70|NoDecay|cpu=6000"));
    assert_eq!(cluster.others(&site.prefix), others, "something of the site's own was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_has_plans_carried_out_makes_the_account_and_keeps_a_pause_at_once() {
    let Some(cluster) = Cluster::new() else { return };
    let site = Site::new(cluster).await;
    let others = site.cluster.others(&site.prefix);
    let _agent = site.agent("apply").await;
    until(&site.operator, "/sites/afar", |site| site["inventory"].is_object()).await;
    let job = site.job().await;
    assert_eq!(job["end"], "completed", "its account was there in time: {job}");
    site.modify("qos", &site.account(), "grptresmins=cpu=9");
    until_true("the mending", || site.cluster.quality(&site.account()).ends_with("|cpu=6000"))
        .await;

    site.stand(json!({ "standing": "paused", "reason": "an invoice is open" })).await;
    let refused = || String::from_utf8_lossy(&site.small().stderr).into_owned();
    until_true("the pause", || refused().contains("AssocGrpSubmitJobsLimit")).await;
    let (status, refused) = site.submit().await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    assert!(refused.to_string().contains("an invoice is open"), "{refused}");
    site.stand(json!({ "standing": "active" })).await;
    until_true("the end of the pause", || site.small().status.success()).await;
    assert_eq!(site.cluster.others(&site.prefix), others, "something of the site's was touched");
}

/// The only allocation of a start-up.
async fn allocation_of(start_up: &StartUp) -> String {
    let path = format!("/projects/{}/allocations", start_up.project);
    text(&start_up.founder.get(&path).await["items"][0], "id")
}

async fn until_true(what: &str, is: impl Fn() -> bool) {
    for _ in 0..300 {
        if is() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{what}: waited in vain")
}
