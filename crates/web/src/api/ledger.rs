//! The books: every entry, and the check of the whole.

use app::App;
use app::ledger::Check;
use axum::extract::State;
use ledger::{Account, Entry, Movements, Seq, Transfer, Unit};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::wire::Instant;
use crate::Actor;
use crate::extract::{Json, Query};
use crate::page::{Page, PageQuery};
use crate::problem::{Kind, Problem};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(check)).routes(routes!(entries))
}

/// The outcome of a check of the whole ledger.
#[derive(Serialize, ToSchema)]
pub(crate) struct LedgerCheckOut {
    /// When the check was made.
    checked_at: Instant,
    /// Whether every hash, sum, floor, share and balance is right.
    sound: bool,
    /// The first thing that is wrong; absent when the ledger is sound.
    #[schema(example = "entry 6 is broken: it stands where entry 5 should")]
    finding: Option<String>,
    /// What was checked; absent when the ledger is not sound.
    checked: Option<BooksOut>,
}

/// What a sound ledger holds.
#[derive(Serialize, ToSchema)]
pub(crate) struct BooksOut {
    entries: u64,
    transfers: u64,
    accounts: u64,
    /// The position of the last entry; 0 in an empty ledger.
    head_seq: i64,
    /// Its hash: who keeps it can show later that nothing before it was changed.
    head_hash: String,
}

impl From<Check> for LedgerCheckOut {
    fn from(check: Check) -> Self {
        let checked_at = check.at.into();
        match check.outcome {
            Err(finding) => {
                let finding = Some(finding.to_string());
                Self { checked_at, sound: false, finding, checked: None }
            }
            Ok(verified) => {
                let checked = BooksOut {
                    entries: verified.entries,
                    transfers: verified.transfers,
                    accounts: verified.accounts,
                    head_seq: verified.head.seq.map_or(0, Seq::number),
                    head_hash: verified.head.hash.to_string(),
                };
                Self { checked_at, sound: true, finding: None, checked: Some(checked) }
            }
        }
    }
}

/// Check the whole ledger now, from its first entry on.
#[utoipa::path(
    get, path = "/ledger/check", tag = "ledger",
    responses((status = 200, body = LedgerCheckOut, description = "Sound, or what is wrong")),
)]
async fn check(State(app): State<App>, actor: Actor) -> Result<Json<LedgerCheckOut>, Problem> {
    Ok(Json(app.check_ledger(&actor, |_| {}).await?.into()))
}

/// One entry of the books.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntryOut {
    /// Its position, from 1.
    seq: i64,
    id: Uuid,
    at: Instant,
    /// Who made it: `person:…`, `site:…` or `hub`.
    author: String,
    /// What it does.
    #[schema(example = "settle")]
    kind: String,
    /// The allocation concerned; of a transfer, the one that gives.
    allocation: Option<Uuid>,
    /// Of a transfer, the allocation that receives.
    recipient: Option<Uuid>,
    /// The job concerned.
    job: Option<Uuid>,
    /// The position of the entry that this one answers.
    refers_to: Option<i64>,
    /// What is held, used, or added to a charge, in unit-seconds.
    amount: Option<i64>,
    /// Why.
    reason: String,
    transfers: Vec<TransferOut>,
    /// The hash of the entry before it.
    previous_hash: String,
    /// Its own hash.
    hash: String,
}

/// An amount that leaves one account and reaches another.
#[derive(Serialize, ToSchema)]
pub(crate) struct TransferOut {
    #[schema(example = "meluxina-ai.gpu:gpu/held/018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10/union")]
    from: String,
    #[schema(example = "meluxina-ai.gpu:gpu/used/018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10/union")]
    to: String,
    /// In unit-seconds or, between accounts of euros, in cents.
    #[schema(minimum = 1)]
    amount: i64,
}

impl<U: Unit> From<&Transfer<U>> for TransferOut {
    fn from(transfer: &Transfer<U>) -> Self {
        let name = |account: &Account<U>| account.to_string();
        Self {
            from: name(transfer.from()),
            to: name(transfer.to()),
            amount: transfer.amount().count(),
        }
    }
}

impl From<Entry> for EntryOut {
    fn from(entry: Entry) -> Self {
        let parts = entry.kind().parts();
        Self {
            seq: entry.seq().number(),
            id: entry.stamp().id().uuid(),
            at: entry.stamp().at().into(),
            author: entry.stamp().author().to_string(),
            kind: entry.kind().name().to_owned(),
            allocation: parts.allocation.map(|id| id.uuid()),
            recipient: parts.recipient.map(|id| id.uuid()),
            job: parts.job.map(|id| id.uuid()),
            refers_to: parts.refers.map(Seq::number),
            amount: parts.amount.map(|amount| amount.count()),
            reason: entry.reason().to_owned(),
            transfers: match entry.movements() {
                Movements::Hours(transfers) => transfers.iter().map(Into::into).collect(),
                Movements::Euros(transfers) => transfers.iter().map(Into::into).collect(),
            },
            previous_hash: entry.previous().to_string(),
            hash: entry.hash().to_string(),
        }
    }
}

/// The entries of the books, from the first on.
#[utoipa::path(
    get, path = "/ledger/entries", tag = "ledger", params(PageQuery),
    responses((status = 200, body = Page<EntryOut>, description = "One page of them")),
)]
async fn entries(
    State(app): State<App>,
    actor: Actor,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<EntryOut>>, Problem> {
    let limit = query.limit()?;
    let after = query.after::<i64>()?;
    let unknown = || Problem::with(Kind::BadRequest, "the cursor is not one of this list");
    let after = after.map(|number| Seq::new(number).ok_or_else(unknown)).transpose()?;
    let found = app.ledger_entries(&actor, after, limit).await?;
    Ok(Json(Page::new(found, limit, |entry| entry.seq())))
}

#[cfg(test)]
mod tests;
