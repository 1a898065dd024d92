//! Following a job: its state, what it writes, what it measures, until it ends.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::state;
use crate::command::segment;
use crate::exit::{Failure, Told};
use crate::output::{number, text};
use crate::remote::Remote;

/// How often a job is looked at.
const INTERVAL: Duration = Duration::from_millis(400);

/// Somebody who is told of a job's progress.
pub(crate) trait Follower {
    /// The job as it stands now.
    fn state(&mut self, job: &Value);
    /// What it wrote to standard output since.
    fn wrote(&mut self, text: &str);
    /// What it measured.
    fn measured(&mut self, metric: &Value);
}

/// A job that has ended.
pub(crate) struct Followed {
    /// It, with its outputs.
    pub(crate) job: Value,
}

/// Follows `id` until it has ended and everything it wrote and measured was told.
pub(crate) async fn follow(
    remote: &Remote,
    id: &str,
    follower: &mut impl Follower,
) -> Result<Followed> {
    let path = format!("/jobs/{}", segment(id));
    let (mut offset, mut cursor) = (0, None);
    loop {
        let job = remote.get(&path).await?;
        let ended = text(&job, "/state") == "ended";
        follower.state(&job);
        offset = tell_log(remote, &path, offset, follower).await?;
        cursor = tell_metrics(remote, &path, cursor, number(&job, "/metrics"), follower).await?;
        if ended {
            return Ok(Followed { job });
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn tell_log(
    remote: &Remote,
    path: &str,
    mut offset: i64,
    follower: &mut impl Follower,
) -> Result<i64> {
    loop {
        let piece = remote.get(&format!("{path}/log?offset={offset}")).await?;
        let next = number(&piece, "/next");
        if next <= offset {
            return Ok(offset);
        }
        follower.wrote(&text(&piece, "/text"));
        offset = next;
    }
}

/// How many metrics were told, and the cursor of the page they stood on.
type Position = Option<(i64, Option<String>)>;

async fn tell_metrics(
    remote: &Remote,
    path: &str,
    told: Position,
    all: i64,
    follower: &mut impl Follower,
) -> Result<Position> {
    let (mut count, mut cursor) = told.unwrap_or_default();
    while count < all {
        let after = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = remote.get(&format!("{path}/metrics?limit=200{after}")).await?;
        let items = crate::output::entries(&page, "/items");
        let seen = usize::try_from(count % 200).unwrap_or_default();
        for metric in items.iter().skip(seen) {
            follower.measured(metric);
            count += 1;
        }
        match page.pointer("/next").and_then(Value::as_str) {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(Some((count, cursor)))
}

/// Prints what a job wrote so far to one of its streams.
pub(super) async fn print_log(remote: &Remote, id: &str, stream: &str) -> Result<()> {
    let mut offset = 0;
    loop {
        let path = format!("/jobs/{}/log?stream={stream}&offset={offset}", segment(id));
        let piece = remote.get(&path).await?;
        if number(&piece, "/next") <= offset {
            return Ok(());
        }
        print!("{}", text(&piece, "/text"));
        std::io::stdout().flush()?;
        offset = number(&piece, "/next");
    }
}

/// An error with the meaning of how a job ended, unless it completed.
pub(crate) fn ended_well(job: &Value) -> Result<()> {
    match text(job, "/end").as_str() {
        "completed" => Ok(()),
        _ => {
            let reason = text(job, "/reason");
            let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            let message = format!(
                "the job ended as {}{why}\n  see what it wrote: usine job log {}",
                state(job),
                text(job, "/id")
            );
            Err(Told::new(Failure::Failed, message).into())
        }
    }
}

/// Prints a job's progress for somebody at a terminal.
#[derive(Default)]
pub(super) struct Printing {
    last: String,
}

impl Follower for Printing {
    fn state(&mut self, job: &Value) {
        let now = match (state(job), text(job, "/waits")) {
            (state, waits) if waits.is_empty() => state,
            (state, waits) => format!("{state}: {waits}"),
        };
        if now != self.last {
            eprintln!("{} {now}", text(job, "/name"));
            self.last = now;
        }
    }

    fn wrote(&mut self, text: &str) {
        print!("{text}");
        // A closed output is noticed by the next print.
        let _ = std::io::stdout().flush();
    }

    fn measured(&mut self, metric: &Value) {
        let value = metric.pointer("/value").and_then(Value::as_f64).unwrap_or_default();
        eprintln!("  step {:>6}  {} {value:.4}", number(metric, "/step"), text(metric, "/name"));
    }
}
