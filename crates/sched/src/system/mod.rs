//! A whole machine under Slurm's rules: partitions, accounts, classes, limits, reservations.
//!
//! Each partition is scheduled by its own [`Core`]; what is common to all of them, the order of
//! jobs and who may start at all, is decided here. Jobs, users and partitions are numbers, and
//! nothing here reads a clock: a year of a machine replays in seconds.

mod caps;
mod class;
mod forecast;
mod jobs;
mod lane;
mod preempt;
mod reserve;
mod rules;
mod spec;
mod submit;
mod tally;
mod why;

use std::collections::BTreeSet;

use crate::core::Horizon;
use crate::{Core, Pool, Second, Ticket};
use jobs::{Jobs, Stage};
use lane::Lane;
use rules::Rules;

pub use forecast::History;
pub use preempt::Preempted;
pub use spec::{
    Backfill, PoolSpec, Qos, Refused, Reservation, Submission, SystemSpec, Throttle, WhenPreempted,
};
pub use why::Reason;

/// What waits and what runs on a machine.
///
/// The caller tells what happens, in order of time, with [`submit`](System::submit) and
/// [`end`](System::end), then asks for a [`pass`](System::pass); and it passes again at the instant
/// that [`next`](System::next) names, if nothing happens before.
///
/// ```
/// use sched::{
///     Accounts, Association, Backfill, Limits, Outcome, Policy, PoolSpec, PriorityPolicy,
///     Processors, Qos, Signal, Submission, System, SystemSpec, Tres,
/// };
/// let mut accounts = Accounts::new();
/// let ann = accounts.user(Association::ROOT, 1, 1);
/// let mut system = System::new(SystemSpec {
///     partitions: vec![PoolSpec {
///         pool: Processors::new(10),
///         policy: Policy::Easy,
///         priority_factor: 1,
///         billing_milli: Tres::all(1_000),
///     }],
///     accounts,
///     limits: vec![(ann, Limits { jobs_per_user: Some(1), ..Limits::default() })],
///     qos: vec![Qos::default()],
///     priority: PriorityPolicy::ARRIVAL,
///     backfill: Backfill::UNLIMITED,
///     signal: Signal::default(),
/// });
/// let job = Submission {
///     partition: 0,
///     association: ann,
///     qos: 0,
///     demand: 4,
///     estimate_seconds: 60,
///     priority: 0,
///     nice: 0,
///     throttle: None,
///     deferral: None,
/// };
/// let first = system.submit(0, job)?;
/// let second = system.submit(0, job)?;
/// let mut outcome = Outcome::default();
/// system.pass(0, &mut outcome);
/// assert_eq!(outcome.started, [first]);
/// let why = system.why(second, 0);
/// assert_eq!(why.first().map(ToString::to_string).as_deref(), Some("AssocMaxJobsLimit"));
/// # Ok::<(), sched::Refused>(())
/// ```
#[derive(Clone, Debug)]
pub struct System<P: Pool> {
    lanes: Vec<Lane<P>>,
    jobs: Jobs<P::Demand>,
    rules: Rules,
    arrivals: u64,
    /// Jobs that wait for the signal, by when they may start.
    deferred: BTreeSet<(Second, Ticket)>,
    /// Jobs that wait in their turn, but only while the signal is low.
    deferrable: BTreeSet<Ticket>,
    /// When the signal may change next, as far as those are concerned.
    signal_turns: Second,
    /// How many lanes are partitions; the others are reservations.
    partitions: usize,
}

/// What a pass decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The jobs that start, in order; [`System::grant`] says with what.
    pub started: Vec<Ticket>,
    /// The jobs that had to make room, before any of those; one that waits again may be among them.
    pub preempted: Vec<Preempted>,
}

impl<P: Pool> System<P> {
    /// Nobody waits and all is free.
    pub fn new(spec: SystemSpec<P>) -> Self {
        let rules = Rules::new(&spec);
        let horizon = Horizon {
            window_seconds: spec.backfill.window_seconds,
            resolution_seconds: spec.backfill.resolution_seconds,
            whole_nodes: spec.backfill.whole_nodes,
            ends_within_seconds: spec.backfill.ends_within_seconds,
        };
        let partitions = spec.partitions.len();
        let lanes = spec.partitions.into_iter().enumerate().map(|(place, partition)| {
            let mut core = Core::new(partition.pool.clone(), partition.policy);
            core.horizon = horizon;
            Lane::new(core, &partition, place)
        });
        Self {
            lanes: lanes.collect(),
            jobs: Jobs::new(),
            rules,
            arrivals: 0,
            deferred: BTreeSet::new(),
            deferrable: BTreeSet::new(),
            signal_turns: Second::MAX,
            partitions,
        }
    }

    /// How many jobs wait.
    pub const fn waiting(&self) -> usize {
        self.jobs.waiting
    }

    /// What is free now of a partition or reservation.
    pub fn pool(&self, partition: usize) -> Option<&P> {
        self.lanes.get(partition).map(|lane| lane.core.pool())
    }

    /// What a job holds, if it runs.
    pub fn grant(&self, ticket: Ticket) -> Option<&P::Grant> {
        let (job, class) = self.jobs.with_class(ticket)?;
        let Stage::Running { seat, .. } = job.stage else { return None };
        self.lanes.get(class.alike.lane)?.core.grant(seat)
    }

    /// The priority of a job, as of the last period.
    pub fn priority(&self, ticket: Ticket) -> Option<i64> {
        let (job, class) = self.jobs.with_class(ticket)?;
        Some(self.rules.priority(class, job.since))
    }

    /// Lets a job wait in its turn, or for the signal.
    fn enqueue(&mut self, now: Second, ticket: Ticket) {
        let Some(job) = self.jobs.get_mut(ticket) else { return };
        if let Some(deferral) = job.deferral {
            let opens = deferral.opens(&self.rules.signal, now);
            if opens > now {
                job.stage = Stage::Deferred(opens);
                self.deferred.insert((opens, ticket));
                return;
            }
            self.deferrable.insert(ticket);
            let turns = self.rules.signal.next(now).unwrap_or(Second::MAX);
            self.signal_turns = self.signal_turns.min(turns);
        }
        job.stage = Stage::Backlog;
        let (turn, id) = (job.turn(ticket), job.class);
        let Some(class) = self.jobs.classes.get_mut(id) else { return };
        let lane = class.alike.lane;
        if class.insert(turn)
            && let Some(lane) = self.lanes.get_mut(lane)
        {
            lane.list(id, &self.jobs, &self.rules);
        }
    }

    /// A running job has ended, or a waiting one is withdrawn; a ticket that is gone is ignored.
    pub fn end(&mut self, now: Second, ticket: Ticket) {
        self.advance(now);
        let Some(job) = self.jobs.get(ticket) else { return };
        let class = job.class;
        if let Stage::Running { .. } = job.stage {
            self.stop(now, ticket);
        } else {
            self.withdraw(now, ticket);
            self.jobs.waiting -= 1;
        }
        if let Some(class) = self.jobs.classes.get(class) {
            self.rules.tallies.withdrawn(&class.chain);
        }
        self.jobs.drop(ticket);
    }

    /// A running job is stopped and waits again, to start from its beginning.
    pub fn requeue(&mut self, now: Second, ticket: Ticket) {
        self.advance(now);
        if !matches!(self.jobs.get(ticket).map(|job| job.stage), Some(Stage::Running { .. })) {
            return;
        }
        self.stop(now, ticket);
        self.jobs.waiting += 1;
        if let Some(job) = self.jobs.get_mut(ticket) {
            job.since = now;
        }
        self.enqueue(now, ticket);
    }

    /// Takes what a running job holds.
    fn stop(&mut self, now: Second, ticket: Ticket) {
        let Some((job, class)) = self.jobs.with_class(ticket) else { return };
        let Stage::Running { seat, started } = job.stage else { return };
        let (alike, seconds) = (class.alike, job.estimate_seconds);
        let ran = now.saturating_sub(started);
        self.rules.tallies.ended(&class.chain, &alike.tres, seconds, ran);
        let freed = self.rules.tallies.unpark(&class.chain);
        let billing = alike.tres.of(crate::Resource::Billing);
        let Rules { accounts, usage, .. } = &mut self.rules;
        usage.end(accounts, alike.association, billing, now);
        if let Some(lane) = self.lanes.get_mut(alike.lane) {
            lane.core.remove(now, seat);
            lane.changed = true;
        }
        self.unpark(&freed);
    }

    /// Takes a waiting job from where it waits.
    fn withdraw(&mut self, now: Second, ticket: Ticket) {
        self.deferrable.remove(&ticket);
        let Some((job, class)) = self.jobs.with_class(ticket) else { return };
        let (stage, id, lane) = (job.stage, job.class, class.alike.lane);
        let turn = job.turn(ticket);
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        match stage {
            Stage::Deferred(opens) => {
                self.deferred.remove(&(opens, ticket));
                return;
            }
            Stage::Running { .. } => return,
            Stage::Front(_) => {
                lane.send_back(now, ticket, &mut self.jobs);
                lane.changed = true;
            }
            Stage::Backlog => {}
        }
        if self.jobs.classes.get_mut(id).is_some_and(|class| class.remove(turn)) {
            lane.list(id, &self.jobs, &self.rules);
        }
    }

    fn unpark(&mut self, freed: &[usize]) {
        for id in freed {
            let Some(class) = self.jobs.classes.get_mut(*id) else { continue };
            class.parked = false;
            if let Some(lane) = self.lanes.get_mut(class.alike.lane) {
                lane.list(*id, &self.jobs, &self.rules);
            }
        }
    }

    /// Lets periods end, and the signal change.
    fn advance(&mut self, now: Second) {
        let left = self.rules.usage.left();
        while self.rules.usage.advance(now) {
            let scale = |used: u64| crate::priority::scaled(used, left);
            let freed = self.rules.tallies.decay(scale);
            self.unpark(&freed);
        }
        if self.signal_turns <= now {
            self.signal_turns = self.rules.signal.next(now).unwrap_or(Second::MAX);
            for ticket in std::mem::take(&mut self.deferrable) {
                self.withdraw(now, ticket);
                self.enqueue(now, ticket);
            }
        }
        while let Some(&(opens, ticket)) = self.deferred.first()
            && opens <= now
        {
            self.deferred.pop_first();
            self.enqueue(now, ticket);
        }
    }

    /// Starts what may start at `now`.
    pub fn pass(&mut self, now: Second, outcome: &mut Outcome) {
        self.advance(now);
        for index in 0..self.lanes.len() {
            self.pass_lane(now, index, outcome);
        }
    }

    fn pass_lane(&mut self, now: Second, index: usize, outcome: &mut Outcome) {
        let Self { lanes, jobs, rules, .. } = self;
        let Some(lane) = lanes.get_mut(index) else { return };
        let period = rules.usage.since();
        if rules.policy.moves() && lane.period != period && lane.has_rivals() {
            rules.refresh();
            lane.reorder(jobs, rules);
            lane.period = period;
        }
        if !lane.is_due(now) {
            return;
        }
        let interval = rules.backfill.interval_seconds;
        let full = now.saturating_sub(lane.passed) >= interval;
        if full {
            (lane.passed, lane.changed) = (now, false);
            if interval > 0 && lane.core.policy() == crate::Policy::Conservative {
                lane.core.forget();
            }
        }
        if full {
            lane.fill(now, jobs, rules);
            self.preempt(now, index, outcome);
        }
        let Self { lanes, jobs, rules, .. } = self;
        let Some(lane) = lanes.get_mut(index) else { return };
        let started = lane.pass(now, full, jobs, rules);
        self.count_started(now, started, outcome);
    }

    fn count_started(&mut self, now: Second, started: Vec<Ticket>, outcome: &mut Outcome) {
        for ticket in started {
            self.jobs.waiting -= 1;
            self.deferrable.remove(&ticket);
            if let Some((_, class)) = self.jobs.with_class(ticket) {
                let billing = class.alike.tres.of(crate::Resource::Billing);
                let Rules { accounts, usage, .. } = &mut self.rules;
                usage.start(accounts, class.alike.association, billing, now);
            }
            outcome.started.push(ticket);
        }
    }

    /// The next instant after `now` at which a pass may start something if nothing happens before;
    /// `None` if none is known.
    pub fn next(&self, now: Second) -> Option<Second> {
        if self.jobs.waiting == 0 {
            return None;
        }
        let interval = self.rules.backfill.interval_seconds;
        let rounds = self.lanes.iter().filter(|lane| lane.changed && lane.front > 0);
        let rounds = rounds.map(|lane| lane.passed.saturating_add(interval));
        let holds = self.lanes.iter().filter_map(|lane| lane.core.next_hold(now));
        let promises = self.lanes.iter().filter_map(|lane| lane.core.next_promise());
        let opens = self.deferred.first().map(|(opens, _)| *opens);
        let turns = (!self.deferrable.is_empty()).then_some(self.signal_turns);
        let moves = self.rules.policy.moves() && self.lanes.iter().any(Lane::has_rivals);
        let period = moves || self.rules.tallies.awaits_decay();
        let period = period.then(|| self.rules.usage.next());
        let all = rounds.chain(holds).chain(promises).chain(opens).chain(turns);
        all.chain(period).filter(|at| *at > now && *at < Second::MAX).min()
    }
}
