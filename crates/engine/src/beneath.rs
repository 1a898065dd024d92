//! Opening files in directories that jobs write to, where any name may have become a trap.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};

/// Opens the regular file `path` below `folder` for reading, following no symbolic link.
///
/// A job owns `folder`; a link in it could point at the hub's secrets, a pipe would hang the
/// reader, `..` would leave.
///
/// # Errors
/// When there is no such regular file strictly below `folder`.
pub fn open(folder: &Path, path: &str) -> io::Result<File> {
    let folder =
        openat(CWD, folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(open_beneath(&folder, path, flags)?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Whether `path` is a directory strictly below `folder`, and no link leads there.
pub fn is_folder(folder: &Path, path: &str) -> bool {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let top = openat(CWD, folder, flags, Mode::empty());
    top.is_ok_and(|top| open_beneath(&top, path, flags).is_ok())
}

fn open_beneath(folder: &OwnedFd, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    Ok(openat2(folder, path, flags, Mode::empty(), within)?)
}

/// All regular files below `folder`, as paths relative to it in order; links are left out.
///
/// # Errors
/// When a directory cannot be read, or a name is not UTF-8.
pub fn walk(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(inside) = open.pop() {
        for entry in fs::read_dir(folder.join(&inside))? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|name| {
                let text = format!("the file name {} is not UTF-8", name.display());
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?;
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_pipes_and_parents_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let work = folder.path().join("work");
        fs::create_dir_all(work.join("inner")).unwrap();
        fs::write(folder.path().join("secret"), b"s").unwrap();
        fs::write(work.join("inner/file"), b"f").unwrap();
        symlink("../secret", work.join("link")).unwrap();
        symlink("..", work.join("up")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(work.join("pipe")).status().unwrap();
        assert!(made.success());

        assert!(open(&work, "inner/file").is_ok());
        for path in ["link", "up/secret", "../secret", "/etc/passwd", "pipe", "inner", "none"] {
            assert!(open(&work, path).is_err(), "{path} was opened");
        }
        assert!(is_folder(&work, "inner"));
        for path in ["link", "up", "..", "inner/file", "none", "/etc"] {
            assert!(!is_folder(&work, path), "{path} was taken for a folder");
        }
        assert_eq!(walk(&work).unwrap(), ["inner/file"]);
    }
}
