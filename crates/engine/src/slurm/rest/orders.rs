//! What was ordered for partitions and nodes, and how far the accounting is behind.

use serde_json::Value;

use super::format::{instant, number, text, words};
use crate::slurm::transport::{Orders, Reservation};

/// Reads the answers about partitions, reservations and the controller's statistics; what cannot be
/// read is passed over.
pub(super) fn parse(partitions: &Value, reservations: &Value, statistics: &Value) -> Orders {
    let list = |answer: &Value, name: &str| {
        answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let backlog = statistics.pointer("/statistics/dbd_agent_queue_size");
    Orders {
        partitions: list(partitions, "partitions").iter().filter_map(partition).collect(),
        reservations: list(reservations, "reservations").iter().filter_map(reservation).collect(),
        accounting_backlog: backlog.and_then(number),
    }
}

/// A partition's name and word; newer data formats keep a list of words in an object of its own.
fn partition(partition: &Value) -> Option<(String, String)> {
    let name = Some(text(partition, "name")).filter(|name| !name.is_empty())?;
    let state = partition.pointer("/partition/state").or(partition.get("state"))?;
    Some((name.to_owned(), words(state).first()?.to_ascii_lowercase()))
}

fn reservation(reservation: &Value) -> Option<Reservation> {
    let at = |name: &str| reservation.get(name).and_then(instant);
    let flags = reservation.get("flags").map(words).unwrap_or_default();
    Some(Reservation {
        name: Some(text(reservation, "name")).filter(|name| !name.is_empty())?.to_owned(),
        from: at("start_time")?,
        until: at("end_time")?,
        nodes: text(reservation, "node_list").to_owned(),
        maintenance: flags.contains(&"MAINT"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use serde_json::json;

    #[test]
    fn orders_of_either_format_are_read() {
        // Partitions, reservations and statistics as Slurm 22.05.8 told them in v0.0.38; the second
        // partition after the documentation of v0.0.42, not recorded.
        let partitions = json!({"partitions": [
            {"name": "batch", "state": "UP"},
            {"name": "old", "partition": {"state": ["DRAIN"]}},
            {"state": "UP"},
        ]});
        let reservations = json!({"reservations": [
            {"name": "service", "flags": ["MAINT", "IGNORE_JOBS"], "node_list": "m-[1-4]",
                "start_time": 1_795_309_125, "end_time": 1_795_316_325},
            {"name": "broken"},
        ]});
        let statistics = json!({"statistics": {"agent_queue_size": 3, "dbd_agent_queue_size": 12}});
        let orders = parse(&partitions, &reservations, &statistics);
        let expected = [("batch", "up"), ("old", "drain")];
        let expected = expected.map(|(name, word)| (name.to_owned(), word.to_owned()));
        assert_eq!(orders.partitions, BTreeMap::from(expected));
        assert_eq!(orders.accounting_backlog, Some(12));
        let [one] = &orders.reservations[..] else { panic!("{orders:?}") };
        assert!(one.maintenance && one.nodes == "m-[1-4]");
        assert_eq!(parse(&json!({}), &json!(null), &json!({})), Orders::default());
    }
}
