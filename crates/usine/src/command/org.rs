//! `usine org`: organisations, their declarations and assessments, their members.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::exit::{Failure, Told};
use crate::output::{entries, text, when};
use crate::remote::{Remote, wait};

/// Organisations.
#[derive(Subcommand)]
pub(crate) enum OrgCommand {
    /// List the organisations that you may see.
    List {
        /// Only those whose names have words that begin with each of these.
        #[arg(long, value_name = "WORDS")]
        name: Option<String>,
    },
    /// Show an organisation.
    Show {
        /// Its identifier.
        id: String,
    },
    /// Put an organisation on record; you represent it from then on.
    Register {
        /// Its name.
        #[arg(long)]
        name: String,
        /// enterprise, research or public-body.
        #[arg(long, default_value = "enterprise")]
        kind: String,
        /// The state it is established in, as LU.
        #[arg(long)]
        country: String,
        /// Its legal form.
        #[arg(long)]
        legal_form: Option<String>,
        /// Its VAT number or EUID, as LU26375245 or LURCSL.B123456.
        #[arg(long)]
        registration: Option<String>,
        /// What it works in.
        #[arg(long)]
        sector: Option<String>,
        /// The same as a code of NACE Rev. 2.1, as K62.10.
        #[arg(long)]
        nace: Option<String>,
        /// When it was registered, as 2024-05-01.
        #[arg(long)]
        registered_on: Option<String>,
    },
    /// Declare an enterprise's figures and holdings, and learn what it counts as.
    Declare {
        /// The organisation.
        id: String,
        /// The declaration, as JSON (see `usine openapi`); `-` reads standard input.
        file: PathBuf,
    },
    /// Show the latest assessment with its calculation.
    Assess {
        /// The organisation.
        id: String,
    },
    /// Put on record what you verified of an organisation, against which evidence.
    Verify {
        /// The organisation.
        id: String,
        /// identity, size or ownership.
        #[arg(long, default_value = "identity")]
        subject: String,
        /// What you looked at.
        #[arg(long)]
        evidence: String,
    },
    /// List what was verified of an organisation, by whom.
    Verifications {
        /// The organisation.
        id: String,
    },
    /// List the members of an organisation.
    Members {
        /// The organisation.
        id: String,
    },
    /// Bring somebody with an account into an organisation.
    Add {
        /// The organisation.
        id: String,
        /// Their address.
        email: String,
        /// user or organisation-representative.
        #[arg(default_value = "user")]
        role: String,
    },
}

/// Carries out `usine org`.
pub(crate) fn org(command: &OrgCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            OrgCommand::List { name } => list(session, &remote, name.as_deref()).await,
            OrgCommand::Show { id } => {
                let found = remote.get(&format!("/organisations/{}", segment(id))).await?;
                session.audience.show(&found, tell)
            }
            OrgCommand::Register {
                name,
                kind,
                country,
                legal_form,
                registration,
                sector,
                nace,
                registered_on,
            } => {
                let new = json!({
                    "name": name,
                    "kind": kind,
                    "country": country,
                    "legal_form": legal_form,
                    "registration": registration,
                    "sector": sector,
                    "nace": nace,
                    "registered_on": registered_on,
                });
                let made = remote.post("/organisations", &new).await?;
                session.audience.show(&made, tell)
            }
            OrgCommand::Declare { id, file } => {
                let path = format!("/organisations/{}/declaration", segment(id));
                let assessment = remote.put(&path, &json_of(file)?).await?;
                session.audience.show(&assessment, tell_assessment)
            }
            OrgCommand::Assess { id } => {
                let path = format!("/organisations/{}/assessment", segment(id));
                let assessment = remote.get(&path).await?;
                session.audience.show(&assessment, tell_assessment)
            }
            OrgCommand::Verify { id, subject, evidence } => {
                verify(session, &remote, (id, subject, evidence)).await
            }
            OrgCommand::Verifications { id } => verifications(session, &remote, id).await,
            OrgCommand::Members { id } => members_of(session, &remote, id).await,
            OrgCommand::Add { id, email, role } => {
                let path = format!("/organisations/{}/members", segment(id));
                let member = remote.post(&path, &json!({ "email": email, "role": role })).await?;
                session.audience.show(&member, |_| println!("{email} is {role} there now"))
            }
        }
    })
}

/// Lists organisations, those whose names have these words where some are given.
async fn list(session: &Session, remote: &Remote, name: Option<&str>) -> Result<()> {
    let name = name.map(|words| format!("&name={}", segment(words)));
    let path = format!("/organisations?limit=200{}", name.unwrap_or_default());
    let found = remote.list(&path, LIST_MAX).await?;
    let header = ["organisation", "name", "kind", "country"];
    session.audience.list(&found, "you belong to no organisation", header, |one| {
        ["/id", "/name", "/kind", "/country"].map(|key| text(one, key))
    })
}

/// Puts on record that something was verified.
async fn verify(
    session: &Session,
    remote: &Remote,
    (id, subject, evidence): (&str, &str, &str),
) -> Result<()> {
    let path = format!("/organisations/{}/verifications", segment(id));
    let made = remote.post(&path, &json!({ "subject": subject, "evidence": evidence })).await?;
    session.audience.show(&made, |_| println!("{subject}: verified, on record"))
}

/// Lists what was verified of an organisation.
async fn verifications(session: &Session, remote: &Remote, id: &str) -> Result<()> {
    let path = format!("/organisations/{}/verifications", segment(id));
    let header = ["when", "what", "by", "evidence"];
    let found = remote.list(&path, LIST_MAX).await?;
    session.audience.list(&found, "nothing was verified yet", header, |one| {
        [
            when(one, "/verified_at"),
            text(one, "/subject"),
            text(one, "/name"),
            text(one, "/evidence"),
        ]
    })
}

async fn members_of(session: &Session, remote: &Remote, id: &str) -> Result<()> {
    let path = format!("/organisations/{}/members", segment(id));
    members(&remote.list(&path, LIST_MAX).await?, session)
}

/// Lists members of an organisation or a project.
pub(super) fn members(members: &[Value], session: &Session) -> Result<()> {
    let header = ["person", "name", "address", "role", "since"];
    session.audience.list(members, "nobody", header, |member| {
        [
            text(member, "/person"),
            text(member, "/name"),
            text(member, "/email"),
            text(member, "/role"),
            when(member, "/since"),
        ]
    })
}

/// The JSON in a file, or on standard input for `-`.
fn json_of(file: &Path) -> Result<Value> {
    let content = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    serde_json::from_str(&content).map_err(|error| {
        Told::new(Failure::Invalid, format!("{} is not JSON: {error}", file.display())).into()
    })
}

fn tell(organisation: &Value) {
    println!("{}  {}", text(organisation, "/name"), text(organisation, "/id"));
    println!("  {} in {}", text(organisation, "/kind"), text(organisation, "/country"));
    for key in ["legal_form", "registration", "sector", "nace", "registered_on"] {
        let value = text(organisation, &format!("/{key}"));
        if !value.is_empty() {
            println!("  {:<14}{value}", key.replace('_', " "));
        }
    }
}

fn tell_assessment(assessment: &Value) {
    let is = |key: &str| assessment.pointer(key).and_then(Value::as_bool) == Some(true);
    let or_not = |is: bool, what: &str| if is { what.to_owned() } else { format!("not {what}") };
    println!(
        "{}, {}: {}; {}",
        text(assessment, "/class"),
        text(assessment, "/relation"),
        or_not(is("/sme"), "an SME"),
        or_not(is("/start_up"), "a start-up"),
    );
    for line in entries(assessment, "/lines") {
        let share = text(line, "/share");
        println!("  - {} {share} ({})", text(line, "/what"), text(line, "/article"));
    }
    for reason in entries(assessment, "/start_up_reasons").iter().filter_map(Value::as_str) {
        println!("  - {reason}");
    }
    println!("  by {}", text(assessment, "/rule"));
}
