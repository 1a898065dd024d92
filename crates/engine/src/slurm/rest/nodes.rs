//! The nodes.

use serde_json::Value;

use super::format::{instant, number, text, words};
use crate::Condition;
use crate::slurm::commands::gpus;
use crate::slurm::transport::{Away, Node};

/// Words of a node on which nothing may start, whatever else is said of it, the strongest first.
const AWAY: [(&str, Condition); 15] = [
    ("not_responding", Condition::Down),
    ("down", Condition::Down),
    ("drained", Condition::Drained),
    ("draining", Condition::Draining),
    ("drain", Condition::Drained),
    ("maintenance", Condition::Maintenance),
    ("reboot_issued", Condition::Rebooting),
    ("powered_down", Condition::Off),
    ("powering_down", Condition::Off),
    ("powering_up", Condition::Off),
    ("fail", Condition::Failing),
    ("failing", Condition::Failing),
    ("error", Condition::Failing),
    ("future", Condition::Unknown),
    ("unknown", Condition::Unknown),
];

/// The nodes; what cannot be read is passed over.
pub(super) fn parse(answer: &Value) -> Vec<Node> {
    let nodes = answer.get("nodes").and_then(Value::as_array);
    nodes.into_iter().flatten().filter_map(node).collect()
}

fn node(node: &Value) -> Option<Node> {
    let list = |name: &str| node.get(name).map(words).unwrap_or_default();
    let said = || list("state").into_iter().chain(list("state_flags")).map(str::to_ascii_lowercase);
    let is_away = |(word, _): &&(&str, Condition)| said().any(|said| said == *word);
    let away = AWAY.iter().find(is_away).map(|(_, condition)| Away {
        // What is drained while jobs run on it has their word as well.
        condition: match *condition {
            Condition::Drained if said().any(|word| is_busy(&word)) => Condition::Draining,
            condition => condition,
        },
        reason: text(node, "reason").to_owned(),
        since: node.get("reason_changed_at").and_then(instant),
    });
    let (gpus, gpu_model) = gpus(text(node, "gres"));
    Some(Node {
        name: Some(text(node, "name")).filter(|name| !name.is_empty())?.to_owned(),
        away,
        cores: node.get("cpus").and_then(number)?.try_into().ok()?,
        memory_mb: node.get("real_memory").and_then(number)?,
        gpus,
        gpu_model,
        features: list("active_features").into_iter().map(str::to_owned).collect(),
        partitions: list("partitions").into_iter().map(str::to_owned).collect(),
        // Which is the default is not told of a node this way.
        default_partition: None,
    })
}

fn is_busy(word: &str) -> bool {
    ["allocated", "mixed", "completing"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use units::Timestamp;

    #[test]
    fn nodes_of_either_format_are_read() {
        // The first as Slurm 22.05.8 told it in v0.0.38; the others after the documentation of
        // v0.0.42, not recorded.
        let answer = json!({"nodes": [
            {"name": "n1", "state": "idle", "state_flags": [], "cpus": 16, "real_memory": 65_536,
                "gres": "gpu:test:2", "active_features": "", "partitions": ["batch"]},
            {"name": "n2", "state": ["IDLE", "DRAIN"], "cpus": 16, "real_memory": 65_536,
                "gres": "", "active_features": ["big"], "partitions": ["batch"]},
            {"name": "n3", "state": "idle", "state_flags": ["DRAIN"], "cpus": 16, "real_memory": 1,
                "reason": "fan", "reason_changed_at": 7},
            {"name": "n4", "state": ["MIXED", "DRAIN"], "cpus": 16, "real_memory": 1},
            {"name": "n5", "state": ["DOWN", "DRAIN"], "cpus": 16, "real_memory": 1},
            {"state": "idle"}, null,
        ]});
        let nodes = parse(&answer);
        let [one, two, three, four, five] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((&one.away, one.gpus, one.cores), (&None, 2, 16));
        assert_eq!(two.features, ["big"]);
        let condition = |node: &Node| node.away.as_ref().map(|away| away.condition);
        assert_eq!(condition(two), Some(Condition::Drained));
        assert_eq!(condition(four), Some(Condition::Draining));
        assert_eq!(condition(five), Some(Condition::Down));
        let since = Timestamp::from_second(7).ok();
        let away = Away { condition: Condition::Drained, reason: "fan".to_owned(), since };
        assert_eq!(three.away, Some(away));
    }
}
