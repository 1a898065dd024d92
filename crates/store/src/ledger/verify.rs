//! The check of the whole ledger.

use std::collections::{BTreeMap, BTreeSet};

use ::ledger::{Books, Broken, Digest, Head, Part, Place};
use sea_orm::FromQueryResult;
use units::Work;
use uuid::Uuid;

use super::read::transfers_between;
use super::rows::{AnyAccount, ENTRY_COLUMNS, EntryRow, TransferRow};
use crate::{StoreError, Tx};

/// Entries read at once.
const CHUNK: i64 = 1_000;

/// How far a check has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries checked.
    pub checked: u64,
    /// Entries there are.
    pub total: u64,
}

/// Books in which everything is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries checked.
    pub entries: u64,
    /// Transfers checked.
    pub transfers: u64,
    /// Accounts whose balance is the sum of its transfers.
    pub accounts: u64,
    /// The end of the chain. Keep it elsewhere: books cut off after an entry, balances and all,
    /// are sound, and only who remembers a later head can tell.
    pub head: Head,
}

/// The first thing that is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry cannot stand where it stands.
    #[error("{0}: {fault}", fault = .0.fault)]
    Entry(Broken),
    /// A row of an entry is not what the ledger writes.
    #[error("entry {seq} is broken: {detail}")]
    Unreadable {
        /// The position that the row names.
        seq: i64,
        /// What is wrong.
        detail: String,
    },
    /// An account is not what the ledger writes, or its balance is not the sum of its transfers.
    #[error("account {number} is broken: {detail}")]
    Account {
        /// Its number.
        number: i64,
        /// What is wrong.
        detail: String,
    },
    /// Transfers belong to no entry.
    #[error("{0} transfers belong to no entry")]
    Orphans(u64),
}

#[derive(FromQueryResult)]
struct WholeAccountRow {
    number: i64,
    name: String,
    owner: Option<Uuid>,
    floor: i64,
    base: i64,
    balance: i64,
}

#[derive(FromQueryResult)]
struct CountRow {
    entries: i64,
    transfers: i64,
}

/// Recomputes every hash, sum, floor, hold and share from the first entry on, and compares the
/// accounts with what that gives. Reads in portions and tells `progress` after each.
///
/// # Errors
/// When the store fails. What is wrong with the books is not an error but a [`Finding`].
pub async fn verify(
    tx: &Tx,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Result<Verified, Finding>, StoreError> {
    const COUNT: &str = "SELECT (SELECT COUNT(*) FROM ledger_entry) AS entries, \
        (SELECT COUNT(*) FROM ledger_transfer) AS transfers";
    let counts = tx.one::<CountRow>(COUNT, []).await?;
    let counts = counts.ok_or_else(|| StoreError::damaged("count", "there is none"))?;
    let rows = account_rows(tx).await?;
    let accounts = match accounts(&rows) {
        Ok(accounts) => accounts,
        Err(finding) => return Ok(Err(finding)),
    };
    let mut check = Check {
        accounts: &accounts,
        books: Books::new(),
        transfers: 0,
        entries: 0,
        moved: BTreeSet::new(),
    };
    let mut last = i64::MIN;
    loop {
        let sql = format!(
            "SELECT {ENTRY_COLUMNS} FROM ledger_entry WHERE seq > $1 ORDER BY seq LIMIT $2"
        );
        let entries = tx.all::<EntryRow>(&sql, [last.into(), CHUNK.into()]).await?;
        let (Some(first), Some(end)) = (entries.first(), entries.last()) else { break };
        let transfers = transfers_between(tx, first.seq, end.seq).await?;
        if let Err(finding) = check.take_in(&entries, &transfers) {
            return Ok(Err(finding));
        }
        last = end.seq;
        progress(Progress { checked: check.entries, total: count(counts.entries) });
    }
    Ok(check.conclude(&rows, count(counts.transfers)))
}

struct Check<'a> {
    accounts: &'a BTreeMap<i64, AnyAccount>,
    books: Books,
    entries: u64,
    transfers: u64,
    /// The accounts that some transfer names.
    moved: BTreeSet<i64>,
}

impl Check<'_> {
    fn take_in(
        &mut self,
        rows: &[EntryRow],
        transfers: &BTreeMap<i64, Vec<TransferRow>>,
    ) -> Result<(), Finding> {
        for row in rows {
            let mine = transfers.get(&row.seq).map(Vec::as_slice).unwrap_or_default();
            let previous: Digest = self.books.head().hash;
            let entry = row.entry(mine, self.accounts, previous).map_err(|unreadable| {
                Finding::Unreadable { seq: row.seq, detail: unreadable.to_string() }
            })?;
            self.books.replay(&entry).map_err(Finding::Entry)?;
            self.entries = self.entries.saturating_add(1);
            self.transfers = self.transfers.saturating_add(count_of(mine));
            self.moved.extend(mine.iter().flat_map(|row| [row.source, row.target]));
        }
        Ok(())
    }

    /// Compares the accounts as they are kept with what the entries add up to.
    fn conclude(&self, rows: &[WholeAccountRow], transfers: u64) -> Result<Verified, Finding> {
        if transfers != self.transfers {
            return Err(Finding::Orphans(transfers.abs_diff(self.transfers)));
        }
        for row in rows {
            let wrong = |detail: String| Finding::Account { number: row.number, detail };
            let expected = match self.accounts.get(&row.number) {
                Some(AnyAccount::Hours(account)) => self.books.hours(account).count(),
                Some(AnyAccount::Euros(account)) => self.books.euros(account).count(),
                None => return Err(wrong("it has no name".to_owned())),
            };
            if row.balance != expected {
                let detail = format!("it has {}, its transfers sum to {expected}", row.balance);
                return Err(wrong(detail));
            }
            let part = self.part(row.number);
            let base = part.map_or(0, |part| part.base.count());
            if row.base != base {
                return Err(wrong(format!("its base is {}, but should be {base}", row.base)));
            }
            if part.is_none() && !self.moved.contains(&row.number) {
                return Err(wrong("no entry calls for it".to_owned()));
            }
        }
        Ok(Verified {
            entries: self.entries,
            transfers: self.transfers,
            accounts: count_of(rows),
            head: self.books.head(),
        })
    }

    /// The part of an allocation, if this is the account of what a payer has held or used.
    fn part(&self, number: i64) -> Option<Part> {
        let Some(AnyAccount::Hours(account)) = self.accounts.get(&number) else { return None };
        let (allocation, payer) = match account.place() {
            Place::Held(allocation, payer) | Place::Used(allocation, payer) => (allocation, payer),
            _ => return None,
        };
        let standing = self.books.standing(*allocation)?;
        let part = standing.parts().get(payer).copied()?;
        let of_used = matches!(account.place(), Place::Used(..));
        Some(if of_used { part } else { Part { base: Work::ZERO, ..part } })
    }
}

async fn account_rows(tx: &Tx) -> Result<Vec<WholeAccountRow>, StoreError> {
    const SQL: &str =
        "SELECT number, name, owner, floor, base, balance FROM ledger_account ORDER BY number";
    tx.all(SQL, []).await
}

/// The accounts by number, each with the owner and floor that its name calls for.
fn accounts(rows: &[WholeAccountRow]) -> Result<BTreeMap<i64, AnyAccount>, Finding> {
    let mut accounts = BTreeMap::new();
    for row in rows {
        let wrong = |detail: String| Finding::Account { number: row.number, detail };
        let account = AnyAccount::parse(&row.name).map_err(|error| wrong(error.to_string()))?;
        if account.owner() != row.owner {
            return Err(wrong("its owner is not the one in its name".to_owned()));
        }
        if account.floor() != row.floor {
            return Err(wrong(format!("its floor should be {}", account.floor())));
        }
        accounts.insert(row.number, account);
    }
    Ok(accounts)
}

fn count(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or_default()
}

fn count_of<T>(rows: &[T]) -> u64 {
    u64::try_from(rows.len()).unwrap_or(u64::MAX)
}
