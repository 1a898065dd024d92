//! One site: its partitions, its accounts, its rules.

use sched::{
    Accounts, Amount, Association, FairShare, Limits, Nodes, Policy, PoolSpec, PriorityPolicy, Qos,
    Resource, Sharing, Tres, Weights,
};

pub(crate) const ACCOUNTS: u32 = 60;
pub(crate) const USERS_OF_ACCOUNT: u32 = 10;

pub(crate) fn partition(sharing: Sharing, nodes: u32, node: Amount) -> PoolSpec<Nodes> {
    PoolSpec {
        pool: Nodes::new(sharing, (0..nodes).map(|_| (node, 0))),
        policy: Policy::Easy,
        priority_factor: 1,
        billing_milli: Tres::all(0).with(Resource::Gpu, 1_000),
    }
}

pub(crate) fn accounts() -> (Accounts, Vec<Association>) {
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
pub(crate) fn limits(accounts: &Accounts, gpus: u32) -> Vec<(Association, Limits)> {
    let group_tres = Tres::all(None).with(Resource::Gpu, Some(u64::from(gpus) / 2));
    let is_account = |place: &Association| accounts.user_at(*place).is_none();
    let of_accounts = accounts.iter().skip(1).filter(is_account).step_by(3);
    let of_accounts = of_accounts.map(|at| (at, Limits { group_tres, ..Limits::default() }));
    let everybody = Limits { jobs_per_user: Some(1_000), ..Limits::default() };
    of_accounts.chain([(Association::ROOT, everybody)]).collect()
}

pub(crate) fn qos() -> Vec<Qos> {
    let urgent = Limits { jobs_per_user: Some(50), ..Limits::default() };
    vec![
        Qos { priority: 10, ..Qos::default() },
        Qos { priority: 100, limits: urgent, ..Qos::default() },
    ]
}

pub(crate) fn priority() -> PriorityPolicy {
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
