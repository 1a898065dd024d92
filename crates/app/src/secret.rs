//! Bearer secrets: random, shown once, stored as a hash.

use std::fmt;

use crate::Error;

/// A secret that its holder presents. It prints only through [`Secret::reveal`].
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new secret of 256 random bits, with a prefix that tells people what it is.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random(prefix: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
        Ok(Self(format!("{prefix}_{}", hex::encode(bytes))))
    }

    /// A secret somebody presents.
    pub fn presented(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, to be shown to its holder once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored: the BLAKE3 hash in hex. The secret has full entropy, so it needs no salt.
    pub fn hash(&self) -> String {
        blake3::hash(self.0.as_bytes()).to_hex().to_string()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
