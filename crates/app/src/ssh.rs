//! Certificates for SSH: issued for an hour to people who may run jobs at a site, revocable while
//! they last.

use site::ssh::{Request, principal, user_key};
use store::identity::people;
use store::ssh as records;
use store::{Tx, allocations};
use units::{Slug, Timestamp};

use crate::audit::Entry;
use crate::jobs::SiteSettings;
use crate::{Action, Actor, App, Error, Scope};

pub use store::ssh::SshCertificate;

/// How long a certificate lasts: an hour, by the profile of the federation's SSH CA.
const LASTS_SECONDS: i64 = 3_600;
/// The most certificates of one person that last at a time.
const AT_ONCE_MAX: usize = 50;

/// A certificate just issued.
#[derive(Clone, Debug)]
pub struct IssuedSsh {
    /// What was put on record.
    pub record: SshCertificate,
    /// The line that `ssh` reads.
    pub certificate: String,
    /// Whom it names.
    pub principal: String,
    /// The host to go to.
    pub host: String,
}

impl App {
    /// The line by which hosts trust this hub's certificates.
    ///
    /// # Errors
    /// When the key does not work.
    pub fn ssh_authority(&self, actor: &Actor) -> Result<String, Error> {
        actor.may(Action::ViewFederation, &[])?;
        self.parts.ssh.public().map_err(failed)
    }

    /// Certifies the key of somebody who may run jobs at a site, for an hour and for its hosts.
    ///
    /// # Errors
    /// When the site has no door, the actor has no login or no hours there, or the key is not one
    /// that is certified.
    pub async fn issue_ssh(
        &self,
        actor: &Actor,
        site: &Slug,
        key: &str,
    ) -> Result<IssuedSsh, Error> {
        actor.may(Action::OpenShell, &[])?;
        let person = actor.person_id()?;
        let key = user_key(key).map_err(|why| Error::invalid("public_key", why))?;
        let settings = self.settings_of(site).ok_or(Error::NotFound("site"))?;
        let host = settings.ssh_hosts.door().map(str::to_owned).ok_or_else(|| {
            Error::refused("site.ssh", format!("the site {site} has no host to log in to"))
        })?;
        let now = self.now();
        let tx = self.store().write().await?;
        let known = store::sites::by_name(&tx, site).await?;
        if let Some(missing) = self.missing_login(&tx, known.as_ref(), person).await? {
            drop(tx);
            self.ask_for_login(actor, site).await?;
            let text = format!("{missing}; its operator has been told that you want one");
            return Err(Error::refused("site.login", text));
        }
        self.may_work_at(&tx, actor, settings).await?;
        if records::of_person(&tx, person, now).await?.len() >= AT_ONCE_MAX {
            let text =
                format!("you have {AT_ONCE_MAX} certificates that still last; use one of them");
            return Err(Error::refused("ssh.at-once", text));
        }
        let known = people::by_id(&tx, person).await?.ok_or(Error::NotFound("person"))?;
        let principal = principal(site, &known.email);
        // The low half of an id made by time is random but for its two highest bits.
        let serial = self.clock().mint().as_u64_pair().1 & (u64::MAX >> 2);
        let until = later(now, LASTS_SECONDS);
        let asked = Request {
            key: &key,
            serial,
            name: &known.email,
            principal: &principal,
            hosts: &settings.ssh_hosts,
            from: now,
            until,
        };
        let certificate = self.parts.ssh.issue(&asked).map_err(failed)?;
        let mut plain = key.clone();
        plain.set_comment("");
        let record = SshCertificate {
            serial: i64::try_from(serial).unwrap_or(i64::MAX),
            person,
            site: site.clone(),
            key: plain.to_openssh().map_err(|error| Error::Internal(error.to_string()))?,
            issued_at: now,
            expires_at: until,
            revoked_at: None,
        };
        records::insert(&tx, &record).await?;
        let fingerprint = key.fingerprint(Default::default());
        let entry = Entry {
            action: "ssh.issue",
            object: &format!("ssh-certificate:{serial}"),
            rule: "OpenShell",
            detail: &format!("{principal}, key {fingerprint}, until {until:.0}"),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(IssuedSsh { record, certificate, principal, host })
    }

    /// The actor's certificates that still last, the newest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn ssh_certificates(&self, actor: &Actor) -> Result<Vec<SshCertificate>, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        Ok(records::of_person(&tx, actor.person_id()?, self.now()).await?)
    }

    /// Revokes a certificate: one's own, or as the operator of its site. Hosts hear of it when they
    /// fetch the list.
    ///
    /// # Errors
    /// When there is none that the actor may revoke, or it was revoked before.
    pub async fn revoke_ssh(&self, actor: &Actor, serial: i64) -> Result<(), Error> {
        actor.may(Action::OpenShell, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let found = records::by_serial(&tx, serial).await?;
        let operates = |certificate: &SshCertificate| {
            let site = self.settings_of(&certificate.site);
            site.is_some_and(|site| {
                actor.can(Action::ManageSite, &[Scope::Factory(site.factory.clone())])
            })
        };
        let found = found.filter(|it| it.person == person || operates(it));
        if found.is_none() {
            return Err(Error::NotFound("certificate"));
        }
        if !records::revoke(&tx, serial, self.now()).await? {
            return Err(Error::Conflict("this certificate was revoked before".to_owned()));
        }
        let entry = Entry {
            action: "ssh.revoke",
            object: &format!("ssh-certificate:{serial}"),
            rule: "OpenShell",
            detail: "hosts refuse it once they have fetched the list",
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }

    /// The keys of certificates that were revoked and would still last, one a line, as `sshd` reads
    /// them (`RevokedKeys`).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn revoked_ssh(&self, actor: &Actor) -> Result<String, Error> {
        actor.may(Action::ViewFederation, &[])?;
        let tx = self.store().read().await?;
        let keys = records::revoked(&tx, self.now()).await?;
        Ok(keys.into_iter().map(|key| format!("{key}\n")).collect())
    }

    /// Demands that the actor works in a project with hours at a site.
    async fn may_work_at(&self, tx: &Tx, actor: &Actor, site: &SiteSettings) -> Result<(), Error> {
        let now = self.now();
        for grant in actor.grants() {
            let Scope::Project(project) = grant.scope else { continue };
            if !actor.can(Action::SubmitJob, std::slice::from_ref(&grant.scope)) {
                continue;
            }
            let found = allocations::of_project(tx, project).await?;
            let is_good = |it: &access::allocation::Allocation| {
                it.partition == site.partition && it.usable(now).is_ok()
            };
            if found.iter().any(is_good) {
                return Ok(());
            }
        }
        let text =
            format!("none of your projects has hours on {} that can be used now", site.partition);
        Err(Error::refused("ssh.allocation", text))
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

fn failed(error: site::ssh::AuthorityError) -> Error {
    Error::Internal(error.to_string())
}

#[cfg(test)]
mod tests;
