//! `squeue`: jobs that have not ended.

mod fields;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use anyhow::{Result, bail};
use app::{Clock as _, SystemClock};

use super::account::Projects;
use super::job::{Asked, Job, State, ask, me};
use super::line::{Known, Line, flag, only_long, value};
use super::table::{Piece, Width, pieces, written};
use super::text::ranges;
use crate::remote::{Remote, wait};
use fields::Field;

static KNOWN: &[Known] = &[
    flag("all", 'a'),
    flag("array", 'r'),
    flag("noheader", 'h'),
    flag("long", 'l'),
    flag("verbose", 'v'),
    only_long(flag("me", ' ')),
    only_long(flag("noconvert", ' ')),
    only_long(flag("array-unique", ' ')),
    value("account", 'A'),
    value("jobs", 'j'),
    value("format", 'o'),
    value("Format", 'O'),
    value("name", 'n'),
    value("partition", 'p'),
    value("sort", 'S'),
    value("states", 't'),
    value("user", 'u'),
    value("nodelist", 'w'),
];

const USUAL: &str = "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R";
const LONG: &str = "%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R";

/// A column of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Field(Field, Width),
    Text(String),
}

/// One line: a job, or the elements of an array that wait alike.
pub(super) struct Row<'j> {
    job: &'j Job,
    /// The indices of all elements that the line stands for, when there are several.
    waiting: Vec<u64>,
}

pub(super) fn run(words: &[String], remote: impl FnOnce() -> Result<Remote>) -> Result<u8> {
    let line = Line::read(words, KNOWN)?;
    let columns = columns(&line)?;
    let states = states(&line)?;
    let remote = remote()?;
    wait(async {
        let open = states.as_ref().is_none_or(|states| {
            states.iter().all(|word| {
                ["PENDING", "PD", "RUNNING", "R"].contains(&word.to_uppercase().as_str())
            })
        });
        let numbers = line.list("jobs");
        let asked = Asked { numbers, open, since: None };
        let mut jobs = ask(&remote, &asked).await?;
        if let (true, Some([only])) =
            (jobs.is_empty() && states.is_none(), asked.numbers.as_deref())
        {
            // A job that has ended is not shown, and no mistake; one that never was is one.
            let all = Asked { numbers: Some(vec![only.clone()]), ..Asked::default() };
            if ask(&remote, &all).await?.is_empty() {
                println!("slurm_load_jobs error: Invalid job id specified");
                return Ok(1);
            }
        }
        let mine = if line.has("me") { Some(me(&remote).await?) } else { None };
        let shows_account = |column: &Column| matches!(column, Column::Field(Field::Account, _));
        if line.has("account") || columns.iter().any(shows_account) {
            Projects::ask(&remote).await?.name(&mut jobs);
        }
        jobs.retain(|job| is_asked_for(job, &line, states.as_deref(), mine.as_deref()));
        print(&jobs, &columns, &line)?;
        Ok(0)
    })
}

/// The states that are asked for; those of jobs that have not ended when nothing is said.
fn states(line: &Line) -> Result<Option<Vec<String>>> {
    let named = line.list("states").or_else(|| {
        let named = std::env::var("SQUEUE_STATES").ok().filter(|named| !named.is_empty())?;
        Some(named.split(',').map(str::to_owned).collect())
    });
    for word in named.iter().flatten() {
        if !word.eq_ignore_ascii_case("all") && !State::is_known(word) {
            bail!("Invalid job state specified: {word}");
        }
    }
    Ok(named)
}

fn is_asked_for(job: &Job, line: &Line, states: Option<&[String]>, me: Option<&str>) -> bool {
    let one_of = |long: &str, value: &str| {
        line.list(long).is_none_or(|wanted| wanted.iter().any(|word| word == value))
    };
    let in_state = match states {
        None => ["PENDING", "RUNNING"].contains(&job.state.0),
        Some(states) => {
            states.iter().any(|word| word.eq_ignore_ascii_case("all") || job.state.is(word))
        }
    };
    in_state
        && me.is_none_or(|me| job.person == me)
        && one_of("user", &job.user)
        && one_of("name", &job.name)
        && one_of("partition", &job.partition)
        && one_of("account", &job.project)
        && line
            .list("nodelist")
            .is_none_or(|nodes| job.node_names.iter().any(|node| nodes.contains(node)))
}

fn columns(line: &Line) -> Result<Vec<Column>> {
    if let Some(list) = line.last("Format") {
        return long_columns(list);
    }
    let variable = std::env::var("SQUEUE_FORMAT").ok().filter(|format| !format.is_empty());
    let usual = if line.has("long") { LONG } else { USUAL };
    let format = line.last("format").map(str::to_owned).or(variable);
    let mut columns = Vec::new();
    for piece in pieces(format.as_deref().unwrap_or(usual)) {
        columns.push(match piece {
            Piece::Text(text) => Column::Text(text),
            Piece::Field(letter, width) => match Field::of_letter(letter) {
                Some(field) => Column::Field(field, width),
                None => bail!("Invalid job format specification: {letter}"),
            },
        });
    }
    Ok(columns)
}

/// The columns of `-O`: names with commas between, each twenty wide where nothing is said.
fn long_columns(list: &str) -> Result<Vec<Column>> {
    let column = |term: &str| {
        let (name, width) = match term.split_once(':') {
            Some((name, width)) => (name, written(width)),
            None => (term, written("20")),
        };
        match (Field::of_name(name), width) {
            (Some(field), Some(width)) => Ok(Column::Field(field, width)),
            _ => bail!("Invalid job format specification: {term}"),
        }
    };
    list.split(',').map(|term| column(term.trim())).collect()
}

fn print(jobs: &[Job], columns: &[Column], line: &Line) -> Result<()> {
    let mut rows = if line.has("array") {
        jobs.iter().map(|job| Row { job, waiting: Vec::new() }).collect()
    } else {
        gathered(jobs)
    };
    sort(&mut rows, line.last("sort"))?;
    let now = SystemClock.now();
    if !line.has("noheader") {
        println!("{}", shown(columns, |field| field.header().to_owned()));
    }
    for row in &rows {
        println!("{}", shown(columns, |field| field.value(row, now)));
    }
    Ok(())
}

fn shown(columns: &[Column], value: impl Fn(Field) -> String) -> String {
    let piece = |column: &Column| match column {
        Column::Text(text) => text.clone(),
        Column::Field(field, width) => width.fit(&value(*field)),
    };
    columns.iter().map(piece).collect()
}

/// Jobs as they are listed: elements of an array that wait for the same reason in one line.
fn gathered(jobs: &[Job]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    let mut places = BTreeMap::new();
    for job in jobs {
        let index = job.element.filter(|_| job.state.0 == "PENDING").map(|(_, index)| index);
        let Some(index) = index else {
            rows.push(Row { job, waiting: Vec::new() });
            continue;
        };
        let place = *places.entry((job.array_number(), &job.reason)).or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => row.waiting.push(index),
            None => rows.push(Row { job, waiting: vec![index] }),
        }
    }
    rows
}

impl Row<'_> {
    /// How the line names what it stands for.
    fn shown(&self) -> String {
        match self.waiting.as_slice() {
            [] => self.job.shown(),
            indices => format!("{}_[{}]", self.job.array_number(), ranges(indices, 0)),
        }
    }
}

/// What waits before what runs, as Slurm does by itself, or by the fields that are named.
fn sort(rows: &mut [Row<'_>], by: Option<&str>) -> Result<()> {
    let variable = std::env::var("SQUEUE_SORT").ok().filter(|sort| !sort.is_empty());
    let by = by.map(str::to_owned).or(variable).unwrap_or_else(|| "P,t".to_owned());
    let mut keys = Vec::new();
    for term in by.split(',').map(str::trim).filter(|term| !term.is_empty()) {
        let (descends, name) = match term.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, term.strip_prefix('+').unwrap_or(term)),
        };
        let mut letters = name.chars();
        let field = match (letters.next(), letters.next()) {
            (Some(letter), None) => Field::of_letter(letter),
            _ => None,
        };
        match field {
            Some(field) => keys.push((field, descends)),
            None => bail!("Invalid sort specification: {name}"),
        }
    }
    let now = SystemClock.now();
    rows.sort_by(|a, b| {
        let compared = keys.iter().map(|(field, descends)| {
            let order = field.compare(a, b, now);
            if *descends { order.reverse() } else { order }
        });
        compared.fold(Ordering::Equal, Ordering::then)
    });
    Ok(())
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

    fn array() -> Vec<Job> {
        let element = |index: u64, state: &str| {
            let array = json!({ "id": "a", "number": 20, "index": index });
            let number = 21 + index;
            job(
                json!({ "number": number, "name": "a_long_name_of_a_job", "array": array, "state": state }),
            )
        };
        let nodes = json!({ "number": 18, "state": "running", "nodes": ["n2", "n1"],
            "started_at": "2026-11-21T10:00:01Z" });
        vec![
            job(nodes),
            element(0, "ended"),
            element(1, "held"),
            element(2, "held"),
            element(4, "queued"),
        ]
    }

    fn listed(text: &str) -> String {
        let line = line(text);
        let columns = columns(&line).unwrap();
        let mut jobs = array();
        jobs.retain(|job| is_asked_for(job, &line, states(&line).unwrap().as_deref(), None));
        let mut rows = if line.has("array") {
            jobs.iter().map(|job| Row { job, waiting: vec![] }).collect()
        } else {
            gathered(&jobs)
        };
        sort(&mut rows, line.last("sort")).unwrap();
        let now = "2026-11-21T10:02:06Z".parse().unwrap();
        let lines = rows.iter().map(|row| shown(&columns, |field| field.value(row, now)));
        let header = shown(&columns, |field| field.header().to_owned());
        std::iter::once(header).chain(lines).map(|line| format!("|{line}|\n")).collect()
    }

    #[test]
    fn the_usual_columns_are_those_of_slurm() {
        expect![[r#"
            |             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)|
            |          20_[1-2]   lux.gpu a_long_n      ada PD       0:00      1 (JobArrayTaskLimit)|
            |            20_[4]   lux.gpu a_long_n      ada PD       0:00      1 (None)|
            |                18   lux.gpu    train      ada  R       2:05      1 n[1-2]|
        "#]]
        .assert_eq(&listed(""));
    }

    #[test]
    fn formats_widths_and_names_are_taken_as_slurm_takes_them() {
        expect![[r#"
            |JOBID|JOBID|STATE|TIME_LEFT|
            |18|18|RUNNING|57:55|
            |20_1|22|PENDING|1:00:00|
            |20_2|23|PENDING|1:00:00|
            |20_4|25|PENDING|1:00:00|
        "#]]
        .assert_eq(&listed("-r -S i -o %i|%A|%T|%L"));
        expect![[r#"
            |JOBID     NAME     STATEMIN_MEMORY          |
            |18        train  RUNNING4G                  |
            |25        a_lon  PENDING4G                  |
        "#]]
        .assert_eq(&listed("-S -T -j 1 -t R,PD -O jobid:10,name:5,state:.9,minmemory:20 -n train,a_long_name_of_a_job -r")
            .lines().filter(|line| !line.starts_with("|22") && !line.starts_with("|23")).map(|line| format!("{line}\n")).collect::<String>());
    }

    #[test]
    fn what_is_not_a_field_or_a_state_is_refused_by_name() {
        let wrong = |text: &str| columns(&line(text)).unwrap_err().to_string();
        assert_eq!(wrong("-o %~"), "Invalid job format specification: ~");
        assert_eq!(wrong("-O banana"), "Invalid job format specification: banana");
        assert!(states(&line("-t banana")).is_err());
        assert!(states(&line("-t R,suspended,all")).is_ok());
        assert!(sort(&mut [], Some("banana")).is_err());
    }
}
