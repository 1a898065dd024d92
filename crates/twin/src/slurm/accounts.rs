//! Accounts and users, as `sacctmgr -P show assoc` prints them with their parents.

use std::collections::{BTreeMap, VecDeque};

use sched::{Accounts, Association, Limits};

use super::limits::LimitColumns;
use super::{Note, Part, SITE_ENTRIES_MAX, SlurmError};
use crate::trace::TraceError;
use crate::trace::table::{Dialect, Table};

/// Who there is.
#[derive(Clone, Debug)]
pub(super) struct People {
    pub(super) accounts: Accounts,
    /// The place of each user in each account, by the names of both.
    pub(super) users: BTreeMap<(String, String), Association>,
    pub(super) limits: Vec<(Association, Limits)>,
}

/// One row.
struct Entry {
    line: u64,
    account: String,
    /// Empty for the account itself.
    user: String,
    parent: String,
    shares: u32,
    limits: Limits,
}

/// The account that all others are in.
const ROOT: &str = "root";

impl People {
    pub(super) fn read(
        text: &str,
        cluster: Option<&str>,
        notes: &mut Vec<Note>,
    ) -> Result<Self, SlurmError> {
        let entries = entries(text, cluster, notes)
            .map_err(|source| SlurmError::Text { part: Part::Associations, source })?;
        let mut people =
            Self { accounts: Accounts::new(), users: BTreeMap::new(), limits: Vec::new() };
        let places = people.place_accounts(&entries)?;
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !entry.user.is_empty()) {
            let account = places.get(entry.account.as_str()).copied();
            let account = account.ok_or_else(|| missing(entry, &entry.account))?;
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let number = *numbers.entry(&entry.user).or_insert(next);
            let place = people.accounts.user(account, number, entry.shares);
            people.limits.push((place, entry.limits));
            people.users.insert((entry.account.clone(), entry.user.clone()), place);
        }
        people.limits.retain(|(_, limits)| *limits != Limits::default());
        Ok(people)
    }

    /// Places the accounts from the root down, in whatever order they stand.
    fn place_accounts<'e>(
        &mut self,
        entries: &'e [Entry],
    ) -> Result<BTreeMap<&'e str, Association>, SlurmError> {
        let mut within: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let mut places = BTreeMap::from([(ROOT, Association::ROOT)]);
        for entry in entries.iter().filter(|entry| entry.user.is_empty()) {
            match entry.account.as_str() {
                ROOT => self.limits.push((Association::ROOT, entry.limits)),
                _ => within.entry(&entry.parent).or_default().push(entry),
            }
        }
        let mut next = VecDeque::from([ROOT]);
        while let Some(parent) = next.pop_front() {
            let above = places.get(parent).copied().unwrap_or(Association::ROOT);
            for entry in within.remove(parent).unwrap_or_default() {
                let place = self.accounts.account(above, entry.shares);
                if places.insert(&entry.account, place).is_some() {
                    let what = format!("account {} is described twice", entry.account);
                    return Err(SlurmError::Wrong {
                        part: Part::Associations,
                        line: entry.line,
                        what,
                    });
                }
                self.limits.push((place, entry.limits));
                next.push_back(&entry.account);
            }
        }
        match within.into_values().flatten().next() {
            Some(entry) => Err(missing(entry, &entry.parent)),
            None => Ok(places),
        }
    }
}

fn missing(entry: &Entry, account: &str) -> SlurmError {
    SlurmError::Wrong {
        part: Part::Associations,
        line: entry.line,
        what: format!("no account is called {account}"),
    }
}

fn entries(
    text: &str,
    cluster: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<Vec<Entry>, TraceError> {
    let mut table = Table::open(text.as_bytes(), Dialect::Pipes)?;
    let account = table.require(&["Account"])?;
    let user = table.require(&["User"])?;
    let parent = table.require(&["ParentName", "Par Name"])?;
    let share = table.require(&["Share", "Fairshare"])?;
    let limits = LimitColumns::of(&table);
    let of_cluster = table.find(&["Cluster"]);
    let partition = table.find(&["Partition"]);
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(row) = table.next()? {
        let elsewhere = |name| cluster.is_some_and(|cluster| cluster != name);
        if row.maybe(of_cluster).is_some_and(|field| elsewhere(field.text)) {
            continue;
        }
        let mut note = |what: String| {
            notes.push(Note { part: Part::Associations, line: row.line, what });
        };
        if let Some(field) = row.maybe(partition) {
            note(format!("an association for partition {} is not taken into account", field.text));
            continue;
        }
        let field = row.field(share);
        let shares = match field.text {
            "parent" => {
                note("a share of `parent` is taken for 1".to_owned());
                1
            }
            "" => 1,
            _ => field.count()?,
        };
        if entries.len() >= SITE_ENTRIES_MAX {
            let what = format!("there are more than {SITE_ENTRIES_MAX} associations");
            return Err(TraceError::TooMuch { line: row.line, what });
        }
        entries.push(Entry {
            line: row.line,
            account: row.field(account).text.to_owned(),
            user: row.field(user).text.to_owned(),
            parent: match row.field(parent).text {
                "" => ROOT.to_owned(),
                name => name.to_owned(),
            },
            shares,
            limits: limits.read(&row, Part::Associations, notes)?,
        });
    }
    Ok(entries)
}
