//! `scancel`: asks for the end of jobs.

use anyhow::{Result, bail};
use serde_json::json;

use super::account::Projects;
use super::job::{Asked, Job, State, ask, me};
use super::line::{Known, Line, flag, only_long, value};
use crate::command::segment;
use crate::remote::{Remote, wait};

static KNOWN: &[Known] = &[
    flag("batch", 'b'),
    flag("ctld", ' '),
    flag("full", 'f'),
    flag("hurry", 'H'),
    flag("quiet", 'Q'),
    flag("verbose", 'v'),
    only_long(flag("me", ' ')),
    value("account", 'A'),
    value("name", 'n'),
    value("jobname", ' '),
    value("partition", 'p'),
    value("signal", 's'),
    value("state", 't'),
    value("user", 'u'),
    value("nodelist", 'w'),
];

/// Signals that end a job; no other is carried to a site.
const ENDS: [&str; 8] = ["KILL", "SIGKILL", "9", "TERM", "SIGTERM", "15", "INT", "SIGINT"];

pub(super) fn run(words: &[String], remote: impl FnOnce() -> Result<Remote>) -> Result<u8> {
    let line = Line::read(words, KNOWN)?;
    check(&line)?;
    let numbers = expanded(&line.operands)?;
    let remote = remote()?;
    wait(async {
        let mine = if line.has("me") { Some(me(&remote).await?) } else { None };
        let wanted = (!numbers.is_empty()).then(|| numbers.clone());
        let asked = Asked { numbers: wanted, open: false, since: None };
        let mut jobs = match numbers.is_empty() {
            true => ask(&remote, &Asked { open: true, ..asked }).await?,
            false => ask(&remote, &asked).await?,
        };
        let mut code = 0;
        for number in numbers.iter().filter(|number| !jobs.iter().any(|job| is(job, number))) {
            eprintln!(
                "scancel: error: Kill job error on job id {number}: Invalid job id specified"
            );
            code = 1;
        }
        if line.has("account") {
            Projects::ask(&remote).await?.name(&mut jobs);
        }
        jobs.retain(|job| job.ended.is_none() && is_asked_for(job, &line, mine.as_deref()));
        for job in jobs {
            if line.has("verbose") {
                eprintln!("scancel: Terminating job {}", job.shown());
            }
            let answer =
                remote.post(&format!("/jobs/{}/cancel", segment(&job.id)), &json!({})).await;
            if let Err(error) = answer {
                let number = job.shown();
                eprintln!("scancel: error: Kill job error on job id {number}: {error}");
                code = 1;
            }
        }
        Ok(code)
    })
}

/// Refuses what nothing follows from, or what no site would be told.
fn check(line: &Line) -> Result<()> {
    if let Some(signal) = line.last("signal")
        && !ENDS.contains(&signal.to_uppercase().as_str())
    {
        bail!("only signals that end a job are carried to its site, such as TERM and KILL");
    }
    for state in line.list("state").into_iter().flatten() {
        if !State::is_known(&state) {
            bail!("Invalid job state specified: {state}");
        }
    }
    let filters = ["me", "account", "name", "jobname", "partition", "state", "user", "nodelist"];
    if line.operands.is_empty() && !filters.iter().any(|filter| line.has(filter)) {
        bail!("No job identification provided");
    }
    Ok(())
}

/// Whether a job goes by a number, its own or that of its array.
fn is(job: &Job, number: &str) -> bool {
    job.number.to_string() == number
        || job.shown() == number
        || job.array_number().to_string() == number
}

fn is_asked_for(job: &Job, line: &Line, me: Option<&str>) -> bool {
    let one_of = |long: &str, value: &str| {
        line.list(long).is_none_or(|wanted| wanted.iter().any(|word| word == value))
    };
    let in_state =
        line.list("state").is_none_or(|states| states.iter().any(|state| job.state.is(state)));
    in_state
        && me.is_none_or(|me| job.person == me)
        && one_of("user", &job.user)
        && one_of("name", &job.name)
        && one_of("jobname", &job.name)
        && one_of("partition", &job.partition)
        && one_of("account", &job.project)
        && line
            .list("nodelist")
            .is_none_or(|nodes| job.node_names.iter().any(|node| nodes.contains(node)))
}

/// Numbers as they are written, `17_[1-3,5]` taken apart.
fn expanded(operands: &[String]) -> Result<Vec<String>> {
    let mut numbers = Vec::new();
    for word in operands.iter().flat_map(|operand| words(operand)) {
        let several = word.strip_suffix(']').and_then(|word| word.split_once("_["));
        let Some((array, list)) = several else {
            if word.parse::<jobs::JobNumber>().is_err() {
                bail!("Invalid job id {word}");
            }
            numbers.push(word);
            continue;
        };
        let indices: jobs::ArraySpec =
            list.parse().map_err(|_| anyhow::anyhow!("Invalid job id {word}"))?;
        numbers.extend(indices.indices().iter().map(|index| format!("{array}_{index}")));
    }
    Ok(numbers)
}

/// Words with commas between them, but for those in brackets.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut within = false;
    for mark in text.chars() {
        within = (within || mark == '[') && mark != ']';
        match (mark, words.last_mut()) {
            (',', _) if !within => words.push(String::new()),
            (mark, Some(word)) => word.push(mark),
            (_, None) => {}
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::job::tests::job;
    use super::*;

    fn line(text: &str) -> Line {
        Line::read(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), KNOWN).unwrap()
    }

    #[test]
    fn numbers_elements_and_ranges_of_them_are_taken() {
        let read = |text: &str| expanded(&[text.to_owned()]).map_err(|error| error.to_string());
        assert_eq!(read("17,18_2").unwrap(), ["17", "18_2"]);
        assert_eq!(read("17_[1-3,5]").unwrap(), ["17_1", "17_2", "17_3", "17_5"]);
        assert_eq!(read("x").unwrap_err(), "Invalid job id x");
        assert!(read("17_[x]").is_err());
    }

    #[test]
    fn nothing_ends_by_accident() {
        assert_eq!(check(&line("")).unwrap_err().to_string(), "No job identification provided");
        assert!(check(&line("--me")).is_ok());
        assert!(check(&line("-s USR1 17")).is_err());
        assert!(check(&line("--signal=KILL 17")).is_ok());
        assert!(check(&line("-t banana")).is_err());
    }

    #[test]
    fn filters_hold_together() {
        let job = job(serde_json::json!({ "state": "running" }));
        let asked = |text: &str| is_asked_for(&job, &line(text), Some("p"));
        assert!(asked("-u ada,bob -n train -t R"));
        assert!(!asked("-u ada -n other"));
        assert!(!asked("-t PENDING"));
        assert!(!is_asked_for(&job, &line("--me"), Some("somebody else")));
    }
}
