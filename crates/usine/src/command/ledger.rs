//! `usine statement` and `usine ledger`: who got what, who paid, and whether the books are sound.

use anyhow::Result;
use clap::Subcommand;
use comfy_table::Table;
use serde_json::Value;

use super::{LIST_MAX, Session, between, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, number, right, table, text, when, work};
use crate::remote::wait;

/// Whose statement, over which time.
#[derive(clap::Args)]
pub(crate) struct StatementArguments {
    /// The project.
    #[arg(value_name = "PROJECT")]
    project: String,
    /// From when, as 2026-10-01T00:00:00Z [default: the start of the quarter].
    #[arg(long)]
    from: Option<String>,
    /// Until when [default: the end of the quarter].
    #[arg(long)]
    to: Option<String>,
}

/// Prints a project's statement.
pub(crate) fn statement(arguments: &StatementArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let path = format!("/projects/{}/statement", segment(&arguments.project));
    let found = wait(remote.get(&between(&path, &arguments.from, &arguments.to)))?;
    session.audience.show(&found, tell_statement)
}

fn tell_statement(statement: &Value) {
    let (start, end) = (when(statement, "/period/start"), when(statement, "/period/end"));
    println!("project {} from {start} to {end} UTC", text(statement, "/project"));
    for allocation in entries(statement, "/allocations") {
        println!(
            "\nallocation {} on {}",
            text(allocation, "/allocation"),
            text(allocation, "/partition")
        );
        println!("{}", statement_table(allocation));
        let movements = table(
            ["when (UTC)", "what", "job", "held", "used", "why"],
            entries(allocation, "/movements").iter().map(|movement| {
                [
                    when(movement, "/at"),
                    text(movement, "/kind"),
                    text(movement, "/job"),
                    sum(movement, "held"),
                    sum(movement, "used"),
                    text(movement, "/reason"),
                ]
            }),
        );
        println!("{movements}");
    }
    println!(
        "\nas of ledger entry {} ({})",
        number(statement, "/ledger_seq"),
        text(statement, "/ledger_hash")
    );
}

/// What one movement changed, over all payers, in seconds of the unit.
fn sum(movement: &Value, what: &str) -> String {
    let changes = entries(movement, "/changes").iter();
    let total: i64 =
        changes.map(|change| number(change, &format!("/change/{what}/unit_seconds"))).sum();
    if total == 0 { String::new() } else { format!("{total:+} s") }
}

/// An allocation's statement by payer.
pub(crate) fn statement_table(allocation: &Value) -> Table {
    let row = |payer: String, line: &Value| {
        let amount = |key: &str| work(line, &format!("/{key}"));
        [
            payer,
            amount("granted"),
            amount("closing/held"),
            amount("closing/used"),
            amount("released"),
            amount("closing/available"),
        ]
    };
    let payers = entries(allocation, "/payers").iter().map(|payer| {
        let line = payer.pointer("/line").unwrap_or(&Value::Null);
        row(text(payer, "/payer"), line)
    });
    let total = row("all".to_owned(), allocation.pointer("/total").unwrap_or(&Value::Null));
    let header = ["payer", "granted", "held", "used", "released", "left"];
    let mut table = table(header, payers.chain([total]));
    right(&mut table, &[1, 2, 3, 4, 5]);
    table
}

/// The books of the hub.
#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Recompute every balance and every link of the hash chain.
    Verify,
    /// Print the entries, oldest first.
    Entries {
        /// How many at most.
        #[arg(long, default_value_t = LIST_MAX)]
        limit: usize,
    },
}

/// Carries out `usine ledger`.
pub(crate) fn ledger(command: &LedgerCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    match command {
        LedgerCommand::Verify => {
            let check = wait(remote.get("/ledger/check"))?;
            session.audience.show(&check, |check| println!("{}", verdict(check)))?;
            if check.pointer("/sound").and_then(Value::as_bool) == Some(true) {
                return Ok(());
            }
            let message = "the books are not sound; keep the database as it is and compare it \
                           with a backup";
            Err(Told::new(Failure::Failed, message).into())
        }
        LedgerCommand::Entries { limit } => {
            let found = wait(remote.list("/ledger/entries?limit=200", *limit))?;
            let header = ["entry", "when (UTC)", "what", "transfers", "why", "hash"];
            session.audience.list(&found, "the ledger is empty", header, |entry| {
                let transfers = entries(entry, "/transfers").iter().map(|transfer| {
                    let [from, to] = ["/from", "/to"].map(|end| text(transfer, end));
                    format!("{} s  {from} -> {to}", number(transfer, "/amount"))
                });
                [
                    text(entry, "/seq"),
                    when(entry, "/at"),
                    text(entry, "/kind"),
                    transfers.collect::<Vec<_>>().join("\n"),
                    text(entry, "/reason"),
                    text(entry, "/hash").chars().take(12).collect(),
                ]
            })
        }
    }
}

/// What a check of the ledger found, in a sentence.
pub(crate) fn verdict(check: &Value) -> String {
    if check.pointer("/sound").and_then(Value::as_bool) != Some(true) {
        return format!("NOT SOUND: {}", text(check, "/finding"));
    }
    format!(
        "the books are sound: {} entries with {} transfers over {} accounts; the sum is zero at \
         every entry and the hash chain is unbroken up to {}",
        number(check, "/checked/entries"),
        number(check, "/checked/transfers"),
        number(check, "/checked/accounts"),
        text(check, "/checked/head_hash").chars().take(16).collect::<String>(),
    )
}
