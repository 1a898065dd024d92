//! A population as the TOML that it is read from.

use std::fmt;

use super::{Crowd, Kind, Population, Spread};
use crate::workload::Size;

impl fmt::Display for Population {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, crowd) in self.crowds.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            print(f, crowd)?;
        }
        Ok(())
    }
}

fn print(f: &mut fmt::Formatter<'_>, crowd: &Crowd) -> fmt::Result {
    let group = &crowd.group;
    writeln!(f, "[[groups]]\nkey = \"{}\"\nclass = \"{}\"", group.key, group.class)?;
    writeln!(f, "payer = \"{}\"", group.payer)?;
    if let Some(mode) = &group.mode {
        writeln!(f, "mode = \"{mode}\"")?;
    }
    if !group.home.is_empty() {
        writeln!(f, "home = {:?}", group.home)?;
    }
    writeln!(f, "users = {}\njobs_per_week = {}", crowd.users, crowd.jobs_per_week)?;
    writeln!(f, "growth_percent_per_year = {}", crowd.growth_percent_per_year)?;
    writeln!(f, "jobs_per_batch = {}", crowd.jobs_per_batch)?;
    for (key, weights) in [("hours", &crowd.hours), ("weekdays", &crowd.weekdays)] {
        if !weights.is_empty() {
            writeln!(f, "{key} = {weights:?}")?;
        }
    }
    writeln!(f, "data_gb = {}", Spelt(&crowd.data_gb))?;
    print_kind(f, &crowd.jobs, "groups")?;
    let Some((percent, kind)) = &crowd.sessions else { return Ok(()) };
    writeln!(f, "\n[groups.sessions]\npercent = {percent}")?;
    print_kind(f, kind, "groups.sessions")
}

fn print_kind(f: &mut fmt::Formatter<'_>, kind: &Kind, path: &str) -> fmt::Result {
    if let Some(spread) = &kind.run_seconds {
        writeln!(f, "run_seconds = {}", Spelt(spread))?;
    }
    writeln!(f, "used_percent = {}", Spelt(&kind.used_percent))?;
    writeln!(f, "limit_seconds_max = {}", kind.limit_seconds_max)?;
    for sized in &kind.sizes {
        let (unit, count) = match sized.size {
            Size::Gpus(count) => ("gpus", count),
            Size::Nodes(count) => ("nodes", count),
            Size::Cores(count) => ("cores", count),
        };
        writeln!(f, "\n[[{path}.sizes]]\n{unit} = {count}\nweight = {}", sized.weight)?;
        if let Some(spread) = &sized.run_seconds {
            writeln!(f, "run_seconds = {}", Spelt(spread))?;
        }
    }
    Ok(())
}

struct Spelt<'a>(&'a Spread);

impl fmt::Display for Spelt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Spread::Quantiles(values) => write!(f, "{values:?}"),
            Spread::LogNormal { median, ninety_fifth } => {
                write!(f, "{{ median = {median}, ninety_fifth = {ninety_fifth} }}")
            }
        }
    }
}
