//! The load that comes to a partition anyway: its own history, or a population where that is short;
//! and what earlier awards are still to bring beyond it.

use std::collections::BTreeMap;

use access::allocation::Allocation;
use access::federation::Partition;
use jiff::SignedDuration;
use store::Tx;
use store::jobs::Past;
use twin::award::{Award, Base};
use twin::scenario::{Machine, Unit};
use twin::trace::{Entry, NameId, Trace};
use units::{AllocationId, Payer, Period, ProjectId, Slug, Timestamp, Work};

use super::{AssumedLoad, Earlier, in_a_day, units_of};
use crate::history::Classes;
use crate::{App, Error};

/// How many jobs are read at once.
const PAGE_JOBS: u32 = 1_000;
const WEEK_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 86_400;

/// The load that comes to a machine anyway.
pub(super) struct Coming {
    /// The load so far.
    pub(super) base: Base,
    /// Whose it is.
    pub(super) load: AssumedLoad,
    /// What earlier awards are still to bring beyond it.
    pub(super) granted: Vec<Award>,
    /// The same, in words' terms.
    pub(super) earlier: Earlier,
}

/// The jobs of a partition that a machine could run.
#[derive(Default)]
struct Seen {
    trace: Trace,
    /// The unit-seconds that each project used in them.
    used: BTreeMap<ProjectId, i64>,
}

impl App {
    /// The load that comes to a partition anyway, and whose it is.
    pub(super) async fn load_to_come(
        &self,
        tx: &Tx,
        partition: &Partition,
        machine: &Machine,
        now: Timestamp,
    ) -> Result<Coming, Error> {
        let settings = &self.parts.what_if;
        let need = &settings.history;
        let Seen { trace, used } = self.seen(tx, partition, machine, now).await?;
        let (jobs, weeks) = (trace.entries.len(), weeks_of(&trace));
        let mut awards = self.awards(tx, partition, machine, now).await?;
        let (base, load) = if weeks >= need.weeks_min && jobs >= need.jobs_min {
            let days = i64::from(weeks) * WEEK_DAYS;
            for (allocation, award) in &mut awards {
                let shown = used.get(&allocation.project).map_or(0, |used| used / days.max(1));
                award.work_per_day = award.work_per_day.saturating_sub(shown).max(0);
            }
            (Base::History(trace), AssumedLoad::History { weeks, jobs })
        } else {
            // The population stands for all who hold hours; only what is beyond it comes on top.
            let units = i64::from(machine.nodes).saturating_mul(machine.units_per_node.into());
            let shown = settings.busy.of(units.saturating_mul(DAY_SECONDS));
            beyond(&mut awards, shown);
            (Base::Population, AssumedLoad::Population { busy: settings.busy, jobs, weeks })
        };
        let granted: Vec<Award> =
            awards.into_iter().map(|(_, award)| award).filter(|it| it.work_per_day > 0).collect();
        let total = granted.iter().map(|it| it.work_per_day).fold(0, i64::saturating_add);
        let units = i64::from(units_of(partition.meter, machine)).max(1);
        let earlier = Earlier { allocations: granted.len(), per_day: Work::seconds(total / units) };
        Ok(Coming { base, load, granted, earlier })
    }

    /// What the allocations in use on a partition would use of the machine in a day, if what is left
    /// of each were used evenly until it ends; or over all days that are simulated, where it ends
    /// earlier, for no more can come than is left.
    async fn awards(
        &self,
        tx: &Tx,
        partition: &Partition,
        machine: &Machine,
        now: Timestamp,
    ) -> Result<Vec<(Allocation, Award)>, Error> {
        let mut drawn = store::allocations::drawn(tx, &partition.key, now).await?;
        drawn.retain(|(allocation, _)| allocation.usable(now).is_ok());
        let payer_of: BTreeMap<AllocationId, Payer> = drawn
            .iter()
            .filter_map(|(allocation, pools)| Some((allocation.id, pools.first()?.payer)))
            .collect();
        let active: Vec<Allocation> = drawn.into_iter().map(|(allocation, _)| allocation).collect();
        let settings = &self.parts.what_if;
        let days = i64::from(settings.days.saturating_add(settings.warm_up_days));
        let simulated = SignedDuration::from_hours(days * 24);
        let simulated_until = now.checked_add(simulated).unwrap_or(Timestamp::MAX);
        let (mut classes, mut awards) = (Classes::default(), Vec::with_capacity(active.len()));
        for (allocation, heading) in self.headings(tx, &active, now).await? {
            let project = store::projects::by_id(tx, allocation.project).await?;
            let project = project.ok_or(Error::NotFound("project"))?;
            let class = classes.of(self, tx, project.organisation).await?.to_string();
            let payer = payer_of.get(&allocation.id).map(ToString::to_string);
            let period = (now, allocation.period.end().max(simulated_until));
            let work = (heading.remaining, partition.meter);
            let award = Award {
                class,
                payer: payer.unwrap_or_default(),
                work_per_day: in_a_day(work, machine, period),
            };
            awards.push((allocation, award));
        }
        Ok(awards)
    }

    /// The jobs of a partition that the machine could run, as far back as is looked and no more
    /// than may be simulated.
    async fn seen(
        &self,
        tx: &Tx,
        partition: &Partition,
        machine: &Machine,
        now: Timestamp,
    ) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        let found = self.rules().federation.partition(&partition.key);
        let Some((factory, ..)) = found else { return Ok(seen) };
        let factory: &Slug = &factory.key;
        let settings = &self.parts.what_if;
        let back = SignedDuration::from_hours(i64::from(settings.history.weeks) * WEEK_DAYS * 24);
        let start = now.checked_sub(back).unwrap_or(Timestamp::MIN);
        let Ok(period) = Period::new(start, now) else { return Ok(seen) };
        let (mut classes, mut after) = (Classes::default(), None);
        while seen.trace.entries.len() <= settings.jobs_max {
            let page = store::jobs::history(tx, (factory, period), after, PAGE_JOBS).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.submitted_at, last.id));
            for job in page.iter().filter(|job| job.partition == partition.key) {
                let Some((entry, held)) = entry(job, machine) else { continue };
                let class = classes.of(self, tx, job.organisation).await?.to_string();
                let user = seen.trace.names.id(&job.person.to_string());
                let class = seen.trace.names.id(&class);
                let used = seen.used.entry(job.project).or_default();
                *used = used.saturating_add(i64::from(held).saturating_mul(entry.run_seconds));
                seen.trace.entries.push(Entry { user, class, ..entry });
            }
        }
        Ok(seen)
    }
}

/// Leaves of the awards what they are together beyond `shown`, in proportion.
fn beyond(awards: &mut [(Allocation, Award)], shown: i64) {
    let total: i128 = awards.iter().map(|(_, award)| i128::from(award.work_per_day)).sum();
    let more = (total - i128::from(shown)).max(0);
    for (_, award) in awards {
        let part = i128::from(award.work_per_day) * more / total.max(1);
        award.work_per_day = i64::try_from(part).unwrap_or(i64::MAX);
    }
}

/// A job as the twin replays it, and the units it held; `None` when it never ran, or not on units of
/// this machine.
fn entry(job: &Past, machine: &Machine) -> Option<(Entry, u32)> {
    let (started, ended) = job.ran?;
    let held = match machine.unit {
        Unit::Gpu => job.gpus,
        Unit::Core => job.cores,
    };
    let run = ended.as_second().saturating_sub(started.as_second());
    let entry = Entry {
        submit: job.submitted_at.as_second(),
        run_seconds: run.max(1),
        limit_seconds: Some(job.time_limit_seconds),
        nodes: job.nodes,
        cores: job.cores,
        gpus: if machine.unit == Unit::Gpu { job.gpus } else { 0 },
        user: NameId::NONE,
        account: NameId::NONE,
        queue: NameId::NONE,
        class: NameId::NONE,
    };
    (held > 0).then_some((entry, held))
}

/// The weeks that a trace covers, the last begun one counted.
fn weeks_of(trace: &Trace) -> u32 {
    let (Some(first), Some(last)) = (trace.entries.first(), trace.entries.last()) else {
        return 0;
    };
    let weeks = last.submit.saturating_sub(first.submit) / (WEEK_DAYS * DAY_SECONDS) + 1;
    u32::try_from(weeks).unwrap_or(u32::MAX)
}
