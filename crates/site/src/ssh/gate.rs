//! Whether a certificate lets its holder in as a login of this site: what `sshd` asks by
//! `AuthorizedPrincipalsCommand`.

use ssh_key::Certificate;
use ssh_key::certificate::CertType;
use units::Slug;

use super::{DOMAIN_GRANT, Hosts, principal};
use crate::agent::Logins;

/// What decides at one host.
#[derive(Clone, Debug)]
pub struct Gate<'a> {
    /// The site.
    pub site: &'a Slug,
    /// Who has which login there.
    pub logins: &'a Logins,
    /// The names of this host. A certificate that is meant for none of them is of no use here.
    pub names: &'a [String],
}

/// Why a certificate lets nobody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no certificate of a user.
    #[error("this is no certificate of a user: {0}")]
    NoCertificate(String),
    /// It does not say for which hosts it is meant, or not so that it could be read.
    #[error("the certificate {0} does not say for which hosts it is meant")]
    NoGrant(u64),
    /// It is meant for other hosts.
    #[error("the certificate {serial} is meant for {hosts}, and this host is {here}")]
    Elsewhere {
        /// Its number.
        serial: u64,
        /// For which.
        hosts: Hosts,
        /// The names of this one.
        here: String,
    },
    /// Nobody at the hub has that login here.
    #[error("nobody has the login {0} at this site")]
    NobodyHas(String),
}

impl Gate<'_> {
    /// The principals that may become `login` here, given the certificate that somebody shows:
    /// `sshd` lets them in if it names one of these. Signature, time and revocation it has checked
    /// before.
    ///
    /// # Errors
    /// With the reason when none may; then nothing must be printed.
    pub fn principals(&self, login: &str, certificate: &str) -> Result<Vec<String>, Refusal> {
        let shown = read(certificate)?;
        let serial = shown.serial();
        let granted = shown.extensions().iter().find(|(name, _)| name.as_str() == DOMAIN_GRANT);
        let hosts = granted
            .and_then(|(_, value)| Hosts::from_json(value))
            .ok_or(Refusal::NoGrant(serial))?;
        if !self.names.iter().any(|name| hosts.cover(name)) {
            return Err(Refusal::Elsewhere { serial, hosts, here: self.names.join(", ") });
        }
        let has = |(_, of): &(&String, &String)| of.as_str() == login;
        let found = self.logins.by_email.iter().filter(has);
        let found: Vec<String> = found.map(|(email, _)| principal(self.site, email)).collect();
        if found.is_empty() {
            return Err(Refusal::NobodyHas(login.to_owned()));
        }
        Ok(found)
    }
}

/// The addresses, in small letters, of those whom a certificate names at `site`.
///
/// # Errors
/// When it is no certificate of a user.
pub fn addresses(site: &Slug, certificate: &str) -> Result<Vec<String>, Refusal> {
    let all_here = principal(site, "");
    let shown = read(certificate)?;
    let named = shown.valid_principals().iter();
    Ok(named.filter_map(|named| Some(named.strip_prefix(&all_here)?.to_lowercase())).collect())
}

/// Reads a certificate as `sshd` hands it over (`%k`): Base64 alone, or a whole line.
fn read(text: &str) -> Result<Certificate, Refusal> {
    const ALGORITHM: &str = "ssh-ed25519-cert-v01@openssh.com";
    let text = text.trim();
    let line = if text.contains(' ') { text.to_owned() } else { format!("{ALGORITHM} {text}") };
    let certificate = Certificate::from_openssh(&line)
        .map_err(|error| Refusal::NoCertificate(error.to_string()))?;
    match certificate.cert_type() {
        CertType::User => Ok(certificate),
        CertType::Host => Err(Refusal::NoCertificate("it is one of a host".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Authority, Request, user_key};
    use super::*;
    use proptest::prelude::*;
    use units::Timestamp;

    fn certificate(hosts: &[&str]) -> String {
        let authority = Authority::of_seed(&[1; 32]).unwrap();
        let key = user_key(&Authority::of_seed(&[2; 32]).unwrap().public().unwrap()).unwrap();
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let request = Request {
            key: &key,
            serial: 7,
            name: "ada@example.org",
            principal: "here:ada@example.org",
            hosts: &hosts.try_into().unwrap(),
            from: Timestamp::from_second(1_000_000).unwrap(),
            until: Timestamp::from_second(1_003_600).unwrap(),
        };
        authority.issue(&request).unwrap()
    }

    fn asked(login: &str, certificate: &str) -> Result<Vec<String>, Refusal> {
        let by_email = [("ada@example.org", "ada"), ("a.l@example.org", "ada"), ("b@x.eu", "ben")];
        let by_email = by_email.map(|(email, login)| (email.to_owned(), login.to_owned()));
        let logins = Logins { by_email: by_email.into(), ..Logins::default() };
        let names = ["login.site.eu".to_owned(), "l1.site.eu".to_owned()];
        let site = "here".parse().unwrap();
        Gate { site: &site, logins: &logins, names: &names }.principals(login, certificate)
    }

    #[test]
    fn a_certificate_for_this_host_lets_in_whoever_has_the_login() {
        let line = certificate(&["*.site.eu"]);
        let principals = ["here:a.l@example.org", "here:ada@example.org"];
        assert_eq!(asked("ada", &line).unwrap(), principals);
        let alone = line.split(' ').nth(1).unwrap();
        assert_eq!(asked("ada", alone).unwrap(), principals, "as sshd hands it over");
        assert_eq!(asked("root", &line), Err(Refusal::NobodyHas("root".to_owned())));
    }

    #[test]
    fn whatever_is_meant_for_others_or_is_none_lets_nobody_in() {
        let elsewhere = asked("ada", &certificate(&["login.other.eu"]));
        assert!(matches!(elsewhere, Err(Refusal::Elsewhere { serial: 7, .. })));
        assert!(matches!(asked("ada", &certificate(&[])), Err(Refusal::Elsewhere { .. })));
        let plain = Authority::of_seed(&[2; 32]).unwrap().public().unwrap();
        for bad in ["", "AAAA", plain.as_str()] {
            assert!(matches!(asked("ada", bad), Err(Refusal::NoCertificate(_))), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail_otherwise(text in ".{0,200}") {
            prop_assert!(asked("ada", &text).is_err());
        }
    }
}
