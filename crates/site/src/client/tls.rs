//! Whom a client trusts to be the hub, and how it tells that somebody is not.
//!
//! Certificates are always checked: against the machine's own roots, or against the roots of a
//! private CA alone.

use std::error::Error as StdError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{ClientBuilder, Url};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use super::Error;

const CONNECT_SECONDS_MAX: u64 = 5;

/// Who may say that a server is the hub.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The CAs that this machine trusts.
    #[default]
    System,
    /// These, and no other.
    Private(Vec<CertificateDer<'static>>),
}

impl Trust {
    /// The CAs of a file in PEM.
    ///
    /// # Errors
    /// When it cannot be read, or holds no certificate.
    pub fn in_file(path: &Path) -> Result<Self, Error> {
        let unusable = |why: String| Error::Trust { path: path.to_owned(), why };
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
        let found: Vec<_> = read.map_err(|error| unusable(error.to_string()))?;
        if found.is_empty() {
            return Err(unusable("it holds no certificate".to_owned()));
        }
        Ok(Self::Private(found))
    }

    /// How connections to a server of this trust begin.
    fn configuration(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn rustls::client::danger::ServerCertVerifier> = match self {
            Self::System => {
                let verifier = Verifier::new(Arc::clone(&provider));
                Arc::new(verifier.map_err(|error| Error::Tls(error.to_string()))?)
            }
            Self::Private(roots) => {
                let mut store = RootCertStore::empty();
                for root in roots {
                    store.add(root.clone()).map_err(|error| Error::Tls(error.to_string()))?;
                }
                let verifier = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(store),
                    Arc::clone(&provider),
                );
                verifier.build().map_err(|error| Error::Tls(error.to_string()))?
            }
        };
        let versions = protocol_versions(provider)?;
        // Nothing dangerous in it: both verifiers check chain and name.
        Ok(versions.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
    }
}

fn protocol_versions(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Tls(error.to_string()))
}

/// How a client of the server at `url` begins; over plain HTTP no root is looked for.
///
/// # Errors
/// When the machine's own roots cannot be read.
pub fn builder(url: &Url, trust: &Trust) -> Result<ClientBuilder, Error> {
    let tls = match url.scheme() {
        "https" => trust.configuration()?,
        _ => protocol_versions(Arc::new(ring::default_provider()))?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth(),
    };
    Ok(reqwest::Client::builder()
        .user_agent(concat!("usine/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .tls_backend_preconfigured(tls))
}

/// Why the server was not taken for the hub, if that is what came between.
pub fn distrust(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = within(error) {
            return Some(told(error));
        }
        cause = error.source();
    }
    None
}

/// The error of TLS that `error` is, or wraps as one of input and output.
fn within<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    match error.downcast_ref::<io::Error>() {
        Some(wrapped) => within(wrapped.get_ref()?),
        None => error.downcast_ref(),
    }
}

fn told(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(fault) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => {
                "what answers there does not speak TLS; does the address begin with http://?"
                    .to_owned()
            }
            other => other.to_string(),
        };
    };
    match fault {
        CertificateError::UnknownIssuer => "its certificate comes from an issuer that is not \
            trusted here; if the hub has a CA of its own, name the file with that CA's certificate"
            .to_owned(),
        CertificateError::NotValidForName => {
            "its certificate is for another name than the one in the address".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "its certificate is for {}, not for {}",
            presented.join(", "),
            expected.to_str()
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        other => format!("its certificate is not valid: {other}"),
    }
}
