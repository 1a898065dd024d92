//! `usine verdict`: what becomes of applications; one proposes, another adopts.

use anyhow::Result;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::review::{done, of, said, told_verdict};
use super::{LIST_MAX, Session, call};
use crate::output::{Audience, text, when};
use crate::remote::{Remote, wait};

/// Verdicts.
#[derive(Subcommand)]
pub(crate) enum VerdictCommand {
    /// Propose what is to become of an application.
    Propose(Propose),
    /// Adopt what somebody else has proposed.
    Adopt {
        /// The application.
        id: String,
    },
    /// Send a verdict that is not published back to those who propose.
    Return {
        /// The application.
        id: String,
        /// Why; @FILE reads it from a file.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Publish adopted verdicts: of one application, or of a whole call.
    Publish(Publish),
    /// Appeal against the refusal of your application.
    Appeal {
        /// The application.
        id: String,
        /// Why; @FILE reads it from a file.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Decide on an appeal.
    DecideAppeal(DecideAppeal),
}

/// What is proposed.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true)))]
pub(crate) struct Propose {
    /// The application.
    id: String,
    /// Grant so many hours of the call's unit.
    #[arg(long, value_name = "HOURS", group = "what")]
    award: Option<u32>,
    /// Grant nothing.
    #[arg(long, group = "what")]
    refuse: bool,
    /// Why, in words that the applicant reads; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT")]
    because: String,
}

/// What is published.
#[derive(Args)]
#[command(group(ArgGroup::new("which").required(true)))]
pub(crate) struct Publish {
    /// The application.
    #[arg(group = "which")]
    id: Option<String>,
    /// All that is adopted under this call.
    #[arg(long, value_name = "CALL", group = "which")]
    call: Option<String>,
}

/// What comes of an appeal.
#[derive(Args)]
#[command(group(ArgGroup::new("word").required(true)))]
pub(crate) struct DecideAppeal {
    /// The application.
    id: String,
    /// It is right: the application waits for a new verdict.
    #[arg(long, group = "word")]
    uphold: bool,
    /// It is not.
    #[arg(long, group = "word")]
    reject: bool,
    /// Why; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT")]
    because: String,
}

/// Carries out `usine verdict`.
pub(crate) fn verdict(command: &VerdictCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let audience = session.audience;
    wait(async {
        match command {
            VerdictCommand::Propose(new) => {
                let verdict = json!({ "award_hours": new.award, "remark": said(&new.because)? });
                let proposed = remote.post(&of(&new.id, "/verdict"), &verdict).await?;
                audience.show(&proposed, tell)
            }
            VerdictCommand::Adopt { id } => {
                let adopted = remote.post(&of(id, "/verdict/adopt"), &json!({})).await?;
                audience.show(&adopted, tell)
            }
            VerdictCommand::Return { id, because } => {
                let why = json!({ "remark": said(because)? });
                remote.post(&of(id, "/verdict/return"), &why).await?;
                done(audience, "it is sent back; nothing is proposed now")
            }
            VerdictCommand::Publish(Publish { id: Some(id), .. }) => {
                remote.post(&of(id, "/verdict/publish"), &json!({})).await?;
                done(audience, "it is published")
            }
            VerdictCommand::Publish(Publish { call, .. }) => {
                publish_all(&remote, audience, call.as_deref().unwrap_or_default()).await
            }
            VerdictCommand::Appeal { id, because } => {
                let appeal = json!({ "text": said(because)? });
                remote.post(&of(id, "/appeal"), &appeal).await?;
                done(audience, "your appeal is on record; somebody else decides on it")
            }
            VerdictCommand::DecideAppeal(decided) => {
                let answer = said(&decided.because)?;
                let decision = json!({ "upheld": decided.uphold, "answer": answer });
                remote.post(&of(&decided.id, "/appeal/decision"), &decision).await?;
                done(audience, "the decision is on record")
            }
        }
    })
}

/// Publishes everything that is adopted under a call; what the rules have something against by now
/// is told, and the others are published all the same.
async fn publish_all(remote: &Remote, audience: Audience, name: &str) -> Result<()> {
    let call = call::find(remote, name).await?;
    let path = format!("/calls/{}/ranking", text(&call, "/id"));
    let judged = remote.list(&path, LIST_MAX).await?;
    let adopted = judged.iter().filter(|one| !when(one, "/verdict/adopted_at").is_empty());
    let (mut published, mut refused) = (0_u32, None);
    for one in adopted {
        let id = text(one, "/application");
        match remote.post(&of(&id, "/verdict/publish"), &json!({})).await {
            Ok(_) => published = published.saturating_add(1),
            Err(error) => {
                eprintln!("{} ({id}): {error:#}", text(one, "/title"));
                refused = Some(error);
            }
        }
    }
    done(audience, &format!("{published} verdicts are published"))?;
    refused.map_or(Ok(()), Err)
}

fn tell(verdict: &Value) {
    println!("{}: {}", told_verdict(Some(verdict)), text(verdict, "/remark"));
}
