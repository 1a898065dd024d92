//! `submitit`, as it comes from PyPI, on Slurm's commands spoken to a hub.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Cluster, LOGIN, There};

/// A Python with `submitit`, which `cargo xtask test` installs.
const PYTHON: &str = "USINE_TEST_SUBMITIT";

#[tokio::test(flavor = "multi_thread")]
async fn submitit_runs_unmodified() {
    let Some(cluster) = Cluster::new() else { return };
    let Some(python) = std::env::var_os(PYTHON) else {
        println!("skipped: {PYTHON} names no Python; `cargo xtask test` installs one");
        return;
    };
    let there = There::new(&cluster).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/slurm/sweep.py");
    std::fs::copy(script, there.home.join("sweep.py")).unwrap();
    let path = format!("{}:{}", there.links.display(), std::env::var("PATH").unwrap());
    let mut sweep = Command::new("runuser");
    sweep.args(["-u", LOGIN, "--"]).arg(python).arg("sweep.py").arg(there.home.join("logs"));
    sweep.current_dir(&there.home).env("HOME", &there.home).env("PATH", path);
    sweep.env("USINE_NUMBERS", "hub").envs(there.environment());
    let mut running = sweep.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while running.try_wait().unwrap().is_none() {
        // Slurm lets a job that was queued again wait for two minutes, which is its own affair.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let output = running.wait_with_output().unwrap();
    let (told, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(told, "one\narray\nfailure\ncancelled\nresumed\n", "{complaint}");
}
