//! What conservative backfill promises on shared nodes, by parts of nodes and by whole ones.
#![expect(clippy::unwrap_used, reason = "a test that is wrong should fail loudly")]

use sched::{
    Accounts, Amount, Association, Backfill, Nodes, NodesDemand, Outcome, Policy, PoolSpec,
    PriorityPolicy, Qos, Second, Sharing, Signal, Submission, System, SystemSpec, Ticket, Tres,
};

const fn cores(cores: u32) -> Amount {
    Amount { cores, memory_mb: 0, gpus: 0 }
}

const WHOLE_NODES: Backfill = Backfill { whole_nodes: true, ..Backfill::UNLIMITED };

/// Two nodes of four cores, and one user.
struct Machine {
    system: System<Nodes>,
    user: Association,
}

impl Machine {
    fn new(backfill: Backfill) -> Self {
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
            backfill,
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
        let mut machine = Machine::new(Backfill { whole_nodes, ..Backfill::UNLIMITED });
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
    let mut machine = Machine::new(WHOLE_NODES);
    let full = machine.submit(0, 4, 200);
    let most = machine.submit(0, 3, 100);
    assert_eq!(machine.pass(0), [full, most]);
    let first = machine.submit(1, 2, 50);
    let longer = machine.submit(1, 1, 150);
    assert_eq!(machine.pass(1), []);
    machine.system.end(2, first);
    assert_eq!(machine.pass(2), [longer]);
}

#[test]
fn ends_that_lie_close_together_are_waited_for_together_and_leave_others_more_time() {
    for (ends_within_seconds, passes) in [(0, false), (24, false), (25, true)] {
        let mut machine = Machine::new(Backfill { ends_within_seconds, ..WHOLE_NODES });
        let full = machine.submit(0, 4, 200);
        let most = machine.submit(0, 3, 175);
        assert_eq!(machine.pass(0), [full, most]);
        // There would be room from second 175 on; together with the other end it is 200.
        let first = machine.submit(1, 2, 50);
        let small = machine.submit(1, 1, 180);
        let started: &[Ticket] = if passes { &[small] } else { &[] };
        assert_eq!(machine.pass(1), started, "{ends_within_seconds}");
        // Room that is there is not waited for.
        machine.system.end(90, most);
        assert_eq!(machine.pass(90).first(), Some(&first), "{ends_within_seconds}");
    }
}

#[test]
fn groups_of_ends_are_wider_the_further_ahead_they_lie_and_kept_to_the_resolution() {
    // Of ends at 10, 40 and 80 seconds, the first is a group of its own, for the next is more than
    // 20 away; the others are one, for they are no more than 40 apart. That ends at 80, or at 120
    // with a resolution of a minute.
    for (resolution_seconds, longest) in [(1, 79), (60, 119)] {
        let backfill = Backfill { ends_within_seconds: 20, resolution_seconds, ..WHOLE_NODES };
        let starts = |seconds| {
            let mut machine = Machine::new(backfill);
            let running = [(2, 400), (2, 80), (1, 10), (2, 40)];
            let running = running.map(|(cores, end)| machine.submit(0, cores, end));
            assert_eq!(machine.pass(0).len(), running.len());
            // It needs a node, and gets the one that is empty after 40 seconds and has a free core.
            machine.submit(1, 4, 50);
            let small = machine.submit(1, 1, seconds);
            machine.pass(1).contains(&small)
        };
        assert!(starts(longest), "{resolution_seconds}");
        assert!(!starts(longest + 1), "{resolution_seconds}");
    }
}
