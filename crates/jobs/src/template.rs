//! Services: scripts that somebody else wrote, with typed parameters for people to fill in.
//!
//! A service is a folder with `service.toml` and a batch script. The script is an ordinary one:
//! its directives say what it needs by default, parameters reach it as environment variables
//! (`PARAM_STEPS`), the revisions it reads lie under `inputs/MOUNT/` in the job's directory, and
//! what it leaves in the folders of its outputs is kept. Values never become part of the script's
//! code: [`Template::render`] writes them as quoted assignments.
//!
//! Not here: where services are found, and whether the person may read what they name.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use units::{NotAnId, RepositoryId, Slug};

use crate::script::Script;

mod parse;
mod render;

pub use parse::TemplateError;
pub use render::{Rendered, WrongValue};

/// A text in each language of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// In English.
    pub en: String,
    /// In French.
    pub fr: String,
}

/// What kind of value a parameter takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Integer {
        /// What is counted, if that needs saying.
        unit: Option<String>,
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// Some words.
    Text {
        /// The most characters.
        length_max: u32,
    },
    /// One of these.
    Choice(Vec<String>),
    /// A revision of a repository, put at `inputs/MOUNT/`.
    Repository {
        /// What must be in it.
        holds: Holds,
    },
}

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// Data.
    Dataset,
    /// A model.
    Model,
}

/// Something to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; for a repository also that of its mount.
    pub name: Slug,
    /// What people read beside it.
    pub label: Texts,
    /// What it takes.
    pub kind: Kind,
    /// What is taken when nothing is given; without it the parameter must be given.
    pub default: Option<String>,
}

/// A folder that the script writes and that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its name.
    pub name: Slug,
    /// Where the script writes it, relative to the job's directory.
    pub path: String,
    /// What it will hold.
    pub holds: Holds,
}

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: Slug,
    /// Which edition of the script this is.
    pub version: String,
    /// What people call it.
    pub title: Texts,
    /// What it does.
    pub description: Texts,
    /// What is to be filled in, in the order in which it is asked.
    pub parameters: Vec<Parameter>,
    /// What it makes.
    pub outputs: Vec<Output>,
    /// The script; its directives say what it needs unless the submitter asks for something else.
    pub script: Script,
}

/// A repository and perhaps one of its revisions: `ID` or `ID@REVISION`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryRef {
    /// The repository.
    pub repository: RepositoryId,
    /// The revision as it was written; the newest when nothing was.
    pub revision: Option<String>,
}

impl Parameter {
    /// The environment variable in which the script finds the value.
    pub fn variable(&self) -> String {
        format!("PARAM_{}", self.name.as_str().to_ascii_uppercase().replace('-', "_"))
    }
}

impl Template {
    /// Reads a service from its description and its script.
    ///
    /// # Errors
    /// When either cannot be read, or the description contradicts itself.
    pub fn parse(description: &str, script: &[u8]) -> Result<Self, TemplateError> {
        parse::template(description, script)
    }

    /// The script of a job with these values, and what it reads.
    ///
    /// # Errors
    /// Every value that is missing, unknown, or not what its parameter takes.
    pub fn render(&self, given: &BTreeMap<String, String>) -> Result<Rendered, Vec<WrongValue>> {
        render::render(self, given)
    }
}

impl FromStr for RepositoryRef {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (repository, revision) = match text.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision.to_owned())),
            None => (text, None),
        };
        Ok(Self { repository: repository.parse()?, revision })
    }
}

impl fmt::Display for RepositoryRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.repository),
            None => self.repository.fmt(f),
        }
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dataset => "dataset",
            Self::Model => "model",
        })
    }
}

#[cfg(test)]
mod tests;
