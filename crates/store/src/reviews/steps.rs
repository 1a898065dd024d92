//! The steps of a review beside the reviews themselves: the factory's check, what reviewers agree
//! on, the applicant's answer and appeal.

use std::collections::BTreeMap;

use access::review::Points;
use sea_orm::FromQueryResult;
use units::{ApplicationId, CallId, PersonId, Slug, Timestamp};

use super::{points, points_text};
use crate::db::{instant, micros};
use crate::{StoreError, Tx};

/// The factory's word on whether it can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TechnicalCheck {
    /// Whether it can.
    pub feasible: bool,
    /// Why, or with what advice.
    pub remark: String,
    /// Who said so.
    pub checked_by: PersonId,
    /// When.
    pub checked_at: Timestamp,
}

/// What the reviewers have agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The points, by criterion.
    pub scores: BTreeMap<Slug, Points>,
    /// How they came to it.
    pub remark: String,
    /// Who entered it.
    pub entered_by: PersonId,
    /// When.
    pub entered_at: Timestamp,
}

/// The applicant's answer to the reviews.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuttal {
    /// Since when the applicant reads the reviews.
    pub shown_at: Timestamp,
    /// Until when they may answer.
    pub closes_at: Timestamp,
    /// What they say, once they have.
    pub text: Option<String>,
}

/// An appeal against a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// Why.
    pub text: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// Whether it was right, once somebody has decided.
    pub upheld: Option<bool>,
    /// Why it was or was not.
    pub answer: Option<String>,
}

#[derive(FromQueryResult)]
struct CheckRow {
    application: uuid::Uuid,
    feasible: bool,
    remark: String,
    checked_by: uuid::Uuid,
    checked_at: i64,
}

impl CheckRow {
    fn read(self) -> Result<(ApplicationId, TechnicalCheck), StoreError> {
        let check = TechnicalCheck {
            feasible: self.feasible,
            remark: self.remark,
            checked_by: PersonId::from_uuid(self.checked_by),
            checked_at: instant(self.checked_at)?,
        };
        Ok((ApplicationId::from_uuid(self.application), check))
    }
}

#[derive(FromQueryResult)]
struct AgreedRow {
    application: uuid::Uuid,
    scores: String,
    remark: String,
    entered_by: uuid::Uuid,
    entered_at: i64,
}

impl AgreedRow {
    fn read(self) -> Result<(ApplicationId, Agreed), StoreError> {
        let agreed = Agreed {
            scores: points(&self.scores)?,
            remark: self.remark,
            entered_by: PersonId::from_uuid(self.entered_by),
            entered_at: instant(self.entered_at)?,
        };
        Ok((ApplicationId::from_uuid(self.application), agreed))
    }
}

/// Enters the factory's check, in place of an earlier one.
///
/// # Errors
/// When the database fails.
pub async fn check_technically(
    tx: &Tx,
    application: ApplicationId,
    check: &TechnicalCheck,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO technical_check
        (application, feasible, remark, checked_by, checked_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (application) DO UPDATE SET feasible = $2, remark = $3, checked_by = $4,
            checked_at = $5";
    let values = [
        application.uuid().into(),
        check.feasible.into(),
        check.remark.clone().into(),
        check.checked_by.uuid().into(),
        micros(check.checked_at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// The factory's check of an application.
///
/// # Errors
/// When the database fails.
pub async fn technical_check(
    tx: &Tx,
    application: ApplicationId,
) -> Result<Option<TechnicalCheck>, StoreError> {
    const SQL: &str = "SELECT * FROM technical_check WHERE application = $1";
    let found = tx.one::<CheckRow>(SQL, [application.uuid().into()]).await?;
    Ok(found.map(CheckRow::read).transpose()?.map(|(_, check)| check))
}

/// The factories' checks of the applications that wait for a decision under a call.
///
/// # Errors
/// When the database fails.
pub async fn technical_checks(
    tx: &Tx,
    call: CallId,
) -> Result<BTreeMap<ApplicationId, TechnicalCheck>, StoreError> {
    const SQL: &str = "SELECT t.* FROM technical_check t JOIN application a ON a.id = t.application
        WHERE a.call = $1 AND a.state = 'submitted'";
    let rows = tx.all::<CheckRow>(SQL, [call.uuid().into()]).await?;
    rows.into_iter().map(CheckRow::read).collect()
}

/// Enters what the reviewers have agreed on, in place of what they agreed on before.
///
/// # Errors
/// When the database fails.
pub async fn enter_agreed(
    tx: &Tx,
    application: ApplicationId,
    agreed: &Agreed,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO agreed_review
        (application, scores, remark, entered_by, entered_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (application) DO UPDATE SET scores = $2, remark = $3, entered_by = $4,
            entered_at = $5";
    let values = [
        application.uuid().into(),
        points_text(&agreed.scores)?.into(),
        agreed.remark.clone().into(),
        agreed.entered_by.uuid().into(),
        micros(agreed.entered_at).into(),
    ];
    tx.execute(SQL, values).await?;
    Ok(())
}

/// What the reviewers of an application have agreed on.
///
/// # Errors
/// When the database fails.
pub async fn agreed(tx: &Tx, application: ApplicationId) -> Result<Option<Agreed>, StoreError> {
    const SQL: &str = "SELECT * FROM agreed_review WHERE application = $1";
    let found = tx.one::<AgreedRow>(SQL, [application.uuid().into()]).await?;
    Ok(found.map(AgreedRow::read).transpose()?.map(|(_, agreed)| agreed))
}

/// What the reviewers have agreed on over applications that wait for a decision under a call.
///
/// # Errors
/// When the database fails.
pub async fn agreed_of_call(
    tx: &Tx,
    call: CallId,
) -> Result<BTreeMap<ApplicationId, Agreed>, StoreError> {
    const SQL: &str = "SELECT g.* FROM agreed_review g JOIN application a ON a.id = g.application
        WHERE a.call = $1 AND a.state = 'submitted'";
    let rows = tx.all::<AgreedRow>(SQL, [call.uuid().into()]).await?;
    rows.into_iter().map(AgreedRow::read).collect()
}

/// Lets the applicant read the reviews and answer until `closes_at`. `false` when they may already.
///
/// # Errors
/// When the database fails.
pub async fn open_rebuttal(
    tx: &Tx,
    application: ApplicationId,
    by: PersonId,
    (at, closes_at): (Timestamp, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO rebuttal (application, shown_by, shown_at, closes_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (application) DO NOTHING";
    let values =
        [application.uuid().into(), by.uuid().into(), micros(at).into(), micros(closes_at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Enters the applicant's answer. `false` when there is one already, or none is asked for.
///
/// # Errors
/// When the database fails.
pub async fn answer_rebuttal(
    tx: &Tx,
    application: ApplicationId,
    text: &str,
    at: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE rebuttal SET text = $2, answered_at = $3
        WHERE application = $1 AND text IS NULL";
    let values = [application.uuid().into(), text.into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Where the applicant's answer stands.
///
/// # Errors
/// When the database fails.
pub async fn rebuttal(tx: &Tx, application: ApplicationId) -> Result<Option<Rebuttal>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        shown_at: i64,
        closes_at: i64,
        text: Option<String>,
    }
    const SQL: &str = "SELECT shown_at, closes_at, text FROM rebuttal WHERE application = $1";
    let found = tx.one::<Row>(SQL, [application.uuid().into()]).await?;
    let read = |row: Row| {
        Ok(Rebuttal {
            shown_at: instant(row.shown_at)?,
            closes_at: instant(row.closes_at)?,
            text: row.text,
        })
    };
    found.map(read).transpose()
}

/// Enters an appeal. `false` when one was made already.
///
/// # Errors
/// When the database fails.
pub async fn make_appeal(
    tx: &Tx,
    application: ApplicationId,
    text: &str,
    (by, at): (PersonId, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "INSERT INTO appeal (application, text, made_by, made_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (application) DO NOTHING";
    let values = [application.uuid().into(), text.into(), by.uuid().into(), micros(at).into()];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// Enters what came of an appeal. `false` when there is none that waits.
///
/// # Errors
/// When the database fails.
pub async fn decide_appeal(
    tx: &Tx,
    application: ApplicationId,
    (upheld, answer): (bool, &str),
    (by, at): (PersonId, Timestamp),
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE appeal SET upheld = $2, answer = $3, decided_by = $4, decided_at = $5
        WHERE application = $1 AND decided_at IS NULL";
    let values = [
        application.uuid().into(),
        upheld.into(),
        answer.into(),
        by.uuid().into(),
        micros(at).into(),
    ];
    Ok(tx.execute(SQL, values).await? > 0)
}

/// The appeal over an application.
///
/// # Errors
/// When the database fails.
pub async fn appeal(tx: &Tx, application: ApplicationId) -> Result<Option<Appeal>, StoreError> {
    #[derive(FromQueryResult)]
    struct Row {
        text: String,
        made_at: i64,
        upheld: Option<bool>,
        answer: Option<String>,
    }
    const SQL: &str = "SELECT text, made_at, upheld, answer FROM appeal WHERE application = $1";
    let found = tx.one::<Row>(SQL, [application.uuid().into()]).await?;
    let read = |row: Row| {
        Ok(Appeal {
            text: row.text,
            made_at: instant(row.made_at)?,
            upheld: row.upheld,
            answer: row.answer,
        })
    };
    found.map(read).transpose()
}
