//! Who acts, and what they hold.

use std::fmt;
use std::str::FromStr;

use units::{OrganisationId, PersonId, ProjectId, Slug};

use crate::{
    Error,
    permission::{Abilities, Action, Audience, Role},
};

/// Where a grant holds. The federation contains everything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everywhere.
    Federation,
    /// One factory: its systems, sites and the allocations on them.
    Factory(Slug),
    /// One organisation and its projects.
    Organisation(OrganisationId),
    /// One project.
    Project(ProjectId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Federation => f.write_str("federation"),
            Self::Factory(key) => write!(f, "factory:{key}"),
            Self::Organisation(id) => write!(f, "organisation:{id}"),
            Self::Project(id) => write!(f, "project:{id}"),
        }
    }
}

/// The text does not name a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: use federation, factory:KEY, organisation:ID or project:ID")]
pub struct NotAScope(String);

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(text: &str) -> Result<Self, NotAScope> {
        let unknown = || NotAScope(text.to_owned());
        match text.split_once(':') {
            None if text == "federation" => Ok(Self::Federation),
            Some(("factory", key)) => key.parse().map(Self::Factory).map_err(|_| unknown()),
            Some(("organisation", id)) => id.parse().map(Self::Organisation).map_err(|_| unknown()),
            Some(("project", id)) => id.parse().map(Self::Project).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

/// A role held somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// What.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

/// Whom the hub deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nobody in particular.
    Anonymous,
    /// A person with an account.
    Person(PersonId),
    /// The agent of a site.
    Site(Slug),
    /// The hub itself, for what policy makes it do.
    System,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Site(key) => write!(f, "site:{key}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Who acts, with what they hold and what their token is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    subject: Subject,
    grants: Vec<Grant>,
    abilities: Abilities,
}

impl Actor {
    /// Somebody who has not signed in.
    pub const fn anonymous() -> Self {
        Self { subject: Subject::Anonymous, grants: Vec::new(), abilities: Abilities::ALL }
    }

    /// The hub acting by policy. It is never made from a request.
    pub const fn system() -> Self {
        Self { subject: Subject::System, grants: Vec::new(), abilities: Abilities::ALL }
    }

    /// A person who has proved who they are.
    pub(crate) fn person(id: PersonId, grants: Vec<Grant>, abilities: Abilities) -> Self {
        Self { subject: Subject::Person(id), grants, abilities }
    }

    /// The agent of a site, by its token.
    pub(crate) fn site(key: Slug) -> Self {
        Self { subject: Subject::Site(key), grants: Vec::new(), abilities: Abilities::ALL }
    }

    /// Whom the hub deals with.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What they hold.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// What their token is good for.
    pub const fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// The signed-in person.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] for anybody else.
    pub const fn person_id(&self) -> Result<PersonId, Error> {
        match &self.subject {
            Subject::Person(id) => Ok(*id),
            Subject::Anonymous | Subject::Site(_) | Subject::System => Err(Error::NotSignedIn),
        }
    }

    /// Whether the actor may do `action` to something that lies in all of `scopes`
    /// (a project, its organisation, the factory it runs on …; the federation is implied).
    pub fn can(&self, action: Action, scopes: &[Scope]) -> bool {
        if !self.abilities.cover(action) {
            return false;
        }
        match (action.audience(), &self.subject) {
            (_, Subject::System) | (Audience::Public, _) => true,
            (Audience::SignedIn, subject) => matches!(subject, Subject::Person(_)),
            (Audience::Site, subject) => matches!(subject, Subject::Site(_)),
            (Audience::Roles(roles), Subject::Person(_)) => self.grants.iter().any(|grant| {
                roles.contains(&grant.role)
                    && (grant.scope == Scope::Federation || scopes.contains(&grant.scope))
            }),
            (Audience::Roles(_), Subject::Anonymous | Subject::Site(_)) => false,
        }
    }

    /// Demands that the actor may do `action`.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] for a stranger without account, [`Error::Forbidden`] otherwise.
    pub fn may(&self, action: Action, scopes: &[Scope]) -> Result<(), Error> {
        if self.can(action, scopes) {
            Ok(())
        } else if self.subject == Subject::Anonymous {
            Err(Error::NotSignedIn)
        } else {
            Err(Error::Forbidden(action))
        }
    }

    /// Demands that the actor may do `action` to a `what` that only those who may `view` know of.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not even see it; otherwise as [`Actor::may`].
    pub fn may_with(
        &self,
        action: Action,
        view: Action,
        what: &'static str,
        scopes: &[Scope],
    ) -> Result<(), Error> {
        if self.subject != Subject::Anonymous
            && !self.can(view, scopes)
            && !self.can(action, scopes)
        {
            return Err(Error::NotFound(what));
        }
        self.may(action, scopes)
    }
}
