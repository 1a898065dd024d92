//! `sinfo`: the nodes.

use std::collections::BTreeMap;

use super::columns::lines;
use crate::Error;
use crate::slurm::process::Invocation;
use crate::slurm::transport::Node;

/// Words that stand for a node on which something may start, now or when others end.
const UP: [&str; 7] =
    ["idle", "mixed", "allocated", "completing", "planned", "reserved", "blocked"];

/// Asks for each node in each of its partitions.
pub(super) fn build() -> Invocation {
    Invocation::new("sinfo", ["--noheader", "--all", "--Node", "--format=%N|%T|%c|%m|%P|%G|%f"])
}

/// The nodes by name, each once.
///
/// # Errors
/// [`Error::Unclear`] at a line that is none.
pub(super) fn parse(answer: &[u8]) -> Result<Vec<Node>, Error> {
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    for line in lines(answer) {
        let line = String::from_utf8_lossy(line);
        let unclear =
            || Error::Unclear { asked: "sinfo".into(), answer: line.clone().into_owned() };
        let (node, partition) = node(&line).ok_or_else(unclear)?;
        let known = nodes.entry(node.name.clone()).or_insert(node);
        let name = partition.trim_end_matches('*');
        if name != partition {
            known.default_partition = Some(name.to_owned());
        }
        known.partitions.push(name.to_owned());
    }
    Ok(nodes.into_values().collect())
}

fn node(line: &str) -> Option<(Node, &str)> {
    let mut fields = line.splitn(7, '|').map(str::trim);
    let mut next = || fields.next();
    let (name, word, cores, memory) = (next()?, next()?, next()?, next()?);
    let (partition, gres, features) = (next()?, next()?, next()?);
    let (gpus, gpu_model) = gpus(gres);
    let features = features.split(',').filter(|name| !name.is_empty() && *name != "(null)");
    let node = Node {
        name: name.to_owned(),
        up: is_up(word),
        cores: cores.trim_end_matches('+').parse().ok()?,
        memory_mb: memory.trim_end_matches('+').parse().ok()?,
        gpus,
        gpu_model,
        features: features.map(str::to_owned).collect(),
        partitions: Vec::new(),
        default_partition: None,
    };
    Some((node, partition))
}

/// Whether a word such as `mixed`, `idle*` or `draining` is of a node that takes jobs; the mark
/// behind says that it does not answer, is off or is kept for maintenance.
fn is_up(word: &str) -> bool {
    let bare = word.trim_end_matches(['+', '-']);
    UP.contains(&bare)
}

/// GPUs in a list such as `gpu:a100:4(S:0-1),shard:8`, with their models.
pub(in crate::slurm) fn gpus(gres: &str) -> (u32, String) {
    let (mut count, mut models) = (0_u32, Vec::new());
    let mut depth = 0_i32;
    let outside = |mark: char| {
        depth += i32::from(mark == '(') - i32::from(mark == ')');
        mark == ',' && depth == 0
    };
    for entry in gres.split(outside) {
        let mut parts = entry.split('(').next().unwrap_or(entry).split(':');
        if parts.next() != Some("gpu") {
            continue;
        }
        let (model, number) = match (parts.next(), parts.next()) {
            (Some(model), Some(number)) => (model, number),
            (Some(number), None) => ("GPU", number),
            (None, _) => ("GPU", "1"),
        };
        count = count.saturating_add(number.parse().unwrap_or(0));
        models.push(model);
    }
    (count, models.join("+"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = "\
bee-1|mixed|16|65536|batch*|gpu:test:2|(null)
bee-1|mixed|16|65536|gpu|gpu:test:2|(null)
bee-2|down*|16|65536|batch*|(null)|big,fast
";

    #[test]
    fn a_node_of_two_partitions_is_one_node() {
        let nodes = parse(ANSWER.as_bytes()).unwrap();
        let [one, two] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((one.up, one.cores, one.memory_mb, one.gpus), (true, 16, 65_536, 2));
        assert_eq!(one.partitions, ["batch", "gpu"]);
        assert_eq!(one.default_partition.as_deref(), Some("batch"));
        assert_eq!((two.up, two.gpus), (false, 0));
        assert_eq!(two.features, ["big", "fast"]);
        assert!(parse(b"nonsense").is_err());
    }

    #[test]
    fn nodes_that_take_nothing_are_told_by_their_word() {
        for up in ["idle", "mixed", "allocated", "planned", "mixed-", "allocated+"] {
            assert!(is_up(up), "{up}");
        }
        for down in
            ["idle*", "draining", "drained", "down", "maint", "idle~", "idle$", "fail", "unknown"]
        {
            assert!(!is_up(down), "{down}");
        }
    }

    #[test]
    fn gpus_of_several_models_count_together() {
        assert_eq!(gpus("gpu:a100:4(S:0-1),shard:8"), (4, "a100".to_owned()));
        assert_eq!(gpus("gpu:a100:2(IDX:0,1),gpu:h100:2"), (4, "a100+h100".to_owned()));
        assert_eq!(gpus("gpu:3"), (3, "GPU".to_owned()));
        assert_eq!(gpus("(null)"), (0, String::new()));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail_otherwise(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let _ = gpus(&String::from_utf8_lossy(&bytes));
        }
    }
}
