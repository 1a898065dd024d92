//! Who signs certificates.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use ssh_key::certificate::{Builder, CertType};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Algorithm, LineEnding, PrivateKey, PublicKey};
use units::Timestamp;

use super::{DOMAIN_GRANT, Hosts};

/// What a certificate of a person permits beyond running commands.
const PERMITS: [&str; 3] = ["permit-agent-forwarding", "permit-port-forwarding", "permit-pty"];
/// How far a host's clock may be behind.
const CLOCKS_SECONDS: u64 = 60;

/// The certificate authority: an Ed25519 key that never leaves the hub.
#[derive(Clone, Debug)]
pub struct Authority {
    key: PrivateKey,
}

/// The authority cannot do its part.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The file with its key cannot be used.
    #[error("cannot use the key of the SSH authority in {}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner can read the file.
    #[error("{} can be read by others: chmod 600, and make a new key if somebody has", .0.display())]
    Open(PathBuf),
    /// What is in the file is no Ed25519 key, or nothing can be signed with it.
    #[error("the key of the SSH authority does not work")]
    Key(#[from] ssh_key::Error),
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Whose key is certified: an Ed25519 key, as [`user_key`] reads it.
    pub key: &'a PublicKey,
    /// The number by which it is known.
    pub serial: u64,
    /// What hosts write into their logs.
    pub name: &'a str,
    /// Whom it names.
    pub principal: &'a str,
    /// For which hosts it is meant.
    pub hosts: &'a Hosts,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

impl Authority {
    /// The authority whose key is in `file`; without one a key is made and kept there, for its owner
    /// alone.
    ///
    /// # Errors
    /// When the file cannot be used, others can read it, or it holds no Ed25519 key.
    pub fn open(file: &Path) -> Result<Self, AuthorityError> {
        let failed = |source| AuthorityError::File { file: file.to_owned(), source };
        match fs::metadata(file) {
            Ok(about) if about.permissions().mode() & 0o077 != 0 => {
                return Err(AuthorityError::Open(file.to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).map_err(|error| failed(error.into()))?;
                let made = Self::of_seed(&seed)?;
                let text = made.key.to_openssh(LineEnding::LF)?;
                let mut options = fs::OpenOptions::new();
                let mut kept =
                    options.write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
                kept.write_all(text.as_bytes()).and_then(|()| kept.sync_all()).map_err(failed)?;
                return Ok(made);
            }
            Err(error) => return Err(failed(error)),
        }
        let text = fs::read_to_string(file).map_err(failed)?;
        let key = PrivateKey::from_openssh(text)?;
        match key.algorithm() {
            Algorithm::Ed25519 => Ok(Self { key }),
            _ => Err(AuthorityError::Key(ssh_key::Error::AlgorithmUnknown)),
        }
    }

    /// The authority with the key that these bytes make.
    ///
    /// # Errors
    /// When no key comes of them.
    pub fn of_seed(seed: &[u8; 32]) -> Result<Self, AuthorityError> {
        let pair = KeypairData::from(Ed25519Keypair::from_seed(seed));
        Ok(Self { key: PrivateKey::new(pair, "usine")? })
    }

    /// A key pair for somebody's own use, as OpenSSH writes it: secret, public.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn pair() -> Result<(String, String), AuthorityError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| ssh_key::Error::Crypto)?;
        let made = Self::of_seed(&seed)?;
        Ok((made.key.to_openssh(LineEnding::LF)?.to_string(), made.public()?))
    }

    /// The line by which hosts trust it.
    ///
    /// # Errors
    /// When the key cannot be written.
    pub fn public(&self) -> Result<String, AuthorityError> {
        Ok(self.key.public_key().to_openssh()?)
    }

    /// Signs a certificate; the line that `ssh` reads.
    ///
    /// # Errors
    /// When something that is asked for cannot stand in one.
    pub fn issue(&self, asked: &Request<'_>) -> Result<String, AuthorityError> {
        let second = |at: Timestamp| u64::try_from(at.as_second()).unwrap_or_default();
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|_| ssh_key::Error::Crypto)?;
        let from = second(asked.from).saturating_sub(CLOCKS_SECONDS);
        let mut builder =
            Builder::new(nonce, asked.key.key_data().clone(), from, second(asked.until))?;
        builder.serial(asked.serial)?;
        builder.cert_type(CertType::User)?;
        builder.key_id(asked.name)?;
        builder.valid_principal(asked.principal)?;
        builder.extension(DOMAIN_GRANT, asked.hosts.to_json())?;
        for permit in PERMITS {
            builder.extension(permit, "")?;
        }
        Ok(builder.sign(&self.key)?.to_openssh()?)
    }
}

/// Reads a public key of a person: Ed25519 only, by the profile.
///
/// # Errors
/// With what is wrong, for people.
pub fn user_key(text: &str) -> Result<PublicKey, String> {
    let key = PublicKey::from_openssh(text.trim())
        .map_err(|error| format!("this is no public key as OpenSSH writes it: {error}"))?;
    match key.algorithm() {
        Algorithm::Ed25519 => Ok(key),
        other => Err(format!("only Ed25519 keys are certified, and this is {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ssh_authority");
        let made = Authority::open(&file).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let again = Authority::open(&file).unwrap();
        assert_eq!(made.public().unwrap(), again.public().unwrap());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Authority::open(&file), Err(AuthorityError::Open(_))));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&file, "nonsense").unwrap();
        assert!(matches!(Authority::open(&file), Err(AuthorityError::Key(_))));
    }

    #[test]
    fn only_ed25519_keys_are_certified() {
        let own = Authority::of_seed(&[7; 32]).unwrap().public().unwrap();
        assert!(user_key(&own).is_ok());
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc= a";
        for bad in ["", "ssh-ed25519", "ssh-ed25519 AAAA", ecdsa] {
            user_key(bad).unwrap_err();
        }
    }
}
