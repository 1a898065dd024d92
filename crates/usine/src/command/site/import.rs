//! `usine site import`: years of a site's accounting, charged to the allocations of its accounts.
//!
//! The text is read twice: first to its end, so that what cannot be meant is told with its line
//! before anything is charged; then it is sent in portions, a few at once. Whoever is interrupted
//! begins again: the hub knows each run by its cluster, number and submission, and charges none twice,
//! in whatever order they come.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use ::jobs::AccountPrefix;
use ::site::protocol::{RUNS_MAX, Run as ToldRun};
use anyhow::{Context, Result};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use twin::slurm::{RUN_COLUMNS, Run, Runs};
use units::{AllocationId, Timestamp};

use crate::command::{Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{number, step_bar};
use crate::remote::Remote;

/// Portions that are on their way at once: while the hub writes one down, others are read and sent.
const AT_ONCE: usize = 4;

/// What is to be imported.
#[derive(clap::Args)]
pub(crate) struct Import {
    /// The site's name.
    name: String,
    /// What `sacct -X -D -P` printed with a heading; or the word `sacct`, to ask it here and now.
    source: PathBuf,
    /// The allocation whose hours the jobs of an account used; once for each account.
    #[arg(long = "account", value_name = "NAME=ALLOCATION", value_parser = named)]
    accounts: Vec<(String, AllocationId)>,
    /// The cluster's name, where the text has no column `Cluster`.
    #[arg(long)]
    cluster: Option<String>,
    /// The time zone of dates in the text; seconds since 1970 (`SLURM_TIME_FORMAT=%s`) need none.
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Since when `sacct` is asked, as 2024-01-01.
    #[arg(long, value_name = "DAY", default_value = "2010-01-01")]
    since: String,
}

/// An account and its allocation.
fn named(text: &str) -> Result<(String, AllocationId), String> {
    let (account, id) = text.split_once('=').ok_or("write it as ACCOUNT=ALLOCATION")?;
    let id = id.parse().map_err(|error: units::NotAnId| error.to_string())?;
    Ok((account.to_owned(), id))
}

/// Which runs of a text are sent.
struct Wanted {
    accounts: BTreeMap<String, AllocationId>,
    prefix: AccountPrefix,
}

impl Wanted {
    /// Those that are over and whose account stands for an allocation.
    fn has(&self, run: &Run) -> bool {
        let known = self.accounts.contains_key(&run.account) || self.prefix.claims(&run.account);
        known && run.ended.is_some()
    }
}

/// Imports it.
pub(super) async fn import(session: &Session, remote: &Remote, asked: &Import) -> Result<()> {
    let zone = TimeZone::get(&asked.zone);
    let zone = zone.map_err(|_| invalid(format!("`{}` is not a time zone", asked.zone)))?;
    let (mut file, name) = source(asked)?;
    let mut to = Receiver::of(remote, asked);
    let accounts = asked.accounts.iter().cloned().collect();
    let wanted = Wanted { accounts, prefix: to.prefix().await? };
    let begun = Instant::now();
    let found = counted(&file, &name, &zone, &wanted)?;
    let seconds = begun.elapsed().as_secs_f64();
    tell(session, &format!("{} runs read in {seconds:.1} s, {} to send", found.read, found.wanted));
    let cluster = asked.cluster.clone().or(found.cluster);
    let cluster = cluster.ok_or_else(|| {
        invalid("the text does not say of which cluster it is: give --cluster NAME".to_owned())
    })?;
    file.rewind().context("cannot read the text again")?;
    let runs = Runs::open(BufReader::with_capacity(1 << 20, &file), zone);
    let runs = runs.map_err(|error| at(&name, &error))?;
    to.cluster = cluster;
    let begun = Instant::now();
    let mut portions = Portions { runs, wanted: &wanted, name: &name };
    let sums = send(&to, &mut portions, &step_bar(found.wanted, "charging")).await?;
    let [taken, repeated, passed_over] = sums;
    let done = json!({
        "read": found.read, "taken": taken, "repeated": repeated, "passed_over": passed_over,
        "seconds": begun.elapsed().as_secs(),
    });
    session.audience.show(&done, |done: &Value| {
        println!(
            "{} runs charged, {} known before, {} not the hub's",
            number(done, "/taken"),
            number(done, "/repeated"),
            number(done, "/passed_over"),
        );
    })
}

/// Whom portions are sent to, with what they have in common.
struct Receiver<'r> {
    remote: &'r Remote,
    path: String,
    cluster: String,
    accounts: BTreeMap<&'r str, String>,
}

impl<'r> Receiver<'r> {
    fn of(remote: &'r Remote, asked: &'r Import) -> Self {
        let path = format!("/sites/{}/accounting/import", segment(&asked.name));
        let account = |(name, id): &'r (String, AllocationId)| (name.as_str(), id.to_string());
        let accounts = asked.accounts.iter().map(account).collect();
        Self { remote, path, cluster: String::new(), accounts }
    }

    /// What the names of accounts begin with that are Usine's at the site. Told for no runs at all:
    /// so a person who may not, or an account that is none, is refused before anything is read.
    async fn prefix(&self) -> Result<AccountPrefix> {
        let answer = self.send(&[]).await?;
        let told = answer.get("prefix").and_then(Value::as_str).map(str::parse).transpose();
        Ok(told.context("the hub's answer cannot be understood")?.unwrap_or_default())
    }

    async fn send(&self, runs: &[ToldRun]) -> Result<Value> {
        let body = json!({ "cluster": self.cluster, "accounts": self.accounts, "runs": runs });
        self.remote.post_again(&self.path, &body).await
    }
}

/// What is sent of a text, portion by portion.
struct Portions<'p> {
    runs: Runs<BufReader<&'p File>>,
    wanted: &'p Wanted,
    name: &'p str,
}

impl Portions<'_> {
    /// The next portion; an empty one at the end.
    fn next(&mut self) -> Result<Vec<ToldRun>> {
        let mut portion = Vec::with_capacity(RUNS_MAX);
        while portion.len() < RUNS_MAX
            && let Some(run) = self.runs.next_run().map_err(|error| at(self.name, &error))?
        {
            portion.extend(Some(run).filter(|run| self.wanted.has(run)).and_then(told));
        }
        Ok(portion)
    }
}

/// Sends all portions; how many runs were taken, known before, and passed over.
async fn send(
    to: &Receiver<'_>,
    portions: &mut Portions<'_>,
    bar: &ProgressBar,
) -> Result<[i64; 3]> {
    let mut sums = [0_i64; 3];
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < AT_ONCE {
            let portion = portions.next()?;
            if portion.is_empty() {
                break;
            }
            under_way.push(async move { (portion.len(), to.send(&portion).await) });
        }
        let Some((count, done)) = under_way.next().await else { break };
        let done = done?;
        for (sum, field) in sums.iter_mut().zip(["/taken", "/repeated", "/passed_over"]) {
            *sum = sum.saturating_add(number(&done, field));
        }
        bar.inc(u64::try_from(count).unwrap_or_default());
        bar.set_message(format!("{:.0} a second, {:.0?} left", bar.per_sec(), bar.eta()));
    }
    bar.finish_and_clear();
    Ok(sums)
}

/// The text, in a file that can be read twice, and its name for people.
fn source(asked: &Import) -> Result<(File, String)> {
    if asked.source == Path::new("sacct") {
        let file = tempfile::tempfile().context("cannot make a temporary file")?;
        let into = file.try_clone().context("cannot write the temporary file")?;
        let mut sacct = Command::new("sacct");
        sacct.args(["--allusers", "--allocations", "--duplicates", "--parsable2"]);
        sacct.args([format!("--format={RUN_COLUMNS}"), format!("--starttime={}", asked.since)]);
        sacct.env("SLURM_TIME_FORMAT", "%s").env("TZ", "UTC").stdout(Stdio::from(into));
        let status = sacct.status().context("cannot ask sacct")?;
        if !status.success() {
            return Err(Told::new(Failure::Failed, format!("sacct failed: {status}")).into());
        }
        let mut file = file;
        file.rewind().context("cannot read the temporary file")?;
        return Ok((file, "sacct".to_owned()));
    }
    let name = asked.source.display().to_string();
    let file = File::open(&asked.source)
        .map_err(|error| invalid(format!("cannot read {name}: {error}")))?;
    Ok((file, name))
}

/// What a text holds.
struct Found {
    read: u64,
    wanted: u64,
    cluster: Option<String>,
}

/// Reads a text to its end.
fn counted(file: &File, name: &str, zone: &TimeZone, wanted: &Wanted) -> Result<Found> {
    let mut runs = Runs::open(BufReader::with_capacity(1 << 20, file), zone.clone())
        .map_err(|error| at(name, &error))?;
    let mut found = Found { read: 0, wanted: 0, cluster: None };
    while let Some(run) = runs.next_run().map_err(|error| at(name, &error))? {
        found.read += 1;
        found.wanted += u64::from(wanted.has(&run));
        if found.cluster.is_some() && run.cluster.is_some() && found.cluster != run.cluster {
            let (one, other) = (found.cluster.unwrap_or_default(), run.cluster.unwrap_or_default());
            let text = format!("{name}:{}: runs of {other} among those of {one}", run.line);
            return Err(invalid(text));
        }
        found.cluster = found.cluster.or(run.cluster);
    }
    Ok(found)
}

/// A run as the hub is told; `None` when its instants lie outside of time.
fn told(run: Run) -> Option<ToldRun> {
    let at = |second: i64| Timestamp::from_second(second).ok();
    Some(ToldRun {
        number: run.number,
        label: run.label,
        submitted: at(run.submitted)?,
        started: run.started.and_then(at),
        ended: run.ended.and_then(at),
        state: run.state,
        account: run.account,
        login: run.user,
        persons: Vec::new(),
        partition: run.partition,
        ran_seconds: u32::try_from(run.ran_seconds).ok()?,
        suspended_seconds: u32::try_from(run.suspended_seconds).ok()?,
        limit_seconds: run.limit_seconds.and_then(|limit| u32::try_from(limit).ok()),
        nodes: run.nodes,
        cpus: run.cores,
        memory_mb: run.memory_mb,
        gpus: run.gpus,
        tres: run.tres,
        energy_joules: run.energy_joules,
        job: None,
    })
}

fn tell(session: &Session, text: &str) {
    if session.audience == crate::output::Audience::People {
        eprintln!("{text}");
    }
}

fn at(name: &str, error: &twin::trace::TraceError) -> anyhow::Error {
    invalid(format!("{name}:{error}\nnothing of it was charged"))
}

fn invalid(text: String) -> anyhow::Error {
    Told::new(Failure::Invalid, text).into()
}
