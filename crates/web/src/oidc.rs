//! Sign-in by OpenID Connect: the providers of this hub, and the code flow with PKCE at them.
//!
//! Not here: whose an identity is (`app::identity::provided`), and the pages (`portal::provider`).

mod claims;
mod exchange;
mod http;

use std::sync::Arc;
use std::time::Instant;

use app::Secret;
use app::identity::provided::Trust;
use openidconnect::core::CoreProviderMetadata;
use openidconnect::{ClientId, ClientSecret, IssuerUrl, RedirectUrl, Scope};
use site::client::tls;
use tokio::sync::Mutex;
use units::Slug;

pub use claims::ClaimNames;
pub(crate) use exchange::{Fault, Returned};

/// Where people go to sign in at a provider; its name follows.
pub(crate) const WAY_OUT: &str = "/sign-in/with/";
/// Where providers send people back to; the provider's name follows.
pub(crate) const WAY_BACK: &str = "/sign-in/back/";

/// A provider as the operator chose it.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// Its name in addresses and on record.
    pub name: Slug,
    /// What people call it.
    pub label: String,
    /// Its address, as it stands in its tokens.
    pub issuer: String,
    /// What it calls this hub.
    pub client_id: String,
    /// What this hub proves that by; none for a public client.
    pub client_secret: Option<Secret>,
    /// What it is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Which of its claims mean what.
    pub claims: ClaimNames,
    /// How far it is trusted.
    pub trust: Trust,
    /// Who may vouch for its certificate.
    pub roots: tls::Trust,
}

/// Why a provider cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Two have one name.
    #[error("two OpenID providers are called {0}")]
    Twice(Slug),
    /// An address is none, or is not safe to use.
    #[error("{field} of the OpenID provider {name} is not usable: {why}")]
    Address {
        /// Which provider.
        name: Slug,
        /// Which address.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// No client of HTTP could be made.
    #[error("no connection to the OpenID provider {0} can be made: {1}")]
    Client(Slug, String),
}

/// The providers of a hub, in the order of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Providers(Arc<[Provider]>);

/// A provider and what it last told of itself.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) name: Slug,
    pub(crate) label: String,
    pub(crate) trust: Trust,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    scopes: Vec<Scope>,
    claims: ClaimNames,
    redirect: RedirectUrl,
    http: reqwest::Client,
    told: Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl Providers {
    /// Providers of a hub that people reach at `public_url`. None of them is asked for anything yet,
    /// so that a hub starts while they are away.
    ///
    /// # Errors
    /// When two have one name, or an address cannot be used.
    pub fn new(public_url: &str, settings: Vec<ProviderSettings>) -> Result<Self, ProviderError> {
        let mut providers: Vec<Provider> = Vec::new();
        for settings in settings {
            if providers.iter().any(|other| other.name == settings.name) {
                return Err(ProviderError::Twice(settings.name));
            }
            providers.push(Provider::new(public_url, settings)?);
        }
        Ok(Self(providers.into()))
    }

    /// Every provider.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }

    /// The provider of this name.
    pub(crate) fn named(&self, name: &Slug) -> Option<&Provider> {
        self.iter().find(|provider| provider.name == *name)
    }

    /// What people call a provider; its name when it is no longer configured.
    pub(crate) fn label<'a>(&'a self, name: &'a str) -> &'a str {
        let found = self.iter().find(|provider| provider.name.as_str() == name);
        found.map_or(name, |provider| provider.label.as_str())
    }
}

impl Provider {
    fn new(public_url: &str, settings: ProviderSettings) -> Result<Self, ProviderError> {
        let name = settings.name;
        let wrong = |field: &'static str, why: String| ProviderError::Address {
            name: name.clone(),
            field,
            why,
        };
        let issuer = IssuerUrl::new(settings.issuer.clone())
            .map_err(|error| wrong("issuer", error.to_string()))?;
        if !is_private(issuer.url()) {
            let why = "it must begin with https:// (http:// is for this machine alone)";
            return Err(wrong("issuer", why.to_owned()));
        }
        let back = format!("{public_url}{WAY_BACK}{name}");
        let redirect = RedirectUrl::new(back)
            .map_err(|error| wrong("the way back (public_url)", error.to_string()))?;
        let http = http::client(issuer.url(), &settings.roots)
            .map_err(|why| ProviderError::Client(name.clone(), why))?;
        let secret = settings.client_secret;
        Ok(Self {
            label: settings.label,
            trust: settings.trust,
            issuer,
            client_id: ClientId::new(settings.client_id),
            client_secret: secret.map(|secret| ClientSecret::new(secret.reveal().to_owned())),
            scopes: settings.scopes.into_iter().map(Scope::new).collect(),
            claims: settings.claims,
            redirect,
            http,
            told: Mutex::new(None),
            name,
        })
    }
}

/// Whether nobody on the way can read or change what is sent to this address.
fn is_private(url: &reqwest::Url) -> bool {
    let here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

#[cfg(test)]
mod tests;
