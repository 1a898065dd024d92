//! The scheduling core of one machine: plain, or whole with Slurm's multifactor priority.

use std::collections::BTreeMap;

use sched::{
    Accounts, Association, Core, Limits, Nodes, NodesDemand, NodesGrant, Outcome, Pool as _,
    PoolSpec, Qos, Resource, Signal, Submission, System, SystemSpec, Task, Ticket, Tres,
};

use crate::scenario::{Machine, Multifactor, Policy};
use crate::workload::Group;

/// Jobs that wait for a machine, and jobs that run on it.
pub(super) enum Queue {
    /// In the order of points and arrival.
    Plain(Box<Core<Nodes>>),
    /// In the order that Slurm's factors give.
    Multifactor(Box<Ranked>),
}

/// A machine under Slurm's rules, and its users.
pub(super) struct Ranked {
    system: System<Nodes>,
    /// The account of each group, by its place.
    crowds: Vec<Association>,
    users: BTreeMap<(usize, u32), Association>,
    outcome: Outcome,
}

/// A job, as a queue sees it.
pub(super) struct Asked {
    pub(super) demand: NodesDemand,
    pub(super) limit_seconds: i64,
    pub(super) points: i64,
    /// The group, by its place, and the user it comes from.
    pub(super) user: (usize, u32),
}

impl Queue {
    /// `users` are all that will ever submit, by their group's place.
    pub(super) fn new(
        pool: Nodes,
        machine: &Machine,
        policy: &Policy,
        groups: &[Group],
        users: &[(usize, u32)],
    ) -> Self {
        match &policy.multifactor {
            None => Self::Plain(Box::new(Core::new(pool, policy.backfill))),
            Some(rules) => Self::Multifactor(Box::new(Ranked::new(
                pool, machine, policy, rules, groups, users,
            ))),
        }
    }

    /// Takes in a job; `None` when its rules never let it run.
    pub(super) fn submit(&mut self, now: i64, asked: Asked) -> Option<Ticket> {
        match self {
            Self::Plain(core) => Some(core.submit(
                now,
                Task {
                    demand: asked.demand,
                    estimate_seconds: asked.limit_seconds,
                    priority: asked.points,
                    group: place(asked.user.0),
                },
            )),
            Self::Multifactor(ranked) => ranked.submit(now, &asked),
        }
    }

    /// A job ends, or is taken out.
    pub(super) fn remove(&mut self, now: i64, ticket: Ticket) {
        match self {
            Self::Plain(core) => core.remove(now, ticket),
            Self::Multifactor(ranked) => ranked.system.end(now, ticket),
        }
    }

    /// Adds what may start now to `started`.
    pub(super) fn pass(&mut self, now: i64, started: &mut Vec<Ticket>) {
        match self {
            Self::Plain(core) => core.pass(now, started),
            Self::Multifactor(ranked) => {
                ranked.system.pass(now, &mut ranked.outcome);
                started.append(&mut ranked.outcome.started);
            }
        }
    }

    /// When something may start though nothing happens before.
    pub(super) fn next(&self, now: i64) -> Option<i64> {
        match self {
            Self::Plain(_) => None,
            Self::Multifactor(ranked) => ranked.system.next(now),
        }
    }

    pub(super) fn grant(&self, ticket: Ticket) -> Option<&NodesGrant> {
        match self {
            Self::Plain(core) => core.grant(ticket),
            Self::Multifactor(ranked) => ranked.system.grant(ticket),
        }
    }

    /// Whether a job would fit beside those that run.
    pub(super) fn has_room(&self, demand: &NodesDemand) -> bool {
        match self {
            Self::Plain(core) => core.pool().place(demand).is_some(),
            Self::Multifactor(ranked) => {
                ranked.system.pool(PARTITION).is_some_and(|pool| pool.place(demand).is_some())
            }
        }
    }

    /// Lets the first `up` of `nodes` be used.
    pub(super) fn set_up(&mut self, up: usize, nodes: usize) {
        match self {
            Self::Plain(core) => {
                core.amend(|pool| (0..nodes).for_each(|node| pool.set_up(node, node < up)));
            }
            Self::Multifactor(ranked) => {
                (0..nodes).for_each(|node| ranked.system.set_up(PARTITION, node, node < up));
            }
        }
    }

    /// Lets the jobs of these groups hold no more than so many units together.
    pub(super) fn cap(&mut self, number: u32, groups: &[usize], units_max: u32) {
        match self {
            Self::Plain(core) => {
                core.cap(number, groups.iter().map(|group| place(*group)), units_max);
            }
            Self::Multifactor(ranked) => {
                let crowds = groups.iter().filter_map(|group| ranked.crowds.get(*group).copied());
                let crowds: Vec<Association> = crowds.collect();
                ranked.system.cap(PARTITION, number, &crowds, units_max);
            }
        }
    }
}

/// A group by its place, as caps know it.
fn place(group: usize) -> u32 {
    u32::try_from(group).unwrap_or(u32::MAX)
}

/// A machine of a scenario is one partition.
const PARTITION: usize = 0;
/// All users have one quality of service.
const QOS: usize = 0;

impl Ranked {
    fn new(
        pool: Nodes,
        machine: &Machine,
        policy: &Policy,
        rules: &Multifactor,
        groups: &[Group],
        users: &[(usize, u32)],
    ) -> Self {
        let (accounts, crowds, users) = accounts(machine, groups, users);
        let system = System::new(SystemSpec {
            partitions: vec![PoolSpec {
                pool,
                policy: policy.backfill,
                priority_factor: 1,
                // A unit counts as a GPU; its core is the same thing once more.
                billing_milli: Tres::all(0).with(Resource::Gpu, 1_000),
            }],
            accounts,
            limits: Vec::new(),
            qos: vec![Qos { limits: Limits::default(), ..Qos::default() }],
            priority: rules.priority,
            backfill: rules.backfill,
            signal: Signal::default(),
        });
        Self { system, crowds, users, outcome: Outcome::default() }
    }

    fn submit(&mut self, now: i64, asked: &Asked) -> Option<Ticket> {
        let submission = Submission {
            partition: PARTITION,
            association: *self.users.get(&asked.user)?,
            qos: QOS,
            demand: asked.demand,
            estimate_seconds: asked.limit_seconds,
            priority: asked.points,
            nice: 0,
            throttle: None,
            deferral: None,
        };
        self.system.submit(now, submission).ok()
    }
}

/// An account for each payer with the shares of its pool, in it one for each group, in that its
/// users, all alike. A payer without a pool has the least share there is.
fn accounts(
    machine: &Machine,
    groups: &[Group],
    users: &[(usize, u32)],
) -> (Accounts, Vec<Association>, BTreeMap<(usize, u32), Association>) {
    let mut accounts = Accounts::new();
    let mut payers: BTreeMap<&str, Association> = BTreeMap::new();
    let mut crowds = Vec::new();
    for group in groups {
        let payer = *payers.entry(&group.payer).or_insert_with(|| {
            let pool = machine.pools.iter().find(|pool| pool.payer == group.payer);
            accounts.account(Association::ROOT, pool.map_or(1, |pool| pool.share.parts().max(1)))
        });
        crowds.push(accounts.account(payer, 1));
    }
    let mut known = BTreeMap::new();
    for (group, user) in users {
        if let Some(crowd) = crowds.get(*group) {
            known.insert((*group, *user), accounts.user(*crowd, *user, 1));
        }
    }
    (accounts, crowds, known)
}
