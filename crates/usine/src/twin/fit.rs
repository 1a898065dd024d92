//! `usine twin fit`: a log described as a population, and how well.

use std::path::PathBuf;

use ::twin::population::{By, Fit, FitLine, fit};
use ::twin::trace::{self, Format};
use anyhow::Result;
use clap::ValueEnum;
use serde_json::json;

use crate::exit::{Failure, Told};
use crate::output::{self, Audience};

/// Describes a log.
#[derive(clap::Args)]
pub(super) struct FitArguments {
    /// The log, plain or packed with gzip.
    log: PathBuf,
    /// What it is.
    #[arg(long, value_enum, default_value_t = LogFormat::Swf)]
    format: LogFormat,
    /// What tells its groups of users apart.
    #[arg(long, value_enum, default_value_t = Apart::Nothing)]
    by: Apart,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// The Standard Workload Format.
    Swf,
    /// `sacct -P` of Slurm.
    Sacct,
    /// A GPU trace such as Philly, Helios or Acme.
    GpuTrace,
    /// The hub's own history.
    History,
}

#[derive(Clone, Copy, ValueEnum)]
enum Apart {
    /// All are one group.
    Nothing,
    /// The class of the organisation.
    Class,
    /// The queue or partition.
    Queue,
    /// The account, project or virtual cluster.
    Account,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Swf => Self::Swf,
            LogFormat::Sacct => Self::Sacct,
            LogFormat::GpuTrace => Self::Gpu,
            LogFormat::History => Self::History,
        }
    }
}

impl From<Apart> for By {
    fn from(apart: Apart) -> Self {
        match apart {
            Apart::Nothing => Self::Nothing,
            Apart::Class => Self::Class,
            Apart::Queue => Self::Queue,
            Apart::Account => Self::Account,
        }
    }
}

pub(super) fn run(arguments: &FitArguments, audience: Audience) -> Result<()> {
    let log = trace::read_file(&arguments.log, arguments.format.into()).map_err(|error| {
        Told::new(Failure::Invalid, format!("{}:{error}", arguments.log.display()))
    })?;
    let found = fit(&log, arguments.by.into());
    let lines = found.lines.iter().map(|line| {
        json!({
            "group": line.group, "what": line.what, "distance": line.distance,
            "log": line.log, "drawn": line.drawn, "percentiles": [5, 25, 50, 75, 95],
        })
    });
    let value = json!({
        "population": found.population.to_string(),
        "fit": lines.collect::<Vec<_>>(),
    });
    audience.show(&value, |_| {
        print!("{}", found.population);
        eprintln!("{}", table(&found));
    })
}

fn table(found: &Fit) -> comfy_table::Table {
    let header = ["group", "what", "of", "5 %", "25 %", "50 %", "75 %", "95 %", "distance"];
    let row = |line: &FitLine, of: &str, values: [i64; 5], distance: String| {
        let [a, b, c, d, e] = values.map(|value| value.to_string());
        [line.group.clone(), line.what.to_owned(), of.to_owned(), a, b, c, d, e, distance]
    };
    let rows = found.lines.iter().flat_map(|line| {
        let distance = format!("{:.3}", line.distance);
        [row(line, "log", line.log, String::new()), row(line, "drawn", line.drawn, distance)]
    });
    let mut table = output::table(header, rows);
    output::right(&mut table, &[3, 4, 5, 6, 7, 8]);
    table
}
