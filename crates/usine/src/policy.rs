//! `usine policy`: the policy as data, checked without a hub, and what changes with another one.

mod check;
mod diff;

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use crate::output::Audience;

/// What can be done with a policy.
#[derive(Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check a folder of policy files as a hub reads it, and say what holds today.
    Check {
        /// The folder; the built-in policy when none is named.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Say in words what another policy changes.
    Diff(diff::DiffArguments),
}

/// Runs the command.
pub(crate) fn run(command: &PolicyCommand, audience: Audience) -> Result<()> {
    match command {
        PolicyCommand::Check { folder } => check::run(folder.as_deref(), audience),
        PolicyCommand::Diff(arguments) => diff::run(arguments, audience),
    }
}
