//! The command line of Usine.
//!
//! Not here: logic. Remote commands speak to the HTTP API alone; `up` and `demo` put hub, agent and
//! engine together in one process.

mod config;
mod exit;
mod hub;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An AI factory as software: from the hosting agreement to the trained model, with a ledger of
/// every hour by who paid.
#[derive(Parser)]
#[command(name = "usine", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a factory on this machine: hub, agent, local engine, database, folder.
    Up(up::Arguments),
    /// Print the effective configuration and where each part of it is read from.
    Config(config::ConfigFile),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Up(arguments) => up::run(arguments),
        Command::Config(arguments) => config::print(&arguments),
    };
    exit::report(result)
}

/// Log lines on standard error, chosen by `USINE_LOG` (default: warnings).
fn logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("USINE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // A second initialisation, in tests, changes nothing.
    let _ =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
