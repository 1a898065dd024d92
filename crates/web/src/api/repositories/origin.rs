//! Where a revision comes from and what it led to, as it goes over the wire.

use std::collections::BTreeMap;

use app::data::{Lineage, Source};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{Making, Recipe};

use super::dto::{RepositoryOut, RevisionOut};

/// How a revision came to be.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum MakingOut {
    /// A person sent the files.
    Sent {
        /// Who.
        by: Uuid,
    },
    /// A job wrote the files.
    Job {
        /// Which.
        job: Uuid,
        /// The hours it used.
        allocation: Uuid,
        /// What it was asked to run.
        recipe: RecipeOut,
        /// The version of the factory's program that carried it out.
        program_version: String,
        /// The commit that program was built from, when the build could tell.
        program_commit: Option<String>,
    },
}

/// What a job was asked to run.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum RecipeOut {
    /// A service of the catalogue.
    Service {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// A script of the user.
    Script {
        /// The digest of its text.
        sha256: String,
    },
}

impl From<Making> for MakingOut {
    fn from(making: Making) -> Self {
        match making {
            Making::Sent { by } => Self::Sent { by: by.uuid() },
            Making::Job { job, allocation, code } => Self::Job {
                job: job.uuid(),
                allocation: allocation.uuid(),
                recipe: match code.recipe {
                    Recipe::Service { name, version } => {
                        RecipeOut::Service { name: name.to_string(), version }
                    }
                    Recipe::Script { sha256 } => RecipeOut::Script { sha256: sha256.to_string() },
                },
                program_version: code.program.version,
                program_commit: code.program.commit.map(|commit| commit.to_string()),
            },
        }
    }
}

/// A revision beside another in its lineage.
#[derive(Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum InputSourceOut {
    /// One that the caller may read.
    Known {
        /// Where it is.
        repository: Box<RepositoryOut>,
        /// The revision.
        revision: Box<RevisionOut>,
    },
    /// One that the caller may not know more of.
    Withheld,
}

impl From<Source> for InputSourceOut {
    fn from(source: Source) -> Self {
        match source {
            Source::Known { repository, revision } => Self::Known {
                repository: Box::new((*repository).into()),
                revision: Box::new((*revision).into()),
            },
            Source::Withheld => Self::Withheld,
        }
    }
}

/// What a revision was made from, and what was made from it.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineageOut {
    repository: RepositoryOut,
    /// The revision; its `making` names job, allocation and code.
    revision: RevisionOut,
    /// What it was made from, by the name under which the work saw it.
    inputs: BTreeMap<String, InputSourceOut>,
    /// What was made from it, as far as the caller may know.
    children: Vec<InputSourceOut>,
}

impl From<Lineage> for LineageOut {
    fn from(lineage: Lineage) -> Self {
        let inputs =
            lineage.inputs.into_iter().map(|(name, source)| (name.to_string(), source.into()));
        Self {
            repository: lineage.repository.into(),
            revision: lineage.revision.into(),
            inputs: inputs.collect(),
            children: lineage.children.into_iter().map(Into::into).collect(),
        }
    }
}
