//! A year of a whole federation under Slurm's rules, on one core: how long it takes, how much memory,
//! and how both grow with the number of jobs.
//!
//! Run by `cargo bench -p twin --bench year [-- --quick | JOBS…]`; prints a table and, as its last line,
//! JSON. Seven sites with 50 000 GPUs, each with whole nodes and shared nodes, are replayed one after
//! the other: multifactor priority with Fair Tree and decaying usage, limits, backfill in rounds.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot run should say so and stop"
)]

mod load;
mod site;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use sched::{
    Association, Backfill, Nodes, Outcome, Sharing, Signal, Submission, System, SystemSpec, Ticket,
};

use load::{BURST_EIGHTHS, Burst, Demand, Dice, Load, SHARED_NODE, WHOLE_NODE, scale};
use site::{accounts, limits, partition, priority, qos};

const YEAR_SECONDS: i64 = 365 * 86_400;
const YEAR_JOBS: u64 = 5_000_000;
const SITES_GPUS: [u32; 7] = [12_000, 9_600, 8_000, 7_200, 6_000, 4_800, 2_400];

fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let mut sizes: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() && quick {
        sizes = vec![10_000, 50_000];
    } else if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000, YEAR_JOBS, 2 * YEAR_JOBS];
    }
    println!(
        "{:<10}{:>10}{:>8}{:>9}{:>8}{:>10}{:>10}{:>10}{:>11}{:>9}",
        "load",
        "jobs",
        "days",
        "waiting",
        "busy %",
        "wait min",
        "seconds",
        "cpu s",
        "cpu us/job",
        "peak MB"
    );
    let mut rows = Vec::new();
    for &jobs in &sizes {
        rows.push(measure("steady", jobs, 90));
    }
    for &jobs in sizes.iter().filter(|jobs| **jobs <= YEAR_JOBS) {
        rows.push(measure("crowded", jobs, 100));
    }
    let year = rows.iter().rfind(|row| row.load == "steady" && row.jobs <= YEAR_JOBS);
    let year = year.expect("there is a row");
    let cells: Vec<String> = rows.iter().map(Row::json).collect();
    println!(
        "{{\"bench\":\"year\",\"jobs\":{},\"seconds\":{:.3},\"cpu_seconds\":{:.2},\"jobs_per_second\":{:.0},\
         \"peak_mb\":{},\"rows\":[{}]}}",
        year.jobs,
        year.seconds,
        year.cpu_seconds,
        year.jobs as f64 / year.seconds,
        year.peak_mb,
        cells.join(",")
    );
}

struct Row {
    load: &'static str,
    jobs: u64,
    days: i64,
    waiting_max: usize,
    busy_percent: u64,
    wait_minutes: i64,
    seconds: f64,
    cpu_seconds: f64,
    peak_mb: u64,
    digest: u64,
}

impl Row {
    fn json(&self) -> String {
        format!(
            "{{\"load\":{:?},\"jobs\":{},\"days\":{},\"waiting_max\":{},\"busy_percent\":{},\
             \"wait_minutes\":{},\"seconds\":{:.3},\"cpu_seconds\":{:.2},\
             \"cpu_microseconds_per_job\":{:.2},\"peak_mb\":{},\
             \"digest\":\"{:016x}\"}}",
            self.load,
            self.jobs,
            self.days,
            self.waiting_max,
            self.busy_percent,
            self.wait_minutes,
            self.seconds,
            self.cpu_seconds,
            self.cpu_seconds * 1e6 / self.jobs as f64,
            self.peak_mb,
            self.digest,
        )
    }
}

/// Replays `jobs` jobs that arrive over their part of a year and ask for `percent` of all GPUs.
fn measure(load: &'static str, jobs: u64, percent: u64) -> Row {
    let (began, cpu_before) = (Instant::now(), cpu_seconds());
    let seconds = YEAR_SECONDS * i64::try_from(jobs).unwrap() / i64::try_from(YEAR_JOBS).unwrap();
    let all: u32 = SITES_GPUS.iter().sum();
    let mut total = Site::default();
    for (number, gpus) in (1..).zip(SITES_GPUS) {
        let load = Load { jobs: jobs * u64::from(gpus) / u64::from(all), seconds, percent, gpus };
        let site = Run::new(&load, number).finish();
        total.waiting_max = total.waiting_max.max(site.waiting_max);
        total.started += site.started;
        total.wait_seconds += site.wait_seconds;
        total.gpu_seconds += site.gpu_seconds;
        total.digest = total.digest.rotate_left(7) ^ site.digest;
    }
    let row = Row {
        load,
        jobs: total.started,
        days: seconds / 86_400,
        waiting_max: total.waiting_max,
        busy_percent: total.gpu_seconds * 100 / (u64::from(all) * seconds.unsigned_abs()),
        wait_minutes: total.wait_seconds / i64::try_from(total.started).unwrap() / 60,
        seconds: began.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds() - cpu_before,
        peak_mb: peak_mb(),
        digest: total.digest,
    };
    println!(
        "{:<10}{:>10}{:>8}{:>9}{:>8}{:>10}{:>10.2}{:>10.2}{:>11.2}{:>9}",
        row.load,
        row.jobs,
        row.days,
        row.waiting_max,
        row.busy_percent,
        row.wait_minutes,
        row.seconds,
        row.cpu_seconds,
        row.cpu_seconds * 1e6 / row.jobs as f64,
        row.peak_mb
    );
    row
}

/// What the process has used of processors so far, in seconds; on a shared machine that is what the
/// work costs, while the time that passes tells how busy others are.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// The most memory that the process has held so far.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// What became of one site.
#[derive(Default)]
struct Site {
    waiting_max: usize,
    started: u64,
    wait_seconds: i64,
    gpu_seconds: u64,
    digest: u64,
}

struct Run {
    system: System<Nodes>,
    users: Vec<Association>,
    demand: Demand,
    dice: Dice,
    left: u64,
    /// In thousandths, for whole nodes and for shared ones.
    scale_milli: [i64; 2],
    ends: BinaryHeap<Reverse<(i64, Ticket)>>,
    /// When the job of each ticket was submitted, how long it runs, and its GPUs.
    jobs: Vec<(i64, i64, u64)>,
    site: Site,
}

impl Run {
    fn new(load: &Load, number: u64) -> Self {
        let shared_nodes = load.gpus * 15 / 100 / 8;
        let whole_nodes = (load.gpus - shared_nodes * 8) / 4;
        let (accounts, users) = accounts();
        let system = System::new(SystemSpec {
            partitions: vec![
                partition(Sharing::Whole, whole_nodes, WHOLE_NODE),
                partition(Sharing::Shared, shared_nodes, SHARED_NODE),
            ],
            limits: limits(&accounts, load.gpus),
            accounts,
            qos: qos(),
            priority: priority(),
            backfill: Backfill {
                interval_seconds: 60,
                window_seconds: 2 * 86_400,
                ..Backfill::SLURM
            },
            signal: Signal::default(),
        });
        let gap_seconds = load.seconds.unsigned_abs() * BURST_EIGHTHS / 8 / load.jobs.max(1);
        let demand = |seed| Demand { dice: Dice(seed), gap_seconds, at: 0 };
        let gpus = [u64::from(whole_nodes) * 4, u64::from(shared_nodes) * 8];
        Self {
            system,
            users,
            scale_milli: scale(demand(number), load, gpus),
            demand: demand(number),
            dice: Dice(number + 100),
            left: load.jobs,
            ends: BinaryHeap::new(),
            jobs: Vec::new(),
            site: Site::default(),
        }
    }

    fn finish(mut self) -> Site {
        let mut outcome = Outcome::default();
        let mut burst = self.demand.next();
        let mut wake = None;
        loop {
            let arrival = (self.left > 0).then_some(burst.at);
            let end = self.ends.peek().map(|Reverse((end, _))| *end);
            let Some(now) = arrival.into_iter().chain(end).chain(wake).min() else { break };
            while let Some(&Reverse((end, ticket))) = self.ends.peek()
                && end <= now
            {
                self.ends.pop();
                self.system.end(now, ticket);
            }
            if arrival == Some(now) {
                self.submit(&burst);
                burst = self.demand.next();
            }
            self.system.pass(now, &mut outcome);
            for ticket in outcome.started.drain(..) {
                self.start(now, ticket);
            }
            self.site.waiting_max = self.site.waiting_max.max(self.system.waiting());
            wake = self.system.next(now);
        }
        assert_eq!(self.system.waiting(), 0, "some job never started");
        self.site
    }

    fn submit(&mut self, burst: &Burst) {
        let scale = self.scale_milli.get(usize::from(burst.shared)).copied().unwrap_or(1_000);
        let limit = burst.limit(scale);
        for _ in 0..burst.jobs.min(self.left) {
            self.left -= 1;
            // Users ask for more than they need: one in eight all of it, others a part.
            let run = limit * (1 + i64::try_from(self.dice.below(8)).unwrap()) / 8;
            let estimate_seconds = (limit + 899) / 900 * 900;
            let submitted = self.system.submit(
                burst.at,
                Submission {
                    partition: usize::from(burst.shared),
                    association: *self.users.get(burst.user).expect("there is such a user"),
                    qos: burst.qos,
                    demand: burst.demand,
                    estimate_seconds,
                    priority: 0,
                    nice: 0,
                    throttle: None,
                    deferral: None,
                },
            );
            let ticket = submitted.expect("the job can run");
            if ticket.index() >= self.jobs.len() {
                self.jobs.resize(ticket.index() + 1, (0, 0, 0));
            }
            *self.jobs.get_mut(ticket.index()).expect("there is room") =
                (burst.at, run, burst.gpus);
        }
    }

    fn start(&mut self, now: i64, ticket: Ticket) {
        let &(submit, run, gpus) = self.jobs.get(ticket.index()).expect("it was submitted");
        self.ends.push(Reverse((now + run, ticket)));
        self.site.started += 1;
        self.site.wait_seconds += now - submit;
        self.site.gpu_seconds += gpus * run.unsigned_abs();
        let start = now.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.site.digest = self.site.digest.rotate_left(5) ^ start ^ gpus;
    }
}
