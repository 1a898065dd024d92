//! Passwords: argon2id, off the async threads, a few at a time.

use std::sync::Arc;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{Error, FieldError};

/// Shorter passwords are refused (NIST SP 800-63B asks for 8; a federation may ask for more).
const LENGTH_MIN: usize = 10;
/// Longer ones are refused, so that hashing stays cheap to refuse.
const LENGTH_MAX: usize = 256;
/// Hashes computed at once: each takes 19 MiB and some tens of milliseconds of a core.
const AT_ONCE: usize = 2;

/// Computes and checks password hashes.
#[derive(Clone, Debug)]
pub(crate) struct Hashing(Arc<Semaphore>);

impl Default for Hashing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Hashing {
    /// The PHC string of `password`, with a random salt.
    pub(super) async fn hash(&self, password: String) -> Result<String, Error> {
        self.compute(move || {
            Argon2::default()
                .hash_password(password.as_bytes())
                .map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(format!("hashing a password: {error}")))
        })
        .await?
    }

    /// Whether `password` matches `hash`. Without a hash the same work is done and the answer is
    /// no, so that the time of an answer does not tell which addresses have accounts.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        self.compute(move || match hash {
            Some(hash) => PasswordHash::new(&hash).is_ok_and(|parsed| {
                Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
            }),
            None => {
                // The work counts, not its result.
                let _ = Argon2::default().hash_password(password.as_bytes());
                false
            }
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = self.0.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// What is wrong with `password`, if anything.
pub(super) fn complaint(password: &str) -> Option<FieldError> {
    let length = password.chars().count();
    (!(LENGTH_MIN..=LENGTH_MAX).contains(&length)).then(|| {
        FieldError::new(
            "password",
            format!("has {length} characters; use {LENGTH_MIN} to {LENGTH_MAX}"),
        )
    })
}
