//! One file of events, a line each.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::Entry;

const ENDING: &str = ".jsonl";

/// The file that events are appended to.
#[derive(Debug)]
pub(super) struct Segment {
    first: u64,
    path: PathBuf,
    file: File,
    length: u64,
}

impl Segment {
    /// Begins the segment whose first event has the number `first`, anew if one without events is
    /// there.
    pub(super) fn create(folder: &Path, first: u64) -> io::Result<Self> {
        let path = folder.join(format!("{first:020}{ENDING}"));
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        engine::record::sync_parent(&path)?;
        Ok(Self { first, path, file, length: 0 })
    }

    /// Appends whole lines and makes them durable; returns their length.
    ///
    /// After a failure the file is cut back, so that the next append begins a line.
    pub(super) fn append(&mut self, entries: &[Entry]) -> io::Result<u64> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            self.file.set_len(self.length)?;
            io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.length))?;
            return Err(error);
        }
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
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(first) = name.and_then(|name| name.strip_suffix(ENDING)?.parse().ok()) {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

/// The entries of a segment with their lengths; a last line that a crash cut short was never told
/// to anybody and is left out.
pub(super) fn read(path: &Path) -> io::Result<Vec<(Entry, u64)>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
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
