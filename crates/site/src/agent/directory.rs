//! Who has which login: the table of the configuration, and what the site's rule says of those whom the
//! hub lets use hours here. What the rule said is remembered for a while, and over restarts.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::Disk;
use jobs::tenancy::Login;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::bell::{Bell, Listener};
use super::orders::error_chain;
use super::persons::{Logins, Persons};
use super::rule::Rule;
use super::{Error, Shared, pause_after};
use crate::client::segment;
use crate::protocol::Tenancy;

/// Where it is remembered over restarts.
const FILE: &str = "logins.json";
/// How long it holds what the rule said of somebody.
const HOLDS: Duration = Duration::from_secs(600);
/// The same when it was nothing: they may be given a login at any moment.
const HOLDS_NOTHING: Duration = Duration::from_secs(60);
/// How long the hub may keep a request waiting.
const WAIT_SECONDS: u32 = 30;

/// What the rule said of an address.
#[derive(Clone, Debug)]
struct Answer {
    login: Option<Login>,
    /// Until when that holds; it is to be asked for again where absent.
    until: Option<Instant>,
}

/// What is remembered over restarts.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept {
    /// The rule that said it.
    rule: String,
    found: BTreeMap<String, String>,
}

/// Who has which login by now.
#[derive(Debug)]
pub(super) struct Directory {
    /// By the configuration alone.
    table: Persons,
    inner: Mutex<Inner>,
    disk: Disk,
    file: PathBuf,
    /// Rung when somebody has another login.
    changed: Bell,
}

#[derive(Debug)]
struct Inner {
    persons: Arc<Persons>,
    answers: BTreeMap<String, Answer>,
}

impl Directory {
    /// Knows the table, and what the agent before this one found by the rule.
    pub(super) fn open(disk: Disk, folder: &Path, table: &Persons) -> io::Result<Self> {
        let file = folder.join(FILE);
        let mut answers = BTreeMap::new();
        if let Some((_, rule)) = rule_of(table) {
            let kept: Kept = disk.read(&file)?.unwrap_or_default();
            // What another rule said says nothing.
            for (email, login) in kept.found.into_iter().filter(|_| kept.rule == name_of(rule)) {
                answers.insert(email, Answer { login: login.parse().ok(), until: None });
            }
        }
        let persons = Arc::new(together(table, &answers));
        let inner = Mutex::new(Inner { persons, answers });
        Ok(Self { table: table.clone(), inner, disk, file, changed: Bell::default() })
    }

    /// Who has which login.
    pub(super) fn persons(&self) -> Arc<Persons> {
        Arc::clone(&self.inner().persons)
    }

    /// Hears of changes from now on.
    pub(super) fn changes(&self) -> Listener<'_> {
        self.changed.listen()
    }

    /// Looks up whoever was not a moment ago, by their addresses.
    pub(super) async fn look_up(&self, emails: Vec<String>) {
        let Some((logins, rule)) = rule_of(&self.table) else { return };
        for email in emails {
            let email = email.to_lowercase();
            if logins.by_email.contains_key(&email) || self.is_known(&email) {
                continue;
            }
            let answer = match rule.find(&email).await {
                Ok(login) => self.unshared(logins, &email, login),
                Err(error) => {
                    tracing::warn!(email, error = error_chain(&error), "a login is not looked up");
                    // What was known stays known until it can be asked again.
                    self.before(&email)
                }
            };
            let holds = if answer.is_some() { HOLDS } else { HOLDS_NOTHING };
            let until = Some(Instant::now() + holds);
            self.inner().answers.insert(email, Answer { login: answer, until });
        }
        self.publish(rule);
    }

    fn is_known(&self, email: &str) -> bool {
        let inner = self.inner();
        let until = inner.answers.get(email).and_then(|answer| answer.until);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn before(&self, email: &str) -> Option<Login> {
        self.inner().answers.get(email)?.login.clone()
    }

    /// A login that somebody has already is nobody else's: to share one would let one person see and
    /// cancel what is another's.
    fn unshared(&self, logins: &Logins, email: &str, login: Option<Login>) -> Option<Login> {
        let login = login?;
        let inner = self.inner();
        let in_table = logins.by_email.values().any(|theirs| theirs == login.as_str());
        let is_theirs = |(other, answer): (&String, &Answer)| {
            other.as_str() != email && answer.login.as_ref() == Some(&login)
        };
        if in_table || inner.answers.iter().any(is_theirs) {
            tracing::warn!(email, %login, "this login is another person's; it is not shared");
            return None;
        }
        Some(login)
    }

    /// Shows and remembers what was found, if anything is new.
    fn publish(&self, rule: &Rule) {
        let mut inner = self.inner();
        let all = together(&self.table, &inner.answers);
        if *inner.persons == all {
            return;
        }
        let kept = Kept { rule: name_of(rule), found: found(&inner.answers) };
        if let Err(error) = self.disk.write(&self.file, &kept) {
            tracing::warn!(%error, "the logins that were found cannot be kept");
        }
        inner.persons = Arc::new(all);
        self.changed.ring();
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rule_of(table: &Persons) -> Option<(&Logins, &Rule)> {
    let Persons::Known(logins) = table else { return None };
    logins.rule.as_ref().map(|rule| (logins, rule))
}

/// What tells a rule from others.
fn name_of(rule: &Rule) -> String {
    match rule {
        Rule::Template { domain, login } => format!("template {login} of {domain}"),
        Rule::Command { words, patience: _ } => format!("command {words:?}"),
    }
}

fn found(answers: &BTreeMap<String, Answer>) -> BTreeMap<String, String> {
    let found = answers.iter().filter_map(|(email, answer)| {
        answer.login.as_ref().map(|login| (email.clone(), login.to_string()))
    });
    found.collect()
}

/// The table, and beside it what was found.
fn together(table: &Persons, answers: &BTreeMap<String, Answer>) -> Persons {
    let Persons::Known(logins) = table else { return table.clone() };
    let mut by_email = found(answers);
    by_email.extend(logins.by_email.clone());
    Persons::Known(Logins { by_email, ..logins.clone() })
}

/// Looks up everybody who may use hours here, for ever; nobody where there is no rule.
pub(super) async fn look<E>(shared: &Shared<E>) {
    if rule_of(&shared.settings.persons).is_none() {
        return;
    }
    let (mut seen, mut failures) = (String::new(), 0);
    loop {
        match look_once(shared, &seen).await {
            Ok(revision) => (seen, failures) = (revision, 0),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "nobody can be looked up");
                sleep(pause_after(failures).max(Duration::from_secs(1))).await;
                failures += 1;
            }
        }
    }
}

async fn look_once<E>(shared: &Shared<E>, seen: &str) -> Result<String, Error> {
    let site = segment(shared.settings.site.as_str());
    let query = format!("seen={}&wait_seconds={WAIT_SECONDS}", segment(seen));
    let wish: Tenancy = shared.client.get(&format!("/sites/{site}/tenancy?{query}")).await?;
    let members = wish.allocations.iter().flat_map(|tenant| &tenant.members);
    shared.directory.look_up(members.map(|member| member.email.clone()).collect()).await;
    Ok(wish.revision)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_found_is_remembered_and_a_login_is_never_two_persons() {
        let folder = tempfile::tempdir().unwrap();
        let by_email = [("ada@x.eu".to_owned(), "ada".to_owned())].into();
        let script = "read line; case $line in ada@*|eve@*) echo ada;; *) echo ben;; esac";
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        let rule = Some(Rule::Command { words, patience: Duration::from_secs(10) });
        let table = Persons::Known(Logins { by_email, rule, ..Logins::default() });
        let open = || Directory::open(Disk::default(), folder.path(), &table).unwrap();
        let directory = open();
        directory
            .look_up(["Ben@x.eu", "eve@x.eu", "ada@x.eu", "adam@x.eu"].map(str::to_owned).into())
            .await;
        let persons = directory.persons();
        assert_eq!(persons.login("ben@x.eu"), Some("ben"));
        assert_eq!(persons.login("eve@x.eu"), None, "the table's login is not shared");
        assert_eq!(persons.login("adam@x.eu"), None, "nor that of whoever came before");
        assert_eq!(persons.login("ada@x.eu"), Some("ada"));
        assert_eq!(*open().persons(), *persons);
    }

    #[tokio::test]
    async fn a_login_that_the_site_takes_away_is_gone_and_one_that_cannot_be_asked_for_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (says, answer) = (folder.path().join("says"), folder.path().join("answer"));
        let script = format!("cat {} && exec cat {}", says.display(), answer.display());
        let words = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
        let rule = Some(Rule::Command { words, patience: Duration::from_secs(10) });
        let table = Persons::Known(Logins { rule, ..Logins::default() });
        let directory = Directory::open(Disk::default(), folder.path(), &table).unwrap();
        let ada = async || {
            tokio::time::pause();
            tokio::time::advance(HOLDS).await;
            tokio::time::resume();
            directory.look_up(vec!["ada@x.eu".to_owned()]).await;
            directory.persons().login("ada@x.eu").map(str::to_owned)
        };
        std::fs::write(&says, "").unwrap();
        std::fs::write(&answer, "ada\n").unwrap();
        assert_eq!(ada().await.as_deref(), Some("ada"));
        std::fs::remove_file(&says).unwrap();
        assert_eq!(ada().await.as_deref(), Some("ada"), "its command fails");
        std::fs::write(&says, "").unwrap();
        std::fs::write(&answer, "").unwrap();
        assert_eq!(ada().await, None);
    }
}
