//! Accounting: what a site's scheduler says of the runs of jobs is what the ledger charges.
//!
//! An agent tells every run of a job that is the hub's, or that somebody submitted by hand under
//! the account of an allocation ([`whose`]). A run is kept once, however often and in whatever order
//! it is told, and the ledger is made to charge each job for all its runs together ([`post`]): by a
//! charge where nothing was held, by a correction where the end that an agent reported said
//! otherwise. [`reconcile`] proves for each day that the ledger has what the accounting has.

mod days;
mod post;
mod reconcile;
mod whose;

use std::collections::{BTreeMap, BTreeSet};

use ::jobs::AccountPrefix;
use site::protocol::{Accounting, AccountingReceipt, RUNS_MAX, Run as ToldRun, VERSION, apart};
use store::Tx;
use store::usage::{self, Cursor, Place, Run};
use units::{AllocationId, Slug, Timestamp};

use crate::audit::Entry;
use crate::jobs::SiteSettings;
use crate::{Action, Actor, App, Error, Topic};
use whose::Source;

pub use reconcile::{Cause, Day, Difference, Reconciliation};

/// How many jobs whose end the hub had not heard of are looked at again with each message.
const AGAIN_MAX: u32 = 500;

/// What came of runs that were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// New, or told differently than before.
    pub taken: u64,
    /// Known as they are.
    pub repeated: u64,
    /// None of the hub's business, and not kept.
    pub passed_over: u64,
}

impl App {
    /// Takes in what the accounting of a site tells.
    ///
    /// # Errors
    /// When the actor is not the agent of that site, the message cannot be so, or the store fails:
    /// then the agent tells it again.
    pub async fn take_accounting(
        &self,
        actor: &Actor,
        site: &Slug,
        told: Accounting,
    ) -> Result<AccountingReceipt, Error> {
        let settings = self.serves(actor, site)?;
        if let Some(why) = apart(("hub", VERSION), ("agent", told.version)) {
            return Err(Error::Conflict(why));
        }
        let prefix = told.prefix.as_deref().map(str::parse::<AccountPrefix>).transpose();
        let prefix = prefix.map_err(|error| Error::invalid("prefix", error.to_string()))?;
        days::zone(&told.zone).map_err(|why| Error::invalid("zone", why))?;
        self.note_call(site).await?;
        let source = Source { cluster: &told.cluster, prefix, named: &BTreeMap::new() };
        let tx = self.store().write().await?;
        let place = Place { zone: &told.zone, prefix: told.prefix.as_deref() };
        let mut cursor = usage::take_turn(&tx, site, Some(place)).await?;
        let (taken, topics) = self.take_runs(&tx, actor, (settings, &source), &told.runs).await?;
        let wanted = self.wanted_from(&tx, settings, &cursor).await?;
        if let Some(covered) = told.covered.filter(|covered| covered.from <= wanted) {
            // A site whose clock is ahead has not told what has not come yet.
            let to = covered.to.min(self.now()).max(wanted);
            usage::set_accounted(&tx, site, to).await?;
            cursor.accounted_to = Some(to);
        }
        let from = self.wanted_from(&tx, settings, &cursor).await?;
        tx.commit().await?;
        self.tell_all(topics);
        let Taken { taken, repeated, passed_over } = taken;
        Ok(AccountingReceipt { taken, repeated, passed_over, from })
    }

    /// Takes in runs that an operator has from the accounting of a site, such as of the years before
    /// it had an agent. `named` says whose hours the jobs of further accounts used. Gives back also
    /// what the names of accounts begin with that are Usine's there: what the agent told last.
    ///
    /// # Errors
    /// When the actor may not, an allocation is not one of the site's, or the store fails.
    pub async fn import_runs(
        &self,
        actor: &Actor,
        site: &Slug,
        cluster: &str,
        named: &BTreeMap<String, AllocationId>,
        runs: &[ToldRun],
    ) -> Result<(Taken, AccountPrefix), Error> {
        let settings = self.site_for(actor, Action::AccountSite, site)?;
        let tx = self.store().write().await?;
        whose::check_named(&tx, settings, named).await?;
        let prefix = prefix_of(&usage::take_turn(&tx, site, None).await?)?;
        let source = Source { cluster, prefix: Some(prefix.clone()), named };
        let (taken, topics) = self.take_runs(&tx, actor, (settings, &source), runs).await?;
        if taken.taken > 0 {
            let detail = format!("{} runs of the cluster {cluster}", taken.taken);
            let object = format!("site:{site}");
            let (action, rule) = ("site.import", "AccountSite");
            let entry = Entry { action, object: &object, rule, detail: &detail };
            self.audit(&tx, actor, entry).await?;
        }
        tx.commit().await?;
        self.tell_all(topics);
        Ok((taken, prefix))
    }

    /// Has the agent of a site tell again everything that was over since `from`.
    ///
    /// # Errors
    /// When the actor may not, or the site's accounting has told nothing yet.
    pub async fn account_again(
        &self,
        actor: &Actor,
        site: &Slug,
        from: Timestamp,
    ) -> Result<(), Error> {
        self.site_for(actor, Action::AccountSite, site)?;
        let tx = self.store().write().await?;
        let known = usage::cursor(&tx, site).await?.and_then(|cursor| cursor.accounted_to);
        let Some(known) = known else {
            let why = format!("the site {site} has told nothing of its accounting yet");
            return Err(Error::Conflict(why));
        };
        usage::set_accounted(&tx, site, known.min(from)).await?;
        let (object, detail) = (format!("site:{site}"), format!("from {from}"));
        let (action, rule) = ("site.account-again", "AccountSite");
        self.audit(&tx, actor, Entry { action, object: &object, rule, detail: &detail }).await?;
        Ok(tx.commit().await?)
    }

    /// From when on the hub wants to be told: where the last message ended, or, at first, when the
    /// first allocation of the site's partition began.
    async fn wanted_from(
        &self,
        tx: &Tx,
        settings: &SiteSettings,
        cursor: &Cursor,
    ) -> Result<Timestamp, Error> {
        if let Some(accounted_to) = cursor.accounted_to {
            return Ok(accounted_to);
        }
        let first = store::allocations::first_start(tx, &settings.partition).await?;
        Ok(first.map_or_else(|| self.now(), |first| first.min(self.now())))
    }

    /// Keeps runs, and has the ledger charge what they come to.
    async fn take_runs(
        &self,
        tx: &Tx,
        actor: &Actor,
        (settings, source): (&SiteSettings, &Source<'_>),
        told: &[ToldRun],
    ) -> Result<(Taken, Vec<Topic>), Error> {
        if told.len() > RUNS_MAX {
            return Err(Error::invalid("runs", format!("one message has at most {RUNS_MAX}")));
        }
        let numbers: BTreeSet<i64> = told.iter().map(|run| whose::number(run.number)).collect();
        let numbers: Vec<i64> = numbers.into_iter().collect();
        let known = usage::numbered(tx, &settings.name, source.cluster, &numbers).await?;
        let mut known: BTreeMap<(i64, Timestamp), Run> =
            known.into_iter().map(|run| ((run.number, run.submitted), run)).collect();
        let (mut counts, mut jobs) = (Taken::default(), BTreeSet::new());
        let mut changed = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        for run in told {
            let Some(run) = self.record(tx, (settings, source), run, &mut accounts).await? else {
                counts.passed_over += 1;
                continue;
            };
            let name = (run.number, run.submitted);
            match known.get(&name) {
                Some(before) if Run { posted: before.posted, ..run.clone() } == *before => {
                    counts.repeated += 1;
                    continue;
                }
                Some(before) => jobs.extend([before.job, run.job]),
                None => jobs.extend([run.job]),
            }
            counts.taken += 1;
            known.insert(name, run.clone());
            changed.insert(name, run);
        }
        let changed: Vec<Run> = changed.into_values().collect();
        usage::put(tx, &changed).await?;
        jobs.extend(usage::unposted(tx, &settings.name, AGAIN_MAX).await?);
        let topics = self.post(tx, actor, &jobs.into_iter().collect::<Vec<_>>()).await?;
        Ok((counts, topics))
    }

    fn tell_all(&self, topics: Vec<Topic>) {
        for topic in topics {
            self.announcements().tell(topic);
        }
    }
}

/// The prefix that an agent told; the usual one where none did.
fn prefix_of(cursor: &Cursor) -> Result<AccountPrefix, Error> {
    let told = cursor.prefix.as_deref().map(str::parse::<AccountPrefix>).transpose();
    let told = told.map_err(|error| Error::Internal(format!("a prefix that was kept: {error}")))?;
    Ok(told.unwrap_or_default())
}

#[cfg(test)]
mod tests;
