//! One file of events, a line each.

use std::io;
use std::path::{Path, PathBuf};

use engine::Disk;

use super::Entry;

const ENDING: &str = ".jsonl";

/// The file that events are appended to.
#[derive(Debug)]
pub(super) struct Segment {
    first: u64,
    path: PathBuf,
    length: u64,
}

impl Segment {
    /// Begins the segment whose first event has the number `first`, anew if one without events is
    /// there.
    pub(super) fn begin(disk: &Disk, folder: &Path, first: u64) -> io::Result<Self> {
        let path = folder.join(format!("{first:020}{ENDING}"));
        disk.files().write(&path, &[], engine::disk::Kind::Record)?;
        Ok(Self { first, path, length: 0 })
    }

    /// Appends whole lines and makes them durable; returns their length.
    pub(super) fn append(&mut self, disk: &Disk, entries: &[Entry]) -> io::Result<u64> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        disk.files().append(&self.path, self.length, &lines)?;
        let length = u64::try_from(lines.len()).unwrap_or_default();
        self.length = self.length.saturating_add(length);
        Ok(length)
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn close(self) -> (u64, PathBuf) {
        (self.first, self.path)
    }
}

/// The segments of a journal with the numbers of their first events, in order.
pub(super) fn list(disk: &Disk, folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for name in disk.files().names(folder)? {
        if let Some(first) = name.strip_suffix(ENDING).and_then(|number| number.parse().ok()) {
            found.push((first, folder.join(name)));
        }
    }
    found.sort();
    Ok(found)
}

/// The entries of a segment with their lengths; a last line that a crash cut short was never told
/// to anybody and is left out.
pub(super) fn read(disk: &Disk, path: &Path) -> io::Result<Vec<(Entry, u64)>> {
    let bytes = disk.files().read(path)?.unwrap_or_default();
    let mut found = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if !line.ends_with(b"\n") {
            break;
        }
        let length = u64::try_from(line.len()).unwrap_or_default();
        found.push((serde_json::from_slice(line)?, length));
    }
    Ok(found)
}
