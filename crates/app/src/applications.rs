//! Applications: written, checked while they are written, submitted, decided, withdrawn.

mod clock;
mod submit;

pub(crate) use submit::told;

use std::collections::BTreeMap;

use access::allocation::{Open, Promised, delivered};
use access::application::{Draft, Facts, Finding, Ground, PoolLeft, State, Unanswerable};
use access::organisation::Organisation;
use access::review::MailDomain;
use store::Tx;
use store::applications as records;
use store::pools::PoolRecord;
use units::{ApplicationId, CallId, OrganisationId, PartitionKey, Payer, Period, Timestamp, Work};

pub use clock::DecisionClock;
pub use store::applications::{Application, Filter};

use crate::audit::Entry;
use crate::notices::{ApplicationNews, Notice};
use crate::{Action, Actor, App, Error, FieldError, Scope};

/// The most applications on one page.
const PAGE_MAX: u32 = 200;

/// An application with where its draft stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The application.
    pub application: Application,
    /// Every check, in the order of the form.
    pub findings: Vec<Finding>,
}

/// Everything that bears on an application, loaded.
pub(crate) struct Loaded {
    pub(crate) facts: Facts,
    pub(crate) organisation: Organisation,
}

impl App {
    /// Begins an application of an organisation under a call.
    ///
    /// # Errors
    /// When the actor may not, there is no such call, or a text is too long.
    pub async fn begin_application(
        &self,
        actor: &Actor,
        (call, organisation): (CallId, OrganisationId),
        draft: Draft,
    ) -> Result<Application, Error> {
        let (call, _) = self.call(actor, call).await?;
        let created_by = actor.person_id()?;
        let tx = self.store().write().await?;
        self.organisation_for(&tx, actor, (Action::ApplyForHours, organisation)).await?;
        let draft = within_limits(draft)?;
        own_project(&tx, organisation, &draft).await?;
        let now = self.now();
        let application = Application {
            id: ApplicationId::from_uuid(self.clock().mint()),
            call: call.id,
            organisation,
            created_by,
            created_at: now,
            draft,
            version: 1,
            state: State::Draft,
            state_at: now,
        };
        records::insert(&tx, &application).await?;
        self.audit_application(&tx, actor, &application, ("application.begin", "")).await?;
        tx.commit().await?;
        Ok(application)
    }

    /// The applications that the actor may see, newest first. A draft is seen by its organisation
    /// alone.
    ///
    /// # Errors
    /// When the actor has not signed in.
    pub async fn applications(
        &self,
        actor: &Actor,
        mut filter: Filter,
        limit: u32,
    ) -> Result<Vec<Application>, Error> {
        let scope = self.visible(actor, Action::ViewApplication)?;
        let writers = actor.grants().iter().filter_map(|grant| match &grant.scope {
            Scope::Organisation(id) if speaks_for(actor, *id) => Some(*id),
            _ => None,
        });
        filter.drafts_of = Some(writers.collect());
        let tx = self.store().read().await?;
        Ok(records::page(&tx, &scope, &filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// One application.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Application, Error> {
        let tx = self.store().read().await?;
        self.application_for(&tx, actor, (Action::ViewApplication, id)).await
    }

    /// Writes a draft again. `version` is the one that the writer has read.
    ///
    /// # Errors
    /// When the actor may not, it is no draft any more, or somebody else has written it since.
    pub async fn write_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
        (draft, version): (Draft, i64),
    ) -> Result<Application, Error> {
        let tx = self.store().write().await?;
        let before = self.application_for(&tx, actor, (Action::ApplyForHours, id)).await?;
        let draft = within_limits(draft)?;
        own_project(&tx, before.organisation, &draft).await?;
        if before.state != State::Draft {
            return Err(not_a_draft(&before.state));
        }
        let now = self.now();
        if !records::write(&tx, id, &draft, (version, now)).await? {
            let text = format!(
                "somebody else has written it since; read version {} again",
                before.version
            );
            return Err(Error::Conflict(text));
        }
        let after =
            Application { draft, version: version.saturating_add(1), state_at: now, ..before };
        tx.commit().await?;
        Ok(after)
    }

    /// Where a draft stands: every check with its reason, changing nothing.
    ///
    /// # Errors
    /// When the actor may not see it.
    pub async fn check_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Checked, Error> {
        let tx = self.store().read().await?;
        let application = self.application_for(&tx, actor, (Action::ViewApplication, id)).await?;
        let findings = self.findings(&tx, &application).await?;
        Ok(Checked { application, findings })
    }

    /// Takes an application back.
    ///
    /// # Errors
    /// When the actor may not, or it was decided already.
    pub async fn withdraw_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Application, Error> {
        let tx = self.store().write().await?;
        let before = self.application_for(&tx, actor, (Action::ApplyForHours, id)).await?;
        let at = self.now();
        let state = State::Withdrawn { at };
        let open = matches!(before.state, State::Draft | State::Submitted { .. });
        if !open || !records::advance(&tx, id, before.state.name(), &state, at).await? {
            let text = format!("it is {} and cannot be withdrawn", before.state.name());
            return Err(Error::Conflict(text));
        }
        self.audit_application(&tx, actor, &before, ("application.withdraw", "")).await?;
        if before.state != State::Draft {
            let case = self.case_of(&before);
            let news = ApplicationNews::Withdrawn;
            self.tell(&tx, actor, &Notice::Application(case, news)).await?;
        }
        let version = before.version.saturating_add(1);
        tx.commit().await?;
        Ok(Application { state, state_at: at, version, ..before })
    }

    /// The application, if the actor may do `action` with it.
    pub(crate) async fn application_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, ApplicationId),
    ) -> Result<Application, Error> {
        let found = records::by_id(tx, id).await?;
        let mut scopes = Vec::new();
        if let Some(application) = &found {
            scopes.push(Scope::Organisation(application.organisation));
            let asked = application.draft.partition.as_ref();
            scopes.extend(asked.and_then(|key| self.rules().scope_of(key)));
        }
        actor.may_with(action, Action::ViewApplication, "application", &scopes)?;
        let application = found.ok_or(Error::NotFound("application"))?;
        // A draft is its writers' affair: nobody else knows of it.
        if application.state == State::Draft && !speaks_for(actor, application.organisation) {
            return Err(Error::NotFound("application"));
        }
        Ok(application)
    }

    /// Every check of an application as it stands now.
    async fn findings(&self, tx: &Tx, application: &Application) -> Result<Vec<Finding>, Error> {
        let loaded = self.load(tx, application, self.now()).await?;
        Ok(loaded.facts.under(&self.rules().policy).map_err(no_answer)?.findings())
    }

    /// Loads everything that bears on an application.
    pub(crate) async fn load(
        &self,
        tx: &Tx,
        application: &Application,
        now: Timestamp,
    ) -> Result<Loaded, Error> {
        let call = store::calls::by_id(tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let organisation = store::organisations::by_id(tx, application.organisation).await?;
        let organisation = organisation.ok_or(Error::NotFound("organisation"))?;
        let open_awards =
            store::allocations::count_open(tx, organisation.id, &call.mode, now).await?;
        let ground = match &application.draft.partition {
            Some(key) => {
                let until =
                    application.draft.months.and_then(|months| access::months_from(now, months));
                self.ground(tx, application.id, (key, now, until)).await?
            }
            None => None,
        };
        let facts = Facts {
            asker: self.asker(tx, &organisation).await?,
            // Who asks with the applicant bears on no rule, so it is not kept with the facts.
            draft: Draft { team: Vec::new(), ..application.draft.clone() },
            granted: None,
            aid: self.aid_on_record(tx, &organisation).await?,
            call,
            open_awards,
            ground,
            now,
        };
        Ok(Loaded { facts, organisation })
    }

    /// A partition with what is left in its pools, and what each mode was granted of them. What
    /// people have adopted for others and not yet published counts as granted.
    async fn ground(
        &self,
        tx: &Tx,
        application: ApplicationId,
        (key, now, asked): (&PartitionKey, Timestamp, Option<Period>),
    ) -> Result<Option<Ground>, Error> {
        let Some((factory, _, partition)) = self.rules().federation.partition(key) else {
            return Ok(None);
        };
        let likely = match asked {
            Some(asked) => self.likely_use(tx, key, asked).await?,
            None => BTreeMap::new(),
        };
        let mut pools = Vec::new();
        for (pool, left) in self.pools_with_balance(tx, key, now).await? {
            let mut granted = store::allocations::granted_by_mode(tx, pool.id).await?;
            let mut left = left.count();
            for (mode, aside) in store::verdicts::set_aside(tx, pool.id, application).await? {
                left = left.saturating_sub(aside.count()).max(0);
                let of_mode = granted.entry(mode).or_insert(Work::ZERO);
                *of_mode = Work::seconds(of_mode.count().saturating_add(aside.count()));
            }
            let left = Work::seconds(left);
            let PoolRecord { id, payer, amount: opened, period, .. } = pool;
            let promised = asked.map(|asked| Promised {
                likely: likely.get(&payer).copied().unwrap_or(Work::ZERO),
                delivered: delivered(opened, period, asked),
            });
            pools.push(PoolLeft { id, payer, opened, left, granted, promised });
        }
        let (host, meter) = (factory.country, partition.meter);
        Ok(Some(Ground { host, units: partition.units().ok(), meter, pools }))
    }

    /// What open awards on a partition are likely to use over `asked`, by payer.
    async fn likely_use(
        &self,
        tx: &Tx,
        key: &PartitionKey,
        asked: Period,
    ) -> Result<BTreeMap<Payer, Work>, Error> {
        let mut likely: BTreeMap<Payer, Work> = BTreeMap::new();
        for (allocation, standing) in store::allocations::open_on(tx, key, asked.start()).await? {
            for (payer, part) in standing.parts() {
                let left = part.available.count().saturating_add(part.held.count());
                let left = Work::seconds(left);
                let open = Open { period: allocation.period, used: part.used, left };
                let sum = likely.entry(*payer).or_insert(Work::ZERO);
                let more = open.likely(asked.start(), asked.end());
                *sum = Work::seconds(sum.count().saturating_add(more.count()));
            }
        }
        Ok(likely)
    }

    async fn audit_application(
        &self,
        tx: &Tx,
        actor: &Actor,
        application: &Application,
        (action, detail): (&str, &str),
    ) -> Result<(), Error> {
        let entry = Entry {
            action,
            object: &format!("application:{}", application.id),
            rule: "ApplyForHours",
            detail,
        };
        self.audit(tx, actor, entry).await
    }
}

/// A policy that has no answer is the operator's affair.
pub(crate) fn no_answer(why: Unanswerable) -> Error {
    match why {
        Unanswerable::NoMode(_) => Error::Internal(why.to_string()),
        Unanswerable::NoCeiling(_) => Error::Conflict(why.to_string()),
    }
}

/// Whether the actor represents the organisation, whatever their token is good for.
fn speaks_for(actor: &Actor, organisation: OrganisationId) -> bool {
    let scope = Scope::Organisation(organisation);
    actor
        .grants()
        .iter()
        .any(|grant| grant.role == crate::Role::OrganisationRepresentative && grant.scope == scope)
}

/// Demands a short list of people and fields; who they are is said by the checks.
fn short_lists(draft: &Draft) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if draft.fields.len() > Draft::FIELDS_MAX {
        let text = format!("name at most {} fields", Draft::FIELDS_MAX);
        faults.push(FieldError::new("fields", text));
    }
    if draft.team.len() > Draft::TEAM_MAX {
        let text = format!("name at most {} people", Draft::TEAM_MAX);
        faults.push(FieldError::new("team", text));
    }
    for member in &draft.team {
        let texts = [&member.name, &member.email, &member.organisation];
        let plain = |text: &&&String| {
            text.chars().count() <= Draft::TITLE_LENGTH_MAX && !text.chars().any(char::is_control)
        };
        if member.name.trim().is_empty() || texts.iter().filter(plain).count() < texts.len() {
            let most = Draft::TITLE_LENGTH_MAX;
            let text = format!("everybody needs a name, each text at most {most} characters");
            faults.push(FieldError::new("team", text));
        } else if !member.email.contains('@') || member.email.parse::<MailDomain>().is_err() {
            let text = format!("{} needs an address, such as ada@example.org", member.name);
            faults.push(FieldError::new("team", text));
        }
    }
    faults
}

fn not_a_draft(state: &State) -> Error {
    Error::Conflict(format!("it is {}, no longer a draft", state.name()))
}

/// Demands that hours are asked for a project of the organisation itself, if for one that exists.
async fn own_project(tx: &Tx, organisation: OrganisationId, draft: &Draft) -> Result<(), Error> {
    let Some(id) = draft.project else { return Ok(()) };
    let found = store::projects::by_id(tx, id).await?;
    match found.filter(|project| project.organisation == organisation) {
        Some(_) => Ok(()),
        None => Err(Error::invalid("project", format!("the organisation has no project {id}"))),
    }
}

/// Keeps what is stored within bounds; whether it fits the call is said by the checks.
fn within_limits(draft: Draft) -> Result<Draft, Error> {
    let mut faults = short_lists(&draft);
    for (field, text, max) in [
        ("title", &draft.title, Draft::TITLE_LENGTH_MAX),
        ("purpose", &draft.purpose, Draft::PURPOSE_LENGTH_MAX),
    ] {
        if text.chars().count() > max {
            faults.push(FieldError::new(field, format!("at most {max} characters")));
        }
    }
    if draft.title.chars().any(char::is_control) {
        faults.push(FieldError::new("title", "must be one line"));
    }
    if faults.is_empty() { Ok(draft) } else { Err(Error::Invalid(faults)) }
}

#[cfg(test)]
pub(crate) mod tests;
