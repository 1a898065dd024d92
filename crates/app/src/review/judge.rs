//! What a reviewer does: read what they were asked to judge, write, hand in, or say that they may
//! not.

use access::application::State;
use access::call::Call;
use access::organisation::Organisation;
use access::policy::{Entry as PolicyEntry, Procedure};
use access::review::Scores;
use store::Tx;
use store::reviews::{self as records, DeclaredConflict, ReviewRecord, Written};
use units::ApplicationId;

use super::{of_application, said};
use crate::applications::Application;
use crate::notices::ApplicationNews;
use crate::{Action, Actor, App, Error, FieldError};

/// What a reviewer reads of an application that they were asked to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Dossier<'a> {
    /// The application.
    pub application: Application,
    /// Who applies.
    pub organisation: Organisation,
    /// Under which call.
    pub call: Call,
    /// By what it is judged.
    pub procedure: &'a PolicyEntry<Procedure>,
    /// Their own review.
    pub review: ReviewRecord,
}

/// What a reviewer writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenReview {
    /// What it says.
    pub written: Written,
    /// Whether it is finished; it cannot be changed then.
    pub hand_in: bool,
}

impl App {
    /// The reviews that the actor was asked for and that still matter, with their applications.
    ///
    /// # Errors
    /// When the actor is no reviewer.
    pub async fn own_reviews(
        &self,
        actor: &Actor,
    ) -> Result<Vec<(ReviewRecord, Application)>, Error> {
        actor.may(Action::ReviewApplication, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().read().await?;
        let mut reviews = records::of_reviewer(&tx, person).await?;
        let applications = store::applications::reviewed_by(&tx, person).await?;
        let with_review = |application: Application| {
            let place = reviews.iter().position(|it| it.application == application.id)?;
            Some((reviews.swap_remove(place), application))
        };
        Ok(applications.into_iter().filter_map(with_review).collect())
    }

    /// What the actor reads of an application that they were asked to judge. That they have read it
    /// is on record.
    ///
    /// # Errors
    /// When they were not asked.
    pub async fn dossier(&self, actor: &Actor, id: ApplicationId) -> Result<Dossier<'_>, Error> {
        let tx = self.store().read().await?;
        let (review, application) = self.asked_for(&tx, actor, id).await?;
        let call = store::calls::by_id(&tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let procedure = self.peers_of(&call)?;
        let organisation = store::organisations::by_id(&tx, application.organisation).await?;
        let organisation = organisation.ok_or(Error::NotFound("organisation"))?;
        drop(tx);
        let what = ("application.look", of_application(id));
        self.record_look(actor, what, "ReviewApplication").await?;
        Ok(Dossier { application, organisation, call, procedure, review })
    }

    /// Writes a review; when it is handed in, every criterion has its points and the applicant has
    /// something to read.
    ///
    /// # Errors
    /// When the actor was not asked, the review was handed in already, or points are not valid.
    pub async fn write_review(
        &self,
        actor: &Actor,
        id: ApplicationId,
        new: WrittenReview,
    ) -> Result<ReviewRecord, Error> {
        let tx = self.store().write().await?;
        let (review, application) = self.asked_for(&tx, actor, id).await?;
        let call = store::calls::by_id(&tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let procedure = self.peers_of(&call)?;
        let written = sound(new.written, &procedure.says, new.hand_in)?;
        let at = new.hand_in.then(|| self.now());
        if !records::write(&tx, (id, review.reviewer), &written, at).await? {
            return Err(Error::Conflict("you have handed it in; it stays as it is".to_owned()));
        }
        let action = if new.hand_in { "review.hand-in" } else { "review.write" };
        let rule = procedure.rule.to_string();
        self.audit_review(&tx, actor, (action, of_application(id)), (&rule, "")).await?;
        tx.commit().await?;
        Ok(ReviewRecord { written, submitted_at: at, ..review })
    }

    /// Says that the actor may not judge an application that they were asked to judge: they are
    /// asked no more, and their reason is on record.
    ///
    /// # Errors
    /// When they were not asked, have handed in their review, or give no reason.
    pub async fn declare_conflict(
        &self,
        actor: &Actor,
        id: ApplicationId,
        text: &str,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let (review, application) = self.asked_for(&tx, actor, id).await?;
        let text = said("text", text)?;
        if !records::unassign(&tx, id, review.reviewer).await? {
            let text = "you have handed in your review; tell the programme's officer";
            return Err(Error::Conflict(text.to_owned()));
        }
        let conflict = DeclaredConflict { application: id, person: review.reviewer, text };
        records::declare_conflict(&tx, &conflict, self.now()).await?;
        let what = ("review.conflict", of_application(id));
        self.audit_review(&tx, actor, what, ("ReviewApplication", &conflict.text)).await?;
        self.tell_of(&tx, actor, &application, ApplicationNews::ConflictDeclared).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The review that the actor was asked for, while its application waits for a decision.
    async fn asked_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<(ReviewRecord, Application), Error> {
        actor.may(Action::ReviewApplication, &[])?;
        let nothing = || Error::NotFound("application");
        let review = records::one(tx, id, actor.person_id()?).await?.ok_or_else(nothing)?;
        let application = store::applications::by_id(tx, id).await?.ok_or_else(nothing)?;
        match application.state {
            State::Submitted { .. } => Ok((review, application)),
            _ => Err(nothing()),
        }
    }
}

/// What may be kept of a review; when it is handed in, nothing is missing.
fn sound(written: Written, procedure: &Procedure, hand_in: bool) -> Result<Written, Error> {
    let mut faults = Vec::new();
    if let Err(found) = Scores::new(written.scores.clone(), procedure) {
        let open = |fault: &access::review::ScoreFault| {
            !hand_in && matches!(fault, access::review::ScoreFault::Missing(_))
        };
        let found = found.iter().filter(|fault| !open(fault));
        faults.extend(found.map(|fault| FieldError::new("scores", fault.to_string())));
    }
    for (field, text) in
        [("to_applicant", &written.to_applicant), ("confidential", &written.confidential)]
    {
        if text.chars().count() > super::TEXT_LENGTH_MAX {
            let text = format!("at most {} characters", super::TEXT_LENGTH_MAX);
            faults.push(FieldError::new(field, text));
        }
    }
    if hand_in && written.to_applicant.trim().is_empty() {
        faults.push(FieldError::new("to_applicant", "say what the applicant is to read"));
    }
    if faults.is_empty() { Ok(written) } else { Err(Error::Invalid(faults)) }
}
