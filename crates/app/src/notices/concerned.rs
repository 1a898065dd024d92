//! Who is concerned by a notice: from roles to people, and from records to what notices name.

use std::collections::BTreeSet;

use access::allocation::Allocation;
use access::organisation::Organisation;
use store::Tx;
use store::identity::{grants, people};
use store::notices as records;
use units::PersonId;

use super::{Award, Case, House, Place, Reader};
use crate::applications::Application;
use crate::{App, Error, Scope};

impl App {
    /// The people behind readers: those with open accounts, each once.
    pub(super) async fn concerned(
        &self,
        tx: &Tx,
        readers: &[Reader],
    ) -> Result<BTreeSet<PersonId>, Error> {
        let mut found = BTreeSet::new();
        let mut wanted = Vec::new();
        for reader in readers {
            match reader {
                Reader::Person(id) => {
                    let person = people::by_id(tx, *id).await?;
                    let open = person.filter(|person| person.disabled_at.is_none());
                    found.extend(open.map(|person| person.id));
                }
                Reader::Holders(role, scope) => wanted.push((role.name(), scope.to_string())),
                Reader::Followers => found.extend(records::followers_of_calls(tx).await?),
            }
        }
        let scopes: BTreeSet<String> = wanted.iter().map(|(_, scope)| scope.clone()).collect();
        let scopes: Vec<String> = scopes.into_iter().collect();
        for holder in grants::holders(tx, &scopes).await? {
            if wanted.iter().any(|(role, scope)| *role == holder.role && *scope == holder.scope) {
                found.insert(holder.person);
            }
        }
        Ok(found)
    }

    /// An application as notices name it.
    pub(crate) fn case_of(&self, application: &Application) -> Case {
        let asked = application.draft.partition.as_ref();
        Case {
            id: application.id,
            organisation: application.organisation,
            title: application.draft.title.trim().to_owned(),
            factory: asked.and_then(|key| self.rules().scope_of(key)),
        }
    }

    /// An allocation as notices name it.
    pub(crate) async fn award_of(&self, tx: &Tx, allocation: &Allocation) -> Result<Award, Error> {
        let project = store::projects::by_id(tx, allocation.project).await?;
        let project = project.ok_or(Error::NotFound("project"))?;
        Ok(Award {
            id: allocation.id,
            project: project.id,
            organisation: project.organisation,
            title: project.title,
            partition: allocation.partition.to_string(),
            meter: allocation.meter,
        })
    }

    /// Where a role holds, as notices name it.
    pub(crate) async fn place_of(&self, tx: &Tx, scope: &Scope) -> Result<Place, Error> {
        let name = match scope {
            Scope::Federation => None,
            Scope::Factory(key) => {
                let factory = self.rules().federation.factories.get(key);
                Some(factory.map_or_else(|| key.to_string(), |factory| factory.name.clone()))
            }
            Scope::Organisation(id) => {
                store::organisations::by_id(tx, *id).await?.map(|organisation| organisation.name)
            }
            Scope::Project(id) => store::projects::by_id(tx, *id).await?.map(|it| it.title),
        };
        Ok(Place { scope: scope.clone(), name })
    }
}

/// An organisation as notices name it.
pub(crate) fn house_of(organisation: &Organisation) -> House {
    House { id: organisation.id, name: organisation.name.clone() }
}
