//! What an actor's grants let them see, as the store understands it.

use store::scope::Scope as Seen;

use crate::permission::Audience;
use crate::{Action, Actor, App, Error, Scope, Subject};

impl App {
    /// Everything to which the actor may do `action`, for lists.
    ///
    /// # Errors
    /// When the actor has not signed in, or their token is not good for it. Who holds no role
    /// sees nothing, which is not an error.
    pub(crate) fn visible(&self, actor: &Actor, action: Action) -> Result<Seen, Error> {
        match actor.subject() {
            Subject::System => return Ok(Seen::Everything),
            Subject::Person(_) if actor.abilities().cover(action) => {}
            Subject::Anonymous => return Err(Error::NotSignedIn),
            Subject::Person(_) | Subject::Site(_) => return Err(Error::Forbidden(action)),
        }
        let roles = match action.audience() {
            Audience::Roles(roles) => roles,
            Audience::Public | Audience::SignedIn => return Ok(Seen::Everything),
            Audience::Site => &[],
        };
        let (mut organisations, mut projects, mut partitions) = (vec![], vec![], vec![]);
        for grant in actor.grants().iter().filter(|grant| roles.contains(&grant.role)) {
            match &grant.scope {
                Scope::Federation => return Ok(Seen::Everything),
                Scope::Organisation(id) => organisations.push(*id),
                Scope::Project(id) => projects.push(*id),
                Scope::Factory(key) => partitions.extend(self.rules().partitions_of(key)),
            }
        }
        Ok(Seen::Within { organisations, projects, partitions })
    }
}
