//! Letters and webhooks: notices on their way out of the house.
//!
//! What is due stands in the hub's records; a turn sends it and enters what became of it. A hub
//! killed in between sends again what it had not entered yet: under the same Message-ID, the same
//! `webhook-id`, so that the receiver can tell.

mod letter;
mod mail;
mod webhook;

use std::sync::OnceLock;

use app::App;
use futures_util::StreamExt as _;

pub use mail::{MailSettings, MailTls, Password};

use mail::{Mailer, Undelivered};
use webhook::Sender;

/// Webhooks called at the same time.
const AT_ONCE: usize = 8;

/// How notices leave the house.
#[derive(Clone, Debug)]
pub struct PostSettings {
    /// How people reach the hub, without a slash at the end: letters link there.
    pub hub_url: String,
    /// The mail server, if there is one.
    pub mail: Option<MailSettings>,
    /// Whether webhooks may lead into private networks and to this machine.
    pub private_webhooks: bool,
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The settings of the mail server are not usable.
    #[error("mail: {0}")]
    Mail(String),
    /// The client of webhooks could not be made.
    #[error("webhooks: {0}")]
    Webhooks(String),
}

/// The way out of the house.
pub struct Post {
    hub_url: String,
    mailer: Option<Mailer>,
    private_webhooks: bool,
    /// Made when the first webhook is called: most hubs have none, and it holds the certificates of
    /// all authorities.
    sender: OnceLock<Sender>,
}

/// What one turn has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// What the mail server or a receiver took.
    pub sent: usize,
    /// What they did not take, or could not be brought to them.
    pub failed: usize,
}

impl Turn {
    fn count(&mut self, worked: bool) {
        let counter = if worked { &mut self.sent } else { &mut self.failed };
        *counter = counter.saturating_add(1);
    }

    /// Counts a letter; whether the server could not be used at all. The other letters would only
    /// wait for it in the same way: they stay due.
    fn letter(&mut self, to: &str, failure: Option<Undelivered>) -> bool {
        self.count(failure.is_none());
        let Some(failure) = failure else { return false };
        tracing::warn!(to, why = failure.why.text, "a letter did not leave");
        failure.server_away
    }
}

impl Post {
    /// Opens the way out.
    ///
    /// # Errors
    /// When settings are not usable.
    pub fn new(settings: PostSettings) -> Result<Self, PostError> {
        let PostSettings { hub_url, mail, private_webhooks } = settings;
        let mailer = mail.map(|mail| Mailer::new(&mail, &hub_url)).transpose()?;
        Ok(Self { hub_url, mailer, private_webhooks, sender: OnceLock::new() })
    }

    fn sender(&self) -> Result<&Sender, app::Error> {
        if let Some(sender) = self.sender.get() {
            return Ok(sender);
        }
        let made = Sender::new(self.private_webhooks);
        let made = made.map_err(|error| app::Error::Internal(error.to_string()))?;
        Ok(self.sender.get_or_init(|| made))
    }

    /// Sends everything that is due, and enters what became of it.
    ///
    /// # Errors
    /// When the hub's records cannot be read or written; what was sent until then is entered.
    pub async fn turn(&self, app: &App) -> Result<Turn, app::Error> {
        let mut done = self.letters(app).await?;
        let parcels = self.parcels(app).await?;
        done.sent = done.sent.saturating_add(parcels.sent);
        done.failed = done.failed.saturating_add(parcels.failed);
        Ok(done)
    }

    async fn letters(&self, app: &App) -> Result<Turn, app::Error> {
        let mut done = Turn::default();
        let due = app.letters_due().await?;
        let Some(mailer) = &self.mailer else { return Ok(done) };
        for letter in due {
            let written = letter::written(&letter, &self.hub_url);
            let failure = mailer.send(&written, app.now()).await.err();
            app.settle_letter(&letter, failure.as_ref().map(|it| &it.why)).await?;
            if done.letter(&letter.email, failure) {
                return Ok(done);
            }
        }
        for due in app.invitations_due().await? {
            let written = letter::invitation(&due, &self.hub_url);
            let failure = mailer.send(&written, app.now()).await.err();
            let why = failure.as_ref().map(|it| &it.why);
            app.settle_invitation(&due.invitation, why).await?;
            if done.letter(&due.invitation.email, failure) {
                break;
            }
        }
        Ok(done)
    }

    async fn parcels(&self, app: &App) -> Result<Turn, app::Error> {
        let due = app.parcels_due().await?;
        if due.is_empty() {
            return Ok(Turn::default());
        }
        let sender = self.sender()?;
        let send = |parcel: app::notices::Parcel| async move {
            let answer = sender.send(&parcel, &self.hub_url, app.now()).await;
            let (status, failure) = (answer.status, answer.failure);
            app.settle_parcel(&parcel, (status, failure.as_ref())).await?;
            Ok::<bool, app::Error>(failure.is_none())
        };
        let mut sending = futures_util::stream::iter(due).map(send).buffer_unordered(AT_ONCE);
        let mut done = Turn::default();
        while let Some(worked) = sending.next().await {
            done.count(worked?);
        }
        Ok(done)
    }
}
