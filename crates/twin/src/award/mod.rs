//! A machine under the load that comes anyway, and under what a call is asked for on top of it: who
//! would wait how much longer.
//!
//! Both are simulated with the same seeds, so both see the same load: the load so far, and what
//! earlier awards are still to bring. Hours become jobs like those that run there, spread evenly over
//! the days. The jobs of what is asked stand in a class of their own ([`APPLICANTS`]), so that every
//! other class is compared like with like.

mod load;
mod settings;

use access::document::word;
use jiff::civil::Date;

use crate::comparison::{Comparison, compare};
use crate::population::Span;
use crate::results::Results;
use crate::scenario::{BACKFILLS, Machine, Placement, Policy, Scenario};
use crate::study::{Watch, study_of};
use crate::trace::Trace;
use crate::workload::Workload;

pub use settings::{HistoryNeed, Settings};

/// The class of the jobs that would come with the awards.
pub const APPLICANTS: &str = "applicants";

/// What the two runs are called.
const BEFORE: &str = "as it is";
const AFTER: &str = "with what is asked granted";

/// Where the load so far comes from.
#[derive(Clone, Debug)]
pub enum Base {
    /// The machine's own history, whole weeks of it drawn again for each seed.
    History(Trace),
    /// The population of the settings, as much of it as keeps the machine as busy as they say.
    Population,
}

/// Hours that somebody has or asks, as the machine counts them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// The class of the organisation, whose jobs tell what the hours will be used for.
    pub class: String,
    /// Whose hours they would be.
    pub payer: String,
    /// Unit-seconds that they would use in a day.
    pub work_per_day: i64,
}

/// What is asked of the twin.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// Its load so far.
    pub base: &'a Base,
    /// What earlier awards are still to bring that the load so far does not show.
    pub granted: &'a [Award],
    /// What would come on top.
    pub asked: &'a [Award],
    /// The assumptions.
    pub settings: &'a Settings,
    /// The first simulated day.
    pub start: Date,
}

/// What the machine does without and with the awards.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Without them.
    pub before: Results,
    /// With them.
    pub after: Results,
    /// Figure by figure, with the confidence of the difference.
    pub comparison: Comparison,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// More jobs than may be simulated.
    #[error("some {jobs} jobs would be simulated, at most {most} may be: {remedy}", remedy = REMEDY)]
    TooManyJobs {
        /// About how many there are, over all repetitions.
        jobs: usize,
        /// How many there may be.
        most: usize,
    },
    /// Nothing that the machine could run is known of its load.
    #[error("nothing is known that runs on {0}")]
    NoLoad(String),
    /// The watch stopped it.
    #[error("the simulation was stopped before its end")]
    Stopped,
}

const REMEDY: &str = "take the history out and run the scenario with `usine twin run`";

/// Simulates the machine without and with what is asked.
///
/// # Errors
/// When it is too much, there is no load, or `watch` stopped it.
pub fn answer(question: &Question<'_>, watch: &Watch) -> Result<Answer, Unanswered> {
    let settings = question.settings;
    let load = load::Load::of(question);
    let first = load.with_asked(question, settings.seeds.first().copied().unwrap_or_default());
    if first.jobs.is_empty() {
        return Err(Unanswered::NoLoad(question.machine.key.clone()));
    }
    let (jobs, most) = (first.jobs.len() * settings.seeds.len() * 2, settings.jobs_max);
    if jobs > most {
        return Err(Unanswered::TooManyJobs { jobs, most });
    }
    let scenarios = [BEFORE, AFTER].map(|name| scenario(question, name));
    let workload = |index: usize, seed: u64| -> Workload {
        if index == 0 { load.base(question, seed) } else { load.with_asked(question, seed) }
    };
    let studied = study_of(&scenarios, workload, watch).ok_or(Unanswered::Stopped)?;
    let results: Vec<Results> = studied.into_iter().map(|studied| studied.results).collect();
    let comparison = compare(&results).into_iter().next().ok_or(Unanswered::Stopped)?;
    let mut results = results.into_iter();
    let (Some(before), Some(after)) = (results.next(), results.next()) else {
        return Err(Unanswered::Stopped);
    };
    Ok(Answer { before, after, comparison })
}

fn scenario(question: &Question<'_>, name: &str) -> Scenario {
    let settings = question.settings;
    Scenario {
        name: name.to_owned(),
        question: format!("What if {} runs {name}?", question.machine.key),
        span: span(question),
        warm_up_days: settings.warm_up_days,
        seeds: settings.seeds.clone(),
        machines: vec![question.machine.clone()],
        // The jobs are handed over with the scenario.
        loads: Vec::new(),
        policy: Policy {
            backfill: settings.backfill,
            placement: Placement::Forecast,
            multifactor: None,
            priorities: Vec::new(),
            floor: None,
            caps: Vec::new(),
        },
        transfer_gbit_per_second: None,
    }
}

fn span(question: &Question<'_>) -> Span {
    let Settings { days, warm_up_days, .. } = question.settings;
    Span { start: question.start, days: days.saturating_add(*warm_up_days) }
}

impl Settings {
    /// What is simulated, in a line.
    pub fn described(&self) -> String {
        let backfill = word(&BACKFILLS, &self.backfill);
        let (days, warm, seeds) = (self.days, self.warm_up_days, self.seeds.len());
        format!("{days} days after {warm} of warm-up, {seeds} seeds, backfill {backfill}")
    }
}

#[cfg(test)]
mod tests;
