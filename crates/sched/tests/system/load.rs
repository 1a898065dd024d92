//! Random jobs, and a small system for them.

use proptest::prelude::*;
use sched::{
    Accounts, Amount, Association, Backfill, Deferral, Limits, Nodes, Policy, PoolSpec,
    PriorityPolicy, Qos, Resource, Second, Sharing, Signal, System, SystemSpec, Tres,
};

pub(crate) const NODE: Amount = Amount { cores: 8, memory_mb: 1_000, gpus: 4 };
pub(crate) const NODES: usize = 6;
/// The place of the reservation.
pub(crate) const RESERVED: usize = 2;
/// What is set aside: two nodes of the shared partition, and when.
pub(crate) const SET_ASIDE: [usize; 2] = [1, 4];
pub(crate) const ASIDE: (Second, Second) = (300, 500);
/// GPUs that the first account may hold, and jobs that one user may run.
pub(crate) const GROUP_GPUS: u64 = 10;
pub(crate) const JOBS_PER_USER: u32 = 5;
/// What the second account may use in GPU minutes, beyond what is forgotten.
pub(crate) const GROUP_GPU_MINUTES: u64 = 30;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) at: Second,
    pub(crate) partition: usize,
    pub(crate) user: usize,
    pub(crate) qos: usize,
    pub(crate) nodes: u32,
    pub(crate) each: Amount,
    pub(crate) run: Second,
    pub(crate) limit: Second,
    pub(crate) nice: i64,
    pub(crate) deferral: Option<Deferral>,
}

pub(crate) fn workload() -> impl Strategy<Value = Vec<Job>> {
    let shape = (1_u32..=3, 1_u32..=8, 0_u32..=4);
    let times = (0_i64..25, 1_i64..120, 0_i64..60);
    let who = (0_usize..4, 0_usize..8, 0_usize..10);
    let deferral = proptest::option::weighted(0.15, (0_i64..3, 0_i64..400));
    let job = (shape, times, who, 0_i64..3, deferral);
    proptest::collection::vec(job, 1..60).prop_map(|jobs| {
        let mut at = 0;
        jobs.into_iter()
            .map(
                |(
                    (nodes, cores, gpus),
                    (gap, run, slack),
                    (user, class, place),
                    nice,
                    deferral,
                )| {
                    at += gap;
                    let partition = match place {
                        0 if at < 250 => RESERVED,
                        0..4 => 1,
                        _ => 0,
                    };
                    Job {
                        at,
                        partition,
                        user,
                        qos: usize::from(class == 0),
                        nodes: nodes.min(2),
                        each: Amount { cores, memory_mb: 10, gpus },
                        run,
                        limit: run + slack,
                        nice,
                        deferral: deferral.map(|(value_max, wait)| Deferral {
                            value_max,
                            latest_start: at + wait,
                        }),
                    }
                },
            )
            .collect()
    })
}

/// The accounts' users, in order.
pub(crate) fn users() -> [Association; 4] {
    accounts().1
}

fn accounts() -> (Accounts, [Association; 4], [Association; 2]) {
    let mut accounts = Accounts::new();
    let first = accounts.account(Association::ROOT, 3);
    let second = accounts.account(Association::ROOT, 1);
    let users = [
        accounts.user(first, 0, 1),
        accounts.user(first, 1, 2),
        accounts.user(second, 2, 1),
        accounts.user(second, 0, 1),
    ];
    (accounts, users, [first, second])
}

pub(crate) struct Rules {
    limits: Vec<(Association, Limits)>,
    qos: Vec<Qos>,
}

/// Limits and a class that preempts, or nothing of the kind.
pub(crate) fn rules(any: bool) -> Rules {
    if !any {
        return Rules { limits: Vec::new(), qos: vec![Qos::default(), Qos::default()] };
    }
    let (_, _, [first, second]) = accounts();
    let gpus = |most| Tres::all(None).with(Resource::Gpu, Some(most));
    let jobs_per_user = Some(JOBS_PER_USER);
    Rules {
        limits: vec![
            (first, Limits { group_tres: gpus(GROUP_GPUS), ..Limits::default() }),
            (second, Limits { group_tres_minutes: gpus(GROUP_GPU_MINUTES), ..Limits::default() }),
            (Association::ROOT, Limits { jobs_per_user, ..Limits::default() }),
        ],
        qos: vec![
            Qos { priority: 1, ..Qos::default() },
            Qos { priority: 9, preempts: vec![0], ..Qos::default() },
        ],
    }
}

pub(crate) fn signal() -> Signal {
    Signal::new((0..40).map(|hour| (hour * 50, hour * 7 % 5)))
}

/// A partition of shared nodes and one of whole nodes.
pub(crate) fn nodes_system(
    policy: Policy,
    priority: PriorityPolicy,
    backfill: Backfill,
    rules: Rules,
) -> System<Nodes> {
    let partition = |sharing, priority_factor| PoolSpec {
        pool: Nodes::new(sharing, (0..NODES).map(|_| (NODE, 0))),
        policy,
        priority_factor,
        billing_milli: Tres::all(0).with(Resource::Cpu, 500).with(Resource::Gpu, 2_000),
    };
    System::new(SystemSpec {
        partitions: vec![partition(Sharing::Shared, 1), partition(Sharing::Whole, 3)],
        accounts: accounts().0,
        limits: rules.limits,
        qos: rules.qos,
        priority,
        backfill,
        signal: signal(),
    })
}
