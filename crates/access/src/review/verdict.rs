//! When a review has come so far that people may decide, and what stands against it until then.

use std::fmt;

use units::{Slug, Timestamp};

use super::score::{Evaluation, Standing};
use crate::policy::Review;

/// What is proposed to become of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// So many hours are granted.
    Award {
        /// How many, of the mode's unit.
        hours: u32,
    },
    /// Nothing is.
    Refuse,
}

impl Verdict {
    /// Its name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Award { .. } => "award",
            Self::Refuse => "refuse",
        }
    }
}

/// Whether applicants may answer the reviews, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebuttal {
    /// The procedure foresees none.
    NotForeseen,
    /// The reviews were not shown to the applicant yet.
    Due,
    /// The applicant may answer.
    Open {
        /// Until when.
        until: Timestamp,
    },
    /// The applicant has answered, or has let the time pass.
    Over,
}

/// How far a review has come.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The checks that the mode has.
    pub steps: &'a [Review],
    /// How the technical check came out, once it was made.
    pub technical: Option<bool>,
    /// What reviews come to, once there is one.
    pub evaluation: Option<&'a Evaluation>,
    /// Where the applicant's answer stands.
    pub rebuttal: Rebuttal,
}

/// What must come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The factory has not made its technical check.
    NoTechnicalCheck,
    /// The factory cannot do it.
    TechnicallyRefused,
    /// Reviews are missing.
    Incomplete {
        /// How many there are.
        have: u32,
        /// How many there should be.
        want: Option<u32>,
    },
    /// Reviewers must agree first on these criteria.
    Apart(Vec<Slug>),
    /// A threshold is missed: of these criteria, or of the sum when there are none.
    Below(Vec<Slug>),
    /// The applicant has not seen the reviews yet.
    RebuttalDue,
    /// The applicant may still answer.
    RebuttalOpen {
        /// Until when.
        until: Timestamp,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTechnicalCheck => f.write_str("the factory has not made its technical check"),
            Self::TechnicallyRefused => {
                f.write_str("the technical check says that it cannot be done")
            }
            Self::Incomplete { have, want: Some(want) } => {
                write!(f, "{have} of {want} reviews are there")
            }
            Self::Incomplete { have, want: None } => write!(f, "{have} reviews are there"),
            Self::Apart(criteria) => {
                write!(f, "the reviewers must agree first on {}", list(criteria))
            }
            Self::Below(criteria) if criteria.is_empty() => {
                f.write_str("the sum of points misses its threshold")
            }
            Self::Below(criteria) => write!(f, "thresholds are missed: {}", list(criteria)),
            Self::RebuttalDue => f.write_str("the applicant has not been shown the reviews yet"),
            Self::RebuttalOpen { until } => write!(f, "the applicant may answer until {until}"),
        }
    }
}

fn list(criteria: &[Slug]) -> String {
    criteria.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ")
}

/// What stands against proposing `verdict` at `now`; nothing when it may be proposed.
///
/// A refusal waits for the reviews like an award does, unless the factory cannot do what is asked.
pub fn obstacles(verdict: Verdict, course: &Course<'_>, now: Timestamp) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let awards = matches!(verdict, Verdict::Award { .. });
    if course.steps.contains(&Review::Technical) {
        match course.technical {
            None => found.push(Obstacle::NoTechnicalCheck),
            Some(false) if awards => found.push(Obstacle::TechnicallyRefused),
            Some(false) => return found,
            Some(true) => {}
        }
    }
    if course.steps.contains(&Review::Peer) {
        found.extend(of_reviews(awards, course.evaluation));
        match course.rebuttal {
            Rebuttal::Due => found.push(Obstacle::RebuttalDue),
            Rebuttal::Open { until } if now < until => found.push(Obstacle::RebuttalOpen { until }),
            Rebuttal::Open { .. } | Rebuttal::NotForeseen | Rebuttal::Over => {}
        }
    }
    found
}

fn of_reviews(awards: bool, evaluation: Option<&Evaluation>) -> Option<Obstacle> {
    let Some(evaluation) = evaluation else {
        return Some(Obstacle::Incomplete { have: 0, want: None });
    };
    match &evaluation.standing {
        Standing::Incomplete { have, want } => {
            Some(Obstacle::Incomplete { have: *have, want: Some(*want) })
        }
        Standing::Apart(criteria) => Some(Obstacle::Apart(criteria.clone())),
        Standing::Below(criteria) => awards.then(|| Obstacle::Below(criteria.clone())),
        Standing::Passed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEERS: &[Review] = &[Review::Eligibility, Review::Technical, Review::Peer];

    fn now() -> Timestamp {
        "2026-11-22T09:00:00Z".parse().unwrap()
    }

    fn course(technical: Option<bool>, rebuttal: Rebuttal) -> Course<'static> {
        Course { steps: PEERS, technical, evaluation: None, rebuttal }
    }

    fn told(verdict: Verdict, course: &Course<'_>) -> Vec<String> {
        obstacles(verdict, course, now()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_is_decided_before_everybody_was_heard() {
        let award = Verdict::Award { hours: 1 };
        assert_eq!(
            told(award, &course(None, Rebuttal::Due)),
            [
                "the factory has not made its technical check",
                "0 reviews are there",
                "the applicant has not been shown the reviews yet"
            ]
        );
        let until = now().checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        assert_eq!(
            told(Verdict::Refuse, &course(Some(true), Rebuttal::Open { until })),
            ["0 reviews are there", "the applicant may answer until 2026-11-22T09:00:01Z"]
        );
    }

    #[test]
    fn what_the_factory_cannot_do_is_refused_without_reviews_and_never_awarded() {
        let cannot = course(Some(false), Rebuttal::Due);
        assert_eq!(told(Verdict::Refuse, &cannot), Vec::<String>::new());
        let award = told(Verdict::Award { hours: 1 }, &cannot);
        assert_eq!(award[0], "the technical check says that it cannot be done");
    }

    #[test]
    fn without_peers_the_technical_check_is_enough() {
        let steps = &[Review::Eligibility, Review::Technical];
        let course = Course { steps, ..course(Some(true), Rebuttal::NotForeseen) };
        assert_eq!(told(Verdict::Award { hours: 1 }, &course), Vec::<String>::new());
    }
}
