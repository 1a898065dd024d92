//! Invitations: a role offered to whoever opens a link. Roles and scopes are text here.

use sea_orm::FromQueryResult;
use units::{PersonId, Timestamp};
use uuid::Uuid;

use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRecord {
    /// Which.
    pub id: Uuid,
    /// The address it was sent to.
    pub email: String,
    /// The role offered, by its name.
    pub role: String,
    /// Where it is to hold.
    pub scope: String,
    /// The code of the language of its letter.
    pub language: String,
    /// Who invites.
    pub invited_by: PersonId,
    /// When.
    pub invited_at: Timestamp,
    /// Until when it may be accepted.
    pub expires_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// Who has accepted it, and when.
    pub accepted: Option<(PersonId, Timestamp)>,
    /// How its letter fares.
    pub letter: InvitationLetter,
}

/// How the letter of an invitation fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvitationLetter {
    /// When it is sent (again).
    pub due_at: Option<Timestamp>,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it left.
    pub sent_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    email: String,
    role: String,
    scope: String,
    language: String,
    invited_by: Uuid,
    invited_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    accepted_by: Option<Uuid>,
    accepted_at: Option<i64>,
    mail_due_at: Option<i64>,
    mail_attempts: i64,
    mail_error: Option<String>,
    mail_sent_at: Option<i64>,
}

impl Row {
    fn record(self) -> Result<InvitationRecord, StoreError> {
        let accepted = match (self.accepted_by, self.accepted_at) {
            (Some(by), Some(at)) => Some((PersonId::from_uuid(by), instant(at)?)),
            _ => None,
        };
        Ok(InvitationRecord {
            id: self.id,
            email: self.email,
            role: self.role,
            scope: self.scope,
            language: self.language,
            invited_by: PersonId::from_uuid(self.invited_by),
            invited_at: instant(self.invited_at)?,
            expires_at: instant(self.expires_at)?,
            revoked_at: self.revoked_at.map(instant).transpose()?,
            accepted,
            letter: InvitationLetter {
                due_at: self.mail_due_at.map(instant).transpose()?,
                attempts: u32::try_from(self.mail_attempts).unwrap_or(u32::MAX),
                error: self.mail_error,
                sent_at: self.mail_sent_at.map(instant).transpose()?,
            },
        })
    }
}

/// Puts an invitation on record; `hash` is that of its secret, once it has one.
///
/// # Errors
/// When the database fails.
pub async fn insert(
    tx: &Tx,
    invitation: &InvitationRecord,
    hash: Option<&str>,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO invitation (id, email, role, scope, language, hash, invited_by,
            invited_at, expires_at, mail_due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = [
        invitation.id.into(),
        invitation.email.as_str().into(),
        invitation.role.as_str().into(),
        invitation.scope.as_str().into(),
        invitation.language.as_str().into(),
        hash.map(str::to_owned).into(),
        invitation.invited_by.uuid().into(),
        micros(invitation.invited_at).into(),
        micros(invitation.expires_at).into(),
        invitation.letter.due_at.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// An invitation.
///
/// # Errors
/// When the database fails.
pub async fn by_id(tx: &Tx, id: Uuid) -> Result<Option<InvitationRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM invitation WHERE id = $1";
    tx.one::<Row>(SQL, [id.into()]).await?.map(Row::record).transpose()
}

/// The invitation whose secret has this hash.
///
/// # Errors
/// When the database fails.
pub async fn by_hash(tx: &Tx, hash: &str) -> Result<Option<InvitationRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM invitation WHERE hash = $1";
    tx.one::<Row>(SQL, [hash.into()]).await?.map(Row::record).transpose()
}

/// The last invitations into `scope`, newest first.
///
/// # Errors
/// When the database fails.
pub async fn in_scope(
    tx: &Tx,
    scope: &str,
    limit: u32,
) -> Result<Vec<InvitationRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM invitation WHERE scope = $1
        ORDER BY invited_at DESC, id DESC LIMIT $2";
    let rows = tx.all::<Row>(SQL, [scope.into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// How many invitations into `scope` may still be accepted at `now`.
///
/// # Errors
/// When the database fails.
pub async fn count_open(tx: &Tx, scope: &str, now: Timestamp) -> Result<i64, StoreError> {
    #[derive(FromQueryResult)]
    struct Count {
        total: i64,
    }
    const SQL: &str = "SELECT CAST(COUNT(*) AS BIGINT) AS total FROM invitation
        WHERE scope = $1 AND expires_at > $2 AND revoked_at IS NULL AND accepted_at IS NULL";
    let count = tx.one::<Count>(SQL, [scope.into(), micros(now).into()]).await?;
    Ok(count.map_or(0, |count| count.total))
}

/// Takes an invitation back; `false` when it was accepted or taken back before.
///
/// # Errors
/// When the database fails.
pub async fn revoke(tx: &Tx, id: Uuid, at: Timestamp) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE invitation SET revoked_at = $2, mail_due_at = NULL
        WHERE id = $1 AND revoked_at IS NULL AND accepted_at IS NULL";
    Ok(tx.execute(SQL, [id.into(), micros(at).into()]).await? > 0)
}

/// Enters who has accepted an invitation; `false` when that is no longer possible.
///
/// # Errors
/// When the database fails.
pub async fn accept(
    tx: &Tx,
    id: Uuid,
    (by, at): (PersonId, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE invitation SET accepted_by = $2, accepted_at = $3, mail_due_at = NULL
        WHERE id = $1 AND revoked_at IS NULL AND accepted_at IS NULL AND expires_at > $3";
    Ok(tx.execute(SQL, [id.into(), by.uuid().into(), micros(at).into()]).await? > 0)
}

/// Invitations whose letters are due at `now`, and that may still be accepted.
///
/// # Errors
/// When the database fails.
pub async fn due(tx: &Tx, now: Timestamp, limit: u32) -> Result<Vec<InvitationRecord>, StoreError> {
    const SQL: &str = "SELECT * FROM invitation WHERE mail_due_at <= $1 AND expires_at > $1
        ORDER BY mail_due_at, id LIMIT $2";
    let rows = tx.all::<Row>(SQL, [micros(now).into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(Row::record).collect()
}

/// Gives an invitation the secret with this hash; the one before works no more.
///
/// # Errors
/// When the database fails.
pub async fn set_hash(tx: &Tx, id: Uuid, hash: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE invitation SET hash = $2 WHERE id = $1", [id.into(), hash.into()]).await?;
    Ok(())
}

/// Enters how the letter of an invitation fares.
///
/// # Errors
/// When the database fails.
pub async fn set_letter(tx: &Tx, id: Uuid, letter: &InvitationLetter) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE invitation SET mail_due_at = $2, mail_attempts = $3, mail_error = $4,
            mail_sent_at = $5
        WHERE id = $1";
    let values = [
        id.into(),
        letter.due_at.map(micros).into(),
        i64::from(letter.attempts).into(),
        letter.error.clone().into(),
        letter.sent_at.map(micros).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}
