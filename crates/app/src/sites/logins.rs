//! Logins at sites where jobs run as persons: whoever has none is told so before a job is taken, and
//! the site's operator hears of it.

use site::protocol::login_digest;
use store::Tx;
use store::identity::people;
use store::sites::Site;
use store::sites::logins::{self, LoginRequest};
use units::{PersonId, Slug};

use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

impl App {
    /// Who wants to run jobs at a site and has no login there, the longest first.
    ///
    /// # Errors
    /// When there is no such site, or the actor may not manage it.
    pub async fn login_requests(
        &self,
        actor: &Actor,
        site: &Slug,
    ) -> Result<Vec<LoginRequest>, Error> {
        let settings = self.site_for(actor, Action::ManageSite, site)?;
        let tx = self.store().read().await?;
        Ok(logins::requests(&tx, &settings.name).await?)
    }

    /// Why a person cannot run jobs at a site, if jobs run as persons there and they have no login.
    pub(crate) async fn missing_login(
        &self,
        tx: &Tx,
        site: Option<&Site>,
        person: PersonId,
    ) -> Result<Option<String>, Error> {
        let Some(site) = site.filter(|site| site.as_persons) else { return Ok(None) };
        let has_login = logins::has(tx, &site.name, &self.digest_of(tx, person).await?).await?;
        Ok((!has_login).then(|| {
            format!("jobs run as persons at the site {}, and you have no login there", site.name)
        }))
    }

    /// Lets the site's operator know that somebody wants to run jobs and has no login.
    pub(crate) async fn ask_for_login(&self, actor: &Actor, site: &Slug) -> Result<(), Error> {
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let digest = self.digest_of(&tx, person).await?;
        if logins::ask(&tx, site, (person, &digest), self.now()).await? {
            let entry = Entry {
                action: "site.login-asked",
                object: &format!("site:{site}"),
                rule: "SubmitJob",
                detail: "a job could not be taken, for the person has no login there",
            };
            self.audit(&tx, actor, entry).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn digest_of(&self, tx: &Tx, person: PersonId) -> Result<String, Error> {
        let known = people::by_id(tx, person).await?.ok_or(Error::NotFound("person"))?;
        Ok(login_digest(&known.email))
    }
}
