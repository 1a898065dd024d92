//! Notices: whoever is concerned by a change is told of it, in the transaction that makes it.
//!
//! A notice lies in the inboxes of those concerned once the change is committed, and not before;
//! letters and webhooks leave afterwards, from what is on record, so that a hub that was killed in
//! between goes on where it stood.

mod address;
mod concerned;
mod due;
mod letters;
mod notice;
mod retry;
mod webhooks;

use store::Tx;
use store::notices as records;
use uuid::Uuid;

pub use address::{is_public, receiver};
pub(crate) use concerned::house_of;
pub use letters::{Failure, Letter, PostHealth};
pub use notice::*;
pub(crate) use retry::again;
pub use store::notices::post::{Letters, Unsent};
pub use store::notices::webhooks::{Delivery, DeliveryState};
pub use store::notices::{ByMail, Fact, Facts, InboxRecord, NoticeRecord, NoticeSettings};
pub use webhooks::{Parcel, Webhook};

use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

/// The most notices on one page.
const PAGE_MAX: u32 = 200;

/// How notices leave the house, as the operator has set it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlets {
    /// The mail server; without one, notices stay in the inbox.
    pub mail_server: Option<String>,
    /// Whether webhooks may lead into private networks and to this machine.
    pub private_webhooks: bool,
}

impl App {
    /// Tells whom a notice concerns, within the transaction of what it tells of; `false` when it
    /// was told before. Who did it is not told what they know, but for receipts.
    pub(crate) async fn tell(
        &self,
        tx: &Tx,
        actor: &Actor,
        notice: &Notice,
    ) -> Result<bool, Error> {
        let telling = notice.telling();
        let Some(id) = self.put_notice(tx, &telling).await? else { return Ok(false) };
        let mut people = self.concerned(tx, &telling.readers).await?;
        if !telling.receipt
            && let Ok(own) = actor.person_id()
        {
            people.remove(&own);
        }
        let people: Vec<_> = people.into_iter().collect();
        let settings = records::settings(tx, &people).await?;
        let now = self.now();
        for person in &people {
            let mail = settings.get(person).map(|it| it.mail).unwrap_or_default();
            records::deliver(tx, (id, *person), (mail, letters::due_at(mail, now))).await?;
        }
        records::webhooks::send(tx, id, &people, now).await?;
        Ok(true)
    }

    /// Puts what is told on record, unless it was told before.
    async fn put_notice(&self, tx: &Tx, telling: &Telling) -> Result<Option<Uuid>, Error> {
        let id = self.clock().mint();
        let record = NoticeRecord {
            id,
            kind: telling.kind.to_owned(),
            facts: telling.facts.clone(),
            link: telling.link.clone(),
            told_at: self.now(),
        };
        let once = telling.once.clone().unwrap_or_else(|| id.to_string());
        Ok(records::insert(tx, &once, &record).await?.then_some(id))
    }

    /// The actor's notices, newest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn inbox(
        &self,
        actor: &Actor,
        (unread, before): (bool, Option<Uuid>),
        limit: u32,
    ) -> Result<Vec<InboxRecord>, Error> {
        actor.may(Action::ReadNotices, &[])?;
        let tx = self.store().read().await?;
        let limit = limit.clamp(1, PAGE_MAX);
        Ok(records::inbox(&tx, actor.person_id()?, (unread, before), limit).await?)
    }

    /// How many of the actor's notices are unread.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn unread_notices(&self, actor: &Actor) -> Result<i64, Error> {
        actor.may(Action::ReadNotices, &[])?;
        let tx = self.store().read().await?;
        Ok(records::unread(&tx, actor.person_id()?).await?)
    }

    /// Marks a notice of the actor's read, or all of them; gives back how many it met.
    ///
    /// # Errors
    /// When nobody is signed in, or the notice is not theirs.
    pub async fn read_notices(&self, actor: &Actor, which: Option<Uuid>) -> Result<u64, Error> {
        actor.may(Action::ReadNotices, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        let met = match which {
            Some(id) => u64::from(records::read(&tx, (person, id), self.now()).await?),
            None => records::read_all(&tx, person, self.now()).await?,
        };
        if which.is_some() && met == 0 {
            return Err(Error::NotFound("notice"));
        }
        // Repeating it changes nothing, so nothing but the key of the request is kept.
        self.mark_done(&tx).await?;
        tx.commit().await?;
        Ok(met)
    }

    /// How the actor wants to be told.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn notice_settings(&self, actor: &Actor) -> Result<NoticeSettings, Error> {
        actor.may(Action::ReadNotices, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().read().await?;
        Ok(records::settings(&tx, &[person]).await?.remove(&person).unwrap_or_default())
    }

    /// Keeps how the actor wants to be told, from the next notice on.
    ///
    /// # Errors
    /// When the actor's token is not good for it.
    pub async fn set_notice_settings(
        &self,
        actor: &Actor,
        settings: &NoticeSettings,
    ) -> Result<(), Error> {
        actor.may(Action::ManageNotices, &[])?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        records::set_settings(&tx, person, settings).await?;
        let entry = Entry {
            action: "notices.settings",
            object: &format!("person:{person}"),
            rule: "ManageNotices",
            detail: &format!("letters: {}, in {}", settings.mail.word(), settings.language),
        };
        self.audit(&tx, actor, entry).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests;
