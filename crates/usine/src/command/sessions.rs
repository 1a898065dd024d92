//! `usine session`: where one is signed in.

use anyhow::Result;
use clap::Subcommand;
use serde_json::Value;

use super::{LIST_MAX, Session, segment};
use crate::output::{text, when};
use crate::remote::wait;

/// Where you are signed in.
#[derive(Subcommand)]
pub(crate) enum SessionCommand {
    /// List your sign-ins that still hold.
    List,
    /// End a sign-in.
    End {
        /// Its identifier.
        id: String,
    },
}

/// Carries out `usine session`.
pub(crate) fn session(command: &SessionCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            SessionCommand::List => {
                let found = remote.list("/sessions", LIST_MAX).await?;
                let header = ["session", "signed in by", "since", "until", ""];
                session.audience.list(&found, "you are signed in nowhere", header, |found| {
                    let here = found.pointer("/current").and_then(Value::as_bool) == Some(true);
                    [
                        text(found, "/id"),
                        text(found, "/means"),
                        when(found, "/opened_at"),
                        when(found, "/expires_at"),
                        if here { "this one" } else { "" }.to_owned(),
                    ]
                })
            }
            SessionCommand::End { id } => {
                let gone = remote.delete(&format!("/sessions/{}", segment(id))).await?;
                session.audience.show(&gone, |_| println!("the session {id} is over"))
            }
        }
    })
}
