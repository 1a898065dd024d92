//! Files that arrive in parts, each in a request of its own. Parts are no files: nothing reads
//! them but the one step that puts them together, which keeps the result only if it has the digest
//! that was announced. Parts that are left lying are swept away.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use units::Timestamp;

use crate::digest::length;
use crate::storage::{Writing, missing};
use crate::{Blob, Error, Expected, Sha256, Vault};

/// The folder of all parts.
const FOLDER: &str = "parts";
/// How many parts are deleted at once.
const DELETIONS_AT_ONCE: usize = 16;

/// A file that arrives in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// For whom it is: a name without `/`.
    pub holder: String,
    /// The digest of the whole file.
    pub sha256: Sha256,
    /// The length of the whole file.
    pub size_bytes: u64,
    /// The length of every part but the last.
    pub part_bytes: u64,
}

impl Parcel {
    /// How many parts there are; they are counted from 1.
    pub fn parts(&self) -> u64 {
        self.size_bytes.div_ceil(self.part_bytes.max(1))
    }

    /// The length of a part; `None` when there is no such part.
    pub fn length_of(&self, part: u64) -> Option<u64> {
        let before = part.checked_sub(1)?.checked_mul(self.part_bytes)?;
        let left = self.size_bytes.checked_sub(before)?;
        (left > 0).then_some(left.min(self.part_bytes))
    }

    fn folder(&self) -> Key {
        Key::from_iter([FOLDER, &self.holder, &self.sha256.to_string()])
    }

    fn key(&self, part: u64) -> Key {
        self.folder().join(format!("{part:06}"))
    }
}

impl Vault {
    /// Takes in one part, as it arrives; a part that came before is replaced.
    ///
    /// # Errors
    /// When there is no such part, when it has another length, when the sender stops early, or when
    /// storage fails.
    pub async fn put_part<S, E>(&self, parcel: &Parcel, part: u64, body: S) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let announced = parcel.length_of(part).ok_or(Error::NoSuchPart { part })?;
        let mut writing = Writing::new(self.objects(), parcel.key(part));
        match receive(body, announced, &mut writing).await {
            Ok(()) => writing.finish().await,
            Err(error) => {
                writing.abandon().await;
                Err(error)
            }
        }
    }

    /// Puts the parts together and stores the file, if it is the one that was announced. The parts
    /// are gone afterwards, whatever came of it.
    ///
    /// # Errors
    /// When a part did not arrive, when the whole has another digest, or when storage fails.
    pub async fn assemble(&self, parcel: &Parcel) -> Result<Blob, Error> {
        for part in 1..=parcel.parts() {
            let found = self.objects().head(&parcel.key(part)).await;
            found.map_err(|error| match missing(parcel.sha256)(error) {
                Error::Missing(_) => Error::NoSuchPart { part },
                other => other,
            })?;
        }
        let objects = Arc::clone(self.objects());
        let expected = Expected {
            sha256: parcel.sha256,
            size_bytes: Some(parcel.size_bytes),
            limit_bytes: parcel.size_bytes,
        };
        let keys: Vec<Key> = (1..=parcel.parts()).map(|part| parcel.key(part)).collect();
        let parts = stream::iter(keys)
            .then(move |key| {
                let objects = Arc::clone(&objects);
                async move { Ok::<_, object_store::Error>(objects.get(&key).await?.into_stream()) }
            })
            .try_flatten()
            .boxed();
        let stored = self.put(parts, &expected).await;
        self.discard(parcel).await?;
        stored
    }

    /// Deletes the parts of a file.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn discard(&self, parcel: &Parcel) -> Result<(), Error> {
        self.delete_parts(&parcel.folder(), Timestamp::MAX).await.map(drop)
    }

    /// Deletes parts that arrived before `cutoff`; returns how many.
    ///
    /// # Errors
    /// When storage fails.
    pub async fn sweep_parts(&self, cutoff: Timestamp) -> Result<u64, Error> {
        self.delete_parts(&Key::from(FOLDER), cutoff).await
    }

    async fn delete_parts(&self, folder: &Key, cutoff: Timestamp) -> Result<u64, Error> {
        let old = self
            .objects()
            .list(Some(folder))
            .try_filter(|found| {
                let old = found.last_modified.timestamp_micros() < cutoff.as_microsecond();
                async move { old }
            })
            .map_ok(|found| found.location);
        let deleted = old.map_ok(|key| async move {
            match self.objects().delete(&key).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(1),
                Err(error) => Err(error),
            }
        });
        let deleted = deleted.try_buffer_unordered(DELETIONS_AT_ONCE);
        Ok(deleted.try_fold(0_u64, |sum, one| async move { Ok(sum.saturating_add(one)) }).await?)
    }
}

async fn receive<S, E>(body: S, announced: u64, writing: &mut Writing<'_>) -> Result<(), Error>
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let mut received = 0_u64;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|source| Error::Interrupted(source.into()))?;
        received = received.saturating_add(length(&chunk));
        if received > announced {
            return Err(Error::WrongSize { announced, received });
        }
        writing.write(chunk).await?;
    }
    if received == announced { Ok(()) } else { Err(Error::WrongSize { announced, received }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"0123456789";

    fn parcel() -> Parcel {
        Parcel { holder: "h".to_owned(), sha256: Sha256::of(WHOLE), size_bytes: 10, part_bytes: 4 }
    }

    fn body(content: &[u8]) -> impl Stream<Item = Result<Bytes, std::io::Error>> + use<> {
        stream::iter([Ok(Bytes::copy_from_slice(content))])
    }

    async fn sent(vault: &Vault, parts: &[(u64, &[u8])]) {
        for (part, content) in parts {
            vault.put_part(&parcel(), *part, body(content)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_file_in_parts_is_put_together_in_their_order() {
        let vault = Vault::memory();
        sent(&vault, &[(3, b"89"), (1, b"XXXX"), (2, b"4567"), (1, b"0123")]).await;
        let blob = vault.assemble(&parcel()).await.unwrap();
        assert_eq!((blob.sha256, blob.size_bytes), (Sha256::of(WHOLE), 10));
        assert_eq!(vault.verify(&blob).await.unwrap(), Ok(()));
        assert_eq!(vault.sweep_parts(Timestamp::MAX).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_part_that_is_cut_too_long_or_unknown_is_refused() {
        let vault = Vault::memory();
        let put = async |part, content: &[u8]| {
            vault.put_part(&parcel(), part, body(content)).await.unwrap_err().to_string()
        };
        assert_eq!(put(1, b"012").await, "3 bytes arrived where 4 were announced");
        assert_eq!(put(1, b"01234").await, "5 bytes arrived where 4 were announced");
        assert_eq!(put(3, b"8").await, "1 bytes arrived where 2 were announced");
        assert_eq!(put(4, b"").await, "there is no part 4");
        assert_eq!(put(0, b"").await, "there is no part 0");
        sent(&vault, &[(1, b"0123"), (3, b"89")]).await;
        let incomplete = vault.assemble(&parcel()).await.unwrap_err().to_string();
        assert_eq!(incomplete, "there is no part 2");
        assert!(vault.size_bytes(Sha256::of(WHOLE)).await.is_err());
    }

    #[tokio::test]
    async fn parts_that_make_another_file_leave_nothing() {
        let vault = Vault::memory();
        sent(&vault, &[(1, b"0123"), (2, b"45X7"), (3, b"89")]).await;
        let refused = vault.assemble(&parcel()).await;
        assert!(matches!(refused, Err(Error::WrongDigest { .. })), "{refused:?}");
        assert!(vault.size_bytes(Sha256::of(WHOLE)).await.is_err());
        assert_eq!(vault.sweep_parts(Timestamp::MAX).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn only_old_parts_are_swept() {
        let vault = Vault::memory();
        sent(&vault, &[(1, b"0123")]).await;
        assert_eq!(vault.sweep_parts(Timestamp::UNIX_EPOCH).await.unwrap(), 0);
        assert_eq!(vault.sweep_parts(Timestamp::MAX).await.unwrap(), 1);
    }
}
