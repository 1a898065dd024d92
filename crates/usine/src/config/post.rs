//! How letters and webhooks leave the hub.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, Serializer};

/// The mail server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mail {
    /// Its name.
    pub(crate) server: String,
    /// Its port; 587 with `starttls`, 465 with `implicit`, 25 with `none` when not set.
    pub(crate) port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub(crate) tls: MailTls,
    /// The certificates of a private CA, in PEM; those that this machine trusts when not set.
    pub(crate) ca: Option<PathBuf>,
    /// Whom letters are from, as `Usine <usine@example.org>`.
    pub(crate) from: String,
    /// Who signs in there; nobody when not set.
    pub(crate) user: Option<String>,
    /// The file that holds the password, alone.
    pub(crate) password_file: Option<PathBuf>,
    /// The password itself, for `USINE_MAIL__PASSWORD`.
    pub(crate) password: Option<Hidden>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MailTls {
    /// Begun in the clear, protected before anything is said.
    #[default]
    StartTls,
    /// Protected from the first byte.
    Implicit,
    /// Not protected, for a server on this machine.
    None,
}

/// A text that is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

/// Where webhooks may lead.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Webhooks {
    /// Whether into private networks and to this machine, and without TLS.
    pub(crate) private_networks: bool,
}

impl Mail {
    /// What the hub's own page says of it.
    pub(crate) fn named(&self) -> String {
        format!("{}:{}", self.server, self.port())
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        })
    }

    /// What letters are sent by.
    ///
    /// # Errors
    /// When a file that it names cannot be read.
    pub(crate) fn settings(&self) -> Result<web::post::MailSettings> {
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("cannot read {} (mail)", path.display()))
        };
        let ca = self.ca.as_ref().map(read).transpose()?;
        let password = match (&self.password_file, &self.password) {
            (Some(path), _) => {
                let text = String::from_utf8(read(path)?).context("mail.password_file")?;
                Some(text.trim_end_matches(['\r', '\n']).to_owned())
            }
            (None, password) => password.as_ref().map(|it| it.0.clone()),
        };
        let tls = match self.tls {
            MailTls::StartTls => web::post::MailTls::StartTls,
            MailTls::Implicit => web::post::MailTls::Implicit,
            MailTls::None => web::post::MailTls::None,
        };
        Ok(web::post::MailSettings {
            server: self.server.clone(),
            port: self.port(),
            tls,
            ca,
            from: self.from.clone(),
            user: self.user.clone(),
            password: password.map(web::post::Password::new),
        })
    }
}
