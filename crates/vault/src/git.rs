//! What git calls things. Clients that grew up with git name the content of a small file by git's
//! SHA-1 of it, and a revision by forty hexadecimal digits. Not here: git's objects and packs.

use std::fmt;
use std::str::FromStr;

use units::RevisionId;

use crate::Blake3;

/// The text is not an object name of git.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a commit: write 40 lower-case hexadecimal digits")]
pub struct NotAGitOid(pub String);

/// Twenty bytes that name an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitOid([u8; 20]);

/// How many bytes of a revision's name are its identifier.
const ID_BYTES: usize = 16;

impl GitOid {
    /// The largest file that gets such a name: above it, files are known by their SHA-256 only, so
    /// no large file is hashed a third time.
    pub const CONTENT_BYTES_MAX: u64 = 5 * 1024 * 1024;

    /// What git calls a file with this content: the SHA-1 of a header with the length, and of the
    /// content. It tells contents apart for clients and proves nothing.
    pub fn of_content<'a>(size_bytes: u64, chunks: impl Iterator<Item = &'a [u8]>) -> Self {
        use sha1::Digest;
        let mut hasher = sha1::Sha1::new();
        hasher.update(format!("blob {size_bytes}\0").as_bytes());
        chunks.for_each(|chunk| hasher.update(chunk));
        Self(hasher.finalize().into())
    }

    /// The name of a revision: its identifier, then the beginning of the digest over its files.
    pub fn of_revision(id: RevisionId, tree: Blake3) -> Self {
        let tail = tree.bytes().iter().copied();
        let mut name = [0; 20];
        name.iter_mut()
            .zip(id.uuid().into_bytes().into_iter().chain(tail))
            .for_each(|(to, from)| *to = from);
        Self(name)
    }

    /// The name of a folder, over whatever tells its content.
    pub fn of_folder(content: &Blake3) -> Self {
        let mut name = [0; 20];
        name.iter_mut().zip(content.bytes()).for_each(|(to, from)| *to = *from);
        Self(name)
    }

    /// The revision that this may name; the rest of the name must be compared with it.
    pub fn revision(&self) -> RevisionId {
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
        RevisionId::from_uuid(uuid::Uuid::from_bytes(id))
    }
}

impl FromStr for GitOid {
    type Err = NotAGitOid;

    fn from_str(text: &str) -> Result<Self, NotAGitOid> {
        let refused = || NotAGitOid(text.chars().take(80).collect());
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(refused());
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| refused())?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for GitOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for GitOid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitOid({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_has_the_name_that_git_gives_it() {
        let of = |chunks: &[&[u8]]| {
            let size = chunks.iter().map(|chunk| chunk.len() as u64).sum();
            GitOid::of_content(size, chunks.iter().copied()).to_string()
        };
        assert_eq!(of(&[]), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(of(&[b"hello ", b"world\n"]), "3b18e512dba79e4c8300dd08aeb37f8e728b8dad");
    }

    #[test]
    fn a_revision_is_found_again_by_its_name() {
        let id: RevisionId = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10".parse().unwrap();
        let name = GitOid::of_revision(id, Blake3::from_bytes([0xab; 32]));
        assert_eq!(name.to_string(), "018f2a6e7c2b7d1e9a510b7c2f6f9a10abababab");
        assert_eq!(name.to_string().parse::<GitOid>().map(|name| name.revision()), Ok(id));
        for bad in ["", "main", "018F2a6e7c2b7d1e9a510b7c2f6f9a10abababab"] {
            assert!(bad.parse::<GitOid>().is_err(), "{bad:?}");
        }
    }
}
