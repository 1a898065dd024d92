//! Review: reviewers and what they know, who judges what, the factory's word, what all of it comes
//! to, and the verdict that one proposes and another adopts.

mod answer;
mod arrange;
mod course;
mod judge;
mod pool;
mod verdict;

use access::call::Call;
use access::policy::{Entry as PolicyEntry, Procedure};
use units::{ApplicationId, CallId};

pub use arrange::Arranged;
pub use course::{Judged, Proceedings};
pub use judge::{Dossier, WrittenReview};
pub use pool::PoolEntry;
pub use store::reviews::{
    Agreed, Appeal, Profile, Rebuttal, ReviewRecord, TechnicalCheck, Written,
};
pub use store::verdicts::VerdictRecord;

use crate::applications::Application;
use crate::audit::Entry;
use crate::notices::{ApplicationNews, Notice};
use crate::{Action, Actor, App, Error};
use store::Tx;

/// The longest remark, review, answer or appeal, in characters.
const TEXT_LENGTH_MAX: usize = 10_000;

impl App {
    /// How applications to a call are reviewed by peers, in the version that held when it opened;
    /// `None` when peers do not review them.
    pub fn procedure_of(&self, call: &Call) -> Option<&PolicyEntry<Procedure>> {
        let opened = access::day_in_brussels(call.opens_at).max(call.rule.from);
        self.rules().policy.procedure(&call.mode, opened)
    }

    /// The procedure of a call that has one.
    fn peers_of(&self, call: &Call) -> Result<&PolicyEntry<Procedure>, Error> {
        self.procedure_of(call).ok_or_else(|| {
            let text = format!("peers do not review applications to {}", call.title);
            Error::refused(call.rule.to_string(), text)
        })
    }

    /// A call, whose applications the actor may do `action` with.
    async fn call_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, CallId),
    ) -> Result<Call, Error> {
        actor.may(action, &[])?;
        store::calls::by_id(tx, id).await?.ok_or(Error::NotFound("call"))
    }

    /// An application that waits for a decision, if the actor may do `action` with it.
    async fn submitted_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, ApplicationId),
    ) -> Result<(Application, Call), Error> {
        let application = self.application_for(tx, actor, (action, id)).await?;
        if !matches!(application.state, access::application::State::Submitted { .. }) {
            let text = format!("it is {} and waits for no decision", application.state.name());
            return Err(Error::Conflict(text));
        }
        let call = store::calls::by_id(tx, application.call).await?;
        Ok((application, call.ok_or(Error::NotFound("call"))?))
    }

    /// Demands that the actor has nothing to do with the organisation that applies.
    async fn not_their_own(
        &self,
        tx: &Tx,
        actor: &Actor,
        application: &Application,
    ) -> Result<(), Error> {
        if self.belongs_to(tx, actor, application.organisation).await? {
            let text = "you belong to the organisation that applies; somebody else does this";
            return Err(Error::refused("application.four-eyes", text));
        }
        Ok(())
    }

    /// Puts on record that somebody is about to be shown what they may see but others may not.
    /// What is shown was read before: only this line needs the turn of a writer.
    async fn record_look(
        &self,
        actor: &Actor,
        what: (&str, String),
        rule: &str,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        self.audit_review(&tx, actor, what, (rule, "")).await?;
        Ok(tx.commit().await?)
    }

    /// Tells whom it concerns what happened to an application.
    async fn tell_of(
        &self,
        tx: &Tx,
        actor: &Actor,
        application: &Application,
        news: ApplicationNews,
    ) -> Result<(), Error> {
        self.tell(tx, actor, &Notice::Application(self.case_of(application), news)).await?;
        Ok(())
    }

    async fn audit_review(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, object): (&str, String),
        (rule, detail): (&str, &str),
    ) -> Result<(), Error> {
        self.audit(tx, actor, Entry { action, object: &object, rule, detail }).await
    }
}

/// A text that says something and keeps within bounds.
fn said(field: &str, text: &str) -> Result<String, Error> {
    let text = text.trim().replace("\r\n", "\n");
    match text.chars().count() {
        1..=TEXT_LENGTH_MAX => Ok(text),
        _ => Err(Error::invalid(field, format!("write 1 to {TEXT_LENGTH_MAX} characters"))),
    }
}

fn of_application(id: ApplicationId) -> String {
    format!("application:{id}")
}

#[cfg(test)]
mod tests;
