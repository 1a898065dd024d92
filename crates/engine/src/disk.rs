//! Where an agent keeps what it must not forget: on the disk of its machine, or on one that a
//! simulation may stop at any moment.

use std::fmt::Debug;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::record;

/// Files of this process alone. What a call that returned has written is there after a power cut.
pub trait Files: Debug + Send + Sync + 'static {
    /// Makes a folder that nobody else can read, with those above it, unless it is there.
    ///
    /// # Errors
    /// When the file system refuses.
    fn make(&self, folder: &Path) -> io::Result<()>;

    /// The names in a folder, in order.
    ///
    /// # Errors
    /// When the file system refuses.
    fn names(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// What a file holds; `None` when there is none.
    ///
    /// # Errors
    /// When the file system refuses.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;

    /// Puts a whole file in the place of what was there; only its owner reads it, or runs it.
    ///
    /// # Errors
    /// When the file system refuses.
    fn write(&self, path: &Path, bytes: &[u8], kind: Kind) -> io::Result<()>;

    /// Writes behind the first `at` bytes of a file. After a failure it is as long as before.
    ///
    /// # Errors
    /// When the file system refuses.
    fn append(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Deletes a file, or a folder with all that is in it, if it is there.
    ///
    /// # Errors
    /// When the file system refuses.
    fn delete(&self, path: &Path) -> io::Result<()>;
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To be read.
    Record,
    /// To be run.
    Program,
}

/// Files as records.
#[derive(Clone, Debug)]
pub struct Disk(Arc<dyn Files>);

impl Default for Disk {
    fn default() -> Self {
        Self::of(Machine)
    }
}

impl Disk {
    /// The disk that `files` are.
    pub fn of(files: impl Files) -> Self {
        Self(Arc::new(files))
    }

    /// The files themselves.
    pub fn files(&self) -> &dyn Files {
        &*self.0
    }

    /// Writes `value` as JSON.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
        self.0.write(path, &serde_json::to_vec(value)?, Kind::Record)
    }

    /// Reads what [`Disk::write`] wrote; `None` when it was never written.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read<T: DeserializeOwned>(&self, path: &Path) -> io::Result<Option<T>> {
        let bytes = self.0.read(path)?;
        Ok(bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug)]
struct Machine;

impl Files for Machine {
    fn make(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        record::sync_parent(folder)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            // Every name of ours is text; whatever else lies there is not.
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8], kind: Kind) -> io::Result<()> {
        record::write_bytes(path, bytes)?;
        match kind {
            Kind::Record => Ok(()),
            Kind::Program => fs::set_permissions(path, fs::Permissions::from_mode(0o700)),
        }
    }

    fn append(&self, path: &Path, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let seek = file.seek(SeekFrom::Start(at)).map(drop);
        let written = seek.and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_data());
        if written.is_err() {
            file.set_len(at)?;
        }
        written
    }

    fn delete(&self, path: &Path) -> io::Result<()> {
        let deleted = match fs::symlink_metadata(path) {
            Ok(about) if about.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match deleted {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            deleted => deleted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_stands_behind_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let path = folder.path().join("inner/lines");
        disk.files().make(path.parent().unwrap()).unwrap();
        disk.files().append(&path, 0, b"ab\n").unwrap();
        disk.files().append(&path, 3, b"cd\n").unwrap();
        assert_eq!(disk.files().read(&path).unwrap().unwrap(), b"ab\ncd\n");
        assert_eq!(disk.files().names(path.parent().unwrap()).unwrap(), ["lines"]);
    }

    #[test]
    fn what_is_not_there_is_read_as_nothing_and_deleted_at_will() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::default();
        let path = folder.path().join("record.json");
        assert_eq!(disk.read::<u32>(&path).unwrap(), None);
        disk.write(&path, &7).unwrap();
        assert_eq!(disk.read::<u32>(&path).unwrap(), Some(7));
        for _ in 0..2 {
            disk.files().delete(&path).unwrap();
        }
        disk.files().delete(folder.path()).unwrap();
        assert!(!folder.path().exists());
    }
}
