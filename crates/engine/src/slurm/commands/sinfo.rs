//! `sinfo`: the nodes, and whether partitions start jobs.

use std::collections::BTreeMap;

use super::columns::lines;
use crate::slurm::process::Invocation;
use crate::slurm::text;
use crate::slurm::transport::{Away, Node};
use crate::{Condition, Error};

/// Words that stand for a node on which something may start, now or when others end.
const UP: [&str; 7] =
    ["idle", "mixed", "allocated", "completing", "planned", "reserved", "blocked"];

/// Asks for each node in each of its partitions.
pub(super) fn build() -> Invocation {
    Invocation::new(
        "sinfo",
        ["--noheader", "--all", "--Node", "--format=%N|%T|%c|%m|%P|%G|%f|%H|%E"],
    )
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
        let (node, partition) = match node(&line) {
            Some(known) => known,
            // A line that is none belongs to what an administrator wrote at the end of the last.
            None if !nodes.is_empty() => continue,
            None => return Err(unclear()),
        };
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
    let mut fields = line.splitn(9, '|').map(str::trim);
    let mut next = || fields.next();
    let (name, word, cores, memory) = (next()?, next()?, next()?, next()?);
    let (partition, gres, features) = (next()?, next()?, next()?);
    let (since, reason) = (next()?, next()?);
    let (gpus, gpu_model) = gpus(gres);
    let features = features.split(',').filter(|name| !name.is_empty() && *name != "(null)");
    let node = Node {
        name: name.to_owned(),
        away: condition(word).map(|condition| Away {
            condition,
            reason: if reason == "none" { "" } else { reason }.to_owned(),
            since: text::instant(since).ok().flatten(),
        }),
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

/// What a node is away for by a word such as `mixed`, `idle*` or `draining`; `None` for one that takes
/// jobs. The mark behind says that it does not answer, is off or is kept for something.
fn condition(word: &str) -> Option<Condition> {
    if UP.contains(&word.trim_end_matches(['+', '-'])) {
        return None;
    }
    let bare = word.trim_end_matches(|mark: char| !mark.is_ascii_alphabetic());
    let mark = word.get(bare.len()..).and_then(|marks| marks.chars().next());
    Some(match (bare, mark) {
        ("drained", _) => Condition::Drained,
        ("draining", _) => Condition::Draining,
        ("down", _) | (_, Some('*')) => Condition::Down,
        ("maint", _) | (_, Some('$')) => Condition::Maintenance,
        ("reboot" | "reboot_issued" | "reboot_requested", _) | (_, Some('@' | '^')) => {
            Condition::Rebooting
        }
        ("powered_down" | "powering_down" | "powering_up", _)
        | (_, Some('~' | '#' | '!' | '%')) => Condition::Off,
        ("fail" | "failing" | "error", _) => Condition::Failing,
        _ => Condition::Unknown,
    })
}

/// Asks for the state of each partition.
pub(super) fn build_partitions() -> Invocation {
    Invocation::new("sinfo", ["--noheader", "--all", "--format=%P|%a"])
}

/// The word for each partition.
pub(super) fn parse_partitions(answer: &[u8]) -> BTreeMap<String, String> {
    let one = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let (name, word) = line.split_once('|')?;
        Some((name.trim_end_matches('*').to_owned(), word.trim().to_owned()))
    };
    lines(answer).filter_map(one).collect()
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
bee-1|mixed|16|65536|batch*|gpu:test:2|(null)|Unknown|none
bee-1|mixed|16|65536|gpu|gpu:test:2|(null)|Unknown|none
bee-2|down*|16|65536|batch*|(null)|big,fast|1795305525|fan | broken
for good
";

    #[test]
    fn a_node_of_two_partitions_is_one_node() {
        let nodes = parse(ANSWER.as_bytes()).unwrap();
        let [one, two] = &nodes[..] else { panic!("{nodes:?}") };
        assert_eq!((&one.away, one.cores, one.memory_mb, one.gpus), (&None, 16, 65_536, 2));
        assert_eq!(one.partitions, ["batch", "gpu"]);
        assert_eq!(one.default_partition.as_deref(), Some("batch"));
        let away = Away {
            condition: Condition::Down,
            reason: "fan | broken".to_owned(),
            since: units::Timestamp::from_second(1_795_305_525).ok(),
        };
        assert_eq!((&two.away, two.gpus), (&Some(away), 0));
        assert_eq!(two.features, ["big", "fast"]);
        assert!(parse(b"nonsense").is_err());
    }

    #[test]
    fn nodes_that_take_nothing_are_told_by_their_word() {
        for up in ["idle", "mixed", "allocated", "planned", "mixed-", "allocated+"] {
            assert_eq!(condition(up), None, "{up}");
        }
        let away = [
            ("idle*", Condition::Down),
            ("down", Condition::Down),
            ("draining", Condition::Draining),
            ("drained*", Condition::Drained),
            ("maint", Condition::Maintenance),
            ("idle$", Condition::Maintenance),
            ("idle~", Condition::Off),
            ("mixed@", Condition::Rebooting),
            ("fail", Condition::Failing),
            ("unknown", Condition::Unknown),
        ];
        for (word, expected) in away {
            assert_eq!(condition(word), Some(expected), "{word}");
        }
    }

    #[test]
    fn a_partition_has_its_word() {
        let words = parse_partitions(b"batch*|up\nold|drain\nnonsense\n");
        let of = |name: &str| words.get(name).map(String::as_str);
        assert_eq!((of("batch"), of("old"), words.len()), (Some("up"), Some("drain"), 2));
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
