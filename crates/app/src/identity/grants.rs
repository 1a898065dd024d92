//! Roles given and taken.

use store::{
    Tx,
    identity::{
        grants::{self, GrantRecord},
        people,
    },
};
use units::{PersonId, Timestamp};

use crate::notices::{Notice, PersonNews};
use crate::{Action, Actor, App, Error, Grant, Role, Scope, Secret, audit::Entry};

/// A grant and its holder, as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldGrant {
    /// Who holds it.
    pub person: PersonId,
    /// What and where.
    pub grant: Grant,
    /// Who gave it.
    pub granted_by: String,
    /// When.
    pub granted_at: Timestamp,
}

impl App {
    /// Gives a role of the federation or of a factory. Roles of organisations and projects are
    /// given there.
    ///
    /// # Errors
    /// When the actor may not, the person is unknown, or role and scope do not fit.
    pub async fn give_role(
        &self,
        actor: &Actor,
        person: PersonId,
        grant: Grant,
    ) -> Result<HeldGrant, Error> {
        actor.may(Action::GrantRoles, &[])?;
        fits(&grant)?;
        let tx = self.store().write().await?;
        if people::by_id(&tx, person).await?.is_none() {
            return Err(Error::invalid("person", "there is no account with this id"));
        }
        let held = self.grant(&tx, actor, person, grant).await?;
        tx.commit().await?;
        Ok(held)
    }

    /// Takes a role away. The federation keeps at least one administrator.
    ///
    /// # Errors
    /// When the actor may not, or the role is not held.
    pub async fn take_role(
        &self,
        actor: &Actor,
        person: PersonId,
        grant: &Grant,
    ) -> Result<(), Error> {
        actor.may(Action::GrantRoles, &[])?;
        fits(grant)?;
        let tx = self.store().write().await?;
        let scope = grant.scope.to_string();
        let last = grant.role == Role::Administrator
            && grants::count(&tx, grant.role.name(), &scope).await? <= 1;
        if last {
            return Err(Error::refused(
                "federation.administrator",
                "this is the last administrator; give the role to somebody else first",
            ));
        }
        self.withdraw(&tx, actor, person, grant).await?;
        Ok(tx.commit().await?)
    }

    /// Every grant in `scope`, oldest first.
    ///
    /// # Errors
    /// When the actor may not see them.
    pub async fn grants_in(&self, actor: &Actor, scope: &Scope) -> Result<Vec<HeldGrant>, Error> {
        actor.may(Action::GrantRoles, &[])?;
        let tx = self.store().read().await?;
        let records = grants::in_scope(&tx, &scope.to_string()).await?;
        records.into_iter().map(held).collect()
    }

    /// Makes the first administrator and a sign-in link for them, unless there is one already.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn first_administrator(&self, email: &str) -> Result<Option<Secret>, Error> {
        let tx = self.store().write().await?;
        let role = Role::Administrator;
        if grants::count(&tx, role.name(), &Scope::Federation.to_string()).await? > 0 {
            return Ok(None);
        }
        let person = people::Person {
            id: PersonId::from_uuid(self.clock().mint()),
            email: email.to_lowercase(),
            name: "Administrator".to_owned(),
            password: None,
            created_at: self.now(),
            disabled_at: None,
        };
        people::insert(&tx, &person).await?;
        let grant = Grant { role, scope: Scope::Federation };
        self.record_grant(&tx, &Actor::system(), person.id, &grant).await?;
        tx.commit().await?;
        self.sign_in_link(person.id).await.map(Some)
    }

    /// Gives a role within the caller's transaction and permission, and tells whoever has it now.
    pub(crate) async fn grant(
        &self,
        tx: &Tx,
        actor: &Actor,
        person: PersonId,
        grant: Grant,
    ) -> Result<HeldGrant, Error> {
        let (record, fresh) = self.record_grant(tx, actor, person, &grant).await?;
        if fresh {
            let news = PersonNews::RoleGiven(grant.role, self.place_of(tx, &grant.scope).await?);
            self.tell(tx, actor, &Notice::Person(person, news)).await?;
        }
        held(record)
    }

    /// Writes a grant and its audit line; whether it was not held before.
    async fn record_grant(
        &self,
        tx: &Tx,
        actor: &Actor,
        person: PersonId,
        grant: &Grant,
    ) -> Result<(GrantRecord, bool), Error> {
        let record = GrantRecord {
            person,
            role: grant.role.name().to_owned(),
            scope: grant.scope.to_string(),
            granted_by: actor.subject().to_string(),
            granted_at: self.now(),
        };
        let fresh = grants::insert(tx, &record).await?;
        let entry = Entry {
            action: "role.give",
            object: &format!("person:{person}"),
            rule: "GrantRoles",
            detail: &format!("{} in {}", grant.role, grant.scope),
        };
        self.audit(tx, actor, entry).await?;
        Ok((record, fresh))
    }

    /// Removes a grant and writes its audit line, within the caller's transaction and permission.
    pub(crate) async fn withdraw(
        &self,
        tx: &Tx,
        actor: &Actor,
        person: PersonId,
        grant: &Grant,
    ) -> Result<(), Error> {
        let scope = grant.scope.to_string();
        if !grants::delete(tx, person, grant.role.name(), &scope).await? {
            return Err(Error::NotFound("grant"));
        }
        let entry = Entry {
            action: "role.take",
            object: &format!("person:{person}"),
            rule: "GrantRoles",
            detail: &format!("{} in {scope}", grant.role),
        };
        self.audit(tx, actor, entry).await?;
        let news = PersonNews::RoleTaken(grant.role, self.place_of(tx, &grant.scope).await?);
        self.tell(tx, actor, &Notice::Person(person, news)).await?;
        Ok(())
    }
}

/// Whether the role exists at that level.
fn fits(grant: &Grant) -> Result<(), Error> {
    let allowed = match (&grant.scope, grant.role) {
        (Scope::Federation, Role::Administrator | Role::ProgrammeOfficer | Role::Reviewer)
        | (Scope::Factory(_), Role::SiteOperator) => true,
        (Scope::Federation | Scope::Factory(_), _) => false,
        (Scope::Organisation(_) | Scope::Project(_), _) => {
            return Err(Error::invalid(
                "scope",
                "roles of organisations and projects are given on their own members pages",
            ));
        }
    };
    if allowed {
        return Ok(());
    }
    Err(Error::invalid(
        "role",
        "the federation has administrator, programme-officer and reviewer; a factory site-operator",
    ))
}

fn held(record: GrantRecord) -> Result<HeldGrant, Error> {
    let (person, granted_by, granted_at) =
        (record.person, record.granted_by.clone(), record.granted_at);
    Ok(HeldGrant { person, grant: parsed(record)?, granted_by, granted_at })
}

/// A stored grant in words of the hub.
pub(super) fn parsed(record: GrantRecord) -> Result<Grant, Error> {
    let damaged = |what: String| Error::Internal(format!("stored grant: {what}"));
    Ok(Grant {
        role: record.role.parse().map_err(|error| damaged(format!("{error}")))?,
        scope: record.scope.parse().map_err(|error| damaged(format!("{error}")))?,
    })
}
