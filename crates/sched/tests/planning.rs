//! What conservative backfill promises on shared nodes, by parts of nodes and by whole ones.
#![expect(clippy::unwrap_used, reason = "a test that is wrong should fail loudly")]

use sched::{
    Accounts, Amount, Association, Backfill, Nodes, NodesDemand, Outcome, Policy, PoolSpec,
    PriorityPolicy, Qos, Second, Sharing, Signal, Submission, System, SystemSpec, Ticket, Tres,
};

const fn cores(cores: u32) -> Amount {
    Amount { cores, memory_mb: 0, gpus: 0 }
}

/// Two nodes of four cores, and one user.
struct Machine {
    system: System<Nodes>,
    user: Association,
}

impl Machine {
    fn new(whole_nodes: bool) -> Self {
        let mut accounts = Accounts::new();
        let user = accounts.user(Association::ROOT, 1, 1);
        let system = System::new(SystemSpec {
            partitions: vec![PoolSpec {
                pool: Nodes::new(Sharing::Shared, [(cores(4), 0), (cores(4), 0)]),
                policy: Policy::Conservative,
                priority_factor: 1,
                billing_milli: Tres::all(0),
            }],
            accounts,
            limits: Vec::new(),
            qos: vec![Qos::default()],
            priority: PriorityPolicy::ARRIVAL,
            backfill: Backfill { whole_nodes, ..Backfill::UNLIMITED },
            signal: Signal::default(),
        });
        Self { system, user }
    }

    fn submit(&mut self, now: Second, asked: u32, seconds: Second) -> Ticket {
        let job = Submission {
            partition: 0,
            association: self.user,
            qos: 0,
            demand: NodesDemand { nodes: 1, each: cores(asked), features: 0 },
            estimate_seconds: seconds,
            priority: 0,
            nice: 0,
            throttle: None,
            deferral: None,
        };
        self.system.submit(now, job).unwrap()
    }

    fn pass(&mut self, now: Second) -> Vec<Ticket> {
        let mut outcome = Outcome::default();
        self.system.pass(now, &mut outcome);
        outcome.started
    }
}

#[test]
fn a_promise_of_whole_nodes_keeps_longer_jobs_from_them_though_both_would_fit() {
    for whole_nodes in [false, true] {
        let mut machine = Machine::new(whole_nodes);
        let full = machine.submit(0, 4, 200);
        let most = machine.submit(0, 3, 100);
        assert_eq!(machine.pass(0), [full, most]);
        // Promised for second 100, beside what else is free then.
        let first = machine.submit(1, 2, 50);
        let longer = machine.submit(1, 1, 150);
        let shorter = machine.submit(1, 1, 99);
        let started = if whole_nodes { shorter } else { longer };
        assert_eq!(machine.pass(1), [started], "{whole_nodes}");
        machine.system.end(100, most);
        let now = machine.pass(100);
        assert_eq!(now.first(), Some(&first), "{whole_nodes}");
    }
}

#[test]
fn what_was_promised_to_a_job_that_is_withdrawn_is_free_for_others() {
    let mut machine = Machine::new(true);
    let full = machine.submit(0, 4, 200);
    let most = machine.submit(0, 3, 100);
    assert_eq!(machine.pass(0), [full, most]);
    let first = machine.submit(1, 2, 50);
    let longer = machine.submit(1, 1, 150);
    assert_eq!(machine.pass(1), []);
    machine.system.end(2, first);
    assert_eq!(machine.pass(2), [longer]);
}
