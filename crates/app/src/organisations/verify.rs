//! Verification: who verified what of an organisation, against which evidence, and when.

use access::organisation::Verified;
use store::organisations as records;
use units::OrganisationId;

use crate::audit::Entry;
use crate::notices::{Notice, OrganisationNews, house_of};
use crate::{Action, Actor, App, Error, Grant, Scope};

pub use store::organisations::Verification;

/// The longest description of evidence, in characters.
const EVIDENCE_LENGTH_MAX: usize = 2_000;

impl App {
    /// Puts on record that the actor has verified something of an organisation. What is verified of
    /// its size is verified of its newest declaration.
    ///
    /// # Errors
    /// When the actor may not or belongs to the organisation, there is nothing to verify, or the
    /// evidence is not described.
    pub async fn verify_organisation(
        &self,
        actor: &Actor,
        id: OrganisationId,
        (subject, evidence): (Verified, &str),
    ) -> Result<Verification, Error> {
        let tx = self.store().write().await?;
        let organisation =
            self.organisation_for(&tx, actor, (Action::VerifyOrganisation, id)).await?;
        let verified_by = actor.person_id()?;
        if self.belongs_to(&tx, actor, id).await? {
            let text = "you belong to this organisation; somebody else verifies it";
            return Err(Error::refused("organisation.four-eyes", text));
        }
        let evidence = evidence.trim().to_owned();
        if evidence.is_empty() || evidence.chars().count() > EVIDENCE_LENGTH_MAX {
            let text = format!("say in 1 to {EVIDENCE_LENGTH_MAX} characters what was looked at");
            return Err(Error::invalid("evidence", text));
        }
        let declaration = records::latest_declaration(&tx, id).await?.map(|it| it.id);
        if subject.is_declared() && declaration.is_none() {
            return Err(Error::invalid("subject", "nothing was declared yet"));
        }
        let person = store::identity::people::by_id(&tx, verified_by).await?;
        let verification = Verification {
            id: self.clock().mint(),
            organisation: id,
            subject,
            declaration: declaration.filter(|_| subject.is_declared()),
            evidence,
            verified_by,
            verified_at: self.now(),
            name: person.map(|person| person.name).unwrap_or_default(),
        };
        records::verify(&tx, &verification).await?;
        let entry = Entry {
            action: "organisation.verify",
            object: &format!("organisation:{id}"),
            rule: "VerifyOrganisation",
            detail: &format!("{subject}: {}", verification.evidence),
        };
        self.audit(&tx, actor, entry).await?;
        let news = OrganisationNews::Verified { subject: subject.to_string() };
        self.tell(&tx, actor, &Notice::Organisation(house_of(&organisation), news)).await?;
        tx.commit().await?;
        Ok(verification)
    }

    /// What was verified of an organisation, newest first.
    ///
    /// # Errors
    /// When there is no organisation that the actor may see.
    pub async fn verifications(
        &self,
        actor: &Actor,
        id: OrganisationId,
    ) -> Result<Vec<Verification>, Error> {
        let tx = self.store().read().await?;
        self.organisation_for(&tx, actor, (Action::ViewOrganisation, id)).await?;
        Ok(records::verifications(&tx, id).await?)
    }

    /// Whether the actor holds a role in the organisation or in one of its projects.
    pub(crate) async fn belongs_to(
        &self,
        tx: &store::Tx,
        actor: &Actor,
        id: OrganisationId,
    ) -> Result<bool, Error> {
        for Grant { scope, .. } in actor.grants() {
            match scope {
                Scope::Organisation(own) if *own == id => return Ok(true),
                Scope::Project(project) => {
                    let project = store::projects::by_id(tx, *project).await?;
                    if project.is_some_and(|project| project.organisation == id) {
                        return Ok(true);
                    }
                }
                _ => {}
            }
        }
        Ok(false)
    }
}
