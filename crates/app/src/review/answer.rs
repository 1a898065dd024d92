//! What the applicant may say: an answer to the reviews before the verdict, an appeal after it.

use access::application::State;
use access::review::Standing;
use store::reviews as records;
use store::verdicts;
use units::ApplicationId;

use super::course::{appeal_until, days_after};
use super::{of_application, said};
use crate::notices::ApplicationNews;
use crate::{Action, Actor, App, Error};

impl App {
    /// Shows the applicant the reviews, who may then answer for as many days as the procedure says.
    ///
    /// # Errors
    /// When the actor may not, the procedure foresees no answer, the reviews are not complete, or
    /// they were shown already.
    pub async fn show_reviews(&self, actor: &Actor, id: ApplicationId) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let (application, call) =
            self.submitted_for(&tx, actor, (Action::ArrangeReview, id)).await?;
        self.not_their_own(&tx, actor, &application).await?;
        let procedure = self.peers_of(&call)?;
        let rule = procedure.rule.to_string();
        let Some(days) = procedure.says.rebuttal_days.known() else {
            return Err(Error::refused(rule, "the procedure foresees no answer of applicants"));
        };
        let whole = self.all_of(&tx, application.clone()).await?;
        match whole.evaluation.map(|evaluation| evaluation.standing) {
            Some(Standing::Passed | Standing::Below(_)) => {}
            None | Some(Standing::Incomplete { .. } | Standing::Apart(_)) => {
                let text = "reviews are missing, or the reviewers must agree first";
                return Err(Error::refused(rule, text));
            }
        }
        let now = self.now();
        let closes_at = days_after(now, *days)
            .ok_or_else(|| Error::Internal("the answer would end after the calendar".to_owned()))?;
        if !records::open_rebuttal(&tx, id, actor.person_id()?, (now, closes_at)).await? {
            return Err(Error::Conflict("the applicant reads the reviews already".to_owned()));
        }
        let (what, detail) = (("reviews.show", of_application(id)), format!("until {closes_at}"));
        self.audit_review(&tx, actor, what, (&rule, &detail)).await?;
        let news = ApplicationNews::ReviewsShown { until: closes_at };
        self.tell_of(&tx, actor, &application, news).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Answers the reviews, once.
    ///
    /// # Errors
    /// When the actor does not apply, no answer is asked for (any more), or one was given.
    pub async fn answer_reviews(
        &self,
        actor: &Actor,
        id: ApplicationId,
        text: &str,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let (application, call) =
            self.submitted_for(&tx, actor, (Action::ApplyForHours, id)).await?;
        let rule = self.peers_of(&call)?.rule.to_string();
        let now = self.now();
        match records::rebuttal(&tx, id).await? {
            None => return Err(Error::refused(rule, "the reviews were not shown to you yet")),
            Some(rebuttal) if rebuttal.closes_at <= now => {
                let text = format!("the answer was possible until {}", rebuttal.closes_at);
                return Err(Error::refused(rule, text));
            }
            Some(_) => {}
        }
        if !records::answer_rebuttal(&tx, id, &said("text", text)?, now).await? {
            return Err(Error::Conflict("an answer was given already".to_owned()));
        }
        let what = ("reviews.answer", of_application(id));
        self.audit_review(&tx, actor, what, (&rule, "")).await?;
        self.tell_of(&tx, actor, &application, ApplicationNews::ReviewsAnswered).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Appeals against a published refusal, once.
    ///
    /// # Errors
    /// When the actor does not apply, it was not refused by people, or the time is over.
    pub async fn appeal(&self, actor: &Actor, id: ApplicationId, text: &str) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let application = self.application_for(&tx, actor, (Action::ApplyForHours, id)).await?;
        let call = store::calls::by_id(&tx, application.call).await?;
        let call = call.ok_or(Error::NotFound("call"))?;
        let verdict = verdicts::standing(&tx, id).await?;
        let rule = self.peers_of(&call)?.rule.to_string();
        let until = appeal_until(self.procedure_of(&call), verdict.as_ref());
        let refused = matches!(application.state, State::Refused { .. });
        let Some(until) = until.filter(|_| refused) else {
            let text = "only a refusal that people have decided can be appealed against";
            return Err(Error::refused(rule, text));
        };
        if until <= self.now() {
            return Err(Error::refused(rule, format!("an appeal was possible until {until}")));
        }
        let by = (actor.person_id()?, self.now());
        if !records::make_appeal(&tx, id, &said("text", text)?, by).await? {
            return Err(Error::Conflict("an appeal was made already".to_owned()));
        }
        let what = ("application.appeal", of_application(id));
        self.audit_review(&tx, actor, what, (&rule, "")).await?;
        self.tell_of(&tx, actor, &application, ApplicationNews::Appealed).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Decides on an appeal: when it is right, the application waits for a new verdict. Who
    /// proposed or adopted the old one does not decide.
    ///
    /// # Errors
    /// When the actor may not, took part in the verdict, or no appeal waits.
    pub async fn decide_appeal(
        &self,
        actor: &Actor,
        id: ApplicationId,
        (upheld, answer): (bool, &str),
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let application = self.application_for(&tx, actor, (Action::DecideApplication, id)).await?;
        self.not_their_own(&tx, actor, &application).await?;
        let person = actor.person_id()?;
        let verdict = verdicts::standing(&tx, id).await?;
        let took_part = verdict.is_some_and(|it| {
            it.proposed_by == person || it.adopted.is_some_and(|(by, _)| by == person)
        });
        if took_part {
            let text = "you took part in the verdict; somebody else decides on the appeal";
            return Err(Error::refused("application.four-eyes", text));
        }
        let (answer, now) = (said("answer", answer)?, self.now());
        if !records::decide_appeal(&tx, id, (upheld, &answer), (person, now)).await? {
            return Err(Error::Conflict("no appeal waits for a decision".to_owned()));
        }
        if upheld {
            let again = State::Submitted { at: now };
            let from = application.state.name();
            if !store::applications::advance(&tx, id, from, &again, now).await? {
                return Err(Error::Conflict(format!("it is no longer {from}; look again")));
            }
        }
        let word = if upheld { "upheld" } else { "rejected" };
        let what = ("application.decide-appeal", of_application(id));
        let detail = format!("{word}: {answer}");
        self.audit_review(&tx, actor, what, ("DecideApplication", &detail)).await?;
        let news = ApplicationNews::AppealDecided { upheld, answer };
        self.tell_of(&tx, actor, &application, news).await?;
        tx.commit().await?;
        Ok(())
    }
}
