//! `usine project`: people, allocations, and what is left of them.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, org, segment};
use crate::output::{entries, right, table, text, when};
use crate::remote::wait;

/// Projects.
#[derive(Subcommand)]
pub(crate) enum ProjectCommand {
    /// List your projects.
    List,
    /// Show a project with its allocations and what is left of them.
    Show {
        /// The project.
        id: String,
    },
    /// Say how fast the hours of a project are used, when they run out, and what would be left.
    Forecast {
        /// The project.
        id: String,
    },
    /// List the alerts of a project: thresholds of policy that its hours have come to.
    Alerts {
        /// The project.
        id: String,
    },
    /// List the members of a project.
    Members {
        /// The project.
        id: String,
    },
    /// Bring somebody with an account into a project.
    Add {
        /// The project.
        id: String,
        /// Their address.
        email: String,
        /// user or project-manager.
        #[arg(default_value = "user")]
        role: String,
    },
    /// Take somebody out of a project.
    Remove {
        /// The project.
        id: String,
        /// The person's identifier.
        person: String,
    },
}

/// Carries out `usine project`.
pub(crate) fn project(command: &ProjectCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            ProjectCommand::List => {
                let found = remote.list("/projects?limit=200", LIST_MAX).await?;
                let header = ["project", "title", "since"];
                session.audience.list(&found, "you are in no project", header, |one| {
                    [text(one, "/id"), text(one, "/title"), when(one, "/created_at")]
                })
            }
            ProjectCommand::Show { id } => {
                let path = format!("/projects/{}", segment(id));
                let project = remote.get(&path).await?;
                let allocations = remote.list(&format!("{path}/allocations"), LIST_MAX).await?;
                let both = json!({ "project": project, "allocations": allocations });
                session.audience.show(&both, tell)
            }
            ProjectCommand::Forecast { id } => {
                let path = format!("/projects/{}/forecast", segment(id));
                let heading = remote.list(&path, LIST_MAX).await?;
                let header = [
                    "partition",
                    "left",
                    "a day",
                    "seen",
                    "runs out",
                    "between",
                    "left at the end",
                ];
                session.audience.list(&heading, "the project has no hours", header, heading_row)
            }
            ProjectCommand::Alerts { id } => {
                let path = format!("/projects/{}/alerts", segment(id));
                let alerts = remote.list(&path, LIST_MAX).await?;
                let header = ["when (UTC)", "partition", "threshold", "what"];
                session.audience.list(&alerts, "there is no alert", header, |one| {
                    [
                        when(one, "/at"),
                        text(one, "/partition"),
                        text(one, "/threshold"),
                        text(one, "/text"),
                    ]
                })
            }
            ProjectCommand::Members { id } => {
                let path = format!("/projects/{}/members", segment(id));
                org::members(&remote.list(&path, LIST_MAX).await?, session)
            }
            ProjectCommand::Add { id, email, role } => {
                let path = format!("/projects/{}/members", segment(id));
                let member = remote.post(&path, &json!({ "email": email, "role": role })).await?;
                session.audience.show(&member, |_| println!("{email} is {role} there now"))
            }
            ProjectCommand::Remove { id, person } => {
                let path = format!("/projects/{}/members/{}", segment(id), segment(person));
                let gone = remote.delete(&path).await?;
                session.audience.show(&gone, |_| println!("{person} is no longer a member"))
            }
        }
    })
}

/// Where an allocation is heading.
fn heading_row(one: &Value) -> [String; 7] {
    let day = |at| gone(one, at);
    [
        text(one, "/partition"),
        text(one, "/remaining/text"),
        text(one, "/mean_per_day/text"),
        format!("{} d", text(one, "/seen_days")),
        day("likely"),
        format!("{} and {}", day("earliest"), day("latest")),
        text(one, "/left_at_end/text"),
    ]
}

/// When hours are gone, if ever.
fn gone(heading: &Value, at: &str) -> String {
    let at = format!("/runs_out/{at}");
    if heading.pointer(&at).is_some() { when(heading, &at) } else { "never".to_owned() }
}

fn tell(both: &Value) {
    println!("{}  {}", text(both, "/project/title"), text(both, "/project/id"));
    println!("  {}", text(both, "/project/purpose"));
    for allocation in entries(both, "/allocations") {
        println!(
            "\nallocation {} on {}: {}, {} until {}",
            text(allocation, "/id"),
            text(allocation, "/partition"),
            text(allocation, "/stage"),
            text(allocation, "/granted/text"),
            when(allocation, "/period/end"),
        );
        let rows = entries(allocation, "/balance").iter().map(|part| {
            ["/payer", "/available/text", "/held/text", "/used/text"].map(|key| text(part, key))
        });
        let mut balance = table(["payer", "left", "held", "used"], rows);
        right(&mut balance, &[1, 2, 3]);
        println!("{balance}");
    }
}
