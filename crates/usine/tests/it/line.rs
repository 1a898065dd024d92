//! The whole line once, without training: hours, a job, its charge, the statement, the ledger.

use std::time::Duration;

use serde_json::{Value, json};

use crate::factory::{Client, Factory};
use crate::story::{StartUp, text};

/// Waits until the job has ended.
pub(crate) async fn ended(client: &Client, job: &str) -> Value {
    for _ in 0..600 {
        let shown = client.get(&format!("/jobs/{job}")).await;
        if shown["state"] == "ended" {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {job} did not end within 30 seconds")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_held_run_charged_and_stated() {
    let factory = Factory::start();
    let start_up = StartUp::with_hours(&factory, 100).await;
    let founder = &start_up.founder;
    let script = "#!/bin/sh\n#SBATCH --job-name=hello\n#SBATCH --time=2\n#SBATCH --cpus-per-task=1\n\
                  sleep 2\necho hello from $SLURM_JOB_NAME\n";
    let jobs = format!("/projects/{}/jobs", start_up.project);
    let submitted = founder.post(&jobs, json!({ "script": script })).await;
    let job = text(&submitted["jobs"][0], "id");
    let shown = ended(founder, &job).await;
    assert_eq!(shown["end"], "completed", "{shown}");
    let log = founder.get(&format!("/jobs/{job}/log?stream=stdout&offset=0")).await;
    assert_eq!(log["text"], "hello from hello\n", "{log}");

    // One core is one GPU-equivalent by the rule of this site, held for the time limit of 120 s and
    // charged for what it ran.
    let charged = shown["charged"]["unit_seconds"].as_i64().unwrap_or_else(|| panic!("{shown}"));
    assert!((2..=6).contains(&charged), "{shown}");
    let statement = founder.get(&format!("/projects/{}/statement", start_up.project)).await;
    let used = format!("\"unit_seconds\":{charged}}}");
    assert!(statement.to_string().contains(&used), "{statement}");

    let administrator = factory.administrator().await;
    let check = administrator.get("/ledger/check").await;
    assert_eq!(check["sound"], true, "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allocation_that_cannot_cover_a_job_says_what_would_fit() {
    let factory = Factory::start();
    let start_up = StartUp::with_hours(&factory, 1).await;
    let script = "#!/bin/sh\n#SBATCH --time=02:00:00\n#SBATCH --cpus-per-task=1\ntrue\n";
    let jobs = format!("/projects/{}/jobs", start_up.project);
    let asked = Some(json!({ "script": script }));
    let (status, problem) = start_up.founder.send(reqwest::Method::POST, &jobs, asked).await;
    assert!(status.is_client_error(), "{problem}");
    assert!(problem.to_string().contains("--time=01:00:00 would fit"), "{problem}");
    let listed = start_up.founder.get(&jobs).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(0), "{listed}");
}
