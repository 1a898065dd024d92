//! `usine invitation`: roles offered by a link.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::{LIST_MAX, Session, segment};
use crate::output::{text, when};
use crate::remote::wait;

/// Invitations: a role offered to an address, taken by whoever opens the link.
#[derive(Subcommand)]
pub(crate) enum InvitationCommand {
    /// Invite somebody; the link is sent to them, or printed where the hub has no mail server.
    Send {
        /// Their address.
        email: String,
        /// The role, as user, project-manager, organisation-representative.
        #[arg(long, default_value = "user")]
        role: String,
        /// `organisation:ID`, `project:ID`, `federation` or `factory:KEY`.
        #[arg(long = "in", value_name = "SCOPE")]
        scope: String,
    },
    /// List the last invitations into a place.
    List {
        /// `organisation:ID`, `project:ID`, `federation` or `factory:KEY`.
        scope: String,
    },
    /// Accept an invitation; your account has the role then.
    Accept {
        /// The link, or what it ends with.
        link: String,
    },
    /// Take an invitation back.
    Revoke {
        /// Its identifier.
        id: String,
    },
}

/// Carries out `usine invitation`.
pub(crate) fn invitation(command: &InvitationCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            InvitationCommand::Send { email, role, scope } => {
                let new = json!({ "email": email, "role": role, "scope": scope });
                let made = remote.post("/invitations", &new).await?;
                session.audience.show(&made, |made| {
                    let until = when(made, "/expires_at");
                    eprintln!("invitation {} works until {until}", text(made, "/id"));
                    match text(made, "/link") {
                        link if link.is_empty() => println!("the link is on its way to {email}"),
                        link => println!("{}{link}", remote.url()),
                    }
                })
            }
            InvitationCommand::List { scope } => {
                let path = format!("/invitations?scope={}", segment(scope));
                let found = remote.list(&path, LIST_MAX).await?;
                let header = ["invitation", "to", "role", "state", "until", "letter"];
                session.audience.list(&found, "nobody was invited there", header, |it| {
                    let letter = match (text(it, "/error"), text(it, "/sent_at")) {
                        (error, _) if !error.is_empty() => error,
                        (_, sent) if !sent.is_empty() => "sent".to_owned(),
                        _ => "–".to_owned(),
                    };
                    [
                        text(it, "/id"),
                        text(it, "/email"),
                        text(it, "/role"),
                        text(it, "/state"),
                        when(it, "/expires_at"),
                        letter,
                    ]
                })
            }
            InvitationCommand::Accept { link } => {
                let secret = link.rsplit('/').next().unwrap_or_default();
                let accepted =
                    remote.post("/invitations/accept", &json!({ "secret": secret })).await?;
                session.audience.show(&accepted, |it| {
                    println!("you are {} in {} now", text(it, "/role"), text(it, "/scope"));
                })
            }
            InvitationCommand::Revoke { id } => {
                let gone = remote.delete(&format!("/invitations/{}", segment(id))).await?;
                session.audience.show(&gone, |_| println!("its link works no more"))
            }
        }
    })
}
