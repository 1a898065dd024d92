//! What a run comes to: waits by class, size and machine, use, pools, fairness, energy.
//!
//! Every figure is first taken of one run, then estimated over all seeds.

mod measure;
mod pools;

use serde::Serialize;

use crate::scenario::Scenario;
use crate::simulation::Run;
use crate::statistics::Estimate;

pub use measure::{Band, Figure, Scope};

/// A figure of one scenario, over all its seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Of whom or of what.
    pub scope: Scope,
    /// What is measured.
    pub figure: Figure,
    /// Its mean and the margin of 95 % confidence.
    pub estimate: Estimate,
    /// What each repetition said, in the order of the seeds; empty where a repetition had no job
    /// of this scope.
    #[serde(skip)]
    pub samples: Vec<Option<f64>>,
}

/// What a scenario comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Results {
    /// The scenario's name.
    pub name: String,
    /// What it asks.
    pub question: String,
    /// How it was asked: days, machines, policy, in words.
    pub described: Vec<(String, String)>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The figures, ordered by scope.
    pub lines: Vec<Line>,
    /// Of the first seed, for each machine and day: the share that was busy, and what was waiting
    /// relative to the machine.
    pub days: Vec<MachineDays>,
}

/// The days of one machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MachineDays {
    /// Its key.
    pub machine: String,
    /// How much of it was busy, from 0 to 1; `None` on days on which it was not there.
    pub busy: Vec<Option<f64>>,
    /// How many such machines its queue would have filled, on average.
    pub waiting: Vec<Option<f64>>,
}

impl Results {
    /// Of all runs of `scenario`, in the order of their seeds.
    pub fn of(scenario: &Scenario, runs: &[Run]) -> Self {
        let each: Vec<_> = runs.iter().map(|run| measure::measure(scenario, run)).collect();
        let mut keys: Vec<(Scope, Figure)> =
            each.iter().flat_map(|it| it.keys().cloned()).collect();
        keys.sort_unstable();
        keys.dedup();
        let line = |(scope, figure): (Scope, Figure)| {
            let key = (scope, figure);
            let samples: Vec<Option<f64>> = each.iter().map(|it| it.get(&key).copied()).collect();
            let known: Vec<f64> = samples.iter().flatten().copied().collect();
            Line { scope: key.0, figure: key.1, estimate: Estimate::of(&known), samples }
        };
        Self {
            name: scenario.name.clone(),
            question: scenario.question.clone(),
            described: scenario.described(),
            seeds: runs.iter().map(|run| run.seed).collect(),
            lines: keys.into_iter().map(line).collect(),
            days: runs.first().map(|run| days(scenario, run)).unwrap_or_default(),
        }
    }

    /// A figure, if there is one.
    pub fn line(&self, scope: &Scope, figure: Figure) -> Option<&Line> {
        self.lines.iter().find(|line| line.scope == *scope && line.figure == figure)
    }

    /// Everything that figures are about, in order.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes: Vec<Scope> = self.lines.iter().map(|line| line.scope.clone()).collect();
        scopes.dedup();
        scopes
    }
}

fn days(scenario: &Scenario, run: &Run) -> Vec<MachineDays> {
    let share = |parts: &[i64], wholes: &[i64]| {
        let part = |(part, whole): (&i64, &i64)| (*whole > 0).then(|| *part as f64 / *whole as f64);
        parts.iter().zip(wholes).map(part).collect()
    };
    let machines = scenario.machines.iter().zip(&run.days);
    let days = machines.map(|(machine, days)| MachineDays {
        machine: machine.key.clone(),
        busy: share(&days.busy, &days.capacity),
        waiting: share(&days.waiting, &days.capacity),
    });
    days.collect()
}
