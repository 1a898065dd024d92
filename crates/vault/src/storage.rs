//! The bytes themselves, over object storage: a local folder, S3, or memory.
//!
//! A file is stored under its SHA-256, which the sender states first; it becomes visible in one
//! step, after every byte arrived and the digest agreed. So no reader ever sees half a file, and
//! no file is ever rewritten.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};

use crate::digest::{Digester, length};
use crate::{Blake3, GitOid, Sha256};

/// What is sent to storage at once: above the 5 MiB that S3 asks of all parts but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// How many parts of one file may be on their way.
const PARTS_AT_ONCE: usize = 4;

/// Why bytes could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// More bytes came than the sender may send.
    #[error("the file is larger than the {limit_bytes} bytes allowed here")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// Fewer or more bytes came than announced.
    #[error("{received} bytes arrived where {announced} were announced")]
    WrongSize {
        /// How many bytes the sender announced.
        announced: u64,
        /// How many arrived.
        received: u64,
    },
    /// The bytes are not the ones that were announced.
    #[error("the content has the SHA-256 {received} where {announced} was announced")]
    WrongDigest {
        /// What the sender announced.
        announced: Sha256,
        /// What arrived.
        received: Sha256,
    },
    /// The sender went away before the end.
    #[error("the upload was interrupted")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A part is not one of those that a file arrives in, or has not arrived.
    #[error("there is no part {part}")]
    NoSuchPart {
        /// Its number, from 1.
        part: u64,
    },
    /// The file is not in the vault.
    #[error("no file with the SHA-256 {0} is stored")]
    Missing(Sha256),
    /// The range asked for starts after the end of the file, or is empty.
    #[error("the range lies outside the file of {size_bytes} bytes")]
    OutOfRange {
        /// The length of the file.
        size_bytes: u64,
    },
    /// The storage underneath failed.
    #[error("the object storage failed")]
    Storage(#[from] object_store::Error),
}

/// What a sender announces before the first byte.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The digest of the whole file, its name in the vault.
    pub sha256: Sha256,
    /// The length, if known.
    pub size_bytes: Option<u64>,
    /// The most bytes that this sender may send.
    pub limit_bytes: u64,
}

/// A stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub sha256: Sha256,
    /// The second digest, by which [`Vault::verify`] re-checks it.
    pub blake3: Blake3,
    /// Its length.
    pub size_bytes: u64,
    /// What git calls its content, if it is not too large for that.
    pub git: Option<GitOid>,
}

/// The part of a file that a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first byte up to and including the last.
    Inclusive(u64, u64),
    /// From this byte to the end.
    From(u64),
    /// The last so many bytes.
    Last(u64),
}

impl ByteRange {
    /// The bytes that this means in a file of `size_bytes`; an end beyond the file is its end.
    /// `None` when the file does not reach that far.
    pub fn within(self, size_bytes: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::Inclusive(first, last) => first..last.saturating_add(1).min(size_bytes),
            Self::From(first) => first..size_bytes,
            Self::Last(count) => size_bytes.saturating_sub(count)..size_bytes,
        };
        (!range.is_empty()).then_some(range)
    }
}

/// The bytes of a file, or of a part of it, as they come from storage.
pub struct Download {
    /// Which bytes of the file these are.
    pub range: Range<u64>,
    /// The length of the whole file.
    pub size_bytes: u64,
    /// The bytes; a failure of storage on the way ends it with an error.
    pub bytes: BoxStream<'static, Result<Bytes, Error>>,
}

/// How a stored file differs from what was once stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It is gone.
    Missing,
    /// It has another length.
    Size {
        /// The length found.
        found: u64,
    },
    /// It has the right length and other bytes.
    Content,
}

/// Content-addressed storage.
#[derive(Clone, Debug)]
pub struct Vault {
    objects: Arc<dyn ObjectStore>,
}

impl Vault {
    /// A vault in a folder of this machine, which is created if it is not there. Every file is
    /// flushed to the disk before it counts as stored.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn folder(path: &Path) -> Result<Self, Error> {
        let failed = |source: std::io::Error| object_store::Error::Generic {
            store: "folder",
            source: Box::new(source),
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        let objects = object_store::local::LocalFileSystem::new_with_prefix(path)?
            .with_automatic_cleanup(false)
            .with_fsync(true);
        Ok(Self::over(Arc::new(objects)))
    }

    /// A vault that forgets everything when it is dropped.
    pub fn memory() -> Self {
        Self::over(Arc::new(object_store::memory::InMemory::new()))
    }

    /// A vault over storage that the caller opened.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// Stores a file as it arrives. Nothing is visible before the end; nothing is kept when the
    /// content is not what `expected` announced. Storing a file again is harmless.
    ///
    /// # Errors
    /// When the bytes do not fit the announcement, when the sender stops early, or when storage
    /// fails.
    pub async fn put<S, E>(&self, body: S, expected: &Expected) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if let Some(announced) = expected.size_bytes
            && announced > expected.limit_bytes
        {
            return Err(Error::TooLarge { limit_bytes: expected.limit_bytes });
        }
        let mut writing = Writing::new(&self.objects, key(expected.sha256));
        let received = receive(body, expected, &mut writing).await;
        match received {
            Ok(blob) => {
                let git = writing.git(blob.size_bytes);
                writing.finish().await?;
                Ok(Blob { git, ..blob })
            }
            Err(error) => {
                writing.abandon().await;
                Err(error)
            }
        }
    }

    pub(crate) fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// Reads a file, or a part of it.
    ///
    /// # Errors
    /// When the file is not there, the range lies outside it, or storage fails.
    pub async fn get(&self, sha256: Sha256, range: Option<ByteRange>) -> Result<Download, Error> {
        let size_bytes = self.size_bytes(sha256).await?;
        let range = resolve(range, size_bytes)?;
        if range.is_empty() {
            let bytes = futures_util::stream::empty().boxed();
            return Ok(Download { range, size_bytes, bytes });
        }
        let options =
            GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let result = self.objects.get_opts(&key(sha256), options).await.map_err(missing(sha256))?;
        let bytes = result.into_stream().map_err(Error::from).boxed();
        Ok(Download { range, size_bytes, bytes })
    }

    /// The length of a stored file.
    ///
    /// # Errors
    /// When the file is not there or storage fails.
    pub async fn size_bytes(&self, sha256: Sha256) -> Result<u64, Error> {
        Ok(self.objects.head(&key(sha256)).await.map_err(missing(sha256))?.size)
    }

    /// Deletes a file; deleting what is not there succeeds, so an interrupted deletion can simply
    /// be done again.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn delete(&self, sha256: Sha256) -> Result<(), Error> {
        match self.objects.delete(&key(sha256)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a whole file back and compares both digests and the length with what was stored.
    ///
    /// # Errors
    /// When storage fails otherwise than by not having the file.
    pub async fn verify(&self, blob: &Blob) -> Result<Result<(), Damage>, Error> {
        let mut bytes = match self.get(blob.sha256, None).await {
            Ok(download) => download.bytes,
            Err(Error::Missing(_)) => return Ok(Err(Damage::Missing)),
            Err(error) => return Err(error),
        };
        let mut digester = Digester::new();
        while let Some(chunk) = bytes.try_next().await? {
            digester.take(&chunk);
        }
        let (sha256, blake3, found) = digester.finish();
        if found != blob.size_bytes {
            return Ok(Err(Damage::Size { found }));
        }
        Ok(if (sha256, blake3) == (blob.sha256, blob.blake3) {
            Ok(())
        } else {
            Err(Damage::Content)
        })
    }
}

/// Takes in the whole body, checking it against the announcement.
async fn receive<S, E>(
    body: S,
    expected: &Expected,
    writing: &mut Writing<'_>,
) -> Result<Blob, Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let mut digester = Digester::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|source| Error::Interrupted(source.into()))?;
        if digester.size_bytes().saturating_add(length(&chunk)) > expected.limit_bytes {
            return Err(Error::TooLarge { limit_bytes: expected.limit_bytes });
        }
        digester.take(&chunk);
        writing.write(chunk).await?;
    }
    let (sha256, blake3, size_bytes) = digester.finish();
    if let Some(announced) = expected.size_bytes
        && announced != size_bytes
    {
        return Err(Error::WrongSize { announced, received: size_bytes });
    }
    if sha256 != expected.sha256 {
        return Err(Error::WrongDigest { announced: expected.sha256, received: sha256 });
    }
    Ok(Blob { sha256, blake3, size_bytes, git: None })
}

/// A file on its way into storage: small ones in one request, large ones in parts.
pub(crate) struct Writing<'a> {
    objects: &'a Arc<dyn ObjectStore>,
    key: Key,
    pending: Vec<Bytes>,
    pending_bytes: usize,
    parts: Option<WriteMultipart>,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(objects: &'a Arc<dyn ObjectStore>, key: Key) -> Self {
        Self { objects, key, pending: Vec::new(), pending_bytes: 0, parts: None }
    }

    pub(crate) async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        if let Some(parts) = &mut self.parts {
            parts.wait_for_capacity(PARTS_AT_ONCE).await?;
            parts.put(chunk);
            return Ok(());
        }
        self.pending_bytes = self.pending_bytes.saturating_add(chunk.len());
        self.pending.push(chunk);
        if self.pending_bytes > PART_BYTES {
            let upload = self.objects.put_multipart(&self.key).await?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
            self.pending.drain(..).for_each(|chunk| parts.put(chunk));
            self.parts = Some(parts);
        }
        Ok(())
    }

    pub(crate) async fn finish(self) -> Result<(), Error> {
        match self.parts {
            Some(parts) => parts.finish().await?,
            None => {
                self.objects
                    .put(&self.key, self.pending.into_iter().collect::<PutPayload>())
                    .await?
            }
        };
        Ok(())
    }

    /// What git calls the content, which is still in memory if it is short enough to be asked.
    fn git(&self, size_bytes: u64) -> Option<GitOid> {
        let short = self.parts.is_none() && size_bytes <= GitOid::CONTENT_BYTES_MAX;
        let chunks = self.pending.iter().map(|chunk| chunk.as_ref());
        short.then(|| GitOid::of_content(size_bytes, chunks))
    }

    /// Parts that cannot be taken back now are invisible leftovers, not files.
    pub(crate) async fn abandon(self) {
        if let Some(parts) = self.parts {
            let _leftover = parts.abort().await;
        }
    }
}

/// `sha256/ab/cd…`: two hundred and fifty-six folders keep listings short on local disks.
fn key(sha256: Sha256) -> Key {
    let text = sha256.to_string();
    let (folder, name) = text.split_at(2);
    Key::from_iter(["sha256", folder, name])
}

pub(crate) fn missing(sha256: Sha256) -> impl FnOnce(object_store::Error) -> Error {
    move |error| match error {
        object_store::Error::NotFound { .. } => Error::Missing(sha256),
        other => Error::Storage(other),
    }
}

fn resolve(range: Option<ByteRange>, size_bytes: u64) -> Result<Range<u64>, Error> {
    match range {
        None => Ok(0..size_bytes),
        Some(range) => range.within(size_bytes).ok_or(Error::OutOfRange { size_bytes }),
    }
}

#[cfg(test)]
mod tests;
