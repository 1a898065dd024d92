//! Bytes and what they mean: content-addressed files over object storage, and the repositories,
//! revisions and lineage that name them.
//!
//! Only the modules `storage` and `parts` read or write anything; the others are pure. Not here: jobs, people's sessions, the database, HTTP.

mod digest;
mod git;
mod lineage;
mod name;
mod parts;
mod path;
mod repository;
mod revision;
mod storage;

pub use digest::{Blake3, NotADigest, Sha256};
pub use git::{GitOid, NotAGitOid};
pub use lineage::{Code, Commit, Lineage, Making, NotACommit, Program, Recipe};
pub use name::{NotAName, NotARef, RefName, RepositoryName};
pub use parts::Parcel;
pub use path::{BadPath, FilePath};
pub use repository::{Kind, Licence, NotAKind, NotALicence, NotASensitivity, Reader, Sensitivity};
pub use revision::{Change, FileEntry, Tree, TreeError};
pub use storage::{Blob, ByteRange, Damage, Download, Error, Expected, Vault};
