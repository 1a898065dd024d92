//! Answers remembered by idempotency key, for a day.
//!
//! The key is reserved before the request is carried out, so two copies of a request at the same
//! time cannot both be. A process that dies in between leaves the key reserved: the repeat is told
//! so, and nothing is ever done twice.

use jiff::SignedDuration;
use store::identity::idempotency;
use units::Timestamp;

pub use idempotency::{Answer, Remembered};

use crate::{App, Error, Subject};

/// How long an answer is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A request that carries an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Who sends it; keys of different callers are different keys.
    pub caller: Subject,
    /// The key they chose.
    pub key: String,
    /// A hash of everything that makes it this request.
    pub request: String,
}

impl App {
    /// Reserves the key for this request, or says what is known of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reserve_key(&self, keyed: &Keyed) -> Result<Remembered, Error> {
        let now = self.now();
        let expired = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let caller = keyed.caller.to_string();
        let tx = self.store().write().await?;
        idempotency::forget_before(&tx, expired).await?;
        let known = idempotency::reserve(&tx, &caller, &keyed.key, &keyed.request, now).await?;
        tx.commit().await?;
        Ok(known)
    }

    /// Remembers the answer to a reserved key; without one, forgets the reservation, so that the
    /// request may be tried again.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_key(&self, keyed: &Keyed, answer: Option<&Answer>) -> Result<(), Error> {
        let caller = keyed.caller.to_string();
        let tx = self.store().write().await?;
        match answer {
            Some(answer) => idempotency::answer(&tx, &caller, &keyed.key, answer).await?,
            None => idempotency::forget(&tx, &caller, &keyed.key).await?,
        }
        Ok(tx.commit().await?)
    }

    /// Whether the hub can reach its records.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn health(&self) -> Result<(), Error> {
        self.store().read().await?;
        Ok(())
    }
}
