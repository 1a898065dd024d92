//! `usine notices` and `usine webhook`: what happened and concerns you, and where it is sent.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{LIST_MAX, Session, segment};
use crate::output::{number, text, when};
use crate::remote::{Remote, wait};

/// What happened and concerns you.
#[derive(clap::Args)]
pub(crate) struct NoticesArguments {
    #[command(subcommand)]
    command: Option<NoticesCommand>,
    /// List only those that are unread.
    #[arg(long)]
    unread: bool,
}

#[derive(Subcommand)]
enum NoticesCommand {
    /// Mark a notice as read, or all of them.
    Read {
        /// Its identifier; all when not given.
        id: Option<String>,
    },
    /// Print how you are told, or choose it.
    Settings {
        /// The language of your notices.
        #[arg(long)]
        language: Option<Language>,
        /// When you get them by e-mail.
        #[arg(long)]
        mail: Option<ByMail>,
        /// Whether you hear of every call that opens or is about to close.
        #[arg(long)]
        calls: Option<bool>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByMail {
    /// Each as it comes.
    AtOnce,
    /// All of a day in one letter.
    Daily,
    /// Never.
    No,
}

/// The word of a choice.
fn word<T: ValueEnum>(choice: &T) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Carries out `usine notices`.
pub(crate) fn notices(arguments: &NoticesArguments, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match &arguments.command {
            None => list(&remote, session, arguments.unread).await,
            Some(NoticesCommand::Read { id: Some(id) }) => {
                let path = format!("/notices/{}/read", segment(id));
                let read = remote.post(&path, &json!({})).await?;
                session.audience.show(&read, |_| println!("it is marked as read"))
            }
            Some(NoticesCommand::Read { id: None }) => {
                let read = remote.post("/notices/read", &json!({})).await?;
                session.audience.show(&read, |read| {
                    println!("{} notices are marked as read", number(read, "/marked"));
                })
            }
            Some(NoticesCommand::Settings { language, mail, calls }) => {
                let mut settings = remote.get("/notices/settings").await?;
                let mut changes = Vec::new();
                changes.extend(language.map(|it| ("language", json!(word(&it)))));
                changes.extend(mail.map(|it| ("mail", json!(word(&it)))));
                changes.extend(calls.map(|it| ("calls", json!(it))));
                if let (Value::Object(kept), false) = (&mut settings, changes.is_empty()) {
                    kept.extend(changes.into_iter().map(|(key, value)| (key.to_owned(), value)));
                    remote.put("/notices/settings", &settings).await?;
                }
                session.audience.show(&settings, |it| {
                    println!("language  {}", text(it, "/language"));
                    println!("e-mail    {}", text(it, "/mail"));
                    let calls = it.pointer("/calls").and_then(Value::as_bool);
                    println!("calls     {}", if calls == Some(true) { "yes" } else { "no" });
                })
            }
        }
    })
}

async fn list(remote: &Remote, session: &Session, unread: bool) -> Result<()> {
    let path = if unread { "/notices?unread=true" } else { "/notices" };
    let notices = remote.list(path, LIST_MAX).await?;
    let header = ["notice", "told", "", "what"];
    session.audience.list(&notices, "you have no notices", header, |notice| {
        let state = if notice.pointer("/read_at").is_some() { "" } else { "new" };
        [text(notice, "/id"), when(notice, "/at"), state.to_owned(), text(notice, "/subject")]
    })
}

/// Webhooks: your notices as signed JSON, sent to an address of yours.
#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// List your webhooks.
    List,
    /// Add one; its secret is printed once, alone on standard output.
    Add {
        /// An address that begins with https:// and leads to a public host.
        url: String,
    },
    /// Send a test; one that was switched off is on again.
    Test {
        /// Its identifier.
        id: String,
    },
    /// List the last deliveries of one.
    Deliveries {
        /// Its identifier.
        id: String,
    },
    /// Delete one.
    Delete {
        /// Its identifier.
        id: String,
    },
}

/// Carries out `usine webhook`.
pub(crate) fn webhook(command: &WebhookCommand, session: &Session) -> Result<()> {
    let remote = session.remote()?;
    wait(async {
        match command {
            WebhookCommand::List => {
                let webhooks = remote.list("/webhooks", LIST_MAX).await?;
                let header = ["webhook", "address", "state"];
                session.audience.list(&webhooks, "you have no webhooks", header, |it| {
                    let state = match (it.get("disabled_at"), it.get("failing_since")) {
                        (Some(_), _) => format!("switched off {}", when(it, "/disabled_at")),
                        (None, Some(_)) => format!("fails since {}", when(it, "/failing_since")),
                        (None, None) => "works".to_owned(),
                    };
                    [text(it, "/id"), text(it, "/url"), state]
                })
            }
            WebhookCommand::Add { url } => {
                let made = remote.post("/webhooks", &json!({ "url": url })).await?;
                session.audience.show(&made, |made| {
                    eprintln!("webhook {} leads to {}", text(made, "/id"), text(made, "/url"));
                    println!("{}", text(made, "/secret"));
                })
            }
            WebhookCommand::Test { id } => {
                let path = format!("/webhooks/{}/test", segment(id));
                let sent = remote.post(&path, &json!({})).await?;
                session.audience.show(&sent, |_| {
                    println!("a test is on its way; `usine webhook deliveries {id}` shows it");
                })
            }
            WebhookCommand::Deliveries { id } => {
                let path = format!("/webhooks/{}/deliveries", segment(id));
                let sent = remote.list(&path, LIST_MAX).await?;
                let header = ["notice", "told", "what", "state", "attempts", "answer"];
                session.audience.list(&sent, "nothing was sent there yet", header, |it| {
                    let answer = match text(it, "/error") {
                        error if error.is_empty() => number(it, "/status").to_string(),
                        error => error,
                    };
                    [
                        text(it, "/notice"),
                        when(it, "/at"),
                        text(it, "/kind"),
                        text(it, "/state"),
                        number(it, "/attempts").to_string(),
                        answer,
                    ]
                })
            }
            WebhookCommand::Delete { id } => {
                let gone = remote.delete(&format!("/webhooks/{}", segment(id))).await?;
                session.audience.show(&gone, |_| println!("nothing is sent there any more"))
            }
        }
    })
}
