//! Calls: seen by everybody, published by those who may, weighed before what they are asked is
//! granted.

mod what_if;

use std::collections::{BTreeMap, BTreeSet};

use access::call::Call;
use access::policy::{AccessMode, Entry};
use units::{CallId, PartitionKey, Slug, Timestamp};

use crate::{Action, Actor, App, Error, FieldError};

pub(crate) use what_if::Simulator;
pub use what_if::{AssumedLoad, Earlier, PartitionWhatIf, PoolWhatIf, Simulate, Waits, WhatIf};

/// The longest title, in characters.
const TITLE_LENGTH_MAX: usize = 200;
/// The most partitions that a call may offer.
const PARTITIONS_MAX: usize = 100;
/// The most calls on one page.
const PAGE_MAX: u32 = 200;

/// What a new call is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// Its name in addresses.
    pub key: Slug,
    /// Its title.
    pub title: String,
    /// The access mode it opens.
    pub mode: Slug,
    /// The partitions one may ask for.
    pub partitions: Vec<PartitionKey>,
    /// When it opens.
    pub opens_at: Timestamp,
    /// When it closes; at the next cut-off of its mode when not said, if that has any.
    pub closes_at: Option<Timestamp>,
}

impl App {
    /// The calls, newest first. Those that have not opened yet are seen by who may publish calls.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub async fn calls(
        &self,
        actor: &Actor,
        before: Option<CallId>,
        limit: u32,
    ) -> Result<Vec<Call>, Error> {
        actor.may(Action::ViewCalls, &[])?;
        let opened_by = (!actor.can(Action::PublishCall, &[])).then(|| self.now());
        let tx = self.store().read().await?;
        Ok(store::calls::page(&tx, opened_by, before, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// The titles of these calls, which the actor has seen named.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub async fn call_titles(
        &self,
        actor: &Actor,
        calls: &BTreeSet<CallId>,
    ) -> Result<BTreeMap<CallId, String>, Error> {
        actor.may(Action::ViewCalls, &[])?;
        let tx = self.store().read().await?;
        Ok(store::calls::titles(&tx, calls).await?)
    }

    /// One call, with its access mode.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn call(
        &self,
        actor: &Actor,
        id: CallId,
    ) -> Result<(Call, &Entry<AccessMode>), Error> {
        actor.may(Action::ViewCalls, &[])?;
        let tx = self.store().read().await?;
        let call = store::calls::by_id(&tx, id).await?.ok_or(Error::NotFound("call"))?;
        if call.opens_at > self.now() && !actor.can(Action::PublishCall, &[]) {
            return Err(Error::NotFound("call"));
        }
        let mode = self.mode_of(&call)?;
        Ok((call, mode))
    }

    /// Publishes a call under the version of the mode's policy that is in force.
    ///
    /// # Errors
    /// When the actor may not, a field is not valid, or the name is taken.
    pub async fn publish_call(&self, actor: &Actor, new: NewCall) -> Result<Call, Error> {
        actor.may(Action::PublishCall, &[])?;
        let mode = self.checked_call(&new)?;
        let cut_off = mode.says.cut_offs.known().and_then(|it| it.next(new.opens_at));
        let call = Call {
            id: CallId::from_uuid(self.clock().mint()),
            key: new.key,
            title: new.title.trim().to_owned(),
            mode: new.mode,
            rule: mode.rule.clone(),
            partitions: new.partitions,
            opens_at: new.opens_at,
            closes_at: new.closes_at.or(cut_off),
        };
        let tx = self.store().write().await?;
        self.record_call(&tx, actor, &call, mode).await?;
        tx.commit().await?;
        Ok(call)
    }

    /// The access mode of a call, in the version it was opened under.
    ///
    /// # Errors
    /// When the policy has lost that version.
    pub fn mode_of(&self, call: &Call) -> Result<&Entry<AccessMode>, Error> {
        let lost = || Error::Internal(format!("the policy no longer has {}", call.rule));
        self.rules().policy.mode_version(&call.rule).ok_or_else(lost)
    }

    /// The mode of a new call, when the call is sound.
    fn checked_call(&self, new: &NewCall) -> Result<&Entry<AccessMode>, Error> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, text: String| faults.push(FieldError::new(field, text));
        let length = new.title.trim().chars().count();
        if length == 0 || length > TITLE_LENGTH_MAX || new.title.chars().any(char::is_control) {
            fault("title", format!("write 1 to {TITLE_LENGTH_MAX} characters in one line"));
        }
        if new.closes_at.is_some_and(|closes_at| closes_at <= new.opens_at) {
            fault("closes_at", "must lie after opens_at".to_owned());
        }
        let count = new.partitions.len();
        if count == 0 || count > PARTITIONS_MAX {
            fault("partitions", format!("name 1 to {PARTITIONS_MAX} partitions"));
        }
        let mode = self.rules().policy.mode(&new.mode, access::day_in_brussels(self.now()));
        if mode.is_none() {
            fault("mode", format!("there is no access mode `{}`", new.mode));
        }
        let twice = |index: usize, key| new.partitions.iter().take(index).any(|it| it == key);
        for (index, key) in new.partitions.iter().enumerate() {
            match (self.rules().federation.partition(key), mode) {
                _ if twice(index, key) => fault("partitions", format!("`{key}` stands twice")),
                (None, _) => fault("partitions", format!("there is no partition `{key}`")),
                (Some((.., part)), Some(mode)) if part.meter != mode.says.meter => {
                    let unit = mode.says.meter.hour_name();
                    fault("partitions", format!("`{key}` is not counted in {unit}"));
                }
                _ => {}
            }
        }
        match mode {
            Some(mode) if faults.is_empty() => Ok(mode),
            _ => Err(Error::Invalid(faults)),
        }
    }
}

#[cfg(test)]
mod tests;
