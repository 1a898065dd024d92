//! Webhooks: where somebody wants their notices sent, and what became of each.

use sea_orm::{FromQueryResult, Value};
use units::{PersonId, Timestamp};
use uuid::Uuid;

use super::{NoticeRecord, PEOPLE_MAX, Row as NoticeRow};
use crate::db::{instant, micros};
use crate::ledger::is_in;
use crate::scope::chosen;
use crate::{StoreError, Tx};

/// A webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookRecord {
    /// Which.
    pub id: Uuid,
    /// Whose notices go there.
    pub person: PersonId,
    /// Where they go.
    pub url: String,
    /// What they are signed with.
    pub secret: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Since when every delivery has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when nothing is sent there.
    pub disabled_at: Option<Timestamp>,
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, or sent again.
    Due,
    /// The receiver took it.
    Delivered,
    /// It is not tried again.
    GivenUp,
}

impl DeliveryState {
    /// Every state with its word.
    pub const WORDS: [(&'static str, Self); 3] =
        [("due", Self::Due), ("delivered", Self::Delivered), ("given-up", Self::GivenUp)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, it)| *it == self).map_or("", |(word, _)| word)
    }
}

/// A notice on its way to a webhook, or arrived there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What is told.
    pub notice: NoticeRecord,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is sent (again).
    pub due_at: Option<Timestamp>,
    /// How often it was sent.
    pub attempts: u32,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was delivered or given up.
    pub ended_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    person: Uuid,
    url: String,
    secret: String,
    made_at: i64,
    failing_since: Option<i64>,
    disabled_at: Option<i64>,
}

impl Row {
    fn record(self) -> Result<WebhookRecord, StoreError> {
        Ok(WebhookRecord {
            id: self.id,
            person: PersonId::from_uuid(self.person),
            url: self.url,
            secret: self.secret,
            made_at: instant(self.made_at)?,
            failing_since: self.failing_since.map(instant).transpose()?,
            disabled_at: self.disabled_at.map(instant).transpose()?,
        })
    }
}

#[derive(FromQueryResult)]
struct DeliveryRow {
    #[sea_orm(nested)]
    notice: NoticeRow,
    webhook: Uuid,
    state: String,
    due_at: Option<i64>,
    attempts: i64,
    status: Option<i64>,
    error: Option<String>,
    ended_at: Option<i64>,
}

impl DeliveryRow {
    fn delivery(self) -> Result<Delivery, StoreError> {
        Ok(Delivery {
            notice: self.notice.record()?,
            state: chosen("state of a delivery", &DeliveryState::WORDS, &self.state)?,
            due_at: self.due_at.map(instant).transpose()?,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            status: self.status.and_then(|status| u16::try_from(status).ok()),
            error: self.error,
            ended_at: self.ended_at.map(instant).transpose()?,
        })
    }
}

/// The columns of a [`DeliveryRow`].
const DELIVERY: &str = "SELECT n.id, n.kind, n.facts, n.link, n.told_at, d.webhook, d.state,
        d.due_at, d.attempts, d.status, d.error, d.ended_at
    FROM webhook_delivery d JOIN notice n ON n.id = d.notice";

/// Puts a webhook on record.
///
/// # Errors
/// When the database fails.
pub async fn insert(tx: &Tx, webhook: &WebhookRecord) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO webhook (id, person, url, secret, made_at)
        VALUES ($1, $2, $3, $4, $5)";
    let values = [
        webhook.id.into(),
        webhook.person.uuid().into(),
        webhook.url.as_str().into(),
        webhook.secret.as_str().into(),
        micros(webhook.made_at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Somebody's webhooks, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn of_person(tx: &Tx, person: PersonId) -> Result<Vec<WebhookRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM webhook WHERE person = $1 ORDER BY made_at, id";
    tx.all::<Row>(SQL, [person.uuid().into()]).await?.into_iter().map(Row::record).collect()
}

/// A webhook.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: Uuid) -> Result<Option<WebhookRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM webhook WHERE id = $1";
    tx.one::<Row>(SQL, [id.into()]).await?.map(Row::record).transpose()
}

/// Forgets a webhook, with its deliveries.
///
/// # Errors
/// When the database fails.
pub async fn delete(tx: &Tx, id: Uuid) -> Result<(), StoreError> {
    tx.execute("DELETE FROM webhook_delivery WHERE webhook = $1", [id.into()]).await?;
    tx.execute("DELETE FROM webhook WHERE id = $1", [id.into()]).await?;
    Ok(())
}

/// Sends a notice to the webhooks of these people that are not disabled, from `now` on.
///
/// # Errors
/// When the database fails.
pub async fn send(
    tx: &Tx,
    notice: Uuid,
    people: &[PersonId],
    now: Timestamp,
) -> Result<(), StoreError> {
    for people in people.chunks(PEOPLE_MAX) {
        let sql = format!(
            "INSERT INTO webhook_delivery (webhook, notice, state, due_at)
            SELECT id, ${}, 'due', ${} FROM webhook WHERE disabled_at IS NULL AND {}",
            people.len().saturating_add(1),
            people.len().saturating_add(2),
            is_in("person", people.len())
        );
        let whose = people.iter().map(|person| Value::from(person.uuid()));
        tx.execute(&sql, whose.chain([notice.into(), micros(now).into()])).await?;
    }
    Ok(())
}

/// Sends a notice to one webhook.
///
/// # Errors
/// When the database fails.
pub async fn send_to(
    tx: &Tx,
    (webhook, notice): (Uuid, Uuid),
    now: Timestamp,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO webhook_delivery (webhook, notice, state, due_at)
        VALUES ($1, $2, 'due', $3)";
    tx.execute(SQL, [webhook.into(), notice.into(), micros(now).into()]).await?;
    Ok(())
}

/// What is due at `now`, longest due first, with the webhook it goes to.
///
/// # Errors
/// When the database fails.
pub async fn due(
    tx: &Tx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(WebhookRecord, Delivery)>, StoreError> {
    let sql = format!("{DELIVERY} WHERE d.due_at <= $1 ORDER BY d.due_at, d.notice LIMIT $2");
    let rows = tx.all::<DeliveryRow>(&sql, [micros(now).into(), i64::from(limit).into()]).await?;
    let mut due = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(webhook) = by_id(tx, row.webhook).await? {
            due.push((webhook, row.delivery()?));
        }
    }
    Ok(due)
}

/// The last deliveries of a webhook, newest first.
///
/// # Errors
/// When the database fails.
pub async fn deliveries(tx: &Tx, webhook: Uuid, limit: u32) -> Result<Vec<Delivery>, StoreError> {
    let sql = format!("{DELIVERY} WHERE d.webhook = $1 ORDER BY d.notice DESC LIMIT $2");
    let rows = tx.all::<DeliveryRow>(&sql, [webhook.into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(DeliveryRow::delivery).collect()
}

/// Enters how a delivery stands after an attempt.
///
/// # Errors
/// When the database fails.
pub async fn settle(
    tx: &Tx,
    (webhook, notice): (Uuid, Uuid),
    after: &Delivery,
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE webhook_delivery SET state = $3, due_at = $4, attempts = $5,
            status = $6, error = $7, ended_at = $8
        WHERE webhook = $1 AND notice = $2";
    let values = [
        webhook.into(),
        notice.into(),
        after.state.word().into(),
        after.due_at.map(micros).into(),
        i64::from(after.attempts).into(),
        after.status.map(i64::from).into(),
        after.error.clone().into(),
        after.ended_at.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Enters since when a webhook has failed, and since when it is disabled.
///
/// # Errors
/// When the database fails.
pub async fn set_health(
    tx: &Tx,
    id: Uuid,
    (failing_since, disabled_at): (Option<Timestamp>, Option<Timestamp>),
) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE webhook SET failing_since = $2, disabled_at = $3 WHERE id = $1";
    let values = [id.into(), failing_since.map(micros).into(), disabled_at.map(micros).into()];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// Gives up everything that is still to be sent to a webhook.
///
/// # Errors
/// When the database fails.
pub async fn give_up(tx: &Tx, id: Uuid, why: &str, now: Timestamp) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE webhook_delivery SET state = 'given-up', due_at = NULL, error = $2,
            ended_at = $3
        WHERE webhook = $1 AND state = 'due'";
    tx.execute(SQL, [id.into(), why.into(), micros(now).into()]).await?;
    Ok(())
}

/// How many webhooks there are, and how many of them fail or are disabled.
///
/// # Errors
/// When the database fails.
pub async fn count(tx: &Tx) -> Result<(i64, i64), StoreError> {
    #[derive(FromQueryResult)]
    struct Count {
        total: i64,
        failing: i64,
    }
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS total,
            CAST(COUNT(CASE WHEN failing_since IS NOT NULL OR disabled_at IS NOT NULL THEN 1 END)
                AS BIGINT) AS failing
        FROM webhook";
    let count = tx.one::<Count>(SQL, []).await?;
    Ok(count.map_or((0, 0), |count| (count.total, count.failing)))
}
