//! `sinfo`: partitions and nodes.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

use super::line::{Known, Line, flag, only_long, value};
use super::table::{Piece, pieces};
use super::text::{host_list, short_duration};
use crate::command::LIST_MAX;
use crate::output::{entries, number, text};
use crate::remote::{Remote, wait};

static KNOWN: &[Known] = &[
    flag("all", 'a'),
    flag("exact", 'e'),
    flag("noheader", 'h'),
    flag("long", 'l'),
    flag("Node", 'N'),
    flag("summarize", 's'),
    flag("verbose", 'v'),
    only_long(flag("noconvert", ' ')),
    value("format", 'o'),
    value("nodes", 'n'),
    value("partition", 'p'),
    value("states", 't'),
];

const USUAL: &str = "%9P %.5a %.10l %.6D %.6t %N";
const LONG: &str = "%9P %.5a %.10l %.6D %.11T %N";
const SUMMARY: &str = "%9P %.5a %.10l %.16F %N";
const NODES: &str = "%10N %.6D %.9P %6t ";

/// A node, and the partition it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Node {
    partition: String,
    limit_seconds: i64,
    answers: bool,
    availability: String,
    name: String,
    state: State,
    cores: i64,
    cores_taken: i64,
    gpus: i64,
    memory_mb: i64,
    features: String,
}

/// What a node does, in Slurm's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Down,
    Mixed,
    Allocated,
    Idle,
}

impl State {
    const fn long(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Mixed => "mixed",
            Self::Allocated => "allocated",
            Self::Idle => "idle",
        }
    }

    /// By which the lines of a partition stand in order.
    const fn rank(self) -> &'static str {
        match self {
            Self::Down => "1",
            Self::Mixed => "2",
            Self::Allocated => "3",
            Self::Idle => "4",
        }
    }

    const fn short(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Mixed => "mix",
            Self::Allocated => "alloc",
            Self::Idle => "idle",
        }
    }
}

pub(super) fn run(words: &[String], remote: impl FnOnce() -> Result<Remote>) -> Result<u8> {
    let line = Line::read(words, KNOWN)?;
    let format = format(&line);
    let columns = pieces(&format);
    let unknown = columns.iter().find_map(|piece| match piece {
        Piece::Field(letter, _) => header(*letter).is_none().then_some(*letter),
        Piece::Text(_) => None,
    });
    if let Some(letter) = unknown {
        bail!("Invalid node format specification: {letter}");
    }
    let remote = remote()?;
    let clusters = wait(remote.list("/clusters", LIST_MAX))?;
    let mut nodes: Vec<Node> = clusters.iter().flat_map(nodes_of).collect();
    nodes.retain(|node| is_asked_for(node, &line));
    if !line.has("noheader") {
        println!("{}", shown(&columns, |letter| header(letter).unwrap_or_default().to_owned()));
    }
    for group in grouped(&nodes, &columns, &line) {
        println!("{}", shown(&columns, |letter| value_of(letter, &group)));
    }
    Ok(0)
}

fn format(line: &Line) -> String {
    let variable = std::env::var("SINFO_FORMAT").ok().filter(|format| !format.is_empty());
    let usual = match (line.has("summarize"), line.has("Node"), line.has("long")) {
        (true, ..) => SUMMARY,
        (false, true, _) => NODES,
        (false, false, true) => LONG,
        (false, false, false) => USUAL,
    };
    line.last("format").map(str::to_owned).or(variable).unwrap_or_else(|| usual.to_owned())
}

fn nodes_of(cluster: &Value) -> Vec<Node> {
    let answers = cluster.pointer("/answers").and_then(Value::as_bool).unwrap_or(false);
    let node = |node: &Value| {
        let (cores, taken) = (number(node, "/cores"), number(node, "/cores_taken"));
        let up = node.pointer("/up").and_then(Value::as_bool).unwrap_or(false);
        let features = entries(node, "/features").iter().filter_map(Value::as_str);
        Node {
            partition: text(cluster, "/partition"),
            limit_seconds: number(cluster, "/time_limit_max_seconds"),
            answers,
            availability: text(cluster, "/availability"),
            name: text(node, "/name"),
            state: match (up, taken) {
                (false, _) => State::Down,
                (true, 0) => State::Idle,
                (true, taken) if taken >= cores => State::Allocated,
                (true, _) => State::Mixed,
            },
            cores,
            cores_taken: taken,
            gpus: number(node, "/gpus"),
            memory_mb: number(node, "/memory_mb"),
            features: features.collect::<Vec<_>>().join(","),
        }
    };
    entries(cluster, "/nodes").iter().map(node).collect()
}

fn is_asked_for(node: &Node, line: &Line) -> bool {
    let one_of = |long: &str, is: &dyn Fn(&str) -> bool| {
        line.list(long).is_none_or(|wanted| wanted.iter().any(|word| is(word)))
    };
    one_of("partition", &|word| word == node.partition)
        && one_of("nodes", &|word| word == node.name)
        && one_of("states", &|word| {
            word.eq_ignore_ascii_case(node.state.long())
                || word.eq_ignore_ascii_case(node.state.short())
        })
}

/// Nodes that a line shows together: of one partition, and alike in all columns that tell them apart.
fn grouped<'n>(nodes: &'n [Node], columns: &[Piece], line: &Line) -> Vec<Vec<&'n Node>> {
    let mut groups = BTreeMap::<Vec<String>, Vec<&Node>>::new();
    for node in nodes {
        let mut key = vec![node.partition.clone()];
        if !line.has("summarize") {
            let by = columns.iter().filter_map(|piece| match piece {
                Piece::Field(letter, _) => Some(*letter),
                Piece::Text(_) => None,
            });
            // What is counted or listed over a group does not make one.
            let by = by.filter(|letter| !"DNFCA".contains(*letter));
            key.extend(by.map(|letter| match letter {
                't' | 'T' => node.state.rank().to_owned(),
                letter => value_of(letter, &[node]),
            }));
        }
        if line.has("Node") {
            key.insert(0, node.name.clone());
        }
        groups.entry(key).or_default().push(node);
    }
    groups.into_values().collect()
}

const fn header(letter: char) -> Option<&'static str> {
    Some(match letter {
        'a' => "AVAIL",
        'A' => "NODES(A/I)",
        'c' => "CPUS",
        'C' => "CPUS(A/I/O/T)",
        'D' => "NODES",
        'f' => "AVAIL_FEATURES",
        'F' => "NODES(A/I/O/T)",
        'G' => "GRES",
        'l' => "TIMELIMIT",
        'm' => "MEMORY",
        'n' => "HOSTNAMES",
        'N' => "NODELIST",
        'P' | 'R' => "PARTITION",
        't' | 'T' => "STATE",
        _ => return None,
    })
}

/// What a column holds for nodes that are shown together.
fn value_of(letter: char, nodes: &[&Node]) -> String {
    let Some(first) = nodes.first() else { return String::new() };
    let count = |is: &dyn Fn(&Node) -> bool| nodes.iter().filter(|node| is(node)).count();
    let sum = |of: &dyn Fn(&Node) -> i64| nodes.iter().map(|node| of(node)).sum::<i64>();
    let busy = |node: &Node| matches!(node.state, State::Mixed | State::Allocated);
    let down = |node: &Node| node.state == State::Down;
    let silent = if first.answers { "" } else { "*" };
    match letter {
        'a' => first.availability.clone(),
        'A' => format!("{}/{}", count(&busy), count(&|node| node.state == State::Idle)),
        'c' => first.cores.to_string(),
        'C' => {
            let (taken, all) = (sum(&|node| node.cores_taken), sum(&|node| node.cores));
            let out = sum(&|node| if down(node) { node.cores - node.cores_taken } else { 0 });
            format!("{taken}/{}/{out}/{all}", all - taken - out)
        }
        'D' => nodes.len().to_string(),
        'f' if first.features.is_empty() => "(null)".to_owned(),
        'f' => first.features.clone(),
        'F' => {
            let (busy, out) = (count(&busy), count(&down));
            format!("{busy}/{}/{out}/{}", nodes.len() - busy - out, nodes.len())
        }
        'G' if first.gpus == 0 => "(null)".to_owned(),
        'G' => format!("gpu:{}", first.gpus),
        'l' => short_duration(first.limit_seconds),
        'm' => first.memory_mb.to_string(),
        'n' | 'N' => host_list(&nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>()),
        'P' | 'R' => first.partition.clone(),
        't' => format!("{}{silent}", first.state.short()),
        'T' => format!("{}{silent}", first.state.long()),
        // Refused before anything was asked.
        _ => String::new(),
    }
}

fn shown(columns: &[Piece], value: impl Fn(char) -> String) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Field(letter, width) => width.fit(&value(*letter)),
    };
    columns.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn cluster() -> Vec<Node> {
        let node = |name: &str, up: bool, taken: i64| {
            json!({ "name": name, "up": up, "cores": 16, "cores_taken": taken, "gpus": 2,
                "gpus_taken": 0, "memory_mb": 65_536, "features": [] })
        };
        nodes_of(&json!({
            "partition": "lux.gpu", "answers": true, "availability": "up", "time_limit_max_seconds": 172_800,
            "nodes": [node("n1", true, 3), node("n2", true, 0), node("n3", true, 0), node("n4", false, 0)],
        }))
    }

    fn listed(text: &str) -> String {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let line = Line::read(&words, KNOWN).unwrap();
        let columns = pieces(&format(&line));
        let mut nodes = cluster();
        nodes.retain(|node| is_asked_for(node, &line));
        let head = shown(&columns, |letter| header(letter).unwrap_or_default().to_owned());
        let rows = grouped(&nodes, &columns, &line);
        let rows = rows.iter().map(|group| shown(&columns, |letter| value_of(letter, group)));
        std::iter::once(head).chain(rows).map(|line| format!("{line}$\n")).collect()
    }

    #[test]
    fn nodes_that_are_alike_share_a_line() {
        expect![[r#"
            PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST$
            lux.gpu      up 2-00:00:00      1   down n4$
            lux.gpu      up 2-00:00:00      1    mix n1$
            lux.gpu      up 2-00:00:00      2   idle n[2-3]$
        "#]]
        .assert_eq(&listed(""));
        expect![[r#"
            PARTITION AVAIL  TIMELIMIT   NODES(A/I/O/T) NODELIST$
            lux.gpu      up 2-00:00:00          1/2/1/4 n[1-4]$
        "#]]
        .assert_eq(&listed("-s"));
        expect![[r#"
            NODELIST    NODES PARTITION STATE  $
            n2              1   lux.gpu idle   $
            n3              1   lux.gpu idle   $
        "#]]
        .assert_eq(&listed("-N -t idle"));
    }

    #[test]
    fn formats_say_what_a_partition_has() {
        expect![[r#"
            PARTITION|CPUS|MEMORY|GRES|CPUS(A/I/O/T)|STATE$
            lux.gpu|16|65536|gpu:2|3/13/0/16|mixed$
        "#]]
        .assert_eq(&listed("-t mix -o %P|%c|%m|%G|%C|%T"));
    }
}
