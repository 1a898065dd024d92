//! `sacct`: what the accounting knows. It hears of an end some seconds late.

use units::Timestamp;

use super::columns::{Columns, lines};
use super::list;
use crate::slurm::process::Invocation;
use crate::slurm::state::{self, Exit};
use crate::slurm::text;
use crate::slurm::transport::{Accounted, MARK_LENGTH, SlurmId, marked};

const TABLE: Columns<11> = Columns::new(
    [
        ("JobIDRaw", 24),
        ("User", 40),
        ("State", 32),
        ("ExitCode", 10),
        ("Submit", 20),
        ("Start", 20),
        ("End", 20),
        ("AllocNodes", 10),
        ("MaxRSS", 16),
        ("TotalCPU", 20),
        ("Comment", MARK_LENGTH),
    ],
    1,
);

/// Asks for these jobs, each run of them, back to the beginning of the accounting.
pub(super) fn build_for(ids: &[SlurmId]) -> Invocation {
    build(["--allusers".to_owned(), "--duplicates".to_owned(), format!("--jobs={}", list(ids))])
}

/// Asks for the jobs of a user since an instant.
pub(super) fn build_since(user: &str, since: Timestamp) -> Invocation {
    let since = since.strftime("--starttime=%Y-%m-%dT%H:%M:%S").to_string();
    build(["--duplicates".to_owned(), format!("--user={user}"), since])
}

fn build(which: [String; 3]) -> Invocation {
    let table = ["--noheader".to_owned(), format!("--format={}", TABLE.format("%-"))];
    Invocation::new("sacct", table.into_iter().chain(which))
}

/// The runs, each with what its steps used; lines that are none are passed over.
pub(super) fn parse(answer: &[u8]) -> Vec<Accounted> {
    let mut found: Vec<Accounted> = Vec::new();
    for fields in lines(answer).filter_map(|line| TABLE.split(line)) {
        let [id, ..] = fields;
        match id.split_once('.') {
            None => found.extend(run(fields)),
            Some((id, _)) => {
                // Steps follow their job.
                let whose = found.last_mut().filter(|run| run.id.0.to_string() == id);
                if let Some(run) = whose {
                    run.peak_memory_mb = run.peak_memory_mb.max(peak_mb(fields));
                }
            }
        }
    }
    found
}

fn run(fields: [&str; 11]) -> Option<Accounted> {
    let [id, user, word, exit, submitted, started, ended, nodes, _, cpu, comment] = fields;
    let held_nodes = text::number(nodes).is_some_and(|nodes| nodes > 0);
    Some(Accounted {
        id: SlurmId(id.parse().ok()?),
        job: marked(comment),
        user: user.to_owned(),
        phase: state::phase(word),
        exit: Exit::from_pair(exit),
        submitted: text::instant(submitted).ok()?,
        // A job that was cancelled in the queue is told with a start that is its end.
        started: text::instant(started).ok()?.filter(|_| held_nodes),
        ended: text::instant(ended).ok()?,
        peak_memory_mb: peak_mb(fields),
        cpu_milliseconds: text::milliseconds(cpu),
    })
}

fn peak_mb(fields: [&str; 11]) -> Option<u64> {
    let [.., peak, _, _] = fields;
    text::size_mb(peak, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slurm::state::{Close, Phase};
    use jobs::life::End;
    use proptest::prelude::*;

    /// Lines as Slurm 22.05.8 prints them.
    fn answer(rows: &[[&str; 11]]) -> String {
        let widths = [24, 40, 32, 10, 20, 20, 20, 10, 16, 20, MARK_LENGTH];
        let line = |row: &[&str; 11]| {
            let fields = row.iter().zip(widths).map(|(field, width)| format!("{field:width$} "));
            fields.collect::<String>() + "\n"
        };
        rows.iter().map(line).collect()
    }

    const MARK: &str = "usine:0189abcd-0000-7000-8000-000000000004";

    #[test]
    fn a_run_is_told_with_the_peak_of_its_steps() {
        let text = answer(&[
            [
                "7",
                "ann",
                "COMPLETED",
                "0:0",
                "1795292690",
                "1795292697",
                "1795292712",
                "2",
                "",
                "00:00.084",
                MARK,
            ],
            [
                "7.batch",
                "",
                "COMPLETED",
                "0:0",
                "1795292697",
                "1795292697",
                "1795292712",
                "1",
                "40000K",
                "00:00.084",
                "",
            ],
            [
                "7.0",
                "",
                "COMPLETED",
                "0:0",
                "1795292697",
                "1795292697",
                "1795292712",
                "2",
                "2000K",
                "00:00.084",
                "",
            ],
        ]);
        let found = parse(text.as_bytes());
        let [run] = &found[..] else { panic!("{found:?}") };
        assert_eq!(run.job.unwrap().to_string(), "0189abcd-0000-7000-8000-000000000004");
        assert_eq!(run.phase, Ok(Phase::Over(Close::Completed)));
        assert_eq!((run.peak_memory_mb, run.cpu_milliseconds), (Some(40), Some(84)));
        assert_eq!(run.started.unwrap().as_second(), 1_795_292_697);
    }

    #[test]
    fn a_job_that_was_cancelled_in_the_queue_never_started() {
        let text = answer(&[
            [
                "5",
                "ann",
                "CANCELLED by 0",
                "0:0",
                "1795292455",
                "1795292455",
                "1795292455",
                "0",
                "",
                "00:00:00",
                MARK,
            ],
            [
                "6",
                "ben",
                "PENDING",
                "0:0",
                "1795292455",
                "Unknown",
                "Unknown",
                "0",
                "",
                "00:00:00",
                "",
            ],
        ]);
        let found = parse(text.as_bytes());
        let [cancelled, waiting] = &found[..] else { panic!("{found:?}") };
        assert_eq!(cancelled.phase, Ok(Phase::Over(Close::Plain(End::Cancelled))));
        assert_eq!((cancelled.started, waiting.started, waiting.ended), (None, None, None));
        assert_eq!(waiting.job, None);
    }

    #[test]
    fn a_line_within_a_comment_is_passed_over() {
        let honest = answer(&[[
            "2",
            "ben",
            "FAILED",
            "3:0",
            "1795292165",
            "1795292165",
            "1795292165",
            "1",
            "",
            "00:00.002",
            "x",
        ]]);
        let text = honest.trim_end().to_owned() + "\n7 ann COMPLETED\n";
        assert_eq!(parse(text.as_bytes()).len(), 0, "the last column was cut off by the trick");
        assert_eq!(parse((honest + "7 ann COMPLETED 0:0 1 1 1 1 x\n").as_bytes()).len(), 1);
    }

    #[test]
    fn it_is_asked_for_every_run_of_the_jobs() {
        let asked = build_for(&[SlurmId(7), SlurmId(8)]);
        assert!(asked.arguments.contains(&"--jobs=7,8".to_owned()));
        assert!(asked.arguments.contains(&"--duplicates".to_owned()));
        let asked = build_since("ann", "2026-11-21T20:00:00Z".parse().unwrap());
        assert!(asked.arguments.contains(&"--starttime=2026-11-21T20:00:00".to_owned()));
        assert!(!asked.arguments.contains(&"--allusers".to_owned()));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..900)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_field_makes_it_fail(field in "[ -~]{0,16}", at in 0_usize..11) {
            let mut row = ["7", "ann", "COMPLETED", "0:0", "1", "1", "2", "1", "1K", "00:00.1", MARK];
            row[at] = &field;
            let _ = parse(answer(&[row]).as_bytes());
        }
    }
}
