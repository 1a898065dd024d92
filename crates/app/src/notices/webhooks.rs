//! Webhooks: where somebody wants their notices sent, signed so that the receiver knows the hub.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use store::Tx;
use store::notices::webhooks::{self as records, Delivery, DeliveryState, WebhookRecord};
use units::{PersonId, Timestamp};
use uuid::Uuid;

use super::{Failure, Notice, PersonNews, address, retry};
use crate::audit::Entry;
use crate::{Action, Actor, App, Error};

/// The most webhooks of one person.
const OWN_MAX: usize = 10;
/// The most deliveries that one turn takes up.
const TURN_MAX: u32 = 200;
/// How many deliveries its owner is shown.
const SHOWN_MAX: u32 = 50;
/// After how long without a single success nothing is sent to a webhook any more.
const PATIENCE: SignedDuration = SignedDuration::from_hours(72);

/// A webhook as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Which.
    pub id: Uuid,
    /// Where it leads.
    pub url: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Since when every delivery has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when nothing is sent there.
    pub disabled_at: Option<Timestamp>,
}

/// A notice on its way to a webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct Parcel {
    /// Where it goes.
    pub webhook: Uuid,
    /// Whose webhook it is.
    pub person: PersonId,
    /// The address.
    pub url: String,
    /// What it is signed with, as its owner was shown it.
    pub secret: String,
    /// What is told, and how often it was tried.
    pub delivery: Delivery,
}

impl From<WebhookRecord> for Webhook {
    fn from(it: WebhookRecord) -> Self {
        let WebhookRecord { id, url, made_at, failing_since, disabled_at, .. } = it;
        Self { id, url, made_at, failing_since, disabled_at }
    }
}

impl App {
    /// The actor's webhooks, oldest first.
    ///
    /// # Errors
    /// When nobody is signed in.
    pub async fn webhooks(&self, actor: &Actor) -> Result<Vec<Webhook>, Error> {
        actor.may(Action::ReadNotices, &[])?;
        let tx = self.store().read().await?;
        let own = records::of_person(&tx, actor.person_id()?).await?;
        Ok(own.into_iter().map(Webhook::from).collect())
    }

    /// Sends the actor's notices to `url` from now on. Gives back the secret that everything sent
    /// there is signed with; it is shown only now.
    ///
    /// # Errors
    /// When the actor may not, the address is not one, or they have enough of them.
    pub async fn add_webhook(&self, actor: &Actor, url: &str) -> Result<(Webhook, String), Error> {
        actor.may(Action::ManageNotices, &[])?;
        let url = address::receiver(url, self.parts.post.private_webhooks)?;
        let person = actor.person_id()?;
        let tx = self.store().write().await?;
        if records::of_person(&tx, person).await?.len() >= OWN_MAX {
            let text = format!("you have {OWN_MAX} webhooks; delete one first");
            return Err(Error::invalid("url", text));
        }
        let webhook = WebhookRecord {
            id: self.clock().mint(),
            person,
            url: url.to_string(),
            secret: new_secret()?,
            made_at: self.now(),
            failing_since: None,
            disabled_at: None,
        };
        records::insert(&tx, &webhook).await?;
        self.audit_webhook(&tx, actor, ("webhook.add", &webhook)).await?;
        tx.commit().await?;
        let secret = webhook.secret.clone();
        Ok((webhook.into(), secret))
    }

    /// Deletes a webhook of the actor's, with what is still to be sent there.
    ///
    /// # Errors
    /// When it is not theirs.
    pub async fn delete_webhook(&self, actor: &Actor, id: Uuid) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let webhook = self.own_webhook(&tx, actor, (Action::ManageNotices, id)).await?;
        records::delete(&tx, id).await?;
        self.audit_webhook(&tx, actor, ("webhook.delete", &webhook)).await?;
        Ok(tx.commit().await?)
    }

    /// Sends something to a webhook, so that its owner sees whether it arrives. One that was
    /// disabled is sent to again from now on.
    ///
    /// # Errors
    /// When it is not the actor's.
    pub async fn test_webhook(&self, actor: &Actor, id: Uuid) -> Result<(), Error> {
        let tx = self.store().write().await?;
        let webhook = self.own_webhook(&tx, actor, (Action::ManageNotices, id)).await?;
        if webhook.disabled_at.is_some() {
            records::set_health(&tx, id, (None, None)).await?;
        }
        let telling = Notice::Person(webhook.person, PersonNews::WebhookTested).telling();
        if let Some(notice) = self.put_notice(&tx, &telling).await? {
            records::send_to(&tx, (id, notice), self.now()).await?;
        }
        self.audit_webhook(&tx, actor, ("webhook.test", &webhook)).await?;
        Ok(tx.commit().await?)
    }

    /// The last deliveries of a webhook of the actor's, newest first.
    ///
    /// # Errors
    /// When it is not theirs.
    pub async fn deliveries(&self, actor: &Actor, id: Uuid) -> Result<Vec<Delivery>, Error> {
        let tx = self.store().read().await?;
        self.own_webhook(&tx, actor, (Action::ReadNotices, id)).await?;
        Ok(records::deliveries(&tx, id, SHOWN_MAX).await?)
    }

    /// What is due to be sent to webhooks.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn parcels_due(&self) -> Result<Vec<Parcel>, Error> {
        let tx = self.store().read().await?;
        let due = records::due(&tx, self.now(), TURN_MAX).await?;
        let parcel = |(webhook, delivery): (WebhookRecord, Delivery)| Parcel {
            webhook: webhook.id,
            person: webhook.person,
            url: webhook.url,
            secret: webhook.secret,
            delivery,
        };
        Ok(due.into_iter().map(parcel).collect())
    }

    /// Enters what became of a delivery: `answered` is the receiver's status, if it answered. What
    /// failed is tried again later or given up; a webhook that has failed for three days without a
    /// single success is disabled, and its owner is told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn settle_parcel(
        &self,
        parcel: &Parcel,
        (answered, failure): (Option<u16>, Option<&Failure>),
    ) -> Result<(), Error> {
        let now = self.now();
        let attempts = parcel.delivery.attempts.saturating_add(1);
        let again = match failure {
            Some(Failure { for_good: false, .. }) => retry::again(attempts, now),
            _ => None,
        };
        let state = match (failure, again) {
            (None, _) => DeliveryState::Delivered,
            (Some(_), Some(_)) => DeliveryState::Due,
            (Some(_), None) => DeliveryState::GivenUp,
        };
        let after = Delivery {
            state,
            due_at: again,
            attempts,
            status: answered,
            error: failure.map(|failure| failure.text.clone()),
            ended_at: again.is_none().then_some(now),
            ..parcel.delivery.clone()
        };
        let tx = self.store().write().await?;
        let Some(webhook) = records::by_id(&tx, parcel.webhook).await? else { return Ok(()) };
        records::settle(&tx, (webhook.id, parcel.delivery.notice.id), &after).await?;
        self.watch_health(&tx, &webhook, failure.is_some()).await?;
        Ok(tx.commit().await?)
    }

    /// Enters whether a webhook works, and disables one that has failed for too long.
    async fn watch_health(
        &self,
        tx: &Tx,
        webhook: &WebhookRecord,
        failed: bool,
    ) -> Result<(), Error> {
        let now = self.now();
        if !failed {
            if webhook.failing_since.is_some() {
                records::set_health(tx, webhook.id, (None, webhook.disabled_at)).await?;
            }
            return Ok(());
        }
        let since = webhook.failing_since.unwrap_or(now);
        if now.duration_since(since) < PATIENCE || webhook.disabled_at.is_some() {
            return Ok(
                records::set_health(tx, webhook.id, (Some(since), webhook.disabled_at)).await?
            );
        }
        records::set_health(tx, webhook.id, (Some(since), Some(now))).await?;
        records::give_up(tx, webhook.id, "the webhook was disabled", now).await?;
        let system = Actor::system();
        self.audit_webhook(tx, &system, ("webhook.disable", webhook)).await?;
        let news = PersonNews::WebhookDisabled { url: webhook.url.clone(), since };
        self.tell(tx, &system, &Notice::Person(webhook.person, news)).await?;
        Ok(())
    }

    async fn own_webhook(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, Uuid),
    ) -> Result<WebhookRecord, Error> {
        actor.may(action, &[])?;
        let person = actor.person_id()?;
        let found = records::by_id(tx, id).await?.filter(|webhook| webhook.person == person);
        found.ok_or(Error::NotFound("webhook"))
    }

    async fn audit_webhook(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, webhook): (&str, &WebhookRecord),
    ) -> Result<(), Error> {
        let object = format!("webhook:{}", webhook.id);
        let entry = Entry { action, object: &object, rule: "ManageNotices", detail: &webhook.url };
        self.audit(tx, actor, entry).await
    }
}

/// A secret of 256 random bits in the form that libraries for Standard Webhooks read.
fn new_secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Internal(format!("no randomness: {error}")))?;
    Ok(format!("whsec_{}", STANDARD.encode(bytes)))
}
