//! TLS as the hub itself ends it: a certificate chain and its key from two files, which may be
//! renewed while the hub serves.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(60);

/// The certificate or the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds something else.
    #[error("cannot read {what} in {path}: {why}")]
    File {
        /// What was looked for.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not used.
    #[error("the certificate and its key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// The files, and what was last read from them.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    config: Arc<ServerConfig>,
    changed: [Option<SystemTime>; 2],
    looked: Instant,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS with the chain in `certificate` and the key in `key`, both in PEM.
    ///
    /// # Errors
    /// When they cannot be read, or do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let changed = [certificate, key].map(changed);
        let config = read(certificate, key)?;
        let state = Mutex::new(State { config, changed, looked: Instant::now() });
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), state })
    }

    /// What ends TLS on the next connection. A renewed pair is taken into use within a minute; while
    /// a new pair does not fit, the old one goes on.
    pub(crate) fn acceptor(&self, now: Instant) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(state.looked) >= LOOK {
            state.looked = now;
            let changed = [&*self.certificate, &*self.key].map(changed);
            if changed != state.changed {
                state.changed = changed;
                match read(&self.certificate, &self.key) {
                    Ok(config) => {
                        state.config = config;
                        tracing::info!("a renewed certificate is in use");
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, "a renewed certificate cannot be used");
                    }
                }
            }
        }
        TlsAcceptor::from(Arc::clone(&state.config))
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|about| about.modified()).ok()
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let fault =
        |what, path: &Path, why: String| TlsError::File { what, path: path.to_owned(), why };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| fault("the certificate", certificate, error.to_string()))?;
    if chain.is_empty() {
        let why = io::Error::from(io::ErrorKind::UnexpectedEof).to_string();
        return Err(fault("the certificate", certificate, why));
    }
    let pair_key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| fault("the key of the certificate", key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, pair_key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
