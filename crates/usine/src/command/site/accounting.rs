//! `usine site reconcile` and `usine site account-again`: whether the ledger charges what a site's
//! accounting has.

use anyhow::Result;
use serde_json::{Value, json};

use crate::command::{Session, between, segment};
use crate::exit::{Failure, Told};
use crate::output::{Audience, entries, number, right, table, text, when, work};
use crate::remote::Remote;

/// Which days of which site.
#[derive(clap::Args)]
pub(crate) struct Days {
    /// The site's name.
    pub(super) name: String,
    /// One day, as 2026-11-20, by the site's calendar [default: yesterday].
    #[arg(long, value_name = "DAY", conflicts_with_all = ["from", "to"])]
    day: Option<String>,
    /// The first day.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day.
    #[arg(long, value_name = "DAY", requires = "from")]
    to: Option<String>,
}

impl Days {
    async fn ask(&self, remote: &Remote) -> Result<Value> {
        let path = format!("/sites/{}/reconciliation", segment(&self.name));
        let from = self.day.clone().or_else(|| self.from.clone());
        remote.get(&between(&path, &from, &self.to)).await
    }
}

/// Shows the days; fails if one is not proved.
pub(super) async fn reconcile(session: &Session, remote: &Remote, days: &Days) -> Result<()> {
    let found = days.ask(remote).await?;
    session.audience.show(&found, tell)?;
    let open =
        entries(&found, "/days").iter().filter(|day| day.get("agrees") != Some(&true.into()));
    match open.count() {
        0 => Ok(()),
        1 => Err(Told::new(Failure::Failed, "one day is not proved").into()),
        days => Err(Told::new(Failure::Failed, format!("{days} days are not proved")).into()),
    }
}

fn tell(found: &Value) {
    let zone = text(found, "/zone");
    match when(found, "/accounted_to").as_str() {
        "" => println!("the site has told nothing of its accounting yet"),
        told => println!("days of {zone}; the accounting is known until {told} UTC"),
    }
    let row = |day: &Value| {
        let agrees = day.get("agrees") == Some(&true.into());
        [
            text(day, "/date"),
            text(day, "/runs"),
            text(day, "/ran_seconds"),
            text(day, "/energy_joules"),
            work(day, "/accounted"),
            work(day, "/charged"),
            if agrees { "agrees".to_owned() } else { "differs".to_owned() },
        ]
    };
    let header = ["day", "runs", "seconds", "joules", "accounting", "ledger", ""];
    let mut days = table(header, entries(found, "/days").iter().map(row));
    right(&mut days, &[1, 2, 3, 4, 5]);
    println!("{days}");
    for day in entries(found, "/days") {
        for difference in entries(day, "/differences") {
            println!("{}", line(&text(day, "/date"), difference));
        }
    }
}

/// A difference as a sentence.
fn line(date: &str, difference: &Value) -> String {
    let about = |name: &str, pointer: &str| match text(difference, pointer).as_str() {
        "" => String::new(),
        value => format!(", {name} {value}"),
    };
    let amount = match number(difference, "/amount/unit_seconds") {
        0 => String::new(),
        _ => format!(", {}", work(difference, "/amount")),
    };
    let what = if text(difference, "/cause") == "unknown-account" { "account" } else { "job" };
    format!(
        "{date} {}{}{}{amount}: {}",
        text(difference, "/cause"),
        about(what, "/label"),
        about("of", "/login"),
        text(difference, "/advice"),
    )
}

/// Has the agent tell the accounting again from the beginning of the first day on.
pub(super) async fn again(session: &Session, remote: &Remote, days: &Days) -> Result<()> {
    let found = days.ask(remote).await?;
    let from = text(&found, "/days/0/from");
    let path = format!("/sites/{}/accounting/again", segment(&days.name));
    remote.post(&path, &json!({ "from": from })).await?;
    if session.audience == Audience::People {
        println!("the agent of {} tells everything since {from} again", days.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_with_its_job_and_what_to_do() {
        let difference = json!({
            "cause": "still-runs", "label": "4711_3", "login": "ann", "advice": "nothing",
            "amount": { "unit_seconds": 90, "text": "0.02 GPU-h" },
        });
        let told = line("2026-11-20", &difference);
        assert_eq!(told, "2026-11-20 still-runs, job 4711_3, of ann, 90 GPU-seconds: nothing");
        let unknown = json!({ "cause": "unknown-account", "label": "usine_x", "advice": "remove" });
        let told = line("2026-11-20", &unknown);
        assert_eq!(told, "2026-11-20 unknown-account, account usine_x: remove");
    }
}
