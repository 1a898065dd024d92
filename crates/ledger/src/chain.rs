//! The hash chain.
//!
//! The hash of an entry is BLAKE3 in key-derivation mode, with the context string
//! [`CONTEXT`] (its version changes with the encoding), over these fields in this order:
//!
//! | field | bytes |
//! | --- | --- |
//! | hash of the previous entry | 32 |
//! | position | 8 |
//! | entry id | 16 |
//! | instant, in microseconds since 1970 | 8 |
//! | author | text |
//! | kind | text |
//! | allocation, recipient, job | each a byte 0, or a byte 1 and 16 |
//! | entry referred to, amount | each a byte 0, or a byte 1 and 8 |
//! | reason | text |
//! | number of transfers | 8 |
//! | for each transfer: from, to, amount | text, text, 8 |
//!
//! Numbers are signed and big-endian; a text is its length in bytes (8) and its UTF-8; accounts and
//! authors are in their one text form. The first entry follows [`Digest::GENESIS`].

use std::fmt::{self, Write as _};
use std::str::FromStr;

use crate::Unit;
use crate::entry::{Draft, Movements, Stamp};
use crate::kind::Seq;
use crate::transfer::Transfer;

/// Separates the hashes of entries from every other use of BLAKE3.
pub(crate) const CONTEXT: &str = "usine ledger 2026-11-21 entry v1";

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hexadecimal digits")]
pub struct NotADigest;

/// The hash of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What the first entry follows: BLAKE3 of the text `usine ledger genesis v1`.
    pub const GENESIS: Self = Self([
        0x3a, 0x15, 0x44, 0x67, 0x30, 0x9f, 0xd0, 0x47, 0x04, 0x99, 0xd5, 0xb8, 0x5a, 0x72, 0xf6,
        0x56, 0x75, 0x79, 0x82, 0xc5, 0x51, 0xe3, 0x21, 0x36, 0x6f, 0xb1, 0x96, 0xa3, 0x10, 0x1e,
        0xd7, 0x50,
    ]);

    /// The hash with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hash = blake3::Hash::from_hex(text).map_err(|_| NotADigest)?;
        let digest = Self(*hash.as_bytes());
        if digest.to_string() == text { Ok(digest) } else { Err(NotADigest) }
    }
}

/// The hash of the entry with this content.
pub(crate) fn hash(seq: Seq, stamp: &Stamp, draft: &Draft, previous: Digest) -> Digest {
    let mut hasher = Canonical::new();
    hasher.bytes(&previous.0);
    hasher.number(seq.number());
    hasher.bytes(stamp.id().uuid().as_bytes());
    hasher.number(stamp.at().as_microsecond());
    hasher.shown(stamp.author());
    hasher.text(draft.kind().name());
    let parts = draft.kind().parts();
    hasher.option(parts.allocation.map(|id| id.uuid().into_bytes()).as_ref());
    hasher.option(parts.recipient.map(|id| id.uuid().into_bytes()).as_ref());
    hasher.option(parts.job.map(|id| id.uuid().into_bytes()).as_ref());
    hasher.option(parts.refers.map(|seq| seq.number().to_be_bytes()).as_ref());
    hasher.option(parts.amount.map(|work| work.count().to_be_bytes()).as_ref());
    hasher.text(draft.reason());
    match draft.movements() {
        Movements::Hours(transfers) => hasher.transfers(transfers),
        Movements::Euros(transfers) => hasher.transfers(transfers),
    }
    Digest(*hasher.hasher.finalize().as_bytes())
}

/// The encoding, hashed as it is made.
struct Canonical {
    hasher: blake3::Hasher,
    text: String,
}

impl Canonical {
    fn new() -> Self {
        Self { hasher: blake3::Hasher::new_derive_key(CONTEXT), text: String::new() }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(i64::try_from(length).unwrap_or(i64::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes(text.as_bytes());
    }

    /// The one text form of `value`.
    fn shown(&mut self, value: &impl fmt::Display) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // Writing to a String cannot fail.
        let _ = write!(text, "{value}");
        self.text(&text);
        self.text = text;
    }

    fn option<const N: usize>(&mut self, field: Option<&[u8; N]>) {
        match field {
            None => self.bytes(&[0]),
            Some(field) => {
                self.bytes(&[1]);
                self.bytes(field);
            }
        }
    }

    fn transfers<U: Unit>(&mut self, transfers: &[Transfer<U>]) {
        self.length(transfers.len());
        for transfer in transfers {
            self.shown(transfer.from());
            self.shown(transfer.to());
            self.number(transfer.amount().count());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_starts_from_a_hash_that_anyone_can_recompute() {
        assert_eq!(Digest::GENESIS.0, *blake3::hash(b"usine ledger genesis v1").as_bytes());
    }

    #[test]
    fn a_hash_has_one_spelling() {
        let text = Digest::GENESIS.to_string();
        assert_eq!(text, "3a154467309fd0470499d5b85a72f656757982c551e321366fb196a3101ed750");
        assert_eq!(text.parse(), Ok(Digest::GENESIS));
        assert_eq!(text.to_uppercase().parse::<Digest>(), Err(NotADigest));
    }
}
