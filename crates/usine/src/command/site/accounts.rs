//! Accounts, users and limits in a site's scheduler.

use anyhow::Result;
use serde_json::{Value, json};

use crate::command::{Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, number, text, when};
use crate::remote::Remote;

/// Which site, and whether its plan is to be carried out.
#[derive(clap::Args)]
pub(crate) struct Accounts {
    /// The site's name.
    name: String,
    /// Have the site's agent carry out what is to be done, exactly as it is shown.
    #[arg(long)]
    apply: bool,
}

/// How an allocation is to stand at a site.
#[derive(clap::Args)]
pub(crate) struct Stand {
    /// The site's name.
    name: String,
    /// The allocation.
    allocation: String,
    #[arg(value_enum)]
    standing: Standing,
    /// Why, in one line, for the project's members.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Standing {
    /// Its jobs run.
    Active,
    /// Its jobs run behind all others, and within a narrower ceiling.
    Downscaled,
    /// Nothing may be submitted.
    Paused,
}

impl Standing {
    const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Downscaled => "downscaled",
            Self::Paused => "paused",
        }
    }
}

/// Shows how a site stands; carries the plan out if that is asked for.
pub(super) async fn accounts(session: &Session, remote: &Remote, asked: &Accounts) -> Result<()> {
    let path = format!("/sites/{}/accounts", segment(&asked.name));
    let shown = remote.get(&path).await?;
    if !asked.apply {
        return session.audience.show(&shown, tell);
    }
    let plan = text(&shown, "/plan");
    if plan.is_empty() {
        let message = format!("there is nothing to be done at {}", asked.name);
        return Err(Told::new(Failure::Refused, message).into());
    }
    let agreed = remote.post(&format!("{path}/apply"), &json!({ "plan": plan })).await?;
    session.audience.show(&agreed, tell)
}

/// Lets an allocation stand at a site as it is asked.
pub(super) async fn stand(session: &Session, remote: &Remote, asked: &Stand) -> Result<()> {
    let (site, allocation) = (segment(&asked.name), segment(&asked.allocation));
    let path = format!("/sites/{site}/accounts/{allocation}");
    let reason = asked.reason.clone().unwrap_or_default();
    let body = json!({ "standing": asked.standing.name(), "reason": reason });
    let shown = remote.put(&path, &body).await?;
    session.audience.show(&shown, tell)
}

fn tell(accounts: &Value) {
    let site = text(accounts, "/site");
    if text(accounts, "/told_at").is_empty() {
        println!("{site} keeps no accounts for the hub, or has not told of them yet");
    } else {
        let agrees = accounts.pointer("/agrees") == Some(&Value::Bool(true));
        let since = match when(accounts, "/agreed_at") {
            since if since.is_empty() => "never so far".to_owned(),
            since => since,
        };
        let word = if agrees { "agree" } else { "do not agree" };
        println!(
            "the accounts at {site} {word} with the hub (told {}, last in agreement {since})",
            when(accounts, "/told_at")
        );
    }
    for step in entries(accounts, "/steps") {
        println!("  to do   {} ({})", text(step, "/text"), text(step, "/why"));
    }
    let (shown, total) = (entries(accounts, "/steps").len(), number(accounts, "/steps_total"));
    if i64::try_from(shown).is_ok_and(|shown| shown < total) {
        println!("  and so on, {total} steps in all");
    }
    for drift in entries(accounts, "/drift") {
        println!("  by hand {} ({})", text(drift, "/text"), text(drift, "/response"));
    }
    for done in entries(accounts, "/done") {
        println!("  done    {}", done.as_str().unwrap_or_default());
    }
    let failed = text(accounts, "/failed");
    if !failed.is_empty() {
        println!("  failed  {failed}");
    }
    for held in entries(accounts, "/held_back") {
        let (standing, reason) = (text(held, "/standing"), text(held, "/reason"));
        println!(
            "  {standing} allocation {} since {}: {reason}",
            text(held, "/allocation"),
            when(held, "/since")
        );
    }
    if accounts.pointer("/applies") == Some(&Value::Bool(true)) {
        println!("the agent carries the plan out");
    } else if shown > 0 && text(accounts, "/manage") == "plan" {
        println!("nothing is done until somebody agrees: usine site accounts {site} --apply");
    }
}
