//! `usine federation`: the federation as data, checked without a hub; and what a hub has seen of it.

mod forecast;
mod history;

use std::path::{Path, PathBuf};

use access::federation::{Deployment, FactorySummary, Federation, Summary};
use access::policy::Policy;
use anyhow::Result;
use app::{Clock as _, SystemClock};
use clap::Subcommand;
use serde_json::{Value, json};
use units::Period;

use crate::command::Session;
use crate::output::{Audience, table};
use crate::{faults, folders};

/// What can be done with a federation.
#[derive(Subcommand)]
pub(crate) enum FederationCommand {
    /// Check a folder that describes a federation, and print it at a glance.
    Check {
        /// The folder; the built-in federation when none is named.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
        /// The policy folder with the caps of the law; the built-in one when none is named.
        #[arg(long, value_name = "DIR")]
        policy: Option<PathBuf>,
    },
    /// Say what becomes of each pool: granted, used, likely left over; this quarter and three more.
    Forecast(forecast::ForecastArguments),
    /// Take a factory's jobs out of the hub as CSV that `usine twin` reads, persons as pseudonyms.
    History(history::HistoryArguments),
}

/// Runs the command.
pub(crate) fn run(command: &FederationCommand, session: &Session) -> Result<()> {
    match command {
        FederationCommand::Check { folder, policy } => {
            check(folder.as_deref(), policy.as_deref(), session.audience)
        }
        FederationCommand::Forecast(arguments) => forecast::run(arguments, session),
        FederationCommand::History(arguments) => history::run(arguments, session),
    }
}

fn check(folder: Option<&Path>, policy: Option<&Path>, audience: Audience) -> Result<()> {
    let documents = folders::federation(folder)?;
    let policy = folders::access_policy(policy)?;
    let now = SystemClock.now();
    let checked = Policy::parse(&policy).and_then(|policy| {
        let caps = policy.caps_in_force(access::day_in_brussels(now))?;
        let federation = Federation::parse(&documents, &caps)?;
        Ok((federation.summary(Period::quarter_of(now), &caps), federation))
    });
    match checked {
        Ok((summary, federation)) => audience.show(&as_json(&summary, &federation), |_| {
            tell(&summary, &federation);
        }),
        Err(faults) => faults::refuse(&faults, audience),
    }
}

fn tell(summary: &Summary, federation: &Federation) {
    let header = ["factory", "host", "states", "systems", "accelerators", "pools known"];
    println!("{}", table(header, summary.factories.iter().map(row)));
    let programme = &federation.programme;
    println!(
        "{}: {}, of which the Union pays {}",
        programme.name, programme.investment, programme.union_part
    );
    println!(
        "{} factories, {} figures known with their source, {} openly unknown",
        summary.factories.len(),
        summary.figures_known,
        summary.figures_unknown
    );
}

fn row(factory: &FactorySummary) -> [String; 6] {
    let systems = factory.systems.iter().map(|(name, kind, deployment)| {
        let deployment = deployment.map_or_else(|| "unknown".to_owned(), |it| it.to_string());
        format!("{name}: {kind}, {deployment}")
    });
    let devices = match (factory.devices, factory.devices_unknown) {
        (known, 0) => known.to_string(),
        (0, _) => "unknown".to_owned(),
        (known, 1) => format!("{known} and 1 partition unknown"),
        (known, more) => format!("{known} and {more} partitions unknown"),
    };
    [
        factory.name.clone(),
        factory.host.clone(),
        factory.states.join(" "),
        systems.collect::<Vec<_>>().join("\n"),
        devices,
        format!("{} of {}", factory.pools.0, factory.pools.1),
    ]
}

fn as_json(summary: &Summary, federation: &Federation) -> Value {
    let system = |(name, kind, deployment): &(String, _, Option<Deployment>)| {
        let kind: &access::federation::SystemKind = kind;
        json!({
            "name": name,
            "kind": kind.to_string(),
            "deployment": deployment.map(|it| it.to_string()),
        })
    };
    let factory = |it: &FactorySummary| {
        json!({
            "key": it.key.as_str(),
            "name": it.name,
            "host": it.host,
            "states": it.states,
            "systems": it.systems.iter().map(system).collect::<Vec<_>>(),
            "devices_known": it.devices,
            "partitions_with_unknown_devices": it.devices_unknown,
            "partitions_with_pools": it.pools.0,
            "partitions": it.pools.1,
        })
    };
    let programme = &federation.programme;
    json!({
        "valid": true,
        "programme": {
            "name": programme.name,
            "investment_cents": programme.investment.known().map(|it| it.count()),
            "union_part_parts_per_million": programme.union_part.known().map(|it| it.parts()),
        },
        "factories": summary.factories.iter().map(factory).collect::<Vec<_>>(),
        "figures_known": summary.figures_known,
        "figures_unknown": summary.figures_unknown,
    })
}
