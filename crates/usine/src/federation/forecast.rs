//! `usine federation forecast`: what becomes of each pool, quarter by quarter.

use anyhow::Result;
use serde_json::Value;

use crate::command::{LIST_MAX, Session, segment};
use crate::output::{entries, right, table, text};
use crate::remote::wait;

/// Which partitions.
#[derive(clap::Args)]
pub(crate) struct ForecastArguments {
    /// A partition, as meluxina-ai.gpu; all that you answer for when none is named.
    partition: Option<String>,
}

/// Carries out the command.
pub(super) fn run(arguments: &ForecastArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let forecasts = wait(async {
        match &arguments.partition {
            Some(key) => {
                let path = format!("/partitions/{}/forecast", segment(key));
                Ok(vec![remote.get(&path).await?])
            }
            None => remote.list("/federation/forecast", LIST_MAX).await,
        }
    })?;
    session.audience.show(&Value::Array(forecasts), |forecasts| {
        let forecasts = entries(forecasts, "");
        if forecasts.is_empty() {
            println!("you answer for no factory");
        }
        forecasts.iter().for_each(tell);
    })
}

fn tell(forecast: &Value) {
    println!("{}", text(forecast, "/partition"));
    let quarters = entries(forecast, "/quarters");
    let rows = quarters.iter().flat_map(|quarter| {
        let pools = entries(quarter, "/pools").iter();
        pools.map(|pool| row(&text(quarter, "/period/start"), pool))
    });
    let header = [
        "quarter from",
        "payer",
        "hours",
        "granted",
        "held",
        "used",
        "likely used",
        "likely unused",
        "between",
        "carried in",
    ];
    let mut rows = rows.peekable();
    if rows.peek().is_some() {
        let mut table = table(header, rows);
        right(&mut table, &[2, 3, 4, 5, 6, 7, 8, 9]);
        println!("{table}");
    }
    if let Some(quarter) = quarters.first() {
        for reason in entries(quarter, "/missing") {
            println!("  {}", reason.as_str().unwrap_or_default());
        }
    }
    println!();
}

fn row(quarter: &str, pool: &Value) -> [String; 10] {
    let amount = |key: &str| text(pool, &format!("/{key}/text"));
    [
        quarter.chars().take("2026-10-01".len()).collect(),
        text(pool, "/payer"),
        amount("hours"),
        amount("granted"),
        amount("held"),
        amount("used"),
        amount("expected_used/likely"),
        amount("expected_unused/likely"),
        format!("{} and {}", amount("expected_unused/least"), amount("expected_unused/most")),
        amount("carried_in"),
    ]
}
