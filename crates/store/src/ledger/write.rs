//! Putting entries down: few statements, however many entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ::ledger::{Account, Books, Entry, Kind, Movements, Place, Transfer, Unit};
use sea_orm::{FromQueryResult, Value};
use uuid::Uuid;

use super::rows::{AnyAccount, ENTRY_COLUMNS, entry_values};
use crate::{StoreError, Tx};

/// Rows that one statement inserts or changes at most. Statements have a power of two of rows, so
/// that there are few different ones and the database prepares each only once.
const ROWS_MAX: usize = 64;

/// Up to this many rows are written in one call, where the database takes several statements.
const ROWS_IN_ONE_CALL_MAX: usize = 16;

/// What entries do to accounts.
type Touched = BTreeMap<AnyAccount, Touch>;

/// What entries do to an account.
#[derive(Clone, Copy, Default)]
struct Touch {
    delta: i64,
    base: i64,
}

/// A transfer, of either unit.
struct Line {
    seq: i64,
    line: i64,
    from: AnyAccount,
    to: AnyAccount,
    amount: i64,
}

/// Writes `entries`, which `books` took in, and what they do to the balances. `numbers` are those
/// of the accounts that were read before.
pub(super) async fn put_down(
    tx: &Tx,
    books: &Books,
    mut numbers: BTreeMap<AnyAccount, i64>,
    entries: &[Entry],
) -> Result<(), StoreError> {
    let lines = lines(entries);
    let mut touched = touched(&lines)?;
    touch_parts(&mut touched, books, entries);
    find_numbers(tx, &touched, &mut numbers).await?;
    let fresh = open_accounts(tx, &touched, &mut numbers).await?;
    let entries: Vec<_> = entries.iter().map(entry_values).collect();
    let transfers = transfer_values(&lines, &numbers)?;
    let changes: Vec<[Value; 3]> = touched
        .iter()
        .filter(|(account, _)| !fresh.contains(*account))
        .filter_map(|(account, touch)| {
            let number = numbers.get(account)?;
            Some([(*number).into(), touch.delta.into(), touch.base.into()])
        })
        .collect();
    let mut batch = Batch::new(tx);
    batch.insert(&format!("ledger_entry ({ENTRY_COLUMNS})"), &entries);
    batch.insert("ledger_transfer (seq, line, source, target, amount)", &transfers);
    batch.change_balances(&changes);
    batch.run().await
}

fn lines(entries: &[Entry]) -> Vec<Line> {
    fn add<U: Unit>(
        lines: &mut Vec<Line>,
        (seq, transfers): (i64, &[Transfer<U>]),
        any: impl Fn(Account<U>) -> AnyAccount,
    ) {
        lines.extend((0_i64..).zip(transfers).map(|(line, transfer)| Line {
            seq,
            line,
            from: any(transfer.from().clone()),
            to: any(transfer.to().clone()),
            amount: transfer.amount().count(),
        }));
    }
    let mut lines = Vec::new();
    for entry in entries {
        let seq = entry.seq().number();
        match entry.movements() {
            Movements::Hours(moved) => add(&mut lines, (seq, moved), AnyAccount::Hours),
            Movements::Euros(moved) => add(&mut lines, (seq, moved), AnyAccount::Euros),
        }
    }
    lines
}

fn touched(lines: &[Line]) -> Result<Touched, StoreError> {
    let mut touched = Touched::new();
    for line in lines {
        for (account, change) in [(&line.from, -line.amount), (&line.to, line.amount)] {
            let touch = match touched.get_mut(account) {
                Some(touch) => touch,
                None => touched.entry(account.clone()).or_default(),
            };
            let delta = touch.delta.checked_add(change);
            touch.delta =
                delta.ok_or_else(|| StoreError::damaged("balance", "it exceeds 64 bits"))?;
        }
    }
    Ok(touched)
}

/// Adds what each payer had paid when the shares last changed, kept with the account of what it
/// paid; and makes sure that an allocation's accounts exist, side by side, once it has hours.
fn touch_parts(touched: &mut Touched, books: &Books, entries: &[Entry]) {
    let mut allocations = BTreeMap::new();
    for entry in entries {
        let (kind, parts) = (entry.kind(), entry.kind().parts());
        let funds = matches!(kind, Kind::Grant { .. } | Kind::Transfer { .. });
        for allocation in parts.allocation.into_iter().chain(parts.recipient) {
            *allocations.entry(allocation).or_default() |= funds;
        }
    }
    for (allocation, funds) in allocations {
        let Some(standing) = books.standing(allocation) else { continue };
        for (payer, part) in standing.parts() {
            let at = |place| AnyAccount::Hours(standing.account(place));
            let used = at(Place::Used(allocation, *payer));
            if funds {
                touched.entry(at(Place::Held(allocation, *payer))).or_default();
            }
            let base = part.base.count();
            if funds || base != 0 || touched.contains_key(&used) {
                touched.entry(used).or_default().base = base;
            }
        }
    }
}

#[derive(FromQueryResult)]
struct NumberRow {
    number: i64,
    name: String,
}

/// Looks up the accounts that were not read with their owner.
async fn find_numbers(
    tx: &Tx,
    touched: &Touched,
    numbers: &mut BTreeMap<AnyAccount, i64>,
) -> Result<(), StoreError> {
    let unknown = touched.keys().filter(|account| !numbers.contains_key(*account));
    let unknown: Vec<String> = unknown.map(ToString::to_string).collect();
    for names in unknown.chunks(ROWS_MAX) {
        let condition = is_in("name", names.len());
        let sql = format!("SELECT number, name FROM ledger_account WHERE {condition}");
        let names = names.iter().map(|name| Value::from(name.as_str()));
        for row in tx.all::<NumberRow>(&sql, names).await? {
            numbers.insert(AnyAccount::parse(&row.name)?, row.number);
        }
    }
    Ok(())
}

/// Makes the accounts that do not exist yet, with their first balance; returns them.
async fn open_accounts(
    tx: &Tx,
    touched: &Touched,
    numbers: &mut BTreeMap<AnyAccount, i64>,
) -> Result<BTreeSet<AnyAccount>, StoreError> {
    let missing = touched.iter().filter(|(account, _)| !numbers.contains_key(*account));
    let missing: Vec<_> = missing.collect();
    let mut fresh = BTreeSet::new();
    if missing.is_empty() {
        return Ok(fresh);
    }
    let last = "SELECT number, name FROM ledger_account ORDER BY number DESC LIMIT 1";
    let last = tx.one::<NumberRow>(last, []).await?.map_or(0, |row| row.number);
    let mut rows = Vec::with_capacity(missing.len());
    for (number, (account, touch)) in (last.saturating_add(1)..).zip(missing) {
        let name = account.to_string();
        if touch.delta < account.floor() {
            return Err(below_floor(&name));
        }
        rows.push([
            number.into(),
            name.into(),
            account.owner().into(),
            account.floor().into(),
            touch.base.into(),
            touch.delta.into(),
        ]);
        numbers.insert(account.clone(), number);
        fresh.insert(account.clone());
    }
    let mut batch = Batch::new(tx);
    batch.insert("ledger_account (number, name, owner, floor, base, balance)", &rows);
    batch.run().await?;
    Ok(fresh)
}

fn transfer_values(
    lines: &[Line],
    numbers: &BTreeMap<AnyAccount, i64>,
) -> Result<Vec<[Value; 5]>, StoreError> {
    let number = |account: &AnyAccount| {
        let known = numbers.get(account).copied();
        known.ok_or_else(|| StoreError::damaged("account", format!("{account} has no number")))
    };
    lines
        .iter()
        .map(|it| {
            let (from, to) = (number(&it.from)?, number(&it.to)?);
            Ok([it.seq.into(), it.line.into(), from.into(), to.into(), it.amount.into()])
        })
        .collect()
}

/// Statements that change rows, and how many rows they should change.
struct Batch<'t> {
    tx: &'t Tx,
    statements: Vec<(String, Vec<Value>)>,
    rows: usize,
}

impl<'t> Batch<'t> {
    const fn new(tx: &'t Tx) -> Self {
        Self { tx, statements: Vec::new(), rows: 0 }
    }

    fn insert<const N: usize>(&mut self, into: &str, rows: &[[Value; N]]) {
        for rows in pieces(rows) {
            let tuples = self.tuples(rows.len(), N);
            self.push(format!("INSERT INTO {into} VALUES {tuples}"), rows);
        }
    }

    /// Adds to balances, each only if it stays on or above its floor: the second guard, after the
    /// books themselves.
    fn change_balances(&mut self, changes: &[[Value; 3]]) {
        for changes in pieces(changes) {
            // Both databases call the columns of VALUES column1, column2 …
            let sql = format!(
                "UPDATE ledger_account SET balance = balance + v.column2, base = v.column3 \
                 FROM (VALUES {}) AS v WHERE ledger_account.number = v.column1 \
                 AND ledger_account.balance + v.column2 >= ledger_account.floor",
                self.tuples(changes.len(), 3),
            );
            self.push(sql, changes);
        }
    }

    fn push<const N: usize>(&mut self, sql: String, rows: &[[Value; N]]) {
        self.rows = self.rows.saturating_add(rows.len());
        self.statements.push((sql, rows.iter().flatten().cloned().collect()));
    }

    /// Changes the rows, or fails if one was not there or would break a condition.
    async fn run(self) -> Result<(), StoreError> {
        let mut changed = 0_u64;
        if !self.tx.is_postgres() && self.rows <= ROWS_IN_ONE_CALL_MAX {
            // Each call is a journey to the thread that serves the database.
            let (sql, values): (Vec<_>, Vec<_>) = self.statements.into_iter().unzip();
            changed = self.tx.execute(&sql.join("; "), values.into_iter().flatten()).await?;
        } else {
            for (sql, values) in self.statements {
                changed = changed.saturating_add(self.tx.execute(&sql, values).await?);
            }
        }
        if u64::try_from(self.rows) == Ok(changed) {
            return Ok(());
        }
        Err(below_floor("one of the accounts"))
    }

    /// `(?, ?), (?, ?)` or `($1, $2), ($3, $4)` and so on. Numbers are names to SQLite, which
    /// looks each up among all before it.
    fn tuples(&self, rows: usize, columns: usize) -> String {
        if !self.tx.is_postgres() {
            let row = format!("({})", vec!["?"; columns].join(", "));
            return vec![row; rows].join(", ");
        }
        let mut text = String::new();
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            placeholders(&mut text, row.saturating_mul(columns), columns);
            text.push(')');
        }
        text
    }
}

/// `rows` in pieces of a power of two, the largest first.
fn pieces<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = rows.len().checked_ilog2()?;
        let size = 1_usize.checked_shl(size)?.min(ROWS_MAX);
        let (piece, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(piece)
    })
}

fn below_floor(name: &str) -> StoreError {
    StoreError::Ledger(format!("{name} would fall below its floor"))
}

/// `column IN ($1, $2)`; never, for no values.
pub(crate) fn is_in(column: &str, count: usize) -> String {
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
