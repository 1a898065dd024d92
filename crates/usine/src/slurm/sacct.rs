//! `sacct`: jobs with what became of them. Steps are not shown: a hub does not know them.

mod fields;
mod instant;

use anyhow::{Result, bail};
use app::{Clock as _, SystemClock};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::account::Projects;
use super::job::{Asked, Job, State, ask, me};
use super::line::{Known, Line, flag, only_long, value};
use crate::remote::{Remote, wait};
use fields::{Column, Field};

static KNOWN: &[Known] = &[
    flag("allusers", 'a'),
    flag("allocations", 'X'),
    flag("brief", 'b'),
    flag("duplicates", 'D'),
    flag("helpformat", 'e'),
    flag("long", 'l'),
    flag("noheader", 'n'),
    flag("parsable", 'p'),
    flag("parsable2", 'P'),
    flag("truncate", 'T'),
    only_long(flag("noconvert", ' ')),
    only_long(value("name", ' ')),
    only_long(value("delimiter", ' ')),
    only_long(value("units", ' ')),
    value("accounts", 'A'),
    value("endtime", 'E'),
    value("format", 'o'),
    value("jobs", 'j'),
    value("partition", 'r'),
    value("starttime", 'S'),
    value("state", 's'),
    value("user", 'u'),
    value("nodelist", 'N'),
];

const USUAL: &str = "jobid,jobname,partition,account,alloccpus,state,exitcode";
const BRIEF: &str = "jobid,state,exitcode";

/// How lines are written.
enum Style {
    /// In columns, each with a blank behind it.
    Columns,
    /// With a mark between fields, and behind the last one where `trailing`.
    Marked { mark: String, trailing: bool },
}

pub(super) fn run(words: &[String], remote: impl FnOnce() -> Result<Remote>) -> Result<u8> {
    let line = Line::read(words, KNOWN)?;
    if line.has("helpformat") {
        println!("{}", Field::names().collect::<Vec<_>>().join(" "));
        return Ok(0);
    }
    let columns = columns(&line)?;
    let now = SystemClock.now().to_zoned(TimeZone::system());
    let span = span(&line, &now)?;
    for state in line.list("state").into_iter().flatten() {
        if !State::is_known(&state) {
            bail!("Invalid state specified: {state}");
        }
    }
    let remote = remote()?;
    wait(async {
        let numbers = line.list("jobs").map(|numbers| numbers.iter().map(|it| whole(it)).collect());
        let asked = Asked { numbers, open: false, since: span.0 };
        let mut jobs = ask(&remote, &asked).await?;
        let all = line.has("allusers") || line.has("user") || line.has("jobs");
        let mine = if all { None } else { Some(me(&remote).await?) };
        Projects::ask(&remote).await?.name(&mut jobs);
        jobs.retain(|job| is_asked_for(job, &line, span, mine.as_deref()));
        print(&jobs, &columns, &line, now.timestamp());
        Ok(0)
    })
}

/// A job's number without the step behind it.
fn whole(number: &str) -> String {
    number.split('.').next().unwrap_or(number).to_owned()
}

/// From when to when; since midnight where nothing is said, and at any time for jobs that are named.
fn span(line: &Line, now: &Zoned) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
    let read = |long: &str| match line.last(long) {
        None => Ok(None),
        Some(text) => instant::read(text, now).map(Some),
    };
    let (from, until) = (read("starttime")?, read("endtime")?);
    let midnight = now.start_of_day()?.timestamp();
    let usual = (!line.has("jobs")).then_some(midnight);
    Ok((from.or(usual), until))
}

fn is_asked_for(
    job: &Job,
    line: &Line,
    (_, until): (Option<Timestamp>, Option<Timestamp>),
    me: Option<&str>,
) -> bool {
    let one_of = |long: &str, value: &str| {
        line.list(long).is_none_or(|wanted| wanted.iter().any(|word| word == value))
    };
    let in_state =
        line.list("state").is_none_or(|states| states.iter().any(|state| job.state.is(state)));
    in_state
        && me.is_none_or(|me| job.person == me)
        && until.is_none_or(|until| job.submitted.is_none_or(|at| at <= until))
        && one_of("user", &job.user)
        && one_of("name", &job.name)
        && one_of("partition", &job.partition)
        && one_of("accounts", &job.project)
        && line
            .list("nodelist")
            .is_none_or(|nodes| job.node_names.iter().any(|node| nodes.contains(node)))
}

fn columns(line: &Line) -> Result<Vec<Column>> {
    let variable = std::env::var("SACCT_FORMAT").ok().filter(|format| !format.is_empty());
    let named: Vec<String> = match (line.list("format"), line.has("brief"), variable) {
        (Some(named), _, _) => named,
        (None, true, _) => BRIEF.split(',').map(str::to_owned).collect(),
        (None, false, Some(format)) => format.split(',').map(str::to_owned).collect(),
        (None, false, None) if line.has("long") => Field::names().map(str::to_owned).collect(),
        (None, false, None) => USUAL.split(',').map(str::to_owned).collect(),
    };
    named.iter().map(|term| Column::read(term)).collect()
}

fn print(jobs: &[Job], columns: &[Column], line: &Line, now: Timestamp) {
    let mark = || line.last("delimiter").unwrap_or("|").to_owned();
    let style = match (line.has("parsable2"), line.has("parsable")) {
        (true, _) => Style::Marked { mark: mark(), trailing: false },
        (false, true) => Style::Marked { mark: mark(), trailing: true },
        (false, false) => Style::Columns,
    };
    if !line.has("noheader") {
        println!("{}", style.head(columns));
        if matches!(style, Style::Columns) {
            println!("{}", style.line(columns, |column| "-".repeat(column.size)));
        }
    }
    for job in jobs {
        println!("{}", style.line(columns, |column| column.field.value(job, now)));
    }
}

impl Style {
    /// The line with the names of the fields.
    fn head(&self, columns: &[Column]) -> String {
        match self {
            Self::Columns => columns.iter().map(|column| format!("{} ", column.head())).collect(),
            Self::Marked { .. } => self.line(columns, |column| column.field.name().to_owned()),
        }
    }

    fn line(&self, columns: &[Column], value: impl Fn(&Column) -> String) -> String {
        match self {
            Self::Columns => {
                columns.iter().map(|column| format!("{} ", column.fit(&value(column)))).collect()
            }
            Self::Marked { mark, trailing } => {
                let values: Vec<String> = columns.iter().map(value).collect();
                let end = if *trailing { mark.as_str() } else { "" };
                format!("{}{end}", values.join(mark))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::job;
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn line(text: &str) -> Line {
        Line::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), KNOWN).unwrap()
    }

    fn done() -> Job {
        job(
            json!({ "state": "ended", "end": "failed exit 3", "nodes": ["n1"], "name": "a_long_name",
            "started_at": "2026-11-21T10:00:05Z", "ended_at": "2026-11-21T11:00:15Z" }),
        )
    }

    fn shown(text: &str) -> String {
        let line = line(text);
        let columns = columns(&line).unwrap();
        let style = Style::Columns;
        let now = Timestamp::UNIX_EPOCH;
        let lines = [
            style.head(&columns),
            style.line(&columns, |column| "-".repeat(column.size)),
            style.line(&columns, |column| column.field.value(&done(), now)),
        ];
        lines.map(|line| format!("|{line}|\n")).concat()
    }

    #[test]
    fn the_usual_columns_are_those_of_slurm() {
        expect![[r#"
            |JobID           JobName  Partition    Account  AllocCPUS      State ExitCode |
            |------------ ---------- ---------- ---------- ---------- ---------- -------- |
            |17           a_long_na+    lux.gpu          q          4     FAILED      3:0 |
        "#]]
        .assert_eq(&shown(""));
        expect![[r#"
            |     JobID JobName                   State |
            |---------- -------------------- ---------- |
            |        17 a_long_name              FAILED |
        "#]]
        .assert_eq(&shown("-o jobid%10,jobname%-20,state"));
    }

    #[test]
    fn fields_for_programs_have_a_mark_between_them() {
        let columns =
            columns(&line("-o JobID,State,NodeList,Elapsed,TimelimitRaw,AllocTRES")).unwrap();
        let value = |column: &Column| column.field.value(&done(), Timestamp::UNIX_EPOCH);
        let style = |trailing| Style::Marked { mark: "|".to_owned(), trailing };
        let expected = "17|FAILED|n1|01:00:10|60|cpu=4,mem=4G,node=1";
        assert_eq!(style(false).line(&columns, value), expected);
        assert_eq!(style(true).line(&columns, value), format!("{expected}|"));
    }

    #[test]
    fn unknown_fields_are_refused_by_name() {
        let wrong = columns(&line("-o jobid,banana")).unwrap_err().to_string();
        assert_eq!(wrong, "Invalid field requested: \"banana\"");
    }

    #[test]
    fn jobs_are_those_since_midnight_but_for_those_that_are_named() {
        let now: Zoned = "2026-11-21T15:00:00[Europe/Luxembourg]".parse().unwrap();
        let midnight = "2026-11-20T23:00:00Z".parse().ok();
        assert_eq!(span(&line(""), &now).unwrap(), (midnight, None));
        assert_eq!(span(&line("-j 17"), &now).unwrap(), (None, None));
        let given = span(&line("-S 2026-11-01 -E now"), &now).unwrap();
        assert_eq!(given, ("2026-10-31T23:00:00Z".parse().ok(), Some(now.timestamp())));
        assert!(span(&line("-S yesterweek"), &now).is_err());
    }
}
