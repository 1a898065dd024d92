//! Until when people are to decide.

use access::application::State;
use access::policy::RuleId;
use units::{ApplicationId, Timestamp};

use crate::{Action, Actor, App, Error};

/// The clock of an application that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionClock {
    /// Since when it waits.
    pub submitted_at: Timestamp,
    /// How long the programme says that it takes.
    pub term: String,
    /// The end of the last day of that, in Brussels.
    pub decide_by: Timestamp,
    /// Whether that has passed.
    pub is_overdue: bool,
    /// The entry of policy that says so.
    pub rule: RuleId,
}

impl App {
    /// Until when an application is to be decided; `None` when it does not wait for people, or the
    /// programme does not say.
    ///
    /// # Errors
    /// When the actor may not see it.
    pub async fn decision_clock(
        &self,
        actor: &Actor,
        id: ApplicationId,
    ) -> Result<Option<DecisionClock>, Error> {
        let tx = self.store().read().await?;
        let application = self.application_for(&tx, actor, (Action::ViewApplication, id)).await?;
        let State::Submitted { at } = application.state else { return Ok(None) };
        let call = store::calls::by_id(&tx, application.call).await?;
        let mode = self.mode_of(&call.ok_or(Error::NotFound("call"))?)?;
        let decide_by = self.rules().policy.decide_by(&mode.says, at);
        Ok(mode.says.time_to_access.known().zip(decide_by).map(|(term, decide_by)| DecisionClock {
            submitted_at: at,
            term: term.to_string(),
            decide_by,
            is_overdue: decide_by <= self.now(),
            rule: mode.rule.clone(),
        }))
    }
}
