use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn sound() -> Signs {
    Signs {
        agent: Agent::Present,
        drained_at_hub: None,
        drained_at_site: None,
        failing: None,
        closed: None,
        nodes: Some(Nodes { up: 4, all: 4 }),
        reserved: Vec::new(),
        accounting_backlog: Some(0),
        clock_ahead_milliseconds: Some(-300),
        queue: Some(Queue { jobs: 0, node_seconds: 0 }),
    }
}

fn drained(reason: &str) -> Option<Drained> {
    Some(Drained { since: at(NOW - 60), reason: reason.to_owned() })
}

fn maintenance(from: i64, nodes: u32) -> Reserved {
    let (from, until) = (at(NOW + from), at(NOW + from + 7_200));
    Reserved { name: "service".to_owned(), from, until, nodes, maintenance: true }
}

fn assessed(signs: &Signs) -> (Takes, Vec<&'static str>) {
    let readiness = assess(signs, at(NOW));
    (readiness.takes(), readiness.obstacles.iter().map(Obstacle::kind).collect())
}

#[test]
fn a_site_in_order_takes_work() {
    assert_eq!(assessed(&sound()), (Takes::Work, vec![]));
}

#[test]
fn whatever_starts_nothing_blocks() {
    let blocked = [
        (Signs { agent: Agent::NotEnrolled, ..sound() }, "not-enrolled"),
        (Signs { agent: Agent::Silent, ..sound() }, "silent"),
        (Signs { agent: Agent::Away { since: at(5) }, ..sound() }, "agent-away"),
        (Signs { agent: Agent::Dismissed { since: at(5) }, ..sound() }, "dismissed"),
        (Signs { drained_at_hub: drained("service"), ..sound() }, "drained"),
        (Signs { drained_at_site: drained("service"), ..sound() }, "drained"),
        (Signs { failing: Some("timeout".to_owned()), ..sound() }, "failing"),
        (Signs { closed: Some("drain".to_owned()), ..sound() }, "closed"),
        (Signs { nodes: Some(Nodes { up: 0, all: 4 }), ..sound() }, "nodes-away"),
        (Signs { reserved: vec![maintenance(-10, 4)], ..sound() }, "maintenance"),
    ];
    for (signs, kind) in blocked {
        assert_eq!(assessed(&signs), (Takes::Nothing, vec![kind]));
        let readiness = assess(&signs, at(NOW));
        assert_eq!(readiness.blocked().map(Obstacle::kind), Some(kind));
    }
}

#[test]
fn part_of_the_nodes_away_leaves_less() {
    let away = Signs { nodes: Some(Nodes { up: 3, all: 4 }), ..sound() };
    assert_eq!(assessed(&away), (Takes::Less, vec!["nodes-away"]));
    let service = Signs { reserved: vec![maintenance(-10, 1)], ..sound() };
    assert_eq!(assessed(&service), (Takes::Less, vec!["maintenance"]));
}

#[test]
fn what_is_to_come_is_only_noted() {
    let soon = maintenance(86_400, 4);
    let far = maintenance(8 * 86_400, 4);
    let somebody = Reserved { maintenance: false, ..maintenance(-10, 4) };
    let signs = Signs { reserved: vec![soon, far, somebody], ..sound() };
    assert_eq!(assessed(&signs), (Takes::Work, vec!["maintenance"]));
    let behind = Signs {
        accounting_backlog: Some(100),
        clock_ahead_milliseconds: Some(-2_000),
        queue: Some(Queue { jobs: 3, node_seconds: 4 * 3_600 }),
        ..sound()
    };
    assert_eq!(assessed(&behind), (Takes::Work, vec!["queue", "accounting-behind", "clock-off"]));
    let said: Vec<String> =
        assess(&behind, at(NOW)).obstacles.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "3 jobs stand in line, at most 1 h of work for its nodes",
            "its accounting is behind by 100 records",
            "its clock is 2 s behind",
        ]
    );
}

#[test]
fn a_silent_site_is_not_judged_by_what_it_said_before() {
    let signs = Signs {
        agent: Agent::Away { since: at(NOW - 600) },
        drained_at_hub: drained("moving house"),
        drained_at_site: drained("service"),
        closed: Some("drain".to_owned()),
        nodes: Some(Nodes { up: 0, all: 4 }),
        ..sound()
    };
    assert_eq!(assessed(&signs), (Takes::Nothing, vec!["agent-away", "drained"]));
}

proptest! {
    #[test]
    fn the_heaviest_comes_first_and_decides(
        up in 0_u32..5, all in 0_u32..5, from in -9_000_i64..700_000, nodes in 0_u32..6,
        jobs in 0_u32..3, node_seconds in any::<u64>(), ahead in any::<i64>(),
        backlog in any::<u64>(), closed in any::<bool>(),
    ) {
        let signs = Signs {
            closed: closed.then(|| "down".to_owned()),
            nodes: Some(Nodes { up: up.min(all), all }),
            reserved: vec![maintenance(from, nodes)],
            accounting_backlog: Some(backlog),
            clock_ahead_milliseconds: Some(ahead),
            queue: Some(Queue { jobs, node_seconds }),
            ..sound()
        };
        let readiness = assess(&signs, at(NOW));
        let weights: Vec<Weight> = readiness.obstacles.iter().map(Obstacle::weight).collect();
        prop_assert!(weights.is_sorted_by(|a, b| a >= b));
        prop_assert_eq!(readiness.blocked().is_some(), readiness.takes() == Takes::Nothing);
        for obstacle in &readiness.obstacles {
            prop_assert!(!obstacle.to_string().is_empty());
        }
    }
}
