//! `usine review`: reviewers and what they know, who judges what, and what it comes to.

mod tell;

use anyhow::{Context as _, Result};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{LIST_MAX, Session, call, segment};
use crate::exit::{Failure, Told};
use crate::output::{Audience, spinner, text};
use crate::remote::{Remote, wait};

/// Reviews.
#[derive(Subcommand)]
pub(crate) enum ReviewCommand {
    /// List the fields of knowledge that applications and reviewers name.
    Fields,
    /// Show what you state of yourself as a reviewer, or state it anew.
    Profile(Profile),
    /// List the reviews that you were asked for.
    List,
    /// Read an application that you were asked to judge, and your review.
    Read {
        /// The application.
        id: String,
    },
    /// Write your review; with --hand-in it is finished.
    Write(Write),
    /// Say that you may not judge an application; you are asked no more.
    Conflict {
        /// The application.
        id: String,
        /// Why; @FILE reads it from a file.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Show the reviewers of a call, or put some into its pool.
    Pool {
        /// The call's key or identifier.
        call: String,
        /// Put the reviewer with this address into it. May be given again.
        #[arg(long, value_name = "ADDRESS")]
        add: Vec<String>,
        /// Take the reviewer with this address out of it. May be given again.
        #[arg(long, value_name = "ADDRESS")]
        remove: Vec<String>,
    },
    /// Ask reviewers for the reviews that a call's applications still lack.
    Arrange {
        /// The call's key or identifier.
        call: String,
        /// Only say who would be asked.
        #[arg(long)]
        dry_run: bool,
    },
    /// List a call's applications that wait for a decision, in order.
    Ranking {
        /// The call's key or identifier.
        call: String,
    },
    /// Show how far the review of an application has come.
    Case {
        /// The application.
        id: String,
    },
    /// Say for your factory whether the machine can do what is asked.
    Technical(Technical),
    /// Enter what reviewers who differed have agreed on.
    Agree {
        /// The application.
        id: String,
        #[command(flatten)]
        scores: Scores,
        /// How they came to it; @FILE reads it from a file.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
    /// Show the applicant the reviews, who may then answer.
    Release {
        /// The application.
        id: String,
    },
    /// Answer the reviews of your application, once.
    Answer {
        /// The application.
        id: String,
        /// What you say; @FILE reads it from a file.
        text: String,
    },
}

/// What a reviewer states.
#[derive(Args)]
pub(crate) struct Profile {
    /// A field that you know, as pe6; see `usine review fields`. May be given again.
    #[arg(long = "field", value_name = "KEY")]
    fields: Vec<String>,
    /// Somebody whom you have published with. May be given again.
    #[arg(long = "published-with", value_name = "NAME", requires = "fields")]
    published_with: Vec<String>,
    /// The most applications that you take.
    #[arg(long, value_name = "COUNT", requires = "fields")]
    take: Option<u32>,
}

/// Points, by criterion.
#[derive(Args)]
pub(crate) struct Scores {
    /// Points in halves, as excellence=4.5. May be given again.
    #[arg(long = "score", value_name = "CRITERION=POINTS")]
    scores: Vec<String>,
}

impl Scores {
    fn points(&self) -> Result<Map<String, Value>> {
        let one = |text: &String| match text.split_once('=') {
            Some((criterion, points)) => Ok((criterion.trim().to_owned(), json!(points.trim()))),
            None => {
                let message =
                    format!("--score {text} needs a criterion and points: excellence=4.5");
                Err(Told::new(Failure::Invalid, message).into())
            }
        };
        self.scores.iter().map(one).collect()
    }
}

/// A review.
#[derive(Args)]
pub(crate) struct Write {
    /// The application.
    id: String,
    #[command(flatten)]
    scores: Scores,
    /// What the applicant will read; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT", default_value = "")]
    to_applicant: String,
    /// What only those who decide read; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT", default_value = "")]
    confidential: String,
    /// It is finished and cannot be changed any more.
    #[arg(long)]
    hand_in: bool,
}

/// The factory's word.
#[derive(Args)]
#[command(group(ArgGroup::new("word").required(true)))]
pub(crate) struct Technical {
    /// The application.
    id: String,
    /// It can be done.
    #[arg(long, group = "word")]
    feasible: bool,
    /// It cannot be done.
    #[arg(long, group = "word")]
    infeasible: bool,
    /// Why, or with what advice; @FILE reads it from a file.
    #[arg(long, value_name = "TEXT")]
    because: String,
}

/// Carries out `usine review`.
pub(crate) fn review(command: &ReviewCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    let audience = session.audience;
    wait(async {
        match command {
            ReviewCommand::Fields => {
                tell::fields(audience, &remote.list("/fields", LIST_MAX).await?)
            }
            ReviewCommand::Profile(profile) => state(&remote, audience, profile).await,
            ReviewCommand::List => {
                let own = remote.list("/reviews", LIST_MAX).await?;
                tell::own(audience, &own)
            }
            ReviewCommand::Read { id } => {
                audience.show(&remote.get(&of(id, "/review")).await?, tell::dossier)
            }
            ReviewCommand::Write(new) => write(&remote, audience, new).await,
            ReviewCommand::Conflict { id, because } => {
                let text = json!({ "text": said(because)? });
                remote.post(&of(id, "/review/conflict"), &text).await?;
                done(audience, "it is on record; you are asked no more")
            }
            ReviewCommand::Technical(word) => {
                let check = json!({ "feasible": word.feasible, "remark": said(&word.because)? });
                remote.post(&of(&word.id, "/technical-check"), &check).await?;
                done(audience, "the check is on record")
            }
            ReviewCommand::Agree { id, scores, because } => {
                let agreed = json!({ "scores": scores.points()?, "remark": said(because)? });
                remote.post(&of(id, "/agreed-review"), &agreed).await?;
                done(audience, "it counts in place of the means")
            }
            ReviewCommand::Release { id } => {
                remote.post(&of(id, "/reviews/show"), &json!({})).await?;
                done(audience, "the applicant reads the reviews and may answer")
            }
            ReviewCommand::Answer { id, text } => {
                let answer = json!({ "text": said(text)? });
                remote.post(&of(id, "/reviews/answer"), &answer).await?;
                done(audience, "your answer is on record")
            }
            ReviewCommand::Case { id } => {
                audience.show(&remote.get(&of(id, "/proceedings")).await?, tell::case)
            }
            ReviewCommand::Pool { call, add, remove } => {
                pool(&remote, audience, call, (add, remove)).await
            }
            ReviewCommand::Arrange { call, dry_run } => {
                arrange(&remote, audience, call, *dry_run).await
            }
            ReviewCommand::Ranking { call } => {
                let call = call::find(&remote, call).await?;
                let path = format!("/calls/{}/ranking", text(&call, "/id"));
                tell::ranking(audience, &remote.list(&path, LIST_MAX).await?)
            }
        }
    })
}

async fn write(remote: &Remote, audience: Audience, new: &Write) -> Result<()> {
    let review = json!({
        "scores": new.scores.points()?,
        "to_applicant": said(&new.to_applicant)?,
        "confidential": said(&new.confidential)?,
        "hand_in": new.hand_in,
    });
    let written = remote.put(&of(&new.id, "/review"), &review).await?;
    audience.show(&written, tell::review)
}

async fn arrange(remote: &Remote, audience: Audience, name: &str, dry_run: bool) -> Result<()> {
    let call = call::find(remote, name).await?;
    let waiting = spinner("looking for reviewers");
    let path = format!("/calls/{}/reviews", text(&call, "/id"));
    let arranged = remote.post(&path, &json!({ "dry_run": dry_run })).await?;
    waiting.finish_and_clear();
    audience.show(&arranged, |arranged| tell::arranged(arranged, dry_run))
}

async fn state(remote: &Remote, audience: Audience, profile: &Profile) -> Result<()> {
    let stated = if profile.fields.is_empty() {
        remote.get("/reviewer").await?
    } else {
        let new = json!({
            "fields": profile.fields,
            "published_with": profile.published_with,
            "load_max": profile.take,
        });
        remote.put("/reviewer", &new).await?
    };
    audience.show(&stated, tell::profile)
}

async fn pool(
    remote: &Remote,
    audience: Audience,
    call: &str,
    (add, remove): (&[String], &[String]),
) -> Result<()> {
    let call = call::find(remote, call).await?;
    let path = format!("/calls/{}/reviewers", text(&call, "/id"));
    for email in add {
        remote.post(&path, &json!({ "email": email })).await?;
    }
    let mut pool = remote.list(&path, LIST_MAX).await?;
    for email in remove {
        let found = pool.iter().find(|member| text(member, "/email") == email.to_lowercase());
        let Some(found) = found else {
            let message = format!("{email} is not in the pool; see `usine review pool`");
            return Err(Told::new(Failure::NotFound, message).into());
        };
        remote.delete(&format!("{path}/{}", text(found, "/person"))).await?;
    }
    if !remove.is_empty() {
        pool = remote.list(&path, LIST_MAX).await?;
    }
    tell::pool(audience, &pool)
}

pub(super) use tell::verdict as told_verdict;

/// What is below an application.
pub(super) fn of(id: &str, below: &str) -> String {
    format!("/applications/{}{below}", segment(id))
}

/// A text as it was typed, or what stands in the file that `@` names.
pub(super) fn said(text: &str) -> Result<String> {
    match text.strip_prefix('@') {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("{file} cannot be read"))
        }
        None => Ok(text.to_owned()),
    }
}

/// Tells people that something is done; programs know it by the exit code.
pub(super) fn done(audience: Audience, what: &str) -> Result<()> {
    audience.show(&Value::Null, |_| println!("{what}"))
}
