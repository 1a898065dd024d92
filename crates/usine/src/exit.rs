//! Exit codes that mean something, and the one place where errors are told to people.

use std::process::ExitCode;

/// The codes, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  it failed; the message says why and what to do next
  2  the command line or a file given to it is not valid
  3  a rule says no (not eligible, not enough hours, not your role)
  4  there is no such thing, or you may not see it
  5  sign in first (usine login), or the token has expired
  6  the hub cannot be reached";

/// A failure with a code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It failed in a way that has no code of its own.
    Failed,
    /// What was given is not valid.
    Invalid,
    /// A rule says no.
    Refused,
    /// There is no such thing.
    NotFound,
    /// Nobody is signed in.
    NotSignedIn,
    /// The hub does not answer.
    Unreachable,
    /// Another program was run and ended with this code.
    Passed(u8),
}

impl Failure {
    const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Invalid => 2,
            Self::Refused => 3,
            Self::NotFound => 4,
            Self::NotSignedIn => 5,
            Self::Unreachable => 6,
            Self::Passed(code) => code,
        }
    }
}

/// An error that carries its exit code; attach it with `anyhow::Error::from`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Told {
    pub(crate) failure: Failure,
    pub(crate) message: String,
}

impl Told {
    /// A failure in words for the person at the terminal.
    pub(crate) fn new(failure: Failure, message: impl Into<String>) -> Self {
        Self { failure, message: message.into() }
    }
}

/// Tells an error, if there is one, and turns it into an exit code.
pub(crate) fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
    let told = error.downcast_ref::<Told>();
    ExitCode::from(told.map_or(1, |told| told.failure.code()))
}
