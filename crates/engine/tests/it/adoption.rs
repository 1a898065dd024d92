//! Jobs outlive the engine that started them, and run once whoever starts them.

use std::process::Command;

use engine::{Engine as _, LocalEngine, State};
use jobs::life::End;

use crate::machine::{Machine, bash, new_job, processes_with, settings};

/// The same folder under a new engine, as after a restart of the agent.
async fn reopened(machine: Machine) -> Machine {
    let Machine { engine, folder } = machine;
    drop(engine);
    let engine = LocalEngine::open(settings(folder.path())).await.unwrap();
    Machine { engine, folder }
}

/// The number of the process that watches over a running job.
fn shepherd(machine: &Machine, job: units::JobId) -> String {
    let text = std::fs::read_to_string(machine.folder_of(job).join("started.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record.get("shepherd").unwrap().to_string()
}

fn kill(process: &str) {
    assert!(Command::new("kill").args(["-9", process]).status().unwrap().success());
}

#[tokio::test]
async fn running_waiting_and_ended_jobs_are_found_again() {
    let machine = Machine::new().await;
    let cores = machine.engine.capacity().cores;
    let whole = |script: &str| {
        let mut spec = bash(script);
        spec.request.cores = cores;
        spec
    };
    let ended = machine.submit(&whole("exit 4")).await;
    let before = machine.until_ended(ended).await;
    let running = machine.submit(&whole("echo one; sleep 1; echo two")).await;
    machine.until_running(running).await;
    let waiting = machine.submit(&whole("echo ran")).await;

    let machine = reopened(machine).await;
    assert_eq!(machine.state(ended).await, State::Ended(before));
    assert!(matches!(machine.state(running).await, State::Running { .. }));
    assert_eq!(machine.state(waiting).await, State::Queued, "the cores are taken");
    assert_eq!(machine.until_ended(running).await.end, End::Completed);
    assert_eq!(machine.written(running).await, "one\ntwo\n");
    assert_eq!(machine.until_ended(waiting).await.end, End::Completed);
    machine.engine.clear(waiting).await.unwrap();

    let machine = reopened(machine).await;
    machine.engine.submit(waiting, &whole("echo ran")).await.unwrap();
    let all = machine.engine.observe().await.unwrap();
    assert!(all.iter().all(|one| one.job != waiting), "a cleared job came back");
}

#[tokio::test]
async fn a_job_without_its_shepherd_is_ended_as_a_failure_of_the_node() {
    let machine = Machine::new().await;
    let seconds = format!("8{}", std::process::id());
    for restarted in [false, true] {
        let job = machine.submit(&bash(&format!("echo ready; sleep {seconds}"))).await;
        machine.until_written(job, "ready").await;
        let process = shepherd(&machine, job);
        let record = machine.folder_of(job).join("started.json");
        if restarted {
            let text = std::fs::read_to_string(&record).unwrap();
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            value["boot"] = "another".into();
            std::fs::write(&record, value.to_string()).unwrap();
        }
        if restarted {
            tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
        }
        kill(&process);
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        let ended = machine.until_ended(job).await;
        assert_eq!(ended.end, End::NodeFailed);
        let reason = ended.reason.unwrap();
        let expected = if restarted { "restarted" } else { "was killed" };
        assert!(reason.contains(expected), "{reason}");
        let ran = ended.ended.as_millisecond() - ended.started.unwrap().as_millisecond();
        let expected = if restarted { 1_000..4_000 } else { 0..1_200 };
        assert!(expected.contains(&ran), "it counts as having run {ran} ms");
        for _ in 0..100 {
            if processes_with(&seconds) == 0 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(processes_with(&seconds), 0, "the job outlived its shepherd");
    }
}

#[tokio::test]
async fn however_many_shepherds_come_the_script_runs_once() {
    let machine = Machine::new().await;
    let job = new_job();
    machine.engine.submit(job, &bash("echo ran; sleep 0.5")).await.unwrap();
    machine.until_running(job).await;
    let folder = machine.folder_of(job);
    let mut extra: Vec<_> = (0..5)
        .map(|_| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_usine-carry"));
            command.arg("shepherd").arg(&folder).spawn().unwrap()
        })
        .collect();
    assert_eq!(machine.until_ended(job).await.end, End::Completed);
    for shepherd in &mut extra {
        assert!(shepherd.wait().unwrap().success());
    }
    assert_eq!(machine.written(job).await, "ran\n");
}

#[tokio::test]
async fn a_carrier_that_does_not_work_is_found_out_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.carrier.program = "/bin/false".into();
    assert!(LocalEngine::open(settings).await.is_err());
}
