//! Submission: what the rules decide is decided at once, with everything that follows from it.

use access::allocation::Allocation;
use access::application::{Award, Case, Check, Decision, Reason, State};
use access::project::Project;
use store::Tx;
use store::allocations::Share;
use store::applications as records;
use store::ledger::Denied;
use units::{AllocationId, ApplicationId, ProjectId, Shares, Timestamp};

use super::{Application, Loaded, no_answer, not_a_draft};
use crate::audit::Entry;
use crate::notices::{ApplicationNews, Notice};
use crate::{Action, Actor, App, Error, Grant, Role, Scope};

impl App {
    /// Submits a draft. In a mode that the rules decide, the decision comes at once: project,
    /// allocation, the ledger's entry and the audit trail are written together, or nothing is.
    ///
    /// # Errors
    /// [`Error::Refused`] with every reason when the draft cannot be admitted; it stays a draft.
    /// A refusal by the decision itself is no error but a state of the application.
    pub async fn submit_application(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Application, Error> {
        let now = self.now();
        let tx = self.store().write().await?;
        let application = self.application_for(&tx, actor, (Action::ApplyForHours, id)).await?;
        if application.state != State::Draft {
            return Err(not_a_draft(&application.state));
        }
        self.one_at_a_time(&tx, &application).await?;
        let loaded = self.load(&tx, &application, now).await?;
        let case = loaded.facts.under(&self.rules().policy).map_err(no_answer)?;
        let admitted =
            case.admit().map_err(|reasons| Error::Refused(reasons.iter().map(told).collect()))?;
        let mut decision = case.decide(&admitted);
        let state = match &decision {
            Decision::Awarded(award) => {
                self.grant_award(&tx, actor, (&application, &loaded, &case), award).await?
            }
            Decision::Refused(reasons) => State::Refused { at: now, reasons: reasons.clone() },
            Decision::Referred => State::Submitted { at: now },
        };
        if let State::Refused { reasons, .. } = &state {
            decision = Decision::Refused(reasons.clone());
        }
        self.record_decision(&tx, (&application, &loaded.facts), &decision).await?;
        self.settle_state(&tx, actor, (&application, &loaded, &case), &state).await?;
        tx.commit().await?;
        let version = application.version.saturating_add(1);
        Ok(Application { state, state_at: now, version, ..application })
    }

    /// Makes decisions about the same pools and the same undertaking, which has one ceiling of
    /// State aid, wait for one another.
    pub(crate) async fn one_at_a_time(
        &self,
        tx: &Tx,
        application: &Application,
    ) -> Result<(), Error> {
        for id in self.undertaking(tx, application.organisation).await? {
            store::organisations::lock(tx, id).await?;
        }
        if let Some(partition) = &application.draft.partition {
            self.open_pools(tx, partition, self.now()).await?;
            store::pools::lock(tx, partition, self.now()).await?;
        }
        Ok(())
    }

    /// Takes the hours out of the pool and makes project and allocation. The ledger has the last
    /// word: what another decision has taken meanwhile is a refusal.
    pub(crate) async fn grant_award(
        &self,
        tx: &Tx,
        actor: &Actor,
        (application, loaded, case): (&Application, &Loaded, &Case<'_>),
        award: &Award,
    ) -> Result<State, Error> {
        let now = self.now();
        let Some(pool) = case.pool() else {
            return Err(Error::Internal("an award without a pool".to_owned()));
        };
        let allocation = AllocationId::from_uuid(self.clock().mint());
        let memo = self.memo(
            &Actor::system(),
            format!("{} of application {}", loaded.facts.call.title, application.id),
        );
        let shares = Shares::sole(pool);
        match store::ledger::grant(tx, memo, allocation, &shares, award.amount()).await? {
            Ok(_) => {}
            Err(Denied::Short(short)) => {
                let reasons = vec![Reason {
                    rule: award.rule().to_string(),
                    check: Check::Pool,
                    found: format!("{} are asked", award.amount().display(award.meter())),
                    allowed: short.to_string(),
                    fits: None,
                }];
                return Ok(State::Refused { at: now, reasons });
            }
            Err(other) => return Err(other.into()),
        }
        let project = match application.draft.project {
            Some(project) => project,
            None => self.new_project(tx, actor, application).await?,
        };
        let granted = granted(award, (allocation, project, application.id), now);
        let share = Share { pool, payer: award.payer(), amount: award.amount() };
        store::allocations::insert(tx, &granted, &[share]).await?;
        if let (Some(aid), Some(state)) = (award.aid(), case.aid_state()) {
            let place = (allocation, award.partition());
            self.enter_award(tx, &loaded.organisation, (aid, state), place).await?;
        }
        Ok(State::Awarded { at: now, project, allocation })
    }

    /// Makes the project that an application describes, led by whoever wrote it.
    async fn new_project(
        &self,
        tx: &Tx,
        actor: &Actor,
        application: &Application,
    ) -> Result<ProjectId, Error> {
        let project = Project {
            id: ProjectId::from_uuid(self.clock().mint()),
            organisation: application.organisation,
            title: application.draft.title.trim().to_owned(),
            purpose: application.draft.purpose.clone(),
            created_at: self.now(),
        };
        store::projects::insert(tx, &project).await?;
        let manager = Grant { role: Role::ProjectManager, scope: Scope::Project(project.id) };
        self.grant(tx, actor, application.created_by, manager).await?;
        Ok(project.id)
    }

    /// Writes where the application now stands, with its line in the audit trail.
    pub(crate) async fn settle_state(
        &self,
        tx: &Tx,
        actor: &Actor,
        (application, loaded, case): (&Application, &Loaded, &Case<'_>),
        state: &State,
    ) -> Result<(), Error> {
        let now = self.now();
        let from = application.state.name();
        if !records::advance(tx, application.id, from, state, now).await? {
            return Err(Error::Conflict(format!("it is no longer {from}; look again")));
        }
        let detail = match state {
            State::Awarded { project, allocation, .. } => {
                format!("project {project}, allocation {allocation}")
            }
            State::Refused { reasons, .. } => {
                reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; ")
            }
            _ => "waits for people".to_owned(),
        };
        let policy = &self.rules().digest;
        let class = case.applicant().assessment.as_ref().map_or_else(
            || loaded.organisation.kind.to_string(),
            |assessment| format!("{} ({})", assessment.class, assessment.rule),
        );
        let entry = Entry {
            action: &format!("application.{}", state.name()),
            object: &format!("application:{}", application.id),
            rule: &case.mode().rule.to_string(),
            detail: &format!("{class}; {detail}; policy {policy}"),
        };
        self.audit(tx, actor, entry).await?;
        self.tell_state(tx, actor, application, state).await
    }

    /// Tells whom it concerns where an application now stands.
    async fn tell_state(
        &self,
        tx: &Tx,
        actor: &Actor,
        application: &Application,
        state: &State,
    ) -> Result<(), Error> {
        let news = match state {
            State::Submitted { .. } => vec![ApplicationNews::Received, ApplicationNews::Arrived],
            State::Awarded { project, allocation, .. } => {
                let allocation = store::allocations::by_id(tx, *allocation).await?;
                let granted = allocation.ok_or(Error::NotFound("allocation"))?;
                let amount = (granted.amount, granted.meter);
                let until = granted.period.end();
                vec![ApplicationNews::Awarded { project: *project, amount, until }]
            }
            State::Refused { reasons, .. } => {
                let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                vec![ApplicationNews::Refused { reasons: reasons.join("\n") }]
            }
            State::Draft | State::Withdrawn { .. } => Vec::new(),
        };
        for news in news {
            let case = self.case_of(application);
            self.tell(tx, actor, &Notice::Application(case, news)).await?;
        }
        Ok(())
    }
}

fn granted(
    award: &Award,
    (id, project, application): (AllocationId, ProjectId, ApplicationId),
    now: Timestamp,
) -> Allocation {
    Allocation {
        id,
        project,
        application,
        partition: award.partition().clone(),
        meter: award.meter(),
        amount: award.amount(),
        period: award.period(),
        rule: award.rule().to_string(),
        granted_at: now,
        closed_at: None,
        suspended: None,
    }
}

/// A reason of the rules, as the hub tells it.
pub(crate) fn told(reason: &Reason) -> crate::Reason {
    crate::Reason::new(format!("{}/{}", reason.rule, reason.check), reason.to_string())
}
