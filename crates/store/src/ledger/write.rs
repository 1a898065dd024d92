//! Putting entries down: few statements, however many entries.

use std::collections::BTreeMap;
use std::fmt::Write;

use ::ledger::{Books, Entry, Movements, Place, Transfer, Unit};
use sea_orm::{FromQueryResult, Value};
use units::{AllocationId, Work};
use uuid::Uuid;

use super::rows::{AnyAccount, ENTRY_COLUMNS, entry_values};
use crate::{StoreError, Tx};

/// Rows that one statement inserts or changes. Statements are prepared once for each number of
/// rows, so there should not be many different ones; and a row has up to 12 parameters, of which
/// SQLite takes 32 766.
const ROWS_MAX: usize = 64;

/// What entries do to an account.
struct Touched {
    account: AnyAccount,
    delta: i64,
    base: i64,
}

/// Writes `entries`, which `books` took in, and what they do to the balances. `numbers` are those
/// of the accounts that were read before.
pub(super) async fn put_down(
    tx: &Tx,
    books: &Books,
    mut numbers: BTreeMap<String, i64>,
    entries: &[Entry],
) -> Result<(), StoreError> {
    let touched = touched(books, entries)?;
    find_numbers(tx, &touched, &mut numbers).await?;
    let fresh = open_accounts(tx, &touched, &mut numbers).await?;
    let rows: Vec<_> = entries.iter().map(entry_values).collect();
    insert(tx, &format!("ledger_entry ({ENTRY_COLUMNS})"), &rows).await?;
    let rows = transfer_values(entries, &numbers)?;
    insert(tx, "ledger_transfer (seq, line, source, target, amount)", &rows).await?;
    let changes: Vec<[Value; 3]> = touched
        .iter()
        .filter(|(name, _)| !fresh.contains_key(*name))
        .filter_map(|(name, touched)| {
            let number = numbers.get(name)?;
            Some([(*number).into(), touched.delta.into(), touched.base.into()])
        })
        .collect();
    change_balances(tx, &changes).await
}

/// Every account that the entries move, or whose base they change, by name.
fn touched(books: &Books, entries: &[Entry]) -> Result<BTreeMap<String, Touched>, StoreError> {
    let mut all = BTreeMap::new();
    for entry in entries {
        match entry.movements() {
            Movements::Hours(transfers) => touch(&mut all, transfers, AnyAccount::Hours)?,
            Movements::Euros(transfers) => touch(&mut all, transfers, AnyAccount::Euros)?,
        }
        let parts = entry.kind().parts();
        for allocation in parts.allocation.into_iter().chain(parts.recipient) {
            for (account, base) in bases(books, allocation) {
                let name = account.name();
                let used = !all.contains_key(&name) && base == 0;
                if !used {
                    let fresh = Touched { account, delta: 0, base };
                    all.entry(name).or_insert(fresh).base = base;
                }
            }
        }
    }
    Ok(all)
}

fn touch<U: Unit>(
    all: &mut BTreeMap<String, Touched>,
    transfers: &[Transfer<U>],
    any: impl Fn(::ledger::Account<U>) -> AnyAccount,
) -> Result<(), StoreError> {
    for transfer in transfers {
        let amount = transfer.amount().count();
        for (account, change) in [(transfer.from(), -amount), (transfer.to(), amount)] {
            let fresh = || Touched { account: any(account.clone()), delta: 0, base: 0 };
            let touched = all.entry(account.to_string()).or_insert_with(fresh);
            touched.delta = touched
                .delta
                .checked_add(change)
                .ok_or_else(|| StoreError::damaged("balance", "it exceeds 64 bits"))?;
        }
    }
    Ok(())
}

/// What each payer had paid when the shares last changed, kept with the account of what it paid.
fn bases(books: &Books, allocation: AllocationId) -> Vec<(AnyAccount, i64)> {
    let Some(standing) = books.standing(allocation) else { return Vec::new() };
    let account = |place| {
        AnyAccount::Hours(::ledger::Account::<Work>::new(standing.commodity().clone(), place))
    };
    standing
        .parts()
        .iter()
        .map(|(payer, part)| (account(Place::Used(allocation, *payer)), part.base.count()))
        .collect()
}

#[derive(FromQueryResult)]
struct NumberRow {
    number: i64,
    name: String,
}

/// Looks up the accounts that were not read with their owner.
async fn find_numbers(
    tx: &Tx,
    touched: &BTreeMap<String, Touched>,
    numbers: &mut BTreeMap<String, i64>,
) -> Result<(), StoreError> {
    let unknown: Vec<&String> =
        touched.keys().filter(|name| !numbers.contains_key(*name)).collect();
    for names in unknown.chunks(ROWS_MAX) {
        let sql =
            format!("SELECT number, name FROM ledger_account WHERE {}", is_in("name", names.len()));
        let names = names.iter().map(|name| Value::from(name.as_str()));
        for row in tx.all::<NumberRow>(&sql, names).await? {
            numbers.insert(row.name, row.number);
        }
    }
    Ok(())
}

/// Makes the accounts that do not exist yet, with their first balance; returns their names.
async fn open_accounts(
    tx: &Tx,
    touched: &BTreeMap<String, Touched>,
    numbers: &mut BTreeMap<String, i64>,
) -> Result<BTreeMap<String, ()>, StoreError> {
    let missing: Vec<_> = touched.iter().filter(|(name, _)| !numbers.contains_key(*name)).collect();
    let mut fresh = BTreeMap::new();
    if missing.is_empty() {
        return Ok(fresh);
    }
    let last = "SELECT number, name FROM ledger_account ORDER BY number DESC LIMIT 1";
    let last = tx.one::<NumberRow>(last, []).await?.map_or(0, |row| row.number);
    let mut rows = Vec::with_capacity(missing.len());
    for (number, (name, touched)) in (last.saturating_add(1)..).zip(missing) {
        let account = &touched.account;
        if touched.delta < account.floor() {
            return Err(below_floor(name));
        }
        rows.push([
            number.into(),
            name.as_str().into(),
            account.owner().into(),
            account.floor().into(),
            touched.base.into(),
            touched.delta.into(),
        ]);
        numbers.insert(name.clone(), number);
        fresh.insert(name.clone(), ());
    }
    insert(tx, "ledger_account (number, name, owner, floor, base, balance)", &rows).await?;
    Ok(fresh)
}

fn transfer_values(
    entries: &[Entry],
    numbers: &BTreeMap<String, i64>,
) -> Result<Vec<[Value; 5]>, StoreError> {
    let mut rows = Vec::new();
    let mut push = |seq: i64, line: i64, names: [String; 2], amount: i64| {
        let [from, to] = names.map(|name| numbers.get(&name).copied());
        let (Some(from), Some(to)) = (from, to) else {
            return Err(StoreError::damaged("account", "it has no number"));
        };
        rows.push([seq.into(), line.into(), from.into(), to.into(), amount.into()]);
        Ok(())
    };
    for entry in entries {
        let seq = entry.seq().number();
        match entry.movements() {
            Movements::Hours(transfers) => {
                for (line, t) in (0_i64..).zip(transfers) {
                    let names = [t.from().to_string(), t.to().to_string()];
                    push(seq, line, names, t.amount().count())?;
                }
            }
            Movements::Euros(transfers) => {
                for (line, t) in (0_i64..).zip(transfers) {
                    let names = [t.from().to_string(), t.to().to_string()];
                    push(seq, line, names, t.amount().count())?;
                }
            }
        }
    }
    Ok(rows)
}

async fn insert<const N: usize>(
    tx: &Tx,
    into: &str,
    rows: &[[Value; N]],
) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_MAX) {
        let sql = format!("INSERT INTO {into} VALUES {}", tuples(rows.len(), N));
        tx.execute(&sql, rows.iter().flatten().cloned()).await?;
    }
    Ok(())
}

/// Adds to balances, each only if it stays on or above its floor: the second guard, after the
/// books themselves.
async fn change_balances(tx: &Tx, changes: &[[Value; 3]]) -> Result<(), StoreError> {
    for changes in changes.chunks(ROWS_MAX) {
        // Both databases call the columns of VALUES column1, column2 …
        let sql = format!(
            "UPDATE ledger_account SET balance = balance + v.column2, base = v.column3 \
             FROM (VALUES {}) AS v WHERE ledger_account.number = v.column1 \
             AND ledger_account.balance + v.column2 >= ledger_account.floor",
            tuples(changes.len(), 3),
        );
        let changed = tx.execute(&sql, changes.iter().flatten().cloned()).await?;
        if usize::try_from(changed) != Ok(changes.len()) {
            return Err(below_floor("one of the accounts"));
        }
    }
    Ok(())
}

fn below_floor(name: &str) -> StoreError {
    StoreError::Ledger(format!("{name} would fall below its floor"))
}

/// `($1, $2), ($3, $4)` and so on.
fn tuples(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows.saturating_mul(columns).saturating_mul(6));
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        placeholders(&mut text, row.saturating_mul(columns), columns);
        text.push(')');
    }
    text
}

/// `column IN ($1, $2)`; never, for no values.
pub(super) fn is_in(column: &str, count: usize) -> String {
    if count == 0 {
        return "1 = 0".to_owned();
    }
    let mut text = format!("{column} IN (");
    placeholders(&mut text, 0, count);
    text.push(')');
    text
}

fn placeholders(text: &mut String, from: usize, count: usize) {
    for index in 0..count {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}${}", from.saturating_add(index).saturating_add(1));
    }
}

/// The owners as parameters.
pub(super) fn owners(owners: &[Uuid]) -> impl Iterator<Item = Value> {
    owners.iter().map(|owner| Value::from(*owner))
}
