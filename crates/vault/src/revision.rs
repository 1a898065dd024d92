//! The files of one state of a repository, and how a commit changes them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Blake3, FilePath, Sha256};

/// A change cannot be applied, or its result cannot be a revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A file to remove is not there.
    #[error("`{0}` cannot be removed: the parent revision has no such file")]
    NoSuchFile(FilePath),
    /// One path is changed twice in one commit.
    #[error("`{0}` is changed twice in one commit")]
    ChangedTwice(FilePath),
    /// A path is a file and, for another file, a folder.
    #[error("`{0}` would be a file and a folder at once")]
    FileAndFolder(FilePath),
    /// There are more than [`Tree::FILES_MAX`] files.
    #[error("a revision holds at most {} files", Tree::FILES_MAX)]
    TooManyFiles,
    /// The commit changes nothing.
    #[error("the commit changes nothing")]
    Unchanged,
}

/// The content of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileEntry {
    /// The digest of its bytes, under which the vault keeps them.
    pub sha256: Sha256,
    /// Its length.
    pub size_bytes: u64,
}

/// One step of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The file is added, or replaced.
    Put(FilePath, FileEntry),
    /// The file is removed.
    Remove(FilePath),
}

impl Change {
    fn path(&self) -> &FilePath {
        match self {
            Self::Put(path, _) | Self::Remove(path) => path,
        }
    }
}

/// All files of a revision, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<FilePath, FileEntry>);

impl Tree {
    /// The most files in one revision.
    pub const FILES_MAX: usize = 100_000;

    /// The tree of stored rows, which were checked when they were committed.
    pub fn from_entries(entries: impl IntoIterator<Item = (FilePath, FileEntry)>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// What `changes` make of this tree.
    ///
    /// # Errors
    /// When a change does not fit, when nothing would change, or when no file system could hold
    /// the result.
    pub fn apply(&self, changes: &[Change]) -> Result<Self, TreeError> {
        let mut seen = BTreeSet::new();
        let mut files = self.0.clone();
        for change in changes {
            if !seen.insert(change.path()) {
                return Err(TreeError::ChangedTwice(change.path().clone()));
            }
            match change {
                Change::Put(path, entry) => {
                    files.insert(path.clone(), *entry);
                }
                Change::Remove(path) => {
                    files.remove(path).ok_or_else(|| TreeError::NoSuchFile(path.clone()))?;
                }
            }
        }
        if files == self.0 {
            return Err(TreeError::Unchanged);
        }
        check(&files)?;
        Ok(Self(files))
    }

    /// The file at `path`.
    pub fn file(&self, path: &FilePath) -> Option<FileEntry> {
        self.0.get(path).copied()
    }

    /// The files in order of their paths.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&FilePath, FileEntry)> {
        self.0.iter().map(|(path, entry)| (path, *entry))
    }

    /// The bytes of all files together.
    pub fn size_bytes(&self) -> u64 {
        self.0.values().fold(0, |sum, entry| sum.saturating_add(entry.size_bytes))
    }

    /// A digest over every path and content: equal exactly when two trees are equal.
    pub fn digest(&self) -> Blake3 {
        let mut hasher = blake3::Hasher::new();
        for (path, entry) in &self.0 {
            // No path holds a NUL, so the boundary between path and digest is unambiguous.
            hasher.update(path.as_str().as_bytes());
            hasher.update(&[0]);
            hasher.update(entry.sha256.bytes());
            hasher.update(&entry.size_bytes.to_be_bytes());
        }
        Blake3::from_bytes(*hasher.finalize().as_bytes())
    }
}

fn check(files: &BTreeMap<FilePath, FileEntry>) -> Result<(), TreeError> {
    if files.len() > Tree::FILES_MAX {
        return Err(TreeError::TooManyFiles);
    }
    let folders: BTreeSet<&str> = files.keys().flat_map(FilePath::folders).collect();
    match files.keys().find(|path| folders.contains(path.as_str())) {
        Some(path) => Err(TreeError::FileAndFolder(path.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
