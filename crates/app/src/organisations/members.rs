//! Who belongs to an organisation or a project: roles in its scope.

use store::Tx;
use store::identity::{grants, people};
use units::{OrganisationId, PersonId, Timestamp};

use crate::{Action, Actor, App, Error, Grant, Role, Scope};

/// Somebody who holds a role in an organisation or a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub person: PersonId,
    /// How they are called.
    pub name: String,
    /// The address they sign in with.
    pub email: String,
    /// What they are there.
    pub role: Role,
    /// Since when.
    pub since: Timestamp,
}

impl App {
    /// The members of an organisation, oldest first.
    ///
    /// # Errors
    /// When there is no organisation that the actor may see.
    pub async fn organisation_members(
        &self,
        actor: &Actor,
        id: OrganisationId,
    ) -> Result<Vec<Member>, Error> {
        let tx = self.store().read().await?;
        self.organisation_for(&tx, actor, (Action::ViewOrganisation, id)).await?;
        self.members_in(&tx, &Scope::Organisation(id)).await
    }

    /// Makes the person with this address a member of an organisation. A representative speaks for
    /// it; a user may work in all of its projects.
    ///
    /// # Errors
    /// When the actor may not, or the role or the person does not fit.
    pub async fn add_organisation_member(
        &self,
        actor: &Actor,
        id: OrganisationId,
        (email, role): (&str, Role),
    ) -> Result<Member, Error> {
        let tx = self.store().write().await?;
        self.organisation_for(&tx, actor, (Action::ManageOrganisation, id)).await?;
        fits(role, &[Role::OrganisationRepresentative, Role::User])?;
        let member = self.enrol(&tx, actor, email, (role, Scope::Organisation(id))).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// Gives the person with this address a role in `scope`, within the caller's permission.
    pub(crate) async fn enrol(
        &self,
        tx: &Tx,
        actor: &Actor,
        email: &str,
        (role, scope): (Role, Scope),
    ) -> Result<Member, Error> {
        let found = people::by_email(tx, &email.trim().to_lowercase()).await?;
        let Some(person) = found.filter(|person| person.disabled_at.is_none()) else {
            let text = "nobody has an account with this address; they make one first";
            return Err(Error::invalid("email", text));
        };
        let held = self.grant(tx, actor, person.id, Grant { role, scope }).await?;
        Ok(Member {
            person: person.id,
            name: person.name,
            email: person.email,
            role,
            since: held.granted_at,
        })
    }

    /// Everybody who holds a role in `scope`, oldest first.
    pub(crate) async fn members_in(&self, tx: &Tx, scope: &Scope) -> Result<Vec<Member>, Error> {
        let mut members = Vec::new();
        for record in grants::in_scope(tx, &scope.to_string()).await? {
            let role = record.role.parse().map_err(|error| {
                Error::Internal(format!("stored role of {}: {error}", record.person))
            })?;
            let Some(person) = people::by_id(tx, record.person).await? else { continue };
            members.push(Member {
                person: person.id,
                name: person.name,
                email: person.email,
                role,
                since: record.granted_at,
            });
        }
        Ok(members)
    }
}

/// Whether `role` is one of those that exist here.
pub(crate) fn fits(role: Role, allowed: &[Role]) -> Result<(), Error> {
    if allowed.contains(&role) {
        return Ok(());
    }
    let names: Vec<&str> = allowed.iter().map(|role| role.name()).collect();
    Err(Error::invalid("role", format!("one of {} is expected", names.join(", "))))
}
