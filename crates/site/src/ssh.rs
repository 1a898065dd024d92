//! Certificates for SSH that last an hour, by the profile of the federation's SSH CA: Ed25519, one
//! principal, and an extension that names the hosts for which the certificate is meant.
//!
//! The hub signs ([`Authority`]); a site's `sshd` checks signature, time and revocation itself
//! (`TrustedUserCAKeys`, `RevokedKeys`) and asks the agent's program for the rest ([`Gate`]), for it
//! ignores an extension that it does not know.
//!
//! Source of the profile: the federation's integration documents on its SSH CA, and the
//! specification of `ssh-domain-grant` there.

mod authority;
mod gate;
mod grant;

pub use authority::{Authority, AuthorityError, Request, user_key};
pub use gate::{Gate, Refusal, addresses};
pub use grant::{Hosts, NotHosts};

use units::Slug;

/// The extension that names the hosts for which a certificate is meant: an SSH string that holds a
/// compact JSON array of patterns.
pub const DOMAIN_GRANT: &str = "ssh-domain-grant@core.aai.geant.org";

/// Whom a certificate names: a person at one site. Another site does not take it.
pub fn principal(site: &Slug, email: &str) -> String {
    format!("{site}:{}", email.to_lowercase())
}
