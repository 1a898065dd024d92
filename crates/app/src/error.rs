//! What a use case may answer instead of a result.

use store::StoreError;

use crate::permission::Action;

/// Why a rule says no, in words for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The rule: a policy entry or an article, for example `playground.amount_max`.
    pub rule: String,
    /// What happened and what would help.
    pub text: String,
}

impl Reason {
    /// A reason under a rule.
    pub fn new(rule: impl Into<String>, text: impl Into<String>) -> Self {
        Self { rule: rule.into(), text: text.into() }
    }
}

/// One thing that is wrong with what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Which field, by its name on the wire; empty for the whole.
    pub field: String,
    /// What is wrong and what is allowed.
    pub text: String,
}

impl FieldError {
    /// What is wrong with a field.
    pub fn new(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self { field: field.into(), text: text.into() }
    }
}

/// Everything that keeps a use case from its result. Whatever it is, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, and the use case needs somebody.
    #[error("sign in first")]
    NotSignedIn,
    /// The secret, password or link does not work (any more).
    #[error("the sign-in does not work: {0}")]
    BadCredentials(&'static str),
    /// The agent of a site is not let in.
    #[error("{0}")]
    NotAdmitted(String),
    /// The actor may see the thing, but not do this with it.
    #[error("you may not {}", .0.phrase())]
    Forbidden(Action),
    /// There is no such thing, or the actor may not know of it.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// What was sent is not valid.
    #[error("{}", list(.0.iter().map(|e| (e.field.as_str(), e.text.as_str()))))]
    Invalid(Vec<FieldError>),
    /// A rule says no.
    #[error("{}", list(.0.iter().map(|r| ("", r.text.as_str()))))]
    Refused(Vec<Reason>),
    /// The thing is no longer as the actor saw it, or stands there already.
    #[error("{0}")]
    Conflict(String),
    /// The store failed; the operator reads why in the log.
    #[error("the hub could not reach its records")]
    Store(#[source] StoreError),
    /// Something else failed inside the hub; the operator reads why in the log.
    #[error("the hub failed: {0}")]
    Internal(String),
}

impl Error {
    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, text)])
    }

    /// One rule says no.
    pub fn refused(rule: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Refused(vec![Reason::new(rule, text)])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists(what) => Self::Conflict(format!("{what} exists already")),
            other => Self::Store(other),
        }
    }
}

/// Several complaints as one line.
fn list<'a>(items: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let lines: Vec<String> = items
        .map(
            |(field, text)| {
                if field.is_empty() { text.to_owned() } else { format!("{field}: {text}") }
            },
        )
        .collect();
    lines.join("; ")
}
