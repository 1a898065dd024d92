//! Reviewers: what they state of themselves, and whose call they serve.

use std::collections::{BTreeMap, BTreeSet};

use access::policy::{Field, Procedure};
use access::review::Reviewer;
use store::Tx;
use store::reviews::{self as records, PoolMember, Profile};
use units::{CallId, OrganisationId, PersonId, ProjectId};

use crate::{Action, Actor, App, Error, FieldError, Role, Scope};

/// The most names of people whom one has published with.
const NAMES_MAX: usize = 1_000;
/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 200;
/// The most applications that anybody may offer to take.
const LOAD_MAX: u32 = 1_000;

/// A reviewer in the pool of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolEntry {
    /// Who, with what they state.
    pub member: PoolMember,
    /// How many applications they were asked to judge under this call.
    pub asked: u32,
    /// How many reviews they have handed in.
    pub handed_in: u32,
}

impl App {
    /// The fields of knowledge that forms and profiles name.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub fn fields(&self, actor: &Actor) -> Result<Vec<Field>, Error> {
        actor.may(Action::ViewCalls, &[])?;
        Ok(self.known_fields())
    }

    pub(super) fn known_fields(&self) -> Vec<Field> {
        self.rules().policy.fields(access::day_in_brussels(self.now()))
    }

    /// What the actor states of themselves as a reviewer, once they have.
    ///
    /// # Errors
    /// When the actor is no reviewer.
    pub async fn reviewer_profile(&self, actor: &Actor) -> Result<Option<Profile>, Error> {
        actor.may(Action::ReviewApplication, &[])?;
        let tx = self.store().read().await?;
        Ok(records::profile(&tx, actor.person_id()?).await?)
    }

    /// States what the actor knows, with whom they have published and how much they take.
    ///
    /// # Errors
    /// When the actor is no reviewer, or a field is not known.
    pub async fn state_profile(&self, actor: &Actor, profile: Profile) -> Result<Profile, Error> {
        actor.may(Action::ReviewApplication, &[])?;
        let person = actor.person_id()?;
        let faults = self.faults_of(&profile);
        if !faults.is_empty() {
            return Err(Error::Invalid(faults));
        }
        let tx = self.store().write().await?;
        records::set_profile(&tx, person, &profile, self.now()).await?;
        let keys: Vec<&str> = profile.fields.iter().map(units::Slug::as_str).collect();
        let detail = format!("{}; published with {}", keys.join(" "), profile.published_with.len());
        let what = ("reviewer.state", format!("person:{person}"));
        self.audit_review(&tx, actor, what, ("ReviewApplication", &detail)).await?;
        tx.commit().await?;
        Ok(profile)
    }

    fn faults_of(&self, profile: &Profile) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let known = self.known_fields();
        for field in &profile.fields {
            if !known.iter().any(|it| it.key == *field) {
                let text = format!("`{field}` is no field of policy/review.toml");
                faults.push(FieldError::new("fields", text));
            }
        }
        let twice = profile.fields.iter().collect::<BTreeSet<_>>().len() < profile.fields.len();
        if profile.fields.is_empty() || twice {
            faults.push(FieldError::new("fields", "name at least one, each once"));
        }
        let plain = |name: &&String| {
            let length = name.trim().chars().count();
            (1..=NAME_LENGTH_MAX).contains(&length) && !name.chars().any(char::is_control)
        };
        let names = &profile.published_with;
        if names.len() > NAMES_MAX || names.iter().filter(plain).count() < names.len() {
            let text = format!("at most {NAMES_MAX} names of 1 to {NAME_LENGTH_MAX} characters");
            faults.push(FieldError::new("published_with", text));
        }
        if profile.load_max.is_some_and(|load| load == 0 || load > LOAD_MAX) {
            faults.push(FieldError::new("load_max", format!("take 1 to {LOAD_MAX} applications")));
        }
        faults
    }

    /// The pool of reviewers of a call. That it was read is on record: it names people.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, or there is no such call.
    pub async fn reviewer_pool(
        &self,
        actor: &Actor,
        call: CallId,
    ) -> Result<Vec<PoolEntry>, Error> {
        let tx = self.store().read().await?;
        self.call_for(&tx, actor, (Action::ArrangeReview, call)).await?;
        let loads = records::loads(&tx, call).await?;
        let entry = |member: PoolMember| {
            let (asked, handed_in) = loads.get(&member.person).copied().unwrap_or_default();
            PoolEntry { asked, handed_in, member }
        };
        let pool = records::pool(&tx, call).await?.into_iter().map(entry).collect();
        drop(tx);
        let what = ("reviewers.look", format!("call:{call}"));
        self.record_look(actor, what, "ArrangeReview").await?;
        Ok(pool)
    }

    /// Puts the reviewer who signs in with `email` into the pool of a call.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, or nobody with this address is a reviewer.
    pub async fn add_reviewer(
        &self,
        actor: &Actor,
        call: CallId,
        email: &str,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let call = self.call_for(&tx, actor, (Action::ArrangeReview, call)).await?;
        self.peers_of(&call)?;
        let email = email.trim().to_lowercase();
        let person = store::identity::people::by_email(&tx, &email).await?;
        let Some(person) = person.filter(|person| person.disabled_at.is_none()) else {
            return Err(Error::invalid("email", format!("nobody signs in with {email}")));
        };
        let held = store::identity::grants::of_person(&tx, person.id).await?;
        if !held.iter().any(|grant| grant.role == Role::Reviewer.name()) {
            let text = format!("{email} does not have the role of a reviewer");
            return Err(Error::invalid("email", text));
        }
        let by = (actor.person_id()?, self.now());
        records::add_to_pool(&tx, (call.id, person.id), by).await?;
        let what = ("reviewers.add", format!("call:{}", call.id));
        let detail = format!("person:{}", person.id);
        self.audit_review(&tx, actor, what, ("ArrangeReview", &detail)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Takes somebody out of the pool of a call; what they were asked to review stays theirs.
    ///
    /// # Errors
    /// When the actor may not arrange reviews, or they are not in the pool.
    pub async fn remove_reviewer(
        &self,
        actor: &Actor,
        call: CallId,
        person: PersonId,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        self.call_for(&tx, actor, (Action::ArrangeReview, call)).await?;
        if !records::remove_from_pool(&tx, call, person).await? {
            return Err(Error::NotFound("reviewer"));
        }
        let what = ("reviewers.remove", format!("call:{call}"));
        let detail = format!("person:{person}");
        self.audit_review(&tx, actor, what, ("ArrangeReview", &detail)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The pool of a call as the rules see it.
    pub(super) async fn rated_pool(
        &self,
        tx: &Tx,
        call: CallId,
        procedure: &Procedure,
    ) -> Result<Vec<Reviewer>, Error> {
        let mut houses = self.houses(tx, call).await?;
        let members = records::pool(tx, call).await?;
        let rated = |member: PoolMember| {
            let profile = member.profile.unwrap_or_default();
            Reviewer {
                person: member.person,
                organisations: houses.remove(&member.person).unwrap_or_default(),
                mail: member.email.parse().ok(),
                fields: profile.fields.into_iter().collect(),
                published_with: profile.published_with,
                load_max: profile.load_max.unwrap_or(procedure.load_max),
            }
        };
        Ok(members.into_iter().map(rated).collect())
    }

    /// The organisations that the reviewers of a call belong to, by their roles there and in
    /// projects.
    async fn houses(
        &self,
        tx: &Tx,
        call: CallId,
    ) -> Result<BTreeMap<PersonId, BTreeSet<OrganisationId>>, Error> {
        let mut houses = BTreeMap::<_, BTreeSet<_>>::new();
        let mut projects: Vec<(PersonId, ProjectId)> = Vec::new();
        for grant in store::identity::grants::of_pool(tx, call).await? {
            match grant.scope.parse::<Scope>() {
                Ok(Scope::Organisation(id)) => {
                    houses.entry(grant.person).or_default().insert(id);
                }
                Ok(Scope::Project(id)) => projects.push((grant.person, id)),
                Ok(Scope::Federation | Scope::Factory(_)) | Err(_) => {}
            }
        }
        let ids: BTreeSet<ProjectId> = projects.iter().map(|(_, id)| *id).collect();
        let ids: Vec<ProjectId> = ids.into_iter().collect();
        let owners = store::projects::owners(tx, &ids).await?;
        for (person, project) in projects {
            houses.entry(person).or_default().extend(owners.get(&project));
        }
        Ok(houses)
    }
}
