//! Scenarios side by side: what differs, for whom, and whether chance alone may have done it.
//!
//! Repetitions are paired by their seed: both scenarios see the same jobs, so what the jobs make
//! of the figures cancels out and the interval of the difference is far narrower than those of the
//! two figures. Each interval holds for itself, at 95 %.

use serde::Serialize;

use crate::report::told::Told;
use crate::results::{Figure, Results, Scope};
use crate::statistics::Estimate;

/// One figure in two scenarios.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Of whom or of what.
    pub scope: Scope,
    /// What is measured.
    pub figure: Figure,
    /// In the first.
    pub before: f64,
    /// In the other.
    pub after: f64,
    /// The other less the first, over the seeds that both have.
    pub difference: Estimate,
    /// What that means.
    pub verdict: Verdict,
}

/// For whom a change is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The other is better in this.
    Better,
    /// The other is worse in this.
    Worse,
    /// Chance alone may have made the difference, or there are too few seeds to tell.
    Indistinguishable,
    /// Neither is better.
    Neutral,
}

/// A scenario against the first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The first.
    pub base: String,
    /// The other.
    pub other: String,
    /// What they have in common, figure by figure.
    pub changes: Vec<Change>,
}

/// Compares every scenario with the first.
pub fn compare(results: &[Results]) -> Vec<Comparison> {
    let Some((base, others)) = results.split_first() else { return Vec::new() };
    let against = |other: &Results| Comparison {
        base: base.name.clone(),
        other: other.name.clone(),
        changes: base.lines.iter().filter_map(|line| change(base, other, line)).collect(),
    };
    others.iter().map(against).collect()
}

fn change(base: &Results, other: &Results, line: &crate::results::Line) -> Option<Change> {
    let after = other.line(&line.scope, line.figure)?;
    let of_seed = |results: &Results, samples: &[Option<f64>], seed: u64| {
        let place = results.seeds.iter().position(|it| *it == seed)?;
        samples.get(place).copied().flatten()
    };
    let pairs = base.seeds.iter().filter_map(|seed| {
        let before = of_seed(base, &line.samples, *seed)?;
        Some(of_seed(other, &after.samples, *seed)? - before)
    });
    let differences: Vec<f64> = pairs.collect();
    if differences.is_empty() {
        return None;
    }
    let difference = Estimate::of(&differences);
    Some(Change {
        scope: line.scope.clone(),
        figure: line.figure,
        before: line.estimate.mean,
        after: after.estimate.mean,
        verdict: verdict(line.figure, &difference),
        difference,
    })
}

fn verdict(figure: Figure, difference: &Estimate) -> Verdict {
    let more_is_better = match figure {
        // A busier machine is no good in itself: one that lost its neighbour is busier, too.
        Figure::Jobs | Figure::PoolHours | Figure::Utilisation => return Verdict::Neutral,
        Figure::UsedHours | Figure::Fairness => true,
        Figure::WaitSecondsMean
        | Figure::WaitSecondsMedian
        | Figure::WaitSeconds95th
        | Figure::BoundedSlowdown
        | Figure::JobsNotRun
        | Figure::LostHours
        | Figure::UnusedHours
        | Figure::OverGrantedHours
        | Figure::EnergyKwh
        | Figure::CarbonKg => false,
    };
    if difference.may_be_zero() {
        Verdict::Indistinguishable
    } else if (difference.mean > 0.0) == more_is_better {
        Verdict::Better
    } else {
        Verdict::Worse
    }
}

impl Comparison {
    /// Who gains, who loses, and for whom no difference can be told, in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let whom = |verdict: Verdict| {
            let changes = self.changes.iter().filter(move |change| {
                change.verdict == verdict && change.figure == Figure::WaitSecondsMean
            });
            changes.filter_map(move |change| {
                let whom = match &change.scope {
                    Scope::All => "all jobs together".to_owned(),
                    Scope::Class(class) => class.clone(),
                    Scope::Sessions => "sessions".to_owned(),
                    Scope::Size(_) | Scope::Machine(_) | Scope::Pool(..) => return None,
                };
                let told = Told(Figure::WaitSecondsMean);
                Some(match verdict {
                    Verdict::Better | Verdict::Worse => {
                        format!("{whom} ({})", told.change(&change.difference))
                    }
                    Verdict::Indistinguishable | Verdict::Neutral => whom,
                })
            })
        };
        let list = |verdict| whom(verdict).collect::<Vec<_>>().join(", ");
        let (better, worse) = (list(Verdict::Better), list(Verdict::Worse));
        let same = list(Verdict::Indistinguishable);
        let mut told = Vec::new();
        let (other, base) = (&self.other, &self.base);
        if !better.is_empty() {
            told.push(format!("“{other}” is better than “{base}” for {better}."));
        }
        if !worse.is_empty() {
            told.push(format!("“{other}” is worse than “{base}” for {worse}."));
        }
        if !same.is_empty() {
            told.push(format!(
                "Between “{other}” and “{base}” no difference in waiting can be told from chance for {same}."
            ));
        }
        told
    }
}

#[cfg(test)]
mod tests;
