//! What must have happened to other jobs before one may start.

use std::fmt;
use std::str::FromStr;

use units::JobId;

use crate::life::{Life, State};

/// The text does not describe dependencies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADependency {
    /// It is not in any known form.
    #[error("`{0}` is not a dependency: write TYPE:JOB[:JOB…] or singleton, joined by `,` or `?`")]
    Form(String),
    /// Both separators at once.
    #[error("`{0}` joins dependencies by both `,` (all) and `?` (any); use one of them")]
    Mixed(String),
    /// A kind of dependency that is not offered.
    #[error("`{0}` is not offered; use after, afterany, afterok, afternotok or singleton")]
    Kind(String),
    /// Not the name of a job.
    #[error("`{0}` is not a job of this federation: use the id that submission returned")]
    Job(String),
}

/// What is asked of another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// It has started, or will never.
    After,
    /// It has ended in any way.
    AfterAny,
    /// It has completed.
    AfterOk,
    /// It has ended without completing.
    AfterNotOk,
}

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Something about a job, or about every element of an array.
    Job(When, JobId),
    /// No earlier job of the same person and name is left.
    Singleton,
}

/// How several conditions come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Join {
    /// Every one must hold.
    All,
    /// One is enough.
    Any,
}

/// Conditions on other jobs; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dependency {
    join: Join,
    conditions: Vec<Condition>,
}

/// What the state of the other jobs means for a job that waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may start.
    Met,
    /// It must wait.
    Waits,
    /// It can never start.
    Never,
}

impl Dependency {
    /// The conditions, in the order they were written.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Decides from the lives of the jobs that each condition names: one job, the elements of an
    /// array, or for a singleton the earlier jobs of the same person and name.
    pub fn verdict(&self, lives: impl Fn(Condition) -> Vec<Life>) -> Verdict {
        let each = self.conditions.iter().map(|condition| condition.verdict(&lives(*condition)));
        match self.join {
            Join::All => each.fold(Verdict::Met, Verdict::and),
            Join::Any => each.fold(Verdict::Never, Verdict::or),
        }
    }
}

impl Condition {
    fn verdict(self, lives: &[Life]) -> Verdict {
        let when = match self {
            Self::Singleton => When::AfterAny,
            Self::Job(when, _) => when,
        };
        let each = lives.iter().map(|life| when.verdict(&life.state));
        each.fold(Verdict::Met, Verdict::and)
    }
}

impl When {
    fn verdict(self, state: &State) -> Verdict {
        match (self, state) {
            (Self::After, State::Running { .. } | State::Ended { .. })
            | (Self::AfterAny, State::Ended { .. }) => Verdict::Met,
            (Self::AfterOk, State::Ended { end, .. }) if end.is_success() => Verdict::Met,
            (Self::AfterNotOk, State::Ended { end, .. }) if !end.is_success() => Verdict::Met,
            (Self::AfterOk | Self::AfterNotOk, State::Ended { .. }) => Verdict::Never,
            _ => Verdict::Waits,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::AfterAny => "afterany",
            Self::AfterOk => "afterok",
            Self::AfterNotOk => "afternotok",
        }
    }
}

impl Verdict {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Met, Self::Met) => Self::Met,
            _ => Self::Waits,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Met, _) | (_, Self::Met) => Self::Met,
            (Self::Never, Self::Never) => Self::Never,
            _ => Self::Waits,
        }
    }
}

impl FromStr for Dependency {
    type Err = NotADependency;

    fn from_str(text: &str) -> Result<Self, NotADependency> {
        let (join, separator) = match (text.contains(','), text.contains('?')) {
            (true, true) => return Err(NotADependency::Mixed(text.to_owned())),
            (false, true) => (Join::Any, '?'),
            _ => (Join::All, ','),
        };
        let mut conditions = Vec::new();
        for term in text.split(separator) {
            conditions.extend(term_conditions(term)?);
        }
        Ok(Self { join, conditions })
    }
}

/// The conditions of one `TYPE:JOB:JOB` term.
fn term_conditions(term: &str) -> Result<Vec<Condition>, NotADependency> {
    if term.eq_ignore_ascii_case("singleton") {
        return Ok(vec![Condition::Singleton]);
    }
    let form = || NotADependency::Form(term.to_owned());
    let (kind, jobs) = term.split_once(':').ok_or_else(form)?;
    let all = [When::After, When::AfterAny, When::AfterOk, When::AfterNotOk];
    let when = all.into_iter().find(|when| when.name().eq_ignore_ascii_case(kind));
    let when = when.ok_or_else(|| NotADependency::Kind(kind.to_owned()))?;
    let named = |job: &str| job.parse().map_err(|_| NotADependency::Job(job.to_owned()));
    jobs.split(':').map(|job| named(job).map(|job| Condition::Job(when, job))).collect()
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.join {
            Join::All => ",",
            Join::Any => "?",
        };
        for (index, condition) in self.conditions.iter().enumerate() {
            f.write_str(if index > 0 { separator } else { "" })?;
            match condition {
                Condition::Job(when, job) => write!(f, "{}:{job}", when.name())?,
                Condition::Singleton => f.write_str("singleton")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::{End, Failure};
    use units::Timestamp;

    const A: &str = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";
    const B: &str = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a11";

    fn life(state: &str) -> Life {
        let started = Timestamp::UNIX_EPOCH;
        let ended = |end| State::Ended { end, started: Some(started), ended: started };
        let state = match state {
            "queued" => State::Queued,
            "running" => State::Running { started },
            "ok" => ended(End::Completed),
            _ => ended(End::Failed(Failure::ExitCode(1))),
        };
        Life { state, cancel_asked: false }
    }

    /// The verdict when the jobs A and B stand as said.
    fn verdict(text: &str, a: &[&str], b: &[&str]) -> Verdict {
        let text = text.replace('A', A).replace('B', B);
        let dependency: Dependency = text.parse().unwrap();
        dependency.verdict(|condition| {
            let states = if matches!(condition, Condition::Job(_, job) if job.to_string() == B) {
                b
            } else {
                a
            };
            states.iter().map(|state| life(state)).collect()
        })
    }

    #[test]
    fn each_kind_waits_for_its_own_moment() {
        use Verdict::{Met, Never, Waits};
        let table = [
            ("after:A", [Waits, Met, Met, Met]),
            ("afterany:A", [Waits, Waits, Met, Met]),
            ("afterok:A", [Waits, Waits, Met, Never]),
            ("afternotok:A", [Waits, Waits, Never, Met]),
            ("singleton", [Waits, Waits, Met, Met]),
        ];
        for (text, expected) in table {
            let seen =
                ["queued", "running", "ok", "failed"].map(|state| verdict(text, &[state], &[]));
            assert_eq!(seen, expected, "{text}");
        }
    }

    #[test]
    fn commas_ask_for_all_and_question_marks_for_any() {
        assert_eq!(verdict("afterok:A:B", &["ok"], &["running"]), Verdict::Waits);
        assert_eq!(verdict("afterok:A,afterok:B", &["running"], &["failed"]), Verdict::Never);
        assert_eq!(verdict("afterok:A?afterok:B", &["failed"], &["running"]), Verdict::Waits);
        assert_eq!(verdict("afterok:A?afterok:B", &["failed"], &["ok"]), Verdict::Met);
        assert_eq!(verdict("afterok:A?afterok:B", &["failed"], &["failed"]), Verdict::Never);
    }

    #[test]
    fn an_array_counts_by_all_its_elements() {
        assert_eq!(verdict("afterok:A", &["ok", "ok", "running"], &[]), Verdict::Waits);
        assert_eq!(verdict("afterok:A", &["ok", "failed", "running"], &[]), Verdict::Never);
        assert_eq!(verdict("singleton", &[], &[]), Verdict::Met);
    }

    #[test]
    fn what_is_not_offered_is_refused_by_name() {
        let error = |text: &str| text.parse::<Dependency>().unwrap_err().to_string();
        assert!(error("aftercorr:1").contains("`aftercorr` is not offered"));
        assert!(error("afterok:123").contains("`123` is not a job of this federation"));
        assert!(error(&format!("after:{A}+5")).contains("is not a job"));
        assert!(error("afterok").contains("is not a dependency"));
        assert!(error(&format!("afterok:{A},afterok:{B}?singleton")).contains("both"));
    }
}
