//! What keeps the cluster from taking work.

use std::collections::BTreeSet;

use twin::slurm::hostlist;
use units::Timestamp;

use super::transport::{Node, Orders, Reservation};
use crate::{Health, NodeAway, Reserved};

/// The word of a partition that takes jobs and starts them.
const UP: &str = "up";

/// What stands in the way of jobs in `partition`; what is reserved only until before `now` does not.
pub(super) fn of(partition: &str, nodes: &[Node], orders: Orders, now: Timestamp) -> Health {
    let here: Vec<&Node> =
        nodes.iter().filter(|node| node.partitions.iter().any(|name| name == partition)).collect();
    let names: BTreeSet<&str> = here.iter().map(|node| node.name.as_str()).collect();
    let away = |node: &&Node| {
        let away = node.away.clone()?;
        let (condition, reason, since) = (away.condition, away.reason, away.since);
        Some(NodeAway { name: node.name.clone(), condition, reason, since })
    };
    let mut reserved: Vec<Reserved> = orders
        .reservations
        .into_iter()
        .filter(|one| one.until > now)
        .filter_map(|one| reserved(one, &names))
        .collect();
    reserved.sort_by_key(|one| (one.from, one.until));
    let mut away: Vec<NodeAway> = here.iter().filter_map(away).collect();
    away.sort();
    Health {
        closed: orders.partitions.get(partition).filter(|word| *word != UP).cloned(),
        away,
        reserved,
        accounting_backlog: orders.accounting_backlog,
    }
}

/// What is reserved of these nodes; `None` when that is nothing.
fn reserved(one: Reservation, names: &BTreeSet<&str>) -> Option<Reserved> {
    let held = hostlist::expand(&one.nodes)?;
    let count = held.iter().filter(|name| names.contains(name.as_str())).count();
    let nodes = u32::try_from(count).ok().filter(|count| *count > 0)?;
    let Reservation { name, from, until, maintenance, .. } = one;
    Some(Reserved { name, from, until, nodes, maintenance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Condition;
    use crate::slurm::transport::Away;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn node(name: &str, partition: &str, away: Option<Condition>) -> Node {
        let reason = "fan".to_owned();
        Node {
            name: name.to_owned(),
            away: away.map(|condition| Away { condition, reason, since: Some(at(5)) }),
            cores: 16,
            memory_mb: 64_000,
            gpus: 0,
            gpu_model: String::new(),
            features: Vec::new(),
            partitions: vec![partition.to_owned()],
            default_partition: None,
        }
    }

    fn reservation(name: &str, nodes: &str, (from, until): (i64, i64)) -> Reservation {
        let (from, until) = (at(from), at(until));
        let (name, nodes) = (name.to_owned(), nodes.to_owned());
        Reservation { name, from, until, nodes, maintenance: true }
    }

    #[test]
    fn only_what_concerns_the_partition_stands_in_its_way() {
        let nodes = [
            node("n1", "batch", None),
            node("n2", "batch", Some(Condition::Drained)),
            node("g1", "gpu", Some(Condition::Down)),
        ];
        let word = |name: &str, word: &str| (name.to_owned(), word.to_owned());
        let orders = Orders {
            partitions: [word("batch", "up"), word("gpu", "drain")].into(),
            reservations: vec![
                reservation("late", "n[1-2],g1", (200, 300)),
                reservation("soon", "n2", (90, 150)),
                reservation("over", "n1", (10, 100)),
                reservation("elsewhere", "g1", (90, 150)),
            ],
            accounting_backlog: Some(3),
        };
        let health = of("batch", &nodes, orders.clone(), at(100));
        assert_eq!(health.closed, None);
        let [away] = &health.away[..] else { panic!("{health:?}") };
        assert_eq!((away.name.as_str(), away.reason.as_str()), ("n2", "fan"));
        let reserved: Vec<_> =
            health.reserved.iter().map(|one| (one.name.as_str(), one.nodes)).collect();
        assert_eq!(reserved, [("soon", 1), ("late", 2)]);
        assert_eq!(health.accounting_backlog, Some(3));
        assert_eq!(of("gpu", &nodes, orders, at(100)).closed.as_deref(), Some("drain"));
    }
}
