//! Verdicts: one proposes, another adopts, and publication makes it hold. The hours of an adopted
//! award are set aside; at publication everything is checked once more.

use access::application::{Check, Decision, Reason, State};
use access::call::Call;
use access::review::Verdict;
use store::verdicts::{self as records, VerdictRecord};
use units::ApplicationId;

use super::{of_application, said};
use crate::applications::{Application, no_answer, told};
use crate::notices::ApplicationNews;
use crate::{Action, Actor, App, Error};
use store::Tx;

impl App {
    /// Proposes what is to become of an application.
    ///
    /// # Errors
    /// [`Error::Refused`] with everything that must come first, or that the rules have against the
    /// award; when the actor may not, belongs to the applicant, or a verdict stands already.
    pub async fn propose_verdict(
        &self,
        actor: &Actor,
        id: ApplicationId,
        (verdict, remark): (Verdict, &str),
    ) -> Result<VerdictRecord, Error> {
        let tx = self.store().write().await?;
        let (application, call) =
            self.submitted_for(&tx, actor, (Action::DecideApplication, id)).await?;
        self.not_their_own(&tx, actor, &application).await?;
        if records::standing(&tx, id).await?.is_some_and(|it| it.published_at.is_none()) {
            let text = "a verdict stands already; adopt it or send it back";
            return Err(Error::Conflict(text.to_owned()));
        }
        let whole = self.all_of(&tx, application.clone()).await?;
        let against = match verdict {
            Verdict::Award { .. } => whole.obstacles.0,
            Verdict::Refuse => whole.obstacles.1,
        };
        if !against.is_empty() {
            let rule = self.rule_of(&call);
            let reason = |it: &access::review::Obstacle| crate::Reason::new(&rule, it.to_string());
            return Err(Error::Refused(against.iter().map(reason).collect()));
        }
        if let Verdict::Award { hours } = verdict {
            let loaded = self.load(&tx, &application, self.now()).await?;
            let case = loaded.facts.under(&self.rules().policy).map_err(no_answer)?;
            case.award(hours).map_err(|reasons| refused(&reasons))?;
        }
        let record = VerdictRecord {
            id: self.clock().mint(),
            application: id,
            verdict,
            remark: said("remark", remark)?,
            proposed_by: actor.person_id()?,
            proposed_at: self.now(),
            adopted: None,
            published_at: None,
        };
        records::propose(&tx, &record).await?;
        self.audit_verdict(&tx, actor, ("verdict.propose", &record), &call).await?;
        self.tell_of(&tx, actor, &application, ApplicationNews::VerdictProposed).await?;
        tx.commit().await?;
        Ok(record)
    }

    /// Adopts what somebody else has proposed. The hours of an award are set aside from now on.
    ///
    /// # Errors
    /// When the actor may not, proposed it themselves or belongs to the applicant, nothing is
    /// proposed, or the rules have something against the award by now.
    pub async fn adopt_verdict(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<VerdictRecord, Error> {
        let tx = self.store().write().await?;
        let (application, call, record) = self.proposal(&tx, actor, id).await?;
        let person = actor.person_id()?;
        if record.proposed_by == person {
            let text = "you have proposed it; a second person adopts it";
            return Err(Error::refused("application.four-eyes", text));
        }
        self.one_at_a_time(&tx, &application).await?;
        let aside = match record.verdict {
            Verdict::Refuse => None,
            Verdict::Award { hours } => {
                let loaded = self.load(&tx, &application, self.now()).await?;
                let case = loaded.facts.under(&self.rules().policy).map_err(no_answer)?;
                let award = case.award(hours).map_err(|reasons| refused(&reasons))?;
                case.pool().map(|pool| (pool, award.amount()))
            }
        };
        let now = self.now();
        if !records::adopt(&tx, record.id, (person, now), aside).await? {
            return Err(Error::Conflict("it was adopted already".to_owned()));
        }
        self.audit_verdict(&tx, actor, ("verdict.adopt", &record), &call).await?;
        self.tell_of(&tx, actor, &application, ApplicationNews::VerdictAdopted).await?;
        tx.commit().await?;
        Ok(VerdictRecord { adopted: Some((person, now)), ..record })
    }

    /// Sends a verdict that is not published back to those who propose.
    ///
    /// # Errors
    /// When the actor may not, or no such verdict stands.
    pub async fn return_verdict(
        &self,
        actor: &Actor,
        id: ApplicationId,
        remark: &str,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let (application, call, record) = self.proposal(&tx, actor, id).await?;
        let remark = said("remark", remark)?;
        if !records::send_back(&tx, record.id, (actor.person_id()?, self.now())).await? {
            return Err(Error::Conflict("it was published or sent back already".to_owned()));
        }
        let returned = VerdictRecord { remark: remark.clone(), ..record };
        self.audit_verdict(&tx, actor, ("verdict.return", &returned), &call).await?;
        let news = ApplicationNews::VerdictReturned { remark };
        self.tell_of(&tx, actor, &application, news).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Publishes an adopted verdict: an award is held to the rules once more and becomes project
    /// and allocation; the applicant knows from now on.
    ///
    /// # Errors
    /// When the actor may not, nothing was adopted, or the rules have something against the award
    /// by now: it stays adopted, to be sent back.
    pub async fn publish_verdict(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Application, Error> {
        let tx = self.store().write().await?;
        let (application, call, record) = self.proposal(&tx, actor, id).await?;
        if record.adopted.is_none() {
            let text = "nobody has adopted it yet; a second person does so before it is published";
            return Err(Error::Conflict(text.to_owned()));
        }
        self.one_at_a_time(&tx, &application).await?;
        let now = self.now();
        let mut loaded = self.load(&tx, &application, now).await?;
        if let Verdict::Award { hours } = record.verdict {
            loaded.facts.granted = Some(hours);
        }
        let case = loaded.facts.under(&self.rules().policy).map_err(no_answer)?;
        let state = match record.verdict {
            Verdict::Refuse => {
                State::Refused { at: now, reasons: vec![self.refusal(&call, &record)] }
            }
            Verdict::Award { hours } => {
                let award = case.award(hours).map_err(|reasons| refused(&reasons))?;
                let granted =
                    self.grant_award(&tx, actor, (&application, &loaded, &case), &award).await?;
                if let State::Refused { reasons, .. } = &granted {
                    return Err(refused(reasons));
                }
                let decision = Decision::Awarded(award);
                self.record_decision(&tx, (&application, &loaded.facts), &decision).await?;
                granted
            }
        };
        if !records::publish(&tx, record.id, now).await? {
            return Err(Error::Conflict("it was published or sent back meanwhile".to_owned()));
        }
        self.settle_state(&tx, actor, (&application, &loaded, &case), &state).await?;
        self.audit_verdict(&tx, actor, ("verdict.publish", &record), &call).await?;
        tx.commit().await?;
        let version = application.version.saturating_add(1);
        Ok(Application { state, state_at: now, version, ..application })
    }

    /// The verdict over an application that waits, for somebody who may decide and does not belong
    /// to the applicant.
    async fn proposal(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<(Application, Call, VerdictRecord), Error> {
        let (application, call) =
            self.submitted_for(tx, actor, (Action::DecideApplication, id)).await?;
        self.not_their_own(tx, actor, &application).await?;
        let standing = records::standing(tx, id).await?.filter(|it| it.published_at.is_none());
        let nothing = || Error::Conflict("nothing is proposed for it yet".to_owned());
        Ok((application, call, standing.ok_or_else(nothing)?))
    }

    /// The rule that a verdict under a call follows.
    fn rule_of(&self, call: &Call) -> String {
        let procedure = self.procedure_of(call);
        procedure.map_or(&call.rule, |procedure| &procedure.rule).to_string()
    }

    /// Why people have refused, as the applicant reads it.
    fn refusal(&self, call: &Call, record: &VerdictRecord) -> Reason {
        Reason {
            rule: self.rule_of(call),
            check: Check::Review,
            found: record.remark.clone(),
            allowed: "people decide in this mode".to_owned(),
            fits: None,
        }
    }

    async fn audit_verdict(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, record): (&str, &VerdictRecord),
        call: &Call,
    ) -> Result<(), Error> {
        let detail = match record.verdict {
            Verdict::Award { hours } => format!("award {hours} hours: {}", record.remark),
            Verdict::Refuse => format!("refuse: {}", record.remark),
        };
        let what = (action, of_application(record.application));
        self.audit_review(tx, actor, what, (&self.rule_of(call), &detail)).await
    }
}

/// What the rules have against an award, for the person who asked.
fn refused(reasons: &[Reason]) -> Error {
    Error::Refused(reasons.iter().map(told).collect())
}
