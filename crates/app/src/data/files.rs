//! Files on their way in and out.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use store::blobs::{self, Admission};
use units::RepositoryId;
use vault::{Blob, ByteRange, Download, Expected, FileEntry, FilePath, Sha256};

use crate::{Actor, App, Error};

/// How many files of one request are on their way into the vault.
const AT_ONCE: usize = 8;
/// How often a file that is just being deleted is sent again before the sender is told to wait.
const ATTEMPTS_MAX: u32 = 3;

/// A file that its reader was found to be allowed to read; [`App::bytes`] gives its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub(super) path: FilePath,
    pub(super) entry: FileEntry,
}

impl Content {
    /// Where it stands in its revision.
    pub const fn path(&self) -> &FilePath {
        &self.path
    }

    /// Its digest and length.
    pub const fn entry(&self) -> FileEntry {
        self.entry
    }
}

/// Under which name the files sent for a repository wait for the revision that names them.
pub(super) fn holder(repository: RepositoryId) -> String {
    format!("repository:{repository}")
}

impl App {
    /// Takes in a file for a later revision of a repository, as it arrives.
    ///
    /// # Errors
    /// When the actor may not write there, or the bytes are not the announced ones.
    pub async fn upload<S, E>(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        announced: (Sha256, Option<u64>),
        body: S,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let tx = self.store().read().await?;
        self.writable(&tx, actor, repository).await?;
        drop(tx);
        self.take_in(&holder(repository), announced, body).await
    }

    /// Puts bytes into the vault on behalf of `holder`, on record before the first byte.
    pub(super) async fn take_in<S, E>(
        &self,
        holder: &str,
        (sha256, size_bytes): (Sha256, Option<u64>),
        body: S,
    ) -> Result<Blob, Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let id = self.clock().mint();
        self.begin_upload(id, holder, sha256).await?;
        let expected = Expected { sha256, size_bytes, limit_bytes: self.data().file_bytes_max };
        let stored = self.data().vault.put(body, &expected).await;
        self.end_upload(id, stored).await
    }

    /// Takes in files that are in memory already, many at once; each is on record before its first
    /// byte.
    ///
    /// # Errors
    /// When the actor may not write there, or the vault fails.
    pub async fn upload_all(
        &self,
        actor: &Actor,
        repository: RepositoryId,
        files: Vec<Bytes>,
    ) -> Result<Vec<Blob>, Error> {
        let tx = self.store().read().await?;
        self.writable(&tx, actor, repository).await?;
        drop(tx);
        let name = holder(repository);
        let sends = files.into_iter().map(|content| {
            let sha256 = Sha256::of(&content);
            let body = stream::iter([Ok::<_, std::io::Error>(content)]);
            self.take_in(&name, (sha256, None), body)
        });
        stream::iter(sends).buffered(AT_ONCE).try_collect().await
    }

    /// Notes how an upload that is on record came out.
    pub(super) async fn end_upload(
        &self,
        id: uuid::Uuid,
        stored: Result<Blob, vault::Error>,
    ) -> Result<Blob, Error> {
        let tx = self.store().write().await?;
        match stored {
            Ok(blob) => {
                if !blobs::complete(&tx, id, &blob).await? {
                    return Err(Error::Conflict(
                        "the upload took so long that it was given up: send the file again"
                            .to_owned(),
                    ));
                }
                tx.commit().await?;
                Ok(blob)
            }
            Err(error) => {
                blobs::abandon(&tx, id).await?;
                tx.commit().await?;
                Err(error.into())
            }
        }
    }

    pub(super) async fn begin_upload(
        &self,
        id: uuid::Uuid,
        holder: &str,
        sha256: Sha256,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let tx = self.store().write().await?;
            let admission = blobs::begin(&tx, id, holder, sha256, self.now()).await?;
            tx.commit().await?;
            match admission {
                Admission::Begun => return Ok(()),
                Admission::Wait => self.finish_deletions().await?,
            }
        }
        Err(Error::Conflict(format!(
            "the file {sha256} is being deleted: send it again in a moment"
        )))
    }

    /// The bytes of a file, or of a part of it, as they come from the vault.
    ///
    /// # Errors
    /// When the range lies outside the file, or the vault fails.
    pub async fn bytes(
        &self,
        content: &Content,
        range: Option<ByteRange>,
    ) -> Result<Download, Error> {
        Ok(self.data().vault.get(content.entry.sha256, range).await?)
    }
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        match error {
            vault::Error::TooLarge { .. } => {
                Self::refused("data.file_bytes_max", error.to_string())
            }
            vault::Error::WrongSize { .. }
            | vault::Error::Interrupted(_)
            | vault::Error::NoSuchPart { .. } => Self::invalid("", error.to_string()),
            vault::Error::WrongDigest { .. } => Self::invalid("sha256", error.to_string()),
            vault::Error::OutOfRange { .. } => Self::invalid("range", error.to_string()),
            vault::Error::Missing(_) | vault::Error::Storage(_) => {
                tracing::error!(error = %chain(&error), "the vault failed");
                Self::Internal("the stored files could not be reached".to_owned())
            }
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
