//! Where an agent keeps its key, and how a key comes to be the site's: by a code, or by the key
//! before it.
//!
//! A new key is on disk before the hub hears of it, and takes the place of the old one only after
//! the hub has said yes. Each step may be taken again after a lost answer.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use units::Slug;

use crate::client::{self, Client, segment};
use crate::key::{KeyError, Purpose, SecretKey};
use crate::protocol::{Enrolled, Enrolment, Rotation, VERSION, apart};

/// The key that the hub knows.
const CURRENT: &str = "key.json";
/// A key that the hub is being told of.
const COMING: &str = "key-coming.json";

/// An agent has no key that it could use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none yet.
    #[error(
        "this agent is not enrolled: ask the hub for a code (usine site enrol) and give it to \
        `usine agent enrol`"
    )]
    NotEnrolled,
    /// Others could have read it.
    #[error(
        "the key file {0} can be read by others: make it private (chmod 600), and if anybody \
        may have read it, revoke it at the hub and enrol again"
    )]
    Open(PathBuf),
    /// Its folder fails it.
    #[error("the agent's key in {path} cannot be used")]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is kept there is no key, or none can be made.
    #[error("the agent's key is not usable: {0}")]
    Key(#[from] KeyError),
}

/// A key as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The secret part, in base64.
    ed25519: String,
}

/// The keys of one agent.
#[derive(Clone, Debug)]
pub struct Identity {
    folder: PathBuf,
}

impl Identity {
    /// The keys that are kept in `folder`, which is the agent's own.
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The key that the hub knows.
    ///
    /// # Errors
    /// When there is none, or others could have read it.
    pub fn key(&self) -> Result<SecretKey, Error> {
        self.read(CURRENT)?.ok_or(Error::NotEnrolled)
    }

    /// Whether the hub was told of a key.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn is_enrolled(&self) -> Result<bool, Error> {
        Ok(self.read(CURRENT)?.is_some())
    }

    /// A key of which the hub may know or not.
    pub(crate) fn coming(&self) -> Result<Option<SecretKey>, Error> {
        self.read(COMING)
    }

    /// Puts the coming key in the place of the current one.
    pub(crate) fn adopt(&self) -> Result<(), Error> {
        let to = self.folder.join(CURRENT);
        let moved = std::fs::rename(self.folder.join(COMING), &to);
        moved
            .and_then(|()| engine::record::sync_parent(&to))
            .map_err(|source| Error::Folder { path: to, source })
    }

    /// Makes a key, or finds the one of an attempt whose answer was lost.
    fn prepare(&self) -> Result<SecretKey, Error> {
        if let Some(key) = self.coming()? {
            return Ok(key);
        }
        let key = SecretKey::generate()?;
        let path = self.folder.join(COMING);
        let kept = Kept { ed25519: key.reveal() };
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| engine::record::write(&path, &kept))
            .map_err(|source| Error::Folder { path, source })?;
        Ok(key)
    }

    /// Forgets a key that the hub will never take.
    fn discard(&self) -> Result<(), Error> {
        let path = self.folder.join(COMING);
        std::fs::remove_file(&path).map_err(|source| Error::Folder { path, source })
    }

    fn read(&self, name: &str) -> Result<Option<SecretKey>, Error> {
        let path = self.folder.join(name);
        let about = match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            about => about,
        };
        let read = about.and_then(|about| Ok((about, engine::record::read::<Kept>(&path)?)));
        let (about, kept) = read.map_err(|source| Error::Folder { path: path.clone(), source })?;
        if about.permissions().mode() & 0o077 != 0 {
            return Err(Error::Open(path));
        }
        Ok(kept.map(|kept| SecretKey::read(&kept.ed25519)).transpose()?)
    }
}

/// Makes a key and has the hub take it for `site` by a one-time code; the key's fingerprint.
///
/// # Errors
/// When the hub does not take the code, or the key cannot be kept. After a lost answer the same
/// call with the same code finds out how it ended.
pub async fn enrol(
    client: &Client,
    site: &Slug,
    identity: &Identity,
    code: &str,
) -> Result<String, client::Error> {
    let key = identity.prepare()?;
    let proof = key.prove(Purpose::Enrol { code }, site, client.now()).map_err(Error::from)?;
    let body = Enrolment { version: VERSION, code: code.to_owned(), proof };
    let path = format!("/sites/{}/agent", segment(site.as_str()));
    let enrolled = client.post::<_, Enrolled>(&path, &body, client::Key::fresh()).await;
    settle(identity, enrolled)
}

/// Makes a key and has the hub take it in the place of the one so far; its fingerprint.
///
/// # Errors
/// As for [`enrol`]; the key so far goes on working then.
pub async fn rotate(
    client: &Client,
    site: &Slug,
    identity: &Identity,
) -> Result<String, client::Error> {
    let old = identity.key()?;
    let new = identity.prepare()?.public();
    let proof = old.prove(Purpose::Rotate { to: &new }, site, client.now()).map_err(Error::from)?;
    let body = Rotation { version: VERSION, to: new.to_string(), proof };
    let path = format!("/sites/{}/agent/key", segment(site.as_str()));
    let rotated = client.post::<_, Enrolled>(&path, &body, client::Key::fresh()).await;
    settle(identity, rotated)
}

/// Takes the new key into use if the hub knows it; forgets it if the hub never will.
fn settle(
    identity: &Identity,
    answer: Result<Enrolled, client::Error>,
) -> Result<String, client::Error> {
    match answer {
        Ok(enrolled) => {
            if let Some(why) = apart(("agent", VERSION), ("hub", enrolled.version)) {
                return Err(client::Error::Version(why));
            }
            identity.adopt()?;
            Ok(enrolled.fingerprint)
        }
        Err(error) => {
            // A key that was revoked is never taken again.
            if error.status() == Some(409) {
                identity.discard()?;
            }
            Err(error)
        }
    }
}
