//! `usine decision`: decisions recomputed from their records.

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::{Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, text, when};
use crate::remote::wait;

/// Decisions.
#[derive(Subcommand)]
pub(crate) enum DecisionCommand {
    /// Recompute the decision on an application from the facts and the policy on record.
    Replay {
        /// The application.
        id: String,
    },
}

/// Carries out `usine decision`; a recomputation that says something else is a failure.
pub(crate) fn decision(command: &DecisionCommand, session: &Session) -> Result<()> {
    let DecisionCommand::Replay { id } = command;
    let path = format!("/applications/{}/replay", segment(id));
    let replayed = wait(session.remote()?.get(&path))?;
    session.audience.show(&replayed, tell)?;
    let differences = entries(&replayed, "/differences").len();
    if differences == 0 {
        return Ok(());
    }
    let message =
        format!("the recomputation differs from what was decided in {differences} points");
    Err(Told::new(Failure::Failed, message).into())
}

fn tell(replayed: &Value) {
    let policy = text(replayed, "/policy");
    let short = policy.get(..12).unwrap_or(&policy);
    let force = replayed.pointer("/policy_in_force") == Some(&Value::Bool(true));
    println!(
        "decided on {} UTC by the policy {short}{}",
        when(replayed, "/decided_at"),
        if force { ", which is in force" } else { ", which is no longer in force" }
    );
    for line in entries(replayed, "/decided") {
        println!("  {}: {}", text(line, "/what"), text(line, "/text"));
    }
    for line in entries(replayed, "/differences") {
        let side = |key| match text(line, key) {
            nothing if nothing.is_empty() => "nothing".to_owned(),
            some => some,
        };
        println!(
            "differs: {}: decided {}, recomputed {}",
            text(line, "/what"),
            side("/decided"),
            side("/recomputed")
        );
    }
    if entries(replayed, "/differences").is_empty() {
        println!("recomputed from its record: the same");
    }
}
