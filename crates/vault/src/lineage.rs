//! What a revision was made from and by what.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use units::{AllocationId, JobId, PersonId, RevisionId, Slug};

use crate::Sha256;

/// The text is not a commit hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a commit: write 7 to 64 hexadecimal digits")]
pub struct NotACommit(pub String);

/// Where a revision comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// The revisions it was made from, by the name under which the work saw them.
    pub inputs: BTreeMap<Slug, RevisionId>,
    /// How it came to be.
    pub making: Making,
}

impl Lineage {
    /// The lineage of files that a person sent.
    pub fn sent_by(person: PersonId) -> Self {
        Self { inputs: BTreeMap::new(), making: Making::Sent { by: person } }
    }
}

/// How a revision came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Making {
    /// A person sent the files.
    Sent {
        /// Who.
        by: PersonId,
    },
    /// A job wrote the files.
    Job {
        /// Which.
        job: JobId,
        /// The hours it used.
        allocation: AllocationId,
        /// What it ran.
        code: Code,
    },
}

/// What a job ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// What was asked for.
    pub recipe: Recipe,
    /// The build of the factory's own binary that carried it out.
    pub program: Program,
}

/// What a job was asked to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// A service of the catalogue.
    Service {
        /// Its name.
        name: Slug,
        /// Its version.
        version: String,
    },
    /// A script of the user.
    Script {
        /// The digest of its text.
        sha256: Sha256,
    },
}

/// A build of the factory's binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// The commit it was built from, when the build could tell.
    pub commit: Option<Commit>,
}

/// The hash of a commit of source code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Commit(String);

impl FromStr for Commit {
    type Err = NotACommit;

    fn from_str(text: &str) -> Result<Self, NotACommit> {
        let valid = (7..=64).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(text.to_owned())) } else { Err(NotACommit(text.to_owned())) }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service { name, version } => write!(f, "service {name} {version}"),
            Self::Script { sha256 } => write!(f, "script {sha256}"),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.commit {
            Some(commit) => write!(f, "usine {} ({commit})", self.version),
            None => write!(f, "usine {}", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_reads_as_one_line() {
        let program =
            Program { version: "0.0.0".to_owned(), commit: Some("56753c0".parse().unwrap()) };
        assert_eq!(program.to_string(), "usine 0.0.0 (56753c0)");
        let recipe = Recipe::Service { name: "train-lm".parse().unwrap(), version: "1".to_owned() };
        assert_eq!(recipe.to_string(), "service train-lm 1");
    }

    #[test]
    fn a_commit_is_hexadecimal() {
        for text in ["", "56753", "56753C0", "main", &"a".repeat(65)] {
            assert!(text.parse::<Commit>().is_err(), "{text:?} was accepted");
        }
    }
}
