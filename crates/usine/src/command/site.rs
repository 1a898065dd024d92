//! `usine site`: where jobs run, and whether the agents there work.

mod accounting;
mod accounts;
mod health;
mod import;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::output::{entries, number, text, when};
use crate::remote::{Remote, wait};
use accounting::Days;
use accounts::{Accounts, Stand};
use import::Import;

pub(crate) use health::status;

/// Sites: where jobs run, and the agents that work there.
#[derive(Subcommand)]
pub(crate) enum SiteCommand {
    /// List the sites that you may see.
    List,
    /// Show one site: its agent, its machine.
    Show {
        /// Its name.
        name: String,
    },
    /// Show whether a site can take work now, why not, and which nodes are away.
    Health {
        /// Its name.
        name: String,
    },
    /// Let a site take no more jobs; what runs and waits there goes on.
    Drain {
        /// Its name.
        name: String,
        /// Why, in one line, for users.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let a site take jobs again.
    Resume {
        /// Its name.
        name: String,
    },
    /// List who wants to run jobs at a site and has no login there.
    Requests {
        /// The site's name.
        name: String,
    },
    /// Show how accounts, users and limits in a site's scheduler stand to what the hub wishes: what is
    /// to be done, and what somebody changed by hand.
    Accounts(Accounts),
    /// Let an allocation run slower at a site, or not at all, or again as usual.
    Stand(Stand),
    /// Prove, day by day, that the ledger charges what the site's accounting has, or list each
    /// difference with its cause; fails if a day is not proved.
    Reconcile(Days),
    /// Have the site's agent tell its accounting again from a day on.
    AccountAgain(Days),
    /// Charge years of a site's accounting to the allocations of its accounts; whoever is
    /// interrupted begins again.
    Import(Import),
    /// Make a one-time code for the agent of a remote site; it is printed once, alone on standard
    /// output.
    Enrol {
        /// The site's name.
        name: String,
    },
    /// Send the agent of a remote site away: its key stops working at once.
    Revoke {
        /// The site's name.
        name: String,
    },
}

/// Carries out `usine site`.
pub(crate) fn site(command: &SiteCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            SiteCommand::List => {
                let sites = remote.list("/sites", LIST_MAX).await?;
                let header = ["site", "partition", "agent", "last call (UTC)", "engine", "clock"];
                session.audience.list(&sites, "there is no site that you may see", header, |site| {
                    [
                        text(site, "/name"),
                        text(site, "/partition"),
                        agent(site),
                        when(site, "/seen_at"),
                        text(site, "/inventory/engine"),
                        clock(site),
                    ]
                })
            }
            SiteCommand::Show { name } => {
                let site = remote.get(&format!("/sites/{}", segment(name))).await?;
                session.audience.show(&site, tell)
            }
            SiteCommand::Health { name } => health::show(&remote, session, name).await,
            SiteCommand::Drain { name, reason } => {
                health::drain(&remote, session, (name, reason)).await
            }
            SiteCommand::Resume { name } => health::resume(&remote, session, name).await,
            SiteCommand::Requests { name } => requests(session, &remote, name).await,
            SiteCommand::Accounts(asked) => accounts::accounts(session, &remote, asked).await,
            SiteCommand::Stand(asked) => accounts::stand(session, &remote, asked).await,
            SiteCommand::Reconcile(days) => accounting::reconcile(session, &remote, days).await,
            SiteCommand::AccountAgain(days) => accounting::again(session, &remote, days).await,
            SiteCommand::Import(asked) => import::import(session, &remote, asked).await,
            SiteCommand::Enrol { name } => {
                let path = format!("/sites/{}/code", segment(name));
                let made = remote.post(&path, &json!({})).await?;
                session.audience.show(&made, |made| {
                    eprintln!(
                        "give this code to `usine agent enrol --hub {} --site {name}` before {}",
                        remote.url(),
                        when(made, "/expires_at"),
                    );
                    println!("{}", text(made, "/code"));
                })
            }
            SiteCommand::Revoke { name } => {
                let gone = remote.delete(&format!("/sites/{}/agent", segment(name))).await?;
                session.audience.show(&gone, |_| {
                    println!(
                        "the agent of {name} is not let in any more; running jobs go on there"
                    );
                    println!("admit another one with: usine site enrol {name}");
                })
            }
        }
    })
}

/// Lists who wants to run jobs at a site and has no login there.
async fn requests(session: &Session, remote: &Remote, name: &str) -> Result<()> {
    let path = format!("/sites/{}/login-requests", segment(name));
    let requests = remote.list(&path, LIST_MAX).await?;
    let header = ["name", "address", "since (UTC)"];
    session.audience.list(&requests, "nobody wants a login there", header, |one| {
        [text(one, "/name"), text(one, "/email"), when(one, "/asked_at")]
    })
}

/// The state of a site's agent, with since when.
fn agent(site: &Value) -> String {
    match text(site, "/agent/state").as_str() {
        "away" => format!("away since {}", when(site, "/agent/since")),
        "dismissed" => format!("revoked {}", when(site, "/agent/since")),
        "not-enrolled" => "not enrolled".to_owned(),
        "silent" => "has not called yet".to_owned(),
        other => other.to_owned(),
    }
}

/// How far a site's clock is off, where that is known and worth telling.
fn clock(site: &Value) -> String {
    let known = site.pointer("/agent/clock_ahead_milliseconds").is_some();
    match number(site, "/agent/clock_ahead_milliseconds") {
        ahead if !known || ahead.abs() < 1_000 => String::new(),
        ahead if ahead > 0 => format!("{} s ahead", ahead / 1_000),
        behind => format!("{} s behind", -behind / 1_000),
    }
}

fn tell(site: &Value) {
    let line = |name: &str, value: String| {
        if !value.is_empty() {
            println!("{name:<10} {value}");
        }
    };
    line("site", text(site, "/name"));
    line("factory", text(site, "/factory"));
    line("partition", text(site, "/partition"));
    line("charged by", text(site, "/charge_rule"));
    line("agent", format!("{}, {}", text(site, "/agent/kind"), agent(site)));
    line("last call", when(site, "/seen_at"));
    line("key", text(site, "/agent/key"));
    line("version", text(site, "/inventory/agent"));
    line("protocol", text(site, "/agent/protocol"));
    line("clock", clock(site));
    line("engine", text(site, "/inventory/engine"));
    line("host", text(site, "/inventory/host"));
    let has = [("nodes", "nodes"), ("cores", "cores"), ("memory_mb", "MB")];
    let has =
        has.map(|(key, unit)| format!("{} {unit}", number(site, &format!("/inventory/{key}"))));
    if site.pointer("/inventory").is_some() {
        line("machine", has.join(", "));
    }
    for gpu in entries(site, "/inventory/gpus") {
        line("GPU", gpu.as_str().unwrap_or_default().to_owned());
    }
    for means in entries(site, "/inventory/isolation") {
        line("isolation", means.as_str().unwrap_or_default().to_owned());
    }
}
