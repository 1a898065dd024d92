//! The jobs that a submission depends on: found by number or id, and taken, so that none of them ends
//! unnoticed meanwhile.

use ::jobs::{Condition, Dependency, JobNumber, Other, When};
use store::{Tx, jobs as records};
use units::JobId;

use super::scopes;
use crate::{Action, Actor, App, Error};

impl App {
    /// The job or array that people name by `number`. Whether the caller may see it is for whoever
    /// looks at it to decide.
    ///
    /// # Errors
    /// When there is none.
    pub async fn job_numbered(&self, actor: &Actor, number: JobNumber) -> Result<JobId, Error> {
        actor.may(Action::ViewSelf, &[])?;
        let tx = self.store().read().await?;
        records::numbered(&tx, number).await?.ok_or(Error::NotFound("job"))
    }

    /// The dependency of the element `index`, with every job named by its id.
    pub(super) async fn resolved(
        &self,
        tx: &Tx,
        dependency: &Dependency,
        index: Option<u32>,
    ) -> Result<Dependency, Error> {
        let mut found = Vec::new();
        for condition in dependency.conditions() {
            let Condition::Job(when, other) = *condition else { continue };
            let id = match other {
                Other::Id(id) => Some(id),
                Other::Number(number) => records::numbered(tx, number).await?,
            };
            let id = id.ok_or_else(|| unknown_job(other))?;
            found.push(match when {
                When::AfterCorr => (When::AfterOk, same_element(tx, id, index).await?),
                When::After | When::AfterAny | When::AfterOk | When::AfterNotOk => (when, id),
            });
        }
        let mut found = found.into_iter();
        dependency.resolved(|_, other| found.next().ok_or_else(|| unknown_job(other)))
    }

    /// Takes the jobs that `dependency` names by their ids.
    pub(super) async fn take_others<'d>(
        &self,
        tx: &Tx,
        actor: &Actor,
        dependencies: impl Iterator<Item = &'d Dependency>,
    ) -> Result<(), Error> {
        let mut others = Vec::new();
        for condition in dependencies.flat_map(Dependency::conditions) {
            let Condition::Job(_, Other::Id(other)) = condition else { continue };
            if others.iter().any(|(_, named)| named == other) {
                continue;
            }
            let named = records::named(tx, *other).await?;
            if named.is_empty() {
                return Err(unknown_job(Other::Id(*other)));
            }
            others.extend(named.into_iter().map(|id| (id, *other)));
        }
        others.sort();
        others.dedup();
        for (id, named) in others {
            let found = records::take(tx, id).await?;
            let visible = found.is_some_and(|job| actor.can(Action::ViewJob, &scopes(&job)));
            if !visible {
                return Err(unknown_job(Other::Id(named)));
            }
        }
        Ok(())
    }
}

/// The element of the array `id` that has the index of the one that waits for it.
async fn same_element(tx: &Tx, id: JobId, index: Option<u32>) -> Result<JobId, Error> {
    let index = index.ok_or_else(|| {
        Error::invalid("dependency", "`aftercorr` joins arrays by their indices; add --array")
    })?;
    for element in records::named(tx, id).await? {
        let found = records::by_id(tx, element).await?.and_then(|job| job.element);
        if found.is_some_and(|found| found.index == index) {
            return Ok(element);
        }
    }
    let text = format!("`aftercorr`: what is waited for has no element {index}");
    Err(Error::invalid("dependency", text))
}

fn unknown_job(other: Other) -> Error {
    let named = match other {
        Other::Id(id) => id.to_string(),
        Other::Number(number) => number.to_string(),
    };
    Error::invalid("dependency", format!("there is no job {named} that you may see"))
}
