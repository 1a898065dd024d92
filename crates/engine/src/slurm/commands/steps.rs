//! `sacct` for the steps of some jobs, while they run and after.
//!
//! As for [runs](super::runs), a word that nobody could have foreseen stands between the columns: the
//! name of a step is its owner's to choose.

use super::list;
use crate::slurm::process::Invocation;
use crate::slurm::state::Exit;
use crate::slurm::text;
use crate::slurm::transport::SlurmId;
use crate::steps::Step;

const COLUMNS: [&str; 12] = [
    "JobIDRaw",
    "User",
    "JobName",
    "State",
    "ExitCode",
    "Start",
    "End",
    "NNodes",
    "NTasks",
    "MaxRSS",
    "TotalCPU",
    "TRESUsageInAve",
];

/// The most characters that are kept of a name.
const NAME_LENGTH_MAX: usize = 100;

/// What the accounting has of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::slurm) struct Told {
    pub(in crate::slurm) id: SlurmId,
    /// The login of its owner.
    pub(in crate::slurm) user: String,
    pub(in crate::slurm) steps: Vec<Step>,
}

/// Asks for these jobs.
pub(super) fn build(ids: &[SlurmId], between: &str) -> Invocation {
    let told = [
        "--allusers".to_owned(),
        "--noheader".to_owned(),
        "--parsable2".to_owned(),
        format!("--delimiter={between}"),
        format!("--format={}", COLUMNS.join(",")),
        format!("--jobs={}", list(ids)),
    ];
    Invocation::new("sacct", told)
}

/// Each job with its steps; lines that are none are passed over.
pub(super) fn parse(answer: &[u8], between: &str) -> Vec<Told> {
    let mut found = Vec::<Told>::new();
    for line in String::from_utf8_lossy(answer).lines() {
        let Ok(fields) = <[&str; COLUMNS.len()]>::try_from(Vec::from_iter(line.split(between)))
        else {
            continue;
        };
        let [id, user, ..] = fields;
        match id.split_once('.') {
            None => {
                let Ok(id) = id.parse().map(SlurmId) else { continue };
                found.push(Told { id, user: user.to_owned(), steps: Vec::new() });
            }
            Some((job, id)) => {
                // Steps follow their job.
                let whose = found.last_mut().filter(|told| told.id.0.to_string() == job);
                if let (Some(whose), Some(step)) = (whose, step(id, fields)) {
                    whose.steps.push(step);
                }
            }
        }
    }
    found
}

fn step(id: &str, fields: [&str; COLUMNS.len()]) -> Option<Step> {
    let [_, _, name, state, exit, started, ended, nodes, tasks, peak, cpu, usage] = fields;
    let count = |text: &str| text::number(text).and_then(|count| u32::try_from(count).ok());
    let ended = text::instant(ended).ok()?;
    let percent = text::amount(usage, "gres/gpuutil").and_then(count);
    let memory = text::amount(usage, "gres/gpumem").and_then(|size| text::size_mb(size, 0));
    Some(Step {
        id: id.to_owned(),
        name: name.chars().filter(|mark| !mark.is_control()).take(NAME_LENGTH_MAX).collect(),
        // `CANCELLED by 1000` names a login's number, which is nobody's business elsewhere.
        state: state.split(' ').next().unwrap_or_default().to_owned(),
        exit: Exit::from_pair(exit)
            .filter(|_| ended.is_some())
            .map(|exit| (exit.code, exit.signal)),
        started: text::instant(started).ok()?,
        ended,
        nodes: count(nodes).unwrap_or_default(),
        tasks: count(tasks).unwrap_or_default(),
        peak_memory_mb: text::size_mb(peak, 1),
        cpu_milliseconds: text::milliseconds(cpu),
        gpu_percent: percent,
        gpu_memory_mb: memory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Slurm 22.05.8 prints a job with two steps, of which the second runs on GPUs.
    const ANSWER: &str = "\
        7|ann|job|RUNNING|0:0|1795292697|Unknown|2||||\n\
        7.batch||batch|RUNNING|0:0|1795292697|Unknown|1|1|40000K|00:00.084|\n\
        7.0||prepare|CANCELLED by 1000|0:15|1795292698|1795292700|2|4|2000K|00:01.500|cpu=00:00:00,\
        gres/gpumem=0,gres/gpuutil=0\n\
        7.1||train|RUNNING|0:0|1795292700|Unknown|2|4|||cpu=00:00:09,gres/gpumem=31000M,\
        gres/gpuutil=87\n";

    fn read(text: &str) -> Vec<Told> {
        parse(text.replace('|', "<x>").as_bytes(), "<x>")
    }

    #[test]
    fn steps_are_told_with_what_the_cluster_measures() {
        let found = read(ANSWER);
        let [Told { id: SlurmId(7), user, steps }] = &found[..] else { panic!("{found:?}") };
        assert_eq!(user, "ann");
        let told: Vec<_> = steps.iter().map(|step| (&*step.id, &*step.state, step.exit)).collect();
        let expected =
            [("batch", "RUNNING", None), ("0", "CANCELLED", Some((0, 15))), ("1", "RUNNING", None)];
        assert_eq!(told, expected);
        assert_eq!((steps[0].peak_memory_mb, steps[0].cpu_milliseconds), (Some(40), Some(84)));
        assert_eq!((steps[2].gpu_percent, steps[2].gpu_memory_mb), (Some(87), Some(31_000)));
        assert_eq!((steps[0].gpu_percent, steps[2].peak_memory_mb), (None, None));
        assert_eq!((steps[2].nodes, steps[2].tasks), (2, 4));
    }

    proptest! {
        #[test]
        fn no_name_makes_a_step_that_is_not_there(name in "[ -~\n]{0,200}") {
            let lines: Vec<&str> = ANSWER.lines().take(2).collect();
            let text = lines.join("\n").replacen("|batch|", "|NAME|", 1);
            let found = parse(text.replace('|', "<x>").replace("NAME", &name).as_bytes(), "<x>");
            prop_assert_eq!(found.len(), 1);
            prop_assert!(found[0].id == SlurmId(7) && found[0].steps.len() <= 1);
        }
    }
}
