//! What can come between a client and the hub's answer.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not that of a hub.
    #[error("`{0}` is not an address; addresses look like http://127.0.0.1:8080")]
    Address(String),
    /// This machine cannot make connections.
    #[error("cannot prepare for connections")]
    Setup(#[source] reqwest::Error),
    /// The file of CAs cannot be used.
    #[error("the CA file {path} cannot be used: {why}")]
    Trust {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        why: String,
    },
    /// This machine cannot tell whom to trust.
    #[error("cannot prepare for TLS: {0}")]
    Tls(String),
    /// Somebody answers who is not known to be the hub; nothing was sent.
    #[error("the server at that address is not trusted: {0}")]
    Distrusted(String),
    /// The agent has no key to be let in by.
    #[error(transparent)]
    Identity(#[from] crate::identity::Error),
    /// Hub and agent are too far apart.
    #[error("{0}")]
    Version(String),
    /// Nobody answers.
    #[error("the hub cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// A wire that is not the network was cut.
    #[error("the connection to the hub was cut: {0}")]
    Cut(&'static str),
    /// The connection broke within an answer.
    #[error("the connection to the hub broke")]
    Interrupted(#[source] reqwest::Error),
    /// The hub says no, and why.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// Something that is not a hub answered.
    #[error("unexpected answer with status {status}: {text}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// The answer is not what the caller expects.
    #[error("the hub's answer cannot be understood")]
    Malformed(#[source] serde_json::Error),
    /// The bytes of a file do not come or go.
    #[error("cannot read the file to be sent")]
    File(#[source] std::io::Error),
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The stable name of the situation.
    #[serde(rename = "type")]
    pub kind: String,
    /// The situation in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    #[serde(default)]
    pub detail: Option<String>,
    /// Why, one by one.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// After how many seconds another attempt makes sense, where the hub says so.
    #[serde(skip)]
    pub wait_seconds: Option<u64>,
}

/// One reason of a [`Problem`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The rule that spoke.
    pub rule: String,
    /// What happened and what would help, for people.
    pub text: String,
    /// The field of the request that it is about.
    #[serde(default)]
    pub field: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(&self.title))?;
        self.reasons.iter().try_for_each(|reason| match &reason.field {
            Some(field) => write!(f, "\n  {field}: {}", reason.text),
            None => write!(f, "\n  {} ({})", reason.text, reason.rule),
        })
    }
}

/// How much of an unexpected answer is shown.
const SHOWN_CHARACTERS_MAX: usize = 200;

impl From<crate::key::KeyError> for Error {
    fn from(error: crate::key::KeyError) -> Self {
        Self::Identity(error.into())
    }
}

impl Error {
    /// A request that did not get through.
    pub(super) fn unsent(error: reqwest::Error) -> Self {
        super::tls::distrust(&error).map_or(Self::Unreachable(error), Self::Distrusted)
    }

    pub(super) fn refused(status: u16, text: &str, wait_seconds: Option<u64>) -> Self {
        match serde_json::from_str::<Problem>(text) {
            Ok(problem) => Self::Refused(Box::new(Problem { wait_seconds, ..problem })),
            Err(_) => {
                let text = text.chars().take(SHOWN_CHARACTERS_MAX).collect();
                Self::Unexpected { status, text }
            }
        }
    }

    /// The HTTP status, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            Self::Unexpected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Cut(_) | Self::Interrupted(_) => true,
            _ => matches!(self.status(), Some(408 | 425 | 429 | 500 | 502 | 503 | 504)),
        }
    }
}
