//! Measurements of a training as JSON lines, for programs that watch it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Error;

#[derive(Serialize)]
struct Line<'a> {
    step: u64,
    name: &'a str,
    value: f64,
}

/// A file to which measurements are appended.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
}

impl Metrics {
    pub(crate) fn append_to(path: &Path) -> Result<Metrics, Error> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(Error::file("cannot write", path))?;
        Ok(Metrics { path: path.to_path_buf(), file })
    }

    /// Writes measurements of one step in one go, so that readers see whole lines.
    pub(crate) fn write(&mut self, step: u64, values: &[(&str, f64)]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for (name, value) in values {
            // A number that JSON cannot hold is written as null.
            serde_json::to_writer(&mut lines, &Line { step, name, value: *value })
                .map_err(|e| Error::malformed(&self.path, e))?;
            lines.push(b'\n');
        }
        self.file.write_all(&lines).map_err(Error::file("cannot write", &self.path))
    }
}
