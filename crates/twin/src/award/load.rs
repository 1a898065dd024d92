//! The jobs of both runs: those that come anyway, and those that what is asked would bring.

use std::collections::BTreeMap;
use std::path::PathBuf;

use access::organisation::Class;

use super::{APPLICANTS, Award, Base, Question, span};
use crate::population::{By, Population};
use crate::random::Dice;
use crate::scenario::{Machine, TraceLoad};
use crate::trace::Format;
use crate::workload::{Group, Job, Workload};

const DAY_SECONDS: i64 = 86_400;
const WEEK_SECONDS: i64 = 7 * DAY_SECONDS;
/// With fewer jobs of a class in the load, all classes tell how the hours will be used.
const JOBS_TO_TELL: usize = 30;

/// The load so far, ready to be drawn for any seed.
pub(super) enum Load {
    History(TraceLoad),
    Population(Population),
}

impl Load {
    pub(super) fn of(question: &Question<'_>) -> Self {
        match question.base {
            Base::History(_) => Self::History(history()),
            Base::Population => Self::Population(sized(question)),
        }
    }

    /// The jobs that come anyway: the load so far, and what earlier awards are still to bring.
    pub(super) fn base(&self, question: &Question<'_>, seed: u64) -> Workload {
        let mut all = self.so_far(question, seed);
        let granted = Coming::Granted.jobs(question, &all, seed);
        all.extend(granted);
        all
    }

    /// These, and the jobs that what is asked would bring.
    pub(super) fn with_asked(&self, question: &Question<'_>, seed: u64) -> Workload {
        let so_far = self.so_far(question, seed);
        let asked = Coming::Asked.jobs(question, &so_far, seed);
        let mut all = self.base(question, seed);
        all.extend(asked);
        all
    }

    fn so_far(&self, question: &Question<'_>, seed: u64) -> Workload {
        let span = span(question);
        let mut workload = match (self, question.base) {
            (Self::History(load), Base::History(trace)) => {
                load.workload(trace, i64::from(span.days) * DAY_SECONDS, seed)
            }
            (Self::Population(population), _) => population.draw(span, seed),
            (Self::History(_), Base::Population) => Workload::default(),
        };
        workload.jobs.retain(|job| work(question.machine, job) > 0);
        workload
    }
}

/// Whose hours become jobs.
#[derive(Clone, Copy)]
enum Coming {
    Granted,
    Asked,
}

impl Coming {
    /// Jobs like those of `so_far`, as much as the awards are.
    fn jobs(self, question: &Question<'_>, so_far: &Workload, seed: u64) -> Workload {
        // Each award draws from a stream of its own, far from those of the population's groups.
        let (awards, name, streams) = match self {
            Self::Granted => (question.granted, "granted", u64::MAX / 2),
            Self::Asked => (question.asked, APPLICANTS, u64::MAX - 1),
        };
        let mut added = Workload::default();
        for (place, award) in (0_u64..).zip(awards) {
            let jobs = drawn(question, so_far, award, Dice::new(seed, streams - place));
            let group = added.groups.len();
            let user = u32::try_from(place).unwrap_or(u32::MAX);
            added.jobs.extend(jobs.into_iter().map(|job| Job { group, user, ..job }));
            added.groups.push(Group {
                key: format!("{name}-{place}"),
                class: match self {
                    Self::Granted => award.class.clone(),
                    Self::Asked => APPLICANTS.to_owned(),
                },
                payer: award.payer.clone(),
                mode: None,
                home: Vec::new(),
            });
        }
        added
    }
}

/// How the hub's own history is read: its classes are those of the organisations.
fn history() -> TraceLoad {
    let classes: BTreeMap<String, String> =
        Class::WORDS.iter().map(|(word, _)| ((*word).to_owned(), (*word).to_owned())).collect();
    TraceLoad {
        path: PathBuf::new(),
        format: Format::History,
        by: By::Class,
        classes,
        class: Class::Industry.to_string(),
        payer: "union".to_owned(),
        limit_seconds: None,
        resample: true,
    }
}

/// As much of the described population as keeps the machine as busy as the settings say.
fn sized(question: &Question<'_>) -> Population {
    let (machine, settings, span) = (question.machine, question.settings, span(question));
    let drawn = settings.population.draw(span, 0);
    let asked: i64 = drawn.jobs.iter().map(|job| work(machine, job)).fold(0, i64::saturating_add);
    let units = i64::from(machine.nodes) * i64::from(machine.units_per_node);
    let wanted = settings.busy.of(units.saturating_mul(i64::from(span.days) * DAY_SECONDS));
    let percent = wanted.saturating_mul(100) / asked.max(1);
    settings.population.scaled(u32::try_from(percent).unwrap_or(u32::MAX).max(1))
}

/// Jobs like those of the same class, or of all where there are few of it, as much as an award is;
/// each at an hour of the week at which its model came, in any of the weeks.
fn drawn(question: &Question<'_>, so_far: &Workload, award: &Award, mut dice: Dice) -> Vec<Job> {
    let of_class =
        |job: &&Job| so_far.groups.get(job.group).is_some_and(|group| group.class == award.class);
    let mut models: Vec<&Job> = so_far.jobs.iter().filter(of_class).collect();
    if models.len() < JOBS_TO_TELL {
        models = so_far.jobs.iter().collect();
    }
    let days = i64::from(span(question).days);
    let weeks = u64::try_from((days * DAY_SECONDS + WEEK_SECONDS - 1) / WEEK_SECONDS).unwrap_or(1);
    let count = u64::try_from(models.len()).unwrap_or_default();
    let mut left = award.work_per_day.saturating_mul(days);
    let mut jobs = Vec::new();
    while left > 0 && count > 0 && jobs.len() <= question.settings.jobs_max {
        let chosen = usize::try_from(dice.below(count)).unwrap_or_default();
        let Some(model) = models.get(chosen) else { break };
        let work = work(question.machine, model);
        let week = i64::try_from(dice.below(weeks)).unwrap_or_default() * WEEK_SECONDS;
        let submit = (week + model.submit % WEEK_SECONDS) % (days * DAY_SECONDS);
        // The last job comes as often as makes the sum right on average.
        if work <= left || dice.unit() * (work as f64) < left as f64 {
            jobs.push(Job { submit, lot: dice.bits(), ..**model });
        }
        left -= work;
    }
    jobs
}

/// The unit-seconds that a job holds on the machine; nothing when it cannot run there.
fn work(machine: &Machine, job: &Job) -> i64 {
    let shape = machine.shape(job.size).filter(|(nodes, _)| *nodes <= machine.nodes);
    let units = shape.map_or(0, |(nodes, units)| i64::from(nodes) * i64::from(units));
    units.saturating_mul(job.run_seconds)
}
