//! The load that comes to a partition anyway: its own history, or a population where that is short.

use access::federation::Partition;
use jiff::SignedDuration;
use store::Tx;
use store::jobs::Past;
use twin::award::Base;
use twin::scenario::{Machine, Unit};
use twin::trace::{Entry, NameId, Trace};
use units::{Period, Slug, Timestamp};

use super::AssumedLoad;
use crate::history::Classes;
use crate::{App, Error};

/// How many jobs are read at once.
const PAGE_JOBS: u32 = 1_000;
const WEEK_SECONDS: i64 = 7 * 86_400;

impl App {
    /// The load that comes to a partition anyway, and whose it is.
    pub(super) async fn load_so_far(
        &self,
        tx: &Tx,
        partition: &Partition,
        machine: &Machine,
        now: Timestamp,
    ) -> Result<(Base, AssumedLoad), Error> {
        let need = &self.parts.what_if.history;
        let trace = self.trace_of(tx, partition, machine, now).await?;
        let (jobs, weeks) = (trace.entries.len(), weeks_of(&trace));
        if weeks >= need.weeks_min && jobs >= need.jobs_min {
            return Ok((Base::History(trace), AssumedLoad::History { weeks, jobs }));
        }
        let busy = self.parts.what_if.busy;
        Ok((Base::Population, AssumedLoad::Population { busy, jobs, weeks }))
    }

    /// The jobs of a partition that the machine could run, as far back as is looked and no more
    /// than may be simulated.
    async fn trace_of(
        &self,
        tx: &Tx,
        partition: &Partition,
        machine: &Machine,
        now: Timestamp,
    ) -> Result<Trace, Error> {
        let mut trace = Trace::default();
        let found = self.rules().federation.partition(&partition.key);
        let Some((factory, ..)) = found else { return Ok(trace) };
        let factory: &Slug = &factory.key;
        let settings = &self.parts.what_if;
        let back = SignedDuration::from_hours(i64::from(settings.history.weeks) * 7 * 24);
        let start = now.checked_sub(back).unwrap_or(Timestamp::MIN);
        let Ok(period) = Period::new(start, now) else { return Ok(trace) };
        let (mut classes, mut after) = (Classes::default(), None);
        while trace.entries.len() <= settings.jobs_max {
            let page = store::jobs::history(tx, (factory, period), after, PAGE_JOBS).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.submitted_at, last.id));
            for job in page.iter().filter(|job| job.partition == partition.key) {
                let Some(entry) = entry(job, machine) else { continue };
                let class = classes.of(self, tx, job.organisation).await?.to_string();
                let user = trace.names.id(&job.person.to_string());
                let class = trace.names.id(&class);
                trace.entries.push(Entry { user, class, ..entry });
            }
        }
        Ok(trace)
    }
}

/// A job as the twin replays it; `None` when it never ran, or not on units of this machine.
fn entry(job: &Past, machine: &Machine) -> Option<Entry> {
    let (started, ended) = job.ran?;
    let held = match machine.unit {
        Unit::Gpu => job.gpus,
        Unit::Core => job.cores,
    };
    let run = ended.as_second().saturating_sub(started.as_second());
    (held > 0).then(|| Entry {
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
    })
}

/// The weeks that a trace covers, the last begun one counted.
fn weeks_of(trace: &Trace) -> u32 {
    let (Some(first), Some(last)) = (trace.entries.first(), trace.entries.last()) else {
        return 0;
    };
    let weeks = last.submit.saturating_sub(first.submit) / WEEK_SECONDS + 1;
    u32::try_from(weeks).unwrap_or(u32::MAX)
}
