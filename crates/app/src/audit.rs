//! The audit trail: every change leaves who, what, when, and under which rule.

use store::{Tx, identity::audit as records};
use uuid::Uuid;

pub use records::AuditRecord;

use crate::{Action, Actor, App, Error};

/// The most lines one page of the trail holds.
pub const PAGE_MAX: u32 = 200;

/// What is written besides who and when.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What was done, as `noun.verb`.
    pub action: &'a str,
    /// To what, as `noun:id`.
    pub object: &'a str,
    /// Under which rule: a permission, a policy entry, an article.
    pub rule: &'a str,
    /// The particulars, for people. Never a secret.
    pub detail: &'a str,
}

impl App {
    /// Appends to the trail, within the transaction of the change itself. As every change comes
    /// by here, so does the mark that the request of an idempotency key was carried out.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn audit(
        &self,
        tx: &Tx,
        actor: &Actor,
        entry: Entry<'_>,
    ) -> Result<(), Error> {
        let record = AuditRecord {
            id: self.clock().mint(),
            at: self.now(),
            actor: actor.subject().to_string(),
            action: entry.action.to_owned(),
            object: entry.object.to_owned(),
            rule: entry.rule.to_owned(),
            detail: entry.detail.to_owned(),
        };
        records::insert(tx, &record).await?;
        self.mark_done(tx).await
    }

    /// The trail, newest first, from before the line `before`; of all objects or of one.
    ///
    /// # Errors
    /// When the actor may not read it.
    pub async fn audit_trail(
        &self,
        actor: &Actor,
        object: Option<&str>,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AuditRecord>, Error> {
        actor.may(Action::ViewAudit, &[])?;
        let tx = self.store().read().await?;
        Ok(records::page(&tx, object, before, limit.clamp(1, PAGE_MAX)).await?)
    }
}
