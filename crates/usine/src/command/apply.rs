//! `usine apply`: applications, from the draft to the decision.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::{LIST_MAX, Session, call, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, number, text, when};
use crate::remote::{Remote, wait};

/// Applications.
#[derive(Subcommand)]
pub(crate) enum ApplyCommand {
    /// Begin an application under a call, as a draft.
    Draft {
        /// The call's key or identifier.
        call: String,
        /// The organisation that applies.
        #[arg(long, value_name = "ID")]
        organisation: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// Write parts of a draft again; what is not given stays.
    Edit {
        /// The application.
        id: String,
        #[command(flatten)]
        asked: Asked,
    },
    /// See where it stands, check by check; nothing is changed.
    Check {
        /// The application.
        id: String,
    },
    /// See until when people are to decide.
    Clock {
        /// The application.
        id: String,
    },
    /// Submit it. Where rules decide, the decision comes at once.
    Submit {
        /// The application.
        id: String,
    },
    /// Take it back.
    Withdraw {
        /// The application.
        id: String,
    },
    /// Show an application and its decision.
    Show {
        /// The application.
        id: String,
    },
    /// List the applications that you may see.
    List,
}

/// What is asked.
#[derive(clap::Args)]
pub(crate) struct Asked {
    /// The organisation's project that is to have more hours; a new one when none is named.
    #[arg(long, value_name = "ID")]
    project: Option<String>,
    /// What the project will be called.
    #[arg(long)]
    title: Option<String>,
    /// What the hours are for.
    #[arg(long)]
    purpose: Option<String>,
    /// Where, as meluxina-ai.gpu.
    #[arg(long)]
    partition: Option<String>,
    /// How many hours of the call's unit.
    #[arg(long)]
    hours: Option<u32>,
    /// For how many months.
    #[arg(long)]
    months: Option<u32>,
    /// Accept the duties of the access mode.
    #[arg(long)]
    accept_duties: bool,
    /// What it is about, as pe6; see `usine review fields`. May be given again.
    #[arg(long = "field", value_name = "KEY")]
    fields: Vec<String>,
    /// Somebody who asks with you. May be given again.
    #[arg(long = "member", value_name = "NAME; ADDRESS; ORGANISATION")]
    team: Vec<String>,
}

impl Asked {
    /// Writes what was given over `draft`.
    fn over(&self, draft: &mut Map<String, Value>) {
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                draft.insert(key.to_owned(), value);
            }
        };
        put("project", self.project.clone().map(Value::from));
        put("title", self.title.clone().map(Value::from));
        put("purpose", self.purpose.clone().map(Value::from));
        put("partition", self.partition.clone().map(Value::from));
        put("hours", self.hours.map(Value::from));
        put("months", self.months.map(Value::from));
        put("duties_accepted", self.accept_duties.then_some(Value::Bool(true)));
        put("fields", (!self.fields.is_empty()).then(|| json!(self.fields)));
        let team: Vec<Value> = self.team.iter().map(|text| member(text)).collect();
        put("team", (!team.is_empty()).then_some(Value::Array(team)));
    }
}

/// A member of the team, from `NAME; ADDRESS; ORGANISATION`.
fn member(text: &str) -> Value {
    let mut parts = text.split(';').map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (name, email) = (next(), next());
    json!({ "name": name, "email": email, "organisation": next() })
}

/// Carries out `usine apply`.
pub(crate) fn apply(command: &ApplyCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            ApplyCommand::Draft { call, organisation, asked } => {
                let call = call::find(&remote, call).await?;
                let mut draft = Map::new();
                asked.over(&mut draft);
                let new = json!({ "organisation": organisation, "draft": draft });
                let path = format!("/calls/{}/applications", text(&call, "/id"));
                session.audience.show(&remote.post(&path, &new).await?, tell)
            }
            ApplyCommand::Edit { id, asked } => {
                session.audience.show(&edit(&remote, id, asked).await?, tell)
            }
            ApplyCommand::Check { id } => {
                let checked = remote.post(&path(id, "/check"), &json!({})).await?;
                session.audience.show(&checked, tell_findings)?;
                let ready = checked.pointer("/ready").and_then(Value::as_bool) == Some(true);
                refused_unless(ready, "it is not ready to be submitted")
            }
            ApplyCommand::Clock { id } => {
                session.audience.show(&remote.get(&path(id, "/clock")).await?, tell_clock)
            }
            ApplyCommand::Submit { id } => {
                let decided = remote.post(&path(id, "/submit"), &json!({})).await?;
                session.audience.show(&decided, tell)?;
                refused_unless(text(&decided, "/state") != "refused", "it was refused")
            }
            ApplyCommand::Withdraw { id } => {
                let withdrawn = remote.post(&path(id, "/withdraw"), &json!({})).await?;
                session.audience.show(&withdrawn, tell)
            }
            ApplyCommand::Show { id } => {
                session.audience.show(&remote.get(&path(id, "")).await?, tell)
            }
            ApplyCommand::List => {
                let found = remote.list("/applications?limit=200", LIST_MAX).await?;
                let header = ["application", "title", "partition", "hours", "state", "since"];
                session.audience.list(&found, "there are no applications", header, |one| {
                    [
                        text(one, "/id"),
                        text(one, "/draft/title"),
                        text(one, "/draft/partition"),
                        text(one, "/draft/hours"),
                        text(one, "/state"),
                        when(one, "/state_at"),
                    ]
                })
            }
        }
    })
}

fn path(id: &str, below: &str) -> String {
    format!("/applications/{}{below}", segment(id))
}

/// Writes over the draft as it stands; somebody else's change in between is a conflict.
async fn edit(remote: &Remote, id: &str, asked: &Asked) -> Result<Value> {
    let before = remote.get(&path(id, "")).await?;
    let mut draft =
        before.pointer("/draft").and_then(Value::as_object).cloned().unwrap_or_default();
    asked.over(&mut draft);
    let written = json!({ "version": number(&before, "/version"), "draft": draft });
    remote.put(&path(id, ""), &written).await
}

fn refused_unless(good: bool, message: &str) -> Result<()> {
    if good { Ok(()) } else { Err(Told::new(Failure::Refused, message).into()) }
}

fn tell_findings(checked: &Value) {
    for finding in entries(checked, "/findings") {
        let mark = match text(finding, "/outcome").as_str() {
            "passed" => "✓",
            "open" => "…",
            _ => "✗",
        };
        println!("  {mark} {}: {}", text(finding, "/check"), text(finding, "/text"));
    }
}

fn tell(application: &Value) {
    println!("application {}: {}", text(application, "/id"), text(application, "/state"));
    let draft = |key: &str| text(application, &format!("/draft/{key}"));
    println!("  {}", draft("title"));
    println!("  {} hours on {} for {} months", draft("hours"), draft("partition"), draft("months"));
    for reason in entries(application, "/reasons") {
        let of = |key: &str| text(reason, key);
        println!("  ✗ {}: {}; allowed: {}", of("/check"), of("/found"), of("/allowed"));
        if !of("/fits").is_empty() {
            println!("    would fit: {}", of("/fits"));
        }
        println!("    by {}", of("/rule"));
    }
    for (name, key) in [("project", "/project"), ("allocation", "/allocation")] {
        let id = text(application, key);
        if !id.is_empty() {
            println!("  {name:<12}{id}");
        }
    }
}

fn tell_clock(clock: &Value) {
    if clock.pointer("/runs").and_then(Value::as_bool) != Some(true) {
        return println!("no clock runs: it does not wait for people, or no time is said");
    }
    let overdue = clock.pointer("/overdue").and_then(Value::as_bool) == Some(true);
    let late = if overdue { ", which has passed" } else { "" };
    println!("to be decided by {} UTC{late}", when(clock, "/decide_by"));
    let (term, rule) = (text(clock, "/term"), text(clock, "/rule"));
    println!("  {term}, submitted {} UTC ({rule})", when(clock, "/submitted_at"));
}
