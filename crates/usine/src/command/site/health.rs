//! Whether sites can take work, and orders that they take none.

use anyhow::Result;
use serde_json::{Value, json};

use crate::command::{LIST_MAX, Session, segment};
use crate::output::{entries, number, text, when};
use crate::remote::{Remote, wait};

pub(super) async fn show(remote: &Remote, session: &Session, name: &str) -> Result<()> {
    let health = remote.get(&format!("/sites/{}/health", segment(name))).await?;
    session.audience.show(&health, tell)
}

pub(super) async fn drain(
    remote: &Remote,
    session: &Session,
    (name, reason): (&str, &str),
) -> Result<()> {
    let path = format!("/sites/{}/drain", segment(name));
    let health = remote.put(&path, &json!({ "reason": reason })).await?;
    session.audience.show(&health, tell)
}

pub(super) async fn resume(remote: &Remote, session: &Session, name: &str) -> Result<()> {
    let health = remote.delete(&format!("/sites/{}/drain", segment(name))).await?;
    session.audience.show(&health, tell)
}

/// `usine status`: whether partitions can take work now.
pub(crate) fn status(session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        let partitions = remote.list("/status", LIST_MAX).await?;
        let header = ["partition", "takes", "what stands in the way"];
        session.audience.list(&partitions, "no site serves a partition yet", header, |one| {
            let texts: Vec<String> =
                entries(one, "/obstacles").iter().map(|obstacle| text(obstacle, "/text")).collect();
            [text(one, "/partition"), text(one, "/takes"), texts.join("; ")]
        })
    })
}

/// Tells how a site stands.
fn tell(health: &Value) {
    println!("{} takes {}", text(health, "/site"), text(health, "/takes"));
    for obstacle in entries(health, "/obstacles") {
        println!("  {:<7} {}", text(obstacle, "/weight"), text(obstacle, "/text"));
    }
    if health.pointer("/load").is_some() {
        let of = |name: &str| number(health, &format!("/load/{name}"));
        let (up, all) = (of("nodes_up"), of("nodes"));
        println!("{up} of {all} nodes up, {} jobs run, {} wait", of("running"), of("waiting"));
    }
    for node in entries(health, "/nodes_away") {
        let since = when(node, "/since");
        let since = if since.is_empty() { since } else { format!(" since {since}") };
        let reason = text(node, "/reason");
        let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
        println!("  {:<12} {}{since}{reason}", text(node, "/name"), text(node, "/condition"));
    }
}
