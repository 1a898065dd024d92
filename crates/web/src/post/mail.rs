//! The way to the mail server.

use std::fmt;
use std::time::{Duration, SystemTime};

use app::notices::Failure;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use units::Timestamp;

use super::PostError;
use super::letter::Written;

/// How long the server may take for each step.
const PATIENCE: Duration = Duration::from_secs(30);

/// A mail server and how to use it.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The certificates of a private CA, in PEM; those that the machine trusts when not given.
    pub ca: Option<Vec<u8>>,
    /// Whom letters are from, as `Usine <usine@example.org>`.
    pub from: String,
    /// Who signs in there.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<Password>,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// It begins in the clear and is protected before anything is said (port 587).
    StartTls,
    /// It is protected from the first byte (port 465).
    Implicit,
    /// It is not protected: for a server on this machine.
    None,
}

/// A password, which prints as three stars.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A password.
    pub const fn new(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The way to the mail server.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// What stands after the `@` of a Message-ID.
    domain: String,
    hub_url: String,
}

/// A letter that did not leave.
pub(super) struct Undelivered {
    pub(super) why: Failure,
    /// Whether the server itself could not be used, whoever the letter was for.
    pub(super) server_away: bool,
}

impl Mailer {
    pub(super) fn new(settings: &MailSettings, hub_url: &str) -> Result<Self, PostError> {
        let wrong = |what: &str, why: &dyn fmt::Display| PostError::Mail(format!("{what}: {why}"));
        let from: Mailbox =
            settings.from.parse().map_err(|error| wrong("`from` is no address", &error))?;
        let domain = from.email.domain().to_owned();
        let parameters = || -> Result<TlsParameters, PostError> {
            let mut builder = TlsParameters::builder(settings.server.clone());
            if let Some(pem) = &settings.ca {
                let ca = Certificate::from_pem(pem).map_err(|error| wrong("`ca`", &error))?;
                builder = builder.add_root_certificate(ca);
            }
            builder.build_rustls().map_err(|error| wrong("TLS", &error))
        };
        let tls = match settings.tls {
            MailTls::StartTls => Tls::Required(parameters()?),
            MailTls::Implicit => Tls::Wrapper(parameters()?),
            MailTls::None => Tls::None,
        };
        let builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.server.as_str());
        let mut builder = builder
            .port(settings.port)
            .tls(tls)
            .timeout(Some(PATIENCE))
            .hello_name(ClientId::Domain(domain.clone()));
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.0.clone()));
        }
        Ok(Self { transport: builder.build(), from, domain, hub_url: hub_url.to_owned() })
    }

    /// Brings a letter to the server.
    pub(super) async fn send(&self, letter: &Written, now: Timestamp) -> Result<(), Undelivered> {
        let message = self.message(letter, now).map_err(|text| Undelivered {
            why: Failure { text, for_good: true },
            server_away: false,
        })?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(undelivered(&error)),
        }
    }

    /// The letter with the headers that automatic mail has (RFC 3834, RFC 2369).
    fn message(&self, letter: &Written, now: Timestamp) -> Result<Message, String> {
        let (name, email) = &letter.to;
        let address: Address =
            email.parse().map_err(|error| format!("{email} is no address: {error}"))?;
        let header = |name: &'static str, value: String| {
            HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
        };
        let settings = format!("<{}/settings/notices>", self.hub_url);
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(name.clone(), address))
            .subject(letter.subject.clone())
            .date(SystemTime::from(now))
            .message_id(Some(format!("<{}@{}>", letter.identity, self.domain)))
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
            .raw_header(header("List-Unsubscribe", settings))
            .raw_header(header("Content-Language", letter.language.to_owned()))
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone())
            .map_err(|error| error.to_string())
    }
}

fn undelivered(error: &lettre::transport::smtp::Error) -> Undelivered {
    // No such mailbox, not here, not a name of a mailbox: waiting does not help. Whatever else a
    // server refuses may be a fault of its settings or ours, which somebody will mend.
    let unknown = [550, 551, 553];
    let status = error.status().map(u16::from);
    let for_good = status.is_some_and(|code| unknown.contains(&code));
    let text = std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    Undelivered { why: Failure { text, for_good }, server_away: status.is_none() }
}
