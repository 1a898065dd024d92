//! Jobs drawn from a population.

use jiff::civil::Date;

use super::{Crowd, Kind, Population, Sized};
use crate::random::Dice;
use crate::workload::{Job, Workload};

/// The days that a workload covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day, from midnight UTC; second 0.
    pub start: Date,
    /// How many days.
    pub days: u32,
}

const HOUR_SECONDS: i64 = 3_600;
const WEEK_SECONDS: f64 = 604_800.0;
const DAYS_A_YEAR: f64 = 365.25;
/// Jobs of one batch come so many seconds after one another, at most.
const BATCH_GAP_SECONDS: u64 = 10;

impl Population {
    /// The jobs of these days; the same for one seed, and each group's whatever the others are.
    pub fn draw(&self, span: Span, seed: u64) -> Workload {
        let mut workload = Workload {
            groups: self.crowds.iter().map(|crowd| crowd.group.clone()).collect(),
            jobs: Vec::new(),
        };
        for (group, crowd) in self.crowds.iter().enumerate() {
            // Each crowd has its own stream, so that a change to one leaves the others alone.
            let dice = Dice::new(seed, u64::try_from(group).unwrap_or_default());
            Draw { crowd, group, dice, span, left: 0.0 }.jobs_into(&mut workload.jobs);
        }
        workload.jobs.sort_by_key(|job| job.submit);
        workload
    }
}

impl Crowd {
    /// About how many jobs come in so many days.
    pub(crate) fn jobs(&self, days: u32) -> f64 {
        let growth = |day| grown(self.growth_percent_per_year, i64::from(day));
        (0..days).map(growth).sum::<f64>() * f64::from(self.jobs_per_week) / 7.0
    }
}

struct Draw<'a> {
    crowd: &'a Crowd,
    group: usize,
    dice: Dice,
    span: Span,
    /// The part of the wait for the next batch that is not over, in units of its mean.
    left: f64,
}

impl Draw<'_> {
    /// A Poisson process whose rate changes by the hour.
    fn jobs_into(mut self, jobs: &mut Vec<Job>) {
        let end = i64::from(self.span.days) * 24 * HOUR_SECONDS;
        self.left = self.dice.exponential();
        for hour in 0..i64::from(self.span.days) * 24 {
            let rate = self.batches_per_second(hour);
            let mut at = 0.0;
            while at + self.left / rate < HOUR_SECONDS as f64 {
                at += self.left / rate;
                self.batch(hour * HOUR_SECONDS + at as i64, end, jobs);
                self.left = self.dice.exponential();
            }
            self.left -= (HOUR_SECONDS as f64 - at) * rate;
        }
    }

    fn batches_per_second(&self, hour: i64) -> f64 {
        let crowd = self.crowd;
        let days = hour / 24;
        let weekday = (i64::from(self.span.start.weekday().to_monday_zero_offset()) + days) % 7;
        let base = f64::from(crowd.jobs_per_week) / WEEK_SECONDS / f64::from(crowd.jobs_per_batch);
        let rate = base
            * relative(&crowd.hours, hour % 24)
            * relative(&crowd.weekdays, weekday)
            * grown(crowd.growth_percent_per_year, days);
        // A rate of nothing would be waited for for ever.
        rate.max(1e-12)
    }

    /// What one user submits at once: jobs alike in size.
    fn batch(&mut self, at: i64, end: i64, jobs: &mut Vec<Job>) {
        let user = self.user();
        let percent = self.crowd.sessions.as_ref().map_or(0, |(percent, _)| *percent);
        let interactive = self.dice.below(100) < u64::from(percent);
        let count = self.dice.geometric(f64::from(self.crowd.jobs_per_batch));
        let kind = match &self.crowd.sessions {
            Some((_, kind)) if interactive => kind,
            _ => &self.crowd.jobs,
        };
        let chosen = self.dice.pick(kind.sizes.iter().map(|sized| u64::from(sized.weight)));
        let Some(sized) = kind.sizes.get(chosen) else { return };
        let mut submit = at;
        for _ in 0..count {
            jobs.push(Job { submit, user, interactive, ..self.job(kind, sized) });
            submit += i64::try_from(self.dice.below(BATCH_GAP_SECONDS)).unwrap_or_default();
            if submit >= end {
                return;
            }
        }
    }

    fn job(&mut self, kind: &Kind, sized: &Sized) -> Job {
        let spread = sized.run_seconds.as_ref().or(kind.run_seconds.as_ref());
        let run = spread.map_or(1, |spread| spread.draw(&mut self.dice));
        let run_seconds = run.clamp(1, kind.limit_seconds_max);
        let used = kind.used_percent.draw(&mut self.dice).clamp(1, 100);
        let asked = round_limit((run_seconds * 100).div_euclid(used));
        let data_gb = self.crowd.data_gb.draw(&mut self.dice);
        Job {
            submit: 0,
            run_seconds,
            limit_seconds: asked.clamp(run_seconds, kind.limit_seconds_max),
            size: sized.size,
            group: self.group,
            user: 0,
            data_gb: u32::try_from(data_gb).unwrap_or(u32::MAX),
            interactive: false,
            lot: self.dice.bits(),
        }
    }

    /// One of the users: the second submits half as much as the first, the third a third.
    fn user(&mut self) -> u32 {
        let count = f64::from(self.crowd.users);
        // The inverse of the harmonic sums' growth, which is that of the logarithm.
        let rank = libm::exp(self.dice.unit() * libm::log(count + 1.0)) - 1.0;
        (rank.clamp(0.0, count - 1.0)) as u32
    }
}

/// People ask round times: minutes below an hour, quarters of an hour below a day, then hours.
fn round_limit(seconds: i64) -> i64 {
    let step = match seconds {
        ..=3_600 => 60,
        3_601..=86_400 => 900,
        _ => 3_600,
    };
    (seconds + step - 1).div_euclid(step) * step
}

/// How much more happens after so many days.
pub(super) fn grown(percent_per_year: u32, days: i64) -> f64 {
    libm::pow(1.0 + f64::from(percent_per_year) / 100.0, days as f64 / DAYS_A_YEAR)
}

/// A weight relative to the mean of all; 1 where none are given.
fn relative(weights: &[u32], index: i64) -> f64 {
    let Some(weight) = usize::try_from(index).ok().and_then(|index| weights.get(index)) else {
        return 1.0;
    };
    let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
    f64::from(*weight) * weights.len() as f64 / total
}
