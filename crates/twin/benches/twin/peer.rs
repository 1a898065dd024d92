//! A simulator from Python's registry beside ours, on the same log, in the same run.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use sched::Policy;
use twin::Job;

use crate::load::synthetic;

/// What the peer and we make of one log under EASY backfill.
pub(super) struct Beside {
    jobs: usize,
    ours_seconds: f64,
    peer_seconds: f64,
    our_wait_seconds: f64,
    peer_wait_seconds: f64,
    /// Jobs that start in the same second.
    same: usize,
}

/// Replays a synthetic log of `jobs` jobs, read from a file as the peer reads it. The peer is
/// `python script LOG PROCS STARTS`, which writes `id,start` for every job; its start and its
/// reading count as ours do.
pub(super) fn beside(python: &Path, script: &Path, jobs: usize, procs: u32) -> Beside {
    let folder = std::env::temp_dir().join(format!("usine-bench-peer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the log");
    let (trace, starts) = (folder.join("log.swf"), folder.join("starts.csv"));
    std::fs::write(&trace, standard(&synthetic(jobs))).expect("the log is written");
    let began = Instant::now();
    let status = Command::new(python)
        .arg(script)
        .arg(&trace)
        .arg(procs.to_string())
        .arg(&starts)
        .status()
        .expect("the peer starts");
    let peer_seconds = began.elapsed().as_secs_f64();
    assert!(status.success(), "the peer failed");
    let began = Instant::now();
    let log = twin::open(&trace).and_then(|log| twin::as_is(log, procs));
    let log = log.expect("the log can be read");
    let replay = twin::replay(&log, procs, Policy::Easy, |_| ControlFlow::Continue(()));
    let ours_seconds = began.elapsed().as_secs_f64();
    let ours = replay.expect("nobody stops it").starts;
    let theirs = read_starts(&starts, jobs);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
    let wait = |starts: &[i64]| {
        let waits = log.iter().zip(starts).map(|(job, start)| start - job.submit);
        waits.sum::<i64>() as f64 / jobs as f64
    };
    Beside {
        jobs,
        ours_seconds,
        peer_seconds,
        our_wait_seconds: wait(&ours),
        peer_wait_seconds: wait(&theirs),
        same: ours.iter().zip(&theirs).filter(|(ours, theirs)| ours == theirs).count(),
    }
}

/// The log in the Standard Workload Format.
fn standard(jobs: &[Job]) -> String {
    let mut text = String::new();
    for job in jobs {
        let Job { id, submit, run, estimate, procs, user, group, queue } = job;
        writeln!(
            text,
            "{id} {submit} -1 {run} {procs} -1 -1 {procs} {estimate} -1 1 {user} {group} -1 {queue} -1 -1 -1"
        )
        .expect("text takes what is written");
    }
    text
}

/// The start of every job, which are numbered from 1.
fn read_starts(path: &Path, jobs: usize) -> Vec<i64> {
    let text = std::fs::read_to_string(path).expect("the peer wrote its starts");
    let mut starts = vec![None; jobs];
    for line in text.lines() {
        let (id, start) = line.split_once(',').expect("id,start");
        let id: usize = id.parse().expect("an id");
        starts[id - 1] = Some(start.parse().expect("a start"));
    }
    starts.into_iter().map(|start| start.expect("every job starts")).collect()
}

impl Beside {
    /// How many times as long the peer takes.
    fn ratio(&self) -> f64 {
        self.peer_seconds / self.ours_seconds
    }

    pub(super) fn tell(&self) {
        println!(
            "AccaSim on {} synthetic jobs, EASY: {:.2} s, ours {:.4} s, {:.0} times faster; mean \
             wait {:.1} s, ours {:.1} s; {} jobs start in the same second",
            self.jobs,
            self.peer_seconds,
            self.ours_seconds,
            self.ratio(),
            self.peer_wait_seconds,
            self.our_wait_seconds,
            self.same,
        );
    }

    pub(super) fn json(&self) -> String {
        format!(
            "{{\"peer\":\"AccaSim\",\"jobs\":{},\"seconds\":{:.6},\"peer_seconds\":{:.3},\
             \"ratio_to_peer\":{:.1},\"wait_seconds\":{:.3},\"peer_wait_seconds\":{:.3},\
             \"same_starts\":{}}}",
            self.jobs,
            self.ours_seconds,
            self.peer_seconds,
            self.ratio(),
            self.our_wait_seconds,
            self.peer_wait_seconds,
            self.same,
        )
    }
}
