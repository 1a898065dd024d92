//! Organisations: put on record, declared, assessed; their members.

use std::collections::BTreeSet;

use access::application::Asker;
use access::organisation::{Applicant, Organisation, OrganisationKind};
use access::registration::{Nace, Registration};
use access::sme::{Enterprise, EnterpriseKind, Group};
use jiff::civil::Date;
use store::Tx;
use store::organisations as records;
use units::{CountryCode, OrganisationId};

use crate::audit::Entry;
use crate::{Action, Actor, App, Error, FieldError, Grant, Role, Scope};

mod ends;
mod members;
mod verify;

pub use members::Member;
pub(crate) use members::fits;
pub use store::organisations::{Declaration, Filter};
pub use verify::Verification;

/// The longest name, number or sector of an organisation, in characters.
const TEXT_LENGTH_MAX: usize = 200;
/// The most enterprises that one declaration may describe.
const MEMBERS_MAX: usize = 500;
/// The most holdings that one declaration may describe.
const HOLDINGS_MAX: usize = 2_000;
/// The most accounting periods of one enterprise.
const PERIODS_MAX: usize = 20;
/// The most organisations on one page.
const PAGE_MAX: u32 = 200;

/// What is said of a new organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrganisation {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: OrganisationKind,
    /// The state it is established in.
    pub country: CountryCode,
    /// Its legal form.
    pub legal_form: Option<String>,
    /// Its VAT number or EUID.
    pub registration: Option<String>,
    /// The sector it works in, in its own words.
    pub sector: Option<String>,
    /// The same as a code of NACE Rev. 2.1.
    pub nace: Option<String>,
    /// The day it was registered.
    pub registered_on: Option<Date>,
}

impl App {
    /// Puts an organisation on record; who does so speaks for it from now on.
    ///
    /// # Errors
    /// When the actor may not, a field is not valid, or it is on record already.
    pub async fn register_organisation(
        &self,
        actor: &Actor,
        new: NewOrganisation,
    ) -> Result<Organisation, Error> {
        actor.may(Action::RegisterOrganisation, &[])?;
        let person = actor.person_id()?;
        let id = OrganisationId::from_uuid(self.clock().mint());
        let organisation = checked(id, new, access::day_in_brussels(self.now()))?;
        let tx = self.store().write().await?;
        records::insert(&tx, &organisation, &actor.subject().to_string(), self.now()).await?;
        let grant =
            Grant { role: Role::OrganisationRepresentative, scope: Scope::Organisation(id) };
        self.grant(&tx, actor, person, grant).await?;
        let entry = Entry {
            action: "organisation.register",
            object: &format!("organisation:{id}"),
            rule: "RegisterOrganisation",
            detail: &format!("{}, {}", organisation.name, organisation.country),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(organisation)
    }

    /// The organisations that the actor may see and that `filter` lets through, newest first.
    ///
    /// # Errors
    /// When the actor has not signed in.
    pub async fn organisations(
        &self,
        actor: &Actor,
        filter: &Filter,
        limit: u32,
    ) -> Result<Vec<Organisation>, Error> {
        let scope = self.visible(actor, Action::ViewOrganisation)?;
        let tx = self.store().read().await?;
        Ok(records::page(&tx, &scope, filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// The organisations that the actor may apply for, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn organisations_to_apply_for(
        &self,
        actor: &Actor,
    ) -> Result<Vec<Organisation>, Error> {
        let may = |scope: &Scope| actor.can(Action::ApplyForHours, std::slice::from_ref(scope));
        let own = actor.grants().iter().filter_map(|grant| match &grant.scope {
            Scope::Organisation(id) if may(&grant.scope) => Some(*id),
            _ => None,
        });
        let own: BTreeSet<OrganisationId> = own.collect();
        let own: Vec<OrganisationId> = own.into_iter().collect();
        let tx = self.store().read().await?;
        Ok(records::all_of(&tx, &own).await?)
    }

    /// One organisation.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn organisation(
        &self,
        actor: &Actor,
        id: OrganisationId,
    ) -> Result<Organisation, Error> {
        let tx = self.store().read().await?;
        self.organisation_for(&tx, actor, (Action::ViewOrganisation, id)).await
    }

    /// Takes in what an enterprise declares about itself and its group, and assesses it by the
    /// definition in force. Inputs, result and version of the rule are kept together.
    ///
    /// # Errors
    /// When the actor may not, the organisation is no enterprise, or the declaration is incomplete.
    pub async fn declare(
        &self,
        actor: &Actor,
        id: OrganisationId,
        group: Group,
    ) -> Result<Declaration, Error> {
        let tx = self.store().write().await?;
        let organisation =
            self.organisation_for(&tx, actor, (Action::DeclareOrganisation, id)).await?;
        if organisation.kind != OrganisationKind::Enterprise {
            let text = "only enterprises are assessed by their size";
            return Err(Error::refused("organisation.kind", text));
        }
        sizes_within_limits(&group)?;
        let declaration = self.assessed(actor, &organisation, group)?;
        records::declare(&tx, &declaration).await?;
        if let Some(definition) = self.rules().policy.sme(access::day_in_brussels(self.now())) {
            let declared = (&declaration.group, &definition.says);
            self.declare_undertaking(&tx, &organisation, declared).await?;
        }
        let assessment = &declaration.assessment;
        let entry = Entry {
            action: "organisation.declare",
            object: &format!("organisation:{id}"),
            rule: &assessment.rule.to_string(),
            detail: &format!("{}, {}", assessment.class, assessment.relation),
        };
        self.audit(&tx, actor, entry).await?;
        tx.commit().await?;
        Ok(declaration)
    }

    /// The newest declaration of an organisation, with its assessment.
    ///
    /// # Errors
    /// When the actor may not see it, or nothing was declared yet.
    pub async fn assessment(
        &self,
        actor: &Actor,
        id: OrganisationId,
    ) -> Result<Declaration, Error> {
        let tx = self.store().read().await?;
        self.organisation_for(&tx, actor, (Action::ViewOrganisation, id)).await?;
        let found = records::latest_declaration(&tx, id).await?;
        found.ok_or(Error::NotFound("declaration"))
    }

    /// The last day on which a declaration is relied on, by the rules of today; nothing where no
    /// definition of enterprises holds.
    pub fn declaration_valid_until(&self, declaration: &Declaration) -> Option<Date> {
        let definition = self.rules().policy.sme(access::day_in_brussels(self.now()))?;
        let declared = access::day_in_brussels(declaration.declared_at);
        Some(access::sme::valid_until(declared, &definition.says))
    }

    fn assessed(
        &self,
        actor: &Actor,
        organisation: &Organisation,
        group: Group,
    ) -> Result<Declaration, Error> {
        let now = self.now();
        let today = access::day_in_brussels(now);
        let policy = &self.rules().policy;
        let missing = || Error::Internal(format!("no definition of enterprises on {today}"));
        let definition = policy.sme(today).ok_or_else(missing)?;
        let young = policy.start_up(today).ok_or_else(missing)?;
        let assessment = access::sme::assess(&group, definition).map_err(|incomplete| {
            let told = incomplete.0.into_iter().map(|fault| FieldError::new("", fault.text));
            Error::Invalid(told.collect())
        })?;
        let start_up =
            access::sme::start_up(assessment.class, organisation.registered_on, today, young);
        Ok(Declaration {
            id: self.clock().mint(),
            organisation: organisation.id,
            declared_by: actor.subject().to_string(),
            declared_at: now,
            group,
            assessment,
            start_up,
        })
    }

    /// The organisation, if the actor may do `action` there.
    pub(crate) async fn organisation_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, OrganisationId),
    ) -> Result<Organisation, Error> {
        let found = records::by_id(tx, id).await?;
        let mut scopes = vec![Scope::Organisation(id)];
        if found.is_some() {
            scopes.extend(self.factories_of_organisation(tx, id).await?);
        }
        actor.may_with(action, Action::ViewOrganisation, "organisation", &scopes)?;
        found.ok_or(Error::NotFound("organisation"))
    }

    /// The factories on whose partitions the organisation was granted hours.
    async fn factories_of_organisation(
        &self,
        tx: &Tx,
        id: OrganisationId,
    ) -> Result<Vec<Scope>, Error> {
        let partitions = store::allocations::partitions_of_organisation(tx, id).await?;
        Ok(partitions.iter().filter_map(|key| self.rules().scope_of(key)).collect())
    }

    /// An organisation that applies, as it is on record.
    pub(crate) async fn asker(&self, tx: &Tx, organisation: &Organisation) -> Result<Asker, Error> {
        let declaration = records::latest_declaration(tx, organisation.id).await?;
        Ok(Asker {
            organisation: organisation.id,
            kind: organisation.kind,
            country: organisation.country,
            registered_on: organisation.registered_on,
            declared: declaration.map(|it| (it.group, access::day_in_brussels(it.declared_at))),
        })
    }

    /// What the rules know about an organisation that applies.
    pub(crate) async fn applicant(
        &self,
        tx: &Tx,
        organisation: &Organisation,
    ) -> Result<Applicant, Error> {
        let today = access::day_in_brussels(self.now());
        Ok(self.asker(tx, organisation).await?.applicant(&self.rules().policy, today))
    }
}

fn checked(id: OrganisationId, new: NewOrganisation, today: Date) -> Result<Organisation, Error> {
    let mut faults = Vec::new();
    let mut text = |field: &str, text: &str| {
        let text = text.trim().to_owned();
        let length = text.chars().count();
        if length == 0 || length > TEXT_LENGTH_MAX || text.chars().any(char::is_control) {
            let allowed = format!("write 1 to {TEXT_LENGTH_MAX} characters in one line");
            faults.push(FieldError::new(field, allowed));
        }
        text
    };
    let name = text("name", &new.name);
    let mut optional = |field, it: Option<String>| it.map(|it| text(field, &it));
    let legal_form = optional("legal_form", new.legal_form);
    let sector = optional("sector", new.sector);
    let registration = new.registration.as_deref().map(str::parse::<Registration>).transpose();
    let registration = registration.unwrap_or_else(|error| {
        faults.push(FieldError::new("registration", error.to_string()));
        None
    });
    let nace = new.nace.as_deref().map(str::parse::<Nace>).transpose().unwrap_or_else(|error| {
        faults.push(FieldError::new("nace", error.to_string()));
        None
    });
    if new.registered_on.is_some_and(|day| day > today) {
        faults.push(FieldError::new("registered_on", "lies in the future"));
    }
    if !faults.is_empty() {
        return Err(Error::Invalid(faults));
    }
    Ok(Organisation {
        id,
        name,
        kind: new.kind,
        country: new.country,
        legal_form,
        registration: registration.map(|number| number.to_string()),
        sector,
        nace,
        registered_on: new.registered_on,
    })
}

/// Keeps a declaration small enough to be computed while people wait.
fn sizes_within_limits(group: &Group) -> Result<(), Error> {
    let most_periods = group.members.values().map(|it| it.periods.len()).max().unwrap_or(0);
    for (field, count, max) in [
        ("members", group.members.len(), MEMBERS_MAX),
        ("holdings", group.holdings.len(), HOLDINGS_MAX),
        ("periods", most_periods, PERIODS_MAX),
    ] {
        if count > max {
            return Err(Error::invalid(field, format!("{count} are too many; at most {max}")));
        }
    }
    let long = |it: &Enterprise| it.name.chars().count() > TEXT_LENGTH_MAX;
    if group.members.values().any(long) {
        let text = format!("a name has at most {TEXT_LENGTH_MAX} characters");
        return Err(Error::invalid("members", text));
    }
    match group.members.get(&group.subject).map(|subject| subject.kind) {
        Some(EnterpriseKind::Enterprise) => Ok(()),
        _ => Err(Error::invalid("subject", "the organisation itself must be an enterprise")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
