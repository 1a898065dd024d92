//! Keeping the vault clean and honest: what nothing names is deleted, what is kept is read back.

use jiff::SignedDuration;
use store::blobs;
use vault::{Damage, Sha256};

use crate::{Action, Actor, App, Error};

/// How long a file that was sent waits for a revision to name it.
const UPLOAD_HOURS_MAX: i64 = 24;
/// The most files that are read back at once.
const PAGE: u32 = 500;

/// A stored file that is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Which.
    pub sha256: Sha256,
    /// How.
    pub damage: Damage,
}

/// What reading files back found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many files were read.
    pub files: u64,
    /// Their bytes together.
    pub bytes: u64,
    /// Those that are not what they were.
    pub damaged: Vec<Damaged>,
    /// After which file to go on; absent when all were read.
    pub next: Option<Sha256>,
}

impl App {
    /// Deletes files that nothing names any more; returns how many. To be called at start and
    /// from time to time: a sweep that is interrupted anywhere is finished by the next.
    ///
    /// # Errors
    /// When the store or the vault fails.
    pub async fn sweep_data(&self) -> Result<u64, Error> {
        let now = self.now();
        let cutoff = now.checked_sub(SignedDuration::from_hours(UPLOAD_HOURS_MAX)).unwrap_or(now);
        let tx = self.store().write().await?;
        let doomed = blobs::doom(&tx, cutoff).await?;
        tx.commit().await?;
        self.finish_deletions().await?;
        self.data().vault.sweep_parts(cutoff).await?;
        Ok(doomed)
    }

    /// Deletes the bytes of doomed files, and only then forgets them. Each deletion holds the
    /// record of its file, so that nobody can begin to send the file again until it is over.
    pub(super) async fn finish_deletions(&self) -> Result<(), Error> {
        let tx = self.store().read().await?;
        let doomed = blobs::doomed(&tx).await?;
        drop(tx);
        for sha256 in doomed {
            let tx = self.store().write().await?;
            if blobs::hold_doomed(&tx, sha256).await? {
                self.data().vault.delete(sha256).await?;
                blobs::forget(&tx, sha256).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Reads stored files back and compares them with their digests: those after `after` in order
    /// of their digests, until `bytes_max` are read or there are no more.
    ///
    /// # Errors
    /// When the actor may not check the hub's records, or storage fails.
    pub async fn verify_data(
        &self,
        actor: &Actor,
        after: Option<Sha256>,
        bytes_max: u64,
    ) -> Result<Verified, Error> {
        actor.may(Action::VerifyData, &[])?;
        let tx = self.store().read().await?;
        let page = blobs::stored(&tx, after, PAGE).await?;
        drop(tx);
        let full = u32::try_from(page.len()).is_ok_and(|count| count >= PAGE);
        let mut found = Verified::default();
        for (position, blob) in (1..).zip(&page) {
            if let Err(damage) = self.data().vault.verify(blob).await? {
                found.damaged.push(Damaged { sha256: blob.sha256, damage });
            }
            found.files = found.files.saturating_add(1);
            found.bytes = found.bytes.saturating_add(blob.size_bytes);
            if found.bytes >= bytes_max && (full || position < page.len()) {
                found.next = Some(blob.sha256);
                return Ok(found);
            }
        }
        found.next = page.last().filter(|_| full).map(|blob| blob.sha256);
        Ok(found)
    }
}
