//! Bytes and what they mean: content-addressed files over object storage, and the repositories,
//! revisions and lineage that name them.
//!
//! The modules `digest`, `path`, `repository`, `revision` and `lineage` are pure; only `storage`
//! reads or writes anything. Not here: jobs, people's sessions, the database, HTTP.

mod digest;
mod lineage;
mod path;
mod repository;
mod revision;
mod storage;

pub use digest::{Blake3, NotADigest, Sha256};
pub use lineage::{Code, Commit, Lineage, Making, NotACommit, Program, Recipe};
pub use path::{BadPath, FilePath};
pub use repository::{Kind, Licence, NotAKind, NotALicence, NotASensitivity, Reader, Sensitivity};
pub use revision::{Change, FileEntry, Tree, TreeError};
pub use storage::{Blob, ByteRange, Damage, Download, Error, Expected, Vault};
