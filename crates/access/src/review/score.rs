//! Reviews brought together: means, thresholds, and where reviewers differ too much.

use std::collections::BTreeMap;

use units::Slug;

use super::points::{Mean, Points};
use crate::policy::{Criterion, Procedure};

/// The points of one review, one entry for every criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scores(BTreeMap<Slug, Points>);

/// What is wrong with the points of a review.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreFault {
    /// A criterion has no points.
    #[error("{0} has no points yet")]
    Missing(Slug),
    /// There is no such criterion.
    #[error("there is no criterion `{0}` in this procedure")]
    Unknown(Slug),
    /// There are more points than the scale has.
    #[error("{criterion} has {found} points; the scale ends at {most}")]
    BeyondScale {
        /// Of which criterion.
        criterion: Slug,
        /// How many.
        found: Points,
        /// The most.
        most: Points,
    },
}

impl Scores {
    /// The points of a review by the criteria of `procedure`.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn new(
        points: BTreeMap<Slug, Points>,
        procedure: &Procedure,
    ) -> Result<Self, Vec<ScoreFault>> {
        let mut faults = Vec::new();
        for criterion in &procedure.criteria {
            if !points.contains_key(&criterion.key) {
                faults.push(ScoreFault::Missing(criterion.key.clone()));
            }
        }
        for (key, found) in &points {
            if !procedure.criteria.iter().any(|criterion| criterion.key == *key) {
                faults.push(ScoreFault::Unknown(key.clone()));
            } else if *found > procedure.scale {
                let (criterion, found, most) = (key.clone(), *found, procedure.scale);
                faults.push(ScoreFault::BeyondScale { criterion, found, most });
            }
        }
        if faults.is_empty() { Ok(Self(points)) } else { Err(faults) }
    }

    /// The points, by criterion.
    pub fn iter(&self) -> impl Iterator<Item = (&Slug, Points)> {
        self.0.iter().map(|(key, points)| (key, *points))
    }

    fn of(&self, criterion: &Criterion) -> Option<Points> {
        self.0.get(&criterion.key).copied()
    }
}

/// What reviewers together say on a criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CriterionResult {
    /// Which.
    pub criterion: Slug,
    /// What counts: the mean, or what they agreed on.
    pub counts: Mean,
    /// The fewest and the most points that somebody gave.
    pub spread: (Points, Points),
    /// Whether it misses its threshold.
    pub below: bool,
}

/// Where an application stands after review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Reviews are missing.
    Incomplete {
        /// How many there are.
        have: u32,
        /// How many there should be.
        want: u32,
    },
    /// Reviewers differ so much on these criteria that they must agree first.
    Apart(Vec<Slug>),
    /// A threshold is missed: of these criteria, or of the sum when there are none.
    Below(Vec<Slug>),
    /// Every threshold is met.
    Passed,
}

/// What reviews come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// Criterion by criterion, in the order of the procedure.
    pub criteria: Vec<CriterionResult>,
    /// The weighted sum.
    pub total: Mean,
    /// Whether what counts was agreed on by the reviewers together.
    pub agreed: bool,
    /// Where it stands.
    pub standing: Standing,
}

/// Brings `reviews` together; `None` while there is none. What the reviewers have agreed on counts
/// in place of the means.
pub fn evaluate(
    procedure: &Procedure,
    reviews: &[Scores],
    agreed: Option<&Scores>,
) -> Option<Evaluation> {
    let mut criteria = Vec::with_capacity(procedure.criteria.len());
    let mut total = Mean::NOTHING;
    for criterion in &procedure.criteria {
        let given = || reviews.iter().filter_map(|review| review.of(criterion));
        let counts = match agreed.and_then(|agreed| agreed.of(criterion)) {
            Some(points) => Mean::of([points])?,
            None => Mean::of(given())?,
        };
        let spread = (given().min().unwrap_or_default(), given().max().unwrap_or_default());
        total = total.plus(counts, criterion.weight);
        let below = counts.is_below(criterion.threshold);
        criteria.push(CriterionResult { criterion: criterion.key.clone(), counts, spread, below });
    }
    let standing = standing(procedure, (&criteria, total), (reviews.len(), agreed.is_some()));
    Some(Evaluation { criteria, total, agreed: agreed.is_some(), standing })
}

fn standing(
    procedure: &Procedure,
    (criteria, total): (&[CriterionResult], Mean),
    (reviews, agreed): (usize, bool),
) -> Standing {
    let have = u32::try_from(reviews).unwrap_or(u32::MAX);
    if have < procedure.reviewers {
        return Standing::Incomplete { have, want: procedure.reviewers };
    }
    let those = |which: fn(&CriterionResult, Points) -> bool| -> Vec<Slug> {
        let found = criteria.iter().filter(|it| which(it, procedure.apart_max));
        found.map(|it| it.criterion.clone()).collect()
    };
    let apart = those(|it, most| it.spread.1.apart(it.spread.0) > most);
    if !agreed && !apart.is_empty() {
        return Standing::Apart(apart);
    }
    let below = those(|it, _| it.below);
    if !below.is_empty() || total.is_below(procedure.total_min) {
        return Standing::Below(below);
    }
    Standing::Passed
}
