//! What the core would have started when, of the same submissions.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use sched::{
    Amount, Nodes, NodesDemand, Outcome, Signal, Submission, System, SystemSpec, Ticket,
    WhenPreempted,
};

use super::{Note, ObservedJob, Part, Site, SlurmError};

/// What the core would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prediction {
    /// When each job starts; `None` for one that it refuses, or that was withdrawn before.
    pub starts: Vec<Option<i64>>,
    /// Jobs that are left out, and why.
    pub notes: Vec<Note>,
}

/// How long a job may run that nobody bounds.
const SECONDS_MAX: i64 = 366 * 86_400;
/// How long jobs are waited for after the last thing that happened.
const PATIENCE_SECONDS: i64 = 30 * 86_400;

/// What of a machine its files do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// How long nodes take to start a job and to be free again after it.
    pub settle_seconds: i64,
    /// When its controller was started: from then on it makes priorities anew in every
    /// `PriorityCalcPeriod`. From the first submission on, when it is not known.
    pub booted: Option<i64>,
}

/// Replays `jobs`, which are in order of when they could start, on a machine where nothing else
/// runs. Each runs as long as it did, and holds what it held while nodes settle.
///
/// # Errors
/// When the jobs' partitions share nodes, which the core does not have.
pub fn predict(
    site: &Site,
    jobs: &[ObservedJob],
    habits: Habits,
) -> Result<Prediction, SlurmError> {
    let mut replay = Replay::new(site, jobs, habits)?;
    let mut arrivals = jobs.iter().enumerate().peekable();
    let mut outcome = Outcome::default();
    let (mut now, mut happened) = (i64::MIN, i64::MIN);
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.eligible);
        let end = replay.ends.peek().map(|Reverse((at, _))| *at);
        let round = replay.system.next(now);
        let Some(next) = [arrival, end, round].into_iter().flatten().min() else { break };
        if arrival.is_none() && end.is_none() && next > happened.saturating_add(PATIENCE_SECONDS) {
            break;
        }
        now = next;
        if arrival == Some(now) || end == Some(now) {
            happened = now;
        }
        replay.end_due(now);
        while let Some((place, job)) = arrivals.next_if(|(_, job)| job.eligible <= now) {
            replay.submit(now, place, job);
        }
        replay.pass(now, &mut outcome);
    }
    Ok(replay.prediction)
}

struct Replay<'j> {
    site: &'j Site,
    jobs: &'j [ObservedJob],
    habits: Habits,
    system: System<Nodes>,
    /// The places of the partitions in use.
    partitions: BTreeMap<&'j str, usize>,
    /// When jobs are over, or withdrawn; the earliest on top.
    ends: BinaryHeap<Reverse<(i64, Ticket)>>,
    /// Which job a ticket stands for, and when that is over.
    holders: BTreeMap<Ticket, (usize, i64)>,
    prediction: Prediction,
}

impl<'j> Replay<'j> {
    fn new(site: &'j Site, jobs: &'j [ObservedJob], habits: Habits) -> Result<Self, SlurmError> {
        let names: BTreeSet<&str> = jobs.iter().map(|job| job.partition.as_str()).collect();
        let used = names.into_iter().filter_map(|name| site.partitions.get_key_value(name));
        let mut owners: BTreeMap<usize, &str> = BTreeMap::new();
        let mut specs = Vec::new();
        let mut partitions = BTreeMap::new();
        for (name, partition) in used {
            for node in partition.nodes.keys() {
                if let Some(other) = owners.insert(*node, name) {
                    return Err(SlurmError::Wrong {
                        part: Part::Conf,
                        line: partition.line,
                        what: format!(
                            "the jobs use partitions {other} and {name}, which share nodes: leave \
                             the jobs of one of them out"
                        ),
                    });
                }
            }
            partitions.insert(name.as_str(), specs.len());
            specs.push(partition.spec(&site.policy));
        }
        let spec = SystemSpec {
            partitions: specs,
            accounts: site.people.accounts.clone(),
            limits: site.people.limits.clone(),
            qos: site.qos.iter().map(|(_, qos)| qos.clone()).collect(),
            priority: site.policy.priority,
            backfill: site.policy.backfill,
            signal: Signal::default(),
        };
        let mut system = System::new(spec);
        if let (Some(booted), Some(first)) = (habits.booted, jobs.first()) {
            let period = site.policy.priority.period_seconds.max(1);
            let since = first.eligible.saturating_sub(booted).rem_euclid(period);
            system.pass(first.eligible.saturating_sub(since), &mut Outcome::default());
        }
        Ok(Self {
            site,
            jobs,
            habits,
            system,
            partitions,
            ends: BinaryHeap::new(),
            holders: BTreeMap::new(),
            prediction: Prediction { starts: vec![None; jobs.len()], notes: Vec::new() },
        })
    }

    /// Takes a job in, or says why not.
    fn submit(&mut self, now: i64, place: usize, job: &ObservedJob) {
        let taken = self.asked(job).and_then(|asked| {
            self.system.submit(now, asked).map_err(|refused| refused.to_string())
        });
        match taken {
            Ok(ticket) => {
                let over = if job.start.is_none() { job.end.max(now) } else { i64::MAX };
                self.holders.insert(ticket, (place, over));
                if over < i64::MAX {
                    self.ends.push(Reverse((over, ticket)));
                }
            }
            Err(why) => self.prediction.notes.push(Note {
                part: Part::Jobs,
                line: job.line,
                what: format!("job {} is left out: {why}", job.id),
            }),
        }
    }

    /// What a job asks of the core.
    fn asked(&self, job: &ObservedJob) -> Result<Submission<NodesDemand>, String> {
        let unknown = |kind: &str, name: &str| format!("there is no {kind} {name}");
        let partition = self.partitions.get(job.partition.as_str()).copied();
        let described = self.site.partitions.get(&job.partition);
        let limit = described.and_then(|partition| partition.seconds_max);
        let memory = if self.site.policy.counts_memory { job.memory_mb } else { 0 };
        Ok(Submission {
            partition: partition.ok_or_else(|| unknown("partition", &job.partition))?,
            association: self
                .site
                .association(&job.account, &job.user)
                .ok_or_else(|| format!("{} is not in account {}", job.user, job.account))?,
            qos: self.site.qos_place(&job.qos).ok_or_else(|| unknown("class", &job.qos))?,
            demand: NodesDemand {
                nodes: job.nodes,
                each: Amount {
                    cores: job.cores.div_ceil(job.nodes),
                    memory_mb: memory.div_ceil(u64::from(job.nodes)),
                    gpus: job.gpus.div_ceil(job.nodes),
                },
                features: 0,
            },
            estimate_seconds: job.limit_seconds.or(limit).unwrap_or(SECONDS_MAX),
            priority: 0,
            nice: 0,
            throttle: None,
            deferral: None,
        })
    }

    /// Ends what is over by `now`.
    fn end_due(&mut self, now: i64) {
        while let Some(Reverse((at, ticket))) = self.ends.peek().copied()
            && at <= now
        {
            self.ends.pop();
            // A job that had to make room is over at another time now.
            if self.holders.get(&ticket).is_some_and(|(_, over)| *over == at) {
                self.holders.remove(&ticket);
                self.system.end(now, ticket);
            }
        }
    }

    /// Lets jobs start, and notes which did, and which had to make room.
    fn pass(&mut self, now: i64, outcome: &mut Outcome) {
        outcome.started.clear();
        outcome.preempted.clear();
        self.system.pass(now, outcome);
        for preempted in &outcome.preempted {
            match preempted.then {
                WhenPreempted::Cancel => {
                    self.holders.remove(&preempted.ticket);
                }
                WhenPreempted::Requeue => {
                    if let Some((_, over)) = self.holders.get_mut(&preempted.ticket) {
                        *over = i64::MAX;
                    }
                }
            }
        }
        for ticket in &outcome.started {
            let Some((place, over)) = self.holders.get_mut(ticket) else { continue };
            if let Some(start) = self.prediction.starts.get_mut(*place) {
                *start = Some(now);
            }
            let Some(job) = self.jobs.get(*place) else { continue };
            if let Some(started) = job.start {
                *over = now + (job.end - started) + self.habits.settle_seconds;
                self.ends.push(Reverse((*over, *ticket)));
            }
        }
    }
}
