//! The nodes.

use serde_json::Value;

use super::format::{number, text, words};
use crate::slurm::commands::gpus;
use crate::slurm::transport::Node;

/// Words of a node on which nothing may start, whatever else is said of it.
const DOWN: [&str; 12] = [
    "down",
    "drain",
    "draining",
    "drained",
    "error",
    "fail",
    "future",
    "maintenance",
    "not_responding",
    "powered_down",
    "reboot_issued",
    "unknown",
];

/// The nodes; what cannot be read is passed over.
pub(super) fn parse(answer: &Value) -> Vec<Node> {
    let nodes = answer.get("nodes").and_then(Value::as_array);
    nodes.into_iter().flatten().filter_map(node).collect()
}

fn node(node: &Value) -> Option<Node> {
    let list = |name: &str| node.get(name).map(words).unwrap_or_default();
    let said = || list("state").into_iter().chain(list("state_flags"));
    let is_down = said().any(|word| DOWN.contains(&word.to_ascii_lowercase().as_str()));
    let (gpus, gpu_model) = gpus(text(node, "gres"));
    Some(Node {
        name: Some(text(node, "name")).filter(|name| !name.is_empty())?.to_owned(),
        up: !is_down,
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nodes_of_either_format_are_read() {
        // The first as Slurm 22.05.8 told it in v0.0.38; the others after the documentation of
        // v0.0.42, not recorded.
        let answer = json!({"nodes": [
            {"name": "n1", "state": "idle", "state_flags": [], "cpus": 16, "real_memory": 65_536,
                "gres": "gpu:test:2", "active_features": "", "partitions": ["batch"]},
            {"name": "n2", "state": ["IDLE", "DRAIN"], "cpus": 16, "real_memory": 65_536,
                "gres": "", "active_features": ["big"], "partitions": ["batch"]},
            {"name": "n3", "state": "idle", "state_flags": ["DRAIN"], "cpus": 16, "real_memory": 1},
            {"state": "idle"}, null,
        ]});
        let nodes = parse(&answer);
        let [one, two, three] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((one.up, one.gpus, one.cores), (true, 2, 16));
        assert_eq!((two.up, two.features.clone()), (false, vec!["big".to_owned()]));
        assert!(!three.up);
    }
}
