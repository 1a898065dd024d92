//! An agent's key, and what it proves with it: the only ground on which a hub lets an agent in.
//!
//! A proof signs one purpose at one site, once, for about a minute. It never carries a secret: who
//! reads it on its way can do nothing with it.

use std::fmt;
use std::str::FromStr;

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::rand::{SystemRandom, generate};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sha2::{Digest as _, Sha256};
use units::{Slug, Timestamp};

use crate::protocol::Proof;

/// What every signed text begins with, so that no signature made for something else is one of ours.
const PREAMBLE: &str = "usine-agent-proof-1";
/// The letters of a nonce: enough that none comes twice.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// A key or a proof is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not a key.
    #[error("a key is 32 bytes in base64")]
    Malformed,
    /// The nonce cannot be one.
    #[error("a nonce has 16 to 64 letters, digits, `-` or `_`")]
    Nonce,
    /// The instant cannot be read.
    #[error("`at` is not an instant as RFC 3339 writes them")]
    Instant,
    /// The signature was not made by this key over this text.
    #[error("the signature does not belong to this key and this request")]
    Signature,
    /// This machine gives no random numbers.
    #[error("this machine gives no random numbers to make a key of")]
    NoRandomness,
}

/// What a proof is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// To enrol the signing key with this one-time code.
    Enrol {
        /// The code as the operator saw it.
        code: &'a str,
    },
    /// To be let in.
    Session,
    /// To put another key in the place of the signing one.
    Rotate {
        /// The other key.
        to: &'a PublicKey,
    },
}

impl Purpose<'_> {
    /// Its name, and what it is about, as they are signed. A code is signed as its digest, so that
    /// a proof in a log gives nothing away.
    fn lines(self) -> (&'static str, String) {
        match self {
            Self::Enrol { code } => ("enrol", hex::encode(Sha256::digest(code.as_bytes()))),
            Self::Session => ("session", "-".to_owned()),
            Self::Rotate { to } => ("rotate", to.to_string()),
        }
    }

    /// The text that is signed.
    fn text(self, site: &Slug, at: &str, nonce: &str) -> String {
        let (name, about) = self.lines();
        format!("{PREAMBLE}\n{name}\n{site}\n{at}\n{nonce}\n{about}\n")
    }
}

/// The part of a key that everybody may know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The name by which people compare keys: the beginning of the key's SHA-256.
    pub fn fingerprint(&self) -> String {
        let hex = hex::encode(Sha256::digest(self.0));
        let groups = hex.as_bytes().chunks(4).take(8).map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join("-")
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| KeyError::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::Malformed)
    }
}

/// A whole key. It shows only its public part.
pub struct SecretKey {
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl SecretKey {
    /// A new key.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate() -> Result<Self, KeyError> {
        let seed = generate::<[u8; 32]>(&SystemRandom::new());
        Self::of(seed.map_err(|_| KeyError::NoRandomness)?.expose())
    }

    fn of(seed: [u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Malformed)?;
        Ok(Self { seed, pair })
    }

    /// The key that [`SecretKey::reveal`] wrote.
    ///
    /// # Errors
    /// When the text is not one.
    pub fn read(text: &str) -> Result<Self, KeyError> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| KeyError::Malformed)?;
        Self::of(bytes.try_into().map_err(|_| KeyError::Malformed)?)
    }

    /// The key as it is kept, in base64: 32 bytes, from which everything follows (RFC 8032).
    pub fn reveal(&self) -> String {
        BASE64_STANDARD.encode(self.seed)
    }

    /// Its public part.
    pub fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        for (byte, known) in bytes.iter_mut().zip(self.pair.public_key().as_ref()) {
            *byte = *known;
        }
        PublicKey(bytes)
    }

    /// Proves that whoever holds this key wants `purpose` at `site`, now.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn prove(
        &self,
        purpose: Purpose<'_>,
        site: &Slug,
        at: Timestamp,
    ) -> Result<Proof, KeyError> {
        let random = generate::<[u8; 16]>(&SystemRandom::new());
        let nonce = hex::encode(random.map_err(|_| KeyError::NoRandomness)?.expose());
        Ok(self.sign(purpose, site, at.to_string(), nonce))
    }

    fn sign(&self, purpose: Purpose<'_>, site: &Slug, at: String, nonce: String) -> Proof {
        let text = purpose.text(site, &at, &nonce);
        let signature = BASE64_STANDARD.encode(self.pair.sign(text.as_bytes()));
        Proof { key: self.public().to_string(), at, nonce, signature }
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().fingerprint())
    }
}

/// A proof that holds: who made it and when. Whether it came before is for the hub to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The key.
    pub key: PublicKey,
    /// When it was made, by the clock of the site.
    pub at: Timestamp,
}

/// Whether `proof` was made for `purpose` at `site` by the key that it names.
///
/// # Errors
/// What is wrong with it.
pub fn verify(proof: &Proof, purpose: Purpose<'_>, site: &Slug) -> Result<Proven, KeyError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !NONCE_LENGTH.contains(&proof.nonce.len()) || !proof.nonce.chars().all(plain) {
        return Err(KeyError::Nonce);
    }
    let key: PublicKey = proof.key.parse()?;
    let at: Timestamp = proof.at.parse().map_err(|_| KeyError::Instant)?;
    let signature = BASE64_STANDARD.decode(&proof.signature).map_err(|_| KeyError::Signature)?;
    let text = purpose.text(site, &proof.at, &proof.nonce);
    UnparsedPublicKey::new(&ED25519, key.0)
        .verify(text.as_bytes(), &signature)
        .map_err(|_| KeyError::Signature)?;
    Ok(Proven { key, at })
}

#[cfg(test)]
mod tests;
