//! What must have happened to other jobs before one may start.

use std::fmt;
use std::str::FromStr;

use units::JobId;

use crate::JobNumber;
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
    #[error(
        "`{0}` is not offered; use after, afterany, aftercorr, afterok, afternotok or singleton"
    )]
    Kind(String),
    /// Not the name of a job.
    #[error("`{0}` is not a job of this federation: use the number or id that submission returned")]
    Job(String),
}

/// What is asked of another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// It has started, or will never.
    After,
    /// It has ended in any way.
    AfterAny,
    /// The element of the same index has completed; said only until that element is known.
    AfterCorr,
    /// It has completed.
    AfterOk,
    /// It has ended without completing.
    AfterNotOk,
}

/// How a dependency names another job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Other {
    /// By its id, or that of an array.
    Id(JobId),
    /// By a number, which the hub looks up before it keeps the dependency.
    Number(JobNumber),
}

/// One condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Something about a job, or about every element of an array.
    Job(When, Other),
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

    /// The same, with every job as `find` names it.
    ///
    /// # Errors
    /// The first for whom it has none.
    pub fn resolved<E>(
        &self,
        mut find: impl FnMut(When, Other) -> Result<(When, JobId), E>,
    ) -> Result<Self, E> {
        let conditions = self.conditions.iter().map(|condition| match condition {
            Condition::Singleton => Ok(Condition::Singleton),
            Condition::Job(when, other) => {
                find(*when, *other).map(|(when, id)| Condition::Job(when, Other::Id(id)))
            }
        });
        Ok(Self { join: self.join, conditions: conditions.collect::<Result<_, E>>()? })
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
            (Self::AfterOk | Self::AfterCorr, State::Ended { end, .. }) if end.is_success() => {
                Verdict::Met
            }
            (Self::AfterNotOk, State::Ended { end, .. }) if !end.is_success() => Verdict::Met,
            (Self::AfterOk | Self::AfterCorr | Self::AfterNotOk, State::Ended { .. }) => {
                Verdict::Never
            }
            _ => Verdict::Waits,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::AfterAny => "afterany",
            Self::AfterCorr => "aftercorr",
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
    let all = [When::After, When::AfterAny, When::AfterCorr, When::AfterOk, When::AfterNotOk];
    let when = all.into_iter().find(|when| when.name().eq_ignore_ascii_case(kind));
    let when = when.ok_or_else(|| NotADependency::Kind(kind.to_owned()))?;
    let named = |job: &str| {
        let number = job.parse().map(Other::Number);
        number
            .or_else(|_| job.parse().map(Other::Id))
            .map_err(|_| NotADependency::Job(job.to_owned()))
    };
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
                Condition::Job(when, Other::Id(job)) => write!(f, "{}:{job}", when.name())?,
                Condition::Job(when, Other::Number(job)) => write!(f, "{}:{job}", when.name())?,
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
            let states = if matches!(condition, Condition::Job(_, Other::Id(job)) if job.to_string() == B) {
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
    fn jobs_named_by_numbers_are_looked_up() {
        let dependency: Dependency = "afterok:17:18_2,singleton".parse().unwrap();
        assert_eq!(dependency.to_string(), "afterok:17,afterok:18_2,singleton");
        assert_eq!(dependency.verdict(|_| vec![life("queued")]), Verdict::Waits);
        let seventeen = JobNumber { number: 17, index: None };
        let find = |when, other| match other {
            Other::Number(number) if number == seventeen => Ok((when, A.parse().unwrap())),
            other => Err(other),
        };
        let unknown = JobNumber { number: 18, index: Some(2) };
        assert_eq!(dependency.resolved(find), Err(Other::Number(unknown)));
        let only: Dependency = "aftercorr:17".parse().unwrap();
        let found = only.resolved(|_, other| find(When::AfterOk, other)).unwrap();
        assert_eq!(found.to_string(), format!("afterok:{A}"));
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
        assert!(error("expand:1").contains("`expand` is not offered"));
        assert!(error("afterok:1x").contains("`1x` is not a job of this federation"));
        assert!(error(&format!("after:{A}+5")).contains("is not a job"));
        assert!(error("afterok").contains("is not a dependency"));
        assert!(error(&format!("afterok:{A},afterok:{B}?singleton")).contains("both"));
    }
}
