//! Commands whose answer is lost, or that never do what they were told.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use engine::slurm::{Settings, SlurmEngine};
use engine::{Engine as _, Error, State, conformance};
use jobs::life::{End, Failure};

use super::cluster::{Cluster, until, until_ended, written};
use crate::machine::new_job;

/// Slurm's programs, with one of them in the hands of a script that may call the real one as
/// `"$REAL"`.
fn with(cluster: &Cluster, program: &str, script: &str) -> Settings {
    let folder = cluster.folder().join(format!("with-{program}"));
    fs::create_dir_all(&folder).unwrap();
    for name in ["sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue"] {
        let path = folder.join(name);
        let _ = fs::remove_file(&path);
        if name == program {
            fs::write(&path, format!("#!/bin/sh\nREAL=/usr/bin/{name}\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        } else {
            symlink(format!("/usr/bin/{name}"), &path).unwrap();
        }
    }
    let quick = Duration::from_secs(3);
    Settings { programs: Some(folder), patience: quick, settle: quick, ..cluster.settings() }
}

#[tokio::test]
async fn a_submission_whose_reply_is_lost_is_found_and_not_repeated() {
    let Some(cluster) = Cluster::new() else { return };
    let lost = "\"$REAL\" \"$@\" > /dev/null; echo 'sbatch: error: Batch job submission failed: \
        Socket timed out on send/recv operation' >&2; exit 1";
    for (wait, script) in [("0", "sleep 8"), ("5", "exit 0")] {
        let engine = SlurmEngine::open(with(&cluster, "sbatch", lost)).await.unwrap();
        let job = new_job();
        engine.submit(job, &conformance::small(&format!("echo ran; {script}"))).await.unwrap();
        drop(engine);
        tokio::time::sleep(Duration::from_secs(wait.parse().unwrap())).await;
        let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
        assert!(engine.knows(job).await.unwrap());
        assert_eq!(until_ended(&engine, job).await.end, End::Completed);
        assert_eq!(written(&engine, job).await, "ran\n");
        assert_eq!(cluster.copies(job), 1);
    }
}

#[tokio::test]
async fn a_submission_that_never_arrived_is_made_again() {
    let Some(cluster) = Cluster::new() else { return };
    let once = cluster.folder().join("once");
    let silent =
        format!("[ -e {0} ] && exec \"$REAL\" \"$@\"\ntouch {0}; sleep 60", once.display());
    let engine = SlurmEngine::open(with(&cluster, "sbatch", &silent)).await.unwrap();
    let job = new_job();
    engine.submit(job, &conformance::small("echo ran")).await.unwrap();
    assert!(once.exists());
    assert_eq!(until_ended(&engine, job).await.end, End::Completed);
    assert_eq!(written(&engine, job).await, "ran\n");
    assert_eq!(cluster.copies(job), 1);
}

#[tokio::test]
async fn a_submission_that_arrives_too_late_stops_at_the_fence() {
    let Some(cluster) = Cluster::new() else { return };
    let once = cluster.folder().join("once");
    // The first copy comes when the second has been submitted already.
    let late = format!(
        "[ -e {0} ] && exec \"$REAL\" \"$@\"
        touch {0}; cat > {0}.script; (sleep 9; \"$REAL\" \"$@\" < {0}.script > {0}.late 2>&1) > /dev/null 2>&1 &
        exit 1",
        once.display()
    );
    let engine = SlurmEngine::open(with(&cluster, "sbatch", &late)).await.unwrap();
    let job = new_job();
    engine.submit(job, &conformance::small("echo ran; sleep 8")).await.unwrap();
    assert_eq!(until_ended(&engine, job).await.end, End::Completed);
    for _ in 0..100 {
        if cluster.copies(job) == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(cluster.copies(job), 2, "the late copy did not come");
    assert_eq!(written(&engine, job).await, "ran\n");
}

#[tokio::test]
async fn a_cancellation_before_slurm_knows_the_job_is_not_forgotten() {
    let Some(cluster) = Cluster::new() else { return };
    // Found after all: cancelled as soon as it is.
    let lost = "\"$REAL\" \"$@\" > /dev/null; exit 1";
    let engine = SlurmEngine::open(with(&cluster, "sbatch", lost)).await.unwrap();
    let job = new_job();
    engine.submit(job, &conformance::small("sleep 600")).await.unwrap();
    engine.cancel(job).await.unwrap();
    drop(engine);
    let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
    assert_eq!(until_ended(&engine, job).await.end, End::Cancelled);
    drop(engine);
    // Never arrived: not submitted again.
    let engine = SlurmEngine::open(with(&cluster, "sbatch", "exit 1")).await.unwrap();
    let job = new_job();
    engine.submit(job, &conformance::small("sleep 600")).await.unwrap();
    engine.cancel(job).await.unwrap();
    let ended = until_ended(&engine, job).await;
    assert_eq!((ended.end, ended.started), (End::Cancelled, None));
    assert_eq!(cluster.copies(job), 0);
}

#[tokio::test]
async fn an_exit_code_is_told_whole() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
    for code in [117, 200] {
        let job = new_job();
        engine.submit(job, &conformance::small(&format!("exit {code}"))).await.unwrap();
        assert_eq!(until_ended(&engine, job).await.end, End::Failed(Failure::ExitCode(code)));
    }
}

#[tokio::test]
async fn silence_of_the_queue_or_the_accounting_ends_no_job() {
    let Some(cluster) = Cluster::new() else { return };
    let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
    let job = new_job();
    engine.submit(job, &conformance::small("sleep 2; echo ran")).await.unwrap();
    until(&engine, job, |state| matches!(state, State::Running { .. })).await;
    drop(engine);
    let engine = SlurmEngine::open(with(&cluster, "squeue", "exit 1")).await.unwrap();
    for _ in 0..5 {
        assert!(matches!(engine.observe().await, Err(Error::Unclear { .. })));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    drop(engine);
    let engine = SlurmEngine::open(with(&cluster, "sacct", "exit 1")).await.unwrap();
    for _ in 0..5 {
        let all = engine.observe().await.unwrap();
        let state = all.into_iter().find(|one| one.job == job).unwrap().state;
        assert!(!matches!(state, State::Ended(_)), "{state:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    drop(engine);
    let engine = SlurmEngine::open(cluster.settings()).await.unwrap();
    assert_eq!(until_ended(&engine, job).await.end, End::Completed);
}
