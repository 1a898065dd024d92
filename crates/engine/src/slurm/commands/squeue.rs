//! `squeue`: what the controller knows.

use std::collections::BTreeMap;

use units::JobId;

use super::columns::{Columns, lines};
use super::list;
use crate::slurm::process::Invocation;
use crate::slurm::state::{self, Exit, Phase};
use crate::slurm::text;
use crate::slurm::transport::{Load, MARK_LENGTH, Queued, SlurmId, marked};

const STATES: &str = "--states=PENDING,CONFIGURING,RUNNING,SUSPENDED,STOPPED,COMPLETING";

const LOAD: Columns<10> = Columns::new(
    [
        ("JobID", 12),
        ("State", 16),
        ("NumNodes", 8),
        ("tres", 160),
        ("TimeLimit", 16),
        ("StartTime", 14),
        ("PriorityLong", 14),
        ("Partition", 160),
        ("Reason", 40),
        ("NumCPUs", 10),
    ],
    0,
);

const EXITS: Columns<3> =
    Columns::new([("JobID", 12), ("exit_code", 12), ("comment", MARK_LENGTH)], 0);

/// Asks for all of our jobs, whoever's they are and whether they ended: the controller sends all
/// jobs whatever is asked, and one question does for any number of ours.
pub(super) fn build() -> Invocation {
    let format = format!("--format=%A|%u|%T|%S|%e|%N|%r|%{MARK_LENGTH}k");
    Invocation::new("squeue", ["--noheader", "--all", "--states=all", &format])
}

/// Our jobs; other lines are passed over.
pub(super) fn parse(answer: &[u8]) -> Vec<Queued> {
    lines(answer).filter_map(|line| queued(str::from_utf8(line).ok()?)).collect()
}

fn queued(line: &str) -> Option<Queued> {
    let (rest, comment) = line.rsplit_once('|')?;
    let job = marked(comment.trim_end())?;
    let mut fields = rest.splitn(7, '|');
    let mut next = || fields.next().map(str::trim);
    let (id, user, word) = (next()?, next()?, next()?);
    let (started, ended, nodes, reason) = (next()?, next()?, next()?, next()?);
    Some(Queued {
        id: SlurmId(id.parse().ok()?),
        job,
        user: user.to_owned(),
        phase: state::phase(word),
        reason: reason.to_owned(),
        started: text::instant(started).ok()?,
        ended: text::instant(ended).ok()?,
        nodes: nodes.to_owned(),
        // Not among what it prints this way.
        exit: None,
    })
}

/// Asks how scripts exited: of a code from 128 on `sacct` tells 128 less.
pub(super) fn build_exits(ids: &[SlurmId]) -> Invocation {
    let format = format!("--Format={}", EXITS.format(":"));
    let jobs = format!("--jobs={}", list(ids));
    Invocation::new("squeue", ["--noheader", "--all", "--states=all", &jobs, &format])
}

/// The exits of our jobs.
pub(super) fn parse_exits(answer: &[u8]) -> BTreeMap<(SlurmId, JobId), Exit> {
    let exit = |line| {
        let [id, status, comment] = EXITS.split(line)?;
        let status = Exit::from_wait(text::number(status)?);
        Some(((SlurmId(id.parse().ok()?), marked(comment)?), status))
    };
    lines(answer).filter_map(exit).collect()
}

/// Asks for everybody's jobs.
pub(super) fn build_load() -> Invocation {
    let format = format!("--Format={}", LOAD.format(":"));
    Invocation::new("squeue", ["--noheader", "--all", STATES, &format])
}

/// Asks where they run: lists of nodes have no width to cut them to.
pub(super) fn build_places() -> Invocation {
    let states = "--states=CONFIGURING,RUNNING,SUSPENDED,STOPPED,COMPLETING";
    Invocation::new("squeue", ["--noheader", "--all", states, "--format=%A|%N"])
}

/// Everybody's jobs, with where they run; what cannot be read is passed over, for a snapshot with a
/// gap is better than none.
pub(super) fn parse_load(jobs: &[u8], places: &[u8]) -> Vec<Load> {
    let place = |line| str::from_utf8(line).ok()?.split_once('|');
    let places: BTreeMap<&str, &str> = lines(places).filter_map(place).collect();
    lines(jobs).filter_map(|line| load(LOAD.split(line)?, &places)).collect()
}

fn load(fields: [&str; 10], places: &BTreeMap<&str, &str>) -> Option<Load> {
    let [id, word, nodes, tres, limit, started, priority, partitions, reason, cores] = fields;
    let phase = state::phase(word).ok().filter(|phase| !matches!(phase, Phase::Over(_)))?;
    let memory = text::amount(tres, "mem").and_then(|text| text::size_mb(text, 1 << 10));
    let gpus = text::amount(tres, "gres/gpu").and_then(|text| text.parse().ok());
    Some(Load {
        id: SlurmId(id.parse().ok()?),
        phase,
        reason: reason.to_owned(),
        partitions: partitions.split(',').map(str::to_owned).collect(),
        nodes: nodes.split('-').next()?.parse::<u32>().ok()?.max(1),
        cores: text::amount(tres, "cpu").unwrap_or(cores).parse().ok()?,
        memory_mb: memory.unwrap_or(0),
        gpus: gpus.unwrap_or(0),
        limit_seconds: text::limit_seconds(limit)?,
        priority: priority.parse().unwrap_or(0),
        started: text::instant(started).ok()?,
        held: places.get(id).copied().unwrap_or_default().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Slurm 22.05.8 printed it, but for names.
    const ANSWER: &str = "\
2|ben|FAILED|1795292165|1795292165|bee-1|NonZeroExitCode|x
1|FAKE|2                                
9|ann|PENDING|1795296297|1795480197||BeginTime|(null)                                    
8|ann|PENDING|N/A|N/A||PartitionConfig|usine:0189abcd-0000-7000-8000-000000000005
7|ann|RUNNING|1795292697|1795293297|bee-[1-2]|None|usine:0189abcd-0000-7000-8000-000000000004
";

    #[test]
    fn our_jobs_are_found_among_all() {
        let found = parse(ANSWER.as_bytes());
        let [waiting, running] = &found[..] else { panic!("{found:?}") };
        assert_eq!(waiting.id, SlurmId(8));
        assert_eq!((&waiting.phase, waiting.started), (&Ok(Phase::Waiting), None));
        assert_eq!(waiting.reason, "PartitionConfig");
        assert_eq!((running.user.as_str(), running.nodes.as_str()), ("ann", "bee-[1-2]"));
        assert_eq!(running.started.unwrap().as_second(), 1_795_292_697);
        assert_eq!(running.job.to_string(), "0189abcd-0000-7000-8000-000000000004");
    }

    #[test]
    fn no_line_that_fits_into_a_comment_can_pass_for_a_job() {
        let mark = "usine:0189abcd-0000-7000-8000-000000000004";
        let shortest = format!("1|a|RUNNING|0|0|||{mark}");
        assert_eq!(parse(shortest.as_bytes()).len(), 1);
        assert!(shortest.len() > MARK_LENGTH, "it could be hidden in a comment");
        assert!(parse(shortest.get(shortest.len() - MARK_LENGTH..).unwrap().as_bytes()).is_empty());
    }

    #[test]
    fn a_reason_may_hold_anything() {
        let line = "7|ann|RUNNING|1|2|n1|odd | reason|usine:0189abcd-0000-7000-8000-000000000004";
        assert_eq!(parse(line.as_bytes()).first().unwrap().reason, "odd | reason");
    }

    #[test]
    fn a_word_that_is_not_known_is_kept_as_an_error() {
        let line = "7|ann|DREAMING|1|2|n1|None|usine:0189abcd-0000-7000-8000-000000000004";
        let found = parse(line.as_bytes());
        assert!(
            found.first().unwrap().phase.as_ref().unwrap_err().to_string().contains("DREAMING")
        );
    }

    #[test]
    fn exits_are_those_of_our_jobs() {
        let mark = "usine:0189abcd-0000-7000-8000-000000000004";
        let text = format!("{:12}{:12}{mark}\n{:12}{:12}{:42}\n", 7, 51_200, 8, 256, "(null)");
        let exits = parse_exits(text.as_bytes());
        let ours = (SlurmId(7), mark.strip_prefix("usine:").unwrap().parse().unwrap());
        assert_eq!(exits, BTreeMap::from([(ours, Exit { code: 200, signal: 0 })]));
    }

    #[test]
    fn everybodys_jobs_are_read_with_what_they_hold() {
        let line = |id: &str, word: &str, nodes: &str, tres: &str, reason: &str| {
            format!(
                "{id:12}{word:16}{nodes:8}{tres:160}{:16}{:14}{:14}{:160}{reason:40}{:10}\n",
                "10:00", "1795292697", "50000", "batch,gpu", "34"
            )
        };
        let jobs =
            line("7", "RUNNING", "2", "cpu=32,mem=128M,node=2,billing=32,gres/gpu=2", "None")
                + &line("8", "PENDING", "2-4", "cpu=34,mem=1.50G,node=2", "Resources")
                + &line("9", "COMPLETED", "2", "cpu=34", "None");
        let found = parse_load(jobs.as_bytes(), b"7|bee-[1-2]\n");
        let [running, waiting] = &found[..] else { panic!("{found:?}") };
        assert_eq!((running.cores, running.memory_mb, running.gpus), (32, 128, 2));
        assert_eq!((running.held.as_str(), running.limit_seconds), ("bee-[1-2]", 600));
        assert_eq!((waiting.nodes, waiting.memory_mb, waiting.gpus), (2, 1_536, 0));
        assert_eq!(waiting.partitions, ["batch", "gpu"]);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
            let _ = parse_load(&bytes, &bytes);
            let _ = parse_exits(&bytes);
        }

        #[test]
        fn no_damage_makes_it_fail(at in 0_usize..300, byte: u8) {
            let mut bytes = ANSWER.as_bytes().to_vec();
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
            prop_assert!(parse(&bytes).len() <= 3);
        }
    }
}
