//! `usine aid`: State aid on record, and the register as an authority takes it in.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{bytes, number, spinner, text};
use crate::remote::wait;

/// State aid.
#[derive(Subcommand)]
pub(crate) enum AidCommand {
    /// Print the register of aid, of one state or of all.
    Register(RegisterArguments),
    /// List what an organisation, and who is one undertaking with it, was granted.
    Show {
        /// The organisation.
        id: String,
    },
    /// Declare de minimis aid that an organisation has received elsewhere.
    Declare(DeclareArguments),
}

/// Which part of the register, and in which form.
#[derive(Args)]
pub(crate) struct RegisterArguments {
    /// The Member State whose aid it is, as LU.
    #[arg(long)]
    state: Option<String>,
    /// Granted on this day or later, as 2026-01-01.
    #[arg(long)]
    from: Option<String>,
    /// Granted on this day or before.
    #[arg(long)]
    to: Option<String>,
    /// Print CSV, as a national authority takes it in.
    #[arg(long)]
    csv: bool,
    /// Write the CSV to this file.
    #[arg(long, value_name = "FILE", requires = "csv")]
    out: Option<PathBuf>,
}

/// Aid of others.
#[derive(Args)]
pub(crate) struct DeclareArguments {
    /// The organisation.
    id: String,
    /// The Member State whose aid it is, as LU.
    #[arg(long)]
    state: String,
    /// The day on which it was granted, as 2025-03-01.
    #[arg(long)]
    granted_on: String,
    /// Its gross grant equivalent in whole euros.
    #[arg(long, value_name = "EUR", value_parser = clap::value_parser!(i64).range(1..))]
    amount: i64,
    /// Who granted it.
    #[arg(long)]
    authority: String,
    /// In which form.
    #[arg(long, default_value = "grant")]
    instrument: String,
}

/// Carries out `usine aid`.
pub(crate) fn aid(command: &AidCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    match command {
        AidCommand::Register(arguments) => register(arguments, session),
        AidCommand::Show { id } => {
            let path = format!("/organisations/{}/aid", segment(id));
            listed(&wait(remote.list(&path, LIST_MAX))?, session)
        }
        AidCommand::Declare(arguments) => {
            let cents = arguments
                .amount
                .checked_mul(100)
                .ok_or_else(|| Told::new(Failure::Invalid, "--amount is too large".to_owned()))?;
            let aid = json!({
                "state": arguments.state,
                "granted_on": arguments.granted_on,
                "amount_cents": cents,
                "authority": arguments.authority,
                "instrument": arguments.instrument,
            });
            let path = format!("/organisations/{}/aid", segment(&arguments.id));
            let made = wait(remote.post(&path, &aid))?;
            session.audience.show(&made, |made| println!("{} is on record", euros(made)))
        }
    }
}

fn register(arguments: &RegisterArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let asked = [("state", &arguments.state), ("from", &arguments.from), ("to", &arguments.to)];
    let mut query: Vec<String> = asked
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", segment(value.as_ref()?))))
        .collect();
    if !arguments.csv {
        query.push("limit=200".to_owned());
        let path = format!("/state-aid?{}", query.join("&"));
        return listed(&wait(remote.list(&path, LIST_MAX))?, session);
    }
    let path = format!("/state-aid/export?{}", query.join("&"));
    let Some(file) = &arguments.out else {
        return wait(remote.print(&path));
    };
    let waiting = spinner("register");
    let written = wait(remote.save(&path, file))?;
    waiting.finish_and_clear();
    let told = json!({ "file": file.display().to_string(), "bytes": written });
    session.audience.show(&told, |_| println!("{} written to {}", bytes(written), file.display()))
}

fn listed(lines: &[Value], session: &Session) -> Result<()> {
    let header = ["granted on", "beneficiary", "identifier", "amount", "state", "by", "form"];
    session.audience.list(lines, "no aid is on record", header, |line| {
        [
            text(line, "/granted_on"),
            text(line, "/name"),
            text(line, "/identifier"),
            euros(line),
            text(line, "/state"),
            text(line, "/authority"),
            text(line, "/instrument"),
        ]
    })
}

fn euros(line: &Value) -> String {
    units::Cents::new(number(line, "/amount_cents")).to_string()
}
