//! The two digests of a file: SHA-256 names it, BLAKE3 re-checks it quickly.

use std::fmt;
use std::str::FromStr;

/// The text is not a digest of 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a digest: write 64 lower-case hexadecimal digits")]
pub struct NotADigest(pub String);

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest with these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The bytes of the digest.
            pub const fn bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotADigest;

            /// Reads lower-case hexadecimal only, so one digest has one spelling.
            fn from_str(text: &str) -> Result<Self, NotADigest> {
                let refused = || NotADigest(text.chars().take(80).collect());
                if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return Err(refused());
                }
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| refused())?;
                Ok(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), hex::encode(self.0))
            }
        }
    )*};
}

digests! {
    /// The SHA-256 of a file's bytes: its name in the vault and on the wire.
    Sha256,
    /// The BLAKE3 of a file's bytes, kept beside the name as an independent witness.
    Blake3,
}

impl Sha256 {
    /// The digest of bytes that are already in memory.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

/// Computes both digests and the length of bytes that pass by.
pub(crate) struct Digester {
    sha256: sha2::Sha256,
    blake3: blake3::Hasher,
    size_bytes: u64,
}

impl Digester {
    pub(crate) fn new() -> Self {
        use sha2::Digest;
        Self { sha256: sha2::Sha256::new(), blake3: blake3::Hasher::new(), size_bytes: 0 }
    }

    pub(crate) fn take(&mut self, chunk: &[u8]) {
        use sha2::Digest;
        self.sha256.update(chunk);
        self.blake3.update(chunk);
        self.size_bytes = self.size_bytes.saturating_add(length(chunk));
    }

    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(crate) fn finish(self) -> (Sha256, Blake3, u64) {
        use sha2::Digest;
        let sha256 = Sha256(self.sha256.finalize().into());
        (sha256, Blake3(*self.blake3.finalize().as_bytes()), self.size_bytes)
    }
}

pub(crate) fn length(chunk: &[u8]) -> u64 {
    u64::try_from(chunk.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_are_the_published_ones() {
        let mut digester = Digester::new();
        digester.take(b"a");
        digester.take(b"bc");
        let (sha256, blake3, size) = digester.finish();
        assert_eq!(
            sha256.to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            blake3.to_string(),
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
        );
        assert_eq!(size, 3);
        assert_eq!(Sha256::of(b"abc"), sha256);
    }

    #[test]
    fn a_digest_has_one_spelling() {
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(text.parse::<Sha256>().unwrap().to_string(), text);
        for bad in ["", "ba", &text.to_uppercase(), &format!("{text}00"), &text.replace('b', "g")] {
            assert!(bad.parse::<Sha256>().is_err(), "{bad:?} was accepted");
        }
    }
}
