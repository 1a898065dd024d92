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

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use sched::{
    Accounts, Amount, Association, Backfill, FairShare, Limits, Nodes, NodesDemand, Outcome,
    Policy, PoolSpec, PriorityPolicy, Qos, Resource, Sharing, Signal, Submission, System,
    SystemSpec, Ticket, Tres, Weights,
};

const YEAR_SECONDS: i64 = 365 * 86_400;
const YEAR_JOBS: u64 = 5_000_000;
const SITES_GPUS: [u32; 7] = [12_000, 9_600, 8_000, 7_200, 6_000, 4_800, 2_400];
const ACCOUNTS: u32 = 60;
const USERS_OF_ACCOUNT: u32 = 10;

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
    let year = rows.iter().filter(|row| row.load == "steady" && row.jobs <= YEAR_JOBS).next_back();
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

/// What one site is asked to do.
struct Load {
    jobs: u64,
    seconds: i64,
    percent: u64,
    gpus: u32,
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

/// Pseudo-random numbers, the same in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}

/// Jobs of one user that are submitted together and are alike but for how long they run.
struct Burst {
    at: i64,
    jobs: u64,
    user: usize,
    qos: usize,
    shared: bool,
    demand: NodesDemand,
    gpus: u64,
    /// Before it is scaled to the load that is wanted.
    run_seconds: i64,
}

impl Burst {
    /// How long its jobs run at most, when times are stretched by `scale_milli` thousandths.
    fn limit(&self, scale_milli: i64) -> i64 {
        (self.run_seconds * scale_milli / 1_000).clamp(60, 86_400)
    }
}

const WHOLE_NODE: Amount = Amount { cores: 32, memory_mb: 512_000, gpus: 4 };
const SHARED_NODE: Amount = Amount { cores: 64, memory_mb: 1_024_000, gpus: 8 };

/// What users ask, hour by hour.
struct Demand {
    dice: Dice,
    /// Between two bursts, on average.
    gap_seconds: u64,
    at: i64,
}

impl Demand {
    fn next(&mut self) -> Burst {
        let gap = 1 + self.dice.below(2 * self.gap_seconds);
        // Nights and weekends bring half as much as working days.
        let (hour, day) = (self.at / 3_600 % 24, self.at / 86_400 % 7);
        let quiet = !(8..20).contains(&hour) || day >= 5;
        self.at += i64::try_from(if quiet { gap * 4 / 3 } else { gap * 2 / 3 }).unwrap();
        let dice = &mut self.dice;
        let shared = dice.below(10) < 6;
        let users = u64::from(ACCOUNTS * USERS_OF_ACCOUNT);
        let user = dice.below(users).min(dice.below(users)) as usize;
        let (nodes, each) = if shared {
            let gpus = 1_u32 << dice.below(3).min(dice.below(4));
            (1, Amount { cores: gpus * 6, memory_mb: u64::from(gpus) * 96_000, gpus })
        } else {
            (1 << dice.below(8).min(dice.below(9)), WHOLE_NODE)
        };
        let magnitude = 8 + dice.below(8);
        Burst {
            at: self.at,
            jobs: 1 + dice.below(8) * dice.below(8) / 2,
            user,
            qos: usize::from(dice.below(10) == 0),
            shared,
            demand: NodesDemand { nodes, each, features: 0 },
            gpus: u64::from(nodes) * u64::from(each.gpus),
            run_seconds: 60 + i64::try_from(dice.below(1 << magnitude)).unwrap(),
        }
    }
}

/// How many jobs a burst has on average, times eight.
const BURST_EIGHTHS: u64 = 54;

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

/// By how much run times must be stretched for the load that is wanted, though none is longer than
/// a day.
fn scale(mut demand: Demand, load: &Load, gpus: [u64; 2]) -> [i64; 2] {
    let mut bursts = Vec::new();
    let mut jobs = 0;
    while jobs < 100_000 {
        let burst = demand.next();
        jobs += burst.jobs;
        bursts.push(burst);
    }
    [false, true].map(|shared| {
        let gpus = u128::from(gpus[usize::from(shared)]);
        let wanted =
            gpus * u128::from(load.seconds.unsigned_abs()) * u128::from(load.percent) / 100;
        let wanted = wanted * u128::from(jobs) / u128::from(load.jobs);
        let asked = |scale| -> u128 {
            let of_kind = bursts.iter().filter(|burst| burst.shared == shared);
            // On average, nine sixteenths of the limit are used.
            of_kind
                .map(|burst| {
                    u128::from(burst.jobs * burst.gpus * burst.limit(scale).unsigned_abs())
                })
                .sum::<u128>()
                * 9
                / 16
        };
        let (mut low, mut high) = (1, 1_000_000);
        while high - low > 1 {
            let middle = i64::midpoint(low, high);
            if asked(middle) < wanted { low = middle } else { high = middle }
        }
        high
    })
}

fn partition(sharing: Sharing, nodes: u32, node: Amount) -> PoolSpec<Nodes> {
    PoolSpec {
        pool: Nodes::new(sharing, (0..nodes).map(|_| (node, 0))),
        policy: Policy::Easy,
        priority_factor: 1,
        billing_milli: Tres::all(0).with(Resource::Gpu, 1_000),
    }
}

fn accounts() -> (Accounts, Vec<Association>) {
    let mut accounts = Accounts::new();
    let mut users = Vec::new();
    for number in 0..ACCOUNTS {
        let account = accounts.account(Association::ROOT, 1 + number % 7);
        for user in 0..USERS_OF_ACCOUNT {
            users.push(accounts.user(account, number * USERS_OF_ACCOUNT + user, 1));
        }
    }
    (accounts, users)
}

/// Every third account may hold half of the site, and nobody runs more than a thousand jobs.
fn limits(accounts: &Accounts, gpus: u32) -> Vec<(Association, Limits)> {
    let group_tres = Tres::all(None).with(Resource::Gpu, Some(u64::from(gpus) / 2));
    let is_account = |place: &Association| accounts.user_at(*place).is_none();
    let of_accounts = accounts.iter().skip(1).filter(is_account).step_by(3);
    let of_accounts = of_accounts.map(|at| (at, Limits { group_tres, ..Limits::default() }));
    let everybody = Limits { jobs_per_user: Some(1_000), ..Limits::default() };
    of_accounts.chain([(Association::ROOT, everybody)]).collect()
}

fn qos() -> Vec<Qos> {
    let urgent = Limits { jobs_per_user: Some(50), ..Limits::default() };
    vec![
        Qos { priority: 10, ..Qos::default() },
        Qos { priority: 100, limits: urgent, ..Qos::default() },
    ]
}

fn priority() -> PriorityPolicy {
    PriorityPolicy {
        weights: Weights {
            age: 1_000,
            fair_share: 10_000,
            size: 500,
            partition: 0,
            qos: 2_000,
            tres: Tres::all(0).with(Resource::Gpu, 200),
        },
        fair_share: FairShare::Tree,
        ..PriorityPolicy::ARRIVAL
    }
}
