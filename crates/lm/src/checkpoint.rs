//! The state of an unfinished training: weights, the optimiser's moments, and how far it got.
//! Batches follow from seed and step, so nothing else is needed to continue bit by bit.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::files::{Arrays, Reader, replace};
use crate::model::Model;
use crate::optimizer::Moments;
use crate::tensors::{tensor, with_floats};
use crate::{Error, TrainConfig};

const NOTE: &str = "training";

/// How far a training got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Steps done.
    pub(crate) step: u64,
    /// Time spent on them.
    pub(crate) spent: Duration,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    version: u32,
    step: u64,
    spent_microseconds: u64,
    text_bytes_max: u64,
    settings: Settings,
}

/// What must be equal for a training to be continued.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    dimensions: [usize; 6],
    batch: usize,
    seed: u64,
    learning_rate: f64,
    corpus: u64,
}

impl Settings {
    fn of(config: &TrainConfig, corpus: u64) -> Settings {
        let d = config.dimensions;
        Settings {
            dimensions: [d.vocabulary, d.width, d.hidden, d.layers, d.heads, d.context],
            batch: config.batch,
            seed: config.seed,
            learning_rate: config.learning_rate,
            corpus,
        }
    }

    fn difference(&self, wanted: &Settings) -> Option<(&'static str, String, String)> {
        let pairs = [
            ("model size", format!("{:?}", self.dimensions), format!("{:?}", wanted.dimensions)),
            ("batch", self.batch.to_string(), wanted.batch.to_string()),
            ("seed", self.seed.to_string(), wanted.seed.to_string()),
            ("learning rate", self.learning_rate.to_string(), wanted.learning_rate.to_string()),
            ("corpus", format!("{:016x}", self.corpus), format!("{:016x}", wanted.corpus)),
        ];
        pairs.into_iter().find(|(_, found, wanted)| found != wanted)
    }
}

/// The checkpoint file of a training with output folder `out`.
fn path(out: &Path) -> PathBuf {
    out.join("checkpoint.safetensors")
}

/// Writes the state of a training in place of an earlier one.
pub(crate) fn save(
    out: &Path,
    (config, corpus, text_bytes_max): (&TrainConfig, u64, u64),
    position: Position,
    (model, moments): (&Model, &[Moments]),
) -> Result<(), Error> {
    let path = path(out);
    let mut arrays = Arrays::default();
    for ((name, weight), moments) in model.weights().into_iter().zip(moments) {
        let shape = weight.dims();
        with_floats(weight, |values| arrays.push(format!("weight.{name}"), shape, values))?;
        arrays.push(format!("mean.{name}"), shape, &moments.mean);
        arrays.push(format!("square.{name}"), shape, &moments.square);
    }
    let note = Note {
        version: 1,
        step: position.step,
        spent_microseconds: u64::try_from(position.spent.as_micros()).unwrap_or(u64::MAX),
        text_bytes_max,
        settings: Settings::of(config, corpus),
    };
    let note = serde_json::to_string(&note).map_err(|e| Error::malformed(&path, e))?;
    let bytes = arrays.to_bytes((NOTE, &note)).map_err(|e| Error::malformed(&path, e))?;
    replace(&path, &bytes)
}

/// The state of a training that was interrupted, as it was found.
#[derive(Debug)]
pub(crate) struct Saved {
    out: PathBuf,
    bytes: Vec<u8>,
    note: Note,
}

impl Saved {
    /// Reads what was left in `out`, if a training was interrupted there.
    pub(crate) fn find(out: &Path) -> Result<Option<Saved>, Error> {
        let path = path(out);
        match fs::read(&path) {
            Ok(bytes) => {
                let note = note(&path, &bytes)?;
                Ok(Some(Saved { out: out.to_path_buf(), bytes, note }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("cannot read", path)(error)),
        }
    }

    /// How much text that training took at most.
    pub(crate) fn text_bytes_max(&self) -> u64 {
        self.note.text_bytes_max
    }

    /// The state, for a training with the same settings and text.
    pub(crate) fn restore(
        &self,
        config: &TrainConfig,
        corpus: u64,
    ) -> Result<(Position, Model, Vec<Moments>), Error> {
        let wanted = Settings::of(config, corpus);
        if let Some((setting, found, wanted)) = self.note.settings.difference(&wanted) {
            return Err(Error::OtherTraining { path: self.out.clone(), setting, found, wanted });
        }
        let path = path(&self.out);
        let reader = Reader::new(&path, &self.bytes)?;
        let mut moments = Vec::new();
        let model = Model::from_source(config.dimensions, &mut |name, shape| {
            let read = |kind: &str| reader.floats(&format!("{kind}.{name}"), shape);
            moments.push(Moments { mean: read("mean")?, square: read("square")? });
            Ok(tensor(read("weight")?, shape)?)
        })?;
        let spent = Duration::from_micros(self.note.spent_microseconds);
        Ok((Position { step: self.note.step, spent }, model, moments))
    }
}

fn note(path: &Path, bytes: &[u8]) -> Result<Note, Error> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| Error::malformed(path, e))?;
    let note = metadata.metadata().as_ref().and_then(|notes| notes.get(NOTE));
    let note = note.ok_or_else(|| Error::malformed(path, "is not a checkpoint"))?;
    let note: Note = serde_json::from_str(note).map_err(|e| Error::malformed(path, e))?;
    if note.version != 1 {
        return Err(Error::malformed(path, format!("has unknown version {}", note.version)));
    }
    Ok(note)
}

/// Removes the checkpoint of a training that has ended.
pub(crate) fn remove(out: &Path) -> Result<(), Error> {
    match fs::remove_file(path(out)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("cannot remove", path(out))(error))
        }
        _ => Ok(()),
    }
}
