//! One machine of a scenario: the scheduling core over its nodes, and what it did.

use std::collections::{BTreeMap, BTreeSet};

use sched::{Amount, Nodes, NodesDemand, Sharing, Ticket};

use super::queue::{Asked, Queue};

use crate::scenario::{Machine, Policy, Scenario};
use crate::workload::{Group, Job, Size, Workload};

/// What a machine did, summed up by the day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Unit-seconds that jobs held.
    pub busy: Vec<i64>,
    /// Unit-seconds that jobs in the queue asked.
    pub waiting: Vec<i64>,
    /// Unit-seconds that there were.
    pub capacity: Vec<i64>,
    /// Node-seconds that there were.
    pub nodes: Vec<i64>,
    /// Unit-seconds of jobs that failures cut off.
    pub lost: i64,
}

pub(super) struct Site<'a> {
    machine: &'a Machine,
    policy: &'a Policy,
    groups: &'a [Group],
    queue: Queue,
    /// The nodes that are up.
    up: u32,
    /// The jobs that run or wait, by their ticket; and where each is.
    holders: BTreeMap<Ticket, usize>,
    held: BTreeMap<usize, Held>,
    /// When the running jobs are expected to end, and what each then gives back.
    ends: BTreeSet<(i64, usize)>,
    busy: i64,
    waiting: i64,
    /// What waiting jobs are expected to hold, in unit-seconds.
    backlog: i64,
    used_seconds: i64,
    limit_seconds: i64,
    last: i64,
    /// When it will be woken.
    wakes: i64,
    days: Days,
    started: Vec<Ticket>,
}

#[derive(Clone, Copy)]
struct Held {
    ticket: Ticket,
    units: u32,
    limit: i64,
    /// What was added to the backlog for it, or when it is expected to end.
    expected: i64,
    started: Option<i64>,
}

const DAY_SECONDS: i64 = 86_400;

impl<'a> Site<'a> {
    /// `users` are all that ever submit, by their group's place.
    pub(super) fn new(
        machine: &'a Machine,
        scenario: &'a Scenario,
        workload: &'a Workload,
        users: &[(usize, u32)],
    ) -> Self {
        let (policy, groups) = (&scenario.policy, workload.groups.as_slice());
        let whole = node(machine.units_per_node);
        let nodes = usize::try_from(machine.nodes_max()).unwrap_or_default();
        let mut pool = Nodes::new(Sharing::Shared, std::iter::repeat_n((whole, 0), nodes));
        for node in 0..nodes {
            pool.set_up(node, false);
        }
        let length = usize::try_from(scenario.span.days).unwrap_or_default();
        let zeros = || vec![0; length];
        Self {
            machine,
            policy,
            groups,
            queue: Queue::new(pool, machine, policy, groups, users),
            up: 0,
            holders: BTreeMap::new(),
            held: BTreeMap::new(),
            ends: BTreeSet::new(),
            busy: 0,
            waiting: 0,
            backlog: 0,
            used_seconds: 1,
            limit_seconds: 1,
            last: 0,
            wakes: 0,
            days: Days {
                busy: zeros(),
                waiting: zeros(),
                capacity: zeros(),
                nodes: zeros(),
                lost: 0,
            },
            started: Vec::new(),
        }
    }

    /// What it did on each day, up to the last.
    pub(super) fn finish(mut self) -> Days {
        let length = i64::try_from(self.days.busy.len()).unwrap_or_default();
        self.account(length * DAY_SECONDS);
        self.days
    }

    /// Whether a job of this size could start on the nodes that are up.
    pub(super) fn takes(&self, size: Size) -> bool {
        self.demand(size).is_some_and(|demand| demand.nodes <= self.up)
    }

    /// What is asked and held, in parts of a million of the machine.
    pub(super) fn load(&self) -> i64 {
        let capacity = i64::from(self.up) * i64::from(self.machine.units_per_node);
        (self.busy + self.waiting) * 1_000_000 / capacity.max(1)
    }

    /// What a job of this size asks here; `None` when it is counted in what the machine does not
    /// have.
    fn demand(&self, size: Size) -> Option<NodesDemand> {
        let (nodes, units) = self.machine.shape(size)?;
        Some(NodesDemand { nodes, each: node(units), features: 0 })
    }

    /// When a job would start if the jobs before it use as much of their limits as those that
    /// ended so far: what waits is poured into what becomes free.
    pub(super) fn forecast(&self, job: &Job, now: i64) -> i64 {
        let Some(demand) = self.demand(job.size) else { return i64::MAX };
        if self.backlog == 0 && self.queue.has_room(&demand) {
            return now;
        }
        let wanted = i64::from(demand.nodes.saturating_mul(demand.each.cores));
        let capacity = i64::from(self.up) * i64::from(self.machine.units_per_node);
        let mut free = capacity - self.busy;
        let (mut at, mut ahead) = (now, self.backlog);
        for (end, ended) in &self.ends {
            let end = (*end).max(now + 1);
            if free > 0 && wanted <= free && at + ahead / free < end {
                return at + ahead / free;
            }
            ahead = (ahead - free.max(0) * (end - at)).max(0);
            at = end;
            free += self.held.get(ended).map_or(0, |held| i64::from(held.units));
        }
        at.saturating_add(ahead / capacity.max(1))
    }

    pub(super) fn submit(&mut self, index: usize, job: &Job, now: i64) {
        let Some(demand) = self.demand(job.size) else { return };
        self.account(now);
        let units = demand.nodes.saturating_mul(demand.each.cores);
        let group = self.groups.get(job.group);
        let asked = Asked {
            demand,
            limit_seconds: job.limit_seconds,
            points: group.map_or(0, |group| self.points(group)),
            user: (job.group, job.user),
        };
        let Some(ticket) = self.queue.submit(now, asked) else { return };
        let expected = self.expected_seconds(job.limit_seconds) * i64::from(units);
        self.holders.insert(ticket, index);
        let limit = job.limit_seconds;
        self.held.insert(index, Held { ticket, units, limit, expected, started: None });
        self.waiting += i64::from(units);
        self.backlog += expected;
    }

    pub(super) fn end(&mut self, index: usize, now: i64) {
        self.account(now);
        let Some(held) = self.held.remove(&index) else { return };
        self.queue.remove(now, held.ticket);
        self.holders.remove(&held.ticket);
        match held.started {
            Some(started) => {
                self.ends.remove(&(held.expected, index));
                self.busy -= i64::from(held.units);
                self.used_seconds += now - started;
                self.limit_seconds += held.limit;
            }
            None => {
                self.waiting -= i64::from(held.units);
                self.backlog -= held.expected;
            }
        }
    }

    /// Starts what may start; each with the units it holds.
    pub(super) fn pass(&mut self, now: i64) -> Vec<(usize, u32)> {
        self.account(now);
        self.queue.pass(now, &mut self.started);
        let mut started = Vec::with_capacity(self.started.len());
        for ticket in self.started.drain(..) {
            let Some(&index) = self.holders.get(&ticket) else { continue };
            let Some(held) = self.held.get_mut(&index) else { continue };
            let units = i64::from(held.units);
            self.waiting -= units;
            self.busy += units;
            self.backlog -= held.expected;
            let used = i128::from(held.limit) * i128::from(self.used_seconds);
            let used = used / i128::from(self.limit_seconds.max(1));
            held.expected = now.saturating_add(i64::try_from(used).unwrap_or(i64::MAX).max(1));
            held.started = Some(now);
            self.ends.insert((held.expected, index));
            started.push((index, held.units));
        }
        started
    }

    /// When something may start though nothing happens before, if that is news.
    pub(super) fn wakes(&mut self, now: i64) -> Option<i64> {
        let next = self.queue.next(now)?;
        let news = self.wakes <= now || next < self.wakes;
        news.then(|| {
            self.wakes = next;
            next
        })
    }

    /// Has as many nodes as the scenario gives it now. Says which running jobs are lost with nodes
    /// that go down, and which waiting jobs it cannot run any more.
    pub(super) fn change(&mut self, now: i64) -> (Vec<usize>, Vec<usize>) {
        self.account(now);
        let up = if self.machine.is_down(now) { 0 } else { self.machine.nodes_at(now) };
        let (mut lost, mut evicted) = (Vec::new(), Vec::new());
        let gone = usize::try_from(up).unwrap_or_default()..;
        for (index, held) in &self.held {
            let Some(started) = held.started else {
                let most = u64::from(up) * u64::from(self.machine.units_per_node);
                if u64::from(held.units) > most {
                    evicted.push(*index);
                }
                continue;
            };
            let grant = self.queue.grant(held.ticket);
            if grant.is_some_and(|grant| grant.iter().any(|(node, _)| gone.contains(node))) {
                lost.push(*index);
                self.days.lost += (now - started) * i64::from(held.units);
            }
        }
        for index in lost.iter().chain(&evicted) {
            self.end(*index, now);
        }
        let nodes = usize::try_from(self.machine.nodes_max()).unwrap_or_default();
        self.queue.set_up(gone.start, nodes);
        self.up = up;
        self.set_caps();
        (lost, evicted)
    }

    /// Caps what is there now. A floor is a cap on all for whom it is not; it is rounded down, so
    /// that none of it is none.
    fn set_caps(&mut self) {
        let capacity = self.up * self.machine.units_per_node;
        let floor = self.policy.floor.iter().filter(|(_, percent)| *percent > 0);
        let floor = floor.map(|(whom, percent)| {
            (
                self.groups_that(|group| !whom.contains(group)),
                capacity - percent_of(capacity, *percent),
            )
        });
        let caps = self.policy.caps.iter().map(|cap| {
            let groups = self.groups_that(|group| cap.whom.contains(group));
            (groups, percent_of(capacity, cap.percent))
        });
        let all: Vec<(Vec<usize>, u32)> = floor.chain(caps).collect();
        for (number, (groups, units_max)) in (0..).zip(all) {
            self.queue.cap(number, &groups, units_max);
        }
    }

    /// The groups of which this is true, by their place.
    fn groups_that(&self, is: impl Fn(&Group) -> bool) -> Vec<usize> {
        let groups = self.groups.iter().enumerate().filter(|(_, group)| is(group));
        groups.map(|(place, _)| place).collect()
    }

    fn points(&self, group: &Group) -> i64 {
        let priorities = self.policy.priorities.iter();
        priorities.filter(|(whom, _)| whom.contains(group)).map(|(_, points)| points).sum()
    }

    fn expected_seconds(&self, limit: i64) -> i64 {
        let used = i128::from(limit) * i128::from(self.used_seconds);
        i64::try_from(used / i128::from(self.limit_seconds.max(1))).unwrap_or(limit).max(1)
    }

    /// Adds what has been held, asked and there since the last event to the days it fell on.
    fn account(&mut self, now: i64) {
        let capacity = i64::from(self.up) * i64::from(self.machine.units_per_node);
        while self.last < now {
            let day = self.last.div_euclid(DAY_SECONDS);
            let until = now.min((day + 1) * DAY_SECONDS);
            let seconds = until - self.last;
            let Some(day) = usize::try_from(day).ok().filter(|day| *day < self.days.busy.len())
            else {
                self.last = now;
                return;
            };
            let add = |days: &mut Vec<i64>, amount: i64| {
                if let Some(sum) = days.get_mut(day) {
                    *sum += amount * seconds;
                }
            };
            add(&mut self.days.busy, self.busy);
            add(&mut self.days.waiting, self.waiting);
            add(&mut self.days.capacity, capacity);
            add(&mut self.days.nodes, i64::from(self.up));
            self.last = until;
        }
    }
}

/// So many units of a node. Units count as cores and as GPUs alike: the pool keeps nodes by their
/// free GPUs, and so finds the best fit at once.
const fn node(units: u32) -> Amount {
    Amount { cores: units, memory_mb: 0, gpus: units }
}

/// Rounded down.
fn percent_of(whole: u32, percent: u32) -> u32 {
    u32::try_from(u64::from(whole) * u64::from(percent) / 100).unwrap_or(whole)
}
