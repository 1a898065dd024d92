//! Providers of OpenID Connect, by which people sign in.

use std::path::PathBuf;

use ::site::client::tls::Trust as Roots;
use anyhow::{Context, Result};
use app::Secret;
use app::identity::provided::Trust;
use serde::{Deserialize, Serialize};
use web::{ClaimNames, ProviderSettings};

use crate::exit::{Failure, Told};

/// A provider. Its secret stands in a file or in the environment, never here.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oidc {
    /// Its name in addresses and on record, such as `myaccessid`.
    pub(crate) name: String,
    /// What the button says after "Sign in with"; the name when not set.
    pub(crate) label: Option<String>,
    /// Its address, exactly as it names itself.
    pub(crate) issuer: String,
    /// What it calls this hub.
    pub(crate) client_id: String,
    /// A file with the secret it gave this hub; without one the hub is a public client.
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The variable with the secret, instead of a file.
    pub(crate) client_secret_variable: Option<String>,
    /// What it is asked for besides `openid`.
    #[serde(default = "scopes")]
    pub(crate) scopes: Vec<String>,
    /// The CAs that may vouch for it (PEM), instead of those of this machine.
    pub(crate) ca: Option<PathBuf>,
    /// Whether an address that it has verified opens the account with that address.
    #[serde(default)]
    pub(crate) trust_addresses: bool,
    /// Whether somebody new gets an account.
    #[serde(default = "yes")]
    pub(crate) newcomers: bool,
    /// Assurance of which it must state one; none is asked for when empty.
    #[serde(default)]
    pub(crate) assurance: Vec<String>,
    /// Which of its claims mean what.
    #[serde(default)]
    pub(crate) claims: Claims,
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

const fn yes() -> bool {
    true
}

/// Which claims mean what.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Claims {
    /// How the person is called.
    name: String,
    /// Their address.
    email: String,
    /// Whether that address is verified.
    email_verified: String,
    /// Their name in the community behind the provider.
    community_id: String,
    /// The domain of the organisation they come from.
    home_organisation: String,
    /// What they are there; every claim named here is read.
    affiliations: Vec<String>,
    /// How well it is known who they are.
    assurance: String,
}

impl Default for Claims {
    fn default() -> Self {
        let usual = ClaimNames::default();
        Self {
            name: usual.name,
            email: usual.email,
            email_verified: usual.email_verified,
            community_id: usual.community_id,
            home_organisation: usual.home_organisation,
            affiliations: usual.affiliations,
            assurance: usual.assurance,
        }
    }
}

impl Oidc {
    /// The provider as the web face takes it, its secret read.
    pub(crate) fn settings(&self) -> Result<ProviderSettings> {
        let invalid = |what: String| {
            let message = format!("the OpenID provider {}: {what}", self.name);
            Told::new(Failure::Invalid, message)
        };
        let name = self.name.parse().map_err(|error| invalid(format!("{error}")))?;
        let roots = self.ca.as_deref().map_or(Ok(Roots::System), Roots::in_file);
        let claims = self.claims.clone();
        Ok(ProviderSettings {
            name,
            label: self.label.clone().unwrap_or_else(|| self.name.clone()),
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret: self.secret()?,
            scopes: self.scopes.clone(),
            claims: ClaimNames {
                name: claims.name,
                email: claims.email,
                email_verified: claims.email_verified,
                community_id: claims.community_id,
                home_organisation: claims.home_organisation,
                affiliations: claims.affiliations,
                assurance: claims.assurance,
            },
            trust: Trust {
                addresses: self.trust_addresses,
                newcomers: self.newcomers,
                assurance: self.assurance.clone(),
            },
            roots: roots.map_err(|error| invalid(error.to_string()))?,
        })
    }

    fn secret(&self) -> Result<Option<Secret>> {
        let text = match (&self.client_secret_file, &self.client_secret_variable) {
            (Some(file), _) => std::fs::read_to_string(file).with_context(|| {
                format!("cannot read the secret of the OpenID provider in {}", file.display())
            })?,
            (None, Some(variable)) => std::env::var(variable).with_context(|| {
                format!("the secret of the OpenID provider is not in the variable {variable}")
            })?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Secret::presented(text.trim())))
    }
}
