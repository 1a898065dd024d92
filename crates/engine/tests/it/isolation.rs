//! Jobs that try to reach what is not theirs.

use std::os::unix::fs::PermissionsExt as _;

use engine::{Engine as _, Isolation, Network};
use jobs::life::End;

use crate::machine::{Machine, bash};

/// Whether a test of hidden files can say anything here; said aloud when not.
fn hides_files(isolation: Isolation) -> bool {
    if !isolation.hides_files() {
        println!("skipped: this machine has neither namespaces nor Landlock");
    }
    isolation.hides_files()
}

#[tokio::test]
async fn secrets_of_the_hub_and_files_of_other_jobs_cannot_be_read() {
    let machine = Machine::new().await;
    if !hides_files(machine.engine.isolation()) {
        return;
    }
    let secret = machine.folder.path().join("hub.key");
    std::fs::write(&secret, "hidden-from-jobs").unwrap();
    let other = machine.submit(&bash("echo hidden-from-jobs > mine.txt; sleep 100")).await;
    machine.until_running(other).await;
    let theirs = machine.folder_of(other).join("work/mine.txt");
    let (secret, theirs) = (secret.display(), theirs.display());
    let script = format!(
        "cat {secret} {theirs} ../spec.json ../task.json /proc/1/root{secret}
         ls -R {} /proc/1/root
         ln -s {secret} link; cat link
         ln {secret} hard && cat hard
         cp -r {} copy; cat copy/*
         exit 0",
        machine.folder.path().display(),
        machine.folder.path().display(),
    );
    let (_, text) = machine.run(&bash(&script)).await;
    assert!(!text.contains("hidden-from-jobs"), "{text}");
    assert!(!text.contains("hub.key\n"), "a folder was listed: {text}");
}

#[tokio::test]
async fn nothing_outside_its_own_directory_can_be_written() {
    let machine = Machine::new().await;
    if !hides_files(machine.engine.isolation()) {
        return;
    }
    let victim = machine.folder.path().join("hub.db");
    std::fs::write(&victim, "untouched").unwrap();
    let mode = std::fs::metadata(&victim).unwrap().permissions().mode();
    let path = victim.display();
    let chmod = if machine.engine.isolation().private_root { "chmod 000" } else { "ls" };
    let script = format!(
        "echo broken > {path}; rm -f {path}; mv {path} .; truncate -s 0 {path}; {chmod} {path}
         echo x > ../ended.json; echo x > ../started.json; rm -rf ../task.json
         echo x > /usr/usine-was-here; echo x > /etc/usine-was-here; mkdir /usine-was-here
         echo fine > own.txt && echo fine > $TMPDIR/own.txt && echo wrote"
    );
    let (ended, text) = machine.run(&bash(&script)).await;
    assert!(text.ends_with("wrote\n"), "its own directory is closed to it: {text}");
    assert_eq!(ended.reason, None);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "untouched");
    for path in ["/usr/usine-was-here", "/etc/usine-was-here", "/usine-was-here"] {
        assert!(!std::path::Path::new(path).exists(), "{path} was made");
    }
    assert_eq!(std::fs::metadata(&victim).unwrap().permissions().mode(), mode);
}

#[tokio::test]
async fn other_processes_can_be_neither_seen_nor_signalled() {
    let machine = Machine::new().await;
    if !hides_files(machine.engine.isolation()) {
        return;
    }
    let hub = std::process::id();
    let script = format!(
        "kill -0 {hub} && echo signalled
         tr '\\0' '\\n' < /proc/{hub}/environ && echo saw
         for process in /proc/[0-9]*; do tr '\\0' '\\n' < $process/environ; done 2> /dev/null
         exit 0"
    );
    let (_, text) = machine.run(&bash(&script)).await;
    for trace in ["signalled", "saw", "CARGO_"] {
        assert!(!text.contains(trace), "{trace}: {text}");
    }
}

#[tokio::test]
async fn the_environment_is_what_the_job_was_given_and_no_more() {
    let machine = Machine::new().await;
    let mut spec = bash("env; cat /proc/self/status");
    spec.environment.insert("MINE".to_owned(), "yes".to_owned());
    spec.environment.insert("USINE_JOB_ID".to_owned(), "forged".to_owned());
    let (_, text) = machine.run(&spec).await;
    assert!(text.contains("MINE=yes") && !text.contains("forged"), "{text}");
    assert!(!text.contains("CARGO"), "variables leaked: {text}");
    assert!(text.contains("NoNewPrivs:\t1"), "{text}");
    assert!(text.contains("CapEff:\t0000000000000000"), "{text}");
    assert!(
        text.contains("CapBnd:\t0000000000000000") || text.contains("CapPrm:\t0000000000000000")
    );
}

#[tokio::test]
async fn mounting_and_new_namespaces_open_no_way_out() {
    let machine = Machine::new().await;
    if !hides_files(machine.engine.isolation()) {
        return;
    }
    let secret = machine.folder.path().join("hub.key");
    std::fs::write(&secret, "hidden-from-jobs").unwrap();
    let script = format!(
        "mkdir -p m; mount -t tmpfs none m && echo mounted
         unshare -rm sh -c 'mount -t tmpfs none m && echo mounted; cat {}'
         unshare -rmp --fork sh -c 'mount -t proc none m && echo mounted'
         exit 0",
        secret.display()
    );
    let (_, text) = machine.run(&bash(&script)).await;
    assert!(!text.contains("mounted\n") && !text.contains("hidden-from-jobs"), "{text}");
}

#[tokio::test]
async fn connections_leave_only_jobs_that_may_have_them() {
    let machine = Machine::new().await;
    let isolation = machine.engine.isolation();
    if isolation.landlock < 4 && !isolation.private_root {
        println!("skipped: this machine can neither hide nor forbid its network");
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!("(exec 3<> /dev/tcp/127.0.0.1/{port}) && echo connected; exit 0");
    let (_, text) = machine.run(&bash(&script)).await;
    assert!(!text.contains("connected"), "{text}");
    if isolation.private_root {
        assert!(text.contains("refused"), "the job's own loopback device is down: {text}");
    }
    let mut allowed = bash(&script);
    allowed.network = Network::Allowed;
    let (_, text) = machine.run(&allowed).await;
    assert!(text.contains("connected"), "{text}");
}

#[tokio::test]
async fn a_job_begins_in_the_folder_that_it_asks_for_and_says_so_when_there_is_none() {
    let machine = Machine::new().await;
    let job = crate::machine::new_job();
    let work = machine.engine.prepare(job).await.unwrap();
    std::fs::create_dir_all(work.join("inputs/code")).unwrap();
    std::fs::write(work.join("inputs/code/here.txt"), "the right folder").unwrap();
    let begins_in = |name: &str, script: &str| {
        let mut spec = bash(script);
        spec.folder = Some(name.to_owned());
        spec
    };
    machine.engine.submit(job, &begins_in("inputs/code", "cat here.txt")).await.unwrap();
    assert_eq!(machine.until_ended(job).await.end, End::Completed);
    assert_eq!(machine.written(job).await, "the right folder");

    let (ended, text) = machine.run(&begins_in("missing", "echo ran")).await;
    assert!(!ended.end.is_success() && !text.contains("ran\n"), "{ended:?} {text}");
}
