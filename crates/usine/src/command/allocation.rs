//! `usine allocation`: hours after their award.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{text, when};
use crate::remote::wait;

/// Allocations.
#[derive(Subcommand)]
pub(crate) enum AllocationCommand {
    /// Show an allocation, and what of it is released.
    Show {
        /// The allocation.
        id: String,
    },
    /// List what was changed of an allocation, by whom and why.
    Changes {
        /// The allocation.
        id: String,
    },
    /// Hand in the final report of an award, from a text file.
    Report {
        /// The allocation.
        id: String,
        /// The file with the report.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List the awards that are over and have no final report.
    Missing,
    /// Let nothing be submitted against it until it is resumed; jobs that are there go on.
    Suspend(Because),
    /// Let it be used again.
    Resume(Because),
    /// End it now; what is available goes back to the pools.
    Terminate(Because),
    /// Let it last longer, as far as policy allows.
    Extend {
        #[command(flatten)]
        because: Because,
        /// By how many months.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        months: u32,
    },
    /// Give it more hours out of the pool of this period, as far as policy allows.
    Supplement {
        #[command(flatten)]
        because: Because,
        /// How many, of its unit.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
    },
    /// Move hours to another allocation of the same organisation, partition and access mode.
    Transfer {
        #[command(flatten)]
        because: Because,
        /// The allocation that receives.
        #[arg(long, value_name = "ID")]
        to: String,
        /// How many, of its unit.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
    },
    /// Release hours of later months now, where they are released month by month.
    Advance {
        #[command(flatten)]
        because: Because,
        /// How many, of its unit.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
    },
    /// Let another award follow, out of the pool of this period, as far as policy allows.
    Renew {
        #[command(flatten)]
        because: Because,
        /// With how many hours, of its unit.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        hours: u32,
        /// For how many months.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        months: u32,
    },
}

/// Which allocation, and why.
#[derive(Args)]
pub(crate) struct Because {
    /// The allocation.
    id: String,
    /// Why, in one line that its project reads.
    #[arg(long)]
    reason: String,
}

/// Carries out `usine allocation`.
pub(crate) fn allocation(command: &AllocationCommand, session: &Session) -> Result<()> {
    let (because, action, mut body) = match command {
        AllocationCommand::Show { id } => {
            let path = format!("/allocations/{}", segment(id));
            return session.audience.show(&wait(session.remote()?.get(&path))?, tell);
        }
        AllocationCommand::Changes { id } => return changes(id, session),
        AllocationCommand::Report { id, file } => return report(id, file, session),
        AllocationCommand::Missing => return missing(session),
        AllocationCommand::Suspend(because) => (because, "suspend", json!({})),
        AllocationCommand::Resume(because) => (because, "resume", json!({})),
        AllocationCommand::Terminate(because) => (because, "terminate", json!({})),
        AllocationCommand::Extend { because, months } => {
            (because, "extend", json!({ "months": months }))
        }
        AllocationCommand::Supplement { because, hours } => {
            (because, "supplement", json!({ "hours": hours }))
        }
        AllocationCommand::Transfer { because, to, hours } => {
            (because, "transfer", json!({ "to": to, "hours": hours }))
        }
        AllocationCommand::Advance { because, hours } => {
            (because, "advance", json!({ "hours": hours }))
        }
        AllocationCommand::Renew { because, hours, months } => {
            (because, "renew", json!({ "hours": hours, "months": months }))
        }
    };
    if let Some(fields) = body.as_object_mut() {
        fields.insert("reason".to_owned(), json!(because.reason));
    }
    let path = format!("/allocations/{}/{action}", segment(&because.id));
    session.audience.show(&wait(session.remote()?.post(&path, &body))?, tell)
}

fn report(id: &str, file: &Path, session: &Session) -> Result<()> {
    let content = std::fs::read_to_string(file).map_err(|error| {
        Told::new(Failure::Invalid, format!("cannot read {}: {error}", file.display()))
    })?;
    let path = format!("/allocations/{}/report", segment(id));
    let came = wait(session.remote()?.put(&path, &json!({ "content": content })))?;
    session.audience.show(&came, |_| println!("the report is handed in"))
}

fn missing(session: &Session) -> Result<()> {
    let found = wait(session.remote()?.list("/missing-reports", LIST_MAX))?;
    let header = ["allocation", "project", "partition", "report", "since or until (UTC)"];
    session.audience.list(&found, "no report is missing", header, |one| {
        [
            text(one, "/allocation"),
            text(one, "/project"),
            text(one, "/partition"),
            text(one, "/report/stage"),
            when(one, "/report/at"),
        ]
    })
}

fn changes(id: &str, session: &Session) -> Result<()> {
    let path = format!("/allocations/{}/changes", segment(id));
    let found = wait(session.remote()?.list(&path, LIST_MAX))?;
    let header = ["when (UTC)", "what", "how much", "other", "by whom", "why"];
    session.audience.list(&found, "nothing was changed", header, |one| {
        let months = text(one, "/months");
        let much =
            if months.is_empty() { text(one, "/hours/text") } else { format!("{months} months") };
        let (what, other) = (text(one, "/what"), text(one, "/other"));
        [when(one, "/at"), what, much, other, text(one, "/by"), text(one, "/reason")]
    })
}

fn tell(allocation: &Value) {
    println!(
        "allocation {} on {}: {}, {} until {} UTC",
        text(allocation, "/id"),
        text(allocation, "/partition"),
        text(allocation, "/stage"),
        text(allocation, "/granted/text"),
        when(allocation, "/period/end"),
    );
    let due = when(allocation, "/report/at");
    println!("  final report: {} {due}", text(allocation, "/report/stage"));
    if allocation.get("suspended").is_some() {
        println!(
            "  suspended since {} UTC: {}",
            when(allocation, "/suspended/since"),
            text(allocation, "/suspended/reason")
        );
    }
    if allocation.get("released").is_some() {
        println!(
            "  released until {} UTC: {} and {} carried over, of which {} are used",
            when(allocation, "/released/period/end"),
            text(allocation, "/released/quota/text"),
            text(allocation, "/released/carried/text"),
            text(allocation, "/released/used/text")
        );
    }
}
