//! An agent with real jobs is killed at random moments; every job runs once and is told once.
//!
//! `USINE_CRASHES` sets how often (default 150), `USINE_CRASH_SEED` repeats a run.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use site::protocol::{End, EventBody, OrderBody, StartJob, Stream};
use units::JobId;

use crate::hub::{Hub, job, start, until};

const CRASHES: u64 = 150;
const SECONDS_MAX: u64 = 90;
const JOBS: u64 = 60;

/// Random enough for moments; the seed is printed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// An agent in a process of its own, killed when dropped.
struct Agent(Child);

impl Agent {
    fn start(hub: &Hub, folder: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_usine-agent-trial"))
            .arg(hub.address())
            .arg(folder)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// What a job is to do, and how it must end unless it is cancelled.
fn trial(number: u64, dice: &mut Dice) -> (StartJob, End) {
    let pause = format!("0.{}", dice.roll(5));
    let order = |script: &str| start(job(number), script);
    match number % 4 {
        0 => (order(&format!("echo ran\nsleep {pause}")), End::Completed),
        1 => (order(&format!("echo ran\nsleep {pause}\nexit 7")), End::Failed { exit_code: 7 }),
        2 => (order(&format!("echo ran\nsleep {pause}\nkill -9 $$")), End::Killed { signal: 9 }),
        _ => {
            let mut order = order("echo ran\nsleep 1000");
            order.request.time_limit_seconds = 1;
            (order, End::TimedOut)
        }
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_runs_once_and_is_told_once_however_often_the_agent_is_killed() {
    let seed = number_from("USINE_CRASH_SEED").unwrap_or_else(|| std::process::id().into());
    let crashes = number_from("USINE_CRASHES").unwrap_or(CRASHES);
    println!("USINE_CRASH_SEED={seed}");
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start().await;
    hub.known().lose_every = Some(7);

    let mut expected: Vec<(JobId, End, bool)> = Vec::new();
    let began = Instant::now();
    for crash in 0..crashes {
        let due = (crash + 1) * JOBS / crashes;
        while u64::try_from(expected.len()).unwrap() < due {
            let (order, end) = trial(u64::try_from(expected.len()).unwrap(), &mut dice);
            expected.push((order.job, end, false));
            hub.order(OrderBody::Start(Box::new(order)));
        }
        if dice.roll(12) == 0
            && let Some((job, _, cancelled)) = expected.last_mut()
        {
            *cancelled = true;
            hub.order(OrderBody::Cancel { job: *job });
        }
        // Repeated orders would hide a lost one, so they come only now and then.
        hub.known().repeat_orders = if dice.roll(8) == 0 { 2 } else { 0 };
        hub.known().is_down = dice.roll(10) == 0;
        let agent = Agent::start(&hub, folder.path());
        let moment = if dice.roll(2) == 0 { dice.roll(80) } else { dice.roll(250) };
        tokio::time::sleep(Duration::from_millis(moment)).await;
        drop(agent);
        if began.elapsed() > Duration::from_secs(SECONDS_MAX) {
            println!("stopped after {crash} of {crashes} crashes");
            break;
        }
    }
    hub.known().is_down = false;
    let _agent = Agent::start(&hub, folder.path());
    for (job, end, cancelled) in &expected {
        until("every job is over", || hub.end(*job).is_some()).await;
        check(&hub, *job, end, *cancelled);
    }
    println!("{} jobs, {} repeated events", expected.len(), hub.known().repeated);
}

fn check(hub: &Hub, job: JobId, expected: &End, cancelled: bool) {
    let story = hub.story(job);
    let count = |wanted: fn(&EventBody) -> bool| story.iter().filter(|body| wanted(body)).count();
    assert_eq!(count(|body| matches!(body, EventBody::Ended { .. })), 1, "{job}: {story:?}");
    assert!(count(|body| matches!(body, EventBody::Started { .. })) <= 1, "{job}: {story:?}");
    let Some(EventBody::Ended { end, started, ended, .. }) = hub.end(job) else {
        panic!("{job} has no end: {story:?}");
    };
    let as_asked = cancelled && end == End::Cancelled;
    assert!(end == *expected || as_asked, "{job}: {end:?} instead of {expected:?}");
    assert!(started.is_none_or(|started| started <= ended), "{job}: {story:?}");
    let log = hub.log(job, Stream::Stdout);
    let ran = if started.is_some() && !as_asked { "ran\n" } else { log.as_str() };
    assert_eq!(log, ran, "{job} ran twice or not at all");
    assert!(log.len() <= "ran\n".len(), "{job} ran twice: {log}");
}
