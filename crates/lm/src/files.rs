//! Files that are either the old ones or the new ones, never halves; and tensors in them.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::Error;

/// Replaces the file at `path` by `bytes`, durably and at once.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let cannot_write = || Error::file("cannot write", path);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = fs::File::create(&new).map_err(cannot_write())?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(cannot_write())?;
    fs::rename(&new, path).map_err(cannot_write())?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .map_err(cannot_write())
}

/// Named arrays of 32-bit floats, as they stand in a `safetensors` file.
#[derive(Debug, Default)]
pub(crate) struct Arrays(Vec<(String, Vec<usize>, Vec<u8>)>);

impl Arrays {
    pub(crate) fn push(&mut self, name: String, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.0.push((name, shape.to_vec(), bytes));
    }

    /// The bytes of a file that holds these arrays and one note.
    pub(crate) fn to_bytes(
        &self,
        note: (&str, &str),
    ) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let views = self.0.iter().map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let notes = HashMap::from([(note.0.to_owned(), note.1.to_owned())]);
        safetensors::serialize(views, Some(notes))
    }
}

/// A `safetensors` file in memory, opened without trusting it.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    path: &'a Path,
    arrays: SafeTensors<'a>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Reader<'a>, Error> {
        let arrays = SafeTensors::deserialize(bytes).map_err(|e| Error::malformed(path, e))?;
        Ok(Reader { path, arrays })
    }

    /// The elements of the array `name`, which must be 32-bit floats of exactly this shape.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let view = self.arrays.tensor(name).map_err(|e| Error::malformed(self.path, e))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let problem = format!(
                "holds {name} as {:?}{:?} where F32{shape:?} is expected",
                view.dtype(),
                view.shape()
            );
            return Err(Error::malformed(self.path, problem));
        }
        let (chunks, _) = view.data().as_chunks::<4>();
        Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
    }

    /// The array `name` as a tensor.
    pub(crate) fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, Error> {
        Ok(Tensor::from_vec(self.floats(name, shape)?, shape, &Device::Cpu)?)
    }
}
