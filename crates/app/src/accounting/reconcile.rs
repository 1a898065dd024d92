//! The proof, for each day of a site, that the ledger charges what the accounting has; or each
//! difference, with its cause and what to do.

use std::collections::BTreeMap;

use jiff::civil::Date;
use store::Tx;
use store::jobs as records;
use store::ledger::{Charged, charges_of};
use store::usage::{self, Origin, Run};
use units::{JobId, Meter, Slug, Timestamp, Work};

use super::days;
use super::post::{Due, Waits, by_job, due};
use crate::{Action, Actor, App, Error};

/// The most days of one comparison.
const DAYS_MAX: usize = 400;

/// Why accounting and ledger differ, or what else is to be known of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The accounting has not told everything of the day yet.
    NotReported,
    /// A job was charged, and the accounting has told nothing of it.
    MissingInAccounting,
    /// An account is Usine's by its name and belongs to no allocation.
    UnknownAccount,
    /// The job was put back in the queue and has not ended; it is charged when it has.
    StillRuns,
    /// The job was charged, and one of its runs goes on.
    ChargedWhileRunning,
    /// The hub has not heard of the end of its job from the agent.
    EndNotHeard,
    /// No charge rule was in force when the job was submitted.
    NoRule,
    /// What stands charged is not what the runs come to.
    NotPosted,
    /// The run ended, by the cluster's clock, in the future.
    ClockAhead,
    /// All is charged, but the allocation had nothing left: the site bears a part.
    SiteBears,
}

impl Cause {
    /// In one word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotReported => "not-reported",
            Self::MissingInAccounting => "missing-in-accounting",
            Self::UnknownAccount => "unknown-account",
            Self::StillRuns => "still-runs",
            Self::ChargedWhileRunning => "charged-while-running",
            Self::EndNotHeard => "end-not-heard",
            Self::NoRule => "no-rule",
            Self::NotPosted => "not-posted",
            Self::ClockAhead => "clock-ahead",
            Self::SiteBears => "site-bears",
        }
    }

    /// What to do, for the site's operator.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NotReported => {
                "wait for the agent, or see with `usine site show` why it is away; the day is \
                 proved once it has told"
            }
            Self::MissingInAccounting => {
                "have the day told again with `usine site account-again`; if the job stays missing, \
                 Slurm lost it or its records were purged, and the charge stands by the agent's \
                 report"
            }
            Self::UnknownAccount => {
                "nobody is charged: remove the account at the cluster, or its jobs' users from it"
            }
            Self::StillRuns => "nothing: the job is charged for all its runs when it has ended",
            Self::ChargedWhileRunning => {
                "nothing, if the job was put back in the queue: the charge is corrected when it has \
                 ended; else end it at the cluster"
            }
            Self::EndNotHeard => {
                "nothing, if the agent is present: it reports the end; the hours are held until then"
            }
            Self::NoRule => {
                "add a charge rule for that time to the policy, then have the day told again"
            }
            Self::NotPosted => "have the day told again with `usine site account-again`",
            Self::ClockAhead => "set the clock of the cluster's controller",
            Self::SiteBears => {
                "nothing, or grant the project more hours: the allocation was used up or had ended"
            }
        }
    }

    /// Whether the day is not proved because of it.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::SiteBears | Self::ClockAhead)
    }
}

/// One thing that keeps a day from being proved, or is to be known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Why.
    pub cause: Cause,
    /// Which job of the ledger, if it is about one.
    pub job: Option<JobId>,
    /// The job's number at the cluster, or the account that is not known.
    pub label: String,
    /// The login of its owner.
    pub login: String,
    /// What the accounting has more than the ledger; for what the site bears, how much that is.
    pub amount: Work,
}

/// One day of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day, by the calendar of the site.
    pub date: Date,
    /// When it began.
    pub from: Timestamp,
    /// When the next one began.
    pub to: Timestamp,
    /// Runs that ended in it and are somebody's here.
    pub runs: u64,
    /// How long they had their nodes.
    pub ran_seconds: i64,
    /// How long they were suspended beside that.
    pub suspended_seconds: i64,
    /// The energy that their nodes took, where it is measured.
    pub energy_joules: i64,
    /// What they come to by the charge rule.
    pub accounted: Work,
    /// What the ledger charges for them.
    pub charged: Work,
    /// What keeps the day from being proved, and what else is to be known.
    pub differences: Vec<Difference>,
}

impl Day {
    /// Whether everything is told, and the ledger charges exactly what the accounting has.
    pub fn agrees(&self) -> bool {
        self.accounted == self.charged && !self.differences.iter().any(|it| it.cause.is_open())
    }
}

/// Days of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// The site.
    pub site: Slug,
    /// What the hours of its partition are counted in.
    pub meter: Meter,
    /// Its time zone.
    pub zone: String,
    /// Everything that was over by then has been told.
    pub accounted_to: Option<Timestamp>,
    /// The days that were asked for, in order.
    pub days: Vec<Day>,
}

impl App {
    /// Compares, day by day from `first` to `last`, what the accounting of a site has told with
    /// what the ledger charges.
    ///
    /// # Errors
    /// When the actor may not, there are too many days, or the store fails.
    pub async fn reconcile(
        &self,
        actor: &Actor,
        site: &Slug,
        (first, last): (Option<Date>, Option<Date>),
    ) -> Result<Reconciliation, Error> {
        let settings = self.site_for(actor, Action::ViewAccounting, site)?;
        let tx = self.store().read().await?;
        let cursor = usage::cursor(&tx, site).await?;
        let name = cursor.as_ref().map_or("UTC", |cursor| cursor.zone.as_str());
        let zone = days::zone(name).map_err(Error::Internal)?;
        let accounted_to = cursor.as_ref().and_then(|cursor| cursor.accounted_to);
        let today = days::of(self.now(), &zone);
        let last = last.or(first).unwrap_or_else(|| today.yesterday().unwrap_or(today));
        let first = first.unwrap_or(last);
        let mut compared = Vec::new();
        let mut date = first;
        while date <= last {
            if compared.len() >= DAYS_MAX {
                return Err(Error::invalid("to", format!("at most {DAYS_MAX} days are compared")));
            }
            let bounds = days::bounds(date, &zone);
            let bounds = bounds.ok_or_else(|| Error::invalid("from", "no such day"))?;
            compared.push(self.compare(&tx, site, (date, bounds), accounted_to).await?);
            date = date.tomorrow().map_err(|_| Error::invalid("to", "no such day"))?;
        }
        let rule = self.work().rules.find(&settings.charge_rule, self.now());
        let meter = rule.map_err(|error| Error::Internal(error.to_string()))?.meter;
        let zone = name.to_owned();
        Ok(Reconciliation { site: site.clone(), meter, zone, accounted_to, days: compared })
    }

    async fn compare(
        &self,
        tx: &Tx,
        site: &Slug,
        (date, (from, to)): (Date, (Timestamp, Timestamp)),
        accounted_to: Option<Timestamp>,
    ) -> Result<Day, Error> {
        let ended = usage::ended_between(tx, site, from, to).await?;
        let jobs: Vec<JobId> = by_job(&ended).into_keys().collect();
        let every = usage::of_jobs(tx, &jobs).await?;
        let charged = charges_of(tx, &jobs).await?;
        let mut open = Vec::new();
        for run in every.iter().filter(|run| run.origin == Origin::Hub && !run.posted) {
            let job = records::by_id(tx, run.job).await?;
            if job.is_some_and(|job| !job.life.state.is_final()) {
                open.push(run.job);
            }
        }
        let mut day = begun((date, from, to), &ended).ok_or_else(too_much)?;
        for (id, runs) in by_job(&every) {
            let ended: Vec<&Run> =
                runs.iter().copied().filter(|run| within(run, from, to)).collect();
            let standing = charged.get(&id).copied();
            let told = Told { id, runs: &runs, ended: &ended, open: open.contains(&id), standing };
            day.take_in(&told).ok_or_else(too_much)?;
        }
        if accounted_to.is_none_or(|told| told < to) {
            day.differences.insert(0, difference(Cause::NotReported, None));
        }
        let ahead = |run: &&Run| run.ended.is_some_and(|ended| ended > self.now());
        let ahead = ended.iter().filter(ahead);
        day.differences.extend(ahead.map(|run| difference(Cause::ClockAhead, Some(run))));
        for id in usage::untold(tx, site, from, to).await? {
            let standing = charges_of(tx, &[id]).await?.get(&id).copied().unwrap_or_default();
            let lacking = Work::ZERO.minus(standing.used).map_err(|_| too_much())?;
            let missing = Cause::MissingInAccounting;
            let told = Difference { job: Some(id), amount: lacking, ..difference(missing, None) };
            day.charged = day.charged.plus(standing.used).map_err(|_| too_much())?;
            day.differences.push(told);
        }
        Ok(day)
    }
}

fn too_much() -> Error {
    Error::Internal("a day of the accounting exceeds 64 bits".to_owned())
}

fn within(run: &Run, from: Timestamp, to: Timestamp) -> bool {
    run.ended.is_some_and(|ended| from <= ended && ended < to)
}

fn difference(cause: Cause, run: Option<&Run>) -> Difference {
    Difference {
        cause,
        job: run.map(|run| run.job),
        label: run.map(|run| run.label.clone()).unwrap_or_default(),
        login: run.map(|run| run.login.clone()).unwrap_or_default(),
        amount: Work::ZERO,
    }
}

/// A day with what its runs come to in all, and the accounts that are not known.
fn begun((date, from, to): (Date, Timestamp, Timestamp), ended: &[Run]) -> Option<Day> {
    let mut day = Day {
        date,
        from,
        to,
        runs: 0,
        ran_seconds: 0,
        suspended_seconds: 0,
        energy_joules: 0,
        accounted: Work::ZERO,
        charged: Work::ZERO,
        differences: Vec::new(),
    };
    let mut unknown = BTreeMap::<&str, Difference>::new();
    for run in ended {
        let charge = run.charge.unwrap_or_default();
        if run.origin == Origin::Unknown {
            let fresh = || Difference {
                job: None,
                label: run.account.clone(),
                ..difference(Cause::UnknownAccount, Some(run))
            };
            let told = unknown.entry(&run.account).or_insert_with(fresh);
            told.amount = told.amount.plus(charge).ok()?;
            continue;
        }
        day.runs += 1;
        day.ran_seconds = day.ran_seconds.checked_add(run.ran_seconds)?;
        day.suspended_seconds = day.suspended_seconds.checked_add(run.suspended_seconds)?;
        day.energy_joules = day.energy_joules.checked_add(run.energy_joules.unwrap_or(0))?;
        day.accounted = day.accounted.plus(charge).ok()?;
    }
    day.differences = unknown.into_values().collect();
    Some(day)
}

/// What is told of one job.
struct Told<'a> {
    id: JobId,
    /// All its runs.
    runs: &'a [&'a Run],
    /// Those that ended in the day.
    ended: &'a [&'a Run],
    /// Whether the hub waits for its end.
    open: bool,
    standing: Option<Charged>,
}

impl Day {
    /// Adds what the ledger charges for a job: what stands charged, less what its runs on other
    /// days come to.
    fn take_in(&mut self, told: &Told<'_>) -> Option<()> {
        let sum = |runs: &[&Run]| {
            runs.iter()
                .try_fold(Work::ZERO, |sum, run| sum.plus(run.charge.unwrap_or_default()).ok())
        };
        let (here, all) = (sum(told.ended)?, sum(told.runs)?);
        let charged = match told.standing {
            None => Work::ZERO,
            Some(standing) => standing.used.minus(all.minus(here).ok()?).ok()?,
        };
        self.charged = self.charged.plus(charged).ok()?;
        let standing = told.standing.map(|standing| standing.used);
        let cause = match due(told.runs, told.open, standing) {
            Due::Nothing => None,
            Due::Later(Waits::Runs) if standing.is_some() => Some(Cause::ChargedWhileRunning),
            Due::Later(Waits::Runs) => Some(Cause::StillRuns),
            Due::Later(Waits::NotHeard) => Some(Cause::EndNotHeard),
            Due::Later(Waits::NoRule) => Some(Cause::NoRule),
            Due::Charge(_) | Due::Correct(_) => Some(Cause::NotPosted),
        };
        let about = |cause: Cause, amount: Work| {
            let run = told.ended.last().copied();
            Difference { job: Some(told.id), amount, ..difference(cause, run) }
        };
        if let Some(cause) = cause {
            self.differences.push(about(cause, here.minus(charged).ok()?));
        }
        let borne = told.standing.map_or(Work::ZERO, |standing| standing.borne);
        if borne > Work::ZERO {
            self.differences.push(about(Cause::SiteBears, borne));
        }
        Some(())
    }
}
