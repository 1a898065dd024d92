//! `sacct` for a time: what everybody's jobs held, to be charged.
//!
//! What stands between the columns is a word that nobody could have foreseen, so that no comment,
//! whatever lines are in it, can pass for a row.

use jiff::tz::TimeZone;
use twin::slurm::{RUN_COLUMNS, Runs};
use units::Timestamp;
use uuid::Uuid;

use crate::Error;
use crate::accounts::Accounted;
use crate::slurm::process::Invocation;
use crate::slurm::transport::marked;

/// A word to stand between the columns of one answer.
pub(super) fn between() -> String {
    format!("<{}>", Uuid::new_v4().simple())
}

/// Asks for every run that held something from `from` to `to`.
pub(super) fn build((from, to): (Timestamp, Timestamp), between: &str) -> Invocation {
    let at = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let flags = ["--allusers", "--allocations", "--duplicates", "--parsable2"];
    let told = [
        format!("--delimiter={between}"),
        format!("--format={RUN_COLUMNS},Comment"),
        format!("--starttime={}", at(from)),
        format!("--endtime={}", at(to)),
    ];
    Invocation::new("sacct", flags.map(str::to_owned).into_iter().chain(told))
}

/// The runs that began, or ended without having begun.
///
/// # Errors
/// When the answer is not one of `sacct`.
pub(super) fn parse(answer: &[u8], between: &str) -> Result<Vec<Accounted>, Error> {
    let unclear = |error: twin::trace::TraceError| Error::Unclear {
        asked: "sacct".into(),
        answer: error.to_string(),
    };
    let plain = plain(&String::from_utf8_lossy(answer), between);
    let mut runs = Runs::open(plain.as_bytes(), TimeZone::UTC).map_err(unclear)?;
    let mut found = Vec::new();
    while let Some(run) = runs.next_run().map_err(unclear)? {
        if run.started.is_some() || run.ended.is_some() {
            let job = run.comment.as_deref().and_then(marked);
            found.push(Accounted { run, job });
        }
    }
    Ok(found)
}

/// The rows as `sacct` prints them by itself, without what users wrote.
fn plain(answer: &str, between: &str) -> String {
    let width = RUN_COLUMNS.split(',').count() + 1;
    let mut text = String::with_capacity(answer.len());
    for line in answer.lines() {
        let mut fields: Vec<&str> = line.split(between).collect();
        // Lines within a comment have no column but the last.
        if fields.len() != width || fields.iter().rev().skip(1).any(|field| field.contains('|')) {
            continue;
        }
        if let Some(comment) = fields.last_mut()
            && !text.is_empty()
            && marked(comment).is_none()
        {
            *comment = "";
        }
        text.push_str(&fields.join("|"));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MARK: &str = "usine:0189abcd-0000-7000-8000-000000000004";

    fn answer(rows: &[&str]) -> String {
        let heading = format!("{RUN_COLUMNS},Comment").replace(',', "<x>");
        rows.iter().fold(heading, |text, row| format!("{text}\n{row}"))
    }

    fn row(number: u32, comment: &str) -> String {
        let row =
            "|100|110|170|COMPLETED|60|00:00:00|5|cpu=2,node=1||ann|a|p|c|".replace('|', "<x>");
        format!("{number}<x>{number}{row}{comment}")
    }

    fn numbers(text: &str) -> Vec<(u64, bool)> {
        let found = parse(text.as_bytes(), "<x>").unwrap();
        found.iter().map(|it| (it.run.number, it.job.is_some())).collect()
    }

    #[test]
    fn runs_are_told_with_the_mark_of_those_that_are_ours() {
        let waiting = "9|9|100|Unknown|Unknown|PENDING|0|00:00:00|5|||ann|a|p|c|";
        let text = answer(&[&row(7, MARK), &row(8, "nice job"), &waiting.replace('|', "<x>")]);
        assert_eq!(numbers(&text), [(7, true), (8, false)]);
    }

    #[test]
    fn no_comment_passes_for_a_row_whatever_stands_in_it() {
        let forged = row(99, MARK).replace("<x>", "|");
        let text = format!("{}\n{forged}\n|||{forged}", answer(&[&row(7, "a | b")]));
        assert_eq!(numbers(&text), [(7, false)]);
    }

    #[test]
    fn it_is_asked_for_everybody_and_for_each_run_in_a_time_of_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let asked = build((at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")), "<x>");
        for expected in [
            "--allusers",
            "--duplicates",
            "--allocations",
            "--delimiter=<x>",
            "--starttime=2026-10-25T00:30:00",
            "--endtime=2026-10-25T01:30:00",
        ] {
            assert!(asked.arguments.contains(&expected.to_owned()), "{expected}");
        }
        assert_ne!(between(), between());
    }

    #[test]
    fn an_answer_that_is_none_is_not_taken_for_one_without_runs() {
        assert!(parse(b"", "<x>").is_err());
        assert!(parse(b"sacct: error: slurmdbd is away\n", "<x>").is_err());
    }

    proptest! {
        #[test]
        fn no_comment_makes_a_run_that_is_not_there(comment in "[ -~\n]{0,200}") {
            let text = answer(&[&row(7, &comment)]);
            prop_assert!(numbers(&text).iter().all(|(number, _)| *number == 7));
        }
    }
}
