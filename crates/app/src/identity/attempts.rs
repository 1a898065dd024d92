//! A sign-in on its way to a provider and back: bound to the browser that began it, good once, for
//! ten minutes.
//!
//! The browser keeps a secret; the hub keeps a hash of it and of the `state` that the provider
//! hands back. The nonce and the verifier of PKCE follow from both, so the records of the hub alone
//! are of no use to whoever reads them.

use jiff::SignedDuration;
use store::identity::attempts;
use units::{PersonId, Slug, Timestamp};

use crate::{App, Error, Secret};

/// How long somebody may take to sign in at their provider.
const LASTS: SignedDuration = SignedDuration::from_mins(10);
/// The longest path that is remembered.
const DESTINATION_BYTES_MAX: usize = 1_000;

/// A sign-in that has begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What the browser keeps.
    pub browser: Secret,
    /// What the provider hands back.
    pub state: Secret,
    /// When it is too late to come back.
    pub expires_at: Timestamp,
}

/// A sign-in that has come back to the browser that began it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The provider's name.
    pub provider: Slug,
    /// Who was signed in already, and adds an identity.
    pub person: Option<PersonId>,
    /// Where to go afterwards, within the portal.
    pub destination: String,
    /// What the provider must repeat in its token.
    pub nonce: Secret,
    /// The verifier of PKCE.
    pub verifier: Secret,
}

impl Begun {
    /// What the provider must repeat in its token.
    pub fn nonce(&self) -> Secret {
        nonce(&self.browser, &self.state)
    }

    /// The verifier of PKCE, whose hash the provider gets.
    pub fn verifier(&self) -> Secret {
        verifier(&self.browser, &self.state)
    }
}

fn nonce(browser: &Secret, state: &Secret) -> Secret {
    derived("usine 2026 sign-in nonce", browser, state)
}

/// 64 characters, as RFC 7636 asks for 43 to 128.
fn verifier(browser: &Secret, state: &Secret) -> Secret {
    derived("usine 2026 sign-in verifier", browser, state)
}

fn derived(context: &str, browser: &Secret, state: &Secret) -> Secret {
    let material = format!("{} {}", browser.reveal(), state.reveal());
    Secret::presented(hex::encode(blake3::derive_key(context, material.as_bytes())))
}

/// What the hub keeps.
fn kept(browser: &Secret, state: &Secret) -> String {
    derived("usine 2026 sign-in attempt", browser, state).hash()
}

impl App {
    /// Begins a sign-in at `provider`; `person` is who adds an identity to their account.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_attempt(
        &self,
        provider: &Slug,
        person: Option<PersonId>,
        destination: &str,
    ) -> Result<Begun, Error> {
        let (browser, state) = (Secret::random("usine_attempt")?, Secret::random("usine_state")?);
        let expires_at = self.now().saturating_add(LASTS).unwrap_or(Timestamp::MAX);
        let short = destination.len() <= DESTINATION_BYTES_MAX;
        let attempt = attempts::Attempt {
            provider: provider.to_string(),
            person,
            destination: if short { destination } else { "/" }.to_owned(),
            expires_at,
        };
        let tx = self.store().write().await?;
        attempts::insert(&tx, &kept(&browser, &state), &attempt, self.now()).await?;
        tx.commit().await?;
        Ok(Begun { browser, state, expires_at })
    }

    /// Takes back the attempt that this browser began; it cannot come back again.
    ///
    /// # Errors
    /// `sign-in.expired` when this browser began none with this state, or too long ago.
    pub async fn end_attempt(&self, browser: &Secret, state: &Secret) -> Result<Attempt, Error> {
        let tx = self.store().write().await?;
        let found = attempts::take(&tx, &kept(browser, state)).await?;
        tx.commit().await?;
        let Some(found) = found.filter(|found| found.expires_at > self.now()) else {
            let text = "this sign-in has expired, was used already, or was begun in another \
                        browser; begin again";
            return Err(Error::refused("sign-in.expired", text));
        };
        let provider = found.provider.parse();
        Ok(Attempt {
            provider: provider.map_err(|error| Error::Internal(format!("provider: {error}")))?,
            person: found.person,
            destination: found.destination,
            nonce: nonce(browser, state),
            verifier: verifier(browser, state),
        })
    }
}
