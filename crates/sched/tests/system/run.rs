//! Running a system to the end, with a look at it after every pass.
#![expect(clippy::indexing_slicing, reason = "a test that is wrong should fail loudly")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use proptest::prelude::*;
use sched::{
    Amount, Core, Nodes, NodesDemand, Outcome, Policy, Pool as _, Reservation, Second, Sharing,
    Submission, System, Task, Ticket, WhenPreempted,
};

use crate::load::{
    ASIDE, GROUP_GPU_MINUTES, GROUP_GPUS, JOBS_PER_USER, Job, NODE, NODES, RESERVED, SET_ASIDE,
    signal, users,
};

type Checked<T> = Result<T, TestCaseError>;

pub(crate) struct Run<'a> {
    system: System<Nodes>,
    jobs: &'a [Job],
    reserved: bool,
    in_order: bool,
    /// When a node fails, and, ten seconds later, when it is mended: `false` comes first.
    turns: Vec<(Second, usize, bool)>,
    down: [bool; NODES],
    holders: BTreeMap<Ticket, usize>,
    running: BTreeMap<usize, (Ticket, Second)>,
    ends: BinaryHeap<Reverse<(Second, usize, Second)>>,
    starts: Vec<Vec<Second>>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(system: System<Nodes>, jobs: &'a [Job]) -> Self {
        Self {
            system,
            jobs,
            reserved: false,
            in_order: false,
            turns: Vec::new(),
            down: [false; NODES],
            holders: BTreeMap::new(),
            running: BTreeMap::new(),
            ends: BinaryHeap::new(),
            starts: vec![Vec::new(); jobs.len()],
        }
    }

    /// Lets nodes of the first partition fail.
    pub(crate) fn failing(mut self, failures: &[(Second, usize)]) -> Self {
        let turns =
            failures.iter().flat_map(|&(at, node)| [(at, node, false), (at + 10, node, true)]);
        self.turns = turns.collect();
        self.turns.sort_unstable();
        self
    }

    pub(crate) fn reserving(mut self) -> Self {
        let grant = SET_ASIDE.map(|node| (node, NODE)).to_vec();
        let (from, until) = ASIDE;
        let lane = self.system.reserve(Reservation { partition: 0, grant, from, until });
        assert_eq!(lane, Some(RESERVED));
        self.reserved = true;
        self
    }

    /// Checks that jobs start by priority alone.
    pub(crate) const fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// Runs all jobs; returns when each started, once or, if it was stopped, more often.
    pub(crate) fn finish(mut self) -> Checked<Vec<Vec<Second>>> {
        let mut arrivals = self.jobs.iter().enumerate().peekable();
        let mut turns = self.turns.clone().into_iter().peekable();
        let mut wake = None;
        let mut last = Second::MIN;
        loop {
            let arrival = arrivals.peek().map(|(_, job)| job.at);
            let end = self.ends.peek().map(|Reverse((end, ..))| *end);
            let turn = turns.peek().map(|turn| turn.0);
            let instants = arrival.into_iter().chain(end).chain(turn).chain(wake);
            let Some(now) = instants.min() else { break };
            prop_assert!(now > last && now < 100_000, "time stands still at {}", now);
            last = now;
            self.end_due(now);
            while let Some((_, node, up)) = turns.next_if(|turn| turn.0 <= now) {
                self.turn(now, node, up)?;
            }
            while let Some((index, job)) = arrivals.next_if(|(_, job)| job.at <= now) {
                self.submit(now, index, job)?;
            }
            self.pass(now)?;
            // Those that came too late for what was set aside wait for ever.
            let late = |index: &usize| self.jobs[*index].partition == RESERVED;
            let over = self.reserved && now > ASIDE.1 && self.holders.values().all(late);
            wake = self.system.next(now).filter(|_| !over);
        }
        self.check_all_ran()
    }

    fn check_all_ran(self) -> Checked<Vec<Vec<Second>>> {
        for (job, starts) in self.jobs.iter().zip(&self.starts) {
            let too_late = self.reserved && job.partition == RESERVED;
            prop_assert!(too_late || !starts.is_empty(), "{:?} never ran", job);
        }
        Ok(self.starts)
    }

    fn end_due(&mut self, now: Second) {
        while let Some(&Reverse((end, index, started))) = self.ends.peek()
            && end <= now
        {
            self.ends.pop();
            // A job that was stopped meanwhile does not end.
            if let Some((ticket, _)) =
                self.running.get(&index).copied().filter(|run| run.1 == started)
            {
                self.system.end(now, ticket);
                self.running.remove(&index);
                self.holders.remove(&ticket);
            }
        }
    }

    /// Where a job goes: what would be reserved is whole nodes where nothing is.
    fn partition(&self, job: &Job) -> usize {
        if self.reserved { job.partition } else { job.partition.min(1) }
    }

    fn turn(&mut self, now: Second, node: usize, up: bool) -> Checked<()> {
        self.down[node] = !up;
        if up {
            self.system.set_up(0, node, true);
            return Ok(());
        }
        for ticket in self.system.fail(now, 0, node) {
            let index = self.holders[&ticket];
            prop_assert!(self.running.remove(&index).is_some(), "a job stopped that did not run");
        }
        Ok(())
    }

    fn submit(&mut self, now: Second, index: usize, job: &Job) -> Checked<()> {
        let ticket = self.system.submit(now, submission(job, self.partition(job)));
        let ticket = ticket.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
        self.holders.insert(ticket, index);
        Ok(())
    }

    fn pass(&mut self, now: Second) -> Checked<()> {
        let mut outcome = Outcome::default();
        self.system.pass(now, &mut outcome);
        for preempted in &outcome.preempted {
            let index = self.holders[&preempted.ticket];
            prop_assert_eq!(self.jobs[index].qos, 0, "only the lower class makes room");
            prop_assert_eq!(preempted.then, WhenPreempted::Requeue);
            prop_assert!(self.running.remove(&index).is_some(), "a job stopped that did not run");
        }
        let urgent = |ticket: &Ticket| self.jobs[self.holders[ticket]].qos == 1;
        prop_assert!(outcome.preempted.is_empty() || outcome.started.iter().any(urgent));
        for ticket in &outcome.started {
            let index = self.holders[ticket];
            let job = &self.jobs[index];
            self.check_start(now, job, *ticket)?;
            self.starts[index].push(now);
            self.running.insert(index, (*ticket, now));
            self.ends.push(Reverse((now + job.run, index, now)));
        }
        self.check_order(&outcome)?;
        self.check_capacity()?;
        self.check_limits()?;
        self.check_reasons(now)
    }

    fn check_start(&self, now: Second, job: &Job, ticket: Ticket) -> Checked<()> {
        prop_assert!(now >= job.at, "it starts before it arrives");
        if let Some(deferral) = job.deferral {
            let low = signal().at(now) <= deferral.value_max;
            prop_assert!(low || now >= deferral.latest_start, "the signal is high");
        }
        let grant = self.system.grant(ticket).cloned().unwrap_or_default();
        prop_assert_eq!(grant.len(), usize::try_from(job.nodes).unwrap_or_default());
        let (from, until) = ASIDE;
        for (node, given) in grant {
            prop_assert!(given.covers(&job.each));
            prop_assert!(
                job.partition == 1 || !self.down[node],
                "it starts on a node that is down"
            );
            let aside = SET_ASIDE.contains(&node) && self.reserved;
            if self.partition(job) == RESERVED {
                prop_assert!(aside && now >= from && now + job.limit <= until);
            } else if job.partition == 0 && aside {
                prop_assert!(
                    now >= until || now + job.limit <= from,
                    "it runs into what is set aside"
                );
            }
        }
        Ok(())
    }

    /// Of one partition, whoever started goes before whoever still waits.
    fn check_order(&self, outcome: &Outcome) -> Checked<()> {
        if !self.in_order {
            return Ok(());
        }
        for started in &outcome.started {
            for (waiting, index) in &self.holders {
                let (first, other) = (&self.jobs[self.holders[started]], &self.jobs[*index]);
                let rivals = !self.running.contains_key(index)
                    && first.partition.min(1) == other.partition.min(1)
                    && other.deferral.is_none();
                let ahead = self.system.priority(*waiting) > self.system.priority(*started);
                prop_assert!(!(rivals && ahead), "{:?} passed {:?}", first, other);
            }
        }
        Ok(())
    }

    fn check_capacity(&self) -> Checked<()> {
        let mut held = BTreeMap::<(bool, usize), Amount>::new();
        for (index, (ticket, _)) in &self.running {
            for (node, given) in self.system.grant(*ticket).into_iter().flatten() {
                let sum = held.entry((self.partition(&self.jobs[*index]) == 1, *node)).or_default();
                sum.cores += given.cores;
                sum.memory_mb += given.memory_mb;
                sum.gpus += given.gpus;
            }
        }
        for (node, amount) in held {
            prop_assert!(NODE.covers(&amount), "node {:?} holds {:?}", node, amount);
        }
        Ok(())
    }

    fn check_limits(&self) -> Checked<()> {
        if !self.reserved {
            return Ok(());
        }
        for user in 0..4 {
            let jobs = self.running.keys().filter(|index| self.jobs[**index].user == user).count();
            prop_assert!(jobs <= JOBS_PER_USER as usize, "a user runs {} jobs", jobs);
        }
        let first = self.running.keys().map(|index| &self.jobs[*index]).filter(|job| job.user < 2);
        let gpus: u64 = first.map(|job| self.gpus(job)).sum();
        prop_assert!(gpus <= GROUP_GPUS, "the first account holds {} GPUs", gpus);
        let second = self.running.keys().map(|index| &self.jobs[*index]).filter(|job| job.user > 1);
        let seconds = second.map(|job| self.gpus(job) * job.limit.unsigned_abs());
        let minutes = seconds.sum::<u64>().div_ceil(60);
        prop_assert!(minutes <= GROUP_GPU_MINUTES, "the second may use {} GPU minutes", minutes);
        Ok(())
    }

    /// What a job holds, where nodes are whole all of theirs.
    fn gpus(&self, job: &Job) -> u64 {
        let each = if self.partition(job) == 1 { NODE.gpus } else { job.each.gpus };
        u64::from(job.nodes * each)
    }

    /// Whoever waits after a pass waits for something.
    fn check_reasons(&self, now: Second) -> Checked<()> {
        for (ticket, index) in &self.holders {
            let runs = self.running.contains_key(index);
            let reasons = self.system.why(*ticket, now);
            prop_assert!(!runs || reasons.is_empty(), "it runs: {:?}", reasons);
        }
        Ok(())
    }
}

fn demand(job: &Job) -> NodesDemand {
    NodesDemand { nodes: job.nodes, each: job.each, features: 0 }
}

fn submission(job: &Job, partition: usize) -> Submission<NodesDemand> {
    Submission {
        partition,
        association: users()[job.user],
        qos: job.qos,
        demand: demand(job),
        estimate_seconds: job.limit,
        priority: 0,
        nice: job.nice,
        throttle: None,
        deferral: job.deferral,
    }
}

/// When a job starts that is alone, and when it may.
pub(crate) fn alone(mut system: System<Nodes>, job: &Job) -> Checked<(Second, Second)> {
    let ticket = system.submit(job.at, submission(job, job.partition));
    let ticket = ticket.map_err(|refused| TestCaseError::fail(refused.to_string()))?;
    let opens = job.deferral.map_or(job.at, |deferral| deferral.opens(&signal(), job.at));
    let mut now = job.at;
    loop {
        let mut outcome = Outcome::default();
        system.pass(now, &mut outcome);
        if outcome.started.contains(&ticket) {
            return Ok((now, opens));
        }
        let next = system.next(now);
        now = next.ok_or_else(|| TestCaseError::fail("nobody will ever start it"))?;
    }
}

/// When each job starts on the first partition by its core alone.
pub(crate) fn with_core(policy: Policy, jobs: &[Job]) -> Vec<Vec<Second>> {
    let pool = Nodes::new(Sharing::Shared, (0..NODES).map(|_| (NODE, 0)));
    let mut core = Core::new(pool, policy);
    let mut starts = vec![Vec::new(); jobs.len()];
    let mut arrivals = jobs.iter().enumerate().peekable();
    let mut holders = BTreeMap::new();
    let mut ends: BinaryHeap<Reverse<(Second, Ticket)>> = BinaryHeap::new();
    loop {
        let arrival = arrivals.peek().map(|(_, job)| job.at);
        let end = ends.peek().map(|Reverse((end, _))| *end);
        let Some(now) = arrival.into_iter().chain(end).min() else { return starts };
        while let Some(&Reverse((end, ticket))) = ends.peek()
            && end <= now
        {
            ends.pop();
            core.remove(now, ticket);
        }
        while let Some((index, job)) = arrivals.next_if(|(_, job)| job.at <= now) {
            let task = Task {
                demand: demand(job),
                estimate_seconds: job.limit,
                priority: -job.nice,
                group: 0,
            };
            holders.insert(core.submit(now, task), index);
        }
        let mut started = Vec::new();
        core.pass(now, &mut started);
        for ticket in started {
            let index = holders[&ticket];
            starts[index].push(now);
            ends.push(Reverse((now + jobs[index].run, ticket)));
        }
        assert!(core.pool().room() <= 48);
    }
}
