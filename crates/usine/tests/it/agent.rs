//! A hub and the agent of a remote site, each a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::afar::agent;
pub(crate) use crate::afar::{AgentProcess, enrolled, until, with_remote_site};
use crate::cli::Terminal;
use crate::factory::{Client, Factory};
use crate::story::{StartUp, text};

/// Writes the configuration of the agent of `afar` for a hub at `url`.
pub(crate) fn configured(folder: &Path, url: &str) -> PathBuf {
    let file = folder.join("agent.toml");
    let text = format!(
        "hub = \"{url}\"\nsite = \"afar\"\nfolder = \"afar\"\ninterval_milliseconds = 50\n\
         wait_seconds = 3\n\
         [local]\ncores = 1\nmemory_mb = 1000\n"
    );
    fs::write(&file, text).unwrap();
    file
}

async fn submit(start_up: &StartUp, script: &str) -> String {
    let script = format!("#!/bin/sh\n#SBATCH --time=5 --mem=64M --ntasks=1\n{script}\n");
    let jobs = format!("/projects/{}/jobs", start_up.project);
    text(&start_up.founder.post(&jobs, json!({ "script": script })).await, "id")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_where_an_enrolled_agent_works_and_survives_its_restart() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let config = configured(folder.path(), &factory.url);

    let output = agent(&[], &config).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && complaint.contains("not enrolled"), "{complaint}");
    enrolled(&administrator, &config).await;
    let mut agent = AgentProcess::start(&config);
    until(&administrator, "/sites/afar", |site| site["agent"]["state"] == "present").await;
    until(&administrator, "/sites/afar", |site| site["inventory"]["engine"] == "local").await;

    let job = submit(&start_up, "echo from afar\nsleep 2\necho done").await;
    let path = format!("/jobs/{job}");
    until(&start_up.founder, &path, |job| job["state"] == "running").await;
    agent.kill();
    agent = AgentProcess::start(&config);
    let ended = until(&start_up.founder, &path, |job| job["state"] == "ended").await;
    assert_eq!((&ended["end"], &ended["site"]), (&json!("completed"), &json!("afar")), "{ended}");
    let log = start_up.founder.get(&format!("{path}/log?stream=stdout")).await;
    assert_eq!(log["text"], "from afar\ndone\n");

    // Stopped as a service is: the job goes on and is found again.
    let job = submit(&start_up, "sleep 1\necho alone").await;
    let path = format!("/jobs/{job}");
    until(&start_up.founder, &path, |job| job["state"] == "running").await;
    assert!(agent.stop().success());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let _agent = AgentProcess::start(&config);
    let ended = until(&start_up.founder, &path, |job| job["state"] == "ended").await;
    assert_eq!(ended["end"], "completed", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sends_an_agent_away_and_both_sides_say_so() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let home = factory.folder();
    let root = Terminal { folder: home.path(), name: "root" };
    let link = format!("{}/sign-in/link/{}", factory.url, factory.link.as_deref().unwrap());
    root.told(&["login", &link]);
    assert!(root.told(&["site", "list"]).contains("not enrolled"));
    let (code, complaint) = root.refused(&["site", "enrol", "here"]);
    assert!(code == 3 && complaint.contains("the hub itself runs"), "{code} {complaint}");

    // Enrolled at the first start, by a code from the environment.
    let config = configured(folder.path(), &factory.url);
    let code = root.told(&["site", "enrol", "afar"]);
    let mut first = agent(&[], &config);
    let mut process =
        first.env("USINE_AGENT_CODE", code.trim()).stderr(Stdio::null()).spawn().unwrap();
    let mut site = Value::Null;
    for _ in 0..200 {
        site = root.json(&["site", "show", "afar"]);
        if site["agent"]["state"] == "present" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(site["agent"]["state"], "present", "{site}");
    let before = site["agent"]["key"].clone();
    process.kill().unwrap();
    process.wait().unwrap();
    let key = folder.path().join("afar/key.json");
    let mode = std::os::unix::fs::PermissionsExt::mode(&key.metadata().unwrap().permissions());
    assert_eq!(mode & 0o077, 0, "{mode:o}");

    let running = AgentProcess::start(&config);
    let rotated = agent(&["rotate"], &config).output().unwrap();
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let after = root.json(&["site", "show", "afar"])["agent"]["key"].clone();
    assert_ne!(before, after);

    // The running agent takes the new key up by itself; then its operator sends it away.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!running.log().contains("refused"), "{}", running.log());
    root.told(&["site", "revoke", "afar"]);
    assert!(root.told(&["site", "list"]).contains("revoked"));
    for _ in 0..200 {
        if running.log().contains("was revoked by its operator") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(running.log().contains("was revoked by its operator"), "{}", running.log());
    let told = running.log();
    assert!(!told.contains(code.trim()) && !told.contains("usine_site_"), "a secret: {told}");
    let audit = Client::anonymous(&factory.url);
    let (status, _) = audit.send(Method::GET, "/sites/afar", None).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_reaches_a_waiting_agent_in_well_under_a_second() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    with_remote_site(folder.path());
    let factory = Factory::start_in(Arc::clone(&folder));
    let administrator = factory.administrator().await;
    let start_up = StartUp::with_hours(&factory, 100).await;
    let config = configured(folder.path(), &factory.url);
    enrolled(&administrator, &config).await;
    let _agent = AgentProcess::start(&config);
    until(&administrator, "/sites/afar", |site| site["inventory"].is_object()).await;

    let mut took = Vec::new();
    for _ in 0..21 {
        let begun = std::time::Instant::now();
        let job = submit(&start_up, "true").await;
        let answered = begun.elapsed();
        // The agent notes an order on disk before it does anything else about it.
        let noted = folder.path().join(format!("afar/agent/jobs/{job}.json"));
        while !noted.exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the order never came");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        took.push((begun.elapsed(), answered));
        until(&start_up.founder, &format!("/jobs/{job}"), |job| job["state"] == "ended").await;
    }
    took.sort_unstable();
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    println!("from request to the site's disk (and to the answer): {median:?}, at most {worst:?}");
    assert!(median.0 < Duration::from_millis(500), "{took:?}");
}
