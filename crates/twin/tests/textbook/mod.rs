//! The policies as textbooks tell them, with nothing clever.
#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "a textbook speaks plainly")]

use std::collections::BTreeSet;

use twin::Job;

/// A schedule that grows: who runs until when, and who waits.
struct Table<'a> {
    jobs: &'a [Job],
    procs: u32,
    starts: Vec<Option<i64>>,
    /// Instants at which something happens.
    agenda: BTreeSet<i64>,
}

impl<'a> Table<'a> {
    fn new(jobs: &'a [Job], procs: u32) -> Self {
        let agenda = jobs.iter().map(|job| job.submit).collect();
        Self { jobs, procs, starts: vec![None; jobs.len()], agenda }
    }

    /// Numbers, starts and jobs of those that run at `now`.
    fn running(&self, now: i64) -> impl Iterator<Item = (i64, &Job)> {
        self.starts.iter().zip(self.jobs).filter_map(move |(start, job)| {
            start.filter(|start| start + job.run > now).map(|start| (start, job))
        })
    }

    fn free(&self, now: i64) -> u32 {
        self.procs - self.running(now).map(|(_, job)| job.procs).sum::<u32>()
    }

    fn waiting(&self, now: i64) -> Vec<usize> {
        let arrived = |job: &Job| job.submit <= now;
        let waits =
            |(_, (job, start)): &(usize, (&Job, &Option<i64>))| arrived(job) && start.is_none();
        self.jobs
            .iter()
            .zip(&self.starts)
            .enumerate()
            .filter(waits)
            .map(|(index, _)| index)
            .collect()
    }

    fn start(&mut self, index: usize, now: i64) {
        self.starts[index] = Some(now);
        self.agenda.insert(now + self.jobs[index].run);
    }

    fn in_order(&mut self, now: i64) {
        for index in self.waiting(now) {
            if self.jobs[index].procs > self.free(now) {
                return;
            }
            self.start(index, now);
        }
    }

    fn finish(mut self, mut pass: impl FnMut(&mut Self, i64)) -> Vec<i64> {
        while let Some(now) = self.agenda.pop_first() {
            pass(&mut self, now);
        }
        self.starts.into_iter().map(|start| start.expect("every job starts")).collect()
    }
}

pub(crate) fn fcfs(jobs: &[Job], procs: u32) -> Vec<i64> {
    Table::new(jobs, procs).finish(Table::in_order)
}

pub(crate) fn easy(jobs: &[Job], procs: u32) -> Vec<i64> {
    Table::new(jobs, procs).finish(|table, now| {
        table.in_order(now);
        let waiting = table.waiting(now);
        let Some((&head, others)) = waiting.split_first() else { return };
        // The promise: enough estimated ends, taken in order, all of one instant together.
        let mut ends: Vec<(i64, u32)> =
            table.running(now).map(|(start, job)| (start + job.estimate, job.procs)).collect();
        ends.sort_unstable();
        let mut free = table.free(now);
        let (mut shadow, mut extra) = (None, 0);
        for (end, procs) in ends {
            if shadow.is_some_and(|shadow| shadow < end) {
                break;
            }
            free += procs;
            if free >= jobs[head].procs {
                shadow = Some(end);
                extra = free - jobs[head].procs;
            }
        }
        let Some(shadow) = shadow else { return };
        for &index in others {
            let job = &jobs[index];
            let short = now + job.estimate <= shadow;
            if job.procs <= table.free(now) && (short || job.procs <= extra) {
                if !short {
                    extra -= job.procs;
                }
                table.start(index, now);
            }
        }
    })
}

/// What the jobs of some queues may hold together; one that alone asks more counts as all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) queues: &'static [u32],
    pub(crate) procs: u32,
}

impl Cap {
    /// What it counts for.
    pub(crate) fn charge(&self, job: &Job) -> u32 {
        if self.queues.contains(&job.queue) { job.procs.min(self.procs) } else { 0 }
    }
}

/// Starts, and what each job was promised when it arrived.
pub(crate) fn conservative(jobs: &[Job], procs: u32, caps: &[Cap]) -> (Vec<i64>, Vec<i64>) {
    let mut promises: Vec<Option<i64>> = vec![None; jobs.len()];
    let mut first_promises = vec![0; jobs.len()];
    let starts = Table::new(jobs, procs).finish(|table, now| {
        for index in table.waiting(now) {
            if promises[index].is_none() {
                // It can only become possible when somebody is due to end.
                let running = table.running(now).map(|(start, job)| start + job.estimate);
                let promised = promises.iter().zip(jobs);
                let promised =
                    promised.filter_map(|(start, job)| start.map(|start| start + job.estimate));
                let mut dues: Vec<i64> = running.chain(promised).collect();
                dues.push(now);
                dues.sort_unstable();
                let free = |at: &i64| undisturbed(table, &promises, caps, now, (index, *at));
                let at = dues.into_iter().find(free).expect("all is free when all have ended");
                promises[index] = Some(at);
                first_promises[index] = at;
            }
        }
        loop {
            let mut moved = false;
            for index in table.waiting(now) {
                let promised = promises[index].expect("promised above");
                promises[index] = None;
                if promised <= now || undisturbed(table, &promises, caps, now, (index, now)) {
                    moved |= promised > now;
                    table.start(index, now);
                } else {
                    promises[index] = Some(promised);
                }
            }
            if !moved {
                return;
            }
        }
    });
    (starts, first_promises)
}

/// Whether job `index` could run its whole estimate from `at` on beside all who run or hold a
/// promise, under caps.
fn undisturbed(
    table: &Table<'_>,
    promises: &[Option<i64>],
    caps: &[Cap],
    now: i64,
    (index, at): (usize, i64),
) -> bool {
    let job = &table.jobs[index];
    let mut spans: Vec<(i64, i64, &Job)> =
        table.running(now).map(|(start, other)| (now, start + other.estimate, other)).collect();
    for (promise, other) in promises.iter().zip(table.jobs) {
        spans.extend(promise.map(|start| (start, start + other.estimate, other)));
    }
    let used = |when: i64, charge: &dyn Fn(&Job) -> u32| -> u32 {
        let there = spans.iter().filter(|(from, to, _)| *from <= when && when < *to);
        there.map(|span| charge(span.2)).sum::<u32>() + charge(job)
    };
    let fits = |when: i64| {
        used(when, &|other| other.procs) <= table.procs
            && caps
                .iter()
                .filter(|cap| cap.charge(job) > 0)
                .all(|cap| used(when, &|other| cap.charge(other)) <= cap.procs)
    };
    let end = at + job.estimate;
    let begins = spans.iter().map(|span| span.0).filter(|from| at < *from && *from < end);
    std::iter::once(at).chain(begins).all(fits)
}
