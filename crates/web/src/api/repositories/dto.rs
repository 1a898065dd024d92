//! Repositories, revisions and lineage as they go over the wire.

use std::collections::BTreeMap;

use app::data::{NewRepository, NewRevision, Repository, Revision, RevisionDetail, Verified};
use serde::{Deserialize, Serialize};
use units::RevisionId;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{Blob, Damage};

use super::origin::MakingOut;
use crate::api::wire::Instant;
use crate::problem::{Problem, Reason};

/// The most files that one commit may put, and the most it may remove.
const CHANGES_MAX: usize = vault::Tree::FILES_MAX;

/// A dataset or model to make.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RepositoryIn {
    /// `dataset` or `model`.
    #[schema(example = "dataset", pattern = "^(dataset|model)$")]
    kind: String,
    /// Its name within the project and kind: letters, digits and `.`, `_`, `-`, beginning and ending
    /// with a letter or digit, without `--` or `..`.
    #[schema(example = "texts", min_length = 1, max_length = 96)]
    name: String,
    /// What people call it.
    #[schema(example = "Texts", min_length = 1, max_length = 200)]
    title: String,
    /// The licence of its content, as SPDX writes it.
    #[schema(example = "CC-BY-4.0", max_length = 64)]
    licence: Option<String>,
    /// `open`, `internal`, `confidential` or `personal`.
    #[schema(example = "internal", pattern = "^(open|internal|confidential|personal)$")]
    sensitivity: String,
}

impl TryFrom<RepositoryIn> for NewRepository {
    type Error = Problem;

    fn try_from(new: RepositoryIn) -> Result<Self, Problem> {
        let invalid = |field: &'static str| {
            move |error: &dyn std::fmt::Display| Problem::field(field, error.to_string())
        };
        let licence = new.licence.filter(|text| !text.is_empty());
        Ok(Self {
            kind: new.kind.parse().map_err(|e: vault::NotAKind| invalid("kind")(&e))?,
            name: new.name.parse().map_err(|e: vault::NotAName| invalid("name")(&e))?,
            title: new.title,
            licence: licence
                .map(|text| text.parse())
                .transpose()
                .map_err(|e: vault::NotALicence| invalid("licence")(&e))?,
            sensitivity: new
                .sensitivity
                .parse()
                .map_err(|e: vault::NotASensitivity| invalid("sensitivity")(&e))?,
        })
    }
}

/// A dataset or model.
#[derive(Serialize, ToSchema)]
pub(crate) struct RepositoryOut {
    id: Uuid,
    project: Uuid,
    organisation: Uuid,
    /// `dataset` or `model`.
    kind: String,
    /// Its name within the project and kind.
    name: String,
    title: String,
    licence: Option<String>,
    /// `open`, `internal`, `confidential` or `personal`.
    sensitivity: String,
    /// The newest revision.
    head: Option<Uuid>,
    /// How many revisions there are.
    revisions: i64,
    created_by: String,
    created_at: Instant,
}

impl From<Repository> for RepositoryOut {
    fn from(repository: Repository) -> Self {
        Self {
            id: repository.id.uuid(),
            project: repository.project.uuid(),
            organisation: repository.organisation.uuid(),
            kind: repository.kind.to_string(),
            name: repository.name.to_string(),
            title: repository.title,
            licence: repository.licence.map(|licence| licence.to_string()),
            sensitivity: repository.sensitivity.to_string(),
            head: repository.head.map(RevisionId::uuid),
            revisions: repository.revisions,
            created_by: repository.created_by,
            created_at: repository.created_at.into(),
        }
    }
}

/// A file that the vault has now, waiting for a revision to name it.
#[derive(Serialize, ToSchema)]
pub(crate) struct BlobOut {
    sha256: String,
    blake3: String,
    size_bytes: u64,
}

impl From<Blob> for BlobOut {
    fn from(blob: Blob) -> Self {
        Self {
            sha256: blob.sha256.to_string(),
            blake3: blob.blake3.to_string(),
            size_bytes: blob.size_bytes,
        }
    }
}

/// A stored file that is not what it was.
#[derive(Serialize, ToSchema)]
pub(crate) struct DamagedOut {
    sha256: String,
    /// `missing`, `size` or `content`.
    damage: String,
}

/// What reading files back found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FilesCheckedOut {
    /// How many files were read.
    files: u64,
    /// Their bytes together.
    size_bytes: u64,
    /// Those that are not what they were.
    damaged: Vec<DamagedOut>,
    /// Where to go on; absent when all were read.
    next: Option<String>,
}

impl From<Verified> for FilesCheckedOut {
    fn from(verified: Verified) -> Self {
        let damaged = verified.damaged.into_iter().map(|one| DamagedOut {
            sha256: one.sha256.to_string(),
            damage: match one.damage {
                Damage::Missing => "missing",
                Damage::Size { .. } => "size",
                Damage::Content => "content",
            }
            .to_owned(),
        });
        Self {
            files: verified.files,
            size_bytes: verified.bytes,
            damaged: damaged.collect(),
            next: verified.next.map(|sha256| sha256.to_string()),
        }
    }
}

/// A file to add or replace.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutIn {
    /// Where it stands in the repository.
    #[schema(example = "data/part-1.txt", min_length = 1, max_length = 1024)]
    path: String,
    /// The digest of a file that was sent before, or that the parent revision has.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    sha256: String,
}

/// What a commit changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevisionIn {
    /// The head of the repository as the caller saw it; absent for the first revision.
    parent: Option<Uuid>,
    /// What the caller says about it.
    #[schema(example = "Add texts", min_length = 1, max_length = 2000)]
    message: String,
    /// Files to add or replace.
    #[serde(default)]
    #[schema(max_items = 100_000)]
    put: Vec<PutIn>,
    /// Paths of files to remove.
    #[serde(default)]
    #[schema(max_items = 100_000)]
    remove: Vec<String>,
    /// Revisions it was made from, by names of the caller's choice.
    #[serde(default)]
    inputs: BTreeMap<String, Uuid>,
}

impl TryFrom<RevisionIn> for NewRevision {
    type Error = Problem;

    fn try_from(new: RevisionIn) -> Result<Self, Problem> {
        if new.put.len() > CHANGES_MAX || new.remove.len() > CHANGES_MAX {
            return Err(Problem::field("put", format!("at most {CHANGES_MAX} in one commit")));
        }
        let mut wrong = Wrong::default();
        let put = new.put.iter().filter_map(|file| {
            let path = wrong.parse("put", &file.path);
            let sha256 = wrong.parse("put", &file.sha256);
            path.zip(sha256)
        });
        let put = put.collect();
        let remove = new.remove.iter().filter_map(|path| wrong.parse("remove", path)).collect();
        let inputs = new.inputs.iter().filter_map(|(name, revision)| {
            Some((wrong.parse("inputs", name)?, RevisionId::from_uuid(*revision)))
        });
        let inputs = inputs.collect();
        wrong.none()?;
        let parent = new.parent.map(RevisionId::from_uuid);
        Ok(Self { parent, message: new.message, put, remove, inputs })
    }
}

/// Everything that does not parse, gathered so that a caller learns of all of it at once.
#[derive(Default)]
struct Wrong(Vec<Reason>);

impl Wrong {
    /// How many complaints are told at once.
    const TOLD_MAX: usize = 20;

    fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        field: &str,
        text: &str,
    ) -> Option<T> {
        let error = match text.parse() {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if self.0.len() < Self::TOLD_MAX {
            self.0.push(Reason {
                rule: "field".to_owned(),
                text: format!("{error}"),
                field: Some(field.to_owned()),
            });
        }
        None
    }

    fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

/// One state of a repository.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevisionOut {
    id: Uuid,
    repository: Uuid,
    /// Its place among the repository's revisions, from 1.
    number: i64,
    message: String,
    /// A digest over all paths and contents: equal trees have equal digests.
    tree: String,
    /// How many files there are.
    file_count: u64,
    /// Their bytes together.
    size_bytes: u64,
    created_by: String,
    created_at: Instant,
    /// How it came to be.
    making: MakingOut,
}

impl From<Revision> for RevisionOut {
    fn from(revision: Revision) -> Self {
        Self {
            id: revision.id.uuid(),
            repository: revision.repository.uuid(),
            number: revision.number,
            message: revision.message,
            tree: revision.tree.to_string(),
            file_count: revision.files,
            size_bytes: revision.size_bytes,
            created_by: revision.created_by,
            created_at: revision.created_at.into(),
            making: revision.making.into(),
        }
    }
}

/// One file of a revision.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileOut {
    path: String,
    size_bytes: u64,
    sha256: String,
}

/// A revision with its files.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevisionDetailOut {
    #[serde(flatten)]
    revision: RevisionOut,
    /// The revisions it follows.
    parents: Vec<Uuid>,
    /// Its files, in order of their paths.
    files: Vec<FileOut>,
}

impl From<RevisionDetail> for RevisionDetailOut {
    fn from(detail: RevisionDetail) -> Self {
        let files = detail.tree.files().map(|(path, entry)| FileOut {
            path: path.to_string(),
            size_bytes: entry.size_bytes,
            sha256: entry.sha256.to_string(),
        });
        Self {
            files: files.collect(),
            parents: detail.parents.into_iter().map(RevisionId::uuid).collect(),
            revision: detail.revision.into(),
        }
    }
}
