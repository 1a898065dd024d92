//! Award what-if: if a call grants what is asked, what happens to waits and to each pool.

mod load;

use std::sync::Arc;
use std::time::Duration;

use access::call::Call;
use access::federation::Partition;
use access::policy::AccessMode;
use jiff::ToSpan;
use jiff::tz::TimeZone;
use store::applications::Application;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use twin::award::{Answer, Award, Base, Question, answer};
use twin::scenario::Machine;
use twin::study::Watch;
use units::{CallId, Meter, PartitionKey, PartsPerMillion, Payer, Period, Timestamp, Work};

use crate::history::Classes;
use crate::{Action, Actor, App, Error};

/// What would come of granting all that a call is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    /// Which call.
    pub call: CallId,
    /// The assumptions, in their version.
    pub rule: String,
    /// What they say, in a line.
    pub assumptions: String,
    /// The partitions that the call gives hours of.
    pub partitions: Vec<PartitionWhatIf>,
}

/// What would come of it on one partition.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionWhatIf {
    /// Which partition.
    pub partition: PartitionKey,
    /// What is counted there.
    pub meter: Meter,
    /// How many applications wait for a decision.
    pub applications: usize,
    /// What becomes of each pool of this quarter.
    pub pools: Vec<PoolWhatIf>,
    /// What becomes of waits, or why that cannot be said; `None` when it was not asked.
    pub waits: Option<Result<Waits, String>>,
}

/// What would become of one payer's hours of this quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolWhatIf {
    /// Whose.
    pub payer: Payer,
    /// How many there are.
    pub hours: Work,
    /// What stands behind allocations already.
    pub granted: Work,
    /// What is asked on top.
    pub asked: Work,
    /// What would be left; below zero, what would be granted beyond the pool.
    pub left: Work,
}

/// What would become of waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Waits {
    /// Whose load was assumed.
    pub load: AssumedLoad,
    /// What was added to it for hours granted earlier.
    pub earlier: Earlier,
    /// What was simulated.
    pub answer: Answer,
}

/// Whose load was assumed to come anyway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssumedLoad {
    /// The partition's own history.
    History {
        /// The weeks it covers.
        weeks: u32,
        /// How many jobs of it the machine can run.
        jobs: usize,
    },
    /// A population described as data.
    Population {
        /// How busy it keeps the machine.
        busy: PartsPerMillion,
        /// The jobs of the history that was too short.
        jobs: usize,
        /// The weeks that it covers.
        weeks: u32,
    },
}

/// Hours granted earlier, not used yet, and beyond what the assumed load brings anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// Of how many allocations.
    pub allocations: usize,
    /// How many a day, if each allocation is used evenly until it ends.
    pub per_day: Work,
}

/// Of which partitions waits are simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simulate<'a> {
    /// Of all.
    All,
    /// Of this one.
    Only(&'a PartitionKey),
    /// Of none: pools alone are looked at.
    Nothing,
}

impl Simulate<'_> {
    fn includes(self, key: &PartitionKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only == key,
            Self::Nothing => false,
        }
    }
}

/// Whose turn it is to simulate: there is one at a time.
#[derive(Clone, Debug)]
pub(crate) struct Simulator(Arc<Semaphore>);

impl Default for Simulator {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// Stops a simulation whose answer nobody waits for any more.
struct StopOnDrop(Arc<Watch>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl App {
    /// What would come of granting all that is asked under a call and not decided yet.
    ///
    /// # Errors
    /// When there is no such call, it gives no hours of the one partition that is to be simulated,
    /// or the actor may not weigh it.
    pub async fn what_if(
        &self,
        actor: &Actor,
        id: CallId,
        simulate: Simulate<'_>,
    ) -> Result<WhatIf, Error> {
        actor.may(Action::WeighCall, &[])?;
        let (call, mode) = self.call(actor, id).await?;
        let tx = self.store().read().await?;
        let undecided = store::applications::undecided(&tx, call.id).await?;
        drop(tx);
        if let Simulate::Only(key) = simulate
            && !call.partitions.contains(key)
        {
            return Err(Error::NotFound("partition under this call"));
        }
        let settings = &self.parts.what_if;
        let until = Instant::now() + Duration::from_secs(settings.seconds_max.into());
        let mut partitions = Vec::with_capacity(call.partitions.len());
        for key in &call.partitions {
            let until = simulate.includes(key).then_some(until);
            partitions.push(self.what_if_on(key, (&call, &mode.says), &undecided, until).await?);
        }
        Ok(WhatIf {
            call: call.id,
            rule: settings.rule.clone(),
            assumptions: settings.described(),
            partitions,
        })
    }

    async fn what_if_on(
        &self,
        key: &PartitionKey,
        (call, mode): (&Call, &AccessMode),
        undecided: &[Application],
        simulated_until: Option<Instant>,
    ) -> Result<PartitionWhatIf, Error> {
        let now = self.now();
        let found = self.rules().federation.partition(key);
        let (.., partition) = found.ok_or(Error::NotFound("partition"))?;
        let asks: Vec<&Application> =
            undecided.iter().filter(|it| it.draft.partition.as_ref() == Some(key)).collect();
        let pools = self.pools_if_granted(key, mode.draws_on, &asks, now).await?;
        let waits = match simulated_until {
            None => None,
            Some(_) if asks.is_empty() => {
                Some(Err("nothing is asked here that is not decided".to_owned()))
            }
            Some(until) => {
                Some(self.waits_if_granted(partition, (mode.draws_on, &asks), now, until).await?)
            }
        };
        tracing::info!(call = %call.id, partition = %key, asked = asks.len(), "weighed a call");
        Ok(PartitionWhatIf {
            partition: key.clone(),
            meter: partition.meter,
            applications: asks.len(),
            pools,
            waits,
        })
    }

    async fn pools_if_granted(
        &self,
        key: &PartitionKey,
        draws_on: Payer,
        asks: &[&Application],
        now: Timestamp,
    ) -> Result<Vec<PoolWhatIf>, Error> {
        let tx = self.store().read().await?;
        let all = asks.iter().map(|it| hours_of(it).count()).fold(0, i64::saturating_add);
        let pool = |(record, left): (store::pools::PoolRecord, Work)| {
            let asked = if record.payer == draws_on { all } else { 0 };
            PoolWhatIf {
                payer: record.payer,
                hours: record.amount,
                granted: Work::seconds(record.amount.count().saturating_sub(left.count())),
                asked: Work::seconds(asked),
                left: Work::seconds(left.count().saturating_sub(asked)),
            }
        };
        Ok(self.pools_with_balance(&tx, key, now).await?.into_iter().map(pool).collect())
    }

    async fn waits_if_granted(
        &self,
        partition: &Partition,
        (draws_on, asks): (Payer, &[&Application]),
        now: Timestamp,
        until: Instant,
    ) -> Result<Result<Waits, String>, Error> {
        let machine = match Machine::of(partition) {
            Ok(machine) => machine,
            Err(missing) => return Ok(Err(missing.join("; "))),
        };
        let tx = self.store().read().await?;
        let mut classes = Classes::default();
        let mut asked = Vec::with_capacity(asks.len());
        for application in asks {
            let class = classes.of(self, &tx, application.organisation).await?;
            asked.push(Award {
                class: class.to_string(),
                payer: draws_on.to_string(),
                work_per_day: asked_in_a_day(application, partition.meter, &machine, now),
            });
        }
        let load::Coming { base, load, granted, earlier } =
            self.load_to_come(&tx, partition, &machine, now).await?;
        drop(tx);
        let simulated = self.simulated(machine, base, [granted, asked], until).await?;
        Ok(simulated.map(|answer| Waits { load, earlier, answer }))
    }

    /// Runs the simulation when it is its turn; or says why it has no answer.
    async fn simulated(
        &self,
        machine: Machine,
        base: Base,
        [granted, asked]: [Vec<Award>; 2],
        until: Instant,
    ) -> Result<Result<Answer, String>, Error> {
        let settings = Arc::clone(&self.parts.what_if);
        let late = format!("the simulation did not end within {} s", settings.seconds_max);
        let turn = Arc::clone(&self.simulator.0).acquire_owned();
        let Ok(turn) = timeout_at(until, turn).await else { return Ok(Err(late)) };
        let turn = turn.map_err(|error| Error::Internal(error.to_string()))?;
        let watch = Arc::new(Watch::default());
        let _stop = StopOnDrop(Arc::clone(&watch));
        let start = self.now().to_zoned(TimeZone::UTC).date();
        let task = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let (machine, base, settings) = (&machine, &base, &*settings);
            let (granted, asked) = (granted.as_slice(), asked.as_slice());
            answer(&Question { machine, base, granted, asked, settings, start }, &watch)
        });
        match timeout_at(until, task).await {
            Ok(Ok(answered)) => Ok(answered.map_err(|error| error.to_string())),
            Ok(Err(failed)) => Err(Error::Internal(format!("the simulation failed: {failed}"))),
            Err(_) => Ok(Err(late)),
        }
    }
}

/// What an application asks, in hours of its partition's meter.
fn hours_of(application: &Application) -> Work {
    let hours = application.draft.hours.unwrap_or_default();
    Work::hours(i64::from(hours)).unwrap_or(Work::ZERO)
}

/// What an application would use of the machine in a day, if it used all it asks evenly over the
/// months it asks for.
fn asked_in_a_day(it: &Application, meter: Meter, machine: &Machine, now: Timestamp) -> i64 {
    let months = i64::from(it.draft.months.unwrap_or(1)).max(1);
    let end = now.to_zoned(TimeZone::UTC).saturating_add(months.months()).timestamp();
    in_a_day((hours_of(it), meter), machine, (now, end))
}

/// The unit-seconds of the machine that these hours are in a day, spread evenly over a span.
fn in_a_day(
    (hours, meter): (Work, Meter),
    machine: &Machine,
    (start, end): (Timestamp, Timestamp),
) -> i64 {
    const DAY: i128 = 86_400;
    let seconds = Period::new(start, end).map_or(1, |period| period.seconds().max(1));
    let work = i128::from(hours.count()) * i128::from(units_of(meter, machine)) * DAY;
    i64::try_from(work / i128::from(seconds)).unwrap_or(i64::MAX)
}

/// How many units of the machine one counted unit is.
const fn units_of(meter: Meter, machine: &Machine) -> u32 {
    match meter {
        Meter::Node => machine.units_per_node,
        Meter::Gpu | Meter::Core | Meter::Qpu => 1,
    }
}

#[cfg(test)]
mod tests;
