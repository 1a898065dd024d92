//! Reading and checking the books.

use ledger::{Author, Entry, Refusal, Seq, Short};
use store::ledger::{Denied, Finding, Progress, Verified};
use units::{EntryId, Timestamp};

use crate::{Action, Actor, App, Error, Subject};

/// The most entries one page of the books holds.
pub const PAGE_MAX: u32 = 1_000;

/// The outcome of a check of the whole ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// When it was made.
    pub at: Timestamp,
    /// What was checked, or the first thing that is wrong.
    pub outcome: Result<Verified, Finding>,
}

impl App {
    /// Recomputes every hash, sum, floor and balance of the ledger, telling `progress` how far it
    /// has come.
    ///
    /// # Errors
    /// When the actor may not read the ledger. A ledger that is wrong is not an error but an
    /// outcome.
    pub async fn check_ledger(
        &self,
        actor: &Actor,
        progress: impl FnMut(Progress) + Send,
    ) -> Result<Check, Error> {
        actor.may(Action::ViewLedger, &[])?;
        let tx = self.store().read().await?;
        let outcome = store::ledger::verify(&tx, progress).await?;
        if let Err(finding) = &outcome {
            tracing::error!(%finding, "the ledger is wrong");
        }
        Ok(Check { at: self.now(), outcome })
    }

    /// The entries after position `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the actor may not read the ledger.
    pub async fn ledger_entries(
        &self,
        actor: &Actor,
        after: Option<Seq>,
        limit: u32,
    ) -> Result<Vec<Entry>, Error> {
        actor.may(Action::ViewLedger, &[])?;
        let tx = self.store().read().await?;
        Ok(store::ledger::entries(&tx, after, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// A memo for an entry that `actor` causes now, under a new id.
    pub(crate) fn memo(&self, actor: &Actor, reason: impl Into<String>) -> store::ledger::Memo {
        let author = match actor.subject() {
            Subject::Person(id) => Author::Person(*id),
            Subject::Site(key) => Author::Site(key.clone()),
            Subject::System | Subject::Anonymous => Author::Hub,
        };
        let id = EntryId::from_uuid(self.clock().mint());
        let stamp = ledger::Stamp::new(id, self.now(), author);
        store::ledger::Memo { stamp, reason: reason.into() }
    }
}

/// What a caller did not foresee and explain in its own words.
impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::NoSuchPool(_) => Self::NotFound("pool"),
            Denied::NoSuchAllocation(_) => Self::NotFound("allocation"),
            Denied::NoOpenHold(_) | Denied::NotCharged(_) => Self::Conflict(denied.to_string()),
            Denied::Refused(Refusal::Insufficient(_) | Refusal::OtherHours(..)) => {
                Self::refused("ledger.balance", denied.to_string())
            }
            Denied::Short(Short::Pools(_)) => Self::refused("ledger.pools", denied.to_string()),
            _ => Self::Internal(denied.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
