//! Jobs that try to use more than they asked for, or to outlive their end.

use std::time::{Duration, Instant};

use engine::{Engine as _, State};
use jobs::life::End;

use crate::machine::{Machine, bash, processes_with};

#[tokio::test]
async fn a_job_that_needs_more_memory_than_it_has_is_ended() {
    for machine in Machine::both().await {
        let mut greedy = bash("echo before; cat /dev/zero | tail -c 2G; echo after");
        greedy.request.memory_mb = 100;
        let (ended, text) = machine.run(&greedy).await;
        assert_eq!(ended.end, End::OutOfMemory, "{ended:?} {text}");
        assert!(ended.reason.unwrap().contains("100 MB"));
        assert!(ended.peak_memory_mb.unwrap() <= 100);
    }
}

#[tokio::test]
async fn the_memory_of_all_processes_of_a_job_counts_together() {
    for machine in Machine::both().await {
        let mut many = bash("for i in 1 2 3 4; do (cat /dev/zero | tail -c 50M) & done; wait");
        many.request.memory_mb = 128;
        let (ended, _) = machine.run(&many).await;
        assert_eq!(ended.end, End::OutOfMemory, "{ended:?}");
        let mut few = bash("head -c 80M /dev/zero | tail -c 50M > /dev/null; exit 5");
        few.request.memory_mb = 128;
        let (ended, _) = machine.run(&few).await;
        assert_eq!(ended.end, End::Failed(jobs::life::Failure::ExitCode(5)), "{ended:?}");
        assert!(ended.peak_memory_mb.unwrap() <= 128 && ended.cpu_milliseconds.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_fork_bomb_stays_small_and_leaves_nothing() {
    let without = Machine::with(|settings| {
        settings.processes_max = 80;
        settings.control_groups = engine::ControlGroups::Never;
    });
    let with = Machine::with(|settings| settings.processes_max = 80);
    for machine in [with.await, without.await] {
        let tag = format!("bomb-{}", machine.folder.path().file_name().unwrap().display());
        let mut bomb =
            bash(&format!("b() {{ bash -c 'sleep 30' {tag} & b & b; }}; b; wait; sleep 30"));
        bomb.request.time_limit_seconds = 3;
        let job = machine.submit(&bomb).await;
        let mut most = 0;
        while !matches!(machine.state(job).await, State::Ended(_)) {
            most = most.max(processes_with(&tag));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(most <= 400, "{most} processes at once");
        assert_eq!(processes_with(&tag), 0, "processes outlived their job");
    }
}

#[tokio::test]
async fn a_job_keeps_to_its_cores_even_when_it_asks_for_more() {
    for machine in Machine::both().await {
        if machine.engine.capacity().cores < 2 {
            println!("skipped: this machine has one core");
            return;
        }
        let script = "nproc; taskset -pc 0-1023 $$ > /dev/null; sleep 0.5; nproc";
        let first = machine.submit(&bash(&format!("{script}; sleep 2"))).await;
        machine.until_running(first).await;
        let second = machine.submit(&bash("sleep 2")).await;
        machine.until_running(second).await;
        let mut cores = Vec::new();
        for job in [first, second] {
            if let State::Running { cores: held, .. } = machine.state(job).await {
                assert_eq!(held.len(), 1);
                cores.extend(held);
            }
        }
        assert_eq!(cores.len(), 2);
        assert_ne!(cores[0], cores[1], "two jobs share a core");
        machine.until_ended(first).await;
        assert_eq!(machine.written(first).await, "1\n1\n");
    }
}

#[tokio::test]
async fn a_job_that_will_not_stop_is_stopped_in_time() {
    let machine = Machine::new().await;
    let mut stubborn = bash("trap '' TERM INT HUP; while :; do sleep 0.1; done");
    stubborn.request.time_limit_seconds = 1;
    let (ended, _) = machine.run(&stubborn).await;
    assert_eq!(ended.end, End::TimedOut);
    let ran = ended.ended.as_millisecond() - ended.started.unwrap().as_millisecond();
    assert!((1_000..5_000).contains(&ran), "it ran {ran} ms");
}

#[tokio::test]
async fn a_job_may_tidy_up_when_it_is_cancelled() {
    let machine = Machine::new().await;
    let spec = bash("trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done");
    let job = machine.submit(&spec).await;
    machine.until_written(job, "ready").await;
    machine.engine.cancel(job).await.unwrap();
    assert_eq!(machine.until_ended(job).await.end, End::Cancelled);
    let text = machine.written(job).await;
    assert!(text.starts_with("ready\n") && text.ends_with("tidied\n"), "{text}");
}

#[tokio::test]
async fn daemons_do_not_outlive_their_job() {
    let machine = Machine::new().await;
    let seconds = format!("7{}", std::process::id());
    let daemon = format!("(setsid setsid nohup sleep {seconds} > /dev/null 2>&1 &) ; sleep 0.2");

    let (ended, _) = machine.run(&bash(&daemon)).await;
    assert_eq!(ended.end, End::Completed);
    assert_eq!(processes_with(&seconds), 0, "a daemon outlived the script");

    let job = machine.submit(&bash(&format!("{daemon}; echo ready; sleep 1000"))).await;
    machine.until_written(job, "ready").await;
    assert_eq!(processes_with(&seconds), 1);
    let asked = Instant::now();
    machine.engine.cancel(job).await.unwrap();
    assert_eq!(machine.until_ended(job).await.end, End::Cancelled);
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(processes_with(&seconds), 0, "a daemon survived the cancellation");
}

#[tokio::test]
async fn a_job_whose_folder_is_deleted_ends() {
    let machine = Machine::new().await;
    let seconds = format!("6{}", std::process::id());
    let job = machine.submit(&bash(&format!("echo ready; sleep {seconds}"))).await;
    machine.until_written(job, "ready").await;
    until_processes(&seconds, 1).await;
    drop(machine);
    until_processes(&seconds, 0).await;
}

/// Waits until so many processes have `argument` on their command line.
async fn until_processes(argument: &str, count: usize) {
    for _ in 0..500 {
        if processes_with(argument) == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} processes instead of {count}", processes_with(argument));
}

#[tokio::test]
async fn a_script_that_cannot_start_says_why() {
    let machine = Machine::new().await;
    let mut spec = bash("");
    spec.script = "#!/no/such/interpreter\n".to_owned();
    let (ended, text) = machine.run(&spec).await;
    assert_eq!(ended.end, End::Failed(jobs::life::Failure::ExitCode(127)));
    assert!(text.contains("cannot start the script"), "{text}");
}
