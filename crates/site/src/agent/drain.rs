//! The wish of a site to take no more jobs: a small file in the agent's folder, written and removed
//! by commands, read by the agent.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::protocol::Drained;
use engine::Clock;

/// Lets the site whose agent has `folder` take no more jobs, for `reason`. What runs and waits there
/// goes on. Said again, the reason is the new one.
///
/// # Errors
/// When the file cannot be written.
pub fn drain(folder: &Path, reason: &str) -> io::Result<()> {
    let since = read(folder)?.map_or_else(|| Clock::Machine.now(), |drained| drained.since);
    let text = serde_json::to_string(&Drained { since, reason: reason.to_owned() })?;
    std::fs::create_dir_all(folder)?;
    let new = folder.join("drained.new");
    std::fs::write(&new, text)?;
    std::fs::rename(new, file(folder))
}

/// Lets the site take jobs again; whether it did not.
///
/// # Errors
/// When the file cannot be removed.
pub fn resume(folder: &Path) -> io::Result<bool> {
    match std::fs::remove_file(file(folder)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the site takes no more jobs, and since when.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn read(folder: &Path) -> io::Result<Option<Drained>> {
    match std::fs::read_to_string(file(folder)) {
        Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("drained")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_drains_itself_says_so_until_it_resumes() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        drain(folder.path(), "cooling").unwrap();
        let first = read(folder.path()).unwrap().unwrap();
        drain(folder.path(), "cooling, until Monday").unwrap();
        let again = read(folder.path()).unwrap().unwrap();
        assert_eq!((again.since, again.reason.as_str()), (first.since, "cooling, until Monday"));
        assert!(resume(folder.path()).unwrap());
        assert!(!resume(folder.path()).unwrap());
        std::fs::write(file(folder.path()), "nonsense").unwrap();
        assert!(read(folder.path()).is_err());
    }
}
