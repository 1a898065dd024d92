//! `usine twin slurm`: what the core foretells of a Slurm, beside what that did.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use ::twin::slurm::{
    Agreement, Habits, Note, ObservedJob, Part, Prediction, Site, SlurmError, again, predict,
    read_jobs,
};
use anyhow::{Context, Result};
use serde_json::json;

use crate::exit::{Failure, Told};
use crate::output::{self, Audience};

/// What an administrator has of a cluster.
#[derive(clap::Args)]
pub(super) struct SlurmArguments {
    /// `slurm.conf`.
    #[arg(long, value_name = "slurm.conf")]
    conf: PathBuf,
    /// `sacctmgr -P show assoc format=Account,ParentName,User,Share,…` with the limits in use.
    #[arg(long, value_name = "FILE")]
    associations: PathBuf,
    /// `sacctmgr -P show qos`.
    #[arg(long, value_name = "FILE")]
    qos: PathBuf,
    /// `sacct -a -X -P -o JobID,Submit,Eligible,Start,End,State,Timelimit,ReqTRES,User,Account,Partition,QOS`.
    #[arg(long, value_name = "FILE")]
    jobs: PathBuf,
    /// How many seconds nodes take to start a job and to be free again after it.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(i64).range(0..=3600))]
    settle: i64,
    /// When slurmctld was started: `BOOT_TIME` of `scontrol show config`.
    #[arg(long, value_name = "INSTANT")]
    booted: Option<jiff::civil::DateTime>,
    /// `sacct` of another run of the same jobs: says how far Slurm is off from itself, instead.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["settle", "booted"])]
    again: Option<PathBuf>,
    /// Write `id,eligible,start,predicted` for every job to this file.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl SlurmArguments {
    fn path(&self, part: Part) -> &PathBuf {
        match part {
            Part::Again => self.again.as_ref().unwrap_or(&self.jobs),
            Part::Conf => &self.conf,
            Part::Associations => &self.associations,
            Part::Qos => &self.qos,
            Part::Jobs => &self.jobs,
        }
    }

    fn habits(&self) -> Result<Habits> {
        // All instants of a cluster are taken as UTC.
        let booted = self.booted.map(|at| at.to_zoned(jiff::tz::TimeZone::UTC)).transpose()?;
        let booted = booted.map(|at| at.timestamp().as_second());
        Ok(Habits { settle_seconds: self.settle, booted })
    }

    /// What a text lacks is the caller's to put right.
    fn refused(&self, error: &SlurmError) -> Told {
        let path = self.path(error.part()).display();
        Told::new(Failure::Invalid, format!("{path}:{error}"))
    }

    fn told(&self, note: &Note) -> String {
        format!("{}:{note}", self.path(note.part).display())
    }
}

pub(super) fn run(arguments: &SlurmArguments, audience: Audience) -> Result<()> {
    let text = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| {
            Told::new(Failure::Invalid, format!("cannot read {}: {error}", path.display()))
        })
    };
    let refused = |error: SlurmError| arguments.refused(&error);
    let site = Site::read(
        &text(&arguments.conf)?,
        &text(&arguments.associations)?,
        &text(&arguments.qos)?,
    )
    .map_err(refused)?;
    let jobs = |path: &Path, part| {
        let file = File::open(path).map_err(|error| {
            Told::new(Failure::Invalid, format!("cannot read {}: {error}", path.display()))
        })?;
        read_jobs(BufReader::new(file), part).map_err(refused)
    };
    let observed = jobs(&arguments.jobs, Part::Jobs)?;
    let prediction = match &arguments.again {
        Some(path) => again(&observed.jobs, &jobs(path, Part::Again)?.jobs),
        None => predict(&site, &observed.jobs, arguments.habits()?),
    };
    let prediction = prediction.map_err(refused)?;
    if let Some(path) = &arguments.out {
        write_starts(path, &observed.jobs, &prediction)
            .with_context(|| format!("cannot write the starts to {}", path.display()))?;
    }
    let agreement = Agreement::of(&observed.jobs, &prediction);
    let notes = site.notes.iter().chain(&prediction.notes).map(|note| arguments.told(note));
    let notes: Vec<String> = notes.collect();
    let value = json!({
        "agreement": agreement,
        "settle_seconds": arguments.settle,
        "jobs_unfinished": observed.unfinished,
        "jobs_repeated": observed.repeated,
        "notes": notes,
    });
    audience.show(&value, |_| {
        for note in &notes {
            eprintln!("{note}");
        }
        println!("{}", table(&agreement));
    })
}

fn write_starts(path: &Path, jobs: &[ObservedJob], prediction: &Prediction) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "id,eligible,start,predicted")?;
    let instant = |at: Option<i64>| at.map(|at| at.to_string()).unwrap_or_default();
    for (job, predicted) in jobs.iter().zip(&prediction.starts) {
        let (start, predicted) = (instant(job.start), instant(*predicted));
        writeln!(file, "{},{},{start},{predicted}", job.id, job.eligible)?;
    }
    file.flush()
}

fn table(agreement: &Agreement) -> comfy_table::Table {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let rows = [
        ("jobs that started", agreement.jobs.to_string()),
        ("mean wait", format!("{:.1} s", agreement.wait_seconds_mean)),
        ("mean wait, predicted", format!("{:.1} s", agreement.predicted_wait_seconds_mean)),
        ("start off by, mean", format!("{:.1} s", agreement.error_seconds_mean)),
        ("median", format!("{} s", agreement.error_seconds_median)),
        ("95th percentile", format!("{} s", agreement.error_seconds_95th)),
        ("at most", format!("{} s", agreement.error_seconds_max)),
        ("predicted too late by, mean", format!("{:.1} s", agreement.late_seconds_mean)),
        ("within 1 s", percent(agreement.share_within_one_second)),
        ("within 5 s", percent(agreement.share_within_five_seconds)),
        ("pairs in the same order", percent(agreement.share_of_pairs_in_order)),
        ("Kendall's tau", format!("{:.3}", agreement.kendall_tau)),
    ];
    let rows = rows.map(|(name, figure)| [name.to_owned(), figure]);
    let mut table = output::table(["", "figure"], rows);
    output::right(&mut table, &[1]);
    table
}
